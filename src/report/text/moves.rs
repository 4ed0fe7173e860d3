//! A move between OUs: where an account goes, and what it gains and loses by it, told in one place.

use super::super::ScopeReport;
use super::super::lines::{listed, words};
use crate::model::{Item, OuPath, Scope, Slug, Step, Verdict};

/// The move of this account, if the organization's plan has one, with what the account gains and loses.
pub(super) fn told(out: &mut String, report: &ScopeReport, all: &[ScopeReport]) {
    let Scope::Account(slug) = &report.scope else { return };
    let Some((before, after)) = all.iter().find_map(|other| of(other, slug)) else { return };
    words(out, 1, &format!("> moves from {before} to {after}"));
    let gained = named(report, |verdict| matches!(verdict, Verdict::New | Verdict::FirstSight));
    if !gained.is_empty() {
        words(out, 3, &format!("gains {}", listed(&gained)));
    }
    let lost = report.plan.findings.iter().filter(|(_, finding)| finding.verdict == Verdict::Undeclared);
    let fate = |(item, _): (&Item, _)| {
        let is_removed = report.plan.steps.iter().any(|step| step.item == *item);
        let is_held_back = report.plan.blocked.iter().any(|blocked| blocked.item == *item);
        let fate = match (is_removed, is_held_back) {
            (true, _) => "removed",
            // Why it is not removed yet stands beside the item itself.
            (false, true) => "kept for now",
            (false, false) => "kept",
        };
        format!("{item} ({fate})")
    };
    let lost: Vec<_> = lost.map(fate).collect();
    if !lost.is_empty() {
        words(out, 3, &format!("loses {}", listed(&lost)));
    }
}

fn named(report: &ScopeReport, is_meant: impl Fn(Verdict) -> bool) -> Vec<String> {
    let items = report.plan.findings.iter().filter(|(_, finding)| is_meant(finding.verdict));
    items.map(|(item, _): (&Item, _)| item.to_string()).collect()
}

/// Where this plan moves an account from and to.
fn of<'a>(report: &'a ScopeReport, slug: &Slug) -> Option<(&'a OuPath, &'a OuPath)> {
    report.plan.steps.iter().find_map(|planned| match &planned.step {
        Step::MoveAccount { slug: moved, before, after, .. } if moved == slug => Some((before, after)),
        _ => None,
    })
}
