//! One conversation with a remote at a time.
//!
//! Guarantees: two fetches never write the same cache at once. A conversation that hangs far beyond the limit loses
//! its turn, so that a remote which once went silent does not stop all later fetches.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Error;
use super::remote::DEADLINE;

/// Whoever holds its turn longer than this is given up on: a fetch and a second one into a fresh cache.
const PATIENCE: Duration = Duration::from_secs(2 * DEADLINE.as_secs());

/// The turn.
#[derive(Default)]
pub(super) struct Turn {
    since: Mutex<Option<Instant>>,
    freed: Condvar,
}

/// Gives the turn back when dropped.
pub(super) struct Held<'a> {
    turn: &'a Turn,
    since: Instant,
}

impl Turn {
    /// Waits for the turn, at most as long as one conversation may take.
    pub(super) fn take(&self) -> Result<Held<'_>, Error> {
        let is_held = |since: &mut Option<Instant>| since.is_some_and(|since| since.elapsed() < PATIENCE);
        let since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.freed.wait_timeout_while(since, DEADLINE, is_held);
        let (mut since, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() && is_held(&mut since) {
            return Err(Error::Deadline { seconds: DEADLINE.as_secs() });
        }
        let now = Instant::now();
        *since = Some(now);
        Ok(Held { turn: self, since: now })
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut since = self.turn.since.lock().unwrap_or_else(PoisonError::into_inner);
        // Not ours any more when it was taken away in the meantime.
        if *since == Some(self.since) {
            *since = None;
            self.turn.freed.notify_one();
        }
    }
}
