//! Policies of the organization: made and attached once, put back or told of when somebody changes them by hand, and
//! never taken for ours because of their name.

use aws_sdk_organizations::Client;
use landfast::plan::Guards;
use landfast::sandbox::aws::{Fault, KnownPolicy, Trouble, When};
use serde_json::Value;

use super::brakes::{set, with_hold};
use super::files::{self, company, path};
use super::guards::vouching_for;
use super::{OBSERVED, Play};
use crate::sandbox_aws::{MANAGEMENT, inside_as};

const NAME: &str = "deny-leaving";
const FILE: &str = "organization/policies/service-control-policy/deny-leaving.json";
const ORGANIZATION: &str = "organization/organization.yaml";
const DENY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [{"Sid": "Stay", "Effect": "Deny", "Action": ["organizations:LeaveOrganization"], "Resource": "*"}]
}
"#;
const OTHER: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
/// What changes something of policies.
const WRITES: [&str; 7] = [
    "CreatePolicy",
    "UpdatePolicy",
    "DeletePolicy",
    "AttachPolicy",
    "DetachPolicy",
    "EnablePolicyType",
    "DisablePolicyType",
];

/// The organization's file with `policies` on /workloads, and more lines if the story needs them.
fn organization(names: &str, more: &str) -> String {
    let files = company(&[]);
    let text = files.iter().find(|(path, _)| path == ORGANIZATION).unwrap().1.clone();
    text.replace("workloads: {}", &format!("workloads: {{policies: [{names}]}}")) + more
}

/// A company with one policy, attached to its OU.
fn guarded(more: &str) -> Vec<(String, String)> {
    let mut files = company(&["alpha"]);
    files.retain(|(path, _)| path != ORGANIZATION);
    files.push((ORGANIZATION.to_owned(), organization(NAME, more)));
    files.push((FILE.to_owned(), DENY.to_owned()));
    files
}

impl Play {
    fn policy(&self) -> Option<KnownPolicy> {
        self.stage.aws.policy_named(NAME)
    }

    /// True when the policy says what the file says and is attached where git says.
    fn is_guarded(&self) -> bool {
        self.policy().is_some_and(|policy| {
            json(&policy.content) == json(DENY) && policy.targets.contains("/workloads")
        })
    }

    fn policy_writes(&self) -> Vec<String> {
        let all = self.writes().into_iter().map(|entry| entry.operation);
        all.filter(|operation| WRITES.contains(&operation.as_str())).collect()
    }

    /// alice's own session in the management account.
    async fn alice_at_the_top(&self) -> Client {
        self.stage.aws.add_access_role(MANAGEMENT, "BreakGlass");
        Client::new(&inside_as(&self.stage.aws, MANAGEMENT, "BreakGlass", "alice", "us-east-1").await)
    }

    async fn alice_opens_the_policy(&self) {
        let id = self.policy().unwrap().id;
        self.alice_at_the_top().await.update_policy().policy_id(id).content(OTHER).send().await.unwrap();
    }

    async fn alice_detaches_the_policy(&self) {
        let id = self.policy().unwrap().id;
        let target = self.stage.aws.ous()["/workloads"].clone();
        let call = self.alice_at_the_top().await.detach_policy().policy_id(id).target_id(target);
        call.send().await.unwrap();
    }

