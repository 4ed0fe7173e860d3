//! What may not be there, and what is to be removed once nobody declares it any more.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize as _;

use super::diagnostic::At;
use super::fields::Denial;
use super::merge::Merged;
use super::words::Words;
use crate::model::{
    Declared, Item, OnLeave, Region, Setting, SettingValue, Source, Stack, StackKey, StackName, Value,
};

/// Everything that must not be there, with the place that says so: a stack in none of the organization's regions.
pub(super) fn absent(words: &Words<'_>, regions: &[Region]) -> BTreeMap<Item, Source> {
    let absent = words.denied().filter(|(_, denial)| denial.value == Denial::Absent);
    let items =
        absent.flat_map(|(path, denial)| items(path, regions).into_iter().map(move |it| (it, denial)));
    items.map(|(item, denial)| (item, denial.spot.source())).collect()
}

fn items(path: &[String], regions: &[Region]) -> Vec<Item> {
    match path {
        [head, name] if head == "stacks" => {
            let key = |region: &Region| {
                Some(Item::Stack(StackKey {
                    name: StackName::parse(name.as_str()).ok()?,
                    region: region.clone(),
                }))
            };
            regions.iter().filter_map(key).collect()
        }
        [head, rest @ ..] if head == "settings" => {
            rest.join(".").parse().map(Item::Setting).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// What is to be removed once it is no longer declared.
pub(super) fn remove_on_leave(
    merged: &Merged<'_>,
    settings: &BTreeMap<Setting, Declared<SettingValue>>,
    stacks: &BTreeMap<StackKey, Declared<Stack>>,
) -> BTreeSet<Item> {
    let about = entries(merged, "onLeave", settings, stacks);
    let is_removed =
        |(leaf, it): (_, Named<'_>)| (on_leave(merged, leaf) == OnLeave::Remove).then(|| it.item());
    about.filter_map(is_removed).collect()
}

/// The name of an item: most are only looked at, and not copied.
pub(super) enum Named<'a> {
    Setting(&'a Setting),
    Stack(&'a StackKey),
}

impl Named<'_> {
    pub(super) fn item(&self) -> Item {
        match self {
            Self::Setting(setting) => Item::Setting((*setting).clone()),
            Self::Stack(key) => Item::Stack((*key).clone()),
        }
    }
}

/// Every item with what the entry that declares it says of `key`, such as `mode`.
pub(super) fn entries<'m>(
    merged: &'m Merged<'m>,
    key: &'m str,
    settings: &'m BTreeMap<Setting, Declared<SettingValue>>,
    stacks: &'m BTreeMap<StackKey, Declared<Stack>>,
) -> impl Iterator<Item = (Option<&'m At<Value>>, Named<'m>)> {
    // Most accounts say it of nothing: then there is nothing to look up.
    let is_said =
        merged.iter().any(|(path, _)| path.len() > 1 && path.last().is_some_and(|last| last == key));
    let said = move |path: &[&str]| if is_said { merged.get(path) } else { None };
    let of_setting = move |setting: &'m Setting| {
        // The kind's key and, where there are several, the name.
        let rest = setting.to_string();
        let path: Vec<_> = ["settings"].into_iter().chain(rest.splitn(2, '.')).chain([key]).collect();
        (said(&path), Named::Setting(setting))
    };
    let of_stack = move |it: &'m StackKey| (said(&["stacks", it.name.as_str(), key]), Named::Stack(it));
    settings.keys().map(of_setting).chain(stacks.keys().map(of_stack))
}

/// The entry's own word, or else the repository's.
pub(super) fn on_leave(merged: &Merged<'_>, own: Option<&At<Value>>) -> OnLeave {
    let leaf = own.or_else(|| merged.get(&["onLeave"]));
    leaf.and_then(|leaf| OnLeave::deserialize(&leaf.value).ok()).unwrap_or_default()
}
