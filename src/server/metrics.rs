//! Every metric and every label, in one place. Labels are closed sets, never AWS's own words.

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::model::{Outcome, Verdict};

/// One label: which verdict.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct VerdictLabel {
    verdict: &'static str,
}

/// One label: what became of a step, or of a pass.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ResultLabel {
    result: &'static str,
}

/// The daemon's metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    passes: Family<ResultLabel, Counter>,
    pass_seconds: Histogram,
    steps: Family<ResultLabel, Counter>,
    items: Family<VerdictLabel, Gauge>,
    blocked: Gauge,
    gated: Gauge,
    waiting_scopes: Gauge,
    running_scopes: Gauge,
    last_fetch: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            passes: Family::default(),
            pass_seconds: Histogram::new(exponential_buckets(0.05, 2.0, 14)),
            steps: Family::default(),
            items: Family::default(),
            blocked: Gauge::default(),
            gated: Gauge::default(),
            waiting_scopes: Gauge::default(),
            running_scopes: Gauge::default(),
            last_fetch: Gauge::default(),
        }
    }
}

impl Metrics {
    /// The page that Prometheus reads.
    pub fn page(&self) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("landfast");
        registry.register("passes", "Passes by how they ended", self.passes.clone());
        registry.register("pass_seconds", "How long passes took", self.pass_seconds.clone());
        registry.register("steps", "Writes by what became of them", self.steps.clone());
        registry.register("items", "Items by verdict, at the last pass of each scope", self.items.clone());
        registry.register("blocked", "Items held back, at the last pass of each scope", self.blocked.clone());
        registry.register("gated", "Of these, items that wait for a wave or a freeze", self.gated.clone());
        registry.register("scopes_waiting", "Scopes in the queue", self.waiting_scopes.clone());
        registry.register("scopes_running", "Scopes being looked at", self.running_scopes.clone());
        let last_fetch = "When the remote last answered, seconds since 1970";
        registry.register("last_fetch_timestamp_seconds", last_fetch, self.last_fetch.clone());
        let mut page = String::new();
        encode(&mut page, &registry)?;
        Ok(page)
    }

    /// Counts a pass of `seconds` that ended as `result`, a word of a closed set.
    pub fn passed(&self, result: &'static str, seconds: f64) {
        self.passes.get_or_create(&ResultLabel { result }).inc();
        self.pass_seconds.observe(seconds);
    }

    /// Counts what became of a step.
    pub fn stepped(&self, outcome: &Outcome) {
        let result = match outcome {
            Outcome::Done => "done",
            Outcome::Waiting { .. } => "waiting",
            Outcome::Stale(_) => "stale",
            Outcome::Failed { class, .. } => class.label(),
            Outcome::Skipped { .. } => "skipped",
        };
        self.steps.get_or_create(&ResultLabel { result }).inc();
    }

    /// Sets how many items have each verdict, how many are held back, and how many of these wait for a wave or a freeze.
    pub fn items(&self, count: impl Fn(Verdict) -> usize, blocked: usize, gated: usize) {
        for verdict in Verdict::ALL {
            let label = VerdictLabel { verdict: verdict.label() };
            self.items.get_or_create(&label).set(count(verdict).try_into().unwrap_or(i64::MAX));
        }
        self.blocked.set(blocked.try_into().unwrap_or(i64::MAX));
        self.gated.set(gated.try_into().unwrap_or(i64::MAX));
    }

    /// Sets the depth of the queue: scopes that wait, scopes that run.
    pub fn queue(&self, (waiting, running): (usize, usize)) {
        self.waiting_scopes.set(waiting.try_into().unwrap_or(i64::MAX));
        self.running_scopes.set(running.try_into().unwrap_or(i64::MAX));
    }

    /// Records that the remote answered at `time`, seconds since 1970.
    pub fn fetched(&self, time: i64) {
        self.last_fetch.set(time);
    }
}
