//! Kinds of resources: which there are, what they are called, what `Fn::GetAtt` gives.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::wire::Params as _;

/// (type, property that names it, attributes) of the kinds the simulation keeps as plain properties.
const KINDS: [(&str, &str, Naming); 53] = [
    ("AWS::AccessAnalyzer::Analyzer", "AnalyzerName", Naming::Arn("access-analyzer", "analyzer/")),
    ("AWS::Budgets::Budget", "", Naming::Name),
    ("AWS::CloudFormation::WaitConditionHandle", "", Naming::Name),
    ("AWS::CloudTrail::Trail", "TrailName", Naming::Name),
    ("AWS::CloudWatch::Alarm", "AlarmName", Naming::Name),
    ("AWS::Config::AggregationAuthorization", "", Naming::Name),
    ("AWS::Config::ConfigRule", "ConfigRuleName", Naming::Name),
    ("AWS::Config::ConfigurationRecorder", "Name", Naming::Name),
    ("AWS::Config::DeliveryChannel", "Name", Naming::Name),
    ("AWS::DynamoDB::Table", "TableName", Naming::Name),
    ("AWS::EC2::EIP", "", Naming::Hex("eipalloc-")),
    ("AWS::EC2::FlowLog", "", Naming::Hex("fl-")),
    ("AWS::EC2::InternetGateway", "", Naming::Hex("igw-")),
    ("AWS::EC2::NatGateway", "", Naming::Hex("nat-")),
    ("AWS::EC2::NetworkAcl", "", Naming::Hex("acl-")),
    ("AWS::EC2::NetworkAclEntry", "", Naming::Name),
    ("AWS::EC2::Route", "", Naming::Name),
    ("AWS::EC2::RouteTable", "", Naming::Hex("rtb-")),
    ("AWS::EC2::SecurityGroup", "GroupName", Naming::Hex("sg-")),
    ("AWS::EC2::Subnet", "", Naming::Hex("subnet-")),
    ("AWS::EC2::SubnetRouteTableAssociation", "", Naming::Hex("rtbassoc-")),
    ("AWS::EC2::VPC", "", Naming::Hex("vpc-")),
    ("AWS::EC2::VPCEndpoint", "", Naming::Hex("vpce-")),
    ("AWS::EC2::VPCGatewayAttachment", "", Naming::Name),
    ("AWS::Events::Rule", "Name", Naming::Name),
    ("AWS::GuardDuty::Detector", "", Naming::Hex("")),
    ("AWS::IAM::AccessKey", "", Naming::Name),
    ("AWS::IAM::Group", "GroupName", Naming::Name),
    ("AWS::IAM::InstanceProfile", "InstanceProfileName", Naming::Name),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName", Naming::Arn("iam", "policy/")),
    ("AWS::IAM::OIDCProvider", "", Naming::Arn("iam", "oidc-provider/")),
    ("AWS::IAM::Policy", "PolicyName", Naming::Name),
    ("AWS::IAM::Role", "RoleName", Naming::Name),
    ("AWS::IAM::SAMLProvider", "Name", Naming::Arn("iam", "saml-provider/")),
    ("AWS::IAM::ServiceLinkedRole", "", Naming::Name),
    ("AWS::IAM::User", "UserName", Naming::Name),
    ("AWS::KMS::Alias", "AliasName", Naming::Name),
    ("AWS::KMS::Key", "", Naming::Uuid),
    ("AWS::Lambda::Function", "FunctionName", Naming::Name),
    ("AWS::Lambda::Permission", "", Naming::Name),
    ("AWS::Logs::LogGroup", "LogGroupName", Naming::Name),
    ("AWS::Logs::MetricFilter", "", Naming::Name),
    ("AWS::S3::Bucket", "BucketName", Naming::Lower),
    ("AWS::S3::BucketPolicy", "Bucket", Naming::Name),
    ("AWS::SNS::Subscription", "", Naming::Arn("sns", "")),
    ("AWS::SNS::Topic", "TopicName", Naming::Arn("sns", "")),
    ("AWS::SNS::TopicPolicy", "", Naming::Name),
    ("AWS::SQS::Queue", "QueueName", Naming::Name),
    ("AWS::SQS::QueuePolicy", "", Naming::Name),
    ("AWS::SSM::Association", "", Naming::Uuid),
    ("AWS::SSM::Document", "Name", Naming::Name),
    ("AWS::SSM::Parameter", "Name", Naming::Name),
    ("AWS::SecurityHub::Hub", "", Naming::Arn("securityhub", "hub/")),
];

