//! The simulated AWS, judged through the real SDK: it must refuse what AWS refuses.
#![expect(clippy::unwrap_used, reason = "a step of a story that fails ends the test, also in a helper")]

mod accounts;
mod drift;
mod faults;
mod identities;
mod naive;
mod policies;
mod saml;
mod service_roles;
mod stacks;
mod trouble;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::Credentials as Keys;
use landfast::sandbox::aws::{Config, Credentials, Pace, SimulatedAws};

pub(crate) const MANAGEMENT: &str = "999988887777";

/// A simulation whose clock is held.
pub(crate) async fn held() -> SimulatedAws {
    SimulatedAws::start(Config { pace: Pace::Held, ..Config::default() }).await.unwrap()
}

/// A client configuration that sends each call once and waits three seconds at most.
pub(crate) async fn client(aws: &SimulatedAws, keys: &Credentials, region: &str) -> SdkConfig {
    let keys = Keys::new(&keys.access_key, &keys.secret_key, keys.session_token.clone(), None, "test");
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(aws.endpoint())
        .region(Region::new(region.to_owned()))
        .credentials_provider(keys)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(3)).build())
        .load()
        .await
}

/// The administrator of the management account.
pub(crate) async fn admin(aws: &SimulatedAws) -> SdkConfig {
    client(aws, &aws.credentials(), "us-east-1").await
}

/// A session of the access role in `account`.
pub(crate) async fn inside(aws: &SimulatedAws, account: &str, region: &str) -> SdkConfig {
    inside_as(aws, account, "OrganizationAccountAccessRole", "tester", region).await
}

/// A session of this role, with this name.
pub(crate) async fn inside_as(
    aws: &SimulatedAws,
    account: &str,
    role: &str,
    session: &str,
    region: &str,
) -> SdkConfig {
    let arn = format!("arn:aws:iam::{account}:role/{role}");
    let sts = aws_sdk_sts::Client::new(&admin(aws).await);
    let answer = sts.assume_role().role_arn(arn).role_session_name(session).send().await.unwrap();
    let keys = answer.credentials.unwrap();
    let keys = Credentials {
        access_key: keys.access_key_id,
        secret_key: keys.secret_access_key,
        session_token: Some(keys.session_token),
    };
    client(aws, &keys, region).await
}

/// Makes an account and waits, on the simulation's clock, until its role can be assumed.
pub(crate) async fn new_account(aws: &SimulatedAws, name: &str) -> String {
    let organizations = aws_sdk_organizations::Client::new(&admin(aws).await);
    let email = format!("aws+{name}@example.com");
    organizations.create_account().account_name(name).email(&email).send().await.unwrap();
    aws.advance(Duration::from_mins(1));
    aws.advance(Duration::from_secs(10));
    aws.account_by_email(&email).unwrap().id
}
