//! The drift issue: read by someone on call at three in the morning, and by an auditor a year later.

use std::collections::BTreeMap;

use super::super::diff::finding_diff;
use super::super::issue::{Draft, IssueKind};
use super::super::markdown::{MAX_TITLE, code, details, fenced, fit, steady, visible};
use super::super::marker::{Remembered, value_digest};
use super::super::severity::{Judgement, Severity, judge};
use super::super::{Diff, ScopeReport, diff};
use super::choose::choose;
use super::{
    FOLD_ABOVE, MAX_ROWS, account_words, checked, deed_name, is_put_back, item_words, labels, modes, place,
    source_words, who,
};
use crate::model::{Author, Finding, Item, Mode, Outcome, Verdict};

/// All diffs of one issue together are at most this long, in characters.
const MAX_DIFFS: usize = 16_000;
/// Clauses shown in the first sentence.
const MAX_MEANINGS: usize = 8;
/// Separate sentences on who did it.
const MAX_AUTHORS: usize = 10;
/// A title keeps at least this much of its headline, in characters.
const MIN_HEADLINE: usize = 30;

struct Drifted<'a> {
    item: &'a Item,
    finding: &'a Finding,
    judgement: Judgement,
    author: Option<&'a Author>,
}

/// The drift issue of one scope; nothing where nothing that is reported has drifted.
pub(in crate::report) fn drift(report: &ScopeReport) -> Option<Draft> {
    let reported = report.plan.findings.iter().filter(|(_, finding)| is_reported(finding));
    let mut drifted: Vec<_> = reported
        .map(|(item, finding)| {
            let (judgement, author) = (judge(item, finding), report.authors.get(item));
            Drifted { item, finding, judgement, author }
        })
        .collect();
    // The first one makes the title: the worst, and among equals one whose author is known.
    drifted.sort_by_key(|it| (std::cmp::Reverse(it.judgement.severity), !is_known(it.author)));
    let worst = drifted.first()?.judgement.severity;
    let sections = [
        meaning(report, &drifted),
        fit(&table(report, &drifted), 12_000),
        fit(&diffs(&drifted), MAX_DIFFS + 2_000),
        fit(&authors(&drifted), 6_000),
        choose(report, &drifted.iter().map(|it| (it.item, it.finding)).collect::<Vec<_>>()),
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

fn is_known(author: Option<&Author>) -> bool {
    matches!(author, Some(Author::Known(_)))
}

fn is_reported(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Drift | Verdict::Conflict) && finding.mode != Mode::Observe
}

fn substance(it: &Drifted<'_>) -> String {
    let Finding { verdict, desired, observed, .. } = it.finding;
    let (desired, observed) = (value_digest(desired.as_deref()), value_digest(observed.as_deref()));
    format!("{} {verdict:?} {desired} {observed}", it.item)
}

fn remembered(report: &ScopeReport, it: &Drifted<'_>) -> Remembered {
    let desired = value_digest(it.finding.desired.as_deref());
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
    let rest = format!(" in {}{more} · {who}", place(report));
    let lead = format!("[drift] {worst} · ");
    // What is longest is cut, so that account, author and time are always told.
    let room = MAX_TITLE.saturating_sub(lead.chars().count() + rest.chars().count());
    let headline = visible(&first.judgement.headline.replace('`', ""), room.max(MIN_HEADLINE));
    format!("{lead}{headline}{rest}")
}

fn meaning(report: &ScopeReport, drifted: &[Drifted<'_>]) -> String {
    let meanings: Vec<_> = drifted.iter().flat_map(|it| it.judgement.meanings.iter().cloned()).collect();
    let rest = meanings.len().saturating_sub(MAX_MEANINGS);
    let mut words = meanings[..meanings.len() - rest].join("; ");
    if rest > 0 {
        words = format!("{words}; and {rest} more differences");
    }
    let hold =
        report.hold.as_ref().map(|hold| format!(" All writes are held here: {}.", code(&hold.to_string())));
    format!("**What it means.** {}. {}{}", capital(&words), deeds(report, drifted), hold.unwrap_or_default())
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// What Landfast did about it, by mode and outcome.
fn deeds(report: &ScopeReport, drifted: &[Drifted<'_>]) -> String {
    if drifted.iter().all(|it| it.finding.mode != Mode::Enforce) {
        return "Mode here is report: nothing was or will be changed. This issue stays open until git and AWS agree \
                again, and then closes by itself."
            .to_owned();
    }
    let rest = drifted.len().saturating_sub(MAX_MEANINGS);
    let fates = drifted.iter().take(MAX_MEANINGS);
    let fates = fates.map(|it| format!("{}: {}", item_words(it.item), fate(report, it)));
    let more = (rest > 0).then(|| format!("and {rest} more items"));
    let fates = fates.chain(more).collect::<Vec<_>>().join("; ");
    let in_force = if drifted.iter().all(|it| it.finding.mode == Mode::Enforce) {
        "Mode here is enforce: Landfast puts back what differs.".to_owned()
    } else {
        format!("Mode here is {}, item by item.", modes(drifted.iter().map(|it| it.finding)))
    };
    format!("{in_force} {}. This issue closes by itself when git and AWS agree again.", capital(&fates))
}

fn fate(report: &ScopeReport, it: &Drifted<'_>) -> String {
    if it.finding.mode != Mode::Enforce {
        return "only reported, by its own mode".to_owned();
    }
    if let Some(blocked) = report.plan.blocked.iter().find(|blocked| &blocked.item == it.item) {
        return format!("not put back, because {}", code(&blocked.because));
    }
    let steps = report.plan.steps.iter().filter(|planned| &planned.item == it.item);
    match steps.filter_map(|planned| report.outcomes.get(&planned.id)).next_back() {
        Some(Outcome::Done) => "Landfast put it back".to_owned(),
        Some(Outcome::Waiting { because, .. }) => format!("being put back ({})", code(because)),
        Some(Outcome::Stale(because)) => {
            format!("not put back yet, since it moved meanwhile ({})", code(because))
        }
        Some(Outcome::Failed { message, .. }) => format!("could not be put back: {}", code(&steady(message))),
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
    if finding.verdict != Verdict::Conflict {
        return block(&finding_diff(finding));
    }
    let (desired, observed, base) =
        (finding.desired.as_deref(), finding.observed.as_deref(), finding.base.as_deref());
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
        let words: String = by_words.into_keys().collect();
        return format!("**Who.** {words}");
    }
    let rest = by_words.len().saturating_sub(MAX_AUTHORS);
    let lines = by_words.iter().take(MAX_AUTHORS).map(|(words, items)| {
        let items: Vec<_> = items.iter().take(MAX_AUTHORS).cloned().collect();
        format!("- {}: {words}", items.join(", "))
    });
    let more = (rest > 0).then(|| format!("- … and {rest} more authors"));
    format!("**Who.**\n\n{}", lines.chain(more).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::model::{Blocked, Item, Mode};
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
        **What it means.** `AWS-NetOps` gained `AdministratorAccess`. Mode here is report: nothing was or will be changed. This issue stays open until git and AWS agree again, and then closes by itself.

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

        - keep → make the template say what AWS shows, in a pull request that also sets `mode: enforce` in `accounts/payments-prod/account.yaml`; Landfast then deploys that template
        - undo → put it back in AWS by hand, or set `mode: enforce` in `accounts/payments-prod/account.yaml` and Landfast does, unless its own `--mode` forbids it
        - wait → close this issue; it stays closed until what is reported changes

        **Checked.** 1 of 1 items of payments-prod in full.
        ");
    }

    #[test]
    fn under_enforce_the_issue_says_what_became_of_it() {
        let (item, mut finding) = role_drift();
        finding.mode = Mode::Enforce;
        let mut enforced = report("payments-prod", [(item.clone(), finding)]);
        let reason = "the stack is in UPDATE_ROLLBACK_FAILED".to_owned();
        enforced.plan.blocked.push(Blocked { item, because: reason, needs_person: true });
        let wanted = wanted(&[enforced], &Situation::default());
        let body = &wanted.issues.values().next().unwrap().body;
        insta::assert_snapshot!(body.lines().nth(1).unwrap(), @"**What it means.** `AWS-NetOps` gained `AdministratorAccess`. Mode here is enforce: Landfast puts back what differs. Stack `role-netops` (eu-west-1): not put back, because `the stack is in UPDATE_ROLLBACK_FAILED`. This issue closes by itself when git and AWS agree again.");
        assert!(body.contains("undo → remove what is in the way, and Landfast puts it back"), "{body}");
    }

    #[test]
    fn a_title_keeps_author_and_time_however_long_the_names_are() {
        let long = "a".repeat(120);
        let item: Item = format!("stacks.{long}[eu-west-1]").parse().unwrap();
        let mut report = report("payments-prod", [(item.clone(), role_drift().1)]);
        let finding = report.plan.findings.get_mut(&item).unwrap();
        finding.observed = Some(json!({"state": "ok", "tags": {"a": "b"}, "drift": {}}).into());
        report.authors.insert(item, alice());
        let wanted = wanted(&[report], &Situation::default());
        let title = &wanted.issues.values().next().unwrap().title;
        assert!(title.chars().count() <= 120 && title.starts_with("[drift] "), "{title}");
        assert!(title.ends_with("… in payments-prod · by alice via BreakGlass · 03:12 UTC"), "{title}");
    }

    #[test]
    fn a_thousand_drifted_items_fit_in_one_issue_that_closes_only_when_all_is_seen() {
        let mut many = report("payments-prod", [role_drift()]);
        for n in 0..1000 {
            let item = format!("accounts.payments-prod.tags.{}{n}", "long-".repeat(20)).parse().unwrap();
            many.plan.findings.insert(item, password_drift().1);
        }
        let wanted = wanted(&[many], &Situation::default());
        let issue = wanted.issues.values().next().unwrap();
        assert!(issue.body.chars().count() <= crate::report::MAX_BODY);
        assert!(issue.title.contains("(+1000 more)"), "{}", issue.title);
        assert!(
            issue.body.contains("**Who.**") && issue.body.contains("1001 of 1001 items"),
            "nothing else is lost"
        );
        assert!(issue.body.lines().next().unwrap().ends_with("items-left-out=yes -->"));
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
        **What it means.** `minimumLength` went from 14 to 8; `AWS-NetOps` gained `AdministratorAccess`. Mode here is report: nothing was or will be changed. This issue stays open until git and AWS agree again, and then closes by itself.

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

        - keep, where a stack's own resources differ → make the template say what AWS shows, in a pull request that also sets `mode: enforce` in `accounts/payments-prod/account.yaml`; Landfast then deploys that template
        - keep, otherwise → change the files named above to what AWS shows, by a pull request; after the merge nothing is written
        - undo → put it back in AWS by hand, or set `mode: enforce` in `accounts/payments-prod/account.yaml` and Landfast does, unless its own `--mode` forbids it
        - wait → close this issue; it stays closed until what is reported changes

        **Checked.** 2 of 2 items of payments-prod in full.
        ");
    }
}
