//! What Landfast sees of the simulated organization, judged by the simulation's ground truth.

mod drift;
mod stacks;
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use landfast::apply::Brake;
use landfast::aws::Visitor;
use landfast::model::saml::outline;
use landfast::model::{
    AccountFact, AccountId, AccountState, Author, Base, CreationState, Facts, HOLD_TAG, Hold, Item,
    OWNER_TAG, Observed, OrganizationFacts, RoleName, SLUG_TAG, SamlProviderName, Sight, Slug,
};
use landfast::observe::{
    AccountCache, OrganizationCache, Question, RootHold, Witnesses, account, author, organization,
};
use landfast::sandbox::aws::{Fault, Standing, Trouble, When};
use serde_json::json;
use tokio::time::Instant;

use crate::saml::{METADATA, laid_out_otherwise};
use world::{World, items, look};

async fn seen(world: &World, wanted: &[&str]) -> Observed {
    let reader = world.cloud.management_reader(&world.desired.organization);
    organization(
        &reader,
        &world.desired,
        &Base::default(),
        &items(wanted),
        &mut OrganizationCache::new(Duration::ZERO),
        &|_, _| (),
    )
    .await
}

fn facts(observed: &Observed) -> &OrganizationFacts {
    match &observed.facts {
        Facts::Organization(facts) => facts,
        Facts::Account(_) => panic!("facts of an account"),
    }
}

fn sight(observed: &Observed, item: &str) -> Sight {
    observed.sight(&item.parse::<Item>().unwrap())
}

fn active(id: &AccountId) -> Sight {
    Sight::present(json!({"id": id, "state": "ACTIVE"}))
}

fn is_gap(sight: &Sight) -> bool {
    matches!(sight, Sight::Gap(_))
}

async fn inside(world: &World, slug: &str, fact: &AccountFact, wanted: &[&str]) -> Observed {
    let reader = world.cloud.reader(&fact.id, &world.desired.organization.access);
    let slug = Slug::parse(slug).unwrap();
    let look = look(&world.desired.organization.id, fact.joined + 7200);
    account(&reader, &slug, fact, &items(wanted), &look, None, &mut AccountCache::default()).await
}

#[tokio::test]
async fn every_wanted_item_gets_a_sight_of_its_own() {
    let world = World::start().await;
    let prod = world.ou(&["workloads", "prod"]).await;
    let id = world.account("payments", true).await;
    world.move_to(&id, &prod).await;
    world
        .aws
        .set_tags(id.as_str(), &[(OWNER_TAG, "o-exampleorgid"), (SLUG_TAG, "payments"), ("env", "prod")]);

    let wanted = [
        "ous./workloads",
        "ous./workloads/prod",
        "ous./quarantine",
        "accounts.payments",
        "accounts.payments.name",
        "accounts.payments.email",
        "accounts.payments.ou",
        "accounts.payments.tags.env",
        "accounts.payments.tags.owner",
        "accounts.unknown",
    ];
    let observed = seen(&world, &wanted).await;
    assert_eq!(observed.items.keys().cloned().collect::<BTreeSet<_>>(), items(&wanted));
    for (item, value) in [
        ("ous./workloads", json!({})),
        ("ous./workloads/prod", json!({})),
        ("accounts.payments", json!({"id": id, "state": "ACTIVE"})),
        ("accounts.payments.name", json!("payments")),
        ("accounts.payments.email", json!("aws+payments@example.com")),
        ("accounts.payments.ou", json!("/workloads/prod")),
        ("accounts.payments.tags.env", json!("prod")),
    ] {
        assert_eq!(sight(&observed, item), Sight::present(value), "{item}");
    }
    for item in ["ous./quarantine", "accounts.payments.tags.owner", "accounts.unknown"] {
        assert_eq!(sight(&observed, item), Sight::Absent, "{item}");
    }
    let facts = facts(&observed);
    assert_eq!(facts.claimed[&Slug::parse("payments").unwrap()], id);
    assert_eq!(facts.accounts.len(), 2);
    let ous: Vec<_> = facts.ous.iter().map(|(path, ou)| (path.to_string(), ou.id.clone())).collect();
    let truth: Vec<_> = world.aws.ous().into_iter().collect();
    assert_eq!(ous[1..], truth);
    assert_eq!(facts.creations[0].state, CreationState::Succeeded(id));
}

