//! Another principal's session: what somebody does who is not Landfast. The sandbox's story and the tests use it;
//! the daemon never does.

use std::sync::Arc;

use super::cloud::Cloud;
use super::session::{Assumption, Candidate, Identity, Repeat, Session};
use super::{Error, Reader, Writer};
use crate::model::{AccountId, RoleName, Value};

/// Somebody with a session of their own in one account.
#[derive(Clone)]
pub struct Visitor {
    session: Arc<Session>,
}

impl Visitor {
    /// Assumes `role` of `account` under the session name `name`, from the keys that `cloud` was connected with.
    pub async fn assume(
        cloud: &Cloud,
        account: &AccountId,
        role: &RoleName,
        name: &str,
        external_id: Option<&str>,
    ) -> Result<Self, Error> {
        let session = cloud.session(
            account,
            Identity::Role(Assumption {
                roles: vec![Candidate { role: role.clone(), confined: false }],
                session_name: name.to_owned(),
                external_id: external_id.map(str::to_owned),
            }),
        );
        session.enter().await?;
        Ok(Self { session })
    }

    /// Nobody's role: the keys that `cloud` was connected with, which belong to `account`.
    pub fn own(cloud: &Cloud, account: &AccountId) -> Self {
        Self { session: cloud.session(account, Identity::Own) }
    }

    /// What this principal may read.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.session))
    }

    /// Attaches a managed policy to a role.
    pub async fn attach_role_policy(&self, role: &str, policy_arn: &str) -> Result<(), Error> {
        let client = self.session.iam(None, Repeat::Freely).await?;
        let call = client.attach_role_policy().role_name(role).policy_arn(policy_arn).send();
        self.session.send("AttachRolePolicy", call).await.map(|_| ())
    }

    /// Detaches a managed policy from a role.
    pub async fn detach_role_policy(&self, role: &str, policy_arn: &str) -> Result<(), Error> {
        let client = self.session.iam(None, Repeat::Freely).await?;
        let call = client.detach_role_policy().role_name(role).policy_arn(policy_arn).send();
        self.session.send("DetachRolePolicy", call).await.map(|_| ())
    }

    /// Replaces the whole password policy, by the field names of the files.
    pub async fn put_password_policy(&self, policy: &Value) -> Result<(), Error> {
        Writer::new(Arc::clone(&self.session)).put_password_policy(policy).await
    }

    /// Creates a role that everybody in `trusted` may assume who is allowed to there.
    pub async fn create_role(&self, name: &RoleName, trusted: &AccountId) -> Result<(), Error> {
        let trust = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"AWS": format!("arn:aws:iam::{trusted}:root")},
                "Action": "sts:AssumeRole",
            }],
        });
        let client = self.session.iam(None, Repeat::Freely).await?;
        let call =
            client.create_role().role_name(name.as_str()).assume_role_policy_document(trust.to_string());
        self.session.send("CreateRole", call.send()).await.map(|_| ())
    }
}
