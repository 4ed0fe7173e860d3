//! The drift issue: read by someone on call at three in the morning, and by an auditor a year later.

use std::collections::BTreeMap;

use super::super::issue::{Draft, IssueKind};
use super::super::markdown::{code, details, fenced};
use super::super::marker::{Remembered, value_digest};
use super::super::severity::{Judgement, Severity, judge};
use super::super::{Diff, ScopeReport, diff};
use super::{
    FOLD_ABOVE, MAX_ROWS, account_words, checked, deed_name, is_put_back, item_words, labels, place,
    source_words, who,
};
use crate::model::{Author, Finding, Item, Mode, Outcome, Verdict};

/// All diffs of one issue together are at most this long, in characters.
const MAX_DIFFS: usize = 36_000;
/// Clauses shown in the first sentence.
const MAX_MEANINGS: usize = 12;
/// Separate sentences on who did it.
const MAX_AUTHORS: usize = 20;

struct Drifted<'a> {
    item: &'a Item,
    finding: &'a Finding,
    judgement: Judgement,
    author: Option<&'a Author>,
}

/// The drift issue of one scope; nothing where nothing that is reported has drifted.
pub(in crate::report) fn drift(report: &ScopeReport) -> Option<Draft> {
    let mut drifted: Vec<_> = report
        .plan
        .findings
        .iter()
        .filter(|(_, it)| is_reported(it))
        .collect::<Vec<_>>()
        .into_iter()
        .map(|(item, finding)| Drifted {
            item,
            finding,
            judgement: judge(item, finding),
            author: report.authors.get(item),
        })
        .collect();
    drifted.sort_by_key(|it| std::cmp::Reverse(it.judgement.severity));
    let worst = drifted.first()?.judgement.severity;
    let sections = [
        meaning(report, &drifted),
        table(report, &drifted),
        diffs(&drifted),
        authors(&drifted),
        choose(report, &drifted),
        checked(report),
    ];
    Some(Draft {
        title: title(report, &drifted, worst),
        body: sections.join("\n\n"),
        labels: labels(IssueKind::Drift, Some(worst)),
        substance: drifted.iter().map(|it| substance(it)).collect(),
        items: drifted.iter().map(|it| (it.item.clone(), remembered(report, it))).collect(),
    })
}

fn is_reported(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Drift | Verdict::Conflict) && finding.mode != Mode::Observe
}

fn substance(it: &Drifted<'_>) -> String {
    let value = |value: &Option<_>| value_digest(value.as_ref());
    format!(
        "{} {:?} {} {}",
        it.item,
        it.finding.verdict,
        value(&it.finding.desired),
        value(&it.finding.observed)
    )
}

fn remembered(report: &ScopeReport, it: &Drifted<'_>) -> Remembered {
    let desired = value_digest(it.finding.desired.as_ref());
    Remembered { desired, is_put_back: is_put_back(report, it.item) }
}

