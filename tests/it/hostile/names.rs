//! Names and kinds of entries, in trees that are written byte by byte: no client of git would make most of them.

use git2::{ObjectType, Oid};

use super::*;
use landfast::git::{Credentials, Repository};

/// A remote whose objects can be anything.
pub(super) struct Remote {
    folder: tempfile::TempDir,
}

/// One entry of a raw tree: mode, name, object.
pub(super) type Entry = (&'static str, Vec<u8>, Oid);

impl Remote {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        git2::Repository::init_bare(folder.path().join("remote.git")).unwrap();
        Self { folder }
    }

    pub(super) fn git(&self) -> git2::Repository {
        git2::Repository::open_bare(self.folder.path().join("remote.git")).unwrap()
    }

    pub(super) fn blob(&self, bytes: &[u8]) -> Oid {
        self.git().blob(bytes).unwrap()
    }

    /// A tree exactly as it is said, in this order, whatever git thinks of it.
    pub(super) fn raw_tree(&self, entries: &[Entry]) -> Oid {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            bytes.extend([mode.as_bytes(), b" ", name, b"\0", id.as_bytes()].concat());
        }
        self.git().odb().unwrap().write(ObjectType::Tree, &bytes).unwrap()
    }

    /// A repository that loads but for what `accounts/one` holds besides.
    pub(super) fn with(&self, odd: Vec<Entry>) -> Oid {
        let account = self.blob(ONE.as_bytes());
        let mut inside = vec![("100644", b"account.yaml".to_vec(), account)];
        inside.extend(odd);
        inside.sort_by(|left, right| left.1.cmp(&right.1));
        let one = self.raw_tree(&inside);
        self.with_accounts(self.raw_tree(&[("40000", b"one".to_vec(), one)]))
    }

    pub(super) fn with_accounts(&self, accounts: Oid) -> Oid {
        let organization = self.blob(ORGANIZATION.as_bytes());
        let organization = self.raw_tree(&[("100644", b"organization.yaml".to_vec(), organization)]);
        self.raw_tree(&[
            ("40000", b"accounts".to_vec(), accounts),
            ("40000", b"organization".to_vec(), organization),
        ])
    }

    /// What is said of a commit with this tree, by git or by load.
    pub(super) fn verdict(&self, root: Oid) -> String {
        let author = "author A <a@example.com> 0 +0000\ncommitter A <a@example.com> 0 +0000\n";
        let commit = format!("tree {root}\n{author}\nodd\n");
        let git = self.git();
        let commit = git.odb().unwrap().write(ObjectType::Commit, commit.as_bytes()).unwrap();
        git.reference("refs/heads/main", commit, true, "odd").unwrap();
        let url = self.folder.path().join("remote.git").display().to_string();
        let cache = tempfile::tempdir().unwrap();
        let repository = Repository::open(cache.path(), &url, Credentials::default()).unwrap();
        let head = match repository.fetch("main") {
            Ok(head) => head,
            Err(error) => return format!("git, at the fetch: {error}"),
        };
        match repository.tree(&head) {
            Ok(tree) => verdict(&tree),
            Err(error) => format!("git: {error}"),
        }
    }
}

fn named(name: &'static str, odd: impl AsRef<[u8]>) -> (&'static str, String) {
    let remote = Remote::new();
    let blob = remote.blob(b"x");
    (name, remote.verdict(remote.with(vec![("100644", odd.as_ref().to_vec(), blob)])))
}

fn two(name: &'static str, first: &str, second: &str) -> (&'static str, String) {
    let remote = Remote::new();
    let blob = remote.blob(b"x");
    let entry = |name: &str| ("100644", name.as_bytes().to_vec(), blob);
    (name, remote.verdict(remote.with(vec![entry(first), entry(second)])))
}

fn of_mode(name: &'static str, mode: &'static str, id: impl Fn(&Remote) -> Oid) -> (&'static str, String) {
    let remote = Remote::new();
    let odd = (mode, b"odd".to_vec(), id(&remote));
    (name, remote.verdict(remote.with(vec![odd])))
}

