//! Policies of the organization: which are there, what they say, where they are attached, and what proves them ours.
//!
//! Nothing is asked where no policy is declared and none was kept. A call that fails is a gap for what hangs on it and
//! for nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::each::{ORGANIZATIONS_AT_ONCE, each};
use super::tree::Tree;
use crate::aws::{Error, ListedPolicy, Reader};
use crate::model::{
    Base, Desired, Item, OWNER_TAG, PolicyFact, PolicyName, PolicyType, Sight, Value, managed,
};

/// What was found under each name that anybody asked about; nothing where no policy has it.
pub(super) type Found = BTreeMap<PolicyName, Result<Option<Seen>, String>>;

/// A policy that is there.
#[derive(Clone)]
pub(super) struct Seen {
    id: String,
    kind: PolicyType,
    content: Result<Value, String>,
    targets: Result<BTreeSet<String>, String>,
    owned: Owned,
}

/// Whose a policy is.
#[derive(Clone)]
enum Owned {
    Ours,
    /// Nothing proves it, for this reason.
    Unproved(String),
    /// It could not be read.
    Unread(String),
}

/// One name, and what is to be known of it.
#[derive(Clone)]
struct Wish {
    name: PolicyName,
    kinds: Vec<PolicyType>,
    /// The id it was kept under.
    kept: Option<String>,
    /// The content it should have.
    desired: Option<Value>,
    needs_content: bool,
    needs_targets: bool,
    owner: String,
}

/// Looks at every policy that `wanted` names.
pub(super) async fn policies(
    reader: &Reader,
    desired: &Desired,
    base: &Base,
    wanted: &BTreeSet<Item>,
) -> Found {
    let wishes = wishes(desired, base, wanted);
    let kinds: BTreeSet<PolicyType> = wishes.iter().flat_map(|wish| wish.kinds.iter().copied()).collect();
    let lists = each(kinds.into_iter().collect(), ORGANIZATIONS_AT_ONCE, |kind| {
        let reader = reader.clone();
        async move { (kind, reader.policies(kind).await.map_err(|error| error.to_string())) }
    });
    let lists: BTreeMap<_, _> = lists.await.into_iter().collect();
    let found = each(wishes, ORGANIZATIONS_AT_ONCE, |wish| {
        let (reader, listed) = (reader.clone(), wish.listed(&lists));
        async move { (wish.name.clone(), wish.look(&reader, listed).await) }
    });
    found.await.into_iter().collect()
}

fn wishes(desired: &Desired, base: &Base, wanted: &BTreeSet<Item>) -> Vec<Wish> {
    let mut wishes: BTreeMap<&PolicyName, Wish> = BTreeMap::new();
    for item in wanted {
        let (Item::Policy(name) | Item::Attachment(name, _)) = item else { continue };
        let wish = wishes.entry(name).or_insert_with(|| Wish::of(name, desired, base));
        wish.needs_content |= matches!(item, Item::Policy(_));
        // Where policies are tried first, it matters where others have attached one.
        wish.needs_targets |= matches!(item, Item::Attachment(..)) || desired.rollout.first_ou.is_some();
    }
    wishes.into_values().collect()
}

type Listed = Result<Option<(PolicyType, ListedPolicy)>, String>;

impl Wish {
    fn of(name: &PolicyName, desired: &Desired, base: &Base) -> Self {
        let policies = &desired.organization.policies;
        let kept = base.items.get(&Item::Policy(name.clone()));
        let kept_kind = kept.and_then(|value| serde_json::from_value(value.get("type")?.clone()).ok());
        // A policy that became one of another kind in git is still the old one in AWS.
        let kinds = policies.kind(name).into_iter().chain(kept_kind.or_else(|| managed(name).map(|it| it.0)));
        let mut all: Vec<PolicyType> = Vec::new();
        for kind in kinds {
            if !all.contains(&kind) {
                all.push(kind);
            }
        }
        Self {
            name: name.clone(),
            kinds: all,
            kept: kept.and_then(|value| value.get("id")?.as_str().map(str::to_owned)),
            desired: policies.by_name.get(name).map(|policy| policy.value.to_value()),
            needs_content: false,
            needs_targets: false,
            owner: desired.organization.id.to_string(),
        }
    }

    /// The policy under this name, if every list that could have it could be read.
    fn listed(&self, lists: &BTreeMap<PolicyType, Result<Vec<ListedPolicy>, String>>) -> Listed {
        if self.kinds.is_empty() {
            return Err("which kind of policy it is is not known".to_owned());
        }
        let mut found = None;
        for kind in &self.kinds {
            let list = match lists.get(kind) {
                Some(Ok(list)) => list,
                Some(Err(why)) => return Err(why.clone()),
                None => return Err("it was not looked at".to_owned()),
            };
            let policy = list.iter().find(|policy| policy.name == self.name.as_str());
            found = found.or_else(|| policy.map(|policy| (*kind, policy.clone())));
        }
        Ok(found)
    }

