//! A move between OUs: where an account goes, and what it gains and loses by it.

use super::ScopeReport;
use crate::model::{Item, OuPath, Scope, Slug, Step, Verdict};

/// The move of one account.
pub(super) struct Move<'a> {
    /// Where it is.
    pub(super) from: &'a OuPath,
    /// Where it goes.
    pub(super) to: &'a OuPath,
    /// What is declared of it from then on, and was not before.
    pub(super) gains: Vec<&'a Item>,
    /// What no longer is, with what becomes of it.
    pub(super) loses: Vec<(&'a Item, Fate)>,
}

/// What becomes of what is no longer declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is removed.
    Removed,
    /// It is to be removed and something is in the way, which is told of the item itself.
    KeptForNow,
    /// It stays.
    Kept,
}

impl<'a> Move<'a> {
    /// The move of the account that `report` is about, if the plan of the organization among `all` has one.
    pub(super) fn of(report: &'a ScopeReport, all: &'a [ScopeReport]) -> Option<Self> {
        let Scope::Account(slug) = &report.scope else { return None };
        let (from, to) = all.iter().find_map(|other| planned(other, slug))?;
        let findings = report.plan.findings.iter();
        let gains = findings.clone().filter(|it| matches!(it.1.verdict, Verdict::New | Verdict::FirstSight));
        let loses = findings.filter(|it| it.1.verdict == Verdict::Undeclared);
        Some(Self {
            from,
            to,
            gains: gains.map(|(item, _)| item).collect(),
            loses: loses.map(|(item, _)| (item, fate(report, item))).collect(),
        })
    }
}

/// Where this plan moves an account from and to.
fn planned<'a>(report: &'a ScopeReport, slug: &Slug) -> Option<(&'a OuPath, &'a OuPath)> {
    report.plan.steps.iter().find_map(|planned| match &planned.step {
        Step::MoveAccount { slug: moved, before, after, .. } if moved == slug => Some((before, after)),
        _ => None,
    })
}

fn fate(report: &ScopeReport, item: &Item) -> Fate {
    let is_removed = report.plan.steps.iter().any(|step| step.item == *item);
    let is_held_back = report.plan.blocked.iter().any(|blocked| blocked.item == *item);
    match (is_removed, is_held_back) {
        (true, _) => Fate::Removed,
        (false, true) => Fate::KeptForNow,
        (false, false) => Fate::Kept,
    }
}
