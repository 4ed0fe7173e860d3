//! Leaving on paper: what removes a thing that git no longer declares, and each single thing that keeps it.

use std::collections::{BTreeMap, BTreeSet};

use landfast::model::{
    AccountFacts, Base, CommitId, Declared, Desired, Facts, Item, Mode, Observed, OnLeave, Plan, Region,
    Setting, Sight, Source, Stack, StackFact, StackKey, StackName, Step, StepId, Tie, Value,
};
use landfast::plan::{Guards, Rules, plan};
use serde_json::json;

use crate::paper::{ALIAS, desired, payments, rules, scope, slug};

const POLICY: Item = Item::Setting(Setting::PasswordPolicy);
const TEMPLATE: &str = "Resources:\n  Topic: {Type: AWS::SNS::Topic}\n";
const BUCKET: &str = "Resources:\n  Data: {Type: AWS::S3::Bucket}\n";

fn key(name: &str) -> StackKey {
    let region = Region::parse("eu-west-1").unwrap();
    StackKey { name: StackName::parse(name).unwrap(), region }
}

fn stack_item(name: &str) -> Item {
    Item::Stack(key(name))
}

fn arn(name: &str) -> String {
    format!("arn:aws:cloudformation:eu-west-1:111122223333:stack/{name}/1")
}

/// What a plan is drawn from.
struct World {
    desired: Desired,
    base: Base,
    items: BTreeMap<Item, Sight>,
    facts: AccountFacts,
    rules: Rules,
}

/// What becomes of an item.
#[derive(Debug, PartialEq)]
enum Fate {
    Removed,
    Waits(String),
    Refused(String),
    /// Nothing is done, and nothing is said of it here.
    Kept,
}

impl World {
    /// Nothing is there.
    fn empty() -> Self {
        let id = Some(crate::paper::account_id("111122223333"));
        Self {
            desired: desired(),
            base: Base::default(),
            items: BTreeMap::new(),
            facts: AccountFacts { id, ..AccountFacts::default() },
            rules: rules(),
        }
    }

    /// With a stack that git declared and agreed with, and was to be removed when it leaves, as it did.
    fn with_stack(mut self, name: &str, template: &str) -> Self {
        let value = stack(template).to_value(&self.desired.organization.id);
        let fact = StackFact {
            id: arn(name),
            status: "CREATE_COMPLETE".to_owned(),
            is_ours: true,
            ..StackFact::default()
        };
        self.facts.stacks.insert(key(name), fact);
        let tie = Tie { on_leave: OnLeave::Remove, stack: Some(arn(name)), ..Tie::default() };
        self.put(stack_item(name), value, tie)
    }

    /// The same with the password policy.
    fn with_policy(mut self, policy: &Value, declared: &[&str]) -> Self {
        self.facts.password_policy = Some(policy.clone());
        let keys = declared.iter().map(|key| (*key).to_owned()).collect();
        self.put(POLICY, policy.clone(), Tie { on_leave: OnLeave::Remove, keys, ..Tie::default() })
    }

    fn put(mut self, item: Item, value: Value, tie: Tie) -> Self {
        self.items.insert(item.clone(), Sight::present(value.clone()));
        self.base.items.insert(item.clone(), value.into());
        self.base.ties.insert(item, tie);
        self
    }

    fn tie(&mut self, item: &Item) -> &mut Tie {
        self.base.ties.get_mut(item).unwrap()
    }

    fn fact(&mut self, name: &str) -> &mut StackFact {
        self.facts.stacks.get_mut(&key(name)).unwrap()
    }

    fn plan(&self) -> Plan {
        let observed = Observed {
            scope: scope(),
            items: self.items.clone(),
            facts: Facts::Account(self.facts.clone()),
            hold: None,
        };
        plan(&scope(), &self.desired, &self.base, &observed, &self.rules)
    }

    fn fate(&self, item: &Item) -> Fate {
        let plan = self.plan();
        if plan.steps.iter().any(|step| step.item == *item) {
            return Fate::Removed;
        }
        match plan.blocked.into_iter().find(|blocked| blocked.item == *item) {
            Some(blocked) if blocked.needs_person => Fate::Refused(blocked.because),
            Some(blocked) => Fate::Waits(blocked.because),
            None => Fate::Kept,
        }
    }
}

fn stack(template: &str) -> Stack {
    Stack { template: template.into(), ..Stack::default() }
}

