//! The templates of `deploy/`, deployed: everything works with exactly what they grant, and nothing that they grant is
//! without use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudformation::types::{Capability, Parameter};
use aws_sdk_organizations::error::ProvideErrorMetadata;
use landfast::apply::Progress;
use landfast::follow::News;
use landfast::model::{AccountId, Mode, Region, Slug};
use landfast::sandbox::aws::{Credentials, Entry, Fault, Permission, Trouble, When};
use landfast::sandbox::stage::Stage;
use serde_json::Value;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::files::{ADMINISTRATOR, BASELINE, ROLE, account, company, logs_template, path};
use super::{HOME, Play, scenery};
use crate::saml::{METADATA, OTHER, signed_by};
use crate::sandbox_aws::{MANAGEMENT, client, inside_as};

const BOUNDARY: &str =
    "      PermissionsBoundary: !Sub arn:aws:iam::${AWS::AccountId}:policy/LandfastBoundary\n";
const FEDERATION: &str = "baselines/base/adfs.xml";
const LOGS: &str = "baselines/base/logs.template.yaml";
const DAEMON: &str = "arn:aws:iam::999988887777:role/LandfastDaemon";

/// What Landfast does with the roles that were deployed.
struct Deployed {
    play: Play,
    rollout: AbortHandle,
}

/// Where alerts go.
const SOC: &str = "soc@example.com";

