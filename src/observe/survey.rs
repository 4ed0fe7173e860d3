//! Everything there is, for whoever has no files yet: what `landfast import` reads.
//!
//! Guarantees: reads only; each account, setting, region and stack fails on its own and says so; what hangs on a list
//! that failed is said to be unread, never taken for empty.

use std::collections::BTreeMap;

use serde_json::json;

use super::drift::Notes;
use super::each::each;
use super::organization::places;
use super::shelf::{Shelf, shelf};
use super::stacks::{MASK, RegionCache, described, fact, is_there, sight};
use super::tags::{OrganizationCache, TagsOf, accounts_and_tags};
use super::tree::tree;
use crate::aws::{Error, ListedAccount, Reader, StackSeen};
use crate::model::{
    AccountId, AccountState, OrganizationId, OuPath, Region, SamlProviderName, Setting, Sight, StackFact,
    StackKey, StackName, Value,
};

/// How many regions of one account are read at once.
const REGIONS_AT_ONCE: usize = 4;

/// The organization: its OUs, its accounts, its policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Every OU but the root.
    pub ous: Vec<OuPath>,
    /// Every account that is listed.
    pub accounts: Vec<Counted>,
    /// Its policies.
    pub policies: Shelf,
}

/// One account as Organizations tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// Its root e-mail as AWS spells it.
    pub email: String,
    /// Its state.
    pub state: AccountState,
    /// Where it is, or why that is not known.
    pub place: Result<OuPath, String>,
    /// Its tags, or why they are not known.
    pub tags: Result<BTreeMap<String, String>, String>,
}

/// One account from the inside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inside {
    /// Settings: a password policy by the field names of the files, an alias, the text of a SAML provider's metadata.
    pub settings: BTreeMap<Setting, Value>,
    /// Stacks.
    pub stacks: BTreeMap<StackKey, FoundStack>,
    /// What could not be read, each with why.
    pub unread: Vec<String>,
}

/// A stack as found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundStack {
    /// Its state.
    pub fact: StackFact,
    /// What `observe` sees of it.
    pub sight: Sight,
    /// The template as it was sent.
    pub template: String,
    /// Parameters as shown.
    pub parameters: BTreeMap<String, String>,
    /// True when AWS hides a parameter.
    pub has_hidden: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The capabilities it was made with.
    pub capabilities: Vec<String>,
}

/// Counts the organization. `reader` reads the management account.
///
/// Errors where the tree or the list of accounts could not be read: without them there is nothing to write down.
pub async fn census(reader: &Reader) -> Result<Census, String> {
    let mut cache = OrganizationCache::new(std::time::Duration::MAX);
    let tagged = accounts_and_tags(reader, &|_| true, &mut cache);
    let (found, (listed, mut tags)) = tokio::join!(tree(reader), tagged);
    let listed = listed.map_err(|error| error.to_string())?;
    let ous = found.as_ref().map_err(Clone::clone)?.by_path.keys().filter(|path| !path.is_root()).cloned();
    let ous = ous.collect();
    let policies = match &found {
        Ok(tree) => shelf(reader, tree).await,
        Err(_) => Shelf::default(),
    };
    let mut places = places(reader, &listed, &found).await;
    let accounts = listed.into_iter().map(|account| counted(account, &mut tags, &mut places)).collect();
    Ok(Census { ous, accounts, policies })
}

fn counted(
    account: ListedAccount,
    tags: &mut TagsOf,
    places: &mut BTreeMap<AccountId, Result<OuPath, String>>,
) -> Counted {
    let unread = || "it was not read".to_owned();
    Counted {
        place: places.remove(&account.id).unwrap_or_else(|| Err(unread())),
        tags: tags.remove(&account.id).unwrap_or_else(|| Err(unread())),
        id: account.id,
        name: account.name,
        email: account.email,
        state: account.state,
    }
}

/// Reads one account. `is_left` picks stacks of others by name: their templates are not asked for.
///
/// Errors where the account could not be entered.
pub async fn inside(
    reader: &Reader,
    regions: &[Region],
    owner: &OrganizationId,
    is_left: fn(&StackName) -> bool,
) -> Result<Inside, Error> {
    reader.enter().await?;
    let mut inside = Inside::default();
    settings(reader, &mut inside).await;
    let found = each(regions.to_vec(), REGIONS_AT_ONCE, |region| {
        let (reader, owner) = (reader.clone(), owner.clone());
        async move { stacks(&reader, region, &owner, is_left).await }
    });
    for found in found.await {
        inside.stacks.extend(found.stacks);
        inside.unread.extend(found.unread);
    }
    Ok(inside)
}

async fn settings(reader: &Reader, inside: &mut Inside) {
    let policy = reader.password_policy().await;
    inside.take(Setting::PasswordPolicy, policy);
    let alias = reader.account_alias().await.map(|alias| alias.map(Value::from));
    inside.take(Setting::AccountAlias, alias);
    let names = match reader.saml_providers().await {
        Ok(names) => names,
        Err(error) => return inside.unread.push(format!("settings.samlProviders: {error}")),
    };
    for name in names {
        let Ok(name) = SamlProviderName::parse(name.clone()) else {
            inside
                .unread
                .push(format!("settings.samlProviders: `{name}` is a name this version cannot write"));
            continue;
        };
        let metadata = reader.saml_provider(&name).await.map(|text| text.map(Value::from));
        inside.take(Setting::SamlProvider(name), metadata);
    }
}

async fn stacks(
    reader: &Reader,
    region: Region,
    owner: &OrganizationId,
    is_left: fn(&StackName) -> bool,
) -> Inside {
    let mut inside = Inside::default();
    let described = match described(reader, &region).await {
        Ok(described) => described,
        Err(error) => {
            inside.unread.push(format!("stacks in {region}: {error}"));
            return inside;
        }
    };
    let mut cache = RegionCache::default();
    for stack in described.into_values().filter(is_there) {
        let Ok(name) = StackName::parse(stack.name.clone()) else { continue };
        let is_left = is_left(&name);
        let key = StackKey { name, region: region.clone() };
        match one(reader, &region, stack, owner, is_left, &mut cache).await {
            Ok(found) => drop(inside.stacks.insert(key, found)),
            Err(why) => inside.unread.push(format!("stacks.{}[{region}]: {why}", key.name)),
        }
    }
    inside
}

async fn one(
    reader: &Reader,
    region: &Region,
    stack: StackSeen,
    owner: &OrganizationId,
    is_left: bool,
    cache: &mut RegionCache,
) -> Result<FoundStack, String> {
    let (mut template, mut seen) =
        (String::new(), Sight::Present { value: json!({}), unchecked: BTreeMap::new() });
    if !is_left {
        template = reader.template(region, &stack.id).await.map_err(|error| error.to_string())?;
        cache.remember(region, &stack, &template);
        seen = sight(reader, region, Some(stack.clone()), &Notes::new(), cache).await;
    }
    if let Sight::Gap(why) = seen {
        return Err(why);
    }
    let fact = fact(&stack, stack.reason.clone(), owner);
    let has_hidden = stack.parameters.values().any(|value| value == MASK);
    let StackSeen { parameters, tags, capabilities, .. } = stack;
    Ok(FoundStack { fact, sight: seen, template, parameters, has_hidden, tags, capabilities })
}

impl Inside {
    fn take(&mut self, setting: Setting, read: Result<Option<Value>, Error>) {
        match read {
            Ok(Some(value)) => drop(self.settings.insert(setting, value)),
            Ok(None) => {}
            Err(error) => self.unread.push(format!("settings.{setting}: {error}")),
        }
    }
}
