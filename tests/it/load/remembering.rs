//! A loader that remembers comes to what one without a memory comes to, whatever was edited in between.

use landfast::load::{Checked, Loader, check};

use super::*;

const COMPANY: &str = "id: o-exampleorgid\nmanagementAccount: \"999988887777\"\nhomeRegion: eu-west-1\n";

/// One edit: a path, and what stands there from now on.
type Edit = (&'static str, Option<String>);

const OTHER: &str =
    "Parameters:\n  Cidr: {Type: String, NoEcho: true}\nResources:\n  Vpc: {Type: AWS::EC2::VPC}\n";

fn layer(values: &str, reads: &str) -> String {
    format!(
        "values: {{Cidr: {values}, Mail: \"{reads}\"}}\nstacks:\n  net:\n    template: net.template.yaml\n    \
         parameters: {{Cidr: \"${{{{ values.Cidr }}}}\"}}\n    tags: {{mail: \"${{{{ values.Mail }}}}\"}}\n"
    )
}

fn account(name: &str) -> impl Strategy<Value = String> + use<> {
    let name = name.to_owned();
    let tags = prop_oneof![Just(""), Just("tags: {env: prod}\n"), Just("tags: {env: '${{ nonsense }}'}\n")];
    let ou = prop_oneof![4 => Just("/workloads"), 1 => Just("/sandbox"), 1 => Just("/nowhere")];
    let more = prop_oneof![
        Just(String::new()),
        Just(layer("10.0.0.0/16", "${{ accounts['two'].email }}")),
        Just(layer("10.1.0.0/16", "${{ accounts['two'].tags.env }}")),
        Just(layer("10.2.0.0/16", "${{ accounts | length }}")),
        Just("settings: {passwordPolicy: {minimumLength: 8}}\n".to_owned()),
        Just("nonsense: [\n".to_owned()),
    ];
    let id = prop_oneof![4 => Just(""), 1 => Just("id: \"222222222222\"\n")];
    (tags, ou, id, more).prop_map(move |(tags, ou, id, more)| {
        format!("name: {name}\nemail: {name}@example.com\nou: {ou}\n{tags}{id}{more}")
    })
}

fn baseline() -> impl Strategy<Value = String> {
    let targets = prop_oneof![Just("{ous: [/**]}"), Just("{tags: {env: prod}}"), Just("{accounts: [one]}")];
    let more = prop_oneof![
        Just(String::new()),
        Just(layer("10.3.0.0/16", "${{ accounts['one'].name }}")),
        Just(layer("10.4.0.0/16", "${{ account.name }}")),
        Just(
            "settings: {passwordPolicy: {minimumLength: 14}}\nlocked: [settings.passwordPolicy]\n".to_owned()
        ),
        Just("after: [b]\n".to_owned()),
    ];
    (targets, more).prop_map(|(targets, more)| format!("targets: {targets}\n{more}"))
}

fn edit() -> impl Strategy<Value = Edit> {
    let text =
        |path: &'static str, text: BoxedStrategy<String>| text.prop_map(move |text| (path, Some(text)));
    let organization = prop_oneof![
        Just(format!("{COMPANY}ous: {{workloads: {{}}, sandbox: {{}}}}\n")),
        Just(format!("{COMPANY}ous: {{workloads: {{}}}}\naccountDefaults: {{tags: {{company: acme}}}}\n")),
        Just("id: o-exampleorgid\n".to_owned()),
    ];
    let template = || prop_oneof![3 => Just(TEMPLATE.to_owned()), 2 => Just(OTHER.to_owned()), 1 => Just("x: [".to_owned())];
    let gone = prop::sample::select(vec![
        "accounts/two/account.yaml",
        "accounts/three/account.yaml",
        "accounts/one/net.template.yaml",
        "baselines/a/baseline.yaml",
        "baselines/b/baseline.yaml",
        "landfast.yaml",
    ]);
    prop_oneof![
        3 => text("accounts/one/account.yaml", account("one").boxed()),
        3 => text("accounts/two/account.yaml", account("two").boxed()),
        3 => text("accounts/three/account.yaml", account("three").boxed()),
        2 => text("accounts/one/net.template.yaml", template().boxed()),
        1 => text("accounts/three/net.template.yaml", template().boxed()),
        1 => text("baselines/a/net.template.yaml", template().boxed()),
        2 => text("baselines/a/baseline.yaml", baseline().boxed()),
        2 => text("baselines/b/baseline.yaml", baseline().boxed()),
        1 => text("organization/organization.yaml", organization.boxed()),
        1 => text("landfast.yaml", prop_oneof![Just("mode: enforce\n".to_owned()), Just("values: {A: 1}\n".to_owned()), Just("x".to_owned())].boxed()),
        1 => gone.prop_map(|path| (path, None)),
    ]
}

fn beginning() -> BTreeMap<String, File> {
    let organization = format!("{COMPANY}ous: {{workloads: {{}}, sandbox: {{}}}}\n");
    let account = |name: &str| {
        format!("name: {name}\nemail: {name}@example.com\nou: /workloads\ntags: {{env: prod}}\n")
    };
    let mut files = BTreeMap::from([
        ("organization/organization.yaml".to_owned(), File::text(organization)),
        ("baselines/a/baseline.yaml".to_owned(), File::text("targets: {ous: [/**]}\n")),
        ("baselines/b/baseline.yaml".to_owned(), File::text("targets: {ous: [/**]}\n")),
        ("baselines/a/net.template.yaml".to_owned(), File::text(TEMPLATE)),
        ("baselines/b/net.template.yaml".to_owned(), File::text(TEMPLATE)),
    ]);
    for name in ["one", "two", "three"] {
        files.insert(format!("accounts/{name}/account.yaml"), File::text(account(name)));
        files.insert(format!("accounts/{name}/net.template.yaml"), File::text(TEMPLATE));
    }
    files
}

fn same(left: &Checked, right: &Checked) -> bool {
    left.desired == right.desired
        && left.diagnostics == right.diagnostics
        && format!("{:?}", left.held) == format!("{:?}", right.held)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn what_is_remembered_never_changes_what_a_commit_comes_to(edits in prop::collection::vec(edit(), 1..14)) {
        let (mut files, mut loader) = (beginning(), Loader::default());
        prop_assert!(loader.check(&tree(files.clone()), None).desired.is_some());
        for (path, text) in edits {
            match text {
                Some(text) => _ = files.insert(path.to_owned(), File::text(text)),
                None => _ = files.remove(path),
            }
            let tree = tree(files.clone());
            let (remembered, fresh) = (loader.check(&tree, None), check(&tree, None));
            prop_assert!(same(&remembered, &fresh), "{path}\n{remembered:#?}\n{fresh:#?}");
            let again = loader.check(&tree, None);
            prop_assert!(same(&again, &fresh), "again after {path}");
        }
    }
}

fn is_shared(before: &Desired, after: &Desired, name: &str) -> bool {
    Arc::ptr_eq(&before.accounts[&slug(name)], &after.accounts[&slug(name)])
}

#[test]
fn accounts_that_a_commit_leaves_alone_are_the_same_memory() {
    let (mut files, mut loader) = (beginning(), Loader::default());
    let before = loader.check(&tree(files.clone()), None).desired.unwrap();
    let other = "name: two\nemail: two@example.com\nou: /workloads\nvalues: {Days: 7}\n";
    files.insert("accounts/two/account.yaml".to_owned(), File::text(other));
    let after = loader.check(&tree(files), None).desired.unwrap();
    let shared = ["one", "two", "three"].map(|name| is_shared(&before, &after, name));
    assert_eq!(shared, [true, false, true]);
}

#[test]
fn an_account_is_built_again_when_one_that_it_looks_at_changed() {
    let (mut files, mut loader) = (beginning(), Loader::default());
    let looks =
        "name: one\nemail: one@example.com\nou: /workloads\nvalues: {M: \"${{ accounts['two'].name }}\"}\n";
    files.insert("accounts/one/account.yaml".to_owned(), File::text(looks));
    let before = loader.check(&tree(files.clone()), None).desired.unwrap();
    let other = "name: Two\nemail: two@example.com\nou: /workloads\n";
    files.insert("accounts/two/account.yaml".to_owned(), File::text(other));
    let after = loader.check(&tree(files), None).desired.unwrap();
    let shared = ["one", "two", "three"].map(|name| is_shared(&before, &after, name));
    assert_eq!(shared, [false, false, true]);
}

#[test]
fn who_looks_at_an_account_is_left_alone_while_what_there_is_to_see_stays() {
    let (mut files, mut loader) = (beginning(), Loader::default());
    let looks = "targets: {ous: [/**]}\nvalues: {Mail: \"${{ accounts['two'].email }}\"}\n";
    files.insert("baselines/a/baseline.yaml".to_owned(), File::text(looks));
    let before = loader.check(&tree(files.clone()), None).desired.unwrap();
    let shared = |desired: &Desired| ["one", "two", "three"].map(|name| is_shared(&before, desired, name));
    let same = "name: two\nemail: two@example.com\nou: /workloads\ntags: {env: prod}\nvalues: {Days: 7}\n";
    files.insert("accounts/two/account.yaml".to_owned(), File::text(same));
    assert_eq!(shared(&loader.check(&tree(files.clone()), None).desired.unwrap()), [true, false, true]);
    let other = same.replace("two@", "2@");
    files.insert("accounts/two/account.yaml".to_owned(), File::text(other));
    assert_eq!(shared(&loader.check(&tree(files), None).desired.unwrap()), [false, false, false]);
}

#[test]
fn a_commit_that_does_not_load_costs_the_next_one_nothing() {
    let (mut files, mut loader) = (beginning(), Loader::default());
    let before = loader.check(&tree(files.clone()), None).desired.unwrap();
    let good = files.insert("organization/organization.yaml".to_owned(), File::text("id: [")).unwrap();
    assert!(loader.check(&tree(files.clone()), None).desired.is_none());
    files.insert("organization/organization.yaml".to_owned(), good);
    let after = loader.check(&tree(files), None).desired.unwrap();
    assert!(["one", "two", "three"].iter().all(|name| is_shared(&before, &after, name)));
}

/// Many accounts that are not known yet are made at once, and few of them one by one.
#[test]
fn accounts_that_are_made_at_once_come_to_the_same_as_one_by_one() {
    let baseline = "targets: {ous: [/**]}\nstacks: {network: {template: network.template.yaml, parameters: \
                    {Cidr: \"${{ values.Cidr }}\"}}}\n";
    let mut files = small();
    files.insert("baselines/a/baseline.yaml".to_owned(), File::text(baseline));
    files.insert("baselines/a/network.template.yaml".to_owned(), File::text(TEMPLATE));
    for (path, text) in [(ACCOUNT, ONE), ("accounts/two/account.yaml", TWO)] {
        files.insert(path.to_owned(), File::text(format!("{text}values: {{Cidr: x}}\n")));
    }
    let (mut loader, mut left) = (Loader::default(), Vec::new());
    for nth in 0..200 {
        // Every tenth has a fault.
        let values = if nth % 10 == 0 { "" } else { "values: {Cidr: x}\n" };
        let text = format!("name: N{nth}\nemail: n{nth}@example.com\nou: /workloads/prod\n{values}");
        files.insert(format!("accounts/n{nth}/account.yaml"), File::text(text));
        if nth % 40 == 0 {
            left.push(loader.check(&tree(files.clone()), None).desired.is_some());
        }
    }
    assert_eq!(left, [false; 5]);
    let many = tree(files);
    let (one_by_one, at_once) = (loader.check(&many, None), check(&many, None));
    assert_eq!(at_once.diagnostics.to_string(), one_by_one.diagnostics.to_string());
    assert!(at_once.diagnostics.to_string().contains("`values.Cidr` has no value here (in 20 accounts"));
    let sound = |tree: &Tree| {
        let mut files = tree.files.clone();
        files.retain(|path, _| !path.strip_prefix("accounts/n").is_some_and(|rest| rest.contains("0/")));
        Tree { files, ..tree.clone() }
    };
    let sound = sound(&many);
    let again = loader.check(&sound, None).desired.unwrap();
    assert_eq!((again.accounts.len(), &again), (182, &check(&sound, None).desired.unwrap()));
}
