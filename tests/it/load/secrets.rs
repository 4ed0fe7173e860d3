//! What a template calls `NoEcho` reaches no log and no issue, whatever is wrong with it.

use super::*;

const SECRET: &str = "hunter2";
const SECRETIVE: &str = "Parameters:
  Password: {Type: String, NoEcho: true, AllowedValues: [one-of-few, other]}
  Size: {Type: String, Default: small, AllowedValues: [small, large]}
Resources:
  Topic: {Type: AWS::SNS::Topic}
";

/// What is seen when the account `one` gives its template these parameters.
fn given(parameters: &str) -> String {
    let stacks = format!("stacks:\n  db:\n    template: db.template.yaml\n    parameters: {parameters}\n");
    faults(&[("accounts/one/db.template.yaml", SECRETIVE), (ACCOUNT, &format!("{ONE}{stacks}"))])
}

#[test]
fn a_noecho_value_the_template_does_not_allow_is_not_shown() {
    insta::assert_snapshot!(given("{Password: hunter2}"), @r#"
    error: the template does not allow this value for `Password`
     --> accounts/one/account.yaml:7:28
      = hint: its AllowedValues say what it takes; NoEcho values are not shown
    "#);
}

#[test]
fn no_fault_in_the_line_of_a_noecho_value_shows_it() {
    for (parameters, about) in [
        ("{Password: 'hunter2${{ values.Nope }}'}", "an expression in `Password` does not work"),
        ("{Password: \"${{ 'hunter2' + }}\"}", "an expression in `Password` does not work"),
        ("{Password: 'x${{hunter2'}", "an expression in `Password` does not work"),
        ("{Pasword: hunter2}", "no parameter `Pasword`"),
        ("{Size: huge, Password: hunter2}", "does not allow `huge` for `Size`"),
    ] {
        let seen = given(parameters);
        assert!(seen.contains(about), "{seen}");
        assert!(!seen.contains(SECRET), "{seen}");
    }
}

#[test]
fn parameters_that_baselines_disagree_on_are_not_shown() {
    let baseline = |secret: &str| {
        format!(
            "targets: {{ous: [/**]}}\nstacks: {{db: {{template: db.template.yaml, parameters: {{Password: {secret}}}}}}}\n"
        )
    };
    let (a, b) = (baseline("hunter2"), baseline("hunter22"));
    let seen = faults(&[
        ("baselines/a/baseline.yaml", &a),
        ("baselines/b/baseline.yaml", &b),
        ("baselines/a/db.template.yaml", SECRETIVE),
        ("baselines/b/db.template.yaml", SECRETIVE),
    ]);
    assert!(seen.contains("the baselines `a` and `b` disagree on stacks.db.parameters.Password\n"), "{seen}");
    assert!(!seen.contains(SECRET), "{seen}");
}

#[test]
fn whatever_cloudformation_takes_for_true_hides_a_parameter() {
    for word in ["true", "yes", "Yes", "on", "ON", "\"true\""] {
        let template = SECRETIVE.replace("NoEcho: true", &format!("NoEcho: {word}"));
        let stacks = |password: &str| {
            let stack = format!("{{template: db.template.yaml, parameters: {{Password: {password}}}}}");
            format!("{ONE}values: {{Word: one-of-few}}\nstacks:\n  db: {stack}\n")
        };
        let path = "accounts/one/db.template.yaml";
        let seen = faults(&[(path, &template), (ACCOUNT, &stacks("hunter2"))]);
        assert!(seen.contains("NoEcho values are not shown") && !seen.contains(SECRET), "{word}: {seen}");
        let account = stacks("\"${{ values.Word }}\"");
        let desired = loaded(&[(path, &template), (ACCOUNT, &account)]);
        let stack = &desired.accounts[&slug("one")].stacks[&key("db[eu-west-1]")].value;
        assert!(stack.hidden.contains("Password"), "{word}");
        let mut files = small();
        files.extend([(path.to_owned(), File::text(&template)), (ACCOUNT.to_owned(), File::text(&account))]);
        let rendered = landfast::load::render(&tree(files), &slug("one"), false).unwrap().unwrap();
        assert!(!rendered.yaml.contains("one-of-few"), "{word}:\n{}", rendered.yaml);
    }
}
