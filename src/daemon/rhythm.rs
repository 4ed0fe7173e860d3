//! When a scope is looked at again: a pure function of how its pass ended.

use std::time::Duration;

use crate::model::{Class, Hold, Item, Outcome, Outcomes, Plan, Step, Verdict};
use crate::report::ScopeReport;

/// How soon something that AWS is at is looked at again.
const WAITING: Duration = Duration::from_secs(15);
/// How soon after a write the result is confirmed and recorded.
const CONFIRM: Duration = Duration::from_secs(2);
/// The first and the longest pause after failures that may pass by themselves.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(10));

/// The longest pause while AWS is at something.
const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// How a pass ended, as far as the rhythm is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// Nothing was wanted.
    Quiet,
    /// Something waits for a person, a commit or another account.
    Stalled,
    /// Something failed that may pass.
    Failing,
    /// AWS is at it, for about this long.
    Waiting(Duration),
    /// Something was written, or the world moved meanwhile.
    Moved,
}

impl Ending {
    /// The closed set of metric labels.
    pub fn label(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Stalled => "stalled",
            Self::Failing => "failing",
            Self::Waiting(_) => "waiting",
            Self::Moved => "moved",
        }
    }
}

/// How a pass ended: the most urgent of what happened.
pub fn ending(report: &ScopeReport) -> Ending {
    let ScopeReport { plan, outcomes, hold, .. } = report;
    if is_refused(plan, outcomes) {
        return Ending::Stalled;
    }
    // What waits for its wave or for a freeze to end is woken by that.
    let is_gated = |item: &Item| plan.gate.as_ref().is_some_and(|gate| gate.items.contains(item));
    let blocked = plan.blocked.iter().filter(|blocked| !is_gated(&blocked.item));
    let blocked = blocked.map(|blocked| match hold {
        _ if blocked.needs_person => Ending::Stalled,
        // Nothing moves until a person takes it away; the resync notices.
        Some(Hold::Set(_)) => Ending::Stalled,
        Some(Hold::Unread(_)) => Ending::Failing,
        // The account whose output it waits for wakes this one.
        None if plan.waiting.contains(&blocked.item) => Ending::Stalled,
        None => Ending::Waiting(WAITING),
    });
    let waiting = plan.waiting.iter().map(|_| Ending::Stalled);
    let moving = plan.findings.values().filter(|finding| finding.verdict == Verdict::Moving);
    let gaps = plan.findings.values().filter(|finding| finding.verdict == Verdict::Gap);
    let steps = outcomes.values().map(|outcome| match outcome {
        Outcome::Done | Outcome::Stale(_) => Ending::Moved,
        Outcome::Waiting { after, .. } => Ending::Waiting(*after),
        Outcome::Failed { class: Class::Transient | Class::Bug, .. } => Ending::Failing,
        Outcome::Failed { class: Class::Waiting, .. } => Ending::Waiting(WAITING),
        Outcome::Failed { class: Class::Stalled, .. } => Ending::Stalled,
        Outcome::Skipped { .. } => Ending::Quiet,
    });
    blocked
        .chain(waiting)
        .chain(moving.map(|_| Ending::Waiting(WAITING)))
        .chain(gaps.map(|_| Ending::Failing))
        .chain(steps)
        .max()
        .unwrap_or(Ending::Quiet)
}

/// True when AWS refused to create an account: whatever else waits, asking again soon would only repeat the refusal.
fn is_refused(plan: &Plan, outcomes: &Outcomes) -> bool {
    let refused = |id| matches!(outcomes.get(id), Some(Outcome::Failed { class: Class::Stalled, .. }));
    plan.steps.iter().any(|step| matches!(step.step, Step::CreateAccount { .. }) && refused(&step.id))
}

/// The pause before the next look. `failures` counts passes in a row that ended in
/// failing or waiting; `jitter` is between 0 and 1.
pub fn pause(ending: Ending, failures: u32, resync: Duration, jitter: f64) -> Duration {
    match ending {
        // A tenth either way, so that a thousand accounts do not come due together.
        Ending::Quiet | Ending::Stalled => resync.mul_f64(0.9 + 0.2 * jitter),
        Ending::Failing => {
            let (first, longest) = BACKOFF;
            let grown = first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(longest);
            grown.min(resync.max(first)).mul_f64(0.5 + 0.5 * jitter)
        }
        Ending::Waiting(after) => {
            // What takes long is looked at less and less often, but often enough to notice within minutes.
            let grown = after.mul_f64(1.3_f64.powi(failures.saturating_sub(1).min(20).cast_signed()));
            grown.min(LONGEST_WAIT.max(after)).mul_f64(0.9 + 0.2 * jitter)
        }
        Ending::Moved => CONFIRM,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESYNC: Duration = Duration::from_mins(10);

    #[test]
    fn failures_back_off_exponentially_up_to_ten_minutes() {
        let pauses: Vec<u64> =
            (1..10).map(|failures| pause(Ending::Failing, failures, RESYNC, 1.0).as_secs()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
    }

    #[test]
    fn a_quiet_scope_comes_back_within_a_tenth_of_the_interval() {
        assert_eq!(pause(Ending::Quiet, 0, RESYNC, 0.0), Duration::from_mins(9));
        assert_eq!(pause(Ending::Quiet, 0, RESYNC, 1.0), Duration::from_mins(11));
    }
}
