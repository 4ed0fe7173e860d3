//! Tags: evaluated, and held to what AWS takes.

use std::collections::BTreeMap;

use super::diagnostic::{At, Faults};
use super::expression::Context;
use super::later;
use super::rule::Rule;
use crate::model::Slug;

/// AWS takes 50 tags; two are ours.
const MAX_TAGS: usize = 48;

/// Evaluates tags and leaves out, reported, those AWS would refuse.
pub(super) fn evaluate(
    slug: &Slug,
    tags: &BTreeMap<String, At<String>>,
    context: &Context,
    faults: &mut Faults,
) -> BTreeMap<String, String> {
    if let Some((_, extra)) = tags.iter().nth(MAX_TAGS) {
        faults.report_for(
            Rule::Tag,
            slug,
            &extra.spot,
            format!("more than {MAX_TAGS} tags"),
            "AWS takes 50, and two are ours",
        );
    }
    let mut evaluated = BTreeMap::new();
    for (key, text) in tags {
        match context.text(&text.value) {
            Ok(value) => {
                if let Some(fault) = refused(key, &later::with_stand_ins(&value)) {
                    faults.report_for(Rule::Tag, slug, &text.spot, fault, "");
                }
                evaluated.insert(key.clone(), value);
            }
            Err(fault) => faults.report_for(Rule::Expression, slug, &text.spot, fault.message, fault.hint),
        }
    }
    evaluated
}

fn refused(key: &str, value: &str) -> Option<String> {
    let reserved = |prefix: &str| key.to_ascii_lowercase().starts_with(prefix);
    if reserved("aws:") || reserved("landfast:") {
        return Some(format!("the tag `{key}` is reserved"));
    }
    // `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`: tabs and ends of lines are spaces of another kind.
    let is_space = |c: char| c.is_whitespace() && !c.is_control();
    let strange = |c: char| !(c.is_alphanumeric() || is_space(c) || "_.:/=+-@".contains(c));
    if let Some(c) = key.chars().chain(value.chars()).find(|&c| strange(c)) {
        return Some(format!("the tag `{key}` holds `{c}`, which AWS does not take"));
    }
    let too_long = key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256;
    too_long.then(|| {
        format!("the tag `{key}` is not within 1 to 128 characters for the key and 256 for the value")
    })
}
