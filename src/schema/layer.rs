//! What the repository, a baseline and an account have in common.

use schemars::JsonSchema;

use super::{
    Anything, Capability, FilePath, Freeze, LockPath, Mode, Named, Need, OnLeave, OneOrMany, OrAbsent,
    OrNull, ParameterName, PlainOr, RegionOrGroup, Rollout, SamlProviderName, TagKey, Targets, Text,
    ValueName, Within,
};

/// What is said to every account before anybody else speaks.
#[derive(JsonSchema)]
#[schemars(rename = "landfast.yaml")]
#[serde(rename_all = "camelCase")]
pub struct Repository {
    /// How far Landfast goes when something is no longer as declared.
    pub mode: Option<OrNull<Mode>>,
    /// What becomes of what this layer declared once it no longer does, where an entry does not say otherwise.
    pub on_leave: Option<OnLeave>,
    /// Values that expressions see as `values`; maps in them merge key by key.
    pub values: Option<Named<ValueName, Anything>>,
    /// What an account has once; not for the management account.
    pub settings: Option<Settings<Everywhere>>,
    /// Paths that no later layer may weaken, drop or silence.
    pub locked: Option<Vec<LockPath>>,
    /// In which order a change reaches accounts.
    pub rollout: Option<Rollout>,
    /// When nothing is written, whatever was merged.
    pub freeze: Option<Vec<Freeze>>,
}

/// An entry that is for every account of its layer.
#[derive(JsonSchema)]
pub struct Everywhere {}

/// An entry that may be for fewer accounts than its baseline.
#[derive(JsonSchema)]
pub struct Narrowed {
    /// Which of the baseline's accounts this entry is for.
    pub targets: Option<OrNull<Targets>>,
}

/// The same for an entry whose keys no other layer speaks of.
#[derive(JsonSchema)]
pub struct NarrowedInFull {
    /// Which of the baseline's accounts this entry is for.
    pub targets: Option<Targets>,
}

/// Whom an entry is for.
pub trait Narrowing: JsonSchema {
    /// As it is said of a setting that is one text.
    type InFull: JsonSchema;
}

impl Narrowing for Everywhere {
    type InFull = Self;
}

impl Narrowing for Narrowed {
    type InFull = NarrowedInFull;
}

/// What an account has once.
#[derive(JsonSchema)]
#[schemars(rename = "Settings")]
#[serde(rename_all = "camelCase")]
pub struct Settings<N: Narrowing> {
    /// The rules for passwords of IAM users.
    pub password_policy: Option<OrAbsent<PasswordPolicy<N>>>,
    /// The name in the address of the sign-in page.
    pub account_alias: Option<OrAbsent<PlainOr<Text, ValueInFull<N::InFull>>>>,
    /// Identity providers that speak SAML, by name.
    pub saml_providers: Option<OrNull<Named<SamlProviderName, OrAbsent<SamlProvider<N>>>>>,
}

/// The rules for passwords of IAM users.
#[derive(JsonSchema)]
#[schemars(rename = "PasswordPolicy")]
#[serde(rename_all = "camelCase")]
pub struct PasswordPolicy<N> {
    /// The least number of characters.
    pub minimum_length: Option<OrNull<Within<6, 128>>>,
    /// Days after which a password has to be changed.
    pub max_age_days: Option<OrNull<Within<1, 1095>>>,
    /// How many of the last passwords may not be used again.
    pub reuse_prevention: Option<OrNull<Within<1, 24>>>,
    /// At least one character that is neither letter nor digit.
    pub require_symbols: Option<OrNull<bool>>,
    /// At least one digit.
    pub require_numbers: Option<OrNull<bool>>,
    /// At least one capital letter.
    pub require_uppercase: Option<OrNull<bool>>,
    /// At least one small letter.
    pub require_lowercase: Option<OrNull<bool>>,
    /// Users may change their own password.
    pub allow_users_to_change: Option<OrNull<bool>>,
    /// Whose password has expired cannot sign in to change it.
    pub hard_expiry: Option<OrNull<bool>>,
    /// How far Landfast goes for it, whatever its account's mode is.
    pub mode: Option<OrNull<Mode>>,
    /// What becomes of it once it is no longer declared for an account.
    pub on_leave: Option<OrNull<OnLeave>>,
    /// Whom it is for.
    #[serde(flatten)]
    pub narrowing: N,
}

/// A setting that is one text, with room for more.
#[derive(JsonSchema)]
#[schemars(rename = "ValueInFull")]
#[serde(rename_all = "camelCase")]
pub struct ValueInFull<N> {
    /// The text itself.
    pub value: Text,
    /// How far Landfast goes for it, whatever its account's mode is.
    pub mode: Option<Mode>,
    /// What becomes of it once it is no longer declared for an account.
    pub on_leave: Option<OnLeave>,
    /// Whom it is for.
    #[serde(flatten)]
    pub narrowing: N,
}

/// An identity provider that speaks SAML.
#[derive(JsonSchema)]
#[schemars(rename = "SamlProvider")]
#[serde(rename_all = "camelCase")]
pub struct SamlProvider<N> {
    /// The file with its metadata, as the provider hands it out.
    pub metadata: Option<OrNull<FilePath>>,
    /// How far Landfast goes for it, whatever its account's mode is.
    pub mode: Option<OrNull<Mode>>,
    /// What becomes of it once it is no longer declared for an account.
    pub on_leave: Option<OrNull<OnLeave>>,
    /// Whom it is for.
    #[serde(flatten)]
    pub narrowing: N,
}

/// A CloudFormation stack.
#[derive(JsonSchema)]
#[schemars(rename = "Stack")]
#[serde(rename_all = "camelCase")]
pub struct Stack<N> {
    /// Plain CloudFormation, in a file in this folder.
    pub template: Option<OrNull<FilePath>>,
    /// Values of the template's parameters; a list becomes its members joined by commas.
    pub parameters: Option<OrNull<Named<ParameterName, OrNull<OneOrMany<Text>>>>>,
    /// Tags of the stack, which spread to its resources.
    pub tags: Option<OrNull<Named<TagKey, OrNull<Text>>>>,
    /// Where it is; the home region where nothing is said.
    pub regions: Option<OrNull<Vec<RegionOrGroup>>>,
    /// What has to be there first.
    pub needs: Option<OrNull<Vec<Need>>>,
    /// What CloudFormation wants to be granted in so many words.
    pub capabilities: Option<OrNull<Vec<Capability>>>,
    /// How far Landfast goes for it, whatever its account's mode is.
    pub mode: Option<OrNull<Mode>>,
    /// What becomes of it once it is no longer declared for an account.
    pub on_leave: Option<OrNull<OnLeave>>,
    /// Whom it is for.
    #[serde(flatten)]
    pub narrowing: N,
}
