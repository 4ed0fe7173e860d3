//! The stories of issues and pull requests with emulate as GitHub and git's own server as the remote: neither was
//! written here. `tests/forge.sh` starts emulate and runs these.
//!
//! What emulate has wrong is not asked of it: it accepts any token, and a second pull request for one branch.

mod git_host;
mod person;

use std::sync::{Arc, Mutex};

use landfast::apply::Progress;
use landfast::daemon::{Outlet, Proposals, Publisher};
use landfast::follow::{Follow, Origin};
use landfast::git::{Credentials, ObservedBranch, Repository, Secret, Signer};
use landfast::github::{self, Reader, Writer, publish};
use landfast::model::Class;
use landfast::plan::Guards;
use landfast::report::Wanted;
use landfast::sandbox::stage::BRANCH;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;

use super::files::{BASELINE, account, baseline, company, path};
use super::{Play, Running, rest, scenery};
use crate::issues::{at, drift, in_sync};
use git_host::GitHost;
use person::Person;

const TOKEN: &str = "landfast-token";

fn sides(person: &Person) -> (Reader, Writer) {
    let config = github::Config {
        api_url: Some(person.api_url.clone()),
        repository: person.repository.parse().unwrap(),
        token: github::Token::new(TOKEN),
        timeout: None,
    };
    github::connect(&config).unwrap()
}

/// One round of a process that remembers nothing.
async fn round(person: &Person, wanted: &Wanted) -> github::Published {
    let (reader, writer) = sides(person);
    publish(&reader, &writer, wanted, at()).await.unwrap()
}

#[tokio::test]
#[ignore = "needs emulate: run tests/forge.sh"]
async fn one_drift_is_one_issue_that_is_edited_closed_and_opened_again() {
    let person = Person::at_a_new_repository("rounds", std::path::Path::new("/")).await;
    for (wanted, state, comments) in
        [(drift(8), "open", 0), (drift(9), "open", 0), (in_sync(), "closed", 1), (drift(8), "open", 2)]
    {
        assert!(!round(&person, &wanted).await.is_empty());
        assert!(round(&person, &wanted).await.is_empty(), "a second round finds nothing to do");
        let issues = person.issues().await;
        assert_eq!(issues.len(), 1);
        assert_eq!((&issues[0]["state"], &issues[0]["comments"]), (&json!(state), &json!(comments)));
        assert_eq!(issues[0]["user"]["login"], "landfast-acme");
    }
    let issue = &person.issues().await[0];
    assert!(issue["body"].as_str().unwrap().contains("+  minimumLength: 8"), "{issue}");
    let color = |name: &str| {
        let labels = issue["labels"].as_array().unwrap();
        labels.iter().find(|label| label["name"] == name).unwrap()["color"].clone()
    };
    assert_eq!((color("landfast/high"), color("landfast/drift")), (json!("b60205"), json!("5319e7")));
    let comments = person.list("issues/1/comments").await;
    assert!(comments[0]["body"].as_str().unwrap().starts_with("**Healed.**"), "{comments:?}");
}

#[tokio::test]
#[ignore = "needs emulate: run tests/forge.sh"]
async fn our_issue_is_found_beyond_the_first_page_and_what_a_person_closed_stays_closed() {
    let person = Person::at_a_new_repository("pages", std::path::Path::new("/")).await;
    let (_, writer) = sides(&person);
    for n in 0..101 {
        writer.create_issue(&format!("chatter {n}"), "", &[].into()).await.unwrap();
    }
    let number = round(&person, &drift(8)).await.opened[0];
    assert_eq!(number, 102);
    person.patch(&format!("issues/{number}"), json!({"state": "closed"})).await;
    assert!(round(&person, &drift(8)).await.is_empty(), "it was found, and it is left closed");
    assert_eq!(round(&person, &drift(6)).await.reopened, [number]);
}

/// A play whose daemon has its git from a server and its issues at emulate.
struct Abroad {
    play: Play,
    person: Person,
    host: Arc<GitHost>,
    signer: Signer,
}

impl Abroad {
    async fn set(name: &str, files: &[(String, String)]) -> Self {
        let play = Play::set(scenery(), files).await;
        let person = Person::at_a_new_repository(name, &play.stage.remote).await;
        person.mirror().await;
        let (pushes, told) = unbounded_channel();
        let host = Arc::new(GitHost::serve(&play.stage.remote, TOKEN, pushes).await);
        tokio::spawn(mirror_pushes(person.clone(), told));
        Self { play, person, host, signer: Signer::generate() }
    }