#[tokio::test]
async fn an_account_is_ours_by_record_or_by_our_tags_and_never_by_its_email() {
    let mut world = World::start().await;
    let id = world.account("payments", false).await;
    world.declare("payments", None);
    assert_eq!(sight(&seen(&world, &["accounts.payments"]).await, "accounts.payments"), Sight::Absent);

    world.aws.set_tags(id.as_str(), &[(OWNER_TAG, "o-someotherorg"), (SLUG_TAG, "payments")]);
    assert_eq!(sight(&seen(&world, &["accounts.payments"]).await, "accounts.payments"), Sight::Absent);

    world.declare("payments", Some(&id));
    let observed = seen(&world, &["accounts.payments"]).await;
    assert_eq!(sight(&observed, "accounts.payments"), active(&id));
}

#[tokio::test]
async fn tags_make_the_management_account_no_folders_and_its_id_does() {
    let mut world = World::start().await;
    let management = world.desired.organization.management_account.clone();
    world.declare("payments", None);
    let tags = [(OWNER_TAG, "o-exampleorgid"), (SLUG_TAG, "payments"), ("env", "prod")];
    world.aws.set_tags(management.as_str(), &tags);
    assert_eq!(sight(&seen(&world, &["accounts.payments"]).await, "accounts.payments"), Sight::Absent);

    world.declare("payments", Some(&management));
    let wanted = ["accounts.payments", "accounts.payments.tags.env"];
    let observed = seen(&world, &wanted).await;
    assert_eq!(sight(&observed, wanted[0]), active(&management));
    assert_eq!(sight(&observed, wanted[1]), Sight::present(json!("prod")));
}

#[tokio::test]
async fn two_accounts_with_one_slug_are_nobodys_until_a_person_decides() {
    let world = World::start().await;
    world.account("payments", true).await;
    let other = world.account("copy", false).await;
    world.aws.set_tags(other.as_str(), &[(OWNER_TAG, "o-exampleorgid"), (SLUG_TAG, "payments")]);
    let observed = seen(&world, &["accounts.payments"]).await;
    assert!(is_gap(&sight(&observed, "accounts.payments")));
    assert!(facts(&observed).claimed.is_empty());
}

#[tokio::test]
async fn what_hangs_on_a_list_that_failed_is_a_gap_and_never_absent() {
    let world = World::start().await;
    world.account("payments", true).await;
    let wanted = ["ous./workloads", "accounts.payments", "accounts.payments.ou", "accounts.new"];
    for (operation, gaps) in [
        ("ListAccounts", vec!["accounts.payments", "accounts.payments.ou", "accounts.new"]),
        ("ListRoots", vec!["ous./workloads", "accounts.payments.ou"]),
        ("ListOrganizationalUnitsForParent", vec!["ous./workloads", "accounts.payments.ou"]),
        ("ListCreateAccountStatus", vec!["accounts.new"]),
        ("ListTagsForResource", vec!["accounts.payments", "accounts.payments.ou", "accounts.new"]),
    ] {
        world.aws.clear_faults();
        world.refuse(operation);
        let observed = seen(&world, &wanted).await;
        let found: Vec<_> = wanted.into_iter().filter(|item| is_gap(&sight(&observed, item))).collect();
        let mut gaps = gaps;
        gaps.sort_by_key(|gap| wanted.iter().position(|item| item == gap));
        assert_eq!(found, gaps, "{operation}");
    }
}

