//! A real HTTP server that answers as a test says, and counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// What becomes of a request.
pub(crate) enum Answer {
    /// Answered in full.
    Whole { status: u16, kind: &'static str, body: String },
    /// Answered with status 200, and cut off in the middle.
    Truncated(String),
    /// Read; then the connection is closed.
    Drop,
    /// Read; then nothing.
    Hang,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::Whole { status, kind: "application/x-amz-json-1.1", body: body.to_string() }
    }

    pub(crate) fn xml(status: u16, body: &str) -> Self {
        Self::Whole { status, kind: "text/xml", body: body.to_owned() }
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(crate) body: String,
    /// The access key that signed it.
    key: String,
}

type Log = Arc<Mutex<Vec<Request>>>;
type Script = dyn Fn(usize, &Request) -> Answer + Send + Sync;

/// The server. Dropping it closes its socket.
pub(crate) struct Stub {
    pub(crate) url: String,
    log: Log,
    server: AbortHandle,
}

impl Stub {
    /// Answers as `script` says, which is given how many requests for the same operation came before.
    pub(crate) async fn start(script: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let log = Log::default();
        let server = tokio::spawn(serve(listener, Arc::new(script), Arc::clone(&log))).abort_handle();
        Self { url, log, server }
    }

    pub(crate) fn count(&self, operation: &str) -> usize {
        self.bodies(operation).len()
    }

    pub(crate) fn count_by_key(&self, operation: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for request in self.requests().into_iter().filter(|request| request.operation == operation) {
            *counts.entry(request.key).or_default() += 1;
        }
        counts
    }

    pub(crate) fn bodies(&self, operation: &str) -> Vec<String> {
        let requests = self.requests().into_iter();
        requests.filter(|request| request.operation == operation).map(|request| request.body).collect()
    }

    pub(crate) fn operations(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.operation).collect()
    }

    fn requests(&self) -> Vec<Request> {
        self.log.lock().expect("the log").clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, script: Arc<Script>, log: Log) {
    while let Ok((stream, _)) = listener.accept().await {
        let (script, log) = (Arc::clone(&script), Arc::clone(&log));
        tokio::spawn(async move { connection(stream, &*script, &log).await });
    }
}

async fn connection(mut stream: TcpStream, script: &Script, log: &Log) {
    while let Some(request) = read(&mut stream).await {
        let before = {
            let mut log = log.lock().expect("the log");
            let before = log.iter().filter(|earlier| earlier.operation == request.operation).count();
            log.push(request.clone());
            before
        };
        match script(before, &request) {
            Answer::Whole { status, kind, body } => {
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                if stream.write_all(head.as_bytes()).await.is_err() {
                    return;
                }
            }
            Answer::Truncated(body) => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len() + 100);
                stream.write_all(head.as_bytes()).await.ok();
                return;
            }
            Answer::Drop => return,
            Answer::Hang => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        fill(stream, &mut bytes).await?;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while bytes.len() < head_end + length {
        fill(stream, &mut bytes).await?;
    }
    let body = String::from_utf8_lossy(&bytes[head_end..]).into_owned();
    let target =
        header(&head, "x-amz-target").and_then(|target| target.rsplit('.').next().map(str::to_owned));
    let action = || body.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(str::to_owned);
    let key = header(&head, "authorization")?.split_once("Credential=")?.1.split('/').next()?.to_owned();
    Some(Request { operation: target.or_else(action)?, key, body })
}

async fn fill(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 4096];
    let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
    bytes.extend_from_slice(&chunk[..read]);
    Some(())
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// The answer to `AssumeRole`, for a session in `account`; its access key tells the account.
pub(crate) fn session(account: &str, name: &str) -> Answer {
    Answer::xml(
        200,
        &format!(
            "<AssumeRoleResponse><AssumeRoleResult>\
             <AssumedRoleUser><AssumedRoleId>AROA:{name}</AssumedRoleId>\
             <Arn>arn:aws:sts::{account}:assumed-role/OrganizationAccountAccessRole/{name}</Arn></AssumedRoleUser>\
             <Credentials><AccessKeyId>ASIA{account}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
             <SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>\
             </AssumeRoleResult></AssumeRoleResponse>"
        ),
    )
}

/// The answer to `GetCallerIdentity`.
pub(crate) fn caller(account: &str) -> Answer {
    Answer::xml(
        200,
        &format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{account}</Account>\
             <Arn>arn:aws:iam::{account}:user/admin</Arn><UserId>AIDA</UserId>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        ),
    )
}

/// Sessions are given to anybody; everything else is as `otherwise` says.
pub(crate) fn session_or(request: &Request, otherwise: impl FnOnce() -> Answer) -> Answer {
    if request.operation != "AssumeRole" {
        return otherwise();
    }
    let (_, rest) = request.body.split_once("iam%3A%3A").expect("a role's ARN");
    session(&rest[..12], "session")
}
