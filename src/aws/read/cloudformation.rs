//! CloudFormation: stacks, their templates, their drift, and change sets.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::operation::describe_stack_events::DescribeStackEventsOutput;
use aws_sdk_cloudformation::types;

use super::super::Error;
use super::super::session::Repeat;
use super::Reader;
use crate::model::{Region, Value};

/// A stack as described.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackSeen {
    /// The ARN.
    pub id: String,
    /// The name.
    pub name: String,
    /// `StackStatus` as AWS spells it.
    pub status: String,
    /// `StackStatusReason`, empty where there is none.
    pub reason: String,
    /// Seconds since 1970 of the last update, or of creation.
    pub updated: i64,
    /// The same in milliseconds, to tell apart what happens within a second.
    pub updated_millis: i64,
    /// The ARN of the change set that made it what it is.
    pub change_set: Option<String>,
    /// Parameters as shown; what AWS masks is `****`.
    pub parameters: BTreeMap<String, String>,
    /// Tags of the stack.
    pub tags: BTreeMap<String, String>,
    /// The capabilities it was last made with, as AWS spells them.
    pub capabilities: Vec<String>,
    /// Outputs by key.
    pub outputs: BTreeMap<String, String>,
    /// The names under which outputs are exported, for other stacks of the region to import.
    pub exports: Vec<String>,
    /// True for a stack that belongs to another stack.
    pub is_nested: bool,
    /// True under termination protection.
    pub is_protected: bool,
    /// `StackDriftStatus`: `IN_SYNC`, `DRIFTED`, `NOT_CHECKED` or `UNKNOWN`.
    pub drift: String,
    /// Milliseconds since 1970 of the last drift check.
    pub drift_checked: Option<i64>,
}

/// One resource as drift detection found it.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceDrift {
    /// Its logical id in the template.
    pub logical_id: String,
    /// Its physical id, empty where there is none.
    pub physical_id: String,
    /// Its type, such as `AWS::IAM::Role`.
    pub resource_type: String,
    /// `IN_SYNC`, `MODIFIED`, `DELETED`, `NOT_CHECKED`, `UNKNOWN` or `UNSUPPORTED`.
    pub status: String,
    /// Why it could not be checked, if AWS says.
    pub reason: String,
    /// Differing properties: path, expected, actual.
    pub properties: Vec<(String, Value, Value)>,
}

/// How far a drift detection got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detection {
    /// Under way.
    InProgress,
    /// Done; the stack's drift status.
    Complete(String),
    /// It could not check everything, and why.
    Failed(String),
}

/// A change set with all its pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// The ARN.
    pub id: String,
    /// The name.
    pub name: String,
    /// The ARN of the stack.
    pub stack_id: String,
    /// `Status` as AWS spells it.
    pub status: String,
    /// Why, empty where there is nothing to say.
    pub reason: String,
    /// `ExecutionStatus` as AWS spells it.
    pub execution: String,
    /// What it would change.
    pub changes: Vec<Change>,
}

/// What a change set does to one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `Add`, `Modify`, `Remove`, `Import`, `Dynamic`, `SyncWithActual`.
    pub action: String,
    /// The logical id.
    pub logical_id: String,
    /// The physical id, empty where there is none yet.
    pub physical_id: String,
    /// The type.
    pub resource_type: String,
    /// `True`, `False` or `Conditional`; empty where it does not apply.
    pub replacement: String,
    /// What becomes of the resource, such as `Delete`, `Retain`, `Snapshot`, `ReplaceAndRetain`; empty where AWS does
    /// not say.
    pub policy: String,
}

/// A line of a stack's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackEvent {
    /// AWS's id.
    pub id: String,
    /// When, seconds since 1970.
    pub time: i64,
    /// The logical id.
    pub logical_id: String,
    /// The type.
    pub resource_type: String,
    /// The status it entered.
    pub status: String,
    /// Why, empty where there is nothing to say.
    pub reason: String,
    /// The token of the request that caused it.
    pub token: Option<String>,
}

