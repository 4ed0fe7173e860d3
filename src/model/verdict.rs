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
    /// As git says as far as that is known; the rest hangs on an output of another stack.
    Waiting,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 11] = [
        Self::InSync,
        Self::Pending,
        Self::Drift,
        Self::Conflict,
        Self::New,
        Self::FirstSight,
        Self::Undeclared,
        Self::Gone,
        Self::Moving,
        Self::Gap,
        Self::Waiting,
    ];

    /// The closed set of metric labels and JSON words.
    pub fn label(self) -> &'static str {
        match self {
            Self::InSync => "inSync",
            Self::Pending => "pending",
            Self::Drift => "drift",
            Self::Conflict => "conflict",
            Self::New => "new",
            Self::FirstSight => "firstSight",
            Self::Undeclared => "undeclared",
            Self::Gone => "gone",
            Self::Moving => "moving",
            Self::Gap => "gap",
            Self::Waiting => "waiting",
        }
    }
}

/// Decides from the three values. Pure and total.
///
/// Only what git declares is compared: where the desired value is a map, other keys of the observed value are
/// nobody's business here. What cannot be checked by its nature is taken to be as it was last agreed: so a change
/// of it in git is seen, and a change of it in AWS is reported as not checked, never as drift. A null stands for
/// nothing: declared, it must not be there; in the base, it was agreed that it is not.
pub fn verdict(desired: Option<&Value>, base: Option<&Value>, observed: &Sight) -> Verdict {
    let value = match observed {
        Sight::Gap(_) => return Verdict::Gap,
        Sight::Moving(_) => return Verdict::Moving,
        Sight::Absent => None,
        Sight::Present { value, unchecked } => Some(assume(value, unchecked, base.or(desired))),
    };
    let Some(desired) = desired else {
        // Where nothing was agreed on, nothing is left behind.
        let is_left = value.is_some() && !base.is_some_and(Value::is_null);
        return if is_left { Verdict::Undeclared } else { Verdict::Gone };
    };
    let something = |value: Option<&Value>| value.filter(|value| !value.is_null()).cloned();
    let (wanted, kept) = (something(Some(desired)), something(base));
    let agree = |left: Option<&Value>, right: Option<&Value>| match (left, right) {
        (Some(left), Some(right)) => project(desired, left) == project(desired, right),
        (left, right) => left.is_none() && right.is_none(),
    };
    if agree(value.as_ref(), wanted.as_ref()) {
        return Verdict::InSync;
    }
    match (base, &value) {
        (None, None) => Verdict::New,
        (None, Some(_)) => Verdict::FirstSight,
        (Some(_), value) if agree(value.as_ref(), kept.as_ref()) => Verdict::Pending,
        (Some(_), _) if agree(wanted.as_ref(), kept.as_ref()) => Verdict::Drift,
        (Some(_), _) => Verdict::Conflict,
    }
}

/// `value` with every unchecked part taken from what is believed: the base, or else what git says.
pub fn assume(value: &Value, unchecked: &BTreeMap<String, String>, believed: Option<&Value>) -> Value {
    let mut value = value.clone();
    for pointer in unchecked.keys() {
        let Some((parent, key)) = pointer.rsplit_once('/') else { continue };
        let part = believed.and_then(|believed| believed.pointer(pointer)).cloned();
        let key = key.replace("~1", "/").replace("~0", "~");
        if let Some(Value::Object(map)) = value.pointer_mut(parent) {
            match part {
                Some(part) => map.insert(key, part),
                None => map.remove(&key),
            };
        }
    }
    value
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
