//! One pass: observe, plan, apply, report. Read this first.
//!
//! Guarantees: [`look`] is given readers only and cannot write; a pass that may write asks the brake first; every pass
//! ends in a report, whatever happened.

mod ahead;
mod attribution;
mod edition;
mod memory;
mod rollout;
mod sight;
pub mod sweep;

use std::time::Duration;

use tokio::time::Instant;

use crate::apply::{Brake, Freezes, Progress, Site, apply};
use crate::aws::{Readers, Writers};
use crate::clock::Clock;
use crate::model::{
    Account, Base, Desired, Facts, Hold, Item, Mode, Observed, OrganizationFacts, Outcomes, Plan, Proofs,
    Scope, SharedValue, Sight, Slug, Value, names_secret,
};
use crate::observe::DriftLook;
use crate::plan::{Guards, Rules, next_base, plan, produced};
use crate::report::ScopeReport;

pub use ahead::Ahead;
pub use attribution::is_pending;
pub use edition::Edition;
pub use memory::{Learned, Memory};

use crate::follow::Accepted;

/// What every pass shares.
pub struct World {
    /// Looks at AWS.
    pub readers: Readers,
    /// The time.
    pub clock: Clock,
    /// What the daemon's own configuration allows.
    pub limits: Limits,
    /// What need not be asked again. Losing it costs calls, nothing else.
    pub memory: Memory,
    /// Only this account, where the operator asked for it.
    pub only: Option<Slug>,
}

impl World {
    /// The scopes to look at, the organization first.
    pub fn scopes(&self, desired: &Desired) -> Vec<Scope> {
        let is_meant = |scope: &Scope| match (scope, &self.only) {
            (Scope::Account(slug), Some(only)) => slug == only,
            _ => true,
        };
        desired.scopes().into_iter().filter(is_meant).collect()
    }
}

/// Limits from the daemon's own configuration, never from the repository.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How far to go at the most.
    pub ceiling: Mode,
    /// Whether the management account may be written.
    pub allow_management: bool,
    /// How many accounts may be under way at once.
    pub max_creations: usize,
    /// What else the operator keeps back.
    pub guards: Guards,
}

/// What a pass is about.
pub struct Task<'a> {
    /// The scope.
    pub scope: &'a Scope,
    /// The commit in force.
    pub accepted: &'a Accepted,
    /// What was last agreed in this scope.
    pub base: &'a Base,
    /// The organization as last observed; a pass over an account needs it.
    pub organization: Option<&'a OrganizationFacts>,
    /// How closely to look at stacks.
    pub drift: DriftLook,
    /// First looks that passes over accounts may build on; only where nothing is written or put on record.
    pub ahead: Option<&'a Ahead>,
}

/// What writes, and who hears of it.
#[derive(Clone)]
pub struct Hands {
    /// Writes.
    pub writers: Writers,
    /// Who listens.
    pub progress: Progress,
    /// How long a stack is waited for.
    pub patience: Duration,
}

/// What a pass came to.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Findings, steps, outcomes, authors.
    pub report: ScopeReport,
    /// The base from now on.
    pub base: Base,
    /// What was seen, item by item.
    pub live: std::collections::BTreeMap<Item, SharedValue>,
    /// The organization, where that was the scope.
    pub organization: Option<OrganizationFacts>,
    /// Which templates were seen.
    pub proofs: Proofs,
    /// Whether others may go on with what was seen of its outputs.
    pub learned: Learned,
}

/// Runs one pass. Without hands nothing is written.
pub async fn pass(world: &World, task: &Task<'_>, hands: Option<&Hands>) -> Pass {
    let began = Instant::now();
    let (observed, plan) = look(world, task).await;
    let brake = sight::brake(world, task, &observed, began);
    let (observed, plan) = held(world, task, observed, plan, brake.as_ref()).await;
    let outcomes = match (hands, &brake) {
        (Some(hands), Some(brake)) if !plan.is_empty() => {
            act(world, task, &observed, &plan, hands, brake).await
        }
        _ => Outcomes::new(),
    };
    world.memory.wrote(&plan, &outcomes, world.clock.now());
    let authors = attribution::authors(world, task, &observed, &plan).await;
    let learned = learn(world, task, &observed, &plan);
    let base = next_base(&plan, &outcomes, task.base);
    let live = live(&observed, &base);
    let organization = match &observed.facts {
        Facts::Organization(facts) => Some(facts.clone()),
        Facts::Account(_) => None,
    };
    let proofs = match task.scope {
        Scope::Account(slug) => world.memory.proofs(slug).await,
        Scope::Organization => Proofs::new(),
    };
    let report = report(world, task, &observed, plan, outcomes, authors);
    if let Some(id) = &report.account_id {
        world.readers.rest(id);
    }
    rollout::note(world, task, &report, &base);
    Pass { report, base, live, organization, proofs, learned }
}

/// Keeps what was seen of the outputs of an account's stacks.
fn learn(world: &World, task: &Task<'_>, observed: &Observed, plan: &Plan) -> Learned {
    match (account(task), &observed.facts) {
        (Some(account), Facts::Account(facts)) => {
            world.memory.learn(&account.slug, produced(plan, account, facts))
        }
        _ => Learned::Nothing,
    }
}

