//! One pass of every scope: the organization first, then all accounts at once, or wave by wave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use super::{Ahead, Edition, Hands, Learned, Pass, Task, World, pass, rollout};
use crate::follow::Accepted;
use crate::git::ScopeRecord;
use crate::model::{Base, Desired, OrganizationFacts, Scope, Slug};
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
    sweep.glance().await;
    if sweep.has_news() {
        // Two accounts that take outputs of each other: what the later one showed is known to the other by now.
        sweep.glance().await;
    }
    sweep.into_reports()
}

/// Passes over every scope, one after the other as often as is asked.
pub struct Sweep<'a> {
    world: &'a World,
    accepted: &'a Accepted,
    concurrency: usize,
    drift: DriftLook,
    bases: BTreeMap<Scope, Arc<Base>>,
    reports: Vec<Arc<ScopeReport>>,
    records: Vec<Arc<ScopeRecord>>,
    organization: Option<Arc<OrganizationFacts>>,
    ahead: Option<Ahead>,
    put_back: BTreeMap<Scope, ScopeReport>,
    /// Which accounts showed outputs in the last pass that were not known before.
    learned: BTreeSet<Slug>,
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
            ahead: None,
            put_back: BTreeMap::new(),
            learned: BTreeSet::new(),
        }
    }

    /// One pass of every scope, wave by wave, and in each wave an account after those whose outputs it takes.
    pub async fn pass(&mut self, hands: Option<&Hands>) {
        self.reports.clear();
        self.records.clear();
        self.learned.clear();
        let desired = &self.accepted.desired;
        let scopes = self.world.scopes(desired);
        let (first, rest) = scopes.split_at(1.min(scopes.len()));
        for scope in first {
            let pass = self.one(scope, hands).await;
            self.organization = pass.organization.clone().map(Arc::new);
            self.take(scope, pass);
        }
        for wave in rollout::by_wave(desired, rest) {
            self.wave(&wave, rest, hands).await;
        }
        self.reports.sort_by(|left, right| left.scope.cmp(&right.scope));
    }

    /// The same for whoever only wants to see: accounts are looked at while the list of them is still coming.
    ///
    /// What is written or put on record follows from what was seen just before, which a wave may come long after; and
    /// detection, which takes minutes, compares with a description of its own.
    async fn glance(&mut self) {
        if self.drift == DriftLook::Detect {
            return self.pass(None).await;
        }
        let (world, concurrency) = (self.world, self.concurrency);
        let (ahead, looks) = Ahead::new(&self.accepted.desired, &self.bases);
        self.ahead = Some(ahead);
        tokio::select! {
            () = self.pass(None) => {}
            never = looks.take(world, concurrency) => match never {},
        }
        self.ahead = None;
    }

    /// A pass of each account of one wave, after those whose outputs it takes.
    async fn wave(&mut self, wave: &[Scope], all: &[Scope], hands: Option<&Hands>) {
        let of_wave: BTreeSet<&Slug> = wave.iter().filter_map(slug).collect();
        let all: BTreeSet<&Slug> = all.iter().filter_map(slug).collect();
        for rank in ranks(&self.accepted.desired, &of_wave) {
            let (meant, others): (Vec<_>, Vec<_>) = rank.into_iter().partition(|slug| of_wave.contains(slug));
            // Nothing is written there, or said of them; an account of another wave has a pass of its own.
            let witnesses = others.into_iter().filter(|slug| !all.contains(slug)).collect();
            self.all(witnesses, None).await;
            for (scope, pass) in self.all(meant, hands).await {
                self.take(&scope, pass);
            }
        }
    }

    /// True when something waits for an output that has become known since.
    pub fn has_news(&self) -> bool {
        let is_waiting = |report: &&ScopeReport| !report.plan.waiting.is_empty();
        let waiting = self.reports().filter(is_waiting).filter_map(|report| slug(&report.scope));
        let mut producers = waiting.flat_map(|slug| self.accepted.desired.producers(slug));
        producers.any(|slug| self.learned.contains(slug))
    }

    async fn all(&self, slugs: Vec<&Slug>, hands: Option<&Hands>) -> Vec<(Scope, Pass)> {
        stream::iter(slugs.into_iter().cloned().map(Scope::Account))
            .map(|scope| async move {
                let pass = self.one(&scope, hands).await;
                (scope, pass)
            })
            .buffer_unordered(self.concurrency.max(1))
            .collect()
            .await
    }

    async fn one(&self, scope: &Scope, hands: Option<&Hands>) -> Pass {
        let none = Base::default();
        let base = self.bases.get(scope).map_or(&none, Arc::as_ref);
        let (accepted, organization) = (self.accepted, self.organization.as_deref());
        let (drift, ahead) = (self.drift, self.ahead.as_ref().filter(|_| hands.is_none()));
        let task = Task { scope, accepted, base, organization, drift, ahead };
        pass(self.world, &task, hands).await
    }

    fn take(&mut self, scope: &Scope, pass: Pass) {
        if pass.learned > Learned::Nothing {
            self.learned.extend(slug(scope).cloned());
        }
        let Pass { base, live, proofs, report, .. } = pass;
        let base = base.shared(self.bases.get(scope));
        self.bases.insert(scope.clone(), Arc::clone(&base));
        self.records.push(Arc::new(ScopeRecord { scope: scope.clone(), base, live, proofs }));
        if report.has_put_back() {
            self.put_back.insert(scope.clone(), report.clone());
        }
        self.reports.push(Arc::new(report));
    }

    /// The reports of the last pass, by scope.
    pub fn reports(&self) -> impl Iterator<Item = &ScopeReport> {
        self.reports.iter().map(Arc::as_ref)
    }

    /// The same, to be kept.
    pub fn into_reports(self) -> Vec<ScopeReport> {
        self.reports.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    /// What the last pass came to, to be published.
    pub fn edition(&self) -> Edition {
        let desired = &self.accepted.desired;
        Edition {
            records: self.records.clone(),
            reports: self.reports.clone(),
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

fn slug(scope: &Scope) -> Option<&Slug> {
    match scope {
        Scope::Account(slug) => Some(slug),
        Scope::Organization => None,
    }
}

/// These accounts and those whose outputs they take, so that each comes after the latter; where that goes round in a
/// circle, as far as can be.
fn ranks<'a>(desired: &'a Desired, slugs: &BTreeSet<&'a Slug>) -> Vec<BTreeSet<&'a Slug>> {
    let mut left: BTreeMap<&Slug, BTreeSet<&Slug>> = BTreeMap::new();
    let mut open: Vec<&Slug> = slugs.iter().copied().collect();
    while let Some(slug) = open.pop() {
        if !left.contains_key(slug) {
            let producers = desired.producers(slug);
            open.extend(producers.iter().copied());
            left.insert(slug, producers);
        }
    }
    let mut ranks = Vec::new();
    while !left.is_empty() {
        let is_ready = |producers: &BTreeSet<&Slug>| producers.iter().all(|it| !left.contains_key(it));
        let ready = left.iter().filter(|(_, producers)| is_ready(producers)).map(|(slug, _)| *slug);
        let mut rank: BTreeSet<_> = ready.collect();
        if rank.is_empty() {
            rank.extend(left.keys().copied().take(1));
        }
        left.retain(|slug, _| !rank.contains(slug));
        ranks.push(rank);
    }
    ranks
}
