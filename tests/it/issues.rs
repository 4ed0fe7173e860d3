//! Issues are reconciled: whatever gets lost on the way, GitHub ends up showing what should be open, once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use landfast::github::{self, Error, Reader, Repository, Token, Writer, publish};
use landfast::model::{
    Author, Class, CommitId, Deed, Finding, Mode, Outcome, Outcomes, Plan, PlannedStep, Scope, Slug, Source,
    Step, StepId, Verdict,
};
use landfast::report::{ScopeReport, Situation, Wanted, wanted};
use landfast::sandbox::github::{Fault, SimulatedGitHub, Trouble};
use serde_json::json;

use crate::sandbox_github::{APP, MALLORY, TOKEN, simulated};

pub(crate) struct Daemon {
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
}

impl Daemon {
    pub(crate) fn new(github: &SimulatedGitHub, token: &str) -> Self {
        Self::with_timeout(github, token, None)
    }

    pub(crate) fn with_timeout(github: &SimulatedGitHub, token: &str, timeout: Option<Duration>) -> Self {
        let repository: Repository = "acme/aws-accounts".parse().unwrap();
        let (api_url, token) = (Some(github.api_url()), Token::new(token));
        let config = github::Config { api_url, repository, token, timeout };
        let (reader, writer) = github::connect(&config).unwrap();
        Self { reader, writer }
    }

    pub(crate) async fn publish(&self, wanted: &Wanted) -> Result<github::Published, Error> {
        publish(&self.reader, &self.writer, wanted, at()).await
    }
}

pub(crate) fn at() -> Timestamp {
    "2026-11-22T06:25:00Z".parse().unwrap()
}

pub(crate) fn revision(digit: char) -> CommitId {
    CommitId::parse(digit.to_string().repeat(40)).unwrap()
}

pub(crate) fn finding(verdict: Verdict, desired: u32, observed: u32) -> Finding {
    Finding {
        verdict,
        mode: Mode::Report,
        desired: Some(json!({"minimumLength": desired}).into()),
        base: Some(json!({"minimumLength": 14}).into()),
        observed: (verdict != Verdict::Gap).then(|| json!({"minimumLength": observed}).into()),
        unchecked: [].into(),
        because: String::new(),
        source: Some(Source { path: "baselines/security/baseline.yaml".to_owned(), line: 7 }),
    }
}

pub(crate) fn report(finding: Finding) -> ScopeReport {
    let scope = Scope::Account(Slug::parse("payments-prod").unwrap());
    ScopeReport {
        scope: scope.clone(),
        account_id: None,
        account_name: String::new(),
        plan: Plan {
            scope,
            revision: revision('a'),
            findings: [("settings.passwordPolicy".parse().unwrap(), finding)].into(),
            steps: Vec::new(),
            blocked: Vec::new(),
            waiting: [].into(),
            unclaimed: Vec::new(),
            unclaimed_gap: None,
            gate: None,
            warnings: Vec::new(),
            ties: std::collections::BTreeMap::new(),
        },
        outcomes: Outcomes::new(),
        authors: [].into(),
        gaps_last: false,
        hold: None,
    }
}

pub(crate) fn of(finding: Finding) -> Wanted {
    wanted(&[report(finding)], &Situation::default())
}

/// AWS shows `observed` where git says 14.
pub(crate) fn drift(observed: u32) -> Wanted {
    of(finding(Verdict::Drift, 14, observed))
}

pub(crate) fn in_sync() -> Wanted {
    of(finding(Verdict::InSync, 14, 14))
}

