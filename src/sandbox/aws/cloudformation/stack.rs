//! Stacks, change sets and resources as data.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde_json::Value;

use super::super::call::Call;
use super::blueprint::Blueprint;
use super::plan::Change;

/// What one account has in one region.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stacks {
    /// By id; deleted ones stay.
    pub(crate) all: BTreeMap<String, Stack>,
    /// By change set id.
    pub(crate) change_sets: BTreeMap<String, ChangeSet>,
    /// Drift detections by id.
    pub(crate) detections: BTreeMap<String, Detection>,
    /// Properties of resources that have no service of their own here, by (type, physical id).
    pub(crate) bags: BTreeMap<(String, String), Value>,
    /// (logical or stack name, reason): fails the next create or update of it.
    pub(crate) failures: Vec<(String, String)>,
}

impl Stacks {
    /// The stack of this name or id. A deleted one is found by its id only.
    pub(crate) fn find(&self, name: &str) -> Option<&Stack> {
        match self.all.get(name) {
            Some(stack) => Some(stack),
            None => self.all.values().find(|stack| stack.name == name && !stack.is_deleted()),
        }
    }

    /// The values exported by name.
    pub(crate) fn exports(&self) -> BTreeMap<String, String> {
        let outputs = self.all.values().filter(|stack| !stack.is_deleted()).flat_map(|stack| &stack.outputs);
        outputs.filter_map(|output| Some((output.export.clone()?, output.value.clone()))).collect()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Stack {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) blueprint: Blueprint,
    pub(crate) outputs: Vec<Output>,
    pub(crate) resources: BTreeMap<String, Resource>,
    /// Oldest first.
    pub(crate) events: Vec<StackEvent>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Option<Timestamp>,
    pub(crate) deleted: Option<Timestamp>,
    /// The change set last executed.
    pub(crate) change_set: Option<String>,
    pub(crate) drift_status: String,
    pub(crate) drift_checked: Option<Timestamp>,
    pub(crate) is_protected: bool,
    pub(crate) operation: Option<Operation>,
}

impl Stack {
    pub(crate) fn is_deleted(&self) -> bool {
        self.status == "DELETE_COMPLETE"
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) description: Option<String>,
    pub(crate) export: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) logical: String,
    pub(crate) kind: String,
    pub(crate) physical: String,
    /// As the template asks, worked out.
    pub(crate) properties: Value,
    /// What `Fn::GetAtt` gives.
    pub(crate) attributes: BTreeMap<String, Value>,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) at: Timestamp,
    pub(crate) drift: Option<ResourceDrift>,
}

#[derive(Clone, Debug)]
pub(crate) struct ResourceDrift {
    pub(crate) status: &'static str,
    pub(crate) expected: Value,
    pub(crate) actual: Value,
    pub(crate) differences: Vec<Value>,
    pub(crate) at: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct StackEvent {
    pub(crate) id: String,
    pub(crate) logical: String,
    pub(crate) physical: String,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) at: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct ChangeSet {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) stack: String,
    pub(crate) is_create: bool,
    pub(crate) blueprint: Blueprint,
    pub(crate) status: &'static str,
    pub(crate) execution: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) changes: Vec<Change>,
    pub(crate) client_token: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) reverts_drift: bool,
    pub(crate) on_failure: OnFailure,
    pub(crate) created: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFailure {
    RollBack,
    Keep,
    Delete,
}

/// What a stack is in the middle of.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) phase: Phase,
    /// On whose behalf.
    pub(crate) call: Call,
    pub(crate) token: Option<String>,
    pub(crate) change_set: Option<String>,
    pub(crate) steps: VecDeque<Change>,
    /// What is removed once all else is done: (change, what it was).
    pub(crate) cleanup: Vec<Resource>,
    /// What was there before each step done, newest last; `None` was nothing.
    pub(crate) undo: Vec<(String, Option<Resource>)>,
    pub(crate) before: Blueprint,
    pub(crate) target: Blueprint,
    pub(crate) reverts_drift: bool,
    pub(crate) on_failure: OnFailure,
    /// Between two steps, on the simulation's clock.
    pub(crate) pause: std::time::Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Create,
    Update,
    UpdateCleanup,
    RollBackCreate,
    RollBackUpdate,
    RollBackCleanup,
    Delete,
}

#[derive(Clone, Debug)]
pub(crate) struct Detection {
    pub(crate) id: String,
    pub(crate) stack: String,
    pub(crate) started: Timestamp,
    pub(crate) is_done: bool,
    pub(crate) failure: Option<String>,
    pub(crate) drifted: usize,
    pub(crate) status: String,
}
