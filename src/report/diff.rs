//! The difference of two values as a person reads it: YAML-like lines, only what differs, bounded in size.

use serde_json::{Map, Value};
use similar::{ChangeTag, TextDiff};

use super::markdown::visible;
use crate::model::{Finding, Verdict, assume};

/// No diff has more lines than this.
const MAX_LINES: usize = 120;
/// No line is longer, in characters.
const MAX_LINE: usize = 240;
/// Unchanged lines kept around a change within a text such as a template.
const CONTEXT: usize = 2;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The same on both sides: context.
    Same,
    /// Only on the left: what git declares.
    Minus,
    /// Only on the right: what AWS shows.
    Plus,
}

impl Sign {
    /// The character in front of the line.
    pub fn symbol(self) -> char {
        match self {
            Self::Same => ' ',
            Self::Minus => '-',
            Self::Plus => '+',
        }
    }
}

/// One line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which side it is on.
    pub sign: Sign,
    /// The text, indented, without control characters.
    pub text: String,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}  {}", self.sign.symbol(), self.text)
    }
}

/// A difference, line by line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The lines, at most a screenful or two.
    pub lines: Vec<Line>,
    /// How many more there were.
    pub left_out: usize,
}

impl Diff {
    /// True when the values are equal.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// What to leave out of a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// Every key of both sides counts.
    All,
    /// Only the keys of the left side count: the others are nobody's business.
    Left,
}

/// The difference from `left` (what git says) to `right` (what AWS shows).
///
/// Where `left` is a map, only the keys it declares are compared, as for verdicts.
pub fn diff(left: Option<&Value>, right: Option<&Value>) -> Diff {
    let mut lines = Lines::default();
    match (left, right) {
        (None, None) => {}
        (Some(left), None) => lines.whole(Sign::Minus, 0, None, left),
        (None, Some(right)) => lines.whole(Sign::Plus, 0, None, right),
        (Some(left), Some(right)) => lines.between(0, None, Keys::Left, left, right),
    }
    lines.bounded()
}

/// The difference a finding shows. What git asks for reads the way a merge shows it, from AWS to git; everything else
/// from git to AWS. Parts that were not checked say nothing about AWS, and are left out of both sides.
pub(super) fn finding_diff(finding: &Finding) -> Diff {
    let checked = |value: &Option<Value>| value.as_ref().map(|value| assume(value, &finding.unchecked, None));
    let (desired, observed) = (checked(&finding.desired), checked(&finding.observed));
    if let (Some(stack), None) | (None, Some(stack)) = (&desired, &observed)
        && stack.get("template").is_some()
    {
        // A page of template says less than this.
        let sign = if observed.is_none() { Sign::Minus } else { Sign::Plus };
        return Diff { lines: vec![Line { sign, text: "(the whole stack)".to_owned() }], left_out: 0 };
    }
    match finding.verdict {
        Verdict::Pending => merge_diff(finding.observed.as_ref(), finding.desired.as_ref()),
        _ => diff(desired.as_ref(), observed.as_ref()),
    }
}

/// From AWS to git, only what git declares.
fn merge_diff(observed: Option<&Value>, desired: Option<&Value>) -> Diff {
    let (Some(observed), Some(desired)) = (observed, desired) else { return diff(observed, desired) };
    let mut observed = observed.clone();
    if let (Value::Object(observed), Value::Object(desired)) = (&mut observed, desired) {
        observed.retain(|key, _| desired.contains_key(key));
    }
    let mut lines = Lines::default();
    lines.between(0, None, Keys::All, &observed, desired);
    lines.bounded()
}

#[derive(Default)]
struct Lines(Vec<Line>);

impl Lines {
    fn push(&mut self, sign: Sign, depth: usize, text: &str) {
        let text = format!("{}{}", "  ".repeat(depth), text);
        self.0.push(Line { sign, text: clean(&text) });
    }

    fn between(&mut self, depth: usize, key: Option<&str>, keys: Keys, left: &Value, right: &Value) {
        if left == right {
            return;
        }
        match (left, right) {
            (Value::Object(left), Value::Object(right)) => self.maps(depth, key, keys, left, right),
            (Value::String(left), Value::String(right)) if left.contains('\n') || right.contains('\n') => {
                self.texts(depth, key, left, right);
            }
            _ => {
                self.whole(Sign::Minus, depth, key, left);
                self.changed(depth, key, right);
            }
        }
    }

