//! Diffs as they are read.

use serde_json::{Map, json};

use super::layout::{MAX_LINE, MAX_LINES};
use super::*;

fn shown(left: &Value, right: &Value) -> String {
    let lines: Vec<_> = diff(Some(left), Some(right)).lines.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn only_declared_keys_of_a_setting_are_compared() {
    let git = json!({"minimumLength": 14, "requireSymbols": true});
    let aws = json!({"minimumLength": 8, "requireSymbols": true, "allowUsersToChange": true});
    insta::assert_snapshot!(shown(&git, &aws), @r"
    -  minimumLength: 14
    +  minimumLength: 8
    ");
}

#[test]
fn a_widened_role_reads_as_what_it_gained() {
    let stack =
        |drift| json!({"state": "ok", "template": "a\nb", "parameters": {}, "tags": {}, "drift": drift});
    let drift = json!({"NetOpsRole": {
        "type": "AWS::IAM::Role", "physicalId": "AWS-NetOps", "status": "MODIFIED",
        "properties": {"/ManagedPolicyArns/1": {"expected": null, "actual": "arn:aws:iam::aws:policy/AdministratorAccess"}},
    }});
    insta::assert_snapshot!(shown(&stack(json!({})), &stack(drift)), @r"
       drift:
         AWS::IAM::Role AWS-NetOps:
    +      ManagedPolicyArns[1]: arn:aws:iam::aws:policy/AdministratorAccess
    ");
}

#[test]
fn a_template_shows_the_lines_that_changed_under_its_key() {
    let git = json!({"template": "Resources:\n  A:\n    Type: X\n  B:\n    Type: Y\n", "tags": {"a": "1"}});
    let aws = json!({"template": "Resources:\n  A:\n    Type: Z\n  B:\n    Type: Y\n", "tags": {"a": "1", "b": "2"}});
    insta::assert_snapshot!(shown(&git, &aws), @r"
       tags:
    +    b: 2
       template: |
         Resources:
           A:
    -        Type: X
    +        Type: Z
           B:
             Type: Y
    ");
}

#[test]
fn a_secret_is_said_to_differ_and_never_shown() {
    let shown =
        shown(&json!({"parameters": {"DbPassword": "one"}}), &json!({"parameters": {"DbPassword": "two"}}));
    insta::assert_snapshot!(shown, @r"
       parameters:
    -    DbPassword: (hidden)
    +    DbPassword: (hidden, differs)
    ");
}

fn found(verdict: Verdict, desired: Value, observed: Value, unchecked: &[&str]) -> String {
    let mut finding = crate::report::fixtures::finding(verdict, desired, observed);
    finding.unchecked = unchecked.iter().map(|part| ((*part).to_owned(), "not seen".to_owned())).collect();
    let lines: Vec<_> = finding_diff(&finding).lines.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn what_was_not_checked_is_no_difference() {
    let (git, aws) = (json!({"drift": {}, "tags": {"a": "1"}}), json!({"tags": {"a": "2"}}));
    insta::assert_snapshot!(found(Verdict::Drift, git, aws, &["/drift"]), @r"
       tags:
    -    a: 1
    +    a: 2
    ");
}

#[test]
fn what_a_merge_asks_for_is_shown_even_where_aws_has_nothing_yet() {
    let (git, aws) =
        (json!({"minimumLength": 14, "maxAgeDays": 90}), json!({"minimumLength": 8, "other": 1}));
    insta::assert_snapshot!(found(Verdict::Pending, git, aws, &[]), @r"
    -  minimumLength: 8
    +  minimumLength: 14
    +  maxAgeDays: 90
    ");
}

#[test]
fn a_deleted_stack_is_one_line_and_hashes_of_hidden_parameters_are_not_shown() {
    let stack = json!({"template": "a\nb\nc", "hidden": {"Pin": "hash-1"}});
    assert_eq!(found(Verdict::Drift, stack.clone(), Value::Null, &[]), "-  (the whole stack)");
    let other = json!({"template": "a\nb\nc", "hidden": {"Pin": "hash-2"}});
    insta::assert_snapshot!(found(Verdict::Drift, stack, other, &[]), @r"
       hidden:
    -    Pin: (hidden)
    +    Pin: (hidden, differs)
    ");
}

#[test]
fn a_diff_is_bounded_in_lines_and_in_width() {
    let aws: Map<_, _> = (0..500).map(|n| (format!("k{n}"), json!("x".repeat(1000)))).collect();
    let diff = diff(None, Some(&Value::Object(aws)));
    assert_eq!((diff.lines.len(), diff.left_out), (MAX_LINES, 500 - MAX_LINES));
    assert!(diff.lines.iter().all(|line| line.text.chars().count() <= MAX_LINE));
}

#[test]
fn texts_too_long_to_align_show_what_the_other_lacks() {
    let text = |last: &str| json!({"metadata": format!("{}{last}\n", "the same line\n".repeat(50_000))});
    insta::assert_snapshot!(shown(&text("one"), &text("two")), @r"
       metadata: |
    -    one
    +    two
    ");
}
