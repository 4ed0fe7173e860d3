//! The stage: a simulated AWS, a simulated GitHub and a git remote, and the very daemon that runs in production.
//!
//! Only endpoints and keys differ from a real run. What is on the stage is the ground truth that stories are judged by.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::BareRemote;
use super::aws::{self, SimulatedAws};
use super::github::{self, SimulatedGitHub};
use crate::apply::Progress;
use crate::aws::{Cloud, Keys, Pace, Settings as AwsSettings, Timeouts};
use crate::clock::Clock;
use crate::daemon::{Daemon, Notice, Outlet, Proposals, Publisher, Settings};
use crate::follow::{Follow, Origin};
use crate::git::{self, Credentials, ObservedBranch, Repository, Signer, bare};
use crate::model::{AccountId, CommitId, Mode, Region};
use crate::plan::Guards;
use crate::reconcile::{Hands, Limits, Memory, World};
use crate::server::Health;

/// The branch of the stage's remote.
pub const BRANCH: &str = "main";
/// The daemon's login and token at the simulated GitHub, and a person's.
const TOKENS: [(&str, &str); 2] = [("landfast-token", "landfast[bot]"), ("person-token", "pat")];

/// How the stage is set.
#[derive(Clone, Debug)]
pub struct Scenery {
    /// How the simulated AWS behaves.
    pub aws: aws::Config,
    /// How many times faster than AWS time passes there.
    pub speed: f64,
    /// How far the daemon goes at the most.
    pub ceiling: Mode,
    /// Whether the management account may be written.
    pub allow_management: bool,
    /// What the operator keeps back.
    pub guards: Guards,
    /// How often the daemon looks.
    pub rhythm: Settings,
    /// When a call to the simulated AWS is given up.
    pub timeouts: Timeouts,
}

