//! What the simulated GitHub does in trouble, seen by a client that knows nothing but HTTP, and judged by what GitHub
//! holds afterwards.

use std::time::{Duration, Instant};

use landfast::sandbox::github::{Fault, SimulatedGitHub, Trouble};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::sandbox_github::{TOKEN, simulated};

const ISSUES: &str = "/repos/acme/aws-accounts/issues";

/// What came back over the connection.
#[derive(Debug)]
struct Raw {
    head: String,
    body: String,
    /// False where the connection ended before what the head promises.
    is_whole: bool,
}

/// One request on a connection of its own; nothing where no byte came back within the time.
async fn raw(github: &SimulatedGitHub, method: &str, path: &str, body: &str) -> Option<Raw> {
    let mut stream = TcpStream::connect(github.api_url().replace("http://", "")).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    // A connection that breaks and one that is closed are the same here.
    while let Ok(Ok(read)) = timeout(Duration::from_secs(1), stream.read(&mut chunk)).await {
        if read == 0 {
            break;
        }
        bytes.extend_from_slice(&chunk[..read]);
    }
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let raw = Raw { head: head.to_lowercase(), body: body.to_owned(), is_whole: false };
    let promised: usize = raw.header("content-length").map_or(0, |length| length.parse().unwrap());
    Some(Raw { is_whole: body.len() == promised, ..raw })
}

impl Raw {
    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn titles(&self) -> Vec<String> {
        let list: Vec<Value> = serde_json::from_str(&self.body).unwrap();
        list.iter().map(|issue| issue["title"].as_str().unwrap().to_owned()).collect()
    }
}

async fn open(github: &SimulatedGitHub, title: &str) -> Option<Raw> {
    raw(github, "POST", ISSUES, &json!({"title": title}).to_string()).await
}

async fn list(github: &SimulatedGitHub) -> Raw {
    raw(github, "GET", &format!("{ISSUES}?state=all&direction=asc"), "").await.unwrap()
}

#[tokio::test]
async fn trouble_is_on_the_wire_as_named_and_acts_as_named() {
    let whole = |status| Some((status, true));
    let cases = [
        (Trouble::StatusBefore(500), whole(500), 0),
        (Trouble::StatusAfter(502), whole(502), 1),
        (Trouble::DropBefore, None, 0),
        (Trouble::DropAfter, None, 1),
        (Trouble::TruncateAfter, Some((201, false)), 1),
        (Trouble::Hang, None, 0),
        (Trouble::HangAfter, None, 1),
        (Trouble::SecondaryLimit(7), whole(403), 0),
        (Trouble::TooMany(7), whole(429), 0),
        (Trouble::PrimaryLimit(120), whole(403), 0),
        (Trouble::Unauthorized, whole(401), 0),
    ];
    for (trouble, seen, n_issues) in cases {
        let (github, _) = simulated().await;
        github.fail(Fault::once("POST", "/issues", trouble));
        let answer = open(&github, "one").await;
        assert_eq!(answer.map(|answer| (answer.status(), answer.is_whole)), seen, "{trouble:?}");
        assert_eq!(github.issues().len(), n_issues, "{trouble:?}");
        assert_eq!(github.requests().len(), 1, "{trouble:?}: it is in the log");
        let next = open(&github, "two").await.unwrap();
        assert_eq!((next.status(), next.is_whole), (201, true), "{trouble:?}: the next call goes well");
    }
}

#[tokio::test]
async fn half_of_a_truncated_answer_arrives() {
    let (github, _) = simulated().await;
    github.fail(Fault::once("POST", "/issues", Trouble::TruncateAfter));
    let answer = open(&github, "one").await.unwrap();
    assert!(
        answer.body.starts_with('{') && serde_json::from_str::<Value>(&answer.body).is_err(),
        "{answer:?}"
    );
}

