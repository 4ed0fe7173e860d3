//! What an issue asks to be pasted is what the files take.

use landfast::model::{Finding, Outcomes, Plan, Scope, Source, Verdict};
use landfast::report::{ScopeReport, Situation, wanted};

use super::*;

fn first_sight() -> Finding {
    Finding {
        verdict: Verdict::FirstSight,
        mode: Mode::Report,
        desired: Some(json!({"a": 1}).into()),
        base: None,
        observed: Some(json!({"a": 2}).into()),
        unchecked: BTreeMap::new(),
        because: String::new(),
        source: Some(Source { path: "accounts/scratch/account.yaml".to_owned(), line: 1 }),
    }
}

/// The block of YAML in the first-contact issue about `items`; nothing where it has none.
fn lines_to_paste(scope: &Scope, items: &[&str]) -> Option<String> {
    let plan = Plan {
        scope: scope.clone(),
        revision: CommitId::parse("a".repeat(40)).unwrap(),
        findings: items.iter().map(|item| (item.parse().unwrap(), first_sight())).collect(),
        steps: Vec::new(),
        blocked: Vec::new(),
        waiting: [].into(),
        unclaimed: Vec::new(),
        unclaimed_gap: None,
        gate: None,
        warnings: Vec::new(),
        ties: BTreeMap::new(),
    };
    let report = ScopeReport {
        scope: scope.clone(),
        account_id: None,
        account_name: String::new(),
        plan,
        outcomes: Outcomes::new(),
        authors: BTreeMap::new(),
        gaps_last: false,
        hold: None,
    };
    let wanted = wanted(&[report], &Situation::default());
    let body = &wanted.issues.values().next().unwrap().body;
    let block = body.split_once("```yaml\n")?.1;
    Some(block.split_once("```").unwrap().0.to_owned())
}

#[test]
fn the_lines_of_a_first_contact_issue_are_taken_by_the_file_they_name() {
    let slug = Slug::parse("scratch").unwrap();
    let property = |name: &str| format!("accounts.scratch.{name}");
    let (ou, tag) = (property("ou"), property("tags.env"));
    let cases = [
        (Scope::Organization, vec![ou.as_str(), tag.as_str()]),
        (
            Scope::Account(slug),
            vec![
                "settings.passwordPolicy",
                "settings.samlProviders.AcmeDirectory",
                "stacks.role-auditors[eu-west-1]",
            ],
        ),
    ];
    for (scope, items) in cases {
        let block = lines_to_paste(&scope, &items).unwrap();
        let (comment, lines) = block.split_once('\n').unwrap();
        let mut tree = example();
        let path = comment.strip_prefix("# ").unwrap();
        let Some(File::Blob(bytes)) = tree.files.get(path) else { panic!("there is no {path}") };
        let file = format!("{}\n{lines}", std::str::from_utf8(bytes).unwrap());
        tree.files.insert(path.to_owned(), File::Blob(file.into_bytes().into()));
        let desired = load(&tree).unwrap();
        for item in items {
            assert!(desired.is_adopted(&scope, &item.parse().unwrap()), "{item} of:\n{block}");
        }
    }
}

#[test]
fn what_landfast_never_changes_is_not_offered_for_adoption() {
    let items = ["accounts.scratch", "accounts.scratch.name", "accounts.scratch.email", "ous./sandbox"];
    assert_eq!(lines_to_paste(&Scope::Organization, &items), None);
    let block =
        lines_to_paste(&Scope::Organization, &["accounts.scratch.name", "accounts.scratch.ou"]).unwrap();
    assert_eq!(block, "# accounts/scratch/account.yaml\nadopt:\n  - ou\n");
}
