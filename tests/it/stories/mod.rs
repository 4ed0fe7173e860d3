//! Stories: the real daemon against simulated AWS, simulated GitHub and a bare git remote, judged by what those three
//! truly hold, never by what the daemon says.
//!
//! Every story ends with [`Play::end`]: a world that has come to rest stays at rest.

mod accounts;
mod brakes;
mod break_ins;
mod commits;
mod deployed;
mod drift;
mod emulate;
mod example_repo;
mod federation;
mod files;
mod first_ou;
mod guards;
mod identity;
mod import;
mod kills;
mod leaving;
mod locks;
mod losses;
mod lost_answers;
mod mailboxes;
mod neighbours;
mod noise;
mod policies;
mod references;
mod repetition;
mod rest;
mod secrets;
mod stacks;
mod unread;
mod waves;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use landfast::apply::Progress;
use landfast::git::bare;
use landfast::model::CommitId;
use landfast::sandbox::aws::{Entry, KnownAccount, KnownStack};
use landfast::sandbox::github::Issue;
use landfast::sandbox::stage::{BRANCH, Scenery, Stage};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::contract::Verdicts;

/// How much faster than AWS the stories pass.
const SPEED: f64 = 200.0;
/// How long anything may take before the story counts as gone wrong: far longer than it takes.
const PATIENCE: Duration = Duration::from_mins(3);
/// The region of every stack.
const HOME: &str = "eu-west-1";
/// How long nothing must have happened for a world to be at rest: longer than anything gathers before it is published.
const REST: Duration = Duration::from_millis(1200);
const OBSERVED: &str = "landfast/observed";

/// A stage and, most of the time, a daemon on it.
struct Play {
    stage: Arc<Stage>,
    daemon: Option<Running>,
    _contract: Verdicts,
    _folder: TempDir,
}

/// A daemon in a runtime of its own, so that it can be killed at any line.
struct Running {
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
}

/// What moves whenever Landfast does anything: its writes to AWS, its writes to GitHub, its record.
#[derive(Debug, PartialEq)]
struct Trace {
    aws: usize,
    github: usize,
    record: Option<CommitId>,
}

/// A stage on which everything goes fast.
fn scenery() -> Scenery {
    let mut scenery = Scenery::fast(SPEED);
    scenery.rhythm.poll = Duration::from_millis(100);
    scenery.rhythm.resync = Duration::from_millis(150);
    scenery.rhythm.detect_drift_every = Duration::from_millis(400);
    scenery
}

impl Play {
    /// Sets the stage with these files and starts the daemon.
    async fn begin(files: &[(String, String)]) -> Self {
        let mut play = Self::set(scenery(), files).await;
        play.start();
        play
    }

