//! What ministack holds, read with the SDK by somebody who is not the program; and what strangers do there.
//!
//! A 12-digit access key is that account's root. So every story has a management account of its own, and with it an
//! organization of its own.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::types::Stack;
use aws_sdk_iam::types::Role;
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use aws_sdk_sts::types::PolicyDescriptorType;
use serde_json::json;

use super::company::{Company, EXTERNAL_ID, REGION, SLUG};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// Clients of one principal.
pub(crate) struct Principal {
    config: SdkConfig,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) cloudformation: aws_sdk_cloudformation::Client,
}

impl Principal {
    /// Whoever has these keys.
    pub(crate) async fn with(endpoint: &str, keys: Credentials) -> Self {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(endpoint)
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .load()
            .await;
        let iam = aws_sdk_iam::Client::new(&config);
        Self { iam, cloudformation: aws_sdk_cloudformation::Client::new(&config), config }
    }

    /// An account's root.
    pub(crate) async fn root(endpoint: &str, account: &str) -> Self {
        Self::with(endpoint, Credentials::new(account, "root", None, None, "tests")).await
    }

    /// Makes an organization's account and says what the company is.
    pub(crate) async fn company(&self, management: &str) -> Company {
        let organizations = aws_sdk_organizations::Client::new(&self.config);
        let organization = organizations.describe_organization().send().await.unwrap().organization.unwrap();
        let call = organizations.create_account().account_name(SLUG).email(format!("aws+{SLUG}@example.com"));
        let made = call.send().await.unwrap().create_account_status.unwrap();
        Company {
            organization: organization.id.unwrap(),
            management: management.to_owned(),
            account: made.account_id.unwrap(),
        }
    }

    /// Makes the role through which the management account may enter, which ministack does not.
    pub(crate) async fn let_in(&self, management: &str) {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{management}:root")},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        }]});
        let role = "OrganizationAccountAccessRole";
        let call = self.iam.create_role().role_name(role).assume_role_policy_document(trust.to_string());
        call.send().await.unwrap();
        self.iam.attach_role_policy().role_name(role).policy_arn(ADMINISTRATOR).send().await.unwrap();
    }

    /// Makes a user who may do everything here; her keys.
    pub(crate) async fn make_user(&self, name: &str) -> Credentials {
        self.iam.create_user().user_name(name).send().await.unwrap();
        self.iam.attach_user_policy().user_name(name).policy_arn(ADMINISTRATOR).send().await.unwrap();
        let keys = self.iam.create_access_key().user_name(name).send().await.unwrap().access_key.unwrap();
        Credentials::new(keys.access_key_id, keys.secret_access_key, None, None, "tests")
    }

    /// The keys of a session in an account's role.
    pub(crate) async fn session(&self, account: &str) -> aws_sdk_sts::types::Credentials {
        self.assume(account).send().await.unwrap().credentials.unwrap()
    }

    /// The same under a session policy.
    pub(crate) async fn confined_session(
        &self,
        account: &str,
        policy: &str,
    ) -> aws_sdk_sts::types::Credentials {
        let policy = PolicyDescriptorType::builder().arn(policy).build();
        self.assume(account).policy_arns(policy).send().await.unwrap().credentials.unwrap()
    }

    fn assume(&self, account: &str) -> AssumeRoleFluentBuilder {
        let arn = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
        let call = aws_sdk_sts::Client::new(&self.config).assume_role().role_arn(arn);
        call.role_session_name("somebody").external_id(EXTERNAL_ID)
    }

    /// The role the stack makes, where it is there.
    pub(crate) async fn auditors(&self) -> Option<Role> {
        match self.iam.get_role().role_name("Auditors").send().await {
            Ok(answer) => answer.role,
            Err(error) if error.as_service_error().unwrap().is_no_such_entity_exception() => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// The stack, as CloudFormation describes it.
    pub(crate) async fn stack(&self) -> Stack {
        let answer = self.cloudformation.describe_stacks().stack_name("auditors").send().await.unwrap();
        answer.stacks.unwrap().remove(0)
    }

    /// The stack's state.
    pub(crate) async fn status(&self) -> String {
        self.stack().await.stack_status.unwrap().as_str().to_owned()
    }

    /// How many stacks there are, of any name and state but deleted.
    pub(crate) async fn n_stacks(&self) -> usize {
        self.cloudformation.describe_stacks().send().await.unwrap().stacks.unwrap().len()
    }
}
