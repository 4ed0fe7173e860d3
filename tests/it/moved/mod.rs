//! Law 3: every step stops when what it expects to find is no longer there. For each kind of step the world is moved
//! between plan and apply; what the simulation holds afterwards, and what it was asked, tell whether the step stopped.
//!
//! `steps!` makes a `match` over `Step` and the table of cases out of one list: a new kind of step does not compile
//! until it has a case here.

mod cases;
mod hands;
mod world;

use std::fmt::Write as _;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use landfast::model::{Outcome, PlannedStep, Step};
use landfast::sandbox::aws::Entry;

use cases::{Case, Change, Gone};
use world::{Truth, World};

macro_rules! steps {
    ($($kind:ident: [$($case:expr),+ $(,)?]),+ $(,)?) => {
        /// The name of a step's kind.
        fn kind(step: &Step) -> &'static str {
            match step {
                $(Step::$kind { .. } => stringify!($kind),)+
            }
        }

        /// Every kind with the worlds in which it has to stop.
        fn table() -> Vec<(&'static str, Vec<Case>)> {
            vec![$((stringify!($kind), vec![$($case),+]),)+]
        }
    };
}

steps! {
    CreateOu: [
        Case::of(Change::NewOu, Gone::SomebodyMadeTheOu).refused(),
        Case::of(Change::NewOuInOu, Gone::SomebodyDeletedTheParent).refused(),
    ],
    CreateAccount: [
        Case::of(Change::NewAccount, Gone::SomebodyMadeAnAccountOfTheEmail),
        Case::of(Change::NewAccount, Gone::SomebodyAskedForAnAccountOfTheName).at_once_too(),
    ],
    MoveAccount: [
        Case::of(Change::OtherOu, Gone::SomebodyMovedTheAccount).refused(),
        Case::of(Change::OtherOu, Gone::SomebodyHoldsTheAccount),
    ],
    TagAccount: [
        Case::of(Change::OtherTag, Gone::SomebodyChangedTheTag),
        Case::of(Change::OtherTag, Gone::SomebodyTookTheTagAway),
        Case::of(Change::OtherTag, Gone::SomebodyHoldsTheAccount),
        Case::of(Change::NewTag, Gone::SomebodyChangedTheTag),
    ],
    EnablePolicyType: [Case::of(Change::NewGuardrail, Gone::SomebodyEnabledTheKind).as_wanted()],
    CreatePolicy: [Case::of(Change::NewGuardrail, Gone::SomebodyMadeTheGuardrail).refused()],
    UpdatePolicy: [
        Case::of(Change::OtherGuardrail, Gone::SomebodyChangedTheGuardrail).at_once_too(),
        Case::of(Change::OtherGuardrail, Gone::SomebodyDeletedTheGuardrail).at_once_too(),
    ],
    AttachPolicy: [
        Case::of(Change::GuardrailHereToo, Gone::SomebodyAttachedTheGuardrail).as_wanted(),
        Case::of(Change::GuardrailHereToo, Gone::SomebodyDeletedTheGuardrail).refused(),
    ],
    DetachPolicy: [
        Case::of(Change::GuardrailNotHere, Gone::SomebodyDetachedTheGuardrail).as_wanted(),
        Case::of(Change::GuardrailNotHere, Gone::SomebodyDeletedTheGuardrail).refused(),
    ],
    DeletePolicy: [
        Case::of(Change::NoGuardrail, Gone::SomebodyChangedTheGuardrail).at_once_too(),
        Case::of(Change::NoGuardrail, Gone::SomebodyAttachedTheGuardrail).refused(),
        Case::of(Change::NoGuardrail, Gone::SomebodyDeletedTheGuardrail).at_once_too(),
    ],
    PutPasswordPolicy: [
        Case::of(Change::OtherPolicy, Gone::SomebodyChangedThePolicy),
        Case::of(Change::OtherPolicy, Gone::SomebodyRemovedThePolicy),
        Case::of(Change::NewPolicy, Gone::SomebodyChangedThePolicy),
    ],
    PutAccountAlias: [
        Case::of(Change::OtherAlias, Gone::SomebodyChangedTheAlias),
        Case::of(Change::OtherAlias, Gone::SomebodyRemovedTheAlias),
        Case::of(Change::NewAlias, Gone::SomebodyChangedTheAlias),
    ],
    PutSamlProvider: [
        Case::of(Change::OtherProvider, Gone::SomebodyChangedTheProvider),
        Case::of(Change::OtherProvider, Gone::SomebodyRemovedTheProvider),
        Case::of(Change::NewProvider, Gone::SomebodyMadeTheProvider),
    ],
    DeployStack: [
        Case::of(Change::OtherStack, Gone::SomebodyUpdatedTheStack).at_once_too(),
        Case::of(Change::OtherStack, Gone::SomebodyDeletedTheStack).at_once_too(),
        Case::of(Change::OtherStack, Gone::SomebodyMadeTheStackAnew).at_once_too(),
        Case::of(Change::NewStack, Gone::SomebodyMadeTheStack).at_once_too(),
    ],
    RemovePasswordPolicy: [
        Case::of(Change::NoPolicy, Gone::SomebodyChangedThePolicy),
        Case::of(Change::NoPolicy, Gone::SomebodyRemovedThePolicy),
    ],
    RemoveAccountAlias: [
        Case::of(Change::NoAlias, Gone::SomebodyChangedTheAlias),
        Case::of(Change::NoAlias, Gone::SomebodyRemovedTheAlias),
    ],
    RemoveSamlProvider: [
        Case::of(Change::NoProvider, Gone::SomebodyChangedTheProvider),
        Case::of(Change::NoProvider, Gone::SomebodyRemovedTheProvider),
    ],
    RemoveStack: [
        Case::of(Change::NoStack, Gone::SomebodyUpdatedTheStack).at_once_too(),
        Case::of(Change::NoStack, Gone::SomebodyMadeTheStackAnew).at_once_too(),
        Case::of(Change::NoStack, Gone::SomebodyDeletedTheStack),
        Case::of(Change::NoStack, Gone::SomebodyProtectedTheStack).refused(),
    ],
    DeleteFailedStack: [
        Case::of(Change::FailedStack, Gone::SomebodyDeletedTheStack),
        Case::of(Change::FailedStack, Gone::SomebodyMadeTheStackAnew).at_once_too(),
    ],
}

