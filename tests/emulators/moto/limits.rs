//! When nothing may be written, nothing is.

use super::company::{baseline, files};
use super::world::World;

#[tokio::test]
async fn observe_writes_nothing_to_aws() {
    let world = World::with_accounts().await;

    world.apply(&["--mode", "observe"]).ends_with(2).wrote_nothing();

    assert_eq!(world.witness.ous().await, Vec::<String>::new());
    let payments = world.witness.inside_of("payments").await;
    assert_eq!(payments.minimum_length().await, None);
    assert!(payments.stacks().await.is_empty());
}

#[tokio::test]
async fn observe_records_what_it_sees() {
    let world = World::settled().await;
    world.witness.inside_of("payments").await.weaken_passwords(6).await;

    world.apply(&["--mode", "observe"]).ends_with(2).wrote_nothing();

    let live = world.observed("live/accounts/payments.yaml");
    assert_eq!(live["settings.passwordPolicy"]["minimumLength"], 6);
}

#[tokio::test]
async fn a_repository_for_another_organization_writes_nothing() {
    let world = World::with_accounts().await;
    let text = &files("o-elsewhere0")["organization/organization.yaml"];
    world.commit("organization/organization.yaml", text);
    let branches = world.branches();

    for ran in [world.plan(&[]), world.apply(&[])] {
        let ran = ran.ends_with(1).wrote_nothing();
        assert!(
            ran.err.contains("o-elsewhere0") && ran.err.contains(&world.witness.organization),
            "{}",
            ran.err
        );
    }
    assert_eq!(world.branches(), branches);
    assert_eq!(world.witness.ous().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_commit_that_does_not_load_changes_nothing() {
    let world = World::settled().await;
    let broken = baseline("minimumLength: 14", "minimumLength: 20") + "nonsense: true\n";
    world.commit("baselines/security/baseline.yaml", &broken);
    let branches = world.branches();

    for ran in [world.plan(&[]), world.apply(&[])] {
        let ran = ran.ends_with(1);
        assert!(ran.operations.is_empty(), "AWS is not even asked: {:?}", ran.operations);
        assert!(ran.err.contains("baselines/security/baseline.yaml"), "{}", ran.err);
        assert!(ran.err.contains("nonsense"), "{}", ran.err);
    }
    assert_eq!(world.witness.inside_of("payments").await.minimum_length().await, Some(14));
    assert_eq!(world.branches(), branches);
}

#[tokio::test]
async fn a_stack_that_is_not_ours_is_not_changed() {
    let world = World::with_accounts().await;
    let payments = world.witness.inside_of("payments").await;
    let template = r#"{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}"#;
    payments
        .cloudformation
        .create_stack()
        .stack_name("archive")
        .template_body(template)
        .send()
        .await
        .unwrap();

    world.apply(&[]).ends_with(2);

    assert_eq!(payments.template("archive").await, template);
    assert!(payments.stacks().await.contains_key("auditors"), "the others are made all the same");
    assert_eq!(world.witness.inside_of("ledger").await.stacks().await.len(), 2);
}
