//! What git no longer declares: it is kept and told, or removed where its last word was to remove it, under the guards.

use landfast::git::bare;
use landfast::plan::Guards;
use landfast::sandbox::aws::{Fault, Trouble, When};

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
    assert!(!play.stage.aws.roles(&alpha).contains_key(files::ROLE), "the role went with its stack");
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
    play.until("nothing is left to tell", |play| play.attention("alpha").is_none()).await;
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
    play.until("nothing is left to tell", |play| play.attention("alpha").is_none()).await;
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
async fn a_password_policy_that_must_not_be_there_goes_and_leaves_nothing_to_tell() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let absent = files::account("alpha", "settings: {passwordPolicy: absent}\n");
    play.commit("No policy in alpha", &[(&path("alpha"), Some(absent))]);
    play.until("it is gone", |play| play.password_length("alpha").is_none()).await;
    play.rest().await;
    assert_eq!(play.open_issues(), [], "no key of it stays");
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

/// A company whose baseline is for production only, and removes what leaves it.
fn by_target(targets: &str) -> Vec<(String, String)> {
    let mut files = leaving(&["alpha", "beta"]);
    for (path, text) in &mut files {
        if path == BASELINE {
            *text = baseline(targets, REMOVE);
        }
    }
    files
}

#[tokio::test]
async fn an_account_that_moves_or_changes_its_tag_loses_what_no_longer_reaches_it() {
    let play = Play::begin(&by_target("{ous: [/workloads], tags: {owner: alpha}}")).await;
    play.until("alpha has its role", |play| play.has_stack("alpha", "role")).await;
    play.rest().await;
    let moved = files::account("alpha", "").replace("ou: /workloads", "ou: /special");
    play.commit("Move alpha", &[(&path("alpha"), Some(moved))]);
    play.until("it moved and lost the role", |play| {
        play.account("alpha").is_some_and(|account| account.ou == "/special")
            && !play.has_stack("alpha", "role")
    })
    .await;
    play.commit("Move alpha back", &[(&path("alpha"), Some(files::account("alpha", "")))]);
    play.until("it has the role again", |play| play.has_stack("alpha", "role")).await;
    play.rest().await;
    let tagged = files::account("alpha", "").replace("owner: alpha", "owner: nobody");
    play.commit("Another owner", &[(&path("alpha"), Some(tagged))]);
    play.until("it lost the role", |play| !play.has_stack("alpha", "role")).await;
    play.end().await;
}

#[tokio::test]
async fn a_commit_that_is_reverted_takes_back_what_it_made() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let more = "onLeave: remove\nstacks:\n  logs: {template: logs.template.yaml}\n";
    let template = "Resources:\n  Topic: {Type: AWS::SNS::Topic}\n".to_owned();
    play.commit(
        "A topic",
        &[
            (&path("alpha"), Some(files::account("alpha", more))),
            ("accounts/alpha/logs.template.yaml", Some(template)),
        ],
    );
    play.until("it is there", |play| play.has_stack("alpha", "logs")).await;
    play.rest().await;
    play.commit(
        "Revert \"A topic\"",
        &[(&path("alpha"), Some(files::account("alpha", ""))), ("accounts/alpha/logs.template.yaml", None)],
    );
    play.until("it is gone", |play| !play.has_stack("alpha", "logs")).await;
    play.rest().await;
    assert!(play.removals().len() == 1 && play.is_kept("alpha"));
    play.end().await;
}

#[tokio::test]
async fn what_others_need_goes_last_and_an_export_in_use_keeps_its_stack_until_it_is_free() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let stacks = "onLeave: remove\nstacks:\n  a-net: {template: net.template.yaml}\n  \
                  b-app: {template: app.template.yaml, needs: [a-net]}\n";
    let net = "Resources:\n  Topic: {Type: AWS::SNS::Topic}\nOutputs:\n  Arn: {Value: !Ref Topic, Export: {Name: net-arn}}\n";
    let app = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties: {DisplayName: !ImportValue net-arn}\n";
    play.commit(
        "Two stacks",
        &[
            (&path("alpha"), Some(files::account("alpha", stacks))),
            ("accounts/alpha/net.template.yaml", Some(net.to_owned())),
            ("accounts/alpha/app.template.yaml", Some(app.to_owned())),
        ],
    );
    play.until("both are there", |play| play.has_stack("alpha", "b-app")).await;
    play.rest().await;
    // A third one, of alice's own, uses the export too.
    let cloudformation = aws_sdk_cloudformation::Client::new(&play.session("alpha", "alice").await);
    cloudformation.create_stack().stack_name("hers").template_body(app).send().await.unwrap();
    play.until("hers is there", |play| play.has_stack("alpha", "hers")).await;
    play.commit("None", &[(&path("alpha"), Some(files::account("alpha", "")))]);
    play.told("alpha", "its export net-arn is in use by hers").await;
    assert!(!play.has_stack("alpha", "b-app") && play.has_stack("alpha", "a-net"));
    // However often it is looked at, nobody is asked for what will not be done.
    play.looks(6).await;
    assert_eq!(play.calls("DeleteStack").len(), 1, "only b-app");
    assert!(play.calls("ListImports").len() > 1);
    cloudformation.delete_stack().stack_name("hers").send().await.unwrap();
    play.until("it is free", |play| !play.has_stack("alpha", "a-net")).await;
    play.rest().await;
    let order: Vec<_> =
        play.calls("DeleteStack").iter().map(|entry| entry.params["StackName"].to_string()).collect();
    let names = ["/b-app/", "/a-net/"];
    assert!(order.len() == 2 && (0..2).all(|at| order[at].contains(names[at])), "{order:?}");
    play.end().await;
}

