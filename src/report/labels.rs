//! What our labels look like in GitHub's list of labels.

/// A label's colour and description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelWords {
    /// Six hexadecimal digits: red, green, blue.
    pub color: &'static str,
    /// At most 100 characters.
    pub description: &'static str,
}

/// How to make our label `name`; nothing for labels that are not ours to make.
pub fn label_words(name: &str) -> Option<LabelWords> {
    let (color, description) = match name {
        "landfast" => ("0b5394", "Opened and closed by Landfast"),
        "landfast/drift" => ("5319e7", "AWS is no longer as git declares"),
        "landfast/first-contact" => ("1d76db", "Found at the first look, before anything was agreed"),
        "landfast/attention" => ("d4c5f9", "Something waits for a person"),
        "landfast/rejected" => ("e99695", "A commit that does not load, and is not followed"),
        "landfast/halted" => ("e99695", "The branch is not followed"),
        "landfast/rollout" => ("f9d0c4", "A rollout that waits for a person"),
        "landfast/high" => ("b60205", "Someone may do more, see more, or go unseen"),
        "landfast/medium" => ("fbca04", "Something works differently from what was agreed"),
        "landfast/low" => ("c2e0c6", "A label, a tag, a name"),
        _ => return None,
    };
    Some(LabelWords { color, description })
}

#[cfg(test)]
mod tests {
    use super::super::issue::IssueKind;
    use super::super::severity::Severity;
    use super::*;

    #[test]
    fn every_label_we_set_has_a_colour_and_words() {
        let severities = [Severity::Low, Severity::Medium, Severity::High].map(Severity::label);
        for label in IssueKind::ALL.map(IssueKind::label).into_iter().chain(severities) {
            let words = label_words(&format!("landfast/{label}")).unwrap();
            assert!(
                words.color.len() == 6 && words.color.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{label}"
            );
            assert!(words.description.chars().count() <= 100, "{label}");
        }
        assert!(label_words("landfast").is_some());
        assert_eq!(label_words("bug"), None);
    }
}
