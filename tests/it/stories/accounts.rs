//! Accounts: made from a folder, suspended, gone from a listing, unreadable, already there.

use landfast::git::bare;
use landfast::sandbox::stage::BRANCH;

use super::files::{BASELINE, account, baseline, company, email, path};
use super::{OBSERVED, Play};
use crate::sandbox_aws::admin;

#[tokio::test]
async fn a_commit_that_adds_an_account_makes_it_once_and_recording_its_id_writes_nothing() {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    play.commit("Add beta", &[(&path("beta"), Some(account("beta", "")))]);
    play.settled(&["alpha", "beta"]).await;

    assert_eq!(play.creations_of("beta"), 1);
    let beta = play.account("beta").unwrap();
    let tags: Vec<_> = beta.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(tags, ["landfast:owner=o-exampleorgid", "landfast:slug=beta", "owner=beta"]);

    let pulls = play.stage.github.pulls();
    assert_eq!(pulls.len(), 2, "one for each account\n{}", play.scene());
    let writes = play.writes().len();
    for slug in ["alpha", "beta"] {
        let head = format!("landfast/record-{slug}");
        let now = play.stage.aws.now();
        let diff = bare::diff(&play.stage.remote, BRANCH, &head).unwrap();
        assert!(diff.contains(&format!("+id: \"{}\"", play.id(slug))), "{diff}");
        bare::merge(&play.stage.remote, BRANCH, &head, "Record an id", now).unwrap();
    }
    play.rest().await;
    assert_eq!(play.writes().len(), writes, "it only says what is so already");
    play.end().await;
}

#[tokio::test]
async fn an_account_file_that_takes_no_id_stops_no_other_proposal() {
    let mut files = company(&["alpha", "beta"]);
    // On one line: no line can be added to it.
    let one_line = "{name: Company alpha, ou: /workloads, tags: {owner: alpha}}\n";
    files.retain(|(it, _)| *it != path("alpha"));
    files.push((path("alpha"), one_line.to_owned()));
    let play = Play::begin(&files).await;
    play.settled(&["alpha", "beta"]).await;
    let proposed = |play: &Play| {
        let pulls = play.stage.github.pulls().into_iter().filter_map(|issue| issue.pull);
        pulls.map(|pull| pull.head).collect::<Vec<_>>()
    };
    play.until("beta's id is proposed", |play| !proposed(play).is_empty()).await;
    play.rest().await;
    assert_eq!(proposed(&play), ["landfast/record-beta"]);
    play.end().await;
}

#[tokio::test]
async fn a_suspended_account_is_neither_entered_nor_made_again_and_stops_nobody() {
    let play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    let beta = play.id("beta");
    play.stage.aws.suspend(&beta);
    play.looks(3).await;
    let entered = || {
        let roles = play.calls("AssumeRole");
        roles.iter().filter(|entry| entry.params["RoleArn"].to_string().contains(&beta)).count()
    };
    let (before, writes) = (entered(), play.writes_in(&beta));
    play.commit("Longer passwords", &[(BASELINE, Some(baseline(15)))]);
    play.until("alpha has longer passwords", |play| play.password_length("alpha") == Some(15)).await;
    play.rest().await;
    assert_eq!((entered(), play.writes_in(&beta)), (before, writes));
    assert_eq!((play.creations_of("beta"), play.password_length("beta")), (1, Some(14)));
    play.end().await;
}

#[tokio::test]
async fn an_account_that_cannot_be_read_is_not_changed_and_stops_nobody() {
    let play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    let beta = play.id("beta");
    play.stage.aws.deny(&beta, &["iam:*", "cloudformation:*"]);
    let writes = play.writes_in(&beta);
    play.commit("Longer passwords", &[(BASELINE, Some(baseline(15)))]);
    play.until("alpha has longer passwords", |play| play.password_length("alpha") == Some(15)).await;
    play.rest().await;
    assert_eq!((play.writes_in(&beta), play.password_length("beta")), (writes, Some(14)));
    assert_eq!(play.open_issues(), [], "it may pass by itself");

    play.stage.aws.deny(&beta, &[]);
    play.until("beta has longer passwords", |play| play.password_length("beta") == Some(15)).await;
    play.end().await;
}

#[tokio::test]
async fn a_listing_that_comes_back_short_makes_moves_and_closes_nothing() {
    let mut play = Play::begin(&company(&["alpha", "beta", "gamma"])).await;
    play.settled(&["alpha", "beta", "gamma"]).await;
    let (accounts, writes) = (play.stage.aws.accounts(), play.writes().len());
    play.stage.aws.list_short(u32::MAX, 2);
    play.looks(6).await;
    // Somebody who does not remember them from before must not make them again either.
    play.stop().await;
    play.start();
    play.looks(6).await;
    assert_eq!((play.stage.aws.accounts(), play.writes().len()), (accounts, writes));
    play.stage.aws.list_short(0, 0);
    play.until("nobody is alarmed any more", |play| play.open_issues().is_empty()).await;
    play.end().await;
}

#[tokio::test]
async fn an_account_with_our_email_and_without_our_tag_is_refused_with_the_line_to_add() {
    let mut play = Play::set(super::scenery(), &company(&["alpha", "beta"])).await;
    let organizations = aws_sdk_organizations::Client::new(&admin(&play.stage.aws).await);
    let call = organizations.create_account().account_name("Found").email(email("beta"));
    call.send().await.unwrap();
    play.until("somebody's account is there", |play| play.account("beta").is_some()).await;
    let found = play.account("beta").unwrap();
    play.start();
    play.until("it is refused", |play| play.open_issue("attention", "organization").is_some()).await;
    play.settled(&["alpha"]).await;
    let issue = play.open_issue("attention", "organization").unwrap();
    assert!(issue.body.contains(&format!("id: \"{}\"", found.id)), "{}", issue.body);
    assert_eq!(play.account("beta"), Some(found), "it is as it was");
    assert_eq!((play.stage.aws.accounts().len(), play.writes_in(&play.id("beta"))), (3, 0));
    assert!(bare::head(&play.stage.remote, OBSERVED).is_ok());
    play.end().await;
}
