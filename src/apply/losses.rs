//! What a change set would destroy: resources that hold data, deleted or replaced, and stacks with whatever is in them.
//!
//! A nested stack that is only changed is no loss: AWS lists every one of them as changed whenever their parent is, and
//! what becomes of the resources in it is in a change set of its own, which Landfast does not ask for.

use crate::aws::{Change, ChangeSet};
use crate::model::data::{holds_data, is_kept, is_opaque};
use crate::model::{Class, Outcome};

/// Each resource that holds data and would go, in words.
pub(super) fn losses(change_set: &ChangeSet) -> Vec<String> {
    change_set.changes.iter().filter_map(loss).collect()
}

fn loss(change: &Change) -> Option<String> {
    let kind = change.resource_type.as_str();
    if is_kept(&change.policy) || !(holds_data(kind) || is_opaque(kind)) {
        return None;
    }
    let deed = match (change.action.as_str(), change.replacement.as_str()) {
        ("Remove", _) => "deleted",
        (_, "True") => "replaced",
        (_, "Conditional") => "replaced, perhaps",
        _ => return None,
    };
    let inside = if is_opaque(kind) { ", with what cannot be told in it" } else { "" };
    Some(format!("{} ({kind}) would be {deed}{inside}", change.logical_id))
}

/// What becomes of a step that a guard stopped.
pub(super) fn guarded(losses: &[String]) -> Outcome {
    let message = format!(
        "{}; nothing was changed. Give it `DeletionPolicy: Retain` and `UpdateReplacePolicy: Retain` first, or, \
         where the data may go, start Landfast with --approve and the id of this commit",
        losses.join(", ")
    );
    Outcome::Failed { class: Class::Stalled, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(action: &str, resource_type: &str, replacement: &str, policy: &str) -> ChangeSet {
        let change = Change {
            action: action.to_owned(),
            logical_id: "Data".to_owned(),
            physical_id: String::new(),
            resource_type: resource_type.to_owned(),
            replacement: replacement.to_owned(),
            policy: policy.to_owned(),
        };
        ChangeSet { changes: vec![change], ..ChangeSet::default() }
    }

    #[test]
    fn only_what_holds_data_and_would_go_is_a_loss() {
        let table = "AWS::DynamoDB::Table";
        let lost = |action, kind, replacement, policy| losses(&change(action, kind, replacement, policy));
        assert_eq!(lost("Remove", table, "", ""), ["Data (AWS::DynamoDB::Table) would be deleted"]);
        assert_eq!(lost("Modify", table, "True", ""), ["Data (AWS::DynamoDB::Table) would be replaced"]);
        assert_eq!(
            lost("Modify", table, "Conditional", "ReplaceAndDelete"),
            ["Data (AWS::DynamoDB::Table) would be replaced, perhaps"]
        );
        for (action, kind, replacement, policy) in [
            ("Add", table, "", ""),
            ("Modify", table, "False", ""),
            ("Remove", table, "", "Retain"),
            ("Modify", table, "True", "ReplaceAndSnapshot"),
            ("Remove", "AWS::IAM::Role", "", ""),
        ] {
            assert!(
                lost(action, kind, replacement, policy).is_empty(),
                "{action} {kind} {replacement} {policy}"
            );
        }
    }

    #[test]
    fn a_nested_stack_is_a_loss_that_cannot_be_told_when_it_goes_and_none_when_it_is_changed() {
        let nested = "AWS::CloudFormation::Stack";
        let lost = |action, replacement, policy| losses(&change(action, nested, replacement, policy));
        let told = "Data (AWS::CloudFormation::Stack) would be deleted, with what cannot be told in it";
        assert_eq!(lost("Remove", "", ""), [told]);
        assert_eq!((lost("Modify", "True", "").len(), lost("Modify", "Conditional", "").len()), (1, 1));
        for (action, replacement, policy) in [
            ("Add", "", ""),
            ("Modify", "False", ""),
            ("Remove", "", "Retain"),
            ("Modify", "True", "ReplaceAndRetain"),
        ] {
            assert!(lost(action, replacement, policy).is_empty(), "{action} {replacement} {policy}");
        }
    }
}
