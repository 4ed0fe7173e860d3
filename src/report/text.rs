//! What `plan` prints for people: readable without colour, narrow enough for a pipe.

use std::fmt::Write as _;

use super::severity::judge;
use super::{Counts, ScopeReport, counts, diff};
use crate::model::{Author, Finding, Item, Outcome, PlannedStep, Scope, Step, Verdict};

/// All reports, the quiet ones in a line each.
pub fn text(reports: &[ScopeReport]) -> String {
    let mut out = String::new();
    for report in reports {
        scope(&mut out, report);
    }
    let total = reports.iter().map(counts).fold(Counts::default(), Counts::plus);
    let (scopes, s) = (reports.len(), if reports.len() == 1 { "" } else { "s" });
    line(&mut out, 0, &format!("{scopes} scope{s}: {total}"));
    out
}

fn line(out: &mut String, depth: usize, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}{}", "  ".repeat(depth), text.trim_end());
}

fn scope(out: &mut String, report: &ScopeReport) {
    let sum = counts(report);
    let quiet = sum.is_quiet() && sum.unreadable == 0 && report.hold.is_none();
    let id = report.account_id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    let words = if quiet && sum.moving == 0 { format!("in sync, {sum}") } else { sum.to_string() };
    line(out, 0, &format!("{}{id}: {words}", report.scope));
    if let Some(hold) = &report.hold {
        line(out, 1, &format!("hold: every write is stopped here, {}", plain(hold)));
    }
    for (item, finding) in &report.plan.findings {
        self::item(out, report, item, finding);
    }
    for blocked in report.plan.blocked.iter().filter(|it| !report.plan.findings.contains_key(&it.item)) {
        line(out, 1, &format!("! {}  blocked: {}", blocked.item, plain(&blocked.because)));
    }
    out.push('\n');
}

fn item(out: &mut String, report: &ScopeReport, item: &Item, finding: &Finding) {
    let steps: Vec<_> = report.plan.steps.iter().filter(|planned| &planned.item == item).collect();
    let blocked: Vec<_> = report.plan.blocked.iter().filter(|it| &it.item == item).collect();
    let is_settled = matches!(finding.verdict, Verdict::InSync | Verdict::Gone);
    if is_settled && steps.is_empty() && blocked.is_empty() {
        return unchecked(out, item, finding);
    }
    let source = finding.source.as_ref().map(|it| format!("  {}:{}", it.path, it.line)).unwrap_or_default();
    line(out, 1, &format!("{} {item}  {}{source}", sign(finding.verdict), verdict_words(finding)));
    differences(out, finding);
    if matches!(finding.verdict, Verdict::Drift | Verdict::Conflict) {
        line(out, 3, &means(item, finding));
        if let Some(author) = report.authors.get(item) {
            line(out, 3, &author_words(author));
        }
    }
    for planned in steps {
        line(out, 3, &step_words(report, planned));
    }
    for blocked in blocked {
        line(out, 3, &format!("blocked: {}", plain(&blocked.because)));
    }
    unchecked(out, item, finding);
}

fn unchecked(out: &mut String, item: &Item, finding: &Finding) {
    for (pointer, because) in &finding.unchecked {
        line(
            out,
            1,
            &format!("  {item}  not checked: {} ({})", pointer.trim_start_matches('/'), plain(because)),
        );
    }
}

fn differences(out: &mut String, finding: &Finding) {
    let (desired, observed) = (finding.desired.as_ref(), finding.observed.as_ref());
    let diff = match finding.verdict {
        // What is to be made comes from git: shown the way a merge shows it.
        Verdict::Pending => diff(observed, desired),
        Verdict::Drift | Verdict::Conflict | Verdict::FirstSight => diff(desired, observed),
        _ => return,
    };
    for shown in &diff.lines {
        line(out, 3, &shown.to_string());
    }
    if diff.left_out > 0 {
        line(out, 3, &format!("   … {} more lines", diff.left_out));
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
        Verdict::Moving => '…',
    }
}

fn verdict_words(finding: &Finding) -> String {
    let words = match finding.verdict {
        Verdict::InSync => "in sync",
        Verdict::Gone => "gone",
        Verdict::New => "new",
        Verdict::Pending => "to change",
        Verdict::Drift => "drifted",
        Verdict::Conflict => "in conflict: git and AWS both changed",
        Verdict::FirstSight => "found there, not as declared; kept as it is until `adopt` names it",
        Verdict::Undeclared => "no longer declared; kept",
        Verdict::Moving => "under way",
        Verdict::Gap => "could not be read, so nothing is changed",
    };
    if finding.because.is_empty() {
        words.to_owned()
    } else {
        format!("{words}: {}", plain(&finding.because))
    }
}

fn means(item: &Item, finding: &Finding) -> String {
    let judgement = judge(item, finding);
    format!("{}: {}", judgement.severity, judgement.meanings.join("; ").replace('`', ""))
}

