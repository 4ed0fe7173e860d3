//! The roles of `deploy/` in the wrong hands: stolen sessions, and templates that reach for more than they should get.
//! No daemon here: the thief calls AWS, as he would.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::{Capability, ChangeSetType, Tag};
use aws_sdk_sts::error::ProvideErrorMetadata;
use landfast::sandbox::aws::SimulatedAws;

use super::deployed::{deploy, member_parameters};
use super::files::ADMINISTRATOR;
use crate::sandbox_aws::{MANAGEMENT, admin, client, held, inside, new_account};

const HOME: &str = "eu-west-1";
const TRUST: &str = r#"{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}"#;
const EMPTY: &str = "Resources: {Nothing: {Type: AWS::CloudFormation::WaitConditionHandle}}";

/// An account with Landfast's roles, and with a strong role, a user and a stack that are not Landfast's.
struct Place {
    aws: SimulatedAws,
    account: String,
}

fn refused<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(answer: Result<T, E>) {
    let error = answer.expect_err("it is refused");
    assert_eq!(error.code(), Some("AccessDenied"), "{error:?}");
}

impl Place {
    async fn new() -> Self {
        let aws = held().await;
        let account = new_account(&aws, "pay").await;
        let place = Self { aws, account };
        let owner = inside(&place.aws, &place.account, HOME).await;
        deploy(&owner, "StackSet-landfast-1", "member.yaml", &member_parameters("true")).await.unwrap();
        let iam = aws_sdk_iam::Client::new(&owner);
        iam.create_role().role_name("Strong").assume_role_policy_document(TRUST).send().await.unwrap();
        iam.attach_role_policy().role_name("Strong").policy_arn(ADMINISTRATOR).send().await.unwrap();
        let anybody = TRUST.replace("\"Service\":\"lambda.amazonaws.com\"", "\"AWS\":\"*\"");
        iam.create_role().role_name("Open").assume_role_policy_document(anybody).send().await.unwrap();
        let cloudformation = aws_sdk_cloudformation::Client::new(&owner);
        cloudformation.create_stack().stack_name("theirs").template_body(EMPTY).send().await.unwrap();
        place.wait();
        place
    }

    fn wait(&self) {
        for _ in 0..6 {
            self.aws.advance(Duration::from_secs(20));
        }
    }

    fn role(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.account)
    }

    fn boundary(&self) -> String {
        format!("arn:aws:iam::{}:policy/LandfastBoundary", self.account)
    }

    /// Whoever has got hold of credentials of this role.
    async fn thief(&self, role: &str) -> SdkConfig {
        let keys = self.aws.role_credentials(&self.account, role).unwrap();
        client(&self.aws, &keys, HOME).await
    }

    /// Makes or updates a stack as Landfast does, and gives the status it ends in and all reasons.
    async fn merge(&self, name: &str, template: &str) -> (String, String) {
        let writer = aws_sdk_cloudformation::Client::new(&self.thief("LandfastWrite").await);
        let is_new = self.aws.stack(&self.account, HOME, name).is_none();
        let change_set = format!("landfast-{name}-{}", template.len());
        let owner = Tag::builder().key("landfast:owner").value("o-exampleorgid").build();
        let call = writer.create_change_set().stack_name(name).change_set_name(&change_set);
        let call = call.change_set_type(if is_new { ChangeSetType::Create } else { ChangeSetType::Update });
        let call = call.template_body(template).tags(owner).capabilities(Capability::CapabilityNamedIam);
        let made = call.role_arn(self.role("LandfastStacks")).send().await.unwrap();
        self.wait();
        writer.execute_change_set().change_set_name(made.id.unwrap()).send().await.unwrap();
        self.wait();
        let reader = aws_sdk_cloudformation::Client::new(&self.thief("LandfastRead").await);
        let events = reader.describe_stack_events().stack_name(name).send().await.unwrap();
        let reasons: Vec<_> =
            events.stack_events().iter().filter_map(|event| event.resource_status_reason.clone()).collect();
        (self.aws.stack(&self.account, HOME, name).unwrap().status, reasons.join("\n"))
    }
}

/// A template with one resource: its type, and its properties as JSON.
fn one(kind: &str, properties: &str) -> String {
    format!("Resources: {{It: {{Type: \"{kind}\", Properties: {properties}}}}}")
}

