//! Following the repository: which commit is in force.
//!
//! Guarantees: a commit that does not load, or that is too large or odd to be read, changes nothing and is refused, and
//! the last good one stays in force, after a restart too; the commit in force only ever moves forward, and not further
//! than the guards allow, unless an operator vouches for the very commit. A failed fetch is an error and never an empty
//! repository.
//!
//! Assumes: the caller knows from a signed record which commit was last in force.

mod guard;
mod judge;
mod locks;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use judge::Judge;

use crate::git::{self, ObservedBranch, Repository, Signer, blocking};
use crate::load::{Held, Tree};
use crate::model::{CommitId, Desired};
use crate::plan::{Guards, go_on};
use crate::report::{Halted, Rejected};

/// A commit that is in force.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// What it says.
    pub desired: Arc<Desired>,
    /// Who is under which lock in it.
    pub held: Arc<Held>,
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
    /// A commit that is not followed until a person has looked.
    Halted(Halted),
    /// One that is not followed, found at the start: the last good commit is in force again.
    Resumed(Accepted, Box<Self>),
}

/// Follows one origin.
#[derive(Debug)]
pub struct Follow {
    origin: Origin,
    judge: Arc<Mutex<Judge>>,
    guards: Guards,
    /// The last commit that was looked at, whatever came of it.
    seen: Option<Seen>,
    /// The commit that was last put in force, by this process or by one before.
    last: Option<CommitId>,
    /// What is in force now.
    in_force: Option<Accepted>,
    /// What this process put in force, the newest last.
    were_in_force: Vec<CommitId>,
    /// Where it is on record what was in force before.
    ledger: Option<Arc<ObservedBranch>>,
}

/// What was looked at last: a commit, or the files of a directory.
#[derive(Debug, PartialEq)]
enum Seen {
    Commit(CommitId),
    Files(Tree),
}

impl Follow {
    /// Follows `origin`; `signer` seals hidden parameters.
    pub fn new(origin: Origin, signer: Option<Signer>, guards: Guards) -> Self {
        let judge = Arc::new(Mutex::new(Judge::new(signer)));
        let (seen, last, in_force, were_in_force, ledger) = (None, None, None, Vec::new(), None);
        Self { origin, judge, guards, seen, last, in_force, were_in_force, ledger }
    }

    /// Says which commit was last in force, as it is on record, and where the ones before it are.
    pub fn resume_after(&mut self, last: Option<CommitId>, ledger: Option<Arc<ObservedBranch>>) {
        self.last = last;
        self.ledger = ledger;
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
        let news = match self.before(&repository, &head).await? {
            Ok(before) => self.step(&repository, &head, before.as_ref()).await?,
            Err(halted) => News::Halted(halted),
        };
        let news = self.resumed(&repository, news).await?;
        self.seen = Some(Seen::Commit(head));
        Ok(news)
    }

    /// Takes the head, which builds on `before`, unless it does not load or goes too far at once.
    async fn step(
        &mut self,
        repository: &Repository,
        head: &CommitId,
        before: Option<&CommitId>,
    ) -> Result<News, git::Error> {
        let accepted = match self.read(repository, head).await? {
            Ok(accepted) => accepted,
            Err(rejected) => return Ok(News::Rejected(rejected)),
        };
        let before = match before {
            Some(before) if before != head && !self.guards.is_approved(head) => {
                self.known(repository, before).await?
            }
            _ => None,
        };
        if let Some(before) = &before
            && let Some(news) = self.deserters(repository, before, &accepted).await?
        {
            return Ok(news);
        }
        let objection =
            before.and_then(|before| guard::objection(&before.desired, &accepted.desired, &self.guards));
        match objection {
            Some(because) => Ok(News::Halted(Halted { commit: head.clone(), because, proceed: go_on(head) })),
            None => Ok(self.accept(accepted)),
        }
    }

    fn accept(&mut self, accepted: Accepted) -> News {
        let revision = &accepted.desired.revision;
        self.last = Some(revision.clone());
        self.were_in_force.push(revision.clone());
        self.in_force = Some(accepted.clone());
        News::Accepted(accepted)
    }

    /// A commit that is not followed leaves in force what was; after a restart that is what was in force before it, where
    /// it can still be read.
    async fn resumed(&mut self, repository: &Repository, news: News) -> Result<News, git::Error> {
        let last = self.last.clone().filter(|_| self.in_force.is_none());
        let (Some(last), News::Rejected(_) | News::Halted(_)) = (last, &news) else { return Ok(news) };
        match self.read(repository, &last).await {
            Ok(Ok(accepted)) => {
                self.in_force = Some(accepted.clone());
                Ok(News::Resumed(accepted, Box::new(news)))
            }
            Ok(Err(_)) | Err(git::Error::UnknownCommit { .. }) => Ok(news),
            Err(error) => Err(error),
        }
    }

