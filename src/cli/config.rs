//! `landfast.toml`: the operator's own limits, beside the command line and out of reach of the repository they guard.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Source;
use super::setup::Failure;
use crate::plan::Guards;

/// The operator's own limits, out of reach of the repository they guard.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "landfast.toml")]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// What is kept back whatever the repository says.
    guards: Guards,
}

/// The guards of `--config`, or else the usual ones, with the commits of `--approve`.
pub(super) fn guards(source: &Source) -> Result<Guards, Failure> {
    let mut guards = match &source.config {
        Some(path) => read(path)?,
        None => Guards::default(),
    };
    guards.approved.extend(source.approve.iter().cloned());
    Ok(guards)
}

fn read(path: &Path) -> Result<Guards, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| Failure::File { what: format!("the configuration {}", path.display()), source })?;
    parse(&text).map_err(|reason| Failure::Option(format!("{}: {reason}", path.display())))
}

fn parse(text: &str) -> Result<Guards, String> {
    let config: Config = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    Ok(config.guards)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_file_leaves_out_keeps_its_usual_limit() {
        let text = "[guards]\nnew-accounts-per-day = 40\nprotected-accounts = [\"log-archive\"]\n\
                    protected-stacks = [\"*/audit-trail\"]\n";
        let guards = parse(text).unwrap();
        assert_eq!(guards.new_accounts_per_day, 40);
        assert_eq!(guards.new_accounts_per_commit, Guards::default().new_accounts_per_commit);
        assert_eq!((guards.protected_accounts.len(), guards.protected_stacks.len()), (1, 1));
        assert_eq!(parse("").unwrap(), Guards::default());
    }

    #[test]
    fn a_guard_that_is_misspelled_is_refused_with_its_line_and_not_left_out() {
        insta::assert_snapshot!(parse("[guards]\nnew-account-per-day = 40\n").unwrap_err(), @r#"
        TOML parse error at line 2, column 1
          |
        2 | new-account-per-day = 40
          | ^^^^^^^^^^^^^^^^^^^
        unknown field `new-account-per-day`, expected one of `new-accounts-per-commit`, `new-accounts-per-day`, `accounts-per-commit`, `vanished-folders`, `removals-per-commit`, `removals-per-account`, `protected-accounts`, `protected-stacks`, `approved`
        "#);
        insta::assert_snapshot!(parse("[guards]\nprotected-stacks = [\"audit-trail\"]\n").unwrap_err(), @r#"
        TOML parse error at line 2, column 20
          |
        2 | protected-stacks = ["audit-trail"]
          |                    ^^^^^^^^^^^^^^^
        `audit-trail` is not `<folder>/<stack>`, such as `log-archive/trail` or `*/trail`
        "#);
        insta::assert_snapshot!(parse("[guards]\napproved = [\"3f2a\"]\n").unwrap_err(), @r#"
        TOML parse error at line 2, column 12
          |
        2 | approved = ["3f2a"]
          |            ^^^^^^^^
        `3f2a` is not a commit id (40 hexadecimal digits)
        "#);
    }
}
