//! The same noise on two clients: a naive one doubles issues, ours does not. The simulation's state is the judge.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use landfast::github::Published;
use landfast::model::{Scope, Slug, Verdict};
use landfast::report::{Situation, Wanted, wanted};
use landfast::sandbox::github::{Fault, SimulatedGitHub, Trouble};

use crate::contract::Judged;
use crate::issues::{Daemon, drift, finding, in_sync, report};
use crate::sandbox_github::{APP, TOKEN, client, simulated, simulated_at};

const N_ISSUES: u32 = 20;

/// A tenth of all calls fail after they acted, a tenth before, some break off.
fn noise(github: &SimulatedGitHub, seed: u64) {
    let troubles = [
        (Trouble::StatusAfter(502), 0.1),
        (Trouble::StatusBefore(500), 0.05),
        (Trouble::DropBefore, 0.05),
        (Trouble::DropAfter, 0.02),
        (Trouble::TruncateAfter, 0.02),
        (Trouble::TooMany(0), 0.05),
        (Trouble::Unauthorized, 0.01),
        (Trouble::EmptyPage, 0.05),
    ];
    for (n, (trouble, chance)) in (0..).zip(troubles) {
        github.fail(Fault::once("", "", trouble).by_chance(chance, seed.wrapping_mul(100) + n));
    }
}

/// How many issues of each title there are.
fn by_title(github: &SimulatedGitHub) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for issue in github.issues() {
        *count.entry(issue.title).or_default() += 1;
    }
    count
}

/// Does what most clients do by default: sends a request again when its answer was an error of the server, or none.
async fn open_naively(github: &SimulatedGitHub, title: &str) {
    let client = client(github, TOKEN);
    for _ in 0..4 {
        match client.issues("acme", "aws-accounts").create(title).send().await {
            Err(octocrab::Error::GitHub { source, .. }) if source.status_code.is_client_error() => return,
            Ok(_) => return,
            Err(_) => {}
        }
    }
}

#[tokio::test]
async fn a_naive_client_doubles_issues() {
    let mut n_doubled = 0;
    for seed in 0..3 {
        let (github, _) = simulated().await;
        noise(&github, seed);
        for n in 0..N_ISSUES {
            open_naively(&github, &format!("issue {n}")).await;
        }
        n_doubled += by_title(&github).values().filter(|count| **count > 1).count();
    }
    assert!(n_doubled > 0, "the simulation does not catch what it is there to catch");
}

#[tokio::test]
async fn a_naive_client_that_searches_first_doubles_issues_when_the_list_is_stale() {
    let (github, _) = simulated().await;
    let client = client(&github, TOKEN);
    for _ in 0..2 {
        github.fail(Fault::once("GET", "/issues", Trouble::Stale(1)));
        let issues = client.issues("acme", "aws-accounts");
        let listed = issues.list().state(octocrab::params::State::All).send().await.unwrap();
        if !listed.items.iter().any(|issue| issue.title == "one") {
            issues.create("one").send().await.unwrap();
        }
    }
    assert_eq!(by_title(&github)["one"], 2);
}

/// The same verdict in each of many accounts.
fn many(verdict: Verdict) -> Wanted {
    let reports: Vec<_> = (0..N_ISSUES)
        .map(|n| {
            let mut report = report(finding(verdict, 14, if verdict == Verdict::Drift { n } else { 14 }));
            report.scope = Scope::Account(Slug::parse(format!("account-{n}")).unwrap());
            report.plan.scope = report.scope.clone();
            report
        })
        .collect();
    wanted(&reports, &Situation::default())
}

/// Publishes until a round has nothing left to do. Every third round is of a new process.
async fn publish_through(github: &Judged, token: &str, wanted: &Wanted) {
    let mut daemon = Daemon::new(github, token);
    for round in 0..500 {
        if round % 3 == 0 {
            daemon = Daemon::new(github, token);
        }
        if daemon.publish(wanted).await.ok() == Some(Published::default()) {
            return;
        }
    }
    panic!("it never comes to rest");
}

#[tokio::test]
async fn under_the_same_noise_each_of_our_issues_is_opened_once_and_closed_once() {
    for (seed, token) in [(0, TOKEN), (1, TOKEN), (2, APP)] {
        let (github, _) = simulated().await;
        noise(&github, seed);
        publish_through(&github, token, &many(Verdict::Drift)).await;
        let issues = github.issues();
        assert_eq!(issues.len(), N_ISSUES as usize, "seed {seed}: {:?}", by_title(&github));
        assert!(
            issues.iter().all(|issue| issue.is_open && issue.labels.contains("landfast/drift")),
            "seed {seed}"
        );
        publish_through(&github, token, &many(Verdict::InSync)).await;
        assert!(github.issues().iter().all(|issue| !issue.is_open), "seed {seed}");
        assert!(github.issues().iter().all(|issue| github.comments(issue.number).len() <= 1), "seed {seed}");
    }
}

