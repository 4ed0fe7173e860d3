//! The git remote behind the simulated GitHub: a bare repository on disk.

use std::path::PathBuf;

use jiff::Timestamp;

use super::github::GitSide;
use crate::git::bare;

/// A bare repository that pull requests are about.
#[derive(Clone, Debug)]
pub struct BareRemote {
    /// Where it is.
    pub path: PathBuf,
}

impl GitSide for BareRemote {
    fn head(&self, branch: &str) -> Result<Option<String>, String> {
        let head = bare::find_head(&self.path, branch).map_err(|error| error.to_string())?;
        Ok(head.map(|head| head.to_string()))
    }

    fn diff(&self, base: &str, head: &str) -> Result<String, String> {
        bare::diff(&self.path, base, head).map_err(|error| error.to_string())
    }

    fn merge(&self, base: &str, head: &str, message: &str, at: Timestamp) -> Result<String, String> {
        let merged = bare::merge(&self.path, base, head, message, at);
        merged.map(|commit| commit.to_string()).map_err(|error| error.to_string())
    }
}
