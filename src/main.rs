//! Parse, wire, dispatch, exit code.

use std::process::ExitCode;
use std::time::Duration;

use landfast::cli::{dispatch, parse};
use tokio::runtime::Runtime;

/// How long work on other threads may go on at the end: a git remote that hangs must not keep the process.
const LAST_THREADS: Duration = Duration::from_secs(1);

#[expect(clippy::print_stderr, reason = "there is no runtime to say it any other way")]
fn main() -> ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no thread could be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let status = runtime.block_on(dispatch(cli));
    runtime.shutdown_timeout(LAST_THREADS);
    status
}
