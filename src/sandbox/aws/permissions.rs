//! Who may do what: identity policies, session policies, service control policies, trust policies.
//!
//! *Guarantees*: what was asked, by whom and with what answer, is remembered, so that tests can hold policies to what
//! is really called. *Assumes* no resource policies. A condition it does not know makes an `Allow` not match and a
//! `Deny` match: it errs towards refusing.

use serde_json::{Value, json};

use super::conditions::{self, Facts};
use super::identity::{Kind, Principal};
use super::organizations::policies::SERVICE_CONTROL;
use super::state::State;
use super::wire::{Protocol, Refusal};
use super::{about, oracle};

/// AWS's own policies this simulation knows, and what they allow.
pub(crate) const MANAGED: [(&str, &[&str]); 24] = [
    ("AdministratorAccess", &["*"]),
    (
        "PowerUserAccess",
        &["cloudformation:*", "cloudtrail:*", "s3:*", "sns:*", "ec2:*", "logs:*", "ssm:*", "kms:*"],
    ),
    ("ReadOnlyAccess", READING),
    ("SecurityAudit", READING),
    ("job-function/ViewOnlyAccess", READING),
    ("job-function/NetworkAdministrator", &["ec2:*", "logs:*"]),
    ("job-function/SupportUser", READING),
    ("job-function/Billing", &["aws-portal:*", "billing:*"]),
    ("job-function/SystemAdministrator", &["ec2:*", "ssm:*", "logs:*", "s3:*"]),
    ("job-function/DatabaseAdministrator", &["rds:*", "dynamodb:*"]),
    ("IAMFullAccess", &["iam:*"]),
    ("IAMReadOnlyAccess", &["iam:Get*", "iam:List*"]),
    ("AmazonS3FullAccess", &["s3:*"]),
    ("AmazonS3ReadOnlyAccess", &["s3:Get*", "s3:List*"]),
    ("AmazonEC2FullAccess", &["ec2:*"]),
    ("AmazonEC2ReadOnlyAccess", &["ec2:Describe*"]),
    ("AmazonVPCFullAccess", &["ec2:*"]),
    ("AWSCloudFormationFullAccess", &["cloudformation:*"]),
    (
        "AWSCloudFormationReadOnlyAccess",
        &["cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*"],
    ),
    (
        "AWSCloudTrail_ReadOnlyAccess",
        &["cloudtrail:Get*", "cloudtrail:Describe*", "cloudtrail:List*", "cloudtrail:LookupEvents"],
    ),
    ("AWSOrganizationsReadOnlyAccess", &["organizations:Describe*", "organizations:List*"]),
    ("AWSSupportAccess", &["support:*"]),
    ("CloudWatchReadOnlyAccess", &["cloudwatch:*", "logs:Get*", "logs:Describe*"]),
    ("service-role/AWS_ConfigRole", &["config:*"]),
];

const READING: &[&str] = &[
    "cloudformation:BatchDescribe*",
    "cloudformation:Describe*",
    "cloudformation:Detect*",
    "cloudformation:Estimate*",
    "cloudformation:Get*",
    "cloudformation:List*",
    "cloudformation:Validate*",
    "cloudtrail:Describe*",
    "cloudtrail:Get*",
    "cloudtrail:List*",
    "cloudtrail:LookupEvents",
    "iam:Get*",
    "iam:List*",
    "iam:Simulate*",
    "organizations:Describe*",
    "organizations:List*",
    "sts:Get*",
    "s3:Get*",
    "s3:List*",
    "sns:Get*",
    "sns:List*",
    "ec2:Describe*",
];

