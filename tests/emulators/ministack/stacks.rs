//! A stack's life: made, changed, left alone, rolled back, deleted and made again.

use super::company::BROKEN;
use super::world::World;
use crate::ran::verdicts;

const TEMPLATE: &str = "accounts/payments/role.template.yaml";

#[tokio::test]
async fn a_stack_is_made_then_left_alone_then_changed_by_change_sets_only() {
    let world = World::open().await;

    let first = world.apply().ends_with(0);
    assert_eq!(first.count("CreateStack") + first.count("UpdateStack"), 0);
    assert_eq!((first.count("CreateChangeSet"), first.count("ExecuteChangeSet")), (1, 1));
    assert_eq!(world.root.status().await, "CREATE_COMPLETE");
    let tags = world.root.stack().await.tags.unwrap();
    assert_eq!(tags[0].value.as_deref(), Some(world.company.organization.as_str()));
    assert_eq!(world.root.auditors().await.unwrap().description.as_deref(), Some("reads books"));

    world.apply().ends_with(0).wrote_nothing();
    world.plan().ends_with(0).wrote_nothing();

    world.commit_duty("audits books");
    let changed = world.apply().ends_with(0);
    assert_eq!(changed.writes(), ["CreateChangeSet", "ExecuteChangeSet"]);
    assert_eq!(world.root.status().await, "UPDATE_COMPLETE");
    assert_eq!(world.root.auditors().await.unwrap().description.as_deref(), Some("audits books"));
    world.plan().ends_with(0).wrote_nothing();
}

#[tokio::test]
async fn a_creation_that_rolled_back_is_told_with_its_cause_then_deleted_and_made_again() {
    let world = World::open().await;
    let whole = world.company.files()[TEMPLATE].clone();
    world.commit(TEMPLATE, BROKEN);

    let failed = world.apply().ends_with(2);
    assert!(failed.out.contains("nobody-exports-this"), "{}", failed.out);
    assert_eq!(failed.count("DeleteStack"), 0, "nothing is deleted before somebody mended it");
    assert_eq!(world.root.status().await, "ROLLBACK_COMPLETE");
    let fallen = world.root.stack().await.stack_id.unwrap();

    world.commit(TEMPLATE, &whole);
    let mended = world.apply().ends_with(0);
    assert_eq!(mended.writes(), ["DeleteStack", "CreateChangeSet", "ExecuteChangeSet"]);
    assert_eq!(world.root.status().await, "CREATE_COMPLETE");
    assert_ne!(world.root.stack().await.stack_id.unwrap(), fallen, "another one under the same name");
    assert_eq!(world.root.n_stacks().await, 1);
    assert!(world.root.auditors().await.is_some());
    world.plan().ends_with(0);
}

#[tokio::test]
async fn an_update_that_rolled_back_leaves_what_was_there_and_is_told() {
    let world = World::settled().await;
    world.commit(TEMPLATE, BROKEN);

    let failed = world.apply().ends_with(2);

    assert!(failed.out.contains("nobody-exports-this"), "{}", failed.out);
    assert_eq!(world.root.status().await, "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(world.root.auditors().await.unwrap().description.as_deref(), Some("reads books"));
    let base = world.observed("base/accounts/payments.yaml");
    assert!(base["stacks.auditors[eu-west-1]"]["template"].as_str().unwrap().contains("Auditors"));
    world.commit(TEMPLATE, &world.company.files()[TEMPLATE]);
    world.apply().ends_with(0).wrote_nothing();
}

#[tokio::test]
async fn a_stack_that_somebody_else_made_is_not_changed() {
    let world = World::open().await;
    let template = r#"{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}"#;
    let call = world.root.cloudformation.create_stack().stack_name("auditors").template_body(template);
    call.send().await.unwrap();

    let applied = world.apply().ends_with(2);

    assert_eq!(applied.count("CreateChangeSet") + applied.count("DeleteStack"), 0);
    let verdict = verdicts([("accounts/payments stacks.auditors[eu-west-1]", "firstSight")]);
    assert_eq!(world.plan().ends_with(2).verdicts(), verdict);
    let answer = world.root.cloudformation.get_template().stack_name("auditors").send().await.unwrap();
    assert_eq!(answer.template_body.as_deref(), Some(template));
}