fn declare(world: &mut World, name: &str, stack: Stack) {
    let declared = Declared { value: stack, source: Source::default() };
    payments(&mut world.desired).stacks.insert(key(name), declared);
}

fn net() -> World {
    World::empty().with_stack("net", TEMPLATE)
}

/// `app` needed `net`, and both have left.
fn both() -> World {
    let mut world = net().with_stack("app", TEMPLATE);
    world.tie(&stack_item("app")).needs = [stack_item("net")].into();
    world
}

fn refused(words: &str, fate: &Fate) -> bool {
    matches!(fate, Fate::Refused(because) if because.contains(words))
}

fn waits(words: &str, fate: &Fate) -> bool {
    matches!(fate, Fate::Waits(because) if because.contains(words))
}

#[test]
fn a_stack_that_left_as_it_was_agreed_is_removed_and_each_single_doubt_keeps_it() {
    let fate = |change: &dyn Fn(&mut World)| {
        let mut world = net();
        change(&mut world);
        world.fate(&stack_item("net"))
    };
    assert_eq!(fate(&|_| ()), Fate::Removed);
    assert_eq!(fate(&|world| world.tie(&stack_item("net")).on_leave = OnLeave::Keep), Fate::Kept);
    assert_eq!(fate(&|world| world.base.ties.clear()), Fate::Kept, "nobody knows its last word");
    assert_eq!(fate(&|world| payments(&mut world.desired).mode = Mode::Observe), Fate::Kept);
    let unread = fate(&|world| {
        world.base.items.insert(ALIAS, json!("acme").into());
        world.items.insert(ALIAS, Sight::Gap("AccessDenied".to_owned()));
    });
    assert!(waits("settings.accountAlias cannot be read", &unread), "{unread:?}");
    for (words, change) in [
        (
            "does not bear our tag",
            &(|world: &mut World| world.fact("net").is_ours = false) as &dyn Fn(&mut World),
        ),
        ("made again", &|world: &mut World| world.fact("net").id = arn("another")),
        ("termination protection", &|world: &mut World| world.fact("net").is_protected = true),
        ("see its events", &|world: &mut World| world.fact("net").status = "DELETE_FAILED".to_owned()),
        ("it was changed since", &|world: &mut World| {
            let seen = stack(BUCKET).to_value(&world.desired.organization.id);
            world.items.insert(stack_item("net"), Sight::present(seen));
        }),
    ] {
        let fate = fate(change);
        assert!(refused(words, &fate), "{words}: {fate:?}");
    }
    let moving = fate(&|world| world.fact("net").status = "UPDATE_IN_PROGRESS".to_owned());
    assert!(waits("the stack is in UPDATE_IN_PROGRESS", &moving), "{moving:?}");
}

#[test]
fn the_operators_guards_keep_what_leaves_until_they_vouch_for_the_commit() {
    let protected =
        || Guards { protected_stacks: ["*/net".to_owned().try_into().unwrap()].into(), ..Guards::lifted() };
    let few = || Guards { removals_per_account: 0, ..Guards::lifted() };
    for (words, template, guards) in [
        ("`protected-stacks` names */net", TEMPLATE, protected()),
        ("`removals-per-account` allows 0", TEMPLATE, few()),
        ("Data (AWS::S3::Bucket) would be deleted, with the data in it", BUCKET, Guards::lifted()),
    ] {
        let mut world = World::empty().with_stack("net", template);
        world.rules.guards = guards;
        let fate = world.fate(&stack_item("net"));
        assert!(refused(words, &fate), "{words}: {fate:?}");
        world.rules.guards.approved.insert(world.desired.revision.clone());
        assert_eq!(world.fate(&stack_item("net")), Fate::Removed, "{words}");
    }
    let mut world = net();
    world.rules.guards = Guards { removals_per_account: 1, ..Guards::lifted() };
    assert_eq!(world.fate(&stack_item("net")), Fate::Removed, "as many as are allowed");
    let elsewhere = ["*/app", "shop/net"].map(|text| text.to_owned().try_into().unwrap());
    world.rules.guards = Guards { protected_stacks: elsewhere.into(), ..Guards::lifted() };
    assert_eq!(world.fate(&stack_item("net")), Fate::Removed, "other stacks are protected");
}

