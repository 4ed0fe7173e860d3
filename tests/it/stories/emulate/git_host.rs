//! A git host over http: git's own `http-backend` behind a check of the token, as GitHub does it.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

/// Serves one bare repository. It ends when this is dropped.
pub(super) struct GitHost {
    address: SocketAddr,
    repository: String,
    server: JoinHandle<()>,
}

struct Host {
    root: PathBuf,
    authorization: String,
    /// Is told of every push, and answers when it has been taken note of.
    pushes: UnboundedSender<tokio::sync::oneshot::Sender<()>>,
}

impl GitHost {
    /// Serves `remote` to whoever has `token`.
    pub(super) async fn serve(
        remote: &Path,
        token: &str,
        pushes: UnboundedSender<tokio::sync::oneshot::Sender<()>>,
    ) -> Self {
        let authorization = format!("Basic {}", BASE64_STANDARD.encode(format!("x-access-token:{token}")));
        let host = Host { root: remote.parent().unwrap().to_owned(), authorization, pushes };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().fallback(answer).with_state(Arc::new(host));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let repository = remote.file_name().unwrap().to_str().unwrap().to_owned();
        Self { address, repository, server }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/{}", self.address, self.repository)
    }
}

impl Drop for GitHost {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(host): State<Arc<Host>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let asked = parts.headers.get("authorization").and_then(|header| header.to_str().ok());
    if asked != Some(&host.authorization) {
        return (StatusCode::UNAUTHORIZED, [("www-authenticate", "Basic realm=\"git\"")]).into_response();
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let is_push = parts.method == "POST" && parts.uri.path().ends_with("/git-receive-pack");
    let command = backend(&host.root, parts.method.as_str(), &parts.uri, &parts.headers);
    let output = tokio::task::spawn_blocking(move || run(command, &body)).await.unwrap();
    if is_push {
        let (noted, done) = tokio::sync::oneshot::channel();
        host.pushes.send(noted).unwrap();
        done.await.unwrap();
    }
    cgi_answer(&output)
}

/// What a web server tells a CGI program.
fn backend(root: &Path, method: &str, uri: &axum::http::Uri, headers: &HeaderMap) -> Command {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", uri.path())
        .env("QUERY_STRING", uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        // Whoever is known may push.
        .env("REMOTE_USER", "landfast-acme")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

fn run(mut command: Command, body: &[u8]) -> Vec<u8> {
    let mut child = command.env("CONTENT_LENGTH", body.len().to_string()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    child.wait_with_output().unwrap().stdout
}

fn cgi_answer(output: &[u8]) -> Response {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let mut response = Response::builder();
    for line in std::str::from_utf8(&output[..end]).unwrap().lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value.split(' ').next().unwrap()),
            _ => response.header(name, value),
        };
    }
    response.body(Body::from(output[end + 4..].to_vec())).unwrap()
}
