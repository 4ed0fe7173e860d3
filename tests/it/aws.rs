//! What the SDK really does, by counting the requests that reach a server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use landfast::aws::{Cloud, Error, Keys, NewChangeSet, Pace, Reader, Settings, Timeouts, Writer};
use landfast::model::{
    Access, AccountId, Class, CommitId, Email, Organization, OrganizationId, Region, RoleName, Source,
};
use serde_json::json;

use futures_util::stream::{self, StreamExt as _};
use tokio::time::Instant;

use crate::stub::{self, Answer, Stub, session_or};

const MANAGEMENT: &str = "999988887777";
const MEMBER: &str = "111122223333";

fn region() -> Region {
    Region::parse("eu-west-1").unwrap()
}

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

fn access() -> Access {
    let role = RoleName::parse("OrganizationAccountAccessRole").unwrap();
    Access {
        role,
        read_role: None,
        management_role: None,
        stack_role: None,
        new_account_role: None,
        external_id: Some("acme-landfast".to_owned()),
    }
}

fn organization() -> Organization {
    Organization {
        id: OrganizationId::parse("o-exampleorgid").unwrap(),
        management_account: account(MANAGEMENT),
        home_region: region(),
        access: access(),
        policies: landfast::model::Policies::default(),
        ous: BTreeMap::new(),
        source: Source::default(),
    }
}

fn revision() -> CommitId {
    CommitId::parse("0123456789abcdef0123456789abcdef01234567").unwrap()
}

/// A thousand times AWS's pace, so that backing off costs nothing.
async fn cloud(stub: &Stub) -> Cloud {
    cloud_with(stub, 3, Timeouts::default()).await
}

/// The same, giving a call up after half a second.
async fn hasty_cloud(stub: &Stub) -> Cloud {
    let timeouts = Timeouts {
        connect: Duration::from_millis(500),
        attempt: Duration::from_millis(400),
        operation: Duration::from_secs(1),
    };
    cloud_with(stub, 3, timeouts).await
}

/// At AWS's own pace: a session lasts for an hour, however slow the machine.
async fn cloud_that_lasts(stub: &Stub) -> Cloud {
    Cloud::connect(Settings { pace: Pace::default(), ..settings(stub, 3, Timeouts::default()) }).await
}

async fn cloud_with(stub: &Stub, attempts: u32, timeouts: Timeouts) -> Cloud {
    Cloud::connect(settings(stub, attempts, timeouts)).await
}

fn settings(stub: &Stub, attempts: u32, timeouts: Timeouts) -> Settings {
    Settings {
        endpoint_url: Some(stub.url.clone()),
        keys: Some(Keys::new("AKIAEXAMPLE", "secret")),
        pace: Pace::times(1000.0),
        timeouts,
        attempts,
        ..Settings::new(region())
    }
}

async fn create(writer: &Writer) -> Result<(), Error> {
    let email = Email::parse("aws+new@example.com").unwrap();
    let role = RoleName::parse("OrganizationAccountAccessRole").unwrap();
    writer.create_account("New", &email, &role, &BTreeMap::new()).await.map(|_| ())
}

fn member(cloud: &Cloud) -> Reader {
    cloud.reader(&account(MEMBER), &access())
}

fn refusal(code: &str) -> Answer {
    Answer::xml(
        400,
        &format!("<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"),
    )
}

fn json_refusal(status: u16, code: &str) -> Answer {
    Answer::json(status, &json!({"__type": code, "Message": "no"}))
}

