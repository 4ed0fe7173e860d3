//! What a template asks of the values of its parameters, as CloudFormation judges them.
//!
//! Guarantees: an objection is one that CloudFormation has too. Where that cannot be told, because a type is looked up
//! in AWS or a pattern is more than plain regular expressions say alike everywhere, there is none.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use super::{TemplateParameter, flag, plain_text};
use crate::model::Value;

/// Bytes that CloudFormation takes as the value of one parameter.
const MAX_VALUE: usize = 4_096;

/// The constraints of one parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraints {
    pattern: Option<Pattern>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    min_value: Option<String>,
    max_value: Option<String>,
    explanation: Option<String>,
}

/// Why a value is refused, in words that do not hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// What says so: `AllowedValues`, `MinLength`…
    pub constraint: &'static str,
    /// What would be taken.
    pub wanted: String,
}

impl Constraints {
    pub(super) fn of(parameter: &Value) -> Self {
        let text = |key: &str| parameter.get(key).and_then(plain_text);
        let length = |key| text(key).and_then(|text| text.parse().ok());
        Self {
            pattern: text("AllowedPattern").map(Pattern::new),
            min_length: length("MinLength"),
            max_length: length("MaxLength"),
            min_value: text("MinValue"),
            max_value: text("MaxValue"),
            explanation: text("ConstraintDescription"),
        }
    }
}

impl TemplateParameter {
    /// Why CloudFormation would refuse this value; nothing where it would take it, or where only AWS can tell.
    pub fn objection(&self, value: &str) -> Option<Objection> {
        if value.len() > MAX_VALUE {
            return objection("length", format!("CloudFormation takes at most {MAX_VALUE} bytes"));
        }
        // It is looked up while the stack is made, and nobody knows here what it comes to.
        if value.contains("{{resolve:") {
            return None;
        }
        let found = match self.kind.as_str() {
            "String" => self.of_list(value).or_else(|| self.of_text(value)),
            "Number" => self.of_list(value).or_else(|| self.of_number(value)),
            "CommaDelimitedList" => {
                items(value).find_map(|it| self.of_list(it).or_else(|| self.of_match(it)))
            }
            "List<Number>" => items(value).find_map(|it| self.of_list(it).or_else(|| self.of_number(it))),
            // The value is the name of a parameter in Systems Manager.
            kind if kind.starts_with("AWS::SSM::Parameter::") => None,
            kind if kind.starts_with("List<") => items(value).find_map(|item| self.of_list(item)),
            _ => self.of_list(value),
        };
        found.map(|found| self.explained(found))
    }

    fn explained(&self, found: Objection) -> Objection {
        match &self.constraints.explanation {
            Some(words) => Objection { wanted: format!("{} ({words})", found.wanted), ..found },
            None => found,
        }
    }

    fn of_list(&self, value: &str) -> Option<Objection> {
        // Where no quotes are around an allowed `yes`, CloudFormation has read `true`.
        let is_meant =
            |allowed: &String| allowed == value || flag(allowed).is_some_and(|it| it.to_string() == value);
        if self.allowed.is_empty() || self.allowed.iter().any(is_meant) {
            return None;
        }
        objection("AllowedValues", format!("allowed: {}", self.allowed.join(", ")))
    }

    fn of_text(&self, value: &str) -> Option<Objection> {
        let (constraints, length) = (&self.constraints, value.chars().count());
        if let Some(least) = constraints.min_length.filter(|least| length < *least) {
            return objection("MinLength", format!("at least {least} characters, and it has {length}"));
        }
        if let Some(most) = constraints.max_length.filter(|most| length > *most) {
            return objection("MaxLength", format!("at most {most} characters, and it has {length}"));
        }
        self.of_match(value)
    }

    fn of_match(&self, value: &str) -> Option<Objection> {
        let pattern =
            self.constraints.pattern.as_ref().filter(|pattern| pattern.takes(value) == Some(false))?;
        objection("AllowedPattern", format!("the whole value has to match {}", pattern.text))
    }

