//! A value that several hold.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::Value;

/// A value that nobody changes: base, finding and record hold the same one, where it is the same. A map of JSON takes
/// half a kilobyte however little is in it, and there are thousands of items.
#[derive(Clone)]
pub struct SharedValue(Arc<Value>);

impl SharedValue {
    /// The value in the memory of one of these that is equal, or else in its own.
    pub fn like<'a>(value: Value, others: impl IntoIterator<Item = &'a Self>) -> Self {
        others.into_iter().find(|other| ***other == value).cloned().unwrap_or_else(|| value.into())
    }

    /// The value to be changed here, and nowhere else.
    pub fn to_mut(&mut self) -> &mut Value {
        Arc::make_mut(&mut self.0)
    }
}

impl PartialEq for SharedValue {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl From<Value> for SharedValue {
    fn from(value: Value) -> Self {
        Self(Arc::new(value))
    }
}

impl Deref for SharedValue {
    type Target = Value;
    fn deref(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for SharedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for SharedValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