#[tokio::test]
async fn the_same_drift_is_one_issue_and_then_no_more_writes() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    assert_eq!(github.issues().len(), 1);
    assert!(github.issues()[0].labels.contains("landfast/high"));
    github.clear_requests();
    for _ in 0..3 {
        // A new process each time: nothing is remembered.
        assert!(Daemon::new(&github, TOKEN).publish(&drift(8)).await.unwrap().is_empty());
    }
    assert_eq!(github.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_reply_never_leads_to_a_second_issue() {
    for trouble in [Trouble::StatusAfter(502), Trouble::DropAfter, Trouble::TruncateAfter] {
        let (github, _) = simulated().await;
        let daemon = Daemon::new(&github, TOKEN);
        github.fail(Fault::once("POST", "/issues", trouble));
        let error = daemon.publish(&drift(8)).await.unwrap_err();
        assert_eq!(error.class(), Class::Transient, "{trouble:?}: {error}");
        let sent = github.writes().into_iter().filter(|write| write.ends_with("/issues")).count();
        assert_eq!(sent, 1, "{trouble:?}: it was sent once");
        daemon.publish(&drift(8)).await.unwrap();
        assert_eq!(github.issues().len(), 1, "{trouble:?}");
    }
}

#[tokio::test]
async fn a_request_that_was_not_acted_on_is_made_up_for_in_the_next_round() {
    for trouble in [Trouble::StatusBefore(500), Trouble::DropBefore, Trouble::SecondaryLimit(0)] {
        let (github, _) = simulated().await;
        let daemon = Daemon::new(&github, TOKEN);
        github.fail(Fault::once("POST", "/issues", trouble));
        daemon.publish(&drift(8)).await.unwrap_err();
        assert!(github.issues().is_empty());
        daemon.publish(&drift(8)).await.unwrap();
        assert_eq!(github.issues().len(), 1, "{trouble:?}");
    }
}

#[tokio::test]
async fn a_request_that_hangs_ends_and_is_looked_into() {
    let (github, _) = simulated().await;
    github.fail(Fault::once("POST", "/issues", Trouble::Hang));
    let impatient = Daemon::with_timeout(&github, TOKEN, Some(Duration::from_secs(2)));
    let error = impatient.publish(&drift(8)).await.unwrap_err();
    assert_eq!(error.class(), Class::Transient, "{error}");
    Daemon::new(&github, TOKEN).publish(&drift(8)).await.unwrap();
    assert_eq!(github.issues().len(), 1);
}

#[tokio::test]
async fn limits_are_told_apart_from_refusals_and_say_how_long_to_wait() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    github.fail(Fault::once("GET", "/issues", Trouble::SecondaryLimit(7)));
    let error = daemon.publish(&drift(8)).await.unwrap_err();
    assert_eq!(error.retry_after().unwrap().as_secs(), 7);
    let daemon = Daemon::new(&github, TOKEN);
    github.fail(Fault::once("GET", "/issues", Trouble::PrimaryLimit(120)));
    let error = daemon.publish(&drift(8)).await.unwrap_err();
    assert_eq!(error.class(), Class::Waiting);
    let wrong = Daemon::new(&github, "nonsense").publish(&drift(8)).await.unwrap_err();
    assert!(matches!(wrong, Error::Unauthorized { .. }), "{wrong}");
    assert_eq!(wrong.class(), Class::Stalled);
}

#[tokio::test]
async fn nothing_is_written_when_the_issues_cannot_all_be_listed() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    for n in 0..150 {
        github.open_by("landfast-acme", &format!("chatter {n}"), "");
    }
    github.clear_requests();
    // The second page fails: what is on it could be ours.
    for trouble in [Trouble::StatusBefore(503), Trouble::TruncateAfter, Trouble::DropBefore] {
        github.fail(Fault::once("GET", "/issues", trouble).after(1));
        daemon.publish(&in_sync()).await.unwrap_err();
        github.heal();
    }
    assert_eq!(github.writes(), Vec::<String>::new());
    assert!(github.issues()[0].is_open);
}

#[tokio::test]
async fn our_issue_is_found_on_a_later_page() {
    let (github, _) = simulated().await;
    for n in 0..150 {
        github.open_by("landfast-acme", &format!("chatter {n}"), "");
    }
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    daemon.publish(&drift(8)).await.unwrap();
    assert_eq!(github.issues().len(), 151);
}

#[tokio::test]
async fn issues_of_strangers_cost_a_user_nothing() {
    let (github, _) = simulated().await;
    for n in 0..250 {
        github.open_by("someone", &format!("chatter {n}"), "");
    }
    for (token, n_pages) in [(TOKEN, 1), (APP, 3)] {
        github.clear_requests();
        Daemon::new(&github, token).publish(&drift(8)).await.unwrap();
        let lists = github.requests().into_iter().filter(|request| request.method == "GET");
        let n_lists = lists.filter(|request| request.path.ends_with("/issues")).count();
        assert_eq!(n_lists, n_pages, "{token}: an app cannot ask for its own");
    }
}

#[tokio::test]
async fn a_healed_drift_closes_its_issue_with_a_comment_once() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    daemon.publish(&in_sync()).await.unwrap();
    daemon.publish(&in_sync()).await.unwrap();
    assert!(!github.issues()[0].is_open);
    let comments = github.comments(1);
    assert_eq!(comments.len(), 1);
    insta::assert_snapshot!(comments[0].body, @"**Healed.** AWS is again as git declares; who put it back is not known. Open for 3 h 12 min. Commit in force: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`.");
}

#[tokio::test]
async fn a_closing_comment_tells_adopted_from_healed_and_reverted() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    // Git now says 8 as well.
    daemon.publish(&of(finding(Verdict::InSync, 8, 8))).await.unwrap();
    insta::assert_snapshot!(github.comments(1)[0].body, @"**Adopted.** Git was changed (commit `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`), and now declares something else for it. Open for 3 h 12 min. Commit in force: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`.");
}

