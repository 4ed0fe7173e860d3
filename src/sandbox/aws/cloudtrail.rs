//! `CloudTrail`'s event history: who changed what, in the region and with the delay AWS has.
//!
//! Events of global services (IAM, Organizations) are in us-east-1. Only calls that can change something, and
//! role assumptions, are recorded.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::call::Call;
use super::identity::Kind;
use super::state::State;
use super::wire::{Answer, Params as _, Refusal, epoch, iso, page};

#[derive(Clone, Debug)]
pub(crate) struct Event {
    account: String,
    region: String,
    at: Timestamp,
    visible_at: Timestamp,
    /// As `LookupEvents` gives it.
    entry: Value,
}

const KEPT: usize = 50_000;

/// Notes that `call` was made and how it ended.
pub(crate) fn record(state: &mut State, call: &Call, answer: &Answer) {
    let at = state.now();
    let id = state.uuid();
    let visible_at = state.due(state.config.trail_delay);
    let region = match call.service.as_str() {
        "iam" | "organizations" => "us-east-1",
        _ => call.region.as_str(),
    };
    let full = full_event(call, answer, &id, region, at);
    let entry = json!({
        "EventId": id, "EventName": call.operation, "ReadOnly": is_read_only(call).to_string(),
        "AccessKeyId": call.principal.access_key, "EventTime": epoch(at), "EventSource": source_of(&call.service),
        "Username": call.principal.user_name(), "Resources": resources(call),
        "CloudTrailEvent": full.to_string(),
    });
    let (account, region) = (call.account().to_owned(), region.to_owned());
    state.events.push_front(Event { account, region, at, visible_at, entry });
    state.events.truncate(KEPT);
}

fn is_read_only(call: &Call) -> bool {
    call.operation == "AssumeRole"
}

fn source_of(service: &str) -> String {
    format!("{service}.amazonaws.com")
}

fn full_event(call: &Call, answer: &Answer, id: &str, region: &str, at: Timestamp) -> Value {
    let mut event = json!({
        "eventVersion": "1.11", "userIdentity": user_identity(call), "eventTime": seconds(at),
        "eventSource": source_of(&call.service), "eventName": call.operation, "awsRegion": region,
        "sourceIPAddress": call.invoked_by.as_deref().unwrap_or(&call.source),
        "userAgent": call.invoked_by.as_deref().unwrap_or(&call.agent),
        "requestParameters": within_limit(camel(&call.params)), "responseElements": response(call, answer),
        "requestID": id.replace('4', "5"), "eventID": id, "readOnly": is_read_only(call), "eventType": "AwsApiCall",
        "managementEvent": true, "recipientAccountId": call.account(), "eventCategory": "Management",
    });
    if let Err(refusal) = answer {
        event["errorCode"] = json!(refusal.code);
        event["errorMessage"] = json!(refusal.message);
    }
    event
}

/// `CloudTrail` leaves out a request of more than 100 kB.
fn within_limit(params: Value) -> Value {
    let size = params.to_string().len();
    if size <= 100 * 1024 {
        return params;
    }
    json!({"omitted": true, "originalSize": size, "reason": "requestParameters too large"})
}

