//! What `validate` prints, in four languages: for people, programs, code scanning and pull requests.
//!
//! Guarantees: pure; the same diagnostics give the same bytes; a line of a file is only shown where load shows it.
//! Paths are those of the diagnostics, below `prefix` where the repository is a folder of a larger one.

mod github;
mod human;
mod json;
mod sarif;

use crate::load::{Diagnostics, Severity};

pub use github::github;
pub use human::human;
pub use json::json as checked_json;
pub use sarif::sarif;

/// What was looked at and what was found.
#[derive(Clone, Copy, Debug)]
pub struct Checkup<'a> {
    /// What is to be said, in order.
    pub diagnostics: &'a Diagnostics,
    /// Folders of accounts that were looked at.
    pub accounts: usize,
    /// Folders of baselines that were looked at.
    pub baselines: usize,
    /// Where the files lie below the root of the git repository: empty, or a path that ends with `/`.
    pub prefix: &'a str,
}

impl Checkup<'_> {
    /// How many diagnostics are this grave.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    }

    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

#[cfg(test)]
mod tests;
