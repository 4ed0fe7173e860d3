//! When an account is asked for, and when it is not: rows A2 to A35 of what AWS does, on paper.

use std::collections::BTreeMap;
use std::sync::Arc;

use landfast::model::{
    AccountFact, AccountProperty, AccountState, Base, Creation, CreationState, Desired, Facts, Item, Mode,
    Observed, OrganizationFacts, OuFact, OuPath, Plan, SLUG_TAG, Scope, Sight, Step, Verdict,
};
use landfast::plan::{Guards, Rules, plan};
use serde_json::json;

use crate::paper::{account_id, desired, payments, rules, slug};

const COMMITTED: i64 = 1_000_000;

/// An organization that has its OU and no account but the management account.
fn facts() -> OrganizationFacts {
    let ou = |id: &str| OuFact { id: id.to_owned() };
    OrganizationFacts {
        ous: BTreeMap::from([
            (OuPath::root(), ou("r-1")),
            (OuPath::parse("/workloads").unwrap(), ou("ou-1")),
        ]),
        ..OrganizationFacts::default()
    }
}

fn wanting() -> Desired {
    let mut desired = desired();
    payments(&mut desired).id = None;
    desired
}

fn creation(state: CreationState, requested: i64) -> Creation {
    Creation { id: "car-1".to_owned(), account_name: "Payments".to_owned(), state, requested }
}

fn fact(email: &str) -> AccountFact {
    AccountFact {
        id: account_id("222233334444"),
        email: email.to_owned(),
        name: "Payments".to_owned(),
        state: AccountState::Active,
        ou: OuPath::root(),
        joined: COMMITTED,
        tags: Some(BTreeMap::new()),
    }
}

fn property(property: AccountProperty) -> Item {
    Item::Account(slug("payments"), property)
}

fn plan_with(desired: &Desired, facts: OrganizationFacts, base: &Base, now: i64) -> Plan {
    plan_under(&Guards::lifted(), desired, facts, base, now)
}

fn plan_under(guards: &Guards, desired: &Desired, facts: OrganizationFacts, base: &Base, now: i64) -> Plan {
    let mut items: BTreeMap<Item, Sight> =
        desired.items(&Scope::Organization).into_keys().map(|item| (item, Sight::Absent)).collect();
    for path in facts.ous.keys() {
        items.insert(Item::Ou(path.clone()), Sight::present(json!({})));
    }
    for (slug, id) in &facts.claimed {
        let account = &facts.accounts[id];
        let exists = json!({"state": "ACTIVE", "id": id});
        items.insert(Item::Account(slug.clone(), AccountProperty::Exists), Sight::present(exists));
        items.insert(Item::Account(slug.clone(), AccountProperty::Ou), Sight::present(json!(account.ou)));
        items.insert(Item::Account(slug.clone(), AccountProperty::Name), Sight::present(json!(account.name)));
        items.insert(
            Item::Account(slug.clone(), AccountProperty::Email),
            Sight::present(json!(account.email)),
        );
    }
    let scope = Scope::Organization;
    let observed = Observed { scope: scope.clone(), items, facts: Facts::Organization(facts), hold: None };
    let rules = Rules { committed: COMMITTED, now, guards: guards.clone(), ..rules() };
    plan(&scope, desired, base, &observed, &rules)
}

fn creations(plan: &Plan) -> usize {
    plan.steps.iter().filter(|step| matches!(step.step, Step::CreateAccount { .. })).count()
}

fn after(state: CreationState, requested: i64, now: i64) -> Plan {
    let facts = OrganizationFacts { creations: vec![creation(state, requested)], ..facts() };
    plan_with(&wanting(), facts, &Base::default(), now)
}

