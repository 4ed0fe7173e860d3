//! What a baseline and an account have in common: values, settings and stacks, as leaves by path.
//!
//! A leaf is the smallest thing that one layer can say over another: `settings.passwordPolicy.minimumLength`,
//! `stacks.network.parameters.Cidr`. Maps are merged by merging leaves; lists are leaves, so they are replaced.

use std::collections::BTreeMap;

use strum::VariantArray;

use super::diagnostic::At;
use super::fields::{Fields, Reader, suggest};
use super::raw::mode;
use super::targets::{Candidate, Targets};
use crate::model::{SamlProviderName, SettingKind, StackName, Value};
use crate::yaml::{Entry, Kind, Node, Place};

/// The way to a leaf.
pub(super) type Path = Vec<String>;

/// Everything one layer says.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    pub(super) leaves: BTreeMap<Path, At<Value>>,
    pub(super) adopt: Vec<At<String>>,
    /// Which of the baseline's accounts a stack is for, where that is not all of them.
    narrowed: BTreeMap<String, Targets>,
}

const CAPABILITIES: [&str; 3] = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];

impl Layer {
    /// Reads the keys a baseline and an account share.
    pub(super) fn read(reader: &mut Reader<'_>, fields: &mut Fields<'_>, in_baseline: bool) -> Self {
        let mut layer = Self::default();
        if let Some(node) = fields.optional("mode")
            && let Some(mode) = mode(reader, node)
        {
            let value = serde_json::to_value(mode).unwrap_or_default();
            layer.put(reader, &["mode"], value, node.place);
        }
        for entry in fields.optional("values").and_then(|node| reader.entries(node)).unwrap_or_default() {
            if let Some(value) = reader.value(&entry.value) {
                layer.flatten(reader, &["values", &entry.key], value, entry.value.place);
            }
        }
        if let Some(node) = fields.optional("settings") {
            layer.read_settings(reader, node);
        }
        for entry in fields.optional("stacks").and_then(|node| reader.entries(node)).unwrap_or_default() {
            layer.read_stack(reader, entry, in_baseline);
        }
        layer.adopt = fields.optional("adopt").map(|node| reader.texts(node)).unwrap_or_default();
        layer
    }

