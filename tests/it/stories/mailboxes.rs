//! Mailboxes that a stack subscribes: nobody hears anything before somebody has clicked, and that is said.

use super::Play;
use super::files::{account, company, path};

const SOC: &str = "soc@example.com";

/// A company whose account `alpha` has the topic that everybody's alerts go to.
fn files() -> Vec<(String, String)> {
    let mut files = company(&["alpha", "beta"]);
    files.retain(|(of, _)| *of != path("alpha"));
    let stacks = "stacks: {alerts: {template: alerts.template.yaml}}\n";
    let template = format!(
        "Resources:\n  Topic: {{Type: AWS::SNS::Topic, Properties: {{TopicName: fleet-alerts}}}}\n  \
         Mail:\n    Type: AWS::SNS::Subscription\n    \
         Properties: {{TopicArn: !Ref Topic, Protocol: email, Endpoint: {SOC}}}\n"
    );
    files.extend([
        (path("alpha"), account("alpha", stacks)),
        ("accounts/alpha/alerts.template.yaml".to_owned(), template),
    ]);
    files
}

impl Play {
    fn alphas_attention(&self) -> String {
        self.open_issue("attention", "accounts/alpha").map(|issue| issue.body).unwrap_or_default()
    }
}

#[tokio::test]
async fn a_mailbox_that_has_not_confirmed_is_waited_for_and_never_said_to_be_in_sync() {
    let play = Play::begin(&files()).await;
    play.settled(&["alpha", "beta"]).await;
    play.until("it is told", |play| play.alphas_attention().contains("waiting for confirmation")).await;
    assert!(play.alphas_attention().contains(SOC), "{}", play.alphas_attention());
    play.rest().await;
    let writes = play.writes().len();
    play.stage.aws.confirm_subscriptions(SOC);
    play.until("it is over", |play| play.alphas_attention().is_empty()).await;
    play.rest().await;
    assert_eq!(play.writes().len(), writes);
    let asked = play.calls("ListSubscriptions");
    assert!(asked.iter().all(|call| call.account == play.id("alpha")), "only where there is a mailbox");
    play.end().await;
}

#[tokio::test]
async fn a_mailbox_that_unsubscribed_is_missed() {
    let play = Play::begin(&files()).await;
    play.settled(&["alpha", "beta"]).await;
    play.stage.aws.confirm_subscriptions(SOC);
    play.rest().await;
    let stack = play.stack("alpha", "alerts").unwrap();
    let (kind, physical) = &stack.resources["Mail"];
    play.stage.aws.tamper(&play.id("alpha"), &stack.region, kind, physical, None);
    play.until("it is told", |play| play.alphas_attention().contains("is not subscribed")).await;
    play.end().await;
}
