//! What the daemon knows between passes. All of it comes back by itself after a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Settings;
use super::queue::Queue;
use super::rhythm::{Ending, ending, pause};
use crate::aws::Pace;
use crate::follow::Accepted;
use crate::git::ScopeRecord;
use crate::model::{AccountId, AccountState, Base, Desired, OrganizationFacts, Scope, Slug};
use crate::reconcile::{Edition, Learned, Pass, is_pending};
use crate::report::{ScopeReport, Situation};

/// How soon a scope is looked at again while the author of a change is not known yet.
const AUTHOR_PENDING: Duration = Duration::from_secs(30);

/// How long an account is held up after a start for those whose outputs it takes.
const AFTER_PRODUCERS: Duration = Duration::from_secs(30);

/// The daemon's knowledge.
#[derive(Default)]
pub struct State {
    /// The commit in force.
    pub accepted: Option<Accepted>,
    /// What is said about commits.
    pub situation: Situation,
    /// Bases by scope.
    pub bases: BTreeMap<Scope, Arc<Base>>,
    /// The organization as last seen.
    pub organization: Option<Arc<OrganizationFacts>>,
    /// The last report of each scope.
    pub reports: BTreeMap<Scope, Arc<ScopeReport>>,
    /// Who is due.
    pub(super) queue: Queue,
    put_back: BTreeMap<Scope, ScopeReport>,
    records: BTreeMap<Scope, Arc<ScopeRecord>>,
    failures: BTreeMap<Scope, u32>,
    detection: BTreeMap<Scope, Instant>,
    scopes: Vec<Scope>,
    /// Whose outputs each account takes, and who takes those of each.
    producers: BTreeMap<Slug, BTreeSet<Slug>>,
    consumers: BTreeMap<Slug, BTreeSet<Slug>>,
    /// Whose unrecorded ids each account takes, where it takes any.
    ids_taken: BTreeMap<Slug, BTreeSet<Slug>>,
}

impl State {
    /// Begins with what is on record.
    pub fn new(bases: BTreeMap<Scope, Arc<Base>>) -> Self {
        Self { bases, ..Self::default() }
    }

    /// Puts a commit in force and wakes the scopes for which it says something else, and those that were not quiet. The
    /// others keep their rhythm, so that a commit about one account costs no call in a thousand others. With waves, those
    /// that it reaches through outputs are woken too: their wave is not done before they were looked at.
    pub(super) fn accept(&mut self, accepted: Accepted, scopes: Vec<Scope>, now: Instant) {
        self.situation = Situation {
            revision: Some(accepted.desired.revision.clone()),
            scopes: Some(accepted.desired.scopes().into_iter().collect()),
            ..Situation::default()
        };
        let known: BTreeSet<&Scope> = scopes.iter().collect();
        self.queue.retain(|scope| known.contains(scope));
        self.reports.retain(|scope, _| known.contains(scope));
        let is_other = self.accepted.as_ref().is_none_or(|before| {
            !before.desired.organization.says_the_same_to_accounts(&accepted.desired.organization)
        });
        let reached = self.reached(&accepted);
        for scope in &scopes {
            // Accounts follow once the organization was looked at under this commit.
            let is_ready = *scope == Scope::Organization || self.organization.is_some();
            let is_meant =
                self.is_news(&accepted, scope) || reached.contains(scope) || self.is_restless(scope);
            if is_ready && (is_other || is_meant) {
                self.queue.wake(scope.clone(), now);
            }
        }
        self.scopes = scopes;
        self.consumers = accepted.desired.consumers();
        self.producers = turned(&self.consumers);
        self.ids_taken = ids_taken(&accepted.desired);
        self.accepted = Some(accepted);
    }

    /// True when `accepted` declares something else for a scope than the commit before, the organization apart.
    fn is_news(&self, accepted: &Accepted, scope: &Scope) -> bool {
        let Some(before) = &self.accepted else { return true };
        let (before, after) = (&before.desired, &accepted.desired);
        match scope {
            Scope::Organization => true,
            Scope::Account(slug) => before.accounts.get(slug) != after.accounts.get(slug),
        }
    }

    /// The accounts of which a rollout waits although the commit says nothing new of them.
    fn reached(&self, accepted: &Accepted) -> BTreeSet<Scope> {
        let Some(before) = self.accepted.as_ref().filter(|_| accepted.desired.rollout.has_waves()) else {
            return BTreeSet::new();
        };
        accepted.desired.reached_since(&before.desired).into_iter().cloned().map(Scope::Account).collect()
    }

