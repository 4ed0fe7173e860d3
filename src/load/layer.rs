//! What the repository, a baseline and an account have in common: values, settings and stacks, as leaves by path.
//!
//! A leaf is the smallest thing that one layer can say over another: `settings.passwordPolicy.minimumLength`,
//! `stacks.network.parameters.Cidr`. Maps are merged by merging leaves; lists are leaves, so they are replaced.
//! A key can also be denied: see [`Denial`].

use std::collections::BTreeMap;

use strum::VariantArray;

use super::diagnostic::At;
use super::fields::{Denial, Fields, Reader, suggest};
use super::raw::{mode, on_leave};
use super::reads::Reads;
use super::rule::Rule;
use super::targets::{Candidate, Targets};
use crate::model::{Mode, SamlProviderName, SettingKind, StackName, Value};
use crate::yaml::{Entry, Kind, Node, Place};

/// The way to a leaf.
pub(super) type Path = Vec<String>;

/// Everything one layer says.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    pub(super) leaves: BTreeMap<Path, At<Value>>,
    pub(super) denied: BTreeMap<Path, At<Denial>>,
    pub(super) adopt: Vec<At<String>>,
    /// Paths that no later layer may change.
    pub(super) locked: Vec<At<Path>>,
    /// Which of the baseline's accounts an entry is for, where that is not all of them.
    narrowed: BTreeMap<Path, Targets>,
    /// Which accounts its expressions look at.
    pub(super) reads: Reads,
    /// True when it may name files that lie beside it.
    names_files: bool,
    /// The repository's settings stop at the management account, as baselines do that do not name it.
    spares_management: bool,
}

/// Where a layer stands, and so what it may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kin {
    /// `landfast.yaml`: it has no folder for templates, and nothing to target.
    Repository,
    /// A baseline, whose entries may be narrowed.
    Baseline,
    /// An account: nothing comes after it, so it locks nothing.
    Account,
}

const CAPABILITIES: [&str; 3] = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];

impl Layer {
    /// Reads the keys that layers share.
    pub(super) fn read(reader: &mut Reader<'_>, fields: &mut Fields<'_>, kin: Kin) -> Self {
        let mut layer = Self { spares_management: kin == Kin::Repository, ..Self::default() };
        if let Some(entry) = fields.entry("mode") {
            layer.read_mode(reader, entry);
        }
        if let Some(node) = fields.optional("values") {
            layer.read_values(reader, node);
        }
        if let Some(node) = fields.optional("settings") {
            layer.read_settings(reader, node, kin);
        }
        if kin != Kin::Repository
            && let Some(node) = fields.optional("stacks")
        {
            for entry in layer.given(reader, node, &["stacks"]) {
                layer.read_stack(reader, entry, kin);
            }
        }
        if let Some(node) = fields.optional("onLeave") {
            layer.read_default_on_leave(reader, node, kin);
        }
        if kin != Kin::Account
            && let Some(node) = fields.optional("locked")
        {
            layer.locked = reader.list(node, lock_path);
        }
        if kin != Kin::Repository {
            layer.adopt = fields.optional("adopt").map(|node| reader.texts(node)).unwrap_or_default();
        }
        layer.reads = Reads::of(layer.leaves.values());
        layer.names_files = layer.leaves.keys().any(|path| matches!(path[0].as_str(), "stacks" | "settings"));
        layer
    }

    /// How far to go, as this layer says; as far as is usual where it says nothing.
    pub(super) fn mode(&self) -> Mode {
        let leaf = self.leaves.get(["mode".to_owned()].as_slice());
        leaf.and_then(|leaf| serde_json::from_value(leaf.value.clone()).ok()).unwrap_or_default()
    }

    /// The leaves that concern one account.
    pub(super) fn leaves_for(&self, account: &Candidate<'_>) -> impl Iterator<Item = (&Path, &At<Value>)> {
        self.leaves.iter().filter(|(path, _)| self.is_for(path, account))
    }

    /// The denials that concern one account.
    pub(super) fn denied_for(&self, account: &Candidate<'_>) -> impl Iterator<Item = (&Path, &At<Denial>)> {
        self.denied.iter().filter(|(path, _)| self.is_for(path, account))
    }

    /// True when what it says at `path` is for the account, of those that the layer speaks to.
    pub(super) fn is_for(&self, path: &[String], account: &Candidate<'_>) -> bool {
        let reaches = |end: usize| self.narrowed.get(&path[..end]).is_none_or(|it| it.narrow_to(account));
        let is_spared = self.spares_management && account.is_management && path[0] == "settings";
        !is_spared && (self.narrowed.is_empty() || (1..=path.len()).all(reaches))
    }

