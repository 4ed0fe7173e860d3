//! The daemon: triggers → queue of scopes → passes.
//!
//! Guarantees: one pass at a time for each scope; a trigger says only "look at this scope"; nothing is written before
//! the credentials were proved to belong to the organization the repository is for; SIGTERM ends it within ten
//! seconds, at whatever line that finds it.

mod publisher;
mod queue;
mod rhythm;
mod state;
mod watcher;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::{self, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use crate::follow::{Accepted, Follow, News};
use crate::git::ObservedBranch;
use crate::model::{Class, Organization, Scope};
use crate::observe::DriftLook;
use crate::reconcile::{Edition, Hands, Pass, Task, World, pass};
use crate::report::{Halted, ScopeReport};
use crate::server::Health;

pub use publisher::{Outlet, Proposals, Publisher};
pub use rhythm::{Ending, ending, pause};
pub use state::State;

/// How long passes may go on after the signal to stop, and how long the last words may take.
const LAST_PASSES: Duration = Duration::from_secs(6);
const LAST_WORDS: Duration = Duration::from_secs(3);

/// How far apart editions are at least: each holds everything, so that one for every pass would cost a thousand scopes
/// the square of that.
const BETWEEN_EDITIONS: Duration = Duration::from_millis(200);

/// How often things are looked at.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The remote.
    pub poll: Duration,
    /// Every scope, although nothing asked for it.
    pub resync: Duration,
    /// Resource drift of stacks.
    pub detect_drift_every: Duration,
    /// How many scopes at once.
    pub concurrency: usize,
}

/// What the daemon tells whoever listens.
#[derive(Debug)]
pub enum Notice {
    /// A commit is in force.
    Accepted(Accepted),
    /// A commit is not followed, and why.
    Refused(String),
    /// A pass ended.
    Passed(Box<ScopeReport>),
    /// What should be known was recorded and published.
    Published,
}

/// Why the daemon cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The credentials are for something else than the repository, or do not work: correct either.
    #[error(transparent)]
    Aws(#[from] crate::aws::Error),
}

/// A daemon, ready to run.
pub struct Daemon {
    /// What looks.
    pub world: Arc<World>,
    /// What writes; without it nothing is written to AWS.
    pub hands: Option<Hands>,
    /// Where commits come from.
    pub follow: Follow,
    /// What records and publishes.
    pub publisher: Publisher,
    /// How often.
    pub settings: Settings,
    /// What is shown over HTTP.
    pub health: Health,
    /// Who listens.
    pub notices: Option<UnboundedSender<Notice>>,
}

/// A pass that ended, and how long it took.
struct Passed {
    scope: Scope,
    pass: Pass,
    took: Duration,
    detected: bool,
}

/// Everything that wakes the loop.
enum Wake {
    News(News),
    Told(BTreeMap<Scope, ScopeReport>),
    Passed(Box<Passed>),
    /// A pass ended without a result: it panicked.
    Lost(task::Id),
    Due,
    /// There is something to publish.
    Edition,
    Stop,
}

impl Daemon {
    /// Runs until `stop` completes.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let Self { world, hands, mut follow, publisher, settings, health, notices } = self;
        let (editions, latest) = watch::channel(Edition::default());
        tokio::pin!(stop);
        let bases = tokio::select! {
            bases = publisher.bases() => bases,
            () = &mut stop => return Ok(()),
        };
        let ledger = publisher.ledger();
        follow.resume_after(publisher.accepted(), ledger.clone());
        world.memory.recall(publisher.proofs());
        let (told, telling) = unbounded_channel();
        let publishing = tokio::spawn(publisher.telling(told).run(latest, notices.clone()));
        let news = watcher::watch(follow, settings.poll, health.clone());
        let mut running = Running {
            state: State::new(bases),
            passes: JoinSet::new(),
            tasks: BTreeMap::new(),
            verified: None,
            ledger,
            world,
            hands,
            settings,
            health,
            notices,
            editions,
            edition: (None, Instant::now()),
        };
        let ended = running.until(news, telling, stop.as_mut()).await;
        running.wind_down().await;
        drop(running);
        // The channel is closed now: the publisher says what is left to say and ends.
        if timeout(LAST_WORDS, publishing).await.is_err() {
            tracing::warn!("stopped before everything was published; the next start publishes it");
        }
        ended
    }
}

struct Running {
    state: State,
    passes: JoinSet<Passed>,
    /// Which scope each running pass is for.
    tasks: BTreeMap<task::Id, Scope>,
    /// The organization the credentials were proved to belong to.
    verified: Option<Organization>,
    /// What is on record.
    ledger: Option<Arc<ObservedBranch>>,
    world: Arc<World>,
    hands: Option<Hands>,
    settings: Settings,
    health: Health,
    notices: Option<UnboundedSender<Notice>>,
    editions: watch::Sender<Edition>,
    /// When the next edition is to be made, if there is news, and when the next one may be.
    edition: (Option<Instant>, Instant),
}

