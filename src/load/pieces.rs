//! Where the expressions of a text are, and what can be told of them without evaluating any.

use super::expression::ExpressionFault;
use super::later::without_quotes;
use crate::model::Value;

/// True where there may be an expression in a value.
pub(super) fn may_hold_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => has_expression(text),
        Value::Array(members) => members.iter().any(may_hold_expression),
        Value::Object(map) => map.values().any(may_hold_expression),
        _ => false,
    }
}

/// True where there may be one in a text.
pub(super) fn has_expression(text: &str) -> bool {
    text.contains("${{")
}

/// False where it is plain that the expressions of a value read no value whose name `is_one`: each of them names one
/// other, and that is all it does.
pub(super) fn may_read(value: &Value, is_one: &dyn Fn(&str) -> bool) -> bool {
    let of_piece = |piece: &Piece<'_>| match piece {
        Piece::Literal(_) => false,
        Piece::Expression(expression) => named_value(expression).is_none_or(is_one),
    };
    match value {
        Value::String(text) => pieces(text).map_or(true, |pieces| pieces.iter().any(of_piece)),
        Value::Array(members) => members.iter().any(|member| may_read(member, is_one)),
        Value::Object(map) => map.values().any(|value| may_read(value, is_one)),
        _ => false,
    }
}

/// The name of the value that an expression stands for, such as `values.Cidr`; nothing where it is anything else.
fn named_value(expression: &str) -> Option<&str> {
    let name = expression.trim().strip_prefix("values.")?;
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    Some(name).filter(|name| is_plain && !name.is_empty())
}

/// A piece of a text.
pub(super) enum Piece<'a> {
    Literal(&'a str),
    Expression(&'a str),
}

/// Splits a text into what stands as it is and what is an expression.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, ExpressionFault> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${{") {
        let inside = &rest[start + 3..];
        let Some(end) = closing(inside) else {
            let message = format!("`{}` is not closed", &rest[start..]);
            return Err(ExpressionFault { message, hint: "an expression ends with `}}`".to_owned() });
        };
        if start > 0 {
            pieces.push(Piece::Literal(&rest[..start]));
        }
        pieces.push(Piece::Expression(&inside[..end]));
        rest = &inside[end + 2..];
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    Ok(pieces)
}

/// Where `}}` closes the expression; braces inside quotes are part of it.
fn closing(inside: &str) -> Option<usize> {
    let mut quote = None;
    for (index, c) in inside.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '}') if inside[index..].starts_with("}}") => return Some(index),
            _ => {}
        }
    }
    None
}

/// True for a `*` outside of quotes. Multiplying a list or a text repeats it, and the library charges for that only
/// once the result is built.
pub(super) fn multiplies(expression: &str) -> bool {
    without_quotes(expression).contains('*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_is_multiplied_and_a_star_in_quotes_is_a_star() {
        for bad in ["[0] * 3", "('x' * 9)", "2 ** 3", "'a' ~ [[1] * 2]"] {
            assert!(multiplies(bad), "{bad}");
        }
        for good in ["'*'", "values['a*b']", r#""it\"s *""#, "values.x | join('*')"] {
            assert!(!multiplies(good), "{good}");
        }
    }

    #[test]
    fn only_what_names_one_other_value_is_known_not_to_read_one() {
        let may_read = |value| may_read(&value, &|name| name == "Cidr");
        for other in [json!("x"), json!(["${{values.Zones}}-${{ values.Cidrs }}"]), json!({"Cidr": "Cidr"})] {
            assert!(!may_read(other.clone()), "{other}");
        }
        for text in [
            "${{ values.Cidr }}",
            "x${{ values.Zones }}${{ values.Cidr }}",
            "${{ values['Cidr'] }}",
            "${{ values['Ci' ~ 'dr'] }}",
            "${{ values.Zones[values.Count] }}",
            "${{ values }}",
            "${{ values.Zones ~ values }}",
            "${{ values.Zones",
        ] {
            assert!(may_read(json!(["a", {"b": text}])), "{text}");
        }
    }
}
