//! Who may come in: STS and its checks.

use aws_sdk_iam::error::ProvideErrorMetadata as _;
use aws_sdk_sts::config::Credentials;

use super::world::World;

#[tokio::test]
async fn an_account_without_our_role_is_not_entered_and_counts_as_not_ready() {
    let world = World::closed().await;

    let planned = world.plan().ends_with(2).wrote_nothing();

    // An hour old at the most, it may still be about to get its role.
    assert_eq!(planned.verdicts()["accounts/payments stacks.auditors[eu-west-1]"], "moving");
    assert!(planned.out.contains("not authorized to perform: sts:AssumeRole"), "{}", planned.out);
    assert_eq!(planned.count("DescribeStacks"), 0);
    world.root.let_in(&world.company.management).await;
    let planned = world.plan().ends_with(2).wrote_nothing();
    assert_eq!(planned.verdicts()["accounts/payments stacks.auditors[eu-west-1]"], "new");
}

#[tokio::test]
async fn a_wrong_external_id_opens_nothing() {
    let world = World::open().await;
    world.commit("organization/organization.yaml", &world.company.access("somebody-elses"));

    let planned = world.plan().ends_with(2).wrote_nothing();

    assert!(planned.out.contains("not authorized to perform: sts:AssumeRole"), "{}", planned.out);
    assert_eq!(planned.count("DescribeStacks"), 0);
}

#[tokio::test]
async fn keys_that_nobody_has_end_it_before_anything_is_written() {
    let world = World::open().await;

    let applied = world.apply_as(&[("AWS_ACCESS_KEY_ID", "AKIANOBODY"), ("AWS_SECRET_ACCESS_KEY", "x")]);

    let applied = applied.ends_with(1).wrote_nothing();
    assert!(applied.err.contains("InvalidClientTokenId"), "{}", applied.err);
    assert_eq!(applied.operations, ["GetCallerIdentity"]);
}

#[tokio::test]
async fn a_session_token_that_is_not_the_sessions_ends_it_before_anything_is_written() {
    let world = World::open().await;
    let session = world.management.session(&world.company.account).await;
    let secret = session.secret_access_key.as_str();
    let keys = |token| {
        [
            ("AWS_ACCESS_KEY_ID", session.access_key_id.as_str()),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_SESSION_TOKEN", token),
        ]
    };

    let applied = world.apply_as(&keys("bogus")).ends_with(1).wrote_nothing();
    assert!(applied.err.contains("InvalidClientTokenId"), "{}", applied.err);

    // The right token is believed, and is for the wrong account.
    let applied = world.apply_as(&keys(&session.session_token)).ends_with(1).wrote_nothing();
    assert!(applied.err.contains(&world.company.account), "{}", applied.err);
}

/// The judge's own word on what the session's name alone would not prove: with the keys of a look, nothing can be
/// written.
#[tokio::test]
async fn what_the_program_reads_with_cannot_write() {
    let world = World::open().await;
    let (_, sent) = world.plan_and_tell();

    let asked = sent.iter().find(|sent| sent.operation == "AssumeRole").expect("a session");
    assert_eq!(asked.field("RoleSessionName").as_deref(), Some("landfast-read"));
    let policy = asked.field("PolicyArns.member.1.arn").expect("a session policy");
    let confined = world.management.confined_session(&world.company.account, &policy).await;
    let keys = Credentials::new(
        confined.access_key_id,
        confined.secret_access_key,
        Some(confined.session_token),
        None,
        "tests",
    );
    let reader = world.principal(keys).await;
    assert!(reader.iam.list_account_aliases().send().await.is_ok());
    let refused = reader.iam.create_account_alias().account_alias("taken").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("AccessDenied"));
}
