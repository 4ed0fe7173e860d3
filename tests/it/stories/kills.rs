//! A kill at any line, then a restart with an empty disk: the end is the same.

use std::time::Duration;

use landfast::sandbox::aws::{Fault, Trouble, When};

use super::Play;
use super::files::{account, company, logs_template, path};

/// A call before which, or after which, the daemon dies.
async fn dies(operation: &str, nth: u32, trouble: Trouble) {
    let mut play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let fault = Fault::new(operation, When::Nth(nth), trouble);
    play.stage.aws.add_fault(fault);
    play.commit("Add beta", &[(&path("beta"), Some(account("beta", "")))]);
    play.until("the call hangs", |play| play.log().iter().any(|entry| entry.outcome == "fault:hang")).await;
    play.kill();
    play.stage.aws.clear_faults();
    play.start();
    play.settled(&["alpha", "beta"]).await;
    let accounts: Vec<_> = play.stage.aws.accounts().into_iter().map(|account| account.email).collect();
    assert_eq!(accounts.len(), 3, "{accounts:?}");
    for slug in ["alpha", "beta"] {
        let stacks = play.stage.aws.stacks(&play.id(slug));
        assert_eq!(stacks.len(), 1, "{stacks:?}");
    }
    assert_eq!(play.calls("CreateAccount").iter().filter(|entry| entry.acted).count(), 2);
    assert_eq!(play.open_issues(), []);
    play.until("both ids are proposed", |play| play.stage.github.pulls().len() == 2).await;
    play.end().await;
}

#[tokio::test]
async fn a_kill_before_the_account_is_asked_for_leaves_one_account() {
    dies("CreateAccount", 1, Trouble::Hang).await;
}

#[tokio::test]
async fn a_kill_after_the_account_was_asked_for_leaves_one_account() {
    dies("CreateAccount", 1, Trouble::HangAfter).await;
}

#[tokio::test]
async fn a_kill_before_the_account_is_moved_leaves_it_moved_once() {
    dies("MoveAccount", 1, Trouble::Hang).await;
}

#[tokio::test]
async fn a_kill_after_the_account_was_moved_leaves_it_moved_once() {
    dies("MoveAccount", 1, Trouble::HangAfter).await;
}

#[tokio::test]
async fn a_kill_before_the_password_policy_is_set_leaves_it_set() {
    dies("UpdateAccountPasswordPolicy", 1, Trouble::Hang).await;
}

#[tokio::test]
async fn a_kill_after_the_password_policy_was_set_leaves_it_set() {
    dies("UpdateAccountPasswordPolicy", 1, Trouble::HangAfter).await;
}

#[tokio::test]
async fn a_kill_before_the_change_set_leaves_one_stack() {
    dies("CreateChangeSet", 1, Trouble::Hang).await;
}

#[tokio::test]
async fn a_kill_after_the_change_set_leaves_one_stack() {
    dies("CreateChangeSet", 1, Trouble::HangAfter).await;
}

#[tokio::test]
async fn a_kill_before_the_change_set_is_executed_leaves_one_stack() {
    dies("ExecuteChangeSet", 1, Trouble::Hang).await;
}

#[tokio::test]
async fn a_kill_after_the_change_set_was_executed_leaves_one_stack() {
    dies("ExecuteChangeSet", 1, Trouble::HangAfter).await;
}

#[tokio::test]
async fn a_kill_while_aws_makes_the_account_leaves_one_account() {
    let mut play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    // From now on AWS takes its time.
    play.stage.aws.run(1.0);
    play.commit("Add beta", &[(&path("beta"), Some(account("beta", "")))]);
    play.until("it is asked for", |play| play.creations_of("beta") == 1).await;
    play.looks(2).await;
    play.kill();
    play.start();
    play.looks(4).await;
    // AWS is done with it while nobody looks.
    play.kill();
    play.stage.aws.run(super::SPEED);
    play.stage.aws.advance(Duration::from_mins(1));
    play.until("AWS made it", |play| play.account("beta").is_some()).await;
    play.start();
    play.settled(&["alpha", "beta"]).await;
    assert_eq!((play.creations_of("beta"), play.stage.aws.accounts().len()), (1, 3));
    play.end().await;
}

#[tokio::test]
async fn a_stop_while_a_stack_is_in_motion_ends_in_ten_seconds_and_the_next_start_takes_it_up() {
    let mut play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    // From now on AWS takes its time.
    play.stage.aws.run(1.0);
    let more = "stacks: {logs: {template: logs.template.yaml}}\n";
    let template = ("accounts/alpha/logs.template.yaml", Some(logs_template(7)));
    play.commit("Add logs", &[(&path("alpha"), Some(account("alpha", more))), template]);
    play.until("the change set is asked for", |play| play.stack("alpha", "logs").is_some()).await;
    let is_moving = |play: &Play| play.stack("alpha", "logs").unwrap().status == "CREATE_IN_PROGRESS";
    let began = tokio::time::Instant::now();
    while !is_moving(&play) {
        assert!(began.elapsed() < super::PATIENCE, "{}", play.scene());
        play.stage.aws.advance(Duration::from_millis(100));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(play.stop().await < Duration::from_secs(10));
    assert!(is_moving(&play));
    play.stage.aws.run(super::SPEED);
    play.stage.aws.advance(Duration::from_mins(1));
    play.start();
    play.until("the stack is there", |play| play.has_stack("alpha", "logs")).await;
    play.rest().await;
    let of_logs = |entry: &&landfast::sandbox::aws::Entry| entry.params["StackName"] == "logs";
    assert_eq!(play.calls("CreateChangeSet").iter().filter(of_logs).count(), 1);
    play.end().await;
}
