//! The name of an account's folder, made from the account's name.

use std::collections::BTreeSet;

use crate::model::{AccountId, Slug};

/// AWS's longest name has 50 characters, so that a number behind it still fits.
const LONGEST: usize = 58;

/// A name that no folder has yet: small letters, digits and hyphens of the account's name, and a number where that is
/// taken.
pub(super) fn free(name: &str, id: &AccountId, taken: &BTreeSet<Slug>) -> Option<Slug> {
    let spelled = spelled(name);
    let stem = if spelled.is_empty() { format!("account-{id}") } else { spelled };
    let numbered = (2..=taken.len() + 2).map(|n| format!("{stem}-{n}"));
    let mut names = std::iter::once(stem.clone()).chain(numbered).filter_map(|name| Slug::parse(name).ok());
    names.find(|slug| !taken.contains(slug))
}

fn spelled(name: &str) -> String {
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' });
    let letters: String = letters.collect();
    let mut spelled = letters.split_whitespace().collect::<Vec<_>>().join("-");
    spelled.truncate(LONGEST);
    spelled.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(name: &str, taken: &[&str]) -> String {
        let id = AccountId::parse("111122223333").unwrap();
        let taken = taken.iter().map(|slug| Slug::parse(*slug).unwrap()).collect();
        free(name, &id, &taken).unwrap().to_string()
    }

    #[test]
    fn a_name_becomes_small_letters_digits_and_hyphens_and_is_taken_once() {
        assert_eq!(named("Payments  Production (EU)", &[]), "payments-production-eu");
        assert_eq!(named("Zürich", &[]), "z-rich");
        assert_eq!(named("支付", &[]), "account-111122223333");
        assert_eq!(named("Data", &["data", "data-2"]), "data-3");
    }

    proptest! {
        #[test]
        fn every_name_gives_a_folder(name in ".{1,50}", taken in 0..5usize) {
            let id = AccountId::parse("111122223333").unwrap();
            let mut all = BTreeSet::new();
            for _ in 0..=taken {
                prop_assert!(all.insert(free(&name, &id, &all).unwrap()));
            }
        }
    }
}
