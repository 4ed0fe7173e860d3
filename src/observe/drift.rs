//! Drift of a stack's resources, as CloudFormation detects it.
//!
//! What CloudFormation could not check is said to be unchecked. It compares only properties that the template
//! names, so "no drift" is never more than that.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, json};
use tokio::time::{Instant, sleep};

use super::each::each;
use super::stacks::{Stacks, described};
use crate::aws::{Detection, Error, Reader, ResourceDrift, StackSeen};
use crate::model::status::{Drift, is_drift_detectable};
use crate::model::{Class, Region, Value};

/// How many detections run at once in one region of one account.
const AT_ONCE: usize = 8;
/// When the first look at a running detection makes sense, and how far apart looks may get.
const FIRST_LOOK: Duration = Duration::from_secs(6);
const LAST_LOOK: Duration = Duration::from_secs(30);
/// From which look on a detection that does not show in the stack's description is asked for itself.
const LATE: u32 = 4;

/// Why a stack's drift is not known, by the stack's ARN.
pub(super) type Notes = BTreeMap<String, String>;

/// Has AWS compare the resources of `stacks`, and waits for it: one description of the region a round shows whose
/// check is over. With it comes the last of these, if it shows how all of them ended.
pub(super) async fn detect(
    reader: &Reader,
    region: &Region,
    stacks: &[StackSeen],
    deadline: Duration,
) -> (Notes, Option<Stacks>) {
    let until = Instant::now() + reader.pace().scale(deadline);
    let checkable: Vec<_> =
        stacks.iter().filter(|stack| is_drift_detectable(&stack.status)).cloned().collect();
    let asked = each(checkable, AT_ONCE, |stack| {
        let (reader, region) = (reader.clone(), region.clone());
        async move {
            let id = ask(&reader, &region, &stack.id, until).await;
            (stack, id)
        }
    });
    let mut round = Round { reader, region, running: BTreeMap::new(), notes: Notes::new(), last: None };
    for (stack, id) in asked.await {
        match id {
            Ok(id) => drop(round.running.insert(stack.id, (id, stack.drift_checked))),
            Err(error) => drop(round.notes.insert(stack.id, error.to_string())),
        }
    }
    round.watch(until).await;
    (round.notes, round.last)
}

/// Asks for one detection; its id.
async fn ask(reader: &Reader, region: &Region, stack: &str, until: Instant) -> Result<String, Error> {
    let mut pause = Pause::new(reader);
    loop {
        match reader.detect_drift(region, stack).await {
            // Somebody else's detection is under way: ours comes after it.
            Err(error) if error.class() == Class::Waiting && pause.fits(until) => pause.wait().await,
            answer => return answer,
        }
    }
}

/// Detections that run in one region.
struct Round<'a> {
    reader: &'a Reader,
    region: &'a Region,
    /// The detection's id and the time of the check before it, by the stack's ARN.
    running: BTreeMap<String, (String, Option<i64>)>,
    notes: Notes,
    last: Option<Stacks>,
}

impl Round<'_> {
    async fn watch(&mut self, until: Instant) {
        let mut pause = Pause::new(self.reader);
        for nth in 1.. {
            if self.running.is_empty() || !pause.fits(until) {
                break;
            }
            pause.wait().await;
            if let Err(error) = self.look(nth).await {
                return self.give_up(&error.to_string());
            }
        }
        self.give_up("drift detection did not end in time");
    }

    fn give_up(&mut self, why: &str) {
        self.notes.extend(std::mem::take(&mut self.running).into_keys().map(|stack| (stack, why.to_owned())));
    }

    /// Looks at all of them at once, and one by one at those about which that says nothing.
    async fn look(&mut self, nth: u32) -> Result<(), Error> {
        let stacks = described(self.reader, self.region).await?;
        let seen: BTreeMap<_, _> = stacks.values().map(|stack| (stack.id.as_str(), stack)).collect();
        let mut silent = Vec::new();
        self.running.retain(|id, (detection, before)| {
            let Some(stack) = seen.get(id.as_str()) else { return false };
            let is_over = stack.drift_checked.is_some() && stack.drift_checked != *before;
            // Some never show when they were checked; and of a check that failed only the detection itself tells.
            let is_silent = stack.drift_checked.is_none() && stack.drift != "NOT_CHECKED";
            if (is_over && stack.drift == "UNKNOWN") || (!is_over && (is_silent || nth >= LATE)) {
                silent.push((id.clone(), detection.clone()));
            }
            !is_over
        });
        self.last = Some(stacks);
        for (stack, detection) in silent {
            self.inquire(stack, &detection).await?;
        }
        Ok(())
    }

    async fn inquire(&mut self, stack: String, detection: &str) -> Result<(), Error> {
        match self.reader.detection(self.region, detection).await? {
            Detection::InProgress => return Ok(()),
            Detection::Complete(_) => {}
            Detection::Failed(why) => {
                self.notes.insert(stack.clone(), format!("drift detection failed in part: {why}"));
            }
        }
        // It may have ended after the look, which then does not show how.
        if self.running.remove(&stack).is_some() {
            self.last = None;
        }
        Ok(())
    }
}

/// Looks get rarer the longer it takes.
struct Pause {
    next: Duration,
    longest: Duration,
}

