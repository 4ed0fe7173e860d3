//! What may not be there, and what is to be removed once nobody declares it any more.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::At;
use super::fields::Denial;
use super::layer::Path;
use super::merge::Merged;
use super::words::{Said, Word, Words};
use crate::model::{
    Declared, Item, OnLeave, Region, Setting, SettingValue, Source, Stack, StackKey, StackName,
};

/// Everything that must not be there, with the place that says so: a stack in none of the organization's regions.
pub(super) fn absent(words: &Words<'_>, regions: &[Region]) -> BTreeMap<Item, Source> {
    let is_absent = |word: &Word<'_>| matches!(word.said, Said::Denied(At { value: Denial::Absent, .. }));
    let denied = words.decided().filter(|(_, word)| is_absent(word));
    denied
        .flat_map(|(path, word)| items(path, regions).into_iter().map(|item| (item, word.spot().source())))
        .collect()
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
    merged: &Merged,
    settings: &BTreeMap<Setting, Declared<SettingValue>>,
    stacks: &BTreeMap<StackKey, Declared<Stack>>,
) -> BTreeSet<Item> {
    let is_removed =
        |(entry, item): (Path, Item)| (on_leave(merged, entry) == OnLeave::Remove).then_some(item);
    entries(settings, stacks).filter_map(is_removed).collect()
}

/// Every item with the path of the entry that declares it.
pub(super) fn entries(
    settings: &BTreeMap<Setting, Declared<SettingValue>>,
    stacks: &BTreeMap<StackKey, Declared<Stack>>,
) -> impl Iterator<Item = (Path, Item)> {
    let settings = settings.keys().map(|setting| (setting_entry(setting), Item::Setting(setting.clone())));
    let entry = |key: &StackKey| vec!["stacks".to_owned(), key.name.to_string()];
    settings.chain(stacks.keys().map(move |key| (entry(key), Item::Stack(key.clone()))))
}

/// The entry's own word, or else the repository's.
pub(super) fn on_leave(merged: &Merged, entry: Path) -> OnLeave {
    let own = merged.get(&[entry, vec!["onLeave".to_owned()]].concat());
    let leaf = own.or_else(|| merged.get(["onLeave".to_owned()].as_slice()));
    leaf.and_then(|leaf| serde_json::from_value(leaf.value.clone()).ok()).unwrap_or_default()
}

/// `settings`, the kind's key and, where there are several, the name.
fn setting_entry(setting: &Setting) -> Path {
    let rest = setting.to_string();
    std::iter::once("settings").chain(rest.splitn(2, '.')).map(str::to_owned).collect()
}