fn author_words(author: &Author) -> String {
    match author {
        Author::Pending => "author pending (CloudTrail can take 15 minutes)".to_owned(),
        Author::Unknown { because } => format!("author not known: {}", plain(because)),
        Author::Known(deed) => {
            format!("by {} ({}, {})", plain(&deed.principal), plain(&deed.event_name), deed.time)
        }
    }
}

/// One line: a terminal obeys what it is sent.
fn plain(text: &str) -> String {
    super::markdown::visible(text, 500)
}

fn step_words(report: &ScopeReport, planned: &PlannedStep) -> String {
    let fate = match report.outcomes.get(&planned.id) {
        None => return format!("step: {}", deed(report, &planned.step)),
        Some(Outcome::Done) => "done".to_owned(),
        Some(Outcome::Waiting { because, .. }) => format!("under way: {}", plain(because)),
        Some(Outcome::Stale(because)) => format!("not done, since it moved meanwhile: {}", plain(because)),
        Some(Outcome::Failed { message, .. }) => format!("failed: {}", plain(message)),
        Some(Outcome::Skipped { because }) => format!("not tried, since {} comes first", plain(&because.0)),
    };
    format!("step: {}: {fate}", deed(report, &planned.step))
}

/// What a step does, as an order.
pub(super) fn deed(report: &ScopeReport, step: &Step) -> String {
    let here = match &report.scope {
        Scope::Organization => "the organization".to_owned(),
        Scope::Account(slug) => slug.to_string(),
    };
    match step {
        Step::CreateOu { path } => format!("create OU {path}"),
        Step::CreateAccount { slug, name, email, .. } => {
            format!("create account {slug} (\"{}\", {email})", plain(name))
        }
        Step::MoveAccount { slug, before, after, .. } => {
            format!("move account {slug} from {before} to {after}")
        }
        Step::TagAccount { slug, key, before, after, .. } => match before {
            Some(before) => {
                format!("set tag {key} of account {slug} from {} to {}", plain(before), plain(after))
            }
            None => format!("set tag {key} of account {slug} to {}", plain(after)),
        },
        Step::PutPasswordPolicy { before: None, .. } => format!("create the password policy of {here}"),
        Step::PutPasswordPolicy { .. } => format!("change the password policy of {here}"),
        Step::PutAccountAlias { after, .. } => format!("set the alias of {here} to {}", plain(after)),
        Step::DeployStack { key, before, revert, .. } => {
            let verb = if before.is_some() { "update" } else { "create" };
            let revert = if *revert { ", and put drifted resources back" } else { "" };
            format!("{verb} stack {} in {}{revert}", key.name, key.region)
        }
        Step::DeleteFailedStack { key, .. } => {
            format!("delete stack {} in {}, which was never made", key.name, key.region)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::StepId;
    use crate::report::fixtures::{alice, in_sync, password_drift, pending, report, role_drift};

    #[test]
    fn a_plan_reads_well_without_colour() {
        let mut report =
            report("payments-prod", [password_drift(), role_drift(), in_sync("stacks.a[eu-west-1]")]);
        report.authors.insert(role_drift().0, alice());
        let finding = report.plan.findings.get_mut(&role_drift().0).unwrap();
        finding.unchecked.insert("/drift/Queue".to_owned(), "AWS does not detect drift of it".to_owned());
        let (item, finding) = pending("settings.accountAlias", json!("acme-old"), json!("acme-payments"));
        report.plan.findings.insert(item.clone(), finding);
        let step =
            Step::PutAccountAlias { before: Some("acme-old".to_owned()), after: "acme-payments".to_owned() };
        let id = StepId("alias".to_owned());
        report.plan.steps.push(PlannedStep { id, item, needs: [].into(), step });
        insta::assert_snapshot!(text(&[report]), @r"
        accounts/payments-prod (111122223333): creates 0, changes 1, drifted 2, blocked 0, not checked 1
          ≠ settings.passwordPolicy  drifted  baselines/security/baseline.yaml:4
              -  minimumLength: 14
              +  minimumLength: 8
              HIGH: minimumLength went from 14 to 8
          ~ settings.accountAlias  to change  baselines/security/baseline.yaml:4
              -  acme-old
              +  acme-payments
              step: set the alias of payments-prod to acme-payments
          ≠ stacks.role-netops[eu-west-1]  drifted  baselines/security/baseline.yaml:4
                 drift:
                   AWS::IAM::Role AWS-NetOps:
              +      ManagedPolicyArns[1]: arn:aws:iam::aws:policy/AdministratorAccess
              HIGH: AWS-NetOps gained AdministratorAccess
              by arn:aws:sts::111122223333:assumed-role/BreakGlass/alice (AttachRolePolicy, 2026-11-22T03:12:07Z)
            stacks.role-netops[eu-west-1]  not checked: drift/Queue (AWS does not detect drift of it)

        1 scope: creates 0, changes 1, drifted 2, blocked 0, not checked 1
        ");
    }
}
