//! Locks from one commit to the next: no account leaves one by its own word, not even by going away for a while.

use super::{Accepted, Follow, News};
use crate::git::{self, Repository, blocking};
use crate::load::{Held, Newcomers, check};
use crate::model::CommitId;
use crate::plan::go_on;
use crate::report::{Halted, Rejected};

/// How many earlier states of accounts that come back are looked at.
const MAX_STATES: usize = 20;

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
        let (repository, from) = (repository.clone(), before.desired.revision.clone());
        let past = blocking(move || earlier(&repository, &from, newcomers)).await?;
        let returns = |held| accepted.held.returns(held, &past.newcomers, commit);
        let mut left = past.states.iter().map(|(then, held)| (then, returns(held)));
        Ok(match left.find(|(_, left)| !left.is_empty()) {
            Some((then, left)) => {
                let because = "an account whose folder comes back is under the locks it was under before";
                Some(rejected(commit, format!("{because}, in {}:\n\n{left}", then.short())))
            }
            None if !past.is_whole => Some(too_long(commit)),
            None => None,
        })
    }
}

/// Where newcomers were before.
struct Earlier {
    states: Vec<(CommitId, Held)>,
    newcomers: Newcomers,
    /// False when there are more states.
    is_whole: bool,
}

/// Every state before `from` in which one of the newcomers was there already, as far as it loads: what does not was
/// never in force.
fn earlier(
    repository: &Repository,
    from: &CommitId,
    mut newcomers: Newcomers,
) -> Result<Earlier, git::Error> {
    let past = repository.past(from, MAX_STATES, |path, text| newcomers.were_in(path, text))?;
    let mut states = Vec::new();
    for commit in past.commits {
        match repository.tree(&commit) {
            Ok(tree) => states.push((commit, check(&tree, None).held)),
            Err(git::Error::Limit { .. } | git::Error::Entry { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Earlier { states, newcomers, is_whole: past.is_whole })
}

fn rejected(commit: &CommitId, diagnostics: String) -> News {
    News::Rejected(Rejected { commit: commit.clone(), diagnostics })
}

fn too_long(commit: &CommitId) -> News {
    let because = format!(
        "an account comes back whose folder was changed more than {MAX_STATES} times before it went away, so that it is \
         not known which locks it was under"
    );
    News::Halted(Halted { commit: commit.clone(), because, proceed: go_on(commit) })
}
