//! YAML (and JSON, which is YAML) as a tree in which every node knows its place and its own spelling.
//!
//! Guarantees: pure; a scalar keeps the text it was written as, so `012345678901`, `no` and `1.10` stay what
//! they are; all duplicate keys of a file are reported, not only the first; nesting and the size that aliases
//! expand to are bounded before anything is built from them.
//! Merge keys (`<<`) and keys that are not plain texts are refused: CloudFormation knows neither.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, Span, Tag};

/// What one file may weigh, aliases expanded. The largest real template has some ten thousand values.
const MAX_WEIGHT: usize = 100_000;
/// Bytes of text that weigh as much as one more value: an alias copies texts as well.
const BYTES_PER_VALUE: usize = 64;
/// Collections inside collections. CloudFormation itself gives up well before this.
const MAX_DEPTH: usize = 64;

/// A place in a text, both counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
}

/// Something wrong with the text itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What, in lower case and without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// One node of the tree.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it starts; for an alias, where the alias is used.
    pub place: Place,
    /// Its tag as written, such as `!Ref`; core tags as `!!str`.
    pub tag: Option<String>,
    /// What it is.
    pub kind: Kind,
    weight: usize,
    height: usize,
}

/// The three shapes of a node.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A text, with what decides whether it may be read as something else.
    Scalar {
        /// The text as written, escapes resolved.
        text: String,
        /// True when no quotes or block style say that it is a text and nothing else.
        plain: bool,
    },
    /// A list.
    List(Arc<[Node]>),
    /// A map in the order of the file, without duplicates.
    Map(Arc<[Entry]>),
}

/// One entry of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// Where the key starts.
    pub place: Place,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// True for an empty value, `~` or `null` without quotes.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// True for `null` in so many letters; an empty value, which the parser calls `~`, may just be unfinished.
    pub fn is_written_null(&self) -> bool {
        ["null", "Null", "NULL"].iter().any(|word| self.is_plain(word))
    }

    /// True for exactly this text without quotes.
    pub fn is_plain(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if text == word) && self.tag.is_none()
    }

    /// What a reader calls it: "a map", "a list", "a text"…
    pub fn shape(&self) -> &'static str {
        match &self.kind {
            _ if self.is_null() => "nothing",
            Kind::Scalar { .. } => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    fn new(place: Place, tag: Option<String>, kind: Kind) -> Self {
        let size = |nodes: &mut dyn Iterator<Item = &Self>| {
            nodes.fold((1, 0), |(weight, height), node| (weight + node.weight, height.max(node.height + 1)))
        };
        let (weight, height) = match &kind {
            Kind::Scalar { .. } => (1, 0),
            Kind::List(nodes) => size(&mut nodes.iter()),
            Kind::Map(entries) => size(&mut entries.iter().map(|entry| &entry.value)),
        };
        let weight = weight + texts_weight(tag.as_deref(), &kind);
        Self { place, tag, kind, weight, height: height.max(1) }
    }
}

/// Reads one document. The tree is there unless the text cannot be read at all; faults may come with it.
pub fn parse(text: &str) -> (Option<Node>, Vec<Fault>) {
    let mut builder = Builder::default();
    let result = builder.read(text);
    let mut faults = builder.faults;
    match result {
        Ok(node) => (Some(node), faults),
        Err(fault) => {
            faults.push(fault);
            (None, faults)
        }
    }
}

/// A plain scalar as what it stands for, as long as that prints as the very same text again.
pub fn implied(text: &str) -> Value {
    match text {
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    match serde_json::from_str::<serde_json::Number>(text) {
        Ok(number) if number.to_string() == text => Value::Number(number),
        _ => Value::from(text),
    }
}

/// A collection that is still open.
struct Open {
    place: Place,
    tag: Option<String>,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        key: Option<(String, Place)>,
        /// Each key with the line it was first met in.
        seen: BTreeMap<String, u32>,
    },
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    weight: usize,
    root: Option<Node>,
    documents: usize,
    faults: Vec<Fault>,
}

impl Builder {
    fn read(&mut self, text: &str) -> Result<Node, Fault> {
        let mut options = Options::default();
        options.set_emit_comments(false);
        for next in Parser::new_from_str_with_options(text, options) {
            let (event, span) = next.map_err(|error| {
                let mark = error.marker();
                fault(
                    place(mark.line(), mark.col()),
                    error.info(),
                    "check indentation, quotes and brackets up to here",
                )
            })?;
            self.event(event, &span)?;
        }
        Ok(self.root.take().unwrap_or_else(|| empty(Place { line: 1, column: 1 })))
    }

    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fault> {
        let at = span.tag_start().unwrap_or(span.start);
        let at = place(at.line(), at.col());
        match event {
            Event::DocumentStart(..) => self.document(at),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = matches!(style, ScalarStyle::Plain);
                check_characters(at, &text)?;
                let kind = Kind::Scalar { text: text.into_owned(), plain };
                let node = Node::new(at, spelled(tag), kind);
                self.weigh(at, node.weight)?;
                self.place_node(node, anchor)
            }
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::SequenceStart(_, anchor, tag) => self.start(at, tag, anchor, Content::List(Vec::new())),
            Event::MappingStart(_, anchor, tag) => {
                let content = Content::Map { entries: Vec::new(), key: None, seen: BTreeMap::new() };
                self.start(at, tag, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            _ => Ok(()),
        }
    }

    fn document(&mut self, at: Place) -> Result<(), Fault> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        Err(fault(at, "a second document in one file", "remove everything from this `---` on"))
    }

