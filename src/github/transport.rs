//! One request, one answer: over octocrab's raw calls, which neither retry nor demand fields we do not need.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{Method, Response};
use octocrab::Octocrab;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};
use url::Url;

use super::error::Cause;
use super::{Config, Error, Repository};
use crate::git::is_loopback;

/// A server that does not even take the connection in this time is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// GitHub itself gives up after ten seconds.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// What GitHub asks for when it names no time for a secondary limit.
const SECONDARY_LIMIT_WAIT: Duration = Duration::from_mins(1);
/// GitHub's limits are counted by the hour: a longer wait is a mistake of somebody's clock.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// No repository has this many pages; a `Link` that leads in circles ends here.
const MAX_PAGES: usize = 1000;
const PER_PAGE: usize = 100;

pub(super) struct Transport {
    client: Octocrab,
    timeout: Duration,
    pub(super) repository: Repository,
    /// Until when GitHub asked us to send nothing.
    quiet_until: Mutex<Option<Instant>>,
}

struct Answer {
    status: u16,
    /// The query of the next page.
    next: Option<String>,
    limits: Limits,
    body: String,
}

/// What the headers say about limits.
#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    retry_after: Option<u64>,
    remaining: Option<u64>,
    /// Seconds since 1970 by GitHub's clock.
    reset: Option<u64>,
    /// Seconds since 1970 by GitHub's clock, when it answered.
    now: Option<u64>,
}

impl Transport {
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let timeout = config.timeout.unwrap_or(REQUEST_TIMEOUT);
        let builder = Octocrab::builder()
            .set_connect_timeout(Some(CONNECT_TIMEOUT.min(timeout)))
            .set_read_timeout(Some(timeout))
            .set_write_timeout(Some(timeout))
            .personal_token(config.token.secret().to_owned());
        let url = config.api_url.as_deref().unwrap_or("https://api.github.com");
        let address = |_| Error::Address { url: url.to_owned() };
        let parsed = checked(url)?;
        let base = parsed.as_str().trim_end_matches('/');
        let client = builder.base_uri(base).map_err(address)?.build().map_err(address)?;
        let repository = config.repository.clone();
        Ok(Self { client, timeout, repository, quiet_until: Mutex::default() })
    }

    /// `/repos/owner/name/<rest>`.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/repos/{}/{rest}", self.repository)
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.send(Method::GET, path, None::<&()>).await
    }

    /// Every entry of a list, page after page; an error on any page is an error.
    pub(super) async fn list<T: DeserializeOwned>(&self, path: &str, query: &str) -> Result<Vec<T>, Error> {
        let mut entries = Vec::new();
        let mut query = format!("{query}&per_page={PER_PAGE}");
        let what = format!("GET {path}");
        for _ in 0..MAX_PAGES {
            let answer = self.exchange(Method::GET, &format!("{path}?{query}"), None::<&()>).await?;
            entries.extend(read::<Vec<T>>(&what, &answer.body)?);
            match answer.next {
                // The path of a next page may be spelled by the repository's number: only its query counts.
                Some(next) => query = next,
                None => return Ok(entries),
            }
        }
        let source = Cause::Unreadable(format!("the list has more than {MAX_PAGES} pages"));
        Err(Error::Doubtful { what, source })
    }

    /// Sends a request, once, and reads the answer as far as `T` asks.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + ?Sized)>,
    ) -> Result<T, Error> {
        let what = format!("{method} {path}");
        read(&what, &self.exchange(method, path, body).await?.body)
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + ?Sized)>,
    ) -> Result<Answer, Error> {
        let what = format!("{method} {path}");
        self.may_send()?;
        let exchange = async {
            let request = http::request::Builder::new().method(method).uri(path);
            let response = self.client.execute(self.client.build_request(request, body)?).await?;
            let head = Answer::head(&response);
            Ok(Answer { body: self.client.body_to_string(response).await?, ..head })
        };
        match timeout(self.timeout, exchange).await {
            Err(_) => Err(Error::Doubtful { what, source: Cause::TooLate(self.timeout) }),
            Ok(Err(broken)) => Err(Error::Doubtful { what, source: connection(&broken) }),
            Ok(Ok(answer)) => answer.checked(what).inspect_err(|error| self.heed(error)),
        }
    }

    /// GitHub bans who goes on sending: while it asks to wait, the answer is known without asking.
    fn may_send(&self) -> Result<(), Error> {
        let quiet_until = *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        let left = quiet_until.map(|until| until.saturating_duration_since(Instant::now()));
        match left.filter(|left| !left.is_zero()) {
            Some(retry_after) => Err(Error::Throttled { retry_after }),
            None => Ok(()),
        }
    }

    fn heed(&self, error: &Error) {
        let Some(wait) = error.retry_after() else { return };
        let mut quiet_until = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        *quiet_until = (*quiet_until).max(Some(Instant::now() + wait));
    }
}

