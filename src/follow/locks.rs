//! Locks from one commit to the next: no account leaves one by its own word, not even by going away for a while.
//!
//! Guarantees: an account that comes back is compared with the last commit in force that had it; what was never in force
//! does not count.
//!
//! Assumes: that commit is within [`MAX_COMMITS`] of those on record, and it can be told from the files: by a recorded id,
//! or by the folder or the e-mail of an account that had none.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Accepted, Follow, News};
use crate::git::{self, PastFile, Repository, blocking};
use crate::load::{Diagnostics, Held, Newcomers, check, recorded_id};
use crate::model::CommitId;
use crate::report::Rejected;

/// How many commits that were in force are looked through.
const MAX_COMMITS: usize = 5_000;
/// How many of them are loaded: those in which somebody was who may be a newcomer.
const MAX_LOADED: usize = 20;

impl Follow {
    /// Why a commit is not followed in which accounts leave a lock that has not let them go.
    pub(super) async fn deserters(
        &self,
        repository: &Repository,
        before: &Accepted,
        accepted: &Accepted,
    ) -> Result<Option<News>, git::Error> {
        let commit = &accepted.desired.revision;
        let left = accepted.held.departures(&before.held, commit);
        if !left.is_empty() {
            return Ok(Some(rejected(commit, left.to_string())));
        }
        let newcomers = accepted.held.newcomers(&before.held);
        if newcomers.is_empty() {
            return Ok(None);
        }
        let search = Search {
            repository: repository.clone(),
            in_force: self.in_force_before(&before.desired.revision).await?,
            now: Arc::clone(&accepted.held),
            commit: commit.clone(),
        };
        let found = blocking(move || search.run(newcomers)).await?;
        Ok(found.map(|(then, left)| {
            let because = "an account whose folder comes back is under the locks it was under before";
            rejected(commit, format!("{because}, in {}:\n\n{left}", then.short()))
        }))
    }

    /// The commits that were in force, the newest first, which is `last`: those of this process, and those on record.
    async fn in_force_before(&self, last: &CommitId) -> Result<Vec<CommitId>, git::Error> {
        let mut commits = vec![last.clone()];
        commits.extend(self.were_in_force.iter().rev().cloned());
        if let Some(ledger) = self.ledger.clone() {
            commits.extend(blocking(move || ledger.were_accepted()).await?);
        }
        let mut seen = BTreeSet::new();
        commits.retain(|commit| seen.insert(commit.clone()));
        commits.truncate(MAX_COMMITS);
        Ok(commits)
    }
}

/// A look for newcomers among the commits that were in force.
struct Search {
    repository: Repository,
    in_force: Vec<CommitId>,
    now: Arc<Held>,
    commit: CommitId,
}

impl Search {
    /// The commit in which one of them was under a lock that it would leave, and what there is to say of it.
    fn run(&self, mut newcomers: Newcomers) -> Result<Option<(CommitId, Diagnostics)>, git::Error> {
        let mut loaded = 0;
        for pair in self.in_force.windows(2) {
            let [later, then] = pair else { break };
            if newcomers.is_empty() || loaded >= MAX_LOADED {
                break;
            }
            let files = match self.repository.past_accounts(then, later) {
                // One that only an abandoned history has may be gone.
                Err(git::Error::UnknownCommit { .. }) => continue,
                files => files?,
            };
            if !files.iter().any(|file| may_be_one(file, &newcomers)) {
                continue;
            }
            loaded += 1;
            let Some(held) = self.held(then)? else { continue };
            let left = self.now.returns(&held, &mut newcomers, &self.commit);
            if !left.is_empty() {
                return Ok(Some((then.clone(), left)));
            }
        }
        Ok(None)
    }

    /// Who was under which lock; nothing where an older version could read what this one cannot.
    fn held(&self, commit: &CommitId) -> Result<Option<Held>, git::Error> {
        match self.repository.tree(commit) {
            Ok(tree) => {
                let checked = check(&tree, None);
                Ok(checked.desired.is_some().then_some(checked.held))
            }
            Err(git::Error::Limit { .. } | git::Error::Entry { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// True where a folder went away, or was given to another account, that a newcomer may have had.
fn may_be_one(file: &PastFile, newcomers: &Newcomers) -> bool {
    let was = recorded_id(&file.text);
    let is_left = file.now.as_ref().is_none_or(|now| recorded_id(now) != was);
    is_left && newcomers.may_be(&file.folder, was.as_ref())
}

fn rejected(commit: &CommitId, diagnostics: String) -> News {
    News::Rejected(Rejected { commit: commit.clone(), diagnostics })
}