/// The first resource that failed, and why: the cause of a rollback. Events come newest first, as CloudFormation
/// lists them; times alone do not order what happens within a second.
pub fn first_failure(events: &[StackEvent]) -> Option<String> {
    let event = events.iter().rev().find(|event| event.status.ends_with("_FAILED"))?;
    Some(format!("{} ({}): {}", event.logical_id, event.resource_type, event.reason))
}

impl Reader {
    /// Every stack of a region that is not deleted: one call a page, whatever the number.
    pub async fn stacks(&self, region: &Region) -> Result<Vec<StackSeen>, Error> {
        let request = self.session.cloudformation(Some(region), Repeat::Freely).await?.describe_stacks();
        let fetch = |token| request.clone().set_next_token(token).send();
        let stacks =
            self.session.pages("DescribeStacks", fetch, |page| (page.stacks, page.next_token)).await?;
        stacks.into_iter().map(|stack| self.seen(stack)).collect()
    }

    /// One stack by name or ARN; nothing where AWS says in so many words that it does not exist.
    pub async fn stack(&self, region: &Region, stack: &str) -> Result<Option<StackSeen>, Error> {
        let client = self.session.cloudformation(Some(region), Repeat::Freely).await?;
        let call = client.describe_stacks().stack_name(stack).send();
        let answer = match self.session.send("DescribeStacks", call).await {
            Err(error) if error.is_absent() => return Ok(None),
            answer => answer?,
        };
        let stack = answer.stacks.and_then(|stacks| stacks.into_iter().next());
        self.seen(stack.ok_or_else(|| self.lacks("DescribeStacks", "stack"))?).map(Some)
    }

    /// The names of the stacks that import what is exported under this name.
    pub async fn importers(&self, region: &Region, export: &str) -> Result<Vec<String>, Error> {
        let request = self.session.cloudformation(Some(region), Repeat::Freely).await?.list_imports();
        let request = request.export_name(export);
        let fetch = |token| request.clone().set_next_token(token).send();
        match self.session.pages("ListImports", fetch, |page| (page.imports, page.next_token)).await {
            Err(error) if error.is_not_imported() => Ok(Vec::new()),
            importers => importers,
        }
    }

    /// The template as it was sent.
    pub async fn template(&self, region: &Region, stack: &str) -> Result<String, Error> {
        let client = self.session.cloudformation(Some(region), Repeat::Freely).await?;
        let stage = types::TemplateStage::Original;
        let call = client.get_template().stack_name(stack).template_stage(stage).send();
        let answer = self.session.send("GetTemplate", call).await?;
        answer.template_body.ok_or_else(|| self.lacks("GetTemplate", "template"))
    }

    /// Asks for drift detection; the id to follow it by.
    pub async fn detect_drift(&self, region: &Region, stack: &str) -> Result<String, Error> {
        let client = self.session.cloudformation(Some(region), Repeat::Freely).await?;
        let call = client.detect_stack_drift().stack_name(stack).send();
        let answer = self.session.send("DetectStackDrift", call).await?;
        answer.stack_drift_detection_id.ok_or_else(|| self.lacks("DetectStackDrift", "id"))
    }

    /// How far a drift detection got.
    pub async fn detection(&self, region: &Region, id: &str) -> Result<Detection, Error> {
        let operation = "DescribeStackDriftDetectionStatus";
        let client = self.session.cloudformation(Some(region), Repeat::Freely).await?;
        let call = client.describe_stack_drift_detection_status().stack_drift_detection_id(id).send();
        let answer = self.session.send(operation, call).await?;
        let drift = answer.stack_drift_status.map(|status| status.as_str().to_owned());
        let reason = answer.detection_status_reason.unwrap_or_default();
        match answer.detection_status.as_ref().map(types::StackDriftDetectionStatus::as_str) {
            Some("DETECTION_IN_PROGRESS") => Ok(Detection::InProgress),
            Some("DETECTION_COMPLETE") => Ok(Detection::Complete(drift.unwrap_or_default())),
            Some("DETECTION_FAILED") => Ok(Detection::Failed(reason)),
            _ => Err(self.lacks(operation, "status")),
        }
    }

