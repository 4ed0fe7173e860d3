//! Trouble on request: before or after the call has acted, by the count of calls that match.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{World, shapes};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This status, and nothing was done.
    StatusBefore(u16),
    /// This status, although it was done.
    StatusAfter(u16),
    /// The connection is dropped, and nothing was done.
    DropBefore,
    /// The connection is dropped, although it was done.
    DropAfter,
    /// The answer breaks off in the middle, although it was done.
    TruncateAfter,
    /// No answer comes, and nothing is done.
    Hang,
    /// The secondary limit, with this `retry-after` in seconds.
    SecondaryLimit(u64),
    /// The hourly limit is used up; it is reset after this many seconds.
    PrimaryLimit(u64),
}

/// A trouble and the calls it befalls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `GET`, `POST`, …; empty for any.
    pub method: String,
    /// A part of the path; empty for any.
    pub path: String,
    /// How many matching calls go well first.
    pub skip: usize,
    /// How many calls it befalls after that.
    pub times: usize,
    /// What goes wrong.
    pub trouble: Trouble,
}

impl Fault {
    /// `trouble` at the next call of `method` whose path contains `path`.
    pub fn once(method: &str, path: &str, trouble: Trouble) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), skip: 0, times: 1, trouble }
    }

    /// The same, but after `skip` calls that go well.
    #[must_use]
    pub fn after(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// The same, for ever.
    #[must_use]
    pub fn always(self) -> Self {
        Self { times: usize::MAX, ..self }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        (self.method.is_empty() || self.method == method) && path.contains(&self.path)
    }
}

/// The trouble that befalls this call, if any; counts it.
fn befalls(faults: &mut [Fault], method: &str, path: &str) -> Option<Trouble> {
    let mut trouble = None;
    for fault in faults.iter_mut().filter(|fault| fault.matches(method, path)) {
        if fault.skip > 0 {
            fault.skip -= 1;
        } else if fault.times > 0 && trouble.is_none() {
            fault.times = fault.times.saturating_sub(usize::from(fault.times != usize::MAX));
            trouble = Some(fault.trouble);
        }
    }
    trouble
}

/// Logs the call and lets happen to it what was asked for.
pub(super) async fn layer(State(world): State<World>, request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().to_string(), request.uri().clone());
    let trouble = befalls(&mut world.store().faults, &method, uri.path());
    let login = super::rest::login(&world, request.headers()).unwrap_or_default();
    let entry = |status| super::Request {
        method: method.clone(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        login: login.clone(),
        status,
    };
    let acts =
        matches!(trouble, None | Some(Trouble::StatusAfter(_) | Trouble::DropAfter | Trouble::TruncateAfter));
    let answer = if acts { Some(next.run(request).await) } else { None };
    let response = suffered(&world, trouble, answer).await;
    world.store().requests.push(entry(response.as_ref().map_or(0, |answer| answer.status().as_u16())));
    match response {
        Some(response) => response,
        // Unwinding the connection's own task closes the connection without an answer, which is what a drop is;
        // it passes the panic hook by, so nothing is printed.
        None => std::panic::resume_unwind(Box::new("the connection is dropped")),
    }
}

/// The answer after the trouble; nothing where the connection is to be dropped.
async fn suffered(world: &World, trouble: Option<Trouble>, answer: Option<Response>) -> Option<Response> {
    match trouble {
        None => answer,
        Some(Trouble::StatusBefore(status) | Trouble::StatusAfter(status)) => Some(broken(status)),
        Some(Trouble::DropBefore | Trouble::DropAfter) => None,
        Some(Trouble::TruncateAfter) => answer.map(truncated),
        Some(Trouble::Hang) => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            None
        }
        Some(Trouble::SecondaryLimit(seconds)) => Some(secondary(seconds)),
        Some(Trouble::PrimaryLimit(seconds)) => Some(primary(world, seconds)),
    }
}

fn broken(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, axum::Json(json!({"message": "Server Error"}))).into_response()
}

/// Half of an answer whose length was promised in full.
fn truncated(answer: Response) -> Response {
    let (mut parts, _) = answer.into_parts();
    parts.headers.insert("content-length", HeaderValue::from_static("4096"));
    Response::from_parts(parts, axum::body::Body::from("{\"id\": 1, \"num"))
}

fn secondary(seconds: u64) -> Response {
    let words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    let mut response = shapes::refusal(StatusCode::FORBIDDEN, words);
    response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
    response
}

fn primary(world: &World, seconds: u64) -> Response {
    let mut response = shapes::refusal(StatusCode::FORBIDDEN, "API rate limit exceeded for user ID 1.");
    let reset = u64::try_from(world.now().as_second()).unwrap_or_default() + seconds;
    response.headers_mut().insert("x-ratelimit-remaining", HeaderValue::from(0_u64));
    response.headers_mut().insert("x-ratelimit-reset", HeaderValue::from(reset));
    response
}
