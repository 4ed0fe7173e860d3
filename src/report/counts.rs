//! What a report adds up to.

use std::fmt;

use serde::Serialize;

use super::ScopeReport;
use crate::model::{Step, Verdict};

/// One report, or several, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Steps that make something.
    pub creates: usize,
    /// Steps that change something.
    pub changes: usize,
    /// Steps that remove something.
    pub removes: usize,
    /// Items that AWS changed and git did not.
    pub drifted: usize,
    /// Items that both changed, apart.
    pub conflicts: usize,
    /// Items found for the first time, different from what is declared.
    pub first_seen: usize,
    /// Items that are no longer declared, and kept.
    pub undeclared: usize,
    /// Items whose work is held back until a person does something.
    pub blocked: usize,
    /// Items whose work comes later by itself.
    pub waiting: usize,
    /// Items with an operation under way.
    pub moving: usize,
    /// Items that could not be read.
    pub unreadable: usize,
    /// Items of which a part cannot be read by its nature.
    pub not_checked: usize,
    /// Items that are as declared, as far as they could be checked.
    pub in_sync: usize,
}

impl Counts {
    /// True when there is nothing to do, nothing to decide and nothing that could not be read.
    pub fn is_quiet(&self) -> bool {
        let Self { not_checked, in_sync, .. } = *self;
        *self == Self { not_checked, in_sync, ..Self::default() }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            creates: self.creates + other.creates,
            changes: self.changes + other.changes,
            removes: self.removes + other.removes,
            drifted: self.drifted + other.drifted,
            conflicts: self.conflicts + other.conflicts,
            first_seen: self.first_seen + other.first_seen,
            undeclared: self.undeclared + other.undeclared,
            blocked: self.blocked + other.blocked,
            waiting: self.waiting + other.waiting,
            moving: self.moving + other.moving,
            unreadable: self.unreadable + other.unreadable,
            not_checked: self.not_checked + other.not_checked,
            in_sync: self.in_sync + other.in_sync,
        }
    }

    fn named(&self) -> [(&'static str, usize); 13] {
        [
            ("creates", self.creates),
            ("changes", self.changes),
            ("removes", self.removes),
            ("drifted", self.drifted),
            ("in conflict", self.conflicts),
            ("first seen", self.first_seen),
            ("undeclared", self.undeclared),
            ("blocked", self.blocked),
            ("waiting", self.waiting),
            ("under way", self.moving),
            ("unreadable", self.unreadable),
            ("in sync", self.in_sync),
            ("not fully checked", self.not_checked),
        ]
    }
}

/// The counts that always matter are told even when they are zero.
const ALWAYS: [&str; 3] = ["creates", "changes", "drifted"];

impl fmt::Display for Counts {
    /// `creates 1, changes 0, drifted 2, blocked 1`; with `{:#}` only what is not zero and out of line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brief = f.alternate();
        let is_told = |(name, count): &(&str, usize)| {
            if brief { *count > 0 && *name != "in sync" } else { *count > 0 || ALWAYS.contains(name) }
        };
        let told = self.named().into_iter().filter(is_told);
        let words: Vec<_> = told.map(|(name, count)| format!("{name} {count}")).collect();
        f.write_str(&words.join(", "))
    }
}

/// Counts one report.
pub fn counts(report: &ScopeReport) -> Counts {
    let needs_person = report.plan.blocked.iter().filter(|blocked| blocked.needs_person).count();
    let mut counts = Counts {
        blocked: needs_person,
        waiting: report.plan.blocked.len() - needs_person,
        ..Counts::default()
    };
    for finding in report.plan.findings.values() {
        counts.not_checked += usize::from(!finding.unchecked.is_empty());
        match finding.verdict {
            Verdict::InSync => counts.in_sync += 1,
            Verdict::Drift => counts.drifted += 1,
            Verdict::Conflict => counts.conflicts += 1,
            Verdict::FirstSight => counts.first_seen += 1,
            Verdict::Undeclared => counts.undeclared += 1,
            Verdict::Moving => counts.moving += 1,
            Verdict::Gap => counts.unreadable += 1,
            Verdict::Waiting => counts.waiting += 1,
            Verdict::New | Verdict::Pending | Verdict::Gone => {}
        }
    }
    for planned in &report.plan.steps {
        match &planned.step {
            Step::CreateOu { .. } | Step::CreateAccount { .. } => counts.creates += 1,
            Step::CreatePolicy { .. } | Step::AttachPolicy { .. } => counts.creates += 1,
            Step::EnablePolicyType { .. } | Step::UpdatePolicy { .. } => counts.changes += 1,
            Step::DetachPolicy { .. } | Step::DeletePolicy { .. } => counts.removes += 1,
            Step::DeployStack { before: None, .. } => counts.creates += 1,
            Step::PutPasswordPolicy { before: None, .. } => counts.creates += 1,
            Step::PutAccountAlias { before: None, .. } => counts.creates += 1,
            Step::PutSamlProvider { before: None, .. } => counts.creates += 1,
            Step::MoveAccount { .. } | Step::TagAccount { .. } => counts.changes += 1,
            Step::PutPasswordPolicy { .. } | Step::PutAccountAlias { .. } => counts.changes += 1,
            Step::PutSamlProvider { .. } | Step::DeployStack { .. } => counts.changes += 1,
            Step::RemovePasswordPolicy { .. } | Step::RemoveAccountAlias { .. } => counts.removes += 1,
            Step::RemoveSamlProvider { .. } | Step::RemoveStack { .. } => counts.removes += 1,
            Step::DeleteFailedStack { .. } => counts.removes += 1,
        }
    }
    counts
}