impl Running {
    async fn until(
        &mut self,
        mut news: UnboundedReceiver<News>,
        mut telling: UnboundedReceiver<BTreeMap<Scope, ScopeReport>>,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), Error> {
        loop {
            self.dispatch();
            let due = self.state.queue.next_due().filter(|_| self.has_room());
            let wake = tokio::select! {
                () = &mut stop => Wake::Stop,
                Some(news) = news.recv() => Wake::News(news),
                Some(told) = telling.recv() => Wake::Told(told),
                Some(ended) = self.passes.join_next_with_id() => match ended {
                    Ok((_, passed)) => Wake::Passed(Box::new(passed)),
                    Err(lost) => Wake::Lost(lost.id()),
                },
                () = until(due) => Wake::Due,
                () = until(self.edition.0) => Wake::Edition,
            };
            match wake {
                Wake::Stop => return Ok(()),
                // Taking a commit in may mean waiting for AWS; being asked to stop must not wait for that.
                Wake::News(news) => tokio::select! {
                    () = &mut stop => return Ok(()),
                    taken = self.take(news) => taken?,
                },
                Wake::Told(told) => self.state.told(&told),
                Wake::Passed(passed) => self.passed(*passed),
                Wake::Lost(id) => self.lost(id),
                Wake::Edition => self.make_edition(),
                Wake::Due => {}
            }
        }
    }

    fn has_room(&self) -> bool {
        self.passes.len() < self.settings.concurrency
    }

    /// Starts every pass that is due, as far as there is room.
    fn dispatch(&mut self) {
        while self.has_room() {
            let Some(scope) = self.state.next(Instant::now()) else { break };
            self.start(scope);
        }
        self.health.metrics.queue(self.state.queue.depth());
    }

    fn start(&mut self, scope: Scope) {
        let Some(accepted) = self.state.accepted.clone() else { return self.state.queue.finished(&scope) };
        let detected = self.state.is_detection_due(&scope, Instant::now());
        let drift = if detected { DriftLook::Detect } else { DriftLook::LastKnown };
        let (world, hands) = (Arc::clone(&self.world), self.hands.clone());
        let base = self.state.bases.get(&scope).cloned().unwrap_or_default();
        let organization = self.state.organization.clone();
        let of = scope.clone();
        let task = self.passes.spawn(async move {
            let began = Instant::now();
            let organization = organization.as_deref();
            let task =
                Task { scope: &scope, accepted: &accepted, base: &base, organization, drift, ahead: None };
            let pass = pass(&world, &task, hands.as_ref()).await;
            Passed { scope, pass, took: began.elapsed(), detected }
        });
        self.tasks.insert(task.id(), of);
    }

    /// A pass that panicked leaves nothing half-done that the next one would not find.
    fn lost(&mut self, id: task::Id) {
        let Some(scope) = self.tasks.remove(&id) else { return };
        tracing::error!(%scope, "a pass panicked; its scope is looked at again with the next resync");
        self.state.queue.finished(&scope);
        self.state.queue.wake(scope, Instant::now() + self.settings.resync);
    }

    async fn take(&mut self, news: News) -> Result<(), Error> {
        match news {
            News::Same => return Ok(()),
            News::Accepted(accepted) => {
                if let Err(error) = self.verify(&accepted).await {
                    return self.mistaken(&accepted, error);
                }
                tracing::info!(revision = %accepted.desired.revision, "a commit is in force");
                self.tell(|| Notice::Accepted(accepted.clone()));
                let scopes = self.world.scopes(&accepted.desired);
                self.world.recall_changes(&accepted.desired, self.ledger.as_ref()).await;
                self.world.begin(&accepted.desired, &self.state.bases);
                self.state.accept(accepted, scopes, Instant::now());
            }
            News::Rejected(rejected) => {
                tracing::error!(revision = %rejected.commit, "the commit does not load:\n{}", rejected.diagnostics);
                self.tell(|| Notice::Refused(rejected.diagnostics.clone()));
                self.state.situation.rejected = Some(rejected);
            }
            News::Halted(halted) => self.halt(halted),
            News::Resumed(accepted, news) => {
                Box::pin(self.take(News::Accepted(accepted))).await?;
                Box::pin(self.take(*news)).await?;
            }
        }
        self.publish();
        Ok(())
    }

    fn halt(&mut self, halted: Halted) {
        tracing::error!(revision = %halted.commit, "{}; {}", halted.because, halted.proceed);
        self.tell(|| Notice::Refused(halted.because.clone()));
        self.state.situation.halted = Some(halted);
    }

