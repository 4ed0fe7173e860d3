//! The organization: its OUs, its accounts and whose they are.
//!
//! An account is a folder's when its id is recorded there, or when it bears our owner tag and the folder's slug. A
//! name or an e-mail proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::each::{ORGANIZATIONS_AT_ONCE, each};
use super::hold::root_hold;
use super::policies;
use super::tags::{OrganizationCache, TagsOf, accounts_and_tags};
use super::tree::{Tree, tree};
use crate::aws::{Error, ListedAccount, Reader};
use crate::model::{
    AccountFact, AccountId, AccountProperty, AccountState, Base, Creation, Desired, Facts, Hold, Item,
    OWNER_TAG, Observed, OrganizationFacts, OuPath, PolicyTarget, SLUG_TAG, Scope, Sight, Slug,
};

/// Everything that was read, each part with its own failure.
struct Seen {
    tree: Result<Tree, String>,
    accounts: Result<Vec<ListedAccount>, String>,
    /// Where in the list an account is.
    at: BTreeMap<AccountId, usize>,
    creations: Result<Vec<Creation>, String>,
    tags: TagsOf,
    places: BTreeMap<AccountId, Result<OuPath, String>>,
    policies: policies::Found,
}

/// Whose an account is.
#[derive(Default)]
struct Claims {
    by_slug: BTreeMap<Slug, AccountId>,
    /// Slugs that several accounts bear.
    disputed: BTreeMap<Slug, String>,
    /// Why some account may be ours without our knowing it.
    doubt: Option<String>,
}

/// Looks at the organization. `reader` reads the management account; `base` knows the ids of accounts whose folder is
/// gone; `wanted` are the items to give a sight of.
///
/// `met` hears at once of each account in use that is listed and was a folder's before: git and base both know its id.
pub async fn organization(
    reader: &Reader,
    desired: &Desired,
    base: &Base,
    wanted: &BTreeSet<Item>,
    cache: &mut OrganizationCache,
    met: &(dyn Fn(&Slug, &AccountId) + Send + Sync),
) -> Observed {
    let (known, settled) = (known(desired, base), settled(desired, base, wanted));
    let met = |account: &ListedAccount| {
        if let (AccountState::Active, Some(slug)) = (&account.state, known.get(&account.id)) {
            met(slug, &account.id);
        }
        !settled.contains(&account.id)
    };
    let ((tree, hold), (accounts, tags), creations, policies) = tokio::join!(
        tree_and_hold(reader),
        accounts_and_tags(reader, &met, cache),
        reader.creations(),
        policies::policies(reader, desired, base, wanted),
    );
    let accounts = accounts.map_err(|error| words(&error));
    let listed = accounts.as_deref().unwrap_or_default();
    let places = places(reader, listed, &tree).await;
    let creations = creations.map_err(|error| words(&error));
    let at = listed.iter().enumerate().map(|(at, account)| (account.id.clone(), at)).collect();
    let seen = Seen { tree, accounts, at, creations, tags, places, policies };
    let claims = claims(desired, base, &seen);
    let items = wanted.iter().map(|item| (item.clone(), sight(item, &seen, &claims))).collect();
    let facts = Facts::Organization(facts(seen, claims));
    Observed { scope: Scope::Organization, items, facts, hold }
}

pub(super) fn words(error: &Error) -> String {
    error.to_string()
}

/// Without the tree nobody knows the root, whose tags may say hold.
async fn tree_and_hold(reader: &Reader) -> (Result<Tree, String>, Option<Hold>) {
    let tree = tree(reader).await;
    let hold = match &tree {
        Ok(tree) => root_hold(reader, &tree.root).await,
        Err(why) => Some(Hold::Unread(why.clone())),
    };
    (tree, hold)
}

/// Accounts whose id a folder records and that were kept under that id before, with the folder.
fn known<'a>(desired: &'a Desired, base: &Base) -> BTreeMap<&'a AccountId, &'a Slug> {
    let recorded =
        desired.accounts.values().filter_map(|account| Some((account.id.as_ref()?, &account.slug)));
    recorded.filter(|(id, slug)| kept_id(base, slug) == Some(id.as_str())).collect()
}

/// The id under which a folder's account was kept.
fn kept_id<'b>(base: &'b Base, slug: &Slug) -> Option<&'b str> {
    base.items.get(&Item::Account(slug.clone(), AccountProperty::Exists))?.get("id")?.as_str()
}

/// Accounts whose tags have nothing more to tell: a folder records the id and was kept under it and in a place before,
/// and no tag is declared or was kept. Tags are a call for each account. The management account was there before us:
/// only a folder that records its id makes it that folder's.
fn settled<'a>(desired: &'a Desired, base: &Base, wanted: &BTreeSet<Item>) -> BTreeSet<&'a AccountId> {
    let tagged: BTreeSet<_> = wanted
        .iter()
        .filter_map(|item| match item {
            Item::Account(slug, AccountProperty::Tag(_)) => Some(slug),
            _ => None,
        })
        .collect();
    let has_place = |slug: &Slug| base.items.contains_key(&Item::Account(slug.clone(), AccountProperty::Ou));
    let known = known(desired, base).into_iter();
    let known = known.filter(|(_, slug)| !tagged.contains(slug) && has_place(slug)).map(|(id, _)| id);
    let management = &desired.organization.management_account;
    let is_a_folders = by_record(desired, base).any(|(_, id)| id == *management);
    known.chain((!is_a_folders).then_some(management)).collect()
}