    fn maps(
        &mut self,
        depth: usize,
        key: Option<&str>,
        keys: Keys,
        left: &Map<String, Value>,
        right: &Map<String, Value>,
    ) {
        let start = self.0.len();
        let inner = if key.is_some() { depth + 1 } else { depth };
        if key == Some("drift") {
            self.drift(inner, left, right);
        } else if key == Some("hidden") {
            self.hidden(inner, left, right);
        } else {
            for (name, value) in left {
                match right.get(name) {
                    Some(other) => self.between(inner, Some(name), Keys::All, value, other),
                    None => self.whole(Sign::Minus, inner, Some(name), value),
                }
            }
            let more = right.iter().filter(|(name, _)| keys == Keys::All && !left.contains_key(*name));
            for (name, value) in more {
                self.whole(Sign::Plus, inner, Some(name), value);
            }
        }
        if let Some(key) = key.filter(|_| self.0.len() > start) {
            let text = format!("{}{key}:", "  ".repeat(depth));
            self.0.insert(start, Line { sign: Sign::Same, text: clean(&text) });
        }
    }

    /// Parameters AWS never shows: only their keyed hashes are known, and those are nobody's business.
    fn hidden(&mut self, depth: usize, left: &Map<String, Value>, right: &Map<String, Value>) {
        let names: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
        for name in names.into_iter().filter(|name| left.get(*name) != right.get(*name)) {
            self.push(Sign::Minus, depth, &format!("{name}: (hidden)"));
            self.push(Sign::Plus, depth, &format!("{name}: (hidden, differs)"));
        }
    }

    /// Resources that differ from their template, one heading each, one line a property and side.
    fn drift(&mut self, depth: usize, left: &Map<String, Value>, right: &Map<String, Value>) {
        for (logical, resource) in right.iter().filter(|(logical, value)| left.get(*logical) != Some(value)) {
            self.push(Sign::Same, depth, &resource_heading(logical, resource));
            if resource["status"] == "DELETED" {
                self.push(Sign::Minus, depth + 1, "(deleted)");
            }
            for (pointer, change) in resource["properties"].as_object().into_iter().flatten() {
                self.property(depth + 1, pointer, change);
            }
        }
        for (logical, resource) in left.iter().filter(|(logical, _)| !right.contains_key(*logical)) {
            self.push(Sign::Minus, depth, &resource_heading(logical, resource));
        }
    }

    fn property(&mut self, depth: usize, pointer: &str, change: &Value) {
        let name = property_name(pointer);
        match (parsed(&change["expected"]), parsed(&change["actual"])) {
            (Value::Null, actual) => self.whole(Sign::Plus, depth, Some(&name), &actual),
            (expected, Value::Null) => self.whole(Sign::Minus, depth, Some(&name), &expected),
            (expected, actual) => self.between(depth, Some(&name), Keys::All, &expected, &actual),
        }
    }

    fn texts(&mut self, depth: usize, key: Option<&str>, left: &str, right: &str) {
        if let Some(key) = key {
            self.push(Sign::Same, depth, &format!("{key}: |"));
        }
        let depth = depth + usize::from(key.is_some());
        let texts = TextDiff::from_lines(left, right);
        for (index, group) in texts.grouped_ops(CONTEXT).iter().enumerate() {
            if index > 0 {
                self.push(Sign::Same, depth, "…");
            }
            for change in group.iter().flat_map(|op| texts.iter_changes(op)) {
                self.push(sign(change.tag()), depth, change.value().trim_end());
            }
        }
    }

    /// The second half of a replaced value; a hidden one says no more than that it differs.
    fn changed(&mut self, depth: usize, key: Option<&str>, value: &Value) {
        match key {
            Some(key) if is_secret(key, value) => {
                self.push(Sign::Plus, depth, &format!("{key}: (hidden, differs)"));
            }
            _ => self.whole(Sign::Plus, depth, key, value),
        }
    }

