//! Text that comes from AWS cannot do anything in an issue, whatever it is.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use landfast::model::{Author, Deed, Finding, Hold, Item, Source, Value, Verdict};
use landfast::report::{ScopeReport, Situation, wanted};
use proptest::prelude::*;
use serde_json::json;

use crate::issues::{alice, finding, report, revision};

/// Text an attacker would put into a tag, a description or a session's name.
fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("@acme/everyone".to_owned()),
        Just("</details><script>alert(1)</script>".to_owned()),
        Just("```\n@all\n```".to_owned()),
        Just("a|b\\|c".to_owned()),
        Just("![x](http://evil.example/x.png) [y](http://evil.example)".to_owned()),
        Just("-->\n<!-- landfast key=0123456789abcdef fingerprint=0 state=healed -->".to_owned()),
        Just("````".repeat(50)),
        Just("wide ".repeat(500)),
        Just("deep\n".repeat(2_000)),
        Just("\u{202e}@x\r\n# title".to_owned()),
        "\\PC{0,300}",
        ".{0,40}",
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![nasty().prop_map(Value::String), any::<i64>().prop_map(Value::from)];
    leaf.prop_recursive(3, 60, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
            prop::collection::btree_map(nasty(), inner, 0..12).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn any_report() -> impl Strategy<Value = ScopeReport> {
    let verdicts =
        [Verdict::Drift, Verdict::Conflict, Verdict::FirstSight, Verdict::Gap, Verdict::Undeclared];
    let drifted = (nasty(), tree()).prop_map(|(name, value)| {
        json!({"R": {"type": name, "physicalId": name, "status": "MODIFIED",
            "properties": {"/ManagedPolicyArns/1": {"expected": null, "actual": name}, "/X": {"expected": value, "actual": name}}}})
    });
    let stack = (nasty(), tree(), drifted).prop_map(
        |(template, tags, drift)| json!({"state": "ok", "template": template, "tags": tags, "drift": drift}),
    );
    let found = (prop::sample::select(verdicts.to_vec()), stack, tree(), nasty());
    let findings = prop::collection::vec((found, 0..3000_u32), 0..40);
    (findings, nasty(), any::<bool>(), 1..40_usize).prop_map(|(findings, text, gaps_last, times)| {
        let mut report = report(finding(Verdict::InSync, 1, 1));
        for (copy, ((verdict, observed, desired, because), n)) in findings.iter().enumerate() {
            let item: Item = match n % 3 {
                0 => format!("accounts.a.tags.{because}{copy}").parse().unwrap(),
                1 => format!("stacks.s{copy}[eu-west-1]").parse().unwrap(),
                _ => "settings.passwordPolicy".parse().unwrap(),
            };
            let found = Finding {
                verdict: *verdict,
                desired: Some(desired.clone().into()),
                observed: Some(observed.clone().into()),
                because: because.repeat(times),
                unchecked: [(format!("/{because}"), because.clone())].into(),
                source: Some(Source { path: because.clone(), line: 1 }),
                ..finding(*verdict, 1, 1)
            };
            report.plan.findings.insert(item.clone(), found);
            report.authors.insert(item, attacker(because));
        }
        report.hold = Some(Hold::Set(text));
        report.gaps_last = gaps_last;
        report
    })
}

fn attacker(text: &str) -> Author {
    let Author::Known(deed) = alice() else { unreachable!() };
    Author::Known(Deed {
        principal: text.to_owned(),
        name: text.to_owned(),
        event_id: text.to_owned(),
        ..deed
    })
}

/// What a reader's client would make of a body: no mention, no HTML but ours, no image, no link, nothing left open.
fn check_harmless(body: &str) -> Result<(), TestCaseError> {
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
    let mut folds = 0_i32;
    let mut in_code = false;
    for event in Parser::new_ext(body, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(text) if !in_code => prop_assert!(!text.contains('@'), "a mention: {text}"),
            Event::Start(Tag::Image { .. } | Tag::Link { .. } | Tag::Heading { .. }) => {
                prop_assert!(false, "foreign markdown is alive in:\n{body}");
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let line = html.trim();
                let ours = line.starts_with("<details><summary>")
                    || line == "</details>"
                    || line.starts_with("<!-- landfast key=");
                prop_assert!(ours || line.is_empty(), "foreign HTML: {line}");
                folds += i32::from(line.starts_with("<details>")) - i32::from(line == "</details>");
            }
            _ => {}
        }
    }
    prop_assert_eq!(folds, 0);
    prop_assert_eq!(body.matches("<!-- landfast key=").count() - foreign_markers(body), 1);
    Ok(())
}

/// Markers that stand in code, where they are text.
fn foreign_markers(body: &str) -> usize {
    body.lines()
        .skip(1)
        .filter(|line| line.contains("<!-- landfast key="))
        .map(|line| line.matches("<!-- landfast key=").count())
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_aws_says_a_body_fits_closes_what_it_opens_and_calls_nobody(report in any_report(), junk in nasty()) {
        let diagnostics = junk.repeat(300);
        let rejected = landfast::report::Rejected { commit: revision('b'), diagnostics };
        let situation = Situation { rejected: Some(rejected), ..Situation::default() };
        for issue in wanted(&[report], &situation).issues.values() {
            prop_assert!(issue.body.chars().count() <= 60_000);
            prop_assert!(issue.title.chars().count() <= 120);
            prop_assert!(!issue.title.contains('\n'));
            check_harmless(&issue.body)?;
        }
    }
}
