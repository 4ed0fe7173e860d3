//! Policies of the organization: the files below `organization/policies`, and who names them.
//!
//! A policy is one JSON object, read strictly: what is sent to AWS is the file itself without its spaces, so that a file
//! two readers could read differently is refused. Nothing in it is evaluated: `${…}` is IAM's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::diagnostic::{At, Fault, Faults, Spot};
use super::fields::suggest;
use super::files::{self, Limit};
use super::memory::Memory;
use super::raw;
use super::rule::Rule;
use super::tree::{File, Tree};
use crate::model::{
    Declared, Mode, OuPath, Policies, Policy, PolicyName, PolicyTarget, PolicyType, Value, managed,
    managed_names, minified,
};
use crate::yaml::Place;

const FOLDER: &str = "organization/policies/";
/// The longest that AWS takes of any kind is a small part of it.
const FILE: Limit = Limit { bytes: 1 << 20, hint: "AWS takes no policy that is nearly as long" };
const WHERE: &str = "one policy each: organization/policies/<type>/<name>.json";

/// Every policy file, those that cannot be read as well: their names are taken.
#[derive(Default)]
pub(super) struct Shelf {
    by_name: BTreeMap<PolicyName, (Spot, Option<Arc<Policy>>)>,
}

impl Shelf {
    /// Reads every policy, but for those that are as they were.
    pub(super) fn read(tree: &Tree, memory: &mut Memory, faults: &mut Faults) -> Self {
        let mut shelf = Self::default();
        let mut strange = BTreeSet::new();
        for (path, rest) in tree.files.keys().filter_map(|path| Some((path, path.strip_prefix(FOLDER)?))) {
            let Some((folder, stem)) = parts(path, rest, faults) else { continue };
            match PolicyType::try_from(folder.to_owned()) {
                Ok(kind) => shelf.add(tree, path, kind, stem, memory, faults),
                Err(_) if strange.insert(folder) => {
                    let spot = Spot::file(&format!("{FOLDER}{folder}"));
                    let hint = suggest(folder, PolicyType::all().map(PolicyType::folder));
                    faults.report(Rule::UnknownName, &spot, format!("`{folder}` is no kind of policy"), hint);
                }
                Err(_) => {}
            }
        }
        shelf
    }

    fn add(
        &mut self,
        tree: &Tree,
        path: &str,
        kind: PolicyType,
        stem: &str,
        memory: &mut Memory,
        faults: &mut Faults,
    ) {
        let spot = Spot::file(path);
        let name = match PolicyName::parse(stem) {
            Ok(name) if managed(&name).is_some() => {
                let message = format!("`{name}` is AWS's own policy, which nobody can change");
                return faults.report(Rule::Policy, &spot, message, "give this one another name");
            }
            Ok(name) => name,
            Err(invalid) => {
                return faults.report(Rule::Identifier, &spot, invalid.to_string(), "rename the file");
            }
        };
        let file = tree.files.get(path);
        let policy =
            memory.policies.read(path, file, faults, |faults| read(tree, path, kind, faults).map(Arc::new));
        if let Some((other, _)) = self.by_name.get(&name) {
            let message = format!("there are two policies called `{name}`");
            let fault =
                Fault::new(Rule::Policy, &spot, message, "a name is for one policy, of whichever type");
            return faults.add(fault.see(other, "the other one"));
        }
        self.by_name.insert(name, (spot, policy));
    }

    /// The policies and where they are attached. `accounts` are the folders that could be read, perhaps not all.
    pub(super) fn declared(
        &self,
        organization: &raw::Organization,
        accounts: &[Arc<raw::Account>],
        mode: Mode,
        faults: &mut Faults,
    ) -> Policies {
        let ous = organization
            .policies
            .iter()
            .flat_map(|(path, names)| names.iter().map(move |name| (name, PolicyTarget::Ou(path.clone()))));
        let accounts = accounts.iter().flat_map(|file| {
            file.policies.iter().map(move |name| (name, PolicyTarget::Account(file.slug.clone())))
        });
        let mut attachments: BTreeMap<(PolicyName, PolicyTarget), Spot> = BTreeMap::new();
        for (name, target) in ous.chain(accounts) {
            self.check(name, faults);
            let key = (name.value.clone(), target);
            match attachments.get(&key) {
                Some(other) => {
                    let message = format!("`{}` is named twice", name.value);
                    faults
                        .add(Fault::new(Rule::Policy, &name.spot, message, "").see(other, "the first time"));
                }
                None => drop(attachments.insert(key, name.spot.clone())),
            }
        }
        Policies {
            by_name: self
                .by_name
                .iter()
                .filter_map(|(name, (spot, policy))| {
                    let (value, source) = (policy.as_deref()?.clone(), spot.source());
                    Some((name.clone(), Declared { value, source }))
                })
                .collect(),
            adopt: organization.adopt.iter().filter_map(|path| self.adopted(path, faults)).collect(),
            on_leave: organization.on_leave,
            mode,
            attachments: attachments.into_iter().map(|(key, spot)| (key, spot.source())).collect(),
        }
    }

    /// Says which policies nobody names.
    pub(super) fn warn_of_the_idle(&self, policies: &Policies, faults: &mut Faults) {
        let named: BTreeSet<_> = policies.attachments.keys().map(|(name, _)| name).collect();
        for (name, (spot, _)) in self.by_name.iter().filter(|(name, _)| !named.contains(name)) {
            let hint = "name it under `policies` of the root, an OU or an account";
            faults.report(
                Rule::PolicyIdle,
                spot,
                format!("the policy `{name}` is attached to nothing"),
                hint,
            );
        }
    }

