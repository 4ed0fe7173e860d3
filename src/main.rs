//! Parse, wire, dispatch, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use landfast::cli::{Cli, dispatch};

#[tokio::main]
async fn main() -> ExitCode {
    dispatch(Cli::parse()).await
}
