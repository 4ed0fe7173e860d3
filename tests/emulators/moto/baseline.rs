//! What many accounts share reaches those and no others.

use super::company::{EXCLUDED, REACHED, baseline};
use super::world::World;

#[tokio::test]
async fn a_baseline_change_reaches_every_target_and_nothing_else() {
    let world = World::settled().await;
    let text = baseline("minimumLength: 14", "minimumLength: 20").replace("reads books", "reads all books");
    world.commit("baselines/security/baseline.yaml", &text);

    let planned = world.plan(&[]).ends_with(2).wrote_nothing();
    let pending: Vec<_> = planned.verdicts().into_iter().collect();
    let is_meant = |path: &str| {
        REACHED.iter().any(|slug| {
            path == format!("accounts/{slug} settings.passwordPolicy")
                || path == format!("accounts/{slug} stacks.auditors[eu-west-1]")
        })
    };
    assert_eq!(pending.len(), 4, "{pending:?}");
    assert!(pending.iter().all(|(path, verdict)| is_meant(path) && verdict == "pending"), "{pending:?}");

    let applied = world.apply(&[]).ends_with(0);
    assert_eq!(applied.count("UpdateAccountPasswordPolicy"), 2);
    assert_eq!(applied.count("ExecuteChangeSet"), 2);
    assert_eq!(applied.count("CreateAccount") + applied.count("MoveAccount"), 0);
    for slug in REACHED {
        let inside = world.witness.inside_of(slug).await;
        assert_eq!(inside.minimum_length().await, Some(20), "{slug}");
        assert_eq!(inside.parameter("auditors", "Duty").await, "reads all books", "{slug}");
        assert_eq!(inside.parameter("archive", "Keep").await, "forever", "{slug}");
    }
    let vault = world.witness.inside_of(EXCLUDED).await;
    assert_eq!(vault.minimum_length().await, Some(10));
    assert!(vault.stacks().await.is_empty());
    world.apply(&[]).ends_with(0).wrote_nothing();
}

#[tokio::test]
async fn the_account_that_was_asked_for_is_the_only_one_touched() {
    let world = World::settled().await;
    world.commit("baselines/security/baseline.yaml", &baseline("minimumLength: 14", "minimumLength: 20"));

    let applied = world.apply(&["--account", "payments"]).ends_with(0);

    assert_eq!(applied.writes(), ["UpdateAccountPasswordPolicy"]);
    assert_eq!(world.witness.inside_of("payments").await.minimum_length().await, Some(20));
    assert_eq!(world.witness.inside_of("ledger").await.minimum_length().await, Some(14));
    let base = |slug: &str| world.observed(&format!("base/accounts/{slug}.yaml"));
    assert_eq!(base("payments")["settings.passwordPolicy"]["minimumLength"], 20);
    assert_eq!(
        base("ledger")["settings.passwordPolicy"]["minimumLength"],
        14,
        "the others are still on record"
    );
    world.plan(&["--account", "payments"]).ends_with(0);
    world.plan(&[]).ends_with(2);
}
