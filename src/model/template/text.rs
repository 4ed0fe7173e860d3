//! The text of a template as it was committed, with its canonical form.
//!
//! Guarantees: whoever has the same template shares one memory; the canonical form is worked out once, and only where
//! somebody asks for it.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::canonical;

/// A template's text. Equal where the bytes are.
#[derive(Clone, Default)]
pub struct TemplateText(Arc<Known>);

#[derive(Default)]
struct Known {
    text: String,
    canonical: OnceLock<String>,
}

impl TemplateText {
    /// The bytes as committed: this is what is sent.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// What tells this memory from any other, as long as it is held.
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// See [`canonical`].
    pub fn canonical(&self) -> &str {
        self.0.canonical.get_or_init(|| canonical(&self.0.text))
    }
}

impl From<String> for TemplateText {
    fn from(text: String) -> Self {
        Self(Arc::new(Known { text, canonical: OnceLock::new() }))
    }
}

impl From<&str> for TemplateText {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Deref for TemplateText {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for TemplateText {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.as_str() == other.as_str()
    }
}

impl Eq for TemplateText {}

impl fmt::Debug for TemplateText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for TemplateText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for TemplateText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}
