//! Service roles: passed to `CloudFormation`, which then works with their rights and not with the caller's.

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::types::ChangeSetType;

use super::stacks::{Place, REGION, TEMPLATE, place};
use super::{client, inside};

const LOGS: &str = "Resources: {Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: app}}}";
const ALLOW_LOGS: &str = r#"{"Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}"#;

/// A role that this service may work as, and that may work on logs.
async fn role_for(place: &Place, name: &str, service: &str) -> String {
    let iam = aws_sdk_iam::Client::new(&inside(&place.aws, &place.account, REGION).await);
    let trust = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"Service":"{service}"}}}}]}}"#
    );
    iam.create_role().role_name(name).assume_role_policy_document(trust).send().await.unwrap();
    iam.put_role_policy()
        .role_name(name)
        .policy_name("logs")
        .policy_document(ALLOW_LOGS)
        .send()
        .await
        .unwrap();
    format!("arn:aws:iam::{}:role/{name}", place.account)
}

#[tokio::test]
async fn a_service_role_has_to_be_there_and_to_trust_cloudformation() {
    let place = place().await;
    let other = role_for(&place, "Machines", "ec2.amazonaws.com").await;
    for role in [other, format!("arn:aws:iam::{}:role/Nobody", place.account)] {
        let call = place.change_set("one", ChangeSetType::Create, LOGS).role_arn(&role);
        let error = call.send().await.unwrap_err();
        assert_eq!(error.code(), Some("ValidationError"));
        assert_eq!(error.message(), Some(format!("Role {role} is invalid or cannot be assumed").as_str()));
    }
}

#[tokio::test]
async fn resources_are_made_with_the_rights_of_the_service_role_and_deleted_with_them_too() {
    let place = place().await;
    let role = role_for(&place, "Logs", "cloudformation.amazonaws.com").await;
    place.apply(place.change_set("one", ChangeSetType::Create, LOGS).role_arn(&role)).await;
    assert_eq!(place.status(), "CREATE_COMPLETE");
    // The caller is an administrator; that does not count, now or later.
    place.apply(place.change_set("two", ChangeSetType::Update, TEMPLATE)).await;
    assert_eq!(place.status(), "UPDATE_ROLLBACK_COMPLETE");
    let described = place.client.describe_stacks().stack_name("roles").send().await.unwrap();
    assert_eq!(described.stacks()[0].role_arn(), Some(role.as_str()));

    let iam = aws_sdk_iam::Client::new(&inside(&place.aws, &place.account, REGION).await);
    iam.delete_role_policy().role_name("Logs").policy_name("logs").send().await.unwrap();
    place.client.delete_stack().stack_name("roles").send().await.unwrap();
    place.aws.advance(std::time::Duration::from_mins(1));
    assert_eq!(place.status(), "DELETE_FAILED");
}

#[tokio::test]
async fn who_may_not_pass_a_role_cannot_use_it() {
    let place = place().await;
    let role = role_for(&place, "Logs", "cloudformation.amazonaws.com").await;
    let policies = ["arn:aws:iam::aws:policy/AWSCloudFormationFullAccess"];
    let keys = place.aws.add_user(&place.account, "bob", &policies);
    let bob = Client::new(&client(&place.aws, &keys, REGION).await);
    let call = bob.create_change_set().stack_name("roles").change_set_name("one").template_body(LOGS);
    let error = call.change_set_type(ChangeSetType::Create).role_arn(&role).send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
    assert!(error.message().unwrap().contains(&format!("iam:PassRole on resource: {role}")), "{error:?}");

    place.apply(place.change_set("one", ChangeSetType::Create, LOGS).role_arn(&role)).await;
    let error = bob.delete_stack().stack_name("roles").send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
}
