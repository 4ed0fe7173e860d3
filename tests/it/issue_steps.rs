//! The steps towards the wanted issues, against a GitHub that is only a list: whatever happens in whatever order.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use landfast::model::Verdict;
use landfast::report::{IssueStep, Me, SeenIssue, Wanted, reconcile};
use proptest::prelude::*;

use crate::issues::{at, drift, finding, in_sync, of};

const OURS: &str = "landfast-acme";

#[derive(Clone, Debug)]
enum Event {
    Drift(u32),
    InSync,
    Unreadable,
    PersonCloses,
    PersonReopens,
    MalloryCopies,
    TwinAppears,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..4_u32).prop_map(Event::Drift),
        3 => Just(Event::InSync),
        1 => Just(Event::Unreadable),
        2 => Just(Event::PersonCloses),
        1 => Just(Event::PersonReopens),
        1 => Just(Event::MalloryCopies),
        1 => Just(Event::TwinAppears),
    ]
}

#[derive(Default)]
struct Forge {
    issues: Vec<SeenIssue>,
}

impl Forge {
    fn open(&mut self, author: &str, title: &str, body: &str) {
        self.issues.push(SeenIssue {
            number: self.issues.len() as u64 + 1,
            title: title.to_owned(),
            body: body.to_owned(),
            labels: [].into(),
            is_open: true,
            author: author.to_owned(),
            author_is_app: false,
            created: at(),
        });
    }

    fn copy(&mut self, author: &str) {
        if let Some(first) = self.issues.iter().find(|issue| issue.author == OURS).cloned() {
            self.open(author, &first.title, &first.body);
        }
    }

    fn ours(&mut self) -> impl Iterator<Item = &mut SeenIssue> {
        self.issues.iter_mut().filter(|issue| issue.author == OURS)
    }

    fn publish(&mut self, wanted: &Wanted) -> Vec<IssueStep> {
        let steps = reconcile(&self.issues, &Me::User(OURS.to_owned()), wanted, at());
        for step in &steps {
            self.take(step);
        }
        steps
    }

    fn take(&mut self, step: &IssueStep) {
        let (number, new_title, new_body, is_open) = match step {
            IssueStep::Create { issue, .. } => return self.open(OURS, &issue.title, &issue.body),
            IssueStep::Edit { number, title, body, .. } => (number, Some(title), body, None),
            IssueStep::Reopen { number, title, body, .. } => (number, Some(title), body, Some(true)),
            IssueStep::Close { number, body, .. } => (number, None, body, Some(false)),
            IssueStep::Settle { number, body } => (number, None, body, None),
        };
        let issue = self.issues.iter_mut().find(|issue| issue.number == *number).unwrap();
        assert_eq!(issue.author, OURS, "somebody else's issue is never touched");
        issue.title = new_title.unwrap_or(&issue.title).clone();
        issue.body.clone_from(new_body);
        issue.is_open = is_open.unwrap_or(issue.is_open);
    }
}

/// What should be open now, if this event is a look at AWS.
fn look(event: &Event) -> Option<Wanted> {
    match event {
        Event::Drift(observed) => Some(drift(*observed)),
        Event::InSync => Some(in_sync()),
        Event::Unreadable => Some(of(finding(Verdict::Gap, 14, 14))),
        _ => None,
    }
}

fn happen(forge: &mut Forge, event: &Event) {
    match event {
        Event::PersonCloses => forge.ours().for_each(|issue| issue.is_open = false),
        Event::PersonReopens => forge.ours().for_each(|issue| issue.is_open = true),
        Event::MalloryCopies => forge.copy("mallory"),
        Event::TwinAppears => forge.copy(OURS),
        Event::Drift(_) | Event::InSync | Event::Unreadable => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_round_is_enough_and_there_is_never_a_second_issue_of_ours(events in prop::collection::vec(event(), 1..24)) {
        let mut forge = Forge::default();
        let mut people_or_twins = 0;
        for event in &events {
            happen(&mut forge, event);
            people_or_twins += usize::from(matches!(event, Event::TwinAppears));
            let Some(wanted) = look(event) else { continue };
            forge.publish(&wanted);
            prop_assert_eq!(forge.publish(&wanted), vec![], "the second round finds nothing to do");
            let ours: Vec<_> = forge.ours().map(|issue| issue.is_open).collect();
            prop_assert!(ours.len() <= 1 + people_or_twins, "it never opens a second one itself");
            let twins_open = ours.iter().skip(1).filter(|is_open| **is_open).count();
            if matches!(event, Event::Drift(_)) {
                prop_assert_eq!(twins_open, 0);
            }
        }
    }

    #[test]
    fn without_people_an_issue_is_open_exactly_while_there_is_something_to_report(looks in prop::collection::vec(event(), 1..16)) {
        let mut forge = Forge::default();
        let mut should_be_open = false;
        for event in &looks {
            let Some(wanted) = look(event) else { continue };
            forge.publish(&wanted);
            should_be_open = match event {
                Event::Drift(_) => true,
                Event::InSync => false,
                // Under a gap nothing ends.
                _ => should_be_open,
            };
            prop_assert_eq!(forge.ours().any(|issue| issue.is_open), should_be_open);
        }
    }
}