#[tokio::test]
async fn a_word_that_others_forged_removes_nothing() {
    let mut play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    play.stop().await;
    let (remote, now) = (&play.stage.remote, play.stage.aws.now());
    let forged = "settings.passwordPolicy: {onLeave: remove, keys: [minimumLength, requireSymbols]}\n\
                  stacks.role[eu-west-1]: {onLeave: remove}\n";
    let forged = [("tie/accounts/alpha.yaml".to_owned(), Some(forged.as_bytes().to_vec()))].into();
    bare::commit_file_changes(remote, OBSERVED, &forged, "Forge", now).unwrap();
    play.commit("Exempt alpha", &[(BASELINE, Some(baseline(NOT_ALPHA, "")))]);
    play.start();
    play.told("alpha", "no longer declared").await;
    play.rest().await;
    assert!(play.removals().is_empty() && play.is_kept("alpha"));
    play.end().await;
}

#[tokio::test]
async fn a_commit_that_would_remove_more_than_it_may_is_not_followed() {
    let mut play = Play::begin(&leaving(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    play.stop().await;
    play.stage.guard(Guards { removals_per_commit: 3, ..Guards::default() });
    play.start();
    let commit = play.commit("Nobody", &[(BASELINE, Some(baseline("{ous: [/special]}", REMOVE)))]);
    play.until("it is told", |play| play.open_issue("halted", "").is_some()).await;
    let body = play.open_issue("halted", "").unwrap().body;
    assert!(
        body.contains("4 things removed from 2 accounts") && body.contains("removals-per-commit"),
        "{body}"
    );
    play.rest().await;
    assert!(play.removals().is_empty());
    play.stop().await;
    play.stage.guard(Guards { removals_per_commit: 3, approved: [commit].into(), ..Guards::default() });
    play.start();
    play.until("all are gone", |play| play.removals().len() == 4).await;
    play.end().await;
}

#[tokio::test]
async fn under_a_hold_nothing_is_removed() {
    let play = Play::begin(&leaving(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let alpha = play.account("alpha").unwrap();
    let tags: Vec<_> = alpha.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    play.stage.aws.set_tags(&alpha.id, &[tags.as_slice(), &[("landfast:hold", "incident 7")]].concat());
    play.commit("Exempt alpha", &[(BASELINE, Some(baseline(NOT_ALPHA, REMOVE)))]);
    play.looks(6).await;
    assert!(play.removals().is_empty() && play.is_kept("alpha"));
    play.stage.aws.set_tags(&alpha.id, &tags);
    play.until("it is gone", |play| {
        !play.has_stack("alpha", "role") && play.password_length("alpha").is_none()
    })
    .await;
    play.end().await;
}

#[tokio::test]
async fn while_a_part_cannot_be_read_nothing_is_removed() {
    let play = Play::begin(&leaving(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let denied = Fault::new("GetAccountPasswordPolicy", When::Every, Trouble::ErrorBefore(500));
    play.stage.aws.add_fault(denied.within(&play.id("alpha")));
    play.commit("Exempt alpha", &[(BASELINE, Some(baseline(NOT_ALPHA, REMOVE)))]);
    play.looks(6).await;
    assert!(play.removals().is_empty() && play.is_kept("alpha"));
    play.stage.aws.clear_faults();
    play.until("it is gone", |play| {
        !play.has_stack("alpha", "role") && play.password_length("alpha").is_none()
    })
    .await;
    play.end().await;
}

#[tokio::test]
async fn an_exclusion_that_is_over_is_told_to_a_person() {
    let play =
        Play::begin(&by_target("{ous: [\"/**\"], exclude: {alpha: \"OPS-7, until 2020-01-01\"}}")).await;
    play.until("beta has its role", |play| play.has_stack("beta", "role")).await;
    let body = play.told("alpha", "OPS-7").await;
    assert!(
        body.contains(BASELINE) && body.contains("2020-01-01") && body.contains("left out all the same"),
        "{body}"
    );
    play.end().await;
}

#[tokio::test]
async fn a_key_that_is_no_longer_declared_stays_and_is_told_until_somebody_decides() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let shorter = baseline(ALL, "").replace(", requireSymbols: true", "");
    play.commit("No word on symbols", &[(BASELINE, Some(shorter.clone()))]);
    play.told("alpha", "requireSymbols (true) in it is no longer declared").await;
    play.rest().await;
    let has_symbols =
        |play: &Play| play.stage.aws.password_policy(&play.id("alpha")).unwrap()["RequireSymbols"] == true;
    assert!(has_symbols(&play) && play.is_kept("alpha"));
    let without = shorter.replace("minimumLength: 14", "minimumLength: 14, requireSymbols: false");
    play.commit("No symbols", &[(BASELINE, Some(without))]);
    play.until("it is done and told no more", |play| !has_symbols(play) && play.attention("alpha").is_none())
        .await;
    play.end().await;
}
