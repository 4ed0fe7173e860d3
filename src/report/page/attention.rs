//! Attention: what cannot go on without a person.

use std::collections::BTreeMap;

use super::super::ScopeReport;
use super::super::deed::leaves_with_account;
use super::super::issue::{Draft, IssueKind};
use super::super::markdown::{code, fit, steady, visible};
use super::super::marker::{Remembered, value_digest};
use super::{MAX_ROWS, checked, item_words, labels, left, modes, place, plain_words};
use crate::model::{Class, Item, Mode, Outcome, Verdict};

/// Items named beside one reason; the others are counted.
const MAX_ITEMS: usize = 8;
/// A title quotes no more of a reason than this, in characters.
const MAX_CLAUSE: usize = 60;

/// The attention issue of one scope; nothing where everything goes on by itself.
pub(in crate::report) fn attention(report: &ScopeReport) -> Option<Draft> {
    let mut by_reason: BTreeMap<String, Vec<&Item>> = BTreeMap::new();
    for (item, reason) in obstacles(report) {
        let items = by_reason.entry(steady(&reason)).or_default();
        if !items.contains(&item) {
            items.push(item);
        }
    }
    if by_reason.is_empty() {
        return None;
    }
    let place = place(report);
    let sections = [
        meaning(report, &place, by_reason.values().flatten().copied()),
        fit(&table(&by_reason), 30_000),
        fit(&left::behind(report), 10_000),
        "**Choose.** Remove what is in the way, in AWS or in the repository; or close this issue, and it stays closed \
         until something else is in the way."
            .to_owned(),
        checked(report),
    ];
    let sections: Vec<_> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    let items = by_reason.values().flatten().map(|item| ((*item).clone(), remembered(report, item)));
    Some(Draft {
        title: title(&place, &by_reason),
        body: sections.join("\n\n"),
        labels: labels(IssueKind::Attention, None),
        items: items.collect(),
        substance: by_reason.iter().map(|(reason, items)| format!("{reason} {items:?}")).collect(),
    })
}

fn meaning<'a>(report: &ScopeReport, place: &str, items: impl Iterator<Item = &'a Item>) -> String {
    let findings: Vec<_> = items.filter_map(|item| report.plan.findings.get(item)).collect();
    let mode = match modes(findings.into_iter()) {
        modes if modes.is_empty() => String::new(),
        modes => format!(" Mode here is {modes}."),
    };
    format!(
        "**What it means.** In {place} there is work that Landfast cannot finish, or should not, without a \
         person.{mode} Until then these items stay as they are, and everything else goes on; once nothing is in the \
         way any more, Landfast goes on by itself and closes this issue."
    )
}

/// One thing is named with the beginning of its reason; several are counted.
fn title(place: &str, by_reason: &BTreeMap<String, Vec<&Item>>) -> String {
    let count = by_reason.values().map(Vec::len).sum::<usize>();
    let what = match by_reason.iter().next() {
        Some((reason, items)) if count == 1 => format!("{}: {}", plain_words(items[0]), clause(reason)),
        Some((reason, _)) if by_reason.len() == 1 => format!("{count} items: {}", clause(reason)),
        _ => format!("{count} items need a person"),
    };
    format!("[attention] {place} · {what}")
}

/// The first clause of a reason: a title is no place for a sentence.
fn clause(reason: &str) -> String {
    let end = reason.find([':', ';', ',', '(']).unwrap_or(reason.len());
    visible(&reason[..end], MAX_CLAUSE)
}

fn remembered(report: &ScopeReport, item: &Item) -> Remembered {
    let desired = report.plan.findings.get(item).and_then(|finding| finding.desired.as_deref());
    Remembered { desired: value_digest(desired), is_put_back: false }
}

fn table(by_reason: &BTreeMap<String, Vec<&Item>>) -> String {
    let rows = by_reason.iter().take(MAX_ROWS).map(|(reason, items)| {
        let rest = items.len().saturating_sub(MAX_ITEMS);
        let named = items.iter().take(MAX_ITEMS).map(|item| item_words(item));
        let more = (rest > 0).then(|| format!("and {rest} more"));
        format!("| {} | {} |", named.chain(more).collect::<Vec<_>>().join(", "), code(reason))
    });
    let rest = by_reason.len().saturating_sub(MAX_ROWS);
    let more = (rest > 0).then(|| format!("| … | and {rest} more reasons |"));
    let head = "| item | what is in the way |\n|---|---|".to_owned();
    std::iter::once(head).chain(rows).chain(more).collect::<Vec<_>>().join("\n")
}

