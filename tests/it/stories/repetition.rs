//! Calls whose answer is lost, and worlds in which there is nothing to do: nothing is sent twice.

use landfast::sandbox::aws::{Fault, Trouble, When};

use super::Play;
use super::files::{account, company, path};

/// The first request for an account meets this trouble.
async fn asks_once(trouble: Trouble) -> Play {
    let play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    play.stage.aws.add_fault(Fault::new("CreateAccount", When::Nth(1), trouble));
    play.commit("Add beta", &[(&path("beta"), Some(account("beta", "")))]);
    play.settled(&["alpha", "beta"]).await;
    assert_eq!(play.stage.aws.accounts().len(), 3);
    play
}

#[tokio::test]
async fn an_account_is_asked_for_once_although_aws_said_that_it_failed() {
    let play = asks_once(Trouble::ErrorAfter(500)).await;
    assert_eq!(play.creations_of("beta"), 1);
    play.end().await;
}

#[tokio::test]
async fn an_account_is_asked_for_once_although_the_connection_was_lost() {
    let play = asks_once(Trouble::DropAfter).await;
    assert_eq!(play.creations_of("beta"), 1);
    play.end().await;
}

#[tokio::test]
async fn an_account_is_asked_for_once_although_the_answer_broke_off() {
    let play = asks_once(Trouble::Truncate).await;
    assert_eq!(play.creations_of("beta"), 1);
    play.end().await;
}

#[tokio::test]
async fn a_request_that_did_not_arrive_is_sent_again_after_a_look() {
    for trouble in [Trouble::ErrorBefore(500), Trouble::DropBefore] {
        let play = asks_once(trouble).await;
        let log = play.log();
        let sent: Vec<_> = log
            .iter()
            .enumerate()
            .filter(|(_, entry)| {
                entry.operation == "CreateAccount" && entry.params["Email"] == super::files::email("beta")
            })
            .map(|(at, _)| at)
            .collect();
        let [first, second] = sent[..] else { panic!("{sent:?}") };
        for look in ["ListAccounts", "ListCreateAccountStatus"] {
            assert!(log[first..second].iter().any(|entry| entry.operation == look), "no {look} between");
        }
        play.end().await;
    }
}

#[tokio::test]
async fn twenty_passes_over_a_converged_organization_write_nothing() {
    let play = Play::begin(&company(&["alpha", "beta", "gamma"])).await;
    play.settled(&["alpha", "beta", "gamma"]).await;
    let detections = play.calls("DetectStackDrift").len();
    let before = play.trace();
    play.looks(20).await;
    assert_eq!(play.trace(), before);
    assert!(play.calls("DetectStackDrift").len() >= detections + 3, "drift was looked for too");
    play.end().await;
}
