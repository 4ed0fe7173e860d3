//! `landfast run` as a process, against the simulated AWS and GitHub: the very binary, with nothing replaced.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use landfast::git::Signer;
use landfast::sandbox::stage::{Scenery, Stage};
use tokio::time::Instant;

/// A company of a management account and one OU, so that a pass is short.
const ORGANIZATION: &str = "id: o-exampleorgid
managementAccount: \"999988887777\"
homeRegion: eu-west-1
access: {role: OrganizationAccountAccessRole, managementRole: LandfastManagement}
accountDefaults: {email: \"aws+${{ account.slug }}@example.com\"}
ous: {workloads: {}}
";
const MANAGEMENT: &str = "id: \"999988887777\"\nname: Acme Management\nou: /\ntags: {owner: platform}\n";

/// A running daemon; it is killed if a test ends early.
struct Daemon {
    child: Child,
    address: String,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn company(folder: &Path) {
    for (path, text) in
        [("organization/organization.yaml", ORGANIZATION), ("accounts/management/account.yaml", MANAGEMENT)]
    {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

async fn stage(folder: &Path) -> Stage {
    let example = folder.join("example");
    company(&example);
    Stage::set(folder, &example, Scenery::fast(60.0)).await.unwrap()
}

fn start(stage: &Stage, folder: &Path) -> Daemon {
    let key = folder.join("key");
    Signer::generate().save(&key).unwrap();
    let token = folder.join("token");
    std::fs::write(&token, "landfast-token\n").unwrap();
    let keys = stage.aws.credentials();
    let mut child = Command::new(env!("CARGO_BIN_EXE_landfast"))
        .args(["run", "--listen", "127.0.0.1:0", "--poll", "1s", "--resync", "1s"])
        .args(["--github", "acme/aws-accounts", "--github-api-url", &stage.github.api_url()])
        .args(["--repo", stage.remote.to_str().unwrap(), "--signing-key", key.to_str().unwrap()])
        .env_clear()
        .env("AWS_ENDPOINT_URL", stage.aws.endpoint())
        .env("AWS_ACCESS_KEY_ID", keys.access_key)
        .env("AWS_SECRET_ACCESS_KEY", keys.secret_key)
        .env("GITHUB_TOKEN_FILE", token)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = log.next().unwrap().unwrap();
    // What is not read would block the daemon once the pipe is full.
    std::thread::spawn(move || log.for_each(drop));
    let address = first.rsplit("listening=").next().unwrap().trim().to_owned();
    Daemon { child, address }
}

async fn get(address: &str, path: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_mins(1), "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_brings_git_to_aws_says_how_it_is_and_ends_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let stage = stage(folder.path()).await;
    let mut daemon = start(&stage, folder.path());
    let address = daemon.address.clone();

    assert_eq!(get(&address, "/healthz").await, (200, "ok\n".to_owned()));
    until("the OU", async || stage.aws.ous().contains_key("/workloads")).await;
    until("readiness", async || get(&address, "/readyz").await.0 == 200).await;
    until("an organization in sync", async || {
        let page = get(&address, "/metrics").await.1;
        let value = |line: &str| line.rsplit(' ').next().and_then(|value| value.parse::<i64>().ok());
        let of = |verdict: &str| {
            page.lines().find(|line| line.contains(&format!("verdict=\"{verdict}\""))).and_then(value)
        };
        of("inSync").is_some_and(|count| count >= 5) && of("gap") == Some(0) && of("pending") == Some(0)
    })
    .await;
    let is_let_in = |request: &landfast::sandbox::github::Request| request.login == "landfast[bot]";
    until("GitHub to be asked", async || stage.github.requests().iter().any(is_let_in)).await;
    let sessions: Vec<_> = stage.aws.mutations().into_iter().map(|entry| entry.caller).collect();
    assert!(
        sessions.iter().all(|caller| caller.contains("assumed-role/LandfastManagement/landfast-")),
        "{sessions:?}"
    );

    let asked = Instant::now();
    let pid = daemon.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let status = daemon.child.wait().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?} to end", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_for_another_organization_ends_the_program_before_any_write() {
    let folder = tempfile::tempdir().unwrap();
    let example = folder.path().join("example");
    company(&example);
    let organization = ORGANIZATION.replace("o-exampleorgid", "o-anotherorgid0");
    std::fs::write(example.join("organization/organization.yaml"), organization).unwrap();
    let stage = Stage::set(folder.path(), &example, Scenery::fast(60.0)).await.unwrap();
    let mut daemon = start(&stage, folder.path());
    assert_eq!(daemon.child.wait().unwrap().code(), Some(1));
    assert!(stage.aws.mutations().is_empty(), "{:?}", stage.aws.mutations());
}

/// A company whose account `one` takes an output of the account `two`, and a stack of `one` what the first makes of it.
fn company_that_shares(folder: &Path, ids: &[(&str, String)]) {
    let taker = "Parameters: {In: {Type: String}}\nResources:\n  Note:\n    Type: AWS::SSM::Parameter\n    \
                 Properties: {Type: String, Value: !Ref In}\nOutputs: {Out: {Value: !GetAtt Note.Value}}\n";
    let stacks = |slug: &str| match slug {
        "one" => {
            "  first: {template: taker.template.yaml, parameters: {In: \"${{ accounts['two'].stacks['source'].outputs.Arn }}\"}}\n  \
             second: {template: taker.template.yaml, parameters: {In: \"<${{ stacks['first'].outputs.Out }}>\"}}\n"
        }
        _ => "  source: {template: source.template.yaml}\n",
    };
    let source = "Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: shared}}}\n\
                  Outputs: {Arn: {Value: !Ref Topic}}\n";
    let mut files = vec![
        ("organization/organization.yaml".to_owned(), ORGANIZATION.to_owned()),
        ("accounts/one/taker.template.yaml".to_owned(), taker.to_owned()),
        ("accounts/two/source.template.yaml".to_owned(), source.to_owned()),
    ];
    for (slug, id) in ids {
        let account = format!("id: \"{id}\"\nname: {slug}\nou: /\nstacks:\n{}", stacks(slug));
        files.push((format!("accounts/{slug}/account.yaml"), account));
    }
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_apply_fills_in_what_accounts_take_from_each_other_and_from_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let stage = stage(folder.path()).await;
    let ids =
        ["one", "two"].map(|slug| (slug, stage.aws.add_account(slug, &format!("aws+{slug}@example.com"))));
    let repository = folder.path().join("shared");
    company_that_shares(&repository, &ids);
    let keys = stage.aws.credentials();
    let landfast = |command: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_landfast"))
            .args([command, "--repo", repository.to_str().unwrap()])
            .env_clear()
            .env("AWS_ENDPOINT_URL", stage.aws.endpoint())
            .env("AWS_ACCESS_KEY_ID", &keys.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &keys.secret_key)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let (status, plan) = landfast("plan");
    let plan = plan.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(status, Some(2), "{plan}");
    let because = "it needs the output Arn of the stack source in two (eu-west-1), which is not there yet";
    assert!(plan.contains(because), "{plan}");

    let (status, applied) = landfast("apply");
    assert_eq!(status, Some(0), "{applied}");
    let stack = |slug: usize, name: &str| stage.aws.stack(&ids[slug].1, "eu-west-1", name).unwrap();
    let arn = &stack(1, "source").outputs["Arn"];
    assert_eq!(&stack(0, "first").parameters["In"], arn);
    assert_eq!(stack(0, "second").parameters["In"], format!("<{arn}>"));
    let writes = stage.aws.mutations().len();
    assert_eq!(landfast("plan").0, Some(0));
    assert_eq!(stage.aws.mutations().len(), writes);
}
