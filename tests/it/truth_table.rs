//! The table of verdicts, every row of it, and what becomes of each row afterwards.

use landfast::model::{
    Base, Class, Desired, Hold, Mode, OnLeave, Outcome, Outcomes, PlannedStep, Sight, Source, Step, StepId,
    Tie, Value, Verdict,
};
use landfast::plan::{next_base, plan};
use serde_json::json;

use crate::paper::{ALIAS, adopting, based_on, in_mode, payments, rules, scope, seeing, sight, wanting};

/// One row: the three values, and the verdict the design's table gives.
#[derive(Clone, Debug)]
struct Row {
    desired: Option<Value>,
    base: Option<Value>,
    observed: Option<Value>,
}

/// All rows over three distinct values and none.
fn rows() -> Vec<Row> {
    let values = [None, Some(json!("a")), Some(json!("b")), Some(json!("c"))];
    let mut rows = Vec::new();
    for desired in &values {
        for base in &values {
            for observed in &values {
                let (desired, base, observed) = (desired.clone(), base.clone(), observed.clone());
                rows.push(Row { desired, base, observed });
            }
        }
    }
    rows
}

/// The design's table, read top to bottom, as it stands on paper.
fn on_paper(row: &Row) -> Verdict {
    let Row { desired, base, observed } = row;
    match (desired, base, observed) {
        (None, _, Some(_)) => Verdict::Undeclared,
        (None, _, None) => Verdict::Gone,
        (Some(desired), _, Some(observed)) if desired == observed => Verdict::InSync,
        (Some(_), Some(base), Some(observed)) if observed == base => Verdict::Pending,
        (Some(desired), Some(base), _) if desired == base => Verdict::Drift,
        (Some(_), Some(_), _) => Verdict::Conflict,
        (Some(_), None, None) => Verdict::New,
        (Some(_), None, Some(_)) => Verdict::FirstSight,
    }
}

/// A world of one value, judged by what the steps do to it and not by what the plan says of itself.
struct World {
    alias: Option<Value>,
    base: Base,
    writes: usize,
}

impl World {
    fn of(row: &Row) -> Self {
        Self { alias: row.observed.clone(), base: based_on(row.base.as_ref()), writes: 0 }
    }

    /// One pass; when `applies` is false every step fails half-way.
    fn pass(&mut self, desired: &Desired, applies: bool) -> Option<Verdict> {
        let plan = plan(&scope(), desired, &self.base, &seeing(sight(self.alias.as_ref())), &rules());
        let mut outcomes = Outcomes::new();
        for planned in &plan.steps {
            let Step::PutAccountAlias { before, after } = &planned.step else { panic!("{planned:?}") };
            assert_eq!(before.as_deref(), self.alias.as_ref().and_then(Value::as_str), "a stale step");
            self.writes += 1;
            if applies {
                self.alias = Some(json!(after));
            }
            outcomes.insert(planned.id.clone(), if applies { Outcome::Done } else { failed() });
        }
        self.base = next_base(&plan, &outcomes, &self.base);
        plan.findings.get(&ALIAS).map(|finding| finding.verdict)
    }

    /// Runs until nothing is written any more, and says how it ended.
    fn settle(&mut self, desired: &Desired) -> Option<Verdict> {
        self.pass(desired, true);
        self.writes = 0;
        let verdict = self.pass(desired, true);
        assert_eq!(self.writes, 0, "planning again is not empty");
        verdict
    }
}

fn failed() -> Outcome {
    Outcome::Failed { class: Class::Transient, message: "cut off".to_owned() }
}

/// What the reporting mode writes, by verdict: nothing but what a commit asks for.
fn is_written_in_report(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::New | Verdict::Pending)
}

fn is_kept(row: &Row) -> bool {
    row.desired.is_some() || row.base.is_some()
}

