//! An issue on a terminal: what is printed where there is no GitHub to tell it to.

use super::issue::WantedIssue;
use super::lines::words;

/// The issue as plain text: without the hidden marker and the marks of markdown, its blocks indented.
pub fn printed(issue: &WantedIssue) -> String {
    plain(&issue.title, &issue.body)
}

/// The same of an issue as GitHub shows it.
pub fn plain(title: &str, body: &str) -> String {
    let mut out = vec![title.to_owned(), String::new()];
    let mut fence: Option<&str> = None;
    for line in body.lines().skip(1) {
        match fence {
            Some(end) if line == end => fence = None,
            Some(_) => out.push(format!("    {line}")),
            None if line.starts_with("```") => fence = Some(backticks(line)),
            None => out.extend(bare(line).map(|line| wrapped(&line))),
        }
    }
    out.dedup_by(|line, before| line.is_empty() && before.is_empty());
    out.join("\n").trim_end().to_owned() + "\n"
}

fn backticks(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches('`').len()]
}

/// A line outside of blocks; nothing where it only shapes the page.
fn bare(line: &str) -> Option<String> {
    if line == "</details>" || line.starts_with("|---") {
        return None;
    }
    let line = line.strip_prefix("<details><summary>").unwrap_or(line).replace("</summary>", ":");
    let line = line.replace("**", "").replace('`', "");
    let row = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |"));
    Some(row.map_or_else(|| line.clone(), |row| row.replace(" | ", " · ")))
}

fn wrapped(line: &str) -> String {
    let mut out = String::new();
    words(&mut out, 0, line);
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures::{alice, report, role_drift};
    use crate::report::issue::{Situation, wanted};

    #[test]
    fn a_printed_issue_says_the_same_without_markdown() {
        let mut report = report("payments-prod", [role_drift()]);
        report.authors.insert(role_drift().0, alice());
        let wanted = wanted(&[report], &Situation::default());
        insta::assert_snapshot!(printed(wanted.issues.values().next().unwrap()), @r"
        [drift] HIGH · role AWS-NetOps widened in payments-prod · by alice via BreakGlass · 03:12 UTC

        What it means. AWS-NetOps gained AdministratorAccess. Mode here is report: nothing was or will be
            changed. This issue stays open until git and AWS agree again, and then closes by itself.

        account · item · severity · declared in · live since
        payments-prod (111122223333) · stack role-netops (eu-west-1) · HIGH ·
            baselines/security/baseline.yaml:4 · 2026-11-22 03:12:07Z

               drift:
                 AWS::IAM::Role AWS-NetOps:
            +      ManagedPolicyArns[1]: arn:aws:iam::aws:policy/AdministratorAccess

        Who. arn:aws:sts::111122223333:assumed-role/BreakGlass/alice · AttachRolePolicy · 203.0.113.9 ·
            console, MFA · 2026-11-22 03:12:07 UTC · event 4f1c0b6e-0000-4000-8000-000000000001 (certain:
            the event names this item).

        Choose.

        - keep → make the template say what AWS shows, in a pull request that also sets mode: enforce in
            accounts/payments-prod/account.yaml; Landfast then deploys that template
        - undo → put it back in AWS by hand, or set mode: enforce in accounts/payments-prod/account.yaml and
            Landfast does, unless its own --mode forbids it
        - wait → close this issue; it stays closed until what is reported changes

        Checked. 1 of 1 items of payments-prod in full.
        ");
    }
}