#[test]
fn a_new_folder_asks_for_one_account_that_bears_our_tags() {
    let plan = plan_with(&wanting(), facts(), &Base::default(), COMMITTED);
    let Step::CreateAccount { tags, email, .. } = &plan.steps[0].step else { panic!("{plan:?}") };
    assert_eq!((email.as_str(), plan.steps.len()), ("aws+payments@example.com", 1));
    assert_eq!(tags["landfast:slug"], "payments");
    assert_eq!(tags["landfast:owner"], "o-exampleorgid");
}

#[test]
fn what_an_account_is_created_with_is_not_work_that_waits() {
    let mut desired = wanting();
    let account = payments(&mut desired);
    account.tags.insert("env".to_owned(), "prod".to_owned());
    let waiting = |plan: &Plan| -> Vec<String> {
        plan.blocked.iter().map(|blocked| blocked.item.to_string()).collect()
    };
    let plan = plan_with(&desired, facts(), &Base::default(), COMMITTED);
    assert_eq!(creations(&plan), 1);
    assert_eq!(waiting(&plan), ["accounts.payments.ou"], "its place comes after it");
    let kept = json!({"state": "ACTIVE", "id": "222233334444"});
    let base = Base::of(BTreeMap::from([(property(AccountProperty::Exists), kept)]));
    let plan = plan_with(&desired, facts(), &base, COMMITTED);
    assert!(waiting(&plan).contains(&"accounts.payments.name".to_owned()), "no creation brings it: {plan:?}");
}

#[test]
fn while_a_request_is_under_way_no_other_is_sent() {
    let plan = after(CreationState::InProgress, COMMITTED, COMMITTED + 86_400);
    assert_eq!(creations(&plan), 0);
    assert!(!plan.blocked.iter().any(|blocked| blocked.needs_person), "{plan:?}");
}

#[test]
fn a_request_that_never_ends_is_told_to_a_person_and_not_repeated() {
    let plan = after(CreationState::InProgress, COMMITTED, COMMITTED + 86_401);
    assert_eq!(creations(&plan), 0);
    assert!(
        plan.blocked.iter().any(|blocked| blocked.needs_person && blocked.because.contains("over a day"))
    );
}

#[test]
fn an_account_that_was_created_but_is_not_listed_yet_is_not_asked_for_again() {
    let plan = after(CreationState::Succeeded(account_id("222233334444")), COMMITTED, COMMITTED);
    assert_eq!(creations(&plan), 0);
}

#[test]
fn a_refused_request_is_repeated_only_after_a_new_commit() {
    for reason in [
        "EMAIL_ALREADY_EXISTS",
        "INVALID_EMAIL",
        "INVALID_ADDRESS",
        "SOMETHING_NEW",
        "GOVCLOUD_ACCOUNT_ALREADY_EXISTS",
    ] {
        let failed = || CreationState::Failed(reason.to_owned());
        let plan = after(failed(), COMMITTED, COMMITTED + 86_400);
        assert_eq!(creations(&plan), 0, "{reason}");
        assert!(plan.blocked.iter().any(|blocked| blocked.needs_person && blocked.because.contains(reason)));
        assert_eq!(creations(&after(failed(), COMMITTED - 1, COMMITTED + 86_400)), 1, "{reason}");
    }
}

#[test]
fn a_failure_inside_aws_is_retried_three_times_at_most_and_not_at_once() {
    let failed = || CreationState::Failed("INTERNAL_FAILURE".to_owned());
    assert_eq!(creations(&after(failed(), COMMITTED, COMMITTED + 899)), 0);
    assert_eq!(creations(&after(failed(), COMMITTED, COMMITTED + 900)), 1);
    let thrice = (0..3).map(|nth| creation(failed(), COMMITTED + nth)).collect();
    let facts = OrganizationFacts { creations: thrice, ..facts() };
    assert_eq!(creations(&plan_with(&wanting(), facts, &Base::default(), COMMITTED + 86_400)), 0);
}

