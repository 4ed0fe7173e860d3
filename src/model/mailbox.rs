//! Mailboxes that a stack subscribes to topics: such a subscription counts only once somebody has clicked on the link
//! that AWS sends there.

use std::collections::{BTreeMap, BTreeSet};

use super::Value;
use super::template::{Template, plain_text};

/// Where the parts of a stack's value stand that say who has not confirmed a subscription yet (a JSON pointer's
/// beginning).
pub const SUBSCRIPTIONS: &str = "/subscriptions/";

/// A mailbox that a stack subscribes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mailbox {
    /// The address.
    pub address: String,
    /// The name of the topic, where the template tells.
    pub topic: Option<String>,
}

/// The mailboxes a template subscribes when it is given `parameters`. An address that only CloudFormation can work
/// out is not among them.
pub fn mailboxes(template: &str, parameters: &BTreeMap<String, String>) -> BTreeSet<Mailbox> {
    // Most templates have no topic, and reading one costs more than looking for the word.
    if !template.contains("AWS::SNS::") {
        return BTreeSet::new();
    }
    let Ok(template) = Template::parse(template) else { return BTreeSet::new() };
    let resources = template.body().get("Resources").and_then(Value::as_object).into_iter().flatten();
    let words = Words { body: template.body(), parameters };
    resources.flat_map(|(_, resource)| words.of(resource)).collect()
}

struct Words<'a> {
    body: &'a Value,
    parameters: &'a BTreeMap<String, String>,
}

impl Words<'_> {
    fn of(&self, resource: &Value) -> Vec<Mailbox> {
        let properties = &resource["Properties"];
        match resource["Type"].as_str() {
            Some("AWS::SNS::Subscription") => {
                let topic = self.topic_behind(&properties["TopicArn"]);
                self.mailbox(properties, topic).into_iter().collect()
            }
            Some("AWS::SNS::Topic") => {
                let topic = self.text(&properties["TopicName"]);
                let entries = properties["Subscription"].as_array().into_iter().flatten();
                entries.filter_map(|entry| self.mailbox(entry, topic.clone())).collect()
            }
            _ => Vec::new(),
        }
    }

    fn mailbox(&self, subscription: &Value, topic: Option<String>) -> Option<Mailbox> {
        let protocol = self.text(&subscription["Protocol"])?;
        let address = self.text(&subscription["Endpoint"])?;
        matches!(protocol.as_str(), "email" | "email-json").then_some(Mailbox { address, topic })
    }

    /// The name of the topic that an ARN in the template means.
    fn topic_behind(&self, arn: &Value) -> Option<String> {
        if let Some(text) = self.text(arn) {
            return text.rsplit(':').next().map(str::to_owned);
        }
        let logical = arn.get("Ref").and_then(Value::as_str)?;
        self.text(&self.body["Resources"][logical]["Properties"]["TopicName"])
    }

    /// A text as it stands there, or that of a parameter.
    fn text(&self, value: &Value) -> Option<String> {
        match value.get("Ref").and_then(Value::as_str) {
            Some(name) => self.parameters.get(name).cloned(),
            None => plain_text(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(resources: &str) -> Vec<(String, Option<String>)> {
        let template = format!("Parameters: {{To: {{Type: String}}}}\nResources:\n{resources}");
        let parameters = [("To".to_owned(), "soc@example.com".to_owned())].into();
        mailboxes(&template, &parameters).into_iter().map(|it| (it.address, it.topic)).collect()
    }

    #[test]
    fn an_address_is_found_as_it_stands_or_behind_a_parameter_and_so_is_the_name_of_its_topic() {
        let of = |address: &str, topic: Option<&str>| (address.to_owned(), topic.map(str::to_owned));
        let topic = "  T: {Type: 'AWS::SNS::Topic', Properties: {TopicName: alerts}}\n";
        let mail = "  M: {Type: 'AWS::SNS::Subscription', Properties: {Protocol: email, TopicArn: !Ref T, Endpoint: !Ref To}}\n";
        assert_eq!(found(&format!("{topic}{mail}")), [of("soc@example.com", Some("alerts"))]);
        let inline = "  T: {Type: 'AWS::SNS::Topic', Properties: {Subscription: [{Protocol: email-json, Endpoint: a@b.c}]}}\n";
        assert_eq!(found(inline), [of("a@b.c", None)]);
        let elsewhere = "  M: {Type: 'AWS::SNS::Subscription', Properties: {Protocol: email, TopicArn: 'arn:aws:sns:eu-west-1:1:x', Endpoint: a@b.c}}\n";
        assert_eq!(found(elsewhere), [of("a@b.c", Some("x"))]);
    }

    #[test]
    fn what_needs_no_click_or_cannot_be_known_is_no_mailbox() {
        let queue = "  M: {Type: 'AWS::SNS::Subscription', Properties: {Protocol: sqs, TopicArn: t, Endpoint: 'arn:aws:sqs:x'}}\n";
        assert_eq!(found(queue), []);
        let built = "  M: {Type: 'AWS::SNS::Subscription', Properties: {Protocol: email, TopicArn: t, Endpoint: !Sub 'a@${AWS::AccountId}.c'}}\n";
        assert_eq!(found(built), []);
        assert!(mailboxes("not: [a template", &BTreeMap::new()).is_empty());
    }
}