    fn start(
        &mut self,
        place: Place,
        tag: Option<Cow<'_, Tag>>,
        anchor: usize,
        content: Content,
    ) -> Result<(), Fault> {
        self.check_depth(place, 1)?;
        self.check_is_value(place)?;
        let tag = spelled(tag);
        self.weigh(place, 1 + text_weight(tag.as_deref().unwrap_or_default()))?;
        self.open.push(Open { place, tag, anchor, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(Open { place, tag, anchor, content }) = self.open.pop() else { return Ok(()) };
        let kind = match content {
            Content::List(nodes) => Kind::List(nodes.into()),
            Content::Map { entries, .. } => Kind::Map(entries.into()),
        };
        self.place_node(Node::new(place, tag, kind), anchor)
    }

    fn alias(&mut self, anchor: usize, at: Place) -> Result<(), Fault> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(fault(at, "an alias inside the very thing it stands for", "write the value out"));
        };
        let (weight, height) = (node.weight, node.height);
        self.check_depth(at, height)?;
        // Before the copy is made: a text is copied whole.
        self.weigh(at, weight)?;
        let node = Node { place: at, ..self.anchors[&anchor].clone() };
        self.place_node(node, 0)
    }

    fn weigh(&mut self, at: Place, weight: usize) -> Result<(), Fault> {
        self.weight += weight;
        if self.weight <= MAX_WEIGHT {
            return Ok(());
        }
        let message = format!(
            "more than {MAX_WEIGHT} values in one file, {BYTES_PER_VALUE} bytes of text counted as one"
        );
        let hint = "aliases multiply what they stand for; write the values out, or split the file";
        Err(fault(at, message, hint))
    }

    fn check_depth(&self, at: Place, more: usize) -> Result<(), Fault> {
        if self.open.len() + more <= MAX_DEPTH {
            return Ok(());
        }
        Err(fault(at, format!("nested more than {MAX_DEPTH} deep"), "flatten it"))
    }

    /// A collection cannot be a key.
    fn check_is_value(&self, at: Place) -> Result<(), Fault> {
        match self.open.last() {
            Some(Open { content: Content::Map { key: None, .. }, .. }) => {
                Err(fault(at, "a key that is not a text", "put quotes around it if it is meant as text"))
            }
            _ => Ok(()),
        }
    }

    /// Puts a finished node where it belongs: into the open collection, or as the root.
    fn place_node(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(nodes)) => nodes.push(node),
            Some(Content::Map { key: key @ None, .. }) => *key = Some(key_text(node)?),
            Some(Content::Map { entries, key, seen }) => {
                let Some((key, place)) = key.take() else { return Ok(()) };
                if let Some(first) = seen.get(&key) {
                    let hint = format!("it is already there in line {first}; keep one");
                    self.faults.push(fault(place, format!("duplicate key `{key}`"), hint));
                } else {
                    seen.insert(key.clone(), place.line);
                    entries.push(Entry { key, place, value: node });
                }
            }
        }
        Ok(())
    }
}

/// Unicode keeps some characters out of texts for good, so that programs can give them a meaning of their own.
fn check_characters(at: Place, text: &str) -> Result<(), Fault> {
    match text.chars().find(|c| matches!(c, '\u{fdd0}'..='\u{fdef}')) {
        Some(c) => {
            Err(fault(at, format!("a character that no text holds (U+{:04X})", u32::from(c)), "take it out"))
        }
        None => Ok(()),
    }
}

fn key_text(node: Node) -> Result<(String, Place), Fault> {
    match node.kind {
        Kind::Scalar { text, plain: true } if text == "<<" => {
            Err(fault(node.place, "merge keys (`<<`) are not supported", "write the values out"))
        }
        Kind::Scalar { text, .. } => Ok((text, node.place)),
        _ => Err(fault(node.place, "a key that is not a text", "write the key out as text")),
    }
}

/// What its own texts weigh: the tag, the scalar, or the keys.
fn texts_weight(tag: Option<&str>, kind: &Kind) -> usize {
    let own = match kind {
        Kind::Scalar { text, .. } => text_weight(text),
        Kind::List(_) => 0,
        Kind::Map(entries) => entries.iter().map(|entry| 1 + text_weight(&entry.key)).sum(),
    };
    own + tag.map_or(0, text_weight)
}

