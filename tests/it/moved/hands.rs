//! Other people's hands: what somebody does in AWS, with clients of their own.

use aws_config::SdkConfig;
use landfast::sandbox::aws::KnownPolicy;

use super::cases::Gone;
use super::world::{HOME, World, guardrail, template};
use crate::saml::{OTHER, signed_by};
use crate::sandbox_aws::{admin, inside};

const KIND: &str = "SERVICE_CONTROL_POLICY";
const TOPIC: &str = "topic";

impl World {
    /// Moves the world.
    pub(super) async fn befall(&self, gone: Gone) {
        match gone {
            Gone::SomebodyMadeTheOu => self.make_ou().await,
            Gone::SomebodyDeletedTheParent => self.delete_special().await,
            Gone::SomebodyMadeAnAccountOfTheEmail => {
                drop(self.stage.aws.add_account("Another name", "AWS+beta@example.com"));
            }
            Gone::SomebodyAskedForAnAccountOfTheName => self.ask_for_beta().await,
            Gone::SomebodyMovedTheAccount => self.move_away().await,
            Gone::SomebodyHoldsTheAccount => self.tag("landfast:hold", "incident 7").await,
            Gone::SomebodyChangedTheTag => {
                self.tag("owner", "gamma").await;
                self.tag("team", "blue").await;
            }
            Gone::SomebodyTookTheTagAway => self.untag().await,
            Gone::SomebodyEnabledTheKind => self.stage.aws.enable_policy_type(KIND),
            Gone::SomebodyMadeTheGuardrail => {
                drop(self.stage.aws.add_policy(KIND, "stay", &guardrail("CloseAccount"), &[]));
            }
            Gone::SomebodyChangedTheGuardrail => self.change_guardrail().await,
            Gone::SomebodyDeletedTheGuardrail => self.delete_guardrail().await,
            Gone::SomebodyAttachedTheGuardrail => self.attach_guardrail().await,
            Gone::SomebodyDetachedTheGuardrail => self.detach_guardrail("/other").await,
            Gone::SomebodyChangedThePolicy => self.change_policy().await,
            Gone::SomebodyRemovedThePolicy => {
                self.iam().await.delete_account_password_policy().send().await.map(drop).unwrap();
            }
            Gone::SomebodyChangedTheAlias => self.change_alias().await,
            Gone::SomebodyRemovedTheAlias => self.remove_alias().await,
            Gone::SomebodyChangedTheProvider => self.change_provider().await,
            Gone::SomebodyRemovedTheProvider => self.remove_provider().await,
            Gone::SomebodyMadeTheProvider => self.make_provider().await,
            Gone::SomebodyUpdatedTheStack => self.update_stack().await,
            Gone::SomebodyDeletedTheStack => self.delete_stack().await,
            Gone::SomebodyMadeTheStack => self.make_stack().await,
            Gone::SomebodyMadeTheStackAnew => {
                self.delete_stack().await;
                self.make_stack().await;
            }
            Gone::SomebodyProtectedTheStack => self.protect_stack().await,
        }
    }

    async fn organizations(&self) -> aws_sdk_organizations::Client {
        aws_sdk_organizations::Client::new(&admin(&self.stage.aws).await)
    }

    fn guardrail(&self) -> KnownPolicy {
        self.stage.aws.policy_named("stay").unwrap()
    }

    async fn change_guardrail(&self) {
        let call = self.organizations().await.update_policy().policy_id(self.guardrail().id);
        call.content(guardrail("InviteAccountToOrganization")).send().await.unwrap();
    }

    async fn delete_guardrail(&self) {
        for path in self.guardrail().targets {
            self.detach_guardrail(&path).await;
        }
        let call = self.organizations().await.delete_policy().policy_id(self.guardrail().id);
        call.send().await.unwrap();
    }

    async fn attach_guardrail(&self) {
        let call = self.organizations().await.attach_policy().policy_id(self.guardrail().id);
        call.target_id(self.ou("/other")).send().await.unwrap();
    }

    async fn detach_guardrail(&self, path: &str) {
        let call = self.organizations().await.detach_policy().policy_id(self.guardrail().id);
        call.target_id(self.ou(path)).send().await.unwrap();
    }

