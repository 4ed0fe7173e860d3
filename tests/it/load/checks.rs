//! What is checked beyond the shape of files: templates as CloudFormation sees them, and who is reached by what.

use landfast::load::check;

use super::*;

const STACK: &str = "stacks:\n  network:\n    template: network.template.yaml\n";

/// What is seen of the account `one` with this template and these parameters.
fn template(text: &str, parameters: &str) -> String {
    let account = format!("{ONE}{STACK}    parameters: {{{parameters}}}\n");
    faults(&[("accounts/one/network.template.yaml", text), (ACCOUNT, &account)])
}

/// What a person should know of the small repository with these files.
fn warnings(changes: &[(&str, &str)]) -> String {
    let mut files = small();
    files.extend(changes.iter().map(|(path, text)| ((*path).to_owned(), File::text(text))));
    let checked = check(&tree(files), Some("2026-06-01".parse().unwrap()));
    assert!(checked.desired.is_some(), "{}", checked.diagnostics);
    checked.diagnostics.to_string()
}

const CONSTRAINED: &str = r"Parameters:
  Name: {Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: small letters}
  Short: {Type: String, MinLength: 2, MaxLength: '3'}
  Days: {Type: Number, MinValue: 1, MaxValue: 3650}
  Zones: {Type: CommaDelimitedList, AllowedValues: [a, b]}
  Key: {Type: String, NoEcho: true, AllowedPattern: '[0-9]{6}'}
  Left: {Type: String, Default: none, MinLength: 5}
Resources:
  Topic: {Type: AWS::SNS::Topic}
";

