//! Desired, base and observed → a plan.
//!
//! Guarantees: pure (no IO, clock, randomness or async), total, and ordered: the same inputs give the same bytes. A plan
//! leaves no choice to apply. What was not read is never changed, and neither is what is not ours.
//!
//! Assumptions: `load` has refused cycles, and `observe` gives a sighting for every item of the desired state and
//! of the base.

mod account;
mod agree;
mod findings;
mod first_ou;
mod foreign;
mod guards;
mod hindrance;
mod leaving;
mod losses;
mod organization;
mod policies;
mod references;
mod stacks;
mod ties;
mod unmarked;
mod warnings;
mod wave;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{
    Base, Blocked, Closed, Desired, Facts, Finding, Item, Mode, Observed, Plan, PlannedStep, Scope, Step,
    StepId, Verdict,
};

pub use agree::next_base;
pub use foreign::{owner as other_owner, owner_of_policy};
pub use guards::{Guards, ProtectedStack, go_on};
pub use references::produced;
pub use unmarked::as_marked;
pub use wave::{Progress, Seen, Standing, standing};

/// What the daemon's own configuration allows, and the time it is. Never read from the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// How far to go at the most, whatever the repository says.
    pub ceiling: Mode,
    /// Whether the management account may be written, from inside or from outside.
    pub allow_management: bool,
    /// How many account creations may be under way at once (AWS refuses a sixth).
    pub max_creations: usize,
    /// When the commit was made, seconds since 1970: a request that failed before it may be tried again.
    pub committed: i64,
    /// When the world was observed, seconds since 1970.
    pub now: i64,
    /// What else the operator keeps back.
    pub guards: Guards,
    /// Items that were put back so often of late that somebody must be fighting: they are left alone.
    pub fights: BTreeSet<Item>,
    /// Why the account's wave does not begin yet, if so.
    pub closed: Option<Closed>,
}

/// The plan of one pass.
pub fn plan(scope: &Scope, desired: &Desired, base: &Base, observed: &Observed, rules: &Rules) -> Plan {
    let effective = match (scope, &observed.facts) {
        (Scope::Account(slug), Facts::Account(facts)) => {
            let account = desired.accounts.get(slug);
            account.map(|account| references::effective(desired, account, base, observed, facts))
        }
        _ => None,
    };
    let findings = findings::findings(scope, desired, effective.as_ref(), base, observed, rules);
    let mut draft = Draft::default();
    match (scope, &observed.facts) {
        (Scope::Organization, Facts::Organization(facts)) => {
            organization::steps(&mut draft, desired, &findings, facts, rules);
            let around = policies::Around { desired, base, findings: &findings, facts, rules };
            policies::steps(&mut draft, &around);
        }
        (Scope::Account(_), Facts::Account(facts)) => {
            if let Some(effective) = &effective {
                let around = account::Around { desired, effective, base, facts, rules };
                account::steps(&mut draft, &around, &findings);
            }
        }
        // An observation of another kind of scope says nothing about this one.
        _ => {}
    }
    for item in rules.fights.iter().filter(|item| findings.get(*item).is_some_and(is_out_of_line)) {
        draft.refuse(item, FIGHT);
    }
    if let (Scope::Organization, Facts::Organization(facts)) = (scope, &observed.facts) {
        organization::keep_off(&mut draft, desired, facts, rules);
    }
    let gate = wave::gate(&mut draft, scope, desired, &findings, rules);
    let facts = match &observed.facts {
        Facts::Organization(facts) => Some(facts),
        Facts::Account(_) => None,
    };
    let trial = first_ou::Trial { desired, base, findings: &findings, facts, rules };
    let gate = trial.hold(&mut draft, gate);
    if let Some(hold) = &observed.hold {
        draft.hold(&hold.to_string());
    }
    let Draft { steps, blocked } = draft;
    let warnings = match scope {
        Scope::Account(slug) => {
            desired.accounts.get(slug).map(|account| warnings::warnings(account, &findings, rules))
        }
        Scope::Organization => None,
    };
    let mut ties = ties::ties(scope, desired, base, &findings, &observed.facts);
    trial.keep(&mut ties);
    let mut warnings = warnings.unwrap_or_default();
    warnings.extend(ties::warnings(&ties, &findings));
    let (unclaimed, unclaimed_gap) = organization::unclaimed(desired, &observed.facts);
    Plan {
        scope: scope.clone(),
        revision: desired.revision.clone(),
        findings,
        steps,
        blocked,
        waiting: effective.map(|it| it.waits.into_keys().collect()).unwrap_or_default(),
        unclaimed,
        unclaimed_gap,
        warnings,
        ties,
        gate,
    }
}

/// What is said of an item that something else changes as often as we put it back.
const FIGHT: &str = "it was put back three times within a day and changed again each time; it is left alone now: \
                     find out who changes it, or declare what they want";

fn is_out_of_line(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Drift | Verdict::Conflict)
}

/// True when the verdict, the mode and the repository's `adopt` together ask for a write.
fn wants_write(finding: &Finding, is_adopted: bool) -> bool {
    match finding.verdict {
        Verdict::Pending | Verdict::New => finding.mode >= Mode::Report,
        Verdict::FirstSight => is_adopted && finding.mode >= Mode::Report,
        Verdict::Drift | Verdict::Conflict => finding.mode == Mode::Enforce,
        Verdict::InSync
        | Verdict::Undeclared
        | Verdict::Gone
        | Verdict::Moving
        | Verdict::Gap
        | Verdict::Waiting => false,
    }
}

/// A plan in the making.
#[derive(Default)]
struct Draft {
    steps: Vec<PlannedStep>,
    blocked: Vec<Blocked>,
}

impl Draft {
    fn step(&mut self, verb: &str, item: &Item, needs: BTreeSet<StepId>, step: Step) -> StepId {
        let id = StepId(format!("{verb} {item}"));
        self.steps.push(PlannedStep { id: id.clone(), item: item.clone(), needs, step });
        id
    }

    /// Holds `item` back until time or another pass resolves it.
    fn wait(&mut self, item: &Item, because: impl Into<String>) {
        self.blocked.push(Blocked { item: item.clone(), because: because.into(), needs_person: false });
    }

    /// Holds `item` back until a person does something.
    fn refuse(&mut self, item: &Item, because: impl Into<String>) {
        self.blocked.push(Blocked { item: item.clone(), because: because.into(), needs_person: true });
    }

    /// The step that makes `item` what it should be, if this plan has one.
    fn making(&self, item: &Item) -> Option<StepId> {
        self.steps.iter().rev().find(|step| step.item == *item).map(|step| step.id.clone())
    }

    /// Turns every step into something held back: the brake was pulled.
    fn hold(&mut self, reason: &str) {
        let mut items: Vec<Item> = self.steps.drain(..).map(|step| step.item).collect();
        items.dedup();
        for item in items {
            self.wait(&item, format!("on hold: {reason}"));
        }
    }
}
