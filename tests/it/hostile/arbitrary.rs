//! The same targets as those under `fuzz/`, with whatever proptest makes up: they run always and everywhere.

use landfast::load::fuzzing;
use landfast::model::template::{Template, canonical};
use proptest::prelude::*;

use super::*;

/// Pieces that YAML, templates and expressions are made of, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "b: ",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "&a ",
        "*a",
        "<<",
        "!Ref ",
        "!!str ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"",
        "'",
        "|",
        ">",
        "%",
        "---\n",
        "...\n",
        "#",
        "? ",
        "${{ ",
        " }}",
        "values",
        ".",
        "accounts",
        "['",
        "']",
        "|",
        "range(",
        ")",
        "0",
        "9",
        "name: ",
        "ou: ",
        "/",
        "stacks: ",
        "template: ",
        "settings: ",
        "targets: ",
        "Resources:",
        "Type: ",
        "null",
        "absent",
        "\u{feff}",
        "\t",
        "\r\n",
        "\0",
        "é",
        "\u{202e}",
        "~",
    ]);
    prop_oneof![prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat()), "\\PC{0,200}",]
}

const PATHS: [&str; 6] = [
    "landfast.yaml",
    "organization/organization.yaml",
    "baselines/a/baseline.yaml",
    ACCOUNT,
    "accounts/one/net.template.yaml",
    "accounts/one/idp.xml",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_any_file_get_an_answer(path in prop::sample::select(PATHS.to_vec()), text in pieces(), bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = verdict(&repository(&[(path, text.as_bytes())]));
        let _ = verdict(&repository(&[(path, &bytes)]));
        let naming = format!("{ONE}{text}\nstacks: {{net: {{template: net.template.yaml}}}}\n");
        let _ = verdict(&repository(&[(ACCOUNT, naming.as_bytes()), ("accounts/one/net.template.yaml", text.as_bytes())]));
    }

    #[test]
    fn any_text_as_a_template_gets_an_answer_and_its_canonical_form_is_its_own(text in pieces()) {
        if let Ok(template) = Template::parse(&text) {
            let _ = (template.parameters(), template.resources());
            let once = canonical(&text);
            prop_assert_eq!(canonical(&once), once);
        }
    }

    #[test]
    fn any_text_as_an_expression_gets_an_answer_of_bounded_size(text in pieces()) {
        for text in [text.clone(), format!("${{{{ {text} }}}}")] {
            if let Some(result) = fuzzing::expression(&text) {
                prop_assert!(result.len() <= 70_000 + text.len());
            }
        }
    }

    #[test]
    fn any_name_of_a_file_gets_an_answer(name in prop_oneof!["\\PC{1,30}", "[.a-zA-Z~: ]{1,12}"]) {
        let mut tree = repository(&[]);
        tree.files.insert(format!("accounts/one/{name}"), File::text("x"));
        let _ = verdict(&tree);
    }
}
