//! One pass of every scope: the organization first, then all accounts at once, or wave by wave.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use super::{Edition, Hands, Pass, Task, World, pass, rollout};
use crate::follow::Accepted;
use crate::git::ScopeRecord;
use crate::model::{Base, OrganizationFacts, Scope};
use crate::observe::DriftLook;
use crate::report::{ScopeReport, Situation};

/// Looks at everything and writes nothing.
pub async fn look(
    world: &World,
    accepted: &Accepted,
    bases: &BTreeMap<Scope, Arc<Base>>,
    drift: DriftLook,
    concurrency: usize,
) -> Vec<ScopeReport> {
    let mut sweep = Sweep::new(world, accepted, bases.clone(), concurrency);
    sweep.drift = drift;
    sweep.pass(None).await;
    sweep.reports().to_vec()
}

/// Passes over every scope, one after the other as often as is asked.
pub struct Sweep<'a> {
    world: &'a World,
    accepted: &'a Accepted,
    concurrency: usize,
    drift: DriftLook,
    bases: BTreeMap<Scope, Arc<Base>>,
    reports: Vec<ScopeReport>,
    records: Vec<ScopeRecord>,
    organization: Option<Arc<OrganizationFacts>>,
    put_back: BTreeMap<Scope, ScopeReport>,
}

impl<'a> Sweep<'a> {
    /// Begins with the bases on record.
    pub fn new(
        world: &'a World,
        accepted: &'a Accepted,
        bases: BTreeMap<Scope, Arc<Base>>,
        concurrency: usize,
    ) -> Self {
        let (reports, records) = (Vec::new(), Vec::new());
        let drift = DriftLook::LastKnown;
        world.begin(&accepted.desired, &bases);
        Self {
            world,
            accepted,
            concurrency,
            drift,
            bases,
            reports,
            records,
            organization: None,
            put_back: BTreeMap::new(),
        }
    }

    /// One pass of every scope.
    pub async fn pass(&mut self, hands: Option<&Hands>) {
        self.reports.clear();
        self.records.clear();
        let scopes = self.world.scopes(&self.accepted.desired);
        let (first, rest) = scopes.split_at(1.min(scopes.len()));
        for scope in first {
            let pass = self.one(scope, hands).await;
            self.organization = pass.organization.clone().map(Arc::new);
            self.take(scope, pass);
        }
        for wave in rollout::by_wave(&self.accepted.desired, rest) {
            self.together(&wave, hands).await;
        }
        self.reports.sort_by(|left, right| left.scope.cmp(&right.scope));
    }

    /// One pass of each of these, several at once.
    async fn together(&mut self, scopes: &[Scope], hands: Option<&Hands>) {
        let passes: Vec<_> = {
            let this = &*self;
            stream::iter(scopes.iter().cloned())
                .map(|scope| async move {
                    let pass = this.one(&scope, hands).await;
                    (scope, pass)
                })
                .buffer_unordered(self.concurrency.max(1))
                .collect()
                .await
        };
        for (scope, pass) in passes {
            self.take(&scope, pass);
        }
    }

    async fn one(&self, scope: &Scope, hands: Option<&Hands>) -> Pass {
        let none = Base::default();
        let base = self.bases.get(scope).map_or(&none, Arc::as_ref);
        let (accepted, organization) = (self.accepted, self.organization.as_deref());
        let task = Task { scope, accepted, base, organization, drift: self.drift };
        pass(self.world, &task, hands).await
    }

    fn take(&mut self, scope: &Scope, pass: Pass) {
        self.bases.insert(scope.clone(), Arc::new(pass.base.clone()));
        let Pass { base, live, proofs, .. } = pass;
        self.records.push(ScopeRecord { scope: scope.clone(), base, live, proofs });
        if pass.report.has_put_back() {
            self.put_back.insert(scope.clone(), pass.report.clone());
        }
        self.reports.push(pass.report);
    }

    /// The reports of the last pass, by scope.
    pub fn reports(&self) -> &[ScopeReport] {
        &self.reports
    }

    /// What the last pass came to, to be published.
    pub fn edition(&self) -> Edition {
        let desired = &self.accepted.desired;
        Edition {
            records: self.records.iter().cloned().map(Arc::new).collect(),
            reports: self.reports.iter().cloned().map(Arc::new).collect(),
            put_back: self.put_back.clone(),
            situation: Situation {
                revision: Some(desired.revision.clone()),
                scopes: Some(desired.scopes().into_iter().collect()),
                ..Situation::default()
            },
            accepted: Some(self.accepted.clone()),
            organization: self.organization.clone(),
        }
    }
}
