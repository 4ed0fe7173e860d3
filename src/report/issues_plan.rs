//! The issues GitHub shows, and those that should be open → the steps from one to the other.
//!
//! Guarantees: no issue is opened twice for one key; an issue is closed only when everything it reports was seen
//! to be over; what a person closed stays closed until there is something else to report; an issue that somebody
//! else wrote is never taken for ours, whatever marker it bears.
//!
//! Assumes: `seen` is the whole list of issues, open and closed. Where it could not be read to its end, there is
//! nothing to reconcile, and the caller must not write.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::closing;
use super::issue::{IssueKey, Wanted, WantedIssue};
use super::markdown::cap;
use super::marker::{Marker, State};

/// An issue as GitHub shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenIssue {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its body, hidden parts included.
    pub body: String,
    /// The names of its labels.
    pub labels: BTreeSet<String>,
    /// True while it is open.
    pub is_open: bool,
    /// The login of who opened it.
    pub author: String,
    /// True when that is an app.
    pub author_is_app: bool,
    /// When it was opened.
    pub created: Timestamp,
}

/// Who we are at GitHub: only our own issues are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Me {
    /// A user, by login.
    User(String),
    /// An app, which cannot ask for its own login: issues opened by apps count.
    App,
}

/// One thing to do at GitHub. Data only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssueStep {
    /// Opens an issue; sent once.
    Create {
        /// What it is about.
        key: IssueKey,
        /// The issue.
        issue: WantedIssue,
    },
    /// Makes an open issue say what there is to report now.
    Edit {
        /// Which.
        number: u64,
        /// Its new title.
        title: String,
        /// Its new body.
        body: String,
        /// All its labels from now on; absent where they stay.
        labels: Option<BTreeSet<String>>,
    },
    /// Closes an issue and then says why.
    Close {
        /// Which.
        number: u64,
        /// Its body from now on: marked as over, and saying why, so that a lost comment loses nothing.
        body: String,
        /// The comment.
        comment: String,
    },
    /// Opens a closed issue again and then says why.
    Reopen {
        /// Which.
        number: u64,
        /// Its new title.
        title: String,
        /// Its new body.
        body: String,
        /// All its labels from now on; absent where they stay.
        labels: Option<BTreeSet<String>>,
        /// The comment.
        comment: String,
    },
    /// Marks an issue that a person closed as over, so that it is opened again if it comes back. Nobody is told.
    Settle {
        /// Which.
        number: u64,
        /// Its body from now on.
        body: String,
    },
}

/// The steps that make GitHub show what should be open. `at` is used in words only.
pub fn reconcile(seen: &[SeenIssue], me: &Me, wanted: &Wanted, at: Timestamp) -> Vec<IssueStep> {
    let mut ours: BTreeMap<IssueKey, BTreeMap<u64, (Marker, &SeenIssue)>> = BTreeMap::new();
    for issue in seen.iter().filter(|issue| is_ours(issue, me)) {
        if let Some(marker) = Marker::of(&issue.body) {
            ours.entry(marker.key.clone()).or_default().insert(issue.number, (marker, issue));
        }
    }
    let mut steps = Vec::new();
    for (key, issues) in &ours {
        let mut issues = issues.values();
        let Some((marker, oldest)) = issues.next() else { continue };
        steps.extend(step(marker, oldest, wanted.issues.get(key), wanted, at));
        steps.extend(
            issues
                .filter(|(_, twin)| twin.is_open)
                .map(|(marker, twin)| over(marker, twin, closing::twin_of(oldest.number))),
        );
    }
    let missing = wanted.issues.iter().filter(|(key, _)| !ours.contains_key(*key));
    steps.extend(missing.map(|(key, issue)| IssueStep::Create { key: key.clone(), issue: issue.clone() }));
    steps
}

fn is_ours(issue: &SeenIssue, me: &Me) -> bool {
    match me {
        Me::User(login) => issue.author.eq_ignore_ascii_case(login),
        Me::App => issue.author_is_app,
    }
}

fn step(
    marker: &Marker,
    issue: &SeenIssue,
    wanted_issue: Option<&WantedIssue>,
    wanted: &Wanted,
    at: Timestamp,
) -> Option<IssueStep> {
    if let Some(wanted_issue) = wanted_issue {
        return keep(marker, issue, wanted_issue);
    }
    let gone = |scopes: &BTreeSet<String>| !marker.scope.is_empty() && !scopes.contains(&marker.scope);
    let words = if wanted.scopes.as_ref().is_some_and(gone) {
        closing::scope_gone(marker)
    } else {
        let now = wanted.settled.get(&marker.key).filter(|now| now.sees_all_of(marker))?;
        closing::over(marker, now, issue.created, at)
    };
    match (issue.is_open, marker.state) {
        (true, State::Open) => Some(over(marker, issue, words)),
        (false, State::Open) => {
            Some(IssueStep::Settle { number: issue.number, body: healed(marker, issue, &words) })
        }
        // Open again although we closed it: a person wants to talk there.
        (_, State::Healed) => None,
    }
}

/// The step towards an issue that should be open.
fn keep(marker: &Marker, issue: &SeenIssue, wanted: &WantedIssue) -> Option<IssueStep> {
    let number = issue.number;
    let (title, body) = (wanted.title.clone(), wanted.body.clone());
    let labels = labels(issue, wanted);
    if issue.is_open {
        let same = issue.title == title && normal(&issue.body) == normal(&body) && labels.is_none();
        return (!same).then_some(IssueStep::Edit { number, title, body, labels });
    }
    let comment = match marker.state {
        State::Healed => closing::is_back(),
        State::Open if marker.fingerprint == wanted.fingerprint => return None,
        State::Open => closing::is_different(),
    };
    Some(IssueStep::Reopen { number, title, body, labels, comment })
}

/// GitHub drops labels we may not set, and people take labels away: where none of ours is left, none is set again.
fn labels(issue: &SeenIssue, wanted: &WantedIssue) -> Option<BTreeSet<String>> {
    let (ours, others): (BTreeSet<_>, BTreeSet<_>) =
        issue.labels.iter().cloned().partition(|label| label.starts_with("landfast"));
    (!ours.is_empty() && ours != wanted.labels).then(|| others.union(&wanted.labels).cloned().collect())
}

fn over(marker: &Marker, issue: &SeenIssue, comment: String) -> IssueStep {
    IssueStep::Close { number: issue.number, body: healed(marker, issue, &comment), comment }
}

/// The body of an issue that is over: says so first.
fn healed(marker: &Marker, issue: &SeenIssue, words: &str) -> String {
    let healed = Marker { state: State::Healed, ..marker.clone() };
    let body = healed.replace_in(&normal(&issue.body));
    let (first, rest) = body.split_once('\n').unwrap_or((&body, ""));
    cap(&format!("{first}\n> {words}\n\n{rest}"))
}

/// GitHub's own editor ends lines with `\r\n`.
fn normal(body: &str) -> String {
    body.replace("\r\n", "\n").trim_end().to_owned()
}
