//! Which accounts the expressions of a layer look at: what has to be looked at again when one of those changes.
//!
//! Guarantees: nobody is forgotten. Where it cannot be made out whom an expression means, it means everybody.

use std::collections::BTreeSet;

use super::diagnostic::At;
use crate::model::Value;

/// Whose facts may be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// Those of the accounts with these names.
    Of(BTreeSet<String>),
    /// Anybody's.
    Everybody,
}

impl Default for Reads {
    fn default() -> Self {
        Self::Of(BTreeSet::new())
    }
}

impl Reads {
    /// Whom the expressions in these leaves look at.
    pub(super) fn of<'a>(leaves: impl Iterator<Item = &'a At<Value>>) -> Self {
        leaves.filter(|leaf| may_hold_text(&leaf.value)).fold(Self::default(), |reads, leaf| {
            let text = leaf.value.to_string();
            if text.contains("${{") { reads.and(in_text(&text)) } else { reads }
        })
    }

    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Of(mut one), Self::Of(other)) => {
                one.extend(other);
                Self::Of(one)
            }
            (Self::Everybody, _) | (_, Self::Everybody) => Self::Everybody,
        }
    }

    /// True when nobody is looked at.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Of(names) if names.is_empty())
    }
}

fn may_hold_text(value: &Value) -> bool {
    value.is_string() || value.is_array() || value.is_object()
}

/// Whom a text, printed as JSON, looks at.
fn in_text(text: &str) -> Reads {
    // The library's own function shows everything that is known.
    if text.contains("debug") {
        return Reads::Everybody;
    }
    let named = text.split("accounts").skip(1).map(name);
    named.collect::<Option<_>>().map_or(Reads::Everybody, Reads::Of)
}

/// The name in `['name']`, `["name"]` or `.name`, where it can be told for sure.
fn name(after: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if let Some(rest) = after.strip_prefix('.') {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        return rest[..end].starts_with(|c: char| c.is_ascii_alphabetic()).then(|| rest[..end].to_owned());
    }
    // In JSON a quote inside a text has a backslash.
    let quoted = |open: &str, close: &str| Some(after.strip_prefix(open)?.split_once(close)?.0);
    let inside = quoted("['", "']").or_else(|| quoted("[\\\"", "\\\"]"))?;
    inside.chars().all(is_plain).then(|| inside.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::diagnostic::Spot;
    use super::*;

    fn reads(value: Value) -> Reads {
        Reads::of([At { value, spot: Spot::file("x") }].iter())
    }

    fn of(names: &[&str]) -> Reads {
        Reads::Of(names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_account_that_is_named_is_the_only_one_looked_at() {
        for (text, names) in [
            ("${{ accounts['log-archive'].id }}", &["log-archive"][..]),
            ("${{ accounts[\"log-archive\"].id }}", &["log-archive"]),
            ("${{ accounts.audit.id }}-${{ accounts['b'].name }}", &["audit", "b"]),
            ("${{ values.X }}", &[]),
            ("about accounts, and no expression", &[]),
        ] {
            assert_eq!(reads(json!(text)), of(names), "{text}");
            assert_eq!(reads(json!([{"a": text}])), of(names), "{text}");
        }
    }

    #[test]
    fn whoever_cannot_be_made_out_may_be_anybody() {
        for text in [
            "${{ accounts }}",
            "${{ accounts[values.Name].id }}",
            "${{ accounts['log-' ~ 'archive'].id }}",
            "${{ accounts ['a'].id }}",
            "${{ accounts | length }}",
            "${{ accounts['a\\x62'].id }}",
            "${{ accounts.\u{e9}t\u{e9}.id }}",
            "${{ debug() }}",
            "accounts ${{ values.X }}",
        ] {
            assert_eq!(reads(json!(text)), Reads::Everybody, "{text}");
        }
    }
}