/// What IAM and Organizations tell of what they made or changed.
fn response(call: &Call, answer: &Answer) -> Value {
    match answer {
        Ok(made @ Value::Object(_)) if call.service == "iam" => camel(made),
        Ok(made) if call.service == "organizations" && made.get("Policy").is_some() => camel(made),
        _ => Value::Null,
    }
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn user_identity(call: &Call) -> Value {
    let principal = &call.principal;
    let mut identity = json!({
        "principalId": principal.id, "arn": principal.arn, "accountId": principal.account,
        "accessKeyId": principal.access_key,
    });
    match &principal.kind {
        Kind::User { name } => {
            identity["type"] = json!("IAMUser");
            identity["userName"] = json!(name);
        }
        Kind::Role { name, .. } => {
            identity["type"] = json!("AssumedRole");
            identity["sessionContext"] = json!({
                "sessionIssuer": {"type": "Role", "principalId": principal.id.split(':').next(),
                    "arn": format!("arn:aws:iam::{}:role/{name}", principal.account),
                    "accountId": principal.account, "userName": name},
                "attributes": {"creationDate": seconds(principal.since), "mfaAuthenticated": "false"},
            });
        }
    }
    if let Some(service) = &call.invoked_by {
        identity["invokedBy"] = json!(service);
    }
    identity
}

/// `CloudTrail` writes parameter names with a small first letter, and no template bodies.
fn camel(params: &Value) -> Value {
    match params {
        Value::Object(fields) => Value::Object(fields.iter().filter_map(camel_field).collect::<Map<_, _>>()),
        Value::Array(entries) => Value::Array(entries.iter().map(camel).collect()),
        other => other.clone(),
    }
}

fn camel_field((name, field): (&String, &Value)) -> Option<(String, Value)> {
    if name == "TemplateBody" {
        return None;
    }
    let mut letters = name.chars();
    let first = letters.next()?.to_ascii_lowercase();
    Some((std::iter::once(first).chain(letters).collect(), camel(field)))
}

fn resources(call: &Call) -> Value {
    const NAMED: [(&str, &str); 6] = [
        ("PolicyArn", "AWS::IAM::Policy"),
        ("RoleName", "AWS::IAM::Role"),
        ("StackName", "AWS::CloudFormation::Stack"),
        ("ChangeSetName", "AWS::CloudFormation::ChangeSet"),
        ("AccountId", "AWS::Organizations::Account"),
        ("RoleArn", "AWS::IAM::Role"),
    ];
    let named = NAMED.iter().filter_map(|(param, kind)| {
        let name = call.params.text(param)?;
        Some(json!({"ResourceType": kind, "ResourceName": name}))
    });
    Value::Array(named.collect())
}

pub(crate) fn handle(state: &mut State, call: &Call) -> Answer {
    match call.operation.as_str() {
        "LookupEvents" => lookup_events(state, call),
        _ => Err(call.unknown_operation()),
    }
}

fn lookup_events(state: &mut State, call: &Call) -> Answer {
    if !state.take(format!("LookupEvents/{}/{}", call.account(), call.region), 2.0, 2.0) {
        return Err(Refusal::bad("ThrottlingException", "Rate exceeded"));
    }
    let attributes = call.params.entries("LookupAttributes");
    if attributes.len() > 1 {
        return Err(Refusal::bad(
            "InvalidLookupAttributesException",
            "Only one lookup attribute can be specified.",
        ));
    }
    let size = call.params.number("MaxResults").unwrap_or(50);
    if !(1..=50).contains(&size) {
        return Err(Refusal::bad("InvalidMaxResultsException", "MaxResults must be between 1 and 50."));
    }
    let (from, to) = (time(call, "StartTime"), time(call, "EndTime"));
    let now = state.now();
    let is_wanted = |event: &&Event| {
        event.account == call.account()
            && event.region == call.region
            && event.visible_at <= now
            && from.is_none_or(|from| event.at >= from)
            && to.is_none_or(|to| event.at <= to)
            && attributes.iter().all(|attribute| has(&event.entry, attribute))
    };
    let found = state.events.iter().filter(is_wanted).map(|event| event.entry.clone()).collect();
    let (events, next) = page(found, call.params.text("NextToken"), usize::try_from(size).unwrap_or(50))?;
    Ok(json!({"Events": events, "NextToken": next}))
}

fn time(call: &Call, name: &str) -> Option<Timestamp> {
    let seconds = call.params.get(name)?.as_f64()?;
    Timestamp::UNIX_EPOCH.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()
}

fn has(entry: &Value, attribute: &Value) -> bool {
    let Some(wanted) = attribute.text("AttributeValue") else { return false };
    match attribute.text("AttributeKey") {
        Some("ResourceName") => {
            entry.entries("Resources").iter().any(|r| r.text("ResourceName") == Some(wanted))
        }
        Some("ResourceType") => {
            entry.entries("Resources").iter().any(|r| r.text("ResourceType") == Some(wanted))
        }
        Some(key) => entry.text(key) == Some(wanted),
        None => false,
    }
}

/// The time of the last recorded event of this name, for the oracle.
pub(crate) fn last(state: &State, account: &str, name: &str) -> Option<Value> {
    let event = state
        .events
        .iter()
        .find(|event| event.account == account && event.entry.text("EventName") == Some(name))?;
    let mut entry = event.entry.clone();
    entry["VisibleAt"] = iso(event.visible_at);
    Some(entry)
}
