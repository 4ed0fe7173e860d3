//! Conditions of policies: operators over what is known of a call.
//!
//! *Guarantees*: a condition whose operator or key this simulation does not know is neither met nor unmet, so that
//! whoever asks can err towards refusing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::permissions::{is_like, one_or_many};

/// What is known of a call, by condition key in lower case. A key that has no value here is absent from the call.
pub(crate) type Facts = BTreeMap<String, Vec<String>>;

/// Every key that calls can have; the tags come on top.
const KEYS: [&str; 13] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:tagkeys",
    "cloudformation:changesetname",
    "cloudformation:rolearn",
    "iam:passedtoservice",
    "iam:permissionsboundary",
    "iam:policyarn",
    "sts:externalid",
    "sts:rolesessionname",
];
const TAG: &str = "aws:resourcetag/";

/// Whether all of `condition` is met; `None` if that cannot be told here.
pub(crate) fn are_met(condition: Option<&Value>, facts: &Facts) -> Option<bool> {
    let Some(condition) = condition else { return Some(true) };
    let mut all = true;
    for (operator, keys) in condition.as_object()? {
        for (key, wanted) in keys.as_object()? {
            all &= is_met(operator, key, &wanted_texts(wanted), facts)?;
        }
    }
    Some(all)
}

fn wanted_texts(wanted: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    one_or_many(Some(wanted)).iter().map(text).collect()
}

fn is_met(operator: &str, key: &str, wanted: &[String], facts: &Facts) -> Option<bool> {
    let key = key.to_lowercase();
    if !(KEYS.contains(&key.as_str()) || key.starts_with(TAG)) {
        return None;
    }
    let found = facts.get(&key).filter(|found| !found.is_empty());
    if operator == "Null" {
        return Some(wanted.iter().any(|wanted| wanted == if found.is_none() { "true" } else { "false" }));
    }
    let (for_all, operator) = match operator.strip_prefix("ForAllValues:") {
        Some(operator) => (true, operator),
        None => (false, operator),
    };
    let (lenient, operator) = match operator.strip_suffix("IfExists") {
        Some(operator) => (true, operator),
        None => (false, operator),
    };
    let (negated, one) = comparison(operator)?;
    let Some(found) = found else { return Some(negated || lenient || for_all) };
    let fits = |found: &String| wanted.iter().any(|wanted| one(wanted, found)) != negated;
    // Only sets of values can say how many of them have to fit.
    if for_all { Some(found.iter().all(fits)) } else { Some(found.len() == 1 && fits(&found[0])) }
}

type Comparison = fn(&str, &str) -> bool;

/// Whether the operator is negated, and how it compares.
fn comparison(operator: &str) -> Option<(bool, Comparison)> {
    let equal: Comparison = |wanted, found| wanted == found;
    Some(match operator {
        "StringEquals" => (false, equal),
        "StringNotEquals" => (true, equal),
        "StringLike" | "ArnLike" | "ArnEquals" => (false, is_like),
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => (true, is_like),
        _ => return None,
    })
}
