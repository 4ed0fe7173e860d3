//! Policies of the organization. Making one is sent once, as all of Organizations is; for the others AWS itself says
//! when they were done already.

use std::collections::BTreeMap;

use aws_sdk_organizations::types::{PolicyType as Kind, PolicyTypeStatus, PolicyTypeSummary};

use super::super::Error;
use super::super::session::Repeat;
use super::Writer;
use crate::model::PolicyType;

impl Writer {
    /// Lets policies of a kind be attached, and says whether they can be by now: AWS may take a while. That they can be
    /// already counts as done.
    pub async fn enable_policy_type(&self, root: &str, kind: PolicyType) -> Result<bool, Error> {
        let client = self.session.organizations(None, Repeat::Never).await?;
        let call = client.enable_policy_type().root_id(root).policy_type(Kind::from(kind.aws())).send();
        match self.session.send("EnablePolicyType", call).await {
            Ok(answer) => {
                let types = answer.root.and_then(|root| root.policy_types).unwrap_or_default();
                let is_it = |it: &PolicyTypeSummary| {
                    it.r#type().is_some_and(|it| it.as_str() == kind.aws())
                        && it.status() == Some(&PolicyTypeStatus::Enabled)
                };
                Ok(types.iter().any(is_it))
            }
            Err(error) if error.code() == Some("PolicyTypeAlreadyEnabledException") => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Makes a policy, once, and returns its id (`p-…`). After an error of unknown outcome look at the policies before
    /// asking again.
    pub async fn create_policy(
        &self,
        kind: PolicyType,
        name: &str,
        description: &str,
        content: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<String, Error> {
        let operation = "CreatePolicy";
        let client = self.session.organizations(None, Repeat::Never).await?;
        let request =
            client.create_policy().r#type(Kind::from(kind.aws())).name(name).description(description);
        let call = request.content(content).set_tags(Some(self.tags(operation, tags)?)).send();
        let answer = self.session.send(operation, call).await?;
        let id = answer.policy.and_then(|policy| policy.policy_summary).and_then(|policy| policy.id);
        id.ok_or_else(|| self.lacks(operation, "id"))
    }

    /// Replaces the content of a policy (`p-…`).
    pub async fn update_policy(&self, id: &str, content: &str) -> Result<(), Error> {
        let client = self.session.organizations(None, Repeat::Never).await?;
        let call = client.update_policy().policy_id(id).content(content).send();
        self.session.send("UpdatePolicy", call).await.map(drop)
    }

    /// Attaches a policy to the root, an OU or an account (ids). That it is attached already counts as done.
    pub async fn attach_policy(&self, id: &str, target: &str) -> Result<(), Error> {
        let client = self.session.organizations(None, Repeat::Never).await?;
        let call = client.attach_policy().policy_id(id).target_id(target).send();
        done_already(
            "DuplicatePolicyAttachmentException",
            self.session.send("AttachPolicy", call).await.map(drop),
        )
    }

    /// Detaches a policy from the root, an OU or an account (ids). That it is not attached counts as done.
    pub async fn detach_policy(&self, id: &str, target: &str) -> Result<(), Error> {
        let client = self.session.organizations(None, Repeat::Never).await?;
        let call = client.detach_policy().policy_id(id).target_id(target).send();
        done_already("PolicyNotAttachedException", self.session.send("DetachPolicy", call).await.map(drop))
    }

    /// Deletes a policy (`p-…`). That it is gone counts as done.
    pub async fn delete_policy(&self, id: &str) -> Result<(), Error> {
        let client = self.session.organizations(None, Repeat::Never).await?;
        let call = client.delete_policy().policy_id(id).send();
        done_already("PolicyNotFoundException", self.session.send("DeletePolicy", call).await.map(drop))
    }
}

fn done_already(code: &str, answer: Result<(), Error>) -> Result<(), Error> {
    match answer {
        Err(error) if error.code() == Some(code) => Ok(()),
        answer => answer,
    }
}
