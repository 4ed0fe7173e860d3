//! What AWS showed: sightings item by item, and the facts that steps need.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Value;
use super::id::{AccountId, OuPath, PolicyName, Slug};
use super::item::{Item, Scope, StackKey};
use super::reference::{Known, Outputs};

/// What was seen of one item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sight {
    /// Looked for, and certainly not there.
    Absent,
    /// There, with this value. `unchecked` names parts of the value (JSON pointers such as `/drift`) that could
    /// not be seen by their nature; they are left out of every comparison and reported as not checked.
    Present {
        /// The whole value.
        value: Value,
        /// JSON pointers of what is not checked, with the reason.
        unchecked: BTreeMap<String, String>,
    },
    /// In motion: somebody's operation on it is under way, so it is looked at again later.
    Moving(String),
    /// Could not be read; nothing is changed under it.
    Gap(String),
}

/// Why all writes are held in a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The `landfast:hold` tag is set: where, and to what. A person has to take it away.
    Set(String),
    /// Whether it is set could not be read, so it counts as set until it could.
    Unread(String),
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(because) => f.write_str(because),
            Self::Unread(because) => write!(f, "whether a hold is set could not be read: {because}"),
        }
    }
}

/// The whole observation of one scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// What was looked at.
    pub scope: Scope,
    /// Sightings. An item that is missing here was not looked at, which counts as a gap.
    pub items: BTreeMap<Item, Sight>,
    /// What steps need to know beside the values.
    pub facts: Facts,
    /// Why all writes are held here, if they are.
    pub hold: Option<Hold>,
}

/// Facts of a scope.
#[derive(Clone, Debug, PartialEq)]
pub enum Facts {
    /// Of the organization.
    Organization(OrganizationFacts),
    /// Of one account.
    Account(AccountFacts),
}

/// An OU as it exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OuFact {
    /// `ou-…`, or `r-…` for the root.
    pub id: String,
}

/// The life-cycle state of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountState {
    /// In use.
    Active,
    /// Made, but not usable yet.
    PendingActivation,
    /// Suspended, closing, closed, or a state this version does not know, as AWS spells it.
    Unusable(String),
}

/// A request to create an account, as AWS lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// `car-…`.
    pub id: String,
    /// The name that was asked for. AWS does not show the e-mail.
    pub account_name: String,
    /// How far it got.
    pub state: CreationState,
    /// When it was asked, seconds since 1970.
    pub requested: i64,
}

/// How far a creation got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreationState {
    /// Under way.
    InProgress,
    /// Made this account.
    Succeeded(AccountId),
    /// Failed for this reason, as AWS spells it.
    Failed(String),
}

/// One account of the organization, as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFact {
    /// Its id.
    pub id: AccountId,
    /// Its e-mail, as AWS spells it.
    pub email: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: AccountState,
    /// Where it is.
    pub ou: OuPath,
    /// When it joined, seconds since 1970: a fresh account is given time.
    pub joined: i64,
    /// Its tags; absent where they were not read.
    pub tags: Option<BTreeMap<String, String>>,
}

/// What the organization's steps need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganizationFacts {
    /// Every OU by path, the root included.
    pub ous: BTreeMap<OuPath, OuFact>,
    /// Every account of the organization by id.
    pub accounts: BTreeMap<AccountId, AccountFact>,
    /// Which account is whose folder: proved by recorded id or by our tags.
    pub claimed: BTreeMap<Slug, AccountId>,
    /// Creation requests AWS remembers, newest first.
    pub creations: Vec<Creation>,
    /// Policies that were found, among those anybody asked about.
    pub policies: BTreeMap<PolicyName, PolicyFact>,
}

/// A policy as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFact {
    /// `p-…`; another policy under this name has another.
    pub id: String,
    /// What proves that it is ours, or else why nothing does.
    pub owned: Result<(), String>,
    /// The ids of all that it is attached to, whoever did that; or why that is not known.
    pub targets: Result<BTreeSet<String>, String>,
}

/// A stack as found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackFact {
    /// The ARN, which changes when a stack is deleted and made again.
    pub id: String,
    /// `StackStatus` as AWS spells it.
    pub status: String,
    /// `StackStatusReason`, empty where there is none.
    pub reason: String,
    /// Seconds since 1970 of the last update, or of creation.
    pub updated: i64,
    /// The change set that made it what it is: its name carries the digest of what was sent.
    pub change_set: Option<String>,
    /// True when it bears our owner tag.
    pub is_ours: bool,
    /// True under termination protection: CloudFormation does not delete it.
    #[serde(default)]
    pub is_protected: bool,
}

/// What one account's steps need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountFacts {
    /// The account that was looked at; absent when it does not exist yet or may not be entered.
    pub id: Option<AccountId>,
    /// Stacks that were found, among those anybody asked about.
    pub stacks: BTreeMap<StackKey, StackFact>,
    /// Names of stacks found there that no folder declares.
    pub undeclared: BTreeSet<StackKey>,
    /// The whole password policy, where there is one.
    pub password_policy: Option<Value>,
    /// Why nothing may be written there now, if so: not created yet, suspended, or not entered.
    pub closed: Option<String>,
    /// The outputs of the stacks that were found.
    pub outputs: BTreeMap<StackKey, Outputs>,
    /// What was last known of outputs that the account's stacks take, other accounts' and its own.
    pub known: Known,
    /// Ids that the account's stacks take and no folder records, of the accounts that are there.
    pub ids: BTreeMap<Slug, AccountId>,
}

impl Observed {
    /// What was seen of `item`; what nobody looked at is a gap.
    pub fn sight(&self, item: &Item) -> Sight {
        self.items.get(item).cloned().unwrap_or_else(|| Sight::Gap("it was not looked at".to_owned()))
    }
}

impl Sight {
    /// A sighting with nothing left unchecked.
    pub fn present(value: Value) -> Self {
        Self::Present { value, unchecked: BTreeMap::new() }
    }
}
