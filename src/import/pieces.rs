//! Pieces of an account: each is one entry of its file, with the files it names and what was seen of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::load;
use crate::model::saml::outline;
use crate::model::{Item, Setting, Sight, StackFact, StackKey};

/// One entry.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Where it stands in the file: `settings.passwordPolicy`, `stacks.network`.
    pub(super) path: Vec<String>,
    /// What stands there.
    pub(super) value: Value,
    /// The file it names, if any: under which key, its name and its text.
    pub(super) file: Option<Beside>,
    /// What was seen of the items it declares.
    pub(super) sights: BTreeMap<Item, Sight>,
    /// The state of its stacks.
    pub(super) facts: BTreeMap<StackKey, StackFact>,
}

/// A file beside the account's.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    pub(super) key: &'static str,
    /// What it is called but for the ending: `network`, and `.template.yaml`.
    pub(super) stem: String,
    pub(super) ending: &'static str,
    pub(super) text: String,
}

impl Piece {
    /// What a person calls it.
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }

    /// The entry's path as keys.
    pub(super) fn keys(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// Gives its file a name that is not taken, and names it in the entry. The name, and the text.
    pub(super) fn named(&mut self, taken: &mut BTreeSet<String>) -> Option<(String, String)> {
        let Beside { key, stem, ending, text } = self.file.as_ref()?;
        // Some file systems take large and small letters for the same.
        let is_free = |name: &String| !taken.contains(&name.to_ascii_lowercase());
        let mut names =
            (1..).map(|n| if n == 1 { format!("{stem}{ending}") } else { format!("{stem}-{n}{ending}") });
        let name = names.find(is_free)?;
        taken.insert(name.to_ascii_lowercase());
        self.value[*key] = json!(name);
        Some((name, text.clone()))
    }

    /// A setting as found.
    pub(super) fn setting(setting: &Setting, found: &Value) -> Self {
        let mut path = vec!["settings".to_owned(), setting.kind().key().to_owned()];
        let (mut value, mut file, mut seen) = (load::escaped(found), None, found.clone());
        if let Setting::SamlProvider(name) = setting {
            let text = found.as_str().unwrap_or_default().to_owned();
            path.push(name.to_string());
            value = json!({});
            seen = json!({"metadata": outline(&text)});
            file = Some(Beside { key: "metadata", stem: name.to_string(), ending: ".xml", text });
        }
        let sights = BTreeMap::from([(Item::Setting(setting.clone()), Sight::present(seen))]);
        Self { path, value, file, sights, facts: BTreeMap::new() }
    }
}
