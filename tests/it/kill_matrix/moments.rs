//! The tools of the matrix, judged by themselves: a moment is what it says, and a sample leaves no kind of call out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use landfast::sandbox::stage::{Scenery, Stage};
use landfast::sandbox::watch::{Asked, Moment, Watcher};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::reaper::{Call, Point};
use super::sample;

/// Acts at one moment of every call, by counting.
#[derive(Debug)]
struct Counter {
    moment: Moment,
    count: AtomicUsize,
}

impl Watcher for Counter {
    fn asked(&self, call: &Asked) -> Option<Moment> {
        assert_eq!(call.operation, "POST /issues");
        Some(self.moment)
    }

    fn act(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
    }
}

/// Opens an issue by hand; what of the answer's body has come when nothing comes any more, and its promised length.
async fn open_issue(address: &str) -> (String, usize) {
    let body = r#"{"title": "A title", "body": "words"}"#;
    let request = format!(
        "POST /repos/acme/aws-accounts/issues HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer person-token\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let wait = Duration::from_millis(300);
    while let Ok(Ok(1..)) = tokio::time::timeout(wait, stream.read_buf(&mut answer)).await {}
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    (body.to_owned(), length.map_or(0, |length| length.parse().unwrap()))
}

#[tokio::test]
async fn a_watcher_acts_once_at_its_moment_and_the_client_gets_no_more_than_that_moment_allows() {
    for (moment, is_done, share) in
        [(Moment::Before, 0, 0), (Moment::Inside, 1, 0), (Moment::Half, 1, 2), (Moment::After, 1, 1)]
    {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        let stage = Stage::set(folder.path(), &empty, Scenery::fast(1000.0)).await.unwrap();
        let counter = Arc::new(Counter { moment, count: AtomicUsize::new(0) });
        stage.github.watch(counter.clone());
        let (body, length) = open_issue(stage.github.api_url().trim_start_matches("http://")).await;
        assert_eq!(stage.github.issues().len(), is_done, "{moment:?}");
        assert_eq!(body.len(), length.checked_div(share).unwrap_or(0), "{moment:?}: {body}");
        assert_eq!(length > 0, share > 0, "{moment:?}");
        assert_eq!(counter.count.load(Ordering::SeqCst), 1, "{moment:?}");
    }
}

#[test]
fn each_operation_and_moment_comes_once_before_any_comes_twice() {
    let call = |side: &str, operation: &str, account: &str| Call {
        side: side.to_owned(),
        operation: operation.to_owned(),
        account: account.to_owned(),
    };
    let calls = BTreeMap::from([
        (call("aws", "CreateAccount", "management"), 20),
        (call("aws", "DescribeStacks", "team01"), 5),
        (call("aws", "DescribeStacks", "team02"), 1),
        (call("github", "POST /issues", "-"), 1),
    ]);
    let kind = |point: &Point| (point.call.side.clone(), point.call.operation.clone(), point.moment);
    for seed in 0..20 {
        let order = sample::drawn(&calls, seed);
        assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), 27 * 4, "each point once");
        let first: BTreeSet<_> = order[..3 * 4].iter().map(kind).collect();
        assert_eq!(first.len(), 3 * 4);
    }
    assert_ne!(sample::drawn(&calls, 1), sample::drawn(&calls, 2));
    assert_eq!(sample::drawn(&calls, 1), sample::drawn(&calls, 1));
}
