//! What a YAML file can hold: bytes, shapes and traps of YAML itself.

use super::*;

/// The account's file as a whole.
fn file(name: &'static str, bytes: impl AsRef<[u8]>) -> (&'static str, String) {
    (name, verdict(&repository(&[(ACCOUNT, bytes.as_ref())])))
}

/// Lines after a sound account file.
fn more(name: &'static str, lines: impl AsRef<str>) -> (&'static str, String) {
    file(name, format!("{ONE}{}", lines.as_ref()))
}

fn bomb(levels: usize, width: usize) -> String {
    let mut text = String::from("values:\n  a0: &a0 [x, x]\n");
    for level in 1..levels {
        let below = vec![format!("*a{}", level - 1); width].join(", ");
        writeln!(text, "  a{level}: &a{level} [{below}]").unwrap();
    }
    text
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { ONE.encode_utf16().flat_map(bytes).collect() };
    let cases = [
        file("empty", ""),
        file("spaces only", "  \n\n"),
        file("a comment only", "# nothing\n"),
        file("NUL alone", "\0"),
        more("NUL in a text", "values: {a: \"x\0y\"}\n"),
        more("NUL in a comment", "# \0\n"),
        more("an escaped NUL", "values: {a: \"x\\0y\"}\n"),
        more("a character that no text holds", "values: {a: \"x\u{fdd0}y\"}\n"),
        more("the same, escaped, in a key", "tags: {\"\\uFDD1\": y}\n"),
        more("the same, made by an expression", "values: {a: \"${{ '\\\\ufdd0two\\\\ufdd1' }}\"}\n"),
        more("escape sequence of a terminal", "values: {a: \"\u{1b}[2J\"}\n"),
        file("UTF-16, little end first", utf16(u16::to_le_bytes)),
        file("UTF-16, big end first", utf16(u16::to_be_bytes)),
        file("Latin-1", b"name: J\xfcrgen\n"),
        file("an overlong slash", b"name: \xc0\xaf\n"),
        file("half a surrogate pair", b"name: \xed\xa0\x80\n"),
        file("cut off within a letter", b"name: \xe2\x82"),
        file("gzip", b"\x1f\x8b\x08\0\0\0\0\0"),
        file("an ELF file", b"\x7fELF\x02\x01\x01\0"),
        file("BOM twice", format!("\u{feff}\u{feff}{ONE}")),
        more("BOM in the middle", "\u{feff}values: {a: b}\n"),
        file("HTML of an error page", "<!DOCTYPE html><html><body>404: Not Found</body></html>\n"),
        file("marks of a conflict", "<<<<<<< HEAD\nname: One\n=======\nname: Two\n>>>>>>> other\n"),
        file(
            "a pointer of Git LFS",
            "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        ),
    ];
    insta::assert_snapshot!(table(cases), @r##"
    empty | shape: accounts/one/account.yaml:1:1: expected a map, found nothing
    spaces only | shape: accounts/one/account.yaml:1:1: expected a map, found nothing
    a comment only | shape: accounts/one/account.yaml:1:1: expected a map, found nothing
    NUL alone | yaml: accounts/one/account.yaml:1:1: unexpected character: `\u{0}'
    NUL in a text | yaml: accounts/one/account.yaml:4:15: unexpected character: `\u{0}'
    NUL in a comment | yaml: accounts/one/account.yaml:4:3: unexpected character: `\u{0}'
    an escaped NUL | loads
    a character that no text holds | yaml: accounts/one/account.yaml:4:13: a character that no text holds (U+FDD0)
    the same, escaped, in a key | yaml: accounts/one/account.yaml:4:8: a character that no text holds (U+FDD1)
    the same, made by an expression | expression: accounts/one/account.yaml:4:13: the expression `'\ufdd0two\ufdd1'` makes a character that no text holds
    escape sequence of a terminal | yaml: accounts/one/account.yaml:4:14: unexpected character: `\u{1b}'
    UTF-16, little end first | yaml: accounts/one/account.yaml:1:2: unexpected character: `\u{0}'
    UTF-16, big end first | yaml: accounts/one/account.yaml:1:1: unexpected character: `\u{0}'
    Latin-1 | encoding: accounts/one/account.yaml: not UTF-8 from byte 7 on
    an overlong slash | encoding: accounts/one/account.yaml: not UTF-8 from byte 6 on
    half a surrogate pair | encoding: accounts/one/account.yaml: not UTF-8 from byte 6 on
    cut off within a letter | encoding: accounts/one/account.yaml: not UTF-8 from byte 6 on
    gzip | encoding: accounts/one/account.yaml: not UTF-8 from byte 1 on
    an ELF file | yaml: accounts/one/account.yaml:1:1: unexpected character: `\u{7f}'
    BOM twice | loads
    BOM in the middle | yaml: accounts/one/account.yaml:4:1: a BOM must not appear inside a document
    HTML of an error page | missing-key: accounts/one/account.yaml:1:1: the key `name` is missing (and 2 more)
    marks of a conflict | yaml: accounts/one/account.yaml:2:5: mapping values are not allowed in this context
    a pointer of Git LFS | shape: accounts/one/account.yaml:1:1: expected a map, found `version https://git-lfs.github.com/spec/v1 oid sha256:4d7a size 12345`
    "##);
}

#[test]
fn what_only_looks_odd_is_read_as_it_looks() {
    let tabs = ONE.replace("name: One", "name:\tOne");
    let cases = [
        file("BOM", format!("\u{feff}{ONE}")),
        file("CRLF", ONE.replace('\n', "\r\n")),
        file("a lone CR at each end", ONE.replace('\n', "\r")),
        file("no newline at the end", ONE.trim_end()),
        file("a tab before a value", tabs),
        file("JSON", "{\"name\": \"One\", \"email\": \"one@example.com\", \"ou\": \"/workloads\"}"),
        file("three dashes at the top", format!("---\n{ONE}")),
        file("three dots at the end", format!("{ONE}...\n")),
        more("`no` is a text", "tags: {env: no}\n"),
        more("sexagesimal is a text", "values: {At: 12:30:45}\n"),
        more("octal is a text", "tags: {env: 0755}\n"),
        more("a hexadecimal number is a text", "values: {Mask: 0x1F}\n"),
        more("infinity is a text", "values: {A: .inf, B: .nan}\n"),
        more("a date is a text", "values: {Day: 2026-01-01}\n"),
        more("an alias that is used twice", "values: {a: &a {b: c}, d: *a, e: *a}\n"),
    ];
    insta::assert_snapshot!(table(cases), @r##"
    BOM | loads
    CRLF | loads
    a lone CR at each end | loads
    no newline at the end | loads
    a tab before a value | loads
    JSON | loads
    three dashes at the top | loads
    three dots at the end | loads
    `no` is a text | loads
    sexagesimal is a text | loads
    octal is a text | loads
    a hexadecimal number is a text | loads
    infinity is a text | loads
    a date is a text | loads
    an alias that is used twice | loads
    "##);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn traps_of_yaml_are_refused() {
    let deep = "[".repeat(100) + &"]".repeat(100);
    let flow = "{a: ".repeat(100) + &"}".repeat(100);
    let block = (0..70).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<Vec<_>>().concat();
    let values = |inside: &str| format!("values: {inside}\n");
    let cases = [
        more("a key twice", "ou: /\n"),
        more("a key twice, once in quotes", "\"ou\": /\n"),
        more("a key twice in a flow map", "values: {a: 1, a: 2}\n"),
        more("a key twice by an escape", "\"\\x6fu\": /\n"),
        more("a merge key", "values: {a: &a {b: 1}, c: {<<: *a}}\n"),
        more("a merge key over a list", "values: {a: &a {b: 1}, c: {<<: [*a, *a]}}\n"),
        more("an alias bomb", bomb(30, 10)),
        more("a narrow alias bomb", bomb(40, 2)),
        more("an alias to itself", "values: {a: &a [*a]}\n"),
        more("an alias to nothing", "values: {a: *b}\n"),
        more("an alias as a key", "values: {a: &a x, *a : y}\n"),
        more("lists, a hundred deep", values(&deep)),
        more("maps, a hundred deep", values(&flow)),
        more("maps, seventy deep, by indentation", values(&format!("\n{block}"))),
        more("a hundred thousand brackets", values(&"[".repeat(100_000))),
        more(
            "a hundred thousand keys",
            (0..100_001).map(|n| format!("k{n}: 1\n")).collect::<Vec<_>>().concat(),
        ),
        more("a list as a key", "values: {[a]: b}\n"),
        more("a map as a key", "values: {? {a: b} : c}\n"),
        more("an empty key", "values: {\"\": b}\n"),
        more("a number as a key", "1: b\n"),
        more("null as a key", "~: b\n"),
        more("a second document", "---\nname: Two\n"),
        file("a list in the place of a map", "- name: One\n"),
        file("a text in the place of a map", "One\n"),
        more("a tab as indentation", "values:\n\ta: b\n"),
        more("a tag of Python", "values: {a: !!python/object/apply:os.system [id]}\n"),
        more("a tag of CloudFormation", "values: {a: !Ref b}\n"),
        more("a tag of ours", "tags: !!set {a, b}\n"),
        more("binary", "values: {a: !!binary R0lGODlhDAAMAIQAAP}\n"),
        more("a directive", "%YAML 9.9\n---\na: b\n"),
        more("a brace that stays open", "values: {a: b\n"),
        more("a quote that stays open", "values: {a: \"b}\n"),
        more("a text in a block that never ends", format!("values:\n  a: |\n{}", "    x\n".repeat(20_000))),
        more("`yes` for a flag", "settings: {passwordPolicy: {requireSymbols: yes}}\n"),
        more("`on` for a flag", "settings: {passwordPolicy: {requireSymbols: on}}\n"),
        more("`True` for a flag", "settings: {passwordPolicy: {requireSymbols: True}}\n"),
        more("a flag in quotes", "settings: {passwordPolicy: {requireSymbols: \"true\"}}\n"),
        more("an octal number", "settings: {passwordPolicy: {minimumLength: 014}}\n"),
        more("a hexadecimal number", "settings: {passwordPolicy: {minimumLength: 0x0e}}\n"),
        more("a number with a sign", "settings: {passwordPolicy: {minimumLength: +14}}\n"),
        more("a number with a point", "settings: {passwordPolicy: {minimumLength: 14.0}}\n"),
        more("a number with an exponent", "settings: {passwordPolicy: {minimumLength: 1e1}}\n"),
        more("a number with underscores", "settings: {passwordPolicy: {minimumLength: 1_4}}\n"),
        more("a sexagesimal number", "settings: {passwordPolicy: {minimumLength: 1:4}}\n"),
        more("a number in other digits", "settings: {passwordPolicy: {minimumLength: ١٤}}\n"),
        more(
            "a number beyond all bounds",
            "settings: {passwordPolicy: {minimumLength: 99999999999999999999}}\n",
        ),
        more("an account id without quotes", "id: 012345678901\n"),
        more("an account id that lost its zero", "id: 12345678901\n"),
        more("an account id in other digits", "id: \"٠١٢٣٤٥٦٧٨٩٠١\"\n"),
    ];
    insta::assert_snapshot!(table(cases), @r##"
    a key twice | yaml: accounts/one/account.yaml:4:1: duplicate key `ou`
    a key twice, once in quotes | yaml: accounts/one/account.yaml:4:1: duplicate key `ou`
    a key twice in a flow map | yaml: accounts/one/account.yaml:4:16: duplicate key `a`
    a key twice by an escape | yaml: accounts/one/account.yaml:4:1: duplicate key `ou`
    a merge key | yaml: accounts/one/account.yaml:4:28: merge keys (`<<`) are not supported
    a merge key over a list | yaml: accounts/one/account.yaml:4:28: merge keys (`<<`) are not supported
    an alias bomb | yaml: accounts/one/account.yaml:10:22: more than 100000 values in one file, 64 bytes of text counted as one
    a narrow alias bomb | yaml: accounts/one/account.yaml:19:20: more than 100000 values in one file, 64 bytes of text counted as one
    an alias to itself | yaml: accounts/one/account.yaml:4:17: an alias inside the very thing it stands for
    an alias to nothing | yaml: accounts/one/account.yaml:4:13: while parsing node, found unknown anchor
    an alias as a key | loads
    lists, a hundred deep | yaml: accounts/one/account.yaml:4:72: nested more than 64 deep
    maps, a hundred deep | yaml: accounts/one/account.yaml:4:261: nested more than 64 deep
    maps, seventy deep, by indentation | yaml: accounts/one/account.yaml:69:65: nested more than 64 deep
    a hundred thousand brackets | yaml: accounts/one/account.yaml:4:264: recursion limit exceeded
    a hundred thousand keys | yaml: accounts/one/account.yaml:50000:9: more than 100000 values in one file, 64 bytes of text counted as one
    a list as a key | yaml: accounts/one/account.yaml:4:10: a key that is not a text
    a map as a key | yaml: accounts/one/account.yaml:4:12: a key that is not a text
    an empty key | loads
    a number as a key | unknown-key: accounts/one/account.yaml:4:1: unknown key `1`
    null as a key | unknown-key: accounts/one/account.yaml:4:1: unknown key `~`
    a second document | yaml: accounts/one/account.yaml:4:1: a second document in one file
    a list in the place of a map | shape: accounts/one/account.yaml:1:1: expected a map, found a list
    a text in the place of a map | shape: accounts/one/account.yaml:1:1: expected a map, found `One`
    a tab as indentation | yaml: accounts/one/account.yaml:5:2: tabs disallowed within this context (block indentation)
    a tag of Python | shape: accounts/one/account.yaml:4:13: expected a value, found the tag `!!python/object/apply:os.system`
    a tag of CloudFormation | shape: accounts/one/account.yaml:4:13: expected a value, found the tag `!Ref`
    a tag of ours | shape: accounts/one/account.yaml:4:7: expected a map, found the tag `!!set`
    binary | shape: accounts/one/account.yaml:4:13: expected a value, found the tag `!!binary`
    a directive | yaml: accounts/one/account.yaml:4:1: missing explicit document end marker before directive
    a brace that stays open | yaml: accounts/one/account.yaml:4:9: unclosed bracket '{'
    a quote that stays open | yaml: accounts/one/account.yaml:4:13: unclosed quote
    a text in a block that never ends | loads
    `yes` for a flag | shape: accounts/one/account.yaml:4:45: expected `true` or `false`, found `yes`
    `on` for a flag | shape: accounts/one/account.yaml:4:45: expected `true` or `false`, found `on`
    `True` for a flag | shape: accounts/one/account.yaml:4:45: expected `true` or `false`, found `True`
    a flag in quotes | shape: accounts/one/account.yaml:4:45: expected `true` or `false`, found `true`
    an octal number | shape: accounts/one/account.yaml:4:44: expected a number from 6 to 128, found `014`
    a hexadecimal number | shape: accounts/one/account.yaml:4:44: expected a number from 6 to 128, found `0x0e`
    a number with a sign | shape: accounts/one/account.yaml:4:44: expected a number from 6 to 128, found `+14`
    a number with a point | shape: accounts/one/account.yaml:4:44: expected a number from 6 to 128, found `14.0`
    a number with an exponent | shape: accounts/one/account.yaml:4:44: expected a number from 6 to 128, found `1e1`
    a number with underscores | shape: accounts/one/account.yaml:4:44: expected a number from 6 to 128, found `1_4`
    a sexagesimal number | shape: accounts/one/account.yaml:4:44: expected a number from 6 to 128, found `1:4`
    a number in other digits | shape: accounts/one/account.yaml:4:44: expected a number from 6 to 128, found `١٤`
    a number beyond all bounds | shape: accounts/one/account.yaml:4:44: expected a number from 6 to 128, found `99999999999999999999`
    an account id without quotes | unquoted-id: accounts/one/account.yaml:4:5: the account id 012345678901 is not in quotes
    an account id that lost its zero | identifier: accounts/one/account.yaml:4:5: `12345678901` is not an account id (12 digits in quotes)
    an account id in other digits | identifier: accounts/one/account.yaml:4:5: `٠١٢٣٤٥٦٧٨٩٠١` is not an account id (12 digits in quotes)
    "##);
}
