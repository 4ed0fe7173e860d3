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
const KEYS: [&str; 15] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:tagkeys",
    "cloudformation:changesetname",
    "cloudformation:rolearn",
    "iam:passedtoservice",
    "iam:permissionsboundary",
    "iam:policyarn",
    "organizations:policytype",
    "sts:externalid",
    "sts:rolesessionname",
];
/// IAM has a second name for the tags of its own resources.
const TAGS: [&str; 2] = ["aws:resourcetag/", "iam:resourcetag/"];

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
    if !(KEYS.contains(&key.as_str()) || TAGS.iter().any(|tags| key.starts_with(tags))) {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operators_compare_as_iam_does_and_what_is_not_known_is_neither_met_nor_unmet() {
        let facts: Facts = [
            ("aws:principalorgid", vec!["o-1"]),
            ("aws:tagkeys", vec!["env", "owner"]),
            ("aws:resourcetag/landfast:owner", vec!["o-1"]),
        ]
        .map(|(key, values)| (key.to_owned(), values.into_iter().map(str::to_owned).collect()))
        .into();
        for (condition, met) in [
            (json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}), Some(true)),
            (json!({"StringEquals": {"AWS:PRINCIPALORGID": ["o-0", "o-1"]}}), Some(true)),
            (json!({"StringEquals": {"aws:PrincipalOrgID": "o-*"}}), Some(false)),
            (json!({"StringLike": {"aws:PrincipalOrgID": "o-*"}}), Some(true)),
            (json!({"StringNotEquals": {"aws:PrincipalOrgID": ["o-0", "o-1"]}}), Some(false)),
            (json!({"StringEquals": {"aws:ResourceTag/landfast:owner": "o-1"}}), Some(true)),
            (json!({"StringEquals": {"aws:PrincipalOrgID": "o-1", "sts:ExternalId": "x"}}), Some(false)),
            // A key that the call does not have.
            (json!({"StringEquals": {"iam:PermissionsBoundary": "b"}}), Some(false)),
            (json!({"StringNotEquals": {"iam:PermissionsBoundary": "b"}}), Some(true)),
            (json!({"StringEqualsIfExists": {"iam:PermissionsBoundary": "b"}}), Some(true)),
            (json!({"Null": {"iam:PermissionsBoundary": "true"}}), Some(true)),
            (json!({"Null": {"aws:PrincipalOrgID": "true"}}), Some(false)),
            // All of several values.
            (json!({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["landfast:hold"]}}), Some(true)),
            (json!({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["owner"]}}), Some(false)),
            (json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["owner"]}}), Some(false)),
            (json!({"DateGreaterThan": {"aws:PrincipalOrgID": "o-1"}}), None),
            (json!({"StringEquals": {"aws:MultiFactorAuthPresent": "true"}}), None),
        ] {
            assert_eq!(are_met(Some(&condition), &facts), met, "{condition}");
        }
        assert_eq!(are_met(None, &facts), Some(true));
    }
}
