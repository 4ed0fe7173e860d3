//! A watcher in front of a simulation: it is told of every call as it arrives, and may act at one moment of one of
//! them, such as to kill the client.
//!
//! Guarantees: whoever made the call it acts at gets no more of an answer than the moment says. Nothing else changes:
//! a call that nobody acts at is answered as if nobody watched.

use std::fmt::Debug;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use futures_util::stream::{self, StreamExt as _};

/// Until what was written to a loopback socket is at the other end.
const LANDING: Duration = Duration::from_millis(2);

/// When, seen from the simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// The call has arrived and is not carried out.
    Before,
    /// It is carried out; nothing is answered.
    Inside,
    /// It is carried out; half of the answer's body has left.
    Half,
    /// It is answered.
    After,
}

/// A call that arrives.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// What is asked for, in the words of whoever is asked.
    pub operation: String,
    /// The e-mail of the account it acts in; empty where that is unknown or there is none.
    pub email: String,
}

/// Watches.
pub trait Watcher: Debug + Send + Sync {
    /// The moment of this call at which to act, if at all. Calls are told in the order of their arrival.
    fn asked(&self, call: &Asked) -> Option<Moment>;
    /// Acts.
    fn act(&self);
}

/// Answers a call through `answer`, unless the watcher acts first.
pub async fn watched(
    watcher: Option<Arc<dyn Watcher>>,
    call: &Asked,
    answer: impl Future<Output = Response>,
) -> Response {
    let Some((watcher, moment)) =
        watcher.and_then(|watcher| watcher.asked(call).map(|moment| (watcher, moment)))
    else {
        return answer.await;
    };
    if moment == Moment::Before {
        watcher.act();
        return pending().await;
    }
    let answer = answer.await;
    match moment {
        Moment::Before | Moment::Inside => {
            watcher.act();
            pending().await
        }
        Moment::Half => half(answer, watcher).await,
        Moment::After => {
            tokio::spawn(after(watcher));
            answer
        }
    }
}

async fn after(watcher: Arc<dyn Watcher>) {
    tokio::time::sleep(LANDING).await;
    watcher.act();
}

/// The answer with half its body, then the act, then nothing; its length is promised in full.
async fn half(answer: Response, watcher: Arc<dyn Watcher>) -> Response {
    let (mut parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let head = stream::iter([Ok::<Bytes, std::io::Error>(body.slice(..body.len() / 2))]);
    let rest = stream::once(async move {
        after(watcher).await;
        pending().await
    });
    Response::from_parts(parts, Body::from_stream(head.chain(rest)))
}