#[test]
fn every_row_of_the_table_gets_its_verdict() {
    for row in rows().into_iter().filter(is_kept) {
        let verdict = World::of(&row).pass(&wanting(row.desired.as_ref()), true);
        assert_eq!(verdict, Some(on_paper(&row)), "{row:?}");
    }
}

#[test]
fn report_writes_only_what_a_commit_asks_for() {
    for row in rows() {
        let mut world = World::of(&row);
        world.pass(&wanting(row.desired.as_ref()), true);
        let expected = is_kept(&row) && is_written_in_report(on_paper(&row));
        assert_eq!(world.writes == 1, expected, "{row:?}");
        let after = if expected { row.desired.clone() } else { row.observed.clone() };
        assert_eq!(world.alias, after, "{row:?}");
    }
}

#[test]
fn enforce_puts_back_drift_and_conflict_but_never_a_first_sight() {
    for row in rows().into_iter().filter(|row| row.desired.is_some()) {
        let mut world = World::of(&row);
        let verdict = world.settle(&in_mode(wanting(row.desired.as_ref()), Mode::Enforce));
        let is_left_alone = on_paper(&row) == Verdict::FirstSight;
        assert_eq!(world.alias == row.desired, !is_left_alone, "{row:?}");
        assert_eq!(verdict == Some(Verdict::InSync), !is_left_alone, "{row:?}");
    }
}

#[test]
fn observe_writes_nothing_whatever_the_row() {
    for row in rows() {
        for desired in [wanting(row.desired.as_ref()), adopting(wanting(row.desired.as_ref()))] {
            let mut world = World::of(&row);
            world.pass(&in_mode(desired, Mode::Observe), true);
            assert_eq!((world.writes, &world.alias), (0, &row.observed), "{row:?}");
        }
    }
}

#[test]
fn after_adopt_a_first_sight_is_brought_in_line_once_and_drift_is_not() {
    for row in rows().into_iter().filter(|row| row.desired.is_some()) {
        let mut world = World::of(&row);
        let verdict = world.settle(&adopting(wanting(row.desired.as_ref())));
        let is_drift = matches!(on_paper(&row), Verdict::Drift | Verdict::Conflict);
        assert_eq!(verdict == Some(Verdict::InSync), !is_drift, "{row:?}");
        assert_eq!(world.alias == row.desired, !is_drift, "{row:?}");
    }
}

#[test]
fn after_a_revert_of_the_commit_what_was_pending_is_in_sync_and_drift_stays_drift() {
    for row in rows().into_iter().filter(|row| row.desired.is_some() && row.base.is_some()) {
        let mut world = World::of(&row);
        let verdict = world.pass(&wanting(row.base.as_ref()), true);
        let expected = if row.observed == row.base { Verdict::InSync } else { Verdict::Drift };
        assert_eq!((verdict, world.writes), (Some(expected), 0), "{row:?}");
    }
}

#[test]
fn after_healing_by_hand_every_row_is_in_sync_and_nothing_is_written() {
    for row in rows().into_iter().filter(|row| row.desired.is_some()) {
        let mut world = World::of(&row);
        world.alias.clone_from(&row.desired);
        for _ in 0..2 {
            assert_eq!(world.pass(&wanting(row.desired.as_ref()), true), Some(Verdict::InSync), "{row:?}");
        }
        assert_eq!((world.writes, world.base.items), (0, based_on(row.desired.as_ref()).items), "{row:?}");
    }
}

#[test]
fn after_a_partial_apply_the_base_stays_and_the_verdict_is_the_same_again() {
    for row in rows().into_iter().filter(is_kept) {
        let mut world = World::of(&row);
        let desired = wanting(row.desired.as_ref());
        let first = world.pass(&desired, false);
        let wrote = world.writes;
        let base_moved = world.base.items != based_on(row.base.as_ref()).items;
        assert_eq!(
            base_moved,
            matches!(first, Some(Verdict::InSync | Verdict::Gone)) && base_moved,
            "{row:?}"
        );
        if wrote > 0 {
            assert_eq!(world.pass(&desired, false), first, "{row:?}");
        }
    }
}

