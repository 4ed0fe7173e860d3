//! What AWS has no room for, or takes for no address: quotas of templates, sizes of policies, e-mails.

use super::checks::template;
use super::*;

#[test]
fn a_template_beyond_cloudformations_quotas() {
    let parameters =
        (0..=200).map(|n| format!("  P{n}: {{Type: String, Default: x}}\n")).collect::<Vec<_>>().concat();
    let resources =
        (0..=500).map(|n| format!("  R{n}: {{Type: AWS::SNS::Topic}}\n")).collect::<Vec<_>>().concat();
    let outputs = (0..=200).map(|n| format!("  O{n}: {{Value: x}}\n")).collect::<Vec<_>>().concat();
    let text = format!(
        "Description: {}\nParameters:\n{parameters}Resources:\n{resources}Outputs:\n{outputs}",
        "x".repeat(1_025)
    );
    insta::assert_snapshot!(template(&text, ""), @"
    error: the description has 1025 bytes, and 1024 are allowed
     --> accounts/one/network.template.yaml:1:14
      |
    1 | Description: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      |              ^
      = hint: say the rest in a comment

    error: the template has 201 parameters, and 200 are allowed
       --> accounts/one/network.template.yaml:203:3
        |
    203 |   P200: {Type: String, Default: x}
        |   ^
        = hint: split the stack in two

    error: the template has 501 resources, and 500 are allowed
       --> accounts/one/network.template.yaml:705:3
        |
    705 |   R500: {Type: AWS::SNS::Topic}
        |   ^
        = hint: split the stack in two

    error: the template has 201 outputs, and 200 are allowed
       --> accounts/one/network.template.yaml:907:3
        |
    907 |   O200: {Value: x}
        |   ^
        = hint: split the stack in two
    ");
}

/// Makes a resource of a policy document.
type Resource<'a> = &'a dyn Fn(&serde_json::Value) -> serde_json::Value;

/// A policy document of so many characters, and an account whose template makes a resource of it.
fn with_document(
    length: usize,
    resource: &dyn Fn(&serde_json::Value) -> serde_json::Value,
) -> (String, String) {
    let of = |filler: usize| {
        let action = format!("s3:{}", "x".repeat(filler));
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": {"Ref": "Topic"}});
        json!({"Version": "2012-10-17", "Statement": [statement]})
    };
    // What a function makes is not known, and counts as nothing.
    let rest = of(0).to_string().len() - json!({"Ref": "Topic"}).to_string().len();
    let resources = json!({"Topic": {"Type": "AWS::SNS::Topic"}, "It": resource(&of(length - rest))});
    let template = json!({"Resources": resources});
    let stack =
        "stacks: {network: {template: network.template.yaml, capabilities: [CAPABILITY_NAMED_IAM]}}\n";
    (serde_json::to_string_pretty(&template).unwrap(), format!("{ONE}{stack}"))
}

#[test]
fn a_policy_document_over_its_size_is_refused_and_one_at_it_is_not() {
    let trust = json!({"Version": "2012-10-17", "Statement": []});
    let managed = |document: &serde_json::Value| json!({"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}});
    let trusting = |document: &serde_json::Value| json!({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}});
    // Two policies of one role share the room.
    let inline = |document: &serde_json::Value| {
        let policies: Vec<_> =
            ["a", "b"].iter().map(|name| json!({"PolicyName": name, "PolicyDocument": document})).collect();
        json!({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust, "Policies": policies}})
    };
    let cases: [(Resource<'_>, usize, &str); 3] = [
        (&managed, 6_144, "the managed policy has 6145 characters or more, and IAM takes 6144"),
        (&trusting, 8_192, "the trust policy has 8193 characters or more, and IAM takes 8192"),
        (
            &inline,
            5_120,
            "the text of the role's inline policies has 10242 characters or more, and IAM takes 10240",
        ),
    ];
    for (resource, most, told) in cases {
        let (template, account) = with_document(most, resource);
        loaded(&[("accounts/one/network.template.yaml", &template), (ACCOUNT, &account)]);
        let (template, account) = with_document(most + 1, resource);
        let seen = faults(&[("accounts/one/network.template.yaml", &template), (ACCOUNT, &account)]);
        assert!(seen.contains(told), "{told}:\n{}", seen.chars().take(400).collect::<String>());
    }
}

#[test]
fn addresses_that_aws_refuses_and_one_that_exists() {
    let two = TWO.replace("two@example.com", ".a,b@example.com");
    insta::assert_snapshot!(
        faults(&[
            (ACCOUNT, &ONE.replace("one@example.com", "one@exam_ple.com")),
            ("accounts/two/account.yaml", &two),
            ("accounts/three/account.yaml", "name: T\nemail: t@example.com-\nou: /security\n"),
        ]), @"
    error: the domain of `one@exam_ple.com` holds `_`, which AWS does not take
     --> accounts/one/account.yaml:2:8
      |
    2 | email: one@exam_ple.com
      |        ^
      = hint: AWS refuses it when the account is to be created

    error: the domain of `t@example.com-` begins or ends with a hyphen
     --> accounts/three/account.yaml:2:8
      |
    2 | email: t@example.com-
      |        ^
      = hint: AWS refuses it when the account is to be created

    error: the e-mail `.a,b@example.com` holds `,`, which AWS does not take
     --> accounts/two/account.yaml:2:8
      |
    2 | email: .a,b@example.com
      |        ^
      = hint: AWS refuses it when the account is to be created
    ");
    loaded(&[("accounts/two/account.yaml", &format!("id: \"111122223333\"\n{two}"))]);
}
