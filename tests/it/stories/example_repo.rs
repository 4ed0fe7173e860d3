//! The six pull requests that `example-repo/README.md` walks through, one after the other, and what they come to in AWS.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::files::path;
use super::{Play, scenery};
use crate::saml::{METADATA, OTHER, signed_by};

const BASELINE: &str = "baselines/security/baseline.yaml";
const MEMBERS: [&str; 5] = ["log-archive", "payments-dev", "payments-prod", "scratch", "security"];

/// The example as it lies on disk.
fn example() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("example-repo");
    let mut files = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    files
}

/// A file of the example with one piece of it replaced by another.
fn edited(file: &str, from: &str, to: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("example-repo");
    let text = std::fs::read_to_string(root.join(file)).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

/// What `landfast new account` writes, with the arguments that the README gives.
fn new_account(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in example() {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_landfast"));
    let done = command.args(arguments).args(["--repo", folder.path().to_str().unwrap()]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read_to_string(folder.path().join(path("search-prod"))).unwrap()
}

impl Play {
    fn is_federated_by(&self, metadata: &str) -> bool {
        let of = |slug| self.stage.aws.saml_providers(&self.account(slug)?.id).remove("AcmeDirectory");
        MEMBERS.iter().all(|slug| of(slug).as_deref() == Some(metadata))
    }

    fn policies_of_netops(&self, slug: &str) -> Option<String> {
        self.stack(slug, "role-netops")?.parameters.get("Policies").cloned()
    }

    fn alert_address(&self) -> Option<String> {
        self.stack("security", "alerts")?.parameters.get("AlertEmail").cloned()
    }

    fn mailbox_is_told(&self, address: &str) -> bool {
        let issue = self.open_issue("attention", "accounts/security");
        issue.is_some_and(|it| it.body.contains(address) && it.body.contains("waiting for confirmation"))
    }

    /// The accounts that were written in since there were so many writes, without the organization's own calls.
    fn written_since(&self, writes: usize) -> Vec<&'static str> {
        let since = self.writes().split_off(writes);
        let all = MEMBERS.into_iter().filter(|slug| since.iter().any(|call| call.account == self.id(slug)));
        all.collect()
    }
}

#[tokio::test]
async fn the_six_pull_requests_of_the_readme_do_what_it_says() {
    // Forty stacks: looking at them all the time would leave no time for anything else.
    let mut scenery = scenery();
    scenery.rhythm.resync = Duration::from_secs(1);
    scenery.rhythm.detect_drift_every = Duration::from_secs(5);
    let mut play = Play::set(scenery, &example()).await;
    play.start();
    play.until("production is rolled out, which is the last wave", |play| {
        play.has_stack("payments-prod", "service") && play.has_stack("payments-prod", "role-netops")
    })
    .await;
    play.until("the first mailbox is waited for", |play| play.mailbox_is_told("security@example.com")).await;
    play.stage.aws.confirm_subscriptions("security@example.com");
    play.rest().await;
    assert!(play.is_federated_by(METADATA));

    let metadata = "baselines/security/directory-metadata.xml";
    play.commit("The directory changes a certificate", &[(metadata, Some(signed_by(OTHER)))]);
    play.until("every account trusts it", |play| play.is_federated_by(&signed_by(OTHER))).await;
    play.rest().await;

    let writes = play.writes().len();
    let to_soc = edited(BASELINE, "AlertEmail: security@example.com", "AlertEmail: soc@example.com");
    play.commit("Alerts go to somebody else", &[(BASELINE, Some(to_soc.clone()))]);
    play.until("it has the address", |play| play.alert_address().as_deref() == Some("soc@example.com")).await;
    play.until("the new mailbox is waited for", |play| play.mailbox_is_told("soc@example.com")).await;
    play.stage.aws.confirm_subscriptions("soc@example.com");
    play.until("that is over", |play| !play.mailbox_is_told("soc@example.com")).await;
    play.rest().await;
    assert_eq!(play.written_since(writes), ["security"], "the topic's ARN is what it was");

    let writes = play.writes().len();
    let prod = path("payments-prod");
    let stack = |name: &str, policies: &str| {
        edited(
            &prod,
            "\nstacks:\n",
            &format!("\nstacks:\n  {name}: {{parameters: {{Policies: {policies}}}}}\n"),
        )
    };
    let more =
        "[\"arn:aws:iam::aws:policy/ReadOnlyAccess\", \"arn:aws:iam::aws:policy/AmazonVPCFullAccess\"]";
    play.commit("A role may do more", &[(&prod, Some(stack("role-netops", more)))]);
    let wider = "arn:aws:iam::aws:policy/ReadOnlyAccess,arn:aws:iam::aws:policy/AmazonVPCFullAccess";
    play.until("it may", |play| play.policies_of_netops("payments-prod").as_deref() == Some(wider)).await;
    play.rest().await;
    assert_eq!(play.written_since(writes), ["payments-prod"]);
    assert_ne!(play.policies_of_netops("security").as_deref(), Some(wider), "there it is as it was");
    let writes = play.writes().len();
    play.commit("The auditors too", &[(&prod, Some(stack("role-auditors", more)))]);
    play.until("that is refused", |play| play.open_issue("rejected", "").is_some()).await;
    assert!(play.open_issue("rejected", "").unwrap().body.contains("stacks.role-auditors"));
    play.commit("Take that back", &[(&prod, Some(stack("role-netops", more)))]);
    play.until("it is over", |play| play.open_issue("rejected", "").is_none()).await;
    play.rest().await;
    assert_eq!(play.writes().len(), writes);

    let arguments = ["new", "account", "search-prod", "--ou", "/workloads/prod", "--tag", "owner=search"];
    let arguments = [&arguments[..], &["--tag", "costCenter=3200", "--tag", "env=prod"]].concat();
    play.commit("One account more", &[(&path("search-prod"), Some(new_account(&arguments)))]);
    let is_there = |play: &Play| {
        play.account("search-prod").is_some_and(|it| it.name == "Search Prod" && it.ou == "/workloads/prod")
            && play.has_stack("search-prod", "role-netops")
    };
    play.until("it is there", is_there).await;
    play.rest().await;
    assert_eq!(play.creations_of("search-prod"), 1);

    let dev = path("payments-dev");
    let moved =
        edited(&dev, "ou: /workloads/nonprod", "ou: /workloads/prod").replace("env: dev", "env: prod");
    play.commit("An account moves", &[(&dev, Some(moved))]);
    play.until("it moved, and its roles with it", |play| {
        play.account("payments-dev").is_some_and(|it| it.ou == "/workloads/prod" && it.tags["env"] == "prod")
            && play.has_stack("payments-dev", "role-netops")
            && !play.has_stack("payments-dev", "role-developers")
    })
    .await;
    play.rest().await;

    let writes = play.writes().len();
    let exclude = "{payments-dev: {reason: \"OPS-1302, a load test signs in as root\", until: 2026-12-31}}";
    let targets = format!("  root-alarm:\n    targets: {{ous: [\"/**\"], exclude: {exclude}}}\n");
    assert_eq!(to_soc.matches("  root-alarm:\n").count(), 1);
    play.commit("An exemption", &[(BASELINE, Some(to_soc.replace("  root-alarm:\n", &targets)))]);
    let is_told = |play: &Play| {
        let issue = play.open_issue("attention", "accounts/payments-dev");
        issue.is_some_and(|it| it.body.contains("root-alarm"))
    };
    play.until("what it leaves behind is told", is_told).await;
    play.rest().await;
    assert!(play.has_stack("payments-dev", "root-alarm") && play.writes().len() == writes, "it is kept");
    super::rest::stays_at_rest(&play).await;
    super::rest::nothing_is_left_to_do(&play).await;
    play.stop().await;
}