    /// True while something is left to do or to wait for in a scope: any commit may be what it waits for.
    fn is_restless(&self, scope: &Scope) -> bool {
        let is_quiet = |report: &ScopeReport| ending(report) == Ending::Quiet && report.plan.gate.is_none();
        self.reports.get(scope).is_none_or(|report| !is_quiet(report))
    }

    /// Wakes what waits in these waves.
    pub(super) fn wake_waves(&mut self, waves: &BTreeSet<String>, now: Instant) {
        let waits = |report: &ScopeReport| {
            let closed = report.plan.gate.as_ref().and_then(|gate| gate.closed.as_ref());
            closed.is_some_and(|closed| waves.contains(&closed.wave))
        };
        for (scope, _) in self.reports.iter().filter(|(_, report)| waits(report)) {
            self.queue.wake(scope.clone(), now);
        }
    }

    /// The next scope to look at.
    pub(super) fn next(&mut self, now: Instant) -> Option<Scope> {
        self.accepted.as_ref()?;
        self.queue.take(now)
    }

    /// True when resource drift of this scope's stacks is to be looked for now.
    pub(super) fn is_detection_due(&self, scope: &Scope, now: Instant) -> bool {
        *scope != Scope::Organization && self.detection.get(scope).is_some_and(|due| *due <= now)
    }

    /// Takes in what a pass came to and decides when its scope is due again.
    #[expect(clippy::too_many_arguments, reason = "each is a different input of one decision")]
    pub(super) fn record(
        &mut self,
        scope: Scope,
        pass: Pass,
        end: Ending,
        detected: bool,
        settings: &Settings,
        pace: Pace,
        jitter: f64,
    ) {
        let now = Instant::now();
        self.queue.finished(&scope);
        self.schedule_detection(&scope, detected, settings.detect_drift_every, jitter, now);
        let failures = self.count_failure(&scope, end);
        let mut wait = paced(pause(end, failures, settings.resync, jitter), end, pace);
        if is_pending(&pass.report.authors) {
            wait = wait.min(pace.scale(AUTHOR_PENDING));
        }
        let due = self.detection.get(&scope).map_or(now + wait, |detection| (now + wait).min(*detection));
        if pass.report.has_put_back() {
            self.put_back.insert(scope.clone(), pass.report.clone());
        }
        if self.is_declared(&scope) {
            self.queue.wake(scope.clone(), due);
            self.reports.insert(scope.clone(), Arc::new(pass.report));
        }
        if let Some(facts) = pass.organization {
            self.organization_seen(facts, now, pace);
        }
        if let Scope::Account(slug) = &scope {
            self.wake_consumers(slug, pass.learned, now, pace);
        }
        let Pass { base, live, proofs, .. } = pass;
        let base = base.shared(self.bases.get(&scope));
        self.bases.insert(scope.clone(), Arc::clone(&base));
        self.records.insert(scope.clone(), Arc::new(ScopeRecord { scope, base, live, proofs }));
    }

    fn is_declared(&self, scope: &Scope) -> bool {
        self.scopes.contains(scope)
    }

    fn count_failure(&mut self, scope: &Scope, end: Ending) -> u32 {
        let failures = self.failures.entry(scope.clone()).or_default();
        let goes_on = matches!(end, Ending::Failing | Ending::Waiting(_));
        *failures = if goes_on { failures.saturating_add(1) } else { 0 };
        *failures
    }

    /// The first detection comes somewhere within the interval, so that a start does not ask for all at once.
    fn schedule_detection(
        &mut self,
        scope: &Scope,
        detected: bool,
        every: Duration,
        jitter: f64,
        now: Instant,
    ) {
        if *scope == Scope::Organization {
            return;
        }
        if detected {
            self.detection.insert(scope.clone(), now + every.mul_f64(0.9 + 0.2 * jitter));
        } else {
            self.detection.entry(scope.clone()).or_insert(now + every.mul_f64(jitter));
        }
    }

