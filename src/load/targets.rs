//! Which accounts a baseline, or one of its stacks, is for.
//!
//! What is given is combined with *and*. In a pattern `*` is one level and `**` is everything below, so `/**`
//! is every OU but not the root. The management account is only ever reached by its name.

use std::collections::{BTreeMap, BTreeSet};

use globset::{GlobBuilder, GlobMatcher};

use super::diagnostic::{At, Spot};
use super::exclusion::{self, Exclusion};
use super::fields::Reader;
use super::rule::Rule;
use crate::model::{OuPath, Slug};
use crate::yaml::Node;

/// The `targets` of a baseline or of one stack entry in it.
#[derive(Clone, Debug)]
pub(super) struct Targets {
    pub(super) spot: Spot,
    ous: Option<Vec<At<GlobMatcher>>>,
    tags: BTreeMap<String, At<String>>,
    accounts: Option<Vec<At<Slug>>>,
    exclude: BTreeMap<String, Exclusion>,
}

/// What targets look at.
pub(super) struct Candidate<'a> {
    pub(super) slug: &'a Slug,
    pub(super) ou: &'a OuPath,
    pub(super) tags: &'a BTreeMap<String, String>,
    pub(super) is_management: bool,
}

impl Targets {
    pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Self> {
        let mut fields = reader.fields(node)?;
        let ous = fields.optional("ous").map(|node| reader.list(node, pattern));
        let tags = fields.optional("tags").map(|node| reader.text_map(node)).unwrap_or_default();
        let accounts = fields.optional("accounts");
        let accounts = accounts.map(|node| reader.list(node, |reader, node| reader.parse(node, Slug::parse)));
        let exclude =
            fields.optional("exclude").map(|node| exclusion::read(reader, node)).unwrap_or_default();
        fields.close(reader);
        if ous.is_none() && tags.is_empty() && accounts.is_none() {
            let hint =
                "name some with ous, tags or accounts; {ous: [\"/**\"]} is every account below the root";
            reader.fault(Rule::Targets, node.place, "targets that reach no account", hint);
            return None;
        }
        Some(Self { spot: reader.spot(node.place), ous, tags, accounts, exclude })
    }

    /// True when a baseline with these targets is for the account.
    pub(super) fn reach(&self, account: &Candidate<'_>) -> bool {
        (!account.is_management || self.names(account.slug)) && self.narrow_to(account)
    }

    /// True when a stack with these targets, in a baseline that is for the account, is for it too.
    pub(super) fn narrow_to(&self, account: &Candidate<'_>) -> bool {
        let ou = |pattern: &At<GlobMatcher>| matches(&pattern.value, account.ou);
        let tag = |(key, value): (&String, &At<String>)| account.tags.get(key) == Some(&value.value);
        self.ous.as_ref().is_none_or(|patterns| patterns.iter().any(ou))
            && self.tags.iter().all(tag)
            && (self.accounts.is_none() || self.names(account.slug))
            && !self.exclude.contains_key(account.slug.as_str())
    }

    /// Who is left out, and why.
    pub(super) fn exclusions(&self) -> &BTreeMap<String, Exclusion> {
        &self.exclude
    }

    /// What they ask for, exclusions apart: the same text for the same targets.
    pub(super) fn aim(&self) -> String {
        let ous =
            self.ous.as_ref().map(|ous| ous.iter().map(|ou| ou.value.glob().glob()).collect::<BTreeSet<_>>());
        let tags: Vec<_> = self.tags.iter().map(|(key, tag)| (key, &tag.value)).collect();
        let accounts = self.accounts.as_ref();
        let accounts = accounts.map(|all| all.iter().map(|slug| &slug.value).collect::<BTreeSet<_>>());
        format!("{ous:?} {tags:?} {accounts:?}")
    }

    /// Reports names of accounts and OUs that are nowhere: a typing error here would reach nobody, silently. `slugs` are in
    /// order.
    pub(super) fn check(&self, reader: &mut Reader<'_>, slugs: &[&str], ous: &[&OuPath]) {
        let listed = self.accounts.iter().flatten();
        let listed = listed.map(|slug| (slug.value.to_string(), slug.spot.place));
        let excluded = self.exclude.iter().map(|(slug, reason)| (slug.clone(), reason.spot.place));
        for (slug, place) in
            listed.chain(excluded).filter(|(slug, _)| slugs.binary_search(&slug.as_str()).is_err())
        {
            let hint = reader.suggest(&slug, slugs.iter().copied());
            reader.fault(Rule::UnknownName, place, format!("there is no account folder `{slug}`"), hint);
        }
        for pattern in self.ous.iter().flatten() {
            if !matches(&pattern.value, &OuPath::root()) && !ous.iter().any(|ou| matches(&pattern.value, ou))
            {
                let message = format!("no OU matches `{}`", pattern.value.glob());
                let hint = reader.suggest("", ous.iter().map(|ou| ou.as_str()));
                reader.fault(Rule::UnknownName, pattern.spot.place, message, hint);
            }
        }
    }

