//! Exclusions: accounts that the targets of a baseline, a wave or a freeze leave out, each with a reason and, if need be, a
//! last day.
//!
//! An exclusion that has ended still excludes. The other way round, a date that passes would change an account without
//! a commit, on a day when nobody looks; so it is only said, louder than anything that needs no doing.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::diagnostic::{Fault, Faults, Spot};
use super::fields::Reader;
use super::rule::Rule;
use crate::model;
use crate::yaml::{Entry, Kind, Node};

/// Why one account is left out.
#[derive(Clone, Debug)]
pub(super) struct Exclusion {
    pub(super) reason: String,
    /// The last day on which it is meant to hold.
    pub(super) until: Option<Date>,
    pub(super) spot: Spot,
}

impl Exclusion {
    /// True when its last day is over.
    pub(super) fn has_ended(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }

    /// As it is said of one account, where it has a last day.
    pub(super) fn ending(&self) -> Option<model::Exclusion> {
        let (reason, source) = (self.reason.clone(), self.spot.source());
        self.until.map(|until| model::Exclusion { reason, until, source })
    }

    /// Says that it has ended.
    pub(super) fn warn(&self, slug: &str, faults: &mut Faults) {
        let Some(until) = self.until else { return };
        let message = format!("the exclusion of `{slug}` has ended: {}, until {until}", self.reason);
        let hint = "it excludes all the same; give it another day, or take it out";
        faults.add(Fault::new(Rule::ExpiredExclusion, &self.spot, message, hint));
    }
}

/// Reads `{slug: "reason, until 2027-01-01"}` or `{slug: {reason: …, until: 2027-01-01}}`.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> BTreeMap<String, Exclusion> {
    reader.map(node, exclusion)
}

fn exclusion(reader: &mut Reader<'_>, entry: &Entry) -> Option<Exclusion> {
    let spot = reader.spot(entry.value.place);
    let (reason, until) = match entry.value.kind {
        Kind::Map(_) => spelled_out(reader, &entry.value)?,
        Kind::Scalar { .. } | Kind::List(_) => in_a_text(reader, &entry.value)?,
    };
    if reason.trim().is_empty() {
        reader.fault(Rule::Exclusion, entry.value.place, "an exclusion without a reason", SHAPE);
        return None;
    }
    Some(Exclusion { reason, until, spot })
}

const SHAPE: &str = "such as \"OPS-1231, until 2027-01-01\"";

fn in_a_text(reader: &mut Reader<'_>, node: &Node) -> Option<(String, Option<Date>)> {
    let text = reader.text(node)?.value;
    match text.rsplit_once("until ") {
        Some((reason, day))
            if reason.trim_end().ends_with(',') || day.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            let reason = reason.trim_end_matches([' ', ',', ';', '(']).to_owned();
            Some((reason, Some(date(reader, node, day)?)))
        }
        _ => Some((text, None)),
    }
}

fn spelled_out(reader: &mut Reader<'_>, node: &Node) -> Option<(String, Option<Date>)> {
    let mut fields = reader.fields(node)?;
    let reason = fields.required("reason", reader, "a person will ask for it");
    let reason = reason.and_then(|node| reader.text(node));
    let until = fields.optional("until").map(|node| {
        let day = reader.text(node)?;
        date(reader, node, &day.value)
    });
    fields.close(reader);
    Some((reason?.value, until.unwrap_or(None)))
}

fn date(reader: &mut Reader<'_>, node: &Node, text: &str) -> Option<Date> {
    let day = text.trim_end_matches([')', '.']).parse();
    if day.is_err() {
        reader.fault(Rule::Exclusion, node.place, format!("`{text}` is not a day"), SHAPE);
    }
    day.ok()
}
