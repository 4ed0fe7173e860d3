//! What strangers change is seen, reported, and put back only where somebody said so.

use aws_sdk_cloudformation::types::{Capability, Parameter, Tag};

use super::company::baseline;
use super::witness::{Inside, stack_tags};
use super::world::World;
use crate::ran::verdicts;

#[tokio::test]
async fn a_weakened_policy_is_reported_and_left_alone() {
    let world = World::settled().await;
    let payments = world.witness.inside_of("payments").await;
    payments.weaken_passwords(6).await;

    let planned = world.plan(&[]).ends_with(2).wrote_nothing();
    assert_eq!(planned.verdicts(), verdicts([("accounts/payments settings.passwordPolicy", "drift")]));

    world.apply(&[]).ends_with(2).wrote_nothing();
    assert_eq!(payments.minimum_length().await, Some(6));
    let kept = |folder| {
        world.observed(&format!("{folder}/accounts/payments.yaml"))["settings.passwordPolicy"].clone()
    };
    assert_eq!(kept("base")["minimumLength"], 14, "what was agreed");
    assert_eq!(kept("live")["minimumLength"], 6, "what is there");
    world.plan(&[]).ends_with(2);
}

#[tokio::test]
async fn what_was_healed_by_hand_is_in_line_again() {
    let world = World::settled().await;
    let payments = world.witness.inside_of("payments").await;
    payments.weaken_passwords(6).await;
    world.apply(&[]).ends_with(2);

    let call =
        payments.iam.update_account_password_policy().minimum_password_length(14).require_symbols(true);
    call.max_password_age(90).password_reuse_prevention(24).send().await.unwrap();

    world.plan(&[]).ends_with(0).wrote_nothing();
    world.apply(&[]).ends_with(0).wrote_nothing();
    let live = world.observed("live/accounts/payments.yaml");
    assert_eq!(live["settings.passwordPolicy"]["minimumLength"], 14);
}

#[tokio::test]
async fn enforce_puts_the_policy_back() {
    let world = World::settled().await;
    world.commit("landfast.yaml", "mode: enforce\n");
    let payments = world.witness.inside_of("payments").await;
    payments.weaken_passwords(6).await;

    let applied = world.apply(&[]).ends_with(0);

    assert_eq!(applied.writes(), ["UpdateAccountPasswordPolicy"]);
    let policy = payments.password_policy().await.unwrap();
    assert_eq!(policy.minimum_password_length, Some(14));
    assert_eq!(policy.max_password_age, Some(90));
    assert!(policy.require_symbols);
    world.plan(&[]).ends_with(0);
}

#[tokio::test]
async fn a_ceiling_of_report_holds_back_what_the_repository_enforces() {
    let world = World::settled().await;
    world.commit("landfast.yaml", "mode: enforce\n");
    let payments = world.witness.inside_of("payments").await;
    payments.weaken_passwords(6).await;

    world.apply(&["--mode", "report"]).ends_with(2).wrote_nothing();

    assert_eq!(payments.minimum_length().await, Some(6));
}

#[tokio::test]
async fn one_plan_sees_everything_that_was_done_to_stacks() {
    let world = World::settled().await;
    let (payments, ledger) =
        (world.witness.inside_of("payments").await, world.witness.inside_of("ledger").await);
    change_parameter(&payments).await;
    change_template(&payments).await;
    change_tags(&ledger).await;
    ledger.cloudformation.delete_stack().stack_name("auditors").send().await.unwrap();
    payments.weaken_passwords(6).await;

    let planned = world.plan(&[]).ends_with(2).wrote_nothing();

    let seen = verdicts([
        ("accounts/payments stacks.auditors[eu-west-1]", "drift"),
        ("accounts/payments stacks.archive[eu-west-1]", "drift"),
        ("accounts/payments settings.passwordPolicy", "drift"),
        ("accounts/ledger stacks.archive[eu-west-1]", "drift"),
        ("accounts/ledger stacks.auditors[eu-west-1]", "drift"),
    ]);
    assert_eq!(planned.verdicts(), seen);
    world.apply(&[]).ends_with(2).wrote_nothing();
    assert_eq!(payments.parameter("auditors", "Duty").await, "writes books");
    assert!(!ledger.stacks().await.contains_key("auditors"), "reported, not made again");
}

