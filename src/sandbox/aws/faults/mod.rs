//! Trouble on demand: one layer around every handler.
//!
//! A fault says on which calls it strikes and what the client sees. Whether the call was carried out nevertheless
//! is in the log (`acted`), which is what tests judge by.

mod past;
mod trouble;

pub use super::super::fault::When;
pub(crate) use past::Past;
pub use trouble::Trouble;
pub(crate) use trouble::{emptied, internal};

use super::super::fault::Tally;
use super::call::Call;
use super::identity::Kind;
use super::log;

/// The calls that a fault concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Calls {
    /// Every call.
    Any,
    /// Every call that can change something.
    Writes,
    /// Every call to Organizations that can change something.
    OrganizationWrites,
    /// Calls of this operation, such as `CreateAccount`.
    Of(String),
}

/// One fault, set by a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The calls it concerns.
    pub operation: Calls,
    /// The account acted in; `None` is any. A session is asked for in the management account.
    pub account: Option<String>,
    /// Which of these calls it strikes.
    pub when: When,
    /// What goes wrong.
    pub trouble: Trouble,
}

impl From<&str> for Calls {
    fn from(operation: &str) -> Self {
        Self::Of(operation.to_owned())
    }
}

impl From<String> for Calls {
    fn from(operation: String) -> Self {
        Self::Of(operation)
    }
}

impl Calls {
    fn concern(&self, call: &Call) -> bool {
        let is_write = log::is_mutating(&call.operation);
        match self {
            Self::Any => true,
            Self::Writes => is_write,
            Self::OrganizationWrites => is_write && call.service == "organizations",
            Self::Of(operation) => *operation == call.operation,
        }
    }
}

impl Fault {
    /// `trouble` for these calls in any account.
    pub fn new(operation: impl Into<Calls>, when: When, trouble: Trouble) -> Self {
        Self { operation: operation.into(), account: None, when, trouble }
    }

    /// The same, in one account only.
    #[must_use]
    pub fn within(self, account: &str) -> Self {
        Self { account: Some(account.to_owned()), ..self }
    }

    /// Several troubles of the same calls, none of which takes from the others: each strikes with its own probability.
    /// They have to be set together and in this order.
    pub fn mix(operation: &Calls, troubles: &[(f64, Trouble)]) -> Vec<Self> {
        let mut left = 1.0;
        let mut one = |chance: f64, trouble: &Trouble| {
            let of_the_rest = if left > 0.0 { chance / left } else { 0.0 };
            left -= chance;
            Self::new(operation.clone(), When::Chance(of_the_rest), trouble.clone())
        };
        troubles.iter().map(|(chance, trouble)| one(*chance, trouble)).collect()
    }

    fn concerns(&self, call: &Call) -> bool {
        let is_possible = match self.trouble {
            Trouble::Expire => matches!(call.principal.kind, Kind::Role { .. }),
            // Asking for drift detection begins something, so it is not a look at the past.
            Trouble::Stale(_) => {
                ["Describe", "Get", "List"].iter().any(|look| call.operation.starts_with(look))
            }
            _ => true,
        };
        let is_there = self.account.as_deref().is_none_or(|wanted| wanted == call.account());
        is_possible && is_there && self.operation.concern(call)
    }
}

/// The faults that are set, and what decides over chances.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    seed: u64,
    set: Vec<(Fault, Tally)>,
}

impl Faults {
    /// Another seed, for the faults that are set from now on.
    pub(crate) fn sow(&mut self, seed: u64) {
        self.seed = seed;
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        let tally = Tally::new(self.seed, &self.set.len().to_string());
        self.set.push((fault, tally));
    }

    pub(crate) fn clear(&mut self) {
        self.set.clear();
    }

    /// The trouble this call meets: the first set fault that strikes.
    pub(crate) fn strike(&mut self, call: &Call) -> Option<Trouble> {
        let name = subject(call);
        self.set
            .iter_mut()
            .filter(|(fault, _)| fault.concerns(call))
            .find_map(|(fault, tally)| tally.strikes(fault.when, &name).then(|| fault.trouble.clone()))
    }
}

/// What a call is about: steps of one account run side by side, each in its own order.
fn subject(call: &Call) -> String {
    let names = ["StackName", "ChangeSetName", "AccountId", "ResourceId", "Email", "Name", "RoleArn"];
    let named = names.iter().find_map(|name| call.params.get(*name)?.as_str()).unwrap_or_default();
    format!("{}/{}/{}/{named}", call.account(), call.region, call.operation)
}
