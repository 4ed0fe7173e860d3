//! How far the rollout of the commit in force is, as the passes of this process saw it.
//!
//! Losing it makes a rollout slower and nothing else: every account of an earlier wave has to be looked at again
//! before a later one goes on, and what is not on record is watched anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Task, World, rules};
use crate::git::{ObservedBranch, blocking};
use crate::model::{Base, Cause, Closed, Desired, Plan, Scope, Sight, Slug, Verdict, verdict};
use crate::plan::{Guards, Progress, Rules, Seen, Standing, as_marked, standing};
use crate::report::ScopeReport;

/// The rollout in the memory of a process.
#[derive(Debug, Default)]
pub(super) struct Waves(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    desired: Option<Arc<Desired>>,
    progress: Progress,
    /// Waves for which something else has come true since that was last asked.
    moved: BTreeSet<String>,
}

impl Waves {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recall(&self, agreed: BTreeMap<Slug, i64>) {
        self.lock().progress.recall(agreed);
    }

    /// True once a commit with waves that are watched was in force: from then on we know better than the record.
    fn has_soaked(&self) -> bool {
        self.lock().desired.as_ref().is_some_and(|desired| desired.rollout.longest_soak() > 0)
    }

    fn begin(&self, desired: &Arc<Desired>) {
        let mut inner = self.lock();
        let before = inner.desired.replace(Arc::clone(desired));
        if desired.rollout.has_waves() {
            inner.progress.begin(before.as_deref(), desired);
        } else {
            inner.progress.forget();
        }
    }

    /// Takes accounts that nobody will look at to be where their base says they are.
    fn believe<'b>(&self, bases: impl Iterator<Item = (&'b Slug, &'b Base)>, now: i64) {
        let mut inner = self.lock();
        let Inner { desired: Some(desired), progress, .. } = &mut *inner else { return };
        if !desired.rollout.has_waves() {
            return;
        }
        for (slug, base) in bases {
            let items = desired.items(&Scope::Account(slug.clone()));
            let is_agreed = items.iter().all(|(item, declared)| {
                let base = base.value(item);
                let as_agreed = base.cloned().map_or(Sight::Absent, Sight::present);
                let declared = as_marked(&declared.value, base);
                verdict(Some(&declared), base, &as_agreed) == Verdict::InSync
            });
            if is_agreed {
                progress.note(&desired.rollout, slug, Standing::Done, false, now);
            }
        }
    }

    /// Why nothing new may reach an account, if so.
    pub(super) fn closed(
        &self,
        desired: &Arc<Desired>,
        slug: &Slug,
        guards: &Guards,
        now: i64,
    ) -> Option<Closed> {
        if !desired.rollout.has_waves() {
            return None;
        }
        let inner = self.lock();
        if !inner.desired.as_ref().is_some_and(|current| Arc::ptr_eq(current, desired)) {
            let (wave, because) = (desired.rollout.name(desired.rollout.place(slug)), SUPERSEDED);
            return Some(Closed {
                wave: wave.to_owned(),
                cause: Cause::Working,
                because: because.to_owned(),
            });
        }
        inner.progress.closed(desired, slug, guards, now)
    }

    fn note(&self, desired: &Arc<Desired>, slug: &Slug, standing: Standing, is_changed: bool, rules: &Rules) {
        let mut inner = self.lock();
        let Inner { desired: current, progress, moved } = &mut *inner;
        if !current.as_ref().is_some_and(|current| Arc::ptr_eq(current, desired)) {
            if is_changed {
                progress.touched(slug, rules.now);
            }
            return;
        }
        let before = progress.closed_waves(desired, &rules.guards, rules.now);
        progress.note(&desired.rollout, slug, standing, is_changed, rules.now);
        let after = progress.closed_waves(desired, &rules.guards, rules.now);
        let changed = before
            .iter()
            .zip(&after)
            .enumerate()
            .filter(|(_, (before, after))| !is_like(before.as_ref(), after.as_ref()));
        moved.extend(changed.map(|(place, _)| desired.rollout.name(place).to_owned()));
    }

    fn touched(&self, slug: &Slug, is_changed: bool, now: i64) {
        if is_changed {
            self.lock().progress.touched(slug, now);
        }
    }

    fn take_moved(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.lock().moved)
    }
}

