//! What an operator keeps back: a commit goes only forward and only so far, unless somebody vouches for that very commit.

use landfast::git::bare;
use landfast::model::CommitId;
use landfast::plan::Guards;
use landfast::sandbox::stage::BRANCH;

use super::Play;
use super::files::{self, BASELINE, baseline, company, path};

pub(super) fn vouching_for(commit: &CommitId) -> Guards {
    Guards { approved: [commit.clone()].into(), ..Guards::default() }
}

impl Play {
    /// The operator starts the daemon anew, with other limits.
    pub(super) async fn restarted_with(&mut self, guards: Guards) {
        self.stop().await;
        self.stage.guard(guards);
        self.start();
    }

    async fn halted(&self) -> String {
        self.until("it is told", |play| play.open_issue("halted", "").is_some()).await;
        self.open_issue("halted", "").unwrap().body
    }
}

#[tokio::test]
async fn what_was_in_force_before_a_restart_stays_in_force_until_an_operator_vouches_for_the_other_history() {
    let mut play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    let first = play.head();
    let in_force = play.commit("Longer passwords", &[(BASELINE, Some(baseline(15)))]);
    play.until("passwords are longer", |play| play.password_length("beta") == Some(15)).await;
    play.rest().await;
    let writes = play.writes().len();
    play.stop().await;

    let remote = &play.stage.remote;
    bare::force_branch(remote, "elsewhere", &first).unwrap();
    let shorter = [(BASELINE.to_owned(), Some(baseline(9).into_bytes()))].into();
    let rewritten =
        bare::commit_file_changes(remote, "elsewhere", &shorter, "Shorter", play.stage.aws.now()).unwrap();
    bare::force_branch(remote, BRANCH, &rewritten).unwrap();
    play.start();
    let body = play.halted().await;
    assert!(body.contains(&format!("--approve {rewritten}")) && body.contains(in_force.short()), "{body}");
    play.alice_sets_password_length("alpha", 8).await;
    play.until("the old commit is kept", |play| play.open_issue("drift", "accounts/alpha").is_some()).await;
    play.rest().await;
    assert_eq!((play.writes().len(), play.password_length("beta")), (writes, Some(15)));

    play.restarted_with(vouching_for(&rewritten)).await;
    play.until("it is followed", |play| play.password_length("beta") == Some(9)).await;
    play.until("it is over", |play| play.open_issue("halted", "").is_none()).await;
    play.end().await;
}

#[tokio::test]
async fn a_branch_set_back_to_an_older_commit_is_not_followed_after_a_restart_either() {
    let mut play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let first = play.head();
    let newer = play.commit("Longer passwords", &[(BASELINE, Some(baseline(15)))]);
    play.until("passwords are longer", |play| play.password_length("alpha") == Some(15)).await;
    play.rest().await;
    play.stop().await;
    bare::force_branch(&play.stage.remote, BRANCH, &first).unwrap();
    play.start();
    let body = play.halted().await;
    assert!(body.contains("set back"), "{body}");
    play.rest().await;
    assert_eq!(play.password_length("alpha"), Some(15));
    bare::force_branch(&play.stage.remote, BRANCH, &newer).unwrap();
    play.until("it is over", |play| play.open_issue("halted", "").is_none()).await;
    play.end().await;
}

#[tokio::test]
async fn a_commit_that_does_not_load_leaves_the_last_good_one_in_force_after_a_restart_too() {
    let mut play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    play.commit("Longer passwords", &[(BASELINE, Some(baseline(15)))]);
    play.until("passwords are longer", |play| play.password_length("alpha") == Some(15)).await;
    play.rest().await;
    play.stop().await;
    let writes = play.writes().len();
    play.commit("A slip", &[(BASELINE, Some("targetz: {}\n".to_owned()))]);
    play.start();
    play.until("it is told", |play| play.open_issue("rejected", "").is_some()).await;
    play.alice_sets_password_length("alpha", 8).await;
    play.until("the old commit is kept", |play| play.open_issue("drift", "accounts/alpha").is_some()).await;
    play.rest().await;
    assert_eq!((play.writes().len(), play.password_length("alpha")), (writes, Some(8)));
    play.commit("What she set", &[(BASELINE, Some(baseline(8)))]);
    play.until("it is over", |play| play.open_issue("rejected", "").is_none()).await;
    play.end().await;
}

#[tokio::test]
async fn a_record_that_others_forged_does_not_move_the_commit_in_force() {
    let mut play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let first = play.head();
    play.commit("Longer passwords", &[(BASELINE, Some(baseline(15)))]);
    play.until("passwords are longer", |play| play.password_length("alpha") == Some(15)).await;
    play.rest().await;
    play.stop().await;
    let (remote, now) = (&play.stage.remote, play.stage.aws.now());
    let forged = [("accepted".to_owned(), Some(format!("{first}\n").into_bytes()))].into();
    bare::commit_file_changes(remote, super::OBSERVED, &forged, "Forge", now).unwrap();
    bare::force_branch(remote, BRANCH, &first).unwrap();
    play.start();
    play.halted().await;
    play.rest().await;
    assert_eq!(play.password_length("alpha"), Some(15));
}

