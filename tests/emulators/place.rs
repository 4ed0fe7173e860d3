//! A git remote, and the program run on it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use landfast::git::{OBSERVED_BRANCH, Signer, bare};
use tempfile::TempDir;

use crate::ran::Ran;

/// Files by path.
pub(crate) type Files = BTreeMap<String, String>;

/// How long one run may take. Simulations do everything at once, but the program gives AWS its time.
const PATIENCE: Duration = Duration::from_mins(3);

/// A folder with a bare repository and a signing key.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// A repository with these files on `main`.
    pub(crate) fn new(files: &Files) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let source = place.folder.path().join("source");
        for (path, text) in files {
            let path = source.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let now = Timestamp::now();
        bare::create_bare_from_directory(&source, &place.remote(), "main", "Begin", now).unwrap();
        Signer::generate().save(&place.key()).unwrap();
        place
    }

    /// Commits one file to a branch, as somebody who pushes would.
    pub(crate) fn commit_to(&self, branch: &str, path: &str, text: &str) {
        let changes = BTreeMap::from([(path.to_owned(), Some(text.as_bytes().to_vec()))]);
        bare::commit_file_changes(&self.remote(), branch, &changes, "Change", Timestamp::now()).unwrap();
    }

    /// Commits to `main` that a file goes.
    pub(crate) fn remove(&self, path: &str) {
        let changes = BTreeMap::from([(path.to_owned(), None)]);
        bare::commit_file_changes(&self.remote(), "main", &changes, "Remove", Timestamp::now()).unwrap();
    }

    /// Runs the program with nothing in its environment but this. What it asked for is for the caller to add.
    pub(crate) fn run(&self, command: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_landfast"))
            .arg(command)
            .arg("--repo")
            .arg(self.remote())
            .arg("--signing-key")
            .arg(self.key())
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(environment.iter().copied())
            .timeout(PATIENCE)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let status = output.status.code().expect("the program ended by itself");
        Ran { status, out: text(output.stdout), err: text(output.stderr), operations: Vec::new() }
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
