//! What git no longer declares: it is kept and told, or removed where its last word was to remove it, under the guards.

use landfast::git::bare;
use landfast::plan::Guards;

use super::files::{self, BASELINE, company, path};
use super::{OBSERVED, Play};

/// The usual baseline, with more lines at its stack and its password policy, and with other targets.
fn baseline(targets: &str, on_leave: &str) -> String {
    format!(
        "targets: {targets}\n{on_leave}\
         settings:\n  passwordPolicy: {{minimumLength: 14, requireSymbols: true}}\n\
         stacks:\n  role: {{template: role.template.yaml, capabilities: [CAPABILITY_NAMED_IAM]}}\n"
    )
}

const ALL: &str = "{ous: [\"/**\"]}";
const NOT_ALPHA: &str = "{ous: [\"/**\"], exclude: {alpha: OPS-1}}";
const REMOVE: &str = "onLeave: remove\n";

/// A company in which the baseline's things are removed when they leave.
fn leaving(slugs: &[&str]) -> Vec<(String, String)> {
    let mut files = company(slugs);
    files.retain(|(name, _)| name != BASELINE);
    files.push((BASELINE.to_owned(), baseline(ALL, REMOVE)));
    files
}

impl Play {
    /// Calls of Landfast's that remove something.
    fn removals(&self) -> Vec<String> {
        let writes = self.writes();
        let removes = writes
            .iter()
            .filter(|entry| entry.operation.starts_with("Delete") && entry.operation != "DeleteChangeSet");
        removes.map(|entry| format!("{} {}", entry.account, entry.operation)).collect()
    }

    fn attention(&self, slug: &str) -> Option<String> {
        self.open_issue("attention", &format!("accounts/{slug}")).map(|issue| issue.body)
    }

    async fn told(&self, slug: &str, words: &str) -> String {
        let is_told = |play: &Self| play.attention(slug).is_some_and(|body| body.contains(words));
        self.until(&format!("it is told that {words}"), is_told).await;
        self.attention(slug).unwrap()
    }
}

#[tokio::test]
async fn what_an_exclusion_leaves_behind_is_kept_and_told_with_what_is_in_it() {
    let mut play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    play.commit("Exempt alpha", &[(BASELINE, Some(baseline(NOT_ALPHA, "")))]);
    let body = play.told("alpha", "no longer declared").await;
    for words in [BASELINE, "`Role` (`AWS::IAM::Role`)", "  role: absent", "settings.passwordPolicy"] {
        assert!(body.contains(words), "{words}\n{body}");
    }
    play.rest().await;
    assert!(play.removals().is_empty() && play.is_kept("alpha") && play.attention("beta").is_none());

    play.commit("Take it back", &[(BASELINE, Some(baseline(ALL, "")))]);
    play.until("it is over", |play| play.attention("alpha").is_none()).await;
    play.stop().await;
    play.start();
    play.end().await;
}