/// Why the stage could not be set.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder holds an earlier sandbox, whose accounts went with its process: name an empty one.
    #[error("{} holds an earlier sandbox, whose accounts are gone; name an empty folder", .0.display())]
    Used(PathBuf),
    /// A port or a folder could not be had: see the cause.
    #[error("the sandbox could not be set up")]
    Io(#[from] std::io::Error),
    /// The remote could not be made: see the error.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// The client could not be made: see the error.
    #[error(transparent)]
    GitHub(#[from] crate::github::Error),
    /// A name that the stage is built with is not valid: a bug.
    #[error(transparent)]
    Invalid(#[from] crate::model::Invalid),
}

/// Everything that is on the stage.
#[derive(Debug)]
pub struct Stage {
    /// The simulated AWS.
    pub aws: SimulatedAws,
    /// The simulated GitHub.
    pub github: SimulatedGitHub,
    /// The git remote: a bare repository.
    pub remote: PathBuf,
    /// Caches of daemons, which go when the stage goes.
    caches: Mutex<Vec<tempfile::TempDir>>,
    signer: Signer,
    scenery: Scenery,
    guards: Mutex<Guards>,
    /// Whose keys the daemon has; the administrator's where nobody said.
    keys: Mutex<Option<aws::Credentials>>,
}

impl Scenery {
    /// A simulation that is `speed` times faster than AWS, and a daemon that looks as often as that makes sense.
    pub fn fast(speed: f64) -> Self {
        let rhythm = Settings {
            poll: Duration::from_millis(500),
            resync: Duration::from_secs(2),
            detect_drift_every: Duration::from_secs(2),
            concurrency: 32,
        };
        let aws = aws::Config {
            pace: aws::Pace::Running(speed),
            management_name: "Acme Management".to_owned(),
            ..aws::Config::default()
        };
        // Days pass here in minutes, and a story may well begin with a hundred accounts.
        let guards = Guards {
            vanished_folders: Guards::default().vanished_folders,
            removals_per_commit: Guards::default().removals_per_commit,
            removals_per_account: Guards::default().removals_per_account,
            ..Guards::lifted()
        };
        Self {
            aws,
            speed,
            ceiling: Mode::Enforce,
            allow_management: true,
            guards,
            rhythm,
            timeouts: Timeouts::default(),
        }
    }
}

impl Stage {
    /// Sets the stage in `folder`, with a remote made from `example`.
    pub async fn set(folder: &Path, example: &Path, scenery: Scenery) -> Result<Self, Error> {
        let remote = folder.join("landfast-demo.git");
        // The simulated AWS begins empty; what a kept remote says of an earlier one's accounts would only be a reason
        // to create nothing in their place.
        if remote.exists() {
            return Err(Error::Used(folder.to_owned()));
        }
        let message = "Describe the company's accounts";
        bare::create_bare_from_directory(example, &remote, BRANCH, message, Clock.now())?;
        let signer = signer(&folder.join("signing-key"))?;
        let aws = SimulatedAws::start(scenery.aws.clone()).await?;
        aws.add_access_role(&scenery.aws.management_account, "LandfastManagement");
        let github = SimulatedGitHub::start(github::Config {
            owner: "acme".to_owned(),
            name: "aws-accounts".to_owned(),
            default_branch: BRANCH.to_owned(),
            tokens: TOKENS.map(|(token, login)| (token.to_owned(), login.to_owned())).into(),
            git: Arc::new(BareRemote { path: remote.clone() }),
            clock: Arc::new(|| Clock.now()),
            port: 0,
        })
        .await?;
        let guards = Mutex::new(scenery.guards.clone());
        let (caches, keys) = (Mutex::default(), Mutex::default());
        Ok(Self { aws, github, remote, caches, signer, scenery, guards, keys })
    }

    /// Gives daemons to come these keys in place of the administrator's.
    pub fn act_as(&self, keys: aws::Credentials) {
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys);
    }

    /// How to reach the simulated AWS as the daemon does.
    pub fn aws_settings(&self) -> Result<AwsSettings, Error> {
        let given = self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let aws::Credentials { access_key, secret_key, session_token } =
            given.unwrap_or_else(|| self.aws.credentials());
        let mut settings = AwsSettings::new(Region::parse("us-east-1")?);
        settings.endpoint_url = Some(self.aws.endpoint().to_owned());
        settings.keys = Some(Keys { session_token, ..Keys::new(access_key, secret_key) });
        settings.pace = Pace::times(self.scenery.speed);
        settings.timeouts = self.scenery.timeouts;
        Ok(settings)
    }

    /// A connection to the simulated AWS as the daemon makes it.
    pub async fn cloud(&self) -> Result<Cloud, Error> {
        Ok(Cloud::connect(self.aws_settings()?).await)
    }

    /// The management account's id.
    pub fn management(&self) -> Result<AccountId, Error> {
        Ok(AccountId::parse(self.scenery.aws.management_account.clone())?)
    }

    /// A daemon with nothing but what git, AWS and GitHub tell it: its disk is a new folder every time.
    pub async fn daemon(
        &self,
        progress: Progress,
        notices: Option<UnboundedSender<Notice>>,
    ) -> Result<Daemon, Error> {
        let (readers, writers) = self.cloud().await?.sides();
        let (origin, publisher) = self.outside()?;
        let guards = self.guards.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let limits = Limits {
            ceiling: self.scenery.ceiling,
            allow_management: self.scenery.allow_management,
            max_creations: 3,
            guards: guards.clone(),
        };
        // Tags are read at every look: whoever plays with them wants to see it at once.
        let memory = Memory::new(Duration::ZERO);
        let hands = Hands { writers, progress, patience: Duration::from_mins(10) };
        Ok(Daemon {
            world: Arc::new(World { readers, clock: Clock, limits, memory, only: None }),
            hands: (self.scenery.ceiling > Mode::Observe).then_some(hands),
            follow: Follow::new(origin, Some(self.signer.clone()), guards),
            publisher,
            settings: self.scenery.rhythm.clone(),
            health: Health::default(),
            notices,
        })
    }

    /// What the operator keeps back from the next daemon on.
    pub fn guard(&self, guards: Guards) {
        *self.guards.lock().unwrap_or_else(PoisonError::into_inner) = guards;
    }

    fn outside(&self) -> Result<(Origin, Publisher), Error> {
        let cache = tempfile::Builder::new().prefix("landfast-").tempdir()?;
        let url = self.remote.display().to_string();
        let repository = Repository::open(cache.path(), &url, Credentials::default())?;
        self.caches.lock().unwrap_or_else(PoisonError::into_inner).push(cache);
        let branch = BRANCH.to_owned();
        let origin = Origin::Branch { repository: repository.clone(), branch: branch.clone() };
        let (reader, writer) = crate::github::connect(&crate::github::Config {
            api_url: Some(self.github.api_url()),
            repository: "acme/aws-accounts".parse()?,
            token: crate::github::Token::new(TOKENS[0].0),
            timeout: None,
        })?;
        let outlet = Outlet::GitHub { reader: Box::new(reader), writer: Box::new(writer) };
        let ledger = Arc::new(ObservedBranch::new(repository.clone(), Some(self.signer.clone())));
        Ok((origin, Publisher::new(Some(ledger), outlet, Some(Proposals { repository, branch }))))
    }

    /// Clones the remote into `folder`, for a person to work in.
    pub fn clone_to(&self, folder: &Path) -> Result<(), Error> {
        Ok(bare::clone_to(&self.remote, folder, BRANCH)?)
    }

    /// Commits to the branch as a person would by merging a pull request: whole files by path, or their removal.
    pub fn commit(
        &self,
        changes: &BTreeMap<String, Option<Vec<u8>>>,
        message: &str,
    ) -> Result<CommitId, Error> {
        Ok(bare::commit_file_changes(&self.remote, BRANCH, changes, message, Clock.now())?)
    }
}

/// The key of the sandbox: made at first use, kept with the rest
fn signer(path: &Path) -> Result<Signer, git::Error> {
    if path.exists() {
        return Signer::from_file(path);
    }
    let signer = Signer::generate();
    signer.save(path)?;
    Ok(signer)
}