/// Everything that needs a person and has no issue of another kind.
fn obstacles(report: &ScopeReport) -> Vec<(&Item, String)> {
    let blocked = report.plan.blocked.iter().filter(|it| it.needs_person && !has_own_issue(report, &it.item));
    let failed = report.plan.steps.iter().filter_map(|planned| match report.outcomes.get(&planned.id) {
        Some(Outcome::Failed { class: Class::Stalled | Class::Bug, message })
            if !has_own_issue(report, &planned.item) =>
        {
            Some((&planned.item, message.clone()))
        }
        _ => None,
    });
    let found = report.plan.findings.iter().filter_map(|(item, finding)| match finding.verdict {
        Verdict::Undeclared if !is_going(report, item) && !leaves_with_account(report, item) => {
            Some((item, left::reason(report, item)))
        }
        Verdict::Gap if report.gaps_last => Some((item, format!("it cannot be read: {}", finding.because))),
        _ => None,
    });
    let blocked = blocked.map(|it| (&it.item, it.because.clone()));
    let warnings = report.plan.warnings.iter().map(|it| (&it.item, it.because.clone()));
    let is_told = |(item, _): &(&Item, String)| !is_only_observed(report, item);
    blocked.chain(failed).chain(found).filter(is_told).chain(warnings).collect()
}

/// True for what is removed, or has its own reason why it is not.
fn is_going(report: &ScopeReport, item: &Item) -> bool {
    let plan = &report.plan;
    plan.steps.iter().any(|step| step.item == *item)
        || plan.blocked.iter().any(|blocked| blocked.item == *item)
}

fn is_only_observed(report: &ScopeReport, item: &Item) -> bool {
    report.plan.findings.get(item).is_some_and(|finding| finding.mode == Mode::Observe)
}

/// Drift, conflicts and first sights are told in their own issues, with what holds them back.
fn has_own_issue(report: &ScopeReport, item: &Item) -> bool {
    let verdict = report.plan.findings.get(item).map(|finding| finding.verdict);
    matches!(verdict, Some(Verdict::Drift | Verdict::Conflict | Verdict::FirstSight))
}

#[cfg(test)]
mod tests {
    use crate::model::{Blocked, Verdict};
    use crate::report::fixtures::{in_sync, password_drift, report};
    use crate::report::issue::{Situation, wanted};

    #[test]
    fn only_what_needs_a_person_is_called_attention() {
        let item = in_sync("stacks.network[eu-west-1]").0;
        let mut report = report("payments-prod", [in_sync("stacks.network[eu-west-1]")]);
        let blocked = |needs_person| Blocked {
            item: item.clone(),
            because: "the stack is in UPDATE_ROLLBACK_FAILED, which only a person can end".to_owned(),
            needs_person,
        };
        report.plan.blocked = vec![blocked(false)];
        assert!(wanted(&[report.clone()], &Situation::default()).issues.is_empty());
        report.plan.blocked = vec![blocked(true)];
        let wanted = wanted(&[report], &Situation::default());
        let issue = wanted.issues.values().next().unwrap();
        insta::assert_snapshot!(issue.title, @"[attention] payments-prod · stack network (eu-west-1): the stack is in UPDATE_ROLLBACK_FAILED");
        insta::assert_snapshot!(issue.body, @r"
        <!-- landfast key=8b385e83fb480edd fingerprint=65440f890f48bcf0 state=open kind=attention scope=accounts/payments-prod items=fda859c2ea:5262ceb4 -->
        **What it means.** In payments-prod there is work that Landfast cannot finish, or should not, without a person. Mode here is report. Until then these items stay as they are, and everything else goes on; once nothing is in the way any more, Landfast goes on by itself and closes this issue.

        | item | what is in the way |
        |---|---|
        | stack `network` (eu-west-1) | `the stack is in UPDATE_ROLLBACK_FAILED, which only a person can end` |

        **Choose.** Remove what is in the way, in AWS or in the repository; or close this issue, and it stays closed until something else is in the way.

        **Checked.** 1 of 1 items of payments-prod in full.
        ");
    }

    #[test]
    fn a_passing_gap_opens_nothing_and_a_lasting_one_does() {
        let (item, mut finding) = password_drift();
        finding.verdict = Verdict::Gap;
        finding.because = "AccessDenied: not authorized to perform sts:AssumeRole".to_owned();
        let mut report = report("payments-prod", [(item, finding)]);
        assert!(wanted(&[report.clone()], &Situation::default()).issues.is_empty());
        report.gaps_last = true;
        assert_eq!(wanted(&[report], &Situation::default()).issues.len(), 1);
    }
}
