//! The pages: titles and bodies of issues, one file per kind, and the sentences they share.

mod attention;
mod commit;
mod drift;
mod first_contact;

use std::collections::BTreeSet;

pub(super) use attention::attention;
pub(super) use commit::{halted, rejected};
pub(super) use drift::drift;
pub(super) use first_contact::first_contact;

use super::issue::IssueKind;
use super::markdown::{code, details};
use super::{ScopeReport, Severity, counts};
use crate::model::{Author, Deed, Finding, Item, Outcome, Scope, Source, Verdict};

/// Lists longer than this are folded away.
const FOLD_ABOVE: usize = 5;
/// No list has more entries than this; what is beyond is counted.
const MAX_ROWS: usize = 100;

/// `payments-prod`, or `the organization`.
fn place(report: &ScopeReport) -> String {
    match &report.scope {
        Scope::Organization => "the organization".to_owned(),
        Scope::Account(slug) => slug.to_string(),
    }
}

fn labels(kind: IssueKind, severity: Option<Severity>) -> BTreeSet<String> {
    let severity = severity.map(|severity| format!("landfast/{}", severity.label()));
    ["landfast".to_owned(), format!("landfast/{}", kind.label())].into_iter().chain(severity).collect()
}

/// `stack role-netops (eu-west-1)`: an item as people call it, in markdown.
fn item_words(item: &Item) -> String {
    match item {
        Item::Stack(key) => format!("stack {} ({})", code(key.name.as_str()), key.region),
        other => code(&other.to_string()),
    }
}

fn source_words(source: Option<&Source>) -> String {
    source.map_or_else(|| "nowhere".to_owned(), |source| code(&format!("{}:{}", source.path, source.line)))
}

/// `111122223333`, or what stands for it.
fn account_words(report: &ScopeReport) -> String {
    match (&report.scope, &report.account_id) {
        (Scope::Organization, _) => "the organization".to_owned(),
        (Scope::Account(slug), Some(id)) => format!("{} ({id})", code(slug.as_str())),
        (Scope::Account(slug), None) => code(slug.as_str()),
    }
}

/// True when this pass put the item back.
pub(super) fn is_put_back(report: &ScopeReport, item: &Item) -> bool {
    let steps = report.plan.steps.iter().filter(|planned| &planned.item == item);
    steps.filter_map(|planned| report.outcomes.get(&planned.id)).any(|outcome| *outcome == Outcome::Done)
}

/// `alice via BreakGlass`, without markdown.
fn deed_name(deed: &Deed) -> String {
    match &deed.role {
        _ if deed.is_ours => "Landfast itself".to_owned(),
        Some(role) => format!("{} via {role}", deed.name),
        None => deed.name.clone(),
    }
}

/// The whole sentence on who did it, in markdown.
fn who(author: Option<&Author>) -> String {
    match author {
        None | Some(Author::Pending) => {
            "author pending (CloudTrail can take 15 minutes; this is filled in here)".to_owned()
        }
        Some(Author::Unknown { because }) => format!("not known: {}", code(because)),
        Some(Author::Known(deed)) => deed_words(deed),
    }
}

fn deed_words(deed: &Deed) -> String {
    let mut parts = vec![code(&deed.principal), code(&deed.event_name)];
    if !deed.source_ip.is_empty() {
        parts.push(code(&deed.source_ip));
    }
    match (deed.console, deed.mfa) {
        (Some(true), Some(true)) => parts.push("console, MFA".to_owned()),
        (Some(true), Some(false)) => parts.push("console, no MFA".to_owned()),
        (Some(true), None) => parts.push("console".to_owned()),
        (_, Some(true)) => parts.push("MFA".to_owned()),
        (_, Some(false)) => parts.push("no MFA".to_owned()),
        (_, None) => {}
    }
    parts.push(deed.time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let certainty =
        if deed.is_certain { "certain: the event names this item" } else { "likely: nothing else fits" };
    let ours = if deed.is_ours { " This is Landfast's own session." } else { "" };
    format!("{} · event {} ({certainty}).{ours}", parts.join(" · "), code(&deed.event_id))
}

/// A list, folded away under its own count when it is long.
fn folded(noun: &str, lines: &[String]) -> String {
    let shown = lines.iter().take(MAX_ROWS).cloned();
    let rest = lines.len().saturating_sub(MAX_ROWS);
    let more = (rest > 0).then(|| format!("- … and {rest} more"));
    let list = shown.chain(more).collect::<Vec<_>>().join("\n");
    if lines.len() > FOLD_ABOVE { details(&format!("{} {noun}", lines.len()), &list) } else { list }
}

/// "Checked 211 of 214 items", and everything that was not.
fn checked(report: &ScopeReport) -> String {
    let items = report.plan.findings.len();
    let sum = counts(report);
    let mut words = format!("**Checked.** {} of {items} items of {}", sum.checked(items), place(report));
    let gaps = report.plan.findings.iter().filter(|(_, finding)| finding.verdict == Verdict::Gap);
    let gaps: Vec<_> =
        gaps.map(|(item, finding)| format!("- {}: {}", item_words(item), code(&finding.because))).collect();
    let parts: Vec<_> = report.plan.findings.iter().flat_map(unchecked).collect();
    words.push_str(match (gaps.is_empty(), parts.is_empty()) {
        (true, true) => "; all of each was seen.",
        _ => ".",
    });
    if !gaps.is_empty() {
        let list = folded("items could not be read", &gaps);
        words = format!(
            "{words}\n\nCould not be read, so nothing is said of it and nothing is changed:\n\n{list}"
        );
    }
    if !parts.is_empty() {
        words = format!("{words}\n\nNot checked:\n\n{}", folded("parts are not checked", &parts));
    }
    words
}

fn unchecked((item, finding): (&Item, &Finding)) -> Vec<String> {
    let line = |(pointer, because): (&String, &String)| {
        format!("- {} of {}: {}", code(pointer.trim_start_matches('/')), item_words(item), code(because))
    };
    finding.unchecked.iter().map(line).collect()
}