#[tokio::test]
async fn empty_pages_with_a_token_hide_nothing() {
    let world = World::start().await;
    let id = world.account("payments", true).await;
    for operation in ["ListAccounts", "ListTagsForResource", "ListCreateAccountStatus"] {
        world.aws.add_fault(Fault::new(operation, When::Next(2), Trouble::EmptyPage));
    }
    let observed = seen(&world, &["accounts.payments"]).await;
    assert_eq!(sight(&observed, "accounts.payments"), active(&id));
}

#[tokio::test]
async fn a_hold_that_cannot_be_read_is_a_hold() {
    let world = World::start().await;
    let id = world.account("payments", true).await;
    let reader = world.cloud.management_reader(&world.desired.organization);
    let root = world.aws.root_id();
    assert_eq!(seen(&world, &[]).await.hold, None);

    world.aws.set_tags(id.as_str(), &[(HOLD_TAG, "audit")]);
    let brake = |account: Option<&AccountId>| {
        let (shared, began) = (Arc::new(RootHold::default()), Instant::now());
        Brake::new(reader.clone(), account.cloned(), root.clone(), shared, began)
    };
    assert_eq!(brake(None).pulled().await, None);
    assert!(brake(Some(&id)).pulled().await.unwrap().to_string().contains("audit"));

    world.aws.set_tags(&root, &[(HOLD_TAG, "incident 7")]);
    let says =
        |hold: Option<Hold>, what: &str| matches!(hold, Some(Hold::Set(because)) if because.contains(what));
    assert!(says(seen(&world, &[]).await.hold, "incident 7"));
    assert!(says(brake(Some(&id)).pulled().await, "incident 7"));

    world.aws.set_tags(&root, &[]);
    world.refuse("ListTagsForResource");
    assert!(matches!(seen(&world, &[]).await.hold, Some(Hold::Unread(_))));
    assert!(matches!(brake(None).pulled().await, Some(Hold::Unread(_))));
}

/// The simulation is a thousand times as fast as AWS, where an answer serves for half a minute.
#[tokio::test]
async fn a_brake_is_asked_once_a_pass_and_again_when_the_pass_is_long() {
    let world = World::start().await;
    let id = world.account("payments", true).await;
    let reader = world.cloud.management_reader(&world.desired.organization);
    let shared = Arc::new(RootHold::default());
    let brake =
        |began| Brake::new(reader.clone(), Some(id.clone()), world.aws.root_id(), Arc::clone(&shared), began);
    let began = Instant::now();
    let (one, other) = (brake(began), brake(began));
    let asked = world.count("ListTagsForResource");
    assert_eq!((one.pulled().await, other.pulled().await), (None, None));
    assert_eq!(world.count("ListTagsForResource"), asked + 3, "the root once, each account once");

    world.aws.set_tags(&world.aws.root_id(), &[(HOLD_TAG, "incident 7")]);
    assert!(
        brake(Instant::now()).pulled().await.is_some(),
        "a pass that begins later does not take an old answer"
    );
    world.aws.set_tags(&world.aws.root_id(), &[]);
    world.aws.set_tags(id.as_str(), &[(HOLD_TAG, "audit")]);
    tokio::time::sleep(Duration::from_millis(40)).await;
    assert!(one.pulled().await.unwrap().to_string().contains("audit"), "nor does a pass that takes long");
}

