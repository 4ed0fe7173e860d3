//! The two wire protocols, turned into one shape.
//!
//! *Guarantees*: whatever the protocol, a handler is given a JSON object of parameters and gives back a JSON
//! object; this file alone knows query strings, XML, and how each protocol words an error.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// How a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Form-encoded questions, XML answers: STS, IAM, `CloudFormation`, SNS.
    Query,
    /// JSON both ways, the operation in a header: Organizations, `CloudTrail`.
    Json,
}

impl Protocol {
    pub(crate) fn of(service: &str) -> Option<Self> {
        match service {
            "sts" | "iam" | "cloudformation" | "sns" => Some(Self::Query),
            "organizations" | "cloudtrail" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A refusal as AWS words it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// The `Reason` of Organizations' errors.
    pub(crate) reason: Option<String>,
}

/// What a handler gives back.
pub(crate) type Answer = Result<Value, Refusal>;

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), reason: None }
    }

    /// A 400 with this code.
    pub(crate) fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::bad("ValidationError", message)
    }

    pub(crate) fn with_reason(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// The body of this refusal.
    pub(crate) fn body(&self, protocol: Protocol, request_id: &str) -> String {
        match protocol {
            Protocol::Json => {
                let mut body = json!({"__type": self.code, "Message": self.message, "message": self.message});
                if let Some(reason) = &self.reason {
                    body["Reason"] = json!(reason);
                }
                body.to_string()
            }
            Protocol::Query => {
                let kind = if self.status < 500 { "Sender" } else { "Receiver" };
                let error = json!({"Error": {"Type": kind, "Code": self.code, "Message": self.message},
                                   "RequestId": request_id});
                format!("<ErrorResponse>{}</ErrorResponse>", xml(&error))
            }
        }
    }
}

/// The body of a good answer.
pub(crate) fn answer_body(
    protocol: Protocol,
    service: &str,
    operation: &str,
    answer: &Value,
    request_id: &str,
) -> String {
    match protocol {
        Protocol::Json => answer.to_string(),
        Protocol::Query => format!(
            "<{operation}Response xmlns=\"{}\"><{operation}Result>{}</{operation}Result>\
             <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>",
            namespace(service),
            xml(answer)
        ),
    }
}

fn namespace(service: &str) -> &'static str {
    match service {
        "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
        "iam" => "https://iam.amazonaws.com/doc/2010-05-08/",
        "sns" => "http://sns.amazonaws.com/doc/2010-03-31/",
        _ => "http://cloudformation.amazonaws.com/doc/2010-05-15/",
    }
}

/// An object as XML elements; a list's entries are `member` elements, and null is left out.
pub(crate) fn xml(value: &Value) -> String {
    let mut text = String::new();
    write_xml(&mut text, value);
    text
}

fn write_xml(text: &mut String, value: &Value) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, field)| element(text, name, field)),
        Value::Array(entries) => entries.iter().for_each(|entry| element(text, "member", entry)),
        Value::String(string) => escape(text, string),
        Value::Null => {}
        // Writing to a string cannot fail.
        Value::Bool(_) | Value::Number(_) => _ = write!(text, "{value}"),
    }
}

fn element(text: &mut String, name: &str, value: &Value) {
    if !value.is_null() {
        _ = write!(text, "<{name}>");
        write_xml(text, value);
        _ = write!(text, "</{name}>");
    }
}

fn escape(text: &mut String, raw: &str) {
    for c in raw.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\r' => text.push_str("&#13;"),
            c => text.push(c),
        }
    }
}

/// A form-encoded body as (operation, parameters).
pub(crate) fn read_query(body: &[u8]) -> (String, Value) {
    let mut root = Map::new();
    let mut action = String::new();
    for (name, value) in form_urlencoded::parse(body) {
        match name.as_ref() {
            "Action" => action = value.into_owned(),
            "Version" => {}
            name => put(&mut root, name, Value::String(value.into_owned())),
        }
    }
    (action, lists(Value::Object(root)))
}

fn put(into: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => _ = into.insert(path.to_owned(), value),
        Some((first, rest)) => {
            let child = into.entry(first).or_insert_with(|| json!({}));
            if !child.is_object() {
                *child = json!({});
            }
            if let Value::Object(child) = child {
                put(child, rest, value);
            }
        }
    }
}

/// `{"member": {"1": a, "2": b}}` is the list `[a, b]`.
fn lists(value: Value) -> Value {
    match value {
        Value::Object(mut fields) if fields.len() == 1 && fields.contains_key("member") => {
            match fields.remove("member") {
                Some(Value::Object(entries)) => in_order(entries),
                _ => json!([]),
            }
        }
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, field)| (name, lists(field))).collect())
        }
        other => other,
    }
}

fn in_order(entries: Map<String, Value>) -> Value {
    let mut entries: Vec<_> = entries.into_iter().collect();
    entries.sort_by_key(|(index, _)| index.parse::<usize>().unwrap_or(usize::MAX));
    Value::Array(entries.into_iter().map(|(_, entry)| lists(entry)).collect())
}

/// What was asked, by name.
pub(crate) trait Params {
    fn text(&self, name: &str) -> Option<&str>;
    fn required(&self, name: &str) -> Result<&str, Refusal>;
    fn entries(&self, name: &str) -> &[Value];
    fn flag(&self, name: &str) -> Option<bool>;
    fn number(&self, name: &str) -> Option<i64>;
}

impl Params for Value {
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Self::as_str)
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| {
            Refusal::validation(format!(
                "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
            ))
        })
    }

    fn entries(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Self::as_array).map_or(&[], Vec::as_slice)
    }

    fn flag(&self, name: &str) -> Option<bool> {
        let field = self.get(name)?;
        field.as_bool().or_else(|| field.as_str()?.parse().ok())
    }

    fn number(&self, name: &str) -> Option<i64> {
        let field = self.get(name)?;
        field.as_i64().or_else(|| field.as_str()?.parse().ok())
    }
}

/// One page of `all` and the token of the next, the token being an offset.
pub(crate) fn page(
    all: Vec<Value>,
    token: Option<&str>,
    size: usize,
) -> Result<(Vec<Value>, Option<String>), Refusal> {
    let start = match token {
        None => 0,
        Some(token) => {
            token.strip_prefix("page-").and_then(|offset| offset.parse::<usize>().ok()).ok_or_else(|| {
                Refusal::bad("InvalidNextTokenException", "You provided an invalid value for NextToken.")
            })?
        }
    };
    let next = (all.len() > start + size).then(|| format!("page-{}", start + size));
    Ok((all.into_iter().skip(start).take(size).collect(), next))
}

/// A moment as awsJson writes it: seconds since 1970.
pub(crate) fn epoch(at: Timestamp) -> Value {
    let seconds = at.as_millisecond() / 1000;
    json!(seconds)
}

/// A moment as the query protocol writes it.
pub(crate) fn iso(at: Timestamp) -> Value {
    json!(at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}
