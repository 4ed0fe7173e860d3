//! What passes remember in the process: caches and first times. Losing all of it costs calls and minutes, no more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::model::{Author, Item, Outcome, Outcomes, Plan, Scope, Slug, Step, Value, Verdict};
use crate::observe::{AccountCache, OrganizationCache};

/// How long a gap may last before a person should know of it, in seconds.
const GAP_PATIENCE: i64 = 15 * 60;

/// A difference as it was first seen.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    pub(super) observed: Option<Value>,
    pub(super) first: i64,
    pub(super) author: Author,
}

/// The memory of a process.
#[derive(Debug)]
pub struct Memory {
    pub(super) organization: AsyncMutex<OrganizationCache>,
    accounts: Mutex<BTreeMap<Slug, Arc<AsyncMutex<AccountCache>>>>,
    pub(super) sightings: Mutex<BTreeMap<(Scope, Item), Sighting>>,
    gaps: Mutex<BTreeMap<Scope, i64>>,
}

impl Memory {
    /// An empty memory; the tags of accounts are believed for as long as `keep_tags`.
    pub fn new(keep_tags: Duration) -> Self {
        Self {
            organization: AsyncMutex::new(OrganizationCache::new(keep_tags)),
            accounts: Mutex::default(),
            sightings: Mutex::default(),
            gaps: Mutex::default(),
        }
    }

    pub(super) async fn account(&self, slug: &Slug) -> OwnedMutexGuard<AccountCache> {
        let cache = {
            let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(accounts.entry(slug.clone()).or_default())
        };
        cache.lock_owned().await
    }

    /// What was written has to be read again.
    pub(super) fn wrote(&self, plan: &Plan, outcomes: &Outcomes) {
        let done = plan.steps.iter().filter(|step| outcomes.get(&step.id) == Some(&Outcome::Done));
        for planned in done {
            if let Step::TagAccount { id, .. } = &planned.step
                && let Ok(mut cache) = self.organization.try_lock()
            {
                cache.forget(id);
            }
        }
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
