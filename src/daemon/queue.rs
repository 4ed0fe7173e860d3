//! The queue of scopes: who is due, who is running, who is to be looked at again.
//!
//! Guarantees: one pass at a time for each scope; a trigger that comes while a scope runs makes it run once more;
//! triggers for one scope merge. A trigger carries no data.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use crate::model::Scope;

/// Scopes by when they are due.
#[derive(Debug, Default)]
pub(super) struct Queue {
    due: BTreeMap<Scope, Instant>,
    running: BTreeSet<Scope>,
}

impl Queue {
    /// Asks for a look at `scope` at `at` at the latest.
    pub(super) fn wake(&mut self, scope: Scope, at: Instant) {
        let due = self.due.entry(scope).or_insert(at);
        *due = (*due).min(at);
    }

    /// Takes the scope that has waited longest, if one is due and not running.
    pub(super) fn take(&mut self, now: Instant) -> Option<Scope> {
        let is_ready = |(scope, due): &(&Scope, &Instant)| **due <= now && !self.running.contains(*scope);
        let scope = self.due.iter().filter(is_ready).min_by_key(|(_, due)| **due)?.0.clone();
        self.due.remove(&scope);
        self.running.insert(scope.clone());
        Some(scope)
    }

    /// Gives `scope` back after its pass.
    pub(super) fn finished(&mut self, scope: &Scope) {
        self.running.remove(scope);
    }

    /// When the next scope that is not running is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.iter().filter(|(scope, _)| !self.running.contains(*scope)).map(|(_, due)| *due).min()
    }

    /// Forgets scopes that are no longer declared.
    pub(super) fn retain(&mut self, is_declared: impl Fn(&Scope) -> bool) {
        self.due.retain(|scope, _| is_declared(scope));
    }

    /// How many scopes wait, and how many run.
    pub(super) fn depth(&self) -> (usize, usize) {
        (self.due.len(), self.running.len())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Slug;

    fn account(slug: &str) -> Scope {
        Scope::Account(Slug::parse(slug).unwrap())
    }

    #[test]
    fn a_scope_never_runs_twice_at_once_and_runs_again_when_woken_meanwhile() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.wake(account("a"), now);
        queue.wake(account("a"), now);
        assert_eq!(queue.take(now), Some(account("a")));
        queue.wake(account("a"), now);
        assert_eq!((queue.take(now), queue.next_due()), (None, None));
        queue.finished(&account("a"));
        assert_eq!(queue.take(now), Some(account("a")));
        queue.finished(&account("a"));
        assert_eq!(queue.take(now), None);
    }

    #[test]
    fn the_earliest_of_several_triggers_counts_and_the_longest_waiting_goes_first() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let later = now + Duration::from_secs(9);
        queue.wake(account("a"), later);
        queue.wake(account("a"), later + Duration::from_secs(9));
        queue.wake(account("b"), later - Duration::from_secs(1));
        assert_eq!(queue.take(now), None);
        assert_eq!(queue.take(later), Some(account("b")));
        assert_eq!(queue.take(later), Some(account("a")));
    }
}
