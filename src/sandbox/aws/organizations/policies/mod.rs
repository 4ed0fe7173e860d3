//! Policies of the organization: their types, the policies, what they are attached to.
//!
//! *Guarantees*: a type is enabled a while after it was asked for; only then may its policies be attached; with service
//! and resource control policies AWS's own policy that allows everything hangs on everything; no target loses its
//! last service control policy. As in an organization made by the API, no type is enabled at first.
//! *Assumes* AWS's default quotas.

pub(crate) mod attachments;
mod content;
pub(crate) mod types;
pub(crate) mod writes;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::state::State;
use super::super::wire::{Answer, Refusal};
use super::{Organization, invalid, paged, required};

pub(crate) const SERVICE_CONTROL: &str = "SERVICE_CONTROL_POLICY";
pub(crate) const RESOURCE_CONTROL: &str = "RESOURCE_CONTROL_POLICY";

/// All that an organization knows of policies.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    pub(crate) types: BTreeMap<String, types::Status>,
    pub(crate) by_id: BTreeMap<String, Policy>,
    /// Those that were deleted.
    pub(crate) former: Vec<Policy>,
    /// (policy, target).
    pub(crate) attached: BTreeSet<(String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// Such as `TAG_POLICY`.
    pub(crate) kind: String,
    pub(crate) content: String,
    pub(crate) is_managed_by_aws: bool,
}

impl Policies {
    /// What AWS has in every organization.
    pub(crate) fn new() -> Self {
        let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let to_anyone = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"});
        let full = [
            managed("FullAWSAccess", SERVICE_CONTROL, &everything),
            managed("RCPFullAWSAccess", RESOURCE_CONTROL, &to_anyone),
        ];
        Self {
            types: BTreeMap::new(),
            by_id: full.map(|policy| (policy.id.clone(), policy)).into(),
            former: Vec::new(),
            attached: BTreeSet::new(),
        }
    }

    pub(crate) fn is_enabled(&self, kind: &str) -> bool {
        self.types.get(kind) == Some(&types::Status::Enabled)
    }

    /// AWS's own policies that everything has while their types are enabled.
    fn full_access(&self) -> Vec<String> {
        let own = self.by_id.values().filter(|policy| policy.is_managed_by_aws);
        own.filter(|policy| self.is_enabled(&policy.kind)).map(|policy| policy.id.clone()).collect()
    }

    /// What a new root, OU or account gets.
    pub(crate) fn welcome(&mut self, target: &str) {
        let ids = self.full_access().into_iter();
        self.attached.extend(ids.map(|id| (id, target.to_owned())));
    }

    pub(crate) fn forget(&mut self, target: &str) {
        self.attached.retain(|(_, attached)| attached != target);
    }

    pub(crate) fn on<'a>(&'a self, target: &'a str, kind: &'a str) -> impl Iterator<Item = &'a Policy> {
        let ids = self.attached.iter().filter(move |(_, attached)| attached == target).map(|(id, _)| id);
        ids.filter_map(|id| self.by_id.get(id)).filter(move |policy| policy.kind == kind)
    }
}

fn managed(name: &str, kind: &str, statement: &Value) -> Policy {
    Policy {
        id: format!("p-{name}"),
        arn: format!("arn:aws:organizations::aws:policy/{}/p-{name}", kind.to_lowercase()),
        name: name.to_owned(),
        description: "Allows access to every operation".to_owned(),
        kind: kind.to_owned(),
        content: json!({"Version": "2012-10-17", "Statement": [statement]}).to_string(),
        is_managed_by_aws: true,
    }
}

impl Policy {
    fn summary(&self) -> Value {
        json!({"Id": self.id, "Arn": self.arn, "Name": self.name, "Description": self.description,
               "Type": self.kind, "AwsManaged": self.is_managed_by_aws})
    }

    fn shown(&self) -> Value {
        json!({"Policy": {"PolicySummary": self.summary(), "Content": self.content}})
    }
}

impl Organization {
    /// The places whose policies an account is under: itself, its OUs, the root.
    pub(crate) fn lineage(&self, account: &str) -> Vec<String> {
        let mut place = self.accounts.get(account).map(|account| account.parent.clone());
        let mut lineage = vec![account.to_owned()];
        while let Some(id) = place {
            place = self.ous.get(&id).map(|ou| ou.parent.clone());
            lineage.push(id);
        }
        lineage
    }
}

pub(crate) fn find<'a>(state: &'a State, call: &Call) -> Result<&'a Policy, Refusal> {
    let id = required(call, "PolicyId")?;
    let found = state.organization.policies.by_id.get(id);
    found.ok_or_else(|| Refusal::bad("PolicyNotFoundException", "You specified a policy that doesn't exist."))
}

pub(crate) fn describe(state: &mut State, call: &Call) -> Answer {
    Ok(find(state, call)?.shown())
}

pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let kind = types::asked(call, "Filter")?;
    let policies = state.organization.policies.by_id.values();
    let shown = policies.filter(|policy| policy.kind == kind).map(Policy::summary).collect();
    paged(state, call, "Policies", shown)
}

fn constraint(reason: &str, message: &str) -> Refusal {
    Refusal::bad("ConstraintViolationException", message).with_reason(reason)
}

fn immutable() -> Refusal {
    invalid("IMMUTABLE_POLICY", "You specified a policy that is managed by AWS and can't be modified.")
}
