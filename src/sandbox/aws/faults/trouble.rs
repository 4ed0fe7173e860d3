//! What can go wrong with one call, and how AWS words it.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::wire::Refusal;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Refused as sent too often; not carried out.
    Throttle,
    /// An error of the service's own, with this HTTP status; not carried out.
    ErrorBefore(u16),
    /// Carried out, then an error with this HTTP status.
    ErrorAfter(u16),
    /// The connection closes without an answer; not carried out.
    DropBefore,
    /// Carried out, then the connection closes without an answer.
    DropAfter,
    /// Carried out; half of the answer's body arrives.
    Truncate,
    /// No answer, ever; not carried out.
    Hang,
    /// Carried out, but no answer, ever: the moment at which a client can be killed.
    HangAfter,
    /// Carried out; the answer arrives, but one byte at a time with this pause before each.
    Drip(Duration),
    /// A listing's page comes back empty, with the token to go on.
    EmptyPage,
    /// What is read is as it was so long ago on the simulation's clock, though not older than the fault. Only
    /// calls that describe, get or list are struck.
    Stale(Duration),
    /// Refused because somebody else is changing the same thing; not carried out.
    ConcurrentModification,
    /// The session that calls is over from now on; not carried out. A user's own key has no end and is left alone.
    Expire,
    /// Refused with this status, code and message; not carried out.
    Refuse(u16, String, String),
}

impl Trouble {
    /// The refusal that takes the place of the call, if the call is not carried out but answered.
    pub(crate) fn refusal(&self, service: &str) -> Option<Refusal> {
        match self {
            Self::Throttle => Some(throttled(service)),
            Self::ErrorBefore(status) => Some(internal(*status, service)),
            Self::ConcurrentModification => Some(concurrent(service)),
            Self::Refuse(status, code, message) => Some(Refusal::new(*status, code, message.clone())),
            _ => None,
        }
    }

    /// True if the call is carried out all the same.
    pub(crate) fn acts(&self) -> bool {
        match self {
            Self::ErrorAfter(_) | Self::DropAfter | Self::Truncate | Self::HangAfter | Self::Drip(_) => true,
            Self::EmptyPage | Self::Stale(_) => true,
            Self::Throttle | Self::ErrorBefore(_) | Self::DropBefore | Self::Hang => false,
            Self::ConcurrentModification | Self::Expire | Self::Refuse(..) => false,
        }
    }

    /// What the log says instead of an answer that never arrived as one.
    pub(crate) fn word(&self) -> Option<&'static str> {
        match self {
            Self::DropBefore | Self::DropAfter => Some("fault:drop"),
            Self::Truncate => Some("fault:truncate"),
            Self::Hang | Self::HangAfter => Some("fault:hang"),
            Self::Drip(_) => Some("fault:drip"),
            _ => None,
        }
    }
}

fn throttled(service: &str) -> Refusal {
    match service {
        "organizations" => Refusal::bad(
            "TooManyRequestsException",
            "You have sent too many requests in too short a period of time.",
        ),
        "cloudtrail" => Refusal::bad("ThrottlingException", "Rate exceeded"),
        _ => Refusal::bad("Throttling", "Rate exceeded"),
    }
}

/// An error of the service's own.
pub(crate) fn internal(status: u16, service: &str) -> Refusal {
    let code = match (status, service) {
        (503, _) => "ServiceUnavailable",
        (_, "organizations") => "ServiceException",
        _ => "InternalFailure",
    };
    Refusal::new(
        status,
        code,
        "AWS can't complete your request because of an internal service error. Try again later.",
    )
}

fn concurrent(service: &str) -> Refusal {
    match service {
        "organizations" => Refusal::bad(
            "ConcurrentModificationException",
            "AWS Organizations can't complete your request because it conflicts with another attempt to modify the \
             same entity. Try again later.",
        ),
        _ => Refusal::new(409, "ConcurrentModification", "Another request is changing the same entity."),
    }
}

/// `answer` with its list emptied and a token that leads to the same page again, if it is a page of a listing.
pub(crate) fn emptied(mut answer: Value, params: &Value) -> Value {
    let Some(fields) = answer.as_object_mut() else { return answer };
    let Some(name) = ["NextToken", "Marker"].into_iter().find(|name| fields.contains_key(*name)) else {
        return answer;
    };
    fields.values_mut().filter(|field| field.is_array()).for_each(|list| *list = json!([]));
    let token = params.get(name).and_then(Value::as_str).unwrap_or("page-0");
    fields.insert(name.to_owned(), json!(token));
    if let Some(is_truncated) = fields.get_mut("IsTruncated") {
        *is_truncated = json!(true);
    }
    answer
}
