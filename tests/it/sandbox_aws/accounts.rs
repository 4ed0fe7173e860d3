//! Organizations: how accounts come to be, and what is refused.

use std::time::Duration;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::error::ProvideErrorMetadata as _;
use aws_sdk_organizations::operation::create_account::CreateAccountOutput;
use aws_sdk_organizations::types::{CreateAccountState, Tag};
use landfast::sandbox::aws::{Config, Pace, SimulatedAws, Standing};

use super::{MANAGEMENT, admin, held, inside, new_account};

async fn organizations(aws: &SimulatedAws) -> Client {
    Client::new(&admin(aws).await)
}

async fn create(client: &Client, name: &str, email: &str) -> CreateAccountOutput {
    client.create_account().account_name(name).email(email).send().await.unwrap()
}

async fn status(client: &Client, created: &CreateAccountOutput) -> (String, String, Option<String>) {
    let id = created.create_account_status().unwrap().id().unwrap();
    let answer = client.describe_create_account_status().create_account_request_id(id).send().await.unwrap();
    let status = answer.create_account_status.unwrap();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    (
        text(status.state.as_ref().map(CreateAccountState::as_str)),
        text(
            status
                .failure_reason
                .as_ref()
                .map(aws_sdk_organizations::types::CreateAccountFailureReason::as_str),
        ),
        status.account_id,
    )
}

#[tokio::test]
async fn an_account_is_there_only_after_its_time() {
    let aws = held().await;
    let client = organizations(&aws).await;
    let tag = Tag::builder().key("landfast:owner").value("acme").build().unwrap();
    let request = client.create_account().account_name("Payments").email("aws+pay@example.com").tags(tag);
    let created = request.send().await.unwrap();
    assert_eq!(status(&client, &created).await.0, "IN_PROGRESS");
    assert_eq!(aws.accounts().len(), 1);

    aws.advance(Duration::from_secs(59));
    assert_eq!(status(&client, &created).await.0, "IN_PROGRESS");
    aws.advance(Duration::from_secs(1));

    let (state, _, id) = status(&client, &created).await;
    let account = aws.account_by_email("AWS+pay@example.com").unwrap();
    assert_eq!((state.as_str(), id.as_deref()), ("SUCCEEDED", Some(account.id.as_str())));
    assert_eq!(account.tags["landfast:owner"], "acme");
    assert_eq!((account.standing, account.ou.as_str()), (Standing::Active, "/"));
    let listed = client.list_accounts().send().await.unwrap();
    let listed = listed.accounts().iter().find(|listed| listed.id() == Some(&account.id)).unwrap();
    assert_eq!(listed.paths(), [format!("o-exampleorgid/{}/{}/", aws.root_id(), account.id)]);
    assert_eq!(listed.state().unwrap().as_str(), "ACTIVE");
}

#[tokio::test]
async fn an_email_is_used_once_whatever_its_case() {
    let aws = held().await;
    let client = organizations(&aws).await;
    create(&client, "one", "aws+one@example.com").await;
    let twin = create(&client, "one", "AWS+ONE@example.com").await;
    aws.advance(Duration::from_secs(60));
    let late = create(&client, "two", "aws+One@example.com").await;
    aws.advance(Duration::from_secs(60));
    assert_eq!(status(&client, &twin).await.1, "CONCURRENT_ACCOUNT_MODIFICATION");
    assert_eq!(status(&client, &late).await.1, "EMAIL_ALREADY_EXISTS");
    assert_eq!(aws.accounts().len(), 2);
}

#[tokio::test]
async fn the_sixth_creation_in_progress_is_refused() {
    let aws = SimulatedAws::start(Config {
        pace: Pace::Held,
        account_creation: Duration::from_secs(600),
        ..Config::default()
    })
    .await
    .unwrap();
    let client = organizations(&aws).await;
    for n in 0..5 {
        create(&client, &format!("account {n}"), &format!("aws+{n}@example.com")).await;
        aws.advance(Duration::from_secs(10));
    }
    let sixth =
        client.create_account().account_name("sixth").email("aws+6@example.com").send().await.unwrap_err();
    let sixth = sixth.into_service_error();
    assert_eq!(sixth.code(), Some("ConstraintViolationException"));
    assert!(format!("{sixth:?}").contains("AccountCreationRateLimitExceeded"), "{sixth:?}");
}

