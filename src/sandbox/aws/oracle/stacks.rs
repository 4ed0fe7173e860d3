//! Stacks and their resources from inside.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::cloudformation::At;
use super::super::cloudformation::stack::Stack;
use super::super::{SimulatedAws, sns};

/// A stack as it truly is.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownStack {
    /// Its ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub region: String,
    /// Such as `CREATE_COMPLETE`.
    pub status: String,
    /// The template as sent.
    pub template: String,
    /// Its parameters, secret ones too.
    pub parameters: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
    /// Logical id → (type, physical id).
    pub resources: BTreeMap<String, (String, String)>,
}

impl SimulatedAws {
    /// Somebody clicks on every link that AWS has sent to this mailbox so far.
    pub fn confirm_subscriptions(&self, address: &str) {
        self.with(|state| {
            let topics = sns::topics_that_asked(state, address);
            state.confirmed.extend(topics.into_iter().map(|topic| (topic, address.to_owned())));
        });
    }

    /// How long operations on stacks take from now on.
    pub fn set_stack_operation(&self, takes: std::time::Duration) {
        self.with(|state| state.config.stack_operation = takes);
    }

    /// The account's stacks in all regions, deleted ones too.
    pub fn stacks(&self, account: &str) -> Vec<KnownStack> {
        self.with(|state| {
            let regions = &state.member(account).stacks;
            regions
                .iter()
                .flat_map(|(region, stacks)| stacks.all.values().map(|stack| known(region, stack)))
                .collect()
        })
    }

    /// The account's stack of this name in this region, unless it is deleted.
    pub fn stack(&self, account: &str, region: &str, name: &str) -> Option<KnownStack> {
        self.with(|state| at(account, region).stacks(state).find(name).map(|stack| known(region, stack)))
    }

    /// All properties a resource has now, for kinds other than roles and managed policies.
    pub fn resource(&self, account: &str, region: &str, kind: &str, physical: &str) -> Option<Value> {
        let key = (kind.to_owned(), physical.to_owned());
        self.with(|state| at(account, region).stacks(state).bags.get(&key).cloned())
    }

    /// Changes a resource out of band, for kinds other than roles and managed policies: null removes a property, and
    /// `None` the resource.
    pub fn tamper(
        &self,
        account: &str,
        region: &str,
        kind: &str,
        physical: &str,
        change: Option<(&str, Value)>,
    ) {
        let key = (kind.to_owned(), physical.to_owned());
        self.with(|state| {
            let bags = &mut at(account, region).stacks(state).bags;
            match change {
                None => _ = bags.remove(&key),
                Some((name, value)) => {
                    if let Some(fields) = bags.get_mut(&key).and_then(Value::as_object_mut) {
                        fields.insert(name.to_owned(), value);
                        fields.retain(|_, value| !value.is_null());
                    }
                }
            }
        });
    }

    /// The next creation or update of the resource with this logical id, or of any resource of the stack with this
    /// name, fails for this reason.
    pub fn fail_resource(&self, account: &str, region: &str, name: &str, reason: &str) {
        let failure = (name.to_owned(), reason.to_owned());
        self.with(|state| at(account, region).stacks(state).failures.push(failure));
    }

    /// The next rollback of the stack fails: `ROLLBACK_FAILED` or `UPDATE_ROLLBACK_FAILED`.
    pub fn fail_rollback(&self, account: &str, region: &str, stack: &str) {
        self.fail_resource(account, region, &format!("rollback of {stack}"), "the rollback failed");
    }

    /// The next drift detection of the stack ends as `DETECTION_FAILED` for this reason.
    pub fn fail_drift_detection(&self, account: &str, region: &str, stack: &str, reason: &str) {
        self.fail_resource(account, region, &format!("drift detection of {stack}"), reason);
    }
}

fn at(account: &str, region: &str) -> At {
    At { account: account.to_owned(), region: region.to_owned() }
}

fn known(region: &str, stack: &Stack) -> KnownStack {
    let resources = stack.resources.iter();
    KnownStack {
        id: stack.id.clone(),
        name: stack.name.clone(),
        region: region.to_owned(),
        status: stack.status.clone(),
        template: stack.blueprint.text.clone(),
        parameters: stack.blueprint.parameters.clone(),
        tags: stack.blueprint.tags.clone(),
        outputs: stack.outputs.iter().map(|output| (output.key.clone(), output.value.clone())).collect(),
        resources: resources
            .map(|(logical, resource)| (logical.clone(), (resource.kind.clone(), resource.physical.clone())))
            .collect(),
    }
}
