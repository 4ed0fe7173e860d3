//! States: how a stack, a change set, a drift detection or an account stands.

use aws_sdk_cloudformation::types::{
    ChangeSetStatus, ExecutionStatus, StackDriftStatus, StackResourceDriftStatus, StackStatus,
};
use landfast::model::status::{Drift, Readiness, Standing, is_drift_detectable};

use aws_sdk_cloudformation::types::StackDriftDetectionStatus;
use aws_sdk_organizations::types::{AccountState, AccountStatus, CreateAccountState, PolicyTypeStatus};
use serde_json::{Value, json};

use super::decisions::policies_planned;
use super::table;
use super::wire::{detection, organizations};

fn known<T: std::fmt::Debug>(of: Option<T>) -> String {
    of.map_or("NO CLASS".to_owned(), |of| format!("{of:?}").to_lowercase())
}

#[test]
fn every_stack_status_has_a_standing() {
    let line = |status: &&str| {
        let detectable = if is_drift_detectable(status) { ", drift is detected" } else { "" };
        format!("{status}: {}{detectable}", known(Standing::known(status)))
    };
    insta::assert_snapshot!(table(StackStatus::values().iter().map(line)), @r"
    CREATE_COMPLETE: whole, drift is detected
    CREATE_FAILED: broken
    CREATE_IN_PROGRESS: moving
    DELETE_COMPLETE: gone
    DELETE_FAILED: broken
    DELETE_IN_PROGRESS: moving
    IMPORT_COMPLETE: whole
    IMPORT_IN_PROGRESS: moving
    IMPORT_ROLLBACK_COMPLETE: restored
    IMPORT_ROLLBACK_FAILED: broken
    IMPORT_ROLLBACK_IN_PROGRESS: moving
    REVIEW_IN_PROGRESS: shell
    ROLLBACK_COMPLETE: fallen
    ROLLBACK_FAILED: broken
    ROLLBACK_IN_PROGRESS: moving
    UPDATE_COMPLETE: whole, drift is detected
    UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: moving
    UPDATE_FAILED: broken
    UPDATE_IN_PROGRESS: moving
    UPDATE_ROLLBACK_COMPLETE: restored, drift is detected
    UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS: moving
    UPDATE_ROLLBACK_FAILED: broken, drift is detected
    UPDATE_ROLLBACK_IN_PROGRESS: moving
    ");
}

#[test]
fn every_state_of_a_change_set_has_a_readiness() {
    let made = |status: &&&str| **status == "CREATE_COMPLETE";
    let line = |status: &&str, execution: &str| {
        format!("{status} {execution}: {}", known(Readiness::known(status, execution)))
    };
    let (worked_out, others): (Vec<&&str>, Vec<&&str>) = ChangeSetStatus::values().iter().partition(made);
    let others = others.into_iter().map(|status| line(status, "any"));
    let executions = ExecutionStatus::values().iter();
    let worked_out =
        executions.flat_map(|execution| worked_out.iter().map(move |status| line(status, execution)));
    insta::assert_snapshot!(table(others.chain(worked_out)), @r"
    CREATE_IN_PROGRESS any: working
    CREATE_PENDING any: working
    DELETE_COMPLETE any: gone
    DELETE_FAILED any: broken
    DELETE_IN_PROGRESS any: leaving
    DELETE_PENDING any: leaving
    FAILED any: refused
    CREATE_COMPLETE AVAILABLE: ready
    CREATE_COMPLETE EXECUTE_COMPLETE: executed
    CREATE_COMPLETE EXECUTE_FAILED: executed
    CREATE_COMPLETE EXECUTE_IN_PROGRESS: executed
    CREATE_COMPLETE OBSOLETE: outofdate
    CREATE_COMPLETE UNAVAILABLE: working
    ");
}

#[test]
fn every_drift_status_is_found_none_or_unseen() {
    let line = |status: &&str| format!("{status}: {}", known(Drift::known(status)));
    insta::assert_snapshot!(table(StackDriftStatus::values().iter().map(line)), @r"
    DRIFTED: found
    IN_SYNC: none
    NOT_CHECKED: unseen
    UNKNOWN: unseen
    ");
    insta::assert_snapshot!(table(StackResourceDriftStatus::values().iter().map(line)), @r"
    DELETED: found
    IN_SYNC: none
    MODIFIED: found
    NOT_CHECKED: unseen
    UNKNOWN: unseen
    UNSUPPORTED: unseen
    ");
}

#[test]
fn a_word_nobody_knows_leads_to_less_being_done() {
    assert_eq!(Standing::of("SOMETHING_NEW_IN_PROGRESS"), Standing::Moving);
    assert_eq!(Standing::of("SOMETHING_NEW_COMPLETE"), Standing::Broken);
    assert_eq!(Readiness::of("SOMETHING_NEW", "AVAILABLE"), Readiness::Broken);
    assert_eq!(Readiness::of("CREATE_COMPLETE", "SOMETHING_NEW"), Readiness::Broken);
    assert_eq!(Readiness::of("CREATE_COMPLETE", ""), Readiness::Broken);
    assert_eq!(Drift::of("SOMETHING_NEW"), Drift::Unseen);
}

/// Asked over the wire: what the program makes of an answer.
#[tokio::test]
async fn every_state_of_an_account_is_usable_or_not() {
    let mut lines = Vec::new();
    for (field, states) in [("State", AccountState::values()), ("Status", AccountStatus::values())] {
        for state in states.iter().chain(&["SOMETHING_NEW"]) {
            let account = json!({"Id": "111122223333", "Email": "a@example.com", "Name": "A", field: state});
            let reader = organizations(json!({"Accounts": [account]})).await;
            let listed = reader.accounts().await.unwrap();
            lines.push(format!("{field} {state}: {:?}", listed[0].state));
        }
    }
    insta::assert_snapshot!(table(lines), @r#"
    State ACTIVE: Active
    State CLOSED: Unusable("CLOSED")
    State PENDING_ACTIVATION: PendingActivation
    State PENDING_CLOSURE: Unusable("PENDING_CLOSURE")
    State SUSPENDED: Unusable("SUSPENDED")
    State SOMETHING_NEW: Unusable("SOMETHING_NEW")
    Status ACTIVE: Active
    Status PENDING_CLOSURE: Unusable("PENDING_CLOSURE")
    Status SUSPENDED: Unusable("SUSPENDED")
    Status SOMETHING_NEW: Unusable("SOMETHING_NEW")
    "#);
}

#[tokio::test]
async fn every_state_of_a_creation_is_known_and_no_state_is_an_error() {
    let mut lines = Vec::new();
    let states = CreateAccountState::values().iter().map(|state| json!(state));
    for state in states.chain([json!("SOMETHING_NEW"), Value::Null]) {
        let car = json!({"Id": "car-1", "AccountName": "A", "State": state, "AccountId": "111122223333",
                            "FailureReason": "INVALID_EMAIL"});
        let reader = organizations(json!({"CreateAccountStatuses": [car]})).await;
        let seen = reader.creations().await.map(|creations| format!("{:?}", creations[0].state));
        lines.push(format!("{state}: {}", seen.unwrap_or_else(|error| error.to_string())));
    }
    insta::assert_snapshot!(table(lines), @r#"
    "FAILED": Failed("INVALID_EMAIL")
    "IN_PROGRESS": InProgress
    "SUCCEEDED": Succeeded(AccountId("111122223333"))
    "SOMETHING_NEW": the answer to ListCreateAccountStatus in 999988887777 makes no sense: it has no state
    null: the answer to ListCreateAccountStatus in 999988887777 makes no sense: it has no state
    "#);
}

/// A kind that AWS is still switching is waited for, and so is a word that nobody knows: only what hangs on it waits.
#[tokio::test]
async fn every_status_of_a_kind_of_policies_is_waited_for_or_used() {
    let states = PolicyTypeStatus::values().iter().map(|state| json!(state));
    let mut lines = Vec::new();
    for status in states.chain([json!("SOMETHING_NEW"), Value::Null]) {
        let kinds = json!([{"Type": "SERVICE_CONTROL_POLICY", "Status": status}]);
        let kinds = if status.is_null() { json!([]) } else { kinds };
        let reader = organizations(json!({
            "Roots": [{"Id": "r-ab12", "PolicyTypes": kinds}], "OrganizationalUnits": [], "Accounts": [],
            "CreateAccountStatuses": [], "Policies": [], "Tags": [], "Targets": [],
        }));
        lines.push(format!("{status}: {}", policies_planned(&*reader.await).await));
    }
    insta::assert_snapshot!(table(lines), @r#"
    "ENABLED": create policies.deny-leaving, attach policies.deny-leaving.targets./
    "PENDING_DISABLE": create policies.deny-leaving, policies.deny-leaving.targets./ waits
    "PENDING_ENABLE": create policies.deny-leaving, policies.deny-leaving.targets./ waits
    "SOMETHING_NEW": create policies.deny-leaving, policies.deny-leaving.targets./ waits
    null: enable policyTypes.service-control-policy, create policies.deny-leaving, attach policies.deny-leaving.targets./
    "#);
}

#[tokio::test]
async fn every_state_of_a_drift_detection_is_known_and_no_state_is_an_error() {
    let mut lines = Vec::new();
    for state in StackDriftDetectionStatus::values().iter().chain(&["SOMETHING_NEW"]) {
        let seen = detection(state).await.map(|detection| format!("{detection:?}"));
        lines.push(format!("{state}: {}", seen.unwrap_or_else(|error| error.to_string())));
    }
    insta::assert_snapshot!(table(lines), @r#"
    DETECTION_COMPLETE: Complete("IN_SYNC")
    DETECTION_FAILED: Failed("why")
    DETECTION_IN_PROGRESS: InProgress
    SOMETHING_NEW: the answer to DescribeStackDriftDetectionStatus in 111122223333 makes no sense: it has no status
    "#);
}