/// The ARN's policy, if it is one of AWS's own that this simulation knows.
pub(crate) fn managed(arn: &str) -> Option<Value> {
    let name = arn.strip_prefix("arn:aws:iam::aws:policy/")?;
    let (_, actions) = MANAGED.iter().find(|(known, _)| *known == name)?;
    Some(json!({"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}))
}

/// One permission that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// Such as `iam:CreateRole`.
    pub(crate) action: &'a str,
    /// An ARN, or `*`.
    pub(crate) resource: &'a str,
    /// What conditions can see.
    pub(crate) facts: &'a Facts,
}

/// Refuses unless `principal` has this permission.
pub(crate) fn check(
    state: &State,
    principal: &Principal,
    asked: &Asked<'_>,
    protocol: Protocol,
) -> Result<(), Refusal> {
    let refused = why_not(state, principal, asked);
    state.asked.borrow_mut().insert(oracle::Permission {
        principal: principal.name().to_owned(),
        action: asked.action.to_owned(),
        is_granted: refused.is_none(),
    });
    refused.map_or(Ok(()), |why| Err(denied(principal, asked, protocol, &why)))
}

/// Whether `principal` may do this, as far as its own account says.
pub(crate) fn allows(state: &State, principal: &Principal, action: &str, resource: &str) -> bool {
    let facts = about::of_principal(state, principal);
    why_not(state, principal, &Asked { action, resource, facts: &facts }).is_none()
}

fn why_not(state: &State, principal: &Principal, asked: &Asked<'_>) -> Option<String> {
    if let Some(why) = refused_by_organization(state, principal, asked) {
        return Some(why);
    }
    let layers = [
        (policies(state, principal), "identity-based policy"),
        (boundary(state, principal), "permissions boundary"),
        (principal.session_policies.clone(), "session policy"),
    ];
    let decided = layers.map(|(policies, kind)| {
        // Only the first has to be there.
        let is_open = policies.is_empty() && kind != "identity-based policy";
        (if is_open { Some(true) } else { decide(&policies, asked) }, kind)
    });
    let denying = decided.iter().find(|(decision, _)| *decision == Some(false));
    let silent = decided.iter().find(|(decision, _)| decision.is_none());
    match (denying, silent) {
        (Some((_, kind)), _) => Some(format!("with an explicit deny in {} {kind}", article(kind))),
        (None, Some((_, kind))) => Some(format!("because no {kind} allows the {} action", asked.action)),
        (None, None) => None,
    }
}

fn article(kind: &str) -> &'static str {
    if kind.starts_with('i') { "an" } else { "a" }
}

fn denied(principal: &Principal, asked: &Asked<'_>, protocol: Protocol, why: &str) -> Refusal {
    let message = format!(
        "User: {} is not authorized to perform: {} on resource: {} {why}",
        principal.arn, asked.action, asked.resource
    );
    match protocol {
        Protocol::Query => Refusal::new(403, "AccessDenied", message),
        Protocol::Json => Refusal::bad("AccessDeniedException", message),
    }
}

/// What service control policies say: none may deny, and at each place from the account up to the root one has to
/// allow. They do not concern the management account.
fn refused_by_organization(state: &State, principal: &Principal, asked: &Asked<'_>) -> Option<String> {
    if principal.account == state.config.management_account {
        return None;
    }
    let explicitly = || Some("with an explicit deny in a service control policy".to_owned());
    if is_denied_by_hand(state, principal, asked.action) {
        return explicitly();
    }
    if !state.organization.policies.is_enabled(SERVICE_CONTROL) {
        return None;
    }
    let decided = state.organization.lineage(&principal.account).into_iter().map(|place| {
        let contents = state.organization.policies.on(&place, SERVICE_CONTROL);
        let contents = contents.filter_map(|policy| serde_json::from_str(&policy.content).ok());
        decide(&contents.collect::<Vec<_>>(), asked)
    });
    let decided: Vec<_> = decided.collect();
    if decided.contains(&Some(false)) {
        return explicitly();
    }
    let silent = || format!("because no service control policy allows the {} action", asked.action);
    decided.contains(&None).then(silent)
}

fn is_denied_by_hand(state: &State, principal: &Principal, action: &str) -> bool {
    state.members.get(&principal.account).is_some_and(|member| {
        member.denied.iter().any(|pattern| is_like(&pattern.to_lowercase(), &action.to_lowercase()))
    })
}

fn policies(state: &State, principal: &Principal) -> Vec<Value> {
    let Some(member) = state.members.get(&principal.account) else { return Vec::new() };
    match &principal.kind {
        Kind::User { name } => {
            let attached = member.iam.users.get(name).map(Vec::as_slice).unwrap_or_default();
            attached.iter().filter_map(|arn| member.iam.document(arn)).collect()
        }
        Kind::Role { name, .. } => member.iam.roles.get(name).map_or_else(Vec::new, |role| {
            let attached = role.attached.iter().filter_map(|arn| member.iam.document(arn));
            attached.chain(role.inline.values().cloned()).collect()
        }),
    }
}

/// The role's boundary. One that is no longer there allows nothing.
fn boundary(state: &State, principal: &Principal) -> Vec<Value> {
    let Kind::Role { name, .. } = &principal.kind else { return Vec::new() };
    let Some(member) = state.members.get(&principal.account) else { return Vec::new() };
    let arn = member.iam.roles.get(name).and_then(|role| role.boundary.as_ref());
    arn.map(|arn| member.iam.document(arn).unwrap_or_else(|| json!({"Statement": []}))).into_iter().collect()
}

/// `Some(false)` is an explicit deny, `None` is silence.
fn decide(policies: &[Value], asked: &Asked<'_>) -> Option<bool> {
    let mut allowed = None;
    for statement in policies.iter().flat_map(|policy| one_or_many(policy.get("Statement"))) {
        let is_deny = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
        let holds = conditions::are_met(statement.get("Condition"), asked.facts).unwrap_or(is_deny);
        if covers(&statement, "Action", &asked.action.to_lowercase(), true)
            && covers(&statement, "Resource", asked.resource, false)
            && holds
        {
            if is_deny {
                return Some(false);
            }
            allowed = Some(true);
        }
    }
    allowed
}

fn covers(statement: &Value, element: &str, wanted: &str, lower: bool) -> bool {
    let any = |field: &Value| {
        one_or_many(Some(field)).iter().filter_map(Value::as_str).any(|pattern| {
            if lower { is_like(&pattern.to_lowercase(), wanted) } else { is_like(pattern, wanted) }
        })
    };
    match (statement.get(element), statement.get(format!("Not{element}"))) {
        (Some(field), _) => any(field),
        (None, Some(field)) => !any(field),
        (None, None) => false,
    }
}

/// Policies write one thing as itself and several as a list.
pub(crate) fn one_or_many(field: Option<&Value>) -> Vec<Value> {
    match field {
        None => Vec::new(),
        Some(Value::Array(many)) => many.clone(),
        Some(one) => vec![one.clone()],
    }
}

/// Matches `*` (any run) and `?` (any one character).
pub(crate) fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            rest.is_empty()
                || text.char_indices().any(|(at, _)| is_like(rest, &text[at..]))
                || is_like(rest, "")
        }
        Some(c) => text.chars().next().is_some_and(|t| {
            (c == '?' || c == t) && is_like(&pattern[c.len_utf8()..], &text[t.len_utf8()..])
        }),
    }
}