/// Where each account is; asked one by one only where the listing does not say.
pub(super) async fn places(
    reader: &Reader,
    listed: &[ListedAccount],
    tree: &Result<Tree, String>,
) -> BTreeMap<AccountId, Result<OuPath, String>> {
    let tree = match tree {
        Ok(tree) => tree,
        Err(why) => return listed.iter().map(|account| (account.id.clone(), Err(why.clone()))).collect(),
    };
    let parents = each(listed.to_vec(), ORGANIZATIONS_AT_ONCE, |account| {
        let reader = reader.clone();
        async move {
            let parent = match account.parent {
                Some(parent) => Ok(parent),
                None => reader.parent_of(&account.id).await.map_err(|error| words(&error)),
            };
            (account.id, parent)
        }
    });
    let place = |parent: String| {
        tree.by_id.get(&parent).cloned().ok_or_else(|| format!("it is in {parent}, which appeared meanwhile"))
    };
    parents.await.into_iter().map(|(id, parent)| (id, parent.and_then(place))).collect()
}

fn claims(desired: &Desired, base: &Base, seen: &Seen) -> Claims {
    let mut claims = Claims::default();
    let listed = seen.accounts.as_deref().unwrap_or_default();
    let exists = |id: &AccountId| seen.at.contains_key(id);
    for (slug, id) in by_record(desired, base).filter(|(_, id)| exists(id)) {
        claims.by_slug.entry(slug).or_insert(id);
    }
    let by_record: BTreeSet<_> = claims.by_slug.values().cloned().collect();
    for (slug, id) in claims.by_slug.clone() {
        if let Some(why) = contradiction(desired, base, seen, &slug, &id) {
            claims.disputed.insert(slug, why);
        }
    }
    for account in listed.iter().filter(|account| !by_record.contains(&account.id)) {
        match seen.tags.get(&account.id) {
            Some(Ok(tags)) => claims.by_tags(desired, &account.id, tags),
            Some(Err(why)) => {
                claims.doubt = Some(format!("whose account {} is could not be read: {why}", account.id));
            }
            None => {}
        }
    }
    claims
}

/// Why a recorded id is not believed: two proofs that contradict each other prove nothing. A folder whose account is
/// really replaced by another gets a new slug.
fn contradiction(desired: &Desired, base: &Base, seen: &Seen, slug: &Slug, id: &AccountId) -> Option<String> {
    if let Some(kept) = kept_id(base, slug).filter(|kept| *kept != id.as_str()) {
        return Some(format!(
            "the folder says {id} but was account {kept} until now; an id is recorded once and for all: \
             make a new folder for another account"
        ));
    }
    let tags = seen.tags.get(id).and_then(|tags| tags.as_ref().ok())?;
    let is_ours = tags.get(OWNER_TAG).map(String::as_str) == Some(desired.organization.id.as_str());
    let other = tags.get(SLUG_TAG).filter(|other| is_ours && other.as_str() != slug.as_str())?;
    let is_declared = Slug::parse(other.as_str()).is_ok_and(|other| desired.accounts.contains_key(&other));
    is_declared.then(|| format!("account {id} was made for accounts/{other} and bears its tag"))
}

/// Accounts that are a folder's by an id on record: the folder's own, or that of one which is gone.
fn by_record<'a>(desired: &'a Desired, base: &'a Base) -> impl Iterator<Item = (Slug, AccountId)> + 'a {
    let recorded = desired.accounts.values();
    let recorded = recorded.filter_map(|account| Some((account.slug.clone(), account.id.clone()?)));
    recorded.chain(left(desired, base))
}

/// Accounts that were kept and whose folder is gone, as the base remembers them, unless another folder has them now.
fn left<'a>(desired: &'a Desired, base: &'a Base) -> impl Iterator<Item = (Slug, AccountId)> + 'a {
    let is_recorded =
        |id: &AccountId| desired.accounts.values().any(|account| account.id.as_ref() == Some(id));
    base.items.iter().filter_map(move |(item, value)| {
        let Item::Account(slug, AccountProperty::Exists) = item else { return None };
        let id = AccountId::parse(value.get("id")?.as_str()?).ok()?;
        (!desired.accounts.contains_key(slug) && !is_recorded(&id)).then(|| (slug.clone(), id))
    })
}

impl Claims {
    fn by_tags(&mut self, desired: &Desired, id: &AccountId, tags: &BTreeMap<String, String>) {
        let is_ours = tags.get(OWNER_TAG).map(String::as_str) == Some(desired.organization.id.as_str());
        let slug = tags.get(SLUG_TAG).and_then(|slug| Slug::parse(slug.as_str()).ok());
        let Some(slug) = slug.filter(|_| is_ours) else { return };
        // A recorded id decides alone, even while that account is not to be found.
        if desired.accounts.get(&slug).is_some_and(|account| account.id.is_some()) {
            return;
        }
        if let Some(other) = self.by_slug.insert(slug.clone(), id.clone()) {
            let why = format!("accounts {other} and {id} both bear the tag {SLUG_TAG}={slug}");
            self.disputed.insert(slug, why);
        }
    }
}