    /// The leaves that concern one account.
    pub(super) fn leaves_for<'a>(
        &'a self,
        account: &'a Candidate<'a>,
    ) -> impl Iterator<Item = (&'a Path, &'a At<Value>)> {
        self.leaves.iter().filter(|(path, _)| match path.as_slice() {
            [head, stack, ..] if head == "stacks" => {
                self.narrowed.get(stack).is_none_or(|targets| targets.narrow_to(account))
            }
            _ => true,
        })
    }

    /// True when an expression of this layer may look at other accounts.
    pub(super) fn speaks_of_accounts(&self) -> bool {
        let text = |leaf: &At<Value>| leaf.value.to_string();
        self.leaves.values().map(text).any(|text| text.contains("${{") && text.contains("accounts"))
    }

    /// The targets written at single stacks.
    pub(super) fn narrowing(&self) -> impl Iterator<Item = &Targets> {
        self.narrowed.values()
    }

    /// True when this layer says anything about the stack, for whichever account.
    pub(super) fn declares_stack(&self, name: &str) -> bool {
        self.leaves.contains_key(["stacks".to_owned(), name.to_owned()].as_slice())
    }

    fn put(&mut self, reader: &Reader<'_>, path: &[&str], value: Value, place: Place) {
        let path = path.iter().map(|&name| name.to_owned()).collect();
        self.leaves.insert(path, At { value, spot: reader.spot(place) });
    }

    /// Values are free data: maps in them merge by key as well.
    fn flatten(&mut self, reader: &Reader<'_>, path: &[&str], value: Value, place: Place) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    self.flatten(reader, &[path, &[key.as_str()]].concat(), value, place);
                }
            }
            value => self.put(reader, path, value, place),
        }
    }

    fn read_settings(&mut self, reader: &mut Reader<'_>, node: &Node) {
        let Some(mut fields) = reader.fields(node) else { return };
        for kind in SettingKind::VARIANTS {
            let Some(entry) = fields.entry(kind.key()) else { continue };
            match kind {
                SettingKind::PasswordPolicy => {
                    self.put(reader, &["settings", kind.key()], Value::Null, entry.place);
                    self.read_password_policy(reader, &entry.value);
                }
                SettingKind::AccountAlias => {
                    let Some(alias) = reader.text(&entry.value) else { continue };
                    self.put(reader, &["settings", kind.key()], alias.value.into(), alias.spot.place);
                }
                SettingKind::SamlProvider => {
                    for provider in reader.entries(&entry.value).unwrap_or_default() {
                        self.read_saml_provider(reader, provider);
                    }
                }
            }
        }
        fields.close(reader);
    }

    fn read_saml_provider(&mut self, reader: &mut Reader<'_>, entry: &Entry) {
        let name = entry.key.as_str();
        if let Err(invalid) = SamlProviderName::parse(name) {
            reader.fault(entry.place, invalid.to_string(), "");
            return;
        }
        let Some(mut fields) = reader.fields(&entry.value) else { return };
        let path = ["settings", SettingKind::SamlProvider.key(), name, "metadata"];
        self.put(reader, &path[..3], Value::Null, entry.place);
        if let Some(file) = fields.optional("metadata").and_then(|node| file_path(reader, node, "metadata")) {
            let place = file.spot.place;
            self.put(reader, &path, file.value.into(), place);
        }
        fields.close(reader);
    }

    fn read_password_policy(&mut self, reader: &mut Reader<'_>, node: &Node) {
        let Some(mut fields) = reader.fields(node) else { return };
        // The ranges are IAM's own (UpdateAccountPasswordPolicy).
        for (key, low, high) in
            [("minimumLength", 6, 128), ("maxAgeDays", 1, 1095), ("reusePrevention", 1, 24)]
        {
            let Some(node) = fields.optional(key) else { continue };
            if let Some(number) = reader.number(node, low, high) {
                self.put(reader, &["settings", "passwordPolicy", key], number.into(), node.place);
            }
        }
        for key in [
            "requireSymbols",
            "requireNumbers",
            "requireUppercase",
            "requireLowercase",
            "allowUsersToChange",
            "hardExpiry",
        ] {
            let Some(node) = fields.optional(key) else { continue };
            if let Some(flag) = reader.flag(node) {
                self.put(reader, &["settings", "passwordPolicy", key], flag.into(), node.place);
            }
        }
        fields.close(reader);
    }

    fn read_stack(&mut self, reader: &mut Reader<'_>, entry: &Entry, in_baseline: bool) {
        let name = entry.key.as_str();
        if let Err(invalid) = StackName::parse(name) {
            reader.fault(entry.place, invalid.to_string(), "");
            return;
        }
        let Some(mut fields) = reader.fields(&entry.value) else { return };
        self.put(reader, &["stacks", name], Value::Null, entry.place);
        if let Some(path) = fields.optional("template").and_then(|node| file_path(reader, node, "template")) {
            let place = path.spot.place;
            self.put(reader, &["stacks", name, "template"], path.value.into(), place);
        }
        self.read_parameters(reader, &mut fields, name);
        for (key, allowed) in [("regions", &[][..]), ("needs", &[]), ("capabilities", &CAPABILITIES)] {
            self.read_list(reader, &mut fields, (name, key), allowed);
        }
        if in_baseline && let Some(node) = fields.optional("targets") {
            let targets = Targets::read(reader, node);
            self.narrowed.extend(targets.map(|targets| (name.to_owned(), targets)));
        }
        fields.close(reader);
    }

    fn read_parameters(&mut self, reader: &mut Reader<'_>, fields: &mut Fields<'_>, stack: &str) {
        for key in ["parameters", "tags"] {
            let entries = fields.optional(key).and_then(|node| reader.entries(node)).unwrap_or_default();
            for entry in entries {
                let value = match key {
                    "tags" => reader.text(&entry.value).map(|text| text.value.into()),
                    _ => parameter(reader, &entry.value),
                };
                let Some(value) = value else { continue };
                self.put(reader, &["stacks", stack, key, &entry.key], value, entry.value.place);
            }
        }
    }

    fn read_list(
        &mut self,
        reader: &mut Reader<'_>,
        fields: &mut Fields<'_>,
        (stack, key): (&str, &'static str),
        allowed: &[&str],
    ) {
        let Some(node) = fields.optional(key) else { return };
        let texts = reader.texts(node);
        for text in texts.iter().filter(|text| !allowed.is_empty() && !allowed.contains(&text.value.as_str()))
        {
            let message = format!("`{}` is not one of CloudFormation's {key}", text.value);
            reader.faults.report(&text.spot, message, suggest(&text.value, allowed.iter().copied()));
        }
        let list = texts.into_iter().map(|text| text.value).collect();
        self.put(reader, &["stacks", stack, key], list, node.place);
    }
}

/// A text, kept to the letter, or a list of them.
fn parameter(reader: &mut Reader<'_>, node: &Node) -> Option<Value> {
    match &node.kind {
        Kind::List(_) => Some(reader.texts(node).into_iter().map(|text| text.value).collect()),
        _ => reader.text(node).map(|text| text.value.into()),
    }
}

/// The path, from the root of the repository, of a file that is named beside this one.
fn file_path(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<At<String>> {
    let text = reader.text(node)?;
    let odd = |part: &str| matches!(part, "" | "." | "..") || part.contains('\\');
    if text.value.split('/').any(odd) {
        let message = format!("the {what} `{}` is not in this folder", text.value);
        reader.fault(node.place, message, "a plain path below the folder of this file, without `..`");
        return None;
    }
    let folder = reader.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    Some(text.map(|name| format!("{folder}/{name}")))
}
