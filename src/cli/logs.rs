//! Where logs go: to standard error, as much as `RUST_LOG` asks for.

use tracing_subscriber::EnvFilter;

/// Sends logs to standard error; `RUST_LOG` chooses what.
pub(super) fn to_standard_error(as_json: bool) {
    install(filter("warn,landfast=info"), as_json);
}

/// The same, where a story is told and logs would only disturb it.
pub(super) fn off() {
    install(filter("off"), false);
}

fn filter(usual: &str) -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::builder().parse_lossy(usual))
}

fn install(filter: EnvFilter, as_json: bool) {
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_terminal).with_writer(std::io::stderr);
    let installed = if as_json { builder.json().try_init() } else { builder.try_init() };
    // A second start in one process keeps the first one's logs.
    drop(installed);
}