#[test]
fn values_that_break_what_the_template_asks_of_its_parameters() {
    let parameters = "\n Name: Net,\n Short: x,\n Days: \"0\",\n Zones: [a, c],\n Key: hunter2";
    insta::assert_snapshot!(template(CONSTRAINED, parameters), @r#"
    error: the template does not allow `none` for `Left`, and that is its default
     --> accounts/one/account.yaml:5:3
      |
    5 |   network:
      |   ^
      = hint: at least 5 characters, and it has 4

    error: the template does not allow `Net` for `Name`
     --> accounts/one/account.yaml:8:8
      |
    8 |  Name: Net,
      |        ^
      = hint: the whole value has to match [a-z]+ (small letters)

    error: the template does not allow `x` for `Short`
     --> accounts/one/account.yaml:9:9
      |
    9 |  Short: x,
      |         ^
      = hint: at least 2 characters, and it has 1

    error: the template does not allow `0` for `Days`
      --> accounts/one/account.yaml:10:8
       |
    10 |  Days: "0",
       |        ^
       = hint: at least 1

    error: the template does not allow `a,c` for `Zones`
      --> accounts/one/account.yaml:11:9
       |
    11 |  Zones: [a, c],
       |         ^
       = hint: allowed: a, b

    error: the template does not allow this value for `Key`
      --> accounts/one/account.yaml:12:7
       = hint: its AllowedPattern says what it takes; NoEcho values are not shown
    "#);
}

#[test]
fn values_at_the_edge_of_what_is_asked_are_taken() {
    let account = format!(
        "{ONE}{STACK}    parameters: {{Name: net, Short: äöü, Days: \"3650\", Zones: [b, a], Key: \"123456\", Left: \"12345\"}}\n"
    );
    loaded(&[("accounts/one/network.template.yaml", CONSTRAINED), (ACCOUNT, &account)]);
}

const DANGLING: &str = r#"Parameters:
  Env: {Type: String, Default: dev}
Mappings:
  Sizes: {dev: {Size: small}}
Conditions:
  IsProd: !Equals [!Ref Enviroment, prod]
  Odd: !Not [!Condition IsProdd]
  Late: !Equals [!Ref Topic, x]
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Condition: IsProdd
    DependsOn: [Bucket, Queue]
    Properties:
      TopicName: !Sub "${Env}-${Evn}-${!Literal}-${AWS::Region}-${AWS::Regoin}"
      DisplayName: !If [IsDev, a, !FindInMap [Size, !Ref Env, Size]]
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: {"Fn::Sub": ["${Own}-${Topic.TopicName}-${Bukcet.Arn}", {Own: !GetAtt Topik.Arn}]}
Outputs:
  Arn: {Value: !Ref Topik}
"#;

#[test]
fn functions_that_refer_to_nothing() {
    insta::assert_snapshot!(template(DANGLING, ""), @r#"
    error: `Ref` names `Enviroment`, which is not in the template
     --> accounts/one/network.template.yaml:6:20
      |
    6 |   IsProd: !Equals [!Ref Enviroment, prod]
      |                    ^

    error: there is no condition `IsProdd` in the template
     --> accounts/one/network.template.yaml:7:14
      |
    7 |   Odd: !Not [!Condition IsProdd]
      |              ^
      = hint: did you mean `IsProd`?

    error: `Ref` names the resource `Topic` in a condition
     --> accounts/one/network.template.yaml:8:18
      |
    8 |   Late: !Equals [!Ref Topic, x]
      |                  ^
      = hint: conditions see parameters only

    error: there is no condition `IsProdd` in the template
      --> accounts/one/network.template.yaml:12:16
       |
    12 |     Condition: IsProdd
       |                ^
       = hint: did you mean `IsProd`?

    error: `DependsOn` names `Queue`, which is no resource of the template
      --> accounts/one/network.template.yaml:13:25
       |
    13 |     DependsOn: [Bucket, Queue]
       |                         ^

    error: `Fn::Sub` names `AWS::Regoin`, which is not in the template
      --> accounts/one/network.template.yaml:15:18
       |
    15 |       TopicName: !Sub "${Env}-${Evn}-${!Literal}-${AWS::Region}-${AWS::Regoin}"
       |                  ^
       = hint: did you mean `AWS::Region`?

    error: `Fn::Sub` names `Evn`, which is not in the template
      --> accounts/one/network.template.yaml:15:18
       |
    15 |       TopicName: !Sub "${Env}-${Evn}-${!Literal}-${AWS::Region}-${AWS::Regoin}"
       |                  ^
       = hint: did you mean `Env`?

    error: there is no condition `IsDev` in the template
      --> accounts/one/network.template.yaml:16:25
       |
    16 |       DisplayName: !If [IsDev, a, !FindInMap [Size, !Ref Env, Size]]
       |                         ^

    error: there is no mapping `Size` in the template
      --> accounts/one/network.template.yaml:16:47
       |
    16 |       DisplayName: !If [IsDev, a, !FindInMap [Size, !Ref Env, Size]]
       |                                               ^
       = hint: did you mean `Sizes`?

    error: `Fn::Sub` names `Bukcet`, which is no resource of the template
      --> accounts/one/network.template.yaml:20:32
       |
    20 |       BucketName: {"Fn::Sub": ["${Own}-${Topic.TopicName}-${Bukcet.Arn}", {Own: !GetAtt Topik.Arn}]}
       |                                ^
       = hint: did you mean `Bucket`?

    error: `Fn::GetAtt` names `Topik`, which is no resource of the template
      --> accounts/one/network.template.yaml:20:81
       |
    20 |       BucketName: {"Fn::Sub": ["${Own}-${Topic.TopicName}-${Bukcet.Arn}", {Own: !GetAtt Topik.Arn}]}
       |                                                                                 ^
       = hint: did you mean `Topic`?

    error: `Ref` names `Topik`, which is not in the template
      --> accounts/one/network.template.yaml:22:16
       |
    22 |   Arn: {Value: !Ref Topik}
       |                ^
       = hint: did you mean `Topic`?
    "#);
}

const AMISS: &str = r#"Parameters:
  Env: {Default: dev}
  Region: eu-west-1
Mappings:
  Amis: {eu-west-1: {Ami: ami-1}}
Rules:
  Sound:
    RuleCondition: !Equals [!Ref Envv, prod]
    Assertions: [{Assert: !Contains [[a], !Ref Nobody], AssertDescription: !Ref Text}]
Conditions:
  Late: !Equals [!GetAtt Topic.Arn, x]
  Later: !Equals [!Sub '${Topic.Arn}', x]
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: !GetAtt Topic
      DisplayName: {"Fn::GetAtt": [Topic]}
      KmsMasterKeyId: !FindInMap [Amis, us-east-9, Ami]
      Tags: [!FindInMap [Amis, eu-west-1, Amy]]
  Typeless: {Properties: {}}
  Empty:
  List: [{Type: AWS::SNS::Topic}]
"#;

#[test]
fn what_a_template_lacks_and_what_it_looks_up_in_vain() {
    insta::assert_snapshot!(template(AMISS, ""), @r#"
    error: the stack `network` gives its template no `Region`
     --> accounts/one/account.yaml:5:3
      |
    5 |   network:
      |   ^
      = hint: the parameter has no default; name it under `parameters`

    error: the parameter `Env` has no `Type`
     --> accounts/one/network.template.yaml:2:3
      |
    2 |   Env: {Default: dev}
      |   ^
      = hint: such as `Type: String`

    error: the parameter `Region` is a text, not a map
     --> accounts/one/network.template.yaml:3:11
      |
    3 |   Region: eu-west-1
      |           ^
      = hint: such as `Type: String`

    error: `Ref` names `Envv`, which is not in the template
     --> accounts/one/network.template.yaml:8:29
      |
    8 |     RuleCondition: !Equals [!Ref Envv, prod]
      |                             ^
      = hint: did you mean `Env`?

    error: `Ref` names `Nobody`, which is not in the template
     --> accounts/one/network.template.yaml:9:43
      |
    9 |     Assertions: [{Assert: !Contains [[a], !Ref Nobody], AssertDescription: !Ref Text}]
      |                                           ^

    error: `Fn::GetAtt` names the resource `Topic` in a condition
      --> accounts/one/network.template.yaml:11:18
       |
    11 |   Late: !Equals [!GetAtt Topic.Arn, x]
       |                  ^
       = hint: conditions see parameters only

    error: `Fn::Sub` names the resource `Topic` in a condition
      --> accounts/one/network.template.yaml:12:19
       |
    12 |   Later: !Equals [!Sub '${Topic.Arn}', x]
       |                   ^
       = hint: conditions see parameters only

    error: `Fn::GetAtt` names `Topic` without an attribute
      --> accounts/one/network.template.yaml:17:18
       |
    17 |       TopicName: !GetAtt Topic
       |                  ^
       = hint: such as `Topic.Arn`

    error: `Fn::GetAtt` names `Topic` without an attribute
      --> accounts/one/network.template.yaml:18:36
       |
    18 |       DisplayName: {"Fn::GetAtt": [Topic]}
       |                                    ^
       = hint: such as `Topic.Arn`

    error: there is no key `us-east-9` there in the mapping `Amis`
      --> accounts/one/network.template.yaml:19:41
       |
    19 |       KmsMasterKeyId: !FindInMap [Amis, us-east-9, Ami]
       |                                         ^
       = hint: did you mean `eu-west-1`?

    error: there is no key `Amy` there in the mapping `Amis`
      --> accounts/one/network.template.yaml:20:43
       |
    20 |       Tags: [!FindInMap [Amis, eu-west-1, Amy]]
       |                                           ^
       = hint: did you mean `Ami`?

    error: the resource `Typeless` has no `Type`
      --> accounts/one/network.template.yaml:21:3
       |
    21 |   Typeless: {Properties: {}}
       |   ^
       = hint: such as `Type: AWS::SNS::Topic`

    error: the resource `Empty` is nothing, not a map
      --> accounts/one/network.template.yaml:22:8
       |
    22 |   Empty:
       |        ^
       = hint: such as `Type: AWS::SNS::Topic`

    error: the resource `List` is a list, not a map
      --> accounts/one/network.template.yaml:23:9
       |
    23 |   List: [{Type: AWS::SNS::Topic}]
       |         ^
       = hint: such as `Type: AWS::SNS::Topic`
    "#);
}

#[test]
fn a_script_in_sub_that_has_variables_of_its_own() {
    let text = "Resources:\n  Host:\n    Type: AWS::EC2::Instance\n    Properties:\n      UserData: !Base64\n        Fn::Sub: |\n          echo ${HOME:-/root} ${AWS::Region} ${!USER}\n";
    insta::assert_snapshot!(template(text, ""), @"
    error: `${HOME:-/root}` in `Fn::Sub` is no name
     --> accounts/one/network.template.yaml:7:11
      |
    7 |           echo ${HOME:-/root} ${AWS::Region} ${!USER}
      |           ^
      = hint: a `$` that is not meant for CloudFormation is written `${!…}`
    ");
}

/// Templates that a naive reader takes for wrong.
#[test]
fn what_is_right_in_real_templates_is_not_called_wrong() {
    for text in [
        // Names come from a transform, a macro, a loop or a module.
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F: {Type: AWS::Serverless::Function}\nOutputs:\n  R: {Value: !GetAtt FRole.Arn}\n",
        "Resources:\n  A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Included}}\n  Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/x}}\n",
        "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::Topics:\n  - Name\n  - [A, B]\n  - Topic${Name}: {Type: AWS::SNS::Topic}\nOutputs:\n  A: {Value: !Ref TopicA}\n",
        "Resources:\n  M: {Type: Acme::Net::Vpc::MODULE}\n  T: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref MVpc}}\n",
        // `Condition` is a key of policies and of rules, not only a function.
        "Resources:\n  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument: {Statement: [{Condition: {StringEquals: {a: b}}}, {Condition: nothing-of-ours}]}\n",
        // Texts that are no `Fn::Sub` keep their dollars; `Ref` beside other keys is data.
        "Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties: {TopicName: \"${Nothing}\", Tags: [{Ref: x, Key: y}]}\n    Metadata: {Note: {\"$ref\": z}}\n",
        // Nested stacks, custom resources, pseudo parameters, variables of one's own, an unclosed brace.
        "Parameters: {P: {Type: String, Default: x}}\nConditions: {C: !Equals [!Ref AWS::Region, !Ref P]}\nResources:\n  N: {Type: AWS::CloudFormation::Stack, Condition: C, Properties: {TemplateURL: x}}\n  A:\n    Type: Custom::Thing\n    DependsOn: N\n    Properties: {ServiceToken: !GetAtt N.Outputs.Token.Arn, B: !GetAtt [N, !Ref P], C: !If [C, !Ref AWS::NoValue, !Sub ['${a.b}-${ P }-${', {a.b: 1}]]}\nOutputs:\n  O: {Condition: C, Value: !Sub '${A.Ref}', Export: {Name: !Sub '${AWS::StackName}-o'}}\n",
        // What is only documentation is not evaluated.
        "Metadata: {AWS::CloudFormation::Interface: {ParameterGroups: [{Parameters: [{Ref: x}]}]}}\nRules: {R: {Assertions: [{Assert: {\"Fn::Contains\": [{\"Fn::RefAll\": \"AWS::EC2::VPC::Id\"}, x]}}]}}\nResources: {A: {Type: AWS::SNS::Topic}}\n",
        // Keys that are not spelled out, that another YAML reads otherwise, or that have something to fall back on.
        "Parameters: {P: {Type: String, Default: x}}\nMappings: {M: {a: {yes: b, 012: c, b: d}, \"123456789012\": {k: v}}}\nResources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties: {A: !FindInMap [M, !Ref AWS::AccountId, k], B: !FindInMap [M, a, !Ref P], C: !FindInMap [M, a, true], D: !FindInMap [M, a, 10], E: !FindInMap [M, 123456789012, k], F: !FindInMap [!Ref P, x, y], G: !FindInMap [M, z, k, {DefaultValue: x}], H: !FindInMap [M, !Sub 'a', b]}\n",
        "Transform: AWS::LanguageExtensions\nMappings: {M: {a: {b: c}}}\nResources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !FindInMap [M, z, b, DefaultValue: x]}}}\n",
        "Mappings: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/x}}}\nResources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !FindInMap [M, z, b]}}}\n",
        // Rules see parameters, by functions of their own; a macro may add what an entry lacks.
        "Parameters: {P: {Type: String, Default: x}, V: {Type: \"AWS::EC2::VPC::Id\", Default: y}}\nRules: {R: {RuleCondition: !Equals [!Ref P, x], Assertions: [{Assert: !EachMemberIn [!ValueOfAll [AWS::EC2::VPC::Id, Tags.Name], !RefAll AWS::EC2::VPC::Id], AssertDescription: Ref}, {Assert: !Not [!Equals [!ValueOf [V, Tags.Name], !Ref AWS::Region]]}]}}\nResources: {A: {Type: AWS::SNS::Topic}}\n",
        "Transform: [Acme]\nParameters: {P: {Default: x}}\nResources: {A: {Count: 3}, B: []}\n",
        "Resources: {A: {\"Fn::Transform\": {Name: AWS::Include, Parameters: {Location: s3://b/x}}}}\n",
        // Attributes with dots, of resources that are named by a list, and of stacks elsewhere.
        "Conditions: {C: !Equals [!FindInMap [M, a, b], !Sub '${AWS::Region}']}\nMappings: {M: {a: {b: c}}}\nResources: {A: {Type: AWS::SNS::Topic, Properties: {A: !GetAtt [B, Outputs.X], B: {\"Fn::GetAtt\": B.Outputs.X}, C: !GetStackOutput {StackName: net, OutputName: Nothing}}}, B: {Type: \"AWS::CloudFormation::Stack\", Properties: {TemplateURL: x}}}\n",
        // A function whose argument is another function.
        "Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties: {TopicName: {\"Fn::Base64\": !Sub '${AWS::StackId}'}, DisplayName: {\"Fn::FindInMap\": [!Ref AWS::Region, a, b]}}\n",
    ] {
        let account = format!("{ONE}{STACK}    capabilities: [CAPABILITY_IAM]\n");
        loaded(&[("accounts/one/network.template.yaml", text), (ACCOUNT, &account)]);
    }
}

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

#[test]
fn two_layers_that_name_one_stack_make_one_stack() {
    let baseline =
        "targets: {ous: [/**]}\nstacks: {net: {template: net.template.yaml, regions: [eu-west-1, home]}}\n";
    let desired = loaded(&[
        ("baselines/a/baseline.yaml", baseline),
        ("baselines/a/net.template.yaml", "Resources: {T: {Type: AWS::SNS::Topic}}\n"),
        (ACCOUNT, &format!("{ONE}stacks: {{net: {{tags: {{a: b}}}}}}\n")),
    ]);
    assert_eq!(stacks(&desired, "one"), ["net[eu-west-1]"]);
}

#[test]
fn targets_that_reach_nobody_today() {
    insta::assert_snapshot!(
        warnings(&[
            ("baselines/a/baseline.yaml", "targets: {tags: {env: prod}}\nstacks: {s: {targets: {ous: [/security]}}}\n"),
            (
                "baselines/b/baseline.yaml",
                "targets: {ous: [/**]}\nsettings:\n  passwordPolicy:\n    minimumLength: 14\n    targets: {ous: [/security]}\n",
            ),
        ]), @"
    warning: the baseline `a` reaches no account
     --> baselines/a/baseline.yaml:1:10
      |
    1 | targets: {tags: {env: prod}}
      |          ^
      = hint: every condition in `targets` has to hold; the management account is only reached by name

    warning: `settings.passwordPolicy` is for no account that the baseline reaches
     --> baselines/b/baseline.yaml:5:14
      |
    5 |     targets: {ous: [/security]}
      |              ^
      = hint: targets of an entry choose among the accounts of its baseline
    ");
}

#[test]
fn accounts_that_no_baseline_reaches() {
    let management = "id: \"999988887777\"\nname: M\nemail: m@example.com\nou: /\n";
    let three = "name: Three\nemail: three@example.com\nou: /security\n";
    insta::assert_snapshot!(
        warnings(&[
            ("baselines/a/baseline.yaml", "targets: {ous: [/workloads/prod, /security], exclude: {three: OPS-1}}\n"),
            ("accounts/management/account.yaml", management),
            ("accounts/three/account.yaml", three),
        ]), @"
    warning: no baseline reaches accounts/two
     --> accounts/two/account.yaml:3:5
      |
    3 | ou: /workloads/nonprod
      |     ^
      = hint: if that is meant, let a baseline say so: `exclude`, with a reason
    ");
}

#[test]
fn nobody_is_missed_where_there_are_no_baselines_or_one_cannot_be_read() {
    assert_eq!(warnings(&[]), "");
    let mut files = small();
    files.insert("baselines/a/baseline.yaml".to_owned(), File::text("targets: {ous: [/security]\n"));
    files.insert("baselines/b/baseline.yaml".to_owned(), File::text("targets: {ous: [/security]}\n"));
    let found = check(&tree(files), Some("2026-06-01".parse().unwrap())).diagnostics.to_string();
    assert!(found.starts_with("error: unclosed bracket") && !found.contains("warning"), "{found}");
}

#[test]
fn a_load_without_a_day_warns_of_nothing() {
    let mut files = small();
    files.insert("baselines/b/baseline.yaml".to_owned(), File::text("targets: {ous: [/security]}\n"));
    assert!(check(&tree(files), None).diagnostics.is_empty());
}

#[test]
fn the_example_gives_nothing_to_say() {
    assert_eq!(check(&example(), Some("2026-06-01".parse().unwrap())).diagnostics.to_string(), "");
}
