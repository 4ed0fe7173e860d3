//! Base: the value of each item on which git and AWS last agreed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Value;
use super::item::Item;

/// The base of one scope. What is not in it has no base, which only ever leads to less writing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Base {
    /// Values by item.
    pub items: BTreeMap<Item, Value>,
}
