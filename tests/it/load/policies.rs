//! Policies of the organization: which files are one, who may name them, and what is said of the others.

use landfast::load::{Loader, Shown, check, explain, render};
use landfast::model::{Item, Mode, OnLeave, Scope};

use super::*;

const SCP: &str = "organization/policies/service-control-policy/deny-leaving.json";
const DENY: &str = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\"Effect\": \"Deny\", \"Action\": \"organizations:LeaveOrganization\", \"Resource\": \"*\"}\n  ]\n}\n";

/// The organization's file with this in it.
fn organization(root: &str, workloads: &str, more: &str) -> String {
    let text = ORGANIZATION.replace("ous: {workloads: {", &format!("ous: {{workloads: {{{workloads}"));
    format!("{root}{text}{more}")
}

/// The policies and attachments as items, with their values.
fn items(desired: &Desired) -> Vec<String> {
    let items = desired.items(&Scope::Organization).into_iter().filter(|(item, _)| item.is_of_policies());
    items.map(|(item, declared)| format!("{item}: {}", declared.value)).collect()
}

#[test]
fn a_policy_is_declared_by_its_file_and_attached_by_whoever_names_it() {
    let file = organization(
        "policies: [deny-leaving, FullAWSAccess]\nonLeave: remove\nadopt: [policies.deny-leaving]\n",
        "policies: [deny-leaving], ",
        "",
    );
    let own = format!("{ONE}policies: [deny-leaving]\n");
    let desired = loaded(&[
        ("organization/organization.yaml", &file),
        (SCP, DENY),
        (ACCOUNT, &own),
        ("landfast.yaml", "mode: enforce\n"),
    ]);
    insta::assert_snapshot!(items(&desired).join("\n"), @r#"
    policyTypes.service-control-policy: "ENABLED"
    policies.deny-leaving: {"content":{"Statement":[{"Action":["organizations:LeaveOrganization"],"Effect":"Deny","Resource":["*"]}],"Version":"2012-10-17"},"type":"service-control-policy"}
    policies.FullAWSAccess.targets./: true
    policies.deny-leaving.targets./: true
    policies.deny-leaving.targets./workloads: true
    policies.deny-leaving.targets.one: true
    "#);
    let policies = &desired.organization.policies;
    let policy = policies.by_name.values().next().unwrap();
    assert_eq!(policy.value.text, DENY.replace(['\n', ' '], ""), "its keys in the order of the file");
    assert_eq!((policies.on_leave, policies.adopt.len()), (OnLeave::Remove, 1));
    let mode = |item: &str| desired.mode(&Scope::Organization, &item.parse::<Item>().unwrap());
    assert_eq!(mode("policies.deny-leaving"), Mode::Enforce);
    assert_eq!(mode("policies.deny-leaving.targets.one"), Mode::Enforce);
    assert_eq!(mode("ous./workloads"), Mode::Report);
}

#[test]
fn without_policies_there_is_no_item_of_them() {
    assert_eq!(items(&loaded(&[])), [""; 0]);
}

#[test]
fn what_is_no_single_json_object_is_refused_where_it_is_wrong() {
    let of = |text: &str| faults(&[(SCP, text)]);
    insta::assert_snapshot!(of("{\n  \"Version\": \"1\",\n  \"Version\": \"2\"\n}"), @r#"
    error: the key `Version` is there twice
     --> organization/policies/service-control-policy/deny-leaving.json:3:11
      |
    3 |   "Version": "2"
      |           ^
      = hint: a policy is one JSON object
    "#);
    insta::assert_snapshot!(of("{\"Ä\": 1,}"), @r#"
    error: trailing comma
     --> organization/policies/service-control-policy/deny-leaving.json:1:9
      |
    1 | {"Ä": 1,}
      |         ^
      = hint: a policy is one JSON object
    "#);
    let marked = of("\u{feff}{}");
    assert!(marked.contains("the file begins with a byte order mark") && marked.contains(":1:1"), "{marked}");
    insta::assert_snapshot!(of("[{}]"), @r"
    error: a policy is one JSON object
     --> organization/policies/service-control-policy/deny-leaving.json:1:1
      |
    1 | [{}]
      | ^
      = hint: it begins with { and ends with }
    ");
    for bad in ["", "{} {}", "{\"a\": \"\0\"}", "# no\n{}", "{a: 1}", "{'a': 1}", "Version: 1", "{\"a\": 01}"]
    {
        assert!(of(bad).contains("hint: a policy is one JSON object"), "{bad}: {}", of(bad));
    }
    let deep = "[".repeat(100_000);
    assert!(of(&format!("{{\"a\": {deep}")).contains("recursion limit"));
}

#[test]
fn a_file_in_no_type_and_a_name_without_a_file_are_told_with_what_is_near() {
    let strange = "organization/policies/service-control-policies/a.json";
    insta::assert_snapshot!(faults(&[(strange, DENY)]), @r"
    error: `service-control-policies` is no kind of policy
     --> organization/policies/service-control-policies
      = hint: did you mean `service-control-policy`?
    ");
    let file = organization("policies: [deny-leavin]\n", "policies: [deny-leaving, deny-leaving], ", "");
    insta::assert_snapshot!(faults(&[("organization/organization.yaml", &file), (SCP, DENY)]), @r"
    error: there is no policy `deny-leavin`
     --> organization/organization.yaml:1:12
      |
    1 | policies: [deny-leavin]
      |            ^
      = hint: did you mean `deny-leaving`?

    error: `deny-leaving` is named twice
     --> organization/organization.yaml:6:44
      |
    6 | ous: {workloads: {policies: [deny-leaving, deny-leaving], ous: {prod: {}, nonprod: {}}}, security: {}}
      |                                            ^
      = see: organization/organization.yaml:6:30: the first time
    ");
    let tag = "organization/policies/tag-policy/deny-leaving.json";
    insta::assert_snapshot!(faults(&[(SCP, DENY), (tag, "{}")]), @r"
    error: there are two policies called `deny-leaving`
     --> organization/policies/tag-policy/deny-leaving.json
      = see: organization/policies/service-control-policy/deny-leaving.json: the other one
      = hint: a name is for one policy, of whichever type
    ");
    let own = "organization/policies/service-control-policy/FullAWSAccess.json";
    insta::assert_snapshot!(faults(&[(own, DENY)]), @r"
    error: `FullAWSAccess` is AWS's own policy, which nobody can change
     --> organization/policies/service-control-policy/FullAWSAccess.json
      = hint: give this one another name
    ");
    for stray in [
        "organization/policies/a.json",
        "organization/policies/tag-policy/a/b.json",
        "organization/policies/tag-policy/a.yaml",
    ] {
        assert!(faults(&[(stray, "{}")]).contains("a file that is no policy here"), "{stray}");
    }
    let named = "organization/policies/tag-policy/a b.json";
    assert!(faults(&[(named, "{}")]).contains("`a b` is not a name of a policy"));
    let adopting = format!("{ORGANIZATION}adopt: [policies.nobody, ous./a]\n");
    let told = faults(&[("organization/organization.yaml", &adopting)]);
    assert!(told.contains("there is no policy `nobody` to adopt"), "{told}");
    assert!(told.contains("`ous./a` is nothing that can be adopted here"), "{told}");
}

/// What is said of a policy of this many characters without its spaces, attached to the root.
fn of_size(folder: &str, size: usize) -> Vec<String> {
    let path = format!("organization/policies/{folder}/long.json");
    let text = format!("{{ \"a\" :\n \"{}\" }}", "ä".repeat(size - r#"{"a":""}"#.len()));
    let mut files = small();
    let organization = format!("policies: [long]\n{ORGANIZATION}");
    files.insert("organization/organization.yaml".to_owned(), File::text(organization));
    files.insert(path, File::text(text));
    let checked = check(&tree(files), None);
    checked.diagnostics.iter().map(|it| format!("{} {}", it.rule.name(), it.message)).collect()
}

#[test]
fn a_policy_is_as_long_as_aws_takes_it_counted_without_its_spaces() {
    let too_long = |size: usize, limit: usize| {
        format!("policy-size the policy has {size} characters without its spaces, and {limit} are allowed")
    };
    for (folder, limit) in [
        ("resource-control-policy", 5_120),
        ("service-control-policy", 10_240),
        ("aiservices-opt-out-policy", 2_500),
        ("tag-policy", 10_000),
        ("backup-policy", 10_000),
        ("declarative-policy-ec2", 10_000),
    ] {
        assert_eq!(of_size(folder, limit + 1), [too_long(limit + 1, limit)], "{folder}");
        if folder != "service-control-policy" {
            assert_eq!(of_size(folder, limit), [""; 0], "{folder}");
        }
    }
    assert_eq!(of_size("inspector-policy", 20_000), [""; 0], "AWS names no number");
    assert_eq!(of_size("service-control-policy", 5_120), [""; 0]);
    let between = of_size("service-control-policy", 5_121);
    assert!(matches!(between.as_slice(), [one] if one.starts_with("policy-length ")), "{between:?}");
}

#[test]
fn a_policy_that_nobody_names_is_a_warning() {
    let mut files = small();
    files.insert(SCP.to_owned(), File::text(DENY));
    let checked = check(&tree(files), None);
    assert!(checked.desired.is_some());
    insta::assert_snapshot!(checked.diagnostics.to_string(), @r"
    warning: the policy `deny-leaving` is attached to nothing
     --> organization/policies/service-control-policy/deny-leaving.json
      = hint: name it under `policies` of the root, an OU or an account
    ");
}

#[test]
fn a_policy_is_rendered_with_its_account_and_remembered_like_any_file() {
    let own = format!("{ONE}policies: [deny-leaving]\n");
    let mut files = small();
    files.extend(
        [(SCP, DENY), (ACCOUNT, own.as_str())].map(|(path, text)| (path.to_owned(), File::text(text))),
    );
    let rendered = render(&tree(files.clone()), &slug("one"), true).unwrap().unwrap();
    assert!(rendered.yaml.contains("\npolicies: [deny-leaving]\n"), "{}", rendered.yaml);

    let mut loader = Loader::default();
    let first = loader.check(&tree(files.clone()), None).desired.unwrap();
    assert_eq!(loader.check(&tree(files.clone()), None).desired.unwrap(), first);
    files.insert(SCP.to_owned(), File::text(DENY.replace("Leave", "Close")));
    let changed = loader.check(&tree(files.clone()), None).desired.unwrap();
    assert_eq!(changed, check(&tree(files), None).desired.unwrap());
    assert_ne!(changed.organization, first.organization);
    assert!(changed.organization.says_the_same_to_accounts(&first.organization));
}

#[test]
fn explaining_an_account_names_every_policy_that_holds_for_it_and_who_attached_it() {
    let file = organization("policies: [deny-leaving]\n", "policies: [deny-leaving], ", "");
    let own = format!("{TWO}policies: [deny-leaving]\n");
    let mut files = small();
    let changes =
        [("organization/organization.yaml", file.as_str()), (SCP, DENY), ("accounts/two/account.yaml", &own)];
    files.extend(changes.map(|(path, text)| (path.to_owned(), File::text(text))));
    let told = |account: &str| {
        let explained = explain(&tree(files.clone()), &slug(account)).unwrap().unwrap();
        let path = explained.paths.into_iter().find(|it| it.path == "policies.deny-leaving").unwrap();
        let words = path.words.into_iter().map(|word| match word.said {
            Shown::Text(said) => format!("{}:{} {said}", word.source.path, word.source.line),
            Shown::Hidden => "hidden".to_owned(),
        });
        words.collect::<Vec<_>>()
    };
    let above = [
        "organization/organization.yaml:1 attached to /",
        "organization/organization.yaml:6 attached to /workloads",
    ];
    assert_eq!(told("one"), above);
    assert_eq!(told("two")[..2], above);
    assert_eq!(told("two")[2], "accounts/two/account.yaml:4 attached to the account");
}
