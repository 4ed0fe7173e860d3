//! What all passes came to: what should be on record and in issues.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::follow::Accepted;
use crate::git::ScopeRecord;
use crate::model::{OrganizationFacts, Scope};
use crate::report::{ScopeReport, Situation};

/// Everything that should be known, at one time.
#[derive(Clone, Debug, Default)]
pub struct Edition {
    /// What to record, by scope.
    pub records: Vec<Arc<ScopeRecord>>,
    /// The last report of each scope.
    pub reports: Vec<Arc<ScopeReport>>,
    /// Reports of passes that put something back and of which nobody has been told yet. By now their scopes are in
    /// line again, so that the last reports say nothing of it.
    pub put_back: BTreeMap<Scope, ScopeReport>,
    /// What is said about commits.
    pub situation: Situation,
    /// The commit in force.
    pub accepted: Option<Accepted>,
    /// The organization as last seen.
    pub organization: Option<Arc<OrganizationFacts>>,
}
