//! What proves that a stack is ours: our tag, the signed record of this very stack, or `adopt`. Nothing else.

use std::collections::BTreeMap;

use landfast::model::{
    AccountFacts, Base, Declared, Desired, Facts, Item, Mode, OWNER_TAG, Observed, Outcomes, Plan, Sight,
    Source, Stack, StackFact, StackKey, Step, Value, Verdict,
};
use landfast::plan::{next_base, plan};
use serde_json::json;

use crate::paper::{account_id, desired, rules, scope, slug};

const OURS: &str = "o-exampleorgid";

/// A stack that is there, as `observe` shows it.
#[derive(Clone)]
struct Live {
    name: &'static str,
    id: &'static str,
    template: &'static str,
    tag: Option<&'static str>,
}

const FOUND: Live = Live { name: "network", id: "arn:1", template: "a", tag: None };

impl Live {
    fn item(&self) -> Item {
        format!("stacks.{}[eu-west-1]", self.name).parse().unwrap()
    }

    fn key(&self) -> StackKey {
        let Item::Stack(key) = self.item() else { panic!("a stack") };
        key
    }

    fn observed(&self) -> Observed {
        let tags: Value = self.tag.into_iter().map(|tag| (OWNER_TAG.to_owned(), json!(tag))).collect();
        let value =
            json!({"state": "ok", "template": self.template, "parameters": {}, "tags": tags, "drift": {}});
        let fact = StackFact {
            id: self.id.to_owned(),
            status: "UPDATE_COMPLETE".to_owned(),
            is_ours: self.tag == Some(OURS),
            ..StackFact::default()
        };
        let (id, stacks) = (Some(account_id("111122223333")), BTreeMap::from([(self.key(), fact)]));
        let facts = AccountFacts { id, stacks, ..AccountFacts::default() };
        let items = BTreeMap::from([(self.item(), Sight::present(value))]);
        Observed { scope: scope(), items, facts: Facts::Account(facts), hold: None }
    }

    fn declared(&self, template: &str, mode: Mode, adopts: bool) -> Desired {
        let stack = Stack { template: template.into(), ..Stack::default() };
        let mut desired = desired();
        let account = std::sync::Arc::make_mut(desired.accounts.get_mut(&slug("payments")).unwrap());
        account.mode = mode;
        account.adopt.extend(adopts.then(|| self.item()));
        account.stacks.insert(self.key(), Declared { value: stack, source: Source::default() });
        desired
    }

    /// The plan where git declares `template`, in this mode.
    fn plan(&self, template: &str, base: &Base, mode: Mode) -> Plan {
        plan(&scope(), &self.declared(template, mode, false), base, &self.observed(), &rules())
    }

    fn verdict(&self, plan: &Plan) -> Verdict {
        plan.findings[&self.item()].verdict
    }

    /// The base after the stack was seen as declared.
    fn agreed(&self) -> Base {
        let plan = self.plan(self.template, &Base::default(), Mode::Report);
        next_base(&plan, &Outcomes::new(), &Base::default())
    }
}

/// The tags that the only step sends, if there is one.
fn sent(plan: &Plan) -> Option<&BTreeMap<String, String>> {
    assert!(plan.steps.len() < 2);
    plan.steps.first().map(|planned| match &planned.step {
        Step::DeployStack { tags, .. } => tags,
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_stack_without_our_tag_that_is_as_declared_is_in_sync_and_gets_no_tag() {
    for mode in [Mode::Observe, Mode::Report, Mode::Enforce] {
        for base in [Base::default(), FOUND.agreed()] {
            let plan = FOUND.plan("a", &base, mode);
            assert_eq!(FOUND.verdict(&plan), Verdict::InSync);
            assert!(plan.is_empty() && plan.blocked.is_empty());
        }
    }
}

#[test]
fn once_it_agreed_a_commit_may_change_it_and_marks_it_then() {
    let base = FOUND.agreed();
    let changed = FOUND.plan("b", &base, Mode::Report);
    assert_eq!(FOUND.verdict(&changed), Verdict::Pending);
    assert_eq!(sent(&changed).unwrap()[OWNER_TAG], OURS);
    // The answer was lost, and the tag is there: what changes now is drift, and what git asks is still a commit's.
    let marked = Live { tag: Some(OURS), ..FOUND };
    assert_eq!(marked.verdict(&marked.plan("b", &base, Mode::Report)), Verdict::Pending);
    let drifted = Live { template: "c", ..marked };
    assert_eq!(drifted.verdict(&drifted.plan("a", &base, Mode::Report)), Verdict::Drift);
}

#[test]
fn with_the_base_lost_a_stack_without_our_tag_is_never_written() {
    for mode in [Mode::Report, Mode::Enforce] {
        let plan = FOUND.plan("b", &Base::default(), mode);
        assert_eq!(FOUND.verdict(&plan), Verdict::FirstSight);
        assert!(plan.is_empty());
        assert_eq!(next_base(&plan, &Outcomes::new(), &Base::default()), Base::default());
    }
}

#[test]
fn another_stack_in_its_place_is_not_the_one_that_agreed() {
    let other = Live { id: "arn:2", template: "c", ..FOUND };
    for (declared, mode) in [("a", Mode::Enforce), ("b", Mode::Enforce), ("b", Mode::Report)] {
        let plan = other.plan(declared, &FOUND.agreed(), mode);
        assert!(plan.is_empty(), "{declared} {mode:?}");
    }
    let same = Live { id: "arn:2", ..FOUND };
    let plan = same.plan("b", &FOUND.agreed(), Mode::Report);
    assert!(plan.is_empty() && plan.blocked[0].needs_person, "{:?}", plan.blocked);
}

#[test]
fn a_stack_of_another_owner_is_neither_in_sync_nor_written_whatever_the_base_says() {
    let theirs = [Live { name: "StackSet-guard", ..FOUND }, Live { tag: Some("o-someoneelse0"), ..FOUND }];
    for live in theirs {
        let plan = live.plan("a", &Base::default(), Mode::Enforce);
        assert_eq!(live.verdict(&plan), Verdict::FirstSight);
        assert!(plan.is_empty());
        let mut base = Base::default();
        base.items.extend(FOUND.agreed().items.into_values().map(|value| (live.item(), value)));
        assert!(live.plan("b", &base, Mode::Enforce).is_empty());
    }
}

#[test]
fn a_tag_of_ours_that_was_taken_away_is_told_and_the_stack_is_not_written() {
    let marked = Live { tag: Some(OURS), ..FOUND };
    for mode in [Mode::Report, Mode::Enforce] {
        let plan = FOUND.plan("a", &marked.agreed(), mode);
        assert_eq!(FOUND.verdict(&plan), Verdict::Drift);
        assert!(plan.is_empty());
    }
    assert!(FOUND.plan("b", &marked.agreed(), Mode::Report).is_empty());
}

#[test]
fn adopt_puts_the_tag_on_it_at_once() {
    for base in [Base::default(), FOUND.agreed()] {
        let desired = FOUND.declared("a", Mode::Report, true);
        let plan = plan(&scope(), &desired, &base, &FOUND.observed(), &rules());
        assert_eq!(sent(&plan).unwrap()[OWNER_TAG], OURS);
    }
}
