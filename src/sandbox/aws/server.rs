//! The socket: one request in, one answer out, and the faults that come between.

use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::request::Parts;
use axum::http::{Request, Response, StatusCode};
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::call::{self, Call};
use super::faults::{Trouble, emptied, internal};
use super::identity::{self, Signature, Signed};
use super::log::{self, Entry};
use super::state::State;
use super::wire::{self, Answer, Params as _, Protocol, Refusal};

/// The largest SAML metadata, percent-encoded.
const LARGEST_BODY: usize = 32 << 20;

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
    let reply = reply(&mut lock(&state), &parts, &body);
    match reply.trouble {
        Some(Trouble::DropBefore | Trouble::DropAfter) => gate.allow(0),
        Some(Trouble::Truncate) => gate.allow(i64::try_from(reply.body.len() / 2).unwrap_or(0)),
        // Longer than any client waits; a client that leaves ends it.
        Some(Trouble::Hang | Trouble::HangAfter) => tokio::time::sleep(Duration::from_hours(24)).await,
        _ => {}
    }
    response(reply.status, reply.protocol, reply.body)
}

fn response(status: u16, protocol: Protocol, body: String) -> Response<Body> {
    let kind = match protocol {
        Protocol::Json => "application/x-amz-json-1.1",
        Protocol::Query => "text/xml",
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", axum::http::HeaderValue::from_static(kind));
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
    let trouble = state.faults.strike(&call.operation, call.account(), state.requests + 1);
    let acts = !matches!(trouble, Some(Trouble::DropBefore | Trouble::Hang))
        && trouble.as_ref().is_none_or(|trouble| trouble.refusal(arrival.protocol).is_none());
    let answer = if acts { call::perform(state, &call) } else { Ok(serde_json::Value::Null) };
    let acted = acts && answer.is_ok();
    let answer = troubled(answer, trouble.as_ref(), &call, arrival.protocol);
    let word = match (&trouble, &answer) {
        (Some(Trouble::DropBefore | Trouble::DropAfter), _) => "fault:drop".to_owned(),
        (Some(Trouble::Truncate), _) => "fault:truncate".to_owned(),
        (Some(Trouble::Hang | Trouble::HangAfter), _) => "fault:hang".to_owned(),
        (_, Ok(_)) => "OK".to_owned(),
        (_, Err(refusal)) => refusal.code.clone(),
    };
    note(state, arrival, Some(&call), acted, &word);
    (answer, trouble)
}

fn troubled(answer: Answer, trouble: Option<&Trouble>, call: &Call, protocol: Protocol) -> Answer {
    match trouble {
        Some(Trouble::ErrorAfter(status)) => Err(internal(*status, protocol)),
        Some(Trouble::EmptyPage) => answer.map(|answer| emptied(answer, call.params.text("NextToken"))),
        Some(trouble) => trouble.refusal(protocol).map_or(answer, Err),
        None => answer,
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

/// A listener whose connections can be cut.
struct Gated(TcpListener);

impl Listener for Gated {
    type Io = Cuttable;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    // Only speed is lost if it cannot be set.
                    _ = stream.set_nodelay(true);
                    return (Cuttable { stream, gate: Gate::open() }, address);
                }
                // Out of file descriptors: some come back as connections close.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// How much of the next answer's body may still leave; negative is all.
#[derive(Clone, Debug)]
struct Gate(Arc<AtomicI64>);

impl Gate {
    fn open() -> Self {
        Self(Arc::new(AtomicI64::new(-1)))
    }

    fn allow(&self, bytes: i64) {
        self.0.store(bytes, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Gated>> for Gate {
    fn connect_info(stream: IncomingStream<'_, Gated>) -> Self {
        stream.io().gate.clone()
    }
}

struct Cuttable {
    stream: TcpStream,
    gate: Gate,
}

const CUT: i64 = -2;

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Cuttable {
    /// An answer's head and body are written at once, so the first write after `allow` holds the body's beginning.
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let allowed = match self.gate.0.load(Ordering::SeqCst) {
            -1 => return Pin::new(&mut self.stream).poll_write(cx, buf),
            CUT | 0 => return Poll::Ready(Err(std::io::ErrorKind::ConnectionReset.into())),
            body => usize::try_from(body).unwrap_or(0),
        };
        let head = buf.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
        let end = (head + allowed).min(buf.len());
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, &buf[..end]));
        self.gate.allow(CUT);
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
