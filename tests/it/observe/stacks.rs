//! Stacks as they come over the wire, and what becomes of each state.

use std::time::Duration;

use landfast::aws::{Cloud, Keys, Pace, Settings};
use landfast::model::{
    Access, AccountFact, AccountFacts, AccountId, AccountState, Facts, Item, Observed, OrganizationId,
    OuPath, Region, RoleName, Sight, Slug, StackKey, Value, template,
};
use landfast::observe::{AccountCache, AccountLook, DriftLook, account};
use serde_json::json;

use super::world::items;
use crate::stub::{Answer, Stub, session_or};

const MEMBER: &str = "111122223333";
const TEMPLATE: &str = r#"{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}"#;

/// Looks at stacks of one region of a server that answers as `script` says.
struct Sweep {
    stub: Stub,
    cloud: Cloud,
    cache: AccountCache,
}

impl Sweep {
    async fn of(script: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Self {
        let script = move |nth: usize, request: &_| script_or(&script, nth, request);
        let stub = Stub::start(script).await;
        let settings = Settings {
            endpoint_url: Some(stub.url.clone()),
            keys: Some(Keys::new("AKIAEXAMPLE", "secret")),
            pace: Pace::times(1000.0),
            ..Settings::new(Region::parse("eu-west-1").unwrap())
        };
        Self { stub, cloud: Cloud::connect(settings).await, cache: AccountCache::default() }
    }

    async fn look(&mut self, drift: DriftLook, wanted: &[&str]) -> Observed {
        let role = RoleName::parse("OrganizationAccountAccessRole").unwrap();
        let access = Access {
            role,
            read_role: None,
            management_role: None,
            stack_role: None,
            new_account_role: None,
            external_id: None,
        };
        let id = AccountId::parse(MEMBER).unwrap();
        let owner = OrganizationId::parse("o-exampleorgid").unwrap();
        let look = AccountLook { owner, drift, deadline: Duration::from_mins(1), now: 10_000 };
        let fact = AccountFact {
            id: id.clone(),
            email: String::new(),
            name: String::new(),
            state: AccountState::Active,
            ou: OuPath::root(),
            joined: 0,
            tags: None,
        };
        let slug = Slug::parse("payments").unwrap();
        let reader = self.cloud.reader(&id, &access);
        account(&reader, &slug, &fact, &items(wanted), &look, None, &mut self.cache).await
    }
}

fn script_or(
    script: &(impl Fn(usize, &str) -> Answer + Send + Sync),
    nth: usize,
    request: &crate::stub::Request,
) -> Answer {
    session_or(request, || match request.operation.as_str() {
        "GetTemplate" => {
            Answer::xml(200, &result("GetTemplate", &format!("<TemplateBody>{TEMPLATE}</TemplateBody>")))
        }
        operation => script(nth, operation),
    })
}

fn result(operation: &str, inner: &str) -> String {
    format!("<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>")
}

fn stack(name: &str, status: &str, rest: &str) -> String {
    format!(
        "<member><StackName>{name}</StackName>\
         <StackId>arn:aws:cloudformation:eu-west-1:{MEMBER}:stack/{name}/1</StackId>\
         <StackStatus>{status}</StackStatus><CreationTime>2026-01-01T00:00:00.123Z</CreationTime>{rest}</member>"
    )
}

fn described(stacks: &[String]) -> Answer {
    Answer::xml(200, &result("DescribeStacks", &format!("<Stacks>{}</Stacks>", stacks.concat())))
}

fn drift(status: &str) -> String {
    format!("<DriftInformation><StackDriftStatus>{status}</StackDriftStatus></DriftInformation>")
}

fn sight(observed: &Observed, name: &str) -> Sight {
    observed.sight(&format!("stacks.{name}[eu-west-1]").parse::<Item>().unwrap())
}

fn facts(observed: &Observed) -> &AccountFacts {
    match &observed.facts {
        Facts::Account(facts) => facts,
        Facts::Organization(_) => panic!("facts of the organization"),
    }
}

fn key(name: &str) -> StackKey {
    match format!("stacks.{name}[eu-west-1]").parse() {
        Ok(Item::Stack(key)) => key,
        other => panic!("{other:?}"),
    }
}

fn part(sight: &Sight, pointer: &str) -> Value {
    match sight {
        Sight::Present { value, .. } => value.pointer(pointer).cloned().unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_state_of_a_stack_has_its_place() {
    let whole = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"];
    let broken =
        ["CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"];
    let moving = ["CREATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "DELETE_IN_PROGRESS"];
    let absent = ["REVIEW_IN_PROGRESS", "DELETE_COMPLETE"];
    for status in whole.into_iter().chain(broken).chain(moving).chain(absent).chain(["SOMETHING_NEW"]) {
        let mut sweep =
            Sweep::of(move |_, _| described(&[stack("network", status, &drift("IN_SYNC"))])).await;
        let observed = sweep.look(DriftLook::LastKnown, &["stacks.network[eu-west-1]"]).await;
        let seen = sight(&observed, "network");
        match status {
            status if whole.contains(&status) => assert_eq!(part(&seen, "/state"), json!("ok"), "{status}"),
            status if moving.contains(&status) => assert!(matches!(seen, Sight::Moving(_)), "{status}"),
            status if absent.contains(&status) => assert_eq!(seen, Sight::Absent, "{status}"),
            status => assert_eq!(part(&seen, "/state"), json!(status)),
        }
        let known = facts(&observed).stacks.get(&key("network")).map(|fact| fact.status.as_str());
        assert_eq!(known, (status != "DELETE_COMPLETE").then_some(status));
    }
}

#[tokio::test]
async fn a_stack_comes_out_as_the_files_would_spell_it() {
    let rest = format!(
        "<Parameters><member><ParameterKey>Cidr</ParameterKey><ParameterValue>10.0.0.0/16</ParameterValue></member>\
         <member><ParameterKey>Secret</ParameterKey><ParameterValue>****</ParameterValue></member></Parameters>\
         <Tags><member><Key>landfast:owner</Key><Value>o-exampleorgid</Value></member></Tags>\
         <ChangeSetId>arn:x:changeSet/landfast-1/2</ChangeSetId>{}",
        drift("IN_SYNC")
    );
    let others = [stack("theirs", "CREATE_COMPLETE", ""), stack("shell", "REVIEW_IN_PROGRESS", "")];
    let nested = stack("nested", "CREATE_COMPLETE", "<ParentId>arn:x</ParentId>");
    let all = [vec![stack("network", "CREATE_COMPLETE", &rest), nested], others.to_vec()].concat();
    let mut sweep = Sweep::of(move |_, _| described(&all)).await;
    let wanted = ["stacks.network[eu-west-1]", "stacks.gone[eu-west-1]"];
    let observed = sweep.look(DriftLook::LastKnown, &wanted).await;
    let Sight::Present { value, unchecked } = sight(&observed, "network") else { panic!("there") };
    assert_eq!(
        value,
        json!({
            "state": "ok",
            "template": template::canonical(TEMPLATE),
            "parameters": {"Cidr": "10.0.0.0/16"},
            "tags": {"landfast:owner": "o-exampleorgid"},
            "drift": {},
        })
    );
    assert_eq!(unchecked.keys().collect::<Vec<_>>(), ["/hidden", "/parameters/Secret"]);
    assert_eq!(sight(&observed, "gone"), Sight::Absent);
    let facts = facts(&observed);
    assert!(facts.stacks[&key("network")].is_ours);
    assert_eq!(facts.stacks[&key("network")].change_set.as_deref(), Some("arn:x:changeSet/landfast-1/2"));
    assert_eq!(facts.undeclared, [key("theirs")].into());
}

#[tokio::test]
async fn a_sweep_is_one_description_and_templates_are_read_only_when_they_moved() {
    let mut sweep = Sweep::of(|nth, _| {
        let moved = "<LastUpdatedTime>2026-01-01T00:00:00.456Z</LastUpdatedTime>";
        described(&[
            stack("one", "CREATE_COMPLETE", &drift("IN_SYNC")),
            stack("two", "UPDATE_COMPLETE", if nth < 2 { "" } else { moved }),
        ])
    })
    .await;
    for (templates, descriptions) in [(2, 1), (2, 2), (3, 3), (3, 4)] {
        sweep.look(DriftLook::LastKnown, &["stacks.one[eu-west-1]", "stacks.two[eu-west-1]"]).await;
        assert_eq!(sweep.stub.count("GetTemplate"), templates);
        assert_eq!(sweep.stub.count("DescribeStacks"), descriptions);
    }
    assert_eq!(sweep.stub.count("AssumeRole"), 1);
}

#[tokio::test]
async fn what_was_never_compared_is_not_called_in_sync() {
    for status in ["NOT_CHECKED", "UNKNOWN"] {
        let mut sweep =
            Sweep::of(move |_, _| described(&[stack("network", "CREATE_COMPLETE", &drift(status))])).await;
        let observed = sweep.look(DriftLook::LastKnown, &["stacks.network[eu-west-1]"]).await;
        let Sight::Present { value, unchecked } = sight(&observed, "network") else { panic!("there") };
        assert!(unchecked.contains_key("/drift"), "{status}");
        assert!(value.get("drift").is_none(), "{status}");
    }
}

#[tokio::test]
async fn a_drifted_resource_shows_both_sides_and_an_unchecked_one_says_so() {
    let mut sweep = Sweep::of(|nth, operation| match operation {
        "DescribeStacks" => {
            let status = if nth == 0 { "NOT_CHECKED" } else { "DRIFTED" };
            described(&[stack("roles", "CREATE_COMPLETE", &drift(status))])
        }
        "DetectStackDrift" if nth == 0 => Answer::xml(
            400,
            "<ErrorResponse><Error><Code>ValidationError</Code><Message>Drift detection is already in progress \
             for stack roles</Message></Error></ErrorResponse>",
        ),
        "DetectStackDrift" => {
            Answer::xml(200, &result(operation, "<StackDriftDetectionId>d-1</StackDriftDetectionId>"))
        }
        "DescribeStackDriftDetectionStatus" => {
            let status = if nth == 0 { "DETECTION_IN_PROGRESS" } else { "DETECTION_COMPLETE" };
            Answer::xml(
                200,
                &result(operation, &format!(
                    "<StackId>x</StackId><StackDriftDetectionId>d-1</StackDriftDetectionId>\
                     <DetectionStatus>{status}</DetectionStatus><StackDriftStatus>DRIFTED</StackDriftStatus>\
                     <Timestamp>2026-01-01T00:00:00Z</Timestamp>"
                )),
            )
        }
        "DescribeStackResourceDrifts" => Answer::xml(200, &result(operation, DRIFTS)),
        other => panic!("{other}"),
    })
    .await;
    let observed = sweep.look(DriftLook::Detect, &["stacks.roles[eu-west-1]"]).await;
    let Sight::Present { value, unchecked } = sight(&observed, "roles") else { panic!("there") };
    assert_eq!(
        value["drift"],
        json!({"Role": {
            "type": "AWS::IAM::Role",
            "physicalId": "netops",
            "status": "MODIFIED",
            "properties": {"/ManagedPolicyArns/1": {
                "expected": null,
                "actual": "arn:aws:iam::aws:policy/AdministratorAccess",
            }},
        }})
    );
    assert_eq!(unchecked.keys().collect::<Vec<_>>(), ["/drift/Topic"]);
    assert_eq!(sweep.stub.count("DetectStackDrift"), 2);
    sweep.look(DriftLook::LastKnown, &["stacks.roles[eu-west-1]"]).await;
    assert_eq!(sweep.stub.count("DescribeStackResourceDrifts"), 1);
}

const DRIFTS: &str = "<StackResourceDrifts>\
    <member><StackId>x</StackId><LogicalResourceId>Role</LogicalResourceId>\
    <PhysicalResourceId>netops</PhysicalResourceId><ResourceType>AWS::IAM::Role</ResourceType>\
    <StackResourceDriftStatus>MODIFIED</StackResourceDriftStatus><Timestamp>2026-01-01T00:00:00Z</Timestamp>\
    <PropertyDifferences><member><PropertyPath>/ManagedPolicyArns/1</PropertyPath><ExpectedValue>null</ExpectedValue>\
    <ActualValue>arn:aws:iam::aws:policy/AdministratorAccess</ActualValue><DifferenceType>ADD</DifferenceType>\
    </member></PropertyDifferences></member>\
    <member><StackId>x</StackId><LogicalResourceId>Topic</LogicalResourceId><ResourceType>AWS::SNS::Topic</ResourceType>\
    <StackResourceDriftStatus>NOT_CHECKED</StackResourceDriftStatus><Timestamp>2026-01-01T00:00:00Z</Timestamp></member>\
    <member><StackId>x</StackId><LogicalResourceId>Queue</LogicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType>\
    <StackResourceDriftStatus>IN_SYNC</StackResourceDriftStatus><Timestamp>2026-01-01T00:00:00Z</Timestamp></member>\
    </StackResourceDrifts>";
