//! Trouble on request: by route, by the count of calls, or by chance from a seed.
//!
//! A fault says which calls it befalls and what the client sees of it. Whether a call acted nevertheless is in the
//! ground truth, by which tests judge.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::exchange::{self, Exchange};
use super::{World, rest, shapes};

/// Long enough for what was written to leave.
const FLUSH: Duration = Duration::from_millis(20);

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This status, and nothing was done.
    StatusBefore(u16),
    /// This status, although it was done.
    StatusAfter(u16),
    /// The connection is dropped, and nothing was done.
    DropBefore,
    /// The connection is dropped, although it was done.
    DropAfter,
    /// The answer breaks off in the middle, although it was done.
    TruncateAfter,
    /// No answer comes, and nothing is done.
    Hang,
    /// No answer comes, although it was done.
    HangAfter,
    /// It is done and answered in full, one byte at a time with this pause before each.
    Drip(Duration),
    /// The secondary limit as a 403, with this `retry-after` in seconds; nothing was done.
    SecondaryLimit(u64),
    /// The secondary limit as a 429, with this `retry-after` in seconds; nothing was done.
    TooMany(u64),
    /// The hourly limit is used up; it is reset after this many seconds. Nothing was done.
    PrimaryLimit(u64),
    /// The token is not accepted; nothing was done.
    Unauthorized,
    /// A page of a list comes back empty, with a link that leads on to what should have been on it.
    EmptyPage,
    /// A list of issues or pull requests comes back as it was before the last so many writes.
    Stale(usize),
}

/// A trouble and the calls it befalls.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// `GET`, `POST`, …; empty for any.
    pub method: String,
    /// How the path ends, by whole segments, where `{…}` stands for any one: `/issues/{number}`; empty for any path.
    pub route: String,
    /// How many matching calls go well first.
    pub skip: usize,
    /// How many calls it befalls after that.
    pub times: usize,
    /// How likely it is to befall each of those, and the seed of the draw.
    pub chance: Option<(f64, u64)>,
    /// What goes wrong.
    pub trouble: Trouble,
}

/// What is to go wrong, and how far each fault has got.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Progress>);

#[derive(Debug)]
struct Progress {
    fault: Fault,
    seen: usize,
    befallen: usize,
}

impl Fault {
    /// `trouble` at the next call of `method` to `route`.
    pub fn once(method: &str, route: &str, trouble: Trouble) -> Self {
        let (method, route) = (method.to_owned(), route.to_owned());
        Self { method, route, skip: 0, times: 1, chance: None, trouble }
    }

    /// The same, but after `skip` calls that go well.
    #[must_use]
    pub fn after(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// The same, so many times.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// The same, for ever.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// The same, for ever, at each matching call with this probability. The same seed befalls the same calls,
    /// counted among those that match.
    #[must_use]
    pub fn by_chance(self, probability: f64, seed: u64) -> Self {
        Self { chance: Some((probability, seed)), ..self.always() }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let is_segment = |(wanted, segment): (&str, &str)| wanted.starts_with('{') || wanted == segment;
        let wanted = || self.route.split('/').filter(|segment| !segment.is_empty()).rev();
        let segments = || path.split('/').filter(|segment| !segment.is_empty()).rev();
        (self.method.is_empty() || self.method == method)
            && wanted().count() <= segments().count()
            && wanted().zip(segments()).all(is_segment)
    }
}

impl Progress {
    /// Counts a matching call; true when it is this fault's turn.
    fn strikes(&mut self) -> bool {
        self.seen += 1;
        let drawn = |(probability, seed)| draw(seed, self.seen) < probability;
        let strikes = self.seen > self.fault.skip
            && self.befallen < self.fault.times
            && self.fault.chance.is_none_or(drawn);
        self.befallen += usize::from(strikes);
        strikes
    }
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(Progress { fault, seen: 0, befallen: 0 });
    }