/// The address of an API to which the token may be sent: over plain http to this machine only.
fn checked(url: &str) -> Result<Url, Error> {
    let parsed = Url::parse(url).ok();
    let is_safe = |url: &Url| match url.scheme() {
        "https" => true,
        "http" => is_loopback(url),
        _ => false,
    };
    parsed.filter(is_safe).ok_or_else(|| Error::Address { url: url.to_owned() })
}

fn connection(broken: &octocrab::Error) -> Cause {
    let mut words = broken.to_string();
    let mut source = std::error::Error::source(broken);
    while let Some(inner) = source {
        let inner_words = inner.to_string();
        if !words.contains(&inner_words) {
            words = format!("{words}: {inner_words}");
        }
        source = inner.source();
    }
    Cause::Connection(words)
}

fn read<T: DeserializeOwned>(what: &str, body: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|error| Error::Doubtful {
        what: what.to_owned(),
        source: Cause::Unreadable(error.to_string()),
    })
}

impl Answer {
    fn head<B>(response: &Response<B>) -> Self {
        let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let number = |name: &str| text(name).and_then(|text| text.trim().parse().ok());
        let now = text("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let limits = Limits {
            retry_after: number("retry-after"),
            remaining: number("x-ratelimit-remaining"),
            reset: number("x-ratelimit-reset"),
            now: now.and_then(|now| now.timestamp().as_second().try_into().ok()),
        };
        let next = text("link").and_then(next_query);
        Self { status: response.status().as_u16(), next, limits, body: String::new() }
    }

    fn checked(self, what: String) -> Result<Self, Error> {
        let status = self.status;
        let message = || refusal(&self.body);
        match status {
            200..=299 => Ok(self),
            403 | 422 | 429 if self.is_throttled() => {
                Err(Error::Throttled { retry_after: self.limits.wait() })
            }
            401 => Err(Error::Unauthorized { message: message() }),
            403 => Err(Error::Forbidden { what, message: message() }),
            301 | 302 | 307 | 308 | 404 | 410 | 451 => Err(Error::Missing { what, message: message() }),
            409 => Err(Error::Outdated { what, message: message() }),
            422 if is_outdated(&self.body) => Err(Error::Outdated { what, message: message() }),
            408 | 500..=599 => Err(Error::Doubtful { what, source: Cause::Status(status) }),
            _ => Err(Error::Refused { what, status, message: message() }),
        }
    }

    /// A 403 is a limit when the headers or the words say so; else it is a refusal. A 422 is one only in these words.
    fn is_throttled(&self) -> bool {
        let words = self.body.to_ascii_lowercase();
        if self.status == 422 {
            return words.contains("was submitted too quickly");
        }
        self.status == 429
            || self.limits.retry_after.is_some()
            || self.limits.remaining == Some(0)
            || words.contains("rate limit exceeded")
            || words.contains("secondary rate limit")
            || words.contains("abuse detection")
    }
}

/// What GitHub says, in its list of errors, of something that has been made or merged since we listed.
fn is_outdated(body: &str) -> bool {
    let words = ["already_exists", "A pull request already exists for ", "No commits between "];
    words.iter().any(|words| body.contains(words))
}

impl Limits {
    fn wait(self) -> Duration {
        let until_reset = match (self.remaining, self.reset, self.now) {
            (Some(0), Some(reset), Some(now)) => Some(Duration::from_secs(reset.saturating_sub(now) + 1)),
            _ => None,
        };
        let asked = self.retry_after.map(Duration::from_secs);
        asked.or(until_reset).unwrap_or(SECONDARY_LIMIT_WAIT).min(LONGEST_WAIT)
    }
}

/// The query of the `next` page in a `Link` header.
fn next_query(link: &str) -> Option<String> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let (_, address) = next.split_once('<')?;
    let (address, _) = address.split_once('>')?;
    address.split_once('?').map(|(_, query)| query.to_owned())
}

