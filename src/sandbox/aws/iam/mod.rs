//! IAM of one account: roles, policies, the password policy, the alias.
//!
//! *Guarantees*: nothing here is visible from another account, except that aliases are unique among all.

pub(crate) mod policies;
pub(crate) mod roles;
pub(crate) mod settings;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::Call;
use super::permissions;
use super::state::State;
use super::wire::{Answer, Refusal, page};

pub(crate) use policies::ManagedPolicy;
pub(crate) use roles::Role;

#[derive(Clone, Debug, Default)]
pub(crate) struct Iam {
    pub(crate) password_policy: Option<Value>,
    pub(crate) aliases: Vec<String>,
    pub(crate) roles: BTreeMap<String, Role>,
    /// By ARN.
    pub(crate) policies: BTreeMap<String, ManagedPolicy>,
    /// The policies attached to each user.
    pub(crate) users: BTreeMap<String, Vec<String>>,
}

impl Iam {
    /// The managed policy of this ARN, AWS's own or the account's.
    pub(crate) fn document(&self, arn: &str) -> Option<Value> {
        permissions::managed(arn).or_else(|| self.policies.get(arn).map(|policy| policy.document.clone()))
    }
}

pub(crate) fn handle(state: &mut State, call: &Call) -> Answer {
    match call.operation.as_str() {
        "GetAccountPasswordPolicy" => settings::get_password_policy(state, call),
        "UpdateAccountPasswordPolicy" => settings::update_password_policy(state, call),
        "DeleteAccountPasswordPolicy" => settings::delete_password_policy(state, call),
        "ListAccountAliases" => settings::list_aliases(state, call),
        "CreateAccountAlias" => settings::create_alias(state, call),
        "DeleteAccountAlias" => settings::delete_alias(state, call),
        "CreateRole" => roles::create(state, call),
        "GetRole" => roles::get(state, call),
        "ListRoles" => roles::list(state, call),
        "UpdateRole" => roles::update(state, call),
        "UpdateAssumeRolePolicy" => roles::update_trust(state, call),
        "DeleteRole" => roles::delete(state, call),
        "TagRole" => roles::tag(state, call),
        "UntagRole" => roles::untag(state, call),
        "ListRoleTags" => roles::list_tags(state, call),
        "AttachRolePolicy" => policies::attach(state, call),
        "DetachRolePolicy" => policies::detach(state, call),
        "ListAttachedRolePolicies" => policies::list_attached(state, call),
        "PutRolePolicy" => policies::put_inline(state, call),
        "GetRolePolicy" => policies::get_inline(state, call),
        "DeleteRolePolicy" => policies::delete_inline(state, call),
        "ListRolePolicies" => policies::list_inline(state, call),
        "PutRolePermissionsBoundary" => roles::put_boundary(state, call),
        "DeleteRolePermissionsBoundary" => roles::delete_boundary(state, call),
        "CreatePolicyVersion" => policies::create_version(state, call),
        "CreatePolicy" => policies::create(state, call),
        "GetPolicy" => policies::get(state, call),
        "GetPolicyVersion" => policies::get_version(state, call),
        "ListPolicies" => policies::list(state, call),
        "DeletePolicy" => policies::delete(state, call),
        _ => Err(call.unknown_operation()),
    }
}

/// IAM pages with `Marker` and says whether there is more.
pub(crate) fn paged(call: &Call, name: &str, all: Vec<Value>) -> Answer {
    use super::wire::Params as _;
    let size = call.params.number("MaxItems").and_then(|size| usize::try_from(size).ok()).unwrap_or(100);
    let (entries, marker) = page(all, call.params.text("Marker"), size)?;
    Ok(json!({name: entries, "IsTruncated": marker.is_some(), "Marker": marker}))
}

pub(crate) fn no_such_entity(message: impl Into<String>) -> Refusal {
    Refusal::new(404, "NoSuchEntity", message)
}

pub(crate) fn already_exists(message: impl Into<String>) -> Refusal {
    Refusal::new(409, "EntityAlreadyExists", message)
}

/// A policy document as sent, parsed.
pub(crate) fn document(text: &str) -> Result<Value, Refusal> {
    let malformed = || Refusal::bad("MalformedPolicyDocument", "This policy contains invalid Json");
    let document: Value = serde_json::from_str(text).map_err(|_| malformed())?;
    if document.get("Statement").is_none() {
        return Err(Refusal::bad("MalformedPolicyDocument", "Missing required field Statement"));
    }
    Ok(document)
}

/// Documents come back percent-encoded.
pub(crate) fn encoded(document: &Value) -> String {
    let form: String = form_urlencoded::byte_serialize(document.to_string().as_bytes()).collect();
    form.replace('+', "%20")
}
