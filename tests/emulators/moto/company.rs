//! The desired state of a small company: two accounts that the baseline reaches, and one that it leaves out.

use crate::place::Files;

/// The account moto takes everybody for who has not assumed a role.
pub(crate) const MANAGEMENT: &str = "123456789012";
/// Where all stacks are.
pub(crate) const REGION: &str = "eu-west-1";
/// The accounts the baseline reaches.
pub(crate) const REACHED: [&str; 2] = ["ledger", "payments"];
/// The account it leaves out.
pub(crate) const EXCLUDED: &str = "vault";
/// All accounts with a folder, by name.
pub(crate) const ACCOUNTS: [&str; 3] = ["ledger", "payments", EXCLUDED];

const BASELINE: &str = r#"
targets: {ous: ["/**"], exclude: {vault: "kept apart on purpose"}}
settings:
  passwordPolicy: {minimumLength: 14, requireSymbols: true, maxAgeDays: 90, reusePrevention: 24}
  accountAlias: "landfast-${{ account.slug }}"
stacks:
  auditors:
    template: role.template.yaml
    capabilities: [CAPABILITY_NAMED_IAM]
    parameters: {Duty: reads books}
  archive:
    template: bucket.template.yaml
    parameters: {Keep: forever}
    tags: {kept: by-law}
"#;

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
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {AWS: !Ref AWS::AccountId}, Action: sts:AssumeRole}
"#;

const BUCKET: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Keep: {Type: String}
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub "archive-${AWS::AccountId}"
      Tags: [{Key: keep, Value: !Ref Keep}]
"#;

/// The files, for the organization of this id.
pub(crate) fn files(organization: &str) -> Files {
    let organization = format!(
        "id: {organization}\n\
         managementAccount: \"{MANAGEMENT}\"\n\
         homeRegion: {REGION}\n\
         accountDefaults: {{email: \"aws+${{{{ account.slug }}}}@example.com\"}}\n\
         ous: {{workloads: {{ous: {{prod: {{}}}}}}, attic: {{}}}}\n"
    );
    let vault =
        format!("{}settings: {{passwordPolicy: {{minimumLength: 10}}}}\n", account("vault", "/attic"));
    let files = [
        ("organization/organization.yaml", organization),
        ("baselines/security/baseline.yaml", BASELINE.to_owned()),
        ("baselines/security/role.template.yaml", ROLE.to_owned()),
        ("baselines/security/bucket.template.yaml", BUCKET.to_owned()),
        ("accounts/ledger/account.yaml", account("ledger", "/workloads/prod")),
        ("accounts/payments/account.yaml", account("payments", "/workloads/prod")),
        ("accounts/vault/account.yaml", vault),
    ];
    files.map(|(path, text)| (path.to_owned(), text)).into()
}

/// An account's file.
pub(crate) fn account(slug: &str, ou: &str) -> String {
    format!("name: {slug}\nou: {ou}\ntags: {{owner: {slug}}}\n")
}

/// The e-mail of an account without one in its file.
pub(crate) fn email(slug: &str) -> String {
    format!("aws+{slug}@example.com")
}

/// The baseline with `before` replaced by `after`, which it must hold.
pub(crate) fn baseline(before: &str, after: &str) -> String {
    assert!(BASELINE.contains(before), "the baseline says nothing of {before}");
    BASELINE.replace(before, after)
}
