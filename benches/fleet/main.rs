//! What a fleet costs: calls, time, CPU and memory, beside the figures that the design aims for.
//!
//! The simulated AWS is in this process; Landfast runs in a child of it, so that CPU and peak memory are the
//! product's alone. Each phase says what it should cost before it says what it did.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table for people is what this is for")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on should end there")]

mod child;
mod figures;
#[path = "../../tests/it/fleet.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod fleet;
mod import;
mod phases;
#[path = "../process/mod.rs"]
mod process;
mod table;

use clap::Parser;

/// Measures Landfast before a simulated fleet.
#[derive(Debug, Parser)]
struct Args {
    /// How many accounts; several sizes are measured one after the other.
    #[arg(long, value_delimiter = ',', default_value = "100,1000")]
    accounts: Vec<usize>,
    /// How long each answer of AWS is on its way, in milliseconds.
    #[arg(long, default_value_t = 50)]
    latency: u64,
    /// How many scopes at once.
    #[arg(long, default_value_t = 32)]
    concurrency: usize,
    /// Which phases; the ones they need run too, unmeasured.
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<phases::Phase>,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    /// Be Landfast, in front of the world that is described here.
    #[arg(long, hide = true)]
    product: Option<String>,
}

fn main() {
    let args = Args::parse();
    match &args.product {
        Some(outside) => child::serve(&serde_json::from_str(outside).unwrap()),
        None => phases::run(&args),
    }
}
