//! More than fits: files, folders, depth, bytes.

use git2::Oid;

use super::names::{Entry, Remote};
use super::*;

/// `n` entries of one kind.
fn many(mode: &'static str, n: usize, id: Oid) -> Vec<Entry> {
    (0..n).map(|nth| (mode, format!("n{nth:06}").into_bytes(), id)).collect()
}

/// A pack may declare any size; what is declared is all there is of this blob.
fn declared(remote: &Remote, size: u64) -> Oid {
    let id = Oid::from_str(&"c".repeat(40)).unwrap();
    let mut object = flate(format!("blob {size}\0").as_bytes());
    object.extend(flate(b"x"));
    let folder = remote.git().path().join("objects/cc");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("c".repeat(38)), object).unwrap();
    id
}

/// The bytes in a zlib stream, stored as they are.
fn flate(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(bytes);
    stream.extend(((high << 16) | low).to_be_bytes());
    stream
}

fn nested(remote: &Remote, depth: usize) -> Oid {
    let file = remote.blob(b"x");
    (0..depth).fold(remote.raw_tree(&[("100644", b"f".to_vec(), file)]), |inside, _| {
        remote.raw_tree(&[("40000", b"d".to_vec(), inside)])
    })
}

/// Trees that hold each other's entries many times over: few objects, and files without end.
fn doubled(remote: &Remote, levels: usize) -> Oid {
    let file = remote.blob(b"x");
    (0..levels).fold(remote.raw_tree(&many("100644", 8, file)), |inside, _| {
        remote.raw_tree(&many("40000", 8, inside))
    })
}

#[test]
fn a_repository_of_any_size_is_refused_within_bounds() {
    let remote = Remote::new();
    let file = remote.blob(b"x");
    let with = |name, mode, id| (name, remote.verdict(remote.with(vec![(mode, b"odd".to_vec(), id)])));
    let empty = remote.raw_tree(&[]);
    let big: Vec<Oid> = (0..300)
        .map(|nth: u32| remote.blob(&[vec![b'#'; 1 << 20], nth.to_be_bytes().to_vec()].concat()[4..]))
        .collect();
    let big: Vec<Entry> = big
        .into_iter()
        .enumerate()
        .map(|(nth, id)| ("100644", format!("n{nth:06}").into_bytes(), id))
        .collect();
    let cases = [
        with("a hundred thousand files", "40000", remote.raw_tree(&many("100644", 100_000, file))),
        with("a hundred thousand empty folders", "40000", remote.raw_tree(&many("40000", 100_000, empty))),
        with("a hundred thousand links", "40000", remote.raw_tree(&many("120000", 100_000, file))),
        (
            "a hundred thousand accounts",
            remote.verdict(remote.with_accounts(remote.raw_tree(&many("40000", 100_000, empty)))),
        ),
        with("a thousand folders deep", "40000", nested(&remote, 1_000)),
        with("thirty thousand files in six small trees", "40000", doubled(&remote, 4)),
        with("three hundred files of a MiB", "40000", remote.raw_tree(&big)),
        with("a file of more than a MiB", "100644", remote.blob(&vec![b'#'; (1 << 20) + 1])),
    ];
    insta::assert_snapshot!(table(cases), @r##"
    a hundred thousand files | git: the number of files is above the limit of 20000
    a hundred thousand empty folders | git: the number of folders is above the limit of 20000
    a hundred thousand links | git: the number of files is above the limit of 20000
    a hundred thousand accounts | git: the number of folders is above the limit of 20000
    a thousand folders deep | git: the depth of folders is above the limit of 8
    thirty thousand files in six small trees | git: the number of files is above the limit of 20000
    three hundred files of a MiB | git: the size of all files is above the limit of 256 MiB
    a file of more than a MiB | loads
    "##);
}

#[test]
fn a_blob_of_a_gibibyte_is_refused_unread() {
    let remote = Remote::new();
    // Read as a fetched commit would be: the server would have to send what it declares.
    let id = declared(&remote, 1 << 30);
    let (size, _) = remote.git().odb().unwrap().read_header(id).unwrap();
    assert_eq!(size, 1 << 30);
    let files = [
        (ACCOUNT.to_owned(), File::TooLarge { size: 1 << 30 }),
        ("organization/organization.yaml".to_owned(), File::text(ORGANIZATION)),
    ];
    insta::assert_snapshot!(verdict(&tree(files.into())), @"file-size: accounts/one/account.yaml: the file has 1073741824 bytes, and 1048576 are allowed");
}

/// What is said of a repository and how much that is, which hangs on no size.
fn said(name: &'static str, tree: &Tree) -> (&'static str, String) {
    let diagnostics = check(tree, None).diagnostics;
    let length = diagnostics.to_string().len();
    assert!(length < 200_000, "{name}: {length}");
    let count = diagnostics.iter().count();
    let last = diagnostics.iter().last().map(|last| last.message.clone()).unwrap_or_default();
    (name, format!("{count}, the last: {last}"))
}

fn account(name: &'static str, text: &str) -> (&'static str, String) {
    said(name, &repository(&[(ACCOUNT, format!("{ONE}{text}").as_bytes())]))
}

fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).map(line).collect()
}

