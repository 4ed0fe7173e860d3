//! Following the repository: which commit is in force.
//!
//! Guarantees: a commit that does not load, or that is too large or odd to be read, changes nothing and is refused, and the last good one stays in force; a history that was
//! rewritten is not followed. A failed fetch is an error and never an empty repository.

use std::path::PathBuf;
use std::sync::Arc;

use crate::git::{self, Repository, Signer, blocking};
use crate::load::{Diagnostics, Tree, load};
use crate::model::{CommitId, Desired};
use crate::report::{Halted, Rejected};

/// A commit that is in force.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// What it says.
    pub desired: Arc<Desired>,
    /// When it was made, seconds since 1970.
    pub committed: i64,
}

/// Where the desired state is.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A branch of a remote.
    Branch {
        /// The remote.
        repository: Repository,
        /// The branch.
        branch: String,
    },
    /// A directory as it lies.
    Directory(PathBuf),
}

/// What a look at the origin came to.
#[derive(Clone, Debug)]
pub enum News {
    /// Nothing new.
    Same,
    /// A commit that loads: it is in force from now on.
    Accepted(Accepted),
    /// A commit that does not load, or cannot be read because of what it holds.
    Rejected(Rejected),
    /// A history that is not followed.
    Halted(Halted),
}

/// Follows one origin.
#[derive(Debug)]
pub struct Follow {
    origin: Origin,
    signer: Option<Signer>,
    /// The last commit that was looked at, whatever came of it.
    seen: Option<Seen>,
    accepted: Option<CommitId>,
}

/// What was looked at last: a commit, or the files of a directory.
#[derive(Debug, PartialEq)]
enum Seen {
    Commit(CommitId),
    Files(Tree),
}

impl Follow {
    /// Follows `origin`; `signer` seals hidden parameters.
    pub fn new(origin: Origin, signer: Option<Signer>) -> Self {
        Self { origin, signer, seen: None, accepted: None }
    }

    /// Where commits come from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Looks whether there is anything new.
    pub async fn look(&mut self) -> Result<News, git::Error> {
        match self.origin.clone() {
            Origin::Branch { repository, branch } => self.branch(repository, branch).await,
            Origin::Directory(directory) => self.directory(directory).await,
        }
    }

    async fn branch(&mut self, repository: Repository, branch: String) -> Result<News, git::Error> {
        let remote = repository.clone();
        let head = blocking(move || remote.fetch(&branch)).await?;
        if self.seen == Some(Seen::Commit(head.clone())) {
            return Ok(News::Same);
        }
        if let Some(halted) = self.rewritten(&repository, &head).await? {
            self.seen = Some(Seen::Commit(head));
            return Ok(News::Halted(halted));
        }
        let commit = head.clone();
        let read = move || Ok((repository.tree(&commit)?, repository.commit(&commit)?.time.as_second()));
        let news = match blocking(read).await {
            Ok((tree, committed)) => self.judge(&tree, committed),
            // The commit will always be like this: whoever made it has to hear of it, as if it did not load.
            Err(error @ (git::Error::Limit { .. } | git::Error::Entry { .. })) => {
                News::Rejected(Rejected { commit: head.clone(), diagnostics: error.to_string() })
            }
            Err(error) => return Err(error),
        };
        self.seen = Some(Seen::Commit(head));
        Ok(news)
    }

    async fn directory(&mut self, directory: PathBuf) -> Result<News, git::Error> {
        let tree = blocking(move || git::read_directory(&directory)).await?;
        if self.seen == Some(Seen::Files(tree.clone())) {
            return Ok(News::Same);
        }
        let news = self.judge(&tree, 0);
        self.seen = Some(Seen::Files(tree));
        Ok(news)
    }

    /// The branch only ever moves forward: after a force-push or a roll-back a person has to look.
    async fn rewritten(
        &self,
        repository: &Repository,
        head: &CommitId,
    ) -> Result<Option<Halted>, git::Error> {
        let Some(accepted) = self.accepted.clone() else { return Ok(None) };
        let (repository, new) = (repository.clone(), head.clone());
        let before = accepted.clone();
        let is_forward = blocking(move || repository.is_ancestor(&before, &new)).await?;
        let because = format!(
            "the branch was rewritten: {} does not build on {}, which stays in force; put the branch back, \
             or restart the daemon to accept it",
            head.short(),
            accepted.short()
        );
        Ok((!is_forward).then(|| Halted { commit: head.clone(), because }))
    }

    fn judge(&mut self, tree: &Tree, committed: i64) -> News {
        match load(tree) {
            Ok(mut desired) => {
                if let Some(signer) = &self.signer {
                    desired.seal(|secret| signer.digest_secret(secret));
                }
                self.accepted = Some(tree.revision.clone());
                News::Accepted(Accepted { desired: Arc::new(desired), committed })
            }
            Err(diagnostics) => News::Rejected(rejected(tree, &diagnostics)),
        }
    }
}

fn rejected(tree: &Tree, diagnostics: &Diagnostics) -> Rejected {
    Rejected { commit: tree.revision.clone(), diagnostics: diagnostics.to_string() }
}