    fn whole(&mut self, sign: Sign, depth: usize, key: Option<&str>, value: &Value) {
        let label = key.map(|key| format!("{key}: ")).unwrap_or_default();
        if key.is_some_and(|key| key == "hidden" || is_secret(key, value)) {
            return self.push(sign, depth, &format!("{label}(hidden)"));
        }
        if let Some(inline) = inline(value) {
            return self.push(sign, depth, &format!("{label}{inline}"));
        }
        if let Some(key) = key {
            self.push(sign, depth, &format!("{key}:"));
        }
        let depth = depth + usize::from(key.is_some());
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(key, value)| self.whole(sign, depth, Some(key), value));
            }
            Value::Array(values) => values.iter().for_each(|value| self.entry(sign, depth, value)),
            Value::String(text) => text.lines().for_each(|line| self.push(sign, depth, line)),
            _ => {}
        }
    }

    fn entry(&mut self, sign: Sign, depth: usize, value: &Value) {
        if let Some(inline) = inline(value) {
            return self.push(sign, depth, &format!("- {inline}"));
        }
        self.push(sign, depth, "-");
        self.whole(sign, depth + 1, None, value);
    }

    fn bounded(mut self) -> Diff {
        let left_out = self.0.len().saturating_sub(MAX_LINES);
        self.0.truncate(MAX_LINES);
        Diff { lines: self.0, left_out }
    }
}

fn sign(tag: ChangeTag) -> Sign {
    match tag {
        ChangeTag::Equal => Sign::Same,
        ChangeTag::Delete => Sign::Minus,
        ChangeTag::Insert => Sign::Plus,
    }
}

fn resource_heading(logical: &str, resource: &Value) -> String {
    let kind = resource["type"].as_str().unwrap_or("resource");
    let physical = resource["physicalId"].as_str().unwrap_or(logical);
    format!("{kind} {physical}:")
}

/// `/ManagedPolicyArns/1` as `ManagedPolicyArns[1]`, `/Policy/Statement` as `Policy.Statement`.
fn property_name(pointer: &str) -> String {
    let mut name = String::new();
    for part in pointer.split('/').filter(|part| !part.is_empty()) {
        if !name.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) {
            name = format!("{name}[{part}]");
        } else {
            name = if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
        }
    }
    name
}

/// CloudFormation tells the values of drifted properties as JSON text; `null` means "not there".
fn parsed(value: &Value) -> Value {
    let Some(text) = value.as_str() else { return value.clone() };
    match serde_json::from_str(text) {
        Ok(inner @ (Value::Object(_) | Value::Array(_) | Value::Null)) => inner,
        _ => value.clone(),
    }
}

/// A value that reads well on one line: a scalar, or a short list of scalars.
fn inline(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("null".to_owned()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::String(text) if text.is_empty() => Some("\"\"".to_owned()),
        Value::String(text) if text.contains('\n') => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(map) => map.is_empty().then(|| "{}".to_owned()),
        Value::Array(values) => {
            let scalar = |value: &Value| !value.is_object() && !value.is_array();
            let parts: Option<Vec<_>> =
                values.iter().map(|value| if scalar(value) { inline(value) } else { None }).collect();
            parts.map(|parts| format!("[{}]", parts.join(", "))).filter(|text| text.len() <= MAX_LINE / 2)
        }
    }
}

/// Texts under such a name are never shown: an issue is read by many.
pub(super) fn is_secret(key: &str, value: &Value) -> bool {
    let key = key.to_ascii_lowercase();
    let named = ["password", "secret", "token", "privatekey", "apikey", "credential"];
    value.is_string() && named.iter().any(|name| key.contains(name))
}

