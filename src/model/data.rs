//! Which resources hold data: what deleting them loses, no template brings back.

/// Types whose replacement or deletion loses data. Where several make one thing, it is the one that the data goes with: a
/// database's cluster and not its instances, where it has one.
const HOLDS_DATA: &[&str] = &[
    "AWS::ACMPCA::CertificateAuthority",
    "AWS::APS::Workspace",
    "AWS::AmazonMQ::Broker",
    "AWS::Backup::BackupVault",
    "AWS::Backup::LogicallyAirGappedBackupVault",
    "AWS::BedrockAgentCore::Memory",
    "AWS::Cases::Domain",
    "AWS::Cassandra::Keyspace",
    "AWS::Cassandra::Table",
    "AWS::CloudFront::KeyValueStore",
    "AWS::CloudTrail::EventDataStore",
    "AWS::CodeArtifact::Domain",
    "AWS::CodeArtifact::Repository",
    "AWS::CodeCommit::Repository",
    "AWS::Cognito::IdentityPool",
    "AWS::Cognito::UserPool",
    "AWS::Connect::DataTable",
    "AWS::Connect::Instance",
    "AWS::CustomerProfiles::Domain",
    "AWS::DSQL::Cluster",
    "AWS::DataZone::Domain",
    "AWS::Detective::Graph",
    "AWS::DirectoryService::MicrosoftAD",
    "AWS::DirectoryService::SimpleAD",
    "AWS::DocDB::DBCluster",
    "AWS::DocDBElastic::Cluster",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::EC2::Volume",
    "AWS::ECR::PublicRepository",
    "AWS::ECR::Repository",
    "AWS::EFS::FileSystem",
    "AWS::EKS::Cluster",
    "AWS::EMR::Cluster",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::ServerlessCache",
    "AWS::Elasticsearch::Domain",
    "AWS::Events::Archive",
    "AWS::FSx::FileSystem",
    "AWS::FSx::Snapshot",
    "AWS::FSx::Volume",
    "AWS::FinSpace::Environment",
    "AWS::Glue::Database",
    "AWS::Grafana::Workspace",
    "AWS::HealthImaging::Datastore",
    "AWS::HealthLake::FHIRDatastore",
    "AWS::IoTAnalytics::Channel",
    "AWS::IoTAnalytics::Dataset",
    "AWS::IoTAnalytics::Datastore",
    "AWS::KMS::Key",
    "AWS::Kendra::Index",
    "AWS::Kinesis::Stream",
    "AWS::KinesisVideo::Stream",
    "AWS::Lightsail::Bucket",
    "AWS::Lightsail::Database",
    "AWS::Lightsail::Disk",
    "AWS::Lightsail::Instance",
    "AWS::Location::GeofenceCollection",
    "AWS::Location::Tracker",
    "AWS::Logs::LogGroup",
    "AWS::Logs::LogStream",
    "AWS::MSK::Cluster",
    "AWS::MSK::ServerlessCluster",
    "AWS::MediaStore::Container",
    "AWS::MemoryDB::Cluster",
    "AWS::Neptune::DBCluster",
    "AWS::NeptuneGraph::Graph",
    "AWS::Omics::AnnotationStore",
    "AWS::Omics::ReferenceStore",
    "AWS::Omics::SequenceStore",
    "AWS::Omics::VariantStore",
    "AWS::OpenSearchServerless::Collection",
    "AWS::OpenSearchServerless::Index",
    "AWS::OpenSearchService::Domain",
    "AWS::Organizations::Account",
    "AWS::PaymentCryptography::Key",
    "AWS::Personalize::Dataset",
    "AWS::Pinpoint::App",
    "AWS::QBusiness::Application",
    "AWS::QBusiness::Index",
    "AWS::QLDB::Ledger",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Redshift::Cluster",
    "AWS::RedshiftServerless::Namespace",
    "AWS::Rekognition::Collection",
    "AWS::Route53::HostedZone",
    "AWS::S3::Bucket",
    "AWS::S3Express::DirectoryBucket",
    "AWS::S3Outposts::Bucket",
    "AWS::S3Tables::Table",
    "AWS::S3Tables::TableBucket",
    "AWS::S3Vectors::Index",
    "AWS::S3Vectors::VectorBucket",
    "AWS::SDB::Domain",
    "AWS::SES::MailManagerArchive",
    "AWS::SQS::Queue",
    "AWS::SageMaker::Domain",
    "AWS::SageMaker::FeatureGroup",
    "AWS::SageMaker::NotebookInstance",
    "AWS::SageMaker::Space",
    "AWS::SecretsManager::Secret",
    "AWS::Serverless::SimpleTable",
    "AWS::Timestream::Database",
    "AWS::Timestream::InfluxDBCluster",
    "AWS::Timestream::InfluxDBInstance",
    "AWS::Timestream::Table",
    "AWS::VerifiedPermissions::PolicyStore",
    "AWS::VoiceID::Domain",
    "AWS::Wisdom::KnowledgeBase",
    "AWS::WorkSpaces::Workspace",
    "AWS::WorkspacesInstances::Volume",
];

/// What may hold anything: neither a template nor a change set shows what is in it.
const OPAQUE: &str = "AWS::CloudFormation::Stack";

/// True for a type whose replacement or deletion loses data.
pub fn holds_data(kind: &str) -> bool {
    HOLDS_DATA.contains(&kind)
}

/// True for a type of which nobody can tell what goes with it.
pub fn is_opaque(kind: &str) -> bool {
    kind == OPAQUE
}

/// True for a policy that leaves the data somewhere: `Retain`, `ReplaceAndRetain`, `Snapshot` and the like.
pub fn is_kept(policy: &str) -> bool {
    ["Retain", "Snapshot"].iter().any(|kept| policy.contains(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_that_hold_data_are_spelled_as_cloudformation_does_and_each_is_there_once() {
        assert!(HOLDS_DATA.is_sorted_by(|one, other| one < other));
        let is_type = |kind: &&str| kind.starts_with("AWS::") && kind.split("::").count() == 3;
        assert!(HOLDS_DATA.iter().all(is_type));
        for kind in
            ["AWS::S3::Bucket", "AWS::MSK::Cluster", "AWS::Cassandra::Table", "AWS::Route53::HostedZone"]
        {
            assert!(holds_data(kind), "{kind}");
        }
        for kind in ["AWS::IAM::Role", "AWS::RDS::DBSubnetGroup", "AWS::CloudFormation::Stack"] {
            assert!(!holds_data(kind), "{kind}");
        }
    }
}