/// GitHub's words for a refusal, its list of errors included, on one line.
fn refusal(body: &str) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
        #[serde(default)]
        errors: Vec<serde_json::Value>,
    }
    let Ok(refusal) = serde_json::from_str::<Refusal>(body) else {
        return body.chars().take(200).collect();
    };
    let errors = refusal.errors.iter().take(5).map(ToString::to_string);
    std::iter::once(refusal.message).chain(errors).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_the_links() {
        let link = "<https://api.github.com/repositories/1/issues?state=all&page=1>; rel=\"prev\", \
                    <https://api.github.com/repositories/1/issues?state=all&page=3>; rel=\"next\"";
        assert_eq!(next_query(link).as_deref(), Some("state=all&page=3"));
        assert_eq!(next_query("<https://x/?page=1>; rel=\"first\""), None);
    }

    fn answer(status: u16, limits: Limits, body: &str) -> Result<(), Error> {
        Answer { status, next: None, limits, body: body.to_owned() }.checked("GET /x".to_owned()).map(|_| ())
    }

    #[test]
    fn a_limit_is_told_from_a_refusal() {
        let spent = Limits { remaining: Some(0), reset: Some(1_000), now: Some(940), retry_after: None };
        let wait = answer(403, spent, "").unwrap_err().retry_after();
        assert_eq!(wait, Some(Duration::from_secs(61)));
        let secondary =
            answer(403, Limits::default(), r#"{"message":"You have exceeded a secondary rate limit"}"#);
        assert_eq!(secondary.unwrap_err().retry_after(), Some(SECONDARY_LIMIT_WAIT));
        let refused =
            answer(403, Limits::default(), r#"{"message":"Resource not accessible by integration"}"#);
        assert!(matches!(refused, Err(Error::Forbidden { .. })));
    }

    /// Every status GitHub answers our requests with, and what it says then. The words are GitHub's own.
    #[test]
    fn every_answer_of_github_has_a_class() {
        let custom = |words: &str| {
            format!(
                r#"{{"message": "Validation Failed", "errors": [{{"code": "custom", "message": "{words}"}}]}}"#
            )
        };
        let taken = r#"{"message": "Validation Failed", "errors": [{"code": "already_exists"}]}"#;
        let pull = custom("A pull request already exists for acme:landfast.");
        let (long, hasty) =
            (custom("body is too long (maximum is 65536 characters)"), custom("was submitted too quickly"));
        let merged = custom("No commits between main and landfast/ids");
        let answers = [
            (301, "Moved Permanently"),
            (307, "Temporary Redirect"),
            (400, "Problems parsing JSON"),
            (401, "Bad credentials"),
            (401, "Requires authentication"),
            (403, "Resource not accessible by integration"),
            (403, "Resource not accessible by personal access token"),
            (403, "Resource protected by organization SAML enforcement."),
            (403, "Repository was archived so is read-only."),
            (403, "Sorry. Your account was suspended."),
            (403, "API rate limit exceeded for user ID 1."),
            (403, "You have exceeded a secondary rate limit. Please wait a few minutes."),
            (403, "You have triggered an abuse detection mechanism."),
            (404, "Not Found"),
            (405, "Method Not Allowed"),
            (408, ""),
            (409, "Git Repository is empty."),
            (410, "Issues are disabled for this repo"),
            (415, "Unsupported Media Type"),
            (418, "something new"),
            (422, taken),
            (422, &pull),
            (422, &merged),
            (422, &hasty),
            (422, &long),
            (422, "Validation Failed"),
            (429, "Too Many Requests"),
            (451, "Repository access blocked"),
            (500, ""),
            (502, "Server Error"),
            (503, "Service unavailable"),
            (504, "We couldn't respond to your request in time."),
        ];
        let line = |(status, body): (u16, &str)| {
            let class = answer(status, Limits::default(), body).unwrap_err().class();
            format!("{status} {}: {}", refusal(body), class.label())
        };
        insta::assert_snapshot!(answers.map(line).join("\n"), @r#"
        301 Moved Permanently: stalled
        307 Temporary Redirect: stalled
        400 Problems parsing JSON: bug
        401 Bad credentials: stalled
        401 Requires authentication: stalled
        403 Resource not accessible by integration: stalled
        403 Resource not accessible by personal access token: stalled
        403 Resource protected by organization SAML enforcement.: stalled
        403 Repository was archived so is read-only.: stalled
        403 Sorry. Your account was suspended.: stalled
        403 API rate limit exceeded for user ID 1.: waiting
        403 You have exceeded a secondary rate limit. Please wait a few minutes.: waiting
        403 You have triggered an abuse detection mechanism.: waiting
        404 Not Found: stalled
        405 Method Not Allowed: bug
        408 : transient
        409 Git Repository is empty.: transient
        410 Issues are disabled for this repo: stalled
        415 Unsupported Media Type: bug
        418 something new: bug
        422 Validation Failed; {"code":"already_exists"}: transient
        422 Validation Failed; {"code":"custom","message":"A pull request already exists for acme:landfast."}: transient
        422 Validation Failed; {"code":"custom","message":"No commits between main and landfast/ids"}: transient
        422 Validation Failed; {"code":"custom","message":"was submitted too quickly"}: waiting
        422 Validation Failed; {"code":"custom","message":"body is too long (maximum is 65536 characters)"}: bug
        422 Validation Failed: bug
        429 Too Many Requests: waiting
        451 Repository access blocked: stalled
        500 : transient
        502 Server Error: transient
        503 Service unavailable: transient
        504 We couldn't respond to your request in time.: transient
        "#);
    }
}