#[tokio::test]
async fn folders_that_vanish_halt_the_commit_until_an_operator_vouches_for_it() {
    let slugs = ["alpha", "beta", "gamma", "delta"];
    let mut play = Play::begin(&company(&slugs)).await;
    play.settled(&slugs).await;
    play.rest().await;
    let writes = play.writes().len();
    let (a, b, c) = (path("alpha"), path("beta"), path("gamma"));
    let longer = Some(baseline(15));
    let commit = play.commit("Clean up", &[(&a, None), (&b, None), (&c, None), (BASELINE, longer)]);
    let body = play.halted().await;
    assert!(body.contains("vanished-folders") && body.contains("alpha, beta, gamma"), "{body}");
    play.rest().await;
    assert_eq!((play.writes().len(), play.password_length("delta")), (writes, Some(14)));

    play.restarted_with(vouching_for(&commit)).await;
    play.until("it is followed", |play| play.password_length("delta") == Some(15)).await;
    assert_eq!(play.password_length("alpha"), Some(14), "what is no longer declared is kept");
    play.end().await;
}

#[tokio::test]
async fn a_commit_that_changes_more_accounts_than_it_may_halts() {
    let mut play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    play.restarted_with(Guards { accounts_per_commit: Some(1), ..Guards::default() }).await;
    play.commit(
        "One account",
        &[(&path("alpha"), Some(files::account("alpha", "settings: {accountAlias: acme-alpha}\n")))],
    );
    play.rest().await;
    assert!(play.open_issue("halted", "").is_none(), "one account may be changed");
    let commit = play.commit("Longer passwords", &[(BASELINE, Some(baseline(15)))]);
    let body = play.halted().await;
    assert!(body.contains("changes 2 accounts") && body.contains("accounts-per-commit"), "{body}");
    play.rest().await;
    assert_eq!(play.password_length("alpha"), Some(14));
    play.restarted_with(Guards { accounts_per_commit: Some(1), ..vouching_for(&commit) }).await;
    play.until("it is followed", |play| play.password_length("beta") == Some(15)).await;
    play.end().await;
}

#[tokio::test]
async fn more_new_accounts_than_a_commit_may_ask_for_are_not_made() {
    let slugs = ["alpha", "beta", "gamma"];
    let mut play = Play::set(super::scenery(), &company(&slugs)).await;
    play.stage.guard(Guards { new_accounts_per_commit: 2, ..Guards::default() });
    play.start();
    play.until("it is told", |play| play.open_issue("attention", "organization").is_some()).await;
    let body = play.open_issue("attention", "organization").unwrap().body;
    assert!(body.contains("new-accounts-per-commit") && body.contains("3 new accounts"), "{body}");
    play.rest().await;
    assert_eq!(play.stage.aws.accounts().len(), 1);
    play.commit("Two at a time", &[(&path("gamma"), None)]);
    play.settled(&["alpha", "beta"]).await;
    play.end().await;
}

#[tokio::test]
async fn what_holds_data_is_not_replaced_or_deleted_until_an_operator_vouches_for_the_commit() {
    let bucket = |name: &str| {
        format!("Resources:\n  Data:\n    Type: AWS::S3::Bucket\n    Properties: {{BucketName: {name}}}\n")
    };
    let mut files = company(&["alpha"]);
    let account = files::account("alpha", "stacks:\n  data: {template: data.template.yaml}\n");
    files.retain(|(name, _)| *name != path("alpha"));
    files.push((path("alpha"), account));
    files.push(("accounts/alpha/data.template.yaml".to_owned(), bucket("acme-data-one")));
    let mut play = Play::begin(&files).await;
    play.until("the bucket is there", |play| play.has_stack("alpha", "data")).await;
    play.settled(&["alpha"]).await;
    let template = "accounts/alpha/data.template.yaml";
    let commit = play.commit("Rename", &[(template, Some(bucket("acme-data-two")))]);
    play.until("it is told", |play| play.open_issue("attention", "accounts/alpha").is_some()).await;
    let body = play.open_issue("attention", "accounts/alpha").unwrap().body;
    assert!(body.contains("Data (AWS::S3::Bucket) would be replaced"), "{body}");
    play.looks(5).await;
    let executed = |play: &Play| play.calls("ExecuteChangeSet").len();
    let before = executed(&play);
    play.looks(5).await;
    assert_eq!(executed(&play), before);
    play.restarted_with(vouching_for(&commit)).await;
    play.until("it is told to be over", |play| play.open_issue("attention", "accounts/alpha").is_none())
        .await;
    assert_eq!(executed(&play), before + 1);
    play.end().await;
}

#[tokio::test]
async fn a_protected_stack_and_a_protected_account_are_not_written() {
    let mut play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    let guards = Guards {
        protected_accounts: [landfast::model::Slug::parse("beta").unwrap()].into(),
        protected_stacks: ["*/role".to_owned().try_into().unwrap()].into(),
        ..Guards::default()
    };
    play.restarted_with(guards).await;
    let wider = files::role_template().replace("ReadOnlyAccess", "SecurityAudit");
    play.commit(
        "Both",
        &[(BASELINE, Some(baseline(15))), ("baselines/base/role.template.yaml", Some(wider))],
    );
    play.until("alpha has longer passwords", |play| play.password_length("alpha") == Some(15)).await;
    play.until("both are told", |play| {
        ["alpha", "beta"]
            .iter()
            .all(|slug| play.open_issue("attention", &format!("accounts/{slug}")).is_some())
    })
    .await;
    let body = play.open_issue("attention", "accounts/alpha").unwrap().body;
    assert!(body.contains("protected-stacks") && body.contains("*/role"), "{body}");
    play.rest().await;
    assert_eq!(play.password_length("beta"), Some(14));
    let template = play.stack("alpha", "role").unwrap().template;
    assert!(template.contains("ReadOnlyAccess"), "{template}");
}
