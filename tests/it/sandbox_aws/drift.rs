//! Drift: found in the resources themselves, outlives an update, ends by a change set that reverts it.

use std::time::Duration;

use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::types::{ChangeSetType, DeploymentMode, StackResourceDrift};
use serde_json::json;

use super::stacks::{Place, REGION, TEMPLATE, place};
use super::{inside, inside_as};

const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const READ: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

async fn stacked() -> Place {
    let place = place().await;
    place.apply(place.change_set("one", ChangeSetType::Create, TEMPLATE)).await;
    place
}

async fn widen(place: &Place) {
    let alice =
        inside_as(&place.aws, &place.account, "OrganizationAccountAccessRole", "alice", "us-east-1").await;
    let iam = aws_sdk_iam::Client::new(&alice);
    iam.attach_role_policy().role_name("AWS-NetOps").policy_arn(ADMIN).send().await.unwrap();
}

/// Detects, and gives the stack's drift status and what drifted.
async fn detect(place: &Place) -> (String, Vec<StackResourceDrift>) {
    let begun = place.client.detect_stack_drift().stack_name("roles").send().await.unwrap();
    place.aws.advance(Duration::from_secs(5));
    let id = begun.stack_drift_detection_id().unwrap();
    let status = place
        .client
        .describe_stack_drift_detection_status()
        .stack_drift_detection_id(id)
        .send()
        .await
        .unwrap();
    let drifts = place.client.describe_stack_resource_drifts().stack_name("roles").send().await.unwrap();
    let drifts = drifts.stack_resource_drifts.unwrap_or_default();
    let drifted =
        drifts.into_iter().filter(|drift| drift.stack_resource_drift_status().unwrap().as_str() != "IN_SYNC");
    (status.stack_drift_status.unwrap().as_str().to_owned(), drifted.collect())
}

#[tokio::test]
async fn a_fresh_stack_is_in_sync() {
    let place = stacked().await;
    assert_eq!(detect(&place).await, ("IN_SYNC".to_owned(), Vec::new()));
}

#[tokio::test]
async fn a_policy_attached_by_hand_is_drift_with_its_place_and_kind() {
    let place = stacked().await;
    widen(&place).await;
    let (status, drifted) = detect(&place).await;
    assert_eq!((status.as_str(), drifted.len()), ("DRIFTED", 1));
    let difference = &drifted[0].property_differences()[0];
    assert_eq!(drifted[0].logical_resource_id(), Some("Role"));
    assert_eq!(difference.property_path(), Some("/ManagedPolicyArns/1"));
    assert_eq!(difference.difference_type().unwrap().as_str(), "ADD");
    assert_eq!(difference.actual_value(), Some(ADMIN));
    let actual: serde_json::Value = serde_json::from_str(drifted[0].actual_properties().unwrap()).unwrap();
    assert_eq!(actual["ManagedPolicyArns"], json!([READ, ADMIN]));
}

#[tokio::test]
async fn a_role_deleted_by_hand_is_drift_and_a_topic_changed_is_too() {
    let place = stacked().await;
    let iam = aws_sdk_iam::Client::new(&inside(&place.aws, &place.account, "us-east-1").await);
    iam.detach_role_policy().role_name("AWS-NetOps").policy_arn(READ).send().await.unwrap();
    iam.delete_role().role_name("AWS-NetOps").send().await.unwrap();
    let topic = place.aws.stack(&place.account, REGION, "roles").unwrap().resources["Topic"].1.clone();
    let change = Some(("DisplayName", json!("nothing")));
    place.aws.tamper(&place.account, REGION, "AWS::SNS::Topic", &topic, change);
    let (_, drifted) = detect(&place).await;
    let statuses: Vec<_> = drifted
        .iter()
        .map(|drift| {
            (drift.logical_resource_id().unwrap(), drift.stack_resource_drift_status().unwrap().as_str())
        })
        .collect();
    assert_eq!(statuses, [("Role", "DELETED"), ("Topic", "MODIFIED")]);

    let set = place
        .change_set("back", ChangeSetType::Update, TEMPLATE)
        .deployment_mode(DeploymentMode::RevertDrift);
    place.apply(set).await;
    assert_eq!(place.status(), "UPDATE_COMPLETE");
    assert_eq!(place.aws.roles(&place.account)["AWS-NetOps"].attached, [READ]);
    assert_eq!(detect(&place).await.0, "IN_SYNC");
}

