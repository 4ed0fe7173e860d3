//! Faults: what the client sees, and what truly happened.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::error::{ProvideErrorMetadata as _, SdkError};
use landfast::sandbox::aws::{Fault, SimulatedAws, Trouble, When};

use super::{admin, held};

fn fault(operation: &str, when: When, trouble: Trouble) -> Fault {
    Fault::new(operation, when, trouble)
}

/// Creates one account under `trouble`: (what the client saw, requests begun).
async fn create_under(trouble: Trouble) -> (String, usize) {
    let aws = held().await;
    aws.add_fault(fault("CreateAccount", When::Nth(1), trouble));
    let client = Client::new(&admin(&aws).await);
    let seen = match client.create_account().account_name("pay").email("aws+pay@example.com").send().await {
        Ok(_) => "ok".to_owned(),
        Err(SdkError::ServiceError(error)) => error.err().code().unwrap_or("no code").to_owned(),
        Err(SdkError::DispatchFailure(_)) => "dispatch".to_owned(),
        Err(SdkError::ResponseError(_)) => "response".to_owned(),
        Err(SdkError::TimeoutError(_)) => "timeout".to_owned(),
        Err(other) => format!("{other:?}"),
    };
    aws.advance(Duration::from_mins(1));
    (seen, aws.accounts().len() - 1)
}

#[tokio::test]
async fn a_fault_before_acting_leaves_nothing_and_one_after_leaves_an_account() {
    let cases = [
        (Trouble::Throttle, "TooManyRequestsException", 0),
        (Trouble::ErrorBefore(500), "ServiceException", 0),
        (Trouble::ErrorAfter(500), "ServiceException", 1),
        (Trouble::DropBefore, "dispatch", 0),
        (Trouble::DropAfter, "dispatch", 1),
        (Trouble::Truncate, "response", 1),
        (Trouble::Hang, "timeout", 0),
        (
            Trouble::Refuse(400, "FinalizingOrganizationException".to_owned(), String::new()),
            "FinalizingOrganizationException",
            0,
        ),
    ];
    for (trouble, seen, accounts) in cases {
        assert_eq!(create_under(trouble.clone()).await, (seen.to_owned(), accounts), "{trouble:?}");
    }
}

/// The simulation must be able to catch a client that trusts its retries.
#[tokio::test]
async fn a_client_with_default_retries_is_caught_creating_three_times() {
    let aws = held().await;
    aws.add_fault(fault("CreateAccount", When::Every, Trouble::DropAfter));
    let config = admin(&aws).await.into_builder().retry_config(RetryConfig::standard()).build();
    let timeouts =
        aws_config::timeout::TimeoutConfig::builder().operation_timeout(Duration::from_secs(30)).build();
    let client = Client::new(&config.into_builder().timeout_config(timeouts).build());
    let sent = client.create_account().account_name("pay").email("aws+pay@example.com").send().await;
    assert!(sent.is_err());
    assert_eq!(calls(&aws, "CreateAccount"), 3);
    aws.advance(Duration::from_mins(1));
    assert_eq!(aws.accounts().len(), 2);
}

fn calls(aws: &SimulatedAws, operation: &str) -> usize {
    aws.log().iter().filter(|entry| entry.operation == operation).count()
}

#[tokio::test]
async fn an_empty_page_comes_with_a_token_that_leads_on() {
    let aws = held().await;
    aws.add_fault(fault("ListAccounts", When::Nth(1), Trouble::EmptyPage));
    let client = Client::new(&admin(&aws).await);
    let empty = client.list_accounts().send().await.unwrap();
    assert_eq!(empty.accounts().len(), 0);
    let full = client.list_accounts().next_token(empty.next_token().unwrap()).send().await.unwrap();
    assert_eq!(full.accounts().len(), 1);
}

#[tokio::test]
async fn a_listing_can_come_back_short_without_an_error() {
    let aws = held().await;
    aws.list_short(1, 1);
    let client = Client::new(&admin(&aws).await);
    assert_eq!(client.list_accounts().send().await.unwrap().accounts().len(), 0);
    assert_eq!(client.list_accounts().send().await.unwrap().accounts().len(), 1);
}

#[tokio::test]
async fn a_fault_strikes_the_call_it_names_and_is_logged() {
    let aws = held().await;
    aws.add_fault(fault("ListRoots", When::Next(2), Trouble::Throttle));
    let client = Client::new(&admin(&aws).await);
    for expected in [true, true, false] {
        assert_eq!(client.list_roots().send().await.is_err(), expected);
    }
    let outcomes: Vec<_> = aws.log().into_iter().map(|entry| (entry.acted, entry.outcome)).collect();
    let throttled = (false, "TooManyRequestsException".to_owned());
    assert_eq!(outcomes, [throttled.clone(), throttled, (true, "OK".to_owned())]);
    assert!(aws.mutations().is_empty());
}
