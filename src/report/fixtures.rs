//! Findings for the tests of this folder.

use serde_json::{Value, json};

use super::ScopeReport;
use crate::model::{
    AccountId, Author, CommitId, Deed, Finding, Item, Mode, OuPath, Outcomes, Plan, PlannedStep, Scope, Slug,
    Source, Step, StepId, Tie, Verdict,
};

pub(crate) fn finding(verdict: Verdict, desired: Value, observed: Value) -> Finding {
    Finding {
        verdict,
        mode: Mode::Report,
        base: Some(desired.clone()).filter(|value| !value.is_null()).map(Into::into),
        desired: Some(desired).filter(|value| !value.is_null()).map(Into::into),
        observed: Some(observed).filter(|value| !value.is_null()).map(Into::into),
        unchecked: [].into(),
        because: String::new(),
        source: Some(Source { path: "baselines/security/baseline.yaml".to_owned(), line: 4 }),
    }
}

pub(crate) fn drifted(desired: Value, observed: Value) -> Finding {
    finding(Verdict::Drift, desired, observed)
}

pub(crate) fn pending(item: &str, observed: Value, desired: Value) -> (Item, Finding) {
    let mut finding = finding(Verdict::Pending, desired, observed);
    finding.base = finding.observed.clone();
    (item.parse().unwrap(), finding)
}

pub(crate) fn in_sync(item: &str) -> (Item, Finding) {
    (item.parse().unwrap(), finding(Verdict::InSync, json!({"a": 1}), json!({"a": 1})))
}

pub(crate) fn stack_value(drift: Value) -> Value {
    let mut value = json!({"state": "ok", "template": "Resources: {}", "parameters": {}, "tags": {}});
    value["drift"] = drift;
    value
}

pub(crate) fn widened() -> Value {
    json!({"NetOpsRole": {
        "type": "AWS::IAM::Role", "physicalId": "AWS-NetOps", "status": "MODIFIED",
        "properties": {"/ManagedPolicyArns/1": {
            "expected": null, "actual": "arn:aws:iam::aws:policy/AdministratorAccess",
        }},
    }})
}

pub(crate) fn role_drift() -> (Item, Finding) {
    let item = "stacks.role-netops[eu-west-1]".parse().unwrap();
    (item, drifted(stack_value(json!({})), stack_value(widened())))
}

pub(crate) fn password_drift() -> (Item, Finding) {
    let desired = json!({"minimumLength": 14, "requireSymbols": true});
    let observed = json!({"minimumLength": 8, "requireSymbols": true, "allowUsersToChange": true});
    ("settings.passwordPolicy".parse().unwrap(), drifted(desired, observed))
}

pub(crate) fn alice() -> Author {
    Author::Known(Deed {
        principal: "arn:aws:sts::111122223333:assumed-role/BreakGlass/alice".to_owned(),
        name: "alice".to_owned(),
        role: Some("BreakGlass".to_owned()),
        event_name: "AttachRolePolicy".to_owned(),
        event_id: "4f1c0b6e-0000-4000-8000-000000000001".to_owned(),
        time: "2026-11-22T03:12:07Z".parse().unwrap(),
        source_ip: "203.0.113.9".to_owned(),
        console: Some(true),
        mfa: Some(true),
        is_certain: true,
        is_ours: false,
    })
}

pub(crate) fn report<const N: usize>(slug: &str, findings: [(Item, Finding); N]) -> ScopeReport {
    let scope = Scope::Account(Slug::parse(slug).unwrap());
    ScopeReport {
        scope: scope.clone(),
        account_id: Some(AccountId::parse("111122223333").unwrap()),
        account_name: "Payments Production".to_owned(),
        plan: Plan {
            scope,
            revision: CommitId::parse("0123456789abcdef0123456789abcdef01234567").unwrap(),
            findings: findings.into(),
            steps: Vec::new(),
            blocked: Vec::new(),
            waiting: [].into(),
            unclaimed: Vec::new(),
            unclaimed_gap: None,
            gate: None,
            warnings: Vec::new(),
            ties: std::collections::BTreeMap::new(),
        },
        outcomes: Outcomes::new(),
        authors: [].into(),
        gaps_last: false,
        hold: None,
    }
}

pub(crate) fn organization() -> ScopeReport {
    let mut organization = report("a", []);
    organization.scope = Scope::Organization;
    organization.account_id = None;
    organization
}

pub(crate) fn made(item: &str, value: Value) -> (Item, Finding) {
    (item.parse().unwrap(), finding(Verdict::New, value, json!(null)))
}

/// The organization that moves the account `shop`, and that account, which gains a stack and loses a provider.
pub(crate) fn moving() -> [ScopeReport; 2] {
    let provider = || "settings.samlProviders.ADFS".parse::<Item>().unwrap();
    let left = finding(Verdict::Undeclared, json!(null), json!({"metadata": "x"}));
    let mut account =
        report("shop", [made("stacks.trail[eu-west-1]", json!({"state": "ok"})), (provider(), left)]);
    let tie = Tie {
        declared_in: "baselines/people/baseline.yaml".to_owned(),
        left: Some(account.plan.revision.clone()),
        ..Tie::default()
    };
    account.plan.ties.insert(provider(), tie);
    let mut organization = organization();
    let ou = |text: &str| OuPath::parse(text).unwrap();
    let (slug, id) = (Slug::parse("shop").unwrap(), AccountId::parse("111122223333").unwrap());
    let step = Step::MoveAccount { slug, id, before: ou("/sandbox"), after: ou("/workloads/prod") };
    let item: Item = "accounts.shop.ou".parse().unwrap();
    let moved = finding(Verdict::Pending, json!("/workloads/prod"), json!("/sandbox"));
    organization.plan.findings.insert(item.clone(), moved);
    organization.plan.steps.push(PlannedStep { id: StepId("move".to_owned()), item, needs: [].into(), step });
    [organization, account]
}
