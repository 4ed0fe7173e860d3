//! The git remote over HTTP: git's own server programs behind a socket, so that each request to it is a moment at which
//! Landfast can be killed.

use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse as _, Response};
use landfast::sandbox::watch::{Asked, Watcher, watched};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A running server. Dropping it closes its socket.
#[derive(Debug)]
pub(super) struct GitServer {
    pub(super) url: String,
    server: AbortHandle,
}

#[derive(Clone)]
struct Served {
    folder: PathBuf,
    watcher: Arc<dyn Watcher>,
}

#[derive(Deserialize)]
struct Advertised {
    service: String,
}

impl GitServer {
    /// Serves a bare repository.
    pub(super) async fn start(folder: &Path, watcher: Arc<dyn Watcher>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/company.git", listener.local_addr().unwrap());
        let routes = axum::Router::new()
            .route("/company.git/info/refs", axum::routing::get(refs))
            .route("/company.git/git-upload-pack", axum::routing::post(upload_pack))
            .route("/company.git/git-receive-pack", axum::routing::post(receive_pack))
            .with_state(Served { folder: folder.to_owned(), watcher });
        let server = tokio::spawn(async move { drop(axum::serve(listener, routes).await) }).abort_handle();
        Self { url, server }
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn refs(State(served): State<Served>, Query(Advertised { service }): Query<Advertised>) -> Response {
    let program = if service == "git-receive-pack" { "receive-pack" } else { "upload-pack" };
    let head = format!("# service=git-{program}\n");
    let head = format!("{:04x}{head}0000", head.len() + 4).into_bytes();
    let kind = format!("application/x-git-{program}-advertisement");
    served.run(program, "refs", kind, head, Bytes::new()).await
}

async fn upload_pack(State(served): State<Served>, request: Request) -> Response {
    served.rpc("upload-pack", request).await
}

async fn receive_pack(State(served): State<Served>, request: Request) -> Response {
    served.rpc("receive-pack", request).await
}

impl Served {
    async fn rpc(&self, program: &'static str, request: Request) -> Response {
        let body = to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default();
        let kind = format!("application/x-git-{program}-result");
        self.run(program, "pack", kind, Vec::new(), body).await
    }

    async fn run(
        &self,
        program: &'static str,
        what: &str,
        kind: String,
        mut head: Vec<u8>,
        input: Bytes,
    ) -> Response {
        let folder = self.folder.clone();
        let advertises = what == "refs";
        let operation = format!("{program} {what}");
        let answer = async move {
            let run = tokio::task::spawn_blocking(move || git(program, advertises, &folder, &input));
            head.extend(run.await.unwrap());
            ([("content-type", kind)], head).into_response()
        };
        watched(Some(Arc::clone(&self.watcher)), &Asked { operation, email: String::new() }, answer).await
    }
}

/// What git's own program says to `input`.
fn git(program: &str, advertises: bool, folder: &Path, input: &[u8]) -> Vec<u8> {
    let mut stdin = tempfile::tempfile().unwrap();
    stdin.write_all(input).unwrap();
    stdin.rewind().unwrap();
    let mut command = Command::new("git");
    // Cleaning up in the background would only make the machine slower.
    command.args(["-c", "gc.auto=0", "-c", "receive.autogc=false", program, "--stateless-rpc"]);
    if advertises {
        command.arg("--advertise-refs");
    }
    let mut child = command
        .arg(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::from(stdin))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git is installed");
    let mut answer = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut answer).unwrap();
    child.wait().unwrap();
    answer
}
