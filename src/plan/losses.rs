//! What is lost for good with a stack: the resources of its template that hold data and are not retained.

use crate::model::Value;
use crate::model::data::{holds_data, is_kept};
use crate::model::template::Template;

/// What may hold anything, for a template does not show what is in it.
const OPAQUE: &str = "AWS::CloudFormation::Stack";

/// Each resource that would take data with it, in words. A template that cannot be read may hold any.
pub(super) fn losses(template: &str) -> Vec<String> {
    let Ok(template) = Template::parse(template) else {
        return vec!["what its template makes cannot be told".to_owned()];
    };
    let resources = template.body()["Resources"].as_object().into_iter().flatten();
    resources.filter_map(|(name, resource)| loss(name, resource)).collect()
}

fn loss(name: &str, resource: &Value) -> Option<String> {
    let kind = resource["Type"].as_str().unwrap_or_default();
    let policy = resource["DeletionPolicy"].as_str().unwrap_or_default();
    let is_lost = (holds_data(kind) || kind == OPAQUE) && !is_kept(policy);
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
}
