//! `organization/organization.yaml`.

use schemars::JsonSchema;

use super::{
    AccountId, AdoptPolicy, Email, Named, OnLeave, OrganizationId, OuName, PolicyName, Region, RegionGroup,
    RoleName, TagKey, Text,
};

/// The organization itself, its OUs and what accounts have in common.
#[derive(JsonSchema)]
#[schemars(rename = "organization/organization.yaml")]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// The id of the organization.
    pub id: OrganizationId,
    /// The account that owns the organization.
    pub management_account: AccountId,
    /// The region of what exists once per account.
    pub home_region: Region,
    /// Named groups of regions; `home` and `all` exist by themselves.
    pub regions: Option<Named<RegionGroup, Vec<Region>>>,
    /// The roles Landfast works with.
    pub access: Option<OrganizationAccess>,
    /// What an account has when it does not say otherwise.
    pub account_defaults: Option<AccountDefaults>,
    /// Policies that are attached to the root, and so hold for every account.
    pub policies: Option<Vec<PolicyName>>,
    /// What becomes of a policy, and of where it is attached, once it is no longer declared.
    pub on_leave: Option<OnLeave>,
    /// Policies that may be overwritten although they were found there.
    pub adopt: Option<Vec<AdoptPolicy>>,
    /// The OUs below the root, by name.
    pub ous: Option<Named<OuName, OrganizationalUnit>>,
}

/// The roles Landfast works with.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationAccess {
    /// The role in each account that may write.
    pub role: Option<RoleName>,
    /// The role in each account that may look; without one, `role` under a policy that only reads.
    pub read_role: Option<RoleName>,
    /// The role in the management account.
    pub management_role: Option<RoleName>,
    /// The role CloudFormation works as.
    pub stack_role: Option<RoleName>,
    /// The role that AWS makes in accounts it creates.
    pub new_account_role: Option<RoleName>,
    /// What the roles ask for in their trust policy.
    pub external_id: Option<Text>,
}

/// What an account has when it does not say otherwise.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountDefaults {
    /// The e-mail of accounts, such as `aws+${{ account.slug }}@example.com`.
    pub email: Option<Email>,
    /// Tags of accounts.
    pub tags: Option<Named<TagKey, Text>>,
    /// Tags without which an account does not load.
    pub required_tags: Option<Vec<Text>>,
}

/// An organizational unit.
#[derive(JsonSchema)]
pub struct OrganizationalUnit {
    /// Policies that are attached to it, and so hold for every account below.
    pub policies: Option<Vec<PolicyName>>,
    /// The OUs in it, by name; they nest five deep.
    pub ous: Option<Named<OuName, Self>>,
}
