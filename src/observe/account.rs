//! One account from the inside: its settings and its stacks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use super::each::each;
use super::first::{FirstLook, REGIONS_AT_ONCE, first_look};
use super::stacks::{AccountCache, RegionSeen, region};
use crate::aws::{Error, Reader};
use crate::model::saml::outline;
use crate::model::{
    AccountFact, AccountFacts, AccountId, AccountState, Facts, Item, Observed, OrganizationId, Region, Scope,
    Setting, Sight, Slug, StackKey, Value,
};

/// How long a new account may refuse us before that means something (seconds).
const YOUNG: i64 = 60 * 60;

/// How closely to look at stacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriftLook {
    /// Take what the last detection found.
    LastKnown,
    /// Have AWS compare every resource now.
    Detect,
}

/// How to look at one account.
#[derive(Clone, Debug)]
pub struct AccountLook {
    /// The organization whose owner tag makes a stack ours.
    pub owner: OrganizationId,
    /// How closely to look at stacks.
    pub drift: DriftLook,
    /// How long drift detection may take, in AWS's time.
    pub deadline: Duration,
    /// Seconds since 1970 now, to tell a new account from an old one.
    pub now: i64,
}

/// Looks at one account. `fact` is what the organization says of it; `wanted` are the items to give a sight of; `first`
/// is the first look, where it was taken already.
pub async fn account(
    reader: &Reader,
    slug: &Slug,
    fact: &AccountFact,
    wanted: &BTreeSet<Item>,
    look: &AccountLook,
    first: Option<FirstLook>,
    cache: &mut AccountCache,
) -> Observed {
    if let Some(because) = closed(fact) {
        return unentered(slug, Some(&fact.id), wanted, &because);
    }
    let FirstLook(first) = match first {
        Some(first) => first,
        None => first_look(reader, BTreeSet::new()).await,
    };
    let is_young = look.now - fact.joined < YOUNG;
    let mut described = match first {
        Ok(described) => described,
        Err(error) => return refused(slug, fact, wanted, &unread(&error, is_young), &error),
    };
    let regions = by_region(wanted);
    cache.keep_only(&regions);
    let stacks = each(regions, REGIONS_AT_ONCE, |(name, names)| {
        let (reader, look) = (reader.clone(), look.clone());
        let (cache, described) = (cache.take(&name), described.remove(&name));
        async move {
            let seen = region(&reader, &name, &names, &look, described, cache).await;
            (name, names, seen)
        }
    });
    let (settings, stacks) = tokio::join!(settings(reader, wanted, is_young), stacks);
    let mut seen = Gathered::new(&fact.id, settings);
    for (name, names, (stacks, cached)) in stacks {
        cache.put(name.clone(), cached);
        seen.add(&name, names, stacks, is_young);
    }
    seen.observed(slug, wanted)
}

/// The observation of an account whose role lets nobody in.
fn refused(
    slug: &Slug,
    fact: &AccountFact,
    wanted: &BTreeSet<Item>,
    sight: &Sight,
    error: &Error,
) -> Observed {
    let mut observed = unentered(slug, Some(&fact.id), wanted, &error.to_string());
    observed.items.values_mut().for_each(|of| *of = sight.clone());
    observed
}

/// The observation of an account that cannot be entered: everything is a gap, because of `because`.
pub fn unentered(slug: &Slug, id: Option<&AccountId>, wanted: &BTreeSet<Item>, because: &str) -> Observed {
    let facts = AccountFacts { id: id.cloned(), closed: Some(because.to_owned()), ..AccountFacts::default() };
    let items = wanted.iter().map(|item| (item.clone(), Sight::Gap(because.to_owned()))).collect();
    Observed { scope: Scope::Account(slug.clone()), items, facts: Facts::Account(facts), hold: None }
}

fn closed(fact: &AccountFact) -> Option<String> {
    match &fact.state {
        AccountState::Active => None,
        AccountState::PendingActivation => Some(format!("AWS is still activating account {}", fact.id)),
        AccountState::Unusable(state) => Some(format!("account {} is {state}", fact.id)),
    }
}

/// What an error leaves to be said of an item: a new account refuses for a while what it will allow later, so that
/// counts as AWS still being at it; everything else is a gap.
fn unread(error: &Error, is_young: bool) -> Sight {
    if is_young && (error.is_access_denied() || error.is_not_ready()) {
        return Sight::Moving(format!("the account is new and AWS is still setting it up ({error})"));
    }
    Sight::Gap(error.to_string())
}

fn by_region(wanted: &BTreeSet<Item>) -> Vec<(Region, BTreeSet<StackKey>)> {
    let mut regions: BTreeMap<Region, BTreeSet<StackKey>> = BTreeMap::new();
    for item in wanted {
        if let Item::Stack(key) = item {
            regions.entry(key.region.clone()).or_default().insert(key.clone());
        }
    }
    regions.into_iter().collect()
}

/// The settings among `wanted`, and the whole password policy.
async fn settings(
    reader: &Reader,
    wanted: &BTreeSet<Item>,
    is_young: bool,
) -> (BTreeMap<Item, Sight>, Option<Value>) {
    let (mut sights, mut policy) = (BTreeMap::new(), None);
    for item in wanted {
        let Item::Setting(setting) = item else { continue };
        let value = match setting {
            Setting::PasswordPolicy => reader.password_policy().await,
            Setting::AccountAlias => {
                reader.account_alias().await.map(|alias| alias.map(|alias| json!(alias)))
            }
            Setting::SamlProvider(name) => {
                let metadata = reader.saml_provider(name).await;
                metadata.map(|text| text.map(|text| json!({"metadata": outline(&text)})))
            }
        };
        if let (Setting::PasswordPolicy, Ok(whole)) = (setting, &value) {
            policy.clone_from(whole);
        }
        let sight = match value {
            Ok(value) => value.map_or(Sight::Absent, Sight::present),
            Err(error) => unread(&error, is_young),
        };
        sights.insert(item.clone(), sight);
    }
    (sights, policy)
}

/// What came together so far.
struct Gathered {
    items: BTreeMap<Item, Sight>,
    facts: AccountFacts,
}

impl Gathered {
    fn new(id: &AccountId, (items, password_policy): (BTreeMap<Item, Sight>, Option<Value>)) -> Self {
        Self {
            items,
            facts: AccountFacts { id: Some(id.clone()), password_policy, ..AccountFacts::default() },
        }
    }

    fn add(
        &mut self,
        region: &Region,
        names: BTreeSet<StackKey>,
        seen: Result<RegionSeen, Error>,
        is_young: bool,
    ) {
        match seen {
            Ok(seen) => {
                let key = |name| StackKey { name, region: region.clone() };
                let undeclared = seen.undeclared.into_iter().map(key);
                self.facts.undeclared.extend(undeclared);
                self.facts.stacks.extend(seen.facts);
                self.facts.outputs.extend(seen.outputs);
                self.items.extend(seen.sights.into_iter().map(|(key, sight)| (Item::Stack(key), sight)));
            }
            Err(error) => {
                let sight = unread(&error, is_young);
                self.items.extend(names.into_iter().map(|key| (Item::Stack(key), sight.clone())));
            }
        }
    }

    fn observed(mut self, slug: &Slug, wanted: &BTreeSet<Item>) -> Observed {
        for item in wanted {
            let missed = || Sight::Gap("it is not something an account holds".to_owned());
            self.items.entry(item.clone()).or_insert_with(missed);
        }
        let facts = Facts::Account(self.facts);
        Observed { scope: Scope::Account(slug.clone()), items: self.items, facts, hold: None }
    }
}