#[test]
fn a_stack_of_another_tool_is_not_removed_and_its_owner_is_named() {
    let mut world = World::empty().with_stack("StackSet-base-1", TEMPLATE);
    world.fact("StackSet-base-1").is_ours = false;
    let fate = world.fate(&stack_item("StackSet-base-1"));
    assert!(refused("belongs to a StackSet", &fate), "{fate:?}");
}

/// What IAM adds to a policy by itself is in nobody's base before the policy was read once.
#[test]
fn a_policy_that_was_only_just_put_is_removed_when_it_must_not_be_there_and_nobody_elses_part_of_it_is() {
    let sent = json!({"minimumLength": 14, "requireSymbols": true});
    let fate = |more: Value| {
        let mut world = World::empty().with_policy(&sent, &["minimumLength", "requireSymbols"]);
        let mut seen = sent.clone();
        seen.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.items.insert(POLICY, Sight::present(seen.clone()));
        world.facts.password_policy = Some(seen);
        payments(&mut world.desired).absent.insert(POLICY, Source::default());
        world.fate(&POLICY)
    };
    assert_eq!(fate(json!({"requireNumbers": false, "allowUsersToChange": false})), Fate::Removed);
    assert_eq!(fate(json!({"requireNumbers": false, "maxAgeDays": 90})), Fate::Kept, "a person has to look");
    assert_eq!(fate(json!({"requireSymbols": false})), Fate::Kept);
}

/// Declared absent: `adopt` is the proof where there is no other.
#[test]
fn what_must_not_be_there_is_removed_where_it_was_agreed_or_adopted_and_only_there() {
    let fate = |change: &dyn Fn(&mut World)| {
        let mut world = net();
        let item = stack_item("net");
        payments(&mut world.desired).absent.insert(item.clone(), Source::default());
        change(&mut world);
        world.fate(&item)
    };
    let adopt = |world: &mut World| {
        payments(&mut world.desired).adopt.insert(stack_item("net"));
    };
    let forget = |world: &mut World| world.base = Base::default();
    assert_eq!(fate(&|_| ()), Fate::Removed);
    assert_eq!(fate(&forget), Fate::Kept, "it was never agreed on");
    let strange = |world: &mut World| {
        world.fact("net").id = arn("another");
        world.fact("net").is_ours = false;
    };
    assert!(matches!(fate(&strange), Fate::Refused(_)));
    assert_eq!(
        fate(&|world| {
            forget(world);
            strange(world);
            adopt(world);
        }),
        Fate::Removed
    );
    assert_eq!(
        fate(&|world| {
            strange(world);
            adopt(world);
        }),
        Fate::Removed
    );
}

#[test]
fn what_others_need_goes_after_them_or_stays_with_them() {
    let plan = both().plan();
    let steps: Vec<_> = plan.steps.iter().map(|step| (step.item.clone(), step.needs.clone())).collect();
    let app_first = BTreeSet::from([StepId(format!("remove {}", stack_item("app")))]);
    // `app` comes before `net` by its name too, so the other way round as well.
    assert_eq!(steps, [(stack_item("app"), BTreeSet::new()), (stack_item("net"), app_first)]);
    let mut turned = net().with_stack("app", TEMPLATE);
    turned.tie(&stack_item("net")).needs = [stack_item("app")].into();
    let plan = turned.plan();
    let order: Vec<_> = plan.steps.iter().map(|step| step.item.clone()).collect();
    assert_eq!(order, [stack_item("net"), stack_item("app")]);
    assert!(!plan.steps[1].needs.is_empty());

    let mut kept = both();
    kept.tie(&stack_item("app")).on_leave = OnLeave::Keep;
    let fate = kept.fate(&stack_item("net"));
    assert!(refused("stacks.app[eu-west-1] needs it, and is kept", &fate), "{fate:?}");
    let mut moving = both();
    moving.items.insert(stack_item("app"), Sight::Moving("UPDATE_IN_PROGRESS".to_owned()));
    let fate = moving.fate(&stack_item("net"));
    assert!(waits("stacks.app[eu-west-1] still needs it", &fate), "{fate:?}");
    // Declared again without the need, and in sync: it needed it under an older commit only.
    let mut over = both();
    declare(&mut over, "app", stack(TEMPLATE));
    assert_eq!(over.fate(&stack_item("net")), Fate::Removed);
}