#[tokio::test]
async fn settings_come_in_the_words_of_the_files() {
    let world = World::start().await;
    let id = world.account("payments", true).await;
    let fact = world.fact(&id).await;
    let wanted = ["settings.passwordPolicy", "settings.accountAlias", "settings.samlProviders.ADFS"];
    let before = inside(&world, "payments", &fact, &wanted).await;
    assert_eq!(sight(&before, "settings.samlProviders.ADFS"), Sight::Absent);
    assert_eq!(sight(&before, "settings.passwordPolicy"), Sight::Absent);
    assert_eq!(sight(&before, "settings.accountAlias"), Sight::Absent);

    let policy = json!({"minimumLength": 14, "requireSymbols": true, "requireNumbers": false,
        "requireUppercase": false, "requireLowercase": true, "allowUsersToChange": true,
        "maxAgeDays": 90, "reusePrevention": 24, "hardExpiry": false});
    let writer = world.writer(&id);
    writer.put_password_policy(&policy).await.unwrap();
    writer.put_account_alias("acme-payments").await.unwrap();
    let name = SamlProviderName::parse("ADFS").unwrap();
    writer.create_saml_provider(&name, &laid_out_otherwise()).await.unwrap();
    let after = inside(&world, "payments", &fact, &wanted).await;
    assert_eq!(sight(&after, "settings.passwordPolicy"), Sight::present(policy.clone()));
    assert_eq!(sight(&after, "settings.accountAlias"), Sight::present(json!("acme-payments")));
    let provider = Sight::present(json!({"metadata": outline(METADATA)}));
    assert_eq!(sight(&after, "settings.samlProviders.ADFS"), provider);
    let Facts::Account(facts) = after.facts else { panic!("facts of the organization") };
    assert_eq!(facts.password_policy, Some(policy));
}

#[tokio::test]
async fn what_is_denied_is_a_gap_and_the_rest_is_seen_all_the_same() {
    let world = World::start().await;
    let id = world.account("payments", true).await;
    let fact = world.fact(&id).await;
    world.writer(&id).put_account_alias("acme-payments").await.unwrap();
    world.aws.deny(id.as_str(), &["iam:GetAccountPasswordPolicy", "cloudformation:*"]);
    let wanted = ["settings.passwordPolicy", "settings.accountAlias", "stacks.network[eu-west-1]"];
    let observed = inside(&world, "payments", &fact, &wanted).await;
    assert!(is_gap(&sight(&observed, "settings.passwordPolicy")));
    assert!(is_gap(&sight(&observed, "stacks.network[eu-west-1]")));
    assert_eq!(sight(&observed, "settings.accountAlias"), Sight::present(json!("acme-payments")));
}

#[tokio::test]
async fn an_account_that_is_not_usable_is_not_entered() {
    let world = World::start().await;
    let id = world.account("payments", true).await;
    world.aws.set_standing(id.as_str(), Standing::Suspended);
    let fact = world.fact(&id).await;
    assert_eq!(fact.state, AccountState::Unusable("SUSPENDED".to_owned()));
    let sessions = world.count("AssumeRole");
    let observed = inside(&world, "payments", &fact, &["settings.passwordPolicy"]).await;
    assert!(is_gap(&sight(&observed, "settings.passwordPolicy")));
    let Facts::Account(facts) = observed.facts else { panic!("facts of the organization") };
    assert!(facts.closed.unwrap().contains("SUSPENDED"));
    assert_eq!(world.count("AssumeRole"), sessions);
}

#[tokio::test]
async fn a_new_account_that_refuses_us_is_not_ready_and_an_old_one_is_closed() {
    let world = World::start().await;
    let id = world.account("payments", true).await;
    let fact = world.fact(&id).await;
    let mut access = world.desired.organization.access.clone();
    access.role = RoleName::parse("NoSuchRole").unwrap();
    let reader = world.cloud.reader(&id, &access);
    let wanted = items(&["settings.passwordPolicy"]);
    for (age, is_new) in [(60, true), (7200, false)] {
        let look = look(&world.desired.organization.id, fact.joined + age);
        let slug = Slug::parse("payments").unwrap();
        let observed =
            account(&reader, &slug, &fact, &wanted, &look, None, &mut AccountCache::default()).await;
        let Facts::Account(facts) = &observed.facts else { panic!("facts of the organization") };
        assert!(facts.closed.is_some(), "it was not entered");
        let sight = observed.sight(wanted.first().unwrap());
        assert_eq!(matches!(sight, Sight::Moving(_)), is_new, "{sight:?}");
        assert_eq!(matches!(sight, Sight::Gap(_)), !is_new, "{sight:?}");
    }
}

