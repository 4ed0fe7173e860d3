//! What is checked beyond the shape of files: templates as CloudFormation sees them.

use super::*;

const STACK: &str = "stacks:\n  network:\n    template: network.template.yaml\n";

/// What is seen of the account `one` with this template and these parameters.
pub(super) fn template(text: &str, parameters: &str) -> String {
    let account = format!("{ONE}{STACK}    parameters: {{{parameters}}}\n");
    faults(&[("accounts/one/network.template.yaml", text), (ACCOUNT, &account)])
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
