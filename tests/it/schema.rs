//! The schemas of files, held to what loads and what does not: an editor must never be at odds with `landfast validate`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use jsonschema::Validator;
use landfast::load::{File, Rule, Tree, check};
use landfast::model::CommitId;
use landfast::schema::WrittenFile;
use serde_json::{Value, json};

const NOBODY_ASKED: &str = "zzzzzzzz";

fn schema(file: WrittenFile) -> Value {
    serde_json::from_str(&file.schema()).unwrap()
}

fn validator(file: WrittenFile) -> Validator {
    jsonschema::draft7::new(&schema(file)).unwrap()
}

/// The kind of a file of the repository.
fn kind(path: &str) -> Option<WrittenFile> {
    let names: Vec<_> = path.split('/').collect();
    match names.as_slice() {
        ["landfast.yaml"] => Some(WrittenFile::Repository),
        ["organization", "organization.yaml"] => Some(WrittenFile::Organization),
        ["baselines", _, "baseline.yaml"] => Some(WrittenFile::Baseline),
        ["accounts", _, "account.yaml"] => Some(WrittenFile::Account),
        _ => None,
    }
}

/// What an editor would mark in a file, read as other tools read YAML.
fn marked(file: WrittenFile, text: &str) -> Vec<String> {
    let value: Value = yaml_serde::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    let validator = validator(file);
    validator.iter_errors(&value).map(|it| format!("{}: {it}", it.instance_path())).collect()
}

/// Says it if a schema calls a file wrong that loads: for every tree that a test finds good.
pub(crate) fn assert_accepted(tree: &Tree) {
    for (path, file) in &tree.files {
        if let (Some(kind), File::Blob(bytes)) = (kind(path), file) {
            let text = std::str::from_utf8(bytes).unwrap();
            assert_eq!(marked(kind, text), Vec::<String>::new(), "{path}:\n{text}");
        }
    }
}

fn example() -> Tree {
    landfast::git::read_directory(&Path::new(env!("CARGO_MANIFEST_DIR")).join("example-repo")).unwrap()
}

#[test]
fn the_example_is_as_the_schemas_say() {
    let tree = example();
    assert!(tree.files.keys().filter_map(|path| kind(path)).count() > 8);
    assert_accepted(&tree);
}

#[test]
fn the_schemas_that_are_checked_in_are_those_of_the_types() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("example-repo");
    for file in WrittenFile::ALL {
        let kept = std::fs::read_to_string(root.join(file.path())).unwrap_or_default();
        assert!(kept == file.schema(), "{}: run `cargo run -- schema --into example-repo`", file.path());
    }
}

#[test]
fn every_file_of_the_example_names_its_schema_in_the_way_editors_know() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("example-repo");
    for (path, file) in &example().files {
        let (Some(kind), File::Blob(bytes)) = (kind(path), file) else { continue };
        let line = std::str::from_utf8(bytes).unwrap().lines().next().unwrap();
        let named = line.strip_prefix("# yaml-language-server: $schema=").unwrap_or_else(|| panic!("{path}"));
        let named = root.join(path).parent().unwrap().join(named).canonicalize().unwrap();
        assert_eq!(named, root.join(kind.path()).canonicalize().unwrap(), "{path}");
    }
}

#[test]
fn the_command_prints_each_schema() {
    for file in WrittenFile::ALL {
        let mut command = Command::new(env!("CARGO_BIN_EXE_landfast"));
        let output = command.args(["schema", file.name()]).env_clear().output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), file.schema());
        assert!(jsonschema::draft7::meta::is_valid(&schema(file)), "{}", file.name());
    }
}

const ORGANIZATION: &str =
    "id: o-exampleorgid\nmanagementAccount: \"999988887777\"\nhomeRegion: eu-west-1\nous: {prod: {}}\n";
const ACCOUNT: &str = "name: One\nemail: one@example.com\nou: /prod\n";

