//! Each language read back by somebody else: a terminal, a runner, a schema.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::load::{File, Tree, check};
use crate::model::CommitId;

const ORGANIZATION: &str = "id: o-exampleorgid
managementAccount: \"999988887777\"
homeRegion: eu-west-1
ous: {prod: {}}
";

fn diagnostics(files: &[(&str, &str)]) -> Diagnostics {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), File::text(text))).collect();
    let tree = Tree { revision: CommitId::parse("0".repeat(40)).unwrap(), files };
    check(&tree, Some("2026-06-01".parse().unwrap())).diagnostics
}

/// A fault with a line, one about a whole file, one that names another place, and a warning.
fn some() -> Diagnostics {
    diagnostics(&[
        ("organization/organization.yaml", ORGANIZATION),
        ("accounts/a/account.yaml", "name: A\nemail: a@example.com\nou: /prod\nnmae: x\n"),
        ("accounts/b/account.yaml", "name: B\nemail: A@example.com\nou: /prod\n"),
        ("accounts/c, d/account.yaml", "name: C\n"),
        ("baselines/x/baseline.yaml", "targets: {tags: {env: prod}}\n"),
    ])
}

fn checkup(diagnostics: &Diagnostics) -> Checkup<'_> {
    Checkup { diagnostics, accounts: 3, baselines: 1, prefix: "" }
}

