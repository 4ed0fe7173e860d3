//! Which issues should be open: a pure function of what was found.

use std::collections::{BTreeMap, BTreeSet};

use super::marker::{Marker, Remembered, State, digest, value_digest};
use super::{ScopeReport, page};
use crate::model::{CommitId, Deed, Item, Scope, Verdict};

/// Names an issue for good. Opaque: nobody may take it apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IssueKey(String);

/// What an issue is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IssueKind {
    /// AWS was changed outside git.
    Drift,
    /// Things were found that had never been kept.
    FirstContact,
    /// Work that cannot go on without a person.
    Attention,
    /// A commit that does not load.
    Rejected,
    /// A history that is not followed.
    Halted,
    /// A rollout that does not go on without a person.
    Rollout,
}

impl IssueKey {
    /// The key of what `kind` says about `scope` (empty for the repository).
    pub(super) fn new(kind: IssueKind, scope: &str) -> Self {
        Self(digest(&[kind.label(), scope], 16))
    }

    /// A key as found in a marker.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let valid = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        valid.then(|| Self(text.to_owned()))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl IssueKind {
    pub(super) const ALL: [Self; 6] =
        [Self::Drift, Self::FirstContact, Self::Attention, Self::Rejected, Self::Halted, Self::Rollout];
    /// Those that are about one scope.
    const OF_A_SCOPE: [Self; 3] = [Self::Drift, Self::FirstContact, Self::Attention];

    /// The word in titles, labels and markers.
    pub fn label(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::FirstContact => "first-contact",
            Self::Attention => "attention",
            Self::Rejected => "rejected",
            Self::Halted => "halted",
            Self::Rollout => "rollout",
        }
    }

    pub(super) fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.label() == label)
    }
}

/// An issue that should be open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedIssue {
    /// At most 120 characters, the most important first.
    pub title: String,
    /// Markdown of at most 60,000 characters; its first line is the hidden marker.
    pub body: String,
    /// Labels, all of which start with `landfast`.
    pub labels: BTreeSet<String>,
    /// Changes only when what is reported changes: not with time, authors or counts.
    pub fingerprint: String,
}

/// What is true now of an item that an older issue may speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ItemNow {
    pub(super) verdict: Verdict,
    pub(super) desired: String,
    pub(super) is_put_back: bool,
    pub(super) author: Option<Deed>,
}

/// What is true now where there is nothing to report: enough to say why an older issue ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// The commit in force.
    pub(super) revision: Option<CommitId>,
    /// Every item of the scope, by digest.
    pub(super) items: BTreeMap<String, ItemNow>,
}

impl Now {
    /// True when everything `marker` speaks of could be seen: only then an issue may be called settled.
    pub(super) fn sees_all_of(&self, marker: &Marker) -> bool {
        let unseen = |now: &ItemNow| matches!(now.verdict, Verdict::Gap | Verdict::Moving | Verdict::Waiting);
        if marker.is_complete {
            !marker.items.keys().filter_map(|item| self.items.get(item)).any(unseen)
        } else {
            !self.items.values().any(unseen)
        }
    }
}

/// The issues that should be open, and the keys about which there is certainly nothing to say. A key in neither
/// is not spoken of: its issue, if there is one, is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Issues that should be open.
    pub issues: BTreeMap<IssueKey, WantedIssue>,
    /// Keys whose issue, if there is one, is over, with what is true instead.
    pub settled: BTreeMap<IssueKey, Now>,
    /// Every scope there is, where it is known: issues about others are over.
    pub scopes: Option<BTreeSet<String>>,
}

/// What is to be said beside the passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Situation {
    /// The commit in force. While it is not known, nothing about commits is called settled.
    pub revision: Option<CommitId>,
    /// The newest commit, where it does not load.
    pub rejected: Option<Rejected>,
    /// Why the branch is not followed, where it is not.
    pub halted: Option<Halted>,
    /// Every scope of the commit in force; issues about scopes that are not among them are closed.
    pub scopes: Option<BTreeSet<Scope>>,
}

/// A commit that does not load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The commit.
    pub commit: CommitId,
    /// All its diagnostics, as printed.
    pub diagnostics: String,
}