    fn knows(&self, name: &PolicyName) -> bool {
        self.by_name.contains_key(name) || managed(name).is_some()
    }

    fn check(&self, name: &At<PolicyName>, faults: &mut Faults) {
        if !self.knows(&name.value) {
            let mut known: Vec<&str> = self.by_name.keys().map(PolicyName::as_str).collect();
            for name in managed_names() {
                known.push(name);
            }
            let message = format!("there is no policy `{}`", name.value);
            faults.report(
                Rule::UnknownName,
                &name.spot,
                message,
                suggest(name.value.as_str(), known.into_iter()),
            );
        }
    }

    fn adopted(&self, path: &At<String>, faults: &mut Faults) -> Option<PolicyName> {
        let name = path.value.strip_prefix("policies.").and_then(|name| PolicyName::parse(name).ok());
        let Some(name) = name else {
            let message = format!("`{}` is nothing that can be adopted here", path.value);
            faults.report(Rule::Adopt, &path.spot, message, "such as policies.deny-leaving");
            return None;
        };
        if !self.by_name.contains_key(&name) {
            let known = self.by_name.keys().map(PolicyName::as_str);
            let message = format!("there is no policy `{name}` to adopt");
            faults.report(Rule::UnknownName, &path.spot, message, suggest(name.as_str(), known));
        }
        Some(name)
    }
}

/// The folder and the name of a policy's file; nothing for other files, which are reported where they look like one.
fn parts<'p>(path: &str, rest: &'p str, faults: &mut Faults) -> Option<(&'p str, &'p str)> {
    let lower = rest.to_ascii_lowercase();
    if ![".json", ".yaml", ".yml"].iter().any(|end| lower.ends_with(end)) {
        return None;
    }
    let parts = rest.split_once('/').filter(|(_, file)| !file.contains('/'));
    let found = parts.and_then(|(folder, file)| Some((folder, file.strip_suffix(".json")?)));
    if found.is_none() {
        faults.report(Rule::StrayFile, &Spot::file(path), "a file that is no policy here", WHERE);
    }
    found
}

/// One policy, its size held to what AWS takes.
fn read(tree: &Tree, path: &str, kind: PolicyType, faults: &mut Faults) -> Option<Policy> {
    let at = |line, column| Spot { path: path.into(), place: Place { line, column } };
    if let Some(File::Blob(bytes)) = tree.files.get(path)
        && bytes.starts_with("\u{feff}".as_bytes())
    {
        let hint = "save it as UTF-8 without one";
        faults.report(Rule::Policy, &at(1, 1), "the file begins with a byte order mark", hint);
        return None;
    }
    let json = files::text(tree, path, &FILE, faults)?;
    let content = match serde_json::from_str::<Strict>(json) {
        Ok(Strict(content)) => content,
        Err(error) => {
            let (line, column) = place(json, error.line(), error.column());
            faults.report(Rule::Policy, &at(line, column), words(&error), "a policy is one JSON object");
            return None;
        }
    };
    if !content.is_object() {
        let before = json.len() - json.trim_start().len();
        let (line, column) = place(json, json[..before].lines().count().max(1), 1);
        let hint = "it begins with { and ends with }";
        faults.report(Rule::Policy, &at(line, column), "a policy is one JSON object", hint);
        return None;
    }
    let text = minified(json);
    check_size(&text, kind, &Spot::file(path), faults);
    Some(Policy { kind, content: kind.canonical(content), text })
}

fn check_size(text: &str, kind: PolicyType, spot: &Spot, faults: &mut Faults) {
    let size = text.chars().count();
    let says = |limit: usize| {
        format!("the policy has {size} characters without its spaces, and {limit} are allowed")
    };
    let hint = "take two policies for one, or say it with fewer words";
    if let Some(limit) = kind.limit().filter(|limit| size > *limit) {
        faults.report(Rule::PolicySize, spot, says(limit), hint);
    } else if let Some(usual) = kind.usual_limit().filter(|usual| size > *usual) {
        let hint = "it is sent all the same: not every organization may have longer ones";
        faults.report(Rule::PolicyLength, spot, says(usual), hint);
    }
}

/// The names under one `policies` key.
pub(super) fn names(reader: &mut super::fields::Reader<'_>, node: &crate::yaml::Node) -> Vec<At<PolicyName>> {
    reader.list(node, |reader, node| reader.parse(node, PolicyName::parse))
}

/// Names by the OU that has them, the root's under `/`.
pub(super) type ByOu = BTreeMap<OuPath, Vec<At<PolicyName>>>;

/// serde's place, which counts bytes, in characters.
fn place(json: &str, line: usize, column: usize) -> (u32, u32) {
    let text = json.split('\n').nth(line.saturating_sub(1)).unwrap_or_default();
    let before = text.char_indices().take_while(|(at, _)| *at + 1 < column).count();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    (number(line.max(1)), number(before + 1))
}

/// What is wrong, without the place.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words).to_owned()
}

/// JSON in which no key is there twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Shape).map(Self)
    }
}

struct Shape;

impl<'de> Visitor<'de> for Shape {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::from(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = serde_json::Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if fields.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` is there twice")));
            }
            let Strict(value) = map.next_value()?;
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}
