//! The organization's file: how it begins, what it names, and the OUs it lacks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::edit;
use crate::load::{self, Tree};
use crate::model::{AccountId, OrganizationId, OuPath, PolicyName, Region, RoleName};

/// Where the organization's file is.
pub const ORGANIZATION: &str = "organization/organization.yaml";

/// What a repository begins with.
#[derive(Clone, Debug)]
pub struct Start {
    /// The organization.
    pub id: OrganizationId,
    /// Its management account.
    pub management: AccountId,
    /// The home region, then others to look into.
    pub regions: Vec<Region>,
    /// The role that writes in accounts; the one AWS makes where nothing is said.
    pub role: Option<RoleName>,
    /// The role that reads in accounts.
    pub read_role: Option<RoleName>,
    /// The role for Organizations, where it is not the credentials' own account.
    pub management_role: Option<RoleName>,
    /// The external id the roles ask for.
    pub external_id: Option<String>,
}

/// The organization's file of a repository that begins.
pub fn start(start: &Start) -> String {
    let Start { id, management, regions, role, read_role, management_role, external_id } = start;
    let mut keys = vec![("id", json!(id)), ("managementAccount", json!(management))];
    keys.extend(regions.first().map(|home| ("homeRegion", json!(home))));
    if regions.len() > 1 {
        keys.push(("regions", json!({"all": regions})));
    }
    let access: Map<_, _> = [
        ("role", json!(role)),
        ("readRole", json!(read_role)),
        ("managementRole", json!(management_role)),
        ("externalId", json!(external_id)),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_null())
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    if !access.is_empty() {
        keys.push(("access", Value::Object(access)));
    }
    load::document(&keys)
}

/// The regions that the organization's file names, the home region first.
pub fn regions(tree: &Tree) -> Vec<Region> {
    let file = value(super::text(tree, ORGANIZATION).unwrap_or_default());
    let region = |value: &Value| value.as_str().and_then(|text| Region::parse(text).ok());
    let Some(home) = file.get("homeRegion").and_then(region) else { return Vec::new() };
    let groups = file.get("regions").and_then(Value::as_object).into_iter().flatten();
    let named = groups.flat_map(|(_, group)| group.as_array().cloned().unwrap_or_default());
    super::in_order(home, named.filter_map(|value| region(&value)))
}

/// The tags that every account has to have.
pub(super) fn required_tags(text: &str) -> Vec<String> {
    let file = value(text);
    let tags = file.pointer("/accountDefaults/requiredTags").and_then(Value::as_array);
    tags.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The tags that every account is given.
pub(super) fn default_tags(text: &str) -> Vec<String> {
    let file = value(text);
    let tags = file.pointer("/accountDefaults/tags").and_then(Value::as_object);
    tags.into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

fn value(text: &str) -> Value {
    yaml_serde::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default()
}

/// The text with the OUs it lacks, and those that a person has to add, each with the lines.
pub(super) fn with_ous(
    text: &str,
    known: &BTreeSet<OuPath>,
    found: &[OuPath],
) -> (String, Vec<(OuPath, String)>) {
    let (mut text, mut by_hand) = (text.to_owned(), Vec::new());
    for (path, below) in missing(known, found) {
        let keys = keys(&path);
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        match edit::insert(&text, &keys, &below) {
            Some(more) => text = more,
            None => by_hand.push((path, edit::snippet(&keys, &below))),
        }
    }
    (text, by_hand)
}

/// The topmost OUs that are missing, each with everything below it.
fn missing(known: &BTreeSet<OuPath>, found: &[OuPath]) -> BTreeMap<OuPath, Value> {
    let is_known = |path: &OuPath| path.is_root() || known.contains(path);
    let tops = found.iter().filter(|path| !is_known(path) && path.parent().is_none_or(|it| is_known(&it)));
    tops.map(|top| (top.clone(), below(top, found))).collect()
}

fn below(top: &OuPath, found: &[OuPath]) -> Value {
    let children = found.iter().filter(|path| path.parent().as_ref() == Some(top));
    let children: Map<_, _> = children.map(|it| (it.name().to_owned(), below(it, found))).collect();
    if children.is_empty() { json!({}) } else { json!({"ous": children}) }
}

/// The text with the names of policies that it lacks at the root and at OUs, what was added, and what a person has to
/// add.
pub(super) fn with_policies(
    text: &str,
    wanted: &BTreeMap<OuPath, BTreeSet<PolicyName>>,
) -> (String, Vec<String>, Vec<String>) {
    let (mut text, mut added, mut by_hand) = (text.to_owned(), Vec::new(), Vec::new());
    for (path, names) in wanted {
        let mut keys = keys(path);
        keys.push("policies".to_owned());
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        match edit::insert(&text, &keys, &json!(names)) {
            Some(more) => {
                text = more;
                added.extend(names.iter().map(|name| format!("{name} at {path}")));
            }
            None => by_hand.push(edit::snippet(&keys, &json!(names))),
        }
    }
    (text, added, by_hand)
}

/// Where an OU stands in the file: `ous`, its name, `ous`, the name below…
fn keys(path: &OuPath) -> Vec<String> {
    let names = path.as_str().split('/').filter(|name| !name.is_empty());
    names.flat_map(|name| ["ous".to_owned(), name.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ous_are_added_where_they_belong_and_comments_stay() {
        let path = |text: &str| OuPath::parse(text).unwrap();
        let known = BTreeSet::from([path("/a"), path("/b")]);
        let found: Vec<_> = ["/a", "/b", "/a/x", "/c", "/c/y", "/c/y/z"].into_iter().map(path).collect();
        let (text, by_hand) = with_ous("id: o-1\nous:\n  # First.\n  b: {} # B\n  a: {}\n", &known, &found);
        let expected = "id: o-1\nous:\n  c:\n    ous:\n      \"y\":\n        ous:\n          z: {}\n  # First.\n  b: {} # B\n  \
                        a:\n    ous:\n      x: {}\n";
        assert_eq!((text.as_str(), by_hand), (expected, Vec::new()));
        let (text, by_hand) = with_ous("ous: {a: {}, b: {}}\n", &known, &found);
        assert_eq!(text, "ous: {a: {}, b: {}}\n");
        assert_eq!(by_hand.len(), 2, "{by_hand:?}");
    }
}
