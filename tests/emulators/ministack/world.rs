//! An organization in ministack, a git remote, and the program between them.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_sts::config::Credentials;

use super::company::Company;
use super::wire::{Sent, Wire};
use super::witness::Principal;
use crate::place::Place;
use crate::ran::Ran;

#[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
fn endpoint() -> String {
    std::env::var("LANDFAST_TEST_MINISTACK").expect("tests/ministack.sh sets LANDFAST_TEST_MINISTACK")
}

/// A management account that no other story has.
fn unused_account() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{:012}", 100_000_000_000 + NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The organization and the repository for it.
pub(crate) struct World {
    place: Place,
    wire: Wire,
    endpoint: String,
    pub(crate) company: Company,
    /// The account's root: who looks, and is not the program.
    pub(crate) root: Principal,
    /// The management account's root.
    pub(crate) management: Principal,
}

impl World {
    /// An account that nobody can enter yet.
    pub(crate) async fn closed() -> Self {
        let (endpoint, management) = (endpoint(), unused_account());
        let master = Principal::root(&endpoint, &management).await;
        let company = master.company(&management).await;
        let root = Principal::root(&endpoint, &company.account).await;
        let (place, wire) = (Place::new(&company.files()), Wire::to(&endpoint));
        Self { place, wire, endpoint, company, root, management: master }
    }

    /// The same with the role by which the program enters.
    pub(crate) async fn open() -> Self {
        let world = Self::closed().await;
        world.root.let_in(&world.company.management).await;
        world
    }

    /// The same with everything in line.
    pub(crate) async fn settled() -> Self {
        let world = Self::open().await;
        world.apply().ends_with(0);
        world
    }

    /// Somebody of the account's own, with keys of her own.
    pub(crate) async fn alice(&self) -> Principal {
        self.principal(self.root.make_user("alice").await).await
    }

    /// Commits one file, as somebody who pushes would.
    pub(crate) fn commit(&self, path: &str, text: &str) {
        self.place.commit_to("main", path, text);
    }

    /// Commits another duty for the role.
    pub(crate) fn commit_duty(&self, duty: &str) {
        self.commit("accounts/payments/account.yaml", &self.company.payments(duty));
    }

    /// Whoever has these keys.
    pub(crate) async fn principal(&self, keys: Credentials) -> Principal {
        Principal::with(&self.endpoint, keys).await
    }

    /// Runs `landfast plan --detect-drift --format json`.
    pub(crate) fn plan(&self) -> Ran {
        self.plan_and_tell().0
    }

    /// The same, with every request that was sent.
    pub(crate) fn plan_and_tell(&self) -> (Ran, Vec<Sent>) {
        self.run("plan", &["--detect-drift", "--format", "json"], &self.keys())
    }

    /// Runs `landfast apply`.
    pub(crate) fn apply(&self) -> Ran {
        self.apply_and_tell().0
    }

    /// The same, with every request that was sent.
    pub(crate) fn apply_and_tell(&self) -> (Ran, Vec<Sent>) {
        self.run("apply", &[], &self.keys())
    }

    /// Runs `landfast apply` with other keys.
    pub(crate) fn apply_as(&self, keys: &[(&str, &str)]) -> Ran {
        self.run("apply", &[], keys).0
    }

    /// A file of `landfast/observed`, as YAML.
    #[track_caller]
    pub(crate) fn observed(&self, path: &str) -> serde_json::Value {
        self.place.observed(path)
    }

    fn keys(&self) -> [(&str, &str); 2] {
        [("AWS_ACCESS_KEY_ID", &self.company.management), ("AWS_SECRET_ACCESS_KEY", "root")]
    }

    fn run(&self, command: &str, arguments: &[&str], keys: &[(&str, &str)]) -> (Ran, Vec<Sent>) {
        let endpoint = [("AWS_ENDPOINT_URL", self.wire.endpoint.as_str())];
        self.wire.take();
        let ran = self.place.run(command, arguments, &[&endpoint, keys].concat());
        let sent = self.wire.take();
        let operations = sent.iter().map(|sent| sent.operation.clone()).collect();
        (Ran { operations, ..ran }, sent)
    }
}