#[tokio::test]
async fn the_read_role_is_refused_every_write() {
    let place = Place::new().await;
    let thief = place.thief("LandfastRead").await;
    let before = place.aws.mutations().len();
    let iam = aws_sdk_iam::Client::new(&thief);
    refused(iam.update_account_password_policy().minimum_password_length(6).send().await);
    refused(iam.create_account_alias().account_alias("mine").send().await);
    refused(iam.create_role().role_name("Mine").assume_role_policy_document(TRUST).send().await);
    refused(
        iam.put_role_policy()
            .role_name("LandfastRead")
            .policy_name("all")
            .policy_document(TRUST)
            .send()
            .await,
    );
    refused(iam.attach_role_policy().role_name("LandfastRead").policy_arn(ADMINISTRATOR).send().await);
    refused(iam.update_assume_role_policy().role_name("Strong").policy_document(TRUST).send().await);
    refused(iam.delete_role().role_name("Strong").send().await);
    refused(iam.create_policy().policy_name("all").policy_document(TRUST).send().await);
    let cloudformation = aws_sdk_cloudformation::Client::new(&thief);
    refused(cloudformation.create_stack().stack_name("mine").template_body(EMPTY).send().await);
    refused(cloudformation.update_stack().stack_name("theirs").template_body(EMPTY).send().await);
    refused(cloudformation.delete_stack().stack_name("theirs").send().await);
    let change_set = cloudformation.create_change_set().stack_name("theirs").change_set_name("landfast-1");
    refused(change_set.template_body(EMPTY).role_arn(place.role("LandfastStacks")).send().await);
    refused(
        cloudformation.execute_change_set().stack_name("theirs").change_set_name("landfast-1").send().await,
    );
    refused(
        cloudformation.delete_change_set().stack_name("theirs").change_set_name("landfast-1").send().await,
    );
    let protect = cloudformation.update_termination_protection().stack_name("theirs");
    refused(protect.enable_termination_protection(true).send().await);
    let may = |action: &str| place.aws.allows(&place.account, "LandfastRead", action, "*");
    assert!(may("s3:GetBucketPolicy") && !may("s3:GetObject") && !may("s3:PutObject"));
    let asked = place.aws.mutations();
    assert_eq!(asked.len() - before, 15);
    assert!(asked[before..].iter().all(|entry| !entry.acted), "{asked:?}");
}

#[tokio::test]
async fn the_write_role_sets_settings_and_makes_landfasts_stacks_and_nothing_else() {
    let place = Place::new().await;
    let thief = place.thief("LandfastWrite").await;
    let iam = aws_sdk_iam::Client::new(&thief);
    iam.update_account_password_policy().minimum_password_length(14).send().await.unwrap();
    refused(iam.create_role().role_name("Mine").assume_role_policy_document(TRUST).send().await);
    refused(iam.attach_role_policy().role_name("LandfastWrite").policy_arn(ADMINISTRATOR).send().await);
    refused(iam.update_assume_role_policy().role_name("LandfastStacks").policy_document(TRUST).send().await);
    let cloudformation = aws_sdk_cloudformation::Client::new(&thief);
    refused(cloudformation.create_stack().stack_name("mine").template_body(EMPTY).send().await);
    refused(cloudformation.update_stack().stack_name("theirs").template_body(EMPTY).send().await);
    refused(cloudformation.delete_stack().stack_name("theirs").send().await);
    let stacks = place.role("LandfastStacks");
    for (stack, name, role) in [
        ("mine", "landfast-1", None),
        ("mine", "landfast-1", Some(place.role("Strong"))),
        ("mine", "landfast-1", Some(place.role("OrganizationAccountAccessRole"))),
        ("mine", "other-1", Some(stacks.clone())),
        ("StackSet-landfast-1", "landfast-1", Some(stacks.clone())),
    ] {
        let call = cloudformation.create_change_set().stack_name(stack).change_set_name(name);
        let call = call.change_set_type(ChangeSetType::Create).template_body(EMPTY).set_role_arn(role);
        refused(call.send().await);
    }
    assert_eq!(place.merge("mine", EMPTY).await.0, "CREATE_COMPLETE");
    cloudformation.delete_stack().stack_name("mine").send().await.unwrap();

    let owner = aws_sdk_cloudformation::Client::new(&inside(&place.aws, &place.account, HOME).await);
    let call = owner.create_change_set().stack_name("late").change_set_name("by-hand");
    call.change_set_type(ChangeSetType::Create).template_body(EMPTY).send().await.unwrap();
    place.wait();
    refused(cloudformation.execute_change_set().stack_name("late").change_set_name("by-hand").send().await);
}