#[test]
fn a_quota_or_payment_refusal_of_any_account_holds_all_creations_for_a_quarter_of_an_hour() {
    for reason in ["ACCOUNT_LIMIT_EXCEEDED", "MISSING_PAYMENT_INSTRUMENT", "PENDING_BUSINESS_VALIDATION"] {
        let mut other = creation(CreationState::Failed(reason.to_owned()), COMMITTED);
        other.account_name = "Other".to_owned();
        let facts = OrganizationFacts { creations: vec![other], ..facts() };
        assert_eq!(creations(&plan_with(&wanting(), facts.clone(), &Base::default(), COMMITTED + 899)), 0);
        assert_eq!(creations(&plan_with(&wanting(), facts, &Base::default(), COMMITTED + 900)), 1);
    }
}

#[test]
fn a_commit_from_the_future_does_not_excuse_a_refusal() {
    let failed = CreationState::Failed("INVALID_EMAIL".to_owned());
    assert_eq!(creations(&after(failed, COMMITTED - 10, COMMITTED - 5)), 0);
}

#[test]
fn while_a_request_that_no_folder_names_is_under_way_a_renamed_folder_waits() {
    for (state, sent) in [
        (CreationState::InProgress, 0),
        (CreationState::Succeeded(account_id("222233334444")), 0),
        (CreationState::Failed("INVALID_EMAIL".to_owned()), 1),
    ] {
        let mut former = creation(state, COMMITTED);
        former.account_name = "Payments under its former name".to_owned();
        let facts = OrganizationFacts { creations: vec![former], ..facts() };
        assert_eq!(creations(&plan_with(&wanting(), facts, &Base::default(), COMMITTED)), sent);
    }
}

#[test]
fn at_most_three_creations_are_under_way() {
    let mut desired = wanting();
    for nth in 0..5 {
        let mut account = payments(&mut desired).clone();
        account.slug = slug(&format!("more-{nth}"));
        account.name = format!("More {nth}");
        account.email = landfast::model::Email::parse(format!("more{nth}@example.com")).unwrap();
        desired.accounts.insert(account.slug.clone(), Arc::new(account));
    }
    assert_eq!(creations(&plan_with(&desired, facts(), &Base::default(), COMMITTED)), 3);
    let busy = |nth: usize| Creation {
        account_name: format!("More {nth}"),
        ..creation(CreationState::InProgress, COMMITTED)
    };
    let facts = OrganizationFacts { creations: vec![busy(3), busy(4)], ..facts() };
    assert_eq!(creations(&plan_with(&desired, facts, &Base::default(), COMMITTED)), 1);
}

fn wanting_more(n: usize) -> Desired {
    let mut desired = wanting();
    for nth in 1..n {
        let mut account = payments(&mut desired).clone();
        account.slug = slug(&format!("more-{nth}"));
        account.name = format!("More {nth}");
        account.email = landfast::model::Email::parse(format!("more{nth}@example.com")).unwrap();
        desired.accounts.insert(account.slug.clone(), Arc::new(account));
    }
    desired
}

#[test]
fn a_commit_that_asks_for_too_many_accounts_gets_none_until_an_operator_vouches_for_it() {
    let five = plan_under(&Guards::default(), &wanting_more(5), facts(), &Base::default(), COMMITTED);
    assert_eq!(creations(&five), 3, "as many as AWS makes at a time");
    let six = wanting_more(6);
    let plan = plan_under(&Guards::default(), &six, facts(), &Base::default(), COMMITTED);
    assert_eq!(creations(&plan), 0);
    let blocked: Vec<_> = plan.blocked.iter().filter(|blocked| blocked.needs_person).collect();
    assert_eq!(blocked.len(), 6, "each account says why: {plan:?}");
    assert!(blocked[0].because.contains(&format!("--approve {}", six.revision)), "{}", blocked[0].because);
    let approved = Guards { approved: [six.revision.clone()].into(), ..Guards::default() };
    assert_eq!(creations(&plan_under(&approved, &six, facts(), &Base::default(), COMMITTED)), 3);
}

