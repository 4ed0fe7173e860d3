//! What is on record may be lost or forged: the consequence is less writing.

use super::world::World;
use crate::ran::verdicts;

#[tokio::test]
async fn with_the_record_lost_nothing_is_overwritten() {
    let world = World::settled().await;
    world.commit("landfast.yaml", "mode: enforce\n");
    let payments = world.witness.inside_of("payments").await;
    payments.weaken_passwords(6).await;
    world.forget();

    let planned = world.plan(&[]).ends_with(2).wrote_nothing();
    assert_eq!(planned.verdicts(), verdicts([("accounts/payments settings.passwordPolicy", "firstSight")]));

    world.apply(&[]).ends_with(2).wrote_nothing();
    assert_eq!(payments.minimum_length().await, Some(6));
    let base = world.observed("base/accounts/payments.yaml");
    assert!(base.get("settings.passwordPolicy").is_none(), "nothing was agreed");
    assert!(base.get("settings.accountAlias").is_some(), "what is in line is agreed again");
}

#[tokio::test]
async fn what_somebody_else_wrote_into_the_record_is_not_believed() {
    let world = World::settled().await;
    let payments = world.witness.inside_of("payments").await;
    payments.weaken_passwords(6).await;
    let mut base = world.observed("base/accounts/payments.yaml");
    base["settings.passwordPolicy"]["minimumLength"] = 6.into();
    for field in ["requireSymbols", "maxAgeDays", "reusePrevention"] {
        base["settings.passwordPolicy"].as_object_mut().unwrap().remove(field);
    }
    let forged = yaml_serde::to_string(&base).unwrap();
    world.commit_to("landfast/observed", "base/accounts/payments.yaml", &forged);

    // Believed, it would make the weak policy the agreed one and git's a change to be applied.
    let planned = world.plan(&[]).ends_with(2).wrote_nothing();
    assert_eq!(planned.verdicts(), verdicts([("accounts/payments settings.passwordPolicy", "firstSight")]));
    world.apply(&[]).ends_with(2).wrote_nothing();
    assert_eq!(payments.minimum_length().await, Some(6));
}
