//! `CloudFormation`: the life of change sets and stacks, and what is refused.

use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::operation::create_change_set::builders::CreateChangeSetFluentBuilder;
use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{Capability, ChangeSetType, Parameter, Tag};
use landfast::sandbox::aws::{Config, Pace, SimulatedAws};

use super::{held, inside, new_account};

pub(crate) const REGION: &str = "eu-west-1";

/// A role and a topic; the role is named by a parameter.
pub(crate) const TEMPLATE: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Group: {Type: String, Default: AWS-NetOps}
  Secret: {Type: String, Default: hush, NoEcho: true}
Conditions:
  HasGroup: !Not [!Equals [!Ref Group, ""]]
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Sub "alerts of ${AWS::AccountId}"}
  Role:
    Type: AWS::IAM::Role
    Condition: HasGroup
    Properties:
      RoleName: !Ref Group
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: "sts:AssumeRole", Principal: {AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
Outputs:
  RoleArn: {Value: !GetAtt Role.Arn}
  TopicName: {Value: !GetAtt Topic.TopicName, Export: {Name: alerts}}
"#;

pub(crate) struct Place {
    pub(crate) aws: SimulatedAws,
    pub(crate) account: String,
    pub(crate) client: Client,
}

pub(crate) async fn place() -> Place {
    let aws = held().await;
    let account = new_account(&aws, "pay").await;
    let client = Client::new(&inside(&aws, &account, REGION).await);
    Place { aws, account, client }
}

impl Place {
    pub(crate) fn change_set(
        &self,
        name: &str,
        kind: ChangeSetType,
        template: &str,
    ) -> CreateChangeSetFluentBuilder {
        let owner = Tag::builder().key("landfast:owner").value("acme").build();
        let set =
            self.client.create_change_set().stack_name("roles").change_set_name(name).change_set_type(kind);
        set.template_body(template).capabilities(Capability::CapabilityNamedIam).tags(owner)
    }

    pub(crate) async fn described(&self, name: &str) -> DescribeChangeSetOutput {
        let describe = self.client.describe_change_set().stack_name("roles").change_set_name(name);
        describe.send().await.unwrap()
    }

    /// Sends a change set, waits for it, executes it, waits for the stack.
    pub(crate) async fn apply(&self, set: CreateChangeSetFluentBuilder) {
        let token = format!("token-{}", set.get_change_set_name().as_deref().unwrap());
        let id = set.send().await.unwrap().id.unwrap();
        self.aws.advance(Duration::from_secs(3));
        self.client
            .execute_change_set()
            .change_set_name(id)
            .client_request_token(token)
            .send()
            .await
            .unwrap();
        self.aws.advance(Duration::from_mins(1));
    }

    pub(crate) fn status(&self) -> String {
        self.aws.stack(&self.account, REGION, "roles").unwrap().status
    }

    async fn statuses(&self) -> Vec<String> {
        let events = self.client.describe_stack_events().stack_name("roles").send().await.unwrap();
        let events = events.stack_events.unwrap_or_default();
        let own = events.iter().rev().filter(|event| event.logical_resource_id() == Some("roles"));
        own.map(|event| event.resource_status().unwrap().as_str().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_stack_is_made_by_a_change_set_and_its_role_is_the_accounts_own() {
    let place = place().await;
    let absent = place.client.describe_stacks().stack_name("roles").send().await.unwrap_err();
    assert_eq!(
        (absent.code(), absent.message()),
        (Some("ValidationError"), Some("Stack with id roles does not exist"))
    );

    let made = place.change_set("one", ChangeSetType::Create, TEMPLATE).send().await.unwrap();
    assert_eq!(place.described("one").await.status.unwrap().as_str(), "CREATE_PENDING");
    assert_eq!(place.status(), "REVIEW_IN_PROGRESS");
    place.aws.advance(Duration::from_secs(3));
    let described = place.described("one").await;
    assert_eq!(described.execution_status().unwrap().as_str(), "AVAILABLE");
    let added: Vec<_> =
        described.changes().iter().filter_map(|c| c.resource_change()?.logical_resource_id()).collect();
    assert_eq!(added, ["Role", "Topic"]);

    let execute =
        || place.client.execute_change_set().change_set_name(made.id().unwrap()).client_request_token("t");
    execute().send().await.unwrap();
    assert_eq!(place.status(), "CREATE_IN_PROGRESS");
    assert_eq!(execute().send().await.unwrap_err().code(), Some("InvalidChangeSetStatus"));
    place.aws.advance(Duration::from_secs(20));
    assert_eq!(place.status(), "CREATE_COMPLETE");
    assert_eq!(place.statuses().await, ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]);

    let stack = place.client.describe_stacks().stack_name(made.stack_id().unwrap()).send().await.unwrap();
    let stack = &stack.stacks()[0];
    assert_eq!(stack.change_set_id(), made.id());
    let secret = stack.parameters().iter().find(|p| p.parameter_key() == Some("Secret")).unwrap();
    assert_eq!(secret.parameter_value(), Some("****"));
    let role = &place.aws.roles(&place.account)["AWS-NetOps"];
    assert_eq!(role.attached, ["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
    assert_eq!(role.tags["landfast:owner"], "acme", "tags of the stack are tags of its resources");
    assert_eq!(place.aws.stack(&place.account, REGION, "roles").unwrap().outputs["RoleArn"], role.arn);
    let template = place.client.get_template().stack_name("roles").send().await.unwrap();
    assert_eq!(template.template_body(), Some(TEMPLATE));
}

#[tokio::test]
async fn a_change_set_without_changes_fails_and_says_so() {
    let place = place().await;
    place.apply(place.change_set("one", ChangeSetType::Create, TEMPLATE)).await;
    place.change_set("two", ChangeSetType::Update, TEMPLATE).send().await.unwrap();
    place.aws.advance(Duration::from_secs(3));
    let described = place.described("two").await;
    assert_eq!(described.status().unwrap().as_str(), "FAILED");
    assert!(
        described.status_reason().unwrap().starts_with("The submitted information didn't contain changes.")
    );
    let refused = place.client.execute_change_set().stack_name("roles").change_set_name("two").send().await;
    assert_eq!(refused.unwrap_err().code(), Some("InvalidChangeSetStatus"));
}

#[tokio::test]
async fn an_update_changes_what_differs_and_makes_other_change_sets_obsolete() {
    let place = place().await;
    place.apply(place.change_set("one", ChangeSetType::Create, TEMPLATE)).await;
    let wider = TEMPLATE.replace("policy/ReadOnlyAccess", "policy/PowerUserAccess");
    place.change_set("two", ChangeSetType::Update, &wider).send().await.unwrap();
    place.change_set("three", ChangeSetType::Update, &wider).send().await.unwrap();
    place.aws.advance(Duration::from_secs(3));
    let described = place.described("two").await;
    let change = described.changes()[0].resource_change().unwrap();
    assert_eq!((described.changes().len(), change.action().unwrap().as_str()), (1, "Modify"));
    assert_eq!(change.details()[0].target().unwrap().name(), Some("ManagedPolicyArns"));

    place.client.execute_change_set().stack_name("roles").change_set_name("two").send().await.unwrap();
    assert_eq!(place.described("three").await.execution_status().unwrap().as_str(), "OBSOLETE");
    let busy = place.change_set("four", ChangeSetType::Update, TEMPLATE).send().await.unwrap_err();
    assert!(busy.message().unwrap().ends_with("is in UPDATE_IN_PROGRESS state and can not be updated."));
    place.aws.advance(Duration::from_mins(1));
    let ends = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"];
    assert_eq!(place.statuses().await[3..], ends);
    assert_eq!(
        place.aws.roles(&place.account)["AWS-NetOps"].attached,
        ["arn:aws:iam::aws:policy/PowerUserAccess"]
    );
}

#[tokio::test]
async fn a_creation_that_meets_a_role_of_that_name_rolls_back_and_leaves_it() {
    let place = place().await;
    let iam = aws_sdk_iam::Client::new(&inside(&place.aws, &place.account, "us-east-1").await);
    let trust = r#"{"Statement":[]}"#;
    iam.create_role().role_name("AWS-NetOps").assume_role_policy_document(trust).send().await.unwrap();
    place.apply(place.change_set("one", ChangeSetType::Create, TEMPLATE)).await;
    assert_eq!(place.status(), "ROLLBACK_COMPLETE");
    assert_eq!(place.aws.roles(&place.account)["AWS-NetOps"].trust, serde_json::json!({"Statement": []}));
    assert_eq!(place.aws.stack(&place.account, REGION, "roles").unwrap().resources.len(), 0);
    let refused = place.change_set("two", ChangeSetType::Update, TEMPLATE).send().await.unwrap_err();
    assert!(refused.message().unwrap().ends_with("is in ROLLBACK_COMPLETE state and can not be updated."));
    let again = place.change_set("two", ChangeSetType::Create, TEMPLATE).send().await.unwrap_err();
    assert!(
        again
            .message()
            .unwrap()
            .contains("already exists and cannot be created again with the changeSet [two]")
    );
}

#[tokio::test]
async fn an_update_that_fails_puts_everything_back() {
    let place = place().await;
    place.apply(place.change_set("one", ChangeSetType::Create, TEMPLATE)).await;
    let before = place.aws.roles(&place.account)["AWS-NetOps"].clone();
    let changed =
        TEMPLATE.replace("policy/ReadOnlyAccess", "policy/PowerUserAccess").replace("alerts of", "news of");
    place.aws.fail_resource(&place.account, REGION, "Topic", "Resource limit exceeded");
    place.apply(place.change_set("two", ChangeSetType::Update, &changed).client_token("c")).await;
    assert_eq!(place.status(), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(place.aws.roles(&place.account)["AWS-NetOps"], before);
    assert_eq!(place.aws.stack(&place.account, REGION, "roles").unwrap().template, TEMPLATE);
    let ends = [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ];
    assert_eq!(place.statuses().await[3..], ends);
    let described = place.described("two").await;
    assert_eq!(described.execution_status().unwrap().as_str(), "EXECUTE_FAILED");

    place.aws.fail_resource(&place.account, REGION, "Topic", "Resource limit exceeded");
    place.aws.fail_rollback(&place.account, REGION, "roles");
    place.change_set("three", ChangeSetType::Update, &changed).send().await.unwrap();
    place.aws.advance(Duration::from_secs(3));
    place.client.execute_change_set().stack_name("roles").change_set_name("three").send().await.unwrap();
    place.aws.advance(Duration::from_mins(1));
    assert_eq!(place.status(), "UPDATE_ROLLBACK_FAILED");
}

#[tokio::test]
async fn a_change_set_is_made_once_for_one_token_and_never_twice_for_one_name() {
    let place = place().await;
    let make =
        |token: &str| place.change_set("one", ChangeSetType::Create, TEMPLATE).client_token(token).send();
    let (first, again) = (make("a").await.unwrap(), make("a").await.unwrap());
    assert_eq!(first.id(), again.id());
    let other = make("b").await.unwrap_err();
    assert_eq!(other.code(), Some("AlreadyExistsException"));
    assert!(other.message().unwrap().contains("mismatch with existing attribute ClientToken"));
    assert_eq!(place.aws.mutations().iter().filter(|entry| entry.operation == "CreateChangeSet").count(), 3);
}

#[tokio::test]
async fn what_is_not_a_stack_is_refused_in_awss_words() {
    let place = place().await;
    let role_only =
        |with: &str| format!("Resources: {{R: {{Type: 'AWS::IAM::Role', Properties: {{{with}}}}}}}");
    let cases = [
        ("Resources: {", "ValidationError", "Template format error: YAML not well-formed."),
        (
            "Parameters: {}",
            "ValidationError",
            "Template format error: At least one Resources member must be defined.",
        ),
        (
            "Resources: {A: {Type: 'AWS::No::Such'}}",
            "ValidationError",
            "Template format error: Unrecognized resource types: [AWS::No::Such]",
        ),
        (
            "Resources: {A: {Type: 'AWS::SNS::Topic', Properties: {TopicName: !Ref B}}}",
            "ValidationError",
            "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
        ),
        (
            "Parameters: {P: {Type: String}}\nResources: {A: {Type: 'AWS::SNS::Topic'}}",
            "ValidationError",
            "Parameters: [P] must have values",
        ),
    ];
    for (template, code, message) in cases {
        let refused = place.change_set("one", ChangeSetType::Create, template).send().await.unwrap_err();
        assert_eq!(refused.code(), Some(code), "{template}");
        assert!(refused.message().unwrap().starts_with(message), "{:?}", refused.message());
    }
    let stranger = Parameter::builder().parameter_key("Nobody").parameter_value("x").build();
    let refused = place
        .change_set("one", ChangeSetType::Create, TEMPLATE)
        .parameters(stranger)
        .send()
        .await
        .unwrap_err();
    assert_eq!(refused.message(), Some("Parameters: [Nobody] do not exist in the template"));
    for (template, needed) in
        [(role_only("Path: /"), "CAPABILITY_IAM"), (role_only("RoleName: x"), "CAPABILITY_NAMED_IAM")]
    {
        let set = place
            .client
            .create_change_set()
            .stack_name("roles")
            .change_set_name("one")
            .change_set_type(ChangeSetType::Create);
        let refused = set.template_body(template).send().await.unwrap_err();
        assert_eq!(refused.code(), Some("InsufficientCapabilitiesException"));
        assert_eq!(refused.message().unwrap(), format!("Requires capabilities : [{needed}]"));
    }
    let refused = place.change_set("one", ChangeSetType::Update, TEMPLATE).send().await.unwrap_err();
    assert_eq!(refused.message(), Some("Stack [roles] does not exist"));
}

#[tokio::test]
async fn a_denied_action_fails_the_resource_and_rolls_the_stack_back() {
    let place = place().await;
    place.aws.deny(&place.account, &["iam:CreateRole"]);
    place.apply(place.change_set("one", ChangeSetType::Create, TEMPLATE)).await;
    assert_eq!(place.status(), "ROLLBACK_COMPLETE");
    let events = place.client.describe_stack_events().stack_name("roles").send().await.unwrap();
    let failed = events
        .stack_events()
        .iter()
        .find(|e| e.resource_status().unwrap().as_str() == "CREATE_FAILED")
        .unwrap();
    assert!(failed.resource_status_reason().unwrap().contains("service control policy"));
    assert_eq!(failed.client_request_token(), Some("token-one"));
}

#[tokio::test]
async fn a_deleted_stack_is_gone_by_name_and_its_resources_too() {
    let place = place().await;
    place.apply(place.change_set("one", ChangeSetType::Create, TEMPLATE)).await;
    let id = place.aws.stack(&place.account, REGION, "roles").unwrap().id;
    place.client.delete_stack().stack_name("roles").send().await.unwrap();
    assert_eq!(place.status(), "DELETE_IN_PROGRESS");
    place.aws.advance(Duration::from_secs(20));
    assert_eq!(place.aws.stack(&place.account, REGION, "roles"), None);
    assert!(!place.aws.roles(&place.account).contains_key("AWS-NetOps"));
    let by_id = place.client.describe_stacks().stack_name(id).send().await.unwrap();
    assert_eq!(by_id.stacks()[0].stack_status().unwrap().as_str(), "DELETE_COMPLETE");
    assert_eq!(place.client.describe_stacks().send().await.unwrap().stacks().len(), 0);
}

#[tokio::test]
async fn stacks_of_another_account_or_region_are_not_seen() {
    let place = place().await;
    place.apply(place.change_set("one", ChangeSetType::Create, TEMPLATE)).await;
    let other = new_account(&place.aws, "other").await;
    for (account, region) in [(&place.account, "us-east-1"), (&other, REGION)] {
        let client = Client::new(&inside(&place.aws, account, region).await);
        assert_eq!(client.describe_stacks().send().await.unwrap().stacks().len(), 0);
    }
}

#[tokio::test]
async fn a_role_with_a_new_name_is_a_new_role_and_the_old_one_goes_last() {
    let place = place().await;
    place.apply(place.change_set("one", ChangeSetType::Create, TEMPLATE)).await;
    let renamed = Parameter::builder().parameter_key("Group").parameter_value("AWS-Ops").build();
    let kept = Parameter::builder().parameter_key("Secret").use_previous_value(true).build();
    let set = place.change_set("two", ChangeSetType::Update, TEMPLATE).parameters(renamed).parameters(kept);
    set.send().await.unwrap();
    place.aws.advance(Duration::from_secs(3));
    let described = place.described("two").await;
    let change = described.changes()[0].resource_change().unwrap();
    assert_eq!(change.replacement().unwrap().as_str(), "True");
    place.client.execute_change_set().stack_name("roles").change_set_name("two").send().await.unwrap();
    place.aws.advance(Duration::from_secs(10));
    let names = || place.aws.roles(&place.account).into_keys().collect::<Vec<_>>();
    assert_eq!(names(), ["AWS-NetOps", "AWS-Ops", "OrganizationAccountAccessRole"]);
    place.aws.advance(Duration::from_mins(1));
    assert_eq!(names(), ["AWS-Ops", "OrganizationAccountAccessRole"]);
    assert_eq!(place.aws.stack(&place.account, REGION, "roles").unwrap().resources["Role"].1, "AWS-Ops");
}

#[tokio::test]
async fn a_resource_no_longer_in_the_template_is_removed_and_the_change_set_says_so() {
    let place = place().await;
    place.apply(place.change_set("one", ChangeSetType::Create, TEMPLATE)).await;
    let none = Parameter::builder().parameter_key("Group").parameter_value("").build();
    let without = TEMPLATE.replace("RoleArn: {Value: !GetAtt Role.Arn}", "");
    place.change_set("two", ChangeSetType::Update, &without).parameters(none).send().await.unwrap();
    place.aws.advance(Duration::from_secs(3));
    let described = place.described("two").await;
    let change = described.changes()[0].resource_change().unwrap();
    assert_eq!(
        (change.action().unwrap().as_str(), change.policy_action().unwrap().as_str()),
        ("Remove", "Delete")
    );
    place.client.execute_change_set().stack_name("roles").change_set_name("two").send().await.unwrap();
    place.aws.advance(Duration::from_mins(1));
    assert_eq!(place.status(), "UPDATE_COMPLETE");
    assert!(!place.aws.roles(&place.account).contains_key("AWS-NetOps"));
}

#[tokio::test]
async fn a_long_change_set_comes_in_pages() {
    let aws =
        SimulatedAws::start(Config { pace: Pace::Held, change_page: 1, ..Config::default() }).await.unwrap();
    let account = new_account(&aws, "pay").await;
    let client = Client::new(&inside(&aws, &account, REGION).await);
    let place = Place { aws, account, client };
    place.change_set("one", ChangeSetType::Create, TEMPLATE).send().await.unwrap();
    place.aws.advance(Duration::from_secs(3));
    let first = place.described("one").await;
    assert_eq!(first.changes().len(), 1);
    let describe = place.client.describe_change_set().stack_name("roles").change_set_name("one");
    let second = describe.next_token(first.next_token().unwrap()).send().await.unwrap();
    assert_eq!((second.changes().len(), second.next_token()), (1, None));
}

#[tokio::test]
async fn services_of_a_fresh_account_may_need_longer_than_its_role() {
    let config = Config { pace: Pace::Held, services_ready: Duration::from_secs(30), ..Config::default() };
    let aws = SimulatedAws::start(config).await.unwrap();
    let account = new_account(&aws, "pay").await;
    let client = Client::new(&inside(&aws, &account, REGION).await);
    assert_eq!(client.describe_stacks().send().await.unwrap_err().code(), Some("OptInRequired"));
    aws.advance(Duration::from_secs(20));
    assert!(client.describe_stacks().send().await.is_ok());
}

#[tokio::test]
async fn a_running_clock_needs_no_hand_and_is_as_fast_as_asked() {
    let aws = SimulatedAws::start(Config { pace: Pace::Running(600.0), ..Config::default() }).await.unwrap();
    let organizations = aws_sdk_organizations::Client::new(&super::admin(&aws).await);
    organizations.create_account().account_name("pay").email("aws+pay@example.com").send().await.unwrap();
    assert!(aws.account_by_email("aws+pay@example.com").is_none());
    let begun = tokio::time::Instant::now();
    while aws.account_by_email("aws+pay@example.com").is_none() {
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "60 s at 600 times the speed are a tenth of a second"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(begun.elapsed() > Duration::from_millis(50));
}

#[tokio::test]
async fn intrinsic_functions_mean_what_they_mean_on_aws() {
    let place = place().await;
    place.apply(place.change_set("one", ChangeSetType::Create, TEMPLATE)).await;
    let template = r#"
Parameters: {Zones: {Type: CommaDelimitedList, Default: "a,b"}, Prod: {Type: String, Default: "yes"}}
Mappings: {Sizes: {big: {cidr: 10.0.0.0/16}}}
Conditions:
  IsProd: !Equals [!Ref Prod, "yes"]
  IsTest: !Not [!Condition IsProd]
Resources:
  Vpc: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: !FindInMap [Sizes, big, cidr], EnableDnsSupport: !If [IsTest, true, !Ref "AWS::NoValue"]}}
  Extra: {Type: "AWS::SNS::Topic", Condition: IsTest}
  Subnet: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}
Outputs:
  Joined: {Value: !Join ["-", [!Select [1, !Ref Zones], !Select [0, !Split ["/", !GetAtt Vpc.CidrBlock]]]]}
  Sub: {Value: !Sub ["${x}/${!raw}/${Vpc.VpcId}/${AWS::Region}", {x: !If [IsProd, p, t]}]}
  Imported: {Value: !ImportValue alerts}
"#;
    let client = &place.client;
    client.create_stack().stack_name("net").template_body(template).send().await.unwrap();
    place.aws.advance(Duration::from_secs(20));
    let stack = place.aws.stack(&place.account, REGION, "net").unwrap();
    assert_eq!(stack.status, "CREATE_COMPLETE");
    let vpc = &stack.resources["Vpc"].1;
    assert_eq!(stack.outputs["Joined"], "b-10.0.0.0");
    assert_eq!(stack.outputs["Sub"], format!("p/${{raw}}/{vpc}/{REGION}"));
    assert!(stack.outputs["Imported"].starts_with("roles-Topic-"));
    assert!(!stack.resources.contains_key("Extra"));
    let live = place.aws.resource(&place.account, REGION, "AWS::EC2::VPC", vpc).unwrap();
    assert_eq!(live, serde_json::json!({"CidrBlock": "10.0.0.0/16"}));

    let missing = template.replace("!ImportValue alerts", "!ImportValue nothing");
    client.create_stack().stack_name("bad").template_body(missing).send().await.unwrap();
    place.aws.advance(Duration::from_mins(1));
    assert_eq!(place.aws.stack(&place.account, REGION, "bad").unwrap().status, "ROLLBACK_COMPLETE");
    let unchanged = client.update_stack().stack_name("net").template_body(template).send().await.unwrap_err();
    assert_eq!(unchanged.message(), Some("No updates are to be performed."));
}