#[test]
fn with_the_base_lost_nothing_that_is_there_is_overwritten() {
    for row in rows().into_iter().filter(|row| row.desired.is_some()) {
        let mut world = World { alias: row.observed.clone(), base: Base::default(), writes: 0 };
        world.settle(&in_mode(wanting(row.desired.as_ref()), Mode::Enforce));
        let after = row.observed.clone().or(row.desired.clone());
        assert_eq!(world.alias, after, "{row:?}");
    }
}

/// A base that somebody else wrote is not believed, so it reaches `plan` as no base at all. Were it believed after
/// all, a forger could turn drift into pending work: the row shows what the signature protects.
#[test]
fn a_forged_base_that_were_believed_would_turn_drift_into_a_write() {
    let (desired, live) = (json!("a"), json!("b"));
    let row =
        |base: Option<Value>| Row { desired: Some(desired.clone()), base, observed: Some(live.clone()) };
    assert_eq!(on_paper(&row(Some(live.clone()))), Verdict::Pending);
    assert_eq!(on_paper(&row(Some(desired.clone()))), Verdict::Drift);
    let mut world = World::of(&row(None));
    assert_eq!(world.pass(&wanting(Some(&desired)), true), Some(Verdict::FirstSight));
    assert_eq!((world.writes, world.alias), (0, Some(live.clone())));
}

#[test]
fn what_could_not_be_read_is_not_changed_and_keeps_its_base() {
    for row in rows().into_iter().filter(is_kept) {
        for sight in [Sight::Gap("denied".to_owned()), Sight::Moving("updating".to_owned())] {
            let desired = in_mode(adopting(wanting(row.desired.as_ref())), Mode::Enforce);
            let base = based_on(row.base.as_ref());
            let plan = plan(&scope(), &desired, &base, &seeing(sight), &rules());
            assert!(plan.is_empty(), "{row:?}");
            assert_eq!(next_base(&plan, &Outcomes::new(), &base).items, base.items, "{row:?}");
        }
    }
}

#[test]
fn an_item_nobody_looked_at_counts_as_unreadable() {
    let desired = in_mode(wanting(Some(&json!("a"))), Mode::Enforce);
    let mut observed = seeing(Sight::Absent);
    observed.items.clear();
    let plan = plan(&scope(), &desired, &Base::default(), &observed, &rules());
    assert_eq!(plan.findings[&ALIAS].verdict, Verdict::Gap);
    assert!(plan.is_empty());
}

#[test]
fn a_hold_turns_every_step_into_something_that_waits() {
    let mut observed = seeing(Sight::Absent);
    let desired = wanting(Some(&json!("a")));
    let free = plan(&scope(), &desired, &Base::default(), &observed, &rules());
    assert_eq!(free.steps[0].id, StepId("put settings.accountAlias".to_owned()));
    observed.hold = Some(Hold::Set("incident 7".to_owned()));
    let held = plan(&scope(), &desired, &Base::default(), &observed, &rules());
    assert!(held.is_empty());
    assert_eq!(held.blocked[0].because, "on hold: incident 7");
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    for row in rows() {
        let desired = wanting(row.desired.as_ref());
        let observed = seeing(sight(row.observed.as_ref()));
        let base = based_on(row.base.as_ref());
        let bytes = || serde_json::to_vec(&plan(&scope(), &desired, &base, &observed, &rules())).unwrap();
        assert_eq!(bytes(), bytes());
    }
}

