//! Import on paper: what is written down of what was found, and each single thing that keeps something out.

use std::collections::BTreeMap;

use landfast::import::{Draft, Found, draft};
use landfast::load::{File, Tree};
use landfast::model::{
    AccountState, CommitId, OWNER_TAG, OrganizationId, OuPath, Region, SLUG_TAG, Sight, Stack, StackFact,
    StackKey, StackName,
};
use landfast::observe::{Census, Counted, FoundStack, Inside, Shelf};
use serde_json::json;

use crate::paper::account_id;

const ORGANIZATION: &str = "id: o-exampleorgid\nmanagementAccount: \"999988887777\"\nhomeRegion: eu-west-1\n\
    ous: {workloads: {}}\n";
const FILE: &str = "accounts/data/account.yaml";
const TEMPLATE: &str = "Resources:\n  Topic: {Type: AWS::SNS::Topic}\n";

fn tree(files: &[(&str, &str)]) -> Tree {
    let organization = ("organization/organization.yaml", ORGANIZATION);
    let files = std::iter::once(&organization).chain(files);
    let files = files.map(|(path, text)| ((*path).to_owned(), File::text(*text))).collect();
    Tree { revision: CommitId::parse("0".repeat(40)).unwrap(), files }
}

fn counted(name: &str, id: &str) -> Counted {
    Counted {
        id: account_id(id),
        name: name.to_owned(),
        email: format!("aws+{}@example.com", name.to_ascii_lowercase()),
        state: AccountState::Active,
        place: Ok(OuPath::parse("/workloads").unwrap()),
        tags: Ok(BTreeMap::new()),
    }
}

fn key(name: &str, region: &str) -> StackKey {
    StackKey { name: StackName::parse(name).unwrap(), region: Region::parse(region).unwrap() }
}

/// A stack that nobody has tagged, as it is seen.
fn found(template: &str) -> FoundStack {
    let mut found = FoundStack {
        fact: StackFact {
            id: "arn".to_owned(),
            status: "CREATE_COMPLETE".to_owned(),
            ..StackFact::default()
        },
        sight: Sight::Absent,
        template: template.to_owned(),
        parameters: BTreeMap::new(),
        has_hidden: false,
        tags: BTreeMap::new(),
        capabilities: Vec::new(),
    };
    see(&mut found);
    found
}

/// Its sighting follows from the rest.
fn see(found: &mut FoundStack) {
    let FoundStack { template, parameters, tags, .. } = found;
    let stack = Stack {
        template: template.as_str().into(),
        parameters: parameters.clone(),
        tags: tags.clone(),
        ..Stack::default()
    };
    let mut value = stack.to_value(&OrganizationId::parse("o-exampleorgid").unwrap());
    value["tags"] = json!(tags);
    found.sight = Sight::present(value);
}

/// What makes another stack of it.
type Change = fn(&mut FoundStack);
type Stacks<'a> = Vec<(&'a str, &'a str, FoundStack)>;

/// One account, `Data`, with these stacks.
fn with_stacks(stacks: Stacks<'_>) -> Found {
    let stacks = stacks.into_iter().map(|(name, region, stack)| (key(name, region), stack)).collect();
    let account = counted("Data", "111122223333");
    let inside = Inside { stacks, ..Inside::default() };
    let inside = BTreeMap::from([(account.id.clone(), Ok(inside))]);
    let census = Census {
        ous: vec![OuPath::parse("/workloads").unwrap()],
        accounts: vec![account],
        policies: Shelf::default(),
    };
    Found { census, inside }
}

fn drafted(found: &Found) -> Draft {
    draft(&tree(&[]), found).unwrap()
}

/// What is said to be somebody else's, and what is said not to fit.
fn said(draft: &Draft) -> [String; 2] {
    [&draft.notes.left, &draft.notes.unfit].map(|notes| {
        let lines: Vec<_> = notes.iter().map(|note| format!("{}: {}", note.about, note.says)).collect();
        lines.join("\n")
    })
}

