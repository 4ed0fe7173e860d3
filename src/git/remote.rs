//! The wire: one fetch and one push, each for one branch by its full name.
//!
//! Guarantees: nothing but `refs/heads/<branch>` is ever asked for or written, so a tag of the same name changes
//! nothing; a transfer that is too big or too slow is broken off; a push goes through only on top of the head that
//! was read, and is never forced.
//!
//! Assumes: over https and ssh the server itself compares the head before it moves it. A path on this machine has no
//! server: there libgit2 compares first and writes then, a few milliseconds apart.
//!
//! Assumes: a remote that accepts the connection and then says nothing at all cannot be broken off from in here
//! (libgit2 has no safe time limit for it); [`super::blocking`] stops waiting for it.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use git2::{Direction, ErrorClass, ErrorCode, Oid, RemoteCallbacks};
use tokio::time::Instant;

use super::Error;
use super::location::{Credentials, Location, sanitize};

/// A pack above this is not an account repository but an accident or an attack.
const MAX_PACK_BYTES: usize = 512 * 1024 * 1024;
/// The limit on one fetch or push. A repository of 10,000 folders takes seconds.
pub(super) const DEADLINE: Duration = Duration::from_mins(2);

/// What one conversation may cost.
#[derive(Clone, Copy)]
struct Limits {
    n_bytes: usize,
    duration: Duration,
}

/// Why we broke off ourselves.
#[derive(Clone, Copy)]
enum Stop {
    TooBig,
    TooSlow,
}

/// What became of a push.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// The branch is where we wanted it.
    Done,
    /// The branch is not where it was read, or the remote said no: read again to tell which.
    Rejected(String),
}

/// One conversation with a remote.
pub(super) struct Remote<'a> {
    location: &'a Location,
    credentials: &'a Credentials,
    limits: Limits,
    started: Instant,
    stopped: Cell<Option<Stop>>,
    asked: Cell<bool>,
}

impl<'a> Remote<'a> {
    pub(super) fn new(location: &'a Location, credentials: &'a Credentials) -> Self {
        Self {
            location,
            credentials,
            limits: Limits { n_bytes: MAX_PACK_BYTES, duration: DEADLINE },
            started: Instant::now(),
            stopped: Cell::new(None),
            asked: Cell::new(false),
        }
    }

    /// Brings `branch` and all it needs into `cache`; nothing when the remote has no such branch.
    pub(super) fn fetch(&self, cache: &git2::Repository, branch: &str) -> Result<Option<Oid>, Error> {
        let mut remote = cache.remote_anonymous(&self.location.url).map_err(|error| self.error(&error))?;
        let connection = remote.connect_auth(Direction::Fetch, Some(self.callbacks()), Some(proxy()));
        let mut connection = connection.map_err(|error| self.error(&error))?;
        let listed = find(&connection, branch).map_err(|error| self.error(&error))?;
        let Some(listed) = listed else { return Ok(None) };
        if cache.refname_to_id(&local_ref(branch)).ok() != Some(listed) {
            self.download(connection.remote(), branch).map_err(|error| self.error(&error))?;
        }
        // The branch may have moved since it was listed; what counts is what was fetched.
        let fetched = cache.refname_to_id(&local_ref(branch))?;
        cache.find_commit(fetched)?.tree()?;
        Ok(Some(fetched))
    }

    fn download(&self, remote: &mut git2::Remote<'_>, branch: &str) -> Result<(), git2::Error> {
        let refspec = format!("+refs/heads/{branch}:{}", local_ref(branch));
        let mut options = git2::FetchOptions::new();
        options.download_tags(git2::AutotagOption::None).update_fetchhead(false);
        options.remote_callbacks(self.callbacks()).proxy_options(proxy());
        remote.fetch(&[&refspec], Some(&mut options), None)
    }

