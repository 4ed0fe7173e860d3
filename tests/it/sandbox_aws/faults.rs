//! The kinds of trouble that are more than one refused or lost call.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::error::{ProvideErrorMetadata as _, SdkError};
use landfast::sandbox::aws::{Calls, Fault, SimulatedAws, Trouble, When};

use super::{MANAGEMENT, admin, held, inside, new_account};

fn outcomes(aws: &SimulatedAws, operation: &str) -> Vec<String> {
    aws.log().into_iter().filter(|entry| entry.operation == operation).map(|entry| entry.outcome).collect()
}

async fn listed(client: &Client) -> usize {
    client.list_accounts().send().await.unwrap().accounts().len()
}

#[tokio::test]
async fn a_list_lags_behind_and_catches_up() {
    let aws = held().await;
    let client = Client::new(&admin(&aws).await);
    aws.add_fault(Fault::new("ListAccounts", When::Every, Trouble::Stale(Duration::from_secs(30))));
    new_account(&aws, "pay").await;
    assert_eq!((aws.accounts().len(), listed(&client).await), (2, 1), "made ten seconds ago");
    aws.advance(Duration::from_secs(19));
    assert_eq!(listed(&client).await, 1);
    aws.advance(Duration::from_secs(1));
    assert_eq!(listed(&client).await, 2);
    let asked = client.list_create_account_status().send().await.unwrap();
    assert_eq!(asked.create_account_statuses().len(), 1, "another list does not lag");
}

#[tokio::test]
async fn what_changed_is_shown_as_it_was_and_nothing_is_lost_by_looking() {
    let aws = held().await;
    let id = new_account(&aws, "pay").await;
    aws.add_fault(Fault::new(
        "GetAccountPasswordPolicy",
        When::Next(1),
        Trouble::Stale(Duration::from_secs(60)),
    ));
    let iam = aws_sdk_iam::Client::new(&inside(&aws, &id, "us-east-1").await);
    iam.update_account_password_policy().minimum_password_length(14).send().await.unwrap();
    let old = iam.get_account_password_policy().send().await.unwrap_err();
    assert_eq!(old.code(), Some("NoSuchEntity"));
    let new = iam.get_account_password_policy().send().await.unwrap();
    assert_eq!(new.password_policy().unwrap().minimum_password_length(), Some(14));
}

#[tokio::test]
async fn a_session_that_expires_is_refused_for_good_and_a_fresh_one_works() {
    let aws = held().await;
    let id = new_account(&aws, "pay").await;
    let old = inside(&aws, &id, "eu-west-1").await;
    aws.add_fault(Fault::new(Calls::Any, When::Nth(2), Trouble::Expire).within(&id));
    let seen = [stacks_of(&old).await, stacks_of(&old).await, stacks_of(&old).await];
    assert_eq!(seen, ["OK", "ExpiredToken", "ExpiredToken"]);
    assert_eq!(stacks_of(&inside(&aws, &id, "eu-west-1").await).await, "OK");
    let told: Vec<_> = aws.log().into_iter().filter(|entry| entry.operation == "DescribeStacks").collect();
    assert_eq!(told.iter().filter(|entry| entry.acted).count(), 2);
}

async fn stacks_of(config: &SdkConfig) -> String {
    let answer = aws_sdk_cloudformation::Client::new(config).describe_stacks().send().await;
    answer.map_or_else(|error| error.code().unwrap_or("?").to_owned(), |_| "OK".to_owned())
}

#[tokio::test]
async fn a_users_own_key_does_not_expire() {
    let aws = held().await;
    aws.add_fault(Fault::new(Calls::Any, When::Every, Trouble::Expire));
    assert_eq!(listed(&Client::new(&admin(&aws).await)).await, 1);
}

#[tokio::test]
async fn a_dripping_answer_arrives_whole_for_who_can_wait_and_never_for_who_cannot() {
    let aws = held().await;
    let pause = Duration::from_millis(2);
    aws.add_fault(Fault::new("ListAccounts", When::Every, Trouble::Drip(pause)));
    let config = admin(&aws).await;
    assert_eq!(listed(&Client::new(&config)).await, 1);
    // The account's ARN alone has 80 bytes, so nobody is done in that time.
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(100)).build();
    let impatient = Client::new(&config.into_builder().timeout_config(timeouts).build());
    let error = impatient.list_accounts().send().await.unwrap_err();
    assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
    assert_eq!(outcomes(&aws, "ListAccounts"), ["fault:drip"; 2]);
}