#[tokio::test]
async fn an_account_is_asked_for_once_whatever_becomes_of_the_answer() {
    let fates: [fn() -> Answer; 6] = [
        || json_refusal(500, "ServiceException"),
        || json_refusal(503, "ServiceUnavailable"),
        || Answer::Drop,
        || Answer::Truncated(r#"{"CreateAccountStatus": {"Id": "car-1", "St"#.to_owned()),
        || Answer::Hang,
        || Answer::json(200, &json!({})),
    ];
    for (index, fate) in fates.into_iter().enumerate() {
        let stub = Stub::start(move |_, _| fate()).await;
        let writer = hasty_cloud(&stub).await.management_writer(&organization(), &revision());
        let error = create(&writer).await.expect_err("no usable answer");
        assert_eq!(stub.count("CreateAccount"), 1, "fate {index}: {error}");
        assert!(error.outcome_unknown(), "fate {index}: {error}");
        assert_eq!(error.class(), Class::Transient, "fate {index}: {error}");
    }
}

#[tokio::test]
async fn an_account_that_aws_refuses_is_known_not_to_be_made() {
    let stub = Stub::start(|_, _| json_refusal(400, "TooManyRequestsException")).await;
    let writer = cloud(&stub).await.management_writer(&organization(), &revision());
    let error = create(&writer).await.expect_err("refused");
    assert_eq!(stub.count("CreateAccount"), 1);
    assert!(!error.outcome_unknown());
    assert_eq!(error.class(), Class::Waiting);
}

#[tokio::test]
async fn the_reason_tells_a_full_queue_from_a_full_organization() {
    for (reason, class) in [
        ("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED", Class::Waiting),
        ("ACCOUNT_NUMBER_LIMIT_EXCEEDED", Class::Stalled),
    ] {
        let stub = Stub::start(move |_, _| {
            Answer::json(
                400,
                &json!({"__type": "ConstraintViolationException", "Message": "no", "Reason": reason}),
            )
        })
        .await;
        let writer = cloud(&stub).await.management_writer(&organization(), &revision());
        let error = create(&writer).await.expect_err("refused");
        assert_eq!(error.reason(), Some(reason));
        assert_eq!(error.class(), class, "{reason}");
    }
}

#[tokio::test]
async fn the_fourth_account_in_a_row_is_held_back_before_aws_would_refuse_it() {
    let made = json!({"CreateAccountStatus": {"Id": "car-1", "State": "IN_PROGRESS", "AccountName": "New"}});
    let stub = Stub::start(move |_, _| Answer::json(200, &made)).await;
    let settings = Settings {
        endpoint_url: Some(stub.url.clone()),
        keys: Some(Keys::new("AKIAEXAMPLE", "secret")),
        ..Settings::new(region())
    };
    let writer = Cloud::connect(settings).await.management_writer(&organization(), &revision());
    for _ in 0..3 {
        create(&writer).await.expect("within the burst");
    }
    let error = create(&writer).await.expect_err("beyond the burst");
    assert!(matches!(&error, Error::Paced { after, .. } if *after <= Duration::from_secs(10)), "{error}");
    assert_eq!(error.class(), Class::Waiting);
    assert!(!error.outcome_unknown());
    assert_eq!(stub.count("CreateAccount"), 3);
}

#[tokio::test]
async fn a_move_is_sent_once_and_being_there_already_counts_as_done() {
    let stub = Stub::start(|_, _| Answer::Drop).await;
    let writer = cloud(&stub).await.management_writer(&organization(), &revision());
    let error = writer.move_account(&account(MEMBER), "r-ab12", "ou-ab12-1").await.expect_err("dropped");
    assert!(error.outcome_unknown());
    assert_eq!(stub.count("MoveAccount"), 1);

    let stub = Stub::start(|_, _| json_refusal(400, "DuplicateAccountException")).await;
    let writer = cloud(&stub).await.management_writer(&organization(), &revision());
    writer.move_account(&account(MEMBER), "r-ab12", "ou-ab12-1").await.expect("it is there");
}

#[tokio::test]
async fn a_change_set_passes_the_service_role_of_its_own_account() {
    let stub = Stub::start(|_, request| session_or(request, || refusal("ValidationError"))).await;
    let writer = cloud(&stub).await.writer(&account(MEMBER), &access(), &revision());
    let (none, nothing, role) = (BTreeMap::new(), BTreeSet::new(), RoleName::parse("Stacks").unwrap());
    let plain = new_change_set(&none, &nothing);
    writer.create_change_set(&region(), &plain).await.expect_err("refused");
    let passing = NewChangeSet { role: Some(&role), ..plain };
    writer.create_change_set(&region(), &passing).await.expect_err("refused");
    let bodies = stub.bodies("CreateChangeSet");
    assert!(!bodies[0].contains("RoleARN"), "{}", bodies[0]);
    assert!(bodies[1].contains("RoleARN=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2FStacks"), "{}", bodies[1]);
}

fn new_change_set<'a>(none: &'a BTreeMap<String, String>, nothing: &'a BTreeSet<String>) -> NewChangeSet<'a> {
    NewChangeSet {
        role: None,
        stack: "network",
        name: "landfast-1",
        is_new: true,
        template: "{}",
        parameters: none,
        tags: none,
        capabilities: nothing,
        revert: false,
    }
}

#[tokio::test]
async fn a_quota_is_not_taken_for_a_throttle() {
    let stub = Stub::start(|_, request| session_or(request, || refusal("LimitExceededException"))).await;
    let writer = cloud(&stub).await.writer(&account(MEMBER), &access(), &revision());
    let (none, nothing) = (BTreeMap::new(), BTreeSet::new());
    let new = new_change_set(&none, &nothing);
    let error = writer.create_change_set(&region(), &new).await.expect_err("refused");
    assert_eq!(error.class(), Class::Stalled);
    assert_eq!(stub.count("CreateChangeSet"), 1);
}

#[tokio::test]
async fn a_hung_endpoint_ends_in_time() {
    let stub = Stub::start(|_, _| Answer::Hang).await;
    let reader = hasty_cloud(&stub).await.management_reader(&organization());
    let started = Instant::now();
    let error = reader.accounts().await.expect_err("nobody answers");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(error.class(), Class::Transient);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_throttled_account_does_not_starve_another() {
    let stub = Stub::start(|_, request| session_or(request, || refusal("Throttling"))).await;
    let cloud = cloud_with(&stub, 4, Timeouts::default()).await;
    // By default the SDK's quota allows a hundred repetitions to all accounts together; these are 180.
    for index in 0..60 {
        let reader = cloud.reader(&account(&format!("{:012}", 100_000_000_000_u64 + index)), &access());
        let error = reader.password_policy().await.expect_err("throttled");
        assert_eq!(error.class(), Class::Transient);
    }
    let by_key = stub.count_by_key("GetAccountPasswordPolicy");
    assert_eq!(by_key.len(), 60);
    assert!(by_key.values().all(|count| *count == 4), "{by_key:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_account_costs_one_session_however_often_it_is_read() {
    let stub = Stub::start(|_, request| session_or(request, || refusal("NoSuchEntity"))).await;
    let cloud = cloud_that_lasts(&stub).await;
    let read = |index: u64| {
        let cloud = cloud.clone();
        let id = account(&format!("{:012}", 100_000_000_000 + index));
        async move { cloud.reader(&id, &access()).password_policy().await.map(|policy| policy.is_none()) }
    };
    for _ in 0..2 {
        // Each account twice, neighbours at once; no more at a time than the daemon has, for a backlog is not the point.
        let reads = stream::iter((0..400).map(|nth| read(nth / 2))).buffer_unordered(32);
        assert!(reads.all(async |answer| matches!(answer, Ok(true))).await);
    }
    assert_eq!(stub.count("GetAccountPasswordPolicy"), 800);
    assert_eq!(stub.count("AssumeRole"), 200);
}

#[tokio::test]
async fn a_session_in_another_account_is_never_used() {
    let stub = Stub::start(|_, request| match request.operation.as_str() {
        "AssumeRole" => stub::session("444455556666", "landfast-read"),
        _ => refusal("NoSuchEntity"),
    })
    .await;
    let error = member(&cloud(&stub).await).password_policy().await.expect_err("wrong account");
    assert!(matches!(error, Error::WrongAccount { .. }), "{error}");
    assert_eq!(error.class(), Class::Stalled);
    assert_eq!(stub.operations(), ["AssumeRole"]);
}

#[tokio::test]
async fn a_read_session_is_confined_and_a_write_session_carries_the_revision() {
    let stub = Stub::start(|_, request| session_or(request, || refusal("NoSuchEntity"))).await;
    let cloud = cloud(&stub).await;
    member(&cloud).enter().await.unwrap();
    cloud.writer(&account(MEMBER), &access(), &revision()).put_account_alias("x").await.unwrap_err();
    let bodies = stub.bodies("AssumeRole");
    assert!(bodies[0].contains("RoleSessionName=landfast-read"), "{}", bodies[0]);
    assert!(bodies[0].contains("policy%2FReadOnlyAccess"), "{}", bodies[0]);
    assert!(bodies[1].contains("RoleSessionName=landfast-0123456789"), "{}", bodies[1]);
    assert!(!bodies[1].contains("PolicyArns"), "{}", bodies[1]);
    assert!(bodies.iter().all(|body| body.contains("ExternalId=acme-landfast")));
}

#[tokio::test]
async fn where_the_read_role_is_denied_the_writing_one_stands_in_confined() {
    let stub = Stub::start(|_, request| match request.operation.as_str() {
        "AssumeRole" if request.body.contains("role%2FLandfastRead") => refusal("AccessDenied"),
        _ => session_or(request, || refusal("NoSuchEntity")),
    })
    .await;
    let access = Access { read_role: Some(RoleName::parse("LandfastRead").unwrap()), ..access() };
    cloud(&stub).await.reader(&account(MEMBER), &access).enter().await.unwrap();
    let bodies = stub.bodies("AssumeRole");
    assert_eq!(bodies.len(), 2);
    assert!(!bodies[0].contains("PolicyArns"));
    assert!(bodies[1].contains("policy%2FReadOnlyAccess"));
}

#[tokio::test]
async fn an_expired_session_is_made_anew() {
    let stub = Stub::start(|nth, request| {
        session_or(request, || refusal(if nth == 0 { "ExpiredToken" } else { "NoSuchEntity" }))
    })
    .await;
    let reader = member(&cloud(&stub).await);
    let error = reader.password_policy().await.expect_err("expired");
    assert_eq!(error.class(), Class::Transient);
    assert_eq!(reader.password_policy().await.unwrap(), None);
    assert_eq!(stub.count("AssumeRole"), 2);
}

#[tokio::test]
async fn an_empty_page_with_a_token_is_not_the_end() {
    let stub = Stub::start(|nth, _| match nth {
        0 => Answer::json(200, &json!({"Accounts": [], "NextToken": "a"})),
        1 => Answer::json(200, &json!({"Accounts": [listed("111122223333")], "NextToken": "b"})),
        _ => Answer::json(200, &json!({"Accounts": [listed("444455556666")]})),
    })
    .await;
    let accounts = cloud(&stub).await.management_reader(&organization()).accounts().await.unwrap();
    assert_eq!(accounts.len(), 2);
    assert_eq!(stub.count("ListAccounts"), 3);
}

#[tokio::test]
async fn an_account_that_two_pages_show_is_one_account() {
    let stub = Stub::start(|nth, _| match nth {
        0 => Answer::json(
            200,
            &json!({"Accounts": [listed("111122223333"), listed("222233334444")], "NextToken": "a"}),
        ),
        _ => Answer::json(200, &json!({"Accounts": [listed("222233334444"), listed("333344445555")]})),
    })
    .await;
    let accounts = cloud(&stub).await.management_reader(&organization()).accounts().await.unwrap();
    let ids: Vec<_> = accounts.iter().map(|account| account.id.as_str()).collect();
    assert_eq!(ids, ["111122223333", "222233334444", "333344445555"]);
}

#[tokio::test]
async fn a_listing_that_fails_midway_is_an_error_and_not_a_short_list() {
    let stub = Stub::start(|nth, _| match nth {
        0 => Answer::json(200, &json!({"Accounts": [listed("111122223333")], "NextToken": "a"})),
        _ => json_refusal(400, "InvalidInputException"),
    })
    .await;
    cloud(&stub).await.management_reader(&organization()).accounts().await.expect_err("half a list");
}

#[tokio::test]
async fn a_page_token_that_comes_twice_is_an_error_and_not_the_end() {
    let page = json!({"Accounts": [listed("111122223333")], "NextToken": "a"});
    let stub = Stub::start(move |_, _| Answer::json(200, &page)).await;
    let error = cloud(&stub).await.management_reader(&organization()).accounts().await.expect_err("a circle");
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
}

#[tokio::test]
async fn a_code_decides_what_the_loop_does_next() {
    for (code, class) in [
        ("AccessDenied", Class::Stalled),
        ("Throttling", Class::Transient),
        ("ExpiredToken", Class::Transient),
        ("OptInRequired", Class::Waiting),
        ("InvalidClientTokenId", Class::Stalled),
        ("ValidationError", Class::Stalled),
        ("SomethingNew", Class::Stalled),
    ] {
        let stub = Stub::start(move |_, request| session_or(request, || refusal(code))).await;
        let error = member(&cloud(&stub).await).stacks(&region()).await.expect_err("refused");
        assert_eq!((error.code(), error.class()), (Some(code), class));
        assert_eq!(error.is_access_denied(), code == "AccessDenied");
        assert!(!error.is_absent(), "{code}");
    }
}

#[tokio::test]
async fn only_the_exact_words_mean_absent() {
    for (message, absent) in [
        ("Stack with id network does not exist", true),
        ("Stack [network] does not exist", true),
        ("Stack with id network does not exist or you may not see it", false),
        ("Role with id network does not exist", false),
        ("1 validation error detected", false),
    ] {
        let answer = format!(
            "<ErrorResponse><Error><Code>ValidationError</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        let stub = Stub::start(move |_, request| session_or(request, || Answer::xml(400, &answer))).await;
        let stack = member(&cloud(&stub).await).stack(&region(), "network").await;
        assert_eq!(matches!(stack, Ok(None)), absent, "{message}");
        assert_eq!(stack.is_err(), !absent, "{message}");
    }
}

#[tokio::test]
async fn credentials_of_another_organization_are_refused_at_the_start() {
    for (id, management, ok) in [
        ("o-exampleorgid", MANAGEMENT, true),
        ("o-someotherorg", MANAGEMENT, false),
        ("o-exampleorgid", "444455556666", false),
    ] {
        let stub = Stub::start(move |_, request| match request.operation.as_str() {
            "GetCallerIdentity" => stub::caller(MANAGEMENT),
            _ => Answer::json(200, &json!({"Organization": {"Id": id, "MasterAccountId": management}})),
        })
        .await;
        let verified = cloud(&stub).await.verify(&organization()).await;
        assert_eq!(verified.is_ok(), ok, "{id} {management}");
        assert_eq!(matches!(verified, Err(Error::WrongOrganization { .. })), !ok);
    }
}

fn listed(id: &str) -> serde_json::Value {
    json!({"Id": id, "Email": format!("aws+{id}@example.com"), "Name": id, "State": "ACTIVE"})
}
