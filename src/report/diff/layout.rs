//! Values as lines: maps, texts, drifted resources, hidden parameters; one line is one thing that differs.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use similar::{ChangeTag, TextDiff};

use super::super::markdown::visible;
use super::{Diff, Line, Sign};
use crate::model::names_secret;

/// No diff has more lines than this.
pub(super) const MAX_LINES: usize = 120;
/// No line is longer, in characters.
pub(super) const MAX_LINE: usize = 240;
/// Unchanged lines kept around a change within a text such as a template.
const CONTEXT: usize = 2;
/// Texts that are longer together, in bytes, are not aligned: that takes the square of what differs.
const MAX_ALIGNED: usize = 512 * 1024;

/// What to leave out of a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// Every key of both sides counts.
    All,
    /// Only the keys of the left side count: the others are nobody's business.
    Left,
}

#[derive(Default)]
pub(super) struct Lines(Vec<Line>);

impl Lines {
    fn push(&mut self, sign: Sign, depth: usize, text: &str) {
        let text = format!("{}{}", "  ".repeat(depth), text);
        self.0.push(Line { sign, text: clean(&text) });
    }

    pub(super) fn between(
        &mut self,
        depth: usize,
        key: Option<&str>,
        keys: Keys,
        left: &Value,
        right: &Value,
    ) {
        if left == right {
            return;
        }
        match (left, right) {
            (Value::Object(left), Value::Object(right)) => self.maps(depth, key, keys, left, right),
            (Value::String(left), Value::String(right)) if left.contains('\n') || right.contains('\n') => {
                self.texts(depth, key, left, right);
            }
            _ => {
                self.whole(Sign::Minus, depth, key, left);
                self.changed(depth, key, right);
            }
        }
    }

    fn maps(
        &mut self,
        depth: usize,
        key: Option<&str>,
        keys: Keys,
        left: &Map<String, Value>,
        right: &Map<String, Value>,
    ) {
        let start = self.0.len();
        let inner = if key.is_some() { depth + 1 } else { depth };
        if key == Some("drift") {
            self.drift(inner, left, right);
        } else if key == Some("hidden") {
            self.hidden(inner, left, right);
        } else {
            for (name, value) in left {
                match right.get(name) {
                    Some(other) => self.between(inner, Some(name), Keys::All, value, other),
                    None => self.whole(Sign::Minus, inner, Some(name), value),
                }
            }
            let more = right.iter().filter(|(name, _)| keys == Keys::All && !left.contains_key(*name));
            for (name, value) in more {
                self.whole(Sign::Plus, inner, Some(name), value);
            }
        }
        if let Some(key) = key.filter(|_| self.0.len() > start) {
            let text = format!("{}{key}:", "  ".repeat(depth));
            self.0.insert(start, Line { sign: Sign::Same, text: clean(&text) });
        }
    }

    /// Parameters AWS never shows: only their keyed hashes are known, and those are nobody's business.
    fn hidden(&mut self, depth: usize, left: &Map<String, Value>, right: &Map<String, Value>) {
        let names: BTreeSet<_> = left.keys().chain(right.keys()).collect();
        for name in names.into_iter().filter(|name| left.get(*name) != right.get(*name)) {
            self.push(Sign::Minus, depth, &format!("{name}: (hidden)"));
            self.push(Sign::Plus, depth, &format!("{name}: (hidden, differs)"));
        }
    }

    /// Resources that differ from their template, one heading each, one line a property and side.
    fn drift(&mut self, depth: usize, left: &Map<String, Value>, right: &Map<String, Value>) {
        for (logical, resource) in right.iter().filter(|(logical, value)| left.get(*logical) != Some(value)) {
            self.push(Sign::Same, depth, &resource_heading(logical, resource));
            if resource["status"] == "DELETED" {
                self.push(Sign::Minus, depth + 1, "(deleted)");
            }
            for (pointer, change) in resource["properties"].as_object().into_iter().flatten() {
                self.property(depth + 1, pointer, change);
            }
        }
        for (logical, resource) in left.iter().filter(|(logical, _)| !right.contains_key(*logical)) {
            self.push(Sign::Minus, depth, &resource_heading(logical, resource));
        }
    }

    fn property(&mut self, depth: usize, pointer: &str, change: &Value) {
        let name = property_name(pointer);
        match (parsed(&change["expected"]), parsed(&change["actual"])) {
            (Value::Null, actual) => self.whole(Sign::Plus, depth, Some(&name), &actual),
            (expected, Value::Null) => self.whole(Sign::Minus, depth, Some(&name), &expected),
            (expected, actual) => self.between(depth, Some(&name), Keys::All, &expected, &actual),
        }
    }

    fn texts(&mut self, depth: usize, key: Option<&str>, left: &str, right: &str) {
        if let Some(key) = key {
            self.push(Sign::Same, depth, &format!("{key}: |"));
        }
        let depth = depth + usize::from(key.is_some());
        if left.len() + right.len() > MAX_ALIGNED {
            return self.long_texts(depth, left, right);
        }
        let texts = TextDiff::from_lines(left, right);
        for (index, group) in texts.grouped_ops(CONTEXT).iter().enumerate() {
            if index > 0 {
                self.push(Sign::Same, depth, "…");
            }
            for change in group.iter().flat_map(|op| texts.iter_changes(op)) {
                self.push(sign(change.tag()), depth, change.value().trim_end());
            }
        }
    }

