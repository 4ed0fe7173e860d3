//! Waves on paper: where an account stands, what a wave waits for, and what a plan holds back.

use std::collections::BTreeMap;
use std::sync::Arc;

use landfast::model::{
    Account, AccountFact, AccountProperty, AccountState, Base, Cause, Class, Closed, CommitId, Declared,
    Deferred, Desired, Facts, Freeze, Hold, Item, Mode, Observed, OrganizationFacts, OuPath, Outcome,
    Outcomes, OutputRef, Part, Plan, Region, Rollout, Scope, Sight, Slug, Source, Stack, StackFact, StackKey,
    StackName, StepId, Tolerance, Wave, Window,
};
use landfast::plan::{Guards, Progress, Rules, Seen, Standing, plan, standing};
use serde_json::json;

use crate::paper::{
    ALIAS, account_id, based_on, desired, in_mode, payments, rules, scope, seeing, sight, slug, wanting,
};

const NOW: i64 = 1_000_000;

fn wave(name: &str, tolerance: Tolerance, soak: i64, approval: bool) -> Wave {
    Wave { name: name.to_owned(), tolerance, soak, approval, source: Source::default() }
}

/// Three accounts in each of two waves, and one in none.
fn company(first: Wave) -> Desired {
    let mut desired = desired();
    let one = desired.accounts[&slug("payments")].clone();
    let names = ["a1", "a2", "a3", "b1", "b2", "b3", "z"].map(slug);
    let account = |name: &Slug| Arc::new(Account { slug: name.clone(), ..Account::clone(&one) });
    desired.accounts = names.iter().map(|name| (name.clone(), account(name))).collect();
    let place = |name: &Slug| usize::from(name.as_str().starts_with('b'));
    let of = names.iter().filter(|name| name.as_str() != "z").map(|name| (name.clone(), place(name)));
    let second = wave("second", Tolerance::Accounts(0), 0, false);
    desired.rollout = Rollout { waves: vec![first, second], of: of.collect(), ..Rollout::default() };
    desired
}

struct Story {
    desired: Desired,
    progress: Progress,
}

impl Story {
    fn of(first: Wave) -> Self {
        let desired = company(first);
        let mut progress = Progress::default();
        progress.begin(None, &desired);
        Self { desired, progress }
    }

    fn note(&mut self, name: &str, standing: Standing, at: i64) {
        self.progress.note(&self.desired.rollout, &slug(name), standing, true, at);
    }

    fn done(&mut self, names: &[&str]) {
        for name in names {
            self.note(name, Standing::Done, NOW);
        }
    }

    fn because(&self, name: &str) -> Option<String> {
        self.closed(name, NOW).map(|closed| closed.because)
    }

    fn closed(&self, name: &str, now: i64) -> Option<Closed> {
        self.progress.closed(&self.desired, &slug(name), &Guards::default(), now)
    }
}

fn strict() -> Wave {
    wave("first", Tolerance::Accounts(0), 0, false)
}

fn trouble() -> Standing {
    Standing::Troubled("stacks.network[eu-west-1]: rolled back".to_owned())
}

#[test]
fn the_first_wave_may_begin_and_the_others_wait_until_each_of_its_accounts_is_done() {
    let mut story = Story::of(strict());
    assert_eq!(story.because("a1"), None);
    insta::assert_snapshot!(story.because("b1").unwrap(), @"waits for wave `first`: 0 of 3 accounts done, still to do: a1, a2, a3");
    story.done(&["a1", "a2"]);
    story.note("a3", Standing::Held("on hold: OPS-7".to_owned()), NOW);
    insta::assert_snapshot!(story.because("z").unwrap(), @"waits for wave `first`: 2 of 3 accounts done, still to do: a3 (on hold: OPS-7)");
    story.done(&["a3"]);
    assert_eq!(story.because("b1"), None);
    insta::assert_snapshot!(story.because("z").unwrap(), @"waits for wave `second`: 0 of 3 accounts done, still to do: b1, b2, b3");
    story.done(&["b1", "b2", "b3"]);
    assert_eq!(story.because("z"), None);
}

