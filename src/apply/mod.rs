//! Plan → outcomes.
//!
//! Guarantees: makes no choices; every step looks whether its `before` still holds and stops if it does not; a failed
//! step skips what needs it and nothing else; what must not be repeated is sent once.
//!
//! Assumes: one pass at a time for each scope, and a plan whose needs have no cycle.

mod account;
mod brake;
mod losses;
mod organization;
mod policies;
mod progress;
mod stack;
mod watch;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use crate::aws::{Error, Reader, Writer};
use crate::model::{Class, Facts, Outcome, Outcomes, Plan, PlannedStep, RoleName, Scope, StepId};

pub use brake::{Brake, Freezes};
pub use progress::{Event, News, Progress};
use watch::Watch;

/// When a hold that was met on the way is looked at again.
const HELD: Duration = Duration::from_mins(1);

/// Where a plan is carried out, and with what.
pub struct Site<'a> {
    /// Looks before every write.
    pub reader: Reader,
    /// Writes.
    pub writer: Writer,
    /// The brake, to be asked again before every step that had to wait for another.
    pub brake: &'a Brake,
    /// The freezes, to be asked before every step.
    pub freezes: Freezes<'a>,
    /// When the pass began to look.
    pub began: Instant,
    /// What was observed, for ids.
    pub facts: &'a Facts,
    /// The role that AWS puts into a new account.
    pub role: RoleName,
    /// Who listens.
    pub progress: Progress,
    /// How long a stack is waited for before the rest is left to a later pass.
    pub patience: Duration,
}

/// Carries `plan` out.
pub async fn apply(plan: &Plan, site: &Site<'_>) -> Outcomes {
    let watch = Watch::new(site.reader.clone(), plan, site.facts, site.began);
    let work = Work {
        plan,
        site,
        watch: &watch,
        ous: organization::Ous::new(site.facts),
        made: policies::Made::default(),
    };
    // Organizations refuses writes that overlap, so there is one at a time there.
    let at_once = if plan.scope == Scope::Organization { 1 } else { usize::MAX };
    let mut outcomes = Outcomes::new();
    let mut begun: BTreeSet<&StepId> = BTreeSet::new();
    let mut running = FuturesUnordered::new();
    loop {
        skip(plan, &mut outcomes);
        for step in &plan.steps {
            let is_due = running.len() < at_once && !begun.contains(&step.id) && is_ready(step, &outcomes);
            if is_due {
                begun.insert(&step.id);
                running.push(work.run(step));
            }
        }
        match running.next().await {
            Some((id, outcome)) => drop(outcomes.insert(id, outcome)),
            None => return outcomes,
        }
    }
}

fn is_ready(step: &PlannedStep, outcomes: &Outcomes) -> bool {
    !outcomes.contains_key(&step.id)
        && step.needs.iter().all(|need| outcomes.get(need) == Some(&Outcome::Done))
}

/// Gives up every step that needs one which did not come off; again until nothing changes.
fn skip(plan: &Plan, outcomes: &mut Outcomes) {
    loop {
        let lost = plan.steps.iter().filter(|step| !outcomes.contains_key(&step.id)).find_map(|step| {
            let failed =
                |need: &&StepId| outcomes.get(*need).is_some_and(|outcome| *outcome != Outcome::Done);
            Some((step.id.clone(), step.needs.iter().find(failed)?.clone()))
        });
        match lost {
            Some((step, because)) => drop(outcomes.insert(step, Outcome::Skipped { because })),
            None => return,
        }
    }
}

/// A plan being carried out.
struct Work<'a> {
    plan: &'a Plan,
    site: &'a Site<'a>,
    watch: &'a Watch,
    ous: organization::Ous,
    made: policies::Made,
}

