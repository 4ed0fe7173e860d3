//! A whole account as one file: every layer laid over the others, every expression worked out.
//!
//! Guarantees: the file, in a repository that holds nothing else but the same organization and the templates it
//! names, loads as the very same account, as long as secrets are shown.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::json;

use super::account::Accounts;
use super::later;
use super::whole::Whole;
use crate::model::{Access, AccountProperty, Item, Part, Region, Slug, Value};
use crate::yaml;

/// Stands for `absent` without quotes; no text of a file has a NUL in it.
const ABSENT: &str = "\0absent";
/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";
/// What opens an expression, as text.
const ESCAPED: &str = "${{ '$' }}{{";

/// An account as one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text of `account.yaml`.
    pub yaml: String,
    /// The files it names: by path below the account's folder, the path in this repository.
    pub files: BTreeMap<String, String>,
    /// True when something in it is hidden, so that it is not the whole account.
    pub is_redacted: bool,
}

impl Accounts<'_> {
    /// Renders an account that was built without a fault.
    pub(super) fn render(&self, slug: &Slug, with_secrets: bool) -> Option<Rendered> {
        let whole = self.whole_of(slug)?;
        let mut page = Page { whole: &whole, with_secrets, files: BTreeMap::new(), is_redacted: false };
        let mut yaml = String::new();
        for (key, value) in page.keys() {
            block(&mut yaml, 0, key, &value);
        }
        Some(Rendered { yaml, files: page.files, is_redacted: page.is_redacted })
    }
}

struct Page<'a> {
    whole: &'a Whole<'a>,
    with_secrets: bool,
    files: BTreeMap<String, String>,
    is_redacted: bool,
}

impl Page<'_> {
    /// The keys of the file with their values, in the order in which people write them.
    fn keys(&mut self) -> Vec<(&'static str, Value)> {
        let account = &self.whole.account;
        let mut tags: serde_json::Map<_, _> =
            account.tags.iter().map(|(key, tag)| (key.clone(), escaped(&json!(tag)))).collect();
        for key in self.whole.organization.defaults.tags.keys() {
            tags.entry(key.clone()).or_insert(Value::Null);
        }
        let adopt: Vec<_> = account.adopt.iter().map(adopted).collect();
        let mut keys = vec![
            ("id", json!(account.id)),
            ("name", escaped(&json!(account.name))),
            ("email", escaped(&json!(account.email))),
            ("ou", json!(account.ou)),
            ("tags", Value::Object(tags)),
            ("policies", self.policies()),
            ("access", self.access()),
            ("mode", json!(account.mode)),
        ];
        keys.extend(["values", "settings", "stacks"].map(|head| (head, self.tree(head))));
        keys.push(("adopt", json!(adopt)));
        let is_empty = |value: &Value| {
            value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty) || value == &json!([])
        };
        keys.retain(|(_, value)| !is_empty(value));
        keys
    }

    /// What is attached to the account itself; what its OU has is the organization's.
    fn policies(&self) -> Value {
        self.whole.who.file.policies.iter().map(|name| json!(name.value)).collect()
    }

    /// Every field that an account's file may have; the other two are the organization's alone.
    fn access(&self) -> Value {
        let Access { role, read_role, stack_role, external_id, management_role: _, new_account_role: _ } =
            &self.whole.account.access;
        let all = [
            ("role", json!(role)),
            ("readRole", json!(read_role)),
            ("stackRole", json!(stack_role)),
            ("externalId", json!(external_id)),
        ];
        all.into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }

    /// Everything under `values`, `settings` or `stacks`, as a tree.
    fn tree(&mut self, head: &str) -> Value {
        let mut tree = json!({});
        let merged = &self.whole.merged;
        for (path, leaf) in merged.under(&[head]) {
            let is_marker = leaf.value.is_null() || leaf.value == json!({});
            let value = if is_marker { json!({}) } else { self.leaf(path) };
            put(&mut tree, &path[1..], value);
        }
        if head == "stacks" {
            for (name, stack) in tree.as_object_mut().into_iter().flatten() {
                stack["regions"] = json!(self.whole.regions(name));
            }
        }
        self.leaving(head, &mut tree);
        tree
    }

    /// What must not be there, and what is to be removed once it leaves: nobody else says it in the new file.
    fn leaving(&self, head: &str, tree: &mut Value) {
        let account = &self.whole.account;
        for item in &account.remove_on_leave {
            if let Some(path) = entry(head, item) {
                put(tree, &[path, vec!["onLeave".to_owned()]].concat(), json!("remove"));
            }
        }
        for path in account.absent.keys().filter_map(|item| entry(head, item)) {
            put(tree, &path, json!(ABSENT));
        }
    }

    fn leaf(&mut self, path: &[String]) -> Value {
        let Some(leaf) = self.whole.merged.get(path) else { return Value::Null };
        if !self.with_secrets && self.whole.is_secret(path) {
            self.is_redacted = true;
            return json!(HIDDEN);
        }
        if is_file(path) {
            return json!(self.beside(leaf.value.as_str().unwrap_or_default()));
        }
        let values = self.whole.values_of(path, leaf);
        match values.as_slice() {
            // A parameter is a text, whatever its expression came to.
            [(None, value)] if is_parameter(path) && !value.is_array() => self.said(&json!(plain(value))),
            [(None, value)] => self.said(value),
            values => self.by_region(values),
        }
    }

    /// A value as an expression would leave it, with the expressions that take outputs.
    fn said(&self, value: &Value) -> Value {
        match value {
            Value::Array(values) => values.iter().map(|value| self.said(value)).collect(),
            Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), self.said(value))).collect(),
            Value::String(text) if later::is_open(text) => {
                let own = Some(&self.whole.account.slug);
                let said = |part: &Part| match (part, part.expression(own)) {
                    (Part::Text(text), _) => text.replace("${{", ESCAPED),
                    (_, expression) => format!("${{{{ {} }}}}", expression.unwrap_or_default()),
                };
                json!(later::parts(text).iter().map(said).collect::<String>())
            }
            other => escaped(other),
        }
    }

    /// What differs by region as one expression: a map of all regions, and the one of this region picked from it.
    fn by_region(&self, values: &[(Option<crate::model::Region>, Value)]) -> Value {
        let own = &self.whole.account.slug;
        let entries = values
            .iter()
            .filter_map(|(region, value)| Some(format!("'{}': {}", region.as_ref()?, literal(value, own))));
        json!(format!("${{{{ {{{}}}[region] }}}}", entries.collect::<Vec<_>>().join(", ")))
    }

    /// The path below the account's folder of a file that the account names.
    fn beside(&mut self, path: &str) -> String {
        let own = format!("accounts/{}/", self.whole.account.slug);
        let beside = path.strip_prefix(&own).unwrap_or(path).to_owned();
        self.files.insert(beside.clone(), path.to_owned());
        beside
    }
}

