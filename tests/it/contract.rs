//! Every exchange with the simulated GitHub is held to GitHub's own description: what the program sends, and what the
//! simulation answers. `tests/openapi.sh` proves that the description here is GitHub's.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::{Draft, ValidationError, Validator};
use landfast::sandbox::github::{Exchange, SimulatedGitHub};
use serde_json::{Value, json};

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let mut description = serde_json::from_str(include_str!("../openapi/github.json")).unwrap();
    to_json_schema(&mut description);
    description
});
/// By JSON pointer into the description.
static VALIDATORS: LazyLock<Mutex<BTreeMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// What GitHub's description says against what was seen. A test in which there is anything fails at its end.
#[derive(Default)]
pub(crate) struct Verdicts(Arc<Mutex<BTreeSet<String>>>);

/// A simulated GitHub of which every exchange is judged.
pub(crate) struct Judged {
    github: SimulatedGitHub,
    _verdicts: Verdicts,
}

impl Verdicts {
    /// Judges every exchange from now on.
    pub(crate) fn on(github: &SimulatedGitHub) -> Self {
        let verdicts = Self::default();
        let found = Arc::clone(&verdicts.0);
        github.show_to(Arc::new(move |exchange| {
            let faults = faults(exchange);
            found.lock().unwrap().extend(faults);
        }));
        verdicts
    }
}

impl Drop for Verdicts {
    fn drop(&mut self) {
        let found = self.0.lock().map(|found| found.clone()).unwrap_or_default();
        assert!(
            found.is_empty() || std::thread::panicking(),
            "not as GitHub describes it:\n{}",
            found.iter().cloned().collect::<Vec<_>>().join("\n")
        );
    }
}

impl Judged {
    pub(crate) fn new(github: SimulatedGitHub) -> Self {
        Self { _verdicts: Verdicts::on(&github), github }
    }
}

impl Deref for Judged {
    type Target = SimulatedGitHub;

    fn deref(&self) -> &SimulatedGitHub {
        &self.github
    }
}

/// OpenAPI 3.0 says `nullable` where JSON Schema has a type of its own for null.
fn to_json_schema(value: &mut Value) {
    match value {
        Value::Array(entries) => entries.iter_mut().for_each(to_json_schema),
        Value::Object(fields) => {
            fields.values_mut().for_each(to_json_schema);
            if fields.get("nullable") == Some(&json!(true)) {
                fields.remove("nullable");
                *value = json!({"anyOf": [value.take(), {"type": "null"}]});
            }
        }
        _ => {}
    }
}

/// What is wrong with an exchange, in words.
pub(crate) fn faults(exchange: &Exchange) -> Vec<String> {
    let Exchange { method, path, .. } = exchange;
    let Some((pointer, parameters)) = operation(method, path) else {
        return vec![format!("{method} {path}: GitHub has no such operation")];
    };
    let found = [
        of_parameters(&pointer, "path", parameters),
        of_parameters(&pointer, "query", form_urlencoded::parse(exchange.query.as_bytes()).into_owned()),
        of_body(&pointer, &exchange.sent),
        of_answer(&pointer, exchange.status, &exchange.answer),
    ];
    let at = |fault: String| format!("{method} {path} → {}: {fault}", exchange.status);
    found.into_iter().flatten().map(at).collect()
}

/// Where an operation is in the description, and what its path says.
fn operation(method: &str, path: &str) -> Option<(String, Vec<(String, String)>)> {
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    paths.keys().find_map(|template| {
        let parameters = parameters(template, path)?;
        let pointer = format!("/paths/{}/{}", escaped(template), method.to_lowercase());
        DESCRIPTION.pointer(&pointer).map(|_| (pointer, parameters))
    })
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn parameters(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    if template.len() != path.len() {
        return None;
    }
    let mut found = Vec::new();
    for (wanted, segment) in template.into_iter().zip(path) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => found.push((name.to_owned(), segment.to_owned())),
            None if wanted != segment => return None,
            None => {}
        }
    }
    Some(found)
}

/// The value at a pointer, or where the reference there leads, with that pointer.
fn resolved(pointer: String) -> Option<(String, &'static Value)> {
    let value = DESCRIPTION.pointer(&pointer)?;
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => resolved(reference.strip_prefix('#').unwrap().to_owned()),
        None => Some((pointer, value)),
    }
}

fn of_parameters(
    operation: &str,
    place: &str,
    sent: impl IntoIterator<Item = (String, String)>,
) -> Vec<String> {
    let count = DESCRIPTION.pointer(operation).unwrap()["parameters"].as_array().map_or(0, Vec::len);
    let known: BTreeMap<_, _> = (0..count)
        .filter_map(|n| resolved(format!("{operation}/parameters/{n}")))
        .filter(|(_, parameter)| parameter["in"] == place)
        .map(|(pointer, parameter)| (parameter["name"].as_str().unwrap(), pointer))
        .collect();
    let mut faults = Vec::new();
    for (name, text) in sent {
        // A number is spelled without quotes, as anything else that JSON knows.
        let bare = || serde_json::from_str(&text).unwrap_or(json!(text));
        match known.get(name.as_str()).map(|pointer| format!("{pointer}/schema")) {
            None => faults.push(format!("there is no {place} parameter `{name}`")),
            Some(schema) if check(&schema, &json!(text)).is_empty() => {}
            Some(schema) => {
                faults.extend(check(&schema, &bare()).into_iter().map(|fault| format!("`{name}`{fault}")));
            }
        }
    }
    faults
}

