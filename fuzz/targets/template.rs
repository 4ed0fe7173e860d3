//! Any text as a template gets an answer, and its canonical form is its own.

#![no_main]

use landfast::model::template::{Template, canonical};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(template) = Template::parse(text) {
        let _ = (template.parameters(), template.resources());
        let once = canonical(text);
        assert_eq!(canonical(&once), once);
    }
});
