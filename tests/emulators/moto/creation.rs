//! What a commit wants is made, once.

use std::collections::BTreeMap;

use super::company::{ACCOUNTS, EXCLUDED, MANAGEMENT, REACHED, account, email};
use super::witness::stack_tags;
use super::world::World;
use crate::ran::verdicts;

#[tokio::test]
async fn a_first_apply_makes_what_the_folders_say_and_a_second_makes_nothing() {
    let world = World::empty().await;
    world.plan(&[]).ends_with(2).wrote_nothing();
    assert_eq!(world.witness.accounts().await.len(), 1, "the management account only");

    let first = world.apply(&[]).ends_with(0);
    assert_eq!(first.count("CreateAccount"), ACCOUNTS.len());
    assert_eq!(first.count("UpdateStack") + first.count("CreateStack"), 0, "change sets only");
    the_organization_is_as_the_folders_say(&world).await;
    for slug in REACHED {
        the_baseline_is_in(&world, slug).await;
    }
    let vault = world.witness.inside_of(EXCLUDED).await;
    assert_eq!(vault.minimum_length().await, Some(10), "its own, not the baseline's");
    assert!(vault.stacks().await.is_empty());

    let (planned, again) = (world.plan(&[]).ends_with(0).wrote_nothing(), world.plan(&[]).ends_with(0));
    assert_eq!(planned.out, again.out, "the same bytes twice");
    assert_eq!(planned.verdicts(), verdicts([]));

    let branches = world.branches();
    assert!(branches.contains_key("landfast/observed"));
    let second = world.apply(&[]).ends_with(0).wrote_nothing();
    assert!(second.operations.len() > ACCOUNTS.len());
    assert_eq!(world.branches(), branches, "the same record makes no commit");
}

async fn the_organization_is_as_the_folders_say(world: &World) {
    assert_eq!(world.witness.ous().await, ["/attic", "/workloads", "/workloads/prod"]);
    assert_eq!(world.witness.in_root().await, 1, "the management account");
    let accounts = world.witness.accounts().await;
    assert_eq!(accounts.len(), ACCOUNTS.len() + 1);
    for slug in ACCOUNTS {
        let listed = &accounts[&email(slug)];
        assert_eq!(listed.name, slug);
        let ou = if slug == EXCLUDED { "/attic" } else { "/workloads/prod" };
        assert_eq!(world.witness.ou(&listed.id).await, ou, "{slug}");
        let tags =
            [("owner", slug), ("landfast:owner", &world.witness.organization), ("landfast:slug", slug)];
        let tags: BTreeMap<_, _> =
            tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        assert_eq!(world.witness.tags(&listed.id).await, tags, "{slug}");
    }
    let management = world.witness.inside(MANAGEMENT).await;
    assert_eq!(management.minimum_length().await, None);
    assert!(management.stacks().await.is_empty());
}

async fn the_baseline_is_in(world: &World, slug: &str) {
    let inside = world.witness.inside_of(slug).await;
    let policy = inside.password_policy().await.unwrap();
    assert_eq!(policy.minimum_password_length, Some(14));
    assert_eq!(policy.max_password_age, Some(90));
    assert_eq!(policy.password_reuse_prevention, Some(24));
    assert!(policy.require_symbols);
    assert_eq!(inside.aliases().await, [format!("landfast-{slug}")]);
    let stacks = inside.stacks().await;
    assert_eq!(stacks.keys().collect::<Vec<_>>(), ["archive", "auditors"]);
    for stack in stacks.values() {
        assert_eq!(stack_tags(stack)["landfast:owner"], world.witness.organization);
    }
    assert_eq!(stack_tags(&stacks["archive"])["kept"], "by-law");
    let role = inside.iam.get_role().role_name("Auditors").send().await.unwrap().role.unwrap();
    assert_eq!(role.description.as_deref(), Some("reads books"));
    let bucket = inside.cloudformation.describe_stack_resources().stack_name("archive").send().await.unwrap();
    let id = world.witness.id(slug).await;
    let name = bucket.stack_resources.unwrap()[0].physical_resource_id.clone();
    assert_eq!(name, Some(format!("archive-{id}")));
}

#[tokio::test]
async fn a_commit_that_adds_an_account_makes_that_one_account() {
    let world = World::settled().await;
    let before = world.witness.accounts().await;
    world.commit("accounts/reports/account.yaml", &account("reports", "/workloads/prod"));

    let applied = world.apply(&[]).ends_with(0);

    assert_eq!(applied.count("CreateAccount"), 1);
    assert_eq!(applied.count("MoveAccount"), 1);
    assert_eq!(applied.count("ExecuteChangeSet"), 2, "the two stacks of the new account");
    assert_eq!(applied.count("UpdateAccountPasswordPolicy"), 1);
    let mut after = world.witness.accounts().await;
    let new = after.remove(&email("reports")).expect("the new account");
    assert_eq!(after, before, "the others are as they were");
    assert_eq!(world.witness.ou(&new.id).await, "/workloads/prod");
    the_baseline_is_in(&world, "reports").await;
    assert_eq!(world.observed("base/organization.yaml")["accounts.reports"]["id"], new.id);
    world.plan(&[]).ends_with(0).wrote_nothing();
}
