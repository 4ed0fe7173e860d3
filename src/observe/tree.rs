//! The OU tree, by paths and by ids.

use std::collections::BTreeMap;

use super::each::{ORGANIZATIONS_AT_ONCE, each};
use crate::aws::{Error, Reader, Root};
use crate::model::{OuFact, OuPath};

/// The whole tree: a part of it would make OUs look absent that are there.
pub(super) struct Tree {
    pub(super) root: String,
    /// The states of the kinds of policies, by AWS's name.
    pub(super) policy_types: BTreeMap<String, String>,
    pub(super) by_path: BTreeMap<OuPath, OuFact>,
    pub(super) by_id: BTreeMap<String, OuPath>,
}

/// Reads the tree level by level.
pub(super) async fn tree(reader: &Reader) -> Result<Tree, String> {
    let Root { id: root, policy_types } = reader.root().await.map_err(|error| error.to_string())?;
    let mut tree =
        Tree { root: root.clone(), policy_types, by_path: BTreeMap::new(), by_id: BTreeMap::new() };
    let mut level = vec![(OuPath::root(), root)];
    while !level.is_empty() {
        let parents = level.clone();
        tree.add(level);
        level = children(reader, parents).await?;
    }
    Ok(tree)
}

impl Tree {
    fn add(&mut self, level: Vec<(OuPath, String)>) {
        for (path, id) in level {
            self.by_id.insert(id.clone(), path.clone());
            self.by_path.insert(path, OuFact { id });
        }
    }
}

async fn children(reader: &Reader, parents: Vec<(OuPath, String)>) -> Result<Vec<(OuPath, String)>, String> {
    let lists = each(parents, ORGANIZATIONS_AT_ONCE, |(path, id)| {
        let reader = reader.clone();
        async move {
            let children = reader.ous_under(&id).await.map_err(|error: Error| error.to_string())?;
            children.into_iter().map(|child| Ok((below(&path, &child.name)?, child.id))).collect()
        }
    });
    let lists: Result<Vec<Vec<_>>, String> = lists.await.into_iter().collect();
    Ok(lists?.into_iter().flatten().collect())
}

/// AWS lets names hold what a path cannot: a slash becomes a look-alike, so that no other OU can be meant.
fn below(parent: &OuPath, name: &str) -> Result<OuPath, String> {
    let spelled = name.trim().replace('/', "\u{2215}");
    parent.child(&spelled).map_err(|_| format!("the OU `{name}` below {parent} has a name no path can hold"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_slash_never_stands_for_a_nested_ou() {
        let path = below(&OuPath::root(), "a/b").unwrap();
        assert_ne!(path, OuPath::parse("/a/b").unwrap());
        assert_eq!(path.parent(), Some(OuPath::root()));
    }
}