#[tokio::test]
async fn limits_say_in_githubs_headers_how_long_to_wait() {
    let (github, _) = simulated().await;
    for trouble in [Trouble::SecondaryLimit(7), Trouble::TooMany(7)] {
        github.fail(Fault::once("GET", "/issues", trouble));
        let answer = list(&github).await;
        assert_eq!(answer.header("retry-after"), Some("7"), "{trouble:?}");
        assert!(answer.body.contains("secondary rate limit"), "{trouble:?}");
    }
    github.fail(Fault::once("GET", "/issues", Trouble::PrimaryLimit(120)));
    let answer = list(&github).await;
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
    // The simulation's clock stands still.
    let now: jiff::Timestamp = "2026-11-22T03:13:00Z".parse().unwrap();
    assert_eq!(answer.header("x-ratelimit-reset"), Some((now.as_second() + 120).to_string().as_str()));
    assert_eq!(answer.header("retry-after"), None);
}

#[tokio::test]
async fn a_slow_answer_comes_whole_and_byte_by_byte() {
    let (github, _) = simulated().await;
    let pause = Duration::from_millis(1);
    github.fail(Fault::once("POST", "/labels", Trouble::Drip(pause)));
    let began = Instant::now();
    let path = "/repos/acme/aws-accounts/labels";
    let answer = raw(&github, "POST", path, r#"{"name": "x"}"#).await.unwrap();
    assert!(answer.is_whole && serde_json::from_str::<Value>(&answer.body).is_ok(), "{answer:?}");
    assert!(began.elapsed() >= pause * u32::try_from(answer.body.len()).unwrap());
}

#[tokio::test]
async fn an_empty_page_leads_on_to_what_should_have_been_on_it() {
    let (github, _) = simulated().await;
    for title in ["one", "two", "three"] {
        open(&github, title).await;
    }
    github.fail(Fault::once("GET", "/issues", Trouble::EmptyPage));
    let page = |number| format!("{ISSUES}?direction=asc&per_page=2&page={number}");
    let empty = raw(&github, "GET", &page(2), "").await.unwrap();
    assert_eq!((empty.status(), empty.body.as_str()), (200, "[]"));
    let link = empty.header("link").unwrap();
    assert!(link.ends_with("; rel=\"next\""), "{link}");
    assert!(link.contains("/repositories/1/issues?direction=asc&per_page=2&page=2>"), "{link}");
    assert_eq!(raw(&github, "GET", &page(2), "").await.unwrap().titles(), ["three"]);
}

#[tokio::test]
async fn a_stale_list_is_one_of_some_writes_ago() {
    let (github, _) = simulated().await;
    for title in ["one", "two"] {
        open(&github, title).await;
    }
    raw(&github, "PATCH", &format!("{ISSUES}/1"), r#"{"title": "changed"}"#).await;
    for (writes, titles) in [(1, vec!["one", "two"]), (2, vec!["one"]), (3, vec![]), (9, vec![])] {
        github.fail(Fault::once("GET", "/issues", Trouble::Stale(writes)));
        assert_eq!(list(&github).await.titles(), titles, "{writes}");
    }
    assert_eq!(list(&github).await.titles(), ["changed", "two"], "only what was asked for is stale");
}

#[tokio::test]
async fn trouble_comes_at_the_call_that_was_named_and_only_to_its_route() {
    let (github, _) = simulated().await;
    github.fail(Fault::once("POST", "/issues", Trouble::StatusBefore(503)).after(1).times(2));
    let mut seen = Vec::new();
    for n in 0..4 {
        seen.push(open(&github, &n.to_string()).await.unwrap().status());
        let path = format!("{ISSUES}/1/comments");
        assert_eq!(raw(&github, "POST", &path, r#"{"body": "x"}"#).await.unwrap().status(), 201);
    }
    assert_eq!(seen, [201, 503, 503, 201]);
}

#[tokio::test]
async fn chance_befalls_the_same_calls_with_the_same_seed() {
    let mut runs = Vec::new();
    for seed in [3, 3, 4] {
        let (github, _) = simulated().await;
        github.fail(Fault::once("POST", "/issues", Trouble::StatusAfter(502)).by_chance(0.4, seed));
        let mut seen = Vec::new();
        for n in 0..30 {
            seen.push(open(&github, &n.to_string()).await.unwrap().status());
        }
        assert_eq!(github.issues().len(), 30, "each was done all the same");
        runs.push(seen);
    }
    assert!(runs[0].contains(&201) && runs[0].contains(&502), "{runs:?}");
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}