#[tokio::test]
async fn an_ordinary_change_set_cannot_see_drift_and_one_that_reverts_it_can() {
    let place = stacked().await;
    widen(&place).await;
    place.change_set("blind", ChangeSetType::Update, TEMPLATE).send().await.unwrap();
    let seeing = place
        .change_set("seeing", ChangeSetType::Update, TEMPLATE)
        .deployment_mode(DeploymentMode::RevertDrift);
    seeing.send().await.unwrap();
    place.aws.advance(Duration::from_secs(3));
    assert_eq!(place.described("blind").await.status().unwrap().as_str(), "FAILED");
    let seen = place.described("seeing").await;
    let change = seen.changes()[0].resource_change().unwrap();
    assert_eq!(change.resource_drift_status().unwrap().as_str(), "MODIFIED");

    place.client.execute_change_set().stack_name("roles").change_set_name("seeing").send().await.unwrap();
    place.aws.advance(Duration::from_mins(1));
    assert_eq!(place.status(), "UPDATE_COMPLETE");
    assert_eq!(place.aws.roles(&place.account)["AWS-NetOps"].attached, [READ]);
    let stack = place.client.describe_stacks().stack_name("roles").send().await.unwrap();
    let drift =
        stack.stacks()[0].drift_information().unwrap().stack_drift_status().unwrap().as_str().to_owned();
    assert_eq!(drift, "NOT_CHECKED", "an update makes what was known about drift old");
    assert_eq!(detect(&place).await.0, "IN_SYNC");
}

#[tokio::test]
async fn an_update_of_something_else_leaves_drift_where_it_is() {
    let place = stacked().await;
    widen(&place).await;
    let news = TEMPLATE.replace("alerts of", "news of");
    place.change_set("two", ChangeSetType::Update, &news).send().await.unwrap();
    place.aws.advance(Duration::from_secs(3));
    place.client.execute_change_set().stack_name("roles").change_set_name("two").send().await.unwrap();
    place.aws.advance(Duration::from_mins(1));
    assert_eq!(place.aws.roles(&place.account)["AWS-NetOps"].attached, [ADMIN, READ]);
    assert_eq!(detect(&place).await.0, "DRIFTED");
}

#[tokio::test]
async fn a_second_detection_at_once_is_refused_and_asking_is_not_a_mutation() {
    let place = stacked().await;
    let before = place.aws.mutations().len();
    place.client.detect_stack_drift().stack_name("roles").send().await.unwrap();
    let second = place.client.detect_stack_drift().stack_name("roles").send().await.unwrap_err();
    assert!(second.message().unwrap().starts_with("Drift detection is already in progress for stack"));
    assert_eq!(place.aws.mutations().len(), before);
}

#[tokio::test]
async fn a_detection_can_fail_and_then_the_drift_is_unknown() {
    let place = stacked().await;
    place.aws.fail_drift_detection(
        &place.account,
        REGION,
        "roles",
        "Failed to detect drift on resource [Topic]",
    );
    assert_eq!(detect(&place).await.0, "UNKNOWN");
}

#[tokio::test]
async fn the_trail_tells_a_stacks_hand_from_a_persons() {
    let place = stacked().await;
    widen(&place).await;
    let events =
        |name: &str| place.aws.last_event(&place.account, name).unwrap()["CloudTrailEvent"].to_string();
    assert!(events("CreateRole").contains(r#"\"invokedBy\":\"cloudformation.amazonaws.com\""#));
    assert!(!events("AttachRolePolicy").contains("invokedBy"));
    assert!(events("AttachRolePolicy").contains("OrganizationAccountAccessRole/alice"));
}
