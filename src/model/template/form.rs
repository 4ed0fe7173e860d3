//! Entries of `Resources` and `Parameters` that lack what every one of them has to have.

use super::remarks::{entries, get};
use crate::yaml::{Entry, Kind, Node, Place};

const SECTIONS: [(&str, &str, &str); 2] = [
    ("Parameters", "parameter", "such as `Type: String`"),
    ("Resources", "resource", "such as `Type: AWS::SNS::Topic`"),
];

/// Where an entry is none: the place, what to say of it, and what to do.
pub(super) fn malformed(template: &Node) -> impl Iterator<Item = (Place, String, &'static str)> {
    SECTIONS.iter().flat_map(move |(section, what, hint)| {
        entries(template, section)
            .iter()
            .filter_map(move |entry| said(what, entry).map(|(place, said)| (place, said, *hint)))
    })
}

fn said(what: &str, entry: &Entry) -> Option<(Place, String)> {
    let Entry { key, place, value } = entry;
    match &value.kind {
        Kind::Scalar { .. } | Kind::List(_) => {
            Some((value.place, format!("the {what} `{key}` is {}, not a map", value.shape())))
        }
        Kind::Map(_) if get(value, "Type").is_none_or(Node::is_null) => {
            Some((*place, format!("the {what} `{key}` has no `Type`")))
        }
        Kind::Map(_) => None,
    }
}