#[tokio::test]
async fn a_template_gives_nobody_more_than_templates_may_have() {
    let place = Place::new().await;
    let (bound, admin) = (place.boundary(), ADMINISTRATOR);
    let role = |more: &str| one("AWS::IAM::Role", &format!("{{AssumeRolePolicyDocument: {TRUST}{more}}}"));
    let policy = |role: &str| {
        let document = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        one("AWS::IAM::Policy", &format!("{{PolicyName: p, PolicyDocument: {document}, Roles: [{role}]}}"))
    };
    let user = |more: &str| one("AWS::IAM::User", &format!("{{UserName: mallory{more}}}"));
    let function = |role: &str| {
        let role = place.role(role);
        one("AWS::Lambda::Function", &format!("{{FunctionName: f, Role: \"{role}\"}}"))
    };
    let cases = [
        ("a role without a boundary", role("")),
        ("a role within another boundary", role(&format!(", PermissionsBoundary: \"{admin}\""))),
        (
            "a role of Landfast's",
            role(&format!(", RoleName: LandfastMine, PermissionsBoundary: \"{bound}\"")),
        ),
        ("more for the writing role", policy("LandfastWrite")),
        ("more for the reading role", policy("LandfastRead")),
        ("more for the service role", policy("LandfastStacks")),
        ("more for a role of others", policy("Strong")),
        (
            "a managed policy for a role of others",
            policy("Strong").replace("IAM::Policy", "IAM::ManagedPolicy"),
        ),
        ("a user without a boundary", user("")),
        (
            "a user with a password",
            user(&format!(", LoginProfile: {{Password: x}}, PermissionsBoundary: \"{bound}\"")),
        ),
        ("a user in a group", user(&format!(", Groups: [admins], PermissionsBoundary: \"{bound}\""))),
        ("keys of a user", one("AWS::IAM::AccessKey", "{UserName: alice}")),
        ("a function as the service role", function("LandfastStacks")),
        ("a function as the way in", function("OrganizationAccountAccessRole")),
        (
            "a machine as the way in",
            one("AWS::IAM::InstanceProfile", "{Roles: [OrganizationAccountAccessRole]}"),
        ),
    ];
    let before = place.aws.roles(&place.account);
    for (nth, (what, template)) in cases.iter().enumerate() {
        let (status, reasons) = place.merge(&format!("case{nth}"), template).await;
        assert_eq!(status, "ROLLBACK_COMPLETE", "{what}: {reasons}");
        assert!(reasons.contains("with an explicit deny"), "{what}: {reasons}");
    }
    assert_eq!(place.aws.roles(&place.account), before);

    let may =
        |action: &str, resource: &str| place.aws.allows(&place.account, "LandfastStacks", action, resource);
    assert!(may("s3:CreateBucket", "*") && !may("organizations:LeaveOrganization", "*"));
    let stack = |name: &str| format!("arn:aws:cloudformation:{HOME}:{}:stack/{name}/1", place.account);
    assert!(may("cloudformation:DeleteStack", &stack("nested")));
    assert!(!may("cloudformation:DeleteStack", &stack("StackSet-landfast-1")));

    let bounded = role(&format!(
        ", RoleName: Worker, PermissionsBoundary: \"{bound}\", ManagedPolicyArns: [\"{admin}\"]"
    ));
    assert_eq!(place.merge("good", &bounded).await.0, "CREATE_COMPLETE");
    let unbounded = role(&format!(", RoleName: Worker, ManagedPolicyArns: [\"{admin}\"]"));
    let (status, reasons) = place.merge("good", &unbounded).await;
    assert_eq!(status, "UPDATE_ROLLBACK_COMPLETE", "{reasons}");
    assert_eq!(place.aws.roles(&place.account)["Worker"].boundary.as_ref(), Some(&bound));
}