impl Pause {
    fn new(reader: &Reader) -> Self {
        Self { next: reader.pace().scale(FIRST_LOOK), longest: reader.pace().scale(LAST_LOOK) }
    }

    fn fits(&self, until: Instant) -> bool {
        Instant::now() + self.next <= until
    }

    async fn wait(&mut self) {
        sleep(self.next).await;
        self.next = self.next.mul_f64(1.5).min(self.longest);
    }
}

/// Why nothing can be said about the stack's drift, if so. A failed detection does not hide drift that it found.
pub(super) fn unchecked(stack: &StackSeen, notes: &Notes) -> Option<String> {
    // What was found before the stack was last written is about another stack, as it were.
    let is_outdated = stack.drift_checked.is_some_and(|checked| checked < stack.updated_millis);
    match (Drift::of(&stack.drift), notes.get(&stack.id)) {
        (Drift::Found, _) | (Drift::None, None) if !is_outdated => None,
        (_, Some(why)) => Some(why.clone()),
        (Drift::Unseen, None) if stack.drift != "NOT_CHECKED" => {
            Some(format!("drift detection ended as {}", stack.drift))
        }
        (_, None) if !is_drift_detectable(&stack.status) => {
            Some(format!("AWS does not detect drift of a stack that is {}", stack.status))
        }
        (_, None) => Some("drift was not detected since the stack last changed".to_owned()),
    }
}

/// Drifted resources by logical id, and the parts that were not checked by JSON pointer.
pub(super) fn value(drifts: Vec<ResourceDrift>) -> (Value, BTreeMap<String, String>) {
    let (mut drifted, mut unchecked) = (Map::new(), BTreeMap::new());
    for drift in drifts {
        match Drift::of(&drift.status) {
            Drift::None => {}
            Drift::Found => {
                drifted.insert(drift.logical_id.clone(), resource(&drift));
            }
            Drift::Unseen => {
                let why = if drift.reason.is_empty() { &drift.status } else { &drift.reason }.clone();
                unchecked.insert(format!("/drift/{}", drift.logical_id), why);
            }
        }
    }
    (Value::Object(drifted), unchecked)
}

fn resource(drift: &ResourceDrift) -> Value {
    let difference = |(path, expected, actual): &(String, Value, Value)| {
        (path.clone(), json!({"expected": expected, "actual": actual}))
    };
    let properties: Map<_, _> = drift.properties.iter().map(difference).collect();
    json!({
        "type": drift.resource_type,
        "physicalId": drift.physical_id,
        "status": drift.status,
        "properties": properties,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(status: &str, drift: &str) -> StackSeen {
        let (id, status, drift) = ("arn".to_owned(), status.to_owned(), drift.to_owned());
        StackSeen { id, status, drift, ..StackSeen::default() }
    }

    fn resource(status: &str) -> ResourceDrift {
        ResourceDrift {
            logical_id: "Role".to_owned(),
            physical_id: "role-1".to_owned(),
            resource_type: "AWS::IAM::Role".to_owned(),
            status: status.to_owned(),
            reason: String::new(),
            properties: vec![("/Path".to_owned(), json!("/"), json!("/x/"))],
        }
    }

    #[test]
    fn only_a_whole_detection_says_in_sync() {
        let failed = Notes::from([("arn".to_owned(), "denied".to_owned())]);
        assert_eq!(unchecked(&stack("CREATE_COMPLETE", "IN_SYNC"), &Notes::new()), None);
        assert_eq!(unchecked(&stack("CREATE_COMPLETE", "IN_SYNC"), &failed).as_deref(), Some("denied"));
        assert_eq!(unchecked(&stack("CREATE_COMPLETE", "DRIFTED"), &failed), None);
        for status in ["NOT_CHECKED", "UNKNOWN", "SOMETHING_NEW"] {
            assert!(unchecked(&stack("CREATE_COMPLETE", status), &Notes::new()).is_some(), "{status}");
        }
    }

    #[test]
    fn what_was_detected_before_the_stack_last_changed_is_not_known_any_more() {
        for drift in ["DRIFTED", "IN_SYNC"] {
            let at = |checked| StackSeen {
                updated_millis: 100,
                drift_checked: Some(checked),
                ..stack("UPDATE_COMPLETE", drift)
            };
            assert_eq!(unchecked(&at(100), &Notes::new()), None, "{drift}");
            let why = unchecked(&at(99), &Notes::new()).expect("not known");
            assert!(why.contains("not detected since"), "{why}");
        }
    }

    #[test]
    fn a_resource_that_could_not_be_checked_is_neither_drifted_nor_in_sync() {
        let (drifted, unchecked) = value(vec![resource("NOT_CHECKED")]);
        assert_eq!(drifted, json!({}));
        assert_eq!(unchecked.get("/drift/Role").map(String::as_str), Some("NOT_CHECKED"));
    }

    #[test]
    fn a_modified_resource_shows_both_sides() {
        let (drifted, unchecked) = value(vec![resource("MODIFIED"), resource("IN_SYNC")]);
        assert_eq!(drifted["Role"]["properties"]["/Path"], json!({"expected": "/", "actual": "/x/"}));
        assert!(unchecked.is_empty());
    }
}
