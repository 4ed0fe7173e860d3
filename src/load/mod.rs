//! What a commit holds, as plain data.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::CommitId;

/// The files of one commit that Landfast reads, by path from the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The commit; all zeros for a directory that is not committed.
    pub revision: CommitId,
    /// The files.
    pub files: BTreeMap<String, File>,
}

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// A plain file.
    Blob(Arc<[u8]>),
    /// A symbolic link; never followed.
    Symlink,
    /// A submodule; never fetched.
    Submodule,
    /// A file above the size limit; never read.
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
}
