//! The name that was probably meant by one that is none.
//!
//! Guarantees: it takes a bounded time however many names there are and however long they are.

/// Names that are compared letter by letter.
const MOST: usize = 500;
/// Bytes of a name beyond which nobody is helped by a likely one.
const LONGEST: usize = 200;

/// The name on the right that is most like the wrong one, if any is like it at all.
pub fn nearest<'a>(wrong: &str, right: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.is_empty() || wrong.len() > LONGEST {
        return None;
    }
    let mut right: Vec<_> = right.filter(|name| name.len() <= LONGEST).collect();
    if right.len() > MOST {
        right = most_alike(wrong, &right);
    }
    similar::get_close_matches(wrong, &right, 1, 0.6).first().copied()
}

/// Those that begin most like it: most slips leave the beginning as it was.
fn most_alike<'a>(wrong: &str, right: &[&'a str]) -> Vec<&'a str> {
    let shared: Vec<_> = right.iter().map(|name| shared(wrong, name)).collect();
    let count = |least: usize| shared.iter().filter(|shared| **shared >= least).count();
    let least = (0..=wrong.len()).rev().find(|least| count(*least) >= MOST).unwrap_or_default();
    let of = |is_in: fn(&usize, &usize) -> bool| {
        right.iter().zip(&shared).filter(move |(_, shared)| is_in(shared, &least)).map(|(name, _)| *name)
    };
    of(usize::gt).chain(of(usize::eq)).take(MOST).collect()
}

/// How many bytes two names begin with alike.
fn shared(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_alike_is_found_among_any_number_of_names() {
        let names: Vec<_> = (0..100_000).map(|n| format!("account-{n:06}")).collect();
        let names = || names.iter().map(String::as_str);
        assert_eq!(nearest("account-0777777", names()), Some("account-077777"));
        assert_eq!(nearest("something else", names()), None);
        assert_eq!(nearest("", names()), None);
    }

    #[test]
    fn a_name_of_any_length_is_looked_at_for_no_time() {
        let long = "x".repeat(1_000_000);
        assert_eq!(nearest(&long, [long.as_str()].into_iter()), None);
        assert_eq!(nearest("regoins", [long.as_str(), "regions"].into_iter()), Some("regions"));
    }
}
