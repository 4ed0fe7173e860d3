//! The socket: one request in, one answer out, and the faults that come between.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, Response, StatusCode};
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tokio::net::TcpListener;

use super::call::{self, Call};
use super::faults::{Trouble, emptied, internal};
use super::gate::{Gate, Gated};
use super::identity::{self, Signature, Signed};
use super::log::{self, Entry};
use super::state::State;
use super::wire::{self, Answer, Protocol, Refusal};
use crate::sandbox::watch::{Asked, watched};

const LARGEST_BODY: usize = 4 << 20;

/// Requests the log keeps at least: more than any test makes, and an hour of a busy sandbox.
const KEPT: usize = 100_000;

/// Locks the state. A handler that panicked left plain data behind, so its lock is taken all the same.
pub(crate) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let app = axum::Router::new().fallback(answer).with_state(state);
    let service = app.into_make_service_with_connect_info::<Gate>();
    // Ends only with the task: accepting never fails for good.
    _ = axum::serve(Gated(listener), service).await;
}

async fn answer(
    Shared(state): Shared<Arc<Mutex<State>>>,
    ConnectInfo(gate): ConnectInfo<Gate>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return response(StatusCode::PAYLOAD_TOO_LARGE.as_u16(), Protocol::Query, String::new());
    };
    let (watcher, asked) = {
        let state = lock(&state);
        let asked = state.watcher.as_ref().map(|_| asked(&state, &parts, &body));
        (state.watcher.clone(), asked.unwrap_or_default())
    };
    watched(watcher, &asked, answered(&state, &gate, &parts, &body)).await
}

/// What a watcher is told.
fn asked(state: &State, parts: &Parts, body: &Bytes) -> Asked {
    let Ok(arrival) = arrival(parts, body) else { return Asked::default() };
    let account = state.keys.get(&arrival.signature.access_key).map(|key| &key.principal.account);
    let account = account.and_then(|id| state.organization.accounts.get(id));
    let email = account.map(|account| account.email.clone()).unwrap_or_default();
    Asked { operation: arrival.operation, email }
}

async fn answered(state: &Mutex<State>, gate: &Gate, parts: &Parts, body: &Bytes) -> Response<Body> {
    let (reply, latency) = {
        let mut state = lock(state);
        (reply(&mut state, parts, body), state.config.latency)
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match reply.trouble {
        Some(Trouble::DropBefore | Trouble::DropAfter) => gate.allow(0),
        Some(Trouble::Truncate) => gate.allow(i64::try_from(reply.body.len() / 2).unwrap_or(0)),
        // Longer than any client waits; a client that leaves ends it.
        Some(Trouble::Hang | Trouble::HangAfter) => tokio::time::sleep(Duration::from_hours(24)).await,
        Some(Trouble::Drip(pause)) => return dripping(reply, pause),
        _ => {}
    }
    response(reply.status, reply.protocol, reply.body)
}

/// The head at once, then the body one byte at a time.
fn dripping(reply: Reply, pause: Duration) -> Response<Body> {
    let length = HeaderValue::from(reply.body.len());
    let bytes = stream::iter(reply.body.into_bytes()).then(move |byte| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Infallible>(vec![byte])
    });
    let mut response = response(reply.status, reply.protocol, String::new());
    response.headers_mut().insert("content-length", length);
    *response.body_mut() = Body::from_stream(bytes);
    response
}

