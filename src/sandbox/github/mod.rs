//! A simulated GitHub: issues, comments, labels and pull requests over REST, and plain pages to read them on.
//!
//! Guarantees: answers have GitHub's shapes, statuses, headers and limits; whoever holds a token acts as its
//! login; it keeps the ground truth and a log of every request, by which tests judge. It can be told to fail.
//!
//! Assumes: git is kept by somebody else, behind [`GitSide`]. It listens on loopback only.

mod exchange;
mod faults;
mod html;
mod pages;
mod pull_shapes;
mod pulls;
mod repository;
mod rest;
mod shapes;
mod store;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use exchange::{Exchange, Witness};
pub use faults::{Fault, Trouble};
pub use store::{Comment, Issue, PullRequest, Request};

use crate::sandbox::watch::Watcher;
use store::Store;

/// The git remote that pull requests are about.
pub trait GitSide: Debug + Send + Sync {
    /// The commit at the tip of `branch`; nothing where there is no such branch.
    fn head(&self, branch: &str) -> Result<Option<String>, String>;
    /// What merging `head` into `base` would change, as a unified diff.
    fn diff(&self, base: &str, head: &str) -> Result<String, String>;
    /// Merges `head` into `base` by a commit of that time and gives its id; an error where they conflict.
    fn merge(&self, base: &str, head: &str, message: &str, at: Timestamp) -> Result<String, String>;
}

/// Tells the time, so that tests can hold it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What is simulated.
#[derive(Clone)]
pub struct Config {
    /// Who owns the repository.
    pub owner: String,
    /// The repository's name.
    pub name: String,
    /// The branch pull requests are merged into by default.
    pub default_branch: String,
    /// Logins by token. A login that ends in `[bot]` is an app's.
    pub tokens: BTreeMap<String, String>,
    /// The git remote.
    pub git: Arc<dyn GitSide>,
    /// The time.
    pub clock: Clock,
    /// The port; 0 for any that is free.
    pub port: u16,
}

/// A running simulation. It stops to listen when this is dropped.
#[derive(Debug)]
pub struct SimulatedGitHub {
    address: SocketAddr,
    world: World,
    server: JoinHandle<()>,
}

/// What every handler sees.
#[derive(Clone)]
pub(crate) struct World {
    config: Arc<Config>,
    store: Arc<Mutex<Store>>,
    witness: Arc<OnceLock<Witness>>,
    address: SocketAddr,
}

impl Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the tokens.
        write!(f, "World({}/{})", self.config.owner, self.config.name)
    }
}

impl SimulatedGitHub {
    /// Starts to listen on loopback.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await?;
        let address = listener.local_addr()?;
        let (store, witness) = (Arc::default(), Arc::default());
        let world = World { config: Arc::new(config), store, witness, address };
        let routes = rest::routes(&world).merge(pages::routes(&world));
        let server = tokio::spawn(async move {
            // It ends only when the task is aborted.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self { address, world, server })
    }

    /// The address of the REST API, without a last `/`.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The page where issues are read.
    pub fn issues_page(&self) -> String {
        let Config { owner, name, .. } = &*self.world.config;
        format!("http://{}/{owner}/{name}/issues", self.address)
    }

    /// Every issue, without pull requests.
    pub fn issues(&self) -> Vec<Issue> {
        self.world.store().issues.values().filter(|issue| issue.pull.is_none()).cloned().collect()
    }

    /// Every pull request.
    pub fn pulls(&self) -> Vec<Issue> {
        self.world.store().issues.values().filter(|issue| issue.pull.is_some()).cloned().collect()
    }

    /// The comments on one issue or pull request, oldest first.
    pub fn comments(&self, number: u64) -> Vec<Comment> {
        self.world.store().comments.iter().filter(|comment| comment.issue == number).cloned().collect()
    }

    /// Every request to the API so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.world.store().requests.clone()
    }

    /// Requests that could change something, as `METHOD path`.
    pub fn writes(&self) -> Vec<String> {
        let requests = self.requests().into_iter().filter(|request| request.method != "GET");
        requests.map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    /// Forgets the log of requests.
    pub fn clear_requests(&self) {
        self.world.store().requests.clear();
    }

    /// Makes something go wrong from now on.
    pub fn fail(&self, fault: Fault) {
        self.world.store().faults.add(fault);
    }

    /// Tells a watcher of every call to the API from now on, as `METHOD path` with numbers as `{n}`.
    pub fn watch(&self, watcher: Arc<dyn Watcher>) {
        self.world.store().watcher = Some(watcher);
    }

    /// Ends all troubles.
    pub fn heal(&self) {
        self.world.store().faults = faults::Faults::default();
    }

    /// Shows every exchange from now on to `witness`. There is one: who comes later is not told anything.
    pub fn show_to(&self, witness: Witness) {
        let _ = self.world.witness.set(witness);
    }

    /// A person closes an issue.
    pub fn close_by_human(&self, number: u64) {
        let at = self.world.now();
        let mut store = self.world.store();
        store.remember(number);
        store.set_open(number, false, "human", at);
    }

    /// A person opens an issue again.
    pub fn reopen_by_human(&self, number: u64) {
        let at = self.world.now();
        let mut store = self.world.store();
        store.remember(number);
        store.set_open(number, true, "human", at);
    }

    /// A person changes an issue, through `change`.
    pub fn edit_by_human(&self, number: u64, change: impl FnOnce(&mut Issue)) {
        let mut store = self.world.store();
        store.remember(number);
        if let Some(issue) = store.issues.get_mut(&number) {
            change(issue);
        }
    }

    /// A person opens an issue.
    pub fn open_by(&self, login: &str, title: &str, body: &str) -> u64 {
        let at = self.world.now();
        self.world.store().open(login, title, body, at)
    }

    /// A person opens a pull request for `head` of the repository `fork` (`owner/name`), or of one that was deleted
    /// since.
    pub fn open_pull_from_fork(&self, login: &str, fork: Option<&str>, head: &str, base: &str) -> u64 {
        let number = self.open_by(login, "A pull request from elsewhere", "");
        if let Some(issue) = self.world.store().issues.get_mut(&number) {
            let (head, base) = (head.to_owned(), base.to_owned());
            let head_repository = fork.map(str::to_owned);
            issue.pull = Some(PullRequest { head, head_repository, base, merged: None });
        }
        number
    }
}

impl Drop for SimulatedGitHub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl World {
    fn store(&self) -> MutexGuard<'_, Store> {
        // A handler that panicked has left whole values behind: none holds the lock across two changes.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The repository as `owner/name`.
    fn full_name(&self) -> String {
        format!("{}/{}", self.config.owner, self.config.name)
    }

    fn now(&self) -> Timestamp {
        (self.config.clock)()
    }
}
