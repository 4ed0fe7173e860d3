//! `accounts/<slug>/account.yaml`.

use schemars::JsonSchema;

use super::{
    AccountId, AccountName, AdoptPath, Anything, Email, Everywhere, Mode, Named, OnLeave, OrAbsent, OrNull,
    OuPath, PolicyName, RoleName, Settings, Stack, StackName, TagKey, Text, ValueName,
};

/// One account. The name of its folder is its key for life.
#[derive(JsonSchema)]
#[schemars(rename = "accounts/<slug>/account.yaml")]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Recorded by a pull request after the account was created; it is never changed.
    pub id: Option<AccountId>,
    /// The name people see in the console, 1 to 50 characters; no other account has it.
    pub name: AccountName,
    /// Needed where `accountDefaults` has none.
    pub email: Option<Email>,
    /// The OU it is in; another one moves the account.
    pub ou: OuPath,
    /// Tags of the account; `null` does without one of `accountDefaults`.
    pub tags: Option<Named<TagKey, OrNull<Text>>>,
    /// Policies that are attached to the account itself, beside those of its OU.
    pub policies: Option<Vec<PolicyName>>,
    /// Roles of its own, where they are not the organization's.
    pub access: Option<AccountAccess>,
    /// How far Landfast goes when something is no longer as declared.
    pub mode: Option<OrNull<Mode>>,
    /// What becomes of what this layer declared once it no longer does, where an entry does not say otherwise.
    pub on_leave: Option<OnLeave>,
    /// Values that expressions see as `values`; maps in them merge key by key.
    pub values: Option<Named<ValueName, Anything>>,
    /// What an account has once.
    pub settings: Option<Settings<Everywhere>>,
    /// CloudFormation stacks, by name.
    pub stacks: Option<Named<StackName, OrAbsent<Stack<Everywhere>>>>,
    /// What may be overwritten although it was found there.
    pub adopt: Option<Vec<AdoptPath>>,
}

/// Roles of an account, where they are not the organization's.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountAccess {
    /// The role that may write.
    pub role: Option<RoleName>,
    /// The role that may look; without one, `role` under a policy that only reads.
    pub read_role: Option<RoleName>,
    /// The role CloudFormation works as.
    pub stack_role: Option<RoleName>,
    /// What the roles ask for in their trust policy.
    pub external_id: Option<Text>,
}
