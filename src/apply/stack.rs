//! Stacks: a change set with a name that never changes for the same intent, then its execution, then the wait.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::losses::{guarded, losses};
use super::progress::News;
use super::{Site, Watch};
use crate::aws::{ChangeSet, Error, NewChangeSet, StackSeen, first_failure};
use crate::model::status::{Readiness, Standing};
use crate::model::{Class, Outcome, RoleName, Scope, Stack, StackFact, StackKey, StepId};

/// How long CloudFormation works on even a small change set.
const WORKING_OUT: Duration = Duration::from_millis(3500);

/// What is sent for one stack.
pub(super) struct Sent<'a> {
    pub(super) key: &'a StackKey,
    pub(super) before: Option<&'a StackFact>,
    pub(super) stack: &'a Stack,
    pub(super) tags: &'a BTreeMap<String, String>,
    pub(super) role: Option<&'a RoleName>,
    pub(super) change_set: &'a str,
    pub(super) revert: bool,
    pub(super) keeps_data: bool,
}

/// Works on the stacks of one account.
pub(super) struct Stacks<'a> {
    pub(super) site: &'a Site<'a>,
    pub(super) watch: &'a Watch,
    pub(super) scope: &'a Scope,
    pub(super) step: StepId,
}

/// How creating a change set ended.
enum Prepared {
    Ready(ChangeSet),
    /// CloudFormation found nothing to change.
    Unneeded(ChangeSet),
    Ended(Outcome),
}

