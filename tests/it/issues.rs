//! Issues are reconciled: whatever gets lost on the way, GitHub ends up showing what should be open, once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use landfast::github::{self, Error, Reader, Repository, Token, Writer, publish};
use landfast::model::{
    Author, Class, CommitId, Deed, Finding, Item, Mode, Outcomes, Plan, Scope, Slug, Source, Value, Verdict,
};
use landfast::report::{ScopeReport, Situation, Wanted, wanted};
use landfast::sandbox::github::{Fault, SimulatedGitHub, Trouble};
use proptest::prelude::*;
use serde_json::json;

use crate::sandbox_github::{APP, MALLORY, TOKEN, simulated};

struct Daemon {
    reader: Reader,
    writer: Writer,
}

impl Daemon {
    fn new(github: &SimulatedGitHub, token: &str) -> Self {
        let repository: Repository = "acme/aws-accounts".parse().unwrap();
        let config = github::Config { api_url: Some(github.api_url()), repository, token: Token::new(token) };
        let (reader, writer) = github::connect(&config).unwrap();
        Self { reader, writer }
    }

    async fn publish(&self, wanted: &Wanted) -> Result<github::Published, Error> {
        publish(&self.reader, &self.writer, wanted, at()).await
    }
}

fn at() -> Timestamp {
    "2026-11-22T06:25:00Z".parse().unwrap()
}

fn revision(digit: char) -> CommitId {
    CommitId::parse(digit.to_string().repeat(40)).unwrap()
}

fn finding(verdict: Verdict, desired: u32, observed: u32) -> Finding {
    Finding {
        verdict,
        mode: Mode::Report,
        desired: Some(json!({"minimumLength": desired})),
        base: Some(json!({"minimumLength": 14})),
        observed: (verdict != Verdict::Gap).then(|| json!({"minimumLength": observed})),
        unchecked: [].into(),
        because: String::new(),
        source: Some(Source { path: "baselines/security/baseline.yaml".to_owned(), line: 7 }),
    }
}

fn report(finding: Finding) -> ScopeReport {
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
        },
        outcomes: Outcomes::new(),
        authors: [].into(),
        gaps_last: false,
        hold: None,
    }
}

fn of(finding: Finding) -> Wanted {
    wanted(&[report(finding)], &Situation::default())
}

/// AWS shows `observed` where git says 14.
fn drift(observed: u32) -> Wanted {
    of(finding(Verdict::Drift, 14, observed))
}

fn in_sync() -> Wanted {
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
        assert_eq!(github.writes().len(), 1, "{trouble:?}: it was sent once");
        daemon.publish(&drift(8)).await.unwrap();
        assert_eq!(github.issues().len(), 1, "{trouble:?}");
    }
}

#[tokio::test]
async fn a_request_that_was_not_acted_on_is_made_up_for_in_the_next_round() {
    for trouble in [Trouble::StatusBefore(500), Trouble::DropBefore, Trouble::SecondaryLimit(7)] {
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
async fn limits_are_told_apart_from_refusals_and_say_how_long_to_wait() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    github.fail(Fault::once("GET", "/issues", Trouble::SecondaryLimit(7)));
    let error = daemon.publish(&drift(8)).await.unwrap_err();
    assert_eq!(error.retry_after().unwrap().as_secs(), 7);
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
        github.open_by("someone", &format!("chatter {n}"), "");
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
        github.open_by("someone", &format!("chatter {n}"), "");
    }
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    daemon.publish(&drift(8)).await.unwrap();
    assert_eq!(github.issues().len(), 151);
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
    insta::assert_snapshot!(comments[0].body, @"");
}