#[test]
fn people_see_the_lines_and_how_it_went() {
    insta::assert_snapshot!(human(&checkup(&some()), false), @"
    warning: no baseline reaches accounts/a
     --> accounts/a/account.yaml:3:5
      |
    3 | ou: /prod
      |     ^
      = hint: if that is meant, let a baseline say so: `exclude`, with a reason

    error: unknown key `nmae`
     --> accounts/a/account.yaml:4:1
      |
    4 | nmae: x
      | ^
      = hint: did you mean `name`?

    error: the e-mail `a@example.com` belongs to accounts/a already
     --> accounts/b/account.yaml:2:8
      |
    2 | email: A@example.com
      |        ^
      = see: accounts/a/account.yaml:2:8: the first one
      = hint: no two accounts can have the same e-mail

    warning: no baseline reaches accounts/b
     --> accounts/b/account.yaml:3:5
      |
    3 | ou: /prod
      |     ^
      = hint: if that is meant, let a baseline say so: `exclude`, with a reason

    error: `c, d` is not a folder name (lower-case letters, digits and hyphens, starting with a letter or digit, at most 63)
     --> accounts/c, d
      = hint: rename the folder

    3 errors and 2 warnings of 3 accounts and 1 baseline
    ");
}

#[test]
fn colours_change_nothing_of_what_is_said() {
    let found = some();
    let (plain, coloured) = (human(&checkup(&found), false), human(&checkup(&found), true));
    assert!(
        coloured.contains("\u{1b}[1;31merror:\u{1b}[0m\u{1b}[1m unknown key `nmae`\u{1b}[0m"),
        "{coloured}"
    );
    assert!(coloured.contains("\u{1b}[1;33mwarning:"), "{coloured}");
    assert!(coloured.contains("\u{1b}[1m hint:\u{1b}[0m") || coloured.contains("\u{1b}[1mhint:\u{1b}[0m"));
    let pieces = coloured.split('\u{1b}').enumerate();
    let without: String =
        pieces.map(|(n, piece)| if n == 0 { piece } else { piece.split_once('m').unwrap().1 }).collect();
    assert_eq!(without, plain);
}

#[test]
fn where_nothing_is_wrong_it_says_so() {
    insta::assert_snapshot!(human(&checkup(&Diagnostics::default()), true), @"nothing to say of 3 accounts and 1 baseline");
    assert_eq!(github(&checkup(&Diagnostics::default())), "");
    let page: Value = serde_json::from_str(&sarif(&checkup(&Diagnostics::default()))).unwrap();
    assert_eq!(page["runs"][0]["results"], json!([]));
}

#[test]
fn programs_get_every_field() {
    let page: Value = serde_json::from_str(&json::json(&checkup(&some()))).unwrap();
    let errors = page["errors"].as_u64().unwrap();
    assert_eq!((page["version"].as_u64(), page["warnings"].as_u64()), (Some(1), Some(2)));
    assert_eq!(page["diagnostics"].as_array().unwrap().len() as u64, errors + 2);
    insta::assert_snapshot!(format!("{:#}", page["diagnostics"][0]), @r#"
    {
      "column": 5,
      "excerpt": "ou: /prod",
      "hint": "if that is meant, let a baseline say so: `exclude`, with a reason",
      "line": 3,
      "message": "no baseline reaches accounts/a",
      "path": "accounts/a/account.yaml",
      "related": [],
      "rule": "unreached",
      "severity": "warning"
    }
    "#);
}

#[test]
fn pull_requests_get_a_command_a_line() {
    let found = some();
    let below = Checkup { prefix: "infra/aws/", ..checkup(&found) };
    insta::assert_snapshot!(github(&below), @"
    ::warning file=infra/aws/accounts/a/account.yaml,line=3,col=5,title=Landfast%3A unreached::no baseline reaches accounts/a%0Ahint: if that is meant, let a baseline say so: `exclude`, with a reason
    ::error file=infra/aws/accounts/a/account.yaml,line=4,col=1,title=Landfast%3A unknown-key::unknown key `nmae`%0Ahint: did you mean `name`?
    ::error file=infra/aws/accounts/b/account.yaml,line=2,col=8,title=Landfast%3A shared-identity::the e-mail `a@example.com` belongs to accounts/a already%0Ahint: no two accounts can have the same e-mail
    ::warning file=infra/aws/accounts/b/account.yaml,line=3,col=5,title=Landfast%3A unreached::no baseline reaches accounts/b%0Ahint: if that is meant, let a baseline say so: `exclude`, with a reason
    ::error file=infra/aws/accounts/c%2C d,title=Landfast%3A identifier::`c, d` is not a folder name (lower-case letters, digits and hyphens, starting with a letter or digit, at most 63)%0Ahint: rename the folder
    ");
}

/// What GitHub's runner makes of a line: the command, its properties, its text.
fn read_command(line: &str) -> (String, Vec<(String, String)>, String) {
    let back = |text: &str, pairs: &[(&str, &str)]| {
        pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    let data = [("%0D", "\r"), ("%0A", "\n"), ("%25", "%")];
    let property = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")];
    let (head, text) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (command, properties) = head.split_once(' ').unwrap();
    let properties = properties.split(',').map(|it| it.split_once('=').unwrap());
    let properties = properties.map(|(key, value)| (key.to_owned(), back(value, &property))).collect();
    (command.to_owned(), properties, back(text, &data))
}

proptest! {
    /// Whatever the names of files and their contents are, the runner reads back exactly what was to be said.
    #[test]
    fn no_file_can_slip_the_runner_a_command_of_its_own(
        name in "[a-z:,%=\r\n\u{2028} ]{1,12}|(::error file=x|%0A::set-env |, title=z::){1,3}",
        key in "[a-z:,%=#\u{85} ]{1,12}|(::warning::|%0D%0A::stop-commands::|##\\[error\\]){1,2}",
    ) {
        let path = format!("accounts/{name}/account.yaml");
        let text = format!("name: A\nemail: a@example.com\nou: /prod\n{}: x\n", json!(key));
        let found = diagnostics(&[("organization/organization.yaml", ORGANIZATION), (&path, &text)]);
        prop_assert!(!found.is_empty());
        let page = github(&checkup(&found));
        prop_assert_eq!(page.split(['\n', '\r']).count(), found.iter().count() + 1);
        for (line, diagnostic) in page.lines().zip(&found) {
            let (command, properties, text) = read_command(line);
            prop_assert_eq!(&command, diagnostic.severity.name());
            let keys: Vec<_> = properties.iter().map(|(key, _)| key.as_str()).collect();
            let expected: &[&str] =
                if diagnostic.line == 0 { &["file", "title"] } else { &["file", "line", "col", "title"] };
            prop_assert_eq!(keys, expected);
            prop_assert_eq!(&properties[0].1, &diagnostic.path);
            prop_assert!(text.starts_with(&diagnostic.message));
        }
    }
}

/// What OASIS's schema of SARIF 2.1.0 asks of the parts that are used here, and what GitHub asks on top: a rule, one
/// place with a line, a fingerprint. Cut by hand: the whole schema has three thousand lines.
fn sarif_schema() -> Value {
    let text = json!({"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}});
    let physical = json!({
        "type": "object", "additionalProperties": false, "required": ["artifactLocation", "region"],
        "properties": {
            "artifactLocation": {
                "type": "object", "additionalProperties": false, "required": ["uri"],
                "properties": {"uri": {"type": "string", "pattern": "^[A-Za-z0-9._~%-][A-Za-z0-9._~%/-]*$"}},
            },
            "region": {
                "type": "object", "additionalProperties": false, "required": ["startLine"],
                "properties": {
                    "startLine": {"type": "integer", "minimum": 1},
                    "startColumn": {"type": "integer", "minimum": 1},
                },
            },
        },
    });
    let location = json!({
        "type": "object", "additionalProperties": false, "required": ["physicalLocation"],
        "properties": {"physicalLocation": physical, "message": text},
    });
    let rule = json!({
        "type": "object", "additionalProperties": false, "required": ["id", "shortDescription", "help"],
        "properties": {
            "id": {"type": "string"}, "shortDescription": text, "fullDescription": text,
            "help": {"type": "object", "required": ["text"], "additionalProperties": false,
                "properties": {"text": {"type": "string"}, "markdown": {"type": "string"}}},
            "defaultConfiguration": {"type": "object", "additionalProperties": false,
                "properties": {"level": {"enum": ["none", "note", "warning", "error"]}}},
        },
    });
    let result = json!({
        "type": "object", "additionalProperties": false,
        "required": ["ruleId", "message", "locations", "partialFingerprints"],
        "properties": {
            "ruleId": {"type": "string"}, "ruleIndex": {"type": "integer", "minimum": -1},
            "level": {"enum": ["none", "note", "warning", "error"]}, "message": text,
            "locations": {"type": "array", "minItems": 1, "items": location},
            "relatedLocations": {"type": "array", "uniqueItems": true, "items": location},
            "partialFingerprints": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
        },
    });
    json!({
        "type": "object", "required": ["version", "runs"], "additionalProperties": false,
        "properties": {
            "$schema": {"type": "string", "format": "uri"}, "version": {"enum": ["2.1.0"]},
            "runs": {"type": "array", "items": {
                "type": "object", "required": ["tool", "results"], "additionalProperties": false,
                "properties": {
                    "tool": {"type": "object", "required": ["driver"], "additionalProperties": false, "properties": {
                        "driver": {"type": "object", "required": ["name", "rules"], "additionalProperties": false,
                            "properties": {
                                "name": {"type": "string"}, "semanticVersion": {"type": "string"},
                                "informationUri": {"type": "string", "format": "uri"},
                                "rules": {"type": "array", "uniqueItems": true, "items": rule},
                            }},
                    }},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {"type": "array", "items": result},
                },
            }},
        },
    })
}

#[test]
fn code_scanning_gets_sarif_as_its_schema_asks() {
    let schema = jsonschema::validator_for(&sarif_schema()).unwrap();
    let page: Value = serde_json::from_str(&sarif(&checkup(&some()))).unwrap();
    let faults: Vec<_> =
        schema.iter_errors(&page).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert_eq!(faults, Vec::<String>::new());
    let run = &page["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    let mut first = run["results"][0].clone();
    // It moves with every new rule; what it points at was looked at above.
    first.as_object_mut().unwrap().remove("ruleIndex");
    insta::assert_snapshot!(format!("{first:#}"), @r#"
    {
      "level": "warning",
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "accounts/a/account.yaml"
            },
            "region": {
              "startColumn": 5,
              "startLine": 3
            }
          }
        }
      ],
      "message": {
        "text": "No baseline reaches accounts/a. Hint: if that is meant, let a baseline say so: `exclude`, with a reason"
      },
      "partialFingerprints": {
        "primaryLocationLineHash": "1c40e03a347bd300:1"
      },
      "relatedLocations": [],
      "ruleId": "unreached"
    }
    "#);
}

#[test]
fn a_name_that_is_no_plain_word_is_encoded_in_a_place() {
    let page: Value = serde_json::from_str(&sarif(&checkup(&some()))).unwrap();
    assert!(page.to_string().contains("accounts/c%2C%20d"), "{page}");
}

#[test]
fn a_fingerprint_outlives_lines_that_are_put_above_it_and_no_two_are_alike() {
    let account = "name: A\nemail: a@example.com\nou: /prod\ntags: {a: , b: ,\n  c: ,\n  d: }\n";
    let prints = |text: &str| -> Vec<String> {
        let found = diagnostics(&[
            ("organization/organization.yaml", ORGANIZATION),
            ("accounts/a/account.yaml", text),
        ]);
        let page: Value = serde_json::from_str(&sarif(&checkup(&found))).unwrap();
        let results = page["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|it| it["partialFingerprints"]["primaryLocationLineHash"].to_string()).collect()
    };
    let before = prints(account);
    assert_eq!(before.len(), 4);
    assert_eq!(before.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    assert_eq!(prints(&format!("# a comment\n\n{account}")), before);
}
