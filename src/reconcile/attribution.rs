//! Who made each difference: asked while it is not known, and not again once it is.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::memory::Sighting;
use super::{Task, World, account};
use crate::model::{Author, Facts, Finding, Item, Observed, Plan, PolicyTarget, Scope, Verdict};
use crate::observe::{Question, Witnesses, author};

/// How far back an author is looked for, in seconds: the longest time between two looks at drift, and a margin.
const WINDOW: i64 = 3 * 60 * 60;

/// How long one pass looks for authors: what is not found by then is told as pending and looked for again.
const LOOKING: Duration = Duration::from_secs(20);

/// The author of every item that differs.
pub(super) async fn authors(
    world: &World,
    task: &Task<'_>,
    observed: &Observed,
    plan: &Plan,
) -> BTreeMap<Item, Author> {
    let differs = |finding: &Finding| matches!(finding.verdict, Verdict::Drift | Verdict::Conflict);
    forget_healed(world, task.scope, plan, differs);
    let mut authors = BTreeMap::new();
    let until = Instant::now() + LOOKING;
    for (item, finding) in plan.findings.iter().filter(|(_, finding)| differs(finding)) {
        let mut sighting = recall(world, task.scope, item, finding);
        if sighting.author == Author::Pending {
            let asked = ask(world, task, observed, item, &sighting);
            sighting.author = timeout_at(until, asked).await.unwrap_or(Author::Pending);
            remember(world, task.scope, item, sighting.clone());
        }
        authors.insert(item.clone(), sighting.author);
    }
    authors
}

fn forget_healed(world: &World, scope: &Scope, plan: &Plan, differs: impl Fn(&Finding) -> bool) {
    let mut sightings = world.memory.sightings.lock().unwrap_or_else(PoisonError::into_inner);
    let still = |item: &Item| {
        plan.findings.get(item).is_some_and(|finding| differs(finding) || finding.verdict == Verdict::Gap)
    };
    sightings.retain(|(of, item), _| of != scope || still(item));
}

/// The sighting of this very difference; another value is another difference, made by somebody else perhaps.
fn recall(world: &World, scope: &Scope, item: &Item, finding: &Finding) -> Sighting {
    let sightings = world.memory.sightings.lock().unwrap_or_else(PoisonError::into_inner);
    let known = sightings.get(&(scope.clone(), item.clone()));
    known.filter(|known| known.observed == finding.observed).cloned().unwrap_or_else(|| Sighting {
        observed: finding.observed.clone(),
        first: world.clock.now().as_second(),
        author: Author::Pending,
    })
}

fn remember(world: &World, scope: &Scope, item: &Item, sighting: Sighting) {
    let mut sightings = world.memory.sightings.lock().unwrap_or_else(PoisonError::into_inner);
    sightings.insert((scope.clone(), item.clone()), sighting);
}

async fn ask(
    world: &World,
    task: &Task<'_>,
    observed: &Observed,
    item: &Item,
    sighting: &Sighting,
) -> Author {
    let desired = &task.accepted.desired;
    let now = world.clock.now().as_second();
    let (id, access) = whose(task, observed, item);
    let inside = match (task.scope, id) {
        (Scope::Account(_), Some(id)) => Some(world.readers.account(id, access)),
        _ => None,
    };
    let management = world.readers.management(&desired.organization);
    let witnesses = Witnesses { management: &management, account: inside.as_ref() };
    let (policy, target) = attached(task, observed, item);
    let question = Question {
        item,
        observed: sighting.observed.as_deref(),
        account: id,
        policy: policy.as_deref(),
        target: target.as_deref(),
        access,
        from: sighting.first - WINDOW,
        seen: sighting.first,
        now,
    };
    author(witnesses, &question).await.unwrap_or_else(|error| {
        tracing::warn!(scope = %task.scope, %item, %error, "CloudTrail could not be asked for the author");
        Author::Pending
    })
}

/// The account an item is about, and the roles used there.
fn whose<'a>(
    task: &'a Task<'_>,
    observed: &'a Observed,
    item: &Item,
) -> (Option<&'a crate::model::AccountId>, &'a crate::model::Access) {
    let desired = &task.accepted.desired;
    let organization = &desired.organization.access;
    match (&observed.facts, item) {
        (Facts::Account(facts), _) => {
            (facts.id.as_ref(), account(task).map_or(organization, |account| &account.access))
        }
        (Facts::Organization(facts), Item::Account(slug, _)) => (facts.claimed.get(slug), organization),
        (Facts::Organization(_), _) => (None, organization),
    }
}

/// The ids of the policy an item is about, as it is or was kept, and of what it is attached to.
fn attached(task: &Task<'_>, observed: &Observed, item: &Item) -> (Option<String>, Option<String>) {
    let (Facts::Organization(facts), Item::Policy(name) | Item::Attachment(name, _)) =
        (&observed.facts, item)
    else {
        return (None, None);
    };
    let kept = || {
        let kept = task.base.items.get(&Item::Policy(name.clone()))?.get("id")?;
        kept.as_str().map(str::to_owned)
    };
    let policy = facts.policies.get(name).map(|fact| fact.id.clone()).or_else(kept);
    let target = match item {
        Item::Attachment(_, PolicyTarget::Ou(path)) => facts.ous.get(path).map(|ou| ou.id.clone()),
        Item::Attachment(_, PolicyTarget::Account(slug)) => facts.claimed.get(slug).map(ToString::to_string),
        _ => None,
    };
    (policy, target)
}

/// True while an author is still waited for: the scope is looked at again sooner than usual.
pub fn is_pending(authors: &BTreeMap<Item, Author>) -> bool {
    authors.values().any(|author| *author == Author::Pending)
}