/// True for a leaf that names a file of the repository.
fn is_file(path: &[String]) -> bool {
    let names: Vec<_> = path.iter().map(String::as_str).collect();
    matches!(names.as_slice(), ["stacks", _, "template"] | ["settings", "samlProviders", _, "metadata"])
}

fn is_parameter(path: &[String]) -> bool {
    matches!(path, [head, _, key, _] if head == "stacks" && key == "parameters")
}

/// How `adopt` names an item.
fn adopted(item: &Item) -> String {
    match item {
        Item::Account(_, AccountProperty::Tag(key)) => format!("tags.{key}"),
        Item::Account(_, AccountProperty::Name) => "name".to_owned(),
        Item::Account(_, AccountProperty::Email) => "email".to_owned(),
        Item::Account(_, AccountProperty::Ou) => "ou".to_owned(),
        item => item.to_string(),
    }
}

/// The way to an item below `settings` or `stacks`.
fn entry(head: &str, item: &Item) -> Option<Vec<String>> {
    match item {
        Item::Setting(setting) if head == "settings" => {
            Some(setting.to_string().splitn(2, '.').map(str::to_owned).collect())
        }
        Item::Stack(key) if head == "stacks" => Some(vec![key.name.to_string()]),
        _ => None,
    }
}

fn put(tree: &mut Value, path: &[String], value: Value) {
    // A setting that is one text is spelled out where there is more to say of it.
    if !path.is_empty() && tree.is_string() {
        *tree = json!({"value": tree});
    }
    match path {
        [] => *tree = value,
        [key, rest @ ..] => put(&mut tree[key.as_str()], rest, value),
    }
}

/// A text of its own for each region as one expression: a map of all regions, and the one of this region picked from
/// it.
pub fn by_region(texts: &[(&Region, &str)]) -> Value {
    let entries = texts.iter().map(|(region, text)| format!("'{region}': {}", quoted(text)));
    json!(format!("${{{{ {{{}}}[region] }}}}", entries.collect::<Vec<_>>().join(", ")))
}

/// A text as an expression spells it; no quote inside it, because a quote would end it.
fn quoted(text: &str) -> String {
    let inside = json!(text).to_string();
    format!("\"{}\"", inside[1..inside.len() - 1].replace("\\\"", "\\u0022"))
}

/// A value as an expression in the account `own` spells it.
fn literal(value: &Value, own: &Slug) -> String {
    match value {
        Value::String(text) => {
            let spelled =
                later::parts(text).into_iter().map(|part| match (&part, part.expression(Some(own))) {
                    (Part::Text(text), _) => quoted(text),
                    (_, expression) => expression.unwrap_or_default(),
                });
            spelled.collect::<Vec<_>>().join(" ~ ")
        }
        Value::Array(values) => {
            let members = values.iter().map(|value| literal(value, own));
            format!("[{}]", members.collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| format!("{}: {}", literal(&json!(key), own), literal(value, own)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A text without quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Keys with their values as a file, in block style.
pub fn document(keys: &[(&str, Value)]) -> String {
    let mut text = String::new();
    for (key, value) in keys {
        block(&mut text, 0, key, value);
    }
    text
}

/// The value as an expression would leave it: what looks like one is taken apart.
pub fn escaped(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text.replace("${{", ESCAPED)),
        Value::Array(values) => values.iter().map(escaped).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), escaped(value))).collect(),
        other => other.clone(),
    }
}

/// One key with its value in block style; lists and empty maps on one line.
fn block(out: &mut String, depth: usize, key: &str, value: &Value) {
    let _ = write!(out, "{}{}:", "  ".repeat(depth), scalar(key));
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            for (key, value) in map {
                block(out, depth + 1, key, value);
            }
        }
        value => {
            let _ = writeln!(out, " {}", flow(value));
        }
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(text) if text == ABSENT => "absent".to_owned(),
        Value::String(text) => scalar(text),
        Value::Array(values) => format!("[{}]", values.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A text as YAML, without quotes where it cannot be taken for anything else, by this reader or by another.
pub fn scalar(text: &str) -> String {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let is_tame =
        text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_.@+ -".contains(&b)) && !text.ends_with(' ');
    let lower = text.to_ascii_lowercase();
    let means_more =
        ["null", "absent", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(&lower.as_str());
    if starts && is_tame && !means_more && yaml::implied(text).is_string() {
        return text.to_owned();
    }
    // JSON leaves some characters as they are that YAML does not take.
    let quoted = json!(text).to_string();
    let is_odd = |c: char| {
        matches!(c, '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    quoted
        .chars()
        .map(|c| if is_odd(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() })
        .collect()
}
