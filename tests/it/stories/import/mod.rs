//! An organization that was there before Landfast: written down by the program itself, committed, planned.

mod policies;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use aws_sdk_cloudformation::types::{Capability, Parameter, Tag};
use aws_sdk_organizations::types::Tag as AccountTag;
use landfast::git::bare;
use landfast::sandbox::aws::{Config, Entry, Pace, SimulatedAws};
use tempfile::TempDir;

use super::files::{account, company, logs_template, path, role_template};
use super::{HOME, Play};
use crate::saml::METADATA;
use crate::sandbox_aws::{MANAGEMENT, admin, inside, inside_as};

const OTHER: &str = "us-east-1";
/// One parameter, of which each region may have its own.
const NETWORK: &str = "# The network, as somebody wrote it.\nParameters:\n  Cidr: {Type: String}\n  Zones: {Type: CommaDelimitedList, Default: 'a,b'}\nResources:\n  \
                       Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Ref Cidr}}\n";
const SECRET: &str = "Parameters:\n  Key: {Type: String, NoEcho: true}\nResources:\n  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Key}}\n";

const TOPIC: &str = r#"{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}"#;

/// An organization, and a folder to write it down in.
struct Place {
    aws: SimulatedAws,
    folder: TempDir,
    /// Calls up to here were the set-up's.
    since: u64,
}

impl Place {
    /// OUs three deep, two accounts in use, one that is suspended and one that lets nobody in.
    async fn found() -> Self {
        let config = Config {
            pace: Pace::Running(500.0),
            management_name: "Acme ${{ 1 }}".to_owned(),
            ..Config::default()
        };
        let aws = SimulatedAws::start(config).await.unwrap();
        let place = Self { aws, folder: tempfile::tempdir().unwrap(), since: 0 };
        let workloads = place.ou(&place.aws.root_id(), "workloads").await;
        let prod = place.ou(&workloads, "Prod (EU)").await;
        place.ou(&place.aws.root_id(), "security").await;
        let payments =
            place.account("Payments Production", &prod, &[("owner", "payments"), ("cost", "1.10")]).await;
        let data = place.account("Data", &workloads, &[]).await;
        place.account("Left Behind", &place.aws.root_id(), &[]).await;
        place.account("Shut", &workloads, &[]).await;
        place.furnish(&payments).await;
        place.deploy(&data, HOME, "StackSet-guard-1", TOPIC, &[], &[]).await;
        place.deploy(&data, HOME, "logs", &logs_template(30), &[], &[("team", "data")]).await;
        place.settled().await;
        place.aws.suspend(&place.id("Left Behind"));
        place.aws.deny(&place.id("Shut"), &["iam:*", "cloudformation:*"]);
        place.now()
    }

    /// What the payments account holds.
    async fn furnish(&self, payments: &str) {
        let iam = aws_sdk_iam::Client::new(&inside(&self.aws, payments, HOME).await);
        iam.update_account_password_policy()
            .minimum_password_length(11)
            .require_numbers(true)
            .send()
            .await
            .unwrap();
        iam.create_account_alias().account_alias("acme-pay").send().await.unwrap();
        iam.create_saml_provider().name("ADFS").saml_metadata_document(METADATA).send().await.unwrap();
        for (region, cidr) in [(HOME, "10.0.0.0/16"), (OTHER, "10.1.0.0/16")] {
            self.deploy(
                payments,
                region,
                "network",
                NETWORK,
                &[("Cidr", cidr), ("Zones", "a,${{ x }}")],
                &[],
            )
            .await;
        }
        self.deploy(payments, HOME, "roles", &role_template(), &[], &[("team", "pay/it")]).await;
        self.deploy(payments, HOME, "secret", SECRET, &[("Key", "hush")], &[]).await;
        self.deploy(payments, OTHER, "topic", TOPIC, &[], &[]).await;
    }

    async fn ou(&self, parent: &str, name: &str) -> String {
        let organizations = aws_sdk_organizations::Client::new(&admin(&self.aws).await);
        let answer = organizations.create_organizational_unit().parent_id(parent).name(name).send().await;
        answer.unwrap().organizational_unit.unwrap().id.unwrap()
    }

    async fn account(&self, name: &str, ou: &str, tags: &[(&str, &str)]) -> String {
        let organizations = aws_sdk_organizations::Client::new(&admin(&self.aws).await);
        let email = format!("aws+{}@example.com", self.aws.accounts().len());
        let id = self.aws.add_account(name, &email);
        if ou != self.aws.root_id() {
            let call = organizations.move_account().account_id(&id).source_parent_id(self.aws.root_id());
            call.destination_parent_id(ou).send().await.unwrap();
        }
        for (key, value) in tags {
            let tag = AccountTag::builder().key(*key).value(*value).build().unwrap();
            organizations.tag_resource().resource_id(&id).tags(tag).send().await.unwrap();
        }
        id
    }