#[test]
fn what_is_said_of_a_repository_is_bounded_however_much_is_wrong_with_it() {
    let all = lines(150, |n| format!("s{n}, "));
    let knot = lines(150, |n| {
        let needs = if n == 0 { format!("&n [{all}]") } else { "*n".to_owned() };
        format!("  s{n}: {{template: net.template.yaml, needs: {needs}}}\n")
    });
    let ring = lines(300, |n| {
        format!("  s{n:03}: {{template: net.template.yaml, needs: [s{:03}]}}\n", (n + 1) % 300)
    });
    let resources = lines(1_100, |n| format!("  R{n:04}: {{Type: T}}\n"));
    let references = lines(3_300, |n| format!("${{Q{n:04}}}"));
    let template =
        format!("Resources:\n{resources}  A: {{Type: T, Properties: {{P: !Sub '{references}'}}}}\n");
    let net = "accounts/one/net.template.yaml";
    let with_net = format!("{ONE}stacks: {{net: {{template: net.template.yaml}}}}\n");
    let ous = format!("{{workloads: {{}}, {}}}", lines(5_000, |n| format!("o{n}: {{}}, ")));
    let organization = ORGANIZATION.replace("{workloads: {}}", &ous);
    let mut many = repository(&[("organization/organization.yaml", organization.as_bytes())]);
    many.files.extend((0..20).map(|n| {
        let text = format!("name: N{n}\nemail: n{n}@example.com\nou: /nowhere\n");
        (format!("accounts/n{n}/account.yaml"), File::text(text))
    }));
    let hint = check(&many, None).diagnostics.iter().next().unwrap().hint.clone().unwrap();
    assert!(hint.starts_with("known here: /o0, /o1, ") && hint.ends_with(" and 4981 more"), "{hint}");
    let cases = [
        account("stacks that all need each other", &format!("stacks:\n{knot}")),
        account("three hundred stacks in a ring", &format!("stacks:\n{ring}")),
        said(
            "names that stand for nothing",
            &repository(&[(ACCOUNT, with_net.as_bytes()), (net, template.as_bytes())]),
        ),
        account("unknown keys", &lines(15_000, |n| format!("k{n}: 1\n"))),
        account("keys twice", &lines(20_000, |n| format!("k{}: 1\n", n % 10_000))),
        account(
            "parameters nobody knows",
            &format!(
                "stacks:\n  net:\n    template: net.template.yaml\n    parameters:\n{}",
                lines(5_000, |n| format!("      P{n}: x\n"))
            ),
        ),
        said("an OU that is none of five thousand", &many),
    ];
    insta::assert_snapshot!(table(cases), @r"
    stacks that all need each other | 1, the last: stacks wait for each other in a circle: s0 needs s0
    three hundred stacks in a ring | 1, the last: stacks wait for each other in a circle: s000 needs s001 needs s002 needs s003 needs s004 needs s005 needs s006 needs s007 needs s008 needs s009 needs s010 needs s011 needs s012 needs s013…
    names that stand for nothing | 101, the last: there is more from here on: of one file the first 100 are shown
    unknown keys | 101, the last: there is more from here on: of one file the first 100 are shown
    keys twice | 101, the last: there is more from here on: of one file the first 100 are shown
    parameters nobody knows | 101, the last: there is more from here on: of one file the first 100 are shown
    an OU that is none of five thousand | 20, the last: there is no OU `/nowhere`
    ");
}
