//! What is done about each state and each reason, on paper: the plan that follows from it.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::types::StackStatus;
use aws_sdk_organizations::types::CreateAccountFailureReason;
use landfast::aws::Reader;
use landfast::model::status::Standing;
use landfast::model::{
    AccountFacts, AccountProperty, Base, Creation, CreationState, Declared, Desired, Facts, Item, Mode,
    Observed, OrganizationFacts, OuFact, OuPath, Plan, Policy, PolicyName, PolicyTarget, PolicyType, Scope,
    Sight, Source, Stack, StackFact, StackKey, Step,
};
use landfast::observe::{self, OrganizationCache};
use landfast::plan::{Rules, plan};
use serde_json::json;

use super::table;
use crate::paper::{account_id, desired, payments, rules, scope};

const STACK: &str = "stacks.network[eu-west-1]";
/// An unknown word beside all that AWS documents.
const UNKNOWN: [&str; 2] = ["SOMETHING_NEW", "SOMETHING_NEW_IN_PROGRESS"];

/// The first step of a plan, or why there is none.
fn first(plan: &Plan) -> String {
    let steps = plan.steps.iter().map(|step| match &step.step {
        Step::DeleteFailedStack { .. } => "deleted".to_owned(),
        Step::DeployStack { before: None, .. } => "made".to_owned(),
        Step::DeployStack { before: Some(_), .. } => "updated".to_owned(),
        Step::CreateAccount { .. } => "asked for".to_owned(),
        other => panic!("{other:?}"),
    });
    let is_place = |item: &Item| matches!(item, Item::Account(_, AccountProperty::Ou));
    let held = plan.blocked.iter().filter(|blocked| !is_place(&blocked.item));
    let held = held.map(|blocked| if blocked.needs_person { "a person" } else { "waits" }.to_owned());
    let what: Vec<_> = steps.chain(held).collect();
    if what.is_empty() { "looked at again".to_owned() } else { what.join(", then ") }
}

/// The company with one stack, whose template has changed since it was agreed on.
fn with_a_stack() -> (Desired, StackKey) {
    let Ok(Item::Stack(key)) = STACK.parse::<Item>() else { panic!("a stack") };
    let stack = Stack { template: "{}".into(), ..Stack::default() };
    let mut desired = desired();
    let account = payments(&mut desired);
    account.mode = Mode::Enforce;
    account.stacks.insert(key.clone(), Declared { value: stack, source: Source::default() });
    (desired, key)
}

/// What becomes of a stack in a state, by what the change set that made it is called.
fn about_a_stack(status: &str, is_ours: bool, change_set: &str) -> Plan {
    let (change_set, id) = (Some(change_set.to_owned()), "arn:1".to_owned());
    let reason = String::new();
    about(
        StackFact {
            id,
            status: status.to_owned(),
            reason,
            updated: 1,
            change_set,
            is_ours,
            is_protected: false,
        },
        &rules(),
    )
}

fn about(fact: StackFact, rules: &Rules) -> Plan {
    let (desired, key) = with_a_stack();
    let status = fact.status.as_str();
    let (sight, base) = match Standing::of(status) {
        Standing::Gone | Standing::Shell => (Sight::Absent, None),
        Standing::Moving => (Sight::Moving(status.to_owned()), None),
        Standing::Fallen => (Sight::present(json!({"state": status, "template": "other"})), None),
        Standing::Whole | Standing::Restored | Standing::Broken => {
            let value =
                json!({"state": status, "template": "other", "parameters": {}, "tags": {}, "drift": {}});
            (Sight::present(value.clone()), Some(value))
        }
    };
    let item = Item::Stack(key.clone());
    let (id, stacks) = (Some(account_id("111122223333")), BTreeMap::from([(key, fact)]));
    let facts = AccountFacts { id, stacks, ..AccountFacts::default() };
    let items = BTreeMap::from([(item.clone(), sight)]);
    let observed = Observed { scope: scope(), items, facts: Facts::Account(facts), hold: None };
    let base = Base::of(base.into_iter().map(|value| (item.clone(), value)).collect());
    plan(&scope(), &desired, &base, &observed, rules)
}