    async fn deploy(
        &self,
        account: &str,
        region: &str,
        name: &str,
        template: &str,
        parameters: &[(&str, &str)],
        tags: &[(&str, &str)],
    ) {
        let client = aws_sdk_cloudformation::Client::new(&inside(&self.aws, account, region).await);
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(key, value)| Parameter::builder().parameter_key(*key).parameter_value(*value).build())
            .collect();
        let tags: Vec<_> =
            tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build()).collect();
        let call = client.create_stack().stack_name(name).template_body(template);
        let call = call.set_parameters(Some(parameters)).set_tags(Some(tags));
        call.capabilities(Capability::CapabilityNamedIam).send().await.unwrap();
    }

    async fn settled(&self) {
        let is_whole = || {
            let accounts = self.aws.accounts().into_iter();
            let mut stacks = accounts.flat_map(|account| self.aws.stacks(&account.id));
            stacks.all(|stack| stack.status.ends_with("_COMPLETE"))
        };
        for _ in 0..1000 {
            if is_whole() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the stacks are never made");
    }

    fn now(mut self) -> Self {
        self.since = self.aws.log().last().map_or(0, |entry| entry.sequence);
        self
    }

    fn id(&self, name: &str) -> String {
        self.aws.accounts().into_iter().find(|account| account.name == name).unwrap().id
    }

    fn files(&self) -> PathBuf {
        self.folder.path().join("accounts-of-acme")
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.files().join(path)).unwrap_or_else(|_| panic!("{:?}", self.all().keys()))
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::write(self.files().join(path), text).unwrap();
    }

    /// Every file with its bytes.
    fn all(&self) -> BTreeMap<String, Vec<u8>> {
        let (mut found, mut open) = (BTreeMap::new(), vec![self.files()]);
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(self.files()).unwrap().display().to_string();
                    found.insert(name, std::fs::read(&path).unwrap());
                }
            }
        }
        found
    }

    async fn run(&self, args: &[&str]) -> Output {
        let keys = self.aws.credentials();
        let mut command = Command::new(env!("CARGO_BIN_EXE_landfast"));
        command.args(args).env_clear();
        command.env("AWS_ENDPOINT_URL", self.aws.endpoint());
        command.env("AWS_ACCESS_KEY_ID", keys.access_key).env("AWS_SECRET_ACCESS_KEY", keys.secret_key);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Imports, and tells what was said and how it ended.
    async fn import(&self) -> (String, i32) {
        let files = self.files();
        let output = self.run(&["import", "--into", text(&files), "--region", HOME, "--region", OTHER]).await;
        let said = String::from_utf8(output.stdout).unwrap();
        (said + &String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
    }

    /// Commits the files, and plans them.
    async fn plan(&self) -> (String, i32) {
        let remote = tempfile::tempdir_in(self.folder.path()).unwrap().keep().join("remote.git");
        let now = self.aws.now();
        bare::create_bare_from_directory(&self.files(), &remote, "main", "Write it down", now).unwrap();
        let output = self.run(&["plan", "--repo", text(&remote)]).await;
        let said = String::from_utf8(output.stdout).unwrap();
        (said + &String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
    }

    /// Calls since the set-up that could change something.
    fn writes(&self) -> Vec<Entry> {
        let log = self.aws.log().into_iter();
        log.filter(|entry| entry.sequence > self.since && entry.is_mutating).collect()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const PAYMENTS: &str = "accounts/payments-production/account.yaml";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_imported_and_committed_plans_to_nothing_and_nothing_is_written_on_the_way() {
    let place = Place::found().await;
    let (said, status) = place.import().await;
    assert_eq!(status, 2, "one account lets nobody in: {said}");
    let payments = place.read(PAYMENTS);
    assert!(
        payments
            .contains(&format!("id: \"{}\"\nname: Payments Production\n", place.id("Payments Production"))),
        "{payments}"
    );
    for line in
        ["ou: \"/workloads/Prod (EU)\"", "cost: \"1.10\"", "accountAlias: acme-pay", "minimumLength: 11"]
    {
        assert!(payments.contains(line), "{line}\n{payments}");
    }
    assert_eq!(place.read("accounts/payments-production/network.template.yaml"), NETWORK);
    assert_eq!(place.read("accounts/payments-production/ADFS.xml"), METADATA);
    assert!(place.all().contains_key("accounts/payments-production/topic.template.json"));

    let (plan, status) = place.plan().await;
    assert_eq!(status, 0, "{plan}\n{payments}");
    assert!(plan.contains("creates 0, changes 0, drifted 0"), "{plan}");
    let rendered =
        place.run(&["render", "--repo", text(&place.files()), "accounts/payments-production"]).await;
    let rendered = String::from_utf8(rendered.stdout).unwrap();
    for declared in ["network:", "topic:", "roles:", "ADFS:", "team: pay/it"] {
        assert!(rendered.contains(declared), "{declared}\n{rendered}");
    }
    assert_eq!(place.writes(), [], "it only reads");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_read_and_what_others_own_is_said_and_not_written_down() {
    let place = Place::found().await;
    let (said, _) = place.import().await;
    for line in [
        "accounts/data: stacks.StackSet-guard-1[eu-west-1]: a StackSet",
        "accounts/payments-production: stacks.secret[eu-west-1]: AWS hides a NoEcho parameter of it",
        "(Left Behind): it is SUSPENDED",
        "accounts/shut: stacks in eu-west-1: ",
        "accounts/shut: settings.passwordPolicy: ",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    let all = place.all();
    assert!(all.contains_key("accounts/shut/account.yaml"), "{:?}", all.keys());
    assert!(!all.keys().any(|path| path.contains("left-behind")), "{:?}", all.keys());
    let written: String = all.values().map(|bytes| String::from_utf8_lossy(bytes)).collect();
    assert!(!written.contains("StackSet") && !written.contains("hush"), "{written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_import_changes_no_byte_and_a_later_one_only_adds() {
    let place = Place::found().await;
    place.import().await;
    let before = place.all();
    let (said, _) = place.import().await;
    assert_eq!(place.all(), before, "{said}");
    assert!(said.contains("nothing to add"), "{said}");

    // A person explains things, leaves a stack to somebody else, and lets a policy go.
    let payments = place.read(PAYMENTS);
    let mine = format!("# Ask pat before you touch this.\n{payments}")
        .replace("    minimumLength: 11", "    # As the auditors want it.\n    minimumLength: 12 # from 11")
        .replace("stacks:\n", "stacks:\n  # Networks first.\n");
    let topic = mine.find("  topic:\n").unwrap();
    let end = mine[topic..].find("template: topic.template.json\n").unwrap() + topic + 30;
    let mine = format!("{}  topic: null # theirs\n{}", &mine[..topic], &mine[end..]);
    std::fs::remove_file(place.files().join("accounts/payments-production/topic.template.json")).unwrap();
    place.write(PAYMENTS, &mine);
    place.deploy(&place.id("Payments Production"), HOME, "new", &logs_template(3), &[], &[]).await;
    place.ou(&place.aws.ous()["/security"], "audit").await;
    place.account("Data", &place.aws.ous()["/security/audit"], &[]).await;
    place.settled().await;
    let (said, _) = place.import().await;
    let after = place.read(PAYMENTS);
    let added = "  new:\n    template: new.template.yaml\n";
    assert_eq!(after.replacen(added, "", 1), mine, "{said}");
    assert!(after.contains(added) && said.contains("accounts/payments-production: stacks.new"), "{said}");
    assert_eq!(place.read("accounts/payments-production/new.template.yaml"), logs_template(3));
    assert!(place.read("accounts/data-2/account.yaml").contains("ou: /security/audit\n"), "{said}");
    let kept = |path: &String| path == PAYMENTS || path.starts_with("organization/");
    let now = place.all();
    assert!(
        before
            .iter()
            .filter(|(path, _)| !kept(path) && !path.contains("topic"))
            .all(|(path, bytes)| now.get(path) == Some(bytes))
    );

    let (plan, status) = place.plan().await;
    assert!(status == 2 && plan.contains("minimumLength"), "the person's own wish is all there is: {plan}");
    assert!(plan.contains("creates 0, changes 0, drifted 0, first seen 1, in sync"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_room_is_left_alone_and_the_lines_are_shown() {
    let place = Place::found().await;
    place.import().await;
    let data = place.read("accounts/data/account.yaml");
    let id = place.id("Data");
    let email = data.lines().find_map(|line| line.strip_prefix("email: ")).unwrap();
    let mine = format!("{{id: \"{id}\", name: Data, email: {email}, ou: /workloads}}\n");
    assert!(data.contains("logs:"), "{data}");
    place.write("accounts/data/account.yaml", &mine);
    let (said, status) = place.import().await;
    assert_eq!((place.read("accounts/data/account.yaml"), status), (mine, 2));
    assert!(said.contains("to be added by hand") && said.contains("template: logs"), "{said}");

    place.write("accounts/data/account.yaml", "id: 1\n");
    let before = place.all();
    let (said, status) = place.import().await;
    assert_eq!((place.all(), status), (before, 1), "a repository that does not load is not added to");
    assert!(said.contains("accounts/data/account.yaml"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_begins_with_two_files_that_load_and_is_never_begun_twice() {
    let place = Place::found().await;
    let files = place.files();
    let output = place.run(&["init", text(&files), "--region", HOME]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let all = place.all();
    let paths: Vec<_> = all.keys().map(String::as_str).collect();
    assert_eq!(paths, ["accounts/management/account.yaml", "organization/organization.yaml"]);
    let (plan, status) = place.plan().await;
    assert_eq!(status, 0, "{plan}");
    let again = place.run(&["init", text(&files), "--region", HOME]).await;
    assert_eq!((again.status.code(), place.all()), (Some(1), all));

    let (said, _) = place.import().await;
    assert!(place.all().contains_key(PAYMENTS), "{said}");
    assert_eq!(place.plan().await.1, 0);
    assert_eq!(place.writes(), []);

    let offline = place.folder.path().join("offline");
    let output = Command::new(env!("CARGO_BIN_EXE_landfast"))
        .args(["init", text(&offline), "--region", HOME, "--organization-id", "o-exampleorgid"])
        .args(["--management-account", MANAGEMENT, "--management-name", "Acme"])
        .args(["--management-email", "aws@example.com"])
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_only_reads_is_enough_and_what_it_may_not_enter_is_said() {
    let place = Place::found().await;
    let shut = place.id("Data");
    let iam = aws_sdk_iam::Client::new(
        &inside_as(&place.aws, &shut, "OrganizationAccountAccessRole", "tester", HOME).await,
    );
    let role = "OrganizationAccountAccessRole";
    let policies =
        iam.list_attached_role_policies().role_name(role).send().await.unwrap().attached_policies.unwrap();
    for policy in policies {
        iam.detach_role_policy().role_name(role).policy_arn(policy.policy_arn.unwrap()).send().await.unwrap();
    }
    let (said, _) = place.import().await;
    assert!(said.contains("accounts/data: stacks in eu-west-1: "), "{said}");
    assert!(place.all().contains_key("accounts/data/account.yaml"), "{said}");
    assert_eq!(place.plan().await.1, 0, "nothing is declared that could not be read");
}

/// Ownership, both ways: what agreed once may follow a commit, and without the record nothing does.
#[tokio::test]
async fn a_stack_that_agreed_with_its_folder_follows_it_and_one_that_is_not_on_record_does_not() {
    let mut play = Play::begin(&company(&["alpha"])).await;
    play.settled(&["alpha"]).await;
    for name in ["one", "two"] {
        let template = logs_template(7).replace("app", name);
        let client = aws_sdk_cloudformation::Client::new(&play.session("alpha", "alice").await);
        client.create_stack().stack_name(name).template_body(template).send().await.unwrap();
        play.until("alice's stack is there", |play| play.has_stack("alpha", name)).await;
    }
    let declared = "stacks: {one: {template: one.yaml}, two: {template: two.yaml}}\n";
    let file = |name: &str, days| Some(logs_template(days).replace("app", name));
    let [one, two] = ["accounts/alpha/one.yaml", "accounts/alpha/two.yaml"];
    let writes = play.writes().len();
    play.commit(
        "Write down what is there",
        &[(&path("alpha"), Some(account("alpha", declared))), (one, file("one", 7)), (two, file("two", 7))],
    );
    play.rest().await;
    assert_eq!((play.writes().len(), play.open_issues()), (writes, vec![]), "{}", play.scene());

    play.commit("Keep one longer", &[(one, file("one", 30))]);
    play.until("it is kept longer", |play| play.stack("alpha", "one").unwrap().template.contains("30")).await;
    play.rest().await;
    let is_marked =
        |play: &Play, name| play.stack("alpha", name).unwrap().tags.contains_key("landfast:owner");
    assert!(is_marked(&play, "one") && !is_marked(&play, "two"), "the tag comes with the first write");

    play.stop().await;
    bare::delete_branch(&play.stage.remote, super::OBSERVED).unwrap();
    let writes = play.writes().len();
    play.commit("Keep two longer", &[(two, file("two", 30))]);
    play.start();
    play.until("it is found", |play| play.open_issue("first-contact", "accounts/alpha").is_some()).await;
    play.rest().await;
    assert!(!play.stack("alpha", "two").unwrap().template.contains("30"), "nothing proves that it is ours");
    assert_eq!(play.writes().len(), writes, "{}", play.scene());
    play.end().await;
}
