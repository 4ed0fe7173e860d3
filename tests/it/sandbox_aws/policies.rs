//! Organizations: policies, what they hang on, and what service control policies do to accounts.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_organizations::operation::describe_policy::DescribePolicyOutput;
use aws_sdk_organizations::operation::list_policies::ListPoliciesOutput;
use aws_sdk_organizations::types::{PolicyType, Tag};
use landfast::sandbox::aws::{Calls, Config, Fault, Pace, SimulatedAws, Trouble, When};

use super::{MANAGEMENT, admin, client, held, inside, inside_as, new_account};

const SCP: PolicyType = PolicyType::ServiceControlPolicy;
const DENY_LEAVING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"organizations:LeaveOrganization","Resource":"*"}]}"#;
const DENY_IAM: &str = r#"{"Statement":{"Effect":"Deny","Action":["iam:List*"],"Resource":"*","Condition":{"StringNotLike":{"aws:PrincipalArn":"*/Breakglass"}}}}"#;

struct Place {
    aws: SimulatedAws,
    client: Client,
    root: String,
}

impl Place {
    async fn new() -> Self {
        let aws = held().await;
        let client = Client::new(&admin(&aws).await);
        let root = aws.root_id();
        Self { aws, client, root }
    }

    /// With service control policies enabled.
    async fn enabled() -> Self {
        let place = Self::new().await;
        place.enable(SCP).await.unwrap();
        place.aws.advance(Duration::from_secs(5));
        place
    }

    async fn enable(&self, kind: PolicyType) -> Result<String, String> {
        let call = self.client.enable_policy_type().root_id(&self.root).policy_type(kind);
        let root = call.send().await.map_err(|e| code(&e))?.root.unwrap();
        let types = root.policy_types().iter();
        Ok(types.map(|t| t.status().unwrap().as_str()).collect::<Vec<_>>().join(","))
    }

    async fn create(&self, kind: PolicyType, name: &str, content: &str) -> Result<String, String> {
        let tag = Tag::builder().key("landfast:owner").value("acme").build().unwrap();
        let call = self.client.create_policy().r#type(kind).name(name).content(content).description("");
        let made = call.tags(tag).send().await.map_err(|e| code(&e))?;
        Ok(made.policy.unwrap().policy_summary.unwrap().id.unwrap())
    }

    async fn attach(&self, policy: &str, target: &str) -> Result<(), String> {
        let call = self.client.attach_policy().policy_id(policy).target_id(target);
        call.send().await.map(drop).map_err(|e| code(&e))
    }

    async fn detach(&self, policy: &str, target: &str) -> Result<(), String> {
        let call = self.client.detach_policy().policy_id(policy).target_id(target);
        call.send().await.map(drop).map_err(|e| code(&e))
    }

    async fn delete(&self, policy: &str) -> Result<(), String> {
        self.client.delete_policy().policy_id(policy).send().await.map(drop).map_err(|e| code(&e))
    }

    async fn update(&self, policy: &str, content: &str) -> Result<(), String> {
        let call = self.client.update_policy().policy_id(policy).content(content);
        call.send().await.map(drop).map_err(|e| code(&e))
    }

    async fn described(&self, policy: &str) -> Result<DescribePolicyOutput, String> {
        self.client.describe_policy().policy_id(policy).send().await.map_err(|e| code(&e))
    }

    /// Ids of the service control policies on a target.
    async fn on(&self, target: &str) -> BTreeSet<String> {
        let answer =
            self.client.list_policies_for_target().target_id(target).filter(SCP).send().await.unwrap();
        answer.policies().iter().map(|policy| policy.id().unwrap().to_owned()).collect()
    }

    async fn ou(&self, name: &str, parent: &str) -> String {
        let call = self.client.create_organizational_unit().name(name).parent_id(parent);
        call.send().await.unwrap().organizational_unit.unwrap().id.unwrap()
    }

