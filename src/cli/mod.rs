//! The command line: what may be said, and one file for each command.

mod apply;
mod args;
mod beginning;
mod config;
mod explain;
mod import;
mod init;
mod logs;
mod new;
mod plan;
pub mod progress;
mod render;
mod run;
mod sandbox;
mod schema;
pub mod setup;
mod validate;
mod writing;

pub use args::{
    ApplyArgs, Ceiling, ExplainArgs, FilesArgs, Forge, Format, LogFormat, New, NewAccountArgs, NewArgs,
    PlanArgs, RenderArgs, RunArgs, SandboxArgs, Source,
};
pub use beginning::{ImportArgs, InitArgs, Roles};
pub use config::Config;
pub use schema::SchemaArgs;
pub use validate::{CheckFormat, ValidateArgs};

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Fastens AWS accounts to a git repository.
///
/// A repository holds one folder for each AWS account. Landfast creates the accounts, configures them, keeps them as
/// the repository says, and opens a GitHub issue, with the diff and who did it, when anything changes out of band.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100, after_help = FIRST_STEPS)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const FIRST_STEPS: &str = "\
First steps:
  landfast sandbox                              see it work, with nothing but this machine
  landfast import --region eu-west-1            write down what you have; it cannot write to AWS
  landfast plan --repo https://git…/accounts    see what it would do to yours; it cannot write
  landfast run --repo … --mode observe          the safe first day: look and record, write nothing

AWS credentials come from the default chain; AWS_ENDPOINT_URL, GITHUB_TOKEN and RUST_LOG are read too.";

const PLAN_STATUS: &str = "\
Exit status: 0 nothing to do, 2 something to do or drifted, 1 an error or something unreadable.";

const APPLY_STATUS: &str = "\
Exit status: 0 all in line, 2 something is left for a person, 1 an error or something unreadable.";

const VALIDATE_STATUS: &str = "\
Exit status: 0 the repository loads, 1 it does not, or there are warnings and --deny-warnings.";

const IMPORT_STATUS: &str = "\
Exit status: 0 all that can be written is, 2 something could not be read or has to be added by hand, 1 an error.";

const RUN_STATUS: &str = "\
Durations are written 90s, 10m or 1h30m. The mode is a ceiling: the repository can ask for less, never for more.
SIGTERM and Ctrl-C end it within 10 seconds; killed at any moment, it goes on from git and AWS alone.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try everything on this machine, without credentials
    ///
    /// Starts a simulated AWS organization and a simulated GitHub in this process, makes a git remote from
    /// example-repo, and runs the real daemon against them. Tells a story first, then stays up to be played with.
    #[command(
        after_help = "Exit status with --once: 0 the story came out as it should, 1 it did not, and why."
    )]
    Sandbox(SandboxArgs),
    /// Keep the organization as the repository says, for good
    ///
    /// Follows the branch, applies what is merged, looks at every account again and again, and keeps one issue open
    /// for each thing a person should know.
    #[command(after_help = RUN_STATUS)]
    Run(RunArgs),
    /// Show what would change and what has drifted, and change nothing
    ///
    /// Looks at everything once and prints what differs, who changed it and what would be done. It is built without
    /// the means to write. What cannot be checked by its nature is listed and does not change the exit status.
    #[command(after_help = PLAN_STATUS)]
    Plan(PlanArgs),
    /// Bring everything in line once, then end
    ///
    /// One pass of all accounts, and again while something moves. Progress goes to standard error, the last state of
    /// things to standard output.
    #[command(after_help = APPLY_STATUS)]
    Apply(ApplyArgs),
    /// Check the files of the desired state, and ask nobody else
    ///
    /// Says everything that is wrong with them at once, with the lines, and what a person should know besides. A
    /// directory is read as it lies, committed or not, so that editors and hooks can use it.
    #[command(after_help = VALIDATE_STATUS)]
    Validate(ValidateArgs),
    /// Say why an account is as it is
    ///
    /// Prints what each path comes to, and every layer that spoke of it with file and line; the one that decides is
    /// marked. Secrets are hidden. Looks at files only, and at those of a work tree as they lie.
    Explain(ExplainArgs),
    /// Print a whole account as one file
    ///
    /// Every layer laid over the others and every expression worked out, as YAML that loads again. Looks at files
    /// only, and at those of a work tree as they lie.
    Render(RenderArgs),
    /// Write a new folder
    New(NewArgs),
    /// Print the JSON Schema of a file, for editors
    ///
    /// With it an editor completes keys, explains them and marks what is wrong while a file is written. The comment
    /// `# yaml-language-server: $schema=…` in the first line of a file names its schema.
    Schema(SchemaArgs),
    /// Write a minimal repository
    ///
    /// Two files: the organization, and the account that manages it. What the options leave open is asked of AWS.
    Init(InitArgs),
    /// Write down an organization that is there
    ///
    /// Reads OUs, accounts, settings and the stacks that nobody else owns, and writes their folders. It is built without
    /// the means to write to AWS. What it writes asks for no change: commit it, and the plan is empty. Files that are
    /// there are only added to, so that it can be run again.
    #[command(after_help = IMPORT_STATUS)]
    Import(ImportArgs),
}

/// Reads the command line, or says what is wrong with it.
///
/// Errors with the exit status: 0 after help and version, 1 after bad usage (2 would mean that a plan found something).
pub fn parse() -> Result<Cli, ExitCode> {
    Cli::try_parse().map_err(|said| {
        let status = u8::from(said.use_stderr());
        // Nobody is left to be told that the message could not be written.
        drop(said.print());
        ExitCode::from(status)
    })
}

/// Carries out a command; what went wrong is said once, with all its causes.
pub async fn dispatch(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Sandbox(args) => sandbox::run(args).await,
        Command::Run(args) => run::run(args).await,
        Command::Plan(args) => plan::run(args).await,
        Command::Apply(args) => apply::run(args).await,
        Command::Validate(args) => validate::run(args).await,
        Command::Explain(args) => explain::run(args).await,
        Command::Render(args) => render::run(args).await,
        Command::New(args) => new::run(args),
        Command::Schema(args) => schema::run(&args),
        Command::Init(args) => init::run(args).await,
        Command::Import(args) => import::run(args).await,
    };
    done.unwrap_or_else(|failure| {
        complain(&failure);
        ExitCode::FAILURE
    })
}

#[expect(clippy::print_stderr, reason = "this is where errors reach the operator")]
fn complain(failure: &setup::Failure) {
    use std::error::Error as _;
    if let setup::Failure::Unloadable(diagnostics)
    | setup::Failure::Unreadable(diagnostics)
    | setup::Failure::Refused { diagnostics, .. } = failure
    {
        eprintln!("{}\n", diagnostics.trim_end());
    }
    eprintln!("error: {failure}");
    let mut cause = failure.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}

/// Writes data to standard output. A reader that went away, as `head` does, is no error.
fn out(page: &str) {
    let _ = std::io::stdout().lock().write_all(page.as_bytes());
}
