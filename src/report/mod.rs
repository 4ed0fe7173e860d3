//! Report: what a pass ended in → words.
//!
//! Guarantees: pure. No IO, no clock, no async; the same reports always give the same bytes. Every sentence a
//! user sees on GitHub or in the output of `plan` is written here. Text that comes from AWS is made harmless
//! before it is placed: it cannot mention, link, embed, or break out of a table, a fence or a comment.
//!
//! Assumes: a report holds every item of its scope, so that an item without a finding is no longer declared.

mod adopt;
mod checked;
mod closing;
mod counts;
mod deed;
mod diff;
mod explain;
#[cfg(test)]
mod fixtures;
mod imported;
mod issue;
mod issues_plan;
mod json;
mod labels;
mod lines;
mod markdown;
mod marker;
mod moves;
mod page;
mod printed;
mod pull;
mod severity;
mod text;
mod unseen;

use std::collections::BTreeMap;

pub use checked::{Checkup, checked_json, github, human, sarif};
pub use counts::{Counts, counts};
pub use diff::{Diff, Line, Sign, diff};
pub use explain::{explained_paths, explanation, is_within};
pub use imported::imported;
pub use issue::{Halted, IssueKey, IssueKind, Now, Rejected, Situation, Wanted, WantedIssue, wanted};
pub use issues_plan::{IssueStep, Me, SeenIssue, reconcile};
pub use json::json;
pub use labels::{LabelWords, label_words};
pub use markdown::{MAX_BODY, cap};
pub use printed::{plain, printed};
pub use pull::{PullWords, record_id};
pub use severity::{Judgement, Severity, judge};
pub use text::text;

use crate::model::{AccountId, Author, Hold, Item, Outcome, Outcomes, Plan, Scope, Verdict};

/// What one pass over one scope ended in.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeReport {
    /// What was looked at.
    pub scope: Scope,
    /// The account's id; absent for the organization and for an account that does not exist yet.
    pub account_id: Option<AccountId>,
    /// The account's name in words; empty for the organization.
    pub account_name: String,
    /// The findings, the steps and what is held back.
    pub plan: Plan,
    /// What became of the steps; empty where nothing was tried.
    pub outcomes: Outcomes,
    /// Who changed what has drifted, as far as it is known. Missing counts as pending.
    pub authors: BTreeMap<Item, Author>,
    /// True when what cannot be read has been so for longer than a passing fault, and a person should know.
    pub gaps_last: bool,
    /// Why all writes are held here, if they are.
    pub hold: Option<Hold>,
}

impl ScopeReport {
    /// True when the pass undid what somebody else had done.
    pub fn has_put_back(&self) -> bool {
        let is_drift = |item: &Item| {
            let verdict = self.plan.findings.get(item).map(|finding| finding.verdict);
            matches!(verdict, Some(Verdict::Drift | Verdict::Conflict))
        };
        let mut done =
            self.plan.steps.iter().filter(|step| self.outcomes.get(&step.id) == Some(&Outcome::Done));
        done.any(|step| is_drift(&step.item))
    }
}
