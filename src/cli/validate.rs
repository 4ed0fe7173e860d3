//! `landfast validate`: everything there is to say of the files, without asking anybody else.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

use super::setup::{self, Failure};
use super::{CheckFormat, ValidateArgs};
use crate::load::{self, Severity, Tree};
use crate::report::{self, Checkup};

/// Runs the command; what was found goes to standard output.
pub(super) async fn run(args: ValidateArgs) -> Result<ExitCode, Failure> {
    let tree = setup::tree(&args.files).await?;
    let diagnostics = load::check(&tree, Some(setup::today())).diagnostics;
    let checkup = Checkup {
        diagnostics: &diagnostics,
        accounts: folders(&tree, "accounts/"),
        baselines: folders(&tree, "baselines/"),
        prefix: &prefix(Path::new(&args.files.repo)),
    };
    super::out(&match args.format {
        CheckFormat::Text => report::human(&checkup, in_colour(&args)),
        CheckFormat::Json => report::checked_json(&checkup),
        CheckFormat::Sarif => report::sarif(&checkup),
        CheckFormat::Github => report::github(&checkup),
    });
    let is_refused = diagnostics.has_errors() || args.deny_warnings && checkup.count(Severity::Warning) > 0;
    Ok(ExitCode::from(u8::from(is_refused)))
}

/// <https://no-color.org>: any text in `NO_COLOR` but the empty one.
fn in_colour(args: &ValidateArgs) -> bool {
    let is_unwanted = args.no_color.as_ref().is_some_and(|text| !text.is_empty());
    !is_unwanted && std::io::stdout().is_terminal()
}

fn folders(tree: &Tree, parent: &str) -> usize {
    let below = tree.files.keys().filter_map(|path| path.strip_prefix(parent)?.split_once('/'));
    below.map(|(name, _)| name).collect::<BTreeSet<_>>().len()
}

/// Where a directory lies in its work tree, as `infra/accounts/`: annotations are placed by paths from its root.
fn prefix(directory: &Path) -> String {
    let Ok(directory) = directory.canonicalize() else { return String::new() };
    let Some(root) = directory.ancestors().find(|folder| folder.join(".git").exists()) else {
        return String::new();
    };
    let names = directory.strip_prefix(root).into_iter().flat_map(Path::components);
    names.flat_map(|name| [name.as_os_str().to_string_lossy(), "/".into()]).collect()
}
