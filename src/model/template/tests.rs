//! Templates that mean the same have one canonical form.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn body(text: &str) -> Value {
    Template::parse(text).unwrap().body().clone()
}

/// A template whose one resource has the property `P`.
fn with_property(yaml: &str) -> String {
    format!("Resources:\n  R:\n    Type: T\n    Properties:\n      P: {yaml}\n")
}

fn property(yaml: &str) -> Value {
    body(&with_property(yaml))["Resources"]["R"]["Properties"]["P"].clone()
}

#[test]
fn every_short_intrinsic_reads_as_its_long_form() {
    for (short, long) in [
        ("!Ref Vpc", json!({"Ref": "Vpc"})),
        ("!Condition IsProd", json!({"Condition": "IsProd"})),
        ("!GetAtt Role.Arn", json!({"Fn::GetAtt": ["Role", "Arn"]})),
        ("!GetAtt [Role, Arn]", json!({"Fn::GetAtt": ["Role", "Arn"]})),
        ("!GetAtt Nested.Outputs.Vpc", json!({"Fn::GetAtt": ["Nested", "Outputs.Vpc"]})),
        ("{'Fn::GetAtt': Role.Arn}", json!({"Fn::GetAtt": ["Role", "Arn"]})),
        ("!Sub 'arn:${AWS::Partition}:x'", json!({"Fn::Sub": "arn:${AWS::Partition}:x"})),
        ("!Sub ['${A}', {A: !Ref B}]", json!({"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]})),
        ("!If [IsProd, 1, !Ref AWS::NoValue]", json!({"Fn::If": ["IsProd", 1, {"Ref": "AWS::NoValue"}]})),
        ("!Join ['-', [a, b]]", json!({"Fn::Join": ["-", ["a", "b"]]})),
        ("!Select [0, !GetAZs '']", json!({"Fn::Select": [0, {"Fn::GetAZs": ""}]})),
        ("!Split [',', 'a,b']", json!({"Fn::Split": [",", "a,b"]})),
        ("!FindInMap [M, K, V]", json!({"Fn::FindInMap": ["M", "K", "V"]})),
        ("!ImportValue Shared", json!({"Fn::ImportValue": "Shared"})),
        ("!Base64 text", json!({"Fn::Base64": "text"})),
        ("!Cidr [10.0.0.0/16, 6, 8]", json!({"Fn::Cidr": ["10.0.0.0/16", 6, 8]})),
        ("!Equals [a, b]", json!({"Fn::Equals": ["a", "b"]})),
        (
            "!And [!Condition A, !Not [!Condition B]]",
            json!({"Fn::And": [{"Condition": "A"}, {"Fn::Not": [{"Condition": "B"}]}]}),
        ),
        ("!Or [!Condition A, !Condition B]", json!({"Fn::Or": [{"Condition": "A"}, {"Condition": "B"}]})),
        ("!Transform {Name: AWS::Include}", json!({"Fn::Transform": {"Name": "AWS::Include"}})),
        ("!Length [a]", json!({"Fn::Length": ["a"]})),
        ("!ToJsonString {a: 1}", json!({"Fn::ToJsonString": {"a": 1}})),
        ("!GetStackOutput [Net, VpcId]", json!({"Fn::GetStackOutput": ["Net", "VpcId"]})),
        (
            "!GetStackOutput {StackName: Net, OutputName: VpcId}",
            json!({"Fn::GetStackOutput": {"StackName": "Net", "OutputName": "VpcId"}}),
        ),
        ("!Contains [[a], b]", json!({"Fn::Contains": [["a"], "b"]})),
        ("!EachMemberEquals [[a], a]", json!({"Fn::EachMemberEquals": [["a"], "a"]})),
        ("!EachMemberIn [[a], [a, b]]", json!({"Fn::EachMemberIn": [["a"], ["a", "b"]]})),
        ("!RefAll AWS::EC2::VPC::Id", json!({"Fn::RefAll": "AWS::EC2::VPC::Id"})),
        ("!ValueOf [Subnet, VpcId]", json!({"Fn::ValueOf": ["Subnet", "VpcId"]})),
        (
            "!ValueOfAll [AWS::EC2::Subnet::Id, VpcId]",
            json!({"Fn::ValueOfAll": ["AWS::EC2::Subnet::Id", "VpcId"]}),
        ),
    ] {
        assert_eq!(property(short), long, "{short}");
    }
}

#[test]
fn a_scalar_is_only_a_number_when_it_prints_as_itself() {
    for (text, value) in [
        ("8080", json!(8080)),
        ("'8080'", json!("8080")),
        ("012345678901", json!("012345678901")),
        ("1.10", json!("1.10")),
        ("1.5", json!(1.5)),
        ("2010-09-09", json!("2010-09-09")),
        ("true", json!(true)),
        ("yes", json!("yes")),
        ("!!str 8080", json!("8080")),
    ] {
        assert_eq!(property(text), value, "{text}");
    }
}

#[test]
fn comments_layout_order_and_language_do_not_count() {
    let yaml = "# who\nResources:\n  B: {Type: T2}\n  A:\n    Type: T1\n    Properties: {X: !GetAtt B.Arn}\n";
    let json = r#"{"Resources": {"A": {"Properties": {"X": {"Fn::GetAtt": ["B", "Arn"]}}, "Type": "T1"},
        "B": {"Type": "T2"}}}"#;
    assert_eq!(canonical(yaml), canonical(json));
    insta::assert_snapshot!(canonical(yaml), @r#"
    Resources:
      A:
        Properties:
          X:
            Fn::GetAtt:
            - B
            - Arn
        Type: T1
      B:
        Type: T2
    "#);
}

#[test]
fn different_templates_stay_different() {
    assert_ne!(canonical(&with_property("8080")), canonical(&with_property("'8080'")));
    assert_ne!(canonical(&with_property("[a, b]")), canonical(&with_property("[b, a]")));
    assert_ne!(canonical(&with_property("''")), canonical(&with_property("~")));
}

#[test]
fn a_text_that_is_no_template_is_its_own_canonical_form() {
    for text in ["", "not: [a template", "a: 1\n", "Resources: {}"] {
        assert_eq!(canonical(text), text);
    }
}

#[test]
fn a_fault_says_where() {
    let fault = Template::parse("Resources:\n  A:\n    Type: !Reff T\n").unwrap_err();
    assert_eq!((fault.line, fault.column), (3, 11));
    assert_eq!(fault.message, "`!Reff` is not a CloudFormation function");
    assert_eq!(Template::parse("a: 1\na: 2\n").unwrap_err().line, 2);
}

#[test]
fn parameters_show_their_default_as_cloudformation_would() {
    let text = "Parameters:\n  Port: {Type: Number, Default: 8080}\n  Zones: {Type: CommaDelimitedList}\n  \
                Key: {Type: String, NoEcho: true, Default: '012', AllowedValues: ['012', '3']}\n\
                Resources: {A: {Type: T}}\n";
    let template = Template::parse(text).unwrap();
    let parameters = template.parameters();
    assert_eq!(parameters["Port"].default.as_deref(), Some("8080"));
    assert_eq!(parameters["Zones"].default, None);
    assert!(parameters["Key"].no_echo && !parameters["Port"].no_echo);
    assert_eq!(parameters["Key"].allowed, ["012", "3"]);
    assert_eq!(template.resources()["A"], "T");
}

#[test]
fn a_parameter_is_hidden_unless_it_plainly_says_that_it_is_not() {
    let no_echo = |text: &str| {
        let text = format!("Parameters: {{P: {{Type: String{text}}}}}\nResources: {{A: {{Type: T}}}}\n");
        Template::parse(&text).unwrap().parameters()["P"].no_echo
    };
    for word in [
        "true",
        "True",
        "'true'",
        "yes",
        "Yes",
        "YES",
        "on",
        "On",
        "'yes'",
        "!!bool yes",
        "maybe",
        "{Ref: X}",
    ] {
        assert!(no_echo(&format!(", NoEcho: {word}")), "{word}");
    }
    for word in ["false", "False", "'false'", "no", "No", "NO", "off", "Off"] {
        assert!(!no_echo(&format!(", NoEcho: {word}")), "{word}");
    }
    assert!(!no_echo(""));
}

#[test]
fn what_cloudformation_may_have_read_as_a_flag_is_not_objected_to() {
    let text =
        "Parameters: {P: {Type: String, AllowedValues: [yes, no, maybe]}}\nResources: {A: {Type: T}}\n";
    let parameters = Template::parse(text).unwrap().parameters();
    for value in ["yes", "true", "no", "false", "maybe"] {
        assert_eq!(parameters["P"].objection(value), None, "{value}");
    }
    for value in ["on", "True", "0"] {
        assert!(parameters["P"].objection(value).is_some(), "{value}");
    }
}

/// One value, spelled twice: with short intrinsics as YAML, and with long ones as JSON.
#[derive(Clone, Debug)]
enum Spelled {
    Scalar(Value),
    Call(&'static str, Box<Self>),
    Attribute(String, String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Spelled {
    fn short(&self) -> String {
        match self {
            Self::Scalar(value) => value.to_string(),
            Self::Call(name, argument) => format!("!{name} {}", argument.short()),
            Self::Attribute(resource, attribute) => format!("!GetAtt {resource}.{attribute}"),
            Self::List(values) => {
                format!("[{}]", values.iter().map(Self::short).collect::<Vec<_>>().join(", "))
            }
            Self::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(k, v)| format!("{}: {}", json!(k), v.short())).collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    fn long(&self) -> Value {
        match self {
            Self::Scalar(value) => value.clone(),
            Self::Call(name, argument) if *name == "Ref" => json!({"Ref": argument.long()}),
            Self::Call(name, argument) => json!({format!("Fn::{name}"): argument.long()}),
            Self::Attribute(resource, attribute) => json!({"Fn::GetAtt": [resource, attribute]}),
            Self::List(values) => values.iter().map(Self::long).collect(),
            Self::Map(entries) => entries.iter().map(|(k, v)| (k.clone(), v.long())).collect(),
        }
    }
}

fn spelled() -> impl Strategy<Value = Spelled> {
    let text = prop_oneof![
        "[ -~]{0,12}",
        "[0-9]{1,13}",
        "[a-z: #&*!|>'\"%@`{}\\[\\],?-]{0,6}",
        "(\n|[ a-z]){0,9}",
        "\\PC{0,6}",
        "true|false|null|~|yes|no|1e3|0x1F|1_000|-|---|2010-09-09|012|<<"
    ];
    let scalar = prop_oneof![
        text.prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ];
    let attribute = ("[A-Za-z][A-Za-z0-9]{0,5}", "[A-Z][A-Za-z]{0,5}(\\.[A-Z][a-z]{0,3})?");
    let leaf = prop_oneof![
        4 => scalar.prop_map(Spelled::Scalar),
        1 => attribute.prop_map(|(resource, name)| Spelled::Attribute(resource, name)),
        1 => "[A-Za-z]{1,8}".prop_map(|name| Spelled::Call("Ref", Box::new(Spelled::Scalar(name.into())))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..4);
        let map = proptest::collection::btree_map("[ -~]{1,8}", inner, 0..4);
        let call = proptest::sample::select(vec!["Join", "If", "Select", "Sub", "Equals", "Not", "Cidr"]);
        prop_oneof![
            list.clone().prop_map(Spelled::List),
            map.prop_map(|map| Spelled::Map(map.into_iter().collect())),
            (call, list).prop_map(|(name, list)| Spelled::Call(name, Box::new(Spelled::List(list)))),
        ]
    })
}

proptest! {
    #[test]
    fn the_canonical_form_is_the_same_for_both_spellings_and_final(value in spelled()) {
        let short = with_property(&value.short());
        let resource = json!({"Type": "T", "Properties": {"P": value.long()}});
        let long = json!({"Resources": {"R": resource}}).to_string();
        prop_assert!(Template::parse(&short).is_ok(), "{:?}\n{short}", Template::parse(&short));
        let canonical_form = canonical(&short);
        prop_assert_eq!(&canonical_form, &canonical(&long));
        prop_assert_eq!(&canonical_form, &canonical(&canonical_form));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,60}|[\\[\\]{}:,&*!|>'\"#\n\ta-z -]{0,60}") {
        let _ = Template::parse(&text);
        let _ = canonical(&text);
    }
}