fn title(report: &ScopeReport, drifted: &[Drifted<'_>], worst: Severity) -> String {
    let first = &drifted[0];
    let more = drifted.len() - 1;
    let more = if more > 0 { format!(" (+{more} more)") } else { String::new() };
    let who = match first.author {
        Some(Author::Known(deed)) => {
            format!("by {} · {}", deed_name(deed), deed.time.strftime("%H:%M UTC"))
        }
        Some(Author::Unknown { .. }) => "author not known".to_owned(),
        _ => "author pending".to_owned(),
    };
    format!("[drift] {worst} · {} in {}{more} · {who}", first.judgement.headline, place(report))
}

fn meaning(report: &ScopeReport, drifted: &[Drifted<'_>]) -> String {
    let meanings: Vec<_> = drifted.iter().flat_map(|it| it.judgement.meanings.iter().cloned()).collect();
    let rest = meanings.len().saturating_sub(MAX_MEANINGS);
    let mut words = meanings[..meanings.len() - rest].join("; ");
    if rest > 0 {
        words = format!("{words}; and {rest} more differences");
    }
    let hold = report.hold.as_ref().map(|hold| format!(" All writes are held here: {}.", code(hold)));
    format!("**What it means.** {}. {}{}", capital(&words), deeds(report, drifted), hold.unwrap_or_default())
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// What Landfast did about it, by mode and outcome.
fn deeds(report: &ScopeReport, drifted: &[Drifted<'_>]) -> String {
    if drifted.iter().all(|it| it.finding.mode != Mode::Enforce) {
        return "Mode here is report: nothing was or will be changed.".to_owned();
    }
    let fates: Vec<_> =
        drifted.iter().map(|it| format!("{}: {}", item_words(it.item), fate(report, it))).collect();
    format!("Mode here is enforce. {}.", fates.join("; "))
}

fn fate(report: &ScopeReport, it: &Drifted<'_>) -> String {
    if it.finding.mode != Mode::Enforce {
        return "only reported, by its own mode".to_owned();
    }
    if let Some(blocked) = report.plan.blocked.iter().find(|blocked| &blocked.item == it.item) {
        return format!("not put back, because {}", code(&blocked.because));
    }
    let steps = report.plan.steps.iter().filter(|planned| &planned.item == it.item);
    match steps.filter_map(|planned| report.outcomes.get(&planned.id)).last() {
        Some(Outcome::Done) => "Landfast put it back".to_owned(),
        Some(Outcome::Waiting { because, .. }) => format!("being put back ({})", code(because)),
        Some(Outcome::Stale(because)) => {
            format!("not put back yet, since it moved meanwhile ({})", code(because))
        }
        Some(Outcome::Failed { message, .. }) => format!("could not be put back: {}", code(message)),
        Some(Outcome::Skipped { because }) => {
            format!("not put back yet, since {} comes first", code(&because.0))
        }
        None => "not put back yet".to_owned(),
    }
}

fn table(report: &ScopeReport, drifted: &[Drifted<'_>]) -> String {
    let account = account_words(report);
    let rows = drifted.iter().take(MAX_ROWS).map(|it| {
        let since = match it.author {
            Some(Author::Known(deed)) => deed.time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            _ => "not known".to_owned(),
        };
        let source = source_words(it.finding.source.as_ref());
        format!("| {account} | {} | {} | {source} | {since} |", item_words(it.item), it.judgement.severity)
    });
    let rest = drifted.len().saturating_sub(MAX_ROWS);
    let more = (rest > 0).then(|| format!("| … | and {rest} more items | | | |"));
    let head = "| account | item | severity | declared in | live since |\n|---|---|---|---|---|".to_owned();
    let table = std::iter::once(head).chain(rows).chain(more).collect::<Vec<_>>().join("\n");
    if drifted.len() > FOLD_ABOVE { details(&format!("{} items", drifted.len()), &table) } else { table }
}

fn diffs(drifted: &[Drifted<'_>]) -> String {
    let mut parts = Vec::new();
    let mut length = 0;
    for it in drifted {
        let heading = if drifted.len() > 1 { format!("{}\n\n", item_words(it.item)) } else { String::new() };
        let part = heading + &difference(it.finding);
        length += part.chars().count();
        if length > MAX_DIFFS {
            let left = drifted.len() - parts.len();
            parts.push(format!(
                "_The differences of {left} more items would not fit here; `landfast plan` shows them._"
            ));
            break;
        }
        parts.push(part);
    }
    parts.join("\n\n")
}

/// `-` is what git declares, `+` what AWS shows; a conflict shows what each of them changed.
fn difference(finding: &Finding) -> String {
    let (desired, observed) = (finding.desired.as_ref(), finding.observed.as_ref());
    if finding.verdict != Verdict::Conflict {
        return block(&diff(desired, observed));
    }
    let base = finding.base.as_ref();
    format!(
        "Both changed since they last agreed. Git changed:\n\n{}\n\nand AWS was changed:\n\n{}",
        block(&diff(base, desired)),
        block(&diff(base, observed))
    )
}

fn block(diff: &Diff) -> String {
    let mut lines: Vec<_> = diff.lines.iter().map(ToString::to_string).collect();
    if diff.left_out > 0 {
        lines.push(format!("   … {} more lines", diff.left_out));
    }
    if lines.is_empty() { "_No difference in what is declared._".to_owned() } else { fenced("diff", &lines) }
}

/// One sentence on each author, with the items that are theirs when there are several.
fn authors(drifted: &[Drifted<'_>]) -> String {
    let mut by_words: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for it in drifted {
        by_words.entry(who(it.author)).or_default().push(item_words(it.item));
    }
    if by_words.len() == 1 {
        return by_words.keys().map(|words| format!("**Who.** {words}")).collect();
    }
    let rest = by_words.len().saturating_sub(MAX_AUTHORS);
    let lines = by_words.iter().take(MAX_AUTHORS).map(|(words, items)| {
        let items: Vec<_> = items.iter().take(MAX_AUTHORS).cloned().collect();
        format!("- {}: {words}", items.join(", "))
    });
    let more = (rest > 0).then(|| format!("- … and {rest} more authors"));
    format!("**Who.**\n\n{}", lines.chain(more).collect::<Vec<_>>().join("\n"))
}

fn choose(report: &ScopeReport, drifted: &[Drifted<'_>]) -> String {
    let source = source_words(drifted[0].finding.source.as_ref());
    let keep = match drifted.len() {
        1 => format!("change {source} to what AWS shows, by a pull request; after the merge nothing is written"),
        _ => "change the files named above to what AWS shows, by a pull request; after the merge nothing is written".to_owned(),
    };
    let undo = if drifted.iter().all(|it| it.finding.mode == Mode::Enforce) {
        "nothing to do: Landfast puts it back".to_owned()
    } else {
        format!("put it back in AWS by hand, or set `mode: enforce` for {} and Landfast does", place(report))
    };
    format!(
        "**Choose.**\n\n- keep → {keep}\n- undo → {undo}\n- wait → close this issue; it stays closed until what is reported changes"
    )
}

#[cfg(test)]
mod tests {
    use crate::report::fixtures::{alice, password_drift, report, role_drift};
    use crate::report::issue::{Situation, wanted};

    #[test]
    fn a_drift_issue_can_be_decided_from_alone() {
        let mut report = report("payments-prod", [role_drift()]);
        report.authors.insert(role_drift().0, alice());
        let wanted = wanted(&[report], &Situation::default());
        let issue = wanted.issues.values().next().unwrap();
        insta::assert_snapshot!(issue.title, @"[drift] HIGH · role AWS-NetOps widened in payments-prod · by alice via BreakGlass · 03:12 UTC");
        insta::assert_snapshot!(issue.body, @r"
        <!-- landfast key=644520acf88b88e5 fingerprint=4c82ae6efc158361 state=open kind=drift scope=accounts/payments-prod items=91f283abb5:5e875d62 -->
        **What it means.** `AWS-NetOps` gained `AdministratorAccess`. Mode here is report: nothing was or will be changed.

        | account | item | severity | declared in | live since |
        |---|---|---|---|---|
        | `payments-prod` (111122223333) | stack `role-netops` (eu-west-1) | HIGH | `baselines/security/baseline.yaml:4` | 2026-11-22 03:12:07Z |

        ```diff
           drift:
             AWS::IAM::Role AWS-NetOps:
        +      ManagedPolicyArns[1]: arn:aws:iam::aws:policy/AdministratorAccess
        ```

        **Who.** `arn:aws:sts::111122223333:assumed-role/BreakGlass/alice` · `AttachRolePolicy` · `203.0.113.9` · console, MFA · 2026-11-22 03:12:07 UTC · event `4f1c0b6e-0000-4000-8000-000000000001` (certain: the event names this item).

        **Choose.**

        - keep → change `baselines/security/baseline.yaml:4` to what AWS shows, by a pull request; after the merge nothing is written
        - undo → put it back in AWS by hand, or set `mode: enforce` for payments-prod and Landfast does
        - wait → close this issue; it stays closed until what is reported changes

        **Checked.** 1 of 1 items of payments-prod; all of each was seen.
        ");
    }

    #[test]
    fn several_items_share_one_issue_worst_first() {
        let report = report("payments-prod", [password_drift(), role_drift()]);
        let wanted = wanted(&[report], &Situation::default());
        assert_eq!(wanted.issues.len(), 1);
        let issue = wanted.issues.values().next().unwrap();
        insta::assert_snapshot!(issue.title, @"[drift] HIGH · password policy weakened in payments-prod (+1 more) · author pending");
        insta::assert_snapshot!(issue.body, @r"
        <!-- landfast key=644520acf88b88e5 fingerprint=548b9765f0a63b20 state=open kind=drift scope=accounts/payments-prod items=2504c16296:f1e8bd88,91f283abb5:5e875d62 -->
        **What it means.** `minimumLength` went from 14 to 8; `AWS-NetOps` gained `AdministratorAccess`. Mode here is report: nothing was or will be changed.

        | account | item | severity | declared in | live since |
        |---|---|---|---|---|
        | `payments-prod` (111122223333) | `settings.passwordPolicy` | HIGH | `baselines/security/baseline.yaml:4` | not known |
        | `payments-prod` (111122223333) | stack `role-netops` (eu-west-1) | HIGH | `baselines/security/baseline.yaml:4` | not known |

        `settings.passwordPolicy`

        ```diff
        -  minimumLength: 14
        +  minimumLength: 8
        ```

        stack `role-netops` (eu-west-1)

        ```diff
           drift:
             AWS::IAM::Role AWS-NetOps:
        +      ManagedPolicyArns[1]: arn:aws:iam::aws:policy/AdministratorAccess
        ```

        **Who.** author pending (CloudTrail can take 15 minutes; this is filled in here)

        **Choose.**

        - keep → change the files named above to what AWS shows, by a pull request; after the merge nothing is written
        - undo → put it back in AWS by hand, or set `mode: enforce` for payments-prod and Landfast does
        - wait → close this issue; it stays closed until what is reported changes

        **Checked.** 2 of 2 items of payments-prod; all of each was seen.
        ");
    }
}
