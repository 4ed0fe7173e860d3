//! Base: the value of each item on which git and AWS last agreed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Value;
use super::item::Item;
use super::shared::SharedValue;
use super::tie::Ties;

/// The base of one scope. What is not in it has no base, which only ever leads to less writing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Base {
    /// Values by item; null where it was agreed that there is nothing.
    pub items: BTreeMap<Item, SharedValue>,
    /// How git held each of them. An item without one is kept when it leaves.
    pub ties: Ties,
}

impl Base {
    /// A base that remembers values and nothing else.
    pub fn of(items: BTreeMap<Item, Value>) -> Self {
        Self {
            items: items.into_iter().map(|(item, value)| (item, value.into())).collect(),
            ties: Ties::new(),
        }
    }

    /// This base, in the memory of the one that was known where they are equal.
    pub fn shared(self, known: Option<&Arc<Self>>) -> Arc<Self> {
        known.filter(|known| ***known == self).cloned().unwrap_or_else(|| Arc::new(self))
    }

    /// What was agreed of an item.
    pub fn value(&self, item: &Item) -> Option<&Value> {
        self.items.get(item).map(|value| &**value)
    }
}
