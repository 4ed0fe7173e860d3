//! Whole exchanges, shown to whoever wants to judge them.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::Uri;
use axum::response::Response;

use super::World;

/// A request and its answer, before anything on the wire could harm it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query, empty where there is none.
    pub query: String,
    /// The body that was sent.
    pub sent: String,
    /// The status of the answer.
    pub status: u16,
    /// The body of the answer.
    pub answer: String,
}

/// Is shown every exchange.
pub type Witness = Arc<dyn Fn(&Exchange) + Send + Sync>;

impl Exchange {
    /// The request's part.
    pub(super) fn of(method: &str, uri: &Uri, sent: String) -> Self {
        let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
        Self { method: method.to_owned(), path, query, sent, status: 0, answer: String::new() }
    }
}

/// The request and its body, which is read only if somebody wants to see it.
pub(super) async fn noted(world: &World, request: Request) -> (Request, String) {
    if world.witness.get().is_none() {
        return (request, String::new());
    }
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let sent = String::from_utf8_lossy(&bytes).into_owned();
    (Request::from_parts(parts, Body::from(bytes)), sent)
}

/// The answer, after the witness has seen it.
pub(super) async fn shown(world: &World, exchange: Exchange, answer: Response) -> Response {
    let Some(witness) = world.witness.get() else { return answer };
    let (parts, body) = answer.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let (status, answer) = (parts.status.as_u16(), String::from_utf8_lossy(&bytes).into_owned());
    witness(&Exchange { status, answer, ..exchange });
    Response::from_parts(parts, Body::from(bytes))
}
