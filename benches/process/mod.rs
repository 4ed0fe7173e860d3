//! What a process has cost.

use rustix::time::{ClockId, clock_gettime};

/// CPU time in seconds, user and system, of all threads that this process has and had.
pub(crate) fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    std::time::Duration::try_from(time).unwrap_or_default().as_secs_f64()
}

/// The most memory in KiB that was ever resident of a process, by its number or as `self`; nothing once it has ended.
pub(crate) fn peak(process: &str) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find(|line| line.starts_with("VmHWM:"))?.split_whitespace().nth(1)?.parse().ok()
}