    /// Starts a daemon whose disk is new.
    fn start(&mut self) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let (stage, person, url) = (Arc::clone(&self.play.stage), self.person.clone(), self.host.url());
        let signer = self.signer.clone();
        runtime.spawn(async move {
            let cache = tempfile::tempdir().unwrap();
            let mut daemon = stage.daemon(Progress::default(), None).await.unwrap();
            let repository = Repository::open(cache.path(), &url, credentials(TOKEN)).unwrap();
            let origin = Origin::Branch { repository: repository.clone(), branch: BRANCH.to_owned() };
            let ledger = Arc::new(ObservedBranch::new(repository.clone(), Some(signer.clone())));
            let (reader, writer) = sides(&person);
            let outlet = Outlet::GitHub { reader: Box::new(reader), writer: Box::new(writer) };
            let proposals = Proposals { repository, branch: BRANCH.to_owned() };
            daemon.follow = Follow::new(origin, Some(signer), Guards::lifted());
            daemon.publisher = Publisher::new(Some(ledger), outlet, Some(proposals));
            daemon.run(async { drop(stopped.await) }).await.unwrap();
            let _ = end.send(());
        });
        self.play.daemon = Some(Running { runtime, stop, ended });
    }
}

fn credentials(token: &str) -> Credentials {
    Credentials { token: Some(Secret::new(token)), ..Credentials::default() }
}

async fn mirror_pushes(person: Person, mut told: UnboundedReceiver<oneshot::Sender<()>>) {
    while let Some(noted) = told.recv().await {
        person.mirror().await;
        let _ = noted.send(());
    }
}

fn is_open(issue: &Value) -> bool {
    issue["state"] == "open"
}

#[tokio::test]
#[ignore = "needs emulate: run tests/forge.sh"]
async fn a_new_accounts_id_is_proposed_once_and_its_merge_is_followed() {
    let mut abroad = Abroad::set("ids", &company(&["alpha"])).await;
    abroad.start();
    let (play, person) = (&abroad.play, &abroad.person);
    play.settled(&["alpha"]).await;
    person.until("the id is proposed", async |person| !person.pulls().await.is_empty()).await;
    let pull = person.get("pulls/1").await;
    assert_eq!(pull["user"]["login"], "landfast-acme");
    assert_eq!(
        (&pull["head"]["ref"], &pull["base"]["ref"]),
        (&json!("landfast/record-alpha"), &json!("main"))
    );
    let head = pull["head"]["sha"].as_str().unwrap();
    let proposed = person.get(&format!("git/commits/{head}")).await["tree"]["sha"].clone();
    let files = person.get(&format!("git/trees/{}?recursive=1", proposed.as_str().unwrap())).await;
    let file =
        files["tree"].as_array().unwrap().iter().find(|file| file["path"] == path("alpha").as_str()).unwrap();
    let blob = person.get(&format!("git/blobs/{}", file["sha"].as_str().unwrap())).await;
    let text = blob["content"].as_str().unwrap().replace('\n', "");
    let text = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, text).unwrap();
    let recorded = format!("id: \"{}\"", play.id("alpha"));
    assert!(String::from_utf8(text).unwrap().contains(&recorded), "the file that emulate shows has the id");

    person.merge(1, "landfast/record-alpha").await;
    let writes = play.writes().len();
    play.rest().await;
    assert_eq!(play.writes().len(), writes, "it only says what is so already");
    assert_eq!(person.get("pulls/1").await["merged"], true);
    // What is in force by then is the merge: a commit on top of it arrives.
    play.commit("Add beta", &[(&path("beta"), Some(account("beta", "")))]);
    play.settled(&["alpha", "beta"]).await;
    person.until("beta's id is proposed", async |person| person.pulls().await.len() == 2).await;
    play.rest().await;
    assert_eq!(person.pulls().await.len(), 2);
    rest::wrote_only_where_it_may(play);
    abroad.play.stop().await;
}