/// What is said to a pass that began before another commit came into force.
const SUPERSEDED: &str = "another commit has come into force meanwhile; it goes on under that one";

fn is_like(one: Option<&Closed>, other: Option<&Closed>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.cause.is_like(&other.cause),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// Takes in what a pass over an account came to.
pub(super) fn note(world: &World, task: &Task<'_>, report: &ScopeReport, base: &Base) {
    let (Scope::Account(slug), desired) = (task.scope, &task.accepted.desired) else { return };
    let is_changed = base != task.base;
    if !desired.rollout.has_waves() {
        // A later commit may bring waves, which ask since when things are as they are.
        return world.memory.waves.touched(slug, is_changed, world.clock.now().as_second());
    }
    let rules = rules(world, task);
    let seen = Seen {
        id: report.account_id.as_ref(),
        plan: &report.plan,
        outcomes: &report.outcomes,
        hold: report.hold.as_ref(),
        gaps_last: report.gaps_last,
    };
    let standing = standing(desired, slug, &seen, &rules);
    world.memory.waves.note(desired, slug, standing, is_changed, &rules);
}

impl World {
    /// Learns from the record, before a commit comes into force, when accounts were last changed, if any wave of it is
    /// watched. What cannot be learned is watched anew.
    pub async fn recall_changes(&self, desired: &Desired, ledger: Option<&Arc<ObservedBranch>>) {
        let soak = desired.rollout.longest_soak();
        let Some(ledger) = ledger.filter(|_| soak > 0 && !self.memory.waves.has_soaked()).cloned() else {
            return;
        };
        let from = self.clock.now().as_second() - soak;
        match blocking(move || ledger.changes(from)).await {
            Ok(changes) => self.memory.waves.recall(changes),
            Err(error) => {
                tracing::warn!(%error, "the record does not say when accounts were changed; waves are watched anew");
            }
        }
    }

    /// Puts a commit in force for the waves: passes under another one bring nothing new from now on.
    ///
    /// `bases` speak for accounts that are never looked at because the operator named another one.
    pub fn begin(&self, desired: &Arc<Desired>, bases: &BTreeMap<Scope, Arc<Base>>) {
        self.memory.waves.begin(desired);
        let Some(only) = &self.only else { return };
        let others = bases.iter().filter_map(|(scope, base)| match scope {
            Scope::Account(slug) if slug != only => Some((slug, base.as_ref())),
            _ => None,
        });
        self.memory.waves.believe(others, self.clock.now().as_second());
    }

    /// The waves that something else is true of now than when this was last asked: what waits in them has to be looked
    /// at.
    pub fn moved_waves(&self) -> BTreeSet<String> {
        self.memory.waves.take_moved()
    }

    /// How soon what a plan holds back can go on by itself, as far as time or other accounts decide; in seconds.
    pub fn opens_in(&self, desired: &Arc<Desired>, plan: &Plan) -> Option<i64> {
        let gate = plan.gate.as_ref()?;
        let now = self.clock.now().as_second();
        if let (Scope::Account(slug), Some(then)) = (&plan.scope, &gate.closed) {
            let closed = self.memory.waves.closed(desired, slug, &self.limits.guards, now);
            if !is_like(Some(then), closed.as_ref()) {
                return Some(0);
            }
        }
        gate.again.map(|again| (again - now).max(0))
    }
}

/// Scopes in groups, one for each wave, in the order of the waves.
pub(super) fn by_wave(desired: &Desired, scopes: &[Scope]) -> Vec<Vec<Scope>> {
    let place = |scope: &Scope| match scope {
        Scope::Account(slug) => desired.rollout.place(slug),
        Scope::Organization => 0,
    };
    let mut groups: BTreeMap<usize, Vec<Scope>> = BTreeMap::new();
    for scope in scopes {
        groups.entry(place(scope)).or_default().push(scope.clone());
    }
    groups.into_values().collect()
}
