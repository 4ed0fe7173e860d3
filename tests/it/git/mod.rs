//! Git against real repositories in temporary folders; git2 itself is the independent client that looks and forges.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on says where it stopped")]

mod directories;
mod fetching;
mod following;
mod forge;
mod observed;
mod proposing;
mod remembering;
mod secrets;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use git2::{Oid, Signature, Time};
use jiff::Timestamp;
use landfast::git::{
    Credentials, Error, OBSERVED_BRANCH, ObservedBranch, Repository, ScopeRecord, Secret, Signer, Watch,
    bare, propose, read_directory,
};
use landfast::load::{File, Tree};
use landfast::model::{Base, Class, CommitId, Item, Scope, Slug, Value};
use serde_json::json;
use tempfile::TempDir;

/// A remote with one commit on `main`, and room for caches.
struct World {
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        fs::create_dir_all(source.join("accounts/one")).unwrap();
        fs::write(source.join("landfast.yaml"), "mode: report\n").unwrap();
        fs::write(source.join("README.md"), "not read\n").unwrap();
        fs::write(source.join("accounts/one/account.yaml"), "name: One\n").unwrap();
        let world = Self { folder };
        bare::create_bare_from_directory(&source, &world.remote(), "main", "first", at(1)).unwrap();
        world
    }

    fn remote(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }

    fn open(&self, cache: &str) -> Repository {
        let url = self.remote().display().to_string();
        Repository::open(&self.folder.path().join(cache), &url, Credentials::default()).unwrap()
    }

    /// The one cache folder below `cache`.
    fn cache(&self, cache: &str) -> PathBuf {
        fs::read_dir(self.folder.path().join(cache)).unwrap().next().unwrap().unwrap().path()
    }

    /// Damages a cache: `commit` and its tree stay, all else is lost.
    fn lose_objects_below_the_root(&self, cache: &str, commit: &CommitId) {
        let open = || git2::Repository::open_bare(self.cache(cache)).unwrap();
        let git = open();
        let tree = git.find_commit(Oid::from_str(commit.as_str()).unwrap()).unwrap().tree_id();
        let read =
            |id| git.odb().unwrap().read(id).map(|object| (object.kind(), object.data().to_vec())).unwrap();
        let kept = [Oid::from_str(commit.as_str()).unwrap(), tree].map(read);
        fs::remove_dir_all(git.path().join("objects")).unwrap();
        fs::create_dir(git.path().join("objects")).unwrap();
        for (kind, bytes) in kept {
            open().odb().unwrap().write(kind, &bytes).unwrap();
        }
    }

    fn commit(&self, path: &str, text: &str) -> CommitId {
        let changes = BTreeMap::from([(path.to_owned(), Some(text.as_bytes().to_vec()))]);
        bare::commit_file_changes(&self.remote(), "main", &changes, "change", at(2)).unwrap()
    }

    fn observed(&self, cache: &str, signer: &Signer) -> ObservedBranch {
        ObservedBranch::new(self.open(cache), Some(signer.clone()))
    }

    /// The branch's ground truth, as any other client sees it.
    fn git(&self) -> git2::Repository {
        git2::Repository::open_bare(self.remote()).unwrap()
    }

    /// The text of a file on `landfast/observed`.
    fn observed_file(&self, path: &str) -> Option<String> {
        let git = self.git();
        let tree = git.find_reference(&full(OBSERVED_BRANCH)).unwrap().peel_to_tree().unwrap();
        let blob = tree.get_path(Path::new(path)).ok()?.to_object(&git).unwrap().into_blob().unwrap();
        Some(String::from_utf8(blob.content().to_vec()).unwrap())
    }

    /// Pushes a change to `landfast/observed` without our key.
    fn forge(&self, path: &str, change: impl Fn(&str) -> String) {
        let text = change(&self.observed_file(path).unwrap());
        let changes = BTreeMap::from([(path.to_owned(), Some(text.into_bytes()))]);
        bare::commit_file_changes(&self.remote(), OBSERVED_BRANCH, &changes, "forged", at(9)).unwrap();
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn full(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

fn item(path: &str) -> Item {
    path.parse().unwrap()
}

fn account(slug: &str) -> Scope {
    Scope::Account(Slug::parse(slug).unwrap())
}

fn record(scope: Scope, items: &[(&str, Value)]) -> ScopeRecord {
    let items: BTreeMap<_, _> = items.iter().map(|(path, value)| (item(path), value.clone())).collect();
    let base = Arc::new(Base::of(items));
    ScopeRecord { scope, live: base.items.clone(), base, proofs: BTreeMap::new() }
}

fn two_items(alias: &str) -> ScopeRecord {
    let policy = json!({"minimumLength": 14});
    record(account("one"), &[("settings.accountAlias", json!(alias)), ("settings.passwordPolicy", policy)])
}

fn text<'a>(tree: &'a Tree, path: &str) -> &'a str {
    match &tree.files[path] {
        File::Blob(bytes) => std::str::from_utf8(bytes).unwrap(),
        other => panic!("{path} is {other:?}"),
    }
}
