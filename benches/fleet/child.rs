//! Landfast in a process of its own: does what it is told, a line each, and answers with what that cost it.

use landfast::observe::DriftLook;
use landfast::report::ScopeReport;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::fleet::{self, Outside, Product};
use crate::process::{cpu, peak};

/// What one command cost.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Wall time in seconds.
    pub(crate) wall: f64,
    /// CPU of all threads, user and system, in seconds.
    pub(crate) cpu: f64,
    /// The most memory that was ever resident, in KiB.
    pub(crate) peak: u32,
    /// Items by verdict, for a pass.
    pub(crate) verdicts: std::collections::BTreeMap<String, usize>,
}

/// What the child can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Command {
    /// Load the newest commit and the record, and prove who we are.
    Start,
    /// Fetch a newer commit.
    Fetch,
    /// Take in a newer commit.
    Pull,
    /// A pass without hands.
    Look,
    /// A pass without hands that has drift detected.
    Detect,
    /// A pass with hands.
    Pass,
    /// Be a daemon from now on; never answered.
    Run,
}

/// Does what standard input says.
pub(crate) fn serve(outside: &Outside) {
    let runtime = Runtime::new().unwrap();
    let mut product = None;
    // Not locked for good: a daemon's costs are asked for in the same way from another thread.
    while let Some(line) = next_line() {
        let command: Command = serde_json::from_str(&line).unwrap();
        if command == Command::Run {
            std::thread::spawn(answer_cpu);
            return runtime.block_on(run(outside));
        }
        let (began, before) = (Instant::now(), cpu());
        let reports = runtime.block_on(carry_out(command, outside, &mut product));
        let cost = Cost {
            wall: began.elapsed().as_secs_f64(),
            cpu: cpu() - before,
            peak: peak("self").unwrap(),
            verdicts: count(&reports),
        };
        println!("{}", serde_json::to_string(&cost).unwrap());
    }
}

fn next_line() -> Option<String> {
    let mut line = String::new();
    (std::io::stdin().read_line(&mut line).unwrap() > 0).then_some(line)
}

async fn carry_out(command: Command, outside: &Outside, product: &mut Option<Product>) -> Vec<ScopeReport> {
    if command == Command::Start {
        *product = Some(Product::start(outside).await);
        return Vec::new();
    }
    let product = product.as_mut().expect("started");
    match command {
        Command::Fetch => product.fetch(),
        Command::Pull => product.pull().await,
        Command::Look => return product.look(DriftLook::LastKnown).await,
        Command::Detect => return product.look(DriftLook::Detect).await,
        Command::Pass => return product.pass().await,
        Command::Start | Command::Run => {}
    }
    Vec::new()
}

async fn run(outside: &Outside) {
    let (daemon, _cache) = fleet::daemon(outside).await;
    daemon.run(std::future::pending()).await.unwrap();
}

/// While the daemon runs, every line is answered with what the process has cost so far.
fn answer_cpu() {
    while next_line().is_some() {
        let cost = Cost { cpu: cpu(), peak: peak("self").unwrap(), ..Cost::default() };
        println!("{}", serde_json::to_string(&cost).unwrap());
    }
}

fn count(reports: &[ScopeReport]) -> std::collections::BTreeMap<String, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for finding in reports.iter().flat_map(|report| report.plan.findings.values()) {
        *counts.entry(format!("{:?}", finding.verdict)).or_default() += 1;
    }
    counts
}
