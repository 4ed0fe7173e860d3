//! What alice changes by hand: told, or put back.

use std::time::Duration;

use super::files::{account, company, path};
use super::{Play, scenery};

#[tokio::test]
async fn what_alice_changes_is_told_with_her_name_and_not_touched() {
    let mut scenery = scenery();
    // Her name comes seconds after the change.
    scenery.aws.trail_delay = Duration::from_secs(800);
    let mut play = Play::set(scenery, &company(&["alpha", "beta"])).await;
    play.start();
    play.settled(&["alpha", "beta"]).await;
    let writes = play.writes().len();
    play.alice_sets_password_length("alpha", 8).await;
    play.alice_widens_role("beta").await;

    let scopes = ["accounts/alpha", "accounts/beta"];
    play.until("both are told", |play| scopes.iter().all(|scope| play.open_issue("drift", scope).is_some()))
        .await;
    let numbers = scopes.map(|scope| {
        let issue = play.open_issue("drift", scope).unwrap();
        assert!(!issue.body.contains("alice"), "CloudTrail does not show it yet\n{}", issue.body);
        issue.number
    });
    let is_named = |play: &Play, scope| play.open_issue("drift", scope).unwrap().body.contains("/alice");
    play.until("alice is named", |play| scopes.iter().all(|scope| is_named(play, scope))).await;
    play.rest().await;
    assert_eq!(scopes.map(|scope| play.open_issue("drift", scope).unwrap().number), numbers);
    let [alpha, beta] = scopes.map(|scope| play.open_issue("drift", scope).unwrap().body);
    assert!(alpha.contains("-  minimumLength: 14") && alpha.contains("+  minimumLength: 8"), "{alpha}");
    assert!(beta.contains("AdministratorAccess") && beta.contains("AttachRolePolicy"), "{beta}");

    assert_eq!(play.writes().len(), writes, "nothing is put back");
    assert!(play.is_wide("beta") && play.password_length("alpha") == Some(8));
    play.end().await;
}

#[tokio::test]
async fn healing_by_hand_closes_the_issue_and_the_same_drift_opens_it_again() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    let is_open = |play: &Play| play.open_issue("drift", "accounts/alpha").is_some();
    play.alice_sets_password_length("alpha", 8).await;
    play.until("it is told", is_open).await;
    play.alice_sets_password_length("alpha", 14).await;
    play.until("it is closed", |play| !is_open(play)).await;
    let number = play.issue("drift", "accounts/alpha").unwrap().number;
    play.until("why is said", |play| !play.stage.github.comments(number).is_empty()).await;
    play.rest().await;
    assert_eq!(play.stage.github.comments(number).len(), 1);
    play.alice_sets_password_length("alpha", 8).await;
    play.until("it is open again", is_open).await;
    assert_eq!(play.open_issue("drift", "accounts/alpha").unwrap().number, number);
    play.end().await;
}

#[tokio::test]
async fn enforce_puts_back_and_report_does_not() {
    let mut files = company(&["beta"]);
    files.push((path("alpha"), account("alpha", "mode: enforce\n")));
    let play = Play::begin(&files).await;
    play.settled(&["alpha", "beta"]).await;
    for slug in ["alpha", "beta"] {
        play.alice_sets_password_length(slug, 8).await;
        play.alice_widens_role(slug).await;
    }
    play.until("alpha is as it was", |play| play.is_kept("alpha") && !play.is_wide("alpha")).await;
    play.rest().await;
    assert!(play.is_wide("beta") && play.password_length("beta") == Some(8));
    assert!(play.issues("drift", "accounts/alpha").len() < 2);
    assert!(play.open_issue("drift", "accounts/beta").is_some());
    let reverts = play.calls("CreateChangeSet");
    let is_revert = |entry: &&landfast::sandbox::aws::Entry| entry.params["DeploymentMode"] == "REVERT_DRIFT";
    assert_eq!(reverts.iter().filter(is_revert).count(), 1, "{}", play.scene());
    play.end().await;
}

#[tokio::test]
async fn one_entry_is_put_back_and_the_rest_of_its_account_is_not() {
    let play = Play::begin(
        &[
            company(&["beta"]),
            vec![(path("alpha"), account("alpha", "settings: {passwordPolicy: {mode: enforce}}\n"))],
        ]
        .concat(),
    )
    .await;
    play.settled(&["alpha", "beta"]).await;
    for slug in ["alpha", "beta"] {
        play.alice_sets_password_length(slug, 8).await;
        play.alice_widens_role(slug).await;
    }
    play.until("alpha has its policy back", |play| play.is_kept("alpha")).await;
    play.until("the rest is told", |play| play.open_issue("drift", "accounts/alpha").is_some()).await;
    play.rest().await;
    assert!(play.is_wide("alpha") && play.is_wide("beta"));
    assert_eq!(play.password_length("beta"), Some(8));
    assert!(
        play.calls("CreateChangeSet").iter().all(|entry| entry.params["DeploymentMode"] != "REVERT_DRIFT")
    );
    play.end().await;
}
