//! A move between OUs: where an account goes, and what it gains and loses by it.

use std::collections::BTreeSet;

use super::ScopeReport;
use crate::model::{
    AccountProperty, Finding, Item, OuPath, Plan, PolicyName, PolicyTarget, Scope, Slug, Value, Verdict,
};

/// The move of one account.
pub(super) struct Move<'a> {
    /// Where it is.
    pub(super) from: OuPath,
    /// Where it goes.
    pub(super) to: OuPath,
    /// What is declared of it from then on, and was not before.
    pub(super) gains: Vec<&'a Item>,
    /// What no longer is, with what becomes of it.
    pub(super) loses: Vec<(&'a Item, Fate)>,
    /// Policies of the organization that hold for it from then on, because of the OUs above it.
    pub(super) comes_under: BTreeSet<&'a PolicyName>,
    /// Policies that no longer do.
    pub(super) leaves: BTreeSet<&'a PolicyName>,
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
        let organization = all.iter().find(|other| other.scope == Scope::Organization)?;
        let (from, to) = planned(organization, slug)?;
        let (before, after) = (
            held(organization, &from, |it| it.observed.is_some()),
            held(organization, &to, |it| it.desired.is_some()),
        );
        let findings = report.plan.findings.iter();
        let gains = findings.clone().filter(|it| matches!(it.1.verdict, Verdict::New | Verdict::FirstSight));
        let loses = findings.filter(|it| it.1.verdict == Verdict::Undeclared);
        Some(Self {
            from,
            to,
            gains: gains.map(|(item, _)| item).collect(),
            loses: loses.map(|(item, _)| (item, fate(report, item))).collect(),
            comes_under: &after - &before,
            leaves: &before - &after,
        })
    }
}

/// Where the organization's plan moves an account from and to, be it now or once what holds that up is over.
fn planned(report: &ScopeReport, slug: &Slug) -> Option<(OuPath, OuPath)> {
    let item = Item::Account(slug.clone(), AccountProperty::Ou);
    let Plan { steps, blocked, findings, .. } = &report.plan;
    let is_meant = steps.iter().any(|it| it.item == item) || blocked.iter().any(|it| it.item == item);
    let finding = findings.get(&item).filter(|_| is_meant)?;
    let path = |value: Option<&Value>| OuPath::parse(value?.as_str()?).ok();
    Some((path(finding.observed.as_deref())?, path(finding.desired.as_deref())?))
}

/// The policies that hold for an account in `place` because of the OUs above it, as git or as AWS has it.
fn held<'a>(
    report: &'a ScopeReport,
    place: &OuPath,
    is_there: impl Fn(&Finding) -> bool,
) -> BTreeSet<&'a PolicyName> {
    let findings = report.plan.findings.iter();
    let name = |(item, finding): (&'a Item, &Finding)| match item {
        Item::Attachment(name, PolicyTarget::Ou(path)) if path.holds(place) && is_there(finding) => {
            Some(name)
        }
        _ => None,
    };
    findings.filter_map(name).collect()
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
