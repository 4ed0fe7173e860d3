//! Moto's own record of the requests it was sent.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Sends a request to moto's own pages and returns the answer's body.
pub(crate) fn ask(endpoint: &str, method: &str, page: &str) -> String {
    let address = endpoint.strip_prefix("http://").expect("LANDFAST_TEST_MOTO is http://host:port");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{method} /moto-api/{page} HTTP/1.0\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
    assert!(head.contains(" 200 "), "{method} {page}: {head}\n{body}");
    body.to_owned()
}

/// Forgets what was recorded and records from now on.
pub(crate) fn start(endpoint: &str) {
    ask(endpoint, "POST", "recorder/reset-recording");
    ask(endpoint, "POST", "recorder/start-recording");
}

/// Stops and returns the operations that were asked for, in their order.
pub(crate) fn stop(endpoint: &str) -> Vec<String> {
    ask(endpoint, "POST", "recorder/stop-recording");
    let recording = ask(endpoint, "GET", "recorder/download-recording");
    let entry = |line: &str| serde_json::from_str::<Value>(line).expect("a recorded request");
    recording
        .lines()
        .map(entry)
        .filter(|entry| !entry["url"].as_str().unwrap().contains("/moto-api/"))
        .map(|entry| operation(&entry))
        .collect()
}

fn operation(entry: &Value) -> String {
    if let Some(target) = entry["headers"].get("X-Amz-Target").and_then(Value::as_str) {
        return target.rsplit('.').next().unwrap().to_owned();
    }
    let body = STANDARD.decode(entry["body"].as_str().unwrap_or_default()).unwrap();
    let action = form_urlencoded::parse(&body).find(|(key, _)| key == "Action");
    action.unwrap_or_else(|| panic!("an operation in {entry}")).1.into_owned()
}