#[test]
fn a_name_that_no_checkout_could_keep_is_refused() {
    let long = "x".repeat(300);
    let cases = [
        named("the folder above", ".."),
        named("this folder", "."),
        named("no name", ""),
        named("git's folder", ".git"),
        named("git's folder in capitals", ".GIT"),
        named("git's folder by its short name", "git~1"),
        named("git's folder with a dot that Windows drops", ".git."),
        named("git's folder with a space that Windows drops", ".git "),
        named("git's folder as a stream", ".git::$INDEX_ALLOCATION"),
        named("git's folder with an invisible letter", ".g\u{200c}it"),
        named("a slash", "../../etc/passwd"),
        named("a backslash", "..\\..\\x"),
        named("not UTF-8", b"\xff\xfe"),
        named("a newline", "a\nb"),
        named("an escape sequence", "a\u{1b}[2Jb"),
        named("a name that turns the line around", "a\u{202e}lmay.b"),
        named("a BOM", "\u{feff}account.yaml"),
        named("a device", "con"),
        named("a device with an extension", "NUL.yaml"),
        named("a device with a number", "com1.txt"),
        named("a printer", "LPT9"),
        named("a stream", "account.yaml:x"),
        named("a wildcard", "*.yaml"),
        named("a question mark", "what?"),
        named("a dot at the end", "x."),
        named("a space at the end", "x "),
        named("a space at the beginning", " x"),
        named("a combining mark", "e\u{301}.yaml"),
        named("a name too long for a file system", &long),
        two("two that differ in case", "Readme.md", "README.md"),
        two("two, one of them small", "README.md", "readme.md"),
        two("two that differ in the case of another script", "\u{44f}", "\u{42f}"),
        two("the same name twice", "same", "same"),
    ];
    insta::assert_snapshot!(table(cases), @r##"
    the folder above | git: `accounts/one/..` cannot be read: it is not a name
    this folder | git: `accounts/one/.` cannot be read: it is not a name
    no name | git, at the fetch: the local git cache failed: failed to parse tree: can't parse filename
    git's folder | git: `accounts/one/.git` cannot be read: it is git's own folder
    git's folder in capitals | git: `accounts/one/.GIT` cannot be read: it is git's own folder
    git's folder by its short name | file-name: accounts/one/git~1: `git~1` is git's own folder on some systems
    git's folder with a dot that Windows drops | file-name: accounts/one/.git.: `.git.` is git's own folder on some systems
    git's folder with a space that Windows drops | file-name: accounts/one/.git : `.git ` is git's own folder on some systems
    git's folder as a stream | file-name: accounts/one/.git::$INDEX_ALLOCATION: `.git::$INDEX_ALLOCATION` is git's own folder on some systems
    git's folder with an invisible letter | file-name: accounts/one/.g\u{200c}it: the name `.g\u{200c}it` holds the invisible character \u{200c}
    a slash | git: `accounts/one/../../etc/passwd` cannot be read: its name holds a separator
    a backslash | git: `accounts/one/..\..\x` cannot be read: its name holds a separator
    not UTF-8 | git: `accounts/one/��` cannot be read: its name is not UTF-8
    a newline | file-name: accounts/one/a b: the name `a\nb` holds the invisible character \u{a}
    an escape sequence | file-name: accounts/one/a [2Jb: the name `a\u{1b}[2Jb` holds the invisible character \u{1b}
    a name that turns the line around | file-name: accounts/one/a lmay.b: the name `a\u{202e}lmay.b` holds the invisible character \u{202e}
    a BOM | file-name: accounts/one/\u{feff}account.yaml: the name `\u{feff}account.yaml` holds the invisible character \u{feff}
    a device | file-name: accounts/one/con: `con` is a device on Windows
    a device with an extension | file-name: accounts/one/NUL.yaml: `NUL.yaml` is a device on Windows
    a device with a number | file-name: accounts/one/com1.txt: `com1.txt` is a device on Windows
    a printer | file-name: accounts/one/LPT9: `LPT9` is a device on Windows
    a stream | file-name: accounts/one/account.yaml:x: the name `account.yaml:x` holds `:`, which Windows cannot keep
    a wildcard | file-name: accounts/one/*.yaml: the name `*.yaml` holds `*`, which Windows cannot keep
    a question mark | file-name: accounts/one/what?: the name `what?` holds `?`, which Windows cannot keep
    a dot at the end | file-name: accounts/one/x.: the name `x.` begins or ends with a space or a dot
    a space at the end | file-name: accounts/one/x : the name `x ` begins or ends with a space or a dot
    a space at the beginning | file-name: accounts/one/ x: the name ` x` begins or ends with a space or a dot
    a combining mark | file-name: accounts/one/e\u{301}.yaml: the name `e\u{301}.yaml` holds a combining mark
    a name too long for a file system | file-name: accounts/one/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
    two that differ in case | file-name: accounts/one/Readme.md: `accounts/one/Readme.md` and `accounts/one/README.md` differ in nothing but case
    two, one of them small | file-name: accounts/one/README.md: `accounts/one/README.md` and `accounts/one/readme.md` differ in nothing but case
    two that differ in the case of another script | file-name: accounts/one/Я: `accounts/one/Я` and `accounts/one/я` differ in nothing but case (and 1 more)
    the same name twice | git: `accounts/one/same` cannot be read: its folder has it twice
    "##);
}

#[test]
fn a_usual_name_is_nobodys_business() {
    let cases = [
        named("hidden", ".gitkeep"),
        named("read me", "README.md"),
        named("another script", "\u{dc}bersicht.md"),
        named("almost a device", "console.md"),
        named("a space inside", "read me.md"),
        two("two that differ in more than case", "README.md", "readme.txt"),
    ];
    insta::assert_snapshot!(table(cases), @r##"
    hidden | loads
    read me | loads
    another script | loads
    almost a device | loads
    a space inside | loads
    two that differ in more than case | loads
    "##);
}

#[test]
fn an_entry_that_is_no_file_is_refused() {
    let cases = [
        of_mode("a link to the machine", "120000", |remote| remote.blob(b"/etc/passwd")),
        of_mode("a link upwards", "120000", |remote| remote.blob(b"../two/account.yaml")),
        of_mode("a link to itself", "120000", |remote| remote.blob(b"odd")),
        of_mode("an empty link", "120000", |remote| remote.blob(b"")),
        of_mode("a submodule", "160000", |_| Oid::from_str(&"1".repeat(40)).unwrap()),
        of_mode("a mode nobody knows", "100666", |remote| remote.blob(b"x")),
        of_mode("a file that says it is a folder", "40000", |remote| remote.blob(b"x")),
        of_mode("a folder that says it is a file", "100644", |remote| remote.raw_tree(&[])),
        of_mode("an empty folder", "40000", |remote| remote.raw_tree(&[])),
        of_mode("a blob that is not there", "100644", |_| Oid::from_str(&"2".repeat(40)).unwrap()),
    ];
    insta::assert_snapshot!(table(cases), @r##"
    a link to the machine | file-kind: accounts/one/odd: a symbolic link
    a link upwards | file-kind: accounts/one/odd: a symbolic link
    a link to itself | file-kind: accounts/one/odd: a symbolic link
    an empty link | file-kind: accounts/one/odd: a symbolic link
    a submodule | file-kind: accounts/one/odd: a submodule
    a mode nobody knows | loads
    a file that says it is a folder | git, at the fetch: the local git cache failed: the requested type does not match the type in the ODB
    a folder that says it is a file | loads
    an empty folder | loads
    a blob that is not there | git, at the fetch: the local git cache failed: object not found - cannot read header for (2222222222222222222222222222222222222222)
    "##);
}

#[test]
fn a_root_that_is_no_folder_is_refused() {
    let remote = Remote::new();
    let root = |name: &'static str, mode: &'static str, id: Oid| {
        let organization = remote.blob(ORGANIZATION.as_bytes());
        let organization = remote.raw_tree(&[("100644", b"organization.yaml".to_vec(), organization)]);
        let root = remote
            .raw_tree(&[(mode, b"accounts".to_vec(), id), ("40000", b"organization".to_vec(), organization)]);
        (name, remote.verdict(root))
    };
    let cases = [
        root("accounts are a link", "120000", remote.blob(b"/")),
        root("accounts are a file", "100644", remote.blob(b"x")),
        root("accounts are a submodule", "160000", Oid::from_str(&"1".repeat(40)).unwrap()),
        root("accounts are empty", "40000", remote.raw_tree(&[])),
        ("nothing at all", remote.verdict(remote.raw_tree(&[]))),
    ];
    insta::assert_snapshot!(table(cases), @r##"
    accounts are a link | file-kind: accounts: a symbolic link (and 1 more)
    accounts are a file | missing-file: accounts: there is no account folder
    accounts are a submodule | file-kind: accounts: a submodule (and 1 more)
    accounts are empty | missing-file: accounts: there is no account folder
    nothing at all | missing-file: accounts: there is no account folder (and 1 more)
    "##);
}
