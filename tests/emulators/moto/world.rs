//! Moto from scratch, a git remote, and the program between them.

use std::collections::BTreeMap;

use tokio::sync::{Mutex, MutexGuard};

use super::company;
use super::recorder;
use super::witness::Witness;
use crate::place::Place;
use crate::ran::Ran;

/// There is one moto, so one story at a time.
static TURN: Mutex<()> = Mutex::const_new(());

#[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
fn endpoint() -> String {
    std::env::var("LANDFAST_TEST_MOTO").expect("tests/moto.sh sets LANDFAST_TEST_MOTO")
}

/// An organization in moto and the repository for it.
pub(crate) struct World {
    _turn: MutexGuard<'static, ()>,
    place: Place,
    endpoint: String,
    pub(crate) witness: Witness,
}

impl World {
    /// An organization with nothing in it, and a repository that wants the company.
    pub(crate) async fn empty() -> Self {
        let turn = TURN.lock().await;
        let endpoint = endpoint();
        recorder::ask(&endpoint, "POST", "reset");
        let witness = Witness::with_new_organization(&endpoint).await;
        let place = Place::new(&company::files(&witness.organization));
        Self { _turn: turn, place, endpoint, witness }
    }

    /// The same with every account made beforehand, as ours and not placed yet: what spares the program's wait.
    pub(crate) async fn with_accounts() -> Self {
        let world = Self::empty().await;
        for slug in company::ACCOUNTS {
            world.witness.make_our_account(slug).await;
        }
        world
    }

    /// The same with everything in line.
    pub(crate) async fn settled() -> Self {
        let world = Self::with_accounts().await;
        world.apply(&[]).ends_with(0);
        world
    }

    /// Commits one file, as somebody who pushes would.
    pub(crate) fn commit(&self, path: &str, text: &str) {
        self.place.commit_to("main", path, text);
    }

    /// Commits that a file goes.
    pub(crate) fn remove(&self, path: &str) {
        self.place.remove(path);
    }

    /// The same on any branch.
    pub(crate) fn commit_to(&self, branch: &str, path: &str, text: &str) {
        self.place.commit_to(branch, path, text);
    }

    /// Runs `landfast plan --format json`.
    pub(crate) fn plan(&self, arguments: &[&str]) -> Ran {
        self.run("plan", &[&["--format", "json"], arguments].concat())
    }

    /// Runs `landfast apply`.
    pub(crate) fn apply(&self, arguments: &[&str]) -> Ran {
        self.run("apply", arguments)
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Ran {
        let environment = [
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ];
        recorder::start(&self.endpoint);
        let ran = self.place.run(command, arguments, &environment);
        Ran { operations: recorder::stop(&self.endpoint), ..ran }
    }

    /// Every branch of the remote with its head.
    pub(crate) fn branches(&self) -> BTreeMap<String, String> {
        self.place.branches()
    }

    /// A file of `landfast/observed`, as YAML.
    #[track_caller]
    pub(crate) fn observed(&self, path: &str) -> serde_json::Value {
        self.place.observed(path)
    }

    /// Loses what is on record.
    pub(crate) fn forget(&self) {
        self.place.forget();
    }
}
