//! Organizations: one organization, its tree, its accounts, its policies.
//!
//! *Guarantees*: only the management account may ask; an account is in exactly one place; e-mails are unique.

pub(crate) mod accounts;
pub(crate) mod creation;
pub(crate) mod policies;
pub(crate) mod tags;
pub(crate) mod tree;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Config;
use super::call::Call;
use super::state::{State, digest};
use super::wire::{Answer, Params as _, Refusal, page};
use accounts::{Account, Standing};

#[derive(Clone, Debug)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) management: String,
    pub(crate) management_email: String,
    pub(crate) root: String,
    pub(crate) ous: BTreeMap<String, tree::Ou>,
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) requests: BTreeMap<String, creation::Request>,
    pub(crate) policies: policies::Policies,
    /// Tags of accounts, OUs, policies and the root, by id.
    pub(crate) tags: BTreeMap<String, BTreeMap<String, String>>,
    /// E-mails that accounts outside this organization have.
    pub(crate) taken_emails: BTreeSet<String>,
    /// Reasons for which the next creations fail.
    pub(crate) failures: Vec<String>,
    /// (calls left, accounts left out).
    pub(crate) short_listings: (u32, usize),
}

impl Organization {
    pub(crate) fn new(config: &Config, now: Timestamp) -> Self {
        let root = format!("r-{}", &digest(&config.organization_id)[..4]);
        let management = Account {
            id: config.management_account.clone(),
            name: config.management_name.clone(),
            email: config.management_email.clone(),
            standing: Standing::Active,
            parent: root.clone(),
            is_invited: true,
            joined: now,
        };
        Self {
            id: config.organization_id.clone(),
            management: management.id.clone(),
            management_email: management.email.clone(),
            root,
            ous: BTreeMap::new(),
            accounts: BTreeMap::from([(management.id.clone(), management)]),
            requests: BTreeMap::new(),
            policies: policies::Policies::new(),
            tags: BTreeMap::new(),
            taken_emails: BTreeSet::new(),
            failures: Vec::new(),
            short_listings: (0, 0),
        }
    }

    pub(crate) fn is_active(&self, account: &str) -> bool {
        self.accounts.get(account).is_some_and(|account| account.standing == Standing::Active)
    }

    /// `arn:aws:organizations::<management>:<kind>/<organization>/<id>`.
    pub(crate) fn arn(&self, kind: &str, id: &str) -> String {
        format!("arn:aws:organizations::{}:{kind}/{}/{id}", self.management, self.id)
    }

    fn described(&self) -> Value {
        json!({
            "Id": self.id, "FeatureSet": "ALL", "MasterAccountId": self.management,
            "Arn": format!("arn:aws:organizations::{}:organization/{}", self.management, self.id),
            "MasterAccountArn": self.arn("account", &self.management), "MasterAccountEmail": self.management_email,
            "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
        })
    }
}

pub(crate) fn handle(state: &mut State, call: &Call) -> Answer {
    if call.operation == "DescribeOrganization" {
        return Ok(json!({"Organization": state.organization.described()}));
    }
    if call.account() != state.organization.management {
        return Err(Refusal::bad(
            "AccessDeniedException",
            "You don't have permissions to access this resource.",
        ));
    }
    match call.operation.as_str() {
        "ListRoots" => tree::list_roots(state, call),
        "ListOrganizationalUnitsForParent" => tree::list_ous(state, call),
        "CreateOrganizationalUnit" => tree::create_ou(state, call),
        "DescribeOrganizationalUnit" => tree::describe_ou(state, call),
        "DeleteOrganizationalUnit" => tree::delete_ou(state, call),
        "UpdateOrganizationalUnit" => tree::rename_ou(state, call),
        "ListParents" => tree::list_parents(state, call),
        "ListChildren" => tree::list_children(state, call),
        "ListAccounts" => accounts::list(state, call),
        "ListAccountsForParent" => accounts::list_for_parent(state, call),
        "DescribeAccount" => accounts::describe(state, call),
        "MoveAccount" => accounts::move_to(state, call),
        "CloseAccount" => accounts::close(state, call),
        "CreateAccount" => creation::create(state, call),
        "DescribeCreateAccountStatus" => creation::describe(state, call),
        "ListCreateAccountStatus" => creation::list(state, call),
        "TagResource" => tags::tag(state, call),
        "UntagResource" => tags::untag(state, call),
        "ListTagsForResource" => tags::list(state, call),
        "EnablePolicyType" => policies::types::enable(state, call),
        "DisablePolicyType" => policies::types::disable(state, call),
        "CreatePolicy" => policies::writes::create(state, call),
        "UpdatePolicy" => policies::writes::update(state, call),
        "DeletePolicy" => policies::writes::delete(state, call),
        "DescribePolicy" => policies::describe(state, call),
        "ListPolicies" => policies::list(state, call),
        "ListPoliciesForTarget" => policies::attachments::list_for_target(state, call),
        "ListTargetsForPolicy" => policies::attachments::list_targets(state, call),
        "AttachPolicy" => policies::attachments::attach(state, call),
        "DetachPolicy" => policies::attachments::detach(state, call),
        "ListDelegatedAdministrators" => Ok(json!({"DelegatedAdministrators": []})),
        _ => Err(call.unknown_operation()),
    }
}

/// A page of what was listed, never larger than 20.
pub(crate) fn paged(state: &State, call: &Call, name: &str, all: Vec<Value>) -> Answer {
    let asked = call.params.number("MaxResults").and_then(|size| usize::try_from(size).ok());
    let size = asked.unwrap_or(state.config.page_size).clamp(1, 20);
    let (entries, next) = page(all, call.params.text("NextToken"), size)
        .map_err(|_| invalid("INVALID_NEXT_TOKEN", "You provided an invalid NextToken."))?;
    Ok(json!({name: entries, "NextToken": next}))
}

pub(crate) fn invalid(reason: &str, message: &str) -> Refusal {
    Refusal::bad("InvalidInputException", message).with_reason(reason)
}

pub(crate) fn required<'a>(call: &'a Call, name: &str) -> Result<&'a str, Refusal> {
    call.params
        .text(name)
        .ok_or_else(|| invalid("INPUT_REQUIRED", &format!("You must provide a value for {name}.")))
}