#[test]
fn a_stack_is_written_down_and_each_single_doubt_keeps_it_out() {
    let written = |name: &str, change: &dyn Fn(&mut FoundStack)| {
        let mut stack = found(TEMPLATE);
        change(&mut stack);
        let draft = drafted(&with_stacks(vec![(name, "eu-west-1", stack)]));
        let is_written = draft.new[FILE].contains(name);
        let [left, unfit] = said(&draft);
        (is_written, left, unfit)
    };
    assert_eq!(written("net", &|_| ()), (true, String::new(), String::new()));
    assert_eq!(
        written("StackSet-guard-1", &|_| ()).1,
        "accounts/data: stacks.StackSet-guard-1[eu-west-1]: a StackSet"
    );
    let others: [(&str, Change); 2] = [
        ("another organization's Landfast", |stack| {
            stack.tags.insert(OWNER_TAG.to_owned(), "o-another".to_owned());
            see(stack);
        }),
        ("an app of the CDK", |stack| {
            *stack = found("Resources:\n  Topic: {Type: AWS::SNS::Topic}\n  M: {Type: AWS::CDK::Metadata}\n");
        }),
    ];
    for (words, change) in others {
        let (is_written, left, unfit) = written("net", &change);
        assert!(!is_written && left.contains(words) && unfit.is_empty(), "{words}: {left} {unfit}");
    }
    let doubts: [(&str, Change); 7] = [
        ("it is in UPDATE_IN_PROGRESS", |stack| stack.fact.status = "UPDATE_IN_PROGRESS".to_owned()),
        ("AWS hides a NoEcho parameter", |stack| stack.has_hidden = true),
        ("51200 are allowed", |stack| *stack = found(&format!("{TEMPLATE}# {}\n", "x".repeat(51_200)))),
        ("uses a transform or macro", |stack| {
            *stack = found(&format!("Transform: AWS::Serverless-2016-10-31\n{TEMPLATE}"));
        }),
        ("uses a transform or macro", |stack| {
            *stack = found(
                "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties: {Fn::Transform: {Name: M}}\n",
            );
        }),
        ("found its resources drifted", |stack| {
            if let Sight::Present { value, .. } = &mut stack.sight {
                value["drift"] = json!({"Topic": {"status": "MODIFIED"}});
            }
        }),
        // A parameter that AWS shows otherwise than it was found: whatever the reason, it would not be in sync.
        ("it would differ", |stack| {
            *stack =
                found("Parameters:\n  Days: {Type: String}\nResources:\n  Topic: {Type: AWS::SNS::Topic}\n");
            stack.parameters.insert("Days".to_owned(), "8".to_owned());
            see(stack);
            stack.parameters.insert("Days".to_owned(), "7".to_owned());
        }),
    ];
    for (words, change) in doubts {
        let (is_written, left, unfit) = written("net", &change);
        assert!(!is_written && left.is_empty() && unfit.contains(words), "{words}: {left} {unfit}");
    }
}

#[test]
fn one_entry_is_for_the_regions_that_are_alike_and_the_others_are_said() {
    let with_parameter = |name: &str| {
        let mut stack = found(&format!(
            "Parameters:\n  Days: {{Type: String, Default: '1'}}\n  Weeks: {{Type: String, Default: '1'}}\n{TEMPLATE}"
        ));
        stack.parameters =
            [("Days", "7"), (name, "7")].map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        see(&mut stack);
        stack
    };
    let mut tagged = found(TEMPLATE);
    tagged.tags.insert("team".to_owned(), "data".to_owned());
    see(&mut tagged);
    let other = found("Resources:\n  Topics: {Type: AWS::SNS::Topic}\n");
    for (what, here, there, is_alike) in [
        ("the same", found(TEMPLATE), found(TEMPLATE), true),
        ("another template", found(TEMPLATE), other, false),
        ("other tags", found(TEMPLATE), tagged, false),
        ("other parameters", with_parameter("Weeks"), with_parameter("Days"), false),
    ] {
        let draft = drafted(&with_stacks(vec![("net", "eu-west-1", here), ("net", "us-east-1", there)]));
        let [_, unfit] = said(&draft);
        assert_eq!(draft.new[FILE].contains("us-east-1"), is_alike, "{what}: {}", draft.new[FILE]);
        assert_eq!(
            unfit.contains("stacks.net[us-east-1]: a stack of this name in another region"),
            !is_alike,
            "{what}: {unfit}"
        );
    }
}

