//! `landfast explain`: why an account is as it is.

use std::process::ExitCode;

use super::ExplainArgs;
use super::setup::{self, Failure};
use crate::load;
use crate::report;

/// Runs the command; the explanation goes to standard output.
pub(super) async fn run(args: ExplainArgs) -> Result<ExitCode, Failure> {
    let tree = setup::tree(&args.files).await?;
    let explanation = load::explain(&tree, &args.account).map_err(|faults| setup::unloadable(&faults))?;
    let explanation = explanation.ok_or_else(|| setup::no_folder(&tree, &args.account))?;
    if let Some(path) = &args.path {
        let paths = report::explained_paths(&explanation);
        if !paths.iter().any(|known| report::is_within(known, path)) {
            return Err(Failure::Option(format!(
                "nobody speaks of `{path}` in accounts/{}; there are {}",
                args.account,
                paths.join(", ")
            )));
        }
    }
    super::out(&report::explanation(&explanation, args.path.as_deref(), setup::today()));
    Ok(ExitCode::SUCCESS)
}