/// Longer than any look serves.
const LONG: Duration = Duration::from_secs(1);
/// How many worlds there are at the same time.
const AT_ONCE: usize = 4;

/// Without this the other tests here would hold of steps that never do anything.
#[tokio::test]
async fn in_a_world_that_stays_as_it_was_every_step_is_taken() {
    let once = |(kind, cases): (&'static str, Vec<Case>)| {
        let of_its_change = |case: &&Case| case.is_first_of(&cases);
        cases.iter().filter(of_its_change).map(|case| (kind, *case)).collect::<Vec<_>>()
    };
    let cases = table().into_iter().flat_map(once);
    stream::iter(cases).for_each_concurrent(AT_ONCE, |(kind, case)| is_taken(kind, case)).await;
}

async fn is_taken(kind: &'static str, case: Case) {
    let (mut world, step) = planned(kind, case).await;
    let (outcome, calls) = world.apply(&step, LONG).await;
    let is_taken = match outcome {
        Outcome::Done => true,
        // AWS takes its time over an account, and over a kind of policies.
        Outcome::Waiting { .. } => matches!(kind, "CreateAccount" | "EnablePolicyType"),
        Outcome::Stale(_) | Outcome::Failed { .. } | Outcome::Skipped { .. } => false,
    };
    assert!(is_taken, "{kind} after {:?}: {outcome:?}", case.change);
    assert!(calls.iter().any(is_a_write), "{kind} after {:?}\n{}", case.change, told(&calls));
}

