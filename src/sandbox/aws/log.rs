//! What reached the simulation: every request, in order, with what came of it.

use jiff::Timestamp;
use serde_json::Value;

/// One request, as the server saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Counts from 1 in order of arrival.
    pub sequence: u64,
    /// When, on the simulation's clock.
    pub at: Timestamp,
    /// The ARN of who called; empty when the credentials were not recognized.
    pub caller: String,
    /// The account acted in; empty when the credentials were not recognized.
    pub account: String,
    /// The region of the signature.
    pub region: String,
    /// The service's signing name, such as `cloudformation`.
    pub service: String,
    /// The operation, such as `CreateChangeSet`.
    pub operation: String,
    /// True for calls that can change something. Asking for drift detection is not one; a change set is.
    pub is_mutating: bool,
    /// True if the call was carried out, whatever the client was told.
    pub acted: bool,
    /// The parameters as sent.
    pub params: Value,
    /// `OK`, an error code, or `fault:…` for what the client saw instead of an answer.
    pub outcome: String,
}

/// True for operations that can change something.
pub(crate) fn is_mutating(operation: &str) -> bool {
    const READING: [&str; 9] =
        ["Describe", "List", "Get", "Detect", "Lookup", "Validate", "Estimate", "Assume", "Simulate"];
    !READING.iter().any(|prefix| operation.starts_with(prefix))
}