/// A small repository without a fault, but for this file.
fn with(file: WrittenFile, text: &str) -> Tree {
    let path = match file {
        WrittenFile::Repository => "landfast.yaml",
        WrittenFile::Organization => "organization/organization.yaml",
        WrittenFile::Baseline => "baselines/base/baseline.yaml",
        WrittenFile::Account => "accounts/one/account.yaml",
        WrittenFile::Operator => panic!("it is no file of the repository"),
    };
    let mut files = BTreeMap::from([
        ("organization/organization.yaml".to_owned(), File::text(ORGANIZATION)),
        ("accounts/one/account.yaml".to_owned(), File::text(ACCOUNT)),
        ("baselines/base/baseline.yaml".to_owned(), File::text("targets: {ous: [/**]}\n")),
    ]);
    files.insert(path.to_owned(), File::text(text));
    Tree { revision: CommitId::parse("0".repeat(40)).unwrap(), files }
}

#[test]
fn what_has_the_wrong_shape_is_refused_by_both() {
    use WrittenFile::{Account, Baseline, Organization, Repository};
    let account = |more: &str| (Account, format!("{ACCOUNT}{more}\n"));
    let baseline = |more: &str| (Baseline, format!("targets: {{ous: [/**]}}\n{more}\n"));
    let organization = |from: &str, to: &str| (Organization, ORGANIZATION.replace(from, to));
    let more = |more: &str| (Organization, format!("{ORGANIZATION}{more}\n"));
    let tolerance = |it: &str| {
        (Repository, format!("rollout: {{waves: [{{name: a, targets: {{ous: [/**]}}, tolerance: {it}}}]}}\n"))
    };
    let cases = [
        account("nmae: x"),
        account("id: 111122223333"),
        account("id: \"11112222333\""),
        account("id: [\"111122223333\"]"),
        account("access: {newAccountRole: Mine}"),
        account("access: {stackRole: a/b}"),
        account("access: OrganizationAccountAccessRole"),
        account("locked: [mode]"),
        account("targets: {ous: [/**]}"),
        account("tags: [env]"),
        account("tags: {env: {a: b}}"),
        account("tags: {\"aws:x\": y}"),
        account("tags: {landfast:owner: me}"),
        account("mode: enforced"),
        account("onLeave: delete"),
        account("values: [1]"),
        account("adopt: [everything]"),
        account("adopt: stacks.network"),
        account("policies: deny"),
        account("policies: [\"a b\"]"),
        account("policies: [a.b]"),
        account("settings: {passwordPolicy: {minimumLength: 5}}"),
        account("settings: {passwordPolicy: {minimumLength: \"14\"}}"),
        account("settings: {passwordPolicy: {requireSymbols: \"yes\"}}"),
        account("settings: {passwordPolicy: {maxAgeDays: many}}"),
        account("settings: {passwordPolicy: {requireEmoji: true}}"),
        account("settings: {passwordPolicy: {targets: {ous: [/**]}}}"),
        account("settings: {accountAlias: [a]}"),
        account("settings: {accountAlias: {targets: {ous: [/**]}}}"),
        account("settings: {samlProviders: {\"a b\": {metadata: x.xml}}}"),
        account("settings: {samlProviders: {a: {metadata: ../x.xml}}}"),
        account("settings: {samlProviders: absent}"),
        account("settings: {federation: {}}"),
        account("stacks: [network]"),
        account("stacks: {9net: {template: a.template.yaml}}"),
        account("stacks: {net_work: {template: a.template.yaml}}"),
        account("stacks: {net: {template: ../a.template.yaml}}"),
        account("stacks: {net: {template: /etc/passwd}}"),
        account("stacks: {net: {template: a.template.yaml, regoins: [home]}}"),
        account("stacks: {net: {template: a.template.yaml, regions: home}}"),
        account("stacks: {net: {template: a.template.yaml, parameters: [a]}}"),
        account("stacks: {net: {template: a.template.yaml, parameters: {A: {b: c}}}}"),
        account("stacks: {net: {template: a.template.yaml, capabilities: [CAPABILITY_ALL]}}"),
        account("stacks: {net: {template: a.template.yaml, targets: {ous: [/**]}}}"),
        account("stacks: {net: {template: a.template.yaml, needs: network}}"),
        (Account, "email: one@example.com\nou: /prod\n".to_owned()),
        (Account, ACCOUNT.replace("One", "\"\"")),
        (Account, ACCOUNT.replace("One", &"x".repeat(51))),
        (Account, "name: One\nemail: one@example.com\n".to_owned()),
        (Account, ACCOUNT.replace("one@example.com", "one at example.com")),
        (Account, ACCOUNT.replace("one@", &format!("{}@", "x".repeat(60)))),
        (Account, ACCOUNT.replace("/prod", "prod")),
        (Account, ACCOUNT.replace("/prod", "/a/b/c/d/e/f")),
        (Account, "- name: One\n".to_owned()),
        baseline("targte: x"),
        baseline("after: foundation"),
        baseline("locked: [stacks]"),
        baseline("locked: [tags.env]"),
        baseline("name: x"),
        baseline("stacks: {a: {targets: {}}}"),
        (Baseline, "values: {}\n".to_owned()),
        (Baseline, "targets: {}\n".to_owned()),
        (Baseline, "targets: {ou: [/**]}\n".to_owned()),
        (Baseline, "targets: {tags: {}}\n".to_owned()),
        baseline("settings: {accountAlias: {value: x, targets: null}}"),
        (Baseline, "targets: {ous: /prod}\n".to_owned()),
        (Baseline, "targets: {ous: [prod]}\n".to_owned()),
        (Baseline, "targets: {accounts: [One]}\n".to_owned()),
        (Baseline, "targets: {ous: [/**], exclude: [one]}\n".to_owned()),
        (Baseline, "targets: {ous: [/**], exclude: {one: \"\"}}\n".to_owned()),
        (Baseline, "targets: {ous: [/**], exclude: {one: {until: 2027-01-01}}}\n".to_owned()),
        (Baseline, "targets: {ous: [/**], exclude: {one: {reason: x, until: soon}}}\n".to_owned()),
        organization("o-exampleorgid", "exampleorgid"),
        organization("\"999988887777\"", "999988887777"),
        organization("eu-west-1", "Ireland"),
        organization("homeRegion: eu-west-1\n", ""),
        organization("{prod: {}}", "{prod: [nested]}"),
        organization("{prod: {}}", "{a/b: {}}"),
        organization("{prod: {}}", "{prod: {}, \"\": {policies: []}}"),
        organization("{prod: {}}", "{prod: {ous: {\"\": {}}}}"),
        organization("{prod: {}}", "{prod: {ou: {}}}"),
        organization("{prod: {}}", "[prod]"),
        more("regions: {home: [eu-west-1]}"),
        more("regions: {edge: us-east-1}"),
        more("regions: {edge: [Virginia]}"),
        more("access: {rol: X}"),
        more("policies: {deny: /}"),
        more("policies: [deny/leaving]"),
        more("onLeave: delete"),
        more("adopt: [deny]"),
        organization("{prod: {}}", "{prod: {policies: deny}}"),
        more("accountDefaults: {requiredTags: owner}"),
        more("accountDefaults: {mail: a@example.com}"),
        (Repository, "mode: enforced\n".to_owned()),
        (Repository, "waves: 2\n".to_owned()),
        (Repository, "rollout: [core]\n".to_owned()),
        (Repository, "rollout: {waves: [{name: core}]}\n".to_owned()),
        (Repository, "rollout: {waves: [{name: a b, targets: {ous: [/**]}}]}\n".to_owned()),
        (Repository, "rollout: {waves: [{name: a, targets: {ous: [/**]}, tolerance: some}]}\n".to_owned()),
        (Repository, "rollout: {waves: [{name: a, targets: {ous: [/**]}, approval: \"yes\"}]}\n".to_owned()),
        tolerance("\"200%\""),
        tolerance("\"+2\""),
        tolerance("\"+2%\""),
        tolerance("+2%"),
        tolerance("\"2 \""),
        tolerance("-1"),
        (Repository, "freeze: [{reason: x, days: []}]\n".to_owned()),
        (Repository, "freeze: [{reason: \"\", days: [fri]}]\n".to_owned()),
        (Repository, "freeze: [{reason: \"  \", days: [fri]}]\n".to_owned()),
        (Repository, "freeze: {days: [fri]}\n".to_owned()),
        (Repository, "freeze: [{days: [fri]}]\n".to_owned()),
        (Repository, "freeze: [{reason: x, from: 2027-01-01}]\n".to_owned()),
        (Repository, "freeze: [{reason: x, days: [fri], hours: late}]\n".to_owned()),
        (Repository, "freeze: [{reason: x, days: [fri], hours: \"24:00-06:00\"}]\n".to_owned()),
        (Repository, "freeze: [{reason: x, days: [fri], hours: \"18:00-05:00-08:00\"}]\n".to_owned()),
        (
            Repository,
            "freeze: [{reason: x, from: \"2026-12-20T18:00-05:00\", until: 2027-01-01}]\n".to_owned(),
        ),
        (Repository, "freeze: [{reason: x, from: 2026-12-20t18, until: 2027-01-01}]\n".to_owned()),
        (Repository, "stacks: {}\n".to_owned()),
        (Repository, "adopt: [ou]\n".to_owned()),
        (Repository, "settings: {passwordPolicy: {minimumLength: 14, targets: {ous: [/**]}}}\n".to_owned()),
    ];
    for (file, text) in cases {
        assert!(check(&with(file, &text), None).desired.is_none(), "loads: {}:\n{text}", file.name());
        assert!(!marked(file, &text).is_empty(), "no editor would mark {}:\n{text}", file.name());
    }
}

