//! `adopt`: the paths that say what may be overwritten although it was found there.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::{At, Faults};
use super::fields::suggest;
use super::layer::Layer;
use super::rule::Rule;
use crate::model::{AccountProperty, Declared, Item, Region, Setting, Slug, Stack, StackKey};

/// The items one layer adopts in one account.
pub(super) fn items(
    slug: &Slug,
    layer: &Layer,
    stacks: &BTreeMap<StackKey, Declared<Stack>>,
    faults: &mut Faults,
) -> BTreeSet<Item> {
    layer.adopt.iter().flat_map(|path| item(slug, layer, path, stacks, faults)).collect()
}

fn item(
    slug: &Slug,
    layer: &Layer,
    path: &At<String>,
    stacks: &BTreeMap<StackKey, Declared<Stack>>,
    faults: &mut Faults,
) -> Vec<Item> {
    let property = |property| vec![Item::Account(slug.clone(), property)];
    match path.value.split_once('.') {
        None if path.value == "name" => return property(AccountProperty::Name),
        None if path.value == "email" => return property(AccountProperty::Email),
        None if path.value == "ou" => return property(AccountProperty::Ou),
        Some(("tags", key)) if !key.is_empty() => return property(AccountProperty::Tag(key.to_owned())),
        Some(("settings", key)) => {
            if let Some(setting) = Setting::from_key(key) {
                return vec![Item::Setting(setting)];
            }
            let keys = Setting::ALL.map(Setting::key);
            faults.report(
                Rule::UnknownName,
                &path.spot,
                format!("there is no setting `{key}`"),
                suggest(key, keys.into_iter()),
            );
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
    stacks: &BTreeMap<StackKey, Declared<Stack>>,
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
    let found: Vec<_> = stacks.keys().filter(here).cloned().map(Item::Stack).collect();
    let malformed = rest.contains('[') && region.is_none();
    // A baseline's stack may be narrowed to other accounts; then there is nothing to adopt in this one.
    if malformed || (found.is_empty() && !layer.declares_stack(name)) {
        let hint = suggest(name, stacks.keys().map(|key| key.name.as_str()));
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
