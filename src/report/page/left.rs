//! What is no longer declared and still there: who declared it, what is in it, what can be done about it.

use std::collections::BTreeMap;

use super::super::ScopeReport;
use super::super::markdown::code;
use super::{bounded, item_words};
use crate::model::template::Template;
use crate::model::{AccountProperty, Item, Value, Verdict};

/// No more resources than this are named of one stack.
const MAX_RESOURCES: usize = 12;

/// Why an item that is no longer declared is told, without what it leaves behind.
pub(super) fn reason(report: &ScopeReport, item: &Item) -> String {
    let tie = report.plan.ties.get(item).cloned().unwrap_or_default();
    let place = if tie.declared_in.is_empty() { String::new() } else { format!(" in {}", tie.declared_in) };
    let since = tie.left.map(|commit| format!(", as of commit {}", commit.short())).unwrap_or_default();
    format!("it is no longer declared{place}{since}; it is kept, and removing it is up to you")
}

/// What each item leaves behind and how it can be taken back or removed; empty where nothing is left.
pub(super) fn behind(report: &ScopeReport) -> String {
    let left: Vec<_> =
        report.plan.findings.iter().filter(|(_, it)| it.verdict == Verdict::Undeclared).collect();
    let lines: Vec<_> = left.iter().map(|(item, it)| line(item, it.observed.as_ref())).collect();
    let removable: Vec<_> = left.iter().filter_map(|(item, _)| absence(item)).collect();
    if lines.is_empty() {
        return String::new();
    }
    let how = match removable.first() {
        Some(absence) => format!(
            "To have it back, declare it again. To have it removed, say in the account's file that it must not be \
             there, such as {}; to have what leaves removed by itself from now on, give what declares it \
             `onLeave: remove`.",
            code(absence)
        ),
        None => "To have it back, declare it again. Landfast never removes it.".to_owned(),
    };
    format!("**Left behind.**\n\n{}\n\n{how}", bounded(&lines))
}

fn line(item: &Item, observed: Option<&Value>) -> String {
    let inside = match item {
        Item::Stack(_) => resources(observed),
        Item::Account(_, AccountProperty::Exists) => "the account, with everything in it as it is".to_owned(),
        Item::Account(..) | Item::Setting(_) | Item::Ou(_) => "as it is".to_owned(),
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
    let named = resources.iter().take(MAX_RESOURCES).map(|(name, kind)| format!("{} ({})", code(name), code(kind)));
    let rest = resources.len().saturating_sub(MAX_RESOURCES);
    let more = (rest > 0).then(|| format!("and {rest} more"));
    named.chain(more).collect::<Vec<_>>().join(", ")
}

/// The line that says that an item must not be there.
fn absence(item: &Item) -> Option<String> {
    match item {
        Item::Stack(key) => Some(format!("stacks: {{{}: absent}}", key.name)),
        Item::Setting(setting) => match setting.to_string().split_once('.') {
            Some((kind, name)) => Some(format!("settings: {{{kind}: {{{name}: absent}}}}")),
            None => Some(format!("settings: {{{setting}: absent}}")),
        },
        Item::Ou(_) | Item::Account(..) => None,
    }
}