    /// Moves `branch` from `expected` (absent: it must not exist) to `commit`, or leaves it alone.
    pub(super) fn push(
        &self,
        cache: &git2::Repository,
        branch: &str,
        expected: Option<Oid>,
        commit: Oid,
    ) -> Result<Pushed, Error> {
        let verdict = RefCell::new(None);
        let mut callbacks = self.callbacks();
        callbacks.push_update_reference(|_, status| {
            *verdict.borrow_mut() = status.map(|status| sanitize(status, self.credentials));
            Ok(())
        });
        callbacks.push_negotiation(|updates| {
            let moved = updates.iter().any(|update| update.src() != expected.unwrap_or(Oid::ZERO_SHA1));
            if moved { Err(moved_error()) } else { Ok(()) }
        });
        let mut options = git2::PushOptions::new();
        options.remote_callbacks(callbacks).proxy_options(proxy());
        let mut remote = cache.remote_anonymous(&self.location.url).map_err(|error| self.error(&error))?;
        // Only the branch that keeps a commit reachable may leave its history; nobody writes on it.
        let force = if branch == super::ACCEPTED_BRANCH { "+" } else { "" };
        let refspec = format!("{force}{commit}:refs/heads/{branch}");
        let sent = remote.push(&[&refspec], Some(&mut options));
        drop(options);
        match sent {
            Err(error) if is_rejection(&error) => Ok(Pushed::Rejected(error.message().to_owned())),
            Err(error) => Err(self.error(&error)),
            Ok(()) => Ok(verdict.into_inner().map_or(Pushed::Done, Pushed::Rejected)),
        }
    }

    fn callbacks(&self) -> RemoteCallbacks<'_> {
        let mut callbacks = RemoteCallbacks::new();
        callbacks.credentials(|url, username, allowed| {
            // libgit2 asks until it is told to stop; the second time the first answer was refused.
            let for_name = allowed.contains(git2::CredentialType::USERNAME);
            if !for_name && self.asked.replace(true) {
                return Err(git2::Error::new(ErrorCode::Auth, ErrorClass::Callback, "credentials refused"));
            }
            self.location.credential(self.credentials, url, username, allowed)
        });
        callbacks.transfer_progress(|progress| self.may_go_on(progress.received_bytes()));
        callbacks.sideband_progress(|_| self.may_go_on(0));
        callbacks
    }

    fn may_go_on(&self, n_bytes: usize) -> bool {
        if n_bytes > self.limits.n_bytes {
            self.stopped.set(Some(Stop::TooBig));
        } else if self.started.elapsed() > self.limits.duration {
            self.stopped.set(Some(Stop::TooSlow));
        }
        self.stopped.get().is_none()
    }

    /// What an error of libgit2 means here.
    fn error(&self, error: &git2::Error) -> Error {
        match self.stopped.get() {
            Some(Stop::TooBig) => Error::Limit { what: "the fetch".into(), limit: "512 MiB".into() },
            Some(Stop::TooSlow) => Error::Deadline { seconds: DEADLINE.as_secs() },
            None => self.classify(error),
        }
    }

    fn classify(&self, error: &git2::Error) -> Error {
        let url = self.location.url.clone();
        let reason = sanitize(error.message(), self.credentials);
        let status = http_status(&reason);
        match (error.code(), error.class()) {
            (ErrorCode::Certificate, _) => Error::Untrusted { url, reason },
            (ErrorCode::Auth | ErrorCode::Owner, _) => Error::Auth { url, reason },
            _ if matches!(status, Some(401 | 403)) || is_auth(&reason) => Error::Auth { url, reason },
            // The second is what libgit2 says of a path where nothing is.
            _ if matches!(status, Some(404 | 410)) || reason == "unsupported URL protocol" => {
                Error::NoRepository { url, reason }
            }
            (ErrorCode::NotFound, ErrorClass::Os | ErrorClass::Repository | ErrorClass::Net) => {
                Error::NoRepository { url, reason }
            }
            (_, ErrorClass::Net | ErrorClass::Http | ErrorClass::Ssl | ErrorClass::Ssh | ErrorClass::Os) => {
                Error::Network { url, reason }
            }
            (ErrorCode::Eof | ErrorCode::Timeout, _) => Error::Network { url, reason },
            _ => Error::Cache { reason },
        }
    }
}