    /// The trouble that befalls this call: the first that strikes; those after it do not count the call.
    fn befalls(&mut self, method: &str, path: &str) -> Option<Trouble> {
        let mut matching = self.0.iter_mut().filter(|progress| progress.fault.matches(method, path));
        matching.find_map(|progress| progress.strikes().then_some(progress.fault.trouble))
    }
}

/// A number in 0..1 that depends on the seed and the count alone.
#[expect(clippy::cast_precision_loss, reason = "53 bits are what a double holds")]
fn draw(seed: u64, count: usize) -> f64 {
    let mut mixed = (seed ^ (count as u64).rotate_left(32)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    for (shift, factor) in [(30, 0xBF58_476D_1CE4_E5B9), (27, 0x94D0_49BB_1331_11EB), (31, 1_u64)] {
        mixed = (mixed ^ (mixed >> shift)).wrapping_mul(factor);
    }
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// Logs the call and lets happen to it what was asked for.
pub(super) async fn layer(State(world): State<World>, request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().to_string(), request.uri().clone());
    let trouble = {
        let mut store = world.store();
        store.remember_before(&method, uri.path());
        store.faults.befalls(&method, uri.path())
    };
    let login = rest::login(&world, request.headers()).unwrap_or_default();
    let (mut request, sent) = exchange::noted(&world, request).await;
    if let Some(Trouble::Stale(writes)) = trouble {
        request.extensions_mut().insert(rest::Past(writes));
    }
    let done = if trouble.is_none_or(Trouble::acts) { Some(next.run(request).await) } else { None };
    let answer = match trouble {
        Some(trouble) => trouble.answer(&world, &uri, done).await,
        None => done,
    };
    let answer = match answer {
        Some(answer) => Some(exchange::shown(&world, Exchange::of(&method, &uri, sent), answer).await),
        None => None,
    };
    let arrives = !matches!(trouble, Some(Trouble::DropAfter | Trouble::HangAfter));
    let status = answer.as_ref().filter(|_| arrives).map_or(0, |answer| answer.status().as_u16());
    let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
    world.store().requests.push(super::Request { method, path, query, login, status });
    over_the_wire(trouble, answer).await
}

impl Trouble {
    /// True where the call does what was asked.
    fn acts(self) -> bool {
        match self {
            Self::StatusAfter(_) | Self::DropAfter | Self::TruncateAfter | Self::HangAfter => true,
            Self::Drip(_) | Self::EmptyPage | Self::Stale(_) => true,
            Self::StatusBefore(_) | Self::DropBefore | Self::Hang | Self::Unauthorized => false,
            Self::SecondaryLimit(_) | Self::TooMany(_) | Self::PrimaryLimit(_) => false,
        }
    }

    /// What GitHub answers in trouble; nothing where it answers nothing.
    async fn answer(self, world: &World, uri: &Uri, done: Option<Response>) -> Option<Response> {
        match self {
            Self::StatusBefore(status) | Self::StatusAfter(status) => Some(broken(status)),
            Self::SecondaryLimit(seconds) => Some(secondary(StatusCode::FORBIDDEN, seconds)),
            Self::TooMany(seconds) => Some(secondary(StatusCode::TOO_MANY_REQUESTS, seconds)),
            Self::PrimaryLimit(seconds) => Some(primary(world, seconds)),
            Self::Unauthorized => Some(shapes::refusal(StatusCode::UNAUTHORIZED, "Bad credentials")),
            Self::EmptyPage => match done {
                Some(page) => Some(emptied(world, uri, page).await),
                None => None,
            },
            Self::DropBefore | Self::Hang => None,
            Self::DropAfter | Self::TruncateAfter | Self::HangAfter | Self::Drip(_) | Self::Stale(_) => done,
        }
    }
}

/// What becomes of the answer on its way.
async fn over_the_wire(trouble: Option<Trouble>, answer: Option<Response>) -> Response {
    let answer = match (trouble, answer) {
        (Some(Trouble::Hang | Trouble::HangAfter), _) => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            None
        }
        (Some(Trouble::DropBefore | Trouble::DropAfter), _) => None,
        (Some(Trouble::TruncateAfter), Some(answer)) => Some(truncated(answer).await),
        (Some(Trouble::Drip(pause)), Some(answer)) => Some(dripping(answer, pause).await),
        (_, answer) => answer,
    };
    // Unwinding the connection's own task closes the connection without an answer, which is what a drop is;
    // it passes the panic hook by, so nothing is printed.
    answer.unwrap_or_else(|| std::panic::resume_unwind(Box::new("the connection is dropped")))
}

