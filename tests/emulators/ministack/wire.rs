//! What the program sends: a relay in front of ministack, which keeps no record of its own.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it went by.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) operation: String,
    body: String,
}

impl Sent {
    /// A field of the form, for the services that are asked by one.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let found = form_urlencoded::parse(self.body.as_bytes()).find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    }
}

/// The relay, for as long as the process runs.
pub(crate) struct Wire {
    pub(crate) endpoint: String,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Wire {
    /// Relays to `endpoint`.
    pub(crate) fn to(endpoint: &str) -> Self {
        let upstream = endpoint.strip_prefix("http://").expect("http://host:port").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let sent = Arc::<Mutex<Vec<Sent>>>::default();
        let log = Arc::clone(&sent);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (upstream, log) = (upstream.clone(), Arc::clone(&log));
                // A connection that breaks is the program's to complain about.
                std::thread::spawn(move || relay(client, &upstream, &log));
            }
        });
        Self { endpoint, sent }
    }

    /// Takes what was sent since the last time.
    pub(crate) fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}

/// One request, one answer, one connection each way.
fn relay(mut client: TcpStream, upstream: &str, log: &Mutex<Vec<Sent>>) -> std::io::Result<()> {
    let Some((head, body)) = read(&mut client)? else { return Ok(()) };
    log.lock().unwrap().push(sent(&head, &body));
    let (line, fields) = head.split_once("\r\n").expect("a request line");
    let mut server = TcpStream::connect(upstream)?;
    write!(server, "{line}\r\nconnection: close\r\n{fields}\r\n\r\n")?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    client.write_all(&answer)?;
    client.shutdown(Shutdown::Write)
}

/// The head without the empty line, and the body; nothing when nobody asked.
fn read(client: &mut TcpStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let mut fill = |bytes: &mut Vec<u8>| {
        let n = client.read(&mut chunk)?;
        bytes.extend_from_slice(&chunk[..n]);
        Ok::<_, std::io::Error>(n > 0)
    };
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if !fill(&mut bytes)? {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < end + 4 + length && fill(&mut bytes)? {}
    Ok(Some((head, bytes.split_off(end + 4))))
}

fn sent(head: &str, body: &[u8]) -> Sent {
    let body = String::from_utf8_lossy(body).into_owned();
    let target = field(head, "x-amz-target").and_then(|target| target.rsplit('.').next());
    let form = |body: &str| Sent { operation: String::new(), body: body.to_owned() }.field("Action");
    let operation = target.map(str::to_owned).or_else(|| form(&body)).unwrap_or_else(|| head.to_owned());
    Sent { operation, body }
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    fields.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