    async fn session(&self) -> SdkConfig {
        inside(&self.stage.aws, &self.id, HOME).await
    }

    async fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.session().await)
    }

    async fn cloudformation(&self) -> aws_sdk_cloudformation::Client {
        aws_sdk_cloudformation::Client::new(&self.session().await)
    }

    /// The id of an OU by its path.
    fn ou(&self, path: &str) -> String {
        self.stage.aws.ous()[path].clone()
    }

    async fn make_ou(&self) {
        let call = self.organizations().await.create_organizational_unit();
        call.parent_id(self.stage.aws.root_id()).name("new").send().await.unwrap();
    }

    async fn delete_special(&self) {
        let call = self.organizations().await.delete_organizational_unit();
        call.organizational_unit_id(self.ou("/special")).send().await.unwrap();
    }

    /// With another e-mail: AWS would make both.
    async fn ask_for_beta(&self) {
        let call = self.organizations().await.create_account();
        call.account_name("Company beta").email("somebody@example.com").send().await.unwrap();
        let is_there = || self.stage.aws.account_by_email("somebody@example.com").is_some();
        self.until("the account is there", is_there).await;
    }

    async fn move_away(&self) {
        let call = self.organizations().await.move_account().account_id(&self.id);
        let call = call.source_parent_id(self.stage.aws.root_id()).destination_parent_id(self.ou("/other"));
        call.send().await.unwrap();
    }

    async fn tag(&self, key: &str, value: &str) {
        let tag = aws_sdk_organizations::types::Tag::builder().key(key).value(value).build().unwrap();
        let call = self.organizations().await.tag_resource().resource_id(&self.id);
        call.tags(tag).send().await.unwrap();
    }

    async fn untag(&self) {
        let call = self.organizations().await.untag_resource().resource_id(&self.id);
        call.tag_keys("owner").send().await.unwrap();
    }

    async fn change_policy(&self) {
        let call = self.iam().await.update_account_password_policy();
        call.minimum_password_length(10).send().await.unwrap();
    }

    async fn change_alias(&self) {
        self.iam().await.create_account_alias().account_alias("hers").send().await.unwrap();
    }

    async fn remove_alias(&self) {
        self.iam().await.delete_account_alias().account_alias("acme-alpha").send().await.unwrap();
    }

    fn provider(&self) -> String {
        format!("arn:aws:iam::{}:saml-provider/ADFS", self.id)
    }

    async fn change_provider(&self) {
        let call = self.iam().await.update_saml_provider().saml_provider_arn(self.provider());
        // Neither what is there nor what the commit asks for.
        let hers = signed_by(OTHER).replace("adfs.", "login.");
        call.saml_metadata_document(hers).send().await.unwrap();
    }

    async fn remove_provider(&self) {
        self.iam().await.delete_saml_provider().saml_provider_arn(self.provider()).send().await.unwrap();
    }

    async fn make_provider(&self) {
        let call = self.iam().await.create_saml_provider().name("ADFS");
        call.saml_metadata_document(signed_by(OTHER)).send().await.unwrap();
    }

    async fn update_stack(&self) {
        let call = self.cloudformation().await.update_stack().stack_name(TOPIC);
        call.template_body(template("hers")).send().await.unwrap();
        self.until("it is updated", || self.status() == "UPDATE_COMPLETE").await;
    }

    async fn delete_stack(&self) {
        self.cloudformation().await.delete_stack().stack_name(TOPIC).send().await.unwrap();
        self.until("it is gone", || self.status() == "").await;
    }

    async fn make_stack(&self) {
        let call = self.cloudformation().await.create_stack().stack_name(TOPIC);
        call.template_body(template("hers")).send().await.unwrap();
        self.until("it is there", || self.status() == "CREATE_COMPLETE").await;
    }

    async fn protect_stack(&self) {
        let call = self.cloudformation().await.update_termination_protection().stack_name(TOPIC);
        call.enable_termination_protection(true).send().await.unwrap();
    }

    fn status(&self) -> String {
        let stack = self.stage.aws.stack(&self.id, HOME, TOPIC);
        stack.map(|stack| stack.status).filter(|status| status != "DELETE_COMPLETE").unwrap_or_default()
    }

    async fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        for _ in 0..1000 {
            if is_so() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("waited in vain until {what}");
    }
}