#[tokio::test]
async fn a_concurrent_modification_is_worded_by_the_service_and_changes_nothing() {
    let aws = held().await;
    aws.add_fault(Fault::new(Calls::OrganizationWrites, When::Every, Trouble::ConcurrentModification));
    let client = Client::new(&admin(&aws).await);
    let root = aws.root_id();
    let error = client.create_organizational_unit().parent_id(root).name("x").send().await.unwrap_err();
    assert_eq!(error.code(), Some("ConcurrentModificationException"));
    assert_eq!((aws.ous().len(), listed(&client).await), (0, 1), "reading is left alone");
}

#[tokio::test]
async fn a_fault_can_concern_all_writes_or_one_account() {
    let aws = held().await;
    let (one, other) = (new_account(&aws, "one").await, new_account(&aws, "other").await);
    aws.add_fault(Fault::new(Calls::Writes, When::Every, Trouble::Throttle).within(&one));
    let mut refused = Vec::new();
    for id in [&one, &other] {
        let iam = aws_sdk_iam::Client::new(&inside(&aws, id, "us-east-1").await);
        iam.list_account_aliases().send().await.unwrap();
        refused.push(iam.create_account_alias().account_alias(format!("a-{id}")).send().await.is_err());
    }
    assert_eq!(refused, [true, false]);
    assert_eq!(aws.log().iter().filter(|entry| entry.outcome == "Throttling").count(), 1);
}

#[tokio::test]
async fn each_service_words_its_own_throttle() {
    let aws = held().await;
    aws.add_fault(Fault::new(Calls::Any, When::Every, Trouble::Throttle));
    let config = admin(&aws).await;
    let organizations = Client::new(&config).list_roots().send().await.unwrap_err();
    assert_eq!(organizations.code(), Some("TooManyRequestsException"));
    let trail = aws_sdk_cloudtrail::Client::new(&config).lookup_events().send().await.unwrap_err();
    assert_eq!(trail.code(), Some("ThrottlingException"));
    let sts = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.unwrap_err();
    assert_eq!(sts.code(), Some("Throttling"));
}

#[tokio::test]
async fn a_hang_may_come_before_or_after_the_call_was_carried_out() {
    for (trouble, accounts) in [(Trouble::Hang, 1), (Trouble::HangAfter, 2)] {
        let aws = held().await;
        aws.add_fault(Fault::new("CreateAccount", When::Nth(1), trouble));
        let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_millis(200)).build();
        let client = Client::new(&admin(&aws).await.into_builder().timeout_config(timeouts).build());
        let sent = client.create_account().account_name("pay").email("aws+pay@example.com").send().await;
        assert!(matches!(sent, Err(SdkError::TimeoutError(_))));
        aws.advance(Duration::from_mins(1));
        assert_eq!(aws.accounts().len(), accounts);
    }
}

/// The fates of 40 calls in each of two accounts, which come in this order.
async fn fates(seed: u64, order: [usize; 2]) -> [Vec<bool>; 2] {
    let aws = held().await;
    aws.sow(seed);
    let names = ["one", "two"];
    let ids = [new_account(&aws, names[0]).await, new_account(&aws, names[1]).await];
    let calls = Calls::Of("ListAccountAliases".to_owned());
    let troubles = [(0.2, Trouble::Throttle), (0.2, Trouble::ErrorAfter(500))];
    Fault::mix(&calls, &troubles).into_iter().for_each(|fault| aws.add_fault(fault));
    let mut fates = [Vec::new(), Vec::new()];
    for who in order {
        let iam = aws_sdk_iam::Client::new(&inside(&aws, &ids[who], "us-east-1").await);
        for _ in 0..40 {
            fates[who].push(iam.list_account_aliases().send().await.is_ok());
        }
    }
    assert!(aws.accounts().iter().any(|account| account.id == MANAGEMENT));
    fates
}

#[tokio::test]
async fn a_seed_deals_the_same_fates_again_whatever_the_order_of_the_accounts() {
    let first = fates(1, [0, 1]).await;
    assert_eq!(first, fates(1, [1, 0]).await);
    assert_ne!(first, fates(2, [0, 1]).await);
    let struck = first.iter().flatten().filter(|is_well| !**is_well).count();
    assert!((16..=48).contains(&struck), "{struck} of 80, of which 32 were to be expected");
}
