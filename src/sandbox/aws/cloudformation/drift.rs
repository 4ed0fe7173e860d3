//! Drift: what the resources are against what their stack last made them.
//!
//! *Guarantees*: computed from the account's own resources. Only properties the template sets are compared, as AWS
//! does; lists of policies, tags and the like are compared as sets.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::state::{State, Work};
use super::super::wire::{Answer, Params as _, Refusal, iso};
use super::evaluate::text_of;
use super::stack::{Detection, Resource, ResourceDrift, Stack};
use super::stacks::{find, missing};
use super::{At, Due, What, engine, live, paged, plan, resources};

const CHECKABLE: [&str; 4] =
    ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"];

pub(crate) fn detect(state: &mut State, call: &Call) -> Answer {
    let at = At::of(call);
    let stack = find(state, call)?;
    let (id, name, status) = (stack.id.clone(), stack.name.clone(), stack.status.clone());
    if !CHECKABLE.contains(&status.as_str()) {
        return Err(Refusal::validation(format!(
            "Drift detection cannot be performed on stack [{id}] while it is in {status} state."
        )));
    }
    if at.stacks(state).detections.values().any(|detection| detection.stack == id && !detection.is_done) {
        return Err(Refusal::validation(format!("Drift detection is already in progress for stack {name}")));
    }
    let detection = Detection {
        id: state.uuid(),
        stack: id,
        started: state.now(),
        is_done: false,
        failure: None,
        drifted: 0,
        status: String::new(),
    };
    let detection_id = detection.id.clone();
    at.stacks(state).detections.insert(detection_id.clone(), detection);
    let due = state.due(state.config.drift_detection);
    state.schedule(due, Work::Stack(Due { at, what: What::Detection(detection_id.clone()) }));
    Ok(json!({"StackDriftDetectionId": detection_id}))
}

/// The detection ends: every resource is read and compared.
pub(crate) fn finish(state: &mut State, at: &At, id: &str) {
    let Some(mut detection) = at.stacks(state).detections.remove(id) else { return };
    detection.is_done = true;
    if let Some(mut stack) = at.stacks(state).stacks.remove(&detection.stack) {
        let failure = engine::take_failure(state, at, &format!("drift detection of {}", stack.name));
        if failure.is_some() {
            detection.failure = failure;
        } else if CHECKABLE.contains(&stack.status.as_str()) {
            check(state, at, &mut stack, &mut detection);
        } else {
            detection.failure = Some(format!("The stack is in {} state.", stack.status));
        }
        at.stacks(state).stacks.insert(stack.id.clone(), stack);
    }
    at.stacks(state).detections.insert(id.to_owned(), detection);
}

fn check(state: &mut State, at: &At, stack: &mut Stack, detection: &mut Detection) {
    let now = state.now();
    let tags = stack.blueprint.tags.clone();
    for resource in stack.resources.values_mut() {
        let drift = compare(state, at, resource, &tags);
        resource.drift = Some(drift);
    }
    let is_drifted = |resource: &&Resource| {
        resource.drift.as_ref().is_some_and(|drift| matches!(drift.status, "MODIFIED" | "DELETED"))
    };
    detection.drifted = stack.resources.values().filter(is_drifted).count();
    let status = if detection.drifted > 0 { "DRIFTED" } else { "IN_SYNC" };
    status.clone_into(&mut detection.status);
    status.clone_into(&mut stack.drift_status);
    stack.drift_checked = Some(now);
}

fn compare(
    state: &mut State,
    at: &At,
    resource: &Resource,
    tags: &std::collections::BTreeMap<String, String>,
) -> ResourceDrift {
    let (expected, now) = (resource.properties.clone(), state.now());
    let drift = |status, actual, differences| ResourceDrift {
        status,
        expected: expected.clone(),
        actual,
        differences,
        at: now,
    };
    if !resources::has_drift(&resource.kind) {
        return drift("NOT_CHECKED", Value::Null, Vec::new());
    }
    let Some(live) = live::read(state, at, &resource.kind, &resource.physical) else {
        return drift("DELETED", Value::Null, Vec::new());
    };
    let actual = in_order_of(&expected, plan::restricted(&live, &expected, tags));
    let differences = differences(&expected, &actual);
    drift(if differences.is_empty() { "IN_SYNC" } else { "MODIFIED" }, actual, differences)
}

/// Lists put in the order of the expected ones, what is extra at their end.
fn in_order_of(expected: &Value, actual: Value) -> Value {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => Value::Object(
            actual
                .into_iter()
                .map(|(name, value)| {
                    let value = in_order_of(expected.get(&name).unwrap_or(&Value::Null), value);
                    (name, value)
                })
                .collect(),
        ),
        (Value::Array(expected), Value::Array(mut actual)) => {
            let place = |entry: &Value| {
                expected.iter().position(|other| is_same_entry(other, entry)).unwrap_or(usize::MAX)
            };
            actual.sort_by_key(place);
            Value::Array(actual)
        }
        (_, actual) => actual,
    }
}

/// Entries of lists are the same if they have the same name, or are equal.
fn is_same_entry(a: &Value, b: &Value) -> bool {
    for name in ["PolicyName", "Key", "Sid"] {
        if let (Some(a), Some(b)) = (a.text(name), b.text(name)) {
            return a == b;
        }
    }
    is_equal(a, b)
}

