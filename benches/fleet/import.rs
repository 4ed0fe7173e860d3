//! `landfast import` of a whole fleet into an empty folder, by the program as people run it.

use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use crate::child::Cost;
use crate::fleet::{Fleet, HOME, slug};
use crate::process;

/// Where there is nothing: a team looks in more than one region.
const OTHER: &str = "us-east-1";

/// Imports, and proves that every account was written down with its stacks.
pub(crate) fn import(fleet: &Fleet, accounts: usize, concurrency: usize) -> Cost {
    let folder = tempfile::tempdir().unwrap();
    let keys = fleet.aws.credentials();
    let (began, before) = (Instant::now(), waited_for());
    let mut program = Command::new(env!("CARGO_BIN_EXE_landfast"))
        .args(["import", "--region", HOME, "--region", OTHER, "--concurrency", &concurrency.to_string()])
        .arg("--into")
        .arg(folder.path())
        .env_clear()
        .env("AWS_ENDPOINT_URL", fleet.aws.endpoint())
        .env("AWS_ACCESS_KEY_ID", keys.access_key)
        .env("AWS_SECRET_ACCESS_KEY", keys.secret_key)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    let ended = loop {
        peak = process::peak(&program.id().to_string()).unwrap_or(0).max(peak);
        match program.try_wait().unwrap() {
            Some(ended) => break ended,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    // 2: the fleet's management account has no role to enter it by, and that is said.
    assert_eq!(ended.code(), Some(2), "the import ended with {ended}");
    let file = |nth| folder.path().join(format!("accounts/company-{}/account.yaml", slug(nth)));
    for nth in 1..=accounts {
        let text = std::fs::read_to_string(file(nth)).unwrap();
        assert!(text.contains("logs") && text.contains("role"), "{text}");
    }
    Cost { wall: began.elapsed().as_secs_f64(), cpu: waited_for() - before, peak, ..Cost::default() }
}

/// CPU of the processes that were waited for, in seconds.
fn waited_for() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<u32>().ok());
    f64::from(ticks.sum::<u32>()) / 100.0
}
