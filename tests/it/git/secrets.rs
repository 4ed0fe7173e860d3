//! Credentials and failures on the wire, against a server that says no.

use super::*;

/// Answers every request with `status`, and keeps what was asked.
fn serve(status: &'static str) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    let asked = Arc::new(Mutex::new(String::new()));
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let n = stream.read(&mut request).unwrap();
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&request[..n]));
            let body = "<html>hello</html>";
            let answer = format!(
                "HTTP/1.1 {status}\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Type: text/html\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            // The client may have left already.
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (address, asked)
}

fn fetch(address: &str) -> (Repository, Error) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://someone:hunter2@{address}/a/b.git");
    let repository = Repository::open(folder.path(), &url, Credentials::default()).unwrap();
    let error = repository.fetch("main").unwrap_err();
    (repository, error)
}

fn show(error: &Error) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    format!("{error} {error:?} {source:?}")
}

#[test]
fn each_failure_has_its_class_and_shows_no_secret() {
    for (status, class) in [
        ("401 Unauthorized", Class::Stalled),
        ("403 Forbidden", Class::Stalled),
        ("404 Not Found", Class::Stalled),
        ("429 Too Many Requests", Class::Transient),
        ("500 Internal Server Error", Class::Transient),
        ("503 Service Unavailable", Class::Transient),
        ("200 OK", Class::Transient),
    ] {
        let (address, _) = serve(status);
        let (repository, error) = fetch(&address);
        assert_eq!(error.class(), class, "{status}: {error:?}");
        let shown = format!("{} {repository:?} {}", show(&error), repository.url());
        assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVyMg"), "{shown}");
    }
}

#[test]
fn nobody_at_the_door_is_transient_and_shows_no_secret() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (_, error) = fetch(&format!("127.0.0.1:{port}"));
    assert!(matches!(error, Error::Network { .. }), "{error:?}");
    assert!(!show(&error).contains("hunter2"));
}

#[test]
fn a_token_is_sent_once_with_the_user_name_that_github_wants() {
    let (address, asked) = serve("401 Unauthorized");
    let folder = tempfile::tempdir().unwrap();
    let credentials = Credentials { token: Some(Secret::new("hunter2")), ..Credentials::default() };
    let repository =
        Repository::open(folder.path(), &format!("http://{address}/a/b.git"), credentials.clone()).unwrap();
    let error = repository.fetch("main").unwrap_err();
    assert!(matches!(error, Error::Auth { .. }), "{error:?}");
    let asked = asked.lock().unwrap();
    // base64 of `x-access-token:hunter2`
    assert_eq!(asked.matches("Basic eC1hY2Nlc3MtdG9rZW46aHVudGVyMg==").count(), 1, "{asked}");
    assert!(!format!("{credentials:?} {repository:?} {error:?}").contains("hunter2"));
}

#[test]
fn a_cache_holds_no_credential() {
    let (address, _) = serve("404 Not Found");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://someone:hunter2@{address}/a/b.git");
    let repository = Repository::open(folder.path(), &url, Credentials::default()).unwrap();
    repository.fetch("main").unwrap_err();
    let cache = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    assert!(!fs::read_to_string(cache.join("config")).unwrap().contains("hunter2"));
    assert!(!cache.display().to_string().contains("hunter2"));
}
