//! The time, as something that can be handed in: passes get it from here and nowhere else.

use jiff::Timestamp;

/// Where the time comes from, and how fast waiting goes.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Divides every wait: 1 against AWS itself; more against a simulation whose clock runs faster.
    pub speed: f64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { speed: 1.0 }
    }
}

impl Clock {
    /// Now.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// `wait` as long as it takes at this speed.
    pub fn scaled(&self, wait: std::time::Duration) -> std::time::Duration {
        wait.div_f64(self.speed)
    }

    /// Sleeps for `wait` at this speed.
    pub async fn sleep(&self, wait: std::time::Duration) {
        tokio::time::sleep(self.scaled(wait)).await;
    }
}
