//! What a person can do about drift: only what this version of Landfast carries out.

use super::super::ScopeReport;
use super::super::adopt::adopt_path;
use super::super::markdown::code;
use super::source_words;
use crate::model::{AccountProperty, Finding, Item, Mode, PolicyTarget, Scope, Value};

/// How git can take over what AWS shows; in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Keep {
    /// A stack in a state that no file can declare.
    Nothing,
    /// An account that is no longer in use: its folder goes.
    Folder,
    /// It is gone in AWS: so it goes from the file.
    Removal,
    /// A resource of a stack: CloudFormation has to be given the changed template too.
    Template,
    /// The value in the file is changed; git and AWS then agree, and nothing is written.
    Value,
}

/// The three ways on: keep, undo, wait.
pub(super) fn choose(report: &ScopeReport, drifted: &[(&Item, &Finding)]) -> String {
    let lines = [keep(report, drifted), undo(report, drifted)];
    let wait = "wait → close this issue; it stays closed until what is reported changes".to_owned();
    let lines = lines.into_iter().flatten().chain([wait]).map(|line| format!("- {line}"));
    format!("**Choose.**\n\n{}", lines.collect::<Vec<_>>().join("\n"))
}

fn keep(report: &ScopeReport, drifted: &[(&Item, &Finding)]) -> Vec<String> {
    let mut kinds: Vec<_> = drifted.iter().map(|(item, finding)| kind(item, finding)).collect();
    kinds.sort();
    kinds.dedup();
    let is_mixed = kinds.len() > 1;
    let source = match drifted {
        [(_, finding)] => source_words(finding.source.as_ref()),
        _ => "the files named above".to_owned(),
    };
    let words = |kind| match kind {
        Keep::Value => Some(format!(
            "keep{} → change {source} to what AWS shows, by a pull request; after the merge nothing is written",
            if is_mixed { ", otherwise" } else { "" }
        )),
        Keep::Removal => Some(format!(
            "keep{} → remove it from {source}, by a pull request; after the merge nothing is written",
            if is_mixed { ", where it is gone" } else { "" }
        )),
        Keep::Template => Some(format!(
            "keep{} → make the template say what AWS shows, in a pull request that also sets `mode: enforce` in {}; \
             Landfast then deploys that template",
            if is_mixed { ", where a stack's own resources differ" } else { "" },
            file(report)
        )),
        Keep::Folder => Some(
            "keep → remove the account's folder, by a pull request; after the merge nothing is written"
                .to_owned(),
        ),
        Keep::Nothing => None,
    };
    kinds.into_iter().filter_map(words).collect()
}

fn kind(item: &Item, finding: &Finding) -> Keep {
    if matches!(item, Item::Account(_, AccountProperty::Exists)) {
        return Keep::Folder;
    }
    let (Some(desired), Some(observed)) = (&finding.desired, &finding.observed) else { return Keep::Removal };
    let differs = |part: &str| {
        let drift = |value: &Value| value.get(part).cloned();
        drift(desired) != drift(observed)
    };
    match item {
        Item::Stack(_) if differs("state") => Keep::Nothing,
        Item::Stack(_) if differs("drift") => Keep::Template,
        _ => Keep::Value,
    }
}

fn undo(report: &ScopeReport, drifted: &[(&Item, &Finding)]) -> Vec<String> {
    let by_hand = "undo → put it back in AWS by hand";
    // What cannot be adopted is what Landfast never writes, but for what is either there or not.
    let is_writable = |item: &Item| adopt_path(item).is_ok() || item.is_of_policies();
    let writable: Vec<_> = drifted.iter().filter(|(item, _)| is_writable(item)).collect();
    let words = if writable.is_empty() {
        by_hand.to_owned()
    } else if writable.iter().all(|(_, finding)| finding.mode == Mode::Enforce) {
        let in_the_way =
            |item: &Item| report.plan.blocked.iter().any(|it| it.needs_person && it.item == *item);
        if drifted.iter().any(|(item, _)| in_the_way(item)) {
            "undo → remove what is in the way, and Landfast puts it back".to_owned()
        } else {
            "undo → nothing to do: Landfast puts it back".to_owned()
        }
    } else {
        let but = if writable.len() < drifted.len() { " (but for what it never changes)" } else { "" };
        format!(
            "{by_hand}, or set `mode: enforce` in {} and Landfast does{but}, unless its own `--mode` forbids it",
            place(report, &writable)
        )
    };
    vec![words]
}

/// Where the mode of all these items is said.
fn place(report: &ScopeReport, items: &[&(&Item, &Finding)]) -> String {
    let of_the_organization = items.iter().filter(|(item, _)| match item {
        Item::Attachment(_, target) => matches!(target, PolicyTarget::Ou(_)),
        item => item.is_of_policies(),
    });
    match of_the_organization.count() {
        0 => file(report),
        all if all == items.len() => code("landfast.yaml"),
        _ => format!("{} and in {}", code("landfast.yaml"), file(report)),
    }
}

fn file(report: &ScopeReport) -> String {
    match &report.scope {
        Scope::Account(slug) => code(&format!("accounts/{slug}/account.yaml")),
        Scope::Organization => "the account's own file".to_owned(),
    }
}