    /// True when an expression of this layer may look at other accounts.
    pub(super) fn speaks_of_accounts(&self) -> bool {
        !self.reads.is_empty()
    }

    /// The targets written at single entries.
    pub(super) fn narrowing(&self) -> impl Iterator<Item = &Targets> {
        self.narrowed.values()
    }

    /// The same with the path of the entry.
    pub(super) fn narrowed(&self) -> impl Iterator<Item = (&Path, &Targets)> {
        self.narrowed.iter()
    }

    /// The targets written at the entry that a path is in.
    pub(super) fn narrowing_of<'a>(&'a self, path: &[String]) -> impl Iterator<Item = &'a Targets> {
        (1..=path.len()).filter_map(|end| self.narrowed.get(&path[..end]))
    }

    /// The values of the leaves at `[head, …, key]`, such as the template of each stack: files that lie beside this one.
    pub(super) fn beside<'a>(
        &'a self,
        head: &'a str,
        length: usize,
        key: &'a str,
    ) -> impl Iterator<Item = (&'a Path, &'a At<Value>)> {
        let from = self.names_files.then(|| self.leaves.range(vec![head.to_owned()]..));
        let below = from.into_iter().flatten().take_while(move |(path, _)| path[0] == head);
        below.filter(move |(path, _)| path.len() == length && path.last().is_some_and(|last| last == key))
    }

    /// True when this layer says anything about the stack, for whichever account.
    pub(super) fn declares_stack(&self, name: &str) -> bool {
        self.leaves.contains_key(["stacks".to_owned(), name.to_owned()].as_slice())
    }

    fn deny(&mut self, reader: &mut Reader<'_>, path: &[&str], denial: Denial, place: Place) {
        // Whole things can be absent; a part of one is a value like any other.
        if denial == Denial::Absent && !is_whole(path) {
            let message = format!("`{}` cannot be absent", path.join("."));
            reader.fault(
                Rule::Absent,
                place,
                message,
                "null leaves it to others; \"absent\" in quotes is a text",
            );
            return;
        }
        let path = path.iter().map(|&name| name.to_owned()).collect();
        self.denied.insert(path, At { value: denial, spot: reader.spot(place) });
    }

    /// What becomes of everything this layer declares, where an entry does not say otherwise: it is as if each entry
    /// said it. `landfast.yaml` says it of every entry there is.
    fn read_default_on_leave(&mut self, reader: &mut Reader<'_>, node: &Node, kin: Kin) {
        let Some(on_leave) = on_leave(reader, node) else { return };
        let value = serde_json::to_value(on_leave).unwrap_or_default();
        if kin == Kin::Repository {
            self.put(reader, &["onLeave"], value.clone(), node.place);
        }
        let entries: Vec<Path> = self.leaves.keys().filter_map(|path| entry_of(path)).collect();
        for entry in entries {
            let path = [entry, vec!["onLeave".to_owned()]].concat();
            let at = At { value: value.clone(), spot: reader.spot(node.place) };
            self.leaves.entry(path).or_insert(at);
        }
    }

    /// `onLeave` and `mode` at one entry: they are about it, and nearer than what a layer says of all of its own.
    fn read_about(&mut self, reader: &mut Reader<'_>, fields: &mut Fields<'_>, path: &[&str]) {
        if let Some(node) = fields.optional("onLeave")
            && let Some(on_leave) = on_leave(reader, node)
        {
            let value = serde_json::to_value(on_leave).unwrap_or_default();
            self.put(reader, &[path, &["onLeave"]].concat(), value, node.place);
        }
        if let Some(node) = fields.optional("mode")
            && let Some(mode) = mode(reader, node)
        {
            let value = serde_json::to_value(mode).unwrap_or_default();
            self.put(reader, &[path, &["mode"]].concat(), value, node.place);
        }
    }

    fn deny_all(&mut self, reader: &mut Reader<'_>, path: &[&str], denied: Vec<(&str, Denial, Place)>) {
        for (key, denial, place) in denied {
            self.deny(reader, &[path, &[key]].concat(), denial, place);
        }
    }

    /// The entries of a map with free keys that are given a value; the others are denied.
    fn given<'n>(&mut self, reader: &mut Reader<'_>, node: &'n Node, path: &[&str]) -> Vec<&'n Entry> {
        let entries = reader.entries(node).unwrap_or_default().iter();
        let (denied, given): (Vec<_>, _) = entries.partition(|entry| Denial::of(&entry.value).is_some());
        for entry in denied {
            let denial = Denial::of(&entry.value).unwrap_or(Denial::Withdrawn);
            self.deny(reader, &[path, &[&entry.key]].concat(), denial, entry.place);
        }
        given
    }

    /// The same where `absent` is a text like any other.
    fn given_texts<'n>(&mut self, reader: &mut Reader<'_>, node: &'n Node, path: &[&str]) -> Vec<&'n Entry> {
        let entries = reader.entries(node).unwrap_or_default().iter();
        let (denied, given): (Vec<_>, _) = entries.partition(|entry| entry.value.is_written_null());
        for entry in denied {
            self.deny(reader, &[path, &[&entry.key]].concat(), Denial::Withdrawn, entry.place);
        }
        given
    }

    fn read_mode(&mut self, reader: &mut Reader<'_>, entry: &Entry) {
        if entry.value.is_written_null() {
            self.deny(reader, &["mode"], Denial::Withdrawn, entry.place);
        } else if let Some(mode) = mode(reader, &entry.value) {
            let value = serde_json::to_value(mode).unwrap_or_default();
            self.put(reader, &["mode"], value, entry.value.place);
        }
    }

    fn read_values(&mut self, reader: &mut Reader<'_>, node: &Node) {
        for entry in self.given_texts(reader, node, &["values"]) {
            self.flatten(reader, &["values", &entry.key], &entry.value);
        }
    }

    /// Values are free data: maps in them merge by key as well. A map without a key only says that it is a map.
    fn flatten(&mut self, reader: &mut Reader<'_>, path: &[&str], node: &Node) {
        match &node.kind {
            Kind::Map(entries) if node.tag.is_none() && !entries.is_empty() => {
                for entry in self.given_texts(reader, node, path) {
                    self.flatten(reader, &[path, &[entry.key.as_str()]].concat(), &entry.value);
                }
            }
            _ => {
                if let Some(value) = reader.value(node) {
                    self.put(reader, path, value, node.place);
                }
            }
        }
    }

    fn put(&mut self, reader: &Reader<'_>, path: &[&str], value: Value, place: Place) {
        let path = path.iter().map(|&name| name.to_owned()).collect();
        self.leaves.insert(path, At { value, spot: reader.spot(place) });
    }

    fn read_settings(&mut self, reader: &mut Reader<'_>, node: &Node, kin: Kin) {
        let Some(mut fields) = reader.layered(node) else { return };
        for kind in SettingKind::VARIANTS {
            let Some(entry) = fields.entry(kind.key()) else { continue };
            match kind {
                SettingKind::PasswordPolicy => {
                    self.put(reader, &["settings", kind.key()], Value::Null, entry.place);
                    self.read_password_policy(reader, &entry.value, kin);
                }
                SettingKind::AccountAlias => {
                    let node = self.plain_or_narrowed(reader, entry, kin);
                    let Some(alias) = node.and_then(|node| reader.text(node)) else { continue };
                    self.put(reader, &["settings", kind.key()], alias.value.into(), alias.spot.place);
                }
                SettingKind::SamlProvider => {
                    for provider in self.given(reader, &entry.value, &["settings", kind.key()]) {
                        self.read_saml_provider(reader, provider, kin);
                    }
                }
            }
        }
        let denied = fields.close_layered(reader);
        self.deny_all(reader, &["settings"], denied);
    }

    fn read_saml_provider(&mut self, reader: &mut Reader<'_>, entry: &Entry, kin: Kin) {
        let name = entry.key.as_str();
        if let Err(invalid) = SamlProviderName::parse(name) {
            reader.fault(Rule::Identifier, entry.place, invalid.to_string(), "");
            return;
        }
        let Some(mut fields) = reader.layered(&entry.value) else { return };
        let path = ["settings", SettingKind::SamlProvider.key(), name, "metadata"];
        self.put(reader, &path[..3], Value::Null, entry.place);
        if let Some(file) = fields.optional("metadata").and_then(|node| file_path(reader, node, "metadata")) {
            let place = file.spot.place;
            self.put(reader, &path, file.value.into(), place);
        }
        self.read_about(reader, &mut fields, &path[..3]);
        self.read_narrowing(reader, &mut fields, &path[..3], kin);
        let denied = fields.close_layered(reader);
        self.deny_all(reader, &path[..3], denied);
    }

    /// A setting that is one text has no room for targets, so it can be written `{value: …, targets: …}` too.
    fn plain_or_narrowed<'n>(
        &mut self,
        reader: &mut Reader<'_>,
        entry: &'n Entry,
        kin: Kin,
    ) -> Option<&'n Node> {
        if !matches!(entry.value.kind, Kind::Map(_)) {
            return Some(&entry.value);
        }
        let mut fields = reader.fields(&entry.value)?;
        let value = fields.required("value", reader, "the text itself");
        self.read_about(reader, &mut fields, &["settings", &entry.key]);
        self.read_narrowing(reader, &mut fields, &["settings", &entry.key], kin);
        fields.close(reader);
        value
    }

    /// `targets` at one entry of a baseline.
    fn read_narrowing(&mut self, reader: &mut Reader<'_>, fields: &mut Fields<'_>, path: &[&str], kin: Kin) {
        if kin == Kin::Baseline
            && let Some(targets) = fields.optional("targets").and_then(|node| Targets::read(reader, node))
        {
            self.narrowed.insert(path.iter().map(|&name| name.to_owned()).collect(), targets);
        }
    }

    fn read_password_policy(&mut self, reader: &mut Reader<'_>, node: &Node, kin: Kin) {
        let Some(mut fields) = reader.layered(node) else { return };
        self.read_about(reader, &mut fields, &["settings", "passwordPolicy"]);
        self.read_narrowing(reader, &mut fields, &["settings", "passwordPolicy"], kin);
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
        let denied = fields.close_layered(reader);
        self.deny_all(reader, &["settings", "passwordPolicy"], denied);
    }

    fn read_stack(&mut self, reader: &mut Reader<'_>, entry: &Entry, kin: Kin) {
        let name = entry.key.as_str();
        if let Err(invalid) = StackName::parse(name) {
            reader.fault(Rule::Identifier, entry.place, invalid.to_string(), "");
            return;
        }
        let Some(mut fields) = reader.layered(&entry.value) else { return };
        self.put(reader, &["stacks", name], Value::Null, entry.place);
        if let Some(path) = fields.optional("template").and_then(|node| file_path(reader, node, "template")) {
            let place = path.spot.place;
            self.put(reader, &["stacks", name, "template"], path.value.into(), place);
        }
        self.read_parameters(reader, &mut fields, name);
        for (key, allowed) in [("regions", &[][..]), ("needs", &[]), ("capabilities", &CAPABILITIES)] {
            self.read_list(reader, &mut fields, (name, key), allowed);
        }
        self.read_about(reader, &mut fields, &["stacks", name]);
        self.read_narrowing(reader, &mut fields, &["stacks", name], kin);
        let denied = fields.close_layered(reader);
        self.deny_all(reader, &["stacks", name], denied);
    }

    fn read_parameters(&mut self, reader: &mut Reader<'_>, fields: &mut Fields<'_>, stack: &str) {
        for key in ["parameters", "tags"] {
            let Some(node) = fields.optional(key) else { continue };
            for entry in self.given_texts(reader, node, &["stacks", stack, key]) {
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
            reader.faults.report(
                Rule::Capability,
                &text.spot,
                message,
                suggest(&text.value, allowed.iter().copied()),
            );
        }
        let list = texts.into_iter().map(|text| text.value).collect();
        self.put(reader, &["stacks", stack, key], list, node.place);
    }
}

