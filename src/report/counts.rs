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
    /// Items whose work is held back.
    pub blocked: usize,
    /// Items with an operation under way.
    pub moving: usize,
    /// Items that could not be read.
    pub unreadable: usize,
    /// Parts that cannot be read by their nature.
    pub not_checked: usize,
    /// Items that are as declared.
    pub in_sync: usize,
}

impl Counts {
    /// Items that were looked at and could be read.
    pub fn checked(&self, items: usize) -> usize {
        items - self.unreadable
    }

    /// True when there is nothing to do and nothing to decide.
    pub fn is_quiet(&self) -> bool {
        let Self { creates, changes, removes, drifted, conflicts, first_seen, undeclared, blocked, .. } =
            *self;
        creates + changes + removes + drifted + conflicts + first_seen + undeclared + blocked == 0
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
            moving: self.moving + other.moving,
            unreadable: self.unreadable + other.unreadable,
            not_checked: self.not_checked + other.not_checked,
            in_sync: self.in_sync + other.in_sync,
        }
    }
}

impl fmt::Display for Counts {
    /// The counts that always matter, then those that are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "creates {}, changes {}, drifted {}", self.creates, self.changes, self.drifted)?;
        let rare = [
            ("removes", self.removes),
            ("in conflict", self.conflicts),
            ("first seen", self.first_seen),
            ("undeclared", self.undeclared),
            ("under way", self.moving),
            ("unreadable", self.unreadable),
        ];
        for (name, count) in rare.into_iter().filter(|(_, count)| *count > 0) {
            write!(f, ", {name} {count}")?;
        }
        write!(f, ", blocked {}, not checked {}", self.blocked, self.not_checked)
    }
}

/// Counts one report.
pub fn counts(report: &ScopeReport) -> Counts {
    let mut counts = Counts { blocked: report.plan.blocked.len(), ..Counts::default() };
    for finding in report.plan.findings.values() {
        counts.not_checked += finding.unchecked.len();
        match finding.verdict {
            Verdict::InSync => counts.in_sync += 1,
            Verdict::Drift => counts.drifted += 1,
            Verdict::Conflict => counts.conflicts += 1,
            Verdict::FirstSight => counts.first_seen += 1,
            Verdict::Undeclared => counts.undeclared += 1,
            Verdict::Moving => counts.moving += 1,
            Verdict::Gap => counts.unreadable += 1,
            Verdict::New | Verdict::Pending | Verdict::Gone => {}
        }
    }
    for planned in &report.plan.steps {
        match &planned.step {
            Step::CreateOu { .. } | Step::CreateAccount { .. } => counts.creates += 1,
            Step::DeployStack { before: None, .. } => counts.creates += 1,
            Step::PutPasswordPolicy { before: None, .. } => counts.creates += 1,
            Step::PutAccountAlias { before: None, .. } => counts.creates += 1,
            Step::DeleteFailedStack { .. } => counts.removes += 1,
            _ => counts.changes += 1,
        }
    }
    counts
}
