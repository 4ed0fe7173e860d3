//! Tags of accounts, organizational units, policies and the root.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::iam::tags::tag_list;
use super::super::state::State;
use super::super::wire::{Answer, Params as _, Refusal};
use super::{invalid, paged, required};

/// Checks tags as sent: keys up to 128 and values up to 256 characters, none twice, none of AWS's own.
pub(crate) fn read(entries: &[Value]) -> Result<BTreeMap<String, String>, Refusal> {
    let mut tags = BTreeMap::new();
    for entry in entries {
        let (key, value) = (entry.text("Key").unwrap_or_default(), entry.text("Value").unwrap_or_default());
        if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
            return Err(invalid("MAX_LENGTH_EXCEEDED", "You specified a tag that is too long."));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid(
                "INVALID_SYSTEM_TAGS_PARAMETER",
                "You specified a tag key that is reserved for AWS.",
            ));
        }
        if !is_plain(key) || !is_plain(value) {
            return Err(invalid(
                "INVALID_PATTERN",
                "You specified a tag with characters that are not allowed.",
            ));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(invalid("DUPLICATE_TAG_KEY", "You specified a tag key twice."));
        }
    }
    if tags.len() > 50 {
        return Err(Refusal::bad("ConstraintViolationException", "You have exceeded the number of tags.")
            .with_reason("MAX_TAG_LIMIT_EXCEEDED"));
    }
    Ok(tags)
}

fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c))
}

fn target(state: &State, call: &Call) -> Result<String, Refusal> {
    let id = required(call, "ResourceId")?;
    let organization = &state.organization;
    let exists = id == organization.root
        || organization.accounts.contains_key(id)
        || organization.ous.contains_key(id)
        || organization.policies.by_id.get(id).is_some_and(|policy| !policy.is_managed_by_aws);
    if exists {
        Ok(id.to_owned())
    } else {
        Err(Refusal::bad("TargetNotFoundException", "You specified a target that doesn't exist."))
    }
}

pub(crate) fn tag(state: &mut State, call: &Call) -> Answer {
    let id = target(state, call)?;
    let tags = read(call.params.entries("Tags"))?;
    state.organization.tags.entry(id).or_default().extend(tags);
    Ok(json!({}))
}

pub(crate) fn untag(state: &mut State, call: &Call) -> Answer {
    let id = target(state, call)?;
    let tags = state.organization.tags.entry(id).or_default();
    for key in call.params.entries("TagKeys").iter().filter_map(Value::as_str) {
        tags.remove(key);
    }
    Ok(json!({}))
}

pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let id = target(state, call)?;
    let tags = state.organization.tags.get(&id).cloned().unwrap_or_default();
    let Value::Array(entries) = tag_list(&tags) else { return Ok(json!({"Tags": []})) };
    paged(state, call, "Tags", entries)
}
