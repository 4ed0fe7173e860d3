//! A fleet: any number of accounts with two stacks each in a simulated organization, and Landfast put together as its
//! commands put it together. Shared by the tests that count calls and by the benchmark.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a fleet that cannot be set up should end there")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use landfast::apply::{Brake, Freezes, Progress, Site, apply};
use landfast::aws::{Cloud, Keys, Pace, Settings as AwsSettings, Writers};
use landfast::clock::Clock;
use landfast::daemon::{Daemon, Outlet, Publisher, Settings};
use landfast::follow::{Accepted, Follow, News, Origin};
use landfast::git::{Credentials, OBSERVED_BRANCH, ObservedBranch, Repository, Signer, bare};
use landfast::model::{
    Base, Facts, Mode, Observed, OrganizationFacts, OuPath, Outcomes, Plan, Region, Scope, Slug,
};
use landfast::observe::DriftLook;
use landfast::plan::Guards;
use landfast::reconcile::{self, Hands, Limits, Memory, Task, World, sweep};
use landfast::report::ScopeReport;
use landfast::sandbox::aws::{Config, Entry, Pace as Speed, SimulatedAws};
use landfast::server::Health;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::time::Instant;

/// The region of every stack.
pub(crate) const HOME: &str = "eu-west-1";
/// Stacks of each account.
pub(crate) const STACKS: [&str; 2] = ["logs", "role"];
/// The role that administers Organizations.
const MANAGEMENT_ROLE: &str = "LandfastManagement";
const BRANCH: &str = "main";

/// How the fleet's world behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Climate {
    /// How long each answer is on its way.
    pub(crate) latency: Duration,
    /// How many times faster than AWS time passes.
    pub(crate) speed: f64,
    /// How long an operation on a stack takes, in AWS's time.
    pub(crate) stack_operation: Duration,
}

/// The world of a fleet.
pub(crate) struct Fleet {
    /// The simulated AWS.
    pub(crate) aws: SimulatedAws,
    climate: Climate,
    folder: TempDir,
}

/// Where Landfast finds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outside {
    endpoint: String,
    access_key: String,
    secret_key: String,
    folder: PathBuf,
    speed: f64,
    concurrency: usize,
}

/// The name of the account number `nth`.
pub(crate) fn slug(nth: usize) -> String {
    format!("team-{nth:04}")
}

fn email(slug: &str) -> String {
    format!("aws+{slug}@example.com")
}

fn account_file(slug: &str, id: &str) -> String {
    format!("id: \"{id}\"\nname: Company {slug}\nou: /\n")
}

/// The baseline: two stacks in every account, one of them with a parameter.
fn baseline(days: u32) -> String {
    format!(
        "targets: {{ous: [\"/\", \"/**\"]}}\nstacks:\n  \
         logs: {{template: logs.template.yaml, parameters: {{Days: \"{days}\"}}}}\n  \
         role: {{template: role.template.yaml, capabilities: [CAPABILITY_NAMED_IAM]}}\n"
    )
}

const ORGANIZATION: &str = "id: o-exampleorgid\nmanagementAccount: \"999988887777\"\nhomeRegion: eu-west-1\n\
    access: {role: OrganizationAccountAccessRole, managementRole: LandfastManagement}\n\
    accountDefaults: {email: \"aws+${{ account.slug }}@example.com\"}\nous: {workloads: {}}\n";

const LOGS: &str = "Parameters:\n  Days: {Type: Number}\nResources:\n  Group:\n    Type: AWS::Logs::LogGroup\n    \
    Properties: {LogGroupName: app, RetentionInDays: !Ref Days}\n";

const ROLE: &str = "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: NetOps\n      \
    ManagedPolicyArns: [\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]\n      AssumeRolePolicyDocument:\n        \
    Version: \"2012-10-17\"\n        Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, \
    Action: \"sts:AssumeRole\"}]\n";

