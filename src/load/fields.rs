//! Reading nodes into typed values, reporting every fault on the way instead of stopping at the first.
//!
//! Each function returns `None` after it has reported why.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use super::diagnostic::{At, Faults, Spot};
use super::rule::Rule;
use crate::model::{Invalid, Value, nearest};
use crate::yaml::{Entry, Kind, Node, Place, implied};

/// One file that is being read.
pub(super) struct Reader<'a> {
    pub(super) path: Arc<str>,
    pub(super) faults: &'a mut Faults,
}

/// A map whose keys are known in advance. [`Fields::close`] reports the others.
pub(super) struct Fields<'n> {
    at: Place,
    entries: &'n [Entry],
    known: Vec<&'static str>,
    is_layered: bool,
}

/// What a layer says of a key instead of giving it a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Denial {
    /// `null`: earlier layers' words do not count, and this layer has none of its own.
    Withdrawn,
    /// `absent`: it must not be there.
    Absent,
}

impl Denial {
    /// The denial a node stands for. An empty value is none: it may just be unfinished.
    pub(super) fn of(node: &Node) -> Option<Self> {
        match node {
            node if node.is_written_null() => Some(Self::Withdrawn),
            node if node.is_plain("absent") => Some(Self::Absent),
            _ => None,
        }
    }
}

impl Reader<'_> {
    pub(super) fn spot(&self, place: Place) -> Spot {
        Spot { path: self.path.clone(), place }
    }

    pub(super) fn fault(
        &mut self,
        rule: Rule,
        place: Place,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let spot = self.spot(place);
        self.faults.report(rule, &spot, message, hint);
    }

    /// What may have been meant. Nothing where so much is wrong with the file that it would not be shown.
    pub(super) fn suggest<'a>(&self, wrong: &str, right: impl Iterator<Item = &'a str>) -> String {
        if self.faults.are_many(&self.path) { String::new() } else { suggest(wrong, right) }
    }

    pub(super) fn fields<'n>(&mut self, node: &'n Node) -> Option<Fields<'n>> {
        let entries = self.entries(node)?;
        Some(Fields { at: node.place, entries, known: Vec::new(), is_layered: false })
    }

    /// The same for a map of a layer, in which a key may be denied instead of given: see [`Fields::close_layered`].
    pub(super) fn layered<'n>(&mut self, node: &'n Node) -> Option<Fields<'n>> {
        Some(Fields { is_layered: true, ..self.fields(node)? })
    }

    /// The entries of a map whose keys are free.
    pub(super) fn entries<'n>(&mut self, node: &'n Node) -> Option<&'n [Entry]> {
        match &node.kind {
            Kind::Map(entries) if node.tag.is_none() => Some(entries),
            _ => self.mismatch(node, "a map"),
        }
    }

    /// A map with free keys, each value read by `read`.
    pub(super) fn map<T>(
        &mut self,
        node: &Node,
        mut read: impl FnMut(&mut Self, &Entry) -> Option<T>,
    ) -> BTreeMap<String, T> {
        let entries = self.entries(node).unwrap_or_default();
        entries.iter().filter_map(|entry| Some((entry.key.clone(), read(self, entry)?))).collect()
    }

    pub(super) fn list<T>(
        &mut self,
        node: &Node,
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Vec<T> {
        match &node.kind {
            Kind::List(nodes) if node.tag.is_none() => {
                nodes.iter().filter_map(|node| read(self, node)).collect()
            }
            _ => self.mismatch::<()>(node, "a list").map(|()| Vec::new()).unwrap_or_default(),
        }
    }

    /// A text, quoted or not, exactly as it is written.
    pub(super) fn text(&mut self, node: &Node) -> Option<At<String>> {
        match &node.kind {
            Kind::Scalar { text, .. } if node.tag.is_none() && !node.is_null() => {
                Some(At { value: text.clone(), spot: self.spot(node.place) })
            }
            _ => self.mismatch(node, "a text"),
        }
    }

    pub(super) fn texts(&mut self, node: &Node) -> Vec<At<String>> {
        self.list(node, Reader::text)
    }

    pub(super) fn text_map(&mut self, node: &Node) -> BTreeMap<String, At<String>> {
        self.map(node, |reader, entry| reader.text(&entry.value))
    }

    /// A text that has to be an identifier.
    pub(super) fn parse<T>(
        &mut self,
        node: &Node,
        parse: impl Fn(String) -> Result<T, Invalid>,
    ) -> Option<At<T>> {
        let text = self.text(node)?;
        self.parse_text(text, "", parse)
    }

    pub(super) fn parse_text<T>(
        &mut self,
        text: At<String>,
        hint: &str,
        parse: impl Fn(String) -> Result<T, Invalid>,
    ) -> Option<At<T>> {
        match parse(text.value) {
            Ok(value) => Some(At { value, spot: text.spot }),
            Err(invalid) => {
                self.faults.report(Rule::Identifier, &text.spot, invalid.to_string(), hint);
                None
            }
        }
    }

    pub(super) fn flag(&mut self, node: &Node) -> Option<bool> {
        match &node.kind {
            Kind::Scalar { text, plain: true } if text == "true" => Some(true),
            Kind::Scalar { text, plain: true } if text == "false" => Some(false),
            _ => self.mismatch(node, "`true` or `false`"),
        }
    }

    pub(super) fn number(&mut self, node: &Node, low: u32, high: u32) -> Option<u32> {
        let number = match &node.kind {
            // `014` is twelve to some tools and fourteen to others.
            Kind::Scalar { text, plain: true } => text.parse().ok().filter(|n: &u32| n.to_string() == *text),
            _ => None,
        };
        match number.filter(|number| (low..=high).contains(number)) {
            Some(number) => Some(number),
            None => self.mismatch(node, &format!("a number from {low} to {high}")),
        }
    }

    /// Any plain data. Scalars without quotes count as numbers or flags when they print as themselves.
    pub(super) fn value(&mut self, node: &Node) -> Option<Value> {
        match &node.kind {
            _ if node.tag.is_some() || node.is_null() => self.mismatch(node, "a value"),
            Kind::Scalar { text, plain: false } => Some(Value::from(text.as_str())),
            Kind::Scalar { text, .. } => Some(implied(text)),
            Kind::List(nodes) => Some(nodes.iter().filter_map(|node| self.value(node)).collect()),
            Kind::Map(entries) => {
                let read = |entry: &Entry| Some((entry.key.clone(), self.value(&entry.value)?));
                Some(Value::Object(entries.iter().filter_map(read).collect()))
            }
        }
    }

    fn mismatch<T>(&mut self, node: &Node, expected: &str) -> Option<T> {
        let (found, hint) = match (&node.tag, &node.kind) {
            (Some(tag), _) => (format!("the tag `{tag}`"), "tags belong in templates only"),
            _ if node.is_null() => ("nothing".to_owned(), "give it a value, or remove the key"),
            (None, Kind::Scalar { text, .. }) => (format!("`{text}`"), ""),
            _ => (node.shape().to_owned(), ""),
        };
        self.fault(Rule::Shape, node.place, format!("expected {expected}, found {found}"), hint);
        None
    }
}