/// `drift(8)` in an account where Landfast may put it back, and did.
fn put_back() -> Wanted {
    let mut report = report(Finding { mode: Mode::Enforce, ..finding(Verdict::Drift, 14, 8) });
    let (id, item) = (StepId("policy".to_owned()), "settings.passwordPolicy".parse().unwrap());
    let (before, after) = (Some(json!({"minimumLength": 8})), json!({"minimumLength": 14}));
    let step = Step::PutPasswordPolicy { before, after };
    report.plan.steps.push(PlannedStep { id: id.clone(), item, needs: [].into(), step });
    report.outcomes.insert(id, Outcome::Done);
    wanted(&[report], &Situation::default())
}

#[tokio::test]
async fn what_landfast_put_back_is_told_in_an_issue_that_ends_as_reverted() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&put_back()).await.unwrap();
    assert!(github.issues()[0].body.contains("Landfast put it back"), "{}", github.issues()[0].body);
    daemon.publish(&in_sync()).await.unwrap();
    assert!(github.comments(1)[0].body.starts_with("**Reverted.** Landfast put it back."));
}

#[tokio::test]
async fn what_is_only_observed_opens_nothing() {
    let observed = |verdict| of(Finding { mode: Mode::Observe, ..finding(verdict, 14, 8) });
    for verdict in [Verdict::Drift, Verdict::Conflict, Verdict::FirstSight] {
        assert!(observed(verdict).issues.is_empty(), "{verdict:?}");
    }
}

#[tokio::test]
async fn a_lost_reply_to_closing_says_why_all_the_same() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    github.fail(Fault::once("POST", "/comments", Trouble::StatusBefore(502)));
    daemon.publish(&in_sync()).await.unwrap_err();
    daemon.publish(&in_sync()).await.unwrap();
    assert!(!github.issues()[0].is_open);
    assert!(github.issues()[0].body.contains("**Healed.**"));
    assert!(github.comments(1).len() <= 1);
}

#[tokio::test]
async fn a_drift_that_comes_back_reopens_its_issue() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    for wanted in [drift(8), in_sync(), drift(8), drift(8)] {
        daemon.publish(&wanted).await.unwrap();
    }
    assert_eq!(github.issues().len(), 1);
    assert!(github.issues()[0].is_open);
    assert!(!github.issues()[0].body.contains("Healed"));
    assert_eq!(github.comments(1).len(), 2, "one when it closed, one when it came back");
}

#[tokio::test]
async fn what_a_person_closed_stays_closed_until_it_changes() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    github.close_by_human(1);
    github.clear_requests();
    daemon.publish(&drift(8)).await.unwrap();
    assert_eq!(github.writes(), Vec::<String>::new());
    daemon.publish(&drift(6)).await.unwrap();
    assert!(github.issues()[0].is_open);
    assert_eq!(github.issues().len(), 1);
}

#[tokio::test]
async fn what_a_person_closed_opens_again_when_it_ended_and_came_back() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    github.close_by_human(1);
    daemon.publish(&in_sync()).await.unwrap();
    assert!(github.comments(1).is_empty(), "nobody is told about an issue that was closed anyway");
    daemon.publish(&drift(8)).await.unwrap();
    assert!(github.issues()[0].is_open);
}

#[tokio::test]
async fn the_author_is_filled_in_place_when_known() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    assert!(github.issues()[0].title.contains("author pending"));
    let mut report = report(finding(Verdict::Drift, 14, 8));
    report.authors.insert("settings.passwordPolicy".parse().unwrap(), alice());
    daemon.publish(&wanted(&[report], &Situation::default())).await.unwrap();
    assert_eq!(github.issues().len(), 1);
    assert!(
        github.issues()[0].title.ends_with("by alice via BreakGlass · 03:12 UTC"),
        "{}",
        github.issues()[0].title
    );
    assert!(github.comments(1).is_empty());
}

pub(crate) fn alice() -> Author {
    Author::Known(Deed {
        principal: "arn:aws:sts::111122223333:assumed-role/BreakGlass/alice".to_owned(),
        name: "alice".to_owned(),
        role: Some("BreakGlass".to_owned()),
        event_name: "UpdateAccountPasswordPolicy".to_owned(),
        event_id: "4f1c".to_owned(),
        time: "2026-11-22T03:12:07Z".parse().unwrap(),
        source_ip: "203.0.113.9".to_owned(),
        console: None,
        mfa: None,
        is_certain: true,
        is_ours: false,
    })
}

#[tokio::test]
async fn an_account_we_could_not_read_keeps_its_issue_as_it_is() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    github.clear_requests();
    daemon.publish(&of(finding(Verdict::Gap, 14, 14))).await.unwrap();
    // Nor does a round that was about something else.
    daemon.publish(&Wanted::default()).await.unwrap();
    assert_eq!(github.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn an_issue_about_a_scope_that_is_gone_is_closed() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    let scopes: BTreeSet<_> = [Scope::Organization].into();
    let gone = wanted(&[], &Situation { scopes: Some(scopes), ..Situation::default() });
    daemon.publish(&gone).await.unwrap();
    assert!(!github.issues()[0].is_open);
}

