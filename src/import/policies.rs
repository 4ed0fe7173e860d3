//! Policies of the organization: a file each, and their names where they are attached.
//!
//! Guarantees: a file says what AWS has, to the word; only its layout is ours, because one line of five thousand
//! characters cannot be reviewed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Note, Notes};
use crate::model::{AccountId, OuPath, PolicyName};
use crate::observe::{Place, Shelf, Shelved};
use crate::plan::owner_of_policy;

/// Policies to be written down.
pub(super) type Chosen<'a> = BTreeMap<PolicyName, &'a Shelved>;

/// Where the file of a policy is.
pub(super) fn path(name: &PolicyName, policy: &Shelved) -> String {
    format!("organization/policies/{}/{name}.json", policy.kind)
}

/// The policies that can be ours, and notes on the others.
pub(super) fn chosen<'a>(shelf: &'a Shelf, notes: &mut Notes) -> Chosen<'a> {
    notes.unread.extend(shelf.unread.iter().map(|(about, why)| Note::new(about, why.clone())));
    let mut chosen = Chosen::new();
    for policy in &shelf.policies {
        let about = format!("policies.{} ({})", policy.name, policy.kind);
        if policy.is_managed {
            notes.left.push(Note::new(about, "AWS"));
            continue;
        }
        if let Some(owner) = owner_of_policy(&policy.name) {
            notes.left.push(Note::new(about, owner));
            continue;
        }
        match PolicyName::parse(policy.name.clone()) {
            Err(invalid) => notes.unfit.push(Note::new(about, invalid.to_string())),
            Ok(name) if chosen.contains_key(&name) => {
                let why = "a policy of another kind has the same name, which is for one policy only";
                notes.unfit.push(Note::new(about, why));
            }
            Ok(name) => drop(chosen.insert(name, policy)),
        }
    }
    chosen
}

/// The names at each OU and at the root.
pub(super) fn by_ou(chosen: &Chosen<'_>) -> BTreeMap<OuPath, BTreeSet<PolicyName>> {
    let mut found: BTreeMap<OuPath, BTreeSet<PolicyName>> = BTreeMap::new();
    for (name, policy) in chosen {
        for place in &policy.places {
            if let Place::Ou(path) = place {
                found.entry(path.clone()).or_default().insert(name.clone());
            }
        }
    }
    found
}

/// The names at an account.
pub(super) fn at<'a>(
    chosen: &'a Chosen<'_>,
    account: &'a AccountId,
) -> impl Iterator<Item = &'a PolicyName> + 'a {
    let is_at = |policy: &Shelved| policy.places.contains(&Place::Account(account.clone()));
    chosen.iter().filter(move |(_, policy)| is_at(policy)).map(|(name, _)| name)
}

/// JSON with a line for each of its parts, and nothing else of it changed: neither the order of keys nor a number's
/// spelling.
pub(super) fn laid_out(json: &str) -> String {
    let json = crate::model::minified(json);
    let (mut text, mut depth, mut in_text, mut is_escaped) = (String::new(), 0_usize, false, false);
    let mut before = ' ';
    for c in json.chars() {
        if in_text {
            text.push(c);
            in_text = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
        } else {
            let is_empty = matches!((before, c), ('{', '}') | ('[', ']'));
            if matches!(c, '}' | ']') {
                depth = depth.saturating_sub(1);
            }
            if (matches!(before, '{' | '[' | ',') || matches!(c, '}' | ']')) && !is_empty {
                text.push('\n');
                text.extend(std::iter::repeat_n("  ", depth));
            }
            text.push(c);
            match c {
                '{' | '[' => depth += 1,
                ':' => text.push(' '),
                '"' => in_text = true,
                _ => {}
            }
        }
        before = c;
        if in_text && c != '"' {
            before = ' ';
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::minified;

    #[test]
    fn a_policy_is_laid_out_for_people_and_says_what_it_said() {
        let json = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["a:{,","b:\",["],"Resource":"*","N":{},"L":[],"E":1.0e3}]}"#;
        let laid_out = laid_out(json);
        let expected = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Deny",
      "Action": [
        "a:{,",
        "b:\",["
      ],
      "Resource": "*",
      "N": {},
      "L": [],
      "E": 1.0e3
    }
  ]
}
"#;
        assert_eq!(laid_out, expected);
        assert_eq!(minified(&laid_out), json);
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "[\\[\\]{},:\"\\\\a ]{0,6}".prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let texts = "[{}\\[\":,a]{0,3}";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::btree_map(texts, inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn layout_is_all_that_changes(value in any_json()) {
            prop_assert_eq!(minified(&laid_out(&value.to_string())), value.to_string());
        }
    }
}
