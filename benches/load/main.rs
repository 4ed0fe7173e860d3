//! What it costs to load a large repository: cold, and after a commit that touches one folder of it.
//!
//! The repository is made in this process; Landfast loads it in a child, so that peak memory is the product's alone.
//! What is measured is what the daemon does after a fetch: the files are read from git and loaded.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table for people is what this is for")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on should end there")]

mod measure;
#[path = "../process/mod.rs"]
mod process;
mod repository;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Parser;

use measure::Measured;

/// The figures of the design, for 10,000 folders and 50 baselines.
const COLD_SECONDS: f64 = 2.0;
const CHANGE_SECONDS: f64 = 0.1;
const PEAK_MB: f64 = 500.0;

/// Loads a large repository.
#[derive(Debug, Parser)]
struct Args {
    /// How many account folders.
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    /// How many baselines.
    #[arg(long, default_value_t = 50)]
    baselines: usize,
    /// How many commits that touch one folder each; the slowest counts.
    #[arg(long, default_value_t = 9)]
    commits: usize,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    /// Be Landfast, and load what is in this folder.
    #[arg(long, hide = true)]
    product: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(folder) = &args.product {
        println!("{}", serde_json::to_string(&measure::measure(folder, args.commits)).unwrap());
        return ExitCode::SUCCESS;
    }
    let folder = tempfile::tempdir().unwrap();
    repository::make(folder.path(), args.accounts, args.baselines);
    println!("{} account folders, {} baselines", args.accounts, args.baselines);
    let measured = in_a_child(&args, folder.path());
    print(&measured);
    if is_met(&measured) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn in_a_child(args: &Args, folder: &std::path::Path) -> Measured {
    let commits = args.commits.to_string();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--commits", commits.as_str(), "--product"])
        .arg(folder)
        .stderr(std::process::Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "the child ended with {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

fn print(measured: &Measured) {
    let Measured { stacks, fetch, cold, changes, follow, elsewhere, peak_mb } = measured;
    println!("{stacks} stacks in all\n");
    println!("  fetch, cold                              {fetch:>8.3} s");
    println!("  read from git, cold                      {:>8.3} s", cold.read);
    println!("  load, cold                               {:>8.3} s", cold.load);
    println!("  CPU of both                              {:>8.3} s", cold.cpu);
    for (nth, change) in changes.iter().enumerate() {
        println!(
            "  commit {:<2}   read {:.4} s, load {:.4} s, together {:.4} s, CPU {:.4} s",
            nth + 1,
            change.read,
            change.load,
            change.total(),
            change.cpu
        );
    }
    println!("  the same by `Follow`, with fetch, guards {follow:>8.3} s");
    println!("  a commit to a baseline that reaches all  {elsewhere:>8.3} s\n");
    for (what, value, limit, unit) in figures(measured) {
        let verdict = if value <= limit { "met" } else { "MISSED" };
        println!("  {what:<42}{value:>9.3} {unit:<3} ≤ {limit:<6} {verdict}");
    }
    println!("  (peak of resident memory: {peak_mb:.0} MB)");
}

fn figures(measured: &Measured) -> [(&'static str, f64, f64, &'static str); 3] {
    let slowest = measured.changes.iter().map(measure::Cost::total).fold(0.0, f64::max);
    [
        ("cold: read and loaded", measured.cold.total(), COLD_SECONDS, "s"),
        ("one folder touched, the slowest commit", slowest, CHANGE_SECONDS, "s"),
        ("peak of memory", measured.peak_mb, PEAK_MB, "MB"),
    ]
}

fn is_met(measured: &Measured) -> bool {
    figures(measured).iter().all(|(_, value, limit, _)| value <= limit)
}