    async fn statuses(&self) -> Vec<String> {
        let answer = self.client.list_roots().send().await.unwrap();
        let types = answer.roots()[0].policy_types().iter();
        types.map(|t| format!("{} {}", t.r#type().unwrap(), t.status().unwrap())).collect()
    }
}

/// The code, with the reason if there is one.
fn code<E: ProvideErrorMetadata + std::fmt::Debug>(error: &SdkError<E>) -> String {
    let code = error.code().unwrap_or("none").to_owned();
    let body = format!("{error:?}");
    let mut reasons = [
        "LIMIT_EXCEEDED",
        "MIN_LENGTH_EXCEEDED",
        "IMMUTABLE_POLICY",
        "NON_DETACHABLE_POLICY",
        "INVALID_ENUM_POLICY_TYPE",
        "INPUT_REQUIRED",
    ]
    .into_iter();
    let words = || body.split(|c: char| !(c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit()));
    let found = reasons.find_map(|reason| words().find(|word| word.ends_with(reason)));
    found.map_or_else(|| code.clone(), |reason| format!("{code} {reason}"))
}

fn err<T>(text: &str) -> Result<T, String> {
    Err(text.to_owned())
}

fn ids(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[tokio::test]
async fn a_type_is_enabled_a_while_after_it_was_asked_for_and_then_everything_has_full_access() {
    let place = Place::new().await;
    let workloads = place.ou("workloads", &place.root).await;
    let account = new_account(&place.aws, "payments").await;
    assert_eq!(place.statuses().await, [""; 0]);
    assert!(place.on(&place.root).await.is_empty());

    assert_eq!(place.enable(SCP).await, Ok("PENDING_ENABLE".to_owned()));
    assert_eq!(place.enable(SCP).await, err("PolicyChangesInProgressException"));
    let policy = place.create(SCP, "deny-leaving", DENY_LEAVING).await.unwrap();
    assert_eq!(place.attach(&policy, &place.root).await, err("PolicyTypeNotEnabledException"));
    place.aws.advance(Duration::from_secs(4));
    assert_eq!(place.statuses().await, ["SERVICE_CONTROL_POLICY PENDING_ENABLE"]);

    place.aws.advance(Duration::from_secs(1));
    assert_eq!(place.statuses().await, ["SERVICE_CONTROL_POLICY ENABLED"]);
    assert_eq!(place.enable(SCP).await, err("PolicyTypeAlreadyEnabledException"));
    let later = place.ou("sandbox", &workloads).await;
    let newer = new_account(&place.aws, "newer").await;
    for target in [&place.root, &workloads, &account, &MANAGEMENT.to_owned(), &later, &newer] {
        assert_eq!(place.on(target).await, ids(&["p-FullAWSAccess"]), "{target}");
    }
    let everywhere = place.aws.policy_named("FullAWSAccess").unwrap().targets;
    assert_eq!(everywhere.len(), 6);
}

#[tokio::test]
async fn a_type_that_is_disabled_leaves_its_policies_and_takes_their_attachments() {
    let place = Place::enabled().await;
    let policy = place.create(SCP, "deny-leaving", DENY_LEAVING).await.unwrap();
    place.attach(&policy, &place.root).await.unwrap();
    let disable = || place.client.disable_policy_type().root_id(&place.root).policy_type(SCP).send();
    disable().await.unwrap();
    place.aws.advance(Duration::from_secs(5));
    assert_eq!(disable().await.map(drop).map_err(|e| code(&e)), err("PolicyTypeNotEnabledException"));
    assert_eq!(place.statuses().await, [""; 0]);
    assert!(place.aws.policy_named("deny-leaving").unwrap().targets.is_empty());

    place.aws.enable_policy_type("SERVICE_CONTROL_POLICY");
    assert_eq!(place.on(&place.root).await, ids(&["p-FullAWSAccess"]));
}

#[tokio::test]
async fn a_policy_is_made_changed_attached_detached_and_deleted() {
    let place = Place::enabled().await;
    let workloads = place.ou("workloads", &place.root).await;
    let policy = place.create(SCP, "deny-leaving", DENY_LEAVING).await.unwrap();
    let described = place.described(&policy).await.unwrap().policy.unwrap();
    assert_eq!(described.content.as_deref(), Some(DENY_LEAVING));
    let summary = described.policy_summary.unwrap();
    let arn =
        format!("arn:aws:organizations::{MANAGEMENT}:policy/o-exampleorgid/service_control_policy/{policy}");
    assert_eq!((summary.arn.as_deref(), summary.aws_managed), (Some(arn.as_str()), false));

    place.update(&policy, DENY_IAM).await.unwrap();
    for target in [&place.root, &workloads] {
        place.attach(&policy, target).await.unwrap();
        assert_eq!(place.attach(&policy, target).await, err("DuplicatePolicyAttachmentException"));
    }
    let known = place.aws.policy_named("deny-leaving").unwrap();
    assert_eq!((known.content.as_str(), known.targets), (DENY_IAM, ids(&["/", "/workloads"])));
    assert_eq!(known.tags["landfast:owner"], "acme");
    let answer = place.client.list_targets_for_policy().policy_id(&policy).send().await.unwrap();
    let targets = answer.targets().iter();
    let told =
        targets.map(|t| format!("{} {} {}", t.target_id().unwrap(), t.name().unwrap(), t.r#type().unwrap()));
    let expected =
        [format!("{} Root ROOT", place.root), format!("{workloads} workloads ORGANIZATIONAL_UNIT")];
    assert_eq!(told.collect::<BTreeSet<_>>(), expected.into());

    assert_eq!(place.delete(&policy).await, err("PolicyInUseException"));
    for target in [&place.root, &workloads] {
        place.detach(&policy, target).await.unwrap();
        assert_eq!(place.detach(&policy, target).await, err("PolicyNotAttachedException"));
    }
    place.delete(&policy).await.unwrap();
    assert_eq!(place.delete(&policy).await, err("PolicyNotFoundException"));
    assert_eq!(place.aws.policy_named("deny-leaving"), None);
}

#[tokio::test]
async fn what_aws_would_not_take_is_refused_with_its_words() {
    let place = Place::enabled().await;
    let one = place.create(SCP, "one", DENY_LEAVING).await.unwrap();
    let other = place.create(SCP, "other", DENY_LEAVING).await.unwrap();
    assert_eq!(place.create(SCP, "one", DENY_IAM).await, err("DuplicatePolicyException"));
    place.create(PolicyType::TagPolicy, "one", r#"{"tags":{}}"#).await.unwrap();
    let rename = place.client.update_policy().policy_id(&other).name("one").send().await;
    assert_eq!(rename.map(drop).map_err(|e| code(&e)), err("DuplicatePolicyException"));

    let malformed = [
        "[]",
        "{}",
        "{",
        r#"{"Version":"2012-10-17","Statement":[]}"#,
        r#"{"Statement":[{"Effect":"Deny"}]}"#,
        r#"{"Statement":[{"Effect":"Never","Action":"*","Resource":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Principal":"*"}]}"#,
    ];
    for content in malformed {
        let wanted = "MalformedPolicyDocumentException";
        assert_eq!(place.create(SCP, "bad", content).await, err(wanted), "{content}");
    }
    assert_eq!(place.update(&one, "{}").await, err("MalformedPolicyDocumentException"));
    assert_eq!(place.update(&one, "").await, err("InvalidInputException MIN_LENGTH_EXCEEDED"));
    let rcp = PolicyType::ResourceControlPolicy;
    assert_eq!(place.create(rcp, "rcp", DENY_LEAVING).await, err("MalformedPolicyDocumentException"));
    assert_eq!(
        place.create(PolicyType::TagPolicy, "t", DENY_IAM).await,
        err("MalformedPolicyDocumentException")
    );

    let long = DENY_LEAVING.replace(':', &format!(":{}", " ".repeat(1500)));
    let too_long = err("ConstraintViolationException POLICY_CONTENT_LIMIT_EXCEEDED");
    assert_eq!(place.create(SCP, "long", &long).await, too_long);
    assert_eq!(place.update(&one, &long).await.map(|()| String::new()), too_long);

    let unknown = err("InvalidInputException INVALID_ENUM_POLICY_TYPE");
    assert_eq!(place.create(PolicyType::from("NO_POLICY"), "no", DENY_IAM).await, unknown);
    assert_eq!(place.enable(PolicyType::from("NO_POLICY")).await, unknown);
    let immutable = err("InvalidInputException IMMUTABLE_POLICY");
    assert_eq!(place.update("p-FullAWSAccess", DENY_IAM).await, immutable);
    assert_eq!(place.delete("p-FullAWSAccess").await, immutable);
    assert_eq!(place.attach("p-0000000000", &place.root).await, err("PolicyNotFoundException"));
    assert_eq!(place.attach(&one, "ou-nope-00000000").await, err("TargetNotFoundException"));
}

#[tokio::test]
async fn a_target_has_at_most_five_service_control_policies_and_never_none() {
    let place = Place::enabled().await;
    for name in ["one", "two", "three", "four"] {
        let policy = place.create(SCP, name, DENY_LEAVING).await.unwrap();
        place.attach(&policy, &place.root).await.unwrap();
    }
    let sixth = place.create(SCP, "five", DENY_LEAVING).await.unwrap();
    let full = err("ConstraintViolationException MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED");
    assert_eq!(place.attach(&sixth, &place.root).await, full);

    let last = err("ConstraintViolationException MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED");
    assert_eq!(place.detach("p-FullAWSAccess", MANAGEMENT).await, last);
    place.attach(&sixth, MANAGEMENT).await.unwrap();
    assert_eq!(place.detach("p-FullAWSAccess", MANAGEMENT).await, Ok(()));
    assert_eq!(place.detach(&sixth, MANAGEMENT).await, last);
    place.aws.enable_policy_type("RESOURCE_CONTROL_POLICY");
    let fixed = err("InvalidInputException NON_DETACHABLE_POLICY");
    assert_eq!(place.detach("p-RCPFullAWSAccess", MANAGEMENT).await, fixed);
}

#[tokio::test]
async fn listings_come_in_pages_and_by_type() {
    let aws =
        SimulatedAws::start(Config { pace: Pace::Held, page_size: 2, ..Config::default() }).await.unwrap();
    let client = Client::new(&admin(&aws).await);
    aws.enable_policy_type("SERVICE_CONTROL_POLICY");
    let names = ["one", "two", "three", "four"];
    let root = aws.root_id();
    for name in names {
        aws.add_policy("SERVICE_CONTROL_POLICY", name, DENY_LEAVING, &[&root]);
    }
    aws.add_policy("TAG_POLICY", "tags", r#"{"tags":{}}"#, &[]);
    let pages = client.list_policies().filter(SCP).into_paginator().send();
    let pages = pages.try_collect().await.unwrap();
    assert_eq!(pages.len(), 3);
    let listed = pages.iter().flat_map(ListPoliciesOutput::policies).map(|policy| policy.name().unwrap());
    assert_eq!(listed.collect::<BTreeSet<_>>(), names.into_iter().chain(["FullAWSAccess"]).collect());
    let pages = client.list_policies_for_target().filter(SCP).target_id(&root).into_paginator().send();
    assert_eq!(pages.try_collect().await.unwrap().len(), 3);
    for name in ["a", "b"] {
        client.create_organizational_unit().name(name).parent_id(&root).send().await.unwrap();
    }
    let pages = client.list_targets_for_policy().policy_id("p-FullAWSAccess").into_paginator().send();
    assert_eq!(pages.try_collect().await.unwrap().len(), 2, "the root, two OUs and the management account");
}

#[tokio::test]
async fn tags_of_a_policy_are_read_and_written_by_its_id() {
    let place = Place::enabled().await;
    let policy = place.create(SCP, "one", DENY_LEAVING).await.unwrap();
    let tag = Tag::builder().key("team").value("security").build().unwrap();
    place.client.tag_resource().resource_id(&policy).tags(tag).send().await.unwrap();
    let answer = place.client.list_tags_for_resource().resource_id(&policy).send().await.unwrap();
    let tags = answer.tags().iter().map(|tag| format!("{}={}", tag.key(), tag.value()));
    assert_eq!(tags.collect::<Vec<_>>(), ["landfast:owner=acme", "team=security"]);
    place.client.untag_resource().resource_id(&policy).tag_keys("landfast:owner").send().await.unwrap();
    assert!(!place.aws.policy_named("one").unwrap().tags.contains_key("landfast:owner"));
    place.delete(&policy).await.unwrap();
    let gone = place.client.list_tags_for_resource().resource_id(&policy).send().await;
    assert_eq!(gone.map(drop).map_err(|e| code(&e)), err("TargetNotFoundException"));
}

/// What an IAM call of a role in `account` comes to: nothing, or the words of the refusal.
async fn listing_roles(aws: &SimulatedAws, account: &str, role: &str) -> Option<String> {
    let iam = aws_sdk_iam::Client::new(&inside_as(aws, account, role, "tester", "us-east-1").await);
    let refused = iam.list_roles().send().await.err()?;
    Some(refused.message().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_denial_above_an_account_denies_its_calls_with_a_word_on_the_policy() {
    let place = Place::enabled().await;
    let workloads = place.ou("workloads", &place.root).await;
    let prod = place.ou("prod", &workloads).await;
    let account = new_account(&place.aws, "payments").await;
    let moving = place.client.move_account().account_id(&account).source_parent_id(&place.root);
    moving.destination_parent_id(&prod).send().await.unwrap();
    let role = "OrganizationAccountAccessRole";
    let policy = place.create(SCP, "deny-iam", DENY_IAM).await.unwrap();
    let denied = |words: &str| {
        let session = format!("arn:aws:sts::{account}:assumed-role/{role}/tester");
        Some(format!("User: {session} is not authorized to perform: iam:ListRoles on resource: * {words}"))
    };
    let explicitly = denied("with an explicit deny in a service control policy");
    for target in [&place.root, &workloads, &prod, &account] {
        assert_eq!(listing_roles(&place.aws, &account, role).await, None);
        place.attach(&policy, target).await.unwrap();
        assert_eq!(listing_roles(&place.aws, &account, role).await, explicitly, "{target}");
        place.detach(&policy, target).await.unwrap();
    }

    // Elsewhere it does nothing, nor to the management account, nor to whom it exempts.
    let sandbox = place.ou("sandbox", &place.root).await;
    place.attach(&policy, &sandbox).await.unwrap();
    assert_eq!(listing_roles(&place.aws, &account, role).await, None);
    place.attach(&policy, &place.root).await.unwrap();
    place.aws.add_access_role(&account, "Breakglass");
    assert_eq!(listing_roles(&place.aws, &account, "Breakglass").await, None);
    let management = aws_sdk_iam::Client::new(&admin(&place.aws).await);
    management.list_roles().send().await.unwrap();

    // Where nothing allows any more, nothing is allowed.
    place.detach(&policy, &place.root).await.unwrap();
    place.attach(&policy, &workloads).await.unwrap();
    place.detach("p-FullAWSAccess", &workloads).await.unwrap();
    let sns = aws_sdk_sns::Client::new(&inside(&place.aws, &account, "eu-west-1").await);
    let refused = sns.list_subscriptions().send().await.unwrap_err();
    assert!(
        refused.message().unwrap().contains("because no service control policy allows the sns:"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn who_may_not_is_refused_and_the_trail_names_who_did() {
    let place = Place::enabled().await;
    let policy = place.create(SCP, "one", DENY_LEAVING).await.unwrap();
    let reader = ["arn:aws:iam::aws:policy/AWSOrganizationsReadOnlyAccess"];
    let auditor = place.aws.add_user(MANAGEMENT, "auditor", &reader);
    let auditor = Client::new(&client(&place.aws, &auditor, "us-east-1").await);
    auditor.describe_policy().policy_id(&policy).send().await.unwrap();
    let refused = auditor.attach_policy().policy_id(&policy).target_id(&place.root).send().await.unwrap_err();
    assert_eq!(code(&refused), "AccessDeniedException");
    let arn =
        format!("arn:aws:organizations::{MANAGEMENT}:policy/o-exampleorgid/service_control_policy/{policy}");
    assert!(refused.message().unwrap().contains(&arn), "{refused:?}");

    let account = new_account(&place.aws, "payments").await;
    let member = Client::new(&inside(&place.aws, &account, "us-east-1").await);
    let refused = member.list_policies().filter(SCP).send().await.unwrap_err();
    assert_eq!(code(&refused), "AccessDeniedException");

    let alice = place.aws.add_user(MANAGEMENT, "alice", &["arn:aws:iam::aws:policy/AdministratorAccess"]);
    let alice = Client::new(&client(&place.aws, &alice, "eu-west-1").await);
    alice.update_policy().policy_id(&policy).content(DENY_IAM).send().await.unwrap();
    place.aws.advance(Duration::from_mins(1));
    let trail = aws_sdk_cloudtrail::Client::new(&admin(&place.aws).await);
    let events = trail.lookup_events().send().await.unwrap();
    let event = events.events().iter().find(|event| event.event_name() == Some("UpdatePolicy")).unwrap();
    assert_eq!(event.username(), Some("alice"));
    let whole: serde_json::Value = serde_json::from_str(event.cloud_trail_event().unwrap()).unwrap();
    assert_eq!(whole["requestParameters"]["policyId"], policy.as_str());
}

#[tokio::test]
async fn writes_meet_the_troubles_of_organizations() {
    let place = Place::enabled().await;
    let policy = place.create(SCP, "one", DENY_LEAVING).await.unwrap();
    place.aws.add_fault(Fault::new(
        Calls::OrganizationWrites,
        When::Next(1),
        Trouble::ConcurrentModification,
    ));
    assert_eq!(place.attach(&policy, &place.root).await, err("ConcurrentModificationException"));
    assert!(place.aws.policy_named("one").unwrap().targets.is_empty());
    assert_eq!(place.attach(&policy, &place.root).await, Ok(()));
}
