//! Policies of the organization as they truly are, and hands to stir them with.

use std::collections::{BTreeMap, BTreeSet};

use super::super::SimulatedAws;
use super::super::organizations::policies::{Policy, types};
use super::super::state::State;

/// A policy of the organization as it truly is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPolicy {
    /// `p-…`.
    pub id: String,
    /// Such as `SERVICE_CONTROL_POLICY`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The JSON as it was sent.
    pub content: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// What it is attached to: `/`, OUs by the path of their names, accounts by their ids.
    pub targets: BTreeSet<String>,
    /// Whether it is one of AWS's own.
    pub is_managed_by_aws: bool,
}

impl SimulatedAws {
    /// All policies, AWS's own too.
    pub fn policies(&self) -> Vec<KnownPolicy> {
        self.with(|state| {
            state.organization.policies.by_id.values().map(|policy| known(state, policy)).collect()
        })
    }

    /// Policies that were deleted, without the tags they had.
    pub fn former_policies(&self) -> Vec<KnownPolicy> {
        self.with(|state| {
            state.organization.policies.former.iter().map(|policy| known(state, policy)).collect()
        })
    }

    /// The policy of this name. Names are unique within a type; of several types, the first by id.
    pub fn policy_named(&self, name: &str) -> Option<KnownPolicy> {
        self.policies().into_iter().find(|policy| policy.name == name)
    }

    /// The types the root speaks of, with their statuses.
    pub fn policy_types(&self) -> BTreeMap<String, String> {
        self.with(|state| {
            let types = state.organization.policies.types.iter();
            types.map(|(kind, status)| (kind.clone(), status.word().to_owned())).collect()
        })
    }

    /// Enables a type at once, as if somebody had long ago.
    pub fn enable_policy_type(&self, kind: &str) {
        self.with(|state| types::set_enabled(&mut state.organization, kind));
    }

    /// A policy that was there before anybody looked, attached to the root, OUs or accounts of these ids.
    pub fn add_policy(&self, kind: &str, name: &str, content: &str, targets: &[&str]) -> String {
        self.with(|state| {
            let id = format!("p-{}", &state.fresh()[..10]);
            let policy = Policy {
                arn: state.organization.arn("policy", &format!("{}/{id}", kind.to_lowercase())),
                id: id.clone(),
                name: name.to_owned(),
                description: String::new(),
                kind: kind.to_owned(),
                content: content.to_owned(),
                is_managed_by_aws: false,
            };
            let policies = &mut state.organization.policies;
            policies.by_id.insert(id.clone(), policy);
            policies.attached.extend(targets.iter().map(|&target| (id.clone(), target.to_owned())));
            id
        })
    }
}

fn known(state: &State, policy: &Policy) -> KnownPolicy {
    let organization = &state.organization;
    let attached = organization.policies.attached.iter().filter(|(id, _)| *id == policy.id);
    let place = |id: &String| {
        if organization.accounts.contains_key(id) { id.clone() } else { organization.name_path(id) }
    };
    KnownPolicy {
        id: policy.id.clone(),
        kind: policy.kind.clone(),
        name: policy.name.clone(),
        content: policy.content.clone(),
        tags: organization.tags.get(&policy.id).cloned().unwrap_or_default(),
        targets: attached.map(|(_, target)| place(target)).collect(),
        is_managed_by_aws: policy.is_managed_by_aws,
    }
}
