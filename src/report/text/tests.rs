//! Plans as a person reads them.

use serde_json::json;

use super::*;
use crate::model::{Blocked, Hold, PlannedStep, Step, StepId};
use crate::report::fixtures::{
    alice, finding, in_sync, made, moving, organization, password_drift, pending, report, role_drift,
};

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
    creates 0, changes 1, drifted 2, in sync 1, not fully checked 1
    in 1 scope at commit 0123456789

    accounts/payments-prod (111122223333): changes 1, drifted 2, not fully checked 1
      ≠ settings.passwordPolicy  drifted, HIGH: password policy weakened
          baselines/security/baseline.yaml:4
          -  minimumLength: 14
          +  minimumLength: 8
          author pending: CloudTrail can take 15 minutes
          mode report: it is left as it is until git or AWS is changed
      ~ set the alias of payments-prod to acme-payments  baselines/security/baseline.yaml:4
          -  acme-old
          +  acme-payments
      ≠ stacks.role-netops[eu-west-1]  drifted, HIGH: role AWS-NetOps widened
          baselines/security/baseline.yaml:4
             drift:
               AWS::IAM::Role AWS-NetOps:
          +      ManagedPolicyArns[1]: arn:aws:iam::aws:policy/AdministratorAccess
          by arn:aws:sts::111122223333:assumed-role/BreakGlass/alice (AttachRolePolicy, 2026-11-22
              03:12:07 UTC, certain)
          mode report: it is left as it is until git or AWS is changed
      not checked: drift/Queue of stacks.role-netops[eu-west-1] (AWS does not detect drift of it)
    ");
}

#[test]
fn an_account_to_be_made_takes_one_place_with_all_that_comes_with_it() {
    let mut organization = organization();
    let state = json!({"state": "ACTIVE"});
    organization.plan.findings = [
        made("accounts.shop", state),
        made("accounts.shop.name", json!("Shop")),
        made("accounts.shop.email", json!("aws+shop@example.com")),
        made("accounts.shop.ou", json!("/workloads")),
        made("accounts.shop.tags.env", json!("prod")),
    ]
    .into();
    let blocked = |item: &str, because: &str| Blocked {
        item: item.parse().unwrap(),
        because: because.to_owned(),
        needs_person: false,
    };
    organization.plan.blocked = vec![blocked("accounts.shop.ou", "the account does not exist yet")];
    let mut shop =
        report("shop", [made("settings.passwordPolicy", json!({})), made("stacks.a[eu-west-1]", json!({}))]);
    shop.account_id = None;
    for item in ["settings.passwordPolicy", "stacks.a[eu-west-1]"] {
        shop.plan.blocked.push(blocked(item, "the account does not exist yet"));
    }
    let settled = report("quiet", [in_sync("stacks.a[eu-west-1]")]);
    insta::assert_snapshot!(text(&[organization, settled, shop]), @r"
    creates 0, changes 0, drifted 0, waiting 3, in sync 1
    in 3 scopes at commit 0123456789

    organization: waiting 1
      + create account shop (Shop, aws+shop@example.com) with 1 tag; then move it to /workloads, 1
          setting, 1 stack

    waiting until the account exists: accounts/shop
    in sync: accounts/quiet
    ");
}

#[test]
fn what_shares_a_reason_is_told_once() {
    let denied = |item: &str| {
        let mut gap = made(item, json!({}));
        gap.1.verdict = Verdict::Gap;
        gap.1.because = "AccessDenied: not authorized to perform sts:AssumeRole".to_owned();
        gap
    };
    let gaps =
        report("closed", ["a", "b", "c", "d"].map(|name| denied(&format!("stacks.{name}[eu-west-1]"))));
    let unchecked = |name: &str| {
        let (item, mut finding) = in_sync(&format!("stacks.{name}[eu-west-1]"));
        finding.unchecked.insert("/drift".to_owned(), "drift was not detected yet".to_owned());
        (item, finding)
    };
    let unseen = report("half", ["a", "b", "c"].map(unchecked));
    insta::assert_snapshot!(text(&[gaps, unseen]), @r"
    creates 0, changes 0, drifted 0, unreadable 4, in sync 3, not fully checked 3
    in 2 scopes at commit 0123456789

    accounts/closed (111122223333): unreadable 4
      ? 4 stacks  could not be read, so nothing is changed: AccessDenied: not authorized to perform
          sts:AssumeRole
          stacks.a[eu-west-1], stacks.b[eu-west-1], stacks.c[eu-west-1] and stacks.d[eu-west-1]

    accounts/half (111122223333): in sync; not checked: drift of 3 stacks (drift was not detected yet)
    ");
}

#[test]
fn no_line_of_words_is_wider_than_a_hundred_columns() {
    let mut wide = report("payments-prod", [password_drift(), role_drift()]);
    wide.authors.insert(role_drift().0, alice());
    wide.hold = Some(Hold::Set("word ".repeat(90)));
    let text = text(&[wide]);
    let longest = text.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(100), "{text}");
}

#[test]
fn a_move_tells_which_policies_hold_from_then_on_and_which_no_longer_even_while_it_waits() {
    let [mut organization, account] = moving();
    let attached = |verdict| finding(verdict, json!(true), json!(true));
    let named = |at: &str| format!("policies.{at}").parse::<Item>().unwrap();
    organization.plan.findings.extend([
        (named("everywhere.targets./"), attached(Verdict::InSync)),
        (named("regions.targets./workloads"), finding(Verdict::New, json!(true), json!(null))),
        (named("no-root.targets./sandbox"), attached(Verdict::InSync)),
        (named("other.targets./workloads/nonprod"), attached(Verdict::InSync)),
    ]);
    let step = organization.plan.steps.pop().unwrap();
    let because = "the freeze `december` holds".to_owned();
    organization.plan.blocked.push(Blocked { item: step.item, because, needs_person: false });
    let text = text(&[organization, account]);
    assert!(text.contains("> moves from /sandbox to /workloads/prod"), "{text}");
    assert!(text.contains("      comes under policies.regions\n"), "{text}");
    assert!(text.contains("      is no longer under policies.no-root\n"), "{text}");
}

#[test]
fn a_move_is_told_with_what_it_brings_and_what_it_leaves_behind() {
    let [organization, account] = moving();
    insta::assert_snapshot!(text(&[organization, account]), @r"
    creates 0, changes 1, drifted 0, undeclared 1
    in 2 scopes at commit 0123456789

    organization: changes 1
      ~ move account shop from /sandbox to /workloads/prod  baselines/security/baseline.yaml:4
          -  /sandbox
          +  /workloads/prod

    accounts/shop (111122223333): undeclared 1
      > moves from /sandbox to /workloads/prod
          gains stacks.trail[eu-west-1]
          loses settings.samlProviders.ADFS (kept)
      - settings.samlProviders.ADFS  no longer declared in baselines/people/baseline.yaml, as of commit
          0123456789; kept  baselines/security/baseline.yaml:4
      + stacks.trail[eu-west-1]  to be made
    ");
}
