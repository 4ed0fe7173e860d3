//! What became of each step, and the class of a failure: it decides retry, level, label and exit code.

use std::collections::BTreeMap;
use std::time::Duration;

use super::plan::StepId;

/// What the loop does next about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Throttled, network, 5xx: again soon, backing off.
    Transient,
    /// AWS needs time (an account being made, a stack in motion): look again later.
    Waiting,
    /// Trying again will not help until a person or a commit changes something.
    Stalled,
    /// Landfast is wrong.
    Bug,
}

impl Class {
    /// The closed set of metric labels.
    pub fn label(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Waiting => "waiting",
            Self::Stalled => "stalled",
            Self::Bug => "bug",
        }
    }
}

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, and AWS confirmed it.
    Done,
    /// Sent; AWS is at it. Look again after the duration.
    Waiting {
        /// On what, in words.
        because: String,
        /// When a look makes sense.
        after: Duration,
    },
    /// The world no longer matches the step's `before`; nothing was written.
    Stale(String),
    /// Refused or broken.
    Failed {
        /// What to do about it.
        class: Class,
        /// The whole story in one line, AWS's own words included.
        message: String,
    },
    /// Not tried because of another step.
    Skipped {
        /// That step.
        because: StepId,
    },
}

/// Outcomes by step.
pub type Outcomes = BTreeMap<StepId, Outcome>;
