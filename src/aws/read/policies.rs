//! Policies of the organization: which there are, what they say, and where they are attached.

use aws_sdk_organizations::types::PolicyType as Kind;

use super::super::Error;
use super::super::session::Repeat;
use super::Reader;
use crate::model::PolicyType;

/// A policy as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPolicy {
    /// `p-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// True for AWS's own, which nobody can change.
    pub is_managed: bool,
}

impl Reader {
    /// Every policy of one kind.
    pub async fn policies(&self, kind: PolicyType) -> Result<Vec<ListedPolicy>, Error> {
        let operation = "ListPolicies";
        let request = self.session.organizations(None, Repeat::Freely).await?.list_policies();
        let request = request.filter(Kind::from(kind.aws()));
        let fetch = |token| request.clone().set_next_token(token).send();
        let policies = self.session.pages(operation, fetch, |page| (page.policies, page.next_token)).await?;
        let listed = |policy: aws_sdk_organizations::types::PolicySummary| {
            let id = policy.id.ok_or_else(|| self.lacks(operation, "id"))?;
            let name = policy.name.ok_or_else(|| self.lacks(operation, "name"))?;
            Ok(ListedPolicy { id, name, is_managed: policy.aws_managed })
        };
        policies.into_iter().map(listed).collect()
    }

    /// The content of a policy (`p-…`), as it was sent.
    pub async fn policy_content(&self, id: &str) -> Result<String, Error> {
        let operation = "DescribePolicy";
        let client = self.session.organizations(None, Repeat::Freely).await?;
        let answer = self.session.send(operation, client.describe_policy().policy_id(id).send()).await?;
        answer.policy.and_then(|policy| policy.content).ok_or_else(|| self.lacks(operation, "content"))
    }

    /// The ids of everything a policy (`p-…`) is attached to: the root, OUs, accounts.
    pub async fn policy_targets(&self, id: &str) -> Result<Vec<String>, Error> {
        let operation = "ListTargetsForPolicy";
        let request = self.session.organizations(None, Repeat::Freely).await?.list_targets_for_policy();
        let request = request.policy_id(id);
        let fetch = |token| request.clone().set_next_token(token).send();
        let targets = self.session.pages(operation, fetch, |page| (page.targets, page.next_token)).await?;
        let id = |target: aws_sdk_organizations::types::PolicyTargetSummary| {
            target.target_id.ok_or_else(|| self.lacks(operation, "target id"))
        };
        targets.into_iter().map(id).collect()
    }
}