/// How a physical id is made.
#[derive(Clone, Copy)]
enum Naming {
    /// The name given, or one made of stack, logical id and a random tail.
    Name,
    /// The same in small letters.
    Lower,
    /// A prefix and 17 hexadecimal digits.
    Hex(&'static str),
    Uuid,
    /// An ARN of this service with this before the name.
    Arn(&'static str, &'static str),
}

/// Where a resource is made.
pub(crate) struct Place<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) stack: &'a str,
    pub(crate) logical: &'a str,
    /// A text no one has had before.
    pub(crate) fresh: &'a str,
}

fn entry(kind: &str) -> Option<&'static (&'static str, &'static str, Naming)> {
    KINDS.iter().find(|(known, ..)| *known == kind)
}

pub(crate) fn is_known(kind: &str) -> bool {
    entry(kind).is_some()
}

/// Kinds whose drift AWS cannot see.
pub(crate) fn has_drift(kind: &str) -> bool {
    !matches!(
        kind,
        "AWS::SNS::TopicPolicy"
            | "AWS::SQS::QueuePolicy"
            | "AWS::CloudFormation::WaitConditionHandle"
            | "AWS::EC2::VPCGatewayAttachment"
            | "AWS::Budgets::Budget"
            | "AWS::IAM::Policy"
    )
}

pub(crate) fn needs_iam_capability(resource: &Value) -> bool {
    let kinds = ["Role", "ManagedPolicy", "Policy", "User", "Group", "InstanceProfile", "AccessKey"];
    resource
        .text("Type")
        .and_then(|kind| kind.strip_prefix("AWS::IAM::"))
        .is_some_and(|kind| kinds.contains(&kind))
}

pub(crate) fn names_iam(resource: &Value) -> bool {
    let kind = resource.text("Type").unwrap_or_default();
    // An inline policy must have a name; that one does not count.
    needs_iam_capability(resource)
        && kind != "AWS::IAM::Policy"
        && entry(kind).is_some_and(|(_, name, _)| resource["Properties"].get(*name).is_some())
}

/// True if a change of this property makes a new resource.
pub(crate) fn replaces(kind: &str, property: &str) -> bool {
    let is_name = entry(kind).is_some_and(|(_, name, _)| !name.is_empty() && *name == property);
    is_name
        || matches!(
            (kind, property),
            ("AWS::EC2::VPC", "CidrBlock")
                | ("AWS::EC2::Subnet", "CidrBlock" | "VpcId" | "AvailabilityZone")
                | ("AWS::IAM::Role", "Path")
                | ("AWS::SNS::Subscription", "Endpoint" | "Protocol" | "TopicArn")
        )
}

/// True if tags of the stack become tags of the resource.
pub(crate) fn takes_tags(kind: &str) -> bool {
    matches!(
        kind,
        "AWS::IAM::Role"
            | "AWS::S3::Bucket"
            | "AWS::SNS::Topic"
            | "AWS::CloudTrail::Trail"
            | "AWS::EC2::VPC"
            | "AWS::EC2::Subnet"
            | "AWS::KMS::Key"
            | "AWS::Logs::LogGroup"
            | "AWS::SQS::Queue"
            | "AWS::DynamoDB::Table"
            | "AWS::IAM::SAMLProvider"
            | "AWS::Lambda::Function"
            | "AWS::SSM::Parameter"
    )
}

/// The id the resource will have.
pub(crate) fn physical_id(kind: &str, properties: &Value, place: &Place<'_>) -> String {
    let Some((_, name_property, naming)) = entry(kind) else { return place.logical.to_owned() };
    let given = properties.text(name_property).map(str::to_owned);
    let tail = super::super::state::upper(place.fresh, 12);
    let name = given.unwrap_or_else(|| format!("{}-{}-{tail}", place.stack, place.logical));
    match naming {
        Naming::Name => name,
        Naming::Lower => name.to_lowercase(),
        Naming::Hex(prefix) => format!("{prefix}{}", &place.fresh[..17]),
        Naming::Uuid => format!(
            "{}-{}-4{}-8{}-{}",
            &place.fresh[..8],
            &place.fresh[8..12],
            &place.fresh[13..16],
            &place.fresh[17..20],
            &place.fresh[20..32]
        ),
        Naming::Arn("iam", before) => format!("arn:aws:iam::{}:{before}{name}", place.account),
        Naming::Arn(service, before) => {
            format!("arn:aws:{service}:{}:{}:{before}{name}", place.region, place.account)
        }
    }
}

