//! Stacks and policies of other tools, known by their names: they are off limits even where `adopt` names them.
//!
//! Each of these tools puts them back as it wants them, so that two owners would fight without end.

use crate::model::StackName;

/// Name prefixes and whose they are.
const OWNERS: [(&str, &str); 8] = [
    ("StackSet-", "a StackSet"),
    ("AWSControlTower", "AWS Control Tower"),
    ("aws-controltower-", "AWS Control Tower"),
    ("AWSAccelerator-", "Landing Zone Accelerator"),
    ("ASEA-", "AWS Secure Environment Accelerator"),
    ("organization-formation-", "org-formation"),
    ("CDKToolkit", "the CDK's bootstrap"),
    ("SC-", "AWS Service Catalog"),
];

/// The same for policies of the organization.
const OWNERS_OF_POLICIES: [(&str, &str); 2] =
    [("aws-guardrails-", "AWS Control Tower"), ("AWSAccelerator-", "Landing Zone Accelerator")];

/// Who else owns a policy of this name, if that can be told.
pub fn owner_of_policy(name: &str) -> Option<&'static str> {
    OWNERS_OF_POLICIES.into_iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, owner)| owner)
}

/// Who else owns a stack of this name, if that can be told.
pub fn owner(name: &StackName) -> Option<&'static str> {
    OWNERS.into_iter().find(|(prefix, _)| name.as_str().starts_with(prefix)).map(|(_, owner)| owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_of_another_tool_is_known_by_its_name_and_ours_is_not_taken_for_one() {
        let owner = |name: &str| owner(&StackName::parse(name).unwrap());
        assert_eq!(owner("StackSet-baseline-1f2e"), Some("a StackSet"));
        assert_eq!(owner("AWSAccelerator-LoggingStack"), Some("Landing Zone Accelerator"));
        assert_eq!(owner("CDKToolkit"), Some("the CDK's bootstrap"));
        for ours in ["network", "audit-trail", "StackSets-report", "SCP-report"] {
            assert_eq!(owner(ours), None, "{ours}");
        }
    }
}
