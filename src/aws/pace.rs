//! How fast time passes on the other side: the simulated AWS can run faster than the real one.

use std::time::Duration;

/// Scales every wait and every client-side limit. 1 is AWS itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    speed: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { speed: 1.0 }
    }
}

impl Pace {
    /// A side where time passes `speed` times as fast; what is not a positive number counts as 1.
    pub fn times(speed: f64) -> Self {
        Self { speed: if speed.is_finite() && speed > 0.0 { speed } else { 1.0 } }
    }

    /// How many times as fast as AWS.
    pub fn speed(self) -> f64 {
        self.speed
    }

    /// How long to wait here for what takes `real` on AWS.
    pub fn scale(self, real: Duration) -> Duration {
        real.div_f64(self.speed)
    }
}
