//! What can go wrong with git, and what to do about it.

use std::path::PathBuf;

use crate::model::{Class, CommitId};

/// Why git could not do what was asked. No variant ever holds a credential.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The remote did not answer, or broke off. It is tried again; if it lasts, look at the network and the
    /// remote's status page.
    #[error("`{url}` could not be reached: {reason}")]
    Network {
        /// The remote, without credentials.
        url: String,
        /// What the transport said.
        reason: String,
    },
    /// The remote took too long. It is tried again; if it lasts, the repository may be too big to fetch in time.
    #[error("git took longer than {seconds} s")]
    Deadline {
        /// The limit, in seconds.
        seconds: u64,
    },
    /// The remote wants other credentials. Check the token or key, and that it may read (and write) here.
    #[error("`{url}` refused the credentials: {reason}")]
    Auth {
        /// The remote, without credentials.
        url: String,
        /// What the remote said.
        reason: String,
    },
    /// The remote cannot prove who it is. Check the certificate authorities or `known_hosts`; it may be an impostor.
    #[error("the certificate or host key of `{url}` is not trusted: {reason}")]
    Untrusted {
        /// The remote, without credentials.
        url: String,
        /// What the transport said.
        reason: String,
    },
    /// There is no such repository, or these credentials may not see it. Check the URL.
    #[error("`{url}` is not a repository these credentials can see: {reason}")]
    NoRepository {
        /// The remote, without credentials.
        url: String,
        /// What the remote said.
        reason: String,
    },
    /// The branch does not exist. Push it, or name another one.
    #[error("`{url}` has no branch `{branch}`")]
    NoBranch {
        /// The remote, without credentials.
        url: String,
        /// The branch.
        branch: String,
    },
    /// The remote will not take the push. Look at its branch protection and the rights of the credentials.
    #[error("`{url}` refused a push to `{branch}`: {reason}")]
    Refused {
        /// The remote, without credentials.
        url: String,
        /// The branch.
        branch: String,
        /// What the remote said.
        reason: String,
    },
    /// Somebody else kept pushing to the same branch. It is tried again later.
    #[error("lost the race to push to `{branch}` {n_tries} times")]
    Raced {
        /// The branch.
        branch: String,
        /// How often it was tried.
        n_tries: u32,
    },
    /// The URL or branch name cannot be used. Correct the daemon's configuration.
    #[error("{reason}")]
    Location {
        /// What is wrong with which, in words.
        reason: String,
    },
    /// The commit is not in the cache, most likely because the cache was wiped. The next fetch brings it back.
    #[error("commit `{commit}` is not in the local cache")]
    UnknownCommit {
        /// The commit.
        commit: CommitId,
    },
    /// The local cache is damaged. It is made anew by the next fetch; deleting its folder is always safe.
    #[error("the local git cache failed: {reason}")]
    Cache {
        /// What libgit2 said.
        reason: String,
    },
    /// More than Landfast is willing to read. Make the repository smaller.
    #[error("{what} is above the limit of {limit}")]
    Limit {
        /// What is too big.
        what: String,
        /// The limit, with its unit.
        limit: String,
    },
    /// A tree holds a name that no honest repository has. Remove the entry from the repository.
    #[error("`{path}` cannot be read: {reason}")]
    Entry {
        /// The path, as far as it can be shown.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// Two branches change the same lines. A person has to merge them.
    #[error("`{head}` cannot be merged into `{base}`: {reason}")]
    Conflict {
        /// The branch merged into.
        base: String,
        /// The branch merged from.
        head: String,
        /// Why.
        reason: String,
    },
    /// An account file cannot take the account's id by itself. Add the line by hand.
    #[error("the account's id cannot be recorded: {reason}")]
    Record {
        /// Why.
        reason: String,
    },
    /// The signing key cannot be used. Make one with `ssh-keygen -t ed25519 -N ''`.
    #[error("`{path}` is not a usable signing key: {reason}")]
    Key {
        /// The key's file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file or folder on this machine cannot be read or written. Check its rights and the disk.
    #[error("cannot {doing} `{path}`")]
    Io {
        /// What was being done: "read", "write".
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A folder cannot be watched. Raise the limit on watches or poll instead.
    #[error("cannot watch `{path}`: {reason}")]
    Watch {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Landfast is wrong: please report it.
    #[error("{reason}")]
    Bug {
        /// What should not have happened.
        reason: String,
    },
}

impl Error {
    /// What the loop does next about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Network { .. }
            | Self::Deadline { .. }
            | Self::Raced { .. }
            | Self::UnknownCommit { .. }
            | Self::Cache { .. } => Class::Transient,
            Self::Auth { .. }
            | Self::Untrusted { .. }
            | Self::NoRepository { .. }
            | Self::NoBranch { .. }
            | Self::Refused { .. }
            | Self::Location { .. }
            | Self::Limit { .. }
            | Self::Entry { .. }
            | Self::Conflict { .. }
            | Self::Record { .. }
            | Self::Key { .. }
            | Self::Io { .. }
            | Self::Watch { .. } => Class::Stalled,
            Self::Bug { .. } => Class::Bug,
        }
    }

    pub(super) fn bug(reason: impl Into<String>) -> Self {
        Self::Bug { reason: reason.into() }
    }
}

/// An error of the object database on this machine: whatever it is, a fresh cache cures it.
impl From<git2::Error> for Error {
    fn from(error: git2::Error) -> Self {
        Self::Cache { reason: error.message().to_owned() }
    }
}