fn clean(text: &str) -> String {
    let indent = text.len() - text.trim_start_matches(' ').len();
    format!("{}{}", &text[..indent], visible(&text[indent..], MAX_LINE.saturating_sub(indent)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(left: &Value, right: &Value) -> String {
        let lines: Vec<_> = diff(Some(left), Some(right)).lines.iter().map(ToString::to_string).collect();
        lines.join("\n")
    }

    #[test]
    fn only_declared_keys_of_a_setting_are_compared() {
        let git = json!({"minimumLength": 14, "requireSymbols": true});
        let aws = json!({"minimumLength": 8, "requireSymbols": true, "allowUsersToChange": true});
        insta::assert_snapshot!(shown(&git, &aws), @r"
        -  minimumLength: 14
        +  minimumLength: 8
        ");
    }

    #[test]
    fn a_widened_role_reads_as_what_it_gained() {
        let stack =
            |drift| json!({"state": "ok", "template": "a\nb", "parameters": {}, "tags": {}, "drift": drift});
        let drift = json!({"NetOpsRole": {
            "type": "AWS::IAM::Role", "physicalId": "AWS-NetOps", "status": "MODIFIED",
            "properties": {"/ManagedPolicyArns/1": {"expected": null, "actual": "arn:aws:iam::aws:policy/AdministratorAccess"}},
        }});
        insta::assert_snapshot!(shown(&stack(json!({})), &stack(drift)), @r"
           drift:
             AWS::IAM::Role AWS-NetOps:
        +      ManagedPolicyArns[1]: arn:aws:iam::aws:policy/AdministratorAccess
        ");
    }

    #[test]
    fn a_template_shows_the_lines_that_changed_under_its_key() {
        let git =
            json!({"template": "Resources:\n  A:\n    Type: X\n  B:\n    Type: Y\n", "tags": {"a": "1"}});
        let aws = json!({"template": "Resources:\n  A:\n    Type: Z\n  B:\n    Type: Y\n", "tags": {"a": "1", "b": "2"}});
        insta::assert_snapshot!(shown(&git, &aws), @r"
           tags:
        +    b: 2
           template: |
             Resources:
               A:
        -        Type: X
        +        Type: Z
               B:
                 Type: Y
        ");
    }

    #[test]
    fn a_secret_is_said_to_differ_and_never_shown() {
        let shown = shown(
            &json!({"parameters": {"DbPassword": "one"}}),
            &json!({"parameters": {"DbPassword": "two"}}),
        );
        insta::assert_snapshot!(shown, @r"
           parameters:
        -    DbPassword: (hidden)
        +    DbPassword: (hidden, differs)
        ");
    }

    fn found(verdict: Verdict, desired: Value, observed: Value, unchecked: &[&str]) -> String {
        let mut finding = crate::report::fixtures::finding(verdict, desired, observed);
        finding.unchecked =
            unchecked.iter().map(|part| ((*part).to_owned(), "not seen".to_owned())).collect();
        let lines: Vec<_> = finding_diff(&finding).lines.iter().map(ToString::to_string).collect();
        lines.join("\n")
    }

    #[test]
    fn what_was_not_checked_is_no_difference() {
        let (git, aws) = (json!({"drift": {}, "tags": {"a": "1"}}), json!({"tags": {"a": "2"}}));
        insta::assert_snapshot!(found(Verdict::Drift, git, aws, &["/drift"]), @r"
           tags:
        -    a: 1
        +    a: 2
        ");
    }

    #[test]
    fn what_a_merge_asks_for_is_shown_even_where_aws_has_nothing_yet() {
        let (git, aws) =
            (json!({"minimumLength": 14, "maxAgeDays": 90}), json!({"minimumLength": 8, "other": 1}));
        insta::assert_snapshot!(found(Verdict::Pending, git, aws, &[]), @r"
        -  minimumLength: 8
        +  minimumLength: 14
        +  maxAgeDays: 90
        ");
    }

    #[test]
    fn a_deleted_stack_is_one_line_and_hashes_of_hidden_parameters_are_not_shown() {
        let stack = json!({"template": "a\nb\nc", "hidden": {"Pin": "hash-1"}});
        assert_eq!(found(Verdict::Drift, stack.clone(), Value::Null, &[]), "-  (the whole stack)");
        let other = json!({"template": "a\nb\nc", "hidden": {"Pin": "hash-2"}});
        insta::assert_snapshot!(found(Verdict::Drift, stack, other, &[]), @r"
           hidden:
        -    Pin: (hidden)
        +    Pin: (hidden, differs)
        ");
    }

    #[test]
    fn a_diff_is_bounded_in_lines_and_in_width() {
        let aws: Map<_, _> = (0..500).map(|n| (format!("k{n}"), json!("x".repeat(1000)))).collect();
        let diff = diff(None, Some(&Value::Object(aws)));
        assert_eq!((diff.lines.len(), diff.left_out), (MAX_LINES, 500 - MAX_LINES));
        assert!(diff.lines.iter().all(|line| line.text.chars().count() <= MAX_LINE));
    }
}
