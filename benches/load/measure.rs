//! Landfast in a process of its own: reads and loads one commit after the other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::time::Instant;

use jiff::Timestamp;
use jiff::civil::Date;
use landfast::follow::{Follow, News, Origin};
use landfast::git::{Credentials, Repository, bare};
use landfast::load::{Checked, Loader};
use landfast::model::{CommitId, Desired};
use landfast::plan::Guards;
use serde::{Deserialize, Serialize};

use crate::process::{cpu, peak};
use crate::repository::{BRANCH, account, account_path, baseline, baseline_path, remote};

/// The daemon says what has ended and who is reached by nothing, so that has to be worked out as well.
const TODAY: Date = jiff::civil::date(2026, 1, 1);

/// What one commit cost after it was fetched, in seconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Reading its files from git.
    pub(crate) read: f64,
    /// Loading them.
    pub(crate) load: f64,
    /// CPU of both, of all threads.
    pub(crate) cpu: f64,
}

impl Cost {
    pub(crate) fn total(&self) -> f64 {
        self.read + self.load
    }
}

/// Everything that was measured; times in seconds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Stacks of all accounts.
    pub(crate) stacks: usize,
    /// The first fetch.
    pub(crate) fetch: f64,
    /// The first commit.
    pub(crate) cold: Cost,
    /// Commits that touch one folder each.
    pub(crate) changes: Vec<Cost>,
    /// One more of them as the daemon takes it in, from the fetch to what is in force.
    pub(crate) follow: f64,
    /// A commit that touches a baseline which reaches every account.
    pub(crate) elsewhere: f64,
    /// The most memory that was ever resident.
    pub(crate) peak_mb: f64,
}

/// The product as it follows one branch.
struct Product {
    repository: Repository,
    loader: Loader,
    last: Option<Desired>,
}

impl Product {
    fn take_in(&mut self, commit: &CommitId) -> Cost {
        let (began, cpu) = (Instant::now(), cpu());
        let tree = self.repository.tree(commit).unwrap();
        let read = began.elapsed().as_secs_f64();
        let began = Instant::now();
        let Checked { desired, diagnostics, .. } = self.loader.check(&tree, Some(TODAY));
        let load = began.elapsed().as_secs_f64();
        let cpu = self::cpu() - cpu;
        assert!(!diagnostics.has_errors(), "{diagnostics}");
        self.last = desired;
        Cost { read, load, cpu }
    }

    fn last(&self) -> &Desired {
        self.last.as_ref().unwrap()
    }
}

/// Loads what is in `folder`, then `commits` commits that touch one account each.
pub(crate) fn measure(folder: &Path, commits: usize) -> Measured {
    let url = remote(folder).display().to_string();
    let repository = Repository::open(&folder.join("cache"), &url, Credentials::default()).unwrap();
    let began = Instant::now();
    let head = repository.fetch(BRANCH).unwrap();
    let fetch = began.elapsed().as_secs_f64();
    let mut product = Product { repository, loader: Loader::default(), last: None };
    let cold = product.take_in(&head);
    let n_accounts = product.last().accounts.len();
    let stacks = product.last().accounts.values().map(|account| account.stacks.len()).sum();
    let changes = (0..commits).map(|nth| change(folder, &mut product, nth * n_accounts / commits)).collect();
    let peak_mb = f64::from(peak("self").unwrap()) / 1024.0;

    let reaching_all = commit(folder, baseline_path(0), baseline(0, n_accounts, 60));
    product.repository.fetch(BRANCH).unwrap();
    let elsewhere = product.take_in(&reaching_all).total();
    drop(product);
    let follow = followed(folder, &url);
    Measured { stacks, fetch, cold, changes, follow, elsewhere, peak_mb }
}

/// A commit that touches one account, and the proof that it was taken in and that nothing else was made anew.
fn change(folder: &Path, product: &mut Product, nth: usize) -> Cost {
    let before = product.last().clone();
    let pushed = commit(folder, account_path(nth), account(nth, 90));
    assert_eq!(product.repository.fetch(BRANCH).unwrap(), pushed);
    let cost = product.take_in(&pushed);
    let is_new = |(slug, account): &(_, &Arc<_>)| !Arc::ptr_eq(&before.accounts[*slug], account);
    let new: Vec<_> = product.last().accounts.iter().filter(is_new).map(|(slug, _)| slug.as_str()).collect();
    assert_eq!(new, [format!("team-{nth:05}")], "one account says something else");
    cost
}

/// The same as the daemon does it, from the fetch to what is in force.
fn followed(folder: &Path, url: &str) -> f64 {
    let repository = Repository::open(&folder.join("follow"), url, Credentials::default()).unwrap();
    let origin = Origin::Branch { repository, branch: BRANCH.to_owned() };
    let guards = Guards { accounts_per_commit: Some(1), ..Guards::default() };
    let mut follow = Follow::new(origin, None, guards);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(matches!(runtime.block_on(follow.look()).unwrap(), News::Accepted(_)));
    commit(folder, account_path(1), account(1, 120));
    let began = Instant::now();
    let news = runtime.block_on(follow.look()).unwrap();
    let cost = began.elapsed().as_secs_f64();
    assert!(matches!(news, News::Accepted(_)), "{news:?}");
    cost
}

fn commit(folder: &Path, path: String, text: String) -> CommitId {
    let changes = BTreeMap::from([(path, Some(text.into_bytes()))]);
    bare::commit_file_changes(&remote(folder), BRANCH, &changes, "Change", Timestamp::UNIX_EPOCH).unwrap()
}