#[test]
fn every_way_of_saying_nothing_and_of_saying_more_is_known_to_the_schemas() {
    for (file, text) in [
        (WrittenFile::Repository, "# nothing yet\n".to_owned()),
        (WrittenFile::Account, format!("{ACCOUNT}mode: null\nsettings: {{passwordPolicy: null, accountAlias: 123}}\n")),
        (WrittenFile::Account, format!("{ACCOUNT}settings: {{samlProviders: null, accountAlias: {{value: one}}}}\n")),
        (WrittenFile::Account, format!("{ACCOUNT}values: {{A: null, B: [1, {{c: d}}], C: 2027-01-01}}\n")),
        (WrittenFile::Account, format!("{ACCOUNT}stacks: {{net: null}}\ntags: {{a: 1, b: null, c: true}}\n")),
        (WrittenFile::Baseline, "targets: {accounts: [one], exclude: {one: {reason: x, until: 2027-01-01}}}\n".to_owned()),
        (WrittenFile::Baseline, "targets: {ous: [/**]}\nsettings: {passwordPolicy: {minimumLength: null, targets: {tags: {a: b}}}}\n".to_owned()),
        (WrittenFile::Baseline, "targets: {ous: [/**]}\nsettings: {passwordPolicy: {minimumLength: 14, targets: null}, accountAlias: null}\n".to_owned()),
        (WrittenFile::Baseline, "targets: {ous: [/**], tags: {}}\n".to_owned()),
        (WrittenFile::Baseline, "targets: {tags: {x: y}}\nsettings: {samlProviders: {a: {targets: null, metadata: null}}}\nstacks: {a: {targets: null, template: null}}\n".to_owned()),
        (WrittenFile::Baseline, "targets: {tags: {\"aws:x\": y, landfast:slug: one}}\n".to_owned()),
        (WrittenFile::Account, ACCOUNT.replace("One", &format!("\"${{{{ 'x' }}}}{}\"", "y".repeat(49)))),
        (WrittenFile::Repository, "rollout: {waves: [{name: a, targets: {ous: [/**]}, tolerance: \"010 %\"}, {name: b, targets: {ous: [/**]}, tolerance: 100%}, {name: c, targets: {ous: [/**]}, tolerance: 2}]}\n".to_owned()),
        (WrittenFile::Organization, format!("{ORGANIZATION}regions: {{all: [eu-west-1]}}\naccess: {{role: A, externalId: 123}}\n")),
    ] {
        let tree = with(file, &text);
        let checked = check(&tree, None);
        assert!(checked.desired.is_some(), "{}:\n{text}", checked.diagnostics);
        assert_accepted(&tree);
    }
}

