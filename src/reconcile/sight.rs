//! Observing one scope: which items to look for, in which account, and what to say of an account that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::{Task, World, account};
use crate::apply::Brake;
use crate::model::{
    Account, AccountId, Facts, Item, Observed, OrganizationFacts, OuPath, Scope, Sight, Slug,
};
use crate::observe::{self, AccountLook};

/// How long drift detection of one account may take, in AWS's time.
const DETECTION: Duration = Duration::from_mins(10);
/// How many accounts are entered at once while all are being listed.
const ENTERED_AT_ONCE: usize = 32;

/// Looks at every item that git declares or that was kept before.
pub(super) async fn observe(world: &World, task: &Task<'_>) -> Observed {
    let wanted = wanted(task);
    match task.scope {
        Scope::Organization => organization(world, task, &wanted).await,
        Scope::Account(slug) => {
            let mut observed = inside(world, task, slug, &wanted).await;
            if let Facts::Account(facts) = &mut observed.facts {
                let producers = task.accepted.desired.producers(slug);
                facts.known = world.memory.known(producers.into_iter().chain([slug]));
                facts.ids = ids(task, slug);
            }
            observed
        }
    }
}

/// The ids an account's stacks take that no folder records yet, as far as the organization shows whose they are.
fn ids(task: &Task<'_>, slug: &Slug) -> BTreeMap<Slug, AccountId> {
    let taken = task.accepted.desired.ids_taken(slug).into_iter();
    let accounts = &task.accepted.desired.accounts;
    // The organization may have been looked at under an older commit, in which the folder was another account's.
    let is_recorded = |id: &AccountId| accounts.values().any(|account| account.id.as_ref() == Some(id));
    let id = |slug: &Slug| task.organization?.claimed.get(slug).filter(|id| !is_recorded(id)).cloned();
    taken.filter_map(|slug| Some((slug.clone(), id(slug)?))).collect()
}

fn wanted(task: &Task<'_>) -> BTreeSet<Item> {
    let declared = task.accepted.desired.items(task.scope);
    declared.into_keys().chain(task.base.items.keys().cloned()).collect()
}

async fn organization(world: &World, task: &Task<'_>, wanted: &BTreeSet<Item>) -> Observed {
    let desired = &task.accepted.desired;
    let reader = world.readers.management(&desired.organization);
    let mut cache = world.memory.organization.lock().await;
    let enter = entering(world);
    let met = |slug: &Slug, id: &AccountId| {
        let is_meant = world.only.as_ref().is_none_or(|only| only == slug);
        let Some(account) = desired.accounts.get(slug).filter(|_| is_meant) else { return };
        match task.ahead {
            Some(ahead) => ahead.begin(world, account, id),
            None => enter(account, id),
        }
    };
    observe::organization(&reader, desired, task.base, wanted, &mut cache, &met).await
}

/// Opens the session with which an account's own pass begins while the others are still being listed. Whoever lets
/// nobody in says so in that pass.
fn entering(world: &World) -> impl Fn(&Account, &AccountId) + Send + Sync {
    let doors = Arc::new(Semaphore::new(ENTERED_AT_ONCE));
    move |account, id| {
        let (reader, doors) = (world.readers.account(id, &account.access), Arc::clone(&doors));
        tokio::spawn(async move {
            if let Ok(_door) = doors.acquire().await {
                drop(reader.enter().await);
            }
        });
    }
}

async fn inside(world: &World, task: &Task<'_>, slug: &Slug, wanted: &BTreeSet<Item>) -> Observed {
    let Some(organization) = task.organization else {
        return observe::unentered(slug, None, wanted, "the organization could not be observed yet");
    };
    let fact = organization.claimed.get(slug).and_then(|id| organization.accounts.get(id));
    let (Some(account), Some(fact)) = (account(task), fact) else {
        return missing(task, slug, wanted);
    };
    if account.id.as_ref().is_some_and(|id| *id != fact.id) {
        // The organization was last seen under another commit, in which this folder was another account.
        let because = "the organization has to be looked at under this commit first";
        return observe::unentered(slug, None, wanted, because);
    }
    let reader = world.readers.account(&fact.id, &account.access);
    let look = AccountLook {
        owner: task.accepted.desired.organization.id.clone(),
        drift: task.drift,
        deadline: DETECTION,
        now: world.clock.now().as_second(),
    };
    let first = match task.ahead {
        Some(ahead) => ahead.take(slug, &fact.id).await,
        None => None,
    };
    let mut cache = world.memory.account(slug, task.base).await;
    let mut observed = observe::account(&reader, slug, fact, wanted, &look, first, &mut cache).await;
    observe::subscriptions(&reader, account, &mut observed).await;
    observed
}

/// An account that nobody has made yet holds nothing; one that was kept before or that has an id is out of sight.
fn missing(task: &Task<'_>, slug: &Slug, wanted: &BTreeSet<Item>) -> Observed {
    let is_recorded = account(task).is_some_and(|account| account.id.is_some());
    if is_recorded || !task.base.items.is_empty() {
        let because = "the account is not in the organization's list of accounts";
        return observe::unentered(slug, None, wanted, because);
    }
    let mut observed = observe::unentered(slug, None, wanted, "the account does not exist yet");
    observed.items.values_mut().for_each(|sight| *sight = Sight::Absent);
    observed
}

/// The brake of this pass, which began at `began`; none while the organization's root is not known.
pub(super) fn brake(world: &World, task: &Task<'_>, observed: &Observed, began: Instant) -> Option<Brake> {
    let root = match (&observed.facts, task.organization) {
        (Facts::Organization(facts), _) | (Facts::Account(_), Some(facts)) => root(facts)?.to_owned(),
        (Facts::Account(_), None) => return None,
    };
    let reader = world.readers.management(&task.accepted.desired.organization);
    let shared = Arc::clone(&world.memory.root_hold);
    match &observed.facts {
        Facts::Account(facts) => Some(Brake::new(reader, facts.id.clone(), root, shared, began)),
        // Observing the organization reads the root's tags.
        Facts::Organization(_) => Some(Brake::new(reader, None, root, shared, began).asked()),
    }
}

fn root(facts: &OrganizationFacts) -> Option<&str> {
    facts.ous.get(&OuPath::root()).map(|ou| ou.id.as_str())
}