fn text_weight(text: &str) -> usize {
    text.len() / BYTES_PER_VALUE
}

fn spelled(tag: Option<Cow<'_, Tag>>) -> Option<String> {
    tag.map(|tag| match tag.core_suffix() {
        Some(suffix) => format!("!!{suffix}"),
        None => tag.original(),
    })
}

fn empty(place: Place) -> Node {
    Node::new(place, None, Kind::Scalar { text: String::new(), plain: true })
}

fn place(line: usize, column: usize) -> Place {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place { line: small(line), column: small(column).saturating_add(1) }
}

fn fault(place: Place, message: impl Into<String>, hint: impl Into<String>) -> Fault {
    Fault { place, message: message.into(), hint: Some(hint.into()) }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    const TOO_HEAVY: &str = "more than 100000 values in one file, 64 bytes of text counted as one";

    fn scalars(text: &str) -> Vec<(String, bool)> {
        fn walk(node: &Node, found: &mut Vec<(String, bool)>) {
            match &node.kind {
                Kind::Scalar { text, plain } => found.push((text.clone(), *plain)),
                Kind::List(nodes) => nodes.iter().for_each(|node| walk(node, found)),
                Kind::Map(entries) => entries.iter().for_each(|entry| walk(&entry.value, found)),
            }
        }
        let (node, faults) = parse(text);
        assert_eq!(faults, []);
        let mut found = Vec::new();
        walk(&node.unwrap(), &mut found);
        found
    }

    #[test]
    fn a_scalar_keeps_its_spelling() {
        let found = scalars("[012345678901, no, 1.10, '8080', 2010-09-09]");
        let texts: Vec<_> = found.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["012345678901", "no", "1.10", "8080", "2010-09-09"]);
        assert_eq!(found.iter().filter(|(_, plain)| !plain).count(), 1);
    }

    #[test]
    fn json_indented_with_tabs_is_read() {
        assert_eq!(scalars("{\n\t\"a\": [\n\t\t1,\n\t\t\"two\"\n\t]\n}\n").len(), 2);
    }

    #[test]
    fn every_duplicate_key_is_reported_and_the_first_is_kept() {
        let (node, faults) = parse("a: 1\nb: 2\na: 3\nb: 4\n");
        assert_eq!(faults.iter().map(|fault| fault.place.line).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(faults[0].message, "duplicate key `a`");
        let Kind::Map(entries) = node.unwrap().kind else { panic!("a map") };
        assert_eq!(entries.len(), 2);
    }

    #[test]
    fn an_alias_bomb_is_refused_before_it_grows() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..=9 {
            let below = format!("*a{}", level - 1);
            let ten = vec![below; 10].join(", ");
            writeln!(text, "a{level}: &a{level} [{ten}]").unwrap();
        }
        let (node, faults) = parse(&text);
        assert!(node.is_none());
        assert_eq!(faults[0].message, TOO_HEAVY);
    }

    #[test]
    fn aliases_of_a_long_text_are_refused_before_they_are_copied() {
        let (text, aliases) = ("x".repeat(100_000), vec!["*a"; 200].join(", "));
        for bomb in [
            format!("a: &a \"{text}\"\nb: [{aliases}]\n"),
            format!("a: &a {{? {text} : 1}}\nb: [{aliases}]\n"),
            format!("a: &a !{text} 1\nb: [{aliases}]\n"),
        ] {
            let (node, faults) = parse(&bomb);
            assert!(node.is_none(), "{}", &bomb[..9]);
            assert_eq!(faults[0].message, TOO_HEAVY);
            assert_eq!((faults[0].place.line, faults[0].hint.is_some()), (2, true));
        }
    }

    #[test]
    fn a_long_text_that_is_used_a_few_times_is_fine() {
        let text = format!("a: &a \"{}\"\nb: [*a, *a, *a]\n", "x".repeat(100_000));
        assert_eq!(scalars(&text).len(), 4);
    }

    #[test]
    fn nesting_is_bounded_in_both_styles() {
        let flow = "[".repeat(65) + &"]".repeat(65);
        let block = (0..65).flat_map(|depth| [" ".repeat(depth), "a:\n".to_owned()]).collect::<String>();
        for text in [flow, block] {
            assert_eq!(parse(&text).1[0].message, "nested more than 64 deep", "{text}");
        }
        assert_eq!(parse(&("[".repeat(64) + &"]".repeat(64))).1, []);
    }

    #[test]
    fn an_alias_to_itself_a_merge_key_and_two_documents_are_refused() {
        for (text, message) in [
            ("a: &a [*a]", "an alias inside the very thing it stands for"),
            ("a: &a {b: 1}\nc: {<<: *a}", "merge keys (`<<`) are not supported"),
            ("a: 1\n---\nb: 2\n", "a second document in one file"),
            ("[a]: 1\n", "a key that is not a text"),
        ] {
            assert_eq!(parse(text).1[0].message, message, "{text}");
        }
    }
}
