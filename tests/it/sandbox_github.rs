//! The simulated GitHub answers as GitHub does, to a client that nobody here wrote for it: octocrab's typed models
//! demand GitHub's own fields.
#![allow(clippy::unwrap_used, clippy::large_futures, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use landfast::sandbox::github::{Clock, Config, GitSide, SimulatedGitHub};
use octocrab::Octocrab;

use crate::contract::Judged;

pub(crate) const TOKEN: &str = "ghp_landfast";
pub(crate) const MALLORY: &str = "ghp_mallory";
pub(crate) const APP: &str = "ghs_app";

/// A git remote of branches that name commits, and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Branches(pub(crate) Mutex<BTreeMap<String, String>>);

impl GitSide for Branches {
    fn head(&self, branch: &str) -> Result<Option<String>, String> {
        Ok(self.0.lock().unwrap().get(branch).cloned())
    }

    fn diff(&self, base: &str, head: &str) -> Result<String, String> {
        Ok(format!("--- {base}\n+++ {head}\n@@ -1 +1 @@\n-old\n+<new>\n"))
    }

    fn merge(&self, base: &str, head: &str, _: &str, _: jiff::Timestamp) -> Result<String, String> {
        let mut branches = self.0.lock().unwrap();
        let commit = branches.get(head).cloned().ok_or("there is no such branch")?;
        branches.insert(base.to_owned(), commit.clone());
        Ok(commit)
    }
}

pub(crate) async fn simulated() -> (Judged, Arc<Branches>) {
    simulated_at(Arc::new(|| "2026-11-22T03:13:00Z".parse().unwrap())).await
}

/// The same, where time passes as `clock` says.
pub(crate) async fn simulated_at(clock: Clock) -> (Judged, Arc<Branches>) {
    let git = Arc::new(Branches::default());
    git.0.lock().unwrap().insert("main".to_owned(), "1".repeat(40));
    let tokens = [(TOKEN, "landfast-acme"), (MALLORY, "mallory"), (APP, "landfast[bot]")];
    let config = Config {
        owner: "acme".to_owned(),
        name: "aws-accounts".to_owned(),
        default_branch: "main".to_owned(),
        tokens: tokens.map(|(token, login)| (token.to_owned(), login.to_owned())).into(),
        git: Arc::<Branches>::clone(&git),
        clock,
        port: 0,
    };
    (Judged::new(SimulatedGitHub::start(config).await.unwrap()), git)
}

pub(crate) fn client(github: &SimulatedGitHub, token: &str) -> Octocrab {
    Octocrab::builder().base_uri(github.api_url()).unwrap().personal_token(token.to_owned()).build().unwrap()
}

#[tokio::test]
async fn a_typed_client_can_open_list_edit_and_close_an_issue() {
    let (github, _) = simulated().await;
    let client = client(&github, TOKEN);
    let issues = client.issues("acme", "aws-accounts");
    let labels = vec!["landfast".to_owned()];
    let issue = issues.create("First").body("words").labels(labels).send().await.unwrap();
    assert_eq!((issue.number, issue.user.login.as_str()), (1, "landfast-acme"));
    assert_eq!(issue.labels[0].name, "landfast");
    issues.create_comment(1, "more").await.unwrap();
    issues.update(1).state(octocrab::models::IssueState::Closed).send().await.unwrap();
    let closed = issues.list().state(octocrab::params::State::Closed).send().await.unwrap();
    assert_eq!(closed.items.len(), 1);
    assert_eq!(closed.items[0].comments, 1);
    assert_eq!(github.comments(1)[0].body, "more");
}

#[tokio::test]
async fn lists_are_paged_as_asked_and_say_where_the_next_page_is() {
    let (github, _) = simulated().await;
    for n in 0..7 {
        github.open_by("someone", &format!("issue {n}"), "");
    }
    let client = client(&github, TOKEN);
    let page = client.issues("acme", "aws-accounts").list().per_page(3).send().await.unwrap();
    assert_eq!(page.items.len(), 3);
    assert!(page.next.as_ref().unwrap().query().unwrap().contains("page=2"));
    assert!(page.last.unwrap().query().unwrap().contains("page=3"));
}

#[tokio::test]
async fn a_wrong_token_is_refused_in_githubs_words() {
    let (github, _) = simulated().await;
    let error = client(&github, "wrong").issues("acme", "aws-accounts").list().send().await.unwrap_err();
    let octocrab::Error::GitHub { source, .. } = error else { panic!("{error}") };
    assert_eq!((source.status_code.as_u16(), source.message.as_str()), (401, "Bad credentials"));
}