    fn of_number(&self, value: &str) -> Option<Objection> {
        let Some(number) = number(value) else {
            return objection("Type", "the template takes a number here".to_owned());
        };
        let Constraints { min_value, max_value, .. } = &self.constraints;
        let beyond = |limit: &Option<String>, is_beyond: fn(f64, f64) -> bool| {
            let limit = limit.as_ref()?;
            number_of(limit).filter(|bound| is_beyond(number, *bound)).map(|_| limit.clone())
        };
        if let Some(least) = beyond(min_value, |number, bound| number < bound) {
            return objection("MinValue", format!("at least {least}"));
        }
        beyond(max_value, |number, bound| number > bound)
            .and_then(|most| objection("MaxValue", format!("at most {most}")))
    }
}

/// The members of a list as CloudFormation takes it apart.
fn items(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim)
}

fn number(text: &str) -> Option<f64> {
    number_of(text.trim())
}

fn number_of(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[expect(clippy::unnecessary_wraps, reason = "every caller answers with it")]
fn objection(constraint: &'static str, wanted: String) -> Option<Objection> {
    Some(Objection { constraint, wanted })
}

/// `AllowedPattern`: an expression of Java's, compiled by another engine when it is first needed.
#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Pattern {
    fn new(text: String) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    /// Whether the whole value matches; nothing where Java might see it otherwise.
    fn takes(&self, value: &str) -> Option<bool> {
        // Beyond plain characters the two differ in what a dot, a class or the end of a line is.
        if !value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            return None;
        }
        let regex = self.compiled.get_or_init(|| compile(&self.text)).as_ref()?;
        Some(regex.is_match(value.as_bytes()))
    }
}

fn compile(text: &str) -> Option<Regex> {
    if !means_the_same(text) {
        return None;
    }
    let whole = format!(r"\A(?:{text})\z");
    RegexBuilder::new(&whole).unicode(false).size_limit(1 << 20).build().ok()
}

