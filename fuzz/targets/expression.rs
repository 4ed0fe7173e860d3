//! Any text with expressions gets an answer of bounded size.

#![no_main]

use landfast::load::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for text in [text.to_owned(), format!("${{{{ {text} }}}}")] {
        if let Some(result) = fuzzing::expression(&text) {
            assert!(result.len() <= 70_000 + text.len());
        }
    }
});
