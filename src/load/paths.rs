//! Things by the path they are said at, in one sorted list that borrows its paths.
//!
//! An account is made of a hundred or so, and there may be ten thousand accounts: nothing is copied into the list, and
//! nothing has to be made to look something up in it.

use std::cmp::Ordering;

/// Things by path; those at one path in the order in which they came.
#[derive(Clone, Debug)]
pub(super) struct ByPath<'a, T>(Vec<(&'a [String], T)>);

impl<T> Default for ByPath<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, T> FromIterator<(&'a [String], T)> for ByPath<'a, T> {
    fn from_iter<I: IntoIterator<Item = (&'a [String], T)>>(things: I) -> Self {
        let mut things: Vec<_> = things.into_iter().collect();
        things.sort_by_key(|(path, _)| *path);
        Self(things)
    }
}

impl<'a, T> ByPath<'a, T> {
    /// Everything, in the order of the paths.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, (&'a [String], T)> {
        self.0.iter()
    }

    /// What is at each path, path by path.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[(&'a [String], T)]> {
        self.0.chunk_by(|(one, _), (other, _)| one == other)
    }

    /// What is at this very path.
    pub(super) fn at(&self, path: &[impl AsRef<str>]) -> &[(&'a [String], T)] {
        self.run(path, |other| compare(other, path) == Ordering::Equal)
    }

    /// What is at the path and below it.
    pub(super) fn under(&self, path: &[impl AsRef<str>]) -> &[(&'a [String], T)] {
        self.run(path, |other| other.len() >= path.len() && compare(&other[..path.len()], path).is_eq())
    }

    /// The things from the path on, as far as `is_in` goes.
    fn run(&self, path: &[impl AsRef<str>], is_in: impl Fn(&[String]) -> bool) -> &[(&'a [String], T)] {
        let from = &self.0[self.0.partition_point(|(other, _)| compare(other, path).is_lt())..];
        &from[..from.partition_point(|(other, _)| is_in(other))]
    }
}

impl<T: Copy> ByPath<'_, T> {
    /// The first thing at a path.
    pub(super) fn get(&self, path: &[impl AsRef<str>]) -> Option<T> {
        self.at(path).first().map(|(_, thing)| *thing)
    }

    /// True where there is anything at a path.
    pub(super) fn contains(&self, path: &[impl AsRef<str>]) -> bool {
        self.get(path).is_some()
    }
}

fn compare(one: &[String], other: &[impl AsRef<str>]) -> Ordering {
    one.iter().map(String::as_str).cmp(other.iter().map(AsRef::as_ref))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Paths of few names, so that many are the same, or above one another.
    fn paths() -> impl Strategy<Value = Vec<Vec<String>>> {
        let name = prop::sample::select(vec!["a", "a-b", "b", "ab"]).prop_map(str::to_owned);
        prop::collection::vec(prop::collection::vec(name, 1..4), 0..20)
    }

    proptest! {
        /// What a walk through all of them finds, in the order in which they came.
        #[test]
        fn what_is_at_a_path_and_below_it_is_found(paths in paths()) {
            let all: ByPath<'_, usize> = paths.iter().enumerate().map(|(n, path)| (path.as_slice(), n)).collect();
            for path in &paths {
                let at: Vec<_> = all.at(path).iter().map(|(_, n)| *n).collect();
                let walked: Vec<_> = (0..paths.len()).filter(|n| paths[*n] == *path).collect();
                prop_assert_eq!(&at, &walked);
                prop_assert_eq!(all.get(path), walked.first().copied());
                let mut under: Vec<_> = all.under(path).iter().map(|(_, n)| *n).collect();
                under.sort_unstable();
                let walked: Vec<_> = (0..paths.len()).filter(|n| paths[*n].starts_with(path)).collect();
                prop_assert_eq!(under, walked);
            }
            prop_assert_eq!(all.at(&["c"]).len() + all.under(&["a", "c"]).len(), 0);
            prop_assert_eq!(all.groups().map(<[_]>::len).sum::<usize>(), paths.len());
        }
    }
}