fn template(name: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

const ORGANIZATION: &str = "organization/organization.yaml";

/// The company of the other stories, entered as `deploy/README.md` says.
fn files(slugs: &[&str]) -> Vec<(String, String)> {
    let access = "access: {role: LandfastWrite, readRole: LandfastRead, managementRole: LandfastManagement, \
                  stackRole: LandfastStacks, newAccountRole: OrganizationAccountAccessRole, externalId: acme-landfast}\n";
    let mut files: BTreeMap<_, _> = company(slugs).into_iter().collect();
    let organization = files.get_mut("organization/organization.yaml").unwrap();
    let old = organization.lines().find(|line| line.starts_with("access:")).unwrap().to_owned() + "\n";
    *organization = organization.replace(&old, access);
    let baseline = files.get_mut(BASELINE).unwrap();
    *baseline = baseline.replace("settings:\n", "settings:\n  accountAlias: \"acme-${{ account.slug }}\"\n");
    *baseline = baseline.replace("stacks:\n", "  samlProviders: {ADFS: {metadata: adfs.xml}}\nstacks:\n");
    baseline.push_str("  logs: {template: logs.template.yaml}\n");
    files.insert(FEDERATION.to_owned(), METADATA.to_owned());
    let role = files.get_mut("baselines/base/role.template.yaml").unwrap();
    let named = format!("      RoleName: {ROLE}\n");
    *role = role.replace(&named, &format!("{named}{BOUNDARY}"));
    // Who imports it is asked before the stack is removed.
    role.push_str("Outputs:\n  Role: {Value: !Ref Role, Export: {Name: the-role}}\n");
    // A mailbox has to confirm, which is looked for with a call of its own.
    let topic = "  Topic: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: email, Endpoint: soc@example.com}]}}\n";
    files.insert(LOGS.to_owned(), logs_template(7) + topic);
    files.into_iter().collect()
}

fn parameters(pairs: &[(&str, &str)]) -> Vec<Parameter> {
    let one = |(key, value): &(&str, &str)| {
        Parameter::builder().parameter_key(*key).parameter_value(*value).build()
    };
    pairs.iter().map(one).collect()
}

/// What AWS's own machinery and the operator use.
pub(super) async fn deploy(
    session: &aws_config::SdkConfig,
    name: &str,
    file: &str,
    given: &[(&str, &str)],
) -> Result<(), String> {
    let cloudformation = aws_sdk_cloudformation::Client::new(session);
    let call = cloudformation.create_stack().stack_name(name).template_body(template(file));
    let call = call.set_parameters(Some(parameters(given))).capabilities(Capability::CapabilityNamedIam);
    call.send().await.map(drop).map_err(|error| format!("{error:?}"))
}

pub(super) fn member_parameters(writes: &str) -> [(&str, &str); 4] {
    [
        ("OrganizationId", "o-exampleorgid"),
        ("DaemonRoleArn", DAEMON),
        ("ExternalId", "acme-landfast"),
        ("Writes", writes),
    ]
}

/// A service-managed `StackSet`: every account that joins gets its stack.
async fn roll_out(stage: Arc<Stage>, writes: &'static str) {
    let mut done = BTreeSet::from([MANAGEMENT.to_owned()]);
    loop {
        for account in stage.aws.accounts() {
            if done.contains(&account.id) {
                continue;
            }
            let arn = format!("arn:aws:iam::{}:role/OrganizationAccountAccessRole", account.id);
            let admin = crate::sandbox_aws::admin(&stage.aws).await;
            let sts = aws_sdk_sts::Client::new(&admin);
            let Ok(answer) = sts.assume_role().role_arn(arn).role_session_name("tester").send().await else {
                continue;
            };
            let keys = answer.credentials.unwrap();
            let keys = Credentials {
                access_key: keys.access_key_id,
                secret_key: keys.secret_access_key,
                session_token: Some(keys.session_token),
            };
            let session = client(&stage.aws, &keys, HOME).await;
            if deploy(&session, "StackSet-landfast-1", "member.yaml", &member_parameters(writes))
                .await
                .is_ok()
            {
                done.insert(account.id);
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
}

impl Deployed {
    /// An operator who does what `deploy/README.md` says, and a daemon under the role that comes of it.
    async fn begin(slugs: &[&str], writes: &'static str) -> Self {
        let mut scenery = scenery();
        if writes == "false" {
            scenery.ceiling = Mode::Observe;
        }
        let mut play = Play::set(scenery, &files(slugs)).await;
        let aws = &play.stage.aws;
        aws.add_access_role(MANAGEMENT, "Operator");
        let operator = inside_as(aws, MANAGEMENT, "Operator", "tester", HOME).await;
        remove_the_stages_own_role(&operator).await;
        let organization = ("OrganizationId", "o-exampleorgid");
        let given = [organization, ("ManagementAccountId", MANAGEMENT), ("Writes", writes)];
        deploy(&operator, "landfast-daemon", "daemon.yaml", &given).await.unwrap();
        let given = member_parameters(writes).into_iter().chain([("Policies", "true")]);
        let given: Vec<_> = given.collect();
        deploy(&operator, "landfast-management", "management.yaml", &given).await.unwrap();
        let stands = |play: &Play| {
            let roles = play.stage.aws.roles(MANAGEMENT);
            ["LandfastDaemon", "LandfastManagement"].iter().all(|role| roles.contains_key(*role))
        };
        play.until("the roles are there", stands).await;
        if writes == "false" {
            join(&play, &operator, slugs).await;
        }
        play.stage.act_as(play.stage.aws.role_credentials(MANAGEMENT, "LandfastDaemon").unwrap());
        let rollout = tokio::spawn(roll_out(Arc::clone(&play.stage), writes)).abort_handle();
        play.start();
        Self { play, rollout }
    }

    fn has_all(&self, slug: &str) -> bool {
        self.play.is_kept(slug)
            && self.play.has_stack(slug, "logs")
            && self.play.stage.aws.alias(&self.play.id(slug)).is_some()
    }

    async fn settled(&self, slugs: &[&str]) {
        self.play.until("all is rolled out", |_| slugs.iter().all(|slug| self.has_all(slug))).await;
        self.play.rest().await;
    }

    async fn end(self) {
        self.rollout.abort();
        self.play.end().await;
    }
}

/// The stage comes with an administrator's role of that name.
async fn remove_the_stages_own_role(operator: &aws_config::SdkConfig) {
    let (iam, name) = (aws_sdk_iam::Client::new(operator), "LandfastManagement");
    iam.detach_role_policy().role_name(name).policy_arn(ADMINISTRATOR).send().await.unwrap();
    iam.delete_role().role_name(name).send().await.unwrap();
}

/// Accounts that are there already, known by the tags that Landfast would have given them.
async fn join(play: &Play, operator: &aws_config::SdkConfig, slugs: &[&str]) {
    let organizations = aws_sdk_organizations::Client::new(operator);
    for slug in slugs {
        let call = organizations.create_account().account_name(format!("Company {slug}"));
        call.email(super::files::email(slug)).send().await.unwrap();
        play.until("the account is there", |play| play.account(slug).is_some()).await;
        let tags = [("landfast:owner", "o-exampleorgid"), ("landfast:slug", *slug)];
        play.stage.aws.set_tags(&play.id(slug), &tags);
    }
}

/// What the inline policies of a role allow: the actions that a template writes down one by one.
fn written_down(play: &Play, account: &str, role: &str) -> BTreeSet<String> {
    let role = &play.stage.aws.roles(account)[role];
    let statements = role.inline.values().flat_map(|policy| policy["Statement"].as_array().unwrap());
    let allowed = statements.filter(|statement| statement["Effect"] == "Allow");
    let actions = allowed.flat_map(|statement| match &statement["Action"] {
        Value::Array(actions) => actions.clone(),
        one => vec![one.clone()],
    });
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

fn asked(play: &Play, role: &str, is_granted: bool) -> BTreeSet<String> {
    let of_role =
        |permission: &Permission| permission.principal == role && permission.is_granted == is_granted;
    let asked = play.stage.aws.permissions_asked();
    asked.into_iter().filter(of_role).map(|permission| permission.action).collect()
}

#[tokio::test]
async fn everything_works_with_what_the_templates_grant_and_nothing_is_granted_in_vain() {
    let mut story = Deployed::begin(&["alpha", "beta"], "true").await;
    story.settled(&["alpha", "beta"]).await;
    a_mailbox_confirms(&story).await;
    a_change_by_hand_is_told_with_its_author_and_put_back_under_enforce(&mut story).await;
    a_creation_that_failed_is_made_again_and_a_lost_answer_costs_a_change_set(&story).await;
    an_account_is_moved_and_tagged(&story).await;
    a_tag_changed_by_hand_is_traced(&story).await;
    the_directory_changes_its_certificate(&story).await;
    what_is_asked_only_where_other_answers_are_silent(&story).await;
    everything_that_was_kept_in_an_account_is_removed(&story).await;
    a_policy_is_made_changed_and_goes(&story).await;

    let play = &story.play;
    let alpha = play.id("alpha");
    let roles = [
        ("LandfastDaemon", MANAGEMENT),
        ("LandfastManagement", MANAGEMENT),
        ("LandfastRead", alpha.as_str()),
        ("LandfastWrite", alpha.as_str()),
    ];
    for (role, account) in roles {
        let denied = asked(play, role, false);
        assert!(denied.is_empty(), "{role} was denied {denied:?}\n{}", play.scene());
        assert_eq!(asked(play, role, true), written_down(play, account, role), "{role}");
    }
    assert_eq!(asked(play, "OrganizationAccountAccessRole", false), BTreeSet::new());
    // The stage enters accounts as an administrator; the daemon has nothing but its roles.
    let is_ours = |entry: &&Entry| entry.operation != "AssumeRole";
    for entry in play.log().iter().filter(is_ours) {
        assert!(entry.caller.contains(":assumed-role/Landfast"), "{entry:?}");
    }
    story.end().await;
}

async fn a_mailbox_confirms(story: &Deployed) {
    let play = &story.play;
    let is_told = |play: &Play| play.open_issue("attention", "accounts/alpha").is_some();
    play.until("it is waited for", is_told).await;
    play.stage.aws.confirm_subscriptions(SOC);
    play.until("it is over", |play| !is_told(play)).await;
}

async fn a_change_by_hand_is_told_with_its_author_and_put_back_under_enforce(story: &mut Deployed) {
    let play = &story.play;
    play.commit("Enforce in beta", &[(&path("beta"), Some(account("beta", "mode: enforce\n")))]);
    play.looks(2).await;
    play.alice_sets_password_length("alpha", 8).await;
    play.alice_widens_role("beta").await;
    play.until("beta is as it was", |play| !play.is_wide("beta")).await;
    let named = |play: &Play| {
        play.open_issue("drift", "accounts/alpha").is_some_and(|issue| issue.body.contains("/alice"))
    };
    play.until("alice is named", named).await;
    play.alice_sets_password_length("alpha", 14).await;
    play.until("it is over", |play| play.open_issue("drift", "accounts/alpha").is_none()).await;
    play.rest().await;
}

async fn a_creation_that_failed_is_made_again_and_a_lost_answer_costs_a_change_set(story: &Deployed) {
    let play = &story.play;
    let alpha = play.id("alpha");
    play.stage.aws.fail_resource(&alpha, HOME, "Group", "the quota for log groups is used up");
    let more = "stacks: {more: {template: more.template.yaml}}\n";
    let file = |days| Some(logs_template(days).replace("app", "more"));
    let template = "accounts/alpha/more.template.yaml";
    play.commit("Add more", &[(&path("alpha"), Some(account("alpha", more))), (template, file(7))]);
    play.until("it is told", |play| play.open_issue("attention", "accounts/alpha").is_some()).await;
    play.stage.aws.add_fault(Fault {
        operation: landfast::sandbox::aws::Calls::Of("CreateChangeSet".to_owned()),
        account: Some(alpha),
        trouble: Trouble::DropAfter,
        when: When::Next(1),
    });
    play.commit("Mend more", &[(template, file(14))]);
    play.until("the stack is there", |play| play.has_stack("alpha", "more")).await;
    play.rest().await;
}

async fn an_account_is_moved_and_tagged(story: &Deployed) {
    let play = &story.play;
    let file = "name: Company beta\nou: /special\ntags: {owner: somebody else}\nmode: enforce\n".to_owned();
    play.commit("Move and tag beta", &[(&path("beta"), Some(file))]);
    play.until("beta is moved", |play| play.account("beta").unwrap().ou == "/special").await;
    let owner = |play: &Play| play.account("beta").unwrap().tags.get("owner").cloned();
    play.until("beta is tagged", |play| owner(play).as_deref() == Some("somebody else")).await;
    play.rest().await;
}

async fn a_tag_changed_by_hand_is_traced(story: &Deployed) {
    let play = &story.play;
    let alice = inside_as(&play.stage.aws, MANAGEMENT, "Operator", "alice", "us-east-1").await;
    let organizations = aws_sdk_organizations::Client::new(&alice);
    for owner in ["nobody", "alpha"] {
        let tag = aws_sdk_organizations::types::Tag::builder().key("owner").value(owner).build().unwrap();
        organizations.tag_resource().resource_id(play.id("alpha")).tags(tag).send().await.unwrap();
        let is_traced =
            |play: &Play| play.calls("LookupEvents").iter().any(|entry| entry.account == MANAGEMENT);
        play.until("it is traced", is_traced).await;
    }
    play.rest().await;
}

async fn the_directory_changes_its_certificate(story: &Deployed) {
    let play = &story.play;
    play.commit("The directory's next certificate", &[(FEDERATION, Some(signed_by(OTHER)))]);
    let has_it = |play: &Play, slug| {
        play.stage.aws.saml_providers(&play.id(slug)).get("ADFS").is_some_and(|text| text.contains(OTHER))
    };
    play.until("it is everywhere", |play| ["alpha", "beta"].iter().all(|slug| has_it(play, slug))).await;
    play.rest().await;
}

/// First the settings, because the baseline reaches beta no longer; then a stack, because it must not be there.
async fn everything_that_was_kept_in_an_account_is_removed(story: &Deployed) {
    let play = &story.play;
    let of_baseline = |(path, text): (String, String)| (path == BASELINE).then_some(text);
    let baseline = files(&[]).into_iter().find_map(of_baseline).unwrap();
    let removing = baseline.replace("settings:\n", "onLeave: remove\nsettings:\n");
    let removing = removing.replace("template.yaml}", "template.yaml, onLeave: keep}");
    let removing = removing.replace("CAPABILITY_NAMED_IAM]}", "CAPABILITY_NAMED_IAM], onLeave: keep}");
    play.commit("What leaves goes", &[(BASELINE, Some(removing.clone()))]);
    play.rest().await;
    let without = removing.replace("ous: [\"/**\"]", "ous: [\"/**\"], exclude: {beta: OPS-1}");
    play.commit("Exempt beta", &[(BASELINE, Some(without))]);
    let beta = play.id("beta");
    let is_bare = |play: &Play| {
        play.password_length("beta").is_none() && play.stage.aws.saml_providers(&beta).is_empty()
    };
    play.until("its settings are gone", is_bare).await;
    play.until("its alias too", |play| !play.calls("DeleteAccountAlias").is_empty()).await;
    let file =
        "name: Company beta\nou: /special\ntags: {owner: somebody else}\nstacks: {role: absent}\n".to_owned();
    play.commit("No role in beta", &[(&path("beta"), Some(file))]);
    play.until("the stack is gone", |play| play.stack("beta", "role").is_none()).await;
    play.rest().await;
}

async fn a_policy_is_made_changed_and_goes(story: &Deployed) {
    const FILE: &str = "organization/policies/service-control-policy/deny-leaving.json";
    let play = &story.play;
    let plain =
        files(&[]).into_iter().find_map(|(path, text)| (path == ORGANIZATION).then_some(text)).unwrap();
    let with = plain.replace("workloads: {}", "workloads: {policies: [deny-leaving]}") + "onLeave: remove\n";
    let file = |action: &str| {
        let statement = serde_json::json!({"Effect": "Deny", "Action": action, "Resource": "*"});
        Some(serde_json::json!({"Version": "2012-10-17", "Statement": [statement]}).to_string())
    };
    let says = |play: &Play, action: &str| {
        let policy = play.stage.aws.policy_named("deny-leaving");
        policy.is_some_and(|it| it.content.contains(action) && it.targets.contains("/workloads"))
    };
    let action = "organizations:LeaveOrganization";
    play.commit("Nobody leaves", &[(ORGANIZATION, Some(with.clone())), (FILE, file(action))]);
    play.until("it holds", |play| says(play, action)).await;
    play.commit("Nobody closes either", &[(FILE, file("account:CloseAccount"))]);
    play.until("it says so", |play| says(play, "account:CloseAccount")).await;
    play.rest().await;
    play.commit("Trust them", &[(ORGANIZATION, Some(plain + "onLeave: remove\n")), (FILE, None)]);
    play.until("it is gone", |play| play.stage.aws.policy_named("deny-leaving").is_none()).await;
    play.rest().await;
}

fn refused<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(answer: Result<T, E>) {
    let error = answer.expect_err("it is refused");
    assert_eq!(error.code(), Some("AccessDeniedException"), "{error:?}");
}

/// AWS's own policies stay out of the hands of who has Landfast's.
#[tokio::test]
async fn what_aws_attaches_everywhere_cannot_be_taken_away_with_the_role_for_policies() {
    let story = Deployed::begin(&["alpha"], "true").await;
    let aws = &story.play.stage.aws;
    aws.enable_policy_type("SERVICE_CONTROL_POLICY");
    let deny = r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    let stop = aws.add_policy("SERVICE_CONTROL_POLICY", "stop", deny, &[&aws.root_id()]);
    let thief = client(aws, &aws.role_credentials(MANAGEMENT, "LandfastManagement").unwrap(), HOME).await;
    let thief = aws_sdk_organizations::Client::new(&thief);
    let root = aws.root_id();
    let scp = aws_sdk_organizations::types::PolicyType::ServiceControlPolicy;
    let full = "p-FullAWSAccess";
    refused(thief.detach_policy().policy_id(full).target_id(&root).send().await);
    refused(thief.update_policy().policy_id(full).content(deny).send().await);
    refused(thief.delete_policy().policy_id(full).send().await);
    refused(thief.disable_policy_type().root_id(&root).policy_type(scp).send().await);
    thief.detach_policy().policy_id(stop).target_id(&root).send().await.unwrap();
    story.rollout.abort();
}

/// The place of an account where a listing leaves it out, and the end of a drift detection where the stack does not
/// show it.
async fn what_is_asked_only_where_other_answers_are_silent(story: &Deployed) {
    let play = &story.play;
    let daemon = play.stage.daemon(Progress::default(), None).await.unwrap();
    let mut follow = daemon.follow;
    let News::Accepted(accepted) = follow.look().await.unwrap() else { panic!("there is a commit") };
    let reader = daemon.world.readers.management(&accepted.desired.organization);
    let alpha = AccountId::parse(play.id("alpha")).unwrap();
    assert_eq!(reader.parent_of(&alpha).await.unwrap(), play.stage.aws.ous()["/workloads"]);

    let access = &accepted.desired.accounts[&Slug::parse("alpha").unwrap()].access;
    let (reader, home) = (daemon.world.readers.account(&alpha, access), Region::parse(super::HOME).unwrap());
    let stack = play.stack("alpha", "role").unwrap().id;
    let detection = reader.detect_drift(&home, &stack).await.unwrap();
    reader.detection(&home, &detection).await.unwrap();
    // What `import` asks besides.
    assert_eq!(reader.saml_providers().await.unwrap(), ["ADFS"]);
}

#[tokio::test]
async fn the_first_days_take_roles_that_only_look() {
    let story = Deployed::begin(&["alpha"], "false").await;
    let play = &story.play;
    play.until("alpha is looked at", |play| {
        let looks = play.calls("GetAccountPasswordPolicy");
        looks.iter().any(|entry| entry.account == play.id("alpha") && entry.outcome == "NoSuchEntity")
    })
    .await;
    play.looks(3).await;
    let roles: Vec<_> = play.stage.aws.roles(&play.id("alpha")).into_keys().collect();
    assert_eq!(roles, ["LandfastRead", "OrganizationAccountAccessRole"]);
    assert_eq!(play.writes().len(), 0, "{:?}", play.writes());
    for role in ["LandfastDaemon", "LandfastManagement", "LandfastRead"] {
        let denied = asked(play, role, false);
        assert!(denied.is_empty(), "{role} was denied {denied:?}");
    }
    let written = written_down(play, MANAGEMENT, "LandfastManagement");
    assert!(written.iter().all(|action| !is_writing(action)), "{written:?}");
    story.rollout.abort();
}

/// Verbs of AWS that change something.
fn is_writing(action: &str) -> bool {
    let name = action.split_once(':').unwrap().1;
    ["Create", "Move", "Tag", "Update", "Delete", "Put", "Execute", "Attach", "Detach", "Enable"]
        .iter()
        .any(|verb| name.starts_with(verb))
}