fn of_body(operation: &str, sent: &str) -> Vec<String> {
    let described = resolved(format!("{operation}/requestBody"));
    let Some((pointer, body)) = described else {
        return if sent.is_empty() { Vec::new() } else { vec!["it takes no body".to_owned()] };
    };
    if sent.is_empty() {
        return if body["required"] == true { vec!["it needs a body".to_owned()] } else { Vec::new() };
    }
    let Ok(sent) = serde_json::from_str::<Value>(sent) else {
        return vec!["the body is not JSON".to_owned()];
    };
    let schema = format!("{pointer}/content/application~1json/schema");
    let described = DESCRIPTION.pointer(&schema).unwrap();
    // A body that may be null has its fields one level further down.
    let described =
        described.pointer("/anyOf/0").filter(|_| described.get("properties").is_none()).unwrap_or(described);
    let known = described["properties"].as_object().unwrap();
    let unknown =
        sent.as_object().into_iter().flat_map(|sent| sent.keys()).filter(|name| !known.contains_key(*name));
    unknown.map(|name| format!("the body has no field `{name}`")).chain(check(&schema, &sent)).collect()
}

fn of_answer(operation: &str, status: u16, answer: &str) -> Vec<String> {
    let described = resolved(format!("{operation}/responses/{status}"));
    let schema = match described {
        Some((_, response)) if response.get("content").is_none() => {
            return if answer.is_empty() { Vec::new() } else { vec!["the answer has no body".to_owned()] };
        }
        Some((pointer, _)) => format!("{pointer}/content/application~1json/schema"),
        // Not listed for each operation: a token that is refused, limits, and trouble within GitHub.
        None if matches!(status, 401 | 403 | 429 | 500..) => "/components/schemas/basic-error".to_owned(),
        None => return vec!["GitHub does not answer so".to_owned()],
    };
    match serde_json::from_str(answer) {
        Ok(answer) => check(&schema, &answer),
        Err(_) => vec!["the answer is not JSON".to_owned()],
    }
}

fn check(schema: &str, value: &Value) -> Vec<String> {
    let validator =
        Arc::clone(VALIDATORS.lock().unwrap().entry(schema.to_owned()).or_insert_with(|| validator(schema)));
    let counts = |fault: &ValidationError<'_>| !is_known_better(schema, &fault.instance_path().to_string());
    validator
        .iter_errors(value)
        .filter(counts)
        .take(20)
        .map(|fault| format!(" {}: {fault}", fault.instance_path()))
        .collect()
}

/// Where GitHub's description is wrong: of a pull request whose fork was deleted, GitHub shows no repository.
fn is_known_better(schema: &str, path: &str) -> bool {
    schema.contains("~1pulls") && (path.ends_with("/head/repo") || path.ends_with("/head/user"))
}

/// A whole answer is too much to read.
fn short(words: &str) -> String {
    let length = words.chars().count();
    let end: String = words.chars().skip(length.saturating_sub(200)).collect();
    if length > 300 {
        format!("{}…{end}", words.chars().take(100).collect::<String>())
    } else {
        words.to_owned()
    }
}

fn validator(pointer: &str) -> Arc<Validator> {
    let mut schema = DESCRIPTION.clone();
    // A reference is an address, in which braces have to be spelled otherwise.
    schema["$ref"] = json!(format!("#{}", pointer.replace('{', "%7B").replace('}', "%7D")));
    // The last draft in which, as in OpenAPI 3.0, what stands beside a reference does not count.
    Arc::new(
        jsonschema::options().with_draft(Draft::Draft7).should_validate_formats(true).build(&schema).unwrap(),
    )
}

fn exchange(method: &str, path: &str, sent: &str, status: u16, answer: &str) -> Exchange {
    let (method, path) = (method.to_owned(), path.to_owned());
    Exchange { method, path, query: String::new(), sent: sent.to_owned(), status, answer: answer.to_owned() }
}

#[test]
fn the_contract_finds_what_github_would_not_send_or_take() {
    let label = json!({
        "id": 1, "node_id": "L", "url": "https://example.com/l", "name": "x", "color": "fff", "default": false,
        "description": null,
    });
    let path = "/repos/acme/aws/labels";
    let judge = |sent: &Value, answer: &Value| {
        faults(&exchange("POST", path, &sent.to_string(), 201, &answer.to_string()))
    };
    let new = json!({"name": "x", "color": "fff"});
    assert_eq!(judge(&new, &label), Vec::<String>::new());
    let with = |value: &Value, field: &str, other: Value| {
        let mut value = value.clone();
        value[field] = other;
        value
    };
    for wrong in [json!({}), json!({"name": 7}), with(&new, "colour", json!("fff"))] {
        assert_eq!(judge(&wrong, &label).len(), 1, "{wrong}: {:?}", judge(&wrong, &label));
    }
    for (field, other) in [("url", json!("no address")), ("color", json!(null)), ("id", json!("1"))] {
        assert_eq!(judge(&new, &with(&label, field, other)).len(), 1, "{field}");
    }
    assert!(!faults(&exchange("PUT", path, "", 200, "{}")).is_empty(), "there is no such operation");
    assert!(!faults(&exchange("GET", path, "", 418, "{}")).is_empty(), "GitHub does not answer so");
    let mut listing = exchange("GET", path, "", 200, "[]");
    assert_eq!(faults(&listing), Vec::<String>::new());
    listing.query = "per_page=many&pages=1".to_owned();
    assert_eq!(faults(&listing).len(), 2, "{:?}", faults(&listing));
}