#[tokio::test]
async fn what_a_template_made_cannot_do_for_it_what_it_may_not() {
    let place = Place::new().await;
    let bound = place.boundary();
    let properties = format!(
        "{{RoleName: Worker, AssumeRolePolicyDocument: {TRUST}, ManagedPolicyArns: [\"{ADMINISTRATOR}\"], \
         PermissionsBoundary: \"{bound}\"}}"
    );
    assert_eq!(place.merge("good", &one("AWS::IAM::Role", &properties)).await.0, "CREATE_COMPLETE");
    let worker = place.thief("Worker").await;
    let iam = aws_sdk_iam::Client::new(&worker);
    iam.list_account_aliases().send().await.expect("looking is fine");
    let create = iam.create_role().role_name("Mine").assume_role_policy_document(TRUST);
    refused(create.permissions_boundary(&bound).send().await);
    refused(iam.delete_role_permissions_boundary().role_name("Worker").send().await);
    refused(iam.update_assume_role_policy().role_name("Strong").policy_document(TRUST).send().await);
    refused(iam.create_policy_version().policy_arn(&bound).policy_document(TRUST).send().await);
    let cloudformation = aws_sdk_cloudformation::Client::new(&worker);
    cloudformation.create_stack().stack_name("own").template_body(EMPTY).send().await.expect("as itself");
    let lent = cloudformation.create_stack().stack_name("lent").template_body(EMPTY);
    refused(lent.role_arn(place.role("LandfastStacks")).send().await);
    let error =
        cloudformation.update_stack().stack_name("good").template_body(EMPTY).send().await.unwrap_err();
    assert!(error.message().unwrap().contains("to perform: cloudformation:UpdateStack"), "{error:?}");
    refused(cloudformation.delete_stack().stack_name("StackSet-landfast-1").send().await);
    let sts = aws_sdk_sts::Client::new(&worker);
    refused(sts.assume_role().role_arn(place.role("Open")).role_session_name("worker").send().await);
    let may = |action: &str, resource: &str| place.aws.allows(&place.account, "Worker", action, resource);
    assert!(
        may("sts:AssumeRole", "arn:aws:iam::444455556666:role/Theirs"),
        "what others let it do, it may do"
    );
    for role in ["LandfastManagement", "LandfastWrite", "OrganizationAccountAccessRole", "stacksets-exec-1"] {
        assert!(!may("sts:AssumeRole", &format!("arn:aws:iam::444455556666:role/{role}")), "{role}");
    }
    assert!(may("s3:PutObject", "*") && !may("organizations:LeaveOrganization", "*"));
}

#[tokio::test]
async fn nobody_but_the_daemon_enters_and_it_enters_nothing_else() {
    let place = Place::new().await;
    let operator = admin(&place.aws).await;
    let given =
        [("OrganizationId", "o-exampleorgid"), ("ManagementAccountId", MANAGEMENT), ("Writes", "true")];
    deploy(&operator, "landfast-daemon", "daemon.yaml", &given).await.unwrap();
    place.wait();
    let keys = place.aws.role_credentials(MANAGEMENT, "LandfastDaemon").unwrap();
    let daemon = aws_sdk_sts::Client::new(&client(&place.aws, &keys, HOME).await);
    let enter = |sts: &aws_sdk_sts::Client, role: &str| {
        sts.assume_role().role_arn(place.role(role)).role_session_name("landfast-read")
    };
    for role in ["LandfastRead", "LandfastWrite"] {
        enter(&daemon, role).external_id("acme-landfast").send().await.expect("the daemon enters");
        refused(enter(&daemon, role).send().await);
        refused(enter(&daemon, role).external_id("somebody-else").send().await);
        for other in [&operator, &inside(&place.aws, &place.account, HOME).await] {
            let other = aws_sdk_sts::Client::new(other);
            refused(enter(&other, role).external_id("acme-landfast").send().await);
        }
    }
    for role in ["LandfastStacks", "OrganizationAccountAccessRole", "Strong"] {
        refused(enter(&daemon, role).external_id("acme-landfast").send().await);
    }
    let iam = aws_sdk_iam::Client::new(&client(&place.aws, &keys, HOME).await);
    refused(iam.list_roles().send().await);
}

#[tokio::test]
async fn policies_are_as_short_as_iam_wants_them() {
    let place = Place::new().await;
    let length = |document: &serde_json::Value| document.to_string().len();
    for (name, role) in place.aws.roles(&place.account) {
        assert!(role.inline.values().map(length).sum::<usize>() <= 10_240, "{name}");
        assert!(length(&role.trust) <= 2048, "{name}");
    }
    assert!(length(&place.aws.policy(&place.account, &place.boundary()).unwrap()) <= 6144);
}