/// True if `trust` lets `caller` assume the role.
pub(crate) fn trusts(state: &State, trust: &Value, caller: &Principal, external_id: Option<&str>) -> bool {
    let statements = one_or_many(trust.get("Statement"));
    let mut facts = about::of_principal(state, caller);
    facts.extend(about::facts([("sts:externalid", external_id)]));
    let matches = |statement: &Value, effect: &str| {
        statement.get("Effect").and_then(Value::as_str) == Some(effect)
            && covers(statement, "Action", "sts:assumerole", true)
            && names(statement.get("Principal"), caller)
            && conditions::are_met(statement.get("Condition"), &facts).unwrap_or(effect == "Deny")
    };
    statements.iter().any(|statement| matches(statement, "Allow"))
        && !statements.iter().any(|statement| matches(statement, "Deny"))
}

/// True if `trust` lets this service of AWS work as the role.
pub(crate) fn trusts_service(trust: &Value, service: &str) -> bool {
    one_or_many(trust.get("Statement")).iter().any(|statement| {
        statement.get("Effect").and_then(Value::as_str) == Some("Allow")
            && covers(statement, "Action", "sts:assumerole", true)
            && one_or_many(statement["Principal"].get("Service")).iter().any(|named| named == service)
    })
}

fn names(principal: Option<&Value>, caller: &Principal) -> bool {
    if principal.and_then(Value::as_str) == Some("*") {
        return true;
    }
    let role_arn = match &caller.kind {
        Kind::Role { name, .. } => format!("arn:aws:iam::{}:role/{name}", caller.account),
        Kind::User { .. } => caller.arn.clone(),
    };
    let root = format!("arn:aws:iam::{}:root", caller.account);
    one_or_many(principal.and_then(|principal| principal.get("AWS"))).iter().filter_map(Value::as_str).any(
        |named| {
            named == "*"
                || named == caller.account
                || named == root
                || named == role_arn
                || named == caller.arn
        },
    )
}
