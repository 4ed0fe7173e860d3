//! The files of `landfast/observed`: one map of items to values for each scope.
//!
//! Guarantees: the same items print as the same bytes, and read back as the same items. What cannot be read back
//! (another version's items, a damaged file) is left out, never guessed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Error;
use crate::model::{CommitId, Item, Proofs, Scope, Slug, Ties, Value};

pub(super) type Items = BTreeMap<Item, Value>;

const HEADER: &str = "# written by landfast; do not edit\n";
/// A scope of a hundred stacks with the largest templates stays well below.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// The file that names the commit last put in force.
pub(super) const ACCEPTED: &str = "accepted";

/// The commit last put in force; nothing when the tree does not say, or not in our way.
pub(super) fn accepted(
    repository: &git2::Repository,
    tree: &git2::Tree<'_>,
) -> Result<Option<CommitId>, Error> {
    let entry = tree.get_name(ACCEPTED).filter(|entry| entry.kind() == Some(git2::ObjectType::Blob));
    let Some(entry) = entry else { return Ok(None) };
    let blob = repository.find_blob(entry.id())?;
    let text = std::str::from_utf8(blob.content()).unwrap_or_default();
    Ok(CommitId::parse(text.trim_end()).ok())
}

/// Where the items of `scope` are kept below `folder`: `base/accounts/payments-prod.yaml`.
pub(super) fn path(folder: &str, scope: &Scope) -> String {
    format!("{folder}/{}", file_name(&scope.to_string()))
}

fn file_name(scope: &str) -> String {
    format!("{scope}.yaml")
}

/// The file's text.
pub(super) fn print(items: &BTreeMap<Item, impl Serialize>) -> Result<String, Error> {
    let body = yaml_serde::to_string(items).map_err(|error| Error::bug(format!("items as YAML: {error}")))?;
    Ok(format!("{HEADER}{body}"))
}

/// The items of a file; nothing when it is not one of ours.
pub(super) fn parse(text: &[u8]) -> Option<Items> {
    let items: BTreeMap<String, Value> = yaml_serde::from_str(std::str::from_utf8(text).ok()?).ok()?;
    Some(items.into_iter().filter_map(|(path, value)| Some((path.parse().ok()?, value))).collect())
}

/// The text of a file of proofs; none where there are none.
pub(super) fn print_proofs(proofs: &Proofs) -> Result<Option<String>, Error> {
    let value = |proof| {
        serde_json::to_value(proof).map_err(|error| Error::bug(format!("a proof as a value: {error}")))
    };
    let items: Result<Items, Error> =
        proofs.iter().map(|(item, proof)| Ok((item.clone(), value(proof)?))).collect();
    let items = items?;
    (!items.is_empty()).then(|| print(&items)).transpose()
}

/// The proofs in a file's items; what is not one is left out.
pub(super) fn proofs(items: Items) -> Proofs {
    let proof = |(item, value)| Some((item, serde_json::from_value(value).ok()?));
    items.into_iter().filter_map(proof).collect()
}

/// The text of a file of ties; none where there are none.
pub(super) fn print_ties(ties: &Ties) -> Result<Option<String>, Error> {
    let value =
        |tie| serde_json::to_value(tie).map_err(|error| Error::bug(format!("a tie as a value: {error}")));
    let items: Result<Items, Error> =
        ties.iter().map(|(item, tie)| Ok((item.clone(), value(tie)?))).collect();
    let items = items?;
    (!items.is_empty()).then(|| print(&items)).transpose()
}

/// The ties in a file's items; what is not one is left out, so that what it was about is kept.
pub(super) fn ties(items: Items) -> Ties {
    let tie = |(item, value)| Some((item, serde_json::from_value(value).ok()?));
    items.into_iter().filter_map(tie).collect()
}

/// Every scope below `folder` of a tree. What is not there is empty; what cannot be read is an error.
pub(super) fn read(
    repository: &git2::Repository,
    tree: &git2::Tree<'_>,
    folder: &str,
) -> Result<BTreeMap<Scope, Items>, Error> {
    let mut scopes = BTreeMap::new();
    let Some(folder) = subfolder(repository, tree, folder)? else { return Ok(scopes) };
    let organization = file_name(&Scope::Organization.to_string());
    if let Some(entry) = folder.get_name(&organization)
        && let Some(items) = items(repository, &entry)?
    {
        scopes.insert(Scope::Organization, items);
    }
    let Some(accounts) = subfolder(repository, &folder, "accounts")? else { return Ok(scopes) };
    for entry in &accounts {
        let slug = entry.name().ok().and_then(|name| Slug::parse(name.strip_suffix(".yaml")?).ok());
        if let Some((slug, items)) = slug.zip(items(repository, &entry)?) {
            scopes.insert(Scope::Account(slug), items);
        }
    }
    Ok(scopes)
}

/// The folder of the accounts' bases; nothing where there is none.
pub(super) fn accounts<'a>(
    repository: &'a git2::Repository,
    tree: &git2::Tree<'_>,
) -> Result<Option<git2::Tree<'a>>, Error> {
    match subfolder(repository, tree, "base")? {
        Some(base) => subfolder(repository, &base, "accounts"),
        None => Ok(None),
    }
}

/// Looks in one tree at a time: libgit2's lookup by path cannot tell a damaged folder from an absent one.
fn subfolder<'a>(
    repository: &'a git2::Repository,
    tree: &git2::Tree<'_>,
    name: &str,
) -> Result<Option<git2::Tree<'a>>, Error> {
    let entry = tree.get_name(name).filter(|entry| entry.kind() == Some(git2::ObjectType::Tree));
    Ok(entry.map(|entry| repository.find_tree(entry.id())).transpose()?)
}

fn items(repository: &git2::Repository, entry: &git2::TreeEntry<'_>) -> Result<Option<Items>, Error> {
    let is_file = matches!(entry.filemode(), 0o100_644 | 0o100_755);
    if !is_file || repository.odb()?.read_header(entry.id())?.0 > MAX_BYTES {
        return Ok(None);
    }
    Ok(parse(repository.find_blob(entry.id())?.content()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            any::<String>(),
            "[ \t\r\n:#|>&*!%@`'\"{}\\[\\],?~a-z0-9.+-]{0,24}",
            "(yes|no|null|~|true|012|0x1f|1e3|1_000|2024-01-01|\\.inf|-|---|<<|=)",
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e6..1e6).prop_map(|number: f64| json!(number)),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(text.clone(), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_the_same(value in value()) {
            let items = Items::from([("settings.passwordPolicy".parse().unwrap(), value)]);
            let text = print(&items).unwrap();
            prop_assert_eq!(parse(text.as_bytes()).unwrap(), items, "{}", text);
        }
    }

    #[test]
    fn a_template_is_kept_as_a_block_of_text() {
        let items = Items::from([(
            "stacks.network[eu-west-1]".parse().unwrap(),
            json!({"template": "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n", "state": "ok"}),
        )]);
        insta::assert_snapshot!(print(&items).unwrap(), @r"
        # written by landfast; do not edit
        stacks.network[eu-west-1]:
          state: ok
          template: |
            Resources:
              Topic:
                Type: AWS::SNS::Topic
        ");
    }

    #[test]
    fn what_another_version_wrote_is_left_out() {
        let items = parse(b"settings.accountAlias: acme\nsettings.unheardOf: 1\n").unwrap();
        assert_eq!(items, Items::from([("settings.accountAlias".parse().unwrap(), json!("acme"))]));
        assert_eq!(parse(b"- a list\n"), None);
        assert_eq!(parse(b"\xff"), None);
    }
}