/// Where the remote has `branch`, matched by its full name and nothing else.
fn find(connection: &git2::RemoteConnection<'_, '_, '_>, branch: &str) -> Result<Option<Oid>, git2::Error> {
    let name = format!("refs/heads/{branch}");
    Ok(connection.list()?.iter().find(|head| head.name() == name).map(git2::RemoteHead::oid))
}

/// Where the cache keeps what it last saw of a branch.
pub(super) fn local_ref(branch: &str) -> String {
    format!("refs/landfast/heads/{branch}")
}

fn proxy<'a>() -> git2::ProxyOptions<'a> {
    let mut proxy = git2::ProxyOptions::new();
    proxy.auto();
    proxy
}

fn moved_error() -> git2::Error {
    git2::Error::new(ErrorCode::NotFastForward, ErrorClass::Reference, "the branch has moved")
}

fn is_rejection(error: &git2::Error) -> bool {
    matches!(
        error.code(),
        ErrorCode::NotFastForward | ErrorCode::Modified | ErrorCode::Exists | ErrorCode::Locked
    )
}

/// The status in libgit2's "unexpected http status code: 404".
fn http_status(reason: &str) -> Option<u16> {
    reason.split_once("http status code: ")?.1.get(..3)?.parse().ok()
}

/// libgit2 has no code for these; the texts are from its http and ssh transports.
fn is_auth(reason: &str) -> bool {
    let texts = ["authentication replays", "no credentials for it", "authentication required", "authenticat"];
    texts.iter().any(|text| reason.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Talks to a remote with one commit on `main`, from an empty cache.
    fn talk<T>(limits: Limits, talk: impl FnOnce(&Remote<'_>, &git2::Repository) -> T) -> T {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("source"), folder.path().join("remote.git"));
        std::fs::create_dir(&source).unwrap();
        std::fs::write(source.join("file"), "text").unwrap();
        crate::git::bare::create_bare_from_directory(
            &source,
            &target,
            "main",
            "m",
            jiff::Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        let cache = git2::Repository::init_bare(folder.path().join("cache")).unwrap();
        let mut credentials = Credentials::default();
        let location = Location::parse(&target.display().to_string(), &mut credentials).unwrap();
        talk(&Remote { limits, ..Remote::new(&location, &credentials) }, &cache)
    }

    const LIMITS: Limits = Limits { n_bytes: MAX_PACK_BYTES, duration: DEADLINE };

    #[test]
    fn a_transfer_that_is_too_big_or_too_slow_is_broken_off() {
        let fetch = |limits| {
            talk(limits, |remote, cache| {
                let fetched = remote.fetch(cache, "main");
                assert_eq!(cache.refname_to_id(&local_ref("main")).is_ok(), fetched.is_ok());
                fetched
            })
        };
        assert!(fetch(LIMITS).unwrap().is_some());
        assert!(matches!(fetch(Limits { n_bytes: 10, ..LIMITS }), Err(Error::Limit { .. })));
        assert!(matches!(fetch(Limits { duration: Duration::ZERO, ..LIMITS }), Err(Error::Deadline { .. })));
    }

    #[test]
    fn a_push_needs_the_head_that_was_read_and_is_never_forced() {
        talk(LIMITS, |remote, cache| {
            let head = remote.fetch(cache, "main").unwrap().unwrap();
            let tree = cache.find_commit(head).unwrap().tree_id();
            let commit = |parents: &[Oid]| {
                let time = jiff::Timestamp::UNIX_EPOCH;
                crate::git::writing::write_commit(cache, tree, parents, "m", time, None).unwrap()
            };
            let (child, stranger) = (commit(&[head]), commit(&[]));
            let push = |expected, commit| remote.push(cache, "main", expected, commit).unwrap();
            assert!(matches!(push(None, child), Pushed::Rejected(_)), "it was not to exist");
            assert!(matches!(push(Some(stranger), child), Pushed::Rejected(_)), "it was to be elsewhere");
            assert!(matches!(push(Some(head), stranger), Pushed::Rejected(_)), "it would lose a commit");
            assert_eq!(remote.fetch(cache, "main").unwrap(), Some(head));
            assert_eq!(push(Some(head), child), Pushed::Done);
            assert_eq!(remote.fetch(cache, "main").unwrap(), Some(child));
        });
    }
}
