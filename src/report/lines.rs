//! Lines of at most 100 columns, so that a plan reads the same in a terminal, a pipe and a pull request.

use std::fmt::Write as _;

/// No line of words is wider; diffs are left as they are.
const WIDTH: usize = 100;

/// Adds `text` as one line, indented by `depth` steps, as it is.
pub(super) fn verbatim(out: &mut String, depth: usize, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}{}", "  ".repeat(depth), text.trim_end());
}

/// Adds `text`, broken between words where it is too wide; what follows the first line stands further right.
pub(super) fn words(out: &mut String, depth: usize, text: &str) {
    let indent = 2 * depth;
    let mut line = String::new();
    let mut first = true;
    for word in text.split(' ') {
        let hanging = if first { indent } else { indent + 4 };
        if !line.trim().is_empty() && hanging + line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{}{}", " ".repeat(hanging), line.trim_end());
            line.clear();
            first = false;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let hanging = if first { indent } else { indent + 4 };
    let _ = writeln!(out, "{}{}", " ".repeat(hanging), line.trim_end());
}

/// `1 stack`, `2 stacks`.
pub(super) fn number(count: usize, noun: &str) -> String {
    let plural =
        if let Some(stem) = noun.strip_suffix('y') { format!("{stem}ies") } else { format!("{noun}s") };
    if count == 1 { format!("1 {noun}") } else { format!("{count} {plural}") }
}

/// The parts as people list them: `a`, `a and b`, `a, b and c`.
pub(super) fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_broken_between_words_and_hang() {
        let mut out = String::new();
        words(&mut out, 1, &"word ".repeat(40));
        assert!(out.lines().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(
            out.lines().map(|line| line.len() - line.trim_start().len()).collect::<Vec<_>>(),
            [2, 6, 6]
        );
        let mut out = String::new();
        words(&mut out, 0, &"x".repeat(300));
        assert_eq!(out.len(), 301, "a word is never broken");
    }
}
