//! STS, IAM and `CloudTrail`: who may do what, and who is seen to have done it.

use std::time::Duration;

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_sdk_sts::error::ProvideErrorMetadata as _;
use landfast::sandbox::aws::{Credentials, SimulatedAws};

use super::{MANAGEMENT, admin, client, held, inside, inside_as, new_account};

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

async fn assume(aws: &SimulatedAws, arn: &str) -> Result<String, String> {
    let sts = aws_sdk_sts::Client::new(&admin(aws).await);
    match sts.assume_role().role_arn(arn).role_session_name("tester").send().await {
        Ok(answer) => Ok(answer.assumed_role_user.unwrap().arn),
        Err(error) => Err(error.code().unwrap_or("no code").to_owned()),
    }
}

async fn caller(config: &aws_config::SdkConfig) -> Result<String, String> {
    match aws_sdk_sts::Client::new(config).get_caller_identity().send().await {
        Ok(answer) => Ok(answer.arn.unwrap()),
        Err(error) => Err(error.code().unwrap_or("no code").to_owned()),
    }
}

#[tokio::test]
async fn a_key_acts_for_nobody_else() {
    let aws = held().await;
    let right = aws.credentials();
    assert_eq!(caller(&admin(&aws).await).await.unwrap(), format!("arn:aws:iam::{MANAGEMENT}:user/admin"));
    let wrong = |change: fn(&mut Credentials)| {
        let mut keys = right.clone();
        change(&mut keys);
        keys
    };
    let cases = [
        (wrong(|keys| keys.secret_key.push('x')), "SignatureDoesNotMatch"),
        (wrong(|keys| keys.access_key.push('x')), "InvalidClientTokenId"),
        (wrong(|keys| keys.session_token = Some("bogus".to_owned())), "InvalidClientTokenId"),
    ];
    for (keys, code) in cases {
        assert_eq!(caller(&client(&aws, &keys, "us-east-1").await).await, Err(code.to_owned()));
    }
}

#[tokio::test]
async fn a_fresh_account_can_be_entered_only_when_its_role_has_spread() {
    let aws = held().await;
    let organizations = aws_sdk_organizations::Client::new(&admin(&aws).await);
    organizations.create_account().account_name("pay").email("aws+pay@example.com").send().await.unwrap();
    aws.advance(Duration::from_mins(1));
    let id = aws.account_by_email("aws+pay@example.com").unwrap().id;
    let arn = format!("arn:aws:iam::{id}:role/OrganizationAccountAccessRole");
    assert_eq!(assume(&aws, &arn).await, Err("AccessDenied".to_owned()));
    aws.advance(Duration::from_secs(10));
    let expected = format!("arn:aws:sts::{id}:assumed-role/OrganizationAccountAccessRole/tester");
    assert_eq!(assume(&aws, &arn).await, Ok(expected.clone()));
    assert_eq!(caller(&inside(&aws, &id, "eu-west-1").await).await, Ok(expected));
}

#[tokio::test]
async fn only_a_role_that_exists_trusts_the_caller_and_is_in_an_active_account_is_assumed() {
    let aws = held().await;
    let (one, two) = (new_account(&aws, "one").await, new_account(&aws, "two").await);
    let denied = Err("AccessDenied".to_owned());
    assert_eq!(assume(&aws, &format!("arn:aws:iam::{one}:role/Nobody")).await, denied);

    let iam = aws_sdk_iam::Client::new(&inside(&aws, &one, "us-east-1").await);
    let trust = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":"arn:aws:iam::{MANAGEMENT}:root"}},
            "Condition":{{"StringEquals":{{"sts:ExternalId":"acme"}}}}}}]}}"#
    );
    iam.create_role().role_name("Guarded").assume_role_policy_document(trust).send().await.unwrap();
    let arn = format!("arn:aws:iam::{one}:role/Guarded");
    assert_eq!(assume(&aws, &arn).await, denied);
    let sts = aws_sdk_sts::Client::new(&admin(&aws).await);
    let with_id =
        sts.assume_role().role_arn(&arn).role_session_name("tester").external_id("acme").send().await;
    assert!(with_id.is_ok());

    let from_one = aws_sdk_sts::Client::new(&inside(&aws, &one, "us-east-1").await);
    let sideways = format!("arn:aws:iam::{two}:role/OrganizationAccountAccessRole");
    let refused =
        from_one.assume_role().role_arn(sideways).role_session_name("tester").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("AccessDenied"));

    aws.suspend(&two);
    assert_eq!(assume(&aws, &format!("arn:aws:iam::{two}:role/OrganizationAccountAccessRole")).await, denied);
}

#[tokio::test]
async fn a_session_ends_and_says_so() {
    let aws = held().await;
    let id = new_account(&aws, "pay").await;
    let session = inside(&aws, &id, "us-east-1").await;
    aws.expire_sessions();
    assert_eq!(caller(&session).await, Err("ExpiredToken".to_owned()));
}