#[tokio::test]
async fn what_was_to_be_removed_when_it_leaves_is_removed_and_nothing_else() {
    let mut play = Play::begin(&leaving(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    // What is remembered is in git: the process that saw it declared is gone.
    play.stop().await;
    play.commit("Exempt alpha", &[(BASELINE, Some(baseline(NOT_ALPHA, REMOVE)))]);
    play.start();
    play.until("it is gone", |play| {
        !play.has_stack("alpha", "role") && play.password_length("alpha").is_none()
    })
    .await;
    play.rest().await;
    let alpha = play.id("alpha");
    let mut removals = play.removals();
    removals.sort();
    assert_eq!(removals, [format!("{alpha} DeleteAccountPasswordPolicy"), format!("{alpha} DeleteStack")]);
    assert!(play.stage.aws.roles(&alpha).get(files::ROLE).is_none(), "the role went with its stack");
    assert!(play.is_kept("beta") && play.attention("alpha").is_none());
    play.end().await;
}

#[tokio::test]
async fn with_the_record_lost_nothing_is_removed() {
    let mut play = Play::begin(&leaving(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    play.stop().await;
    bare::delete_branch(&play.stage.remote, OBSERVED).unwrap();
    play.commit("Exempt alpha", &[(BASELINE, Some(baseline(NOT_ALPHA, REMOVE)))]);
    play.start();
    play.rest().await;
    assert!(play.removals().is_empty() && play.is_kept("alpha"));
    play.end().await;
}

#[tokio::test]
async fn what_somebody_changed_since_is_not_removed() {
    let mut play = Play::begin(&leaving(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    play.stop().await;
    play.alice_sets_password_length("alpha", 8).await;
    play.commit("Exempt alpha", &[(BASELINE, Some(baseline(NOT_ALPHA, REMOVE)))]);
    play.start();
    play.told("alpha", "it was changed since git and AWS last agreed").await;
    play.until("the stack is gone", |play| !play.has_stack("alpha", "role")).await;
    play.rest().await;
    assert_eq!(play.password_length("alpha"), Some(8));
    play.end().await;
}

#[tokio::test]
async fn more_than_an_account_may_lose_is_kept_until_an_operator_vouches() {
    let mut play = Play::begin(&leaving(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    play.stop().await;
    play.stage.guard(Guards { removals_per_account: 1, ..Guards::default() });
    let commit = play.commit("Exempt alpha", &[(BASELINE, Some(baseline(NOT_ALPHA, REMOVE)))]);
    play.start();
    let body = play.told("alpha", "removals-per-account").await;
    assert!(body.contains(&format!("--approve {commit}")), "{body}");
    play.rest().await;
    assert!(play.removals().is_empty());
    play.stop().await;
    play.stage.guard(Guards { removals_per_account: 1, approved: [commit].into(), ..Guards::default() });
    play.start();
    play.until("it is gone", |play| {
        !play.has_stack("alpha", "role") && play.password_length("alpha").is_none()
    })
    .await;
    play.end().await;
}

#[tokio::test]
async fn a_deletion_that_fails_is_told_with_its_cause_and_not_tried_again() {
    let play = Play::begin(&leaving(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let why = "Cannot delete entity, must detach all policies first.";
    play.stage.aws.fail_resource(&play.id("alpha"), super::HOME, "deletion of Role", why);
    play.commit("Exempt alpha", &[(BASELINE, Some(baseline(NOT_ALPHA, REMOVE)))]);
    play.told("alpha", "DELETE_FAILED").await;
    play.rest().await;
    assert_eq!(play.calls("DeleteStack").len(), 1);
    assert_eq!(play.stack("alpha", "role").unwrap().status, "DELETE_FAILED");
    play.end().await;
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost_ends_as_one_that_is_not() {
    let mut play = Play::begin(&leaving(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    play.commit("Exempt alpha", &[(BASELINE, Some(baseline(NOT_ALPHA, REMOVE)))]);
    play.until("it is being deleted", |play| !play.calls("DeleteStack").is_empty()).await;
    play.kill();
    play.start();
    play.until("it is gone", |play| {
        !play.has_stack("alpha", "role") && play.password_length("alpha").is_none()
    })
    .await;
    play.rest().await;
    assert!(play.attention("alpha").is_none());
    play.end().await;
}

#[tokio::test]
async fn what_holds_data_is_not_removed_until_an_operator_vouches_for_the_commit() {
    let bucket = "Resources:\n  Data: {Type: AWS::S3::Bucket}\n".to_owned();
    let mut files = company(&["alpha"]);
    files.retain(|(name, _)| *name != path("alpha"));
    let more = "stacks:\n  data: {template: data.template.yaml, onLeave: remove}\n";
    files.push((path("alpha"), files::account("alpha", more)));
    files.push(("accounts/alpha/data.template.yaml".to_owned(), bucket));
    let mut play = Play::begin(&files).await;
    play.until("the bucket is there", |play| play.has_stack("alpha", "data")).await;
    play.settled(&["alpha"]).await;
    let commit = play.commit("No data", &[(&path("alpha"), Some(files::account("alpha", "")))]);
    let body = play.told("alpha", "Data (AWS::S3::Bucket) would be deleted").await;
    assert!(body.contains(&format!("--approve {commit}")), "{body}");
    play.rest().await;
    assert!(play.removals().is_empty());
    play.stop().await;
    play.stage.guard(Guards { approved: [commit].into(), ..Guards::default() });
    play.start();
    play.until("it is gone", |play| !play.has_stack("alpha", "data")).await;
    play.end().await;
}

#[tokio::test]
async fn what_must_not_be_there_goes_where_it_was_ours_and_is_only_told_where_it_was_not() {
    let play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    let absent = "stacks: {role: absent}\nsettings: {accountAlias: absent}\n";
    let session = play.session("beta", "alice").await;
    let iam = aws_sdk_iam::Client::new(&session);
    iam.create_account_alias().account_alias("acme-beta").send().await.unwrap();
    let both =
        [(path("alpha"), files::account("alpha", absent)), (path("beta"), files::account("beta", absent))];
    let files: Vec<_> = both.iter().map(|(path, text)| (path.as_str(), Some(text.clone()))).collect();
    play.commit("No role", &files);
    play.until("both are gone", |play| !play.has_stack("alpha", "role") && !play.has_stack("beta", "role"))
        .await;
    play.until("the alias is told", |play| play.open_issue("first-contact", "accounts/beta").is_some()).await;
    play.rest().await;
    assert_eq!(play.removals().len(), 2);
    assert_eq!(play.calls("DeleteAccountAlias").len(), 0);
    let adopting = files::account("beta", &format!("{absent}adopt: [settings.accountAlias]\n"));
    play.commit("Not this alias", &[(&path("beta"), Some(adopting))]);
    play.until("it is gone", |play| play.calls("DeleteAccountAlias").len() == 1).await;
    play.end().await;
}

#[tokio::test]
async fn a_stack_under_termination_protection_is_left_and_told() {
    let play = Play::begin(&leaving(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let session = play.session("alpha", "alice").await;
    let cloudformation = aws_sdk_cloudformation::Client::new(&session);
    let protect = cloudformation.update_termination_protection().stack_name("role");
    protect.enable_termination_protection(true).send().await.unwrap();
    play.commit("Exempt alpha", &[(BASELINE, Some(baseline(NOT_ALPHA, REMOVE)))]);
    play.told("alpha", "termination protection").await;
    play.rest().await;
    assert_eq!((play.calls("DeleteStack").len(), play.has_stack("alpha", "role")), (0, true));
    play.end().await;
}

#[tokio::test]
async fn a_folder_that_goes_leaves_its_account_and_everything_in_it_whatever_was_to_be_removed() {
    let play = Play::begin(&leaving(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    let writes = play.writes().len();
    play.commit("No alpha", &[(&path("alpha"), None)]);
    play.until("it is told", |play| play.open_issue("attention", "organization").is_some()).await;
    let body = play.open_issue("attention", "organization").unwrap().body;
    assert!(body.contains("accounts.alpha") && body.contains("with everything in it as it is"), "{body}");
    play.rest().await;
    assert!(play.writes().len() == writes && play.is_kept("alpha"));
    play.end().await;
}
