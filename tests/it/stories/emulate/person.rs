//! A person at emulate, who sees what it holds, merges, and brings over to it what was pushed to the git host: emulate
//! keeps git of its own, but does not speak git.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use octocrab::Octocrab;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// A repository at emulate, through a client that is not the program's.
#[derive(Clone)]
pub(super) struct Person {
    client: Octocrab,
    pub(super) api_url: String,
    /// `owner/name`.
    pub(super) repository: String,
    remote: PathBuf,
    /// Commits of the git host that are at emulate, under the id they have there.
    commits: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Person {
    /// Makes an empty repository of that name, beside the bare one at `remote`.
    #[expect(clippy::disallowed_methods, reason = "only the script that starts emulate knows where it is")]
    pub(super) async fn at_a_new_repository(name: &str, remote: &Path) -> Self {
        let api_url =
            std::env::var("LANDFAST_TEST_EMULATE").expect("tests/forge.sh starts emulate and says where");
        let client = Octocrab::builder()
            .base_uri(&api_url)
            .unwrap()
            .personal_token("person-token".to_owned())
            .build()
            .unwrap();
        let new = json!({"name": name, "private": true, "auto_init": true});
        let _: Value = client.post("/orgs/acme/repos", Some(&new)).await.unwrap();
        let (remote, commits) = (remote.to_owned(), Arc::default());
        Self { client, api_url, repository: format!("acme/{name}"), remote, commits }
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        self.client.get(format!("/repos/{}/{path}", self.repository), None::<&()>).await.unwrap()
    }

    pub(super) async fn list(&self, path: &str) -> Vec<Value> {
        self.get(path).await.as_array().unwrap().clone()
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Value {
        self.client.post(format!("/repos/{}/{path}", self.repository), Some(&body)).await.unwrap()
    }

    pub(super) async fn patch(&self, path: &str, body: Value) -> Value {
        self.client.patch(format!("/repos/{}/{path}", self.repository), Some(&body)).await.unwrap()
    }

    /// Every issue, without pull requests, oldest first.
    pub(super) async fn issues(&self) -> Vec<Value> {
        let mut issues = self.list("issues?state=all&sort=created&direction=asc&per_page=100").await;
        issues.retain(|issue| issue.get("pull_request").is_none_or(Value::is_null));
        issues
    }

    pub(super) async fn pulls(&self) -> Vec<Value> {
        self.list("pulls?state=all&sort=created&direction=asc&per_page=100").await
    }

    /// Waits until what emulate holds is as the story says.
    pub(super) async fn until(&self, what: &str, is_so: impl AsyncFn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self).await {
            let scene = || async { (self.issues().await, self.pulls().await) };
            assert!(
                began.elapsed() < super::super::PATIENCE,
                "waited in vain until {what}\n{:#?}",
                scene().await
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Merges at emulate, which moves its ref, and then does the same at the git host; both must have the same files.
    pub(super) async fn merge(&self, number: u64, head: &str) {
        let before = self.get("git/ref/heads/main").await["object"]["sha"].clone();
        let path = format!("/repos/{}/pulls/{number}/merge", self.repository);
        let merged: Value = self.client.put(path, Some(&json!({}))).await.unwrap();
        let after = self.get("git/ref/heads/main").await["object"]["sha"].as_str().unwrap().to_owned();
        assert!(merged["merged"] == true && merged["sha"] == after && before != after, "{merged}");
        let now = jiff::Timestamp::now();
        let commit =
            landfast::git::bare::merge(&self.remote, "main", head, "Merge", now).unwrap().to_string();
        let tree = self.get(&format!("git/commits/{after}")).await["tree"]["sha"].clone();
        assert_eq!(tree, self.git(&["rev-parse", &format!("{commit}^{{tree}}")]).trim());
        self.commits.lock().unwrap().insert(commit, after);
    }

    /// Brings the branches that people look at over to emulate. Blobs and trees have the same ids there.
    pub(super) async fn mirror(&self) {
        let branches =
            self.git(&["for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads"]);
        for (commit, branch) in branches.lines().filter_map(|line| line.split_once(' ')) {
            if branch != "landfast/observed" {
                self.mirror_branch(commit, branch).await;
            }
        }
    }

    async fn mirror_branch(&self, commit: &str, branch: &str) {
        let known = self.commits.lock().unwrap().get(commit).cloned();
        let sha = match known {
            Some(sha) => sha,
            None => self.mirror_commit(commit).await,
        };
        let path = format!("/repos/{}/git/refs/heads/{branch}", self.repository);
        let moved: Result<Value, _> =
            self.client.patch(path, Some(&json!({"sha": sha, "force": true}))).await;
        if moved.is_err() {
            self.post("git/refs", json!({"ref": format!("refs/heads/{branch}"), "sha": sha})).await;
        }
    }

    async fn mirror_commit(&self, commit: &str) -> String {
        let mut entries = Vec::new();
        for line in self.git(&["ls-tree", "-r", commit]).lines() {
            let (about, path) = line.split_once('\t').unwrap();
            let [mode, kind, sha] = about.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let content = BASE64_STANDARD.encode(self.git(&["cat-file", "blob", sha]));
            let blob = self.post("git/blobs", json!({"content": content, "encoding": "base64"})).await;
            assert_eq!(blob["sha"], sha);
            entries.push(json!({"path": path, "mode": mode, "type": kind, "sha": sha}));
        }
        let tree = self.post("git/trees", json!({"tree": entries})).await["sha"].clone();
        assert_eq!(tree, self.git(&["rev-parse", &format!("{commit}^{{tree}}")]).trim());
        let parents = self.git(&["rev-list", "--parents", "-n", "1", commit]);
        let parents: Vec<_> = {
            let commits = self.commits.lock().unwrap();
            parents.split_whitespace().skip(1).filter_map(|parent| commits.get(parent).cloned()).collect()
        };
        let message = self.git(&["log", "-1", "--format=%B", commit]);
        let made =
            self.post("git/commits", json!({"message": message, "tree": tree, "parents": parents})).await;
        let sha = made["sha"].as_str().unwrap().to_owned();
        self.commits.lock().unwrap().insert(commit.to_owned(), sha.clone());
        sha
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git").arg("-C").arg(&self.remote).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}