    /// What the last drift detection found, resource by resource.
    pub async fn resource_drifts(&self, region: &Region, stack: &str) -> Result<Vec<ResourceDrift>, Error> {
        let client = self.session.cloudformation(Some(region), Repeat::Freely).await?;
        let request = client.describe_stack_resource_drifts().stack_name(stack);
        let fetch = |token| request.clone().set_next_token(token).send();
        let operation = "DescribeStackResourceDrifts";
        let drifts = self
            .session
            .pages(operation, fetch, |page| (page.stack_resource_drifts, page.next_token))
            .await?;
        Ok(drifts.into_iter().map(resource_drift).collect())
    }

    /// A change set with all its pages; nothing where AWS says that it does not exist.
    pub async fn change_set(
        &self,
        region: &Region,
        stack: &str,
        name: &str,
    ) -> Result<Option<ChangeSet>, Error> {
        let client = self.session.cloudformation(Some(region), Repeat::Freely).await?;
        let request = client.describe_change_set().stack_name(stack).change_set_name(name);
        let fetch = |token| request.clone().set_next_token(token).send();
        let split = |page: DescribeChangeSetOutput| {
            let token = page.next_token.clone();
            (Some(vec![page]), token)
        };
        match self.session.pages("DescribeChangeSet", fetch, split).await {
            Err(error) if error.is_absent() => Ok(None),
            pages => Ok(Some(change_set(pages?))),
        }
    }

    /// The newest events of a stack, newest first, back to `since` (seconds since 1970).
    pub async fn stack_events(
        &self,
        region: &Region,
        stack: &str,
        since: i64,
    ) -> Result<Vec<StackEvent>, Error> {
        let client = self.session.cloudformation(Some(region), Repeat::Freely).await?;
        let request = client.describe_stack_events().stack_name(stack);
        let fetch = |token| request.clone().set_next_token(token).send();
        // Newest first: the page that reaches back far enough is the last one that is asked for.
        let is_enough = |events: &[types::StackEvent]| {
            events.last().and_then(types::StackEvent::timestamp).is_some_and(|time| time.secs() < since)
        };
        let split = |page: DescribeStackEventsOutput| {
            let token = page.next_token.clone().filter(|_| !is_enough(page.stack_events()));
            (page.stack_events, token)
        };
        let events = self.session.pages("DescribeStackEvents", fetch, split).await?;
        Ok(events.into_iter().map(stack_event).filter(|event| event.time >= since).collect())
    }

    fn seen(&self, stack: types::Stack) -> Result<StackSeen, Error> {
        let operation = "DescribeStacks";
        let status = stack.stack_status().ok_or_else(|| self.lacks(operation, "status"))?.as_str().to_owned();
        let (drift, drift_checked) = drift_status(&stack);
        let updated = stack.last_updated_time().or(stack.creation_time());
        let updated_millis = updated.and_then(|time| time.to_millis().ok()).unwrap_or_default();
        Ok(StackSeen {
            status,
            reason: stack.stack_status_reason.clone().unwrap_or_default(),
            updated: updated_millis.div_euclid(1000),
            updated_millis,
            parameters: stack.parameters().iter().filter_map(parameter).collect(),
            tags: stack.tags().iter().filter_map(|tag| pair(tag.key(), tag.value())).collect(),
            capabilities: stack.capabilities().iter().map(|it| it.as_str().to_owned()).collect(),
            outputs: stack.outputs().iter().filter_map(|o| pair(o.output_key(), o.output_value())).collect(),
            exports: stack.outputs().iter().filter_map(|o| o.export_name().map(str::to_owned)).collect(),
            is_nested: stack.parent_id.is_some(),
            is_protected: stack.enable_termination_protection.unwrap_or_default(),
            drift,
            drift_checked,
            change_set: stack.change_set_id,
            id: stack.stack_id.ok_or_else(|| self.lacks(operation, "id"))?,
            name: stack.stack_name.ok_or_else(|| self.lacks(operation, "name"))?,
        })
    }
}

