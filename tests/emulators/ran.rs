//! What one run of the program came to.

use std::collections::BTreeMap;

use serde_json::Value;

/// Verbs that change nothing at AWS.
const READS: [&str; 6] = ["Assume", "Describe", "Detect", "Get", "List", "Lookup"];

/// A run that ended.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    /// The operations AWS was asked for meanwhile.
    pub(crate) operations: Vec<String>,
}

impl Ran {
    /// Asserts the exit status; what the program said is shown when it is another.
    #[track_caller]
    pub(crate) fn ends_with(self, status: i32) -> Self {
        assert_eq!(self.status, status, "exit status\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// Asserts that AWS was asked something, and to change nothing.
    #[track_caller]
    pub(crate) fn wrote_nothing(self) -> Self {
        assert!(!self.operations.is_empty(), "nothing was recorded");
        assert_eq!(self.writes(), Vec::<&str>::new(), "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// The operations that change something, in their order.
    pub(crate) fn writes(&self) -> Vec<&str> {
        self.operations.iter().map(String::as_str).filter(|operation| is_write(operation)).collect()
    }

    /// How often AWS was asked for an operation.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.operations.iter().filter(|asked| *asked == operation).count()
    }

    /// Of a plan printed as JSON: the verdicts that are not `inSync`, by scope and item.
    #[track_caller]
    pub(crate) fn verdicts(&self) -> BTreeMap<String, String> {
        let plan: Value = serde_json::from_str(&self.out).expect("a plan in JSON");
        let mut verdicts = BTreeMap::new();
        for scope in plan["scopes"].as_array().unwrap() {
            for item in scope["items"].as_array().unwrap() {
                let path = format!("{} {}", scope["scope"].as_str().unwrap(), item["item"].as_str().unwrap());
                verdicts.insert(path, item["verdict"].as_str().unwrap().to_owned());
            }
        }
        verdicts.retain(|_, verdict| verdict != "inSync");
        verdicts
    }
}

/// True for what changes something at AWS. An operation this does not know counts as one that does.
fn is_write(operation: &str) -> bool {
    !READS.iter().any(|verb| operation.starts_with(verb))
}

/// The verdicts that [`Ran::verdicts`] is compared with.
pub(crate) fn verdicts<const N: usize>(expected: [(&str, &str); N]) -> BTreeMap<String, String> {
    expected.map(|(path, verdict)| (path.to_owned(), verdict.to_owned())).into()
}