#[tokio::test]
async fn of_twins_the_older_stays() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    let first = github.issues()[0].clone();
    github.open_by("landfast-acme", &first.title, &first.body);
    daemon.publish(&drift(8)).await.unwrap();
    daemon.publish(&drift(8)).await.unwrap();
    let open: Vec<_> = github.issues().iter().map(|issue| issue.is_open).collect();
    assert_eq!(open, [true, false]);
    assert_eq!(github.comments(2).len(), 1);
}

#[tokio::test]
async fn a_copied_marker_in_somebody_elses_issue_is_not_believed() {
    for token in [TOKEN, APP] {
        let (github, _) = simulated().await;
        let daemon = Daemon::new(&github, token);
        daemon.publish(&drift(8)).await.unwrap();
        let ours = github.issues()[0].clone();
        let (fresh, _) = simulated().await;
        let daemon = Daemon::new(&fresh, token);
        fresh.open_by("mallory", &ours.title, &ours.body);
        fresh.close_by_human(1);
        daemon.publish(&drift(8)).await.unwrap();
        assert_eq!(fresh.issues().len(), 2, "a closed forgery does not silence us");
        assert!(fresh.issues()[1].is_open);
    }
    // Mallory's own daemon does not take ours for its own either.
    let (github, _) = simulated().await;
    Daemon::new(&github, TOKEN).publish(&drift(8)).await.unwrap();
    Daemon::new(&github, MALLORY).publish(&in_sync()).await.unwrap();
    assert!(github.issues()[0].is_open);
}

#[tokio::test]
async fn labels_that_were_taken_away_are_not_fought_over() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    github.edit_by_human(1, |issue| issue.labels = ["theirs".to_owned()].into());
    github.clear_requests();
    daemon.publish(&drift(8)).await.unwrap();
    assert_eq!(github.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_commit_that_does_not_load_is_an_issue_until_one_loads() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    let diagnostics =
        "error[duplicate-key]: `tags` is there twice\n --> accounts/a/account.yaml:4:1".to_owned();
    let rejected = landfast::report::Rejected { commit: revision('b'), diagnostics };
    let situation =
        Situation { revision: Some(revision('a')), rejected: Some(rejected), ..Situation::default() };
    daemon.publish(&wanted(&[], &situation)).await.unwrap();
    assert!(github.issues()[0].body.contains("accounts/a/account.yaml:4:1"));
    let good = Situation { revision: Some(revision('c')), ..Situation::default() };
    daemon.publish(&wanted(&[], &good)).await.unwrap();
    assert!(!github.issues()[0].is_open);
}

#[tokio::test]
async fn a_pull_request_from_elsewhere_or_for_another_branch_does_not_stand_in_for_ours() {
    let (github, git) = simulated().await;
    for (branch, digit) in [("landfast/id", "2"), ("old", "3")] {
        git.0.lock().unwrap().insert(branch.to_owned(), digit.repeat(40));
    }
    let daemon = Daemon::new(&github, TOKEN);
    let slug = Slug::parse("payments-prod").unwrap();
    let id = landfast::model::AccountId::parse("111122223333").unwrap();
    let words = landfast::report::record_id(&slug, "Payments", &id);
    for fork in [Some("mallory/aws-accounts"), None] {
        github.open_pull_from_fork("mallory", fork, "landfast/id", "main");
    }
    let propose = |base| github::propose(&daemon.reader, &daemon.writer, &words, "landfast/id", base);
    let for_another_branch = propose("old").await.unwrap();
    let ours = propose("main").await.unwrap();
    assert_eq!((for_another_branch.number, ours.number), (3, 4));
    assert_eq!(github.pulls()[3].author, "landfast-acme");
    assert_eq!(propose("main").await.unwrap(), ours, "ours is found again");
    assert_eq!(github.pulls().len(), 4);
}

#[tokio::test]
async fn a_pull_request_is_proposed_once_whatever_gets_lost() {
    let (github, git) = simulated().await;
    git.0.lock().unwrap().insert("landfast/id".to_owned(), "2".repeat(40));
    let daemon = Daemon::new(&github, TOKEN);
    let slug = Slug::parse("payments-prod").unwrap();
    let id = landfast::model::AccountId::parse("111122223333").unwrap();
    let words = landfast::report::record_id(&slug, "Payments", &id);
    github.fail(Fault::once("POST", "/pulls", Trouble::DropAfter));
    let propose = || github::propose(&daemon.reader, &daemon.writer, &words, "landfast/id", "main");
    propose().await.unwrap_err();
    let pull = propose().await.unwrap();
    assert_eq!((pull.number, github.pulls().len()), (1, 1));
}
