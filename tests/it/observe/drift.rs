//! A role that a stack owns, widened by somebody else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use landfast::aws::{NewChangeSet, Visitor};
use landfast::model::{Author, OWNER_TAG, Region, Sight, Slug};
use landfast::observe::{AccountCache, AccountLook, DriftLook, Question, Witnesses, account};
use serde_json::json;

use super::world::{World, items, look};

const TEMPLATE: &str = r#"{"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
    "RoleName": "AWS-NetOps", "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}}}}"#;

#[tokio::test]
async fn a_widened_role_shows_the_policy_and_who_attached_it() {
    let world = World::start().await;
    let id = world.account("payments", true).await;
    let fact = world.fact(&id).await;
    let access = &world.desired.organization.access;
    let (home, writer, reader) =
        (Region::parse("eu-west-1").unwrap(), world.writer(&id), world.cloud.reader(&id, access));
    let tags = BTreeMap::from([(OWNER_TAG.to_owned(), world.desired.organization.id.to_string())]);
    let new = NewChangeSet {
        role: None,
        stack: "roles",
        name: "landfast-1",
        is_new: true,
        template: TEMPLATE,
        parameters: &BTreeMap::new(),
        tags: &tags,
        capabilities: &BTreeSet::from(["CAPABILITY_NAMED_IAM".to_owned()]),
        revert: false,
    };
    let (change_set, _) = writer.create_change_set(&home, &new).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    writer.execute_change_set(&home, &change_set, "landfast-1").await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;

    let item = "stacks.roles[eu-west-1]".parse().unwrap();
    let look = AccountLook { drift: DriftLook::Detect, ..look(&world.desired.organization.id, fact.joined) };
    let (slug, mut cache) = (Slug::parse("payments").unwrap(), AccountCache::default());
    let wanted = items(&["stacks.roles[eu-west-1]"]);
    let before = account(&reader, &slug, &fact, &wanted, &look, None, &mut cache).await;
    let Sight::Present { value, unchecked } = before.sight(&item) else { panic!("{before:?}") };
    assert_eq!((&value["state"], &value["drift"]), (&json!("ok"), &json!({})), "{unchecked:?}");
    assert!(unchecked.is_empty(), "{unchecked:?}");

    let alice = Visitor::assume(&world.cloud, &id, &access.role, "alice", None).await.unwrap();
    alice.attach_role_policy("AWS-NetOps", "arn:aws:iam::aws:policy/AdministratorAccess").await.unwrap();
    let after = account(&reader, &slug, &fact, &wanted, &look, None, &mut cache).await;
    let Sight::Present { value, .. } = after.sight(&item) else { panic!("{after:?}") };
    assert_eq!(value["drift"]["Role"]["physicalId"], json!("AWS-NetOps"));
    assert!(value["drift"]["Role"]["properties"].to_string().contains("AdministratorAccess"), "{value}");

    let management = world.cloud.management_reader(&world.desired.organization);
    let witnesses = Witnesses { management: &management, account: Some(&reader) };
    let question = |now| Question {
        item: &item,
        observed: Some(&value),
        account: Some(&id),
        policy: None,
        target: None,
        access,
        from: now - 7200,
        seen: now,
        now,
    };
    let Author::Known(deed) = world.known(witnesses, question).await else { panic!("alice") };
    assert_eq!((deed.event_name.as_str(), deed.name.as_str()), ("AttachRolePolicy", "alice"));
    assert!(deed.is_certain && !deed.is_ours);
}
