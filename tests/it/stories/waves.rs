//! Rollouts wave by wave, and freezes: judged by when which account was written.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use landfast::apply::Progress;
use landfast::follow::News;
use landfast::git::bare;
use landfast::observe::DriftLook;
use landfast::reconcile::sweep::{self, Sweep};
use landfast::report::ScopeReport;
use landfast::sandbox::aws::{Entry, Fault, Trouble, When};

use super::brakes;
use super::files::{self, BASELINE, baseline, company, logs_template, role_template};
use super::guards::vouching_for;
use super::{HOME, OBSERVED, Play};

const REPOSITORY: &str = "landfast.yaml";
const ROLE: &str = "baselines/base/role.template.yaml";
const ALL: [&str; 3] = ["alpha", "beta", "gamma"];

/// Alpha first, then beta, then whoever is left; what else is said of the first and of the second wave.
fn waves(first: &str, second: &str) -> String {
    format!(
        "rollout:\n  waves:\n  - {{name: canary, targets: {{accounts: [alpha]}}{first}}}\n  \
         - {{name: early, targets: {{accounts: [beta]}}{second}}}\n  \
         - {{name: rest, targets: {{ous: [\"/**\"]}}}}\n"
    )
}

fn in_waves(first: &str, second: &str) -> Vec<(String, String)> {
    let mut files = company(&ALL);
    files.push((REPOSITORY.to_owned(), waves(first, second)));
    files
}

fn another_role(policy: &str) -> String {
    role_template().replace("ReadOnlyAccess", policy)
}

