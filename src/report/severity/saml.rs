//! What a changed identity provider means: whoever holds the key of one of its certificates is anybody.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Mark, Severity, code, mark};

/// What became of the provider's metadata, from one outline to another. Always HIGH: nothing in it is harmless.
pub(super) fn provider(name: &str, left: &Value, right: &Value) -> Vec<Mark> {
    let name = code(name);
    if right.is_null() {
        let meaning = format!("SAML provider {name} was deleted, and nobody signs in through it any more");
        return vec![high(format!("SAML provider {name} deleted"), meaning)];
    }
    let (left, right) = (lines(left), lines(right));
    let trusted = right.difference(&left).filter_map(|line| certificate(line)).map(|certificate| {
        let meaning = format!("SAML provider {name} now trusts another certificate, {}", code(certificate));
        high(format!("SAML provider {name} trusts another certificate"), meaning)
    });
    let dropped = left.difference(&right).filter_map(|line| certificate(line)).map(|certificate| {
        let meaning = format!("SAML provider {name} no longer trusts the certificate {}", code(certificate));
        high(format!("SAML provider {name} trusts a certificate less"), meaning)
    });
    let mut marks: Vec<_> = trusted.chain(dropped).collect();
    if right.symmetric_difference(&left).any(|line| certificate(line).is_none()) {
        let meaning = format!("the metadata of SAML provider {name} says something else");
        marks.push(high(format!("metadata of SAML provider {name} changed"), meaning));
    }
    marks
}

fn high(headline: String, meaning: String) -> Mark {
    mark(Severity::High, headline, meaning)
}

fn lines(value: &Value) -> BTreeSet<&str> {
    value["metadata"].as_str().unwrap_or_default().lines().map(str::trim_start).collect()
}

fn certificate(line: &str) -> Option<&str> {
    line.strip_prefix("ds:X509Certificate: ")
}
