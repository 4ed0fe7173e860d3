//! What is no longer declared and still there: who declared it, what is in it, what can be done about it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ScopeReport;
use super::super::deed::{departure, leaves_with_account};
use super::super::markdown::{code, fenced};
use super::{bounded, item_words};
use crate::model::template::Template;
use crate::model::{AccountProperty, Item, Scope, Value, Verdict};

/// No more resources than this are named of one stack.
const MAX_RESOURCES: usize = 12;

/// Why an item that is no longer declared is told, without what it leaves behind.
pub(super) fn reason(report: &ScopeReport, item: &Item) -> String {
    format!("it is {}; it is kept, and removing it is up to you", departure(report, item))
}

/// What each item leaves behind and how it can be taken back or removed; empty where nothing is left.
pub(super) fn behind(report: &ScopeReport) -> String {
    let left: Vec<_> = report
        .plan
        .findings
        .iter()
        .filter(|(item, it)| it.verdict == Verdict::Undeclared && !leaves_with_account(report, item))
        .collect();
    let lines: Vec<_> = left.iter().map(|(item, it)| line(item, it.observed.as_deref())).collect();
    if lines.is_empty() {
        return String::new();
    }
    let items: Vec<_> = left.iter().map(|(item, _)| *item).collect();
    let absences = absences(report, &items);
    let how = if absences.is_empty() {
        "To have it back, declare it again. Landfast never removes it.".to_owned()
    } else {
        format!(
            "To have it back, declare it again. To have it removed, say that it must not be there:\n\n{}\n\n\
             What is to be removed by itself when it leaves says `onLeave: remove` while it is declared.",
            fenced("yaml", &absences)
        )
    };
    format!("**Left behind.**\n\n{}\n\n{how}", bounded(&lines))
}

fn line(item: &Item, observed: Option<&Value>) -> String {
    let inside = match item {
        Item::Stack(_) => resources(observed),
        Item::Account(_, AccountProperty::Exists) => "the account, with everything in it as it is".to_owned(),
        Item::Policy(_) => "the policy, as it is, wherever it is attached".to_owned(),
        Item::Attachment(..) => "the policy stays attached there".to_owned(),
        Item::Account(..) | Item::Setting(_) | Item::Ou(_) | Item::PolicyType(_) => "as it is".to_owned(),
    };
    format!("- {}: {inside}", item_words(item))
}

/// The resources of a stack, by type.
fn resources(observed: Option<&Value>) -> String {
    let template = observed.and_then(|value| value["template"].as_str());
    let Some(template) = template.and_then(|text| Template::parse(text).ok()) else {
        return "its resources, which its template would tell".to_owned();
    };
    let resources: BTreeMap<_, _> = template.resources();
    let named =
        resources.iter().take(MAX_RESOURCES).map(|(name, kind)| format!("{} ({})", code(name), code(kind)));
    let rest = resources.len().saturating_sub(MAX_RESOURCES);
    let more = (rest > 0).then(|| format!("and {rest} more"));
    named.chain(more).collect::<Vec<_>>().join(", ")
}

/// The lines of the account's file that say that these must not be there.
fn absences(report: &ScopeReport, items: &[&Item]) -> Vec<String> {
    let Scope::Account(slug) = &report.scope else { return Vec::new() };
    let mut keys: BTreeMap<&str, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for item in items {
        match item {
            Item::Stack(key) => {
                keys.entry("stacks").or_default().entry(key.name.to_string()).or_default();
            }
            Item::Setting(setting) => {
                let path = setting.to_string();
                let (kind, name) =
                    path.split_once('.').map_or((path.as_str(), None), |(kind, name)| (kind, Some(name)));
                let names = keys.entry("settings").or_default().entry(kind.to_owned()).or_default();
                names.extend(name.map(str::to_owned));
            }
            Item::Ou(_)
            | Item::Account(..)
            | Item::PolicyType(_)
            | Item::Policy(_)
            | Item::Attachment(..) => {}
        }
    }
    let mut lines = Vec::new();
    for (head, entries) in keys {
        lines.push(format!("{head}:"));
        for (entry, names) in entries {
            if names.is_empty() {
                lines.push(format!("  {entry}: absent"));
            } else {
                lines.push(format!("  {entry}:"));
                lines.extend(names.into_iter().map(|name| format!("    {name}: absent")));
            }
        }
    }
    if !lines.is_empty() {
        lines.insert(0, format!("# accounts/{slug}/account.yaml"));
    }
    lines
}
