//! What is said when an issue ends, and when it comes back.

use jiff::Timestamp;

use super::issue::{IssueKind, ItemNow, Now};
use super::markdown::code;
use super::marker::Marker;
use crate::model::{CommitId, Deed, Verdict};

/// Why an issue is over, how long it was open, and what is in force; in markdown.
pub(super) fn over(marker: &Marker, now: &Now, opened: Timestamp, at: Timestamp) -> String {
    let because = match marker.kind {
        IssueKind::Drift => drift_over(marker, now),
        IssueKind::FirstContact => {
            "**Settled.** Everything that was found here is adopted, or as declared.".to_owned()
        }
        IssueKind::Attention => "**Resolved.** Nothing here needs a person any more.".to_owned(),
        IssueKind::Rejected => "**Resolved.** The branch loads again.".to_owned(),
        IssueKind::Halted => "**Resolved.** The branch is followed again.".to_owned(),
        IssueKind::Rollout => "**Resolved.** Nothing in the rollout waits for a person any more.".to_owned(),
    };
    let commit = now.revision.as_ref().map(|commit| format!(" Commit in force: {}.", code(commit.as_str())));
    format!("{because} Open for {}.{}", lasted(opened, at), commit.unwrap_or_default())
}

/// Why an issue is over whose scope is gone.
pub(super) fn scope_gone(marker: &Marker) -> String {
    format!(
        "**No longer declared.** {} is not in the repository any more, and is not looked at.",
        code(&marker.scope)
    )
}

/// Why a second issue of one key is closed.
pub(super) fn twin_of(number: u64) -> String {
    format!("**The same as #{number}**, which is older and goes on.")
}

/// Why an issue that we closed is open again.
pub(super) fn is_back() -> String {
    "**It is back.** What this issue reported had ended, and is seen again.".to_owned()
}

/// Why an issue that a person closed is open again.
pub(super) fn is_different() -> String {
    "**It changed.** This was closed by a person; what there is to report is no longer what it was then."
        .to_owned()
}

fn drift_over(marker: &Marker, now: &Now) -> String {
    let mut ends: Vec<_> = marker
        .items
        .iter()
        .map(|(item, then)| end(&then.desired, then.is_put_back, now.items.get(item), now.revision.as_ref()))
        .collect();
    ends.sort();
    ends.dedup();
    if ends.is_empty() { "**Healed.** AWS is again as git declares.".to_owned() } else { ends.join(" ") }
}

/// How the drift of one item ended: the item then (what git declared, whether we put it back) and now.
fn end(desired: &str, was_put_back: bool, now: Option<&ItemNow>, revision: Option<&CommitId>) -> String {
    let commit = revision.map(|commit| format!(" (commit {})", code(commit.as_str()))).unwrap_or_default();
    let Some(now) = now else {
        return format!("**No longer declared.** The repository does not speak of it any more{commit}.");
    };
    match now.verdict {
        Verdict::Undeclared | Verdict::Gone => {
            format!("**No longer declared.** The repository does not speak of it any more{commit}.")
        }
        Verdict::Drift | Verdict::Conflict => {
            "**No longer reported.** It is still different, but its mode is now observe.".to_owned()
        }
        _ if was_put_back || now.is_put_back || now.author.as_ref().is_some_and(|deed| deed.is_ours) => {
            "**Reverted.** Landfast put it back.".to_owned()
        }
        _ if now.desired != desired => {
            format!("**Adopted.** Git was changed{commit}, and now declares something else for it.")
        }
        _ => format!("**Healed.** AWS is again as git declares; {}.", put_back_by(now.author.as_ref())),
    }
}

fn put_back_by(author: Option<&Deed>) -> String {
    match author {
        None => "who put it back is not known".to_owned(),
        Some(deed) => format!(
            "{} put it back ({}, event {})",
            code(&deed.principal),
            code(&deed.event_name),
            code(&deed.event_id)
        ),
    }
}

/// `3 h 12 min`, in the two units that matter.
fn lasted(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_the_two_units_that_matter() {
        let start = Timestamp::UNIX_EPOCH;
        let after = |seconds| lasted(start, Timestamp::from_second(seconds).unwrap());
        assert_eq!(
            [after(42), after(61), after(11_520), after(200_000)],
            ["42 s", "1 min", "3 h 12 min", "2 d 7 h"]
        );
    }
}