#[tokio::test]
async fn no_step_is_taken_once_the_world_has_moved() {
    let each = |(kind, cases): (&'static str, Vec<Case>)| {
        let late = cases.clone().into_iter().map(move |case| (kind, case, LONG));
        let at_once = cases.into_iter().filter(|case| case.is_at_once_too);
        late.chain(at_once.map(move |case| (kind, case, Duration::ZERO)))
    };
    let cases = table().into_iter().flat_map(each);
    stream::iter(cases).for_each_concurrent(AT_ONCE, |(kind, case, age)| is_not_taken(kind, case, age)).await;
}

async fn is_not_taken(kind: &'static str, case: Case, age: Duration) {
    let (mut world, step) = planned(kind, case).await;
    world.befall(case.gone).await;
    let before = Truth::of(&world);
    let (outcome, calls) = world.apply(&step, age).await;
    let what = format!("{kind}, {:?}, looked at {age:?} before: {outcome:?}\n{}", case.gone, told(&calls));
    let is_done = matches!(outcome, Outcome::Done | Outcome::Skipped { .. });
    assert_eq!(is_done, case.is_as_wanted, "{what}");
    assert_eq!(before, Truth::of(&world), "{what}");
    judge(case, age, &calls, &what);
}

/// What was asked of AWS: nothing that changes anything but the making and clearing away of change sets; and not even
/// that, nor anything that AWS would refuse, where there was a look.
fn judge(case: Case, age: Duration, calls: &[Entry], what: &str) {
    let count = |operation: &str| calls.iter().filter(|it| it.operation == operation && it.acted).count();
    assert_eq!(count("CreateChangeSet"), count("DeleteChangeSet"), "{what}");
    let writes = || calls.iter().filter(|call| is_a_write(call));
    assert!(!writes().any(|call| call.acted), "{what}");
    if age == LONG && !case.is_refused {
        let is_asked = calls.iter().any(|it| it.operation == "CreateChangeSet");
        assert!(writes().count() == 0 && !is_asked, "{what}");
    }
}

/// A pass may take an hour, and a freeze does not wait for its end.
#[tokio::test]
async fn no_step_is_begun_in_a_freeze_that_began_after_the_plan_was_made() {
    for (kind, change) in [("PutAccountAlias", Change::OtherAlias), ("TagAccount", Change::OtherTag)] {
        let (mut world, step) = planned(kind, Case::of(change, Gone::SomebodyChangedTheAlias)).await;
        world.freeze();
        let before = Truth::of(&world);
        let (outcome, calls) = world.apply(&step, Duration::ZERO).await;
        let Outcome::Waiting { because, .. } = outcome else { panic!("{kind}: {outcome:?}") };
        assert!(because.starts_with("frozen until") && because.contains("the shop is full"), "{because}");
        assert!(calls.is_empty() && before == Truth::of(&world), "{kind}\n{}", told(&calls));
    }
}

fn is_a_write(call: &Entry) -> bool {
    call.is_mutating && !call.operation.ends_with("ChangeSet") || call.operation == "ExecuteChangeSet"
}

async fn planned(kind: &'static str, case: Case) -> (World, PlannedStep) {
    let world = World::of(case.change).await;
    let mut steps = world.plan.steps.iter().filter(|planned| self::kind(&planned.step) == kind);
    let step = steps.next().unwrap_or_else(|| {
        panic!("no {kind} after {:?}: {:?} {:?}", case.change, world.plan.steps, world.plan.blocked)
    });
    let step = step.clone();
    (world, step)
}

fn told(calls: &[Entry]) -> String {
    calls.iter().fold(String::new(), |mut text, call| {
        let _ = writeln!(text, "{} {} {}", call.account, call.operation, call.outcome);
        text
    })
}
