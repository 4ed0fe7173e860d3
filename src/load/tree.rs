//! The files of one commit, as git hands them over.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::CommitId;

/// The files of one commit. Only `landfast.yaml`, `organization/`, `baselines/` and `accounts/` matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The commit; all zeros for a directory that is not committed.
    pub revision: CommitId,
    /// Files by path from the root, with `/` between names.
    pub files: BTreeMap<String, File>,
}

impl Tree {
    /// True for the paths that load looks at; the others need not be read at all.
    pub fn matters(path: &str) -> bool {
        let first = path.split('/').next().unwrap_or_default();
        matches!(first, "landfast.yaml" | "landfast.yml" | "organization" | "baselines" | "accounts")
    }
}

/// One entry of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// Its bytes, executable or not.
    Blob(Arc<[u8]>),
    /// A symbolic link, whatever it points to.
    Symlink,
    /// Another repository's commit.
    Submodule,
    /// A blob that was not read because of its size.
    TooLarge {
        /// Bytes.
        size: u64,
    },
}

impl File {
    /// A file with this text.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Blob(text.as_ref().as_bytes().into())
    }
}