#[tokio::test]
async fn a_fourth_creation_at_once_is_throttled_and_a_later_one_is_not() {
    let aws = held().await;
    let client = organizations(&aws).await;
    for n in 0..3 {
        create(&client, &format!("account {n}"), &format!("aws+{n}@example.com")).await;
    }
    let fourth = || client.create_account().account_name("fourth").email("aws+4@example.com").send();
    assert_eq!(fourth().await.unwrap_err().code(), Some("TooManyRequestsException"));
    aws.advance(Duration::from_secs(9));
    assert_eq!(fourth().await.unwrap_err().code(), Some("TooManyRequestsException"));
    aws.advance(Duration::from_secs(10));
    assert!(fourth().await.is_ok());
}

#[tokio::test]
async fn a_listing_has_twenty_accounts_a_page() {
    let aws = held().await;
    let client = organizations(&aws).await;
    for n in 0..24 {
        create(&client, &format!("account {n}"), &format!("aws+{n}@example.com")).await;
        aws.advance(Duration::from_secs(60));
    }
    let first = client.list_accounts().send().await.unwrap();
    assert_eq!(first.accounts().len(), 20);
    let second = client.list_accounts().next_token(first.next_token().unwrap()).send().await.unwrap();
    assert_eq!((second.accounts().len(), second.next_token()), (5, None));
}

#[tokio::test]
async fn an_account_moves_only_from_where_it_is() {
    let aws = held().await;
    let client = organizations(&aws).await;
    let id = new_account(&aws, "pay").await;
    let root = aws.root_id();
    let ou = || client.create_organizational_unit().parent_id(&root).name("workloads").send();
    let workloads = ou().await.unwrap().organizational_unit.unwrap().id.unwrap();
    assert_eq!(ou().await.unwrap_err().code(), Some("DuplicateOrganizationalUnitException"));

    let go = |from: &str, to: &str| {
        client.move_account().account_id(&id).source_parent_id(from).destination_parent_id(to).send()
    };
    assert_eq!(
        go(&root, "ou-none-00000000").await.unwrap_err().code(),
        Some("DestinationParentNotFoundException")
    );
    assert_eq!(go(&workloads, &root).await.unwrap_err().code(), Some("DuplicateAccountException"));
    go(&root, &workloads).await.unwrap();
    assert_eq!(aws.account_by_email("aws+pay@example.com").unwrap().ou, "/workloads");
    assert_eq!(go(&root, &workloads).await.unwrap_err().code(), Some("DuplicateAccountException"));
    let prod = client.create_organizational_unit().parent_id(&workloads).name("prod").send().await.unwrap();
    let prod = prod.organizational_unit.unwrap().id.unwrap();
    assert_eq!(go(&root, &prod).await.unwrap_err().code(), Some("SourceParentNotFoundException"));
    assert_eq!(aws.ous()["/workloads/prod"], prod);
}

#[tokio::test]
async fn a_member_may_not_look_at_the_organization() {
    let aws = held().await;
    let id = new_account(&aws, "pay").await;
    let member = Client::new(&inside(&aws, &id, "us-east-1").await);
    assert_eq!(member.list_accounts().send().await.unwrap_err().code(), Some("AccessDeniedException"));
    let organization = member.describe_organization().send().await.unwrap().organization.unwrap();
    assert_eq!(organization.master_account_id(), Some(MANAGEMENT));
}

#[tokio::test]
async fn a_closed_account_passes_through_pending_closure() {
    let aws = held().await;
    let client = organizations(&aws).await;
    let id = new_account(&aws, "old").await;
    let close = || client.close_account().account_id(&id).send();
    close().await.unwrap();
    assert_eq!(close().await.unwrap_err().code(), Some("ConflictException"));
    aws.advance(Duration::from_secs(60));
    assert_eq!(close().await.unwrap_err().code(), Some("AccountAlreadyClosedException"));
    assert_eq!(aws.account_by_email("aws+old@example.com").unwrap().standing, Standing::Closed);
    let management = client.close_account().account_id(MANAGEMENT).send().await.unwrap_err();
    assert_eq!(management.code(), Some("ConstraintViolationException"));
}

#[tokio::test]
async fn tags_are_kept_by_key_and_paged_with_their_owner() {
    let aws = held().await;
    let client = organizations(&aws).await;
    let root = aws.root_id();
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    client.tag_resource().resource_id(&root).tags(tag("a", "1")).tags(tag("b", "2")).send().await.unwrap();
    client.untag_resource().resource_id(&root).tag_keys("a").send().await.unwrap();
    let tags = client.list_tags_for_resource().resource_id(&root).send().await.unwrap();
    assert_eq!(tags.tags(), [tag("b", "2")]);
    let missing = client.list_tags_for_resource().resource_id("000000000000").send().await.unwrap_err();
    assert_eq!(missing.code(), Some("TargetNotFoundException"));
}