#[tokio::test]
async fn looking_changes_nothing_and_a_sweep_costs_what_it_must() {
    let world = World::start().await;
    let id = world.account("payments", true).await;
    let fact = world.fact(&id).await;
    world.cloud.reader(&id, &world.desired.organization.access).enter().await.unwrap();
    let (writes, calls) = (world.aws.mutations().len(), world.aws.log().len());
    seen(&world, &["accounts.payments", "ous./workloads"]).await;
    inside(&world, "payments", &fact, &["settings.passwordPolicy", "settings.accountAlias"]).await;
    assert_eq!(world.aws.mutations().len(), writes);
    // ListRoots, the root's OUs, ListAccounts, the requests, tags of the account and the root; two settings.
    assert_eq!(world.aws.log().len() - calls, 8);
}

#[tokio::test]
async fn tags_are_read_again_only_after_a_while() {
    let world = World::start().await;
    let id = world.account("payments", true).await;
    let reader = world.cloud.management_reader(&world.desired.organization);
    let mut cache = OrganizationCache::new(Duration::from_mins(10));
    let wanted = items(&["accounts.payments"]);
    for expected in [2, 3, 4] {
        let observed =
            organization(&reader, &world.desired, &Base::default(), &wanted, &mut cache, &|_, _| ()).await;
        assert_eq!(sight(&observed, "accounts.payments"), active(&id));
        // The root's tags are read every time: they may say hold.
        assert_eq!(world.count("ListTagsForResource"), expected);
    }
}

#[tokio::test]
async fn who_weakened_the_password_policy_is_named() {
    let world = World::start().await;
    let id = world.account("payments", true).await;
    let access = &world.desired.organization.access;
    world.writer(&id).put_password_policy(&json!({"minimumLength": 14})).await.unwrap();
    let item = "settings.passwordPolicy".parse().unwrap();
    let now = world.aws.now().as_second();
    let reader = world.cloud.reader(&id, access);
    let management = world.cloud.management_reader(&world.desired.organization);
    let witnesses = Witnesses { management: &management, account: Some(&reader) };
    let question = |now| Question {
        item: &item,
        observed: None,
        account: Some(&id),
        policy: None,
        target: None,
        access,
        from: now - 7200,
        seen: now,
        now,
    };
    let later = |now| Question { seen: now - 3600, ..question(now) };
    tokio::time::sleep(Duration::from_millis(200)).await;
    let Author::Known(ours) = world.known(witnesses, later).await else {
        panic!("our own hand: {:?}", world.aws.last_event(id.as_str(), "UpdateAccountPasswordPolicy"))
    };
    assert!(ours.is_ours && ours.principal.ends_with("/landfast-0123456789"), "{ours:?}");
    assert_eq!(author(witnesses, &question(world.aws.now().as_second() + 1)).await.unwrap(), Author::Pending);

    let alice = Visitor::assume(&world.cloud, &id, &access.role, "alice", None).await.unwrap();
    alice.put_password_policy(&json!({"minimumLength": 6})).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let Author::Known(event) = world.known(witnesses, question).await else { panic!("alice") };
    assert_eq!(event.event_name, "UpdateAccountPasswordPolicy");
    assert!(event.principal.ends_with("assumed-role/OrganizationAccountAccessRole/alice"), "{event:?}");
    assert!(!event.is_ours);

    let nobody = "settings.accountAlias".parse().unwrap();
    let nobody = Question { item: &nobody, ..question(now) };
    assert_eq!(author(witnesses, &nobody).await.unwrap(), Author::Pending);
    let late = Question { seen: now - 3600, ..nobody };
    assert!(matches!(author(witnesses, &late).await.unwrap(), Author::Unknown { .. }));
}
