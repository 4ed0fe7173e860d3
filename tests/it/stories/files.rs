//! A company as small as a story needs it, and strangers who change things by hand.

use aws_config::SdkConfig;
use serde_json::{Value, json};

use super::{HOME, Play};
use crate::sandbox_aws::inside_as;

pub(super) const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
/// The role that the stack `role` of every account makes.
pub(super) const ROLE: &str = "NetOps";

pub(super) const BASELINE: &str = "baselines/base/baseline.yaml";

pub(super) fn email(slug: &str) -> String {
    format!("aws+{slug}@example.com")
}

/// The path of an account's file.
pub(super) fn path(slug: &str) -> String {
    format!("accounts/{slug}/account.yaml")
}

/// An account's file, with more lines if the story needs them.
pub(super) fn account(slug: &str, more: &str) -> String {
    format!("name: Company {slug}\nou: /workloads\ntags: {{owner: {slug}}}\n{more}")
}

/// The baseline of every account: a password policy and a stack that makes a role.
pub(super) fn baseline(length: u32) -> String {
    format!(
        "targets: {{ous: [\"/**\"]}}\n\
         settings:\n  passwordPolicy: {{minimumLength: {length}, requireSymbols: true}}\n\
         stacks:\n  role: {{template: role.template.yaml, capabilities: [CAPABILITY_NAMED_IAM]}}\n"
    )
}

pub(super) fn role_template() -> String {
    format!(
        "Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: {ROLE}\n      \
         ManagedPolicyArns: [\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]\n      \
         AssumeRolePolicyDocument:\n        Version: \"2012-10-17\"\n        \
         Statement: [{{Effect: Allow, Principal: {{Service: ec2.amazonaws.com}}, Action: \"sts:AssumeRole\"}}]\n"
    )
}

/// A template with one log group.
pub(super) fn logs_template(days: u32) -> String {
    format!(
        "Resources:\n  Group:\n    Type: AWS::Logs::LogGroup\n    Properties: {{LogGroupName: app, RetentionInDays: {days}}}\n"
    )
}

/// The repository of a company with these accounts.
pub(super) fn company(slugs: &[&str]) -> Vec<(String, String)> {
    let organization = "id: o-exampleorgid\nmanagementAccount: \"999988887777\"\nhomeRegion: eu-west-1\n\
                        access: {role: OrganizationAccountAccessRole, managementRole: LandfastManagement}\n\
                        accountDefaults: {email: \"aws+${{ account.slug }}@example.com\"}\n\
                        ous: {workloads: {}, special: {}}\n";
    let mut files = vec![
        ("organization/organization.yaml".to_owned(), organization.to_owned()),
        (BASELINE.to_owned(), baseline(14)),
        ("baselines/base/role.template.yaml".to_owned(), role_template()),
    ];
    files.extend(slugs.iter().map(|slug| (path(slug), account(slug, ""))));
    files
}

impl Play {
    /// Somebody's own session in an account, with a role that is not Landfast's.
    pub(super) async fn session(&self, slug: &str, name: &str) -> SdkConfig {
        let id = self.id(slug);
        self.stage.aws.add_access_role(&id, "BreakGlass");
        inside_as(&self.stage.aws, &id, "BreakGlass", name, HOME).await
    }

    /// alice replaces the password policy of an account.
    pub(super) async fn alice_sets_password_length(&self, slug: &str, length: i32) {
        let iam = aws_sdk_iam::Client::new(&self.session(slug, "alice").await);
        let call = iam
            .update_account_password_policy()
            .minimum_password_length(length)
            .require_symbols(length == 14);
        call.send().await.unwrap();
    }

    /// alice makes an administrator of the role that a stack owns.
    pub(super) async fn alice_widens_role(&self, slug: &str) {
        let iam = aws_sdk_iam::Client::new(&self.session(slug, "alice").await);
        iam.attach_role_policy().role_name(ROLE).policy_arn(ADMINISTRATOR).send().await.unwrap();
    }

    pub(super) fn is_wide(&self, slug: &str) -> bool {
        let roles = self.stage.aws.roles(&self.id(slug));
        roles.get(ROLE).is_some_and(|role| role.attached.iter().any(|policy| policy == ADMINISTRATOR))
    }

    /// True when a call was about this account's creation.
    pub(super) fn creations_of(&self, slug: &str) -> usize {
        let is_it = |params: &Value| params.get("Email") == Some(&json!(email(slug)));
        self.calls("CreateAccount").iter().filter(|entry| is_it(&entry.params)).count()
    }
}