fn drift_status(stack: &types::Stack) -> (String, Option<i64>) {
    let information = stack.drift_information();
    let status = information.and_then(types::StackDriftInformation::stack_drift_status);
    let checked = information.and_then(types::StackDriftInformation::last_check_timestamp);
    let status = status.map_or("NOT_CHECKED", types::StackDriftStatus::as_str);
    (status.to_owned(), checked.and_then(|time| time.to_millis().ok()))
}

fn pair(key: Option<&str>, value: Option<&str>) -> Option<(String, String)> {
    Some((key?.to_owned(), value.unwrap_or_default().to_owned()))
}

fn parameter(parameter: &types::Parameter) -> Option<(String, String)> {
    pair(parameter.parameter_key(), parameter.parameter_value())
}

fn resource_drift(drift: types::StackResourceDrift) -> ResourceDrift {
    let status =
        drift.stack_resource_drift_status().map_or("UNKNOWN", types::StackResourceDriftStatus::as_str);
    ResourceDrift {
        status: status.to_owned(),
        properties: drift.property_differences().iter().map(difference).collect(),
        logical_id: drift.logical_resource_id.unwrap_or_default(),
        physical_id: drift.physical_resource_id.unwrap_or_default(),
        resource_type: drift.resource_type.unwrap_or_default(),
        reason: drift.drift_status_reason.unwrap_or_default(),
    }
}

/// Values are JSON where they parse as such, and text otherwise; `null` stands for nothing.
fn difference(difference: &types::PropertyDifference) -> (String, Value, Value) {
    let value = |text: Option<&str>| match text {
        None | Some("null") => Value::Null,
        Some(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    };
    let path = difference.property_path().unwrap_or_default().to_owned();
    (path, value(difference.expected_value()), value(difference.actual_value()))
}

fn change_set(pages: Vec<DescribeChangeSetOutput>) -> ChangeSet {
    let mut whole = ChangeSet::default();
    for page in pages {
        whole.changes.extend(page.changes().iter().filter_map(|change| change.resource_change()).map(change));
        whole.status = page.status().map(|status| status.as_str().to_owned()).unwrap_or_default();
        whole.execution =
            page.execution_status().map(|status| status.as_str().to_owned()).unwrap_or_default();
        whole.id = page.change_set_id.unwrap_or_default();
        whole.name = page.change_set_name.unwrap_or_default();
        whole.stack_id = page.stack_id.unwrap_or_default();
        whole.reason = page.status_reason.unwrap_or_default();
    }
    whole
}

fn change(change: &types::ResourceChange) -> Change {
    Change {
        action: change.action().map(|action| action.as_str().to_owned()).unwrap_or_default(),
        logical_id: change.logical_resource_id().unwrap_or_default().to_owned(),
        physical_id: change.physical_resource_id().unwrap_or_default().to_owned(),
        resource_type: change.resource_type().unwrap_or_default().to_owned(),
        replacement: change.replacement().map(|r| r.as_str().to_owned()).unwrap_or_default(),
        policy: change.policy_action().map(|policy| policy.as_str().to_owned()).unwrap_or_default(),
    }
}

fn stack_event(event: types::StackEvent) -> StackEvent {
    StackEvent {
        time: event.timestamp().map_or(0, aws_sdk_cloudformation::primitives::DateTime::secs),
        status: event.resource_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        id: event.event_id.unwrap_or_default(),
        logical_id: event.logical_resource_id.unwrap_or_default(),
        resource_type: event.resource_type.unwrap_or_default(),
        reason: event.resource_status_reason.unwrap_or_default(),
        token: event.client_request_token,
    }
}