#[tokio::test]
#[ignore = "needs emulate: run tests/forge.sh"]
async fn a_drift_is_told_closed_and_told_again_in_one_issue_across_a_kill() {
    let mut abroad = Abroad::set("drift", &company(&["alpha"])).await;
    abroad.start();
    abroad.play.settled(&["alpha"]).await;
    abroad.play.alice_sets_password_length("alpha", 8).await;
    let told = async |person: &Person| {
        let issues = person.issues().await;
        issues.len() == 1 && is_open(&issues[0]) && issues[0]["body"].as_str().unwrap().contains("/alice")
    };
    abroad.person.until("alice is named", told).await;
    abroad.play.kill();
    abroad.start();
    abroad.play.alice_sets_password_length("alpha", 14).await;
    abroad.person.until("it is closed", async |person| !is_open(&person.issues().await[0])).await;
    abroad.play.alice_sets_password_length("alpha", 8).await;
    abroad.person.until("it is open again", async |person| is_open(&person.issues().await[0])).await;
    abroad.play.rest().await;
    let issues = abroad.person.issues().await;
    assert_eq!(issues.len(), 1);
    assert_eq!(issues[0]["comments"], 2, "one when it closed, one when it came back");
    abroad.play.stop().await;
}

#[tokio::test]
#[ignore = "needs emulate: run tests/forge.sh"]
async fn a_commit_that_does_not_load_is_told_until_one_does() {
    let mut abroad = Abroad::set("commits", &company(&["alpha"])).await;
    abroad.start();
    abroad.play.settled(&["alpha"]).await;
    abroad.play.commit("Break it", &[(BASELINE, Some("targets: 7\n".to_owned()))]);
    let told = async |person: &Person| person.issues().await.iter().any(is_open);
    abroad.person.until("its faults are told", told).await;
    let issue = abroad.person.issues().await.remove(0);
    assert!(issue["body"].as_str().unwrap().contains(BASELINE), "{issue}");
    abroad.play.commit("Mend it", &[(BASELINE, Some(baseline(15)))]);
    abroad.person.until("it is closed", async |person| !person.issues().await.iter().any(is_open)).await;
    abroad.play.until("it is in force", |play| play.password_length("alpha") == Some(15)).await;
    abroad.play.stop().await;
}

#[tokio::test]
#[ignore = "needs emulate: run tests/forge.sh"]
async fn gits_own_server_refuses_a_wrong_token_and_we_do_not_show_it() {
    let abroad = Abroad::set("tokens", &company(&["alpha"])).await;
    let cache = tempfile::tempdir().unwrap();
    let url = abroad.host.url();
    let fetch = async |token: &'static str, folder: &str| {
        let repository = Repository::open(&cache.path().join(folder), &url, credentials(token)).unwrap();
        landfast::git::blocking(move || repository.fetch(BRANCH)).await
    };
    let error = fetch("wrong-secret", "wrong").await.unwrap_err();
    assert_eq!(error.class(), Class::Stalled, "{error}");
    assert!(!format!("{error} {error:?}").contains("wrong-secret"), "{error}");
    assert_eq!(fetch(TOKEN, "right").await.unwrap().to_string(), abroad.play.head().to_string());
}

/// A server that wants to know who asks, and lets nobody in; with what it was told.
async fn trap() -> (String, Arc<Mutex<Vec<Option<String>>>>) {
    let seen = Arc::<Mutex<Vec<_>>>::default();
    let told = Arc::clone(&seen);
    let answer = async move |headers: axum::http::HeaderMap| {
        let said = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        told.lock().unwrap().push(said);
        (axum::http::StatusCode::UNAUTHORIZED, [("www-authenticate", "Basic realm=\"git\"")])
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/acme/observed.git", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    (url, seen)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs emulate: run tests/forge.sh"]
async fn the_token_does_not_go_to_another_host_where_the_record_is_kept() {
    let abroad = Abroad::set("hosts", &company(&["alpha"])).await;
    let (observed, seen) = trap().await;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    abroad.signer.save(&key).unwrap();
    let mut landfast = assert_cmd::Command::cargo_bin("landfast").unwrap();
    landfast
        .args(["plan", "--repo", &abroad.host.url(), "--observed-repo", &observed])
        .arg("--signing-key")
        .arg(key)
        .env("GITHUB_TOKEN", TOKEN)
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let output = tokio::task::spawn_blocking(move || landfast.output().unwrap()).await.unwrap();
    assert!(!output.status.success(), "{output:?}");
    let seen = seen.lock().unwrap().clone();
    assert!(!seen.is_empty() && seen.iter().all(Option::is_none), "{seen:?}: {output:?}");
}