/// A branch that is not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halted {
    /// The commit that is not followed.
    pub commit: CommitId,
    /// Why, as a whole sentence without a full stop.
    pub because: String,
    /// How an operator lets it pass all the same, as a whole sentence without a full stop; empty where nobody can.
    pub proceed: String,
}

/// The issues that should be open for these reports.
pub fn wanted(reports: &[ScopeReport], situation: &Situation) -> Wanted {
    let mut wanted = Wanted {
        scopes: situation.scopes.as_ref().map(|scopes| scopes.iter().map(ToString::to_string).collect()),
        ..Wanted::default()
    };
    for report in reports {
        let now = now(report);
        // Whose accounts are could not be read: what was said of them before is neither over nor all there is.
        let is_spoken_of =
            |kind: &IssueKind| *kind != IssueKind::FirstContact || report.plan.unclaimed_gap.is_none();
        for kind in IssueKind::OF_A_SCOPE.into_iter().filter(is_spoken_of) {
            let drafted = match kind {
                IssueKind::Drift => page::drift(report),
                IssueKind::FirstContact => page::first_contact(report),
                _ => page::attention(report),
            };
            wanted.place(kind, &report.scope.to_string(), drafted, Some(&now));
        }
    }
    let now = situation
        .revision
        .as_ref()
        .map(|revision| Now { revision: Some(revision.clone()), items: BTreeMap::new() });
    let rejected = situation.rejected.as_ref().map(|it| page::rejected(it, situation.revision.as_ref()));
    wanted.place(IssueKind::Rejected, "", rejected, now.as_ref());
    let halted = situation.halted.as_ref().map(|it| page::halted(it, situation.revision.as_ref()));
    wanted.place(IssueKind::Halted, "", halted, now.as_ref());
    // Until every scope was looked at, nobody knows that nothing waits.
    let are_all = situation.scopes.as_ref().is_some_and(|scopes| scopes.len() <= reports.len());
    wanted.place(IssueKind::Rollout, "", page::rollout(reports), now.as_ref().filter(|_| are_all));
    wanted
}

/// An issue in the making.
pub(super) struct Draft {
    pub(super) title: String,
    pub(super) body: String,
    pub(super) labels: BTreeSet<String>,
    /// What is reported, in full: its digest is the fingerprint.
    pub(super) substance: Vec<String>,
    pub(super) items: BTreeMap<Item, Remembered>,
}

impl Wanted {
    fn place(&mut self, kind: IssueKind, scope: &str, draft: Option<Draft>, now: Option<&Now>) {
        let key = IssueKey::new(kind, scope);
        if let Some(draft) = draft {
            let issue = draft.finish(key.clone(), kind, scope);
            self.issues.insert(key, issue);
        } else if let Some(now) = now {
            self.settled.insert(key, now.clone());
        }
    }
}

impl Draft {
    fn finish(self, key: IssueKey, kind: IssueKind, scope: &str) -> WantedIssue {
        let substance: Vec<_> = self.substance.iter().map(String::as_str).collect();
        let fingerprint = digest(&substance, 16);
        let marker = Marker {
            key,
            kind,
            scope: scope.to_owned(),
            fingerprint: fingerprint.clone(),
            state: State::Open,
            items: self.items.into_iter().map(|(item, it)| (item_digest(&item), it)).collect(),
            is_complete: true,
        }
        .bounded();
        let body = super::markdown::cap(&format!("{marker}\n{}", self.body));
        let title = super::markdown::title(&self.title);
        WantedIssue { title, body, labels: self.labels, fingerprint }
    }
}

/// The name of an item in markers.
pub(super) fn item_digest(item: &Item) -> String {
    digest(&[&item.to_string()], 10)
}

fn now(report: &ScopeReport) -> Now {
    let items = report.plan.findings.iter().map(|(item, finding)| {
        let author = match report.authors.get(item) {
            Some(crate::model::Author::Known(deed)) => Some(deed.clone()),
            _ => None,
        };
        let desired = value_digest(finding.desired.as_deref());
        let is_put_back = page::is_put_back(report, item);
        (item_digest(item), ItemNow { verdict: finding.verdict, desired, is_put_back, author })
    });
    Now { revision: Some(report.plan.revision.clone()), items: items.collect() }
}
