//! References to outputs of stacks: what is taken, who has to come first, and every way of naming what is not there.

use landfast::load::{Shown, check, explain, render};
use landfast::model::{Account, Stack};

use super::*;

const PRODUCER: &str = "Resources:\n  Topic: {Type: AWS::SNS::Topic}\nOutputs:\n  Arn: {Value: !Ref Topic}\n  Name: {Value: x}\n";
pub(super) const CONSUMER: &str = "Parameters:
  In: {Type: String}
  List: {Type: CommaDelimitedList, Default: none}
  Secret: {Type: String, NoEcho: true, Default: none}
Resources:
  Topic: {Type: AWS::SNS::Topic}
Outputs:
  Out: {Value: !Ref In}
";

/// The account `two` has the stack `source`, in one region or in two, and `one` has what is asked for.
pub(super) fn repository(regions: &str, parameters: &str) -> Vec<(&'static str, String)> {
    vec![
        (
            "accounts/two/account.yaml",
            format!("{TWO}stacks: {{source: {{template: source.template.yaml, regions: {regions}}}}}\n"),
        ),
        ("accounts/two/source.template.yaml", PRODUCER.to_owned()),
        ("accounts/one/taker.template.yaml", CONSUMER.to_owned()),
        (
            ACCOUNT,
            format!(
                "{ONE}stacks:\n  taker:\n    template: taker.template.yaml\n    parameters:\n      {parameters}\n"
            ),
        ),
    ]
}

pub(super) fn borrowed<'a>(files: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    files.iter().map(|(path, text)| (*path, text.as_str())).collect()
}

pub(super) fn refused(regions: &str, parameters: &str) -> String {
    faults(&borrowed(&repository(regions, parameters)))
}

fn taker(regions: &str, parameters: &str) -> Stack {
    let desired = loaded(&borrowed(&repository(regions, parameters)));
    desired.accounts[&slug("one")].stacks[&key("taker[eu-west-1]")].value.clone()
}

#[test]
fn an_output_is_put_into_a_parameter_whole_wherever_it_stands() {
    let said = |parameters: &str| {
        let stack = taker("[home, edge]", parameters);
        assert!(!stack.parameters.contains_key("In"), "nobody knows its value yet");
        stack.deferred["In"].to_string()
    };
    let whole = "${{ accounts['two'].stacks['source']['eu-west-1'].outputs.Arn }}";
    assert_eq!(said(&format!("In: \"{whole}\"")), whole);
    assert_eq!(said("In: \"${{ accounts['two'].stacks['source'][region].outputs['Arn'] }}\""), whole);
    assert_eq!(said(&format!("In: \"a-{whole}-{whole}\"")), format!("a-{whole}-{whole}"));
    assert_eq!(
        said("In: \"${{ 'a' ~ accounts['two'].stacks.source['us-east-1'].outputs.Arn }}\""),
        "a${{ accounts['two'].stacks['source']['us-east-1'].outputs.Arn }}"
    );
}

#[test]
fn an_output_is_a_member_of_a_list_like_any_other() {
    let stack =
        taker("[home]", "In: x\n      List: [a, \"${{ accounts['two'].stacks['source'].outputs.Arn }}\"]");
    assert_eq!(stack.deferred["List"].to_string(), "a,${{ accounts['two'].stacks['source'].outputs.Arn }}");
    assert!(stack.deferred["List"].is_list);
}

