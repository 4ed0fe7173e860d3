//! The simulation's clock.
//!
//! *Guarantees*: every delay in the simulation is due on this clock, and a held clock moves only by `advance`.
//! A running clock tells the wall's time, so that the times in answers mean what a client's own clock means;
//! its speed shortens delays instead of bending time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How time passes in the simulation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Time stands still until a test advances it.
    Held,
    /// Time is the wall's; every delay is this many times shorter.
    Running(f64),
}

#[derive(Debug)]
pub(crate) struct Clock {
    held_at: Option<Timestamp>,
    ahead: SignedDuration,
    speed: f64,
}

impl Clock {
    pub(crate) fn new(pace: Pace) -> Self {
        let (held_at, speed) = match pace {
            Pace::Held => (Some(Timestamp::now()), 1.0),
            Pace::Running(speed) => (None, speed.max(0.001)),
        };
        Self { held_at, ahead: SignedDuration::ZERO, speed }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.held_at.unwrap_or_else(|| Timestamp::now() + self.ahead)
    }

    /// How long `delay` takes at this clock's speed.
    pub(crate) fn scaled(&self, delay: Duration) -> Duration {
        delay.div_f64(self.speed())
    }

    pub(crate) fn hold(&mut self) {
        self.held_at = Some(self.now());
    }

    pub(crate) fn run(&mut self, speed: f64) {
        let now = self.now();
        self.held_at = None;
        self.ahead = now.duration_since(Timestamp::now());
        self.speed = speed.max(0.001);
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        match &mut self.held_at {
            Some(at) => *at += by,
            None => self.ahead += SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX),
        }
    }

    /// How much faster than documented a rate limit refills.
    pub(crate) fn speed(&self) -> f64 {
        if self.held_at.is_some() { 1.0 } else { self.speed }
    }
}

/// A token bucket: how AWS limits the rate of a call.
#[derive(Debug)]
pub(crate) struct Bucket {
    tokens: f64,
    burst: f64,
    per_second: f64,
    filled_at: Timestamp,
}

impl Bucket {
    pub(crate) fn new(per_second: f64, burst: f64, now: Timestamp) -> Self {
        Self { tokens: burst, burst, per_second, filled_at: now }
    }

    /// Takes one token, if there is one.
    pub(crate) fn take(&mut self, now: Timestamp, speed: f64) -> bool {
        let passed = now.duration_since(self.filled_at).as_secs_f64().max(0.0);
        self.tokens = (self.tokens + passed * self.per_second * speed).min(self.burst);
        self.filled_at = now;
        let has_token = self.tokens >= 1.0;
        if has_token {
            self.tokens -= 1.0;
        }
        has_token
    }
}