#[test]
fn our_own_tag_is_not_written_down_and_what_nested_stacks_were_granted_is() {
    let mut ours = found(TEMPLATE);
    ours.tags =
        [(OWNER_TAG, "o-exampleorgid"), ("team", "data")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    ours.fact.is_ours = true;
    see(&mut ours);
    let mut nested =
        found("Resources:\n  Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x}}\n");
    nested.capabilities = vec!["CAPABILITY_NAMED_IAM".to_owned()];
    let draft = drafted(&with_stacks(vec![("ours", "eu-west-1", ours), ("nested", "eu-west-1", nested)]));
    let text = &draft.new[FILE];
    assert!(text.contains("team: data") && !text.contains("landfast:"), "{text}");
    assert!(text.contains("CAPABILITY_NAMED_IAM"), "{text}");
}

/// Only the census, and these files.
fn counted_in(files: &[(&str, &str)], accounts: Vec<Counted>) -> Draft {
    let census =
        Census { ous: vec![OuPath::parse("/workloads").unwrap()], accounts, policies: Shelf::default() };
    draft(&tree(files), &Found { census, inside: BTreeMap::new() }).unwrap()
}

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn tags_of_aws_and_of_landfast_are_not_written_down_and_defaults_that_it_lacks_are_denied() {
    let mut account = counted("Data", "111122223333");
    account.tags = Ok(tags(&[("owner", "data"), ("aws:createdBy", "x"), ("landfast:note", "y")]));
    let draft = counted_in(&[], vec![account.clone()]);
    let text = &draft.new[FILE];
    assert!(
        text.contains("owner: data") && !text.contains("createdBy") && !text.contains("landfast"),
        "{text}"
    );
    let more = format!("{ORGANIZATION}accountDefaults: {{tags: {{company: acme}}}}\n");
    let draft = counted_in(&[("organization/organization.yaml", &more)], vec![account]);
    assert!(draft.new[FILE].contains("company: null"), "{}", draft.new[FILE]);
}

#[test]
fn a_folder_is_found_by_id_then_by_our_own_tags_and_else_gets_a_name_that_is_free() {
    let [one, two] = ["111122223333", "444455556666"].map(|id| counted("Data", id));
    let two = Counted { email: "aws+second@example.com".to_owned(), ..two };
    let folders = |draft: &Draft| draft.notes.folders.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(folders(&counted_in(&[], vec![one.clone(), two])), ["data", "data-2"]);
    let tagged = |owner: &str| {
        let tags = Ok(tags(&[(OWNER_TAG, owner), (SLUG_TAG, "warehouse")]));
        Counted { tags, ..one.clone() }
    };
    assert_eq!(folders(&counted_in(&[], vec![tagged("o-exampleorgid")])), ["warehouse"]);
    assert_eq!(folders(&counted_in(&[], vec![tagged("o-another")])), ["data"]);
    let taken = "id: \"777788889999\"\nname: Other\nemail: other@example.com\nou: /workloads\n";
    let files = [("accounts/warehouse/account.yaml", taken)];
    assert_eq!(folders(&counted_in(&files, vec![tagged("o-exampleorgid")])), ["data"], "another account's");
    let unborn = "name: Data\nemail: AWS+Data@example.com\nou: /workloads\n";
    let draft = counted_in(&[("accounts/store/account.yaml", unborn)], vec![one]);
    assert!(draft.new.is_empty() && draft.edited.is_empty(), "{draft:?}");
    let by_hand: Vec<_> =
        draft.notes.by_hand.iter().map(|note| (note.about.as_str(), note.says.as_str())).collect();
    assert_eq!(by_hand, [("accounts/store/account.yaml", "id: \"111122223333\"\n")]);
}

#[test]
fn what_a_folder_or_its_layers_speak_of_is_not_said_again() {
    let head = "id: \"111122223333\"\nname: Data\nemail: aws+data@example.com\nou: /workloads\n";
    let stacks = || with_stacks(vec![("net", "eu-west-1", found(TEMPLATE))]);
    let added = |own: &str, more: &[(&str, &str)]| {
        let own = format!("{head}{own}");
        let files: Vec<_> = std::iter::once((FILE, own.as_str())).chain(more.iter().copied()).collect();
        let draft = draft(&tree(&files), &stacks()).unwrap();
        assert!(draft.notes.by_hand.is_empty(), "{own}: {:?}", draft.notes.by_hand);
        draft.edited.contains_key(FILE)
    };
    assert!(added("", &[]));
    assert!(!added("stacks: {net: null}\n", &[]), "the file lets go of it");
    let template = ("baselines/base/net.template.yaml", TEMPLATE);
    let baseline = "targets: {ous: [\"/**\"]}\nstacks: {net: {template: net.template.yaml}}\n";
    assert!(!added("", &[("baselines/base/baseline.yaml", baseline), template]), "a baseline declares it");
    // A map in braces has no line of its own for one more entry: a person has to add it.
    let crowded = draft(&tree(&[(FILE, &format!("{head}stacks: {{other: null}}\n"))]), &stacks()).unwrap();
    assert!(!crowded.edited.contains_key(FILE) && crowded.notes.by_hand.len() == 1, "{crowded:?}");
}

#[test]
fn an_account_that_would_not_load_gets_no_folder_and_is_said() {
    let odd = Counted { email: "nobody".to_owned(), ..counted("Data", "111122223333") };
    let draft = counted_in(&[], vec![odd]);
    assert!(draft.new.is_empty(), "{:?}", draft.new);
    let [_, unfit] = said(&draft);
    assert!(unfit.starts_with("account 111122223333 (Data): it does not load: "), "{unfit}");
}

const BASELINE: &str = "baselines/names/baseline.yaml";
const REACHED: &str =
    "targets: {ous: [\"/workloads\"]}\nsettings: {accountAlias: \"acme-${{ values.Short }}\"}\n";
/// An account that is there already, and has what the baseline asks for.
const OTHER: (&str, &str) = (
    "accounts/other/account.yaml",
    "id: \"222233334444\"\nname: Other\nemail: other@example.com\nou: /workloads\nvalues: {Short: other}\n",
);

#[test]
fn a_folder_that_does_not_load_with_a_baseline_that_reaches_it_is_not_written() {
    let tree = tree(&[OTHER, (BASELINE, REACHED)]);
    let mut found = with_stacks(Vec::new());
    let mut far = counted("Far", "333344445555");
    far.place = Ok(OuPath::root());
    found.census.accounts.push(far);
    let draft = draft(&tree, &found).unwrap();
    let written: Vec<_> = draft.new.keys().collect();
    assert_eq!(written, ["accounts/far/account.yaml"]);
    assert!(said(&draft)[1].starts_with("accounts/data: it does not load: `values.Short` has no value here"));
    assert_eq!(draft.notes.folders.len(), 1);
}

#[test]
fn what_a_baseline_brings_to_a_new_folder_is_said_instead_of_that_there_is_nothing_to_do() {
    let reached = REACHED.replace("values.Short", "account.slug");
    let draft = draft(&tree(&[(BASELINE, &reached)]), &with_stacks(Vec::new())).unwrap();
    let page = landfast::report::imported(&draft);
    assert!(
        page.contains("  accounts/data: settings.accountAlias, declared in baselines/names/baseline.yaml\n"),
        "{page}"
    );
    assert!(page.ends_with("it finds nothing to do but what baselines bring\n"), "{page}");
    let alone = landfast::report::imported(&drafted(&with_stacks(Vec::new())));
    assert!(alone.ends_with("it finds nothing to do\n"), "{alone}");
}
