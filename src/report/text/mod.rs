//! What `plan` prints for people: readable without colour, narrow enough for a pipe, nothing said twice.

mod folds;
mod moves;

use std::collections::BTreeMap;

use self::folds::{Weight, held_back, weight};
use super::adopt::adopt_path;
use super::deed::{deed, departure, fate, leaves_with_account, plain};
use super::diff::finding_diff;
use super::lines::{self, verbatim, words};
use super::severity::judge;
use super::{Counts, ScopeReport, counts};
use crate::model::{AccountProperty, Author, Finding, Item, Mode, Value, Verdict};

/// The whole in numbers, then every scope that has something to say, then the others in a line each kind.
pub fn text(reports: &[ScopeReport]) -> String {
    let mut out = String::new();
    let total = reports.iter().map(counts).fold(Counts::default(), Counts::plus);
    words(&mut out, 0, &total.to_string());
    words(&mut out, 0, &format!("in {}", whole(reports)));
    let (mut in_sync, mut unborn) = (Vec::new(), Vec::new());
    for report in reports {
        match weight(report) {
            Weight::InSync => in_sync.push(&report.scope),
            Weight::Unborn => unborn.push(&report.scope),
            Weight::Told => scope(&mut out, report, reports),
        }
    }
    if !(in_sync.is_empty() && unborn.is_empty()) {
        out.push('\n');
    }
    folds::scopes(&mut out, "waiting until the account exists", &unborn);
    folds::scopes(&mut out, "in sync", &in_sync);
    out
}

/// `7 scopes at commit 0123456`.
fn whole(reports: &[ScopeReport]) -> String {
    let scopes = lines::number(reports.len(), "scope");
    match reports.first().map(|report| &report.plan.revision) {
        Some(commit) if commit.as_str().bytes().any(|b| b != b'0') => {
            format!("{scopes} at commit {}", commit.short())
        }
        _ => scopes,
    }
}

fn scope(out: &mut String, report: &ScopeReport, all: &[ScopeReport]) {
    let sum = counts(report);
    let id = report.account_id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    let not_checked = folds::not_checked(report);
    out.push('\n');
    let is_quiet = sum.is_quiet() && report.hold.is_none() && report.plan.unclaimed.is_empty();
    let is_quiet = is_quiet && report.plan.warnings.is_empty();
    match (&not_checked, is_quiet) {
        (Some(rest), true) => {
            return words(out, 0, &format!("{}{id}: in sync; {rest}", report.scope));
        }
        _ => words(out, 0, &format!("{}{id}: {}", report.scope, heading(report, sum))),
    }
    if let Some(hold) = &report.hold {
        words(out, 1, &format!("hold: every write is stopped here, {}", plain(&hold.to_string())));
    }
    moves::told(out, report, all);
    items(out, report, all);
    for blocked in report.plan.blocked.iter().filter(|it| !report.plan.findings.contains_key(&it.item)) {
        words(out, 1, &format!("! {}  blocked: {}", blocked.item, plain(&blocked.because)));
    }
    for warning in &report.plan.warnings {
        words(out, 1, &format!("! {}  warning: {}", warning.item, plain(&warning.because)));
    }
    folds::unclaimed(out, report);
    if let Some(not_checked) = not_checked {
        words(out, 1, &format!("  {not_checked}"));
    }
}

/// What is out of line in numbers, warnings too: `drifted 1, 2 warnings`.
fn heading(report: &ScopeReport, sum: Counts) -> String {
    let warnings = Some(report.plan.warnings.len()).filter(|count| *count > 0);
    let warnings = warnings.map(|count| lines::number(count, "warning"));
    let told = [Some(format!("{sum:#}")), warnings].into_iter().flatten();
    told.filter(|words| !words.is_empty()).collect::<Vec<_>>().join(", ")
}

fn items(out: &mut String, report: &ScopeReport, all: &[ScopeReport]) {
    let mut groups: BTreeMap<(char, String), Vec<&Item>> = BTreeMap::new();
    for (item, finding) in &report.plan.findings {
        if folds::comes_with_account(report, item) || leaves_with_account(report, item) {
            continue;
        }
        match (item, finding.verdict) {
            (Item::Account(slug, AccountProperty::Exists), Verdict::New) => {
                folds::new_account(out, report, all, slug);
            }
            _ => match folds::shared(report, item, finding) {
                Some(reason) => groups.entry((sign(finding.verdict), reason)).or_default().push(item),
                None => self::item(out, report, item, finding),
            },
        }
    }
    for ((sign, reason), items) in &groups {
        folds::group(out, *sign, reason, items);
    }
}

