//! What is remembered is lost: the consequence is less writing.

use landfast::git::bare;

use super::files::company;
use super::{OBSERVED, Play};

#[tokio::test]
async fn with_the_record_lost_nothing_is_overwritten_and_what_is_in_sync_is_agreed_again() {
    let mut play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    play.stop().await;
    bare::delete_branch(&play.stage.remote, OBSERVED).unwrap();
    play.alice_sets_password_length("alpha", 8).await;
    play.alice_widens_role("beta").await;
    let writes = play.writes().len();
    play.start();
    let scope = "accounts/alpha";
    play.until("it is found", |play| play.open_issue("first-contact", scope).is_some()).await;
    play.rest().await;
    assert!(play.password_length("alpha") == Some(8) && play.is_wide("beta"));

    play.alice_sets_password_length("alpha", 14).await;
    play.until("it is over", |play| play.open_issue("first-contact", scope).is_none()).await;
    play.rest().await;
    play.alice_sets_password_length("alpha", 9).await;
    play.until("that is drift now", |play| play.open_issue("drift", scope).is_some()).await;
    assert_eq!(play.writes().len(), writes);
    play.end().await;
}

#[tokio::test]
async fn a_daemon_whose_disk_was_wiped_does_nothing_that_the_one_before_would_not() {
    let mut play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    play.alice_sets_password_length("alpha", 8).await;
    play.until("it is told", |play| {
        play.open_issue("drift", "accounts/alpha").is_some_and(|issue| issue.body.contains("/alice"))
    })
    .await;
    play.rest().await;
    let (issues, writes) = (play.stage.github.issues(), play.writes().len());
    play.stop().await;
    play.start();
    play.rest().await;
    assert_eq!(play.writes().len(), writes);
    let told = |issues: &[landfast::sandbox::github::Issue]| -> Vec<_> {
        issues.iter().map(|issue| (issue.number, issue.is_open, issue.title.clone())).collect()
    };
    assert_eq!(told(&play.stage.github.issues()), told(&issues));
    play.end().await;
}
