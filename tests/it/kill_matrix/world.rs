//! The company that is rolled out: twenty accounts of two stacks, one older account that somebody had set up by hand
//! (an issue to open), an issue about an account that is gone (one to close), and the real program against simulated AWS, simulated GitHub and a git server.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use landfast::sandbox::aws::{Credentials, SimulatedAws};
use landfast::sandbox::stage::{Scenery, Stage};
use tempfile::TempDir;

use super::reaper::{Point, Reaper};
use super::remote::GitServer;
use crate::sandbox_aws;

/// How many accounts are made.
pub(super) const N_ACCOUNTS: usize = 20;
/// The account that is there before, with a password policy that nobody agreed on.
pub(super) const LEGACY: &str = "legacy";
pub(super) const HOME: &str = "eu-west-1";
/// How much faster than AWS everything passes.
const SPEED: f64 = 2000.0;
/// How often the program looks at what nobody asked about, and asks the remote: seldom, so that a slow machine is not
/// kept busy with looking.
const RESYNC: &str = "20s";
/// Never: looking for drift starts somewhere in its interval, and no two runs would record the same.
const DETECTION: &str = "10000h";

const ORGANIZATION: &str = "id: o-exampleorgid\nmanagementAccount: \"999988887777\"\nhomeRegion: eu-west-1\n\
    access: {role: OrganizationAccountAccessRole, managementRole: LandfastManagement}\n\
    accountDefaults: {email: \"aws+${{ account.slug }}@example.com\"}\nous: {workloads: {policies: [deny-leaving]}}\n";
/// Hangs on the OU of all new accounts.
const LEAVING: &str = r#"{"Version": "2012-10-17",
  "Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}]}"#;
const BASELINE: &str = "targets: {ous: [\"/workloads\"]}\nstacks:\n  \
    role: {template: role.template.yaml, capabilities: [CAPABILITY_NAMED_IAM]}\n  \
    logs: {template: logs.template.yaml}\n";
const ROLE: &str = "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: NetOps\n      \
    ManagedPolicyArns: [\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]\n      \
    AssumeRolePolicyDocument:\n        Version: \"2012-10-17\"\n        \
    Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: \"sts:AssumeRole\"}]\n";
const LOGS: &str = "Resources:\n  Group:\n    Type: AWS::Logs::LogGroup\n    \
    Properties: {LogGroupName: app, RetentionInDays: 7}\n";
/// An issue of an earlier Landfast about an account that is no longer declared: it has to be closed.
const OBSOLETE: &str = "<!-- landfast key=0123456789abcdef fingerprint=0 state=open kind=attention \
    scope=accounts/gone items= -->\n**What it means.** An earlier Landfast could not go on.\n";
const POLICY: &str = "settings: {passwordPolicy: {minimumLength: 14, requireSymbols: true}}\n";

/// A world with, most of the time, a program in it.
pub(super) struct World {
    pub(super) stage: Arc<Stage>,
    pub(super) reaper: Arc<Reaper>,
    git: GitServer,
    pub(super) folder: TempDir,
}

pub(super) fn slugs() -> Vec<String> {
    (1..=N_ACCOUNTS).map(|n| format!("team{n:02}")).collect()
}

pub(super) fn email(slug: &str) -> String {
    format!("aws+{slug}@example.com")
}

/// The files of the company. Two of the new accounts have a setting too.
fn company(legacy: &str) -> Vec<(String, String)> {
    let mut files = vec![
        ("organization/organization.yaml".to_owned(), ORGANIZATION.to_owned()),
        ("organization/policies/service-control-policy/deny-leaving.json".to_owned(), LEAVING.to_owned()),
        ("baselines/base/baseline.yaml".to_owned(), BASELINE.to_owned()),
        ("baselines/base/role.template.yaml".to_owned(), ROLE.to_owned()),
        ("baselines/base/logs.template.yaml".to_owned(), LOGS.to_owned()),
        (
            format!("accounts/{LEGACY}/account.yaml"),
            format!("id: \"{legacy}\"\nname: Legacy\nou: /\n{POLICY}"),
        ),
    ];
    files.extend(slugs().into_iter().enumerate().map(|(n, slug)| {
        let more = if n < 2 { POLICY } else { "" };
        let text = format!("name: Company {slug}\nou: /workloads\ntags: {{owner: {slug}}}\n{more}");
        (format!("accounts/{slug}/account.yaml"), text)
    }));
    files
}