fn response(status: u16, protocol: Protocol, body: String) -> Response<Body> {
    let kind = match protocol {
        Protocol::Json => "application/x-amz-json-1.1",
        Protocol::Query => "text/xml",
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", HeaderValue::from_static(kind));
    response
}

struct Reply {
    status: u16,
    protocol: Protocol,
    body: String,
    trouble: Option<Trouble>,
}

/// What a request says before anyone asks who sent it.
struct Arrival {
    signature: Signature,
    protocol: Protocol,
    operation: String,
    params: serde_json::Value,
    agent: String,
}

fn reply(state: &mut State, parts: &Parts, body: &Bytes) -> Reply {
    state.settle();
    let request_id = state.uuid();
    let arrival = match arrival(parts, body) {
        Ok(arrival) => arrival,
        Err(refusal) => {
            let body = refusal.body(Protocol::Query, &request_id);
            return Reply { status: refusal.status, protocol: Protocol::Query, body, trouble: None };
        }
    };
    let (answer, trouble) = outcome(state, &arrival, parts, body);
    let (status, body) = match &answer {
        Ok(answer) => {
            let (service, operation) = (&arrival.signature.service, &arrival.operation);
            (200, wire::answer_body(arrival.protocol, service, operation, answer, &request_id))
        }
        Err(refusal) => (refusal.status, refusal.body(arrival.protocol, &request_id)),
    };
    Reply { status, protocol: arrival.protocol, body, trouble }
}

fn arrival(parts: &Parts, body: &Bytes) -> Result<Arrival, Refusal> {
    let signature =
        header(parts, "authorization").and_then(|text| Signature::parse(&text)).ok_or_else(|| {
            Refusal::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        })?;
    let protocol = Protocol::of(&signature.service).ok_or_else(|| {
        let message = format!("The simulated AWS does not have the service {}.", signature.service);
        Refusal::bad("UnknownService", message)
    })?;
    let (operation, params) = match protocol {
        Protocol::Query => wire::read_query(body),
        Protocol::Json => {
            let target = header(parts, "x-amz-target").unwrap_or_default();
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            (operation, serde_json::from_slice(body).unwrap_or_default())
        }
    };
    let agent = header(parts, "user-agent").unwrap_or_default();
    Ok(Arrival { signature, protocol, operation, params, agent })
}

fn header(parts: &Parts, name: &str) -> Option<String> {
    parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Identifies, strikes, acts, logs.
fn outcome(state: &mut State, arrival: &Arrival, parts: &Parts, body: &Bytes) -> (Answer, Option<Trouble>) {
    let call = match identified(state, arrival, parts, body) {
        Ok(call) => call,
        Err(refusal) => {
            note(state, arrival, None, false, &refusal.code.clone());
            return (Err(refusal), None);
        }
    };
    let trouble = state.faults.strike(&call);
    let acts = trouble.as_ref().is_none_or(Trouble::acts);
    let answer = met(state, &call, trouble.as_ref());
    let acted = acts && answer.is_ok();
    let answer = told(answer, trouble.as_ref(), &call);
    let word = match (trouble.as_ref().and_then(Trouble::word), &answer) {
        (Some(word), _) => word.to_owned(),
        (None, Ok(_)) => "OK".to_owned(),
        (None, Err(refusal)) => refusal.code.clone(),
    };
    note(state, arrival, Some(&call), acted, &word);
    if acted && log::is_mutating(&call.operation) {
        state.remember();
    }
    (answer, trouble)
}

/// What comes of the call itself under `trouble`.
fn met(state: &mut State, call: &Call, trouble: Option<&Trouble>) -> Answer {
    match trouble {
        Some(Trouble::Stale(lag)) => state.long_ago(*lag, |state| call::perform(state, call)),
        Some(Trouble::Expire) => Err(identity::expire(state, call)),
        Some(trouble) if !trouble.acts() => trouble.refusal(&call.service).map_or(Ok(json!(null)), Err),
        _ => call::perform(state, call),
    }
}

/// What the client is told of it.
fn told(answer: Answer, trouble: Option<&Trouble>, call: &Call) -> Answer {
    match trouble {
        Some(Trouble::ErrorAfter(status)) => Err(internal(*status, &call.service)),
        Some(Trouble::EmptyPage) => answer.map(|answer| emptied(answer, &call.params)),
        _ => answer,
    }
}

fn identified(state: &State, arrival: &Arrival, parts: &Parts, body: &Bytes) -> Result<Call, Refusal> {
    let signed = Signed {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        header: &|name| header(parts, name),
        body,
    };
    Ok(Call {
        principal: identity::identify(state, &arrival.signature, &signed, arrival.protocol)?,
        region: arrival.signature.region.clone(),
        service: arrival.signature.service.clone(),
        operation: arrival.operation.clone(),
        params: arrival.params.clone(),
        source: "127.0.0.1".to_owned(),
        agent: arrival.agent.clone(),
        invoked_by: None,
    })
}

fn note(state: &mut State, arrival: &Arrival, call: Option<&Call>, acted: bool, outcome: &str) {
    let (caller, account) =
        call.map_or_else(Default::default, |call| (call.principal.arn.clone(), call.account().to_owned()));
    state.requests += 1;
    if state.log.len() >= 2 * KEPT {
        state.log.drain(..KEPT);
    }
    let entry = Entry {
        sequence: state.requests,
        at: state.now(),
        caller,
        account,
        region: arrival.signature.region.clone(),
        service: arrival.signature.service.clone(),
        operation: arrival.operation.clone(),
        is_mutating: log::is_mutating(&arrival.operation),
        acted,
        params: arrival.params.clone(),
        outcome: outcome.to_owned(),
    };
    state.log.push(entry);
}