/// A way into a file.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    AnyKey,
    Item,
}

/// Every map with known keys that the schema describes: the way to it, and its keys.
fn maps(
    root: &Value,
    at: &Value,
    way: &[Step],
    seen: &[String],
    found: &mut Vec<(Vec<Step>, BTreeSet<String>)>,
) {
    if let Some(reference) = at["$ref"].as_str() {
        // OUs are in OUs: once is enough.
        if !seen.iter().any(|it| it == reference) {
            let seen = [seen, &[reference.to_owned()]].concat();
            maps(root, root.pointer(&reference[1..]).unwrap(), way, &seen, found);
        }
    }
    for key in ["anyOf", "allOf", "oneOf"] {
        for branch in at[key].as_array().into_iter().flatten() {
            maps(root, branch, way, seen, found);
        }
    }
    if let Some(properties) = at["properties"].as_object() {
        found.push((way.to_vec(), properties.keys().cloned().collect()));
        for (key, inside) in properties {
            maps(root, inside, &[way, &[Step::Key(key.clone())]].concat(), seen, found);
        }
    }
    if at["additionalProperties"].is_object() {
        maps(root, &at["additionalProperties"], &[way, &[Step::AnyKey]].concat(), seen, found);
    }
    if at["items"].is_object() {
        maps(root, &at["items"], &[way, &[Step::Item]].concat(), seen, found);
    }
}