/// What `Fn::GetAtt` gives of a resource.
pub(crate) fn attributes(
    kind: &str,
    physical: &str,
    properties: &Value,
    place: &Place<'_>,
) -> BTreeMap<String, Value> {
    let (account, region) = (place.account, place.region);
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:{region}:{account}:{rest}{physical}");
    let pairs: Vec<(&str, String)> = match kind {
        "AWS::IAM::Role" => vec![(
            "Arn",
            format!("arn:aws:iam::{account}:role{}{physical}", properties.text("Path").unwrap_or("/")),
        )],
        "AWS::IAM::User" => vec![("Arn", format!("arn:aws:iam::{account}:user/{physical}"))],
        "AWS::IAM::Group" => vec![("Arn", format!("arn:aws:iam::{account}:group/{physical}"))],
        "AWS::IAM::InstanceProfile" => {
            vec![("Arn", format!("arn:aws:iam::{account}:instance-profile/{physical}"))]
        }
        "AWS::IAM::ManagedPolicy" => vec![("PolicyArn", physical.to_owned())],
        "AWS::IAM::SAMLProvider" | "AWS::IAM::OIDCProvider" | "AWS::AccessAnalyzer::Analyzer" => {
            vec![("Arn", physical.to_owned())]
        }
        "AWS::S3::Bucket" => vec![
            ("Arn", format!("arn:aws:s3:::{physical}")),
            ("DomainName", format!("{physical}.s3.amazonaws.com")),
            ("RegionalDomainName", format!("{physical}.s3.{region}.amazonaws.com")),
        ],
        "AWS::SNS::Topic" => vec![
            ("TopicArn", physical.to_owned()),
            ("TopicName", physical.rsplit(':').next().unwrap_or_default().to_owned()),
        ],
        "AWS::SQS::Queue" => vec![("Arn", arn("sqs", "")), ("QueueName", physical.to_owned())],
        "AWS::CloudTrail::Trail" => vec![("Arn", arn("cloudtrail", "trail/"))],
        "AWS::KMS::Key" => vec![("Arn", arn("kms", "key/")), ("KeyId", physical.to_owned())],
        "AWS::Logs::LogGroup" => vec![("Arn", format!("{}:*", arn("logs", "log-group:")))],
        "AWS::EC2::VPC" => vec![
            ("VpcId", physical.to_owned()),
            ("CidrBlock", properties.text("CidrBlock").unwrap_or_default().to_owned()),
            ("DefaultSecurityGroup", format!("sg-{}", &place.fresh[20..37])),
        ],
        "AWS::EC2::Subnet" => vec![
            ("SubnetId", physical.to_owned()),
            ("VpcId", properties.text("VpcId").unwrap_or_default().to_owned()),
            (
                "AvailabilityZone",
                properties.text("AvailabilityZone").map_or_else(|| format!("{region}a"), str::to_owned),
            ),
        ],
        "AWS::EC2::SecurityGroup" => vec![("GroupId", physical.to_owned())],
        "AWS::EC2::RouteTable" => vec![("RouteTableId", physical.to_owned())],
        "AWS::EC2::InternetGateway" => vec![("InternetGatewayId", physical.to_owned())],
        "AWS::EC2::EIP" => vec![("AllocationId", physical.to_owned())],
        "AWS::SSM::Parameter" => vec![
            ("Type", properties.text("Type").unwrap_or_default().to_owned()),
            ("Value", properties.text("Value").unwrap_or_default().to_owned()),
        ],
        "AWS::Events::Rule" => vec![("Arn", arn("events", "rule/"))],
        "AWS::Lambda::Function" => vec![("Arn", arn("lambda", "function:"))],
        "AWS::DynamoDB::Table" => vec![("Arn", arn("dynamodb", "table/"))],
        "AWS::CloudWatch::Alarm" => vec![("Arn", arn("cloudwatch", "alarm:"))],
        "AWS::Config::ConfigRule" => vec![("Arn", arn("config", "config-rule/"))],
        _ => Vec::new(),
    };
    pairs.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}