impl Work<'_> {
    async fn run(&self, planned: &PlannedStep) -> (StepId, Outcome) {
        let Site { progress, .. } = self.site;
        progress.tell(&self.plan.scope, &planned.id, News::Begun);
        let outcome = match self.carry_out(planned).await {
            Ok(outcome) => outcome,
            Err(error) => failed(&error),
        };
        log(&self.plan.scope, &planned.id, &outcome);
        progress.tell(&self.plan.scope, &planned.id, News::Ended(outcome.clone()));
        (planned.id.clone(), outcome)
    }

    /// Why a brake keeps this step from being begun, if so.
    async fn held(&self, planned: &PlannedStep) -> Option<String> {
        let Site { brake, freezes, .. } = self.site;
        if let Some(because) = freezes.hold(&self.plan.scope, planned) {
            return Some(because);
        }
        // Before the first steps the pass itself has asked; a stack that was waited for may have taken an hour since.
        if planned.needs.is_empty() {
            return None;
        }
        brake.pulled().await.map(|because| format!("on hold: {because}"))
    }

    async fn carry_out(&self, planned: &PlannedStep) -> Result<Outcome, Error> {
        use crate::model::Step;
        let Site { reader, writer, .. } = self.site;
        if let Some(because) = self.held(planned).await {
            return Ok(Outcome::Waiting { because, after: HELD });
        }
        match &planned.step {
            Step::CreateOu { path } => self.ous.create(writer, path).await,
            Step::CreateAccount { slug: _, name, email, tags } => {
                organization::create_account(self.site, name, email, tags).await
            }
            Step::MoveAccount { slug: _, id, before, after } => {
                self.ous.place(reader, writer, id, before, after).await
            }
            Step::TagAccount { slug: _, id, key, before, after } => {
                organization::tag(reader, writer, id, key, before.as_deref(), after).await
            }
            Step::EnablePolicyType { kind } => self.policies().enable(*kind).await,
            Step::CreatePolicy { name, after, declared_in, tags } => {
                self.policies().create(name, after, declared_in, tags).await
            }
            Step::UpdatePolicy { name, id, before, after } => {
                self.policies().update(name, id, before, after).await
            }
            Step::AttachPolicy { name, id, target, account } => {
                self.policies().attach(name, id.as_deref(), target, account.as_ref()).await
            }
            Step::DetachPolicy { name: _, id, target, account } => {
                self.policies().detach(id, target, account.as_ref()).await
            }
            Step::DeletePolicy { name, id, kind, before } => {
                self.policies().delete(name, id, *kind, before).await
            }
            Step::PutPasswordPolicy { before, after } => {
                account::put_password_policy(reader, writer, before.as_ref(), after).await
            }
            Step::PutAccountAlias { before, after } => {
                account::put_alias(reader, writer, before.as_deref(), after).await
            }
            Step::PutSamlProvider { name, before, after } => {
                account::put_saml_provider(reader, writer, name, before.as_deref(), after).await
            }
            Step::DeployStack { key, before, after, tags, role, change_set, revert, keeps_data } => {
                let sent = stack::Sent {
                    key,
                    before: before.as_ref(),
                    stack: after,
                    tags,
                    role: role.as_ref(),
                    change_set,
                    revert: *revert,
                    keeps_data: *keeps_data,
                };
                self.stack(planned).deploy(&sent).await
            }
            Step::RemovePasswordPolicy { before } => {
                account::remove_password_policy(reader, writer, before).await
            }
            Step::RemoveAccountAlias { before } => account::remove_alias(reader, writer, before).await,
            Step::RemoveSamlProvider { name, before } => {
                account::remove_saml_provider(reader, writer, name, before).await
            }
            Step::RemoveStack { key, before } => self.stack(planned).remove(key, before).await,
            Step::DeleteFailedStack { key, before } => self.stack(planned).delete_failed(key, before).await,
        }
    }

    fn policies(&self) -> policies::Policies<'_> {
        let Site { reader, writer, .. } = self.site;
        policies::Policies { reader, writer, ous: &self.ous, made: &self.made }
    }

    fn stack(&self, planned: &PlannedStep) -> stack::Stacks<'_> {
        stack::Stacks {
            site: self.site,
            watch: self.watch,
            scope: &self.plan.scope,
            step: planned.id.clone(),
        }
    }
}

/// What a failed call means for the step.
fn failed(error: &Error) -> Outcome {
    match error {
        Error::Paced { after, .. } => Outcome::Waiting { because: error.to_string(), after: *after },
        error => Outcome::Failed { class: error.class(), message: error.to_string() },
    }
}

fn log(scope: &Scope, step: &StepId, outcome: &Outcome) {
    match outcome {
        Outcome::Done => tracing::info!(%scope, %step, "done"),
        Outcome::Waiting { because, .. } => tracing::info!(%scope, %step, because, "waiting"),
        Outcome::Stale(because) => {
            tracing::warn!(%scope, %step, because, "the world moved; nothing was written");
        }
        Outcome::Failed { class: Class::Transient | Class::Waiting, message } => {
            tracing::warn!(%scope, %step, message, "failed for now");
        }
        Outcome::Failed { class: Class::Stalled | Class::Bug, message } => {
            tracing::error!(%scope, %step, message, "failed");
        }
        Outcome::Skipped { because } => tracing::warn!(%scope, %step, %because, "skipped"),
    }
}