/// The keys that the loader knows at the end of a way: it lists them when it meets one that nobody asked for.
fn known_to_the_loader(file: WrittenFile, way: &[Step]) -> BTreeSet<String> {
    let inside = way.iter().rev().fold(json!({NOBODY_ASKED: 1}), |inside, step| match step {
        Step::Key(key) => json!({key: inside}),
        Step::AnyKey => json!({"one": inside}),
        Step::Item => json!([inside]),
    });
    let found = check(&with(file, &format!("{inside}\n")), None).diagnostics;
    let unknown = found.iter().find(|it| it.rule == Rule::UnknownKey && it.message.contains(NOBODY_ASKED));
    let hint = unknown.unwrap_or_else(|| panic!("{}: {inside} is not looked at:\n{found}", file.name()));
    let keys = hint.hint.as_deref().unwrap().strip_prefix("known here: ").unwrap();
    keys.split(", ").map(str::to_owned).collect()
}

#[test]
fn the_schemas_and_the_loader_know_the_same_keys() {
    let mut count = 0;
    for file in WrittenFile::ALL.into_iter().filter(|file| *file != WrittenFile::Operator) {
        let (schema, mut found) = (schema(file), Vec::new());
        maps(&schema, &schema, &[], &[], &mut found);
        for (way, keys) in found {
            assert_eq!(keys, known_to_the_loader(file, &way), "{} at {way:?}", file.name());
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn the_operators_file_is_read_as_its_schema_says() {
    let validator = validator(WrittenFile::Operator);
    let read = |text: &str| serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap();
    for (text, good) in [
        ("", true),
        ("[guards]\nnew-accounts-per-day = 40\nprotected-accounts = [\"log-archive\"]\n", true),
        (
            "[guards]\nprotected-stacks = [\"*/audit-trail\", \"log-archive/*\"]\naccounts-per-commit = 3\n",
            true,
        ),
        ("[guards]\nnew-account-per-day = 40\n", false),
        ("[guards]\nprotected-stacks = [\"audit-trail\"]\n", false),
        ("[guards]\napproved = [\"3f2a\"]\n", false),
        ("[guard]\n", false),
    ] {
        assert_eq!(validator.is_valid(&read(text)), good, "{text}");
        assert_eq!(toml::from_str::<landfast::cli::Config>(text).is_ok(), good, "{text}");
    }
}
