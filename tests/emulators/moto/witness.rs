//! What moto holds, read with the SDK by somebody who is not the program; and what strangers do there.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::types::Stack;
use aws_sdk_iam::types::PasswordPolicy;
use aws_sdk_organizations::types::{ChildType, OrganizationFeatureSet, PolicyType, Tag};
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};

use super::company::{REGION, email};

/// Clients of the management account.
pub(crate) struct Witness {
    config: SdkConfig,
    organizations: aws_sdk_organizations::Client,
    /// The organization's id.
    pub(crate) organization: String,
}

/// An account as moto lists it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// Clients inside one account.
pub(crate) struct Inside {
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) cloudformation: aws_sdk_cloudformation::Client,
}

impl Witness {
    /// Makes an organization.
    pub(crate) async fn with_new_organization(endpoint: &str) -> Self {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(endpoint)
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            .load()
            .await;
        let organizations = aws_sdk_organizations::Client::new(&config);
        let made = organizations.create_organization().feature_set(OrganizationFeatureSet::All).send().await;
        let organization = made.unwrap().organization.unwrap().id.unwrap();
        Self { config, organizations, organization }
    }

    /// All accounts by e-mail.
    pub(crate) async fn accounts(&self) -> BTreeMap<String, Listed> {
        let pages = self.organizations.list_accounts().into_paginator().send();
        let pages = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let accounts = pages.into_iter().flat_map(|page| page.accounts.unwrap_or_default());
        let listed = |account: aws_sdk_organizations::types::Account| {
            (account.email.unwrap(), Listed { id: account.id.unwrap(), name: account.name.unwrap() })
        };
        accounts.map(listed).collect()
    }

    /// The id of an account by the e-mail of its folder.
    pub(crate) async fn id(&self, slug: &str) -> String {
        let mut accounts = self.accounts().await;
        accounts.remove(&email(slug)).unwrap_or_else(|| panic!("an account for {slug}")).id
    }

    /// The tags of an account.
    pub(crate) async fn tags(&self, id: &str) -> BTreeMap<String, String> {
        let answer = self.organizations.list_tags_for_resource().resource_id(id).send().await.unwrap();
        answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()
    }

    /// The service control policy of this name: its id, its content, its tags, and the ids of what it is attached to.
    pub(crate) async fn policy(
        &self,
        name: &str,
    ) -> Option<(String, String, BTreeMap<String, String>, BTreeSet<String>)> {
        let all =
            self.organizations.list_policies().filter(PolicyType::ServiceControlPolicy).send().await.unwrap();
        let id = all.policies().iter().find(|policy| policy.name() == Some(name))?.id()?.to_owned();
        let described = self.organizations.describe_policy().policy_id(&id).send().await.unwrap();
        let content = described.policy.unwrap().content.unwrap();
        let answer = self.organizations.list_targets_for_policy().policy_id(&id).send().await.unwrap();
        let targets = answer.targets.unwrap().into_iter().map(|target| target.target_id.unwrap()).collect();
        let tags = self.tags(&id).await;
        Some((id, content, tags, targets))
    }

