//! Markdown that foreign text cannot break.
//!
//! Foreign text (anything AWS or a file told us) is placed in code spans and fences only: there it cannot mention
//! a team, link, embed an image, or be taken for HTML.

/// No body we send is longer, in characters; GitHub refuses bodies above 65,536.
pub const MAX_BODY: usize = 60_000;
/// No title we send is longer, in characters: GitHub refuses titles above 256, and lists cut them long before.
pub(super) const MAX_TITLE: usize = 120;
/// Foreign text is cut at this length: AWS tells why it denied access in about 300 characters.
const MAX_CODE: usize = 400;
const CUT_NOTICE: &str = "\n\n_The rest was left out: it would not fit here; `landfast plan` shows it._";

/// `text` without characters that are not what they seem: controls, line ends, direction changes, zero width.
pub(super) fn visible(text: &str, max: usize) -> String {
    let plain: String = text.chars().map(|c| if is_tricky(c) { ' ' } else { c }).collect();
    let plain = plain.trim();
    if plain.chars().count() <= max {
        return plain.to_owned();
    }
    plain.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

/// A reason without what differs at every look: AWS puts the id of each request into its messages.
pub(super) fn steady(text: &str) -> String {
    let is_id = |word: &str| {
        let lengths = word.split('-').map(str::len);
        lengths.eq([8, 4, 4, 4, 12]) && word.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
    };
    let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words
        .map(|word| {
            let id = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_id(id) { word.replacen(id, "…", 1) } else { word.to_owned() }
        })
        .collect()
}

fn is_tricky(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Foreign text as a code span that fits anywhere, table cells included.
pub(super) fn code(text: &str) -> String {
    let plain = visible(text, MAX_CODE).replace('`', "'").replace('|', "│");
    // A trailing backslash would escape the bar that ends a table cell; within a cell GitHub looks at bars first.
    let plain = plain.trim_end_matches(['\\', ' ']);
    if plain.is_empty() { "`(empty)`".to_owned() } else { format!("`{plain}`") }
}

/// A title: one line, no code spans, nothing that mentions.
pub(super) fn title(words: &str) -> String {
    let plain = words.replace('`', "");
    let mut title = String::with_capacity(plain.len());
    for c in visible(&plain, usize::MAX).chars() {
        // A mention starts after a character that is no part of a word; an e-mail address does not.
        let starts_mention = c == '@' && !title.ends_with(|c: char| c.is_alphanumeric());
        title.push(c);
        if starts_mention {
            title.push('\u{2060}');
        }
    }
    if title.chars().count() <= MAX_TITLE {
        return title;
    }
    title.chars().take(MAX_TITLE - 1).chain(['…']).collect()
}

/// A fenced block; the fence is longer than any run of backticks within.
pub(super) fn fenced(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let mut block = format!("{fence}{language}\n");
    for line in lines {
        block.push_str(line);
        block.push('\n');
    }
    block.push_str(&fence);
    block
}

fn longest_run(line: &str) -> usize {
    line.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A part that is folded away under `summary`, which must be our own words.
pub(super) fn details(summary: &str, body: &str) -> String {
    format!("<details><summary>{summary}</summary>\n\n{body}\n\n</details>")
}

/// `body` cut to at most [`MAX_BODY`] characters, at a line's end where possible, with every fence and every
/// `<details>` that was open closed again, and with a sentence that says so.
pub fn cap(body: &str) -> String {
    fit(body, MAX_BODY)
}

/// The same for one section and `max` characters: so that no section crowds out the others.
pub(super) fn fit(body: &str, max: usize) -> String {
    if body.chars().count() <= max {
        return body.to_owned();
    }
    let mut open = Open::default();
    let mut kept = String::new();
    let mut length = 0;
    for line in body.split_inclusive('\n') {
        let mut after = open.clone();
        after.read(line.trim_end_matches('\n'));
        let size = line.chars().count();
        let closing = after.closing().chars().count().max(open.closing().chars().count());
        if length + size + closing + CUT_NOTICE.chars().count() > max {
            break;
        }
        kept.push_str(line);
        length += size;
        open = after;
    }
    kept + &open.closing() + CUT_NOTICE
}

/// What is open at some line of a body we wrote.
#[derive(Clone, Default)]
struct Open {
    fence: Option<String>,
    details: usize,
}

impl Open {
    fn read(&mut self, line: &str) {
        match &self.fence {
            Some(fence) if line == fence => self.fence = None,
            Some(_) => {}
            None if line.starts_with("```") => {
                self.fence = Some(line.chars().take_while(|c| *c == '`').collect());
            }
            None if line.starts_with("<details>") => self.details += 1,
            None if line == "</details>" => self.details = self.details.saturating_sub(1),
            None => {}
        }
    }

    fn closing(&self) -> String {
        let fence = self.fence.as_ref().map(|fence| format!("\n{fence}")).unwrap_or_default();
        fence + &"\n\n</details>".repeat(self.details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_closes_what_was_open() {
        let lines: Vec<_> = (0..20_000).map(|n| format!("+  line {n}")).collect();
        let body = cap(&details("all", &fenced("diff", &lines)));
        assert!(body.chars().count() <= MAX_BODY);
        assert_eq!(body.matches("```").count(), 2);
        assert!(body.ends_with(&format!("\n```\n\n</details>{CUT_NOTICE}")), "{}", &body[body.len() - 200..]);
    }

    #[test]
    fn one_endless_line_is_still_cut() {
        assert!(cap(&"é".repeat(200_000)).chars().count() <= MAX_BODY);
    }

    #[test]
    fn a_reason_is_the_same_at_every_look() {
        let reason = "Rate exceeded (Request ID: 4f1c0b6e-0000-4000-8000-00000000000a, HTTP 400), really";
        assert_eq!(steady(reason), "Rate exceeded (Request ID: …, HTTP 400), really");
        assert_eq!(steady("the stack is in ROLLBACK_FAILED"), "the stack is in ROLLBACK_FAILED");
    }

    #[test]
    fn a_fence_is_longer_than_any_within() {
        insta::assert_snapshot!(fenced("", &["````".to_owned()]), @r"
        `````
        ````
        `````
        ");
    }

    #[test]
    fn a_code_span_holds_no_backtick_bar_line_end_or_direction_change() {
        assert_eq!(code("a`b|c\nd\u{202e}\\"), "`a'b│c d`");
        assert_eq!(code("\n"), "`(empty)`");
    }

    #[test]
    fn a_title_mentions_nobody_but_keeps_addresses() {
        assert_eq!(
            title("by `@acme/all` and alice@example.com"),
            "by @\u{2060}acme/all and alice@example.com"
        );
    }
}