#[test]
fn no_more_accounts_a_day_than_the_operator_allows() {
    let asked = |state: CreationState, hours: i64, nth: usize| Creation {
        account_name: format!("Former {nth}"),
        ..creation(state, COMMITTED - hours * 3600)
    };
    let gone = CreationState::Succeeded(account_id("999900001111"));
    let with = |state: &CreationState, hours: i64| {
        let former = (0..10).map(|nth| asked(state.clone(), hours, nth)).collect();
        let facts = OrganizationFacts { creations: former, ..facts() };
        creations(&plan_under(&Guards::default(), &wanting(), facts, &Base::default(), COMMITTED))
    };
    assert_eq!(with(&gone, 23), 0);
    assert_eq!(with(&gone, 25), 1, "a day later it goes on by itself");
    assert_eq!(
        with(&CreationState::Failed("INTERNAL_FAILURE".to_owned()), 23),
        1,
        "what failed made nothing"
    );
}

#[test]
fn those_that_one_plan_asks_for_count_towards_the_day_and_the_rest_is_told() {
    let guards = Guards { new_accounts_per_day: 2, ..Guards::default() };
    let busy = |count: usize| {
        let one = |nth| Creation {
            account_name: format!("More {nth}"),
            ..creation(CreationState::InProgress, COMMITTED)
        };
        OrganizationFacts { creations: (1..=count).map(one).collect(), ..facts() }
    };
    let plan = |facts| plan_under(&guards, &wanting_more(4), facts, &Base::default(), COMMITTED + 60);
    assert_eq!(creations(&plan(facts())), 2);
    assert_eq!(creations(&plan(busy(1))), 1);
    let plan = plan(busy(2));
    assert_eq!(creations(&plan), 0);
    let told = plan
        .blocked
        .iter()
        .filter(|it| it.needs_person && it.because.contains("`new-accounts-per-day` allows 2"));
    assert!(told.count() > 0, "{:?}", plan.blocked);
}

/// What is planned for an account that is to be moved and tagged, and how much of it is refused.
fn moved_and_tagged(guards: &Guards, is_management: bool) -> (usize, usize) {
    let mut desired = desired();
    payments(&mut desired).tags.insert("owner".to_owned(), "payments".to_owned());
    let id = account_id(if is_management { "999988887777" } else { "111122223333" });
    payments(&mut desired).id = Some(id.clone());
    let account = AccountFact { id: id.clone(), ..fact("aws+payments@example.com") };
    let facts = OrganizationFacts {
        accounts: BTreeMap::from([(id.clone(), account)]),
        claimed: BTreeMap::from([(slug("payments"), id.clone())]),
        ..facts()
    };
    let agreed =
        [(AccountProperty::Ou, json!("/")), (AccountProperty::Exists, json!({"state": "ACTIVE", "id": id}))];
    let base = Base::of(agreed.into_iter().map(|(it, value)| (property(it), value)).collect());
    let plan = plan_under(guards, &desired, facts, &base, COMMITTED);
    (plan.steps.len(), plan.blocked.iter().filter(|it| it.needs_person).count())
}

#[test]
fn an_account_that_is_off_limits_is_neither_moved_nor_tagged() {
    let protected = Guards { protected_accounts: [slug("payments")].into(), ..Guards::lifted() };
    assert_eq!(moved_and_tagged(&Guards::lifted(), false), (2, 0));
    assert_eq!(moved_and_tagged(&protected, false), (0, 2));
    assert_eq!(moved_and_tagged(&Guards::lifted(), true), (0, 2));
    let approved = Guards { approved: [desired().revision].into(), ..protected };
    assert_eq!(moved_and_tagged(&approved, false), (2, 0));
}