    /// The kinds of policies that the root has, with their statuses.
    pub(crate) async fn policy_types(&self) -> Vec<String> {
        let answer = self.organizations.list_roots().send().await.unwrap();
        let types = answer.roots()[0].policy_types().iter();
        types.map(|it| format!("{} {}", it.r#type().unwrap(), it.status().unwrap())).collect()
    }

    /// A stranger detaches a policy.
    pub(crate) async fn detach_policy(&self, policy: &str, target: &str) {
        self.organizations.detach_policy().policy_id(policy).target_id(target).send().await.unwrap();
    }

    /// The path of the OU an account is in.
    pub(crate) async fn ou(&self, id: &str) -> String {
        let mut path = String::new();
        let mut child = id.to_owned();
        loop {
            let answer = self.organizations.list_parents().child_id(&child).send().await.unwrap();
            let parent = answer.parents.unwrap().remove(0).id.unwrap();
            if parent.starts_with("r-") {
                return if path.is_empty() { "/".to_owned() } else { path };
            }
            let ou = self.organizations.describe_organizational_unit().organizational_unit_id(&parent);
            let ou = ou.send().await.unwrap().organizational_unit.unwrap();
            path = format!("/{}{path}", ou.name.unwrap());
            child = parent;
        }
    }

    /// The paths of all OUs.
    pub(crate) async fn ous(&self) -> Vec<String> {
        let roots = self.organizations.list_roots().send().await.unwrap().roots.unwrap();
        let mut open = vec![(roots[0].id.clone().unwrap(), String::new())];
        let mut found = Vec::new();
        while let Some((parent, path)) = open.pop() {
            let call = self.organizations.list_organizational_units_for_parent().parent_id(parent);
            for ou in call.send().await.unwrap().organizational_units.unwrap() {
                let path = format!("{path}/{}", ou.name.unwrap());
                found.push(path.clone());
                open.push((ou.id.unwrap(), path));
            }
        }
        found.sort();
        found
    }

    /// Makes an account with these tags and returns its id.
    pub(crate) async fn make_account(&self, slug: &str, tags: &[(&str, &str)]) -> String {
        let call = self.organizations.create_account().account_name(slug).email(email(slug));
        let tag = |(key, value): &(&str, &str)| Tag::builder().key(*key).value(*value).build().unwrap();
        let answer = call.set_tags(Some(tags.iter().map(tag).collect())).send().await.unwrap();
        answer.create_account_status.unwrap().account_id.unwrap()
    }

    /// Makes an account that bears the tags by which Landfast knows its own.
    pub(crate) async fn make_our_account(&self, slug: &str) -> String {
        let tags = [("owner", slug), ("landfast:owner", &self.organization), ("landfast:slug", slug)];
        self.make_account(slug, &tags).await
    }

    /// Clients inside an account.
    pub(crate) async fn inside(&self, id: &str) -> Inside {
        let role = format!("arn:aws:iam::{id}:role/OrganizationAccountAccessRole");
        let sts = aws_sdk_sts::Client::new(&self.config);
        let answer = sts.assume_role().role_arn(role).role_session_name("alice").send().await.unwrap();
        let keys = answer.credentials.unwrap();
        let keys = Credentials::new(
            keys.access_key_id,
            keys.secret_access_key,
            Some(keys.session_token),
            None,
            "tests",
        );
        let provider = SharedCredentialsProvider::new(keys);
        let config = self.config.to_builder().credentials_provider(provider).build();
        Inside {
            iam: aws_sdk_iam::Client::new(&config),
            cloudformation: aws_sdk_cloudformation::Client::new(&config),
        }
    }

    /// Clients inside the account of a folder.
    pub(crate) async fn inside_of(&self, slug: &str) -> Inside {
        self.inside(&self.id(slug).await).await
    }

    /// How many accounts the root holds itself.
    pub(crate) async fn in_root(&self) -> usize {
        let roots = self.organizations.list_roots().send().await.unwrap().roots.unwrap();
        let call = self.organizations.list_children().parent_id(roots[0].id.clone().unwrap());
        call.child_type(ChildType::Account).send().await.unwrap().children.unwrap().len()
    }
}

impl Inside {
    /// The password policy, if there is one.
    pub(crate) async fn password_policy(&self) -> Option<PasswordPolicy> {
        match self.iam.get_account_password_policy().send().await {
            Ok(answer) => answer.password_policy,
            Err(error) if error.as_service_error().unwrap().is_no_such_entity_exception() => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// The minimum length of passwords, if there is a policy.
    pub(crate) async fn minimum_length(&self) -> Option<i32> {
        self.password_policy().await?.minimum_password_length
    }

    /// Replaces the password policy by one that asks for this length and nothing else.
    pub(crate) async fn weaken_passwords(&self, length: i32) {
        self.iam.update_account_password_policy().minimum_password_length(length).send().await.unwrap();
    }

    /// The sign-in aliases.
    pub(crate) async fn aliases(&self) -> Vec<String> {
        self.iam.list_account_aliases().send().await.unwrap().account_aliases
    }

    /// The stacks that are there, by name.
    pub(crate) async fn stacks(&self) -> BTreeMap<String, Stack> {
        let pages = self.cloudformation.describe_stacks().into_paginator().items().send();
        let stacks = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let is_there =
            |stack: &Stack| stack.stack_status.as_ref().is_none_or(|it| it.as_str() != "DELETE_COMPLETE");
        let named = |stack: Stack| (stack.stack_name.clone().unwrap(), stack);
        stacks.into_iter().filter(is_there).map(named).collect()
    }

    /// A parameter of a stack.
    pub(crate) async fn parameter(&self, stack: &str, name: &str) -> String {
        let stack = self.stacks().await.remove(stack).expect("the stack");
        let is_meant = |parameter: &aws_sdk_cloudformation::types::Parameter| {
            parameter.parameter_key.as_deref() == Some(name)
        };
        stack.parameters.unwrap().into_iter().find(is_meant).unwrap().parameter_value.unwrap()
    }

    /// The template of a stack, as it was sent.
    pub(crate) async fn template(&self, stack: &str) -> String {
        let answer = self.cloudformation.get_template().stack_name(stack).send().await.unwrap();
        answer.template_body.unwrap()
    }
}

/// The tags of a stack.
pub(crate) fn stack_tags(stack: &Stack) -> BTreeMap<String, String> {
    let tag = |tag: aws_sdk_cloudformation::types::Tag| (tag.key.unwrap(), tag.value.unwrap());
    stack.tags.clone().unwrap_or_default().into_iter().map(tag).collect()
}
