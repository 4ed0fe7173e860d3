//! Every policy of the organization that somebody made, for `landfast import`.
//!
//! Guarantees: reads only; only kinds that are enabled are asked about; each kind and each policy fails on its own and
//! says so.

use std::collections::BTreeSet;

use super::each::{ORGANIZATIONS_AT_ONCE, each};
use super::tree::Tree;
use crate::aws::{Error, ListedPolicy, Reader};
use crate::model::{AccountId, OuPath, PolicyType};

/// The policies of an organization, without the two that AWS attaches to everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    /// Those that could be read, by kind and name.
    pub policies: Vec<Shelved>,
    /// What could not be read, with why.
    pub unread: Vec<(String, String)>,
}

/// A policy as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelved {
    /// Its kind.
    pub kind: PolicyType,
    /// Its name.
    pub name: String,
    /// True for AWS's own, whose content nobody can change.
    pub is_managed: bool,
    /// The JSON as it was sent.
    pub content: String,
    /// What it is attached to.
    pub places: BTreeSet<Place>,
}

/// What a policy is attached to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An OU, or the root.
    Ou(OuPath),
    /// An account.
    Account(AccountId),
}

/// Reads every policy of every kind that is enabled.
pub(super) async fn shelf(reader: &Reader, tree: &Tree) -> Shelf {
    let mut shelf = Shelf::default();
    let mut kinds = Vec::new();
    for (name, status) in &tree.policy_types {
        match PolicyType::of_aws(name) {
            Some(kind) if status == "ENABLED" => kinds.push(kind),
            Some(_) => shelf.unread.push((format!("policies ({name})"), format!("AWS says {status}"))),
            None => {
                let why = "this version does not know the kind".to_owned();
                shelf.unread.push((format!("policies ({name})"), why));
            }
        }
    }
    let mut listed = Vec::new();
    for kind in kinds {
        match reader.policies(kind).await {
            Ok(policies) => listed.extend(policies.into_iter().map(|policy| (kind, policy))),
            Err(error) => shelf.unread.push((format!("policies ({kind})"), error.to_string())),
        }
    }
    listed.retain(|(_, policy)| !is_everywhere(policy));
    let looks = each(listed, ORGANIZATIONS_AT_ONCE, |(kind, policy)| {
        let reader = reader.clone();
        async move { (kind, policy.clone(), one(&reader, &policy.id).await) }
    });
    for (kind, ListedPolicy { name, is_managed, .. }, look) in looks.await {
        match look {
            Ok((content, targets)) => {
                let places = targets.into_iter().filter_map(|id| place(tree, id)).collect();
                shelf.policies.push(Shelved { kind, name, is_managed, content, places });
            }
            Err(error) => shelf.unread.push((format!("policies.{name}"), error.to_string())),
        }
    }
    shelf.policies.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    shelf
}

/// AWS attaches these to everything itself, as long as their kinds are enabled.
fn is_everywhere(policy: &ListedPolicy) -> bool {
    policy.is_managed && crate::model::managed_names().any(|name| name == policy.name)
}

/// What a policy says, and the ids of what it is attached to.
async fn one(reader: &Reader, id: &str) -> Result<(String, Vec<String>), Error> {
    let (content, targets) = tokio::join!(reader.policy_content(id), reader.policy_targets(id));
    Ok((content?, targets?))
}

fn place(tree: &Tree, id: String) -> Option<Place> {
    let ou = tree.by_id.get(&id).cloned().map(Place::Ou);
    ou.or_else(|| AccountId::parse(id).ok().map(Place::Account))
}