    /// What a commit said that was in force. One that an older version could read and this one cannot has nothing to
    /// compare with.
    async fn known(
        &self,
        repository: &Repository,
        commit: &CommitId,
    ) -> Result<Option<Accepted>, git::Error> {
        match &self.in_force {
            Some(accepted) if accepted.desired.revision == *commit => Ok(Some(accepted.clone())),
            _ => Ok(self.read(repository, commit).await?.ok()),
        }
    }

    /// A commit as it would be in force, or why it does not load.
    async fn read(
        &self,
        repository: &Repository,
        commit: &CommitId,
    ) -> Result<Result<Accepted, Rejected>, git::Error> {
        let (repository, of) = (repository.clone(), commit.clone());
        let judge = Arc::clone(&self.judge);
        let read = move || {
            let (tree, committed) = (repository.tree(&of)?, repository.commit(&of)?.time.as_second());
            Ok(judged(&judge, &tree, committed))
        };
        match blocking(read).await {
            Ok(judged) => Ok(judged),
            // The commit will always be like this: whoever made it has to hear of it, as if it did not load.
            Err(error @ (git::Error::Limit { .. } | git::Error::Entry { .. })) => {
                Ok(Err(Rejected { commit: commit.clone(), diagnostics: error.to_string() }))
            }
            Err(error) => Err(error),
        }
    }

    async fn directory(&mut self, directory: PathBuf) -> Result<News, git::Error> {
        let tree = blocking(move || git::read_directory(&directory)).await?;
        if self.seen == Some(Seen::Files(tree.clone())) {
            return Ok(News::Same);
        }
        let judge = Arc::clone(&self.judge);
        let (tree, judged) = blocking(move || {
            let judged = judged(&judge, &tree, 0);
            Ok((tree, judged))
        })
        .await?;
        let news = match judged {
            Ok(accepted) => self.accept(accepted),
            Err(rejected) => News::Rejected(rejected),
        };
        self.seen = Some(Seen::Files(tree));
        Ok(news)
    }

    /// The commit that `head` has to be compared with: the last one in force, or a newer one that an operator vouched
    /// for. The branch only ever moves forward from there; otherwise a person has to look.
    async fn before(
        &self,
        repository: &Repository,
        head: &CommitId,
    ) -> Result<Result<Option<CommitId>, Halted>, git::Error> {
        let Some(last) = self.last.clone() else { return Ok(Ok(None)) };
        let is_forward = |from: &CommitId, to: &CommitId| {
            let (repository, from, to) = (repository.clone(), from.clone(), to.clone());
            blocking(move || repository.is_ancestor(&from, &to))
        };
        if is_forward(&last, head).await? {
            return Ok(Ok(Some(last)));
        }
        let of = repository.clone();
        blocking(move || of.fetch_kept()).await?;
        let is_known = self.knows(repository, &last).await?;
        for vouched in &self.guards.approved {
            // A word that was used once does not count again for going back to it.
            let is_used = is_known && is_forward(vouched, &last).await?;
            if is_forward(vouched, head).await? && (!is_used || vouched == head) {
                return Ok(Ok(Some(vouched.clone())));
            }
        }
        let is_older = is_known && is_forward(head, &last).await?;
        Ok(Err(rewritten(head, &last, is_older)))
    }

    /// True when the commit was fetched; one that only an abandoned history has may be gone.
    async fn knows(&self, repository: &Repository, commit: &CommitId) -> Result<bool, git::Error> {
        let (repository, commit) = (repository.clone(), commit.clone());
        match blocking(move || repository.commit(&commit)).await {
            Ok(_) => Ok(true),
            Err(git::Error::UnknownCommit { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Judged on a thread of its own: the first commit of a large repository takes a while.
fn judged(judge: &Mutex<Judge>, tree: &Tree, committed: i64) -> Result<Accepted, Rejected> {
    judge.lock().unwrap_or_else(PoisonError::into_inner).judge(tree, committed)
}

fn rewritten(head: &CommitId, last: &CommitId, is_older: bool) -> Halted {
    let because = if is_older {
        format!("the branch was set back to {}, which is older than {}", head.short(), last.short())
    } else {
        format!("the branch was rewritten: {} does not build on {}", head.short(), last.short())
    };
    Halted { commit: head.clone(), because, proceed: go_on(head) }
}
