//! The verdict: three values decide.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Value;
use super::observed::Sight;

/// What is the matter with one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// AWS is as git says.
    InSync,
    /// Git moved, AWS did not: apply.
    Pending,
    /// AWS moved, git did not.
    Drift,
    /// Both moved, apart from each other.
    Conflict,
    /// Never kept before, and nothing there: make it.
    New,
    /// Never kept before, and something else is there: a person decides.
    FirstSight,
    /// Kept before, no longer declared: reported and kept.
    Undeclared,
    /// Not declared, and gone: nothing left to say.
    Gone,
    /// Somebody's operation is under way.
    Moving,
    /// Could not be read: nothing is changed.
    Gap,
}

/// Decides from the three values. Pure and total.
///
/// Only what git declares is compared: where the desired value is a map of settings, other keys of the observed
/// value are nobody's business here. Parts named in `unchecked` count as equal.
pub fn verdict(desired: Option<&Value>, base: Option<&Value>, observed: &Sight) -> Verdict {
    let (value, unchecked) = match observed {
        Sight::Gap(_) => return Verdict::Gap,
        Sight::Moving(_) => return Verdict::Moving,
        Sight::Absent => (None, &BTreeMap::new()),
        Sight::Present { value, unchecked } => (Some(value), unchecked),
    };
    let Some(desired) = desired else {
        return if value.is_some() { Verdict::Undeclared } else { Verdict::Gone };
    };
    let agree = |left: Option<&Value>, right: Option<&Value>| match (left, right) {
        (Some(left), Some(right)) => agrees(desired, left, right, unchecked),
        (None, None) => true,
        _ => false,
    };
    if agree(value, Some(desired)) {
        return Verdict::InSync;
    }
    match (base, value) {
        (None, None) => Verdict::New,
        (None, Some(_)) => Verdict::FirstSight,
        (Some(base), value) if agree(value, Some(base)) => Verdict::Pending,
        (Some(base), _) if agree(Some(desired), Some(base)) => Verdict::Drift,
        (Some(_), _) => Verdict::Conflict,
    }
}

/// True when `left` and `right` are equal in everything `desired` speaks of, apart from what is unchecked.
fn agrees(desired: &Value, left: &Value, right: &Value, unchecked: &BTreeMap<String, String>) -> bool {
    let keep = |value: &Value| {
        let mut value = project(desired, value);
        for pointer in unchecked.keys() {
            remove(&mut value, pointer);
        }
        value
    };
    keep(left) == keep(right)
}

/// The top-level keys of `value` that `desired` declares; the whole value where it is not a map.
fn project(desired: &Value, value: &Value) -> Value {
    match (desired, value) {
        (Value::Object(desired), Value::Object(value)) if !desired.is_empty() => value
            .iter()
            .filter(|(key, _)| desired.contains_key(*key))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect(),
        _ => value.clone(),
    }
}

fn remove(value: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(map)) = value.pointer_mut(parent) {
        map.remove(key);
    }
}

/// The value to keep as base once git and AWS agree: all that was seen, with what git declares laid over it.
pub fn overlay(desired: &Value, observed: Option<&Value>) -> Value {
    match (desired, observed) {
        (Value::Object(desired), Some(Value::Object(observed))) => {
            let mut merged = observed.clone();
            merged.extend(desired.clone());
            Value::Object(merged)
        }
        _ => desired.clone(),
    }
}
