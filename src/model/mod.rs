//! The nouns: plain data that every stage shares.
//!
//! Guarantees: no IO, no clock, no file format, no SDK type, no async; every map is ordered, so the same
//! values always print as the same bytes.

mod author;
mod base;
pub mod data;
mod desired;
mod id;
mod item;
mod mailbox;
mod nearest;
mod observed;
mod outcome;
mod plan;
mod policy;
mod proof;
mod reference;
mod rollout;
pub mod saml;
mod setting;
mod shared;
pub mod status;
pub mod template;
mod tie;
mod verdict;

pub use author::{Author, Deed};
pub use base::Base;
pub use desired::{
    Access, Account, Declared, Desired, Exclusion, HOLD_TAG, Mode, OWNER_TAG, Organization, Policies,
    SLUG_TAG, Source, Stack,
};
pub use id::{
    AccountId, CommitId, Email, Invalid, OrganizationId, OuPath, PolicyName, Region, RoleName,
    SamlProviderName, Slug, StackName,
};
pub use item::{AccountProperty, Item, Scope, StackKey};
pub use mailbox::{Mailbox, SUBSCRIPTIONS, mailboxes};
pub use nearest::nearest;
pub use observed::{
    AccountFact, AccountFacts, AccountState, Creation, CreationState, Facts, Hold, Observed,
    OrganizationFacts, OuFact, PolicyFact, Sight, StackFact,
};
pub use outcome::{Class, Outcome, Outcomes};
pub use plan::{Blocked, Finding, Plan, PlannedStep, Step, StepId, Unclaimed, Warning};
pub use policy::{Policy, PolicyTarget, PolicyType, managed, managed_names, minified};
pub use proof::{Proof, Proofs};
pub use reference::{Deferred, Known, OutputRef, Outputs, Part, Produced, Standpoint};
pub use rollout::{
    Cause, Closed, FirstOu, Freeze, Frozen, Gate, OTHERS, Rollout, Tolerance, Wave, Window, shown, weekday,
};
pub use setting::{Setting, SettingKind, SettingValue};
pub use shared::SharedValue;
pub use tie::{OnLeave, Tie, Ties};
pub use verdict::{Verdict, assume, overlay, verdict};

/// True for the name of something that is not to be shown or recorded: a password, a token, a key.
pub fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "secret", "token", "privatekey", "apikey", "credential"]
        .iter()
        .any(|word| name.contains(word))
}

/// What an item is worth: plain structured data, its maps in key order.
pub type Value = serde_json::Value;
