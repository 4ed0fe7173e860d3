//! Drift of a stack's resources, as CloudFormation detects it.
//!
//! What CloudFormation could not check is said to be unchecked. It compares only properties that the template
//! names, so "no drift" is never more than that.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, json};
use tokio::time::{Instant, sleep};

use super::each::each;
use crate::aws::{Detection, Error, Reader, ResourceDrift, StackSeen};
use crate::model::status::{Drift, is_drift_detectable};
use crate::model::{Class, Region, Value};

/// How many detections run at once in one region of one account.
const AT_ONCE: usize = 8;
/// When the first look at a running detection makes sense, and how far apart looks may get.
const FIRST_LOOK: Duration = Duration::from_secs(3);
const LAST_LOOK: Duration = Duration::from_secs(30);

/// Why a stack's drift is not known, by the stack's ARN.
pub(super) type Notes = BTreeMap<String, String>;

/// Has AWS compare the resources of `stacks`, and waits for it.
pub(super) async fn detect(
    reader: &Reader,
    region: &Region,
    stacks: &[StackSeen],
    deadline: Duration,
) -> Notes {
    let until = Instant::now() + reader.pace().scale(deadline);
    let checkable: Vec<_> =
        stacks.iter().filter(|stack| is_drift_detectable(&stack.status)).cloned().collect();
    let notes = each(checkable, AT_ONCE, |stack| {
        let (reader, region) = (reader.clone(), region.clone());
        async move {
            let why =
                detect_one(&reader, &region, &stack.id, until).await.unwrap_or_else(|e| Some(e.to_string()));
            why.map(|why| (stack.id, why))
        }
    });
    notes.await.into_iter().flatten().collect()
}

/// Nothing when the stack was checked, and else why not.
async fn detect_one(
    reader: &Reader,
    region: &Region,
    stack: &str,
    until: Instant,
) -> Result<Option<String>, Error> {
    let mut pause = Pause::new(reader);
    let id = loop {
        match reader.detect_drift(region, stack).await {
            // Somebody else's detection is under way: ours comes after it.
            Err(error) if error.class() == Class::Waiting && pause.fits(until) => pause.wait().await,
            answer => break answer?,
        }
    };
    loop {
        if !pause.fits(until) {
            return Ok(Some("drift detection did not end in time".to_owned()));
        }
        pause.wait().await;
        match reader.detection(region, &id).await? {
            Detection::InProgress => {}
            Detection::Complete(_) => return Ok(None),
            Detection::Failed(why) => return Ok(Some(format!("drift detection failed in part: {why}"))),
        }
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
    let is_outdated = stack.drift_checked.is_some_and(|checked| checked < stack.updated);
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
                updated: 100,
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