/// Observes and plans.
pub async fn look(world: &World, task: &Task<'_>) -> (Observed, Plan) {
    let observed = sight::observe(world, task).await;
    let plan = draw(world, task, &observed);
    (observed, plan)
}

fn draw(world: &World, task: &Task<'_>, observed: &Observed) -> Plan {
    let plan = plan(task.scope, &task.accepted.desired, task.base, observed, &rules(world, task));
    match &world.only {
        Some(slug) => plan.only(slug),
        None => plan,
    }
}

fn rules(world: &World, task: &Task<'_>) -> Rules {
    let now = world.clock.now();
    let closed = match task.scope {
        Scope::Account(slug) => {
            let (desired, guards) = (&task.accepted.desired, &world.limits.guards);
            world.memory.waves.closed(desired, slug, guards, now.as_second())
        }
        Scope::Organization => None,
    };
    Rules {
        ceiling: world.limits.ceiling,
        allow_management: world.limits.allow_management,
        max_creations: world.limits.max_creations,
        guards: world.limits.guards.clone(),
        committed: task.accepted.committed,
        now: now.as_second(),
        fights: world.memory.fights(task.scope, now),
        closed,
    }
}

/// Looks for a hold where something would be written, and plans again under it. The tags are read at this moment
/// so that the brake works within one pass and costs nothing while there is nothing to do.
async fn held(
    world: &World,
    task: &Task<'_>,
    mut observed: Observed,
    plan: Plan,
    brake: Option<&Brake>,
) -> (Observed, Plan) {
    if plan.is_empty() || observed.hold.is_some() {
        return (observed, plan);
    }
    observed.hold = match brake {
        Some(brake) => brake.pulled().await,
        None => Some(Hold::Unread("the organization's root is not known".to_owned())),
    };
    let plan = if observed.hold.is_some() { draw(world, task, &observed) } else { plan };
    (observed, plan)
}

async fn act(
    world: &World,
    task: &Task<'_>,
    observed: &Observed,
    plan: &Plan,
    hands: &Hands,
    brake: &Brake,
) -> Outcomes {
    let desired = &task.accepted.desired;
    let organization = &desired.organization;
    let (reader, writer) = match (task.scope, &observed.facts) {
        (Scope::Account(slug), Facts::Account(facts)) => {
            let (Some(account), Some(id)) = (desired.accounts.get(slug), &facts.id) else {
                return Outcomes::new();
            };
            hands.writers.account(id, &account.access, &desired.revision)
        }
        _ => hands.writers.management(organization, &desired.revision),
    };
    let access = &organization.access;
    let role = access.new_account_role.as_ref().unwrap_or(&access.role).clone();
    let progress = hands.progress.clone();
    let site = Site {
        reader,
        writer,
        brake,
        freezes: Freezes { rollout: &desired.rollout, clock: world.clock },
        began: brake.began(),
        facts: &observed.facts,
        role,
        progress,
        patience: hands.patience,
    };
    apply(plan, &site).await
}

fn live(observed: &Observed, base: &Base) -> std::collections::BTreeMap<Item, SharedValue> {
    let value = |(item, sight): (&Item, &Sight)| match sight {
        Sight::Present { value, .. } => {
            Some((item.clone(), SharedValue::like(without_secrets(value), base.items.get(item))))
        }
        Sight::Absent | Sight::Moving(_) | Sight::Gap(_) => None,
    };
    observed.items.iter().filter_map(value).collect()
}

/// What is recorded is there for good and for every reader of the repository: texts of resources that bear the name
/// of a secret are left out.
fn without_secrets(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(drift) = value.get_mut("drift") {
        blank(drift, false);
    }
    value
}

fn blank(value: &mut Value, is_secret: bool) {
    match value {
        Value::Object(fields) => {
            fields.iter_mut().for_each(|(key, value)| blank(value, is_secret || names_secret(key)));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| blank(value, is_secret)),
        Value::String(text) if is_secret => "(hidden)".clone_into(text),
        _ => {}
    }
}

fn report(
    world: &World,
    task: &Task<'_>,
    observed: &Observed,
    plan: Plan,
    outcomes: Outcomes,
    authors: std::collections::BTreeMap<Item, crate::model::Author>,
) -> ScopeReport {
    let account_id = match &observed.facts {
        Facts::Account(facts) => facts.id.clone(),
        Facts::Organization(_) => None,
    };
    let account = account(task);
    ScopeReport {
        scope: task.scope.clone(),
        account_id,
        account_name: account.map(|account| account.name.clone()).unwrap_or_default(),
        gaps_last: world.memory.gaps_last(task.scope, &plan, world.clock.now()),
        plan,
        outcomes,
        authors,
        hold: observed.hold.clone(),
    }
}

fn account<'a>(task: &Task<'a>) -> Option<&'a Account> {
    match task.scope {
        Scope::Account(slug) => task.accepted.desired.accounts.get(slug).map(AsRef::as_ref),
        Scope::Organization => None,
    }
}
