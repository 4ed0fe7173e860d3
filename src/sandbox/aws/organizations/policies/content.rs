//! What a policy may say: one JSON object, of the shape of its type, not too long.

use serde_json::{Map, Value};

use super::super::super::permissions::one_or_many;
use super::super::super::wire::Refusal;
use super::super::invalid;
use super::{RESOURCE_CONTROL, SERVICE_CONTROL, constraint};

/// Characters a policy may have; a type that AWS's quotas do not name takes what most take.
fn longest(kind: &str) -> usize {
    match kind {
        SERVICE_CONTROL | RESOURCE_CONTROL => 5_120,
        "AISERVICES_OPT_OUT_POLICY" => 2_500,
        _ => 10_000,
    }
}

/// The key at the top of the types whose syntax begins with one.
fn beginning(kind: &str) -> Option<&'static str> {
    match kind {
        "TAG_POLICY" => Some("tags"),
        "BACKUP_POLICY" => Some("plans"),
        "AISERVICES_OPT_OUT_POLICY" => Some("services"),
        "CHATBOT_POLICY" => Some("chatbots"),
        "DECLARATIVE_POLICY_EC2" => Some("ec2_attributes"),
        "SECURITYHUB_POLICY" => Some("securityhub"),
        "INSPECTOR_POLICY" => Some("inspector"),
        _ => None,
    }
}

pub(crate) fn check(kind: &str, content: &str) -> Result<(), Refusal> {
    if content.is_empty() {
        return Err(invalid("MIN_LENGTH_EXCEEDED", "You specified a policy without content."));
    }
    // Spaces count too, as in whatever comes by the API.
    if content.chars().count() > longest(kind) {
        let message = "You have exceeded the maximum policy size.";
        return Err(constraint("POLICY_CONTENT_LIMIT_EXCEEDED", message));
    }
    let Ok(Value::Object(policy)) = serde_json::from_str(content) else { return Err(malformed()) };
    let fits = match kind {
        SERVICE_CONTROL | RESOURCE_CONTROL => says_something(kind, &policy),
        _ => !policy.is_empty() && beginning(kind).is_none_or(|key| policy.keys().all(|found| found == key)),
    };
    if fits { Ok(()) } else { Err(malformed()) }
}

fn malformed() -> Refusal {
    Refusal::bad(
        "MalformedPolicyDocumentException",
        "The provided policy document does not meet the requirements of the specified policy type.",
    )
}

fn says_something(kind: &str, policy: &Map<String, Value>) -> bool {
    let known = policy.keys().all(|key| ["Version", "Id", "Statement"].contains(&key.as_str()));
    let statements = one_or_many(policy.get("Statement"));
    known && !statements.is_empty() && statements.iter().all(|statement| is_statement(kind, statement))
}

/// Only a resource control policy names principals, and all of them; only AWS writes one that allows.
fn is_statement(kind: &str, statement: &Value) -> bool {
    let has_one = |element: &str| {
        let there = [element.to_owned(), format!("Not{element}")];
        there.iter().filter(|name| statement.get(name.as_str()).is_some()).count() == 1
    };
    let effect = statement.get("Effect").and_then(Value::as_str);
    let is_for = match kind {
        RESOURCE_CONTROL => effect == Some("Deny") && statement.get("Principal") == Some(&"*".into()),
        _ => matches!(effect, Some("Allow" | "Deny")) && statement.get("Principal").is_none(),
    };
    is_for && has_one("Action") && has_one("Resource")
}
