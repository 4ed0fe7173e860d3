//! Policies made, changed and deleted.

use serde_json::{Value, json};

use super::super::super::call::Call;
use super::super::super::state::State;
use super::super::super::wire::{Answer, Params as _, Refusal};
use super::super::{invalid, required, tags};
use super::{Policy, constraint, content, find, immutable, types};

/// Policies of one type that an organization may have.
fn most(kind: &str) -> usize {
    if kind == super::SERVICE_CONTROL { 10_000 } else { 1_000 }
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let kind = types::asked(call, "Type")?.to_owned();
    let text = required(call, "Content")?.to_owned();
    // The API wants a description, which may be empty.
    let description = call.params.get("Description").and_then(Value::as_str);
    let description = description.ok_or_else(|| missing("Description"))?.to_owned();
    let name = free_name(state, call, &kind, None)?;
    content::check(&kind, &text)?;
    if state.organization.policies.by_id.values().filter(|policy| policy.kind == kind).count() >= most(&kind)
    {
        let message = "You have exceeded the number of policies that you can have in an organization.";
        return Err(constraint("POLICY_NUMBER_LIMIT_EXCEEDED", message));
    }
    let tags = tags::read(call.params.entries("Tags"))?;
    let id = format!("p-{}", &state.fresh()[..10]);
    let arn = state.organization.arn("policy", &format!("{}/{id}", kind.to_lowercase()));
    let policy =
        Policy { id: id.clone(), arn, name, description, kind, content: text, is_managed_by_aws: false };
    let shown = policy.shown();
    state.organization.tags.insert(id.clone(), tags);
    state.organization.policies.by_id.insert(id, policy);
    Ok(shown)
}

fn missing(name: &str) -> Refusal {
    invalid("INPUT_REQUIRED", &format!("You must provide a value for {name}."))
}

/// The name that is asked for, unless another policy of the type has it.
fn free_name(state: &State, call: &Call, kind: &str, but: Option<&str>) -> Result<String, Refusal> {
    let name = required(call, "Name")?;
    if !(1..=128).contains(&name.chars().count()) {
        return Err(invalid("MAX_LENGTH_EXCEEDED", "You specified a name that is too long."));
    }
    let mut others =
        state.organization.policies.by_id.values().filter(|policy| Some(policy.id.as_str()) != but);
    if others.any(|policy| policy.kind == kind && policy.name == name) {
        return Err(Refusal::bad("DuplicatePolicyException", "A policy with the same name already exists."));
    }
    Ok(name.to_owned())
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answer {
    let mut policy = ours(state, call)?;
    let (text, description) = (call.params.text("Content"), call.params.get("Description"));
    let has_name = call.params.text("Name").is_some();
    if text.is_none() && description.is_none() && !has_name {
        return Err(missing("Name, Description or Content"));
    }
    if has_name {
        policy.name = free_name(state, call, &policy.kind, Some(&policy.id))?;
    }
    if let Some(text) = text {
        content::check(&policy.kind, text)?;
        text.clone_into(&mut policy.content);
    }
    if let Some(description) = description.and_then(Value::as_str) {
        description.clone_into(&mut policy.description);
    }
    let shown = policy.shown();
    state.organization.policies.by_id.insert(policy.id.clone(), policy);
    Ok(shown)
}

fn ours(state: &State, call: &Call) -> Result<Policy, Refusal> {
    let policy = find(state, call)?;
    if policy.is_managed_by_aws { Err(immutable()) } else { Ok(policy.clone()) }
}

pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let policy = ours(state, call)?;
    let policies = &mut state.organization.policies;
    if policies.attached.iter().any(|(attached, _)| *attached == policy.id) {
        let message = "The policy is attached to one or more entities. You must detach it from all roots, OUs, and \
                       accounts before performing this operation.";
        return Err(Refusal::bad("PolicyInUseException", message));
    }
    policies.by_id.remove(&policy.id);
    state.organization.tags.remove(&policy.id);
    state.organization.policies.former.push(policy);
    Ok(json!({}))
}