fn sight(item: &Item, seen: &Seen, claims: &Claims) -> Sight {
    match item {
        Item::Ou(path) => match &seen.tree {
            Err(why) => Sight::Gap(why.clone()),
            Ok(tree) if tree.by_path.contains_key(path) => Sight::present(json!({})),
            Ok(_) => Sight::Absent,
        },
        Item::Account(slug, property) => account_sight(slug, property, seen, claims),
        Item::PolicyType(kind) => policies::type_sight(*kind, &seen.tree),
        Item::Policy(name) => policies::policy_sight(name, &seen.policies),
        Item::Attachment(name, target) => match target_id(target, seen, claims) {
            Ok(target) => policies::attachment_sight(name, &target, &seen.policies),
            Err(sight) => sight,
        },
        Item::Setting(_) | Item::Stack(_) => Sight::Gap("it is not part of the organization".to_owned()),
    }
}

/// The id of what a policy is attached to, or what follows from its not being there or not being known.
fn target_id(target: &PolicyTarget, seen: &Seen, claims: &Claims) -> Result<String, Sight> {
    match target {
        PolicyTarget::Ou(path) => match &seen.tree {
            Err(why) => Err(Sight::Gap(why.clone())),
            Ok(tree) => tree.by_path.get(path).map(|ou| ou.id.clone()).ok_or(Sight::Absent),
        },
        PolicyTarget::Account(slug) => match account_sight(slug, &AccountProperty::Name, seen, claims) {
            Sight::Present { .. } => claims.by_slug.get(slug).map(ToString::to_string).ok_or(Sight::Absent),
            sight => Err(sight),
        },
    }
}

fn account_sight(slug: &Slug, property: &AccountProperty, seen: &Seen, claims: &Claims) -> Sight {
    let listed = match &seen.accounts {
        Ok(listed) => listed,
        Err(why) => return Sight::Gap(why.clone()),
    };
    if let Some(why) = claims.disputed.get(slug) {
        return Sight::Gap(why.clone());
    }
    let id = claims.by_slug.get(slug);
    match id.and_then(|id| listed.get(*seen.at.get(id)?)) {
        Some(account) => property_sight(account, property, seen),
        None => unclaimed(seen, claims),
    }
}

/// Absent only when every account's tags and every request for an account could be read.
fn unclaimed(seen: &Seen, claims: &Claims) -> Sight {
    let unread = seen.creations.as_ref().err().or(claims.doubt.as_ref());
    unread.map_or(Sight::Absent, |why| Sight::Gap(why.clone()))
}

fn property_sight(account: &ListedAccount, property: &AccountProperty, seen: &Seen) -> Sight {
    let gap = |why: &String| Sight::Gap(why.clone());
    match property {
        AccountProperty::Exists => match &account.state {
            AccountState::Active => Sight::present(json!({"state": "ACTIVE", "id": account.id})),
            AccountState::PendingActivation => Sight::Moving("AWS is activating the account".to_owned()),
            AccountState::Unusable(state) => Sight::present(json!({"state": state, "id": account.id})),
        },
        AccountProperty::Name => Sight::present(json!(account.name)),
        AccountProperty::Email => Sight::present(json!(account.email)),
        AccountProperty::Ou => match seen.places.get(&account.id) {
            Some(Ok(path)) => Sight::present(json!(path)),
            Some(Err(why)) => gap(why),
            None => gap(&"its place was not read".to_owned()),
        },
        AccountProperty::Tag(key) => match seen.tags.get(&account.id) {
            Some(Ok(tags)) => tags.get(key).map_or(Sight::Absent, |value| Sight::present(json!(value))),
            Some(Err(why)) => gap(why),
            None => gap(&"its tags were not read".to_owned()),
        },
    }
}

fn facts(seen: Seen, claims: Claims) -> OrganizationFacts {
    let fact = |account: ListedAccount| {
        // An account that could not be placed keeps the root; its `ou` item is a gap, so nothing moves it.
        let ou = seen.places.get(&account.id).and_then(|place| place.clone().ok());
        let fact = AccountFact {
            id: account.id.clone(),
            email: account.email,
            name: account.name,
            state: account.state,
            ou: ou.unwrap_or_else(OuPath::root),
            joined: account.joined,
            tags: seen.tags.get(&account.id).and_then(|tags| tags.clone().ok()),
        };
        (account.id, fact)
    };
    OrganizationFacts {
        accounts: seen.accounts.unwrap_or_default().into_iter().map(fact).collect(),
        ous: seen.tree.map(|tree| tree.by_path).unwrap_or_default(),
        claimed: claims.by_slug.into_iter().filter(|(slug, _)| !claims.disputed.contains_key(slug)).collect(),
        creations: seen.creations.unwrap_or_default(),
        policies: policies::facts(seen.policies),
    }
}