fn broken(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, axum::Json(json!({"message": "Server Error"}))).into_response()
}

/// The first half of an answer whose length was promised in full; then the connection breaks.
async fn truncated(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let half = bytes.slice(..bytes.len() / 2);
    let parts_of_it = futures_util::stream::unfold(Some(half), |half| async move {
        if let Some(half) = half {
            return Some((Ok(half), None));
        }
        // What was written is sent only once nothing follows for a moment.
        tokio::time::sleep(FLUSH).await;
        Some((Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted)), None))
    });
    Response::from_parts(parts, Body::from_stream(parts_of_it))
}

/// The whole answer, of the same length, but slowly.
async fn dripping(answer: Response, pause: Duration) -> Response {
    let (mut parts, body) = answer.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let drops = futures_util::stream::unfold(bytes, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let drop = left.split_to(1);
        Some((Ok::<Bytes, std::convert::Infallible>(drop), left))
    });
    Response::from_parts(parts, Body::from_stream(drops))
}

/// A page without entries that leads on to the very page it stands for. What is no list stays as it is.
async fn emptied(world: &World, uri: &Uri, page: Response) -> Response {
    let (mut parts, body) = page.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    if !bytes.starts_with(b"[") {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    let link = format!("<{}>; rel=\"next\"", rest::this_page(world, uri));
    if let Ok(link) = HeaderValue::try_from(link) {
        parts.headers.insert(header::LINK, link);
    }
    Response::from_parts(parts, Body::from("[]"))
}

fn secondary(status: StatusCode, seconds: u64) -> Response {
    let words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    let mut response = shapes::refusal(status, words);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn primary(world: &World, seconds: u64) -> Response {
    let mut response = shapes::refusal(StatusCode::FORBIDDEN, "API rate limit exceeded for user ID 1.");
    let reset = u64::try_from(world.now().as_second()).unwrap_or_default() + seconds;
    response.headers_mut().insert("x-ratelimit-remaining", HeaderValue::from(0_u64));
    response.headers_mut().insert("x-ratelimit-reset", HeaderValue::from(reset));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_the_end_of_a_path_by_whole_segments() {
        let is_at = |route: &str, path: &str| Fault::once("GET", route, Trouble::Hang).matches("GET", path);
        assert!(is_at("/issues/{number}", "/repos/acme/aws/issues/7"));
        assert!(is_at("/issues", "/repos/acme/aws/issues"));
        assert!(is_at("", "/user"));
        assert!(!is_at("/issues", "/repos/acme/aws/issues/7"));
        assert!(!is_at("/issues/{number}", "/repos/acme/aws/issues/7/comments"));
        assert!(!is_at("/repos/{owner}/{name}", "/user"));
    }

    #[test]
    fn chance_befalls_about_as_many_calls_as_asked_and_the_same_with_the_same_seed() {
        let befallen = |seed| {
            let mut faults = Faults::default();
            faults.add(Fault::once("", "", Trouble::Hang).by_chance(0.3, seed));
            (0..1000).filter(|_| faults.befalls("GET", "/user").is_some()).collect::<Vec<_>>()
        };
        assert!((250..350).contains(&befallen(1).len()), "{}", befallen(1).len());
        assert_eq!(befallen(1), befallen(1));
        assert_ne!(befallen(1), befallen(2));
    }
}
