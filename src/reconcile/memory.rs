//! What passes remember in the process: caches and first times. Losing all of it costs calls and minutes, no more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::rollout::Waves;
use crate::model::{
    Author, Base, Item, Known, Outcome, Outcomes, Plan, Produced, Proofs, Scope, SharedValue, Slug, StackKey,
    Step, Verdict,
};
use crate::observe::{AccountCache, OrganizationCache, RootHold};

/// How long a gap may last before a person should know of it, in seconds.
const GAP_PATIENCE: i64 = 15 * 60;

/// How often something is put back within a day (in seconds) before that counts as a fight.
const ROUNDS: usize = 3;
const DAY: i64 = 24 * 60 * 60;

/// A difference as it was first seen.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    pub(super) observed: Option<SharedValue>,
    pub(super) first: i64,
    pub(super) author: Author,
}

/// The memory of a process.
#[derive(Debug)]
pub struct Memory {
    pub(super) organization: AsyncMutex<OrganizationCache>,
    pub(super) root_hold: Arc<RootHold>,
    accounts: Mutex<BTreeMap<Slug, Arc<AsyncMutex<AccountCache>>>>,
    recorded: Mutex<BTreeMap<Scope, Proofs>>,
    pub(super) sightings: Mutex<BTreeMap<(Scope, Item), Sighting>>,
    gaps: Mutex<BTreeMap<Scope, i64>>,
    outputs: Mutex<Known>,
    put_back: Mutex<BTreeMap<(Scope, Item), Vec<i64>>>,
    pub(super) waves: Waves,
}

/// What a look at an account told about the outputs of its stacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Learned {
    /// Nothing that another stack could wait for.
    #[default]
    Nothing,
    /// One can be relied on that could not be before; its value is the one that was known.
    Again,
    /// One has a value that was not known.
    Changed,
}

impl Learned {
    fn of(before: Option<&Produced>, now: &Produced) -> Self {
        let Some(outputs) = now.usable(&now.intent) else { return Self::Nothing };
        match before {
            Some(before) if before.usable(&now.intent) == Some(outputs) => Self::Nothing,
            Some(before) if before.outputs == *outputs && !before.intent.is_empty() => Self::Again,
            _ => Self::Changed,
        }
    }
}

impl Memory {
    /// An empty memory; the tags of accounts are believed for as long as `keep_tags`.
    pub fn new(keep_tags: Duration) -> Self {
        Self {
            organization: AsyncMutex::new(OrganizationCache::new(keep_tags)),
            root_hold: Arc::default(),
            accounts: Mutex::default(),
            recorded: Mutex::default(),
            sightings: Mutex::default(),
            gaps: Mutex::default(),
            outputs: Mutex::default(),
            put_back: Mutex::default(),
            waves: Waves::default(),
        }
    }

    /// Begins with the proofs on record; each account's are taken up when it is looked at.
    pub fn recall(&self, proofs: BTreeMap<Scope, Proofs>) {
        *self.recorded.lock().unwrap_or_else(PoisonError::into_inner) = proofs;
    }

    /// The cache of an account; `base` is what was last agreed there.
    pub(super) async fn account(&self, slug: &Slug, base: &Base) -> OwnedMutexGuard<AccountCache> {
        let cache = {
            let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            let begin = || Arc::new(AsyncMutex::new(AccountCache::recalling(&self.recorded(slug), base)));
            Arc::clone(accounts.entry(slug.clone()).or_insert_with(begin))
        };
        cache.lock_owned().await
    }

    /// What to record of an account's templates.
    pub(super) async fn proofs(&self, slug: &Slug) -> Proofs {
        let cache = self.accounts.lock().unwrap_or_else(PoisonError::into_inner).get(slug).cloned();
        match cache {
            Some(cache) => cache.lock().await.proofs(),
            None => self.recorded(slug),
        }
    }

    fn recorded(&self, slug: &Slug) -> Proofs {
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.get(&Scope::Account(slug.clone())).cloned().unwrap_or_default()
    }

    /// What was written has to be read again, and what was put back is counted.
    pub(super) fn wrote(&self, plan: &Plan, outcomes: &Outcomes, now: Timestamp) {
        let mut put_back = self.put_back.lock().unwrap_or_else(PoisonError::into_inner);
        for planned in plan.steps.iter().filter(|step| outcomes.contains_key(&step.id)) {
            let is_done = outcomes.get(&planned.id) == Some(&Outcome::Done);
            let verdict = plan.findings.get(&planned.item).map(|finding| finding.verdict);
            if is_done && matches!(verdict, Some(Verdict::Drift | Verdict::Conflict)) {
                put_back.entry((plan.scope.clone(), planned.item.clone())).or_default().push(now.as_second());
            }
            if let Step::TagAccount { id, .. } = &planned.step
                && let Ok(mut cache) = self.organization.try_lock()
            {
                cache.forget(id);
            }
        }
    }

    /// What was last known of the outputs of these accounts.
    pub(super) fn known<'a>(&self, slugs: impl Iterator<Item = &'a Slug>) -> Known {
        let outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        slugs.filter_map(|slug| Some((slug.clone(), outputs.get(slug)?.clone()))).collect()
    }

    /// Takes in what a look at an account showed of its outputs.
    pub(super) fn learn(&self, slug: &Slug, produced: BTreeMap<StackKey, Produced>) -> Learned {
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        let before = outputs.get(slug);
        let of = |(key, now)| Learned::of(before.and_then(|before| before.get(key)), now);
        let learned = produced.iter().map(of).max().unwrap_or_default();
        outputs.insert(slug.clone(), produced);
        learned
    }

    /// Items of a scope that were put back too often within the last day.
    pub(super) fn fights(&self, scope: &Scope, now: Timestamp) -> BTreeSet<Item> {
        let mut put_back = self.put_back.lock().unwrap_or_else(PoisonError::into_inner);
        put_back.values_mut().for_each(|times| times.retain(|time| now.as_second() - time < DAY));
        put_back.retain(|_, times| !times.is_empty());
        let is_fight = |((of, _), times): &(&(Scope, Item), &Vec<i64>)| of == scope && times.len() >= ROUNDS;
        put_back.iter().filter(is_fight).map(|((_, item), _)| item.clone()).collect()
    }

    /// True when something in this scope has been unreadable for longer than a passing fault.
    pub(super) fn gaps_last(&self, scope: &Scope, plan: &Plan, now: Timestamp) -> bool {
        let mut gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        if plan.findings.values().all(|finding| finding.verdict != Verdict::Gap) {
            gaps.remove(scope);
            return false;
        }
        let first = *gaps.entry(scope.clone()).or_insert(now.as_second());
        now.as_second() - first >= GAP_PATIENCE
    }
}
