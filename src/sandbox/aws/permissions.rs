//! Who may do what: identity policies, session policies, service control policies, trust policies.
//!
//! *Assumes* no permission boundaries and no resource policies. A condition it does not know makes an `Allow` not
//! match and a `Deny` match: it errs towards refusing.

use serde_json::{Value, json};

use super::identity::{Kind, Principal};
use super::state::State;
use super::wire::{Protocol, Refusal};

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
    "ec2:Describe*",
];

/// The ARN's policy, if it is one of AWS's own that this simulation knows.
pub(crate) fn managed(arn: &str) -> Option<Value> {
    let name = arn.strip_prefix("arn:aws:iam::aws:policy/")?;
    let (_, actions) = MANAGED.iter().find(|(known, _)| *known == name)?;
    Some(json!({"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}))
}

/// Refuses unless `principal` may do `action` to `resource`.
pub(crate) fn check(
    state: &State,
    principal: &Principal,
    action: &str,
    resource: &str,
    protocol: Protocol,
) -> Result<(), Refusal> {
    if is_denied_by_organization(state, principal, action) {
        return Err(denied(
            principal,
            action,
            resource,
            protocol,
            "with an explicit deny in a service control policy",
        ));
    }
    let policies = policies(state, principal);
    let own = decide(&policies, action, resource);
    let session = decide(&principal.session_policies, action, resource);
    let why = match (own, principal.session_policies.is_empty() || session == Some(true)) {
        (Some(true), true) => return Ok(()),
        (Some(false), _) => "with an explicit deny in an identity-based policy",
        (Some(true), false) if session == Some(false) => "with an explicit deny in a session policy",
        (Some(true), false) => "because no session policy allows the action",
        (None, _) => "because no identity-based policy allows the action",
    };
    Err(denied(
        principal,
        action,
        resource,
        protocol,
        &why.replace("the action", &format!("the {action} action")),
    ))
}

fn denied(principal: &Principal, action: &str, resource: &str, protocol: Protocol, why: &str) -> Refusal {
    let message = format!(
        "User: {} is not authorized to perform: {action} on resource: {resource} {why}",
        principal.arn
    );
    match protocol {
        Protocol::Query => Refusal::new(403, "AccessDenied", message),
        Protocol::Json => Refusal::bad("AccessDeniedException", message),
    }
}

fn is_denied_by_organization(state: &State, principal: &Principal, action: &str) -> bool {
    principal.account != state.config.management_account
        && state.members.get(&principal.account).is_some_and(|member| {
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

/// `Some(false)` is an explicit deny, `None` is silence.
pub(crate) fn decide(policies: &[Value], action: &str, resource: &str) -> Option<bool> {
    let mut allowed = None;
    for statement in policies.iter().flat_map(|policy| one_or_many(policy.get("Statement"))) {
        let is_deny = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
        let condition_holds = statement.get("Condition").is_none() || is_deny;
        if covers(&statement, "Action", &action.to_lowercase(), true)
            && covers(&statement, "Resource", resource, false)
            && condition_holds
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
pub(crate) fn trusts(
    trust: &Value,
    caller: &Principal,
    organization: &str,
    external_id: Option<&str>,
) -> bool {
    let statements = one_or_many(trust.get("Statement"));
    let matches = |statement: &Value, effect: &str| {
        statement.get("Effect").and_then(Value::as_str) == Some(effect)
            && covers(statement, "Action", "sts:assumerole", true)
            && names(statement.get("Principal"), caller)
            && holds(statement.get("Condition"), caller, organization, external_id)
    };
    statements.iter().any(|statement| matches(statement, "Allow"))
        && !statements.iter().any(|statement| matches(statement, "Deny"))
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

fn holds(
    condition: Option<&Value>,
    caller: &Principal,
    organization: &str,
    external_id: Option<&str>,
) -> bool {
    let Some(operators) = condition.and_then(Value::as_object) else { return true };
    operators.iter().all(|(operator, keys)| {
        keys.as_object().is_some_and(|keys| {
            keys.iter().all(|(key, wanted)| {
                let found = match key.to_lowercase().as_str() {
                    "sts:externalid" => external_id,
                    "aws:principalorgid" => Some(organization),
                    "aws:principalarn" => Some(caller.arn.as_str()),
                    _ => None,
                };
                found.is_some_and(|found| any_equal(operator, wanted, found))
            })
        })
    })
}

fn any_equal(operator: &str, wanted: &Value, found: &str) -> bool {
    one_or_many(Some(wanted)).iter().filter_map(Value::as_str).any(|wanted| match operator {
        "StringEquals" | "ArnEquals" => wanted == found,
        "StringLike" | "ArnLike" => is_like(wanted, found),
        _ => false,
    })
}
