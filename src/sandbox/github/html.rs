//! Markdown and diffs as HTML. Whatever HTML a text holds is shown as text, but for `<details>` and `<summary>`.

use std::fmt::Write as _;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};

/// `text` for a place between tags or in quotes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Markdown, as far as issues use it.
pub(super) fn markdown(text: &str) -> String {
    let parser = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
    let mut fence: Option<(bool, String)> = None;
    let events = parser.filter_map(|event| match (event, &mut fence) {
        (Event::Start(Tag::CodeBlock(kind)), _) => {
            let is_diff = matches!(&kind, CodeBlockKind::Fenced(language) if &**language == "diff");
            fence = Some((is_diff, String::new()));
            None
        }
        (Event::Text(text), Some((_, lines))) => {
            lines.push_str(&text);
            None
        }
        (Event::End(TagEnd::CodeBlock), _) => {
            let (is_diff, lines) = fence.take().unwrap_or_default();
            Some(Event::Html(CowStr::from(if is_diff { diff(&lines) } else { plain(&lines) })))
        }
        (Event::Html(html) | Event::InlineHtml(html), _) => {
            Some(Event::Html(CowStr::from(folds_only(&html))))
        }
        (Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image), _) => None,
        (Event::Start(Tag::Link { dest_url, .. }), _) if !is_web(&dest_url) => None,
        (event, _) => Some(event),
    });
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://") || url.starts_with('#')
}

/// Tags that fold a part away stay, comments go, everything else is shown as text.
fn folds_only(html: &str) -> String {
    let mut kept = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        kept.push_str(&escape(&rest[..start]));
        rest = &rest[start..];
        let fold = ["<details>", "</details>", "<summary>", "</summary>"];
        let length = if let Some(tag) = fold.into_iter().find(|tag| rest.starts_with(tag)) {
            kept.push_str(tag);
            tag.len()
        } else if rest.starts_with("<!--") {
            rest.find("-->").map_or(rest.len(), |end| end + 3)
        } else {
            kept.push_str("&lt;");
            1
        };
        rest = &rest[length..];
    }
    kept + &escape(rest)
}

fn plain(lines: &str) -> String {
    format!("<pre><code>{}</code></pre>\n", escape(lines))
}

/// A diff with a class for each kind of line.
pub(super) fn diff(lines: &str) -> String {
    let mut html = String::from("<pre class=\"diff\">");
    for line in lines.lines() {
        let class = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => "head",
            [b'+', ..] => "add",
            [b'-', ..] => "del",
            [b'@', b'@', ..] => "hunk",
            bytes if bytes.starts_with(b"diff ") || bytes.starts_with(b"index ") => "head",
            _ => "same",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(html, "<span class=\"{class}\">{}</span>", escape(line));
    }
    html + "</pre>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_html_is_shown_as_text_and_comments_are_hidden() {
        let html = markdown(
            "<!-- marker -->\n**b** <script>alert(1)</script> [x](javascript:alert(1)) ![i](http://e/x)",
        );
        assert!(html.contains("<strong>b</strong>"), "{html}");
        assert!(
            !html.contains("<script") && !html.contains("javascript:") && !html.contains("<img"),
            "{html}"
        );
        assert!(!html.contains("marker"), "{html}");
    }

    #[test]
    fn what_is_folded_stays_folded_and_a_diff_has_colours() {
        let html =
            markdown("<details><summary>2 items</summary>\n\n```diff\n-  a\n+  <b>\n```\n\n</details>");
        assert!(html.contains("<details><summary>2 items</summary>"), "{html}");
        assert!(html.contains("<span class=\"add\">+  &lt;b&gt;</span>"), "{html}");
    }
}
