//! What files can say: names, references, expressions and templates that are meant to reach further than they may.

use super::*;

fn more(name: &'static str, lines: impl AsRef<str>) -> (&'static str, String) {
    (name, verdict(&repository(&[(ACCOUNT, format!("{ONE}{}", lines.as_ref()).as_bytes())])))
}

fn stack(name: &'static str, inside: &str) -> (&'static str, String) {
    more(name, format!("stacks:\n  net:\n    {inside}\n"))
}

fn template(name: &'static str, text: impl AsRef<[u8]>) -> (&'static str, String) {
    let account = format!("{ONE}stacks: {{net: {{template: net.template.yaml}}}}\n");
    let changes = [(ACCOUNT, account.as_bytes()), ("accounts/one/net.template.yaml", text.as_ref())];
    (name, verdict(&repository(&changes)))
}

fn value(name: &'static str, expression: &str) -> (&'static str, String) {
    let text = serde_json::to_string(&format!("${{{{ {expression} }}}}")).unwrap();
    more(name, format!("values: {{A: {text}}}\n"))
}

#[test]
fn a_file_names_nothing_outside_its_folder() {
    let cases = [
        stack("the folder above", "template: ../two/net.template.yaml"),
        stack("the folder above, in the middle", "template: a/../../two/net.template.yaml"),
        stack("this folder", "template: ./net.template.yaml"),
        stack("the root of the machine", "template: /etc/passwd"),
        stack("a drive", "template: \"C:\\\\net.template.yaml\""),
        stack("a share", "template: \"\\\\\\\\host\\\\share\""),
        stack("an address", "template: https://example.com/net.template.yaml"),
        stack("a name with NUL", "template: \"net\\0.template.yaml\""),
        stack("an empty name", "template: \"\""),
        stack("itself", "template: account.yaml"),
        stack("another letter that looks the same", "template: n\u{435}t.template.yaml"),
        more("metadata of another folder", "settings: {samlProviders: {A: {metadata: ../x.xml}}}\n"),
        more(
            "an OU that climbs",
            "tags: {a: b}\nmode: report\nvalues: {A: {b: ../..}}\nadopt: [\"../..\"]\n",
        ),
    ];
    insta::assert_snapshot!(table(cases), @r##"
    the folder above | template-path: accounts/one/account.yaml:6:15: the template `../two/net.template.yaml` is not in this folder
    the folder above, in the middle | template-path: accounts/one/account.yaml:6:15: the template `a/../../two/net.template.yaml` is not in this folder
    this folder | template-path: accounts/one/account.yaml:6:15: the template `./net.template.yaml` is not in this folder
    the root of the machine | template-path: accounts/one/account.yaml:6:15: the template `/etc/passwd` is not in this folder
    a drive | template-path: accounts/one/account.yaml:6:15: the template `C:\net.template.yaml` is not in this folder
    a share | template-path: accounts/one/account.yaml:6:15: the template `\\host\share` is not in this folder
    an address | template-path: accounts/one/account.yaml:6:15: the template `https://example.com/net.template.yaml` is not in this folder
    a name with NUL | missing-file: accounts/one/account.yaml:6:15: there is no template accounts/one/net .template.yaml
    an empty name | template-path: accounts/one/account.yaml:6:15: the template `` is not in this folder
    itself | template: accounts/one/account.yaml:1:1: not a CloudFormation template: it has no `Resources`
    another letter that looks the same | missing-file: accounts/one/account.yaml:6:15: there is no template accounts/one/nеt.template.yaml
    metadata of another folder | template-path: accounts/one/account.yaml:4:42: the metadata `../x.xml` is not in this folder
    an OU that climbs | adopt: accounts/one/account.yaml:7:9: `../..` is nothing that can be adopted
    "##);
}

#[test]
fn an_expression_can_neither_look_around_nor_grow() {
    let cases = [
        value("a file", "open('/etc/passwd')"),
        value("the environment", "env.HOME"),
        value("an include", "include('x')"),
        value("an attribute of Python", "''.__class__.__mro__"),
        value("a method", "values.items()"),
        value("a statement", "% set a = 1 %"),
        value("a million items", "range(1000000)"),
        value("a million items as a text", "range(1000000) | join"),
        value("a list multiplied", "[0] * 1000000000"),
        value("a text multiplied", "'x' * 1000000000"),
        value("a power", "9 ** 9 ** 9 ** 9"),
        value("division by zero", "1 // 0"),
        value("a number beyond all bounds", "170141183460469231731687303715884105727 + 1"),
        value("parentheses, ten thousand deep", &("(".repeat(10_000) + "1" + &")".repeat(10_000))),
        value("lists, ten thousand deep", &("[".repeat(10_000) + &"]".repeat(10_000))),
        value("ten thousand minus signs", &("-".repeat(10_000) + "1")),
        value("a chain of ten thousand filters", &("1".to_owned() + &"|abs".repeat(10_000))),
        value("a filter that is not there", "1 | shell"),
        value("a call of a call", "range(1)(1)"),
        value("an account that is not there", "accounts['nobody'].email"),
        value("itself", "values.A"),
        value("nothing", ""),
        value("a brace too many", "}"),
        more("an expression that is not closed", "values: {A: \"${{ 1\"}\n"),
        more(
            "a hundred thousand that are not closed",
            format!("values: {{A: \"{}\"}}\n", "${{".repeat(100_000)),
        ),
    ];
    insta::assert_snapshot!(table(cases), @r##"
    a file | expression: accounts/one/account.yaml:4:13: the expression `open('/etc/passwd')` does not work: open is unknown
    the environment | expression: accounts/one/account.yaml:4:13: `env.HOME` has no value here
    an include | expression: accounts/one/account.yaml:4:13: the expression `include('x')` does not work: include is unknown
    an attribute of Python | expression: accounts/one/account.yaml:4:13: `''.__class__.__mro__` has no value here
    a method | expression: accounts/one/account.yaml:4:13: the expression `values.items()` does not work: undefined has no method named items
    a statement | expression: accounts/one/account.yaml:4:13: the expression `% set a = 1 %` does not work: unexpected `%`
    a million items | expression: accounts/one/account.yaml:4:13: the expression `range(1000000)` does not work: range has too many elements
    a million items as a text | expression: accounts/one/account.yaml:4:13: the expression `range(1000000) | join` does not work: range has too many elements
    a list multiplied | expression: accounts/one/account.yaml:4:13: the expression `[0] * 1000000000` multiplies, which is not available
    a text multiplied | expression: accounts/one/account.yaml:4:13: the expression `'x' * 1000000000` multiplies, which is not available
    a power | expression: accounts/one/account.yaml:4:13: the expression `9 ** 9 ** 9 ** 9` multiplies, which is not available
    division by zero | expression: accounts/one/account.yaml:4:13: the expression `1 // 0` does not work: unable to calculate 1 // 0
    a number beyond all bounds | expression: accounts/one/account.yaml:4:13: `170141183460469231731687303715884105727 + 1` is not plain data
    parentheses, ten thousand deep | expression: accounts/one/account.yaml:4:13: an expression of 20003 letters, and 1000 are allowed
    lists, ten thousand deep | expression: accounts/one/account.yaml:4:13: an expression of 20002 letters, and 1000 are allowed
    ten thousand minus signs | expression: accounts/one/account.yaml:4:13: an expression of 10003 letters, and 1000 are allowed
    a chain of ten thousand filters | expression: accounts/one/account.yaml:4:13: an expression of 40003 letters, and 1000 are allowed
    a filter that is not there | expression: accounts/one/account.yaml:4:13: the expression `1 | shell` does not work: filter shell is unknown
    a call of a call | expression: accounts/one/account.yaml:4:13: the expression `range(1)(1)` does not work: object is not callable
    an account that is not there | expression: accounts/one/account.yaml:4:13: `accounts['nobody'].email` has no value here
    itself | expression: accounts/one/account.yaml:4:13: `values.A` has no value here
    nothing | expression: accounts/one/account.yaml:4:13: the expression `` does not work: unexpected end of input, expected expression
    a brace too many | expression: accounts/one/account.yaml:4:13: the expression `}` does not work: unexpected `}`
    an expression that is not closed | expression: accounts/one/account.yaml:4:13: `${{ 1` is not closed
    a hundred thousand that are not closed | expression: accounts/one/account.yaml:4:13: `${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${{${…
    "##);
}

#[test]
fn a_template_that_is_none_is_refused() {
    let deep = |n: usize| "{\"a\":".repeat(n) + "1" + &"}".repeat(n);
    let aliases = vec!["*a"; 60].join(", ");
    let cases = [
        template("empty", ""),
        template("not UTF-8", b"Resources: \xff"),
        template("NUL", "Resources:\n  A: {Type: \"\0\"}\n"),
        template("no resources", "Parameters: {}\n"),
        template("resources that are a list", "Resources: []\n"),
        template("a key twice", "Resources:\n  A: {Type: X}\n  A: {Type: Y}\n"),
        template("a function nobody knows", "Resources:\n  A: {Type: !Exec rm}\n"),
        template("a tag of Python", "Resources:\n  A: !!python/object:os.system {Type: X}\n"),
        template("a merge key", "a: &a {Type: X}\nResources:\n  A: {<<: *a}\n"),
        template("too deep", format!("{{\"Resources\": {}}}", deep(100))),
        template("far too deep", format!("{{\"Resources\": {}}}", deep(9_000))),
        template(
            "an alias bomb",
            format!(
                "a: &a \"{}\"\nResources: {{A: {{Type: T, Metadata: [{aliases}]}}}}\n",
                "x".repeat(40_000)
            ),
        ),
        template("two documents", format!("{TEMPLATE}---\n{TEMPLATE}")),
        template("XML", "<Resources/>\n"),
        template("one byte too long", format!("{TEMPLATE}#{}", "x".repeat(51_200 - TEMPLATE.len()))),
        template("an account file", ONE),
    ];
    insta::assert_snapshot!(table(cases), @r##"
    empty | template: accounts/one/net.template.yaml:1:1: not a CloudFormation template: it has no `Resources`
    not UTF-8 | encoding: accounts/one/net.template.yaml: not UTF-8 from byte 11 on
    NUL | template: accounts/one/net.template.yaml:2:14: unexpected character: `\u{0}'
    no resources | template: accounts/one/net.template.yaml:1:1: not a CloudFormation template: it has no `Resources`
    resources that are a list | template: accounts/one/net.template.yaml:1:1: not a CloudFormation template: it has no `Resources`
    a key twice | template: accounts/one/net.template.yaml:3:3: duplicate key `A`
    a function nobody knows | template: accounts/one/net.template.yaml:2:13: `!Exec` is not a CloudFormation function
    a tag of Python | template: accounts/one/net.template.yaml:2:6: `!!python/object:os.system` is not a CloudFormation function
    a merge key | template: accounts/one/net.template.yaml:3:7: merge keys (`<<`) are not supported
    too deep | template: accounts/one/net.template.yaml:1:330: nested more than 64 deep
    far too deep | file-size: accounts/one/net.template.yaml: the file has 54016 bytes, and 51200 are allowed
    an alias bomb | loads
    two documents | template: accounts/one/net.template.yaml:5:1: a second document in one file
    XML | template: accounts/one/net.template.yaml:1:1: not a CloudFormation template: it has no `Resources`
    one byte too long | file-size: accounts/one/net.template.yaml: the file has 51201 bytes, and 51200 are allowed
    an account file | template: accounts/one/net.template.yaml:1:1: not a CloudFormation template: it has no `Resources`
    "##);
}

#[test]
fn an_ou_is_never_another_one_by_a_trick_of_its_name() {
    let deny =
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}"#;
    let ous = |name: &'static str, ous: &str| {
        let text = ORGANIZATION.replace("{workloads: {}}", ous) + "policies: [deny]\n";
        let organization = ("organization/organization.yaml", text.as_bytes());
        let policy = ("organization/policies/service-control-policy/deny.json", deny.as_bytes());
        (name, verdict(&repository(&[organization, policy])))
    };
    let cases = [
        ous("as usual", "{workloads: {}}"),
        ous("the root by an empty name", "{workloads: {}, \"\": {policies: []}}"),
        ous("an OU by an empty name in it", "{workloads: {ous: {\"\": {policies: [deny]}}}}"),
        ous("the root by a slash", "{workloads: {}, /: {policies: []}}"),
        ous("an OU below by a slash", "{workloads: {}, workloads/prod: {}}"),
        ous("the same with a space", "{workloads: {}, \"workloads \": {}}"),
        ous("nothing but a space", "{workloads: {}, \" \": {}}"),
    ];
    insta::assert_snapshot!(table(cases), @r##"
    as usual | loads
    the root by an empty name | identifier: organization/organization.yaml:4:22: an OU below `/` has no name
    an OU by an empty name in it | identifier: organization/organization.yaml:4:25: an OU below `/workloads` has no name
    the root by a slash | identifier: organization/organization.yaml:4:22: `/` cannot be an OU below `/`
    an OU below by a slash | identifier: organization/organization.yaml:4:22: `workloads/prod` cannot be an OU below `/`
    the same with a space | identifier: organization/organization.yaml:4:22: `workloads ` cannot be an OU below `/`
    nothing but a space | identifier: organization/organization.yaml:4:22: ` ` cannot be an OU below `/`
    "##);
}

#[test]
fn names_that_aws_or_a_terminal_would_choke_on_are_refused() {
    let long = "x".repeat(200_000);
    let cases = [
        more("a long tag", format!("tags: {{a: {long}}}\n")),
        more("forty-nine tags", (0..49).fold("tags:\n".to_owned(), |text, n| text + &format!("  t{n}: x\n"))),
        more("a tag that is ours", "tags: {\"landfast:owner\": x}\n"),
        more("a tag that is AWS's", "tags: {\"AWS:x\": x}\n"),
        more("a tag with a newline", "tags: {a: \"b\\nc\"}\n"),
        more("a tag that turns the line around", "tags: {a: \"b\u{202e}c\"}\n"),
        more("a long alias", format!("settings: {{accountAlias: {}}}\n", "x".repeat(64))),
        more("an alias with a script", "settings: {accountAlias: \"<script>\"}\n"),
        more("a mode nobody knows", "mode: \"enforce\u{200b}\"\n"),
        more("a key with an invisible letter", "mo\u{200b}de: enforce\n"),
        more("a key that looks the same", "m\u{43e}de: enforce\n"),
        more("a long key", format!("{}: 1\n", "k".repeat(1_000))),
        more("a stack name that climbs", "stacks: {\"../x\": {template: net.template.yaml}}\n"),
        more("a stack name with a newline", "stacks: {\"a\\nb\": {template: net.template.yaml}}\n"),
        more(
            "a region nobody can sign for",
            "stacks: {net: {template: net.template.yaml, regions: [\"eu-west-1.evil.example\"]}}\n",
        ),
        more("a role of another account", "access: {role: \"arn:aws:iam::111122223333:role/x\"}\n"),
        more("a role that climbs", "access: {role: \"../x\"}\n"),
    ];
    insta::assert_snapshot!(table(cases), @r##"
    a long tag | tag: accounts/one/account.yaml:4:11: the tag `a` is not within 1 to 128 characters for the key and 256 for the value
    forty-nine tags | tag: accounts/one/account.yaml:14:7: more than 48 tags
    a tag that is ours | tag: accounts/one/account.yaml:4:26: the tag `landfast:owner` is reserved
    a tag that is AWS's | tag: accounts/one/account.yaml:4:17: the tag `AWS:x` is reserved
    a tag with a newline | tag: accounts/one/account.yaml:4:11: the tag `a` holds ` `, which AWS does not take
    a tag that turns the line around | tag: accounts/one/account.yaml:4:11: the tag `a` holds ` `, which AWS does not take
    a long alias | setting: accounts/one/account.yaml:4:26: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` cannot be an account alias
    an alias with a script | setting: accounts/one/account.yaml:4:26: `<script>` cannot be an account alias
    a mode nobody knows | unknown-name: accounts/one/account.yaml:4:7: `enforce\u{200b}` is not a mode
    a key with an invisible letter | unknown-key: accounts/one/account.yaml:4:1: unknown key `mo\u{200b}de`
    a key that looks the same | unknown-key: accounts/one/account.yaml:4:1: unknown key `mоde`
    a long key | unknown-key: accounts/one/account.yaml:4:1: unknown key `kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…
    a stack name that climbs | identifier: accounts/one/account.yaml:4:10: `../x` is not a stack name (letters, digits and hyphens, starting with a letter, at most 128)
    a stack name with a newline | identifier: accounts/one/account.yaml:4:10: `a b` is not a stack name (letters, digits and hyphens, starting with a letter, at most 128)
    a region nobody can sign for | unknown-name: accounts/one/account.yaml:4:54: `eu-west-1.evil.example` is neither a region code nor a group of regions
    a role of another account | identifier: accounts/one/account.yaml:4:16: `arn:aws:iam::111122223333:role/x` is not an IAM role name
    a role that climbs | identifier: accounts/one/account.yaml:4:16: `../x` is not an IAM role name
    "##);
}