#[test]
fn what_is_done_about_a_stack_follows_from_its_state() {
    let statuses = StackStatus::values().iter().chain(&UNKNOWN);
    let line = |status: &&str| {
        let (ours, theirs) = (about_a_stack(status, true, "x"), about_a_stack(status, false, "x"));
        format!("{status}: {}; not ours: {}", first(&ours), first(&theirs))
    };
    insta::assert_snapshot!(table(statuses.map(line)), @r"
    CREATE_COMPLETE: updated; not ours: a person
    CREATE_FAILED: a person; not ours: a person
    CREATE_IN_PROGRESS: looked at again; not ours: looked at again
    DELETE_COMPLETE: made; not ours: made
    DELETE_FAILED: a person; not ours: a person
    DELETE_IN_PROGRESS: looked at again; not ours: looked at again
    IMPORT_COMPLETE: updated; not ours: a person
    IMPORT_IN_PROGRESS: looked at again; not ours: looked at again
    IMPORT_ROLLBACK_COMPLETE: updated; not ours: a person
    IMPORT_ROLLBACK_FAILED: a person; not ours: a person
    IMPORT_ROLLBACK_IN_PROGRESS: looked at again; not ours: looked at again
    REVIEW_IN_PROGRESS: made; not ours: made
    ROLLBACK_COMPLETE: deleted, then made; not ours: looked at again
    ROLLBACK_FAILED: a person; not ours: a person
    ROLLBACK_IN_PROGRESS: looked at again; not ours: looked at again
    UPDATE_COMPLETE: updated; not ours: a person
    UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: looked at again; not ours: looked at again
    UPDATE_FAILED: a person; not ours: a person
    UPDATE_IN_PROGRESS: looked at again; not ours: looked at again
    UPDATE_ROLLBACK_COMPLETE: updated; not ours: a person
    UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS: looked at again; not ours: looked at again
    UPDATE_ROLLBACK_FAILED: a person; not ours: a person
    UPDATE_ROLLBACK_IN_PROGRESS: looked at again; not ours: looked at again
    SOMETHING_NEW: a person; not ours: a person
    SOMETHING_NEW_IN_PROGRESS: looked at again; not ours: looked at again
    ");
}

#[test]
fn content_that_was_rolled_back_is_not_sent_again_and_other_content_is() {
    let made = about_a_stack("CREATE_COMPLETE", true, "x");
    let Step::DeployStack { change_set, .. } = &made.steps[0].step else { panic!("{made:?}") };
    for status in ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"] {
        assert_eq!(first(&about_a_stack(status, true, change_set)), "a person", "{status}");
        assert_ne!(first(&about_a_stack(status, true, "x")), "a person", "{status}");
    }
}

/// AWS says which change set made a stack; should it not, a stack must not be made and rolled back without end.
#[test]
fn where_nothing_tells_what_was_rolled_back_every_commit_is_tried_once() {
    let fallen = || StackFact {
        id: "arn:1".to_owned(),
        status: "ROLLBACK_COMPLETE".to_owned(),
        updated: 1000,
        is_ours: true,
        ..StackFact::default()
    };
    let at = |committed, now| first(&about(fallen(), &Rules { committed, now, ..rules() }));
    assert_eq!(at(1001, 2000), "deleted, then made");
    assert_eq!(at(1000, 2000), "a person");
    assert_eq!(at(2001, 2000), "a person", "a commit from the future excuses nothing");
}

/// The plan some time after AWS failed to make the account of that name.
fn after_a_failure(name: &str, reason: &str, seconds: i64) -> Plan {
    let mut desired = desired();
    payments(&mut desired).id = None;
    let ou = |id: &str| OuFact { id: id.to_owned() };
    let state = CreationState::Failed(reason.to_owned());
    let creation = Creation { id: "car-1".to_owned(), account_name: name.to_owned(), state, requested: 1000 };
    let facts = OrganizationFacts {
        ous: BTreeMap::from([
            (OuPath::root(), ou("r-1")),
            (OuPath::parse("/workloads").unwrap(), ou("ou-1")),
        ]),
        creations: vec![creation],
        ..OrganizationFacts::default()
    };
    let absent = desired.items(&Scope::Organization).into_keys().map(|item| (item, Sight::Absent));
    let mut items: BTreeMap<Item, Sight> = absent.collect();
    items.insert("ous./workloads".parse().unwrap(), Sight::present(json!({})));
    let scope = Scope::Organization;
    let observed = Observed { scope: scope.clone(), items, facts: Facts::Organization(facts), hold: None };
    let rules = Rules { committed: 1000, now: 1000 + seconds, ..rules() };
    plan(&scope, &desired, &Base::default(), &observed, &rules)
}