    fn organization_record(&self, folder: &str) -> String {
        let repository = git2::Repository::open_bare(&self.stage.remote).unwrap();
        let object = repository.revparse_single(&format!("{OBSERVED}:{folder}/organization.yaml")).unwrap();
        String::from_utf8(object.as_blob().unwrap().content().to_owned()).unwrap()
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_policy_is_made_and_attached_once_and_then_left_in_peace() {
    let play = Play::begin(&guarded("")).await;
    play.settled(&["alpha"]).await;
    play.until("the policy is there", Play::is_guarded).await;
    play.rest().await;
    let policy = play.policy().unwrap();
    assert_eq!(policy.tags.get("landfast:owner").map(String::as_str), Some("o-exampleorgid"));
    assert!(!policy.content.contains('\n') && policy.content.starts_with(r#"{"Version":"#), "{policy:?}");
    assert_eq!(policy.targets, ["/workloads".to_owned()].into());
    assert_eq!(
        play.policy_writes(),
        ["EnablePolicyType", "CreatePolicy", "AttachPolicy"],
        "{}",
        play.scene()
    );
    assert!(play.organization_record("base").contains(&policy.id), "the record knows it by its id");
    assert!(play.organization_record("live").contains("organizations:LeaveOrganization"));

    let spread =
        DENY.replace(r#"["organizations:LeaveOrganization"]"#, r#""organizations:LeaveOrganization""#);
    play.commit("The same in other words", &[(FILE, Some(spread))]);
    play.rest().await;
    assert_eq!(play.policy_writes().len(), 3, "{}", play.scene());
    play.end().await;
}

#[tokio::test]
async fn a_change_of_the_file_reaches_the_policy_and_nothing_else() {
    let play = Play::begin(&guarded("")).await;
    play.until("the policy is there", Play::is_guarded).await;
    play.rest().await;
    let id = play.policy().unwrap().id;
    let more = DENY.replace("organizations:LeaveOrganization", "account:CloseAccount");
    play.commit("Nobody closes an account", &[(FILE, Some(more.clone()))]);
    play.until("it says so", |play| play.policy().is_some_and(|it| json(&it.content) == json(&more))).await;
    play.rest().await;
    assert_eq!(play.policy().unwrap().id, id);
    assert_eq!(play.policy_writes()[3..], ["UpdatePolicy"]);
    play.end().await;
}

#[tokio::test]
async fn what_alice_makes_of_a_policy_is_told_with_her_name_and_not_touched() {
    let play = Play::begin(&guarded("")).await;
    play.until("the policy is there", Play::is_guarded).await;
    play.rest().await;
    play.alice_opens_the_policy().await;
    play.alice_detaches_the_policy().await;
    let body =
        |play: &Play| play.open_issue("drift", "organization").map(|issue| issue.body).unwrap_or_default();
    let is_named = |play: &Play| {
        let body = body(play);
        body.contains("/alice") && body.contains("UpdatePolicy") && body.contains("DetachPolicy")
    };
    play.until("alice is named for both", is_named).await;
    play.rest().await;
    let body = body(&play);
    assert!(
        body.contains("LeaveOrganization") && body.contains("policies.deny-leaving.targets./workloads"),
        "{body}"
    );
    let issue = play.open_issue("drift", "organization").unwrap();
    assert!(issue.labels.iter().any(|label| label == "landfast/high"), "{:?}", issue.labels);
    assert_eq!(play.policy_writes().len(), 3, "mode report puts nothing back");
    let policy = play.policy().unwrap();
    assert!(policy.content == OTHER && policy.targets.is_empty(), "{policy:?}");
    play.end().await;
}

#[tokio::test]
async fn enforce_puts_a_policy_back_and_attaches_it_again() {
    let mut files = guarded("");
    files.push(("landfast.yaml".to_owned(), "mode: enforce\n".to_owned()));
    let play = Play::begin(&files).await;
    play.until("the policy is there", Play::is_guarded).await;
    play.rest().await;
    play.alice_opens_the_policy().await;
    play.until("it is as it was", Play::is_guarded).await;
    play.rest().await;
    play.alice_detaches_the_policy().await;
    play.until("it is attached again", Play::is_guarded).await;
    play.rest().await;
    assert_eq!(play.policy_writes()[3..], ["UpdatePolicy", "AttachPolicy"]);
    play.end().await;
}

#[tokio::test]
async fn a_policy_of_the_same_name_is_nobodys_until_adopt_names_it() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    play.stage.aws.enable_policy_type("SERVICE_CONTROL_POLICY");
    let id = play.stage.aws.add_policy("SERVICE_CONTROL_POLICY", NAME, OTHER, &[]);
    let declared = [(ORGANIZATION, Some(organization(NAME, ""))), (FILE, Some(DENY.to_owned()))];
    play.commit("A policy", &declared);
    let is_told = |play: &Play| {
        play.open_issue("first-contact", "organization")
            .is_some_and(|issue| issue.body.contains("policies.deny-leaving"))
    };
    play.until("it is found", is_told).await;
    play.rest().await;
    let body = play.open_issue("first-contact", "organization").unwrap().body;
    assert!(body.contains("# organization/organization.yaml") && body.contains("adopt:"), "{body}");
    assert_eq!(play.policy_writes(), [""; 0], "{}", play.scene());
    let policy = play.policy().unwrap();
    assert!(policy.content == OTHER && policy.targets.is_empty(), "{policy:?}");

    let adopting = organization(NAME, "adopt: [policies.deny-leaving]\n");
    play.commit("Adopt it", &[(ORGANIZATION, Some(adopting))]);
    play.until("it is ours", Play::is_guarded).await;
    play.rest().await;
    assert_eq!(play.policy().unwrap().id, id);
    assert_eq!(play.policy_writes(), ["UpdatePolicy", "AttachPolicy"]);
    play.end().await;
}

#[tokio::test]
async fn another_policy_in_the_place_of_ours_is_not_changed() {
    let mut play = Play::begin(&guarded("")).await;
    play.until("the policy is there", Play::is_guarded).await;
    play.rest().await;
    play.stop().await;
    let alice = play.alice_at_the_top().await;
    play.alice_detaches_the_policy().await;
    alice.delete_policy().policy_id(play.policy().unwrap().id).send().await.unwrap();
    play.stage.aws.add_policy("SERVICE_CONTROL_POLICY", NAME, DENY, &[]);
    let more = DENY.replace("organizations:LeaveOrganization", "account:CloseAccount");
    play.commit("Nobody closes an account", &[(FILE, Some(more))]);
    play.start();
    let is_told = |play: &Play| {
        play.stage.github.issues().iter().any(|issue| issue.body.contains("does not bear our tag"))
    };
    play.until("it is told", is_told).await;
    play.rest().await;
    assert_eq!(json(&play.policy().unwrap().content), json(DENY));
    assert!(!play.policy_writes().contains(&"UpdatePolicy".to_owned()));
    play.end().await;
}

#[tokio::test]
async fn a_lost_answer_to_create_policy_makes_no_second_one() {
    for trouble in [Trouble::ErrorAfter(500), Trouble::DropAfter, Trouble::ErrorBefore(500)] {
        let mut play = Play::set(super::scenery(), &guarded("")).await;
        let is_before = matches!(trouble, Trouble::ErrorBefore(_));
        play.stage.aws.add_fault(Fault::new("CreatePolicy", When::Next(1), trouble));
        play.start();
        play.until("the policy is there", Play::is_guarded).await;
        play.rest().await;
        assert_eq!(play.calls("CreatePolicy").len(), if is_before { 2 } else { 1 }, "{}", play.scene());
        let all = play.stage.aws.policies().into_iter().filter(|policy| policy.name == NAME);
        assert_eq!(all.count(), 1);
        play.end().await;
    }
}

#[tokio::test]
async fn policies_that_cannot_be_listed_are_a_gap_and_change_nothing() {
    for operation in ["ListPolicies", "DescribePolicy", "ListTargetsForPolicy"] {
        let play = Play::begin(&guarded("onLeave: remove\n")).await;
        play.until("the policy is there", Play::is_guarded).await;
        play.rest().await;
        let writes = play.policy_writes().len();
        play.stage.aws.add_fault(Fault::new(operation, When::Every, Trouble::ErrorBefore(500)));
        play.commit(
            "Nothing is attached any more",
            &[(ORGANIZATION, Some(organization("", "onLeave: remove\n")))],
        );
        play.looks(9).await;
        assert!(play.is_guarded(), "{operation}");
        assert_eq!(play.policy_writes().len(), writes, "{operation}\n{}", play.scene());
        play.stage.aws.clear_faults();
        play.until("it is detached", |play| play.policy().is_some_and(|it| it.targets.is_empty())).await;
        play.end().await;
    }
}

#[tokio::test]
async fn what_is_no_longer_declared_is_kept_and_told() {
    let play = Play::begin(&guarded("")).await;
    play.until("the policy is there", Play::is_guarded).await;
    play.rest().await;
    let writes = play.policy_writes().len();
    play.commit("No policy", &[(ORGANIZATION, Some(organization("", ""))), (FILE, None)]);
    let is_told = |play: &Play| {
        play.open_issue("attention", "organization").is_some_and(|issue| {
            issue.body.contains("policies.deny-leaving") && issue.body.contains("no longer declared")
        })
    };
    play.until("it is told", is_told).await;
    play.rest().await;
    assert!(play.is_guarded());
    assert_eq!(play.policy_writes().len(), writes);
    play.end().await;
}

#[tokio::test]
async fn what_is_to_be_removed_is_detached_after_what_takes_its_place_and_deleted_last() {
    let play = Play::begin(&guarded("onLeave: remove\n")).await;
    play.until("the policy is there", Play::is_guarded).await;
    play.rest().await;
    let next = "organization/policies/service-control-policy/stay-here.json";
    play.commit(
        "Another policy",
        &[
            (ORGANIZATION, Some(organization("stay-here", "onLeave: remove\n"))),
            (FILE, None),
            (next, Some(DENY.to_owned())),
        ],
    );
    play.until("the old one is gone", |play| play.policy().is_none()).await;
    play.rest().await;
    let kept = play.stage.aws.policy_named("stay-here").unwrap();
    assert_eq!(kept.targets, ["/workloads".to_owned()].into());
    assert_eq!(play.policy_writes()[3..], ["CreatePolicy", "AttachPolicy", "DetachPolicy", "DeletePolicy"]);
    play.end().await;
}

#[tokio::test]
async fn a_hold_and_a_freeze_hold_policies_too() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let root = play.stage.aws.root_id();
    set(&play, &root, &with_hold([]));
    let frozen = "freeze:\n- {from: 2020-01-01, until: 2099-12-31, reason: the shop is full}\n";
    let declared = [(ORGANIZATION, Some(organization(NAME, ""))), (FILE, Some(DENY.to_owned()))];
    play.commit("A policy", &declared);
    play.looks(9).await;
    assert_eq!(play.policy_writes(), [""; 0]);

    play.commit("A freeze", &[("landfast.yaml", Some(frozen.to_owned()))]);
    play.looks(3).await;
    set(&play, &root, &[]);
    play.looks(9).await;
    assert_eq!(play.policy_writes(), [""; 0], "{}", play.scene());

    play.commit("No freeze", &[("landfast.yaml", None)]);
    play.until("the policy is there", Play::is_guarded).await;
    play.end().await;
}

#[tokio::test]
async fn an_account_on_hold_gets_no_policy_and_an_account_without_folder_keeps_its_own() {
    let mut files = guarded("onLeave: remove\n");
    files.retain(|(file, _)| *file != path("alpha"));
    files.push((path("alpha"), files::account("alpha", "policies: [deny-leaving]\n")));
    files.push((path("beta"), files::account("beta", "")));
    let play = Play::begin(&files).await;
    play.settled(&["alpha", "beta"]).await;
    let (alpha, beta) = (play.id("alpha"), play.account("beta").unwrap());
    let is_on = |play: &Play, id: &str| play.policy().is_some_and(|policy| policy.targets.contains(id));
    play.until("alpha has it", |play| is_on(play, &alpha)).await;
    set(&play, &beta.id, &with_hold(beta.tags.clone()));
    play.commit("beta too", &[(&path("beta"), Some(files::account("beta", "policies: [deny-leaving]\n")))]);
    play.looks(9).await;
    assert!(!is_on(&play, &beta.id), "{}", play.scene());
    set(&play, &beta.id, &beta.tags.into_iter().collect::<Vec<_>>());
    play.until("beta has it", |play| is_on(play, &beta.id)).await;
    play.rest().await;

    play.commit("alpha without a folder", &[(&path("alpha"), None)]);
    play.rest().await;
    assert!(is_on(&play, &alpha), "{}", play.scene());
    play.end().await;
}

#[tokio::test]
async fn a_commit_that_drops_more_policies_than_allowed_is_not_followed() {
    let mut play = Play::begin(&guarded("onLeave: remove\n")).await;
    play.until("the policy is there", Play::is_guarded).await;
    play.rest().await;
    let writes = play.policy_writes().len();
    play.restarted_with(Guards { removals_per_commit: 1, ..Guards::default() }).await;
    play.rest().await;
    let gone = play
        .commit("No policy", &[(ORGANIZATION, Some(organization("", "onLeave: remove\n"))), (FILE, None)]);
    play.until("it is told", |play| play.open_issue("halted", "").is_some()).await;
    let body = play.open_issue("halted", "").unwrap().body;
    assert!(
        body.contains("removals-per-commit") && body.contains("2 of the organization's policies"),
        "{body}"
    );
    play.rest().await;
    assert!(play.is_guarded() && play.policy_writes().len() == writes, "{}", play.scene());
    play.restarted_with(vouching_for(&gone)).await;
    play.until("it is gone", |play| play.policy().is_none()).await;
    play.end().await;
}

#[tokio::test]
async fn awss_own_policy_can_be_declared_and_is_left_where_it_is() {
    let mut files = guarded("");
    files.retain(|(path, _)| path != ORGANIZATION);
    files.push((
        ORGANIZATION.to_owned(),
        organization(&format!("FullAWSAccess, {NAME}"), "onLeave: remove\n"),
    ));
    let play = Play::begin(&files).await;
    play.until("the policy is there", Play::is_guarded).await;
    play.rest().await;
    assert_eq!(
        play.policy_writes(),
        ["EnablePolicyType", "CreatePolicy", "AttachPolicy"],
        "{}",
        play.scene()
    );
    play.commit("Without", &[(ORGANIZATION, Some(organization(NAME, "onLeave: remove\n")))]);
    play.rest().await;
    assert_eq!(play.policy_writes().len(), 3);
    let full = play.stage.aws.policy_named("FullAWSAccess").unwrap();
    assert!(full.targets.contains("/workloads"), "{full:?}");
    play.end().await;
}

#[tokio::test]
async fn what_aws_does_not_take_is_told_with_its_words_and_does_not_stop_the_rest() {
    let mut files = guarded("");
    files.retain(|(path, _)| path != FILE && path != ORGANIZATION);
    files.push((FILE.to_owned(), r#"{"Statement": "none"}"#.to_owned()));
    files.push((ORGANIZATION.to_owned(), organization(&format!("{NAME}, stay-here"), "")));
    files.push(("organization/policies/service-control-policy/stay-here.json".to_owned(), DENY.to_owned()));
    let play = Play::begin(&files).await;
    let is_told = |play: &Play| {
        play.stage.github.issues().iter().any(|it| it.is_open && it.body.contains("correct the file"))
    };
    play.until("it is told", is_told).await;
    let is_on = |play: &Play| {
        play.stage.aws.policy_named("stay-here").is_some_and(|it| it.targets.contains("/workloads"))
    };
    play.until("the other one is attached", is_on).await;
    play.looks(9).await;
    assert!(play.policy().is_none());
    play.commit("As AWS takes it", &[(FILE, Some(DENY.to_owned()))]);
    play.until("the policy is there", Play::is_guarded).await;
    play.end().await;
}
