//! The desired state of one account with a role that a stack makes.

use crate::place::Files;

/// Where all stacks are.
pub(crate) const REGION: &str = "eu-west-1";
/// What the role of the account asks of who assumes it.
pub(crate) const EXTERNAL_ID: &str = "acme-landfast";
/// The account's folder.
pub(crate) const SLUG: &str = "payments";

const ROLE: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Duty: {Type: String}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: Auditors
      Description: !Ref Duty
      MaxSessionDuration: 3600
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {AWS: !Ref AWS::AccountId}, Action: sts:AssumeRole}
"#;

/// A resource that cannot be made: nobody exports that value.
pub(crate) const BROKEN: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Duty: {Type: String}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !ImportValue nobody-exports-this}
"#;

/// The organization, the account and who they trust.
pub(crate) struct Company {
    pub(crate) organization: String,
    pub(crate) management: String,
    pub(crate) account: String,
}

impl Company {
    /// The files.
    pub(crate) fn files(&self) -> Files {
        let files = [
            ("organization/organization.yaml", self.access(EXTERNAL_ID)),
            ("accounts/payments/account.yaml", self.payments("reads books")),
            ("accounts/payments/role.template.yaml", ROLE.to_owned()),
        ];
        files.map(|(path, text)| (path.to_owned(), text)).into()
    }

    /// The organization's file, with the external id that is shown to the account.
    pub(crate) fn access(&self, external_id: &str) -> String {
        format!(
            "id: {}\nmanagementAccount: \"{}\"\nhomeRegion: {REGION}\n\
             access: {{externalId: {external_id}}}\nous: {{workloads: {{}}}}\n",
            self.organization, self.management
        )
    }

    /// The account's file, with the parameter of its stack.
    pub(crate) fn payments(&self, duty: &str) -> String {
        format!(
            "id: \"{}\"\nadopt: [ou]\nname: {SLUG}\nemail: aws+{SLUG}@example.com\nou: /workloads\n\
             settings: {{passwordPolicy: {{minimumLength: 14}}}}\n\
             stacks:\n  auditors:\n    template: role.template.yaml\n    regions: [home]\n\
             \x20   capabilities: [CAPABILITY_NAMED_IAM]\n    parameters: {{Duty: {duty}}}\n",
            self.account
        )
    }
}
