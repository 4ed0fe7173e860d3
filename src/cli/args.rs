//! What the commands may be told: one structure for each, and how its values are read.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::new;
use crate::git::Secret;
use crate::model::{CommitId, Mode, Slug};

/// Files of the desired state, read without asking anybody else.
#[derive(Debug, Clone, Args)]
pub struct FilesArgs {
    /// Directory, read as it lies even if it is a git work tree, or git remote (https, ssh or file://)
    #[arg(long, value_name = "DIR|URL", env = "LANDFAST_REPO", hide_env_values = true, default_value = ".")]
    pub repo: String,
    /// Branch of a remote
    #[arg(
        long,
        default_value = "main",
        env = "LANDFAST_BRANCH",
        hide_env_values = true,
        value_name = "NAME"
    )]
    pub branch: String,
    /// Token for git over https
    #[arg(long, env = "GITHUB_TOKEN", hide_env_values = true, hide = true)]
    pub token: Option<String>,
}

/// `landfast explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The account, such as accounts/payments-prod
    #[arg(value_name = "ACCOUNT", value_parser = parse_folder)]
    pub account: Slug,
    /// Only this path and what is below it, such as settings.passwordPolicy
    pub path: Option<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub files: FilesArgs,
}

/// `landfast render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// The account, such as accounts/payments-prod
    #[arg(value_name = "ACCOUNT", value_parser = parse_folder)]
    pub account: Slug,
    /// Print NoEcho parameters and the values they are made from, too
    #[arg(long)]
    pub with_secrets: bool,
    /// Write it with the organization and its templates into this folder: a repository that holds nothing else
    #[arg(long, value_name = "DIR")]
    pub into: Option<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub files: FilesArgs,
}

/// `landfast new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// What to write
    #[command(subcommand)]
    pub what: New,
}

/// What can be written.
#[derive(Debug, Subcommand)]
pub enum New {
    /// Write the folder of a new account
    ///
    /// Writes accounts/<SLUG>/account.yaml and nothing else. Asks nothing, overwrites nothing, and writes nothing that
    /// would not load.
    Account(NewAccountArgs),
}

/// `landfast new account`.
#[derive(Debug, Args)]
pub struct NewAccountArgs {
    /// The name of the folder: small letters, digits and hyphens
    #[arg(value_parser = parse_folder)]
    pub slug: Slug,
    /// The OU it belongs in, such as /workloads/prod
    #[arg(long, value_name = "PATH")]
    pub ou: String,
    /// The name people see in the console; made from the folder's name unless given
    #[arg(long)]
    pub name: Option<String>,
    /// Its e-mail; needed where accountDefaults has none
    #[arg(long)]
    pub email: Option<String>,
    /// Its id, if the account exists already
    #[arg(long, value_name = "12 DIGITS")]
    pub id: Option<String>,
    /// A tag; may be given again
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = new::parse_tag)]
    pub tags: Vec<(String, String)>,
    /// Directory that holds the desired state
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repo: PathBuf,
}

/// Where the desired state comes from and how far to go.
#[derive(Debug, Clone, Args)]
pub struct Source {
    /// Git remote (https, ssh or a path), or a plain directory, that holds the desired state
    #[arg(long, value_name = "URL|DIR", env = "LANDFAST_REPO", hide_env_values = true)]
    pub repo: String,
    /// Branch to follow
    #[arg(
        long,
        default_value = "main",
        env = "LANDFAST_BRANCH",
        hide_env_values = true,
        value_name = "NAME"
    )]
    pub branch: String,
    /// Where the branch `landfast/observed` is kept, if not in the same repository
    #[arg(long, value_name = "URL|DIR", env = "LANDFAST_OBSERVED_REPO", hide_env_values = true)]
    pub observed_repo: Option<String>,
    /// OpenSSH ed25519 private key that signs what is recorded; without one, no record is believed
    #[arg(long, value_name = "FILE", env = "LANDFAST_SIGNING_KEY", hide_env_values = true)]
    pub signing_key: Option<PathBuf>,
    /// Token for GitHub and for git over https
    #[arg(long, env = "GITHUB_TOKEN", hide_env_values = true, hide = true)]
    pub token: Option<Secret>,
    /// File with the token for GitHub and for git over https, in place of GITHUB_TOKEN
    #[arg(long, value_name = "FILE", env = "GITHUB_TOKEN_FILE", hide_env_values = true)]
    pub token_file: Option<PathBuf>,
    /// Only this account, by the name of its folder
    #[arg(long, value_name = "SLUG", value_parser = parse_slug)]
    pub account: Option<Slug>,
    /// How far to go at the most, whatever the repository says
    #[arg(long, value_enum, default_value_t = Ceiling::Enforce, env = "LANDFAST_MODE", hide_env_values = true)]
    pub mode: Ceiling,
    /// How many accounts to work on at once
    #[arg(long, default_value_t = 32, value_name = "N")]
    pub concurrency: usize,
    /// Let the management account be written too, from inside and outside
    #[arg(long)]
    pub allow_management: bool,
    /// The operator's own limits (landfast.toml): new accounts a day, protected stacks and so on
    #[arg(long, value_name = "FILE", env = "LANDFAST_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Let this commit (its full id) pass the guards and the history check; may be given more than once
    #[arg(long, value_name = "COMMIT", value_parser = parse_commit)]
    pub approve: Vec<CommitId>,
}

