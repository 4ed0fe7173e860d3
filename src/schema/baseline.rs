//! `baselines/<name>/baseline.yaml`.

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::{
    AdoptPath, Anything, BaselineName, ChosenTag, Day, LockPath, Mode, Named, Narrowed, OnLeave, OrAbsent,
    OrNull, OuPattern, PlainOr, Reason, Settings, Slug, Stack, StackName, Text, ValueName,
};

/// What many accounts share.
#[derive(JsonSchema)]
#[schemars(rename = "baselines/<name>/baseline.yaml")]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// Which accounts it is for; all that is given has to hold.
    pub targets: Targets,
    /// Baselines that it comes after, and so may overrule.
    pub after: Option<Vec<BaselineName>>,
    /// How far Landfast goes when something is no longer as declared.
    pub mode: Option<OrNull<Mode>>,
    /// What becomes of what this layer declared once it no longer does, where an entry does not say otherwise.
    pub on_leave: Option<OnLeave>,
    /// Values that expressions see as `values`; maps in them merge key by key.
    pub values: Option<Named<ValueName, Anything>>,
    /// What an account has once.
    pub settings: Option<Settings<Narrowed>>,
    /// CloudFormation stacks, by name.
    pub stacks: Option<Named<StackName, OrAbsent<Stack<Narrowed>>>>,
    /// Paths that no later layer may weaken, drop or silence.
    pub locked: Option<Vec<LockPath>>,
    /// What may be overwritten although it was found there.
    pub adopt: Option<Vec<AdoptPath>>,
}

/// Which accounts something is for; all that is given has to hold.
#[derive(JsonSchema)]
#[schemars(extend("anyOf" = [{"required": ["ous"]}, Self::tags(), {"required": ["accounts"]}]))]
#[serde(rename_all = "camelCase")]
pub struct Targets {
    /// Accounts in one of these OUs; the management account is only ever reached by its name.
    pub ous: Option<Vec<OuPattern>>,
    /// Accounts with all of these tags.
    pub tags: Option<Named<ChosenTag, Text>>,
    /// These accounts, by the names of their folders.
    pub accounts: Option<Vec<Slug>>,
    /// Accounts that are left out, each with a reason. They stay left out after the last day, which is then said.
    pub exclude: Option<Named<Slug, Exclusion>>,
}

impl Targets {
    /// Tags choose accounts if there is one.
    fn tags() -> Value {
        json!({
            "required": ["tags"],
            "not": {"properties": {"tags": {"maxProperties": 0}}, "additionalProperties": true},
        })
    }
}

/// Why an account is left out.
pub type Exclusion = PlainOr<Reason, ExclusionInFull>;

/// Why an account is left out, and until when.
#[derive(JsonSchema)]
pub struct ExclusionInFull {
    /// A person will ask for it.
    pub reason: Reason,
    /// The last day on which it is meant to hold.
    pub until: Option<Day>,
}
