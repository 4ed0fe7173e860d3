//! `adopt`: the paths that say what may be overwritten although it was found there.

use std::collections::{BTreeMap, BTreeSet};

use strum::VariantArray;

use super::diagnostic::{At, Faults};
use super::fields::suggest;
use super::layer::Layer;
use super::rule::Rule;
use crate::model::{AccountProperty, Declared, Item, Region, SettingKind, Slug, Source, Stack, StackKey};

/// The items one layer adopts in one account.
pub(super) fn items(
    slug: &Slug,
    layer: &Layer,
    stacks: &BTreeMap<StackKey, Declared<Stack>>,
    absent: &BTreeMap<Item, Source>,
    faults: &mut Faults,
) -> BTreeSet<Item> {
    if layer.adopt.is_empty() {
        return BTreeSet::new();
    }
    let gone = absent.keys().filter_map(|item| match item {
        Item::Stack(key) => Some(key),
        _ => None,
    });
    let keys: BTreeSet<&StackKey> = stacks.keys().chain(gone).collect();
    layer.adopt.iter().flat_map(|path| item(slug, layer, path, &keys, faults)).collect()
}

fn item(
    slug: &Slug,
    layer: &Layer,
    path: &At<String>,
    stacks: &BTreeSet<&StackKey>,
    faults: &mut Faults,
) -> Vec<Item> {
    let property = |property| vec![Item::Account(slug.clone(), property)];
    match path.value.split_once('.') {
        None if path.value == "name" => return property(AccountProperty::Name),
        None if path.value == "email" => return property(AccountProperty::Email),
        None if path.value == "ou" => return property(AccountProperty::Ou),
        Some(("tags", key)) if !key.is_empty() => return property(AccountProperty::Tag(key.to_owned())),
        Some(("settings", rest)) => {
            if let Ok(setting) = rest.parse() {
                return vec![Item::Setting(setting)];
            }
            let mut keys = SettingKind::VARIANTS.iter().map(|kind| kind.key());
            let hint = match keys.clone().find(|key| *key == rest) {
                Some(map) => format!("name one of them: settings.{map}.<name>"),
                None => suggest(rest, keys.by_ref()),
            };
            faults.report(Rule::UnknownName, &path.spot, format!("there is no setting `{rest}`"), hint);
            return Vec::new();
        }
        Some(("stacks", rest)) => return stack_items(slug, layer, path, rest, stacks, faults),
        _ => {}
    }
    let hint = "such as settings.passwordPolicy, stacks.network, stacks.network[eu-west-1], ou or tags.env";
    faults.report(Rule::Adopt, &path.spot, format!("`{}` is nothing that can be adopted", path.value), hint);
    Vec::new()
}

/// `name` is the stack in all its regions, `name[region]` in one.
fn stack_items(
    slug: &Slug,
    layer: &Layer,
    path: &At<String>,
    rest: &str,
    stacks: &BTreeSet<&StackKey>,
    faults: &mut Faults,
) -> Vec<Item> {
    let (name, region) = match rest.split_once('[') {
        Some((name, region)) => {
            (name, region.strip_suffix(']').and_then(|region| Region::parse(region).ok()))
        }
        None => (rest, None),
    };
    let here = |key: &&StackKey| {
        key.name.as_str() == name && region.as_ref().is_none_or(|region| key.region == *region)
    };
    let found: Vec<_> = stacks.iter().copied().filter(here).cloned().map(Item::Stack).collect();
    let malformed = rest.contains('[') && region.is_none();
    // A baseline's stack may be narrowed to other accounts; then there is nothing to adopt in this one.
    if malformed || (found.is_empty() && !layer.declares_stack(name)) {
        let hint = suggest(name, stacks.iter().map(|key| key.name.as_str()));
        faults.report_for(
            Rule::UnknownName,
            slug,
            &path.spot,
            format!("there is no stack `{rest}` to adopt"),
            hint,
        );
    }
    found
}