fn is_equal(a: &Value, b: &Value) -> bool {
    let is_plain = |value: &Value| !value.is_object() && !value.is_array();
    // Templates may write numbers and flags as text.
    a == b || (is_plain(a) && is_plain(b) && text_of(a) == text_of(b))
}

/// `PropertyDifferences` of `actual` against `expected`.
pub(crate) fn differences(expected: &Value, actual: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for (name, expected) in expected.as_object().into_iter().flatten() {
        differ(&format!("/{name}"), Some(expected), actual.get(name), &mut found);
    }
    found
}

fn differ(path: &str, expected: Option<&Value>, actual: Option<&Value>, found: &mut Vec<Value>) {
    match (expected, actual) {
        (Some(Value::Object(expected)), Some(Value::Object(actual))) => {
            let names: std::collections::BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
            for name in names {
                differ(&format!("{path}/{name}"), expected.get(name), actual.get(name), found);
            }
        }
        (Some(Value::Array(expected)), Some(Value::Array(actual))) => {
            differ_in_list(path, expected, actual, found)
        }
        (Some(expected), Some(actual)) if is_equal(expected, actual) => {}
        (None, None) => {}
        (expected, actual) => {
            let kind = match (expected, actual) {
                (None, _) => "ADD",
                (_, None) => "REMOVE",
                _ => "NOT_EQUAL",
            };
            let text = |value: Option<&Value>| value.map_or_else(|| "null".to_owned(), text_of_any);
            found.push(
                json!({"PropertyPath": path, "ExpectedValue": text(expected), "ActualValue": text(actual),
                              "DifferenceType": kind}),
            );
        }
    }
}

fn text_of_any(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn differ_in_list(path: &str, expected: &[Value], actual: &[Value], found: &mut Vec<Value>) {
    let twin = |entry: &Value, others: &[Value]| others.iter().position(|other| is_same_entry(other, entry));
    let lost: Vec<usize> = (0..expected.len()).filter(|&at| twin(&expected[at], actual).is_none()).collect();
    let extra: Vec<usize> = (0..actual.len()).filter(|&at| twin(&actual[at], expected).is_none()).collect();
    for (at, entry) in expected.iter().enumerate() {
        if let Some(other) = twin(entry, actual) {
            differ(&format!("{path}/{at}"), Some(entry), Some(&actual[other]), found);
        }
    }
    // Structures without a name, such as statements, are paired in order.
    let pairs = lost
        .iter()
        .zip(&extra)
        .take_while(|(a, b)| expected[**a].is_object() && actual[**b].is_object())
        .count();
    for (a, b) in lost.iter().zip(&extra).take(pairs) {
        differ(&format!("{path}/{a}"), Some(&expected[*a]), Some(&actual[*b]), found);
    }
    for at in &lost[pairs..] {
        differ(&format!("{path}/{at}"), Some(&expected[*at]), None, found);
    }
    for at in &extra[pairs..] {
        differ(&format!("{path}/{at}"), None, Some(&actual[*at]), found);
    }
}

pub(crate) fn describe_detection(state: &mut State, call: &Call) -> Answer {
    let id = call.params.required("StackDriftDetectionId")?;
    let detection = At::of(call).stacks(state).detections.get(id);
    let detection = detection.ok_or_else(|| {
        Refusal::validation(format!("Drift detection status for detection id {id} does not exist"))
    })?;
    let mut shown = json!({"StackId": detection.stack, "StackDriftDetectionId": detection.id,
                           "Timestamp": iso(detection.started)});
    match (&detection.failure, detection.is_done) {
        (_, false) => shown["DetectionStatus"] = json!("DETECTION_IN_PROGRESS"),
        (Some(reason), true) => {
            shown["DetectionStatus"] = json!("DETECTION_FAILED");
            shown["DetectionStatusReason"] = json!(reason);
            shown["StackDriftStatus"] = json!("UNKNOWN");
        }
        (None, true) => {
            shown["DetectionStatus"] = json!("DETECTION_COMPLETE");
            shown["StackDriftStatus"] = json!(detection.status);
            shown["DriftedStackResourceCount"] = json!(detection.drifted);
        }
    }
    Ok(shown)
}

pub(crate) fn describe_resources(state: &mut State, call: &Call) -> Answer {
    let name = call.params.required("StackName")?;
    let wanted = call.params.entries("StackResourceDriftStatusFilters");
    let stack = At::of(call).stacks(state).find(name).ok_or_else(|| missing(name))?;
    let shown = stack.resources.values().filter_map(|resource| {
        let drift = resource.drift.as_ref()?;
        let is_wanted = wanted.is_empty() || wanted.contains(&json!(drift.status));
        is_wanted.then(|| shown_drift(stack, resource, drift))
    });
    paged(call, "StackResourceDrifts", shown.collect(), 100)
}

fn shown_drift(stack: &Stack, resource: &Resource, drift: &ResourceDrift) -> Value {
    let mut shown = json!({
        "StackId": stack.id, "LogicalResourceId": resource.logical, "PhysicalResourceId": resource.physical,
        "ResourceType": resource.kind, "StackResourceDriftStatus": drift.status, "Timestamp": iso(drift.at),
        "PropertyDifferences": drift.differences,
    });
    if drift.status != "NOT_CHECKED" {
        shown["ExpectedProperties"] = json!(drift.expected.to_string());
        shown["ActualProperties"] =
            if drift.actual.is_null() { Value::Null } else { json!(drift.actual.to_string()) };
    }
    shown
}
