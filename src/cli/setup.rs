//! From arguments to the parts that commands are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{FilesArgs, Forge, Source, config};
use crate::aws::{Cloud, Pace, Readers, Settings, Writers};
use crate::daemon::{Outlet, Proposals, Publisher};
use crate::follow::{Accepted, Follow, News, Origin};
use crate::git::{self, Credentials, ObservedBranch, Repository, Secret, Signer, blocking};
use crate::github;
use crate::load::{Diagnostics, Tree};
use crate::model::{Base, Region, Scope, Slug};
use crate::observe::DriftLook;
use crate::plan::Guards;
use crate::reconcile::{Limits, Memory, World};

/// How long the tags of accounts are believed without asking again.
const KEEP_TAGS: Duration = Duration::from_mins(5);
/// AWS refuses a sixth creation under way; a smaller number leaves room for people.
const MAX_CREATIONS: usize = 3;

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The repository: see the error for what to do.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// AWS: see the error for what to do.
    #[error(transparent)]
    Aws(#[from] crate::aws::Error),
    /// GitHub: see the error for what to do.
    #[error(transparent)]
    GitHub(#[from] github::Error),
    /// The daemon: see the error for what to do.
    #[error(transparent)]
    Daemon(#[from] crate::daemon::Error),
    /// The health pages: see the error for what to do.
    #[error(transparent)]
    Server(#[from] crate::server::Error),
    /// An option's value does not fit: correct it.
    #[error("{0}")]
    Option(String),
    /// The commit does not load: correct what the diagnostics name; they are printed before this.
    #[error("the repository does not load, so nothing was looked at and nothing was changed")]
    Unloadable(String),
    /// The files do not load: correct what the diagnostics name; they are printed before this.
    #[error("the repository does not load")]
    Unreadable(String),
    /// A new file would not load: give other options; the diagnostics are printed before this.
    #[error("{path} was not written: it would not load")]
    Refused {
        /// What is wrong with it.
        diagnostics: String,
        /// The file.
        path: String,
    },
    /// The branch is not followed: bring it back with an ordinary commit.
    #[error("{0}")]
    Rejected(String),
    /// A file or folder could not be made or read: check its rights and the space on the disk.
    #[error("{what}: {source}")]
    File {
        /// What was to be made or read.
        what: String,
        /// Why it was not.
        source: std::io::Error,
    },
    /// The sandbox could not be set up: see the error.
    #[error(transparent)]
    Stage(#[from] crate::sandbox::stage::Error),
    /// The sandbox's story did not come out as it should: this is a bug, or the machine was too slow.
    #[error("the story did not come out as it should: {0}")]
    Story(String),
}

/// What `plan` and `apply` start from. Nothing in it can write to AWS.
pub struct Start {
    /// What looks.
    pub world: World,
    /// How fast time passes at AWS.
    pub pace: Pace,
    /// The commit in force.
    pub accepted: Accepted,
    /// What is on record.
    pub bases: BTreeMap<Scope, Arc<Base>>,
    /// Where it is recorded.
    pub ledger: Option<Arc<ObservedBranch>>,
    /// Where the commit comes from.
    pub origin: Origin,
    /// Keeps the cache of the repositories until the end.
    _cache: tempfile::TempDir,
}

/// What `plan` starts from: it is given no writer.
///
/// It may look at any branch, such as that of a pull request; only what writes has to follow on what was in force.
pub async fn start_looking(source: &Source) -> Result<Start, Failure> {
    prepare(source, false).await.map(|(start, _)| start)
}

/// Loads the newest commit and what is on record, and proves who we are at AWS.
pub async fn start(source: &Source) -> Result<(Start, Writers), Failure> {
    prepare(source, true).await
}

async fn prepare(source: &Source, guarded: bool) -> Result<(Start, Writers), Failure> {
    let cache = cache_folder()?;
    let signer = signer(source)?;
    let origin = origin(source, cache.path())?;
    let ledger = ledger(source, &origin, signer.clone(), cache.path())?;
    let (bases, last, proofs) = match ledger.clone() {
        Some(ledger) => blocking(move || Ok((ledger.read()?, ledger.accepted(), ledger.proofs()))).await?,
        None => Default::default(),
    };
    let guards = config::guards(source)?;
    let mut follow = Follow::new(origin.clone(), signer, guards.clone());
    if guarded {
        follow.resume_after(last, ledger.clone());
    }
    let accepted = match follow.look().await? {
        News::Accepted(accepted) => accepted,
        news => return Err(refused(news)),
    };
    check_account(source, &accepted)?;
    let cloud = Cloud::connect(settings(&accepted)).await;
    let pace = cloud.pace();
    let (readers, writers) = cloud.sides();
    readers.verify(&accepted.desired.organization).await?;
    let world = world(source, guards, readers);
    world.memory.recall(proofs);
    world.recall_changes(&accepted.desired, ledger.as_ref()).await;
    Ok((Start { world, pace, accepted, bases, ledger, origin, _cache: cache }, writers))
}

/// Why a head that is not followed ends a command, whatever stays in force for a daemon.
fn refused(news: News) -> Failure {
    match news {
        News::Rejected(rejected) => Failure::Unloadable(rejected.diagnostics),
        News::Halted(halted) => Failure::Rejected(format!("{}; {}", halted.because, halted.proceed)),
        News::Resumed(_, news) => refused(*news),
        News::Accepted(_) | News::Same => Failure::Rejected("nothing was found to load".to_owned()),
    }
}

fn check_account(source: &Source, accepted: &Accepted) -> Result<(), Failure> {
    match &source.account {
        Some(slug) if !accepted.desired.accounts.contains_key(slug) => {
            let known: Vec<_> = accepted.desired.accounts.keys().map(ToString::to_string).collect();
            Err(Failure::Option(format!(
                "there is no folder accounts/{slug}; there are {}",
                known.join(", ")
            )))
        }
        _ => Ok(()),
    }
}

fn settings(accepted: &Accepted) -> Settings {
    Settings::new(accepted.desired.organization.home_region.clone())
}

/// Settings for a daemon, which connects before it has loaded anything: STS answers in every region. Only a simulation
/// is faster than AWS.
pub fn early_settings(speed: f64) -> Result<Settings, Failure> {
    let region = Region::parse("us-east-1").map_err(|invalid| Failure::Option(invalid.to_string()))?;
    let pace = Pace::times(speed);
    if pace != Pace::default() && std::env::var_os("AWS_ENDPOINT_URL").is_none() {
        let words = "--simulated-speed is for a simulation: set AWS_ENDPOINT_URL";
        return Err(Failure::Option(words.to_owned()));
    }
    Ok(Settings { pace, ..Settings::new(region) })
}

/// What looks, within the limits of the command line.
pub fn world(source: &Source, guards: Guards, readers: Readers) -> World {
    World {
        readers,
        clock: crate::clock::Clock,
        limits: Limits {
            ceiling: source.mode.into(),
            allow_management: source.allow_management,
            max_creations: MAX_CREATIONS,
            guards,
        },
        memory: Memory::new(KEEP_TAGS),
        only: source.account.clone(),
    }
}

/// A temporary folder: the caches in it may be lost at any time.
pub fn cache_folder() -> Result<tempfile::TempDir, Failure> {
    let made = tempfile::Builder::new().prefix("landfast-").tempdir();
    made.map_err(|source| Failure::File { what: "a temporary folder".to_owned(), source })
}

/// The key that signs what is recorded.
pub fn signer(source: &Source) -> Result<Option<Signer>, Failure> {
    Ok(source.signing_key.as_deref().map(Signer::from_file).transpose()?)
}

/// The files to look at: a directory as it lies, whether it is a work tree or not, or a branch of a remote.
pub async fn tree(files: &FilesArgs) -> Result<Tree, Failure> {
    let (path, branch) = (PathBuf::from(&files.repo), files.branch.clone());
    if path.is_dir() && !is_bare(&path) {
        return Ok(blocking(move || git::read_directory(&path)).await?);
    }
    let cache = cache_folder()?;
    let token = files.token.clone().map(Secret::new);
    let credentials = Credentials { token, ..Credentials::default() };
    let repository = Repository::open(&cache.path().join("desired"), &files.repo, credentials)?;
    Ok(blocking(move || repository.tree(&repository.fetch(&branch)?)).await?)
}

/// The same files as they are in a commit of the work tree that they lie in.
pub async fn tree_at(files: &FilesArgs, commit: &str) -> Result<Tree, Failure> {
    let (path, commit) = (PathBuf::from(&files.repo), commit.to_owned());
    if !path.is_dir() || is_bare(&path) {
        let message = format!("`{}` is no work tree whose commits could be looked at", files.repo);
        return Err(Failure::Option(message));
    }
    Ok(blocking(move || git::read_commit(&path, &commit)).await?)
}

/// True for a repository without files of its own.
fn is_bare(path: &Path) -> bool {
    path.join("HEAD").is_file() && path.join("objects").is_dir()
}

/// Today, in UTC.
pub fn today() -> jiff::civil::Date {
    crate::clock::Clock.now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Says what keeps files from being loaded.
pub fn unloadable(diagnostics: &Diagnostics) -> Failure {
    Failure::Unreadable(diagnostics.to_string())
}

/// Says that an account has no folder.
pub fn no_folder(tree: &Tree, slug: &Slug) -> Failure {
    let names = tree.files.keys().filter_map(|path| path.strip_prefix("accounts/")?.split('/').next());
    let names: BTreeSet<_> = names.collect();
    let names: Vec<_> = names.into_iter().collect();
    Failure::Option(format!("there is no folder accounts/{slug}; there are {}", names.join(", ")))
}

/// Writes a file that must not be there yet, and the folders above it.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |source| Failure::File { what: path.display().to_string(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = std::fs::File::create_new(path).map_err(failed)?;
    std::io::Write::write_all(&mut file, bytes).map_err(failed)
}

/// A plain directory is read as it lies; everything else is a git remote.
pub fn origin(source: &Source, cache: &Path) -> Result<Origin, Failure> {
    let path = PathBuf::from(&source.repo);
    let is_git = path.join(".git").exists() || path.join("HEAD").exists();
    if path.is_dir() && !is_git {
        return Ok(Origin::Directory(path));
    }
    let repository = repository(source, &source.repo, &cache.join("desired"))?;
    Ok(Origin::Branch { repository, branch: source.branch.clone() })
}

fn repository(source: &Source, url: &str, cache: &Path) -> Result<Repository, Failure> {
    // Who reads the record elsewhere is not to get the token on the way there.
    let token = token(source)?.filter(|_| git::may_share_token(&source.repo, url));
    Ok(Repository::open(cache, url, Credentials { token, ..Credentials::default() })?)
}

/// The token for GitHub and for git over https, from the environment or from a file. No message ever has a part of it.
fn token(source: &Source) -> Result<Option<Secret>, Failure> {
    let path = match (&source.token, &source.token_file) {
        (Some(_), Some(_)) => {
            let message = "GITHUB_TOKEN and --token-file are both there; keep one of them";
            return Err(Failure::Option(message.to_owned()));
        }
        (token, None) => return Ok(token.clone()),
        (None, Some(path)) => path,
    };
    let what = || format!("the token file {}", path.display());
    let text = std::fs::read_to_string(path).map_err(|source| Failure::File { what: what(), source })?;
    let mut words = text.split_whitespace();
    match (words.next(), words.next()) {
        (Some(word), None) => Ok(Some(Secret::new(word))),
        _ => Err(Failure::Option(format!("{} must hold the token and nothing else", what()))),
    }
}

/// Where what was seen is recorded: the same repository, or the one that was named; nowhere for a plain directory.
pub fn ledger(
    source: &Source,
    origin: &Origin,
    signer: Option<Signer>,
    cache: &Path,
) -> Result<Option<Arc<ObservedBranch>>, Failure> {
    let repository = match (&source.observed_repo, origin) {
        (Some(url), _) => repository(source, url, &cache.join("observed"))?,
        (None, Origin::Branch { repository, .. }) => repository.clone(),
        (None, Origin::Directory(_)) => return Ok(None),
    };
    Ok(Some(Arc::new(ObservedBranch::new(repository, signer))))
}

/// What records and publishes.
pub fn publisher(source: &Source, forge: &Forge, start: &Start) -> Result<Publisher, Failure> {
    publisher_of(source, forge, start.ledger.clone(), &start.origin)
}

/// The same, from its parts.
pub fn publisher_of(
    source: &Source,
    forge: &Forge,
    ledger: Option<Arc<ObservedBranch>>,
    origin: &Origin,
) -> Result<Publisher, Failure> {
    let proposals = match origin {
        Origin::Branch { repository, branch } => {
            Some(Proposals { repository: repository.clone(), branch: branch.clone() })
        }
        Origin::Directory(_) => None,
    };
    Ok(Publisher::new(ledger, outlet(source, forge)?, proposals))
}

fn outlet(source: &Source, forge: &Forge) -> Result<Outlet, Failure> {
    let Some(repository) = &forge.github else { return Ok(Outlet::Printed) };
    let repository =
        repository.parse().map_err(|invalid: crate::model::Invalid| Failure::Option(invalid.to_string()))?;
    let Some(token) = token(source)? else {
        let message = "--github needs a token: set GITHUB_TOKEN, or name a file by --token-file";
        return Err(Failure::Option(message.to_owned()));
    };
    let config = github::Config {
        api_url: Some(forge.github_api_url.clone()),
        repository,
        token: github::Token::new(token.expose()),
        timeout: None,
    };
    let (reader, writer) = github::connect(&config)?;
    Ok(Outlet::GitHub { reader: Box::new(reader), writer: Box::new(writer) })
}

/// How closely to look at stacks.
pub fn drift_look(detect: bool) -> DriftLook {
    if detect { DriftLook::Detect } else { DriftLook::LastKnown }
}
