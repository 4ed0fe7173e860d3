//! Who watches every call of the program, counts it, and kills the program at one moment of one of them.

use std::collections::BTreeMap;
use std::fmt;
use std::process::Child;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard};

use landfast::sandbox::watch::{Asked, Moment, Watcher};

/// The moments, in the order in which they pass, with their names on the command line.
pub(super) const MOMENTS: [(Moment, &str); 4] = [
    (Moment::Before, "before"),
    (Moment::Inside, "inside"),
    (Moment::Half, "half"),
    (Moment::After, "after"),
];

/// What a call is about, whatever the order in which things happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    /// `aws`, `github` or `git`.
    pub(super) side: String,
    /// What is asked for.
    pub(super) operation: String,
    /// The account it acts in, by the part of its e-mail that names it.
    pub(super) account: String,
}

/// One moment of the nth call about the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    pub(super) call: Call,
    pub(super) nth: u32,
    pub(super) moment: Moment,
}

/// The watcher of one run.
#[derive(Debug, Default)]
pub(super) struct Reaper {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    seen: BTreeMap<Call, u32>,
    target: Option<Point>,
    program: Option<Child>,
    has_killed: bool,
}

/// The watcher at one side.
#[derive(Debug)]
pub(super) struct Eye {
    side: &'static str,
    reaper: Arc<Reaper>,
}

impl Reaper {
    pub(super) fn new(target: Option<Point>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { target, ..State::default() }) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn eye(self: &Arc<Self>, side: &'static str) -> Arc<dyn Watcher> {
        Arc::new(Eye { side, reaper: Arc::clone(self) })
    }

    /// Starts a program that is the only one.
    pub(super) fn start(&self, start: impl FnOnce() -> Child) {
        let mut state = self.lock();
        assert!(state.program.is_none(), "one program at a time");
        state.program = Some(start());
    }

    /// Kills the program, as `kill -9` does.
    pub(super) fn kill(&self) {
        if let Some(mut program) = self.lock().program.take() {
            program.kill().unwrap();
            program.wait().unwrap();
        }
    }

    /// True once the program was killed at the point.
    pub(super) fn has_killed(&self) -> bool {
        self.lock().has_killed
    }

    /// How the program ended, if it did so by itself.
    pub(super) fn ended(&self) -> Option<String> {
        let mut state = self.lock();
        let status = state.program.as_mut()?.try_wait().unwrap()?;
        Some(status.to_string())
    }

    /// Nobody is killed from now on.
    pub(super) fn spare(&self) {
        self.lock().target = None;
    }

    /// How many calls there were about what.
    pub(super) fn seen(&self) -> BTreeMap<Call, u32> {
        self.lock().seen.clone()
    }
}

impl Watcher for Eye {
    fn asked(&self, asked: &Asked) -> Option<Moment> {
        let mut state = self.reaper.lock();
        let account = asked.email.trim_start_matches("aws+").split('@').next().unwrap_or_default();
        let account = if account.is_empty() { "-" } else { account }.to_owned();
        let call = Call { side: self.side.to_owned(), operation: asked.operation.clone(), account };
        let nth = state.seen.entry(call.clone()).or_default();
        *nth += 1;
        let nth = *nth;
        let target = state.target.take_if(|target| target.call == call && target.nth == nth);
        target.map(|target| target.moment)
    }

    fn act(&self) {
        self.reaper.kill();
        self.reaper.lock().has_killed = true;
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call: Call { side, operation, account }, nth, moment } = self;
        let moment = MOMENTS.iter().find(|(of, _)| of == moment).map_or("", |(_, name)| name);
        write!(f, "{side}:{operation}:{account}:{nth}:{moment}")
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not side:operation:account:nth:moment");
        let parts: Vec<_> = text.split(':').collect();
        let [side, operation, account, nth, moment] = parts[..] else { return Err(wrong()) };
        let moment = MOMENTS.iter().find(|(_, name)| *name == moment).ok_or_else(wrong)?.0;
        let call =
            Call { side: side.to_owned(), operation: operation.to_owned(), account: account.to_owned() };
        Ok(Self { call, nth: nth.parse().map_err(|_| wrong())?, moment })
    }
}