#[test]
fn whether_an_account_is_asked_for_again_follows_from_why_it_was_not_made() {
    let reasons = CreateAccountFailureReason::values().iter().chain(&UNKNOWN[..1]);
    let line = |reason: &&str| {
        let own = |seconds| first(&after_a_failure("Payments", reason, seconds));
        let other = first(&after_a_failure("Another", reason, 60));
        format!("{reason}: at once {}, a day later {}; another account: {other}", own(60), own(86_400))
    };
    insta::assert_snapshot!(table(reasons.map(line)), @r"
    ACCOUNT_LIMIT_EXCEEDED: at once a person, a day later a person; another account: a person
    CONCURRENT_ACCOUNT_MODIFICATION: at once waits, a day later asked for; another account: asked for
    EMAIL_ALREADY_EXISTS: at once a person, a day later a person; another account: asked for
    FAILED_BUSINESS_VALIDATION: at once a person, a day later a person; another account: a person
    GOVCLOUD_ACCOUNT_ALREADY_EXISTS: at once a person, a day later a person; another account: asked for
    INTERNAL_FAILURE: at once waits, a day later asked for; another account: asked for
    INVALID_ADDRESS: at once a person, a day later a person; another account: asked for
    INVALID_EMAIL: at once a person, a day later a person; another account: asked for
    INVALID_IDENTITY_FOR_BUSINESS_VALIDATION: at once a person, a day later a person; another account: a person
    INVALID_PAYMENT_INSTRUMENT: at once a person, a day later a person; another account: a person
    MISSING_BUSINESS_VALIDATION: at once a person, a day later a person; another account: a person
    MISSING_PAYMENT_INSTRUMENT: at once a person, a day later a person; another account: a person
    PENDING_BUSINESS_VALIDATION: at once a person, a day later a person; another account: a person
    UNKNOWN_BUSINESS_VALIDATION: at once a person, a day later a person; another account: a person
    UPDATE_EXISTING_RESOURCE_POLICY_WITH_TAGS_NOT_SUPPORTED: at once a person, a day later a person; another account: a person
    SOMETHING_NEW: at once a person, a day later a person; another account: asked for
    ");
}

/// What is done about a declared policy and its attachment, after one look at the organization.
pub(super) async fn policies_planned(reader: &Reader) -> String {
    let mut desired = desired();
    let kind = PolicyType::of_aws("SERVICE_CONTROL_POLICY").unwrap();
    let (name, source) = (PolicyName::parse("deny-leaving").unwrap(), Source::default());
    let policy = Policy { kind, text: "{}".to_owned(), content: json!({}) };
    let policies = &mut desired.organization.policies;
    policies.by_name.insert(name.clone(), Declared { value: policy, source: source.clone() });
    policies.attachments.insert((name, PolicyTarget::Ou(OuPath::root())), source);
    let (scope, base) = (Scope::Organization, Base::default());
    let wanted = desired.items(&scope).into_keys().filter(Item::is_of_policies).collect();
    let mut cache = OrganizationCache::new(Duration::from_secs(1));
    let observed = observe::organization(reader, &desired, &base, &wanted, &mut cache, &|_, _| ()).await;
    let plan = plan(&scope, &desired, &base, &observed, &rules());
    let is_of_policies = |item: &Item| item.is_of_policies();
    let steps = plan.steps.iter().filter(|step| is_of_policies(&step.item)).map(|step| step.id.to_string());
    let held = plan.blocked.iter().filter(|blocked| is_of_policies(&blocked.item));
    let held = held.map(|blocked| format!("{} waits", blocked.item));
    steps.chain(held).collect::<Vec<_>>().join(", ")
}