    fn names(&self, slug: &Slug) -> bool {
        self.accounts.iter().flatten().any(|named| named.value == *slug)
    }
}

/// The root is only matched by its own name: the library would let `/**` match it too.
fn matches(pattern: &GlobMatcher, ou: &OuPath) -> bool {
    let text = pattern.glob().glob();
    let is_plain = |text: &str| !text.contains(['*', '?', '[', ']', '{', '}', '\\']);
    // Nearly every pattern is one of these two, and each is held against each account.
    match text.strip_suffix("/**") {
        _ if ou.is_root() => text == "/",
        Some(above) if is_plain(above) => {
            ou.as_str().strip_prefix(above).is_some_and(|below| below.starts_with('/') && below.len() > 1)
        }
        None if is_plain(text) => text == ou.as_str(),
        _ => pattern.is_match(ou.as_str()),
    }
}

fn pattern(reader: &mut Reader<'_>, node: &Node) -> Option<At<GlobMatcher>> {
    let text = reader.text(node)?;
    let glob = GlobBuilder::new(&text.value).literal_separator(true).build();
    match glob {
        Ok(glob) if text.value.starts_with('/') => Some(text.map(|_| glob.compile_matcher())),
        _ => {
            let message = format!("`{}` is not a pattern of OU paths", text.value);
            reader.fault(
                Rule::Identifier,
                node.place,
                message,
                "such as /workloads/prod, /workloads/* or /**",
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::diagnostic::Faults;
    use super::*;

    fn targets(yaml: &str) -> Targets {
        let mut faults = Faults::default();
        let mut reader = Reader { path: "baseline.yaml".into(), faults: &mut faults };
        Targets::read(&mut reader, &crate::yaml::parse(yaml).0.unwrap()).unwrap()
    }

    fn reach(yaml: &str, ou: &str, env: &str, is_management: bool) -> bool {
        let tags = BTreeMap::from([("env".to_owned(), env.to_owned())]);
        let (slug, ou) = (Slug::parse("one").unwrap(), OuPath::parse(ou).unwrap());
        targets(yaml).reach(&Candidate { slug: &slug, ou: &ou, tags: &tags, is_management })
    }

    #[test]
    fn two_stars_are_everything_below_and_one_star_is_one_level() {
        for (pattern, ou, reached) in [
            ("/**", "/workloads", true),
            ("/**", "/workloads/prod", true),
            ("/**", "/", false),
            ("/", "/", true),
            ("/workloads/*", "/workloads/prod", true),
            ("/workloads/*", "/workloads", false),
            ("/workloads/*", "/workloads/prod/eu", false),
            ("/workloads/**", "/workloads/prod/eu", true),
            ("/workloads", "/workloads/prod", false),
        ] {
            assert_eq!(reach(&format!("ous: ['{pattern}']"), ou, "", false), reached, "{pattern} {ou}");
        }
    }

    #[test]
    fn the_quick_ways_to_match_say_what_the_library_says() {
        let ous = ["/a", "/b", "/ab", "/a/b", "/a/b/c", "/ab/c", "/a b", "/a.b"]
            .map(|ou| OuPath::parse(ou).unwrap());
        for text in [
            "/**",
            "/a/**",
            "/a",
            "/a/b",
            "/a/b/**",
            "/ab",
            "/a.b",
            "/a b",
            "/*",
            "/a*/**",
            "/[ab]",
            "/{a,b}/**",
            "/a?",
        ] {
            let pattern = GlobBuilder::new(text).literal_separator(true).build().unwrap().compile_matcher();
            for ou in &ous {
                assert_eq!(matches(&pattern, ou), pattern.is_match(ou.as_str()), "{text} {ou}");
            }
        }
    }

    #[test]
    fn conditions_are_combined_with_and() {
        let yaml = "{ous: [/**], tags: {env: prod}}";
        assert!(reach(yaml, "/a", "prod", false));
        assert!(!reach(yaml, "/a", "dev", false));
        assert!(!reach(yaml, "/", "prod", false));
        assert!(!reach("{ous: [/**], exclude: {one: OPS-1}}", "/a", "prod", false));
    }

    #[test]
    fn the_management_account_is_only_reached_by_name() {
        assert!(!reach("{ous: [/, /**], tags: {env: prod}}", "/", "prod", true));
        assert!(reach("{accounts: [one]}", "/", "prod", true));
    }
}
