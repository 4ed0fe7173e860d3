//! Alice changes what a stack made, with keys of her own: property by property it is seen, told, and put back.
//!
//! Ministack knows no `REVERT_DRIFT`: it takes such a change set for an ordinary one, which changes nothing where the
//! template is the same. What can be shown is that one is sent, that nothing is claimed when it has no effect, and that
//! her edit is gone once ministack has a reason to write the role.

use super::wire::Sent;
use super::witness::Principal;
use super::world::World;
use crate::ran::{Ran, verdicts};

const STACK: &str = "accounts/payments stacks.auditors[eu-west-1]";

/// Changes two properties of the role.
async fn edit(alice: &Principal) {
    let call = alice.iam.update_role().role_name("Auditors").description("owns books");
    call.max_session_duration(7200).send().await.unwrap();
}

/// The lines of the stack's difference, in a plan printed as JSON.
fn diff(planned: &Ran) -> Vec<String> {
    let plan: serde_json::Value = serde_json::from_str(&planned.out).unwrap();
    let scopes = plan["scopes"].as_array().unwrap().iter();
    let mut items = scopes.flat_map(|scope| scope["items"].as_array().unwrap());
    let stack = items.find(|item| item["item"] == "stacks.auditors[eu-west-1]").unwrap();
    let lines = stack["diff"].as_array().unwrap().iter();
    lines.map(|line| line.as_str().unwrap().trim_end().to_owned()).collect()
}

/// How the change sets that were asked for treat drift.
fn deployment_modes(sent: &[Sent]) -> Vec<Option<String>> {
    let asked = sent.iter().filter(|sent| sent.operation == "CreateChangeSet");
    asked.map(|sent| sent.field("DeploymentMode")).collect()
}

#[tokio::test]
async fn an_edit_is_drift_with_every_property_and_is_left_alone() {
    let world = World::settled().await;
    world.plan().ends_with(0);
    edit(&world.alice().await).await;

    let planned = world.plan().ends_with(2).wrote_nothing();

    assert_eq!(planned.verdicts(), verdicts([(STACK, "drift")]));
    assert_eq!(
        diff(&planned),
        [
            "   drift:",
            "     AWS::IAM::Role Auditors:",
            "-      Description: reads books",
            "+      Description: owns books",
            "-      MaxSessionDuration: 3600",
            "+      MaxSessionDuration: 7200",
        ]
    );
    world.apply().ends_with(2).wrote_nothing();
    let kept = |folder| {
        world.observed(&format!("{folder}/accounts/payments.yaml"))["stacks.auditors[eu-west-1]"]["drift"]
            .clone()
    };
    assert_eq!(kept("base"), serde_json::json!({}));
    assert_eq!(kept("live")["Role"]["properties"]["/Description"]["actual"], "owns books");
    assert_eq!(world.root.auditors().await.unwrap().max_session_duration, Some(7200));
}

#[tokio::test]
async fn what_she_puts_right_herself_is_in_line_again() {
    let world = World::settled().await;
    let alice = world.alice().await;
    edit(&alice).await;
    world.plan().ends_with(2);

    let call = alice.iam.update_role().role_name("Auditors").description("reads books");
    call.max_session_duration(3600).send().await.unwrap();

    world.plan().ends_with(0).wrote_nothing();
}

#[tokio::test]
async fn a_role_that_she_deletes_is_drift() {
    let world = World::settled().await;
    world.alice().await.iam.delete_role().role_name("Auditors").send().await.unwrap();

    let planned = world.plan().ends_with(2).wrote_nothing();

    assert_eq!(planned.verdicts(), verdicts([(STACK, "drift")]));
    assert!(diff(&planned).iter().any(|line| line.contains("Auditors")), "{:?}", diff(&planned));
    world.apply().ends_with(2).wrote_nothing();
    assert!(world.root.auditors().await.is_none(), "reported, not made again");
}

#[tokio::test]
async fn enforce_asks_for_drift_to_be_put_back_and_claims_nothing_when_it_is_not() {
    let world = World::settled().await;
    edit(&world.alice().await).await;
    world.plan().ends_with(2);
    world.commit("landfast.yaml", "mode: enforce\n");

    let (applied, sent) = world.apply_and_tell();

    assert_eq!(deployment_modes(&sent), [Some("REVERT_DRIFT".to_owned())]);
    let applied = applied.ends_with(2);
    assert_eq!(
        applied.writes(),
        ["CreateChangeSet", "DeleteChangeSet"],
        "nothing to execute, nothing left behind"
    );
    let words: Vec<_> = applied.out.split_whitespace().collect();
    assert!(words.join(" ").contains("could not be put back"), "{}", applied.out);
    assert_eq!(world.plan().ends_with(2).verdicts(), verdicts([(STACK, "drift")]));
}

#[tokio::test]
async fn enforce_puts_her_edit_back_where_the_change_set_writes_the_role() {
    let world = World::settled().await;
    edit(&world.alice().await).await;
    world.plan().ends_with(2);
    world.commit("landfast.yaml", "mode: enforce\n");
    world.commit_duty("audits books");

    let (applied, sent) = world.apply_and_tell();

    assert_eq!(deployment_modes(&sent), [Some("REVERT_DRIFT".to_owned())]);
    let applied = applied.ends_with(0);
    assert_eq!(applied.writes(), ["CreateChangeSet", "ExecuteChangeSet"]);
    let role = world.root.auditors().await.unwrap();
    assert_eq!(role.description.as_deref(), Some("audits books"));
    assert_eq!(role.max_session_duration, Some(3600), "which the commit says nothing of");
    // Ministack still shows what it detected before: nothing is concluded from that.
    let drift = world.root.stack().await.drift_information.unwrap().stack_drift_status.unwrap();
    assert_eq!(drift.as_str(), "DRIFTED");
    assert!(applied.out.contains("not checked"), "{}", applied.out);
    assert_eq!(world.plan().ends_with(0).verdicts(), verdicts([]));
}

#[tokio::test]
async fn a_commit_over_her_edit_is_a_conflict_and_writes_nothing() {
    let world = World::settled().await;
    edit(&world.alice().await).await;
    world.plan().ends_with(2);
    world.commit_duty("audits books");

    let planned = world.plan().ends_with(2);
    assert_eq!(planned.verdicts(), verdicts([(STACK, "conflict")]));
    world.apply().ends_with(2).wrote_nothing();
    assert_eq!(world.root.auditors().await.unwrap().description.as_deref(), Some("owns books"));
}
