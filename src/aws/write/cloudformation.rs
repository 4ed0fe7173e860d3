//! CloudFormation: change sets, never `UpdateStack`. Names and tokens come from the caller and are the same for the
//! same intent, so a call whose answer was lost is found again instead of sent anew.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::{Capability, ChangeSetType, DeploymentMode, Parameter, Tag};

use super::super::Error;
use super::super::session::Repeat;
use super::Writer;
use crate::model::{Region, RoleName};

/// A change set to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChangeSet<'a> {
    /// The name of the stack.
    pub stack: &'a str,
    /// The change set's name: it carries the digest of what is sent, and is the client token too.
    pub name: &'a str,
    /// True where there is no stack yet or an empty shell only.
    pub is_new: bool,
    /// The template's bytes.
    pub template: &'a str,
    /// Every parameter.
    pub parameters: &'a BTreeMap<String, String>,
    /// Every tag, the owner tag included.
    pub tags: &'a BTreeMap<String, String>,
    /// The service role of this account that CloudFormation is to work as, now and whenever it works on the stack.
    pub role: Option<&'a RoleName>,
    /// What the file grants.
    pub capabilities: &'a BTreeSet<String>,
    /// Compares with the real resources and puts them back (`REVERT_DRIFT`).
    pub revert: bool,
}

impl Writer {
    /// Creates a change set and returns its ARN and the stack's.
    pub async fn create_change_set(
        &self,
        region: &Region,
        new: &NewChangeSet<'_>,
    ) -> Result<(String, String), Error> {
        let operation = "CreateChangeSet";
        // Not repeated by the SDK: it takes the quota's code for a throttle.
        let client = self.session.cloudformation(Some(region), Repeat::Never).await?;
        let kind = if new.is_new { ChangeSetType::Create } else { ChangeSetType::Update };
        let call = client
            .create_change_set()
            .stack_name(new.stack)
            .change_set_name(new.name)
            .client_token(new.name)
            .change_set_type(kind)
            .template_body(new.template)
            .set_parameters(Some(new.parameters.iter().map(parameter).collect()))
            .set_tags(Some(new.tags.iter().map(tag).collect()))
            .set_capabilities(Some(
                new.capabilities.iter().map(|name| Capability::from(name.as_str())).collect(),
            ))
            .set_role_arn(new.role.map(|role| role.arn(self.account())))
            .set_deployment_mode(new.revert.then_some(DeploymentMode::RevertDrift))
            .send();
        let answer = self.session.send(operation, call).await?;
        let id = answer.id.ok_or_else(|| self.lacks(operation, "id"))?;
        Ok((id, answer.stack_id.ok_or_else(|| self.lacks(operation, "stack id"))?))
    }

    /// Executes a change set by its ARN.
    pub async fn execute_change_set(
        &self,
        region: &Region,
        change_set: &str,
        token: &str,
    ) -> Result<(), Error> {
        let client = self.session.cloudformation(Some(region), Repeat::Never).await?;
        let call = client.execute_change_set().change_set_name(change_set).client_request_token(token).send();
        self.session.send("ExecuteChangeSet", call).await.map(|_| ())
    }

    /// Deletes a change set by its ARN; that it is gone already counts as done.
    pub async fn delete_change_set(&self, region: &Region, change_set: &str) -> Result<(), Error> {
        let client = self.session.cloudformation(Some(region), Repeat::Freely).await?;
        let call = client.delete_change_set().change_set_name(change_set).send();
        match self.session.send("DeleteChangeSet", call).await {
            Err(error) if error.is_absent() => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    /// Deletes a stack by its ARN, so that one made anew under the same name is never hit.
    pub async fn delete_stack(&self, region: &Region, stack_id: &str, token: &str) -> Result<(), Error> {
        let client = self.session.cloudformation(Some(region), Repeat::Freely).await?;
        let call = client.delete_stack().stack_name(stack_id).client_request_token(token).send();
        self.session.send("DeleteStack", call).await.map(|_| ())
    }
}

fn parameter((key, value): (&String, &String)) -> Parameter {
    Parameter::builder().parameter_key(key).parameter_value(value).build()
}

fn tag((key, value): (&String, &String)) -> Tag {
    Tag::builder().key(key).value(value).build()
}