/// True for a pattern that is spelled in what Java and our engine read alike.
///
/// Left out: look-around and other groups of Java's own, classes in classes, `\p{…}`, and escapes of letters that are
/// not the everyday ones. What our engine refuses on top of these is left out too.
fn means_the_same(pattern: &str) -> bool {
    let bytes = pattern.as_bytes();
    let (mut at, mut in_class) = (0, false);
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied().unwrap_or_default();
        match byte {
            _ if !(byte == b' ' || byte.is_ascii_graphic()) => return false,
            b'\\' if b"dDwWsStnrf".contains(&next) => at += 1,
            b'\\' if next.is_ascii_punctuation() && !b"<>".contains(&next) => at += 1,
            b'\\' => return false,
            b'[' if in_class || pattern[at..].starts_with("[]") || pattern[at..].starts_with("[^]") => {
                return false;
            }
            b'[' => in_class = true,
            b']' => in_class = false,
            b'&' | b'-' | b'~' if in_class && next == byte => return false,
            b'(' if !in_class && next == b'?' && !pattern[at..].starts_with("(?:") => return false,
            _ => {}
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parameter;
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "every caller writes it there")]
    fn objection(declared: Value, value: &str) -> Option<&'static str> {
        parameter(&declared).objection(value).map(|objection| objection.constraint)
    }

    #[test]
    fn a_pattern_has_to_match_the_whole_text_and_every_member_of_a_list() {
        let of = |kind: &str, value: &str| {
            objection(json!({"Type": kind, "AllowedPattern": "[a-z]+(?:-[a-z]{2,3})*"}), value)
        };
        assert_eq!(of("String", "log-abc"), None);
        assert_eq!(of("String", "log-abc!"), Some("AllowedPattern"));
        assert_eq!(of("CommaDelimitedList", "log, net-ab"), None);
        assert_eq!(of("CommaDelimitedList", "log,9"), Some("AllowedPattern"));
        // CloudFormation looks at patterns of these two types only.
        assert_eq!(of("AWS::EC2::VPC::Id", "9"), None);
    }

    #[test]
    fn a_pattern_that_java_might_read_otherwise_objects_to_nothing() {
        for pattern in [
            "(?=.*[A-Z]).{8,}",
            r"\p{Punct}+",
            "[a-z&&[^b]]+",
            "[[:alpha:]]",
            r"\<a\>",
            r"(a)\1",
            "[a--c]",
            "(?i)a",
            "(",
            r"\h+",
            "é+",
            r"\bx",
            r"\Qa\E",
        ] {
            assert_eq!(
                objection(json!({"Type": "String", "AllowedPattern": pattern}), "!!"),
                None,
                "{pattern}"
            );
        }
        // Neither does one of a value beyond plain characters.
        for value in ["é", "a\nb", "{{resolve:ssm:/a}}"] {
            assert_eq!(
                objection(json!({"Type": "String", "AllowedPattern": "[0-9]"}), value),
                None,
                "{value}"
            );
        }
    }

    #[test]
    fn patterns_of_everyday_templates_are_understood() {
        for (pattern, good, bad) in [
            (
                r"^(([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])\.){3}([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])(\/(1[6-9]|2[0-8]))$",
                "10.0.0.0/16",
                "10.0.0.0/8",
            ),
            (r"^[\w\-\.]+@([\w\-]+\.)+[\w\-]{2,4}$", "me@example.com", "me"),
            (r"[a-zA-Z][a-zA-Z0-9]*", "Abc", "1bc"),
            (
                r"^arn:aws[a-zA-Z-]*:iam::\d{12}:role/[\w+=,.@\-_/]+$",
                "arn:aws:iam::111122223333:role/a-b",
                "arn:aws:iam::1:role/a",
            ),
            (r"^$|^ami-[0-9a-f]{8,17}$", "", "ami-x"),
            (r"[\x20-\x7E]*|\S+", "a b", "\u{7f}"),
            (r"(\d{1,3})\.(\d{1,3})", "1.2", "1-2"),
        ] {
            let declared = || json!({"Type": "String", "AllowedPattern": pattern});
            assert_eq!(objection(declared(), good), None, "{pattern}");
            let expected = means_the_same(pattern).then_some("AllowedPattern");
            assert_eq!(objection(declared(), bad), expected, "{pattern}");
        }
    }

    #[test]
    fn lengths_count_characters_and_only_of_texts() {
        let declared = || json!({"Type": "String", "MinLength": "2", "MaxLength": 3});
        assert_eq!(objection(declared(), "ä"), Some("MinLength"));
        assert_eq!(objection(declared(), "äöü"), None);
        assert_eq!(objection(declared(), "abcd"), Some("MaxLength"));
        assert_eq!(objection(json!({"Type": "CommaDelimitedList", "MaxLength": 3}), "abcd"), None);
        assert_eq!(objection(json!({"Type": "String"}), &"x".repeat(4_097)), Some("length"));
    }

    #[test]
    fn numbers_are_numbers_within_their_bounds() {
        let declared = |kind: &str| json!({"Type": kind, "MinValue": 1, "MaxValue": "10.5"});
        for (value, constraint) in [
            ("1", None),
            ("10.5", None),
            ("0", Some("MinValue")),
            ("11", Some("MaxValue")),
            ("ten", Some("Type")),
        ] {
            assert_eq!(objection(declared("Number"), value), constraint, "{value}");
            assert_eq!(objection(declared("List<Number>"), &format!("2, {value}")), constraint, "{value}");
        }
        assert_eq!(objection(declared("String"), "11"), None);
    }

    #[test]
    fn each_member_of_a_list_has_to_be_one_of_the_allowed_values() {
        let declared = |kind: &str| json!({"Type": kind, "AllowedValues": ["a", "b", 3]});
        assert_eq!(objection(declared("CommaDelimitedList"), "a, b,3"), None);
        assert_eq!(objection(declared("CommaDelimitedList"), "a,c"), Some("AllowedValues"));
        assert_eq!(objection(declared("String"), "a,b"), Some("AllowedValues"));
        assert_eq!(objection(declared("AWS::SSM::Parameter::Value<String>"), "/path"), None);
    }
}