    async fn look(&self, reader: &Reader, listed: Listed) -> Result<Option<Seen>, String> {
        let Some((kind, policy)) = listed? else { return Ok(None) };
        let words = |error: Error| error.to_string();
        let content = if self.needs_content {
            reader.policy_content(&policy.id).await.map(|text| kind.read(&text)).map_err(words)
        } else {
            Err("its content was not read".to_owned())
        };
        let targets = if self.needs_targets {
            reader.policy_targets(&policy.id).await.map(BTreeSet::from_iter).map_err(words)
        } else {
            Err("where it is attached was not read".to_owned())
        };
        let owned = self.owned(reader, kind, &policy, content.as_ref().ok()).await;
        Ok(Some(Seen { id: policy.id, kind, content, targets, owned }))
    }

    /// The record knows the id of what it agreed with; only where it does not, and something would be changed, the
    /// tags are asked.
    async fn owned(
        &self,
        reader: &Reader,
        kind: PolicyType,
        policy: &ListedPolicy,
        content: Option<&Value>,
    ) -> Owned {
        if policy.is_managed {
            return Owned::Unproved("it is AWS's own policy, which nobody can change".to_owned());
        }
        if self.kept.as_ref() == Some(&policy.id) {
            return Owned::Ours;
        }
        let is_same = content.is_some_and(|content| self.desired.as_ref() == Some(&value(kind, content)));
        if is_same || !self.needs_content {
            return Owned::Unproved("it was not yet seen as declared".to_owned());
        }
        match reader.tags_of(&policy.id).await {
            Ok(tags) if tags.get(OWNER_TAG) == Some(&self.owner) => Owned::Ours,
            Ok(_) => Owned::Unproved(format!(
                "the policy {} does not bear our tag and is not the one on record, so it is not ours to change; name it \
                 in `adopt` of organization/organization.yaml to have it overwritten",
                policy.id
            )),
            Err(error) => Owned::Unread(format!("whose it is could not be read: {error}")),
        }
    }
}

fn value(kind: PolicyType, content: &Value) -> Value {
    json!({"type": kind, "content": content})
}

/// Whether a kind of policy can be attached.
pub(super) fn type_sight(kind: PolicyType, tree: &Result<Tree, String>) -> Sight {
    let state = match tree {
        Err(why) => return Sight::Gap(why.clone()),
        Ok(tree) => tree.policy_types.get(kind.aws()).map(String::as_str),
    };
    match state {
        Some("ENABLED") => Sight::present(json!("ENABLED")),
        Some(state) => Sight::Moving(format!("AWS says {state}")),
        None => Sight::Absent,
    }
}

/// A policy with its id, which is what the record knows it by.
pub(super) fn policy_sight(name: &PolicyName, found: &Found) -> Sight {
    let seen = match found.get(name) {
        Some(Ok(Some(seen))) => seen,
        Some(Ok(None)) => return Sight::Absent,
        Some(Err(why)) => return Sight::Gap(why.clone()),
        None => return Sight::Gap("it was not looked at".to_owned()),
    };
    match (&seen.content, &seen.owned) {
        (Err(why), _) | (_, Owned::Unread(why)) => Sight::Gap(why.clone()),
        (Ok(content), Owned::Ours | Owned::Unproved(_)) => {
            let mut value = value(seen.kind, content);
            value["id"] = json!(seen.id);
            Sight::present(value)
        }
    }
}

/// Whether a policy is attached to the target of this id.
pub(super) fn attachment_sight(name: &PolicyName, target: &str, found: &Found) -> Sight {
    match found.get(name) {
        Some(Ok(Some(Seen { targets: Ok(targets), .. }))) if targets.contains(target) => {
            Sight::present(json!(true))
        }
        Some(Ok(Some(Seen { targets: Ok(_), .. }) | None)) => Sight::Absent,
        Some(Ok(Some(Seen { targets: Err(why), .. })) | Err(why)) => Sight::Gap(why.clone()),
        None => Sight::Gap("it was not looked at".to_owned()),
    }
}

/// What steps have to know of the policies that are there.
pub(super) fn facts(found: Found) -> BTreeMap<PolicyName, PolicyFact> {
    let fact = |(name, seen): (PolicyName, Result<Option<Seen>, String>)| {
        let seen = seen.ok()??;
        let owned = match seen.owned {
            Owned::Ours => Ok(()),
            Owned::Unproved(why) | Owned::Unread(why) => Err(why),
        };
        Some((name, PolicyFact { id: seen.id, owned, targets: seen.targets }))
    };
    found.into_iter().filter_map(fact).collect()
}