#[test]
fn beyond_its_tolerance_a_wave_stops_itself_and_all_that_come_after_but_not_who_is_in_trouble() {
    let mut story = Story::of(wave("first", Tolerance::Percent(34), 0, false));
    story.done(&["a3"]);
    story.note("a1", trouble(), NOW);
    assert_eq!(story.because("a2"), None, "one of three is tolerated");
    story.note("a2", trouble(), NOW);
    insta::assert_snapshot!(story.because("b1").unwrap(), @"the rollout is stopped: wave `first` tolerates 1 in trouble and has 2: a1 (stacks.network[eu-west-1]: rolled back), a2 (stacks.network[eu-west-1]: rolled back)");
    assert!(matches!(story.closed("a3", NOW).unwrap().cause, Cause::Stopped { tolerated: 1, .. }));
    assert_eq!(story.because("a1"), None, "who is in trouble may get out of it");
    story.done(&["a1"]);
    assert_eq!(story.because("b1"), None, "within its tolerance a wave that has no other work is done");
}

#[test]
fn held_accounts_are_within_the_tolerance_too_and_stop_nothing() {
    let mut story = Story::of(wave("first", Tolerance::Accounts(1), 0, false));
    story.done(&["a1", "a2"]);
    story.note("a3", Standing::Held("on hold".to_owned()), NOW);
    assert_eq!(story.because("b1"), None);
    story.note("a2", Standing::Held("on hold".to_owned()), NOW);
    assert_eq!(story.closed("b1", NOW).unwrap().cause, Cause::Working);
}

#[test]
fn a_wave_is_watched_from_the_last_change_in_it_and_one_that_is_seen_again_begins_nothing_anew() {
    let mut story = Story::of(wave("first", Tolerance::Accounts(0), 600, false));
    story.note("a1", Standing::Done, NOW - 500);
    story.note("a2", Standing::Done, NOW - 300);
    story.note("a3", Standing::Done, NOW - 900);
    let until = NOW - 300 + 600;
    assert_eq!(story.closed("b1", NOW).unwrap().cause, Cause::Soaking { until });
    insta::assert_snapshot!(story.because("b1").unwrap(), @"waits until 1970-01-12 13:51 UTC: wave `first` was done at 1970-01-12 13:41 UTC and is watched until then");
    story.progress.note(&story.desired.rollout, &slug("a3"), Standing::Done, false, NOW);
    assert_eq!(story.closed("b1", until - 1).unwrap().cause, Cause::Soaking { until });
    assert_eq!(story.closed("b1", until), None);
}

#[test]
fn what_the_record_tells_counts_from_then_and_what_it_does_not_tell_from_the_first_look() {
    let mut story = Story::of(wave("first", Tolerance::Accounts(0), 600, false));
    let told = ["a1", "a2"].map(|name| (slug(name), NOW - 1000));
    story.progress.recall(told.into());
    for name in ["a1", "a2"] {
        story.progress.note(&story.desired.rollout, &slug(name), Standing::Done, false, NOW);
    }
    story.progress.note(&story.desired.rollout, &slug("a3"), Standing::Done, false, NOW);
    assert_eq!(story.closed("b1", NOW).unwrap().cause, Cause::Soaking { until: NOW + 600 });
}

