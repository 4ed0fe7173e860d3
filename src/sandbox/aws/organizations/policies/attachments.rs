//! What policies are attached to: the root, OUs, accounts.

use serde_json::{Value, json};

use super::super::super::call::Call;
use super::super::super::state::State;
use super::super::super::wire::{Answer, Refusal};
use super::super::{Organization, invalid, paged, required};
use super::{Policy, RESOURCE_CONTROL, SERVICE_CONTROL, constraint, find, types};

/// Policies of one type that one target may have, AWS's own too.
fn most(kind: &str) -> usize {
    match kind {
        SERVICE_CONTROL | RESOURCE_CONTROL | "AISERVICES_OPT_OUT_POLICY" => 5,
        _ => 10,
    }
}

impl Organization {
    pub(crate) fn target_arn(&self, id: &str) -> Option<String> {
        let kind = self.target_kind(id)?;
        Some(self.arn(kind.1, id))
    }

    /// The `TargetType` of the API, and the word in ARNs.
    fn target_kind(&self, id: &str) -> Option<(&'static str, &'static str)> {
        if id == self.root {
            return Some(("ROOT", "root"));
        }
        let ou = self.ous.contains_key(id).then_some(("ORGANIZATIONAL_UNIT", "ou"));
        ou.or_else(|| self.accounts.contains_key(id).then_some(("ACCOUNT", "account")))
    }

    fn shown_target(&self, id: &str) -> Option<Value> {
        let (kind, word) = self.target_kind(id)?;
        let ou = self.ous.get(id).map(|ou| ou.name.as_str());
        let name = ou.or_else(|| self.accounts.get(id).map(|account| account.name.as_str()));
        Some(json!({"TargetId": id, "Arn": self.arn(word, id), "Name": name.unwrap_or("Root"), "Type": kind}))
    }
}

fn target<'a>(state: &State, call: &'a Call) -> Result<&'a str, Refusal> {
    let id = required(call, "TargetId")?;
    if state.organization.target_kind(id).is_some() {
        return Ok(id);
    }
    Err(Refusal::bad("TargetNotFoundException", "You specified a target that doesn't exist."))
}

pub(crate) fn attach(state: &mut State, call: &Call) -> Answer {
    let policy = find(state, call)?.clone();
    let target = target(state, call)?;
    let policies = &mut state.organization.policies;
    if !policies.is_enabled(&policy.kind) {
        let message = "The specified policy type isn't currently enabled in this root.";
        return Err(Refusal::bad("PolicyTypeNotEnabledException", message));
    }
    let pair = (policy.id.clone(), target.to_owned());
    if policies.attached.contains(&pair) {
        let message = "The selected policy is already attached to the specified target.";
        return Err(Refusal::bad("DuplicatePolicyAttachmentException", message));
    }
    if policies.on(target, &policy.kind).count() >= most(&policy.kind) {
        let message = "You have attached the maximum number of policies of that type to the target.";
        return Err(constraint("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", message));
    }
    policies.attached.insert(pair);
    Ok(json!({}))
}

pub(crate) fn detach(state: &mut State, call: &Call) -> Answer {
    let policy = find(state, call)?.clone();
    let target = target(state, call)?;
    let policies = &mut state.organization.policies;
    let pair = (policy.id.clone(), target.to_owned());
    if !policies.attached.contains(&pair) {
        let message = "The policy isn't attached to the specified target in the specified root.";
        return Err(Refusal::bad("PolicyNotAttachedException", message));
    }
    if policy.kind == RESOURCE_CONTROL && policy.is_managed_by_aws {
        let message = "You can't detach this policy from the target.";
        return Err(invalid("NON_DETACHABLE_POLICY", message));
    }
    if policy.kind == SERVICE_CONTROL && policies.on(target, SERVICE_CONTROL).count() == 1 {
        let message = "You can't remove the last policy of the specified type from the target.";
        return Err(constraint("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", message));
    }
    policies.attached.remove(&pair);
    Ok(json!({}))
}

pub(crate) fn list_for_target(state: &mut State, call: &Call) -> Answer {
    let target = target(state, call)?;
    let kind = types::asked(call, "Filter")?;
    let shown = state.organization.policies.on(target, kind).map(Policy::summary).collect();
    paged(state, call, "Policies", shown)
}

pub(crate) fn list_targets(state: &mut State, call: &Call) -> Answer {
    let id = &find(state, call)?.id;
    let organization = &state.organization;
    let attached = organization.policies.attached.iter().filter(|(policy, _)| policy == id);
    let shown = attached.filter_map(|(_, target)| organization.shown_target(target)).collect();
    paged(state, call, "Targets", shown)
}
