//! GitHub's lists may lag behind its writes. What we wrote ourselves is remembered until a list shows it.
//!
//! It matters within one process and for seconds only: after a restart a lagging list is taken at its word, and should
//! that lead to a second issue, the next round closes it as the younger twin.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// When each issue was last changed by us, by GitHub's clock, for those that no list has shown since.
#[derive(Debug, Default)]
pub(super) struct Lag(Mutex<BTreeMap<u64, Timestamp>>);

impl Lag {
    /// GitHub said that this issue is as of then.
    pub(super) fn wrote(&self, number: u64, updated: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, updated);
    }

    /// The issues that a list does not show as they are by now. What it does show is forgotten.
    pub(super) fn behind(&self, listed: &BTreeMap<u64, Timestamp>) -> Vec<u64> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        written.retain(|number, updated| listed.get(number).is_none_or(|seen| seen < updated));
        written.keys().copied().collect()
    }

    /// There is no such issue any more: it was deleted, or moved to another repository.
    pub(super) fn is_gone(&self, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }
}