#[tokio::test]
async fn a_reader_reads_and_does_not_write() {
    let aws = held().await;
    let id = new_account(&aws, "pay").await;
    let admin = aws_sdk_iam::Client::new(&inside(&aws, &id, "us-east-1").await);
    let trust = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":"{MANAGEMENT}"}}}}]}}"#
    );
    admin.create_role().role_name("Reader").assume_role_policy_document(trust).send().await.unwrap();
    admin.attach_role_policy().role_name("Reader").policy_arn(READ_ONLY).send().await.unwrap();

    let reader = aws_sdk_iam::Client::new(&inside_as(&aws, &id, "Reader", "bob", "us-east-1").await);
    assert_eq!(reader.get_account_password_policy().send().await.unwrap_err().code(), Some("NoSuchEntity"));
    let refused =
        reader.update_account_password_policy().minimum_password_length(8).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("AccessDenied"));
    assert!(refused.message().unwrap().starts_with(&format!(
        "User: arn:aws:sts::{id}:assumed-role/Reader/bob is not authorized to perform: iam:UpdateAccountPasswordPolicy"
    )));
    assert_eq!(aws.password_policy(&id), None);

    aws.deny(&id, &["iam:Get*"]);
    let refused = reader.get_account_password_policy().send().await.unwrap_err();
    assert!(refused.message().unwrap().ends_with("with an explicit deny in a service control policy"));
}

#[tokio::test]
async fn an_update_of_the_password_policy_replaces_all_of_it() {
    let aws = held().await;
    let id = new_account(&aws, "pay").await;
    let iam = aws_sdk_iam::Client::new(&inside(&aws, &id, "us-east-1").await);
    let strong = iam.update_account_password_policy().minimum_password_length(14).require_symbols(true);
    strong.max_password_age(90).send().await.unwrap();
    let policy = iam.get_account_password_policy().send().await.unwrap().password_policy.unwrap();
    assert_eq!((policy.minimum_password_length, policy.expire_passwords), (Some(14), true));
    iam.update_account_password_policy().minimum_password_length(8).send().await.unwrap();
    let policy = iam.get_account_password_policy().send().await.unwrap().password_policy.unwrap();
    assert_eq!((policy.minimum_password_length, policy.require_symbols), (Some(8), false));
    assert_eq!((policy.max_password_age, policy.expire_passwords), (None, false));
}

#[tokio::test]
async fn an_alias_is_one_of_a_kind() {
    let aws = held().await;
    let (one, two) = (new_account(&aws, "one").await, new_account(&aws, "two").await);
    let one = aws_sdk_iam::Client::new(&inside(&aws, &one, "us-east-1").await);
    let other = aws_sdk_iam::Client::new(&inside(&aws, &two, "us-east-1").await);
    one.create_account_alias().account_alias("acme").send().await.unwrap();
    let refused = other.create_account_alias().account_alias("acme").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("EntityAlreadyExists"));
    assert_eq!(other.list_account_aliases().send().await.unwrap().account_aliases(), Vec::<String>::new());
}

#[tokio::test]
async fn the_trail_names_who_did_it_but_not_at_once() {
    let aws = held().await;
    let id = new_account(&aws, "pay").await;
    let alice = inside_as(&aws, &id, "OrganizationAccountAccessRole", "alice", "us-east-1").await;
    let iam = aws_sdk_iam::Client::new(&alice);
    iam.update_account_password_policy().minimum_password_length(6).send().await.unwrap();
    let trail = aws_sdk_cloudtrail::Client::new(&alice);
    let attribute = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::EventName)
        .attribute_value("UpdateAccountPasswordPolicy")
        .build()
        .unwrap();
    let look = || trail.lookup_events().lookup_attributes(attribute.clone()).send();
    assert_eq!(look().await.unwrap().events().len(), 0);
    aws.advance(Duration::from_mins(1));
    let found = look().await.unwrap();
    let event = &found.events()[0];
    assert_eq!((found.events().len(), event.username()), (1, Some("alice")));
    let full: serde_json::Value = serde_json::from_str(event.cloud_trail_event().unwrap()).unwrap();
    let arn = format!("arn:aws:sts::{id}:assumed-role/OrganizationAccountAccessRole/alice");
    assert_eq!(full["userIdentity"]["arn"], arn);
    assert_eq!(full["requestParameters"]["minimumPasswordLength"], "6");
    assert!(look().await.is_ok());
    assert_eq!(look().await.unwrap_err().code(), Some("ThrottlingException"), "two a second");
}

#[tokio::test]
async fn the_trail_has_fifty_events_a_page_newest_first() {
    let aws = held().await;
    let id = new_account(&aws, "pay").await;
    let session = inside(&aws, &id, "us-east-1").await;
    let iam = aws_sdk_iam::Client::new(&session);
    for length in 6..66 {
        iam.update_account_password_policy().minimum_password_length(length).send().await.unwrap();
        aws.advance(Duration::from_secs(1));
    }
    aws.advance(Duration::from_mins(1));
    let trail = aws_sdk_cloudtrail::Client::new(&session);
    let first = trail.lookup_events().send().await.unwrap();
    let second = trail.lookup_events().next_token(first.next_token().unwrap()).send().await.unwrap();
    assert_eq!((first.events().len(), second.events().len(), second.next_token()), (50, 10, None));
    assert!(first.events()[0].cloud_trail_event().unwrap().contains(r#""minimumPasswordLength":"65""#));
}
