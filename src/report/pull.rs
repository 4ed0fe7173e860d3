//! The words of the pull requests Landfast opens.

use super::markdown::{code, fenced, title};
use crate::model::{AccountId, Slug};

/// Title and body of a pull request, or of the commit in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullWords {
    /// The title, and the commit's subject.
    pub title: String,
    /// The body, in markdown.
    pub body: String,
}

/// The pull request that records the id of an account Landfast created.
pub fn record_id(slug: &Slug, name: &str, id: &AccountId) -> PullWords {
    let lines = [format!("# accounts/{slug}/account.yaml"), format!("id: \"{id}\"")];
    let sections = [
        format!("Landfast created the account {} as {}, and it is up.", code(name), code(id.as_str())),
        format!(
            "This records its id, which proves from now on that folder and account belong together:\n\n{}",
            fenced("yaml", &lines)
        ),
        "After the merge nothing is written to AWS. Until then the account is known by its tag \
         `landfast:slug`, so nothing waits for this."
            .to_owned(),
    ];
    PullWords { title: title(&format!("accounts/{slug}: record id {id}")), body: sections.join("\n\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pull_request_shows_the_one_line_it_adds() {
        let words = record_id(
            &Slug::parse("payments-prod").unwrap(),
            "Payments Production",
            &AccountId::parse("111122223333").unwrap(),
        );
        assert_eq!(words.title, "accounts/payments-prod: record id 111122223333");
        insta::assert_snapshot!(words.body, @r#"
        Landfast created the account `Payments Production` as `111122223333`, and it is up.

        This records its id, which proves from now on that folder and account belong together:

        ```yaml
        # accounts/payments-prod/account.yaml
        id: "111122223333"
        ```

        After the merge nothing is written to AWS. Until then the account is known by its tag `landfast:slug`, so nothing waits for this.
        "#);
    }
}