/// Something else changes it back as often as we put it right: after a few rounds a person has to look.
#[test]
fn a_fight_ends_after_a_few_rounds_and_is_said() {
    let desired = in_mode(wanting(Some(&json!("a"))), Mode::Enforce);
    let base = based_on(Some(&json!("a")));
    let observed = seeing(sight(Some(&json!("b"))));
    assert_eq!(plan(&scope(), &desired, &base, &observed, &rules()).steps.len(), 1);
    let mut rules = rules();
    rules.fights.insert(ALIAS);
    let plan = plan(&scope(), &desired, &base, &observed, &rules);
    assert!(plan.is_empty());
    assert_eq!(plan.findings[&ALIAS].verdict, Verdict::Drift);
    assert!(plan.blocked[0].needs_person && plan.blocked[0].because.contains("three times"));
}

/// The same table where git says that there must be nothing.
#[test]
fn what_must_not_be_there_goes_where_it_was_agreed_on_and_is_left_where_it_was_not() {
    let absent = |observed: &str, base: Option<Value>| {
        let mut desired = wanting(None);
        payments(&mut desired).absent.insert(ALIAS, Source::default());
        let seen = sight((!observed.is_empty()).then(|| json!(observed)).as_ref());
        plan(&scope(), &desired, &based_on(base.as_ref()), &seeing(seen), &rules())
    };
    for (observed, base, verdict, steps) in [
        ("", None, Verdict::InSync, 0),
        ("", Some(json!("a")), Verdict::InSync, 0),
        ("a", Some(json!("a")), Verdict::Pending, 1),
        ("b", Some(json!("a")), Verdict::Conflict, 0),
        ("a", None, Verdict::FirstSight, 0),
        ("a", Some(Value::Null), Verdict::Drift, 0),
        ("", Some(Value::Null), Verdict::InSync, 0),
    ] {
        let plan = absent(observed, base.clone());
        assert_eq!(
            (plan.findings[&ALIAS].verdict, plan.steps.len()),
            (verdict, steps),
            "{observed} {base:?}"
        );
        let is_removal = |planned: &PlannedStep| matches!(planned.step, Step::RemoveAccountAlias { .. });
        assert!(plan.steps.iter().all(is_removal));
    }
    let agreed = next_base(&absent("", Some(json!("a"))), &Outcomes::new(), &based_on(Some(&json!("a"))));
    assert_eq!(*agreed.items[&ALIAS], Value::Null, "that there is nothing is agreed now");
    let forgotten = plan(
        &scope(),
        &wanting(None),
        &based_on(Some(&Value::Null)),
        &seeing(sight(Some(&json!("b")))),
        &rules(),
    );
    assert_eq!(forgotten.findings[&ALIAS].verdict, Verdict::Gone, "nothing of it was ours");
}

/// Only a tie that says so sends away what git no longer declares, and only as it was last agreed.
#[test]
fn what_leaves_is_removed_by_its_last_word_and_as_it_was_agreed_only() {
    let leaving = |on_leave: OnLeave, observed: &str, mode: Mode| {
        let mut base = based_on(Some(&json!("a")));
        base.ties.insert(ALIAS, Tie { on_leave, ..Tie::default() });
        let desired = in_mode(wanting(None), mode);
        plan(&scope(), &desired, &base, &seeing(sight(Some(&json!(observed)))), &rules())
    };
    for (on_leave, observed, mode, steps, told) in [
        (OnLeave::Remove, "a", Mode::Report, 1, 0),
        (OnLeave::Remove, "a", Mode::Observe, 0, 0),
        (OnLeave::Remove, "b", Mode::Enforce, 0, 1),
        (OnLeave::Keep, "a", Mode::Enforce, 0, 0),
    ] {
        let plan = leaving(on_leave, observed, mode);
        assert_eq!((plan.steps.len(), plan.blocked.len()), (steps, told), "{on_leave:?} {observed} {mode:?}");
    }
    let plan = leaving(OnLeave::Remove, "a", Mode::Report);
    let done: Outcomes = plan.steps.iter().map(|step| (step.id.clone(), Outcome::Done)).collect();
    assert_eq!(next_base(&plan, &done, &based_on(Some(&json!("a")))), Base::default());
}