impl World {
    /// Everything is there but the program; it will be killed at `target`.
    pub(super) async fn begin(target: Option<Point>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        let stage = Stage::set(folder.path(), &empty, Scenery::fast(SPEED)).await.unwrap();
        let legacy = legacy(&stage).await;
        stage.github.open_by("landfast[bot]", "[needs a person] gone", OBSOLETE);
        let files =
            company(&legacy).into_iter().map(|(path, text)| (path, Some(text.into_bytes()))).collect();
        stage.commit(&files, "Describe the company").unwrap();
        let reaper = Reaper::new(target);
        stage.aws.watch(reaper.eye("aws"));
        stage.github.watch(reaper.eye("github"));
        let git = GitServer::start(&stage.remote, reaper.eye("git")).await;
        Self { stage: Arc::new(stage), reaper, git, folder }
    }

    /// Starts the program with an empty disk.
    pub(super) fn start(&self, name: &str) {
        let disk = self.folder.path().join(name);
        std::fs::create_dir(&disk).unwrap();
        self.reaper.start(|| self.program(&disk));
    }

    fn program(&self, disk: &Path) -> Child {
        let keys = self.stage.aws.credentials();
        let speed = SPEED.to_string();
        let log = std::fs::File::create(disk.join("log")).unwrap();
        let config = disk.join("landfast.toml");
        std::fs::write(&config, "[guards]\nnew-accounts-per-commit = 20\nnew-accounts-per-day = 40\n")
            .unwrap();
        // Another build of it, such as an optimized one, can be named.
        let program = std::env::var("LANDFAST_KILLS_PROGRAM");
        Command::new(program.as_deref().unwrap_or(env!("CARGO_BIN_EXE_landfast")))
            .args(["run", "--listen", "127.0.0.1:0", "--poll", RESYNC, "--resync", RESYNC])
            .args(["--detect-drift-every", DETECTION])
            .args(["--simulated-speed", &speed, "--repo", &self.git.url])
            .args(["--github", "acme/aws-accounts", "--github-api-url", &self.stage.github.api_url()])
            .arg("--config")
            .arg(&config)
            .arg("--signing-key")
            .arg(self.folder.path().join("signing-key"))
            .env_clear()
            .env("TMPDIR", disk)
            .env("RUST_LOG", "warn,landfast=debug")
            .env("AWS_ENDPOINT_URL", self.stage.aws.endpoint())
            .env("AWS_ACCESS_KEY_ID", keys.access_key)
            .env("AWS_SECRET_ACCESS_KEY", keys.secret_key)
            .env("GITHUB_TOKEN", "landfast-token")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// The last lines of what the programs logged.
    pub(super) fn logs(&self) -> String {
        let logs = ["first", "second", "last"].map(|name| {
            let text = std::fs::read_to_string(self.folder.path().join(name).join("log")).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            format!("-- {name}\n{}\n", lines[lines.len().saturating_sub(60)..].join("\n"))
        });
        logs.concat()
    }
}

/// The administrator, with a client that waits as long as it takes: many worlds share a machine.
pub(super) async fn admin(aws: &SimulatedAws) -> SdkConfig {
    patient(sandbox_aws::admin(aws).await)
}

/// The same inside an account.
pub(super) async fn inside(aws: &SimulatedAws, account: &str) -> SdkConfig {
    let sts = aws_sdk_sts::Client::new(&admin(aws).await);
    let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    let session = sts.assume_role().role_arn(role).role_session_name("tester").send().await.unwrap();
    let keys = session.credentials.unwrap();
    let keys = Credentials {
        access_key: keys.access_key_id,
        secret_key: keys.secret_access_key,
        session_token: Some(keys.session_token),
    };
    patient(sandbox_aws::client(aws, &keys, HOME).await)
}

fn patient(client: SdkConfig) -> SdkConfig {
    client.into_builder().timeout_config(TimeoutConfig::disabled()).build()
}

/// Somebody makes an account and gives it a password policy, long before there is Landfast.
async fn legacy(stage: &Stage) -> String {
    let organizations = aws_sdk_organizations::Client::new(&admin(&stage.aws).await);
    organizations.create_account().account_name("Legacy").email(email(LEGACY)).send().await.unwrap();
    stage.aws.advance(Duration::from_mins(2));
    let id = stage.aws.account_by_email(&email(LEGACY)).unwrap().id;
    let iam = aws_sdk_iam::Client::new(&inside(&stage.aws, &id).await);
    iam.update_account_password_policy().minimum_password_length(8).send().await.unwrap();
    // Long enough for the trail to show who it was.
    stage.aws.advance(Duration::from_hours(1));
    id
}