#[test]
fn an_email_match_alone_is_refused_with_the_line_to_add() {
    for email in ["aws+payments@example.com", "AWS+Payments@Example.com"] {
        let accounts = BTreeMap::from([(account_id("222233334444"), fact(email))]);
        let facts = OrganizationFacts { accounts, ..facts() };
        let plan = plan_with(&wanting(), facts, &Base::default(), COMMITTED);
        assert_eq!(creations(&plan), 0);
        assert!(
            plan.blocked[0].because.contains(r#"add `id: "222233334444"` to accounts/payments/account.yaml"#)
        );
    }
}

#[test]
fn an_account_that_was_kept_and_is_no_longer_listed_is_never_created_again() {
    for mode in [Mode::Report, Mode::Enforce] {
        let mut desired = wanting();
        payments(&mut desired).mode = mode;
        let kept = json!({"state": "ACTIVE", "id": "222233334444"});
        let base = Base::of(BTreeMap::from([(property(AccountProperty::Exists), kept)]));
        let plan = plan_with(&desired, facts(), &base, COMMITTED);
        assert_eq!(creations(&plan), 0);
        assert_eq!(plan.findings[&property(AccountProperty::Exists)].verdict, Verdict::Drift);
    }
}

#[test]
fn an_account_with_a_recorded_id_is_never_created() {
    let plan = plan_with(&desired(), facts(), &Base::default(), COMMITTED);
    assert_eq!(creations(&plan), 0);
}

#[test]
fn a_created_account_is_placed_from_the_root_but_a_found_one_is_not_moved() {
    for (is_ours, moves) in [(true, 1), (false, 0)] {
        let mut account = fact("aws+payments@example.com");
        if is_ours {
            account.tags = Some(BTreeMap::from([(SLUG_TAG.to_owned(), "payments".to_owned())]));
        }
        let claimed = BTreeMap::from([(slug("payments"), account.id.clone())]);
        let accounts = BTreeMap::from([(account.id.clone(), account)]);
        let plan = plan_with(
            &wanting(),
            OrganizationFacts { accounts, claimed, ..facts() },
            &Base::default(),
            COMMITTED,
        );
        let moved = plan.steps.iter().filter(|step| matches!(step.step, Step::MoveAccount { .. })).count();
        assert_eq!(moved, moves, "{plan:?}");
    }
}

#[test]
fn nested_ous_are_created_parents_first() {
    let mut desired = wanting();
    for path in ["/a", "/a/b", "/a/b/c"] {
        desired.organization.ous.insert(OuPath::parse(path).unwrap(), landfast::model::Source::default());
    }
    let plan = plan_with(&desired, facts(), &Base::default(), COMMITTED);
    let ous: Vec<_> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.step {
            Step::CreateOu { path } => Some((path.as_str(), step.needs.len())),
            _ => None,
        })
        .collect();
    assert_eq!(ous, [("/a", 0), ("/a/b", 1), ("/a/b/c", 1)]);
}

#[test]
fn an_account_without_a_folder_is_told_of_and_left_alone() {
    let accounts = BTreeMap::from([(account_id("222233334444"), fact("somebody@example.com"))]);
    let plan = plan_with(&wanting(), OrganizationFacts { accounts, ..facts() }, &Base::default(), COMMITTED);
    assert_eq!(
        plan.unclaimed.iter().map(|account| account.id.as_str()).collect::<Vec<_>>(),
        ["222233334444"]
    );
    let touches = |step: &Step| format!("{step:?}").contains("222233334444");
    assert!(!plan.steps.iter().any(|planned| touches(&planned.step)), "{plan:?}");
}

#[test]
fn an_account_whose_tags_could_not_be_read_is_not_called_unclaimed() {
    let unread = AccountFact { tags: None, ..fact("somebody@example.com") };
    let accounts = BTreeMap::from([(account_id("222233334444"), unread)]);
    let plan = plan_with(&wanting(), OrganizationFacts { accounts, ..facts() }, &Base::default(), COMMITTED);
    assert_eq!(plan.unclaimed, []);
    assert_eq!(plan.unclaimed_gap.as_deref(), Some("the tags of account 222233334444 could not be read"));
}