    /// Proves once that the credentials are for this organization; what may pass is tried again.
    async fn verify(&mut self, accepted: &Accepted) -> Result<(), crate::aws::Error> {
        let organization = &accepted.desired.organization;
        let is_proved = |proved: &Organization| {
            (&proved.id, &proved.management_account, &proved.access)
                == (&organization.id, &organization.management_account, &organization.access)
        };
        let mut pause = Duration::from_secs(1);
        while !self.verified.as_ref().is_some_and(is_proved) {
            match self.world.readers.verify(organization).await {
                Ok(()) => self.verified = Some(organization.clone()),
                Err(error) if error.class() == Class::Transient => {
                    tracing::warn!(%error, "AWS could not be asked who we are; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_mins(1));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A first commit for another organization than the credentials' ends the daemon; a later one is not followed.
    fn mistaken(&mut self, accepted: &Accepted, error: crate::aws::Error) -> Result<(), Error> {
        if self.state.accepted.is_none() {
            return Err(error.into());
        }
        let because = format!("it is for another organization than the daemon's credentials ({error})");
        tracing::error!(revision = %accepted.desired.revision, "{because}");
        self.tell(|| Notice::Refused(because.clone()));
        self.state.situation.halted =
            Some(Halted { commit: accepted.desired.revision.clone(), because, proceed: String::new() });
        self.publish();
        Ok(())
    }

    fn passed(&mut self, passed: Passed) {
        let Passed { scope, pass, took, detected } = passed;
        self.tasks.retain(|_, of| *of != scope);
        let end = ending(&pass.report);
        let jitter = rand::rng().random::<f64>();
        self.count(&pass, end, took);
        self.tell(|| Notice::Passed(Box::new(pass.report.clone())));
        let pace = self.world.readers.pace();
        self.state.record(scope.clone(), pass, end, detected, &self.settings, pace, jitter);
        self.wake_gated(&scope);
        if self.state.organization.is_some() {
            self.health.set_ready();
        }
        self.publish();
    }

    /// Wakes what this pass opened, and this scope when its own gate opens.
    fn wake_gated(&mut self, scope: &Scope) {
        let now = Instant::now();
        self.state.wake_waves(&self.world.moved_waves(), now);
        let (Some(accepted), Some(report)) = (&self.state.accepted, self.state.reports.get(scope)) else {
            return;
        };
        let opens = self.world.opens_in(&accepted.desired, &report.plan);
        if let Some(seconds) = opens.and_then(|seconds| u64::try_from(seconds).ok()) {
            self.state.queue.wake(scope.clone(), now + Duration::from_secs(seconds));
        }
    }

    fn count(&self, pass: &Pass, end: Ending, took: Duration) {
        let metrics = &self.health.metrics;
        metrics.passed(end.label(), took.as_secs_f64());
        pass.report.outcomes.values().for_each(|outcome| metrics.stepped(outcome));
        let (reports, scope) = (&self.state.reports, &pass.report.scope);
        let others = reports.iter().filter(|(of, _)| *of != scope).map(|(_, report)| report.as_ref());
        let plans: Vec<_> = others.chain([&pass.report]).map(|report| &report.plan).collect();
        let items = || plans.iter().flat_map(|plan| plan.findings.values());
        let blocked = plans.iter().map(|plan| plan.blocked.len()).sum();
        let gated = plans.iter().filter_map(|plan| plan.gate.as_ref()).map(|gate| gate.items.len()).sum();
        metrics.items(|verdict| items().filter(|finding| finding.verdict == verdict).count(), blocked, gated);
    }

    /// Has an edition made: at once after a quiet time, and together with what follows in a busy one.
    fn publish(&mut self) {
        let (due, earliest) = &mut self.edition;
        due.get_or_insert(*earliest);
    }

    fn make_edition(&mut self) {
        self.editions.send_replace(self.state.edition());
        self.edition = (None, Instant::now() + BETWEEN_EDITIONS);
    }

    fn tell(&self, notice: impl FnOnce() -> Notice) {
        if let Some(notices) = &self.notices {
            let _ = notices.send(notice());
        }
    }

    /// Lets what runs come to its end, for a while; then drops it, which is safe at any line.
    async fn wind_down(&mut self) {
        let deadline = Instant::now() + LAST_PASSES;
        while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, self.passes.join_next()).await {
            if let Ok(passed) = ended {
                self.passed(passed);
            }
        }
        self.passes.abort_all();
        if self.edition.0.is_some() {
            self.make_edition();
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Completes when the process is asked to end: Ctrl-C or SIGTERM.
pub async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// A channel for notices.
pub fn notices() -> (UnboundedSender<Notice>, UnboundedReceiver<Notice>) {
    unbounded_channel()
}