/// Moto does not date an update by a change set, so an update that is put back cannot be told from none; only what
/// is made again can be.
#[tokio::test]
async fn enforce_makes_a_deleted_stack_again() {
    let world = World::settled().await;
    world.commit("landfast.yaml", "mode: enforce\n");
    let ledger = world.witness.inside_of("ledger").await;
    ledger.cloudformation.delete_stack().stack_name("auditors").send().await.unwrap();
    assert!(ledger.iam.get_role().role_name("Auditors").send().await.is_err(), "it went with its stack");

    let applied = world.apply(&[]).ends_with(0);

    assert_eq!(applied.writes(), ["CreateChangeSet", "ExecuteChangeSet"]);
    assert_eq!(ledger.parameter("auditors", "Duty").await, "reads books");
    ledger.iam.get_role().role_name("Auditors").send().await.unwrap();
    world.plan(&[]).ends_with(0).wrote_nothing();
}

#[tokio::test]
async fn a_commit_against_a_strangers_change_is_a_conflict_and_writes_nothing() {
    let world = World::settled().await;
    let payments = world.witness.inside_of("payments").await;
    payments.weaken_passwords(6).await;
    world.commit("baselines/security/baseline.yaml", &baseline("minimumLength: 14", "minimumLength: 20"));

    let applied = world.apply(&[]).ends_with(2);

    assert_eq!(applied.writes(), ["UpdateAccountPasswordPolicy"], "the other account's");
    assert_eq!(payments.minimum_length().await, Some(6));
    assert_eq!(world.witness.inside_of("ledger").await.minimum_length().await, Some(20));
    let planned = world.plan(&[]).ends_with(2);
    assert_eq!(planned.verdicts(), verdicts([("accounts/payments settings.passwordPolicy", "conflict")]));
}

async fn change_parameter(inside: &Inside) {
    let duty = Parameter::builder().parameter_key("Duty").parameter_value("writes books").build();
    let call = inside.cloudformation.update_stack().stack_name("auditors").use_previous_template(true);
    let call = tagged(inside, call, "auditors").await;
    call.parameters(duty).capabilities(Capability::CapabilityNamedIam).send().await.unwrap();
    assert_eq!(inside.parameter("auditors", "Duty").await, "writes books");
}

/// Widens the template; parameters and tags stay.
async fn change_template(inside: &Inside) {
    let template = inside.template("archive").await;
    let other = template.replace("Tags: [{", "Tags: [{Key: alice, Value: was-here}, {");
    assert_ne!(other, template);
    let keep = Parameter::builder().parameter_key("Keep").parameter_value("forever").build();
    let call = inside.cloudformation.update_stack().stack_name("archive").template_body(other);
    tagged(inside, call, "archive").await.parameters(keep).send().await.unwrap();
}

type UpdateStack = aws_sdk_cloudformation::operation::update_stack::builders::UpdateStackFluentBuilder;

/// Keeps the tags: AWS does by itself, moto drops what is not sent again.
async fn tagged(inside: &Inside, call: UpdateStack, stack: &str) -> UpdateStack {
    let stacks = inside.stacks().await;
    call.set_tags(stacks[stack].tags.clone())
}

/// Changes a tag. Moto takes no update of tags alone, so a comment goes along, which means nothing.
async fn change_tags(inside: &Inside) {
    let mut tags = stack_tags(&inside.stacks().await["archive"]);
    tags.insert("kept".to_owned(), "by-nobody".to_owned());
    let tag = |(key, value)| Tag::builder().key(key).value(value).build();
    let keep = Parameter::builder().parameter_key("Keep").parameter_value("forever").build();
    let template = inside.template("archive").await + "# a comment\n";
    let call = inside.cloudformation.update_stack().stack_name("archive").template_body(template);
    call.parameters(keep).set_tags(Some(tags.into_iter().map(tag).collect())).send().await.unwrap();
    assert_eq!(stack_tags(&inside.stacks().await["archive"])["kept"], "by-nobody");
}
