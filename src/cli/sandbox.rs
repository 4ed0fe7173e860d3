//! `landfast sandbox`.

use std::process::ExitCode;

use super::SandboxArgs;
use super::setup::Failure;

/// Runs the command.
pub(super) async fn run(_args: SandboxArgs) -> Result<ExitCode, Failure> {
    Err(Failure::Story("not told yet".to_owned()))
}