impl<'n> Fields<'n> {
    /// The value of a key that may be left out.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The whole entry of a key that may be left out.
    pub(super) fn entry(&mut self, key: &'static str) -> Option<&'n Entry> {
        self.known.push(key);
        let found = self.entries.iter().find(|entry| entry.key == key)?;
        Some(found).filter(|entry| !self.is_layered || Denial::of(&entry.value).is_none())
    }

    /// The value of a key that must be there.
    pub(super) fn required(
        &mut self,
        key: &'static str,
        reader: &mut Reader<'_>,
        hint: &str,
    ) -> Option<&'n Node> {
        let node = self.optional(key);
        if node.is_none() {
            reader.fault(Rule::MissingKey, self.at, format!("the key `{key}` is missing"), hint);
        }
        node
    }

    /// Reports every key nobody asked for and gives back what is denied instead of given.
    pub(super) fn close_layered(self, reader: &mut Reader<'_>) -> Vec<(&'n str, Denial, Place)> {
        let (entries, known) = (self.entries, self.known.clone());
        self.close(reader);
        let known = entries.iter().filter(|entry| known.contains(&entry.key.as_str()));
        known.filter_map(|entry| Some((entry.key.as_str(), Denial::of(&entry.value)?, entry.place))).collect()
    }

    /// Reports every key nobody asked for.
    pub(super) fn close(self, reader: &mut Reader<'_>) {
        for entry in self.entries.iter().filter(|entry| !self.known.contains(&entry.key.as_str())) {
            let hint = reader.suggest(&entry.key, self.known.iter().copied());
            reader.fault(Rule::UnknownKey, entry.place, format!("unknown key `{}`", entry.key), hint);
        }
    }
}

/// Names that a hint lists.
const MAX_NAMES: usize = 20;

/// "did you mean …", or else what would be right.
pub(super) fn suggest<'a>(wrong: &str, right: impl Iterator<Item = &'a str>) -> String {
    let right: Vec<_> = right.collect();
    match nearest(wrong, right.iter().copied()) {
        Some(best) => format!("did you mean `{best}`?"),
        None if right.is_empty() => String::new(),
        None => known_here(right.len(), right),
    }
}

/// The first names of so many; somebody's file may hold thousands.
pub(super) fn known_here<T: Display>(count: usize, names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<_> = names.into_iter().take(MAX_NAMES).map(|name| name.to_string()).collect();
    match count.saturating_sub(names.len()) {
        0 => format!("known here: {}", names.join(", ")),
        more => format!("known here: {} and {more} more", names.join(", ")),
    }
}