    /// Wakes accounts that appeared or changed and those that take their ids, and all of them the first time.
    fn organization_seen(&mut self, facts: OrganizationFacts, now: Instant, pace: Pace) {
        // The management account is always listed and the root is always there: less than that is a look that failed,
        // and what was known before says more.
        if self.organization.is_some() && (facts.accounts.is_empty() || facts.ous.is_empty()) {
            return;
        }
        let before = self.organization.replace(Arc::new(facts));
        let Some(after) = &self.organization else { return };
        for scope in &self.scopes {
            let Scope::Account(slug) = scope else { continue };
            let is_news =
                |slug: &Slug| before.as_ref().is_none_or(|before| fact(before, slug) != fact(after, slug));
            if is_news(slug) || self.ids_taken.get(slug).is_some_and(|taken| taken.iter().any(is_news)) {
                // After a restart nothing is known of any output: an account that takes some would have to be looked
                // at twice.
                let at = if before.is_none() { self.after_producers(slug, now, pace) } else { now };
                self.queue.wake(scope.clone(), at);
            }
        }
    }

    /// When an account is to be looked at that takes outputs of others: at once when those were looked at, and soon in
    /// any case, because something else may be left to do in it.
    fn after_producers(&self, slug: &Slug, now: Instant, pace: Pace) -> Instant {
        let is_known = |slug: &Slug| self.reports.contains_key(&Scope::Account(slug.clone()));
        let are_known = self.producers.get(slug).is_none_or(|producers| producers.iter().all(is_known));
        if are_known { now } else { now + pace.scale(AFTER_PRODUCERS) }
    }

    /// Wakes the accounts that take outputs which changed, and those that waited for them.
    fn wake_consumers(&mut self, slug: &Slug, learned: Learned, now: Instant, pace: Pace) {
        let declared: BTreeSet<&Scope> = self.scopes.iter().collect();
        for consumer in self.consumers.get(slug).into_iter().flatten() {
            let scope = Scope::Account(consumer.clone());
            let is_waiting = self.reports.get(&scope).is_some_and(|report| !report.plan.waiting.is_empty());
            let is_due = match learned {
                Learned::Changed => true,
                Learned::Again => is_waiting,
                // It may be what an account is held up for after a start.
                Learned::Nothing => !self.reports.contains_key(&scope),
            };
            if is_due && declared.contains(&scope) {
                self.queue.wake(scope, self.after_producers(consumer, now, pace));
            }
        }
    }

    /// Forgets what was put back once it was told of; what was put back since stays to be told.
    pub(super) fn told(&mut self, told: &BTreeMap<Scope, ScopeReport>) {
        self.put_back.retain(|scope, report| told.get(scope) != Some(report));
    }

    /// Everything that should be on record and in issues now. One is made after every pass: what other passes came to
    /// is shared and not copied.
    pub(super) fn edition(&self) -> Edition {
        Edition {
            records: self.records.values().cloned().collect(),
            reports: self.reports.values().cloned().collect(),
            put_back: self.put_back.clone(),
            situation: self.situation.clone(),
            accepted: self.accepted.clone(),
            organization: self.organization.clone(),
        }
    }
}

/// What wakes an account when it changes.
fn fact<'a>(facts: &'a OrganizationFacts, slug: &Slug) -> Option<(&'a AccountId, &'a AccountState)> {
    let fact = facts.accounts.get(facts.claimed.get(slug)?)?;
    Some((&fact.id, &fact.state))
}

fn ids_taken(desired: &Desired) -> BTreeMap<Slug, BTreeSet<Slug>> {
    let of = |slug: &Slug| (slug.clone(), desired.ids_taken(slug).into_iter().cloned().collect());
    desired.accounts.keys().map(of).filter(|(_, taken): &(_, BTreeSet<_>)| !taken.is_empty()).collect()
}

fn turned(map: &BTreeMap<Slug, BTreeSet<Slug>>) -> BTreeMap<Slug, BTreeSet<Slug>> {
    let mut turned: BTreeMap<Slug, BTreeSet<Slug>> = BTreeMap::new();
    for (key, values) in map {
        for value in values {
            turned.entry(value.clone()).or_default().insert(key.clone());
        }
    }
    turned
}

/// Waits for AWS go at AWS's pace; everything else has its own rhythm.
fn paced(wait: Duration, end: Ending, pace: Pace) -> Duration {
    match end {
        Ending::Waiting(_) | Ending::Failing | Ending::Moved => pace.scale(wait),
        Ending::Quiet | Ending::Stalled => wait,
    }
}