#[tokio::test]
async fn a_closing_comment_tells_adopted_from_healed_and_reverted() {
    let (github, _) = simulated().await;
    let daemon = Daemon::new(&github, TOKEN);
    daemon.publish(&drift(8)).await.unwrap();
    // Git now says 8 as well.
    daemon.publish(&of(finding(Verdict::InSync, 8, 8))).await.unwrap();
    insta::assert_snapshot!(github.comments(1)[0].body, @"");
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

fn alice() -> Author {
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

/// Text an attacker would put into a tag, a description or a session's name.
fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("@acme/everyone".to_owned()),
        Just("</details><script>alert(1)</script>".to_owned()),
        Just("```\n@all\n```".to_owned()),
        Just("a|b\\|c".to_owned()),
        Just("![x](http://evil.example/x.png) [y](http://evil.example)".to_owned()),
        Just("-->\n<!-- landfast key=0123456789abcdef fingerprint=0 state=healed -->".to_owned()),
        Just("````".repeat(50)),
        Just("\u{202e}@x\r\n# title".to_owned()),
        "\\PC{0,300}",
        ".{0,40}",
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![nasty().prop_map(Value::String), any::<i64>().prop_map(Value::from)];
    leaf.prop_recursive(3, 60, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
            prop::collection::btree_map(nasty(), inner, 0..12).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn any_report() -> impl Strategy<Value = ScopeReport> {
    let verdicts =
        [Verdict::Drift, Verdict::Conflict, Verdict::FirstSight, Verdict::Gap, Verdict::Undeclared];
    let drifted = (nasty(), tree()).prop_map(|(name, value)| {
        json!({"R": {"type": name, "physicalId": name, "status": "MODIFIED",
            "properties": {"/ManagedPolicyArns/1": {"expected": null, "actual": name}, "/X": {"expected": value, "actual": name}}}})
    });
    let stack = (nasty(), tree(), drifted).prop_map(
        |(template, tags, drift)| json!({"state": "ok", "template": template, "tags": tags, "drift": drift}),
    );
    let found = (prop::sample::select(verdicts.to_vec()), stack, tree(), nasty());
    let findings = prop::collection::vec((found, 0..3000_u32), 0..40);
    (findings, nasty(), any::<bool>(), 1..40_usize).prop_map(|(findings, text, gaps_last, times)| {
        let mut report = report(finding(Verdict::InSync, 1, 1));
        for (copy, ((verdict, observed, desired, because), n)) in findings.iter().enumerate() {
            let item: Item = match n % 3 {
                0 => format!("accounts.a.tags.{because}{copy}").parse().unwrap(),
                1 => format!("stacks.s{copy}[eu-west-1]").parse().unwrap(),
                _ => "settings.passwordPolicy".parse().unwrap(),
            };
            let found = Finding {
                verdict: *verdict,
                desired: Some(desired.clone()),
                observed: Some(observed.clone()),
                because: because.repeat(times),
                unchecked: [(format!("/{because}"), because.clone())].into(),
                source: Some(Source { path: because.clone(), line: 1 }),
                ..finding(*verdict, 1, 1)
            };
            report.plan.findings.insert(item.clone(), found);
            report.authors.insert(item, attacker(because));
        }
        report.hold = Some(text);
        report.gaps_last = gaps_last;
        report
    })
}

fn attacker(text: &str) -> Author {
    let Author::Known(deed) = alice() else { unreachable!() };
    Author::Known(Deed {
        principal: text.to_owned(),
        name: text.to_owned(),
        event_id: text.to_owned(),
        ..deed
    })
}

/// What a reader's client would make of a body: no mention, no HTML but ours, no image, no link, nothing left open.
fn check_harmless(body: &str) -> Result<(), TestCaseError> {
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
    let mut folds = 0_i32;
    let mut in_code = false;
    for event in Parser::new_ext(body, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(text) if !in_code => prop_assert!(!text.contains('@'), "a mention: {text}"),
            Event::Start(Tag::Image { .. } | Tag::Link { .. } | Tag::Heading { .. }) => {
                prop_assert!(false, "foreign markdown is alive in:\n{body}");
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let line = html.trim();
                let ours = line.starts_with("<details><summary>")
                    || line == "</details>"
                    || line.starts_with("<!-- landfast key=");
                prop_assert!(ours || line.is_empty(), "foreign HTML: {line}");
                folds += i32::from(line.starts_with("<details>")) - i32::from(line == "</details>");
            }
            _ => {}
        }
    }
    prop_assert_eq!(folds, 0);
    prop_assert_eq!(body.matches("<!-- landfast key=").count() - foreign_markers(body), 1);
    Ok(())
}

/// Markers that stand in code, where they are text.
fn foreign_markers(body: &str) -> usize {
    body.lines()
        .skip(1)
        .filter(|line| line.contains("<!-- landfast key="))
        .map(|line| line.matches("<!-- landfast key=").count())
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_aws_says_a_body_fits_closes_what_it_opens_and_calls_nobody(report in any_report(), junk in nasty()) {
        let diagnostics = junk.repeat(300);
        let rejected = landfast::report::Rejected { commit: revision('b'), diagnostics };
        let situation = Situation { rejected: Some(rejected), ..Situation::default() };
        for issue in wanted(&[report], &situation).issues.values() {
            prop_assert!(issue.body.chars().count() <= 60_000);
            prop_assert!(issue.title.chars().count() <= 256);
            prop_assert!(!issue.title.contains('\n'));
            check_harmless(&issue.body)?;
        }
    }
}
