//! Who is reached by what, and what is said of those whom nothing reaches.

use landfast::load::check;

use super::*;

/// What a person should know of the small repository with these files.
fn warnings(changes: &[(&str, &str)]) -> String {
    let mut files = small();
    files.extend(changes.iter().map(|(path, text)| ((*path).to_owned(), File::text(text))));
    let checked = check(&tree(files), Some("2026-06-01".parse().unwrap()));
    assert!(checked.desired.is_some(), "{}", checked.diagnostics);
    checked.diagnostics.to_string()
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
