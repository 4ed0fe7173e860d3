//! What is lost for good with a stack: the resources of its template that hold data and are not retained.

use crate::model::Value;
use crate::model::data::{holds_data, is_kept, is_opaque};
use crate::model::template::Template;

/// Each resource that would take data with it, in words. A template that cannot be read may hold any, and so may one that
/// something else works on before CloudFormation reads it.
pub(super) fn losses(template: &str) -> Vec<String> {
    let unknown = || vec!["what its template makes cannot be told".to_owned()];
    let Ok(template) = Template::parse(template) else { return unknown() };
    if template.is_made_elsewhere() {
        return unknown();
    }
    let resources = template.body()["Resources"].as_object().into_iter().flatten();
    resources.filter_map(|(name, resource)| loss(name, resource)).collect()
}

fn loss(name: &str, resource: &Value) -> Option<String> {
    let kind = resource["Type"].as_str().unwrap_or_default();
    let policy = resource["DeletionPolicy"].as_str().unwrap_or_default();
    let is_lost = (holds_data(kind) || is_opaque(kind)) && !is_kept(policy);
    is_lost.then(|| format!("{name} ({kind}) would be deleted"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::template::canonical;

    #[test]
    fn what_holds_data_is_lost_unless_its_template_retains_it() {
        let template = "Resources:\n  Kept: {Type: AWS::S3::Bucket, DeletionPolicy: Retain}\n  \
                        Saved: {Type: AWS::RDS::DBInstance, DeletionPolicy: Snapshot}\n  \
                        Lost: {Type: AWS::S3::Bucket}\n  Role: {Type: AWS::IAM::Role}\n  \
                        Nested: {Type: AWS::CloudFormation::Stack}\n";
        let expected = [
            "Lost (AWS::S3::Bucket) would be deleted",
            "Nested (AWS::CloudFormation::Stack) would be deleted",
        ];
        assert_eq!(losses(&canonical(template)), expected);
    }

    #[test]
    fn a_template_that_cannot_be_read_may_hold_anything() {
        assert_eq!(losses("{}").len(), 1);
    }

    #[test]
    fn a_template_that_something_else_works_on_first_may_hold_anything() {
        let topic = "Resources:\n  Topic: {Type: AWS::SNS::Topic}\n";
        assert!(losses(&canonical(topic)).is_empty());
        for template in [
            "Transform: AWS::Serverless-2016-10-31\nResources:\n  T: {Type: AWS::Serverless::SimpleTable}\n".to_owned(),
            format!("Transform: [Acme::Macro]\n{topic}"),
            format!("{topic}  Fn::Transform: {{Name: AWS::Include, Parameters: {{Location: s3://b/x}}}}\n"),
            format!("{topic}    Properties: !Transform {{Name: Acme::Macro}}\n").replace("{Type: AWS::SNS::Topic}", "\n    Type: AWS::SNS::Topic"),
            format!("{topic}  Tables: {{Type: Acme::Net::Tables::MODULE}}\n"),
            "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::Buckets:\n  - Name\n  - [A, B]\n  \
             - Bucket${Name}: {Type: AWS::S3::Bucket}\n"
                .to_owned(),
        ] {
            let template = canonical(&template);
            assert_eq!(losses(&template), ["what its template makes cannot be told"], "{template}");
        }
    }
}