impl Stacks<'_> {
    /// Creates or updates the stack.
    pub(super) async fn deploy(&self, sent: &Sent<'_>) -> Result<Outcome, Error> {
        let now = self.watch.before(sent.key).await?;
        if let Some(because) = stale(sent, now.as_ref()) {
            return Ok(Outcome::Stale(because));
        }
        let region = &sent.key.region;
        match self.prepare(sent).await? {
            Prepared::Ended(outcome) => Ok(outcome),
            Prepared::Unneeded(change_set) => {
                self.site.writer.delete_change_set(region, &change_set.id).await?;
                Ok(undeployable(sent.revert))
            }
            Prepared::Ready(change_set) => {
                let lost = if sent.keeps_data { losses(&change_set) } else { Vec::new() };
                if !lost.is_empty() {
                    self.site.writer.delete_change_set(region, &change_set.id).await?;
                    return Ok(guarded(&lost));
                }
                self.execute(sent, &change_set).await?;
                self.wait(sent, &change_set).await
            }
        }
    }

    /// Deletes a stack whose first creation failed; nothing of it is left but its name.
    pub(super) async fn delete_failed(&self, key: &StackKey, before: &StackFact) -> Result<Outcome, Error> {
        let now = self.site.reader.stack(&key.region, &before.id).await?;
        let Some(now) = now.filter(|now| Standing::of(&now.status) == Standing::Fallen) else {
            return Ok(Outcome::Stale(format!("{} is no longer in ROLLBACK_COMPLETE", key.name)));
        };
        self.delete(key, &now).await
    }

    /// Deletes a stack that is to be no more, if it still is what the plan saw.
    pub(super) async fn remove(&self, key: &StackKey, before: &StackFact) -> Result<Outcome, Error> {
        let now = self.site.reader.stack(&key.region, &before.id).await?;
        let is_same = |now: &StackSeen| now.updated == before.updated && now.status == before.status;
        let Some(now) = now.filter(is_same) else {
            return Ok(Outcome::Stale(format!("{} was changed meanwhile", key.name)));
        };
        match self.in_use(key, &now).await? {
            Some(because) => Ok(Outcome::Failed { class: Class::Stalled, message: because }),
            None => self.delete(key, &now).await,
        }
    }

    /// The export that keeps the stack, with those that import it. CloudFormation takes a deletion all the same, calls
    /// it off and says so in the stack's reason only: it is not asked for what it will not do, pass after pass.
    async fn in_use(&self, key: &StackKey, stack: &StackSeen) -> Result<Option<String>, Error> {
        for export in &stack.exports {
            let importers = self.site.reader.importers(&key.region, export).await?;
            if !importers.is_empty() {
                let because = format!("its export {export} is in use by {}", importers.join(", "));
                return Ok(Some(format!("{because}: it is deleted once nothing imports that any more")));
            }
        }
        Ok(None)
    }

    /// Deletes the stack and waits until it is gone. The same token goes with every try, and an answer that was lost is
    /// told from the stack itself.
    async fn delete(&self, key: &StackKey, now: &StackSeen) -> Result<Outcome, Error> {
        match self.site.writer.delete_stack(&key.region, &now.id, &token(now)).await {
            Err(error) if !error.outcome_unknown() => return Err(error),
            _ => {}
        }
        let deadline = Instant::now() + self.site.patience;
        for nth in 0.. {
            tokio::time::sleep(self.watch.pause(nth)).await;
            let Some(stack) = self.site.reader.stack(&key.region, &now.id).await? else {
                return Ok(Outcome::Done);
            };
            self.site.progress.tell(self.scope, &self.step, News::Moved(stack.status.clone()));
            match Standing::of(&stack.status) {
                Standing::Gone => return Ok(Outcome::Done),
                Standing::Broken => return self.not_deleted(key, &stack).await,
                // CloudFormation thought better of it: an export is in use.
                Standing::Whole | Standing::Restored if !stack.reason.is_empty() && nth > 0 => {
                    return Ok(stalled(&stack, &stack.reason));
                }
                _ if Instant::now() > deadline => return Ok(waiting(&stack)),
                _ => {}
            }
        }
        Ok(Outcome::Done)
    }

    /// A stack that could not be deleted, with the first resource that did not go: that is the cause.
    async fn not_deleted(&self, key: &StackKey, stack: &StackSeen) -> Result<Outcome, Error> {
        let events = self.site.reader.stack_events(&key.region, &stack.id, stack.updated).await?;
        let deletions: Vec<_> = events.into_iter().filter(|event| event.status == "DELETE_FAILED").collect();
        let reason = first_failure(&deletions).unwrap_or_else(|| stack.reason.clone());
        Ok(stalled(stack, &reason))
    }

    async fn prepare(&self, sent: &Sent<'_>) -> Result<Prepared, Error> {
        let new = NewChangeSet {
            stack: sent.key.name.as_str(),
            name: sent.change_set,
            is_new: sent.before.is_none(),
            template: &sent.stack.template,
            parameters: &sent.stack.parameters,
            tags: sent.tags,
            role: sent.role,
            capabilities: &sent.stack.capabilities,
            revert: sent.revert,
        };
        let made = match self.site.writer.create_change_set(&sent.key.region, &new).await {
            Ok((id, _)) => Some(id),
            // Somebody has made one of this name: an earlier attempt of ours whose answer was lost, or a stranger.
            Err(error) if error.code() == Some("AlreadyExistsException") => None,
            Err(error) if error.outcome_unknown() => None,
            Err(error) => return Err(error),
        };
        let since = Instant::now();
        match self.settle(sent, new.stack).await? {
            Prepared::Ready(change_set) if made.as_deref() != Some(change_set.id.as_str()) => {
                self.distrust(sent, &change_set).await
            }
            Prepared::Ready(change_set) if sent.before.is_some() => {
                self.confirm(sent, change_set, since).await
            }
            prepared => Ok(prepared),
        }
    }

    /// What moved before the change set was made went into it unseen, and shows in a look that is younger; what moves
    /// later makes it out of date, which CloudFormation sees to itself.
    async fn confirm(
        &self,
        sent: &Sent<'_>,
        change_set: ChangeSet,
        since: Instant,
    ) -> Result<Prepared, Error> {
        let now = self.watch.since(sent.key, since).await?;
        let Some(because) = stale(sent, now.as_ref()) else { return Ok(Prepared::Ready(change_set)) };
        self.site.writer.delete_change_set(&sent.key.region, &change_set.id).await?;
        Ok(Prepared::Ended(Outcome::Stale(because)))
    }

    /// Anybody may have made what bears the name we would give: only what this very call made is executed. What was
    /// found is deleted, and the next pass makes its own.
    async fn distrust(&self, sent: &Sent<'_>, change_set: &ChangeSet) -> Result<Prepared, Error> {
        self.site.writer.delete_change_set(&sent.key.region, &change_set.id).await?;
        let because = format!("a change set named {} was there already; it is made anew", sent.change_set);
        Ok(Prepared::Ended(Outcome::Stale(because)))
    }

    /// Waits until the change set is worked out.
    async fn settle(&self, sent: &Sent<'_>, stack: &str) -> Result<Prepared, Error> {
        let deadline = Instant::now() + self.site.patience;
        // No change set is worked out sooner: an earlier look is a wasted call.
        tokio::time::sleep(self.site.reader.pace().scale(WORKING_OUT)).await;
        for nth in 0.. {
            let found = self.site.reader.change_set(&sent.key.region, stack, sent.change_set).await?;
            let Some(change_set) = found else { return Ok(Prepared::Ended(missing(sent))) };
            match Readiness::of(&change_set.status, &change_set.execution) {
                Readiness::Gone => return Ok(Prepared::Ended(missing(sent))),
                _ if is_for_another(sent, &change_set) => return self.leave(sent, &change_set).await,
                Readiness::Ready | Readiness::Executed => return Ok(Prepared::Ready(change_set)),
                Readiness::Refused if is_unneeded(&change_set.reason) => {
                    return Ok(Prepared::Unneeded(change_set));
                }
                Readiness::Refused => return self.discard(sent, &change_set).await,
                Readiness::OutOfDate => return self.outdated(sent, &change_set).await,
                Readiness::Broken => return Ok(Prepared::Ended(unusable(&change_set))),
                Readiness::Working | Readiness::Leaving if Instant::now() > deadline => break,
                Readiness::Working | Readiness::Leaving => {
                    tokio::time::sleep(self.watch.pause(nth) / 4).await;
                }
            }
        }
        Ok(Prepared::Ended(Outcome::Waiting {
            because: format!("CloudFormation still works out the change set {}", sent.change_set),
            after: self.watch.pause(4),
        }))
    }

    /// A change set that failed is of no use, and its name has to be free for the next try.
    async fn discard(&self, sent: &Sent<'_>, change_set: &ChangeSet) -> Result<Prepared, Error> {
        self.site.writer.delete_change_set(&sent.key.region, &change_set.id).await?;
        let message = format!("CloudFormation refused the change set: {}", change_set.reason);
        Ok(Prepared::Ended(Outcome::Failed { class: Class::Stalled, message }))
    }

    /// One that cannot be executed any more is of no use to anybody.
    async fn outdated(&self, sent: &Sent<'_>, change_set: &ChangeSet) -> Result<Prepared, Error> {
        self.site.writer.delete_change_set(&sent.key.region, &change_set.id).await?;
        let because = format!("the change set {} is out of date", change_set.name);
        Ok(Prepared::Ended(Outcome::Stale(because)))
    }

    /// A name finds whichever stack bears it now. A change set for another one than the plan saw is not executed.
    async fn leave(&self, sent: &Sent<'_>, change_set: &ChangeSet) -> Result<Prepared, Error> {
        self.site.writer.delete_change_set(&sent.key.region, &change_set.id).await?;
        let because = format!("{} was deleted and made again meanwhile", sent.key.name);
        Ok(Prepared::Ended(Outcome::Stale(because)))
    }

    /// Executes the change set. What a lost answer leaves behind is told from the stack itself, by the wait.
    async fn execute(&self, sent: &Sent<'_>, change_set: &ChangeSet) -> Result<(), Error> {
        let executed =
            self.site.writer.execute_change_set(&sent.key.region, &change_set.id, sent.change_set).await;
        match executed {
            Ok(()) => Ok(()),
            Err(error) if error.outcome_unknown() => Ok(()),
            Err(error) if is_executed_already(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn wait(&self, sent: &Sent<'_>, change_set: &ChangeSet) -> Result<Outcome, Error> {
        let deadline = Instant::now() + self.site.patience;
        for nth in 0.. {
            let Some(stack) = self.watch.look_after(sent.key, self.watch.pause(nth)).await? else {
                return Ok(Outcome::Stale(format!("{} was deleted meanwhile", sent.key.name)));
            };
            self.site.progress.tell(self.scope, &self.step, News::Moved(stack.status.clone()));
            match phase(&stack, sent, change_set) {
                Phase::Done => return Ok(Outcome::Done),
                Phase::Failed => return self.failed(sent, &stack).await,
                Phase::Overtaken => {
                    return Ok(Outcome::Stale(format!("{} was changed by something else", sent.key.name)));
                }
                Phase::Untouched(nth_limit) if nth >= nth_limit => {
                    let message = "the change set was not executed".to_owned();
                    return Ok(Outcome::Failed { class: Class::Transient, message });
                }
                _ if Instant::now() > deadline => return Ok(waiting(&stack)),
                Phase::Untouched(_) | Phase::Moving => {}
            }
        }
        Ok(Outcome::Done)
    }

    /// A stack that rolled back, with the first resource that failed: that is the cause.
    async fn failed(&self, sent: &Sent<'_>, stack: &StackSeen) -> Result<Outcome, Error> {
        let events = self.site.reader.stack_events(&sent.key.region, &stack.id, stack.updated).await?;
        let reason = first_failure(&events).unwrap_or_else(|| stack.reason.clone());
        Ok(stalled(stack, &reason))
    }
}

enum Phase {
    Moving,
    Done,
    Failed,
    /// Whole, but by somebody else's doing.
    Overtaken,
    /// Still as it was before; so many looks long that may be so.
    Untouched(u32),
}

fn phase(stack: &StackSeen, sent: &Sent<'_>, change_set: &ChangeSet) -> Phase {
    let is_made_by_it = stack.change_set.as_deref() == Some(change_set.id.as_str());
    match Standing::of(&stack.status) {
        Standing::Whole if is_made_by_it => Phase::Done,
        Standing::Shell => Phase::Untouched(4),
        Standing::Moving => Phase::Moving,
        _ if sent
            .before
            .is_some_and(|before| before.updated == stack.updated && before.status == stack.status) =>
        {
            Phase::Untouched(4)
        }
        // Some emulators do not say which change set made a stack; AWS does.
        Standing::Whole if stack.change_set.is_none() => Phase::Done,
        Standing::Whole => Phase::Overtaken,
        Standing::Restored | Standing::Fallen | Standing::Broken | Standing::Gone => Phase::Failed,
    }
}

/// Why the step no longer fits the stack, if so.
fn stale(sent: &Sent<'_>, now: Option<&StackSeen>) -> Option<String> {
    let now = now.filter(|now| Standing::of(&now.status) != Standing::Shell);
    match (sent.before, now) {
        (None, None) => None,
        (None, Some(_)) => Some(format!("{} is there by now", sent.key.name)),
        (Some(_), None) => Some(format!("{} was deleted meanwhile", sent.key.name)),
        (Some(before), Some(now)) => {
            let is_same = before.id == now.id && before.updated == now.updated && before.status == now.status;
            (!is_same).then(|| format!("{} was changed meanwhile ({})", sent.key.name, now.status))
        }
    }
}

fn is_for_another(sent: &Sent<'_>, change_set: &ChangeSet) -> bool {
    sent.before.is_some_and(|before| before.id != change_set.stack_id)
}

fn missing(sent: &Sent<'_>) -> Outcome {
    let message = format!("the change set {} is not there", sent.change_set);
    Outcome::Failed { class: Class::Transient, message }
}

/// It can be neither executed nor made again under this name.
fn unusable(change_set: &ChangeSet) -> Outcome {
    let ChangeSet { name, status, execution, reason, .. } = change_set;
    let message = format!("the change set {name} is {status} ({execution}): {reason}; delete it by hand");
    Outcome::Failed { class: Class::Stalled, message }
}

/// The two sentences with which CloudFormation says that there is nothing to change; it has no code for it.
fn is_unneeded(reason: &str) -> bool {
    reason.starts_with("The submitted information didn't contain changes")
        || reason.contains("No updates are to be performed")
}

fn is_executed_already(error: &Error) -> bool {
    let codes = ["InvalidChangeSetStatus", "ChangeSetNotFound", "TokenAlreadyExistsException"];
    error.code().is_some_and(|code| codes.contains(&code))
}

/// Nothing to deploy, and yet the stack differs. Called done, it would be seen as drift by the next pass and sent
/// again by every one after that.
fn undeployable(is_revert: bool) -> Outcome {
    let message = if is_revert {
        "CloudFormation finds no drift to undo; the next drift detection shows what is left of it"
    } else {
        "CloudFormation finds nothing to deploy in what differs, such as a description; \
         make the commit say what the stack has, or change something else along with it"
    };
    Outcome::Failed { class: Class::Stalled, message: message.to_owned() }
}

fn stalled(stack: &StackSeen, reason: &str) -> Outcome {
    Outcome::Failed {
        class: Class::Stalled,
        message: format!("the stack ended in {}: {reason}", stack.status),
    }
}

fn waiting(stack: &StackSeen) -> Outcome {
    let because = format!("CloudFormation is still at it ({})", stack.status);
    Outcome::Waiting { because, after: Duration::from_secs(30) }
}

/// A request token made from a stack's id and its last update: the same for every try at the same stack.
fn token(stack: &StackSeen) -> String {
    let tail = stack.id.rsplit('/').next().unwrap_or(&stack.id);
    format!("landfast-delete-{tail}-{}", stack.updated)
}
