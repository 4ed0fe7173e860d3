//! Whose an account is has to be proved.

use super::company::{account, email};
use super::world::World;

#[tokio::test]
async fn an_account_that_has_the_e_mail_and_not_our_tag_is_refused_with_the_line_to_add() {
    let world = World::settled().await;
    let id = world.witness.make_account("reports", &[("owner", "somebody")]).await;
    world.commit("accounts/reports/account.yaml", &account("reports", "/workloads/prod"));

    let planned = world.plan(&[]).ends_with(2).wrote_nothing();
    assert!(planned.out.contains(&format!(r#"add `id: \"{id}\"` to accounts/reports/account.yaml"#)));

    let applied = world.apply(&[]).ends_with(2).wrote_nothing();
    let line = format!(r#"add `id: "{id}"` to accounts/reports/account.yaml"#);
    let words: Vec<_> = applied.out.split_whitespace().collect();
    assert!(words.join(" ").contains(&line), "{line}\n{}", applied.out);
    let accounts = world.witness.accounts().await;
    assert_eq!(accounts.values().filter(|listed| listed.name == "reports").count(), 1, "no second one");
    assert_eq!(accounts.len(), 5);
    assert_eq!(world.witness.ou(&id).await, "/");
    assert_eq!(world.witness.inside(&id).await.minimum_length().await, None);
}

#[tokio::test]
async fn an_account_whose_id_is_recorded_is_ours() {
    let world = World::settled().await;
    let id = world.witness.make_account("reports", &[("owner", "reports")]).await;
    let file = account("reports", "/workloads/prod");
    world.commit("accounts/reports/account.yaml", &format!("id: \"{id}\"\nadopt: [ou]\n{file}"));

    let applied = world.apply(&[]).ends_with(0);

    assert_eq!(applied.count("CreateAccount"), 0);
    assert_eq!(world.witness.accounts().await[&email("reports")].id, id);
    assert_eq!(world.witness.ou(&id).await, "/workloads/prod");
    let inside = world.witness.inside(&id).await;
    assert_eq!(inside.minimum_length().await, Some(14));
    assert_eq!(inside.stacks().await.len(), 2);
    world.plan(&[]).ends_with(0);
}

#[tokio::test]
async fn where_a_recorded_account_was_found_is_reported_and_not_changed() {
    let world = World::settled().await;
    let id = world.witness.make_account("reports", &[("owner", "somebody")]).await;
    let file = account("reports", "/workloads/prod");
    world.commit("accounts/reports/account.yaml", &format!("id: \"{id}\"\n{file}"));

    let applied = world.apply(&[]).ends_with(2);

    assert_eq!(applied.count("MoveAccount") + applied.count("TagResource"), 0);
    assert_eq!(world.witness.ou(&id).await, "/");
    assert_eq!(world.witness.tags(&id).await["owner"], "somebody");
    let seen = world.plan(&[]).ends_with(2).verdicts();
    assert_eq!(seen["organization accounts.reports.ou"], "firstSight");
    assert_eq!(seen["organization accounts.reports.tags.owner"], "firstSight");
}