/// True for what can be there or not as a whole.
fn is_whole(path: &[&str]) -> bool {
    match path {
        ["settings", key] => *key != SettingKind::SamlProvider.key(),
        ["settings", key, _] => *key == SettingKind::SamlProvider.key(),
        ["stacks", _] => true,
        _ => false,
    }
}

/// True for a leaf that is about its entry, rather than a part of it.
pub(super) fn is_about(path: &[String]) -> bool {
    let Some((last, entry)) = path.split_last() else { return false };
    matches!(last.as_str(), "onLeave" | "mode") && entry_of(entry).is_some()
}

/// The entry a leaf marks: a stack, a setting, or one of several settings of a kind.
fn entry_of(path: &[String]) -> Option<Path> {
    let names: Vec<_> = path.iter().map(String::as_str).collect();
    is_whole(&names).then(|| path.to_vec())
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
        reader.fault(
            Rule::TemplatePath,
            node.place,
            message,
            "a plain path below the folder of this file, without `..`",
        );
        return None;
    }
    let folder = reader.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    Some(text.map(|name| format!("{folder}/{name}")))
}

/// A path that can be locked: `mode`, `access`, or something under `values`, `settings` or `stacks`.
fn lock_path(reader: &mut Reader<'_>, node: &Node) -> Option<At<Path>> {
    let text = reader.text(node)?;
    let path: Path = text.value.split('.').map(str::to_owned).collect();
    let names: Vec<_> = path.iter().map(String::as_str).collect();
    let is_lockable = match names.as_slice() {
        ["mode" | "access"] => true,
        ["values" | "settings" | "stacks", rest @ ..] => !rest.is_empty() && !rest.contains(&""),
        _ => false,
    };
    if !is_lockable {
        let message = format!("`{}` is nothing that can be locked", text.value);
        let hint = "such as settings.passwordPolicy, stacks.audit-trail, values.AlertEmail, mode or access";
        reader.fault(Rule::Locked, node.place, message, hint);
    }
    is_lockable.then(|| text.map(|_| path))
}