/// The baseline with one more stack, `logs`.
fn with_logs() -> [(&'static str, Option<String>); 2] {
    let more = format!("{}  logs: {{template: logs.template.yaml}}\n", baseline(14));
    [(BASELINE, Some(more)), ("baselines/base/logs.template.yaml", Some(logs_template(7)))]
}

impl Play {
    /// What Landfast wrote inside an account after so many calls of its own.
    fn written(&self, slug: &str, after: usize) -> Vec<Entry> {
        let id = self.id(slug);
        let log = self.log();
        log.into_iter().skip(after).filter(|entry| entry.is_mutating && entry.account == id).collect()
    }

    /// Nothing is written in any of `later` until all that is written in `earlier` was.
    fn in_order(&self, after: usize, earlier: &str, later: &[&str]) {
        let last = self.written(earlier, after).last().map(|entry| entry.sequence);
        for slug in later {
            let first = self.written(slug, after).first().map(|entry| entry.sequence);
            assert!(last.is_some() && last < first, "{earlier} {last:?}, {slug} {first:?}\n{}", self.scene());
        }
    }

    fn has_length(&self, slugs: &[&str], length: i64) -> bool {
        slugs.iter().all(|slug| self.password_length(slug) == Some(length))
    }

    fn has_role(&self, slug: &str, policy: &str) -> bool {
        self.has_stack(slug, "role") && self.stack(slug, "role").unwrap().template.contains(policy)
    }

    /// What is on record as agreed in an account.
    fn agreed_in(&self, slug: &str) -> String {
        let repository = git2::Repository::open_bare(&self.stage.remote).unwrap();
        let file = repository.revparse_single(&format!("{OBSERVED}:base/accounts/{slug}.yaml")).unwrap();
        String::from_utf8(file.as_blob().unwrap().content().to_owned()).unwrap()
    }

    /// What a plan that somebody else draws now says of an account.
    async fn plan_of(&self, slug: &str) -> ScopeReport {
        let daemon = self.stage.daemon(Progress::default(), None).await.unwrap();
        let bases = daemon.publisher.bases().await;
        let mut follow = daemon.follow;
        let News::Accepted(accepted) = follow.look().await.unwrap() else { panic!("it loads") };
        daemon.world.recall_changes(&accepted.desired, daemon.publisher.ledger().as_ref()).await;
        let reports = sweep::look(&daemon.world, &accepted, &bases, DriftLook::LastKnown, 8).await;
        reports.into_iter().find(|report| report.scope.to_string() == format!("accounts/{slug}")).unwrap()
    }

    async fn rollout_issue(&self) -> String {
        self.until("it is told", |play| play.open_issue("rollout", "").is_some()).await;
        let issue = self.open_issue("rollout", "").unwrap();
        format!("{}\n{}", issue.title, issue.body)
    }
}

#[tokio::test]
async fn accounts_and_changes_come_wave_by_wave() {
    let play = Play::begin(&in_waves("", "")).await;
    play.settled(&ALL).await;
    play.in_order(0, "alpha", &["beta", "gamma"]);
    play.in_order(0, "beta", &["gamma"]);
    let before = play.log().len();
    play.commit(
        "Change both",
        &[(BASELINE, Some(baseline(15))), (ROLE, Some(another_role("SecurityAudit")))],
    );
    play.until("everybody has both", |play| {
        play.has_length(&ALL, 15) && ALL.iter().all(|slug| play.has_role(slug, "SecurityAudit"))
    })
    .await;
    play.in_order(before, "alpha", &["beta", "gamma"]);
    play.in_order(before, "beta", &["gamma"]);
    assert_eq!(play.issues("rollout", ""), [], "what goes on by itself is no issue");
    play.end().await;
}

#[tokio::test]
async fn a_rollout_stops_at_the_wave_in_trouble_and_goes_on_after_a_commit_that_mends_it() {
    let play = Play::begin(&in_waves("", "")).await;
    play.settled(&ALL).await;
    play.stage.aws.fail_resource(&play.id("alpha"), HOME, "Role", "the trust policy is refused");
    let before = play.log().len();
    let bad =
        play.commit("Widen", &[(BASELINE, Some(baseline(15))), (ROLE, Some(another_role("SecurityAudit")))]);
    let told = play.rollout_issue().await;
    for part in ["canary", "alpha", "the trust policy is refused", bad.as_str(), "tolerance"] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    play.rest().await;
    assert!(play.has_length(&["alpha"], 15) && play.has_length(&["beta", "gamma"], 14));
    assert_eq!((play.written("beta", before), play.written("gamma", before)), (vec![], vec![]));

    play.commit("Mend", &[(ROLE, Some(another_role("PowerUserAccess")))]);
    play.until("everybody has it", |play| {
        play.has_length(&ALL, 15) && ALL.iter().all(|slug| play.has_role(slug, "PowerUserAccess"))
    })
    .await;
    play.in_order(before, "alpha", &["beta", "gamma"]);
    play.in_order(before, "beta", &["gamma"]);
    play.until("it is over", |play| play.open_issues().is_empty()).await;
    assert_eq!(play.issues("rollout", "").len(), 1);
    play.end().await;
}

#[tokio::test]
async fn a_wave_within_its_tolerance_does_not_stop_the_rollout() {
    let play = Play::begin(&in_waves(", tolerance: 100%", "")).await;
    play.settled(&ALL).await;
    play.stage.aws.fail_resource(&play.id("alpha"), HOME, "Role", "the trust policy is refused");
    play.commit("Widen", &[(ROLE, Some(another_role("SecurityAudit")))]);
    play.until("the others have it", |play| {
        ["beta", "gamma"].iter().all(|slug| play.has_role(slug, "SecurityAudit"))
    })
    .await;
    play.until("it is told", |play| play.open_issue("attention", "accounts/alpha").is_some()).await;
    assert!(!play.has_role("alpha", "SecurityAudit"));
    assert_eq!(play.issues("rollout", ""), []);
    play.end().await;
}

#[tokio::test]
async fn an_account_that_is_held_is_waited_for_and_named() {
    let play = Play::begin(&in_waves("", "")).await;
    play.settled(&ALL).await;
    let alpha = play.account("alpha").unwrap();
    brakes::set(&play, &alpha.id, &brakes::with_hold(alpha.tags.clone()));
    let before = play.log().len();
    play.commit("Longer passwords", &[(BASELINE, Some(baseline(15)))]);
    play.looks(12).await;
    for slug in ALL {
        assert_eq!(play.written(slug, before), []);
    }
    let report = play.plan_of("gamma").await;
    let because = &report.plan.blocked[0].because;
    assert!(because.contains("canary") && because.contains("alpha"), "{because}");
    brakes::set(&play, &alpha.id, &alpha.tags.into_iter().collect::<Vec<_>>());
    play.until("everybody has them", |play| play.has_length(&ALL, 15)).await;
    play.in_order(before, "alpha", &["beta", "gamma"]);
    play.end().await;
}

#[tokio::test]
async fn a_wave_is_watched_before_the_next_begins() {
    let play = Play::begin(&in_waves(", soak: 3s", "")).await;
    play.settled(&ALL).await;
    let before = play.log().len();
    play.commit("Longer passwords", &[(BASELINE, Some(baseline(15)))]);
    play.until("everybody has them", |play| play.has_length(&ALL, 15)).await;
    let done = play.written("alpha", before).last().unwrap().at;
    let next = play.written("beta", before).first().unwrap().at;
    assert!(next.duration_since(done) >= SignedDuration::from_secs(2), "{done} {next}");
    play.in_order(before, "beta", &["gamma"]);
    play.end().await;
}

#[tokio::test]
async fn since_when_a_wave_is_watched_is_on_record_and_without_that_it_is_watched_anew() {
    let mut play = Play::begin(&company(&ALL)).await;
    play.settled(&ALL).await;
    let watched = Some(waves(", soak: 1h", ""));
    play.commit("In waves", &[(REPOSITORY, watched), with_logs()[0].clone(), with_logs()[1].clone()]);
    play.until("it is recorded", |play| play.agreed_in("alpha").contains("stacks.logs")).await;
    play.rest().await;
    let again = async || play.plan_of("beta").await.plan.gate.unwrap().again.unwrap();
    let first = again().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(again().await, first, "whoever asks learns the same");
    play.kill();
    bare::delete_branch(&play.stage.remote, OBSERVED).unwrap();
    let lost = play.stage.aws.now().as_second();
    let later = play.plan_of("beta").await.plan.gate.unwrap().again.unwrap();
    assert!(later > first && later >= lost + 3600, "slower, never faster: {first} {lost} {later}");
    assert!(!play.has_stack("beta", "logs") && !play.has_stack("gamma", "logs"));
}

#[tokio::test]
async fn a_wave_that_asks_for_approval_waits_until_an_operator_vouches_for_this_very_commit() {
    let mut play = Play::begin(&company(&ALL)).await;
    play.settled(&ALL).await;
    let before = play.log().len();
    let other = play.commit("Go in waves", &[(REPOSITORY, Some(waves("", ", approval: true")))]);
    let commit = play.commit("Longer passwords", &[(BASELINE, Some(baseline(15)))]);
    let told = play.rollout_issue().await;
    assert!(told.contains(&format!("--approve {commit}")) && told.contains("early"), "{told}");
    play.restarted_with(vouching_for(&other)).await;
    play.rest().await;
    assert!(play.has_length(&["alpha"], 15) && play.has_length(&["beta", "gamma"], 14));

    play.restarted_with(vouching_for(&commit)).await;
    play.until("everybody has them", |play| play.has_length(&ALL, 15)).await;
    play.in_order(before, "alpha", &["beta", "gamma"]);
    play.until("it is over", |play| play.open_issue("rollout", "").is_none()).await;
    play.end().await;
}

#[tokio::test]
async fn a_freeze_holds_every_write_and_what_waited_begins_when_it_ends() {
    let mut files = company(&["alpha", "beta"]);
    files.push((REPOSITORY.to_owned(), "mode: enforce\n".to_owned()));
    let play = Play::begin(&files).await;
    play.settled(&["alpha", "beta"]).await;
    let freeze = |until: &str| {
        Some(format!(
            "mode: enforce\nfreeze:\n- {{from: 2020-01-01, until: {until}, reason: the shop is full}}\n"
        ))
    };
    let before = play.log().len();
    play.commit("Freeze", &[(REPOSITORY, freeze("2099-12-31"))]);
    play.looks(5).await;
    let gamma = (files::path("gamma"), files::account("gamma", ""));
    play.commit("Change all", &[(BASELINE, Some(baseline(15))), (&gamma.0, Some(gamma.1.clone()))]);
    play.alice_sets_password_length("beta", 8).await;
    play.until("looking goes on", |play| play.open_issue("drift", "accounts/beta").is_some()).await;
    let report = play.plan_of("alpha").await;
    let because = &report.plan.blocked[0].because;
    assert!(because.contains("frozen until 2100-01-01 00:00 UTC: the shop is full"), "{because}");
    play.rest().await;

    let until = play.stage.aws.now() + Duration::from_secs(4);
    let text = until.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    play.commit("Thaw soon", &[(REPOSITORY, freeze(&text))]);
    play.until("everybody has them", |play| play.has_length(&["alpha", "beta", "gamma"], 15)).await;
    let log = play.log();
    let first = log.iter().skip(before).find(|entry| entry.is_mutating).unwrap();
    assert!(first.at.as_second() >= until.as_second(), "{first:?} {until}");
    play.end().await;
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_rollout_does_not_change_the_order() {
    let mut play = Play::begin(&in_waves("", "")).await;
    play.settled(&ALL).await;
    let before = play.log().len();
    let fault = Fault::new("ExecuteChangeSet", When::Nth(1), Trouble::HangAfter);
    play.stage.aws.add_fault(fault);
    play.commit(
        "Change both",
        &[(BASELINE, Some(baseline(15))), (ROLE, Some(another_role("SecurityAudit")))],
    );
    play.until("the call hangs", |play| play.log().iter().any(|entry| entry.outcome == "fault:hang")).await;
    play.kill();
    play.stage.aws.clear_faults();
    play.start();
    play.until("everybody has both", |play| {
        play.has_length(&ALL, 15) && ALL.iter().all(|slug| play.has_role(slug, "SecurityAudit"))
    })
    .await;
    play.in_order(before, "alpha", &["beta", "gamma"]);
    play.in_order(before, "beta", &["gamma"]);
    play.end().await;
}

#[tokio::test]
async fn apply_goes_wave_by_wave_within_one_run_and_stops_at_a_wave_that_is_watched() {
    let mut play = Play::begin(&in_waves("", ", soak: 1h")).await;
    play.until("alpha and beta are as declared", |play| play.is_kept("alpha") && play.is_kept("beta")).await;
    play.rest().await;
    play.stop().await;
    let before = play.log().len();
    play.commit("Longer passwords", &[(BASELINE, Some(baseline(15)))]);
    let daemon = play.stage.daemon(Progress::default(), None).await.unwrap();
    let bases = daemon.publisher.bases().await;
    let mut follow = daemon.follow;
    let News::Accepted(accepted) = follow.look().await.unwrap() else { panic!("it loads") };
    let mut sweep = Sweep::new(&daemon.world, &accepted, bases, 8);
    sweep.pass(daemon.hands.as_ref()).await;
    assert!(play.has_length(&["alpha", "beta"], 15));
    assert_eq!(play.written("gamma", before), []);
    play.in_order(before, "alpha", &["beta"]);
    let gamma = sweep.reports().find(|report| report.scope.to_string() == "accounts/gamma").unwrap();
    let waits: BTreeSet<_> = gamma.plan.blocked.iter().map(|it| it.because.as_str()).collect();
    assert!(waits.iter().all(|because| because.contains("waits until")), "{waits:?}");
}

/// What `validate` warns of: alpha, in the first wave, takes what gamma, in the last, makes.
#[tokio::test]
async fn an_output_of_a_later_wave_holds_both_waves_up_until_a_commit_puts_them_in_order() {
    let source = "Resources:\n  Topic: {Type: AWS::SNS::Topic}\nOutputs: {Arn: {Value: !Ref Topic}}\n";
    let taker = "Parameters: {Topic: {Type: String}}\nResources:\n  Note:\n    Type: AWS::SSM::Parameter\n    \
                 Properties: {Type: String, Value: !Ref Topic}\n";
    let output = "${{ accounts['gamma'].stacks['source'].outputs.Arn }}";
    let reading = format!(
        "stacks: {{taker: {{template: taker.template.yaml, parameters: {{Topic: \"{output}\"}}}}}}\n"
    );
    let play = Play::begin(&in_waves("", "")).await;
    play.settled(&ALL).await;
    play.commit(
        "Alpha takes a topic of gamma",
        &[
            (&files::path("alpha"), Some(files::account("alpha", &reading))),
            (
                &files::path("gamma"),
                Some(files::account("gamma", "stacks: {source: {template: source.template.yaml}}\n")),
            ),
            ("accounts/alpha/taker.template.yaml", Some(taker.to_owned())),
            ("accounts/gamma/source.template.yaml", Some(source.to_owned())),
        ],
    );
    play.looks(12).await;
    assert!(play.stack("alpha", "taker").is_none() && play.stack("gamma", "source").is_none());
    let waves = waves("", "").replace("[alpha]", "[gamma]");
    play.commit("Gamma first", &[(REPOSITORY, Some(waves))]);
    play.until("both are there", |play| play.has_stack("alpha", "taker")).await;
    play.end().await;
}
