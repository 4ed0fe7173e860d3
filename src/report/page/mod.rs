//! The pages: titles and bodies of issues, one file per kind, and the sentences they share.

mod attention;
mod choose;
mod commit;
mod drift;
mod first_contact;
mod left;
mod rollout;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use attention::attention;
pub(super) use commit::{halted, rejected};
pub(super) use drift::drift;
pub(super) use first_contact::first_contact;
pub(super) use rollout::rollout;

use super::issue::IssueKind;
use super::markdown::{code, details, fit, steady};
use super::unseen::unseen;
use super::{ScopeReport, Severity, counts};
use crate::model::{Author, Deed, Finding, Item, Mode, Outcome, Scope, Source, Verdict};

/// Lists longer than this are folded away.
const FOLD_ABOVE: usize = 5;
/// No list has more entries than this; what is beyond is counted.
const MAX_ROWS: usize = 100;
/// Names that stand beside one reason; more are folded away.
const MAX_NAMES: usize = 3;
/// What was not seen is listed in at most this many characters, twice.
const MAX_UNSEEN: usize = 4_000;

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

/// The same without markdown, for titles.
fn plain_words(item: &Item) -> String {
    item_words(item).replace('`', "")
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
    let list = bounded(lines);
    if lines.len() > FOLD_ABOVE { details(&format!("{} {noun}", lines.len()), &list) } else { list }
}

/// "211 of 214 items in full", and everything that was not.
fn checked(report: &ScopeReport) -> String {
    let (items, sum) = (report.plan.findings.len(), counts(report));
    let in_part = report.plan.findings.values().filter(|it| !it.unchecked.is_empty() && is_seen(it)).count();
    let in_full = items - in_part - sum.unreadable - sum.moving;
    let rest = [(in_part, "in part"), (sum.moving, "being changed just now"), (sum.unreadable, "not at all")];
    let rest = rest.into_iter().filter(|(count, _)| *count > 0);
    let full = format!("**Checked.** {in_full} of {items} items of {} in full", place(report));
    let parts = std::iter::once(full).chain(rest.map(|(count, how)| format!("{count} {how}")));
    let mut words = vec![format!("{}.", parts.collect::<Vec<_>>().join(", "))];
    words.extend(gaps(report).map(|list| fit(&list, MAX_UNSEEN)));
    words.extend(not_checked(report).map(|list| fit(&list, MAX_UNSEEN)));
    words.join("\n\n")
}

fn is_seen(finding: &Finding) -> bool {
    !matches!(finding.verdict, Verdict::Gap | Verdict::Moving)
}

/// What could not be read, reason by reason.
fn gaps(report: &ScopeReport) -> Option<String> {
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (item, finding) in report.plan.findings.iter().filter(|(_, it)| it.verdict == Verdict::Gap) {
        by_reason.entry(code(&steady(&finding.because))).or_default().push(item_words(item));
    }
    let reasons = by_reason.into_iter().map(|(because, names)| {
        let counted = format!("{} items", names.len());
        Reason { counted, names, because }
    });
    told("Could not be read, so nothing is said of it and nothing is changed:", &reasons.collect::<Vec<_>>())
}

/// What is not checked by its nature, reason by reason.
fn not_checked(report: &ScopeReport) -> Option<String> {
    let reasons = unseen(report).into_iter().map(|unseen| {
        let names = unseen.items.iter().map(|(item, path)| format!("{} of {}", code(path), item_words(item)));
        let counted = format!("{} of {}", code(unseen.part), unseen.owners());
        Reason { counted, names: names.collect(), because: code(unseen.because) }
    });
    told("Not checked:", &reasons.collect::<Vec<_>>())
}

/// Why some things were not seen, in markdown.
struct Reason {
    counted: String,
    names: Vec<String>,
    because: String,
}

/// A line for each reason, with names where they are few; many are counted, and listed in one fold.
fn told(lead: &str, reasons: &[Reason]) -> Option<String> {
    let line = |reason: &Reason| {
        let many = reason.names.len() > MAX_NAMES;
        let what = if many { reason.counted.clone() } else { reason.names.join(", ") };
        format!("- {what}: {}", reason.because)
    };
    let lines: Vec<_> = reasons.iter().map(line).collect();
    let many = reasons.iter().filter(|reason| reason.names.len() > MAX_NAMES);
    let names: Vec<_> = many.flat_map(|reason| &reason.names).map(|name| format!("- {name}")).collect();
    let fold = (!names.is_empty()).then(|| format!("\n\n{}", details("each of them", &bounded(&names))));
    (!lines.is_empty()).then(|| format!("{lead}\n\n{}{}", bounded(&lines), fold.unwrap_or_default()))
}

fn bounded(lines: &[String]) -> String {
    let rest = lines.len().saturating_sub(MAX_ROWS);
    let more = (rest > 0).then(|| format!("- … and {rest} more"));
    lines.iter().take(MAX_ROWS).cloned().chain(more).collect::<Vec<_>>().join("\n")
}

/// `report`, or `enforce and report` where the items differ in it.
fn modes<'a>(findings: impl Iterator<Item = &'a Finding>) -> String {
    let modes: BTreeSet<_> = findings.map(|finding| finding.mode).collect();
    let words = modes.into_iter().map(|mode| match mode {
        Mode::Observe => "observe",
        Mode::Report => "report",
        Mode::Enforce => "enforce",
    });
    words.collect::<Vec<_>>().join(" and ")
}
