//! A client as many tools are, to prove that the simulation catches what they do: it keeps no record, does not look
//! before it creates, leaves the SDK's retries as they are, and takes a failure for "not created".

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::CreateAccountState;
use landfast::sandbox::aws::{Calls, Fault, SimulatedAws, Trouble, When};

use super::{admin, held};

/// How often such a tool begins again before it gives a folder up.
const TRIES: usize = 4;

struct Naive<'a> {
    aws: &'a SimulatedAws,
    client: Client,
}

impl<'a> Naive<'a> {
    /// Only the wait is cut short: the SDK's default would be to wait for ever.
    async fn new(aws: &'a SimulatedAws) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(150)).build();
        let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
        let config = admin(aws).await.into_builder().timeout_config(timeouts).retry_config(retries).build();
        Self { aws, client: Client::new(&config) }
    }

    /// Makes an account of this name; an address that is taken is no obstacle, the next one will do.
    async fn account(&self, name: &str) -> Option<String> {
        for n in 0..TRIES {
            let more = if n == 0 { String::new() } else { format!("-{n}") };
            if let Some(id) = self.create(name, &format!("aws+{name}{more}@example.com")).await {
                return Some(id);
            }
        }
        None
    }

    async fn create(&self, name: &str, email: &str) -> Option<String> {
        let sent = self.client.create_account().account_name(name).email(email).send().await;
        let request = sent.ok()?.create_account_status?.id?;
        self.aws.advance(Duration::from_mins(1));
        let asked = self.client.describe_create_account_status().create_account_request_id(request);
        let status = asked.send().await.ok()?.create_account_status?;
        (status.state == Some(CreateAccountState::Succeeded)).then_some(status.account_id?)
    }
}

/// Eight folders under `faults`: (names that accounts bear, accounts that bear the name of another, accounts that their
/// maker does not know of).
async fn rollout(faults: Vec<Fault>) -> (usize, usize, usize) {
    let aws = held().await;
    let naive = Naive::new(&aws).await;
    aws.sow(11);
    faults.into_iter().for_each(|fault| aws.add_fault(fault));
    let mut known = 0;
    for folder in 0..8 {
        known += usize::from(naive.account(&format!("folder-{folder}")).await.is_some());
        // The rate of creations is not what this is about.
        aws.advance(Duration::from_mins(5));
    }
    let made: Vec<_> = aws.accounts().into_iter().map(|account| account.name).collect();
    let members: Vec<_> = made.iter().filter(|name| name.starts_with("folder-")).collect();
    let names: std::collections::BTreeSet<_> = members.iter().collect();
    (names.len(), members.len() - names.len(), members.len() - known)
}

#[tokio::test]
async fn a_naive_client_makes_each_account_once_while_nothing_goes_wrong() {
    assert_eq!(rollout(Vec::new()).await, (8, 0, 0));
}

#[tokio::test]
async fn a_naive_client_makes_accounts_twice_when_answers_get_lost() {
    let calls = Calls::from("CreateAccount");
    for trouble in [Trouble::DropAfter, Trouble::Truncate, Trouble::HangAfter, Trouble::ErrorAfter(500)] {
        let faults = Fault::mix(&calls, &[(0.5, trouble.clone())]);
        let (_, twice, orphans) = rollout(faults).await;
        assert!(twice > 0 && orphans > 0, "{trouble:?}: {twice} twice, {orphans} unknown to their maker");
    }
}

#[tokio::test]
async fn a_naive_client_is_not_harmed_by_what_goes_wrong_before_the_call() {
    for trouble in [Trouble::DropBefore, Trouble::ErrorBefore(500), Trouble::Hang] {
        let faults = vec![Fault::new("CreateAccount", When::Chance(0.3), trouble.clone())];
        let (_, twice, orphans) = rollout(faults).await;
        assert_eq!((twice, orphans), (0, 0), "{trouble:?}");
    }
}
