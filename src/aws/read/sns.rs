//! SNS: who is subscribed, and who has yet to confirm it.

use super::super::Error;
use super::super::session::Repeat;
use super::Reader;
use crate::model::Region;

/// A subscription as SNS lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The name of the topic.
    pub topic: String,
    /// The address.
    pub address: String,
    /// Whether somebody has confirmed it; SNS shows an ARN only then.
    pub is_confirmed: bool,
}

impl Reader {
    /// The mailboxes that are subscribed to any topic of the account in one region. What was unsubscribed, and what
    /// nobody confirmed in time, is not among them.
    pub async fn mail_subscriptions(&self, region: &Region) -> Result<Vec<Subscription>, Error> {
        let request = self.session.sns(Some(region), Repeat::Freely).await?.list_subscriptions();
        let fetch = |token| request.clone().set_next_token(token).send();
        let all = self
            .session
            .pages("ListSubscriptions", fetch, |page| (page.subscriptions, page.next_token))
            .await?;
        let is_mail = |protocol: Option<&str>| matches!(protocol, Some("email" | "email-json"));
        let mail =
            all.into_iter().filter(|it| is_mail(it.protocol()) && it.subscription_arn() != Some("Deleted"));
        let subscription = |it: aws_sdk_sns::types::Subscription| Subscription {
            topic: it.topic_arn().and_then(|arn| arn.rsplit(':').next()).unwrap_or_default().to_owned(),
            address: it.endpoint().unwrap_or_default().to_owned(),
            is_confirmed: it.subscription_arn().is_some_and(|arn| arn.starts_with("arn:")),
        };
        Ok(mail.map(subscription).collect())
    }
}
