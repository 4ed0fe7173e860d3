//! `landfast validate`: everything there is to say of the files, without asking anybody else.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::FilesArgs;
use super::setup::{self, Failure};
use crate::load::{Checked, Held, Loader, Severity, Tree};
use crate::report::{self, Checkup};

/// `landfast validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// How to print what is found
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub format: CheckFormat,
    /// End with 1 on warnings too
    #[arg(long)]
    pub deny_warnings: bool,
    /// A commit or branch of the work tree: also say which accounts would leave a lock since then
    #[arg(long, value_name = "COMMIT")]
    pub against: Option<String>,
    /// No colours, whatever the terminal can do
    #[arg(long, env = "NO_COLOR", hide = true)]
    pub no_color: Option<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub files: FilesArgs,
}

/// How diagnostics are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people, with the lines
    Text,
    /// For programs; the version is in it
    Json,
    /// For code scanning (SARIF 2.1.0)
    Sarif,
    /// For annotations of a pull request, printed in a GitHub workflow
    Github,
}

/// Runs the command; what was found goes to standard output.
pub(super) async fn run(args: ValidateArgs) -> Result<ExitCode, Failure> {
    let tree = setup::tree(&args.files).await?;
    let mut loader = Loader::default();
    let before = match &args.against {
        Some(commit) => held_at(&args.files, commit, &mut loader).await?,
        None => None,
    };
    let Checked { desired, mut diagnostics, held } = loader.check(&tree, Some(setup::today()));
    if let Some(before) = before.filter(|_| desired.is_some()) {
        diagnostics = diagnostics.and(held.departures_in(&before, &tree));
    }
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

/// Who was under which lock at a commit, which is what `run` compares with. A commit that does not load has nothing to
/// compare with.
#[expect(clippy::print_stderr, reason = "a note is talk, and talk goes to standard error")]
async fn held_at(files: &FilesArgs, commit: &str, loader: &mut Loader) -> Result<Option<Held>, Failure> {
    let tree = setup::tree_at(files, commit).await?;
    let Checked { desired, held, .. } = loader.check(&tree, None);
    if desired.is_none() {
        eprintln!("note: `{commit}` does not load, so that nobody can tell who was under a lock there");
    }
    Ok(desired.map(|_| held))
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