impl Fleet {
    /// `n` accounts that exist and hold nothing yet, and a repository that wants two stacks in each.
    pub(crate) async fn of(n: usize, climate: Climate) -> Self {
        let config = Config {
            pace: Speed::Running(climate.speed),
            latency: climate.latency,
            stack_operation: climate.stack_operation,
            account_quota: 20_000,
            ..Config::default()
        };
        let management = config.management_account.clone();
        let aws = SimulatedAws::start(config).await.unwrap();
        aws.add_access_role(&management, MANAGEMENT_ROLE);
        let accounts = (1..=n).map(slug).map(|slug| {
            let id = aws.add_account(&format!("Company {slug}"), &email(&slug));
            (format!("accounts/{slug}/account.yaml"), account_file(&slug, &id))
        });
        let mut files: BTreeMap<String, String> = accounts.collect();
        files.extend(
            [
                ("organization/organization.yaml", ORGANIZATION.to_owned()),
                ("baselines/base/baseline.yaml", baseline(30)),
                ("baselines/base/logs.template.yaml", LOGS.to_owned()),
                ("baselines/base/role.template.yaml", ROLE.to_owned()),
            ]
            .map(|(path, text)| (path.to_owned(), text)),
        );
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("repository");
        for (path, text) in files {
            let path = repository.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let now = Clock.now();
        bare::create_bare_from_directory(&repository, &remote(folder.path()), BRANCH, "Begin", now).unwrap();
        Signer::generate().save(&folder.path().join("signing-key")).unwrap();
        Self { aws, climate, folder }
    }

    /// Where Landfast finds this world.
    pub(crate) fn outside(&self, concurrency: usize) -> Outside {
        let keys = self.aws.credentials();
        Outside {
            endpoint: self.aws.endpoint().to_owned(),
            access_key: keys.access_key,
            secret_key: keys.secret_key,
            folder: self.folder.path().to_owned(),
            speed: self.climate.speed,
            concurrency,
        }
    }

    /// From now on time passes so fast, and operations on stacks take so long.
    #[allow(dead_code, reason = "for the benchmark")]
    pub(crate) fn at_pace(&mut self, speed: f64, stack_operation: Duration) {
        self.aws.run(speed);
        self.aws.set_stack_operation(stack_operation);
        self.climate.speed = speed;
    }

    /// Commits another value of the one parameter.
    pub(crate) fn change_parameter(&self, days: u32) {
        self.commit("baselines/base/baseline.yaml", baseline(days));
    }

    /// Commits a line of one account's file that means nothing.
    #[allow(dead_code, reason = "for the benchmark")]
    pub(crate) fn touch(&self, nth: usize) {
        let (slug, path) = (slug(nth), format!("accounts/{}/account.yaml", slug(nth)));
        let account = self.aws.account_by_email(&email(&slug)).unwrap();
        self.commit(&path, format!("{}# reviewed\n", account_file(&slug, &account.id)));
    }

    /// Somebody without our key changes a file of the record.
    #[allow(dead_code, reason = "for the tests")]
    pub(crate) fn forge(&self, path: &str, change: impl Fn(&str) -> String) {
        let remote = remote(self.folder.path());
        let git = git2::Repository::open_bare(&remote).unwrap();
        let tree =
            git.find_reference(&format!("refs/heads/{OBSERVED_BRANCH}")).unwrap().peel_to_tree().unwrap();
        let blob = tree.get_path(Path::new(path)).unwrap().to_object(&git).unwrap().into_blob().unwrap();
        let text = change(std::str::from_utf8(blob.content()).unwrap());
        let changes = BTreeMap::from([(path.to_owned(), Some(text.into_bytes()))]);
        bare::commit_file_changes(&remote, OBSERVED_BRANCH, &changes, "Forge", Clock.now()).unwrap();
    }

    /// Commits one more account, with one setting.
    pub(crate) fn declare(&self, slug: &str) {
        let file = format!(
            "name: Company {slug}\nou: /workloads\nsettings:\n  passwordPolicy: {{minimumLength: 14}}\n"
        );
        self.commit(&format!("accounts/{slug}/account.yaml"), file);
    }

    /// Commits one file.
    pub(crate) fn commit(&self, path: &str, text: String) {
        let changes = BTreeMap::from([(path.to_owned(), Some(text.into_bytes()))]);
        bare::commit_file_changes(&remote(self.folder.path()), BRANCH, &changes, "Change", Clock.now())
            .unwrap();
    }

    /// How many calls were made so far.
    pub(crate) fn mark(&self) -> u64 {
        self.aws.log().last().map_or(0, |entry| entry.sequence)
    }

    /// Every call since `mark`.
    pub(crate) fn calls_since(&self, mark: u64) -> Vec<Entry> {
        self.aws.log().into_iter().filter(|entry| entry.sequence > mark).collect()
    }

    /// How many stacks stand whole in the accounts.
    pub(crate) fn whole_stacks(&self) -> usize {
        let accounts = self.aws.accounts().into_iter();
        let stacks = accounts.flat_map(|account| self.aws.stacks(&account.id));
        stacks.filter(|stack| matches!(stack.status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE")).count()
    }

    /// How many stacks have this value of the one parameter.
    pub(crate) fn stacks_with(&self, days: u32) -> usize {
        let accounts = self.aws.accounts().into_iter();
        let stacks = accounts.filter_map(|account| self.aws.stack(&account.id, HOME, STACKS[0]));
        stacks.filter(|stack| stack.parameters.get("Days") == Some(&days.to_string())).count()
    }
}

fn remote(folder: &Path) -> PathBuf {
    folder.join("remote.git")
}

/// Landfast in front of a fleet, with nothing but what git and AWS tell it.
pub(crate) struct Product {
    world: Arc<World>,
    writers: Writers,
    follow: Follow,
    repository: Repository,
    publisher: Publisher,
    accepted: Accepted,
    bases: BTreeMap<Scope, Arc<Base>>,
    concurrency: usize,
    _cache: TempDir,
}

/// The parts that a daemon and a command are made of.
struct Parts {
    readers: landfast::aws::Readers,
    writers: Writers,
    follow: Follow,
    repository: Repository,
    ledger: Arc<ObservedBranch>,
    cache: TempDir,
}

async fn parts(outside: &Outside) -> Parts {
    let cache = tempfile::tempdir().unwrap();
    let url = remote(&outside.folder).display().to_string();
    let repository = Repository::open(cache.path(), &url, Credentials::default()).unwrap();
    let signer = Signer::from_file(&outside.folder.join("signing-key")).unwrap();
    let origin = Origin::Branch { repository: repository.clone(), branch: BRANCH.to_owned() };
    let mut settings = AwsSettings::new(Region::parse(HOME).unwrap());
    settings.endpoint_url = Some(outside.endpoint.clone());
    settings.keys = Some(Keys::new(&outside.access_key, &outside.secret_key));
    settings.pace = Pace::times(outside.speed);
    let (readers, writers) = Cloud::connect(settings).await.sides();
    let ledger = Arc::new(ObservedBranch::new(repository.clone(), Some(signer.clone())));
    let follow = Follow::new(origin, Some(signer), Guards::lifted());
    Parts { readers, writers, follow, repository, ledger, cache }
}

fn world(readers: landfast::aws::Readers) -> World {
    let guards = Guards::lifted();
    let limits = Limits { ceiling: Mode::Enforce, allow_management: false, max_creations: 3, guards };
    World { readers, clock: Clock, limits, memory: Memory::new(Duration::from_mins(5)), only: None }
}

impl Product {
    /// Loads the newest commit and what is on record, and proves who it is at AWS.
    pub(crate) async fn start(outside: &Outside) -> Self {
        let Parts { readers, writers, mut follow, repository, ledger, cache } = parts(outside).await;
        let News::Accepted(accepted) = follow.look().await.unwrap() else { panic!("it does not load") };
        let bases = ledger.read().unwrap();
        readers.verify(&accepted.desired.organization).await.unwrap();
        let world = Arc::new(world(readers));
        world.memory.recall(ledger.proofs());
        let publisher = Publisher::new(Some(ledger), Outlet::Printed, None);
        let concurrency = outside.concurrency;
        Self { world, writers, follow, repository, publisher, accepted, bases, concurrency, _cache: cache }
    }

    /// Fetches a newer commit, and does not take it in yet.
    #[allow(dead_code, reason = "for the benchmark")]
    pub(crate) fn fetch(&self) {
        self.repository.fetch(BRANCH).unwrap();
    }

    /// Takes in a newer commit.
    pub(crate) async fn pull(&mut self) {
        let News::Accepted(accepted) = self.follow.look().await.unwrap() else { panic!("nothing new") };
        self.accepted = accepted;
    }

    /// One pass of every scope without hands.
    pub(crate) async fn look(&self, drift: DriftLook) -> Vec<ScopeReport> {
        sweep::look(&self.world, &self.accepted, &self.bases, drift, self.concurrency).await
    }

    /// One pass of every scope that may write; what it came to is recorded.
    pub(crate) async fn pass(&mut self) -> Vec<ScopeReport> {
        let patience = Duration::from_mins(10);
        let hands = Hands { writers: self.writers.clone(), progress: Progress::default(), patience };
        let mut sweep = sweep::Sweep::new(&self.world, &self.accepted, self.bases.clone(), self.concurrency);
        sweep.pass(Some(&hands)).await;
        let edition = sweep.edition();
        assert!(self.publisher.publish(&edition).await, "it is recorded");
        let records = edition.records.iter();
        self.bases = records.map(|record| (record.scope.clone(), Arc::clone(&record.base))).collect();
        drop(edition);
        sweep.into_reports()
    }
}

/// For one account: what is planned now, to be carried out when the world may have moved.
#[allow(dead_code, reason = "for the tests")]
pub(crate) struct Planned {
    organization: OrganizationFacts,
    observed: Observed,
    plan: Plan,
}

#[allow(dead_code, reason = "for the tests")]
impl Product {
    /// Observes and plans for one account.
    pub(crate) async fn plan(&self, slug: &str) -> Planned {
        let organization = self.task(&Scope::Organization, None).await.organization.unwrap();
        let scope = Scope::Account(Slug::parse(slug).unwrap());
        let base = self.bases[&scope].clone();
        let (accepted, drift) = (&self.accepted, DriftLook::LastKnown);
        let task = Task {
            scope: &scope,
            accepted,
            base: &base,
            organization: Some(&organization),
            drift,
            ahead: None,
        };
        let (observed, plan) = reconcile::look(&self.world, &task).await;
        Planned { organization, observed, plan }
    }

    async fn task(&self, scope: &Scope, organization: Option<&OrganizationFacts>) -> reconcile::Pass {
        let base = self.bases[scope].clone();
        let (accepted, drift) = (&self.accepted, DriftLook::LastKnown);
        reconcile::pass(
            &self.world,
            &Task { scope, accepted, base: &base, organization, drift, ahead: None },
            None,
        )
        .await
    }

    /// Carries a plan out that was made from a look so long ago.
    pub(crate) async fn apply(&self, planned: &Planned, age: Duration) -> Outcomes {
        let Planned { organization, observed, plan } = planned;
        let Facts::Account(facts) = &observed.facts else { panic!("an account") };
        let id = facts.id.clone().unwrap();
        let desired = &self.accepted.desired;
        let access = &desired.organization.access;
        let (reader, writer) = self.writers.account(&id, access, &desired.revision);
        let management = self.world.readers.management(&desired.organization);
        let (root, began) = (organization.ous[&OuPath::root()].id.clone(), Instant::now() - age);
        let brake = Brake::new(management, Some(id), root, Arc::default(), began);
        let site = Site {
            reader,
            writer,
            brake: &brake,
            freezes: Freezes { rollout: &desired.rollout, clock: self.world.clock },
            began,
            facts: &observed.facts,
            role: access.role.clone(),
            progress: Progress::default(),
            patience: Duration::from_mins(10),
        };
        apply(plan, &site).await
    }
}

/// A daemon that looks again by itself only after an hour.
pub(crate) async fn daemon(outside: &Outside) -> (Daemon, TempDir) {
    let Parts { readers, writers, follow, ledger, cache, .. } = parts(outside).await;
    let hands = Hands { writers, progress: Progress::default(), patience: Duration::from_mins(10) };
    let daemon = Daemon {
        world: Arc::new(world(readers)),
        hands: Some(hands),
        follow,
        publisher: Publisher::new(Some(ledger), Outlet::Printed, None),
        settings: Settings {
            poll: Duration::from_millis(100),
            resync: Duration::from_hours(1),
            // So seldom that no detection comes in between, whatever the number of accounts.
            detect_drift_every: Duration::from_hours(1_000_000),
            concurrency: outside.concurrency,
        },
        health: Health::default(),
        notices: None,
    };
    (daemon, cache)
}
