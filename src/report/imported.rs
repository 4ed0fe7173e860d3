//! What an import came to, on one page.

use std::fmt::Write as _;

use crate::import::{Draft, Note};

/// The summary of an import for standard output.
pub fn imported(draft: &Draft) -> String {
    let Draft { new, edited, notes } = draft;
    let mut page = String::new();
    let files = |n: usize| if n == 1 { "1 file".to_owned() } else { format!("{n} files") };
    if new.is_empty() && edited.is_empty() {
        page.push_str("nothing to add: the files say already what can be said\n");
    } else {
        let _ = writeln!(page, "wrote {}, added to {}", files(new.len()), files(edited.len()));
    }
    lines(&mut page, "new folders", notes.folders.iter().map(|slug| format!("accounts/{slug}")));
    lines(&mut page, "added", notes.added.iter().cloned());
    let said = |note: &Note| format!("{}: {}", note.about, note.says);
    lines(&mut page, "could not be read", notes.unread.iter().map(said));
    lines(&mut page, "left to another owner", notes.left.iter().map(said));
    lines(&mut page, "left out, because it would not be in sync", notes.unfit.iter().map(said));
    lines(&mut page, "brought to new folders by baselines that reach them", notes.brought.iter().map(said));
    if !notes.by_hand.is_empty() {
        page.push_str("\nto be added by hand, because the file's layout has no room for it:\n");
    }
    for Note { about, says } in &notes.by_hand {
        let _ = writeln!(page, "  {}", plain(about));
        says.lines().for_each(|line| _ = writeln!(page, "      {}", plain(line.trim_end())));
    }
    let finds = if notes.brought.is_empty() {
        "it finds nothing to do"
    } else {
        "it finds nothing to do but what baselines bring"
    };
    let _ = writeln!(page, "\nnext: commit the files, then `landfast plan`: {finds}");
    page
}

/// Names come from AWS, and the page goes to a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn lines(page: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<_> = lines.map(|line| format!("  {}\n", plain(&line))).collect();
    if !lines.is_empty() {
        let _ = write!(page, "\n{title}:\n{}", lines.concat());
    }
}
