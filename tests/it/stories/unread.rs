//! What cannot be read for a while: what was said of it does not end, and nothing new is said of it.

use landfast::sandbox::aws::{Fault, Trouble, When};

use super::Play;
use super::files::company;
use crate::sandbox_aws::admin;

/// An organization with an account that no folder claims, and the issue about it.
async fn with_a_stranger() -> Play {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let client = aws_sdk_organizations::Client::new(&admin(&play.stage.aws).await);
    client.create_account().account_name("x").email("aws+x@example.com").send().await.unwrap();
    play.until("the stranger is told of", is_told).await;
    play
}

fn is_told(play: &Play) -> bool {
    play.open_issue("first-contact", "organization").is_some()
}

#[tokio::test]
async fn an_issue_about_an_account_without_a_folder_outlives_a_listing_that_fails() {
    let play = with_a_stranger().await;
    let writes = play.stage.github.writes();
    play.stage.aws.add_fault(Fault::new("ListAccounts", When::Every, Trouble::ErrorBefore(500)));
    play.looks(9).await;
    play.stage.aws.clear_faults();
    play.rest().await;
    assert_eq!(play.stage.github.writes(), writes);
    assert!(is_told(&play));
    play.end().await;
}

#[tokio::test]
async fn an_account_whose_tags_cannot_be_read_is_not_said_to_be_without_a_folder() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    play.stage.aws.add_fault(Fault::new("ListTagsForResource", When::Every, Trouble::Throttle));
    play.looks(6).await;
    play.stage.aws.clear_faults();
    play.rest().await;
    assert_eq!(play.issues("first-contact", "organization"), []);
    play.end().await;
}
