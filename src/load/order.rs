//! Putting named things in an order in which each comes after what it names.

use std::collections::{BTreeMap, BTreeSet};

/// The names so that each comes after all it needs, ties by name; or a cycle, first name repeated at its end.
///
/// Names that are needed but are no keys of the graph are left out.
pub(super) fn order(needs: &BTreeMap<String, BTreeSet<String>>) -> Result<Vec<String>, Vec<String>> {
    let mut walk = Walk { needs, done: BTreeSet::new(), ordered: Vec::new(), path: Vec::new() };
    for name in needs.keys() {
        walk.visit(name)?;
    }
    Ok(walk.ordered)
}

/// All that `name` needs, directly or through others.
pub(super) fn ancestors(needs: &BTreeMap<String, BTreeSet<String>>, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![name];
    while let Some(name) = open.pop() {
        for need in needs.get(name).into_iter().flatten() {
            if found.insert(need.clone()) {
                open.push(need);
            }
        }
    }
    found
}

struct Walk<'a> {
    needs: &'a BTreeMap<String, BTreeSet<String>>,
    done: BTreeSet<&'a str>,
    ordered: Vec<String>,
    path: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, name: &'a str) -> Result<(), Vec<String>> {
        if self.done.contains(name) {
            return Ok(());
        }
        if let Some(start) = self.path.iter().position(|on_path| *on_path == name) {
            return Err(self.path[start..].iter().chain([&name]).map(|&name| name.to_owned()).collect());
        }
        let Some(needs) = self.needs.get(name) else { return Ok(()) };
        self.path.push(name);
        for need in needs {
            self.visit(need)?;
        }
        self.path.pop();
        self.done.insert(name);
        self.ordered.push(name.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &[&str])]) -> BTreeMap<String, BTreeSet<String>> {
        edges
            .iter()
            .map(|(name, needs)| (name.to_string(), needs.iter().map(ToString::to_string).collect()))
            .collect()
    }

    #[test]
    fn each_comes_after_what_it_needs() {
        let graph = graph(&[("a", &["c"]), ("b", &[]), ("c", &["b", "elsewhere"])]);
        assert_eq!(order(&graph).unwrap(), ["b", "c", "a"]);
        assert_eq!(ancestors(&graph, "a").into_iter().collect::<Vec<_>>(), ["b", "c", "elsewhere"]);
    }

    #[test]
    fn a_cycle_is_shown_as_the_way_round() {
        let graph = graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]);
        assert_eq!(order(&graph).unwrap_err(), ["b", "c", "b"]);
        assert_eq!(ancestors(&graph, "b").len(), 2);
    }
}