fn item(out: &mut String, report: &ScopeReport, item: &Item, finding: &Finding) {
    let steps: Vec<_> = report.plan.steps.iter().filter(|planned| &planned.item == item).collect();
    let is_settled = matches!(finding.verdict, Verdict::InSync | Verdict::Gone);
    if is_settled && steps.is_empty() && report.plan.blocked.iter().all(|it| &it.item != item) {
        return;
    }
    let source = finding.source.as_ref().map(|it| format!("  {}:{}", it.path, it.line)).unwrap_or_default();
    let deeds: Vec<_> = steps
        .iter()
        .map(|planned| {
            let fate = fate(report, planned).map(|fate| format!(": {fate}")).unwrap_or_default();
            format!("{}{fate}", deed(report, &planned.step))
        })
        .collect();
    let is_changed = matches!(finding.verdict, Verdict::Drift | Verdict::Conflict);
    let what = if deeds.is_empty() || is_changed {
        format!("{item}  {}", verdict_words(report, item, finding))
    } else {
        deeds.join(", then ")
    };
    words(out, 1, &format!("{} {what}{source}", sign(finding.verdict)));
    differences(out, finding);
    if is_changed {
        changed(out, report, item, finding, &deeds);
    }
    held_back(out, report, item);
}

/// Who changed it, and what becomes of it.
fn changed(out: &mut String, report: &ScopeReport, item: &Item, finding: &Finding, deeds: &[String]) {
    words(out, 3, &author_words(report.authors.get(item)));
    let next = match finding.mode {
        Mode::Observe => "mode observe: it is recorded, and nothing else is done",
        Mode::Report => "mode report: it is left as it is until git or AWS is changed",
        Mode::Enforce => "mode enforce: git wins",
    };
    let deeds = if deeds.is_empty() { String::new() } else { format!("; {}", deeds.join(", then ")) };
    words(out, 3, &format!("{next}{deeds}"));
}

fn differences(out: &mut String, finding: &Finding) {
    let diff = match finding.verdict {
        Verdict::Pending | Verdict::Drift | Verdict::Conflict | Verdict::FirstSight => finding_diff(finding),
        _ => return,
    };
    for shown in &diff.lines {
        verbatim(out, 3, &shown.to_string());
    }
    if diff.left_out > 0 {
        verbatim(out, 3, &format!("   … {} more lines", diff.left_out));
    }
}

fn sign(verdict: Verdict) -> char {
    match verdict {
        Verdict::InSync | Verdict::Gone => '=',
        Verdict::New => '+',
        Verdict::Pending => '~',
        Verdict::Drift => '≠',
        Verdict::Conflict => '×',
        Verdict::FirstSight | Verdict::Gap => '?',
        Verdict::Undeclared => '-',
        Verdict::Moving | Verdict::Waiting => '…',
    }
}

fn verdict_words(report: &ScopeReport, item: &Item, finding: &Finding) -> String {
    let words = match finding.verdict {
        Verdict::Drift => return meaning("drifted", item, finding),
        Verdict::Conflict => return meaning("changed in git and in AWS", item, finding),
        Verdict::FirstSight if finding.desired.as_deref() == Some(&Value::Null) => {
            "found there, and must not be; kept until `adopt` names it".to_owned()
        }
        Verdict::FirstSight => match adopt_path(item) {
            Ok(_) => "found there, not as declared; kept until `adopt` names it".to_owned(),
            Err(_) => "found there, not as declared; Landfast never changes it".to_owned(),
        },
        Verdict::InSync => "in sync".to_owned(),
        Verdict::Gone => "gone".to_owned(),
        Verdict::New => "to be made".to_owned(),
        Verdict::Pending if finding.mode == Mode::Observe => "to change; not in mode observe".to_owned(),
        Verdict::Pending => "to change".to_owned(),
        Verdict::Undeclared => format!("{}; kept", departure(report, item)),
        Verdict::Moving => "under way".to_owned(),
        Verdict::Waiting => "waits".to_owned(),
        Verdict::Gap => "could not be read, so nothing is changed".to_owned(),
    };
    if finding.because.is_empty() { words } else { format!("{words}: {}", plain(&finding.because)) }
}

fn meaning(lead: &str, item: &Item, finding: &Finding) -> String {
    let judgement = judge(item, finding);
    format!("{lead}, {}: {}", judgement.severity, judgement.headline.replace('`', ""))
}

fn author_words(author: Option<&Author>) -> String {
    match author {
        None | Some(Author::Pending) => "author pending: CloudTrail can take 15 minutes".to_owned(),
        Some(Author::Unknown { because }) => format!("author not known: {}", plain(because)),
        Some(Author::Known(deed)) => {
            let certainty = if deed.is_certain { "certain" } else { "likely" };
            let time = deed.time.strftime("%Y-%m-%d %H:%M:%S UTC");
            format!("by {} ({}, {time}, {certainty})", plain(&deed.principal), plain(&deed.event_name))
        }
    }
}

#[cfg(test)]
mod tests;
