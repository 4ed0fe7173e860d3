//! Trouble on demand: one layer around every handler.
//!
//! A fault says on which calls it strikes and what the client sees. Whether the call was carried out nevertheless
//! is in the log (`acted`), which is what tests judge by.

use serde_json::{Value, json};

use super::wire::{Protocol, Refusal};

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
    /// A listing's page comes back empty, with the token to go on.
    EmptyPage,
    /// Refused with this status, code and message; not carried out.
    Refuse(u16, String, String),
}

impl Trouble {
    /// The refusal that takes the place of the call, if the call is not carried out but answered.
    pub(crate) fn refusal(&self, protocol: Protocol) -> Option<Refusal> {
        match self {
            Self::Throttle if protocol == Protocol::Json => Some(Refusal::bad(
                "TooManyRequestsException",
                "You have sent too many requests in too short a period of time.",
            )),
            Self::Throttle => Some(Refusal::bad("Throttling", "Rate exceeded")),
            Self::ErrorBefore(status) => Some(internal(*status, protocol)),
            Self::Refuse(status, code, message) => Some(Refusal::new(*status, code, message.clone())),
            _ => None,
        }
    }
}

pub(crate) fn internal(status: u16, protocol: Protocol) -> Refusal {
    let code = match (status, protocol) {
        (503, _) => "ServiceUnavailable",
        (_, Protocol::Json) => "ServiceException",
        (_, Protocol::Query) => "InternalFailure",
    };
    Refusal::new(
        status,
        code,
        "AWS can't complete your request because of an internal service error. Try again later.",
    )
}

/// Which calls it strikes.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// Each call.
    Every,
    /// The nth call from now on, counted from 1.
    Nth(u32),
    /// The next n calls.
    Next(u32),
    /// Each call with this probability, drawn from the call's own number so that it repeats between runs.
    Chance(f64),
}

/// One fault, set by a test.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The operation it strikes; `*` is any.
    pub operation: String,
    /// The account acted in; `None` is any.
    pub account: Option<String>,
    /// Which of the calls.
    pub when: When,
    /// What goes wrong.
    pub trouble: Trouble,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    set: Vec<(Fault, u32)>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.set.push((fault, 0));
    }

    pub(crate) fn clear(&mut self) {
        self.set.clear();
    }

    /// The trouble this call meets: the first set fault that strikes.
    pub(crate) fn strike(&mut self, operation: &str, account: &str, sequence: u64) -> Option<Trouble> {
        self.set.iter_mut().find_map(|(fault, seen)| {
            let concerns = (fault.operation == "*" || fault.operation == operation)
                && fault.account.as_deref().is_none_or(|wanted| wanted == account);
            if !concerns {
                return None;
            }
            *seen += 1;
            let strikes = match fault.when {
                When::Every => true,
                When::Nth(n) => *seen == n,
                When::Next(n) => *seen <= n,
                When::Chance(chance) => draw(sequence) < chance,
            };
            strikes.then(|| fault.trouble.clone())
        })
    }
}

/// A number in 0..1 that depends on nothing but `sequence`.
fn draw(sequence: u64) -> f64 {
    let mixed =
        sequence.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    f64::from(u32::try_from(mixed >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

/// `answer` with its list emptied and a token that leads to the same page again.
pub(crate) fn emptied(mut answer: Value, token: Option<&str>) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        let lists = fields.values_mut().filter(|field| field.is_array());
        lists.for_each(|list| *list = json!([]));
        fields.insert("NextToken".to_owned(), json!(token.unwrap_or("page-0")));
    }
    answer
}
