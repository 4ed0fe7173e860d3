//! Policies that are tried in a first OU: judged by where they are attached, and by when.

use jiff::SignedDuration;

use super::Play;
use super::files::company;

const FILE: &str = "organization/policies/service-control-policy/stay.json";
const DENY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}]}"#;

/// A company in which one policy is attached to two OUs, `special` being the first.
fn guarded(soak: &str) -> Vec<(String, String)> {
    let mut files = company(&["alpha"]);
    let organization = &mut files[0].1;
    *organization = organization
        .replace("workloads: {}", "workloads: {policies: [stay]}")
        .replace("special: {}", "special: {policies: [stay]}");
    files.push((FILE.to_owned(), DENY.to_owned()));
    let first = format!("rollout: {{policies: {{firstOu: /special, soak: {soak}}}}}\n");
    files.push(("landfast.yaml".to_owned(), first));
    files
}

impl Play {
    fn is_attached(&self, path: &str) -> bool {
        self.stage.aws.policy_named("stay").is_some_and(|policy| policy.targets.contains(path))
    }
}

#[tokio::test]
async fn a_policy_reaches_the_rest_after_its_time_in_the_first_ou_and_a_kill_does_not_shorten_that() {
    let mut play = Play::begin(&guarded("1h")).await;
    play.settled(&["alpha"]).await;
    play.until("it is in the first OU", |play| play.is_attached("/special")).await;
    play.rest().await;
    assert!(!play.is_attached("/workloads"), "{}", play.scene());
    play.kill();
    play.start();
    play.looks(2).await;
    play.rest().await;
    assert!(!play.is_attached("/workloads"), "{}", play.scene());
    assert_eq!(play.calls("AttachPolicy").len(), 1);

    // The rest of an hour is long, here too.
    let shorter = "rollout: {policies: {firstOu: /special, soak: 1s}}\n".to_owned();
    play.commit("Long enough", &[("landfast.yaml", Some(shorter))]);
    play.until("it is everywhere", |play| play.is_attached("/workloads")).await;
    let attached = play.calls("AttachPolicy");
    assert_eq!(attached.len(), 2);
    assert!(attached[1].at.duration_since(attached[0].at) >= SignedDuration::from_secs(1));
    play.end().await;
}