/// The daemon's own ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Ceiling {
    /// Look and record; write nothing to AWS, open no issue about drift
    Observe,
    /// Apply merged commits; report drift
    Report,
    /// Go as far as the repository says, up to putting drift back
    Enforce,
}

impl From<Ceiling> for Mode {
    fn from(ceiling: Ceiling) -> Self {
        match ceiling {
            Ceiling::Observe => Self::Observe,
            Ceiling::Report => Self::Report,
            Ceiling::Enforce => Self::Enforce,
        }
    }
}

/// Where issues and pull requests go.
#[derive(Debug, Clone, Args)]
pub struct Forge {
    /// Repository for issues and pull requests, with the token in GITHUB_TOKEN; without it they are printed
    #[arg(
        long,
        value_name = "OWNER/NAME",
        env = "LANDFAST_GITHUB",
        hide_env_values = true,
        help_heading = "GitHub"
    )]
    pub github: Option<String>,
    /// GitHub's API
    #[arg(
        long,
        value_name = "URL",
        default_value = "https://api.github.com",
        env = "GITHUB_API_URL",
        hide_env_values = true,
        help_heading = "GitHub"
    )]
    pub github_api_url: String,
}

/// `landfast plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub source: Source,
    /// How to print the plan
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Ask CloudFormation to look for resource drift first, instead of taking its last answer
    #[arg(long)]
    pub detect_drift: bool,
}

/// `landfast apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub source: Source,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub forge: Forge,
    /// Give up waiting for AWS after this long
    #[arg(long, value_parser = parse_duration, default_value = "60m", value_name = "DURATION")]
    pub timeout: Duration,
}

/// `landfast run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub source: Source,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the command's help")]
    pub forge: Forge,
    /// How often the remote is asked for new commits
    #[arg(long, value_parser = parse_duration, default_value = "60s", value_name = "DURATION")]
    pub poll: Duration,
    /// How often every account is looked at although nothing asked for it
    #[arg(long, value_parser = parse_duration, default_value = "10m", value_name = "DURATION")]
    pub resync: Duration,
    /// How often CloudFormation is asked to look for resource drift
    #[arg(long, value_parser = parse_duration, default_value = "1h", value_name = "DURATION")]
    pub detect_drift_every: Duration,
    /// Address of /healthz, /readyz and /metrics
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: std::net::SocketAddr,
    /// How logs are written
    #[arg(long, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// How many times faster than AWS time passes at `AWS_ENDPOINT_URL`, where that is a simulation
    #[arg(long, default_value_t = 1.0, value_name = "TIMES", hide = true)]
    pub simulated_speed: f64,
}

/// `landfast sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// End after the story: status 0 when it came out as it should, 1 and a reason otherwise
    #[arg(long)]
    pub once: bool,
    /// Keep what the sandbox makes in this folder instead of a temporary one
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Folder to make the git remote from
    #[arg(long, value_name = "DIR", default_value = "example-repo")]
    pub example: PathBuf,
}

/// How a plan is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs; the version is in it
    Json,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Reads `payments-prod` or `accounts/payments-prod`.
fn parse_folder(text: &str) -> Result<Slug, String> {
    parse_slug(text.strip_prefix("accounts/").unwrap_or(text).trim_end_matches('/'))
}

fn parse_slug(text: &str) -> Result<Slug, String> {
    Slug::parse(text).map_err(|invalid| invalid.to_string())
}

fn parse_commit(text: &str) -> Result<CommitId, String> {
    CommitId::parse(text).map_err(|invalid| invalid.to_string())
}

/// Reads `90s`, `10m`, `1h30m`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let parsed: jiff::SignedDuration =
        text.parse().map_err(|_| format!("`{text}` is not a duration such as 90s, 10m or 1h"))?;
    let duration = Duration::try_from(parsed).map_err(|_| format!("`{text}` is negative"))?;
    if duration.is_zero() { Err("must be longer than nothing".to_owned()) } else { Ok(duration) }
}