#[test]
fn a_list_fits_a_parameter_that_takes_lists_and_no_other() {
    assert_eq!(taker("[home]", "In: x\n      List: [a, b]").parameters["List"], "a,b");
    insta::assert_snapshot!(refused("[home]", "In: [a, b]\n      List: [a, \"b,c\"]"), @r#"
    error: a list does not fit `In`, which is a String
     --> accounts/one/account.yaml:8:11
      |
    8 |       In: [a, b]
      |           ^
      = hint: make it a text, with `| join('…')` for instance, or the parameter a CommaDelimitedList

    error: `b,c`, a member of the list `List`, holds a comma
     --> accounts/one/account.yaml:9:13
      |
    9 |       List: [a, "b,c"]
      |             ^
      = hint: CloudFormation would take it for several members
    "#);
}

#[test]
fn outputs_that_nobody_has_are_said_with_what_may_have_been_meant() {
    insta::assert_snapshot!(refused("[home]", "In: \"${{ accounts['two'].stacks['sorce'].outputs.Arn }}\""), @r#"
    error: `two` has no stack `sorce`
     --> accounts/one/account.yaml:8:11
      |
    8 |       In: "${{ accounts['two'].stacks['sorce'].outputs.Arn }}"
      |           ^
      = hint: did you mean `source`?
    "#);
    insta::assert_snapshot!(refused("[home]", "In: \"${{ accounts['too'].stacks['source'].outputs.Arn }}\""), @r#"
    error: `accounts['too'].stacks['source'].outputs.Arn` has no value here
     --> accounts/one/account.yaml:8:11
      |
    8 |       In: "${{ accounts['too'].stacks['source'].outputs.Arn }}"
      |           ^
      = hint: did you mean `accounts['two']`?
    "#);
    insta::assert_snapshot!(refused("[home]", "In: \"${{ accounts['two'].stacks['source'].outputs.Arm }}\""), @r#"
    error: the template of `source` has no output `Arm`
     --> accounts/one/account.yaml:8:11
      |
    8 |       In: "${{ accounts['two'].stacks['source'].outputs.Arm }}"
      |           ^
      = hint: did you mean `Arn`?
    "#);
    insta::assert_snapshot!(
        refused("[home]", "In: \"${{ accounts['two'].stacks['source']['us-east-1'].outputs.Arn }}\""), @r#"
    error: the stack `source` of `two` is not in us-east-1
     --> accounts/one/account.yaml:8:11
      |
    8 |       In: "${{ accounts['two'].stacks['source']['us-east-1'].outputs.Arn }}"
      |           ^
      = hint: it is in eu-west-1
    "#
    );
    insta::assert_snapshot!(
        refused("[home, edge]", "In: \"${{ accounts['two'].stacks['source'].outputs.Arn }}\""), @r#"
    error: the stack `source` of `two` is in several regions: eu-west-1, us-east-1
     --> accounts/one/account.yaml:8:11
      |
    8 |       In: "${{ accounts['two'].stacks['source'].outputs.Arn }}"
      |           ^
      = hint: name one: stacks['source']['eu-west-1'], or stacks['source'][region]
    "#
    );
    insta::assert_snapshot!(refused("[home]", "In: \"${{ stacks['source'].outputs.Arn }}\""), @r#"
    error: this account has no stack `source`
     --> accounts/one/account.yaml:8:11
      |
    8 |       In: "${{ stacks['source'].outputs.Arn }}"
      |           ^
      = hint: known here: taker
    "#);
}

#[test]
fn nothing_is_worked_out_of_an_output_and_no_secret_is_made_of_one() {
    insta::assert_snapshot!(
        refused("[home]", "In: \"${{ accounts['two'].stacks['source'].outputs.Arn | upper }}\""), @r#"
    error: the expression `accounts['two'].stacks['source'].outputs.Arn | upper` would look into an output of a stack (`|`), which is not known yet
     --> accounts/one/account.yaml:8:11
      |
    8 |       In: "${{ accounts['two'].stacks['source'].outputs.Arn | upper }}"
      |           ^
      = hint: put it in whole: alone, in a text, joined with `~`, or in a list; a template can take it apart with Fn::Select and Fn::Split
    "#
    );
    insta::assert_snapshot!(
        refused("[home]", "In: \"${{ 'x' if accounts['two'].stacks['source'].outputs.Arn == 'y' else 'z' }}\""), @r#"
    error: the expression `'x' if accounts['two'].stacks['source'].outputs.Arn == 'y' else 'z'` would look into an output of a stack (`if`), which is not known yet
     --> accounts/one/account.yaml:8:11
      |
    8 |       In: "${{ 'x' if accounts['two'].stacks['source'].outputs.Arn == 'y' else 'z' }}"
      |           ^
      = hint: put it in whole: alone, in a text, joined with `~`, or in a list; a template can take it apart with Fn::Select and Fn::Split
    "#
    );
    insta::assert_snapshot!(
        refused("[home]", "In: x\n      Secret: \"${{ accounts['two'].stacks['source'].outputs.Arn }}\""), @r#"
    error: `Secret` is NoEcho, and an output of a stack is no secret
     --> accounts/one/account.yaml:9:15
      = hint: whoever may describe a stack sees its outputs; a template can take a secret by {{resolve:secretsmanager:…}}
    "#
    );
}

#[test]
fn outputs_are_for_parameters_only() {
    let value = "values: {Arn: \"${{ accounts['two'].stacks['source'].outputs.Arn }}\"}\n";
    insta::assert_snapshot!(one(value), @r#"
    error: `accounts['two'].stacks['source'].outputs.Arn` has no value here
     --> accounts/one/account.yaml:4:15
      |
    4 | values: {Arn: "${{ accounts['two'].stacks['source'].outputs.Arn }}"}
      |               ^
      = hint: outputs of stacks can be taken in the parameters of stacks only
    "#);
}

/// A stack `name` that takes the output of another, or needs it.
fn stack(name: &str, input: &str, more: &str) -> String {
    format!("  {name}: {{template: taker.template.yaml, parameters: {{In: \"{input}\"}}{more}}}\n")
}

fn both(one: &str, two: &str) -> String {
    faults(&[
        (ACCOUNT, &format!("{ONE}stacks:\n{one}")),
        ("accounts/one/taker.template.yaml", CONSUMER),
        ("accounts/two/account.yaml", &format!("{TWO}stacks:\n{two}")),
        ("accounts/two/taker.template.yaml", CONSUMER),
    ])
}

#[test]
fn a_circle_across_accounts_is_shown_as_a_path_with_every_place() {
    let one = [
        stack("first", "${{ accounts['two'].stacks['second'].outputs.Out }}", ""),
        stack("last", "x", ", needs: [first]"),
    ];
    let two = stack("second", "${{ accounts['one'].stacks['last'].outputs.Out }}", "");
    insta::assert_snapshot!(both(&one.concat(), &two), @r#"
    error: stacks wait for each other in a circle: one/first reads two/second reads one/last needs one/first
     --> accounts/one/account.yaml:5:59
      |
    5 |   first: {template: taker.template.yaml, parameters: {In: "${{ accounts['two'].stacks['second'].outputs.Out }}"}}
      |                                                           ^
      = see: accounts/two/account.yaml:5:60: two/second reads one/last
      = see: accounts/one/account.yaml:6:71: one/last needs one/first
      = hint: take one of these out
    "#);
}

#[test]
fn a_circle_of_a_need_and_a_reference_and_a_stack_that_reads_itself() {
    let one = [
        stack("a", "${{ stacks['b'].outputs.Out }}", ""),
        stack("b", "x", ", needs: [a]"),
        stack("self", "${{ stacks['self'].outputs.Out }}", ""),
    ];
    insta::assert_snapshot!(both(&one.concat(), &stack("c", "x", "")), @r#"
    error: stacks wait for each other in a circle: a reads b needs a
     --> accounts/one/account.yaml:5:55
      |
    5 |   a: {template: taker.template.yaml, parameters: {In: "${{ stacks['b'].outputs.Out }}"}}
      |                                                       ^
      = see: accounts/one/account.yaml:6:68: b needs a
      = hint: take one of these out

    error: stacks wait for each other in a circle: self reads self
     --> accounts/one/account.yaml:7:58
      |
    7 |   self: {template: taker.template.yaml, parameters: {In: "${{ stacks['self'].outputs.Out }}"}}
      |                                                          ^
      = hint: take one of these out
    "#);
}

#[test]
fn two_accounts_may_take_from_each_other_where_no_stack_waits_for_itself() {
    let one =
        [stack("first", "${{ accounts['two'].stacks['second'].outputs.Out }}", ""), stack("last", "x", "")];
    let two = stack("second", "${{ accounts['one'].stacks['last'].outputs.Out }}", "");
    let desired = loaded(&[
        (ACCOUNT, &format!("{ONE}stacks:\n{}", one.concat())),
        ("accounts/one/taker.template.yaml", CONSUMER),
        ("accounts/two/account.yaml", &format!("{TWO}stacks:\n{two}")),
        ("accounts/two/taker.template.yaml", CONSUMER),
    ]);
    let slugs = |text: &[&str]| text.iter().map(|text| slug(text)).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(desired.consumers(), [(slug("one"), slugs(&["two"])), (slug("two"), slugs(&["one"]))].into());
}

/// The account `one`, and what it is after it was rendered in the place of its folder.
pub(super) struct Again {
    pub(super) tree: Tree,
    pub(super) before: Account,
    pub(super) yaml: String,
    pub(super) after: Account,
}

pub(super) fn rendered_again(files: BTreeMap<String, File>) -> Again {
    let tree = tree(files);
    let account = |tree: &Tree, said: &str| {
        let desired = load(tree).unwrap_or_else(|faults| panic!("{said}\n{faults}"));
        Account::clone(&desired.accounts[&slug("one")])
    };
    let before = account(&tree, "as it is");
    let yaml = render(&tree, &slug("one"), true).unwrap().unwrap().yaml;
    let mut files = tree.files.clone();
    files.insert(ACCOUNT.to_owned(), File::text(&yaml));
    let after = account(&Tree { files, ..tree.clone() }, &yaml);
    Again { tree, before, yaml, after }
}

#[test]
fn a_rendered_account_takes_the_same_outputs_and_explaining_names_them() {
    let mut files = small();
    let taker = "In: \"a ${{ '$' }}{{ ${{ accounts['two'].stacks['source'][region].outputs.Arn }}\"\n      \
                 List: [\"${{ stacks['own'].outputs.Name }}\", b]";
    let one = format!(
        "{ONE}stacks:\n  own: {{template: source.template.yaml}}\n  taker:\n    template: taker.template.yaml\n    \
         regions: [home, edge]\n    parameters:\n      {taker}\n"
    );
    files.extend(
        repository("[home, edge]", "In: x")
            .into_iter()
            .map(|(path, text)| (path.to_owned(), File::text(text))),
    );
    files.insert("accounts/one/source.template.yaml".to_owned(), File::text(PRODUCER));
    files.insert(ACCOUNT.to_owned(), File::text(one));
    let Again { tree, before, yaml, after } = rendered_again(files);
    insta::assert_snapshot!(yaml, @r#"
    name: One
    email: one@example.com
    ou: /workloads/prod
    access:
      role: OrganizationAccountAccessRole
    mode: report
    stacks:
      own:
        regions: [eu-west-1]
        template: source.template.yaml
      taker:
        parameters:
          In: "${{ {'eu-west-1': \"a ${{ \" ~ accounts['two'].stacks['source']['eu-west-1'].outputs.Arn, 'us-east-1': \"a ${{ \" ~ accounts['two'].stacks['source']['us-east-1'].outputs.Arn}[region] }}"
          List: ["${{ stacks['own'].outputs.Name }}", b]
        regions: [eu-west-1, us-east-1]
        template: taker.template.yaml
    "#);
    let stacks = |account: &Account| -> Vec<_> {
        account.stacks.iter().map(|(key, stack)| (key.clone(), stack.value.clone())).collect()
    };
    assert_eq!(stacks(&after), stacks(&before));
    let explained = explain(&tree, &slug("one")).unwrap().unwrap();
    let list = explained.paths.iter().find(|it| it.path == "stacks.taker.parameters.List").unwrap();
    assert_eq!(
        list.values,
        [(None, Shown::Text("[\"${{ accounts['one'].stacks['own'].outputs.Name }}\",\"b\"]".to_owned()))]
    );
}

/// What is said of a baseline that locks these, with one stack that takes and more files.
fn warned(locked: &str, takes: &str, more: &[(&str, &str)]) -> String {
    let baseline = format!(
        "targets: {{ous: [/**]}}\nlocked: {locked}\nstacks:\n  source: {{template: source.template.yaml}}\n  taker:\n    \
         template: taker.template.yaml\n    parameters: {{In: \"{takes}\"}}\n"
    );
    let mut files = small();
    let own = [
        ("baselines/a/baseline.yaml", baseline.as_str()),
        ("baselines/a/source.template.yaml", PRODUCER),
        ("baselines/a/taker.template.yaml", CONSUMER),
    ];
    files.extend(own.iter().chain(more).map(|(path, text)| ((*path).to_owned(), File::text(text))));
    let checked = check(&tree(files), None);
    assert!(checked.desired.is_some(), "{}", checked.diagnostics);
    checked.diagnostics.to_string()
}

#[test]
fn a_locked_stack_that_takes_from_one_that_is_not_locked_is_said_at_the_lock() {
    let own = "${{ stacks['source'].outputs.Arn }}";
    insta::assert_snapshot!(warned("[stacks.taker]", own, &[]), @r"
    warning: `stacks.taker` is locked, but not `stacks.source`, an output of which it takes (in 2 accounts, such as `one`)
     --> baselines/a/baseline.yaml:2:10
      |
    2 | locked: [stacks.taker]
      |          ^
      = see: baselines/a/baseline.yaml:7:22: taken here
      = hint: lock `stacks.source` there too: whoever decides it decides what `stacks.taker` is given
    ");
    let in_part = warned("[stacks.taker, stacks.source.template]", own, &[]);
    assert!(in_part.contains("but not `stacks.source`"), "what it is given counts too: {in_part}");
    for locked in ["[stacks.taker, stacks.source]", "[stacks.taker.template]", "[stacks.source]"] {
        assert_eq!(warned(locked, own, &[]), "", "{locked}");
    }
}

#[test]
fn an_output_of_another_account_is_locked_where_it_is_made() {
    let other = "${{ accounts['two'].stacks['topics'].outputs.Arn }}";
    let told = |locked: &str, targets: &str| {
        let topics = format!(
            "targets: {targets}\nlocked: {locked}\nstacks: {{topics: {{template: topics.template.yaml}}}}\n"
        );
        let two = format!("{TWO}stacks: {{topics: {{tags: {{a: b}}}}}}\n");
        let mut more = vec![
            ("baselines/topics/baseline.yaml", topics.as_str()),
            ("baselines/topics/topics.template.yaml", PRODUCER),
        ];
        if locked == "[]" {
            more.push(("accounts/two/account.yaml", &two));
        }
        warned("[stacks.taker]", other, &more)
    };
    let seen = told("[]", "{ous: [/**]}");
    assert!(seen.contains("but not `stacks.topics` in accounts/two, an output of which it takes"), "{seen}");
    assert_eq!(told("[stacks.topics]", "{ous: [/**]}"), "");
    assert_eq!(told("[stacks.topics]", "{accounts: [two]}"), "");
}
