//! Stacks that fail, and stacks that somebody deletes.

use super::files::{account, company, logs_template, path};
use super::{HOME, Play};

const LOGS: &str = "accounts/alpha/logs.template.yaml";

fn with_logs(more: &str) -> String {
    account("alpha", &format!("{more}stacks: {{logs: {{template: logs.template.yaml}}}}\n"))
}

fn attempts(play: &Play) -> usize {
    let of_logs = |name: &serde_json::Value| name.as_str().is_some_and(|name| name.contains("logs"));
    play.calls("CreateChangeSet").iter().filter(|entry| of_logs(&entry.params["StackName"])).count()
}

async fn somebody_deletes_logs(play: &Play) {
    let cloudformation = aws_sdk_cloudformation::Client::new(&play.session("alpha", "alice").await);
    cloudformation.delete_stack().stack_name("logs").send().await.unwrap();
}

#[tokio::test]
async fn a_stack_that_rolls_back_is_told_with_the_reason_and_not_tried_again_until_a_commit() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let alpha = play.id("alpha");
    play.stage.aws.fail_resource(&alpha, HOME, "Group", "the quota for log groups is used up");
    play.commit("Add logs", &[(&path("alpha"), Some(with_logs(""))), (LOGS, Some(logs_template(7)))]);
    play.until("it is told", |play| play.open_issue("attention", "accounts/alpha").is_some()).await;
    play.rest().await;
    let body = play.open_issue("attention", "accounts/alpha").unwrap().body;
    assert!(body.contains("the quota for log groups is used up"), "{body}");
    assert!(attempts(&play) <= 2, "{}", play.scene());

    play.commit("Mend logs", &[(LOGS, Some(logs_template(14)))]);
    play.until("the stack is there", |play| play.has_stack("alpha", "logs")).await;
    play.until("it is over", |play| play.open_issues().is_empty()).await;
    play.end().await;
}

#[tokio::test]
async fn an_update_that_rolls_back_is_not_tried_again_until_a_commit() {
    let mut files = company(&[]);
    files.extend([(path("alpha"), with_logs("")), (LOGS.to_owned(), logs_template(7))]);
    let play = Play::begin(&files).await;
    play.settled(&["alpha"]).await;
    play.stage.aws.fail_resource(&play.id("alpha"), HOME, "Group", "the number of days is not allowed");
    let before = attempts(&play);
    play.commit("Keep longer", &[(LOGS, Some(logs_template(14)))]);
    play.until("it is told", |play| play.open_issue("attention", "accounts/alpha").is_some()).await;
    play.rest().await;
    assert!(attempts(&play) <= before + 2, "{}", play.scene());
    play.commit("Keep even longer", &[(LOGS, Some(logs_template(30)))]);
    play.until("it is kept longer", |play| {
        play.has_stack("alpha", "logs") && play.stack("alpha", "logs").unwrap().template.contains("30")
    })
    .await;
    play.until("it is over", |play| play.open_issues().is_empty()).await;
    play.end().await;
}

#[tokio::test]
async fn a_deleted_stack_is_told_under_report_and_made_again_under_enforce() {
    let mut files = company(&[]);
    files.extend([(path("alpha"), with_logs("")), (LOGS.to_owned(), logs_template(7))]);
    let play = Play::begin(&files).await;
    play.until("the stack is there", |play| play.has_stack("alpha", "logs")).await;
    play.settled(&["alpha"]).await;
    somebody_deletes_logs(&play).await;
    play.until("it is told", |play| play.open_issue("drift", "accounts/alpha").is_some()).await;
    play.rest().await;
    assert!(play.stack("alpha", "logs").is_none(), "it is left deleted");

    play.commit("Enforce", &[(&path("alpha"), Some(with_logs("mode: enforce\n")))]);
    play.until("it is made again", |play| play.has_stack("alpha", "logs")).await;
    play.until("it is over", |play| play.open_issues().is_empty()).await;
    play.end().await;
}
