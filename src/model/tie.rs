//! Tie: what has to be remembered of an item while git declares it, for the day it no longer does.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Value;
use super::id::CommitId;
use super::item::Item;

/// What becomes of an item that is no longer declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnLeave {
    /// It stays, and a person is told.
    #[default]
    Keep,
    /// It is removed, under the guards.
    Remove,
}

/// How git held an item when it last declared it. A declaration that is gone cannot say what should become of what it
/// leaves behind, so its last word is kept beside the base. Losing it means that everything is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tie {
    /// The file that declared it, from the root of the repository.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub declared_in: String,
    /// What that file wanted to become of it.
    pub on_leave: OnLeave,
    /// What it needed: that is removed after it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub needs: BTreeSet<Item>,
    /// The ARN of the stack that was agreed on; another one of that name is not ours to remove.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// The keys that git declared, where others in the same value are somebody else's.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub keys: BTreeSet<String>,
    /// Keys that git declared once and no longer does, with the values they were left with.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left_keys: BTreeMap<String, Value>,
    /// Since when an attachment in the first OU and its policy are as declared, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// The first commit under which it was found undeclared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<CommitId>,
}

/// Ties of one scope, by item.
pub type Ties = BTreeMap<Item, Tie>;
