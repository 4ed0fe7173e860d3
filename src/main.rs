//! Parse, wire, dispatch, exit code.

use std::process::ExitCode;

use landfast::cli::{dispatch, parse};

#[tokio::main]
async fn main() -> ExitCode {
    match parse() {
        Ok(cli) => dispatch(cli).await,
        Err(status) => status,
    }
}