    /// The lines that the other text has nowhere.
    fn long_texts(&mut self, depth: usize, left: &str, right: &str) {
        let (has_left, has_right): (BTreeSet<&str>, BTreeSet<&str>) =
            (left.lines().collect(), right.lines().collect());
        for line in left.lines().filter(|line| !has_right.contains(line)).take(MAX_LINES) {
            self.push(Sign::Minus, depth, line);
        }
        for line in right.lines().filter(|line| !has_left.contains(line)).take(MAX_LINES) {
            self.push(Sign::Plus, depth, line);
        }
    }

    /// The second half of a replaced value; a hidden one says no more than that it differs.
    fn changed(&mut self, depth: usize, key: Option<&str>, value: &Value) {
        match key {
            Some(key) if is_secret(key, value) => {
                self.push(Sign::Plus, depth, &format!("{key}: (hidden, differs)"));
            }
            _ => self.whole(Sign::Plus, depth, key, value),
        }
    }

    pub(super) fn whole(&mut self, sign: Sign, depth: usize, key: Option<&str>, value: &Value) {
        let label = key.map(|key| format!("{key}: ")).unwrap_or_default();
        if key.is_some_and(|key| key == "hidden" || is_secret(key, value)) {
            return self.push(sign, depth, &format!("{label}(hidden)"));
        }
        if let Some(inline) = inline(value) {
            return self.push(sign, depth, &format!("{label}{inline}"));
        }
        if let Some(key) = key {
            self.push(sign, depth, &format!("{key}:"));
        }
        let depth = depth + usize::from(key.is_some());
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(key, value)| self.whole(sign, depth, Some(key), value));
            }
            Value::Array(values) => values.iter().for_each(|value| self.entry(sign, depth, value)),
            Value::String(text) => text.lines().for_each(|line| self.push(sign, depth, line)),
            _ => {}
        }
    }

    fn entry(&mut self, sign: Sign, depth: usize, value: &Value) {
        if let Some(inline) = inline(value) {
            return self.push(sign, depth, &format!("- {inline}"));
        }
        self.push(sign, depth, "-");
        self.whole(sign, depth + 1, None, value);
    }

    pub(super) fn bounded(mut self) -> Diff {
        let left_out = self.0.len().saturating_sub(MAX_LINES);
        self.0.truncate(MAX_LINES);
        Diff { lines: self.0, left_out }
    }
}

fn sign(tag: ChangeTag) -> Sign {
    match tag {
        ChangeTag::Equal => Sign::Same,
        ChangeTag::Delete => Sign::Minus,
        ChangeTag::Insert => Sign::Plus,
    }
}

fn resource_heading(logical: &str, resource: &Value) -> String {
    let kind = resource["type"].as_str().unwrap_or("resource");
    let physical = resource["physicalId"].as_str().unwrap_or(logical);
    format!("{kind} {physical}:")
}

/// `/ManagedPolicyArns/1` as `ManagedPolicyArns[1]`, `/Policy/Statement` as `Policy.Statement`.
fn property_name(pointer: &str) -> String {
    let mut name = String::new();
    for part in pointer.split('/').filter(|part| !part.is_empty()) {
        if !name.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) {
            name = format!("{name}[{part}]");
        } else {
            name = if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
        }
    }
    name
}

/// CloudFormation tells the values of drifted properties as JSON text; `null` means "not there".
fn parsed(value: &Value) -> Value {
    let Some(text) = value.as_str() else { return value.clone() };
    match serde_json::from_str(text) {
        Ok(inner @ (Value::Object(_) | Value::Array(_) | Value::Null)) => inner,
        _ => value.clone(),
    }
}

/// A value that reads well on one line: a scalar, or a short list of scalars.
fn inline(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("null".to_owned()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::String(text) if text.is_empty() => Some("\"\"".to_owned()),
        Value::String(text) if text.contains('\n') => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(map) => map.is_empty().then(|| "{}".to_owned()),
        Value::Array(values) => {
            let scalar = |value: &Value| !value.is_object() && !value.is_array();
            let parts: Option<Vec<_>> =
                values.iter().map(|value| if scalar(value) { inline(value) } else { None }).collect();
            parts.map(|parts| format!("[{}]", parts.join(", "))).filter(|text| text.len() <= MAX_LINE / 2)
        }
    }
}

/// Texts under such a name are never shown: an issue is read by many.
pub(in crate::report) fn is_secret(key: &str, value: &Value) -> bool {
    value.is_string() && names_secret(key)
}

fn clean(text: &str) -> String {
    let indent = text.len() - text.trim_start_matches(' ').len();
    format!("{}{}", &text[..indent], visible(&text[indent..], MAX_LINE.saturating_sub(indent)))
}
