//! What the daemon answers over HTTP: whether it lives, whether it is ready, and its metrics.
//!
//! Guarantees: reads only; nothing that is asked here changes anything.

pub mod metrics;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use metrics::Metrics;

/// What the pages show.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// The metrics.
    pub metrics: Metrics,
    ready: Arc<AtomicBool>,
}

impl Health {
    /// Says that a commit is loaded and the organization was looked at once.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Relaxed);
    }
}

/// Why the pages cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else listens there: give another address with `--listen`.
    #[error("cannot listen on {address}; give another address with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Starts serving `/healthz`, `/readyz` and `/metrics`; gives the address it listens on.
pub async fn serve(address: SocketAddr, health: Health) -> Result<SocketAddr, Error> {
    let listen_error = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen_error)?;
    let bound = listener.local_addr().map_err(listen_error)?;
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(health);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the health pages ended");
        }
    });
    Ok(bound)
}

async fn readyz(State(health): State<Health>) -> impl IntoResponse {
    if health.ready.load(Ordering::Relaxed) {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no commit has been loaded and observed yet\n")
    }
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    let content_type = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    match health.metrics.page() {
        Ok(page) => (StatusCode::OK, content_type, page),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, content_type, error.to_string()),
    }
}