#[test]
fn a_policy_goes_as_a_whole_only_where_every_key_in_it_is_ours_or_as_aws_leaves_it() {
    let policy = json!({"minimumLength": 14, "requireSymbols": true, "requireNumbers": false});
    let ours = World::empty().with_policy(&policy, &["minimumLength", "requireSymbols"]);
    assert_eq!(ours.fate(&POLICY), Fate::Removed);
    let mut shared = World::empty().with_policy(&policy, &["minimumLength"]);
    let fate = shared.fate(&POLICY);
    assert!(refused("requireSymbols in it was set by somebody else", &fate), "{fate:?}");
    shared.tie(&POLICY).left_keys = [("requireSymbols".to_owned(), json!(true))].into();
    assert_eq!(shared.fate(&POLICY), Fate::Removed, "git declared it once, and it is as it was left");
    shared.tie(&POLICY).left_keys = [("requireSymbols".to_owned(), json!(false))].into();
    assert!(matches!(shared.fate(&POLICY), Fate::Refused(_)));
    let shortest = json!({"minimumLength": 6, "requireSymbols": true});
    let usual = World::empty().with_policy(&shortest, &["requireSymbols"]);
    assert_eq!(usual.fate(&POLICY), Fate::Removed, "six is what IAM takes where nothing is said");
}

#[test]
fn the_commit_with_which_something_left_is_the_first_one_without_it() {
    let mut world = net();
    let left = |world: &World| world.plan().ties[&stack_item("net")].left.clone();
    assert_eq!(left(&world), Some(world.desired.revision.clone()));
    let first = CommitId::parse("b".repeat(40)).unwrap();
    world.tie(&stack_item("net")).left = Some(first.clone());
    assert_eq!(left(&world), Some(first));
}

#[test]
fn a_tie_keeps_the_stack_that_was_agreed_on_and_what_it_needs() {
    let mut world = net();
    let mut needing = stack(TEMPLATE);
    needing.needs.insert(ALIAS);
    declare(&mut world, "net", needing);
    world.tie(&stack_item("net")).stack = Some("before".to_owned());
    let tie = |world: &World| world.plan().ties[&stack_item("net")].clone();
    assert_eq!(tie(&world).stack, Some(arn("net")), "it is in sync");
    assert_eq!(tie(&world).needs, [ALIAS].into());
    world.fact("net").is_ours = false;
    assert_eq!(tie(&world).stack.as_deref(), Some("before"), "nothing proves that this one is ours");
    world.fact("net").is_ours = true;
    declare(&mut world, "net", stack(BUCKET));
    assert_eq!(tie(&world).stack.as_deref(), Some("before"), "it is not what git says");
}

#[test]
fn keys_that_git_let_go_are_remembered_for_as_long_as_they_stay_as_they_were_left() {
    let policy = json!({"minimumLength": 14, "requireSymbols": true});
    let mut world = World::empty().with_policy(&policy, &["minimumLength", "requireSymbols"]);
    let wanted = json!({"minimumLength": 14});
    let declared = Declared { value: wanted.into(), source: Source::default() };
    payments(&mut world.desired).settings.insert(Setting::PasswordPolicy, declared);
    let left = |world: &World| world.plan().ties[&POLICY].left_keys.clone();
    let symbols = BTreeMap::from([("requireSymbols".to_owned(), json!(true))]);
    assert_eq!(left(&world), symbols);
    // The next pass: the base has the new declaration only.
    let tie = world.plan().ties[&POLICY].clone();
    *world.tie(&POLICY) = tie;
    assert_eq!(left(&world), symbols);
    let changed = json!({"minimumLength": 14, "requireSymbols": false});
    world.items.insert(POLICY, Sight::present(changed));
    assert_eq!(left(&world), BTreeMap::new(), "somebody decided");
}

#[test]
fn every_removal_says_what_it_expects_to_find() {
    let policy = json!({"minimumLength": 14});
    let mut world = net().with_policy(&policy, &["minimumLength"]);
    world = world.put(ALIAS, json!("acme"), Tie { on_leave: OnLeave::Remove, ..Tie::default() });
    let steps: Vec<_> = world.plan().steps.into_iter().map(|planned| planned.step).collect();
    assert!(steps.contains(&Step::RemovePasswordPolicy { before: policy }), "{steps:?}");
    assert!(steps.contains(&Step::RemoveAccountAlias { before: "acme".to_owned() }), "{steps:?}");
    let before = world.facts.stacks[&key("net")].clone();
    assert!(steps.contains(&Step::RemoveStack { key: key("net"), before }), "{steps:?}");
    assert!(world.desired.accounts.contains_key(&slug("payments")));
}
