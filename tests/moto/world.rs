//! Moto from scratch, a git remote, and the program between them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use landfast::git::{OBSERVED_BRANCH, Signer, bare};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use crate::company::{self, Files};
use crate::ran::Ran;
use crate::recorder;
use crate::witness::Witness;

/// There is one moto, so one story at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// How long one run may take. Moto makes an account at once, but the program gives AWS fifteen seconds.
const PATIENCE: Duration = Duration::from_mins(3);

#[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
fn endpoint() -> String {
    std::env::var("LANDFAST_TEST_MOTO").expect("tests/moto.sh sets LANDFAST_TEST_MOTO")
}

/// An organization in moto and the repository for it.
pub(crate) struct World {
    _turn: MutexGuard<'static, ()>,
    folder: TempDir,
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
        let folder = tempfile::tempdir().unwrap();
        let world = Self { _turn: turn, folder, endpoint, witness };
        world.make_remote(&company::files(&world.witness.organization));
        Signer::generate().save(&world.key()).unwrap();
        world
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

    fn make_remote(&self, files: &Files) {
        let source = self.folder.path().join("source");
        for (path, text) in files {
            let path = source.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        bare::create_bare_from_directory(&source, &self.remote(), "main", "Begin", Timestamp::now()).unwrap();
    }

    /// Commits one file, as somebody who pushes would.
    pub(crate) fn commit(&self, path: &str, text: &str) {
        self.commit_to("main", path, text);
    }

    /// The same on any branch.
    pub(crate) fn commit_to(&self, branch: &str, path: &str, text: &str) {
        let changes = BTreeMap::from([(path.to_owned(), Some(text.as_bytes().to_vec()))]);
        bare::commit_file_changes(&self.remote(), branch, &changes, "Change", Timestamp::now()).unwrap();
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
        recorder::start(&self.endpoint);
        let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_landfast"))
            .arg(command)
            .arg("--repo")
            .arg(self.remote())
            .arg("--signing-key")
            .arg(self.key())
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .timeout(PATIENCE)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let status = output.status.code().expect("the program ended by itself");
        let operations = recorder::stop(&self.endpoint);
        Ran { status, out: text(output.stdout), err: text(output.stderr), operations }
    }

    /// Every branch of the remote with its head.
    pub(crate) fn branches(&self) -> BTreeMap<String, String> {
        let branches = bare::branches(&self.remote()).unwrap();
        branches.into_iter().map(|(name, commit)| (name, commit.to_string())).collect()
    }

    /// A file of `landfast/observed`, as YAML.
    #[track_caller]
    pub(crate) fn observed(&self, path: &str) -> serde_json::Value {
        let repository = git2::Repository::open_bare(self.remote()).unwrap();
        let head = repository.find_reference(&format!("refs/heads/{OBSERVED_BRANCH}")).unwrap();
        let entry = head.peel_to_tree().unwrap().get_path(path.as_ref()).unwrap();
        let blob = repository.find_blob(entry.id()).unwrap();
        yaml_serde::from_slice(blob.content()).unwrap()
    }

    /// Loses what is on record.
    pub(crate) fn forget(&self) {
        bare::delete_branch(&self.remote(), OBSERVED_BRANCH).unwrap();
    }

    fn remote(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }
}