    /// Sets the stage; nobody is on it yet.
    async fn set(scenery: Scenery, files: &[(String, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("repository");
        for (path, text) in files {
            let path = repository.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let stage = Stage::set(folder.path(), &repository, scenery).await.unwrap();
        let contract = Verdicts::on(&stage.github);
        Self { stage: Arc::new(stage), daemon: None, _contract: contract, _folder: folder }
    }

    /// Starts a daemon that knows nothing but what git, AWS and GitHub tell it.
    fn start(&mut self) {
        assert!(self.daemon.is_none(), "one daemon at a time");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let stage = Arc::clone(&self.stage);
        runtime.spawn(async move {
            let daemon = stage.daemon(Progress::default(), None).await.unwrap();
            daemon.run(async { drop(stopped.await) }).await.unwrap();
            let _ = end.send(());
        });
        self.daemon = Some(Running { runtime, stop, ended });
    }

    /// Asks the daemon to stop, as SIGTERM does, and waits until it has; tells how long that took.
    async fn stop(&mut self) -> Duration {
        let Running { runtime, stop, ended } = self.daemon.take().unwrap();
        let began = Instant::now();
        stop.send(()).unwrap();
        ended.await.expect("the daemon ends by itself");
        runtime.shutdown_background();
        began.elapsed()
    }

    /// Ends the daemon where it stands, as SIGKILL does.
    fn kill(&mut self) {
        self.daemon.take().unwrap().runtime.shutdown_background();
    }

    /// Waits until something is true of the world.
    async fn until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(began.elapsed() < PATIENCE, "waited in vain until {what}\n{}", self.scene());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the daemon has looked at the organization so many times more; accounts are looked at as often.
    async fn looks(&self, n: usize) {
        let count = |play: &Self| play.calls("ListAccounts").len();
        let before = count(self);
        self.until("the daemon looks again", |play| count(play) >= before + n).await;
    }

    /// Waits until Landfast has nothing left to do.
    async fn rest(&self) {
        let began = Instant::now();
        loop {
            let before = self.trace();
            // On a busy machine an account may be looked at less often than the organization.
            tokio::join!(sleep(REST), self.looks(6));
            if self.trace() == before {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "it never comes to rest\n{}", self.scene());
        }
    }

    /// Ends the story, and checks what is true after every story.
    async fn end(mut self) {
        self.rest().await;
        rest::stays_at_rest(&self).await;
        rest::nothing_is_left_to_do(&self).await;
        rest::wrote_only_where_it_may(&self);
        self.stop().await;
    }

    fn trace(&self) -> Trace {
        Trace {
            aws: self.writes().len(),
            github: self.stage.github.writes().len(),
            record: bare::head(&self.stage.remote, OBSERVED).ok(),
        }
    }

    /// Every call that Landfast made.
    fn log(&self) -> Vec<Entry> {
        let is_ours = |entry: &Entry| !entry.caller.contains("/tester") && !entry.caller.contains("/alice");
        self.stage.aws.log().into_iter().filter(is_ours).collect()
    }

    /// Landfast's calls of one operation.
    fn calls(&self, operation: &str) -> Vec<Entry> {
        self.log().into_iter().filter(|entry| entry.operation == operation).collect()
    }

    /// Landfast's calls that could change something.
    fn writes(&self) -> Vec<Entry> {
        self.log().into_iter().filter(|entry| entry.is_mutating).collect()
    }

    /// Landfast's calls in this account that could change something.
    fn writes_in(&self, account: &str) -> usize {
        self.writes().iter().filter(|entry| entry.account == account).count()
    }

    fn account(&self, slug: &str) -> Option<KnownAccount> {
        self.stage.aws.account_by_email(&files::email(slug))
    }

    fn id(&self, slug: &str) -> String {
        self.account(slug).unwrap_or_else(|| panic!("there is no account {slug}\n{}", self.scene())).id
    }

    fn stack(&self, slug: &str, name: &str) -> Option<KnownStack> {
        self.stage.aws.stack(&self.account(slug)?.id, HOME, name)
    }

    fn has_stack(&self, slug: &str, name: &str) -> bool {
        let is_whole =
            |stack: &KnownStack| stack.status.ends_with("_COMPLETE") && !stack.status.contains("ROLLBACK");
        self.stack(slug, name).as_ref().is_some_and(is_whole)
    }

    fn password_length(&self, slug: &str) -> Option<i64> {
        let policy = self.stage.aws.password_policy(&self.account(slug)?.id)?;
        policy["MinimumPasswordLength"].as_i64()
    }

    /// True when an account is as the baseline of [`files::company`] says.
    fn is_kept(&self, slug: &str) -> bool {
        self.account(slug).is_some_and(|account| account.ou == "/workloads")
            && self.password_length(slug) == Some(14)
            && self.has_stack(slug, "role")
    }

    /// Waits until these accounts are as the baseline says, and then until there is nothing left to do.
    async fn settled(&self, slugs: &[&str]) {
        self.until("the accounts are as declared", |play| slugs.iter().all(|slug| play.is_kept(slug))).await;
        self.rest().await;
    }

    /// Issues of one kind about one scope (empty for the repository), open and closed.
    fn issues(&self, kind: &str, scope: &str) -> Vec<Issue> {
        let marker = format!("kind={kind} scope={scope} ");
        self.stage.github.issues().into_iter().filter(|issue| issue.body.contains(&marker)).collect()
    }

    /// The only issue of its kind about its scope, if there is one.
    fn issue(&self, kind: &str, scope: &str) -> Option<Issue> {
        let mut issues = self.issues(kind, scope);
        assert!(issues.len() < 2, "two issues about one thing\n{}", self.scene());
        issues.pop()
    }

    fn open_issue(&self, kind: &str, scope: &str) -> Option<Issue> {
        self.issue(kind, scope).filter(|issue| issue.is_open)
    }

    fn open_issues(&self) -> Vec<Issue> {
        self.stage.github.issues().into_iter().filter(|issue| issue.is_open).collect()
    }

    /// Commits whole files, as a merge does.
    fn commit(&self, message: &str, files: &[(&str, Option<String>)]) -> CommitId {
        let changes: BTreeMap<_, _> = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_ref().map(|text| text.clone().into_bytes())))
            .collect();
        self.stage.commit(&changes, message).unwrap()
    }

    fn head(&self) -> CommitId {
        bare::head(&self.stage.remote, BRANCH).unwrap()
    }

    /// What there is, for whoever has to find out why a story went wrong.
    fn scene(&self) -> String {
        let log = self.log();
        let calls = log[log.len().saturating_sub(40)..]
            .iter()
            .map(|entry| format!("{} {} {} {}", entry.account, entry.operation, entry.outcome, entry.at));
        let issues = self.stage.github.issues().into_iter();
        let issues =
            issues.map(|issue| format!("issue open={} {}\n{}", issue.is_open, issue.title, issue.body));
        let accounts = self.stage.aws.accounts().into_iter().map(|account| format!("{account:?}"));
        calls.chain(accounts).chain(issues).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        // A runtime must not be dropped where another one runs; a story that failed gets here.
        if let Some(running) = self.daemon.take() {
            running.runtime.shutdown_background();
        }
    }
}