#[tokio::test]
async fn a_body_above_the_limit_and_a_missing_title_are_refused() {
    let (github, _) = simulated().await;
    let client = client(&github, TOKEN);
    let issues = client.issues("acme", "aws-accounts");
    let long = "é".repeat(65_537);
    for error in [issues.create("x").body(long).send().await, issues.create(" ").send().await] {
        let octocrab::Error::GitHub { source, .. } = error.unwrap_err() else { panic!("not a refusal") };
        assert_eq!(source.status_code.as_u16(), 422);
        assert_eq!(source.errors.as_ref().map(Vec::len), Some(1));
    }
    assert!(github.issues().is_empty());
    issues.create("x").body("é".repeat(65_536)).send().await.unwrap();
}

#[tokio::test]
async fn a_pushed_branch_becomes_a_pull_request_and_its_merge_moves_the_base() {
    let (github, git) = simulated().await;
    let client = client(&github, TOKEN);
    let pulls = client.pulls("acme", "aws-accounts");
    assert!(pulls.create("Add", "feature", "main").send().await.is_err(), "the branch was not pushed");
    git.0.lock().unwrap().insert("feature".to_owned(), "2".repeat(40));
    let pull = pulls.create("Add", "feature", "main").send().await.unwrap();
    assert_eq!(pull.head.sha, "2".repeat(40));
    assert!(pulls.create("Again", "feature", "main").send().await.is_err(), "there is one already");
    let merge = pulls.merge(pull.number).send().await.unwrap();
    assert!(merge.merged);
    assert_eq!(git.head("main").unwrap(), Some("2".repeat(40)));
    assert!(!github.pulls()[0].is_open);
}

/// One request over a bare connection: what a browser would get.
async fn page(github: &SimulatedGitHub, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = github.api_url().replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let request = request.replace("{host}", &address);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_pages_show_issues_without_running_what_is_in_them() {
    let (github, _) = simulated().await;
    let body = "<!-- secret-marker -->\n**bold** <script>alert(1)</script>";
    let number = github.open_by("someone", "A <title>", body);
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\n\r\n");
    let list = page(&github, &get("/")).await;
    assert!(list.contains("A &lt;title&gt;"), "{list}");
    let issue = page(&github, &get(&format!("/acme/aws-accounts/issues/{number}"))).await;
    assert!(issue.contains("<strong>bold</strong>") && !issue.contains("<script>"), "{issue}");
    assert!(!issue.contains("secret-marker"), "{issue}");
}

#[tokio::test]
async fn only_its_own_pages_can_press_the_merge_button() {
    let (github, git) = simulated().await;
    git.0.lock().unwrap().insert("feature".to_owned(), "2".repeat(40));
    client(&github, TOKEN)
        .pulls("acme", "aws-accounts")
        .create("Add", "feature", "main")
        .send()
        .await
        .unwrap();
    let press = |origin: &str| {
        format!(
            "POST /acme/aws-accounts/pull/1/merge HTTP/1.1\r\nHost: {{host}}\r\nOrigin: {origin}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
    };
    let refused = page(&github, &press("http://evil.example")).await;
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    assert!(github.pulls()[0].is_open);
    let merged = page(&github, &press("http://{host}")).await;
    assert!(merged.starts_with("HTTP/1.1 303"), "{merged}");
    assert!(!github.pulls()[0].is_open);
    assert_eq!(git.head("main").unwrap(), Some("2".repeat(40)));
}

#[tokio::test]
async fn a_label_that_exists_is_left_as_it_is() {
    let (github, _) = simulated().await;
    let repository = "acme/aws-accounts".parse().unwrap();
    let token = landfast::github::Token::new(TOKEN);
    let config =
        landfast::github::Config { api_url: Some(github.api_url()), repository, token, timeout: None };
    let (_, writer) = landfast::github::connect(&config).unwrap();
    writer.ensure_label("landfast/high", "cf222e", "Someone may do more").await.unwrap();
    writer.ensure_label("landfast/high", "000000", "").await.unwrap();
    let labels =
        client(&github, TOKEN).issues("acme", "aws-accounts").list_labels_for_repo().send().await.unwrap();
    assert_eq!((labels.items.len(), labels.items[0].color.as_str()), (1, "cf222e"));
}