/// Our own clock at GitHub: every request takes a second.
fn ticking() -> landfast::sandbox::github::Clock {
    let seconds = Arc::new(AtomicI64::new(1_790_000_000));
    Arc::new(move || jiff::Timestamp::from_second(seconds.fetch_add(1, Ordering::Relaxed)).unwrap())
}

#[tokio::test]
async fn a_list_that_lags_behind_our_own_writes_is_not_taken_at_its_word() {
    for n_stale in 1..6 {
        let (github, _) = simulated_at(ticking()).await;
        let daemon = Daemon::new(&github, TOKEN);
        for wanted in [drift(8), drift(8), drift(9), drift(9), in_sync(), in_sync(), drift(9), drift(9)] {
            github.fail(Fault::once("GET", "/issues", Trouble::Stale(n_stale)));
            daemon.publish(&wanted).await.unwrap();
        }
        assert_eq!(github.issues().len(), 1, "{n_stale}");
        assert_eq!(github.comments(1).len(), 2, "{n_stale}: closed once and opened again once");
    }
}

#[tokio::test]
async fn an_issue_that_was_deleted_is_not_looked_for_for_ever() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    github.fail(Fault::once("GET", "/issues", Trouble::Stale(1)));
    github.fail(Fault::once("GET", "/issues/{number}", Trouble::StatusBefore(410)));
    daemon.publish(&drift(8)).await.unwrap();
    assert_eq!(github.issues().len(), 2, "what is gone is opened anew");
}

#[tokio::test]
async fn what_is_answered_slowly_is_read_and_what_takes_too_long_is_doubted() {
    let (github, _) = simulated().await;
    github.fail(Fault::once("GET", "/issues", Trouble::Drip(Duration::from_millis(1))));
    Daemon::new(&github, TOKEN).publish(&drift(8)).await.unwrap();
    github.fail(Fault::once("GET", "/issues", Trouble::Drip(Duration::from_secs(1))));
    let impatient = Daemon::with_timeout(&github, TOKEN, Some(Duration::from_millis(1500)));
    impatient.publish(&drift(9)).await.unwrap_err();
    assert_eq!(github.issues().len(), 1);
}

#[tokio::test]
async fn while_github_asks_to_wait_nothing_is_sent() {
    for trouble in [Trouble::SecondaryLimit(1), Trouble::TooMany(1)] {
        let (github, _) = simulated().await;
        let daemon = Daemon::new(&github, TOKEN);
        github.fail(Fault::once("POST", "/issues", trouble));
        daemon.publish(&drift(8)).await.unwrap_err();
        github.clear_requests();
        let asked = daemon.publish(&drift(8)).await.unwrap_err().retry_after().unwrap();
        assert!(asked <= Duration::from_secs(1) && !asked.is_zero(), "{trouble:?}: {asked:?}");
        assert!(github.requests().is_empty(), "{trouble:?}: {:?}", github.requests());
        tokio::time::sleep(asked).await;
        daemon.publish(&drift(8)).await.unwrap();
        assert_eq!(github.issues().len(), 1, "{trouble:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_once_is_used_again() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    for (method, route) in [("GET", "/user"), ("GET", "/issues"), ("POST", "/issues")] {
        github.fail(Fault::once(method, route, Trouble::Unauthorized));
        daemon.publish(&drift(8)).await.unwrap_err();
    }
    daemon.publish(&drift(8)).await.unwrap();
    assert_eq!(github.issues().len(), 1);
}

#[tokio::test]
async fn our_labels_have_a_colour_and_words_from_the_first_issue_on() {
    let (github, _) = simulated().await;
    client(&github, TOKEN)
        .issues("acme", "aws-accounts")
        .create_label("landfast", "ffffff", "ours")
        .await
        .unwrap();
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    let labels =
        client(&github, TOKEN).issues("acme", "aws-accounts").list_labels_for_repo().send().await.unwrap();
    let label = |name: &str| labels.items.iter().find(|label| label.name == name).unwrap();
    assert_eq!(label("landfast/high").color, "b60205");
    assert!(label("landfast/drift").description.as_ref().is_some_and(|words| !words.is_empty()));
    assert_eq!(label("landfast").color, "ffffff", "a colour that people chose stays");
    github.clear_requests();
    for wanted in [in_sync(), drift(8), drift(9)] {
        daemon.publish(&wanted).await.unwrap();
    }
    assert!(!github.writes().iter().any(|write| write.ends_with("/labels")), "they are made once");
}

#[tokio::test]
async fn an_issue_is_opened_although_its_labels_may_not_be_made() {
    let (github, _) = simulated().await;
    github.fail(Fault::once("POST", "/labels", Trouble::StatusBefore(403)).always());
    Daemon::new(&github, TOKEN).publish(&drift(8)).await.unwrap();
    assert_eq!(github.issues().len(), 1);
}
