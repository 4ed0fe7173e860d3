//! Who made an out-of-band change, as far as CloudTrail tells.

use jiff::Timestamp;
use serde::Serialize;

/// Who changed an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Author {
    /// CloudTrail does not show the event yet (it can take 15 minutes).
    Pending,
    /// CloudTrail names the event.
    Known(Deed),
    /// Nobody can be named, for this reason, in words without a full stop.
    Unknown {
        /// The reason.
        because: String,
    },
}

/// One CloudTrail event that explains a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deed {
    /// The principal's ARN: `arn:aws:sts::111122223333:assumed-role/BreakGlass/alice`.
    pub principal: String,
    /// The session's or user's name: `alice`; `root` for the root user.
    pub name: String,
    /// The role that was assumed, if one was: `BreakGlass`.
    pub role: Option<String>,
    /// `AttachRolePolicy`.
    pub event_name: String,
    /// The event's id.
    pub event_id: String,
    /// When it happened.
    pub time: Timestamp,
    /// The address or the AWS service it came from; empty when not told.
    pub source_ip: String,
    /// True when it was done in the console; absent when not told.
    pub console: Option<bool>,
    /// True when the session was opened with MFA; absent when not told.
    pub mfa: Option<bool>,
    /// True when the event itself names this item; false when it is the likeliest one.
    pub is_certain: bool,
    /// True when the session is Landfast's own.
    pub is_ours: bool,
}