#[test]
fn an_operator_s_word_opens_a_pause_for_the_very_commit_and_opens_nothing_else() {
    let mut story = Story::of(wave("first", Tolerance::Accounts(0), 0, true));
    insta::assert_snapshot!(story.because("a1").unwrap(), @"wave `first` waits for an operator: after a look at what it would do, start Landfast with --approve aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    let vouched = |commit: &CommitId| Guards { approved: [commit.clone()].into(), ..Guards::default() };
    let closed = |story: &Story, name: &str, commit: &CommitId| {
        story.progress.closed(&story.desired, &slug(name), &vouched(commit), NOW)
    };
    let (this, other) = (story.desired.revision.clone(), CommitId::parse("b".repeat(40)).unwrap());
    assert!(closed(&story, "a1", &other).is_some());
    assert_eq!(closed(&story, "a1", &this), None);
    story.note("a1", trouble(), NOW);
    assert!(matches!(closed(&story, "b1", &this).unwrap().cause, Cause::Stopped { .. }));
}

#[test]
fn a_commit_asks_again_only_of_the_accounts_for_which_it_says_something_new() {
    let mut story = Story::of(strict());
    story.done(&["a1", "a2", "a3"]);
    let mut next = story.desired.clone();
    let changed = Account { name: "Other".to_owned(), ..Account::clone(&next.accounts[&slug("b1")]) };
    next.accounts.insert(slug("b1"), Arc::new(changed));
    story.progress.begin(Some(&story.desired), &next);
    assert_eq!(story.because("b1"), None, "nothing in the first wave is new");
    let changed = Account { name: "Other".to_owned(), ..Account::clone(&next.accounts[&slug("a1")]) };
    let before = next.clone();
    next.accounts.insert(slug("a1"), Arc::new(changed));
    story.progress.begin(Some(&before), &next);
    story.desired = next;
    assert_eq!(story.closed("b1", NOW).unwrap().cause, Cause::Working);
}

/// A stack by the name, with this template.
fn stack(name: &str, template: &str) -> (StackKey, Declared<Stack>) {
    let key = StackKey { name: StackName::parse(name).unwrap(), region: Region::parse("eu-west-1").unwrap() };
    let value = Stack { template: template.into(), ..Stack::default() };
    (key, Declared { value, source: Source::default() })
}

/// What is in the stack may change although nothing is said of its account.
#[test]
fn a_commit_asks_again_of_the_accounts_that_take_from_a_stack_which_it_changes_however_long_the_way() {
    let taking = |name: &str, from: &str| {
        let (key, mut taker) = stack(name, "Resources:\n  Taker: {Type: AWS::SNS::Topic}\n");
        let (account, stack) = (slug(from), StackName::parse("net").unwrap());
        let output = OutputRef { account, stack, region: None, key: "Id".to_owned() };
        let parts = vec![Part::Output(output)];
        let deferred = Deferred { parts, is_list: false, takes: Arc::default() };
        taker.value.deferred.insert("Id".to_owned(), deferred);
        (key, taker)
    };
    let mut story = Story::of(strict());
    let put = |desired: &mut Desired, name: &str, (key, declared): (StackKey, Declared<Stack>)| {
        Arc::make_mut(desired.accounts.get_mut(&slug(name)).unwrap()).stacks.insert(key, declared);
    };
    put(&mut story.desired, "b1", stack("net", "Resources:\n  One: {Type: AWS::SNS::Topic}\n"));
    put(&mut story.desired, "a1", taking("net", "b1"));
    put(&mut story.desired, "a2", taking("end", "a1"));
    story.progress.begin(None, &story.desired);
    story.done(&["a1", "a2", "a3"]);
    let mut next = story.desired.clone();
    put(&mut next, "b1", stack("net", "Resources:\n  Two: {Type: AWS::SNS::Topic}\n"));
    story.progress.begin(Some(&story.desired), &next);
    story.desired = next;
    insta::assert_snapshot!(story.because("b1").unwrap(), @"waits for wave `first`: 1 of 3 accounts done, still to do: a1, a2");
    let same = story.desired.clone();
    story.done(&["a1", "a2"]);
    story.progress.begin(Some(&story.desired), &same);
    assert_eq!(story.because("b1"), None, "what is the same again is not asked again");
}

/// Where the account stands after a pass with this plan.
fn stands(
    desired: &Desired,
    plan: &Plan,
    outcomes: &Outcomes,
    hold: Option<&Hold>,
    gaps_last: bool,
) -> Standing {
    let seen = Seen { id: None, plan, outcomes, hold, gaps_last };
    standing(desired, &slug("payments"), &seen, &rules())
}

#[test]
fn an_account_is_done_when_nothing_of_it_is_left_to_do_and_in_trouble_when_a_person_is_needed() {
    let [old, new, other] = ["old", "new", "other"].map(|text| json!(text));
    let wanted = wanting(Some(&new));
    let drawn = |base, seen| plan(&scope(), &wanted, &based_on(base), &seeing(sight(seen)), &rules());
    let done = |plan: &Plan, outcome: Outcome| {
        stands(&wanted, plan, &[(StepId(format!("put {ALIAS}")), outcome)].into(), None, false)
    };
    let idle = |plan: &Plan| stands(&wanted, plan, &Outcomes::new(), None, false);
    assert_eq!(idle(&drawn(Some(&old), Some(&new))), Standing::Done);
    assert_eq!(idle(&drawn(Some(&new), Some(&old))), Standing::Done, "drift is no part of a rollout");
    let pending = drawn(Some(&old), Some(&old));
    assert_eq!(idle(&pending), Standing::Busy(String::new()));
    assert_eq!(done(&pending, Outcome::Done), Standing::Done);
    let failed = |class| Outcome::Failed { class, message: "refused".to_owned() };
    assert!(matches!(done(&pending, failed(Class::Transient)), Standing::Busy(_)));
    assert!(matches!(done(&pending, failed(Class::Stalled)), Standing::Troubled(_)));
    assert!(matches!(idle(&drawn(Some(&old), Some(&other))), Standing::Troubled(_)), "a conflict");
    assert!(matches!(idle(&drawn(None, Some(&other))), Standing::Troubled(_)), "a first sight");
}

#[test]
fn who_cannot_be_read_is_busy_and_after_a_while_in_trouble_and_who_is_held_says_so() {
    let new = json!("new");
    let wanted = wanting(Some(&new));
    let gap = seeing(Sight::Gap("AccessDenied".to_owned()));
    let unread = plan(&scope(), &wanted, &based_on(None), &gap, &rules());
    assert!(matches!(stands(&wanted, &unread, &Outcomes::new(), None, false), Standing::Busy(_)));
    assert!(matches!(stands(&wanted, &unread, &Outcomes::new(), None, true), Standing::Troubled(_)));
    let mut held = seeing(sight(None));
    held.hold = Some(Hold::Set("OPS-7".to_owned()));
    let plan = plan(&scope(), &wanted, &based_on(None), &held, &rules());
    let standing = stands(&wanted, &plan, &Outcomes::new(), held.hold.as_ref(), false);
    assert_eq!(standing, Standing::Held("OPS-7".to_owned()));
}

#[test]
fn what_is_off_limits_or_only_observed_is_waited_for_by_nobody() {
    let wanted = wanting(Some(&json!("new")));
    let observed = in_mode(wanted.clone(), Mode::Observe);
    let seen = seeing(sight(None));
    let drawn = |desired: &Desired, rules: &Rules| plan(&scope(), desired, &based_on(None), &seen, rules);
    assert_eq!(stands(&observed, &drawn(&observed, &rules()), &Outcomes::new(), None, false), Standing::Done);
    let guards = Guards { protected_accounts: [slug("payments")].into(), ..Guards::default() };
    let guarded = Rules { guards, ..rules() };
    let plan = drawn(&wanted, &guarded);
    assert!(plan.blocked.iter().any(|blocked| blocked.needs_person));
    let none = Outcomes::new();
    let seen = Seen { id: None, plan: &plan, outcomes: &none, hold: None, gaps_last: false };
    assert_eq!(standing(&wanted, &slug("payments"), &seen, &guarded), Standing::Done);
}

#[test]
fn a_closed_wave_holds_what_is_new_and_lets_drift_be_put_back_and_a_freeze_holds_both() {
    let [old, new] = ["old", "new"].map(|text| json!(text));
    let mut wanted = in_mode(wanting(Some(&new)), Mode::Enforce);
    let closed = Closed {
        wave: "rest".to_owned(),
        cause: Cause::Soaking { until: NOW + 60 },
        because: "waits".to_owned(),
    };
    let waiting = Rules { closed: Some(closed.clone()), now: NOW, ..rules() };
    let (pending, drift) = (based_on(Some(&old)), based_on(Some(&new)));
    let seen = seeing(sight(Some(&old)));
    let items = |plan: &Plan| {
        plan.blocked.iter().map(|it| (it.item.clone(), it.because.clone())).collect::<BTreeMap<_, _>>()
    };

    let held = plan(&scope(), &wanted, &pending, &seen, &waiting);
    assert!(held.is_empty() && items(&held)[&ALIAS] == "waits");
    let gate = held.gate.unwrap();
    assert_eq!((gate.closed, gate.again), (Some(closed), Some(NOW + 60)));
    let put_back = plan(&scope(), &wanted, &drift, &seen, &waiting);
    assert_eq!((put_back.steps.len(), put_back.gate), (1, None));

    wanted.rollout.freezes.push(Freeze {
        window: Window::Once { from: NOW, until: NOW + 30 },
        zone: jiff::tz::TimeZone::UTC,
        reason: "the shop is full".to_owned(),
        accounts: None,
        source: Source::default(),
    });
    for base in [&pending, &drift] {
        let frozen = plan(&scope(), &wanted, base, &seen, &waiting);
        assert!(frozen.is_empty() && items(&frozen)[&ALIAS].contains("the shop is full"));
        let gate = frozen.gate.unwrap();
        assert_eq!((gate.items.contains(&ALIAS), gate.again), (true, Some(NOW + 30)));
    }
    let later = Rules { now: NOW + 30, ..rules() };
    assert_eq!(plan(&scope(), &wanted, &pending, &seen, &later).steps.len(), 1);
}

/// An account with a stack that is new.
fn with_stack(needs: &[Item]) -> (Desired, StackKey) {
    let mut desired = wanting(Some(&json!("new")));
    let key =
        StackKey { name: StackName::parse("net").unwrap(), region: Region::parse("eu-west-1").unwrap() };
    let template = "Resources:\n  Topic: {Type: AWS::SNS::Topic}\n".into();
    let value = Stack { template, needs: needs.iter().cloned().collect(), ..Stack::default() };
    let declared = Declared { value, source: Source::default() };
    payments(&mut desired).stacks.insert(key.clone(), declared);
    (desired, key)
}

#[test]
fn a_protected_stack_is_waited_for_by_nobody_and_another_one_is() {
    let (desired, key) = with_stack(&[]);
    let mut seen = seeing(sight(Some(&json!("new"))));
    seen.items.insert(Item::Stack(key), Sight::Absent);
    let guarded = |pattern: &str| {
        let protected_stacks = [pattern.to_owned().try_into().unwrap()].into();
        Rules { guards: Guards { protected_stacks, ..Guards::lifted() }, ..rules() }
    };
    let stands = |rules: &Rules| {
        let plan = plan(&scope(), &desired, &based_on(None), &seen, rules);
        let none = Outcomes::new();
        let seen = Seen { id: None, plan: &plan, outcomes: &none, hold: None, gaps_last: false };
        standing(&desired, &slug("payments"), &seen, rules)
    };
    assert_eq!(stands(&guarded("*/net")), Standing::Done);
    assert_eq!(stands(&guarded("*/other")), Standing::Busy(String::new()));
}

/// Both keep it: what is said is what ends by itself.
#[test]
fn who_waits_for_its_wave_under_a_hold_waits_for_its_wave() {
    let wanted = wanting(Some(&json!("new")));
    let closed =
        Closed { wave: "rest".to_owned(), cause: Cause::Working, because: "waits for wave".to_owned() };
    let waiting = Rules { closed: Some(closed), ..rules() };
    let mut held = seeing(sight(None));
    held.hold = Some(Hold::Set("OPS-7".to_owned()));
    let plan = plan(&scope(), &wanted, &based_on(None), &held, &waiting);
    let standing = stands(&wanted, &plan, &Outcomes::new(), held.hold.as_ref(), false);
    assert_eq!(standing, Standing::Busy("waits for wave".to_owned()));
}

#[test]
fn what_a_commit_says_anew_of_the_organization_is_asked_of_every_account() {
    let mut story = Story::of(strict());
    story.done(&["a1", "a2", "a3"]);
    let mut next = story.desired.clone();
    next.organization.access.external_id = Some("acme".to_owned());
    story.progress.begin(Some(&story.desired), &next);
    story.desired = next;
    assert_eq!(story.closed("b1", NOW).unwrap().cause, Cause::Working);
}

#[test]
fn a_change_in_a_wave_that_was_done_is_watched_from_then_and_the_record_never_takes_it_back() {
    let mut story = Story::of(wave("first", Tolerance::Accounts(0), 600, false));
    for name in ["a1", "a2", "a3"] {
        story.note(name, Standing::Done, NOW - 1000);
    }
    assert_eq!(story.closed("b1", NOW), None);
    story.note("a1", Standing::Done, NOW);
    assert_eq!(story.closed("b1", NOW).unwrap().cause, Cause::Soaking { until: NOW + 600 });
    story.progress.recall([(slug("a1"), NOW - 5000)].into());
    let same = story.desired.clone();
    story.progress.begin(Some(&story.desired), &same);
    assert_eq!(story.closed("b1", NOW).unwrap().cause, Cause::Soaking { until: NOW + 600 });
}

/// Drift is put back whatever wave it is in, but not before what it needs is there.
#[test]
fn what_needs_something_that_waits_for_its_wave_waits_with_it() {
    let (desired, key) = with_stack(&[ALIAS]);
    let desired = in_mode(desired, Mode::Enforce);
    let item = Item::Stack(key.clone());
    let wanted = payments(&mut desired.clone()).stacks[&key].value.to_value(&desired.organization.id);
    let mut seen = seeing(sight(None));
    let mut other = wanted.clone();
    other["parameters"] = json!({"Days": "7"});
    seen.items.insert(item.clone(), Sight::present(other));
    if let Facts::Account(facts) = &mut seen.facts {
        let fact = StackFact { status: "CREATE_COMPLETE".to_owned(), is_ours: true, ..StackFact::default() };
        facts.stacks.insert(key, fact);
    }
    let mut base = based_on(None);
    base.items.insert(item.clone(), wanted.into());
    let open = plan(&scope(), &desired, &base, &seen, &rules());
    assert_eq!(open.steps.len(), 2, "{:?}", open.blocked);
    let closed = Closed { wave: "rest".to_owned(), cause: Cause::Working, because: "waits".to_owned() };
    let held = plan(&scope(), &desired, &base, &seen, &Rules { closed: Some(closed), ..rules() });
    let because = held.blocked.iter().find(|it| it.item == item).map(|it| it.because.clone());
    assert_eq!(because.as_deref(), Some("it needs settings.accountAlias, which has to wait: waits"));
    assert!(held.is_empty());
}

/// The organization's pass writes about one account too.
#[test]
fn a_freeze_of_one_account_holds_what_is_written_about_it_from_outside() {
    let mut desired = desired();
    payments(&mut desired).tags.insert("owner".to_owned(), "new".to_owned());
    desired.rollout.freezes.push(Freeze {
        window: Window::Once { from: NOW, until: NOW + 30 },
        zone: jiff::tz::TimeZone::UTC,
        reason: "the shop is full".to_owned(),
        accounts: Some([slug("payments")].into()),
        source: Source::default(),
    });
    let id = account_id("111122223333");
    let fact = AccountFact {
        id: id.clone(),
        email: "aws+payments@example.com".to_owned(),
        name: "Payments".to_owned(),
        state: AccountState::Active,
        ou: OuPath::parse("/workloads").unwrap(),
        joined: 0,
        tags: Some([("owner".to_owned(), "old".to_owned())].into()),
    };
    let facts = OrganizationFacts {
        accounts: [(id.clone(), fact)].into(),
        claimed: [(slug("payments"), id)].into(),
        ..OrganizationFacts::default()
    };
    let item = Item::Account(slug("payments"), AccountProperty::Tag("owner".to_owned()));
    let observed = Observed {
        scope: Scope::Organization,
        items: [(item.clone(), Sight::present(json!("old")))].into(),
        facts: Facts::Organization(facts),
        hold: None,
    };
    let base = Base::of([(item.clone(), json!("old"))].into());
    let at = |now: i64| plan(&Scope::Organization, &desired, &base, &observed, &Rules { now, ..rules() });
    let is_tagged = |plan: &Plan| plan.steps.iter().any(|step| step.item == item);
    assert!(!is_tagged(&at(NOW)) && at(NOW).gate.unwrap().items.contains(&item));
    assert!(is_tagged(&at(NOW + 30)));
}
