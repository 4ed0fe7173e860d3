//! `landfast new account`: a folder for an account, checked before it is written.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use super::setup::{self, Failure};
use super::{New, NewAccountArgs, NewArgs};
use crate::load::{self, File, Tree};
use crate::model::Slug;
use crate::schema::WrittenFile;

/// Runs the command; the path of the new file goes to standard output.
pub(super) fn run(args: NewArgs) -> Result<ExitCode, Failure> {
    let New::Account(args) = args.what;
    let folder = args.repo.join("accounts").join(args.slug.as_str());
    if folder.exists() {
        return Err(Failure::Option(format!("accounts/{} is there already; nothing was written", args.slug)));
    }
    let text = format!("{}{}", schema_line(&args.repo), account(&args));
    let path = format!("accounts/{}/account.yaml", args.slug);
    let mut tree = crate::git::read_directory(&args.repo)?;
    check(&mut tree, &path, &text)?;
    setup::write_new(&folder.join("account.yaml"), text.as_bytes())?;
    super::out(&format!("{path}\n"));
    Ok(ExitCode::SUCCESS)
}

/// The comment that editors understand, where the repository has the schema.
fn schema_line(repository: &Path) -> String {
    let schema = WrittenFile::Account.path();
    if !repository.join(&schema).is_file() {
        return String::new();
    }
    format!("# yaml-language-server: $schema=../../{schema}\n")
}

/// Refuses what the new file would add to the faults of the repository; those that were there before stay theirs.
fn check(tree: &mut Tree, path: &str, text: &str) -> Result<(), Failure> {
    let before = load::check(tree, None).diagnostics;
    tree.files.insert(path.to_owned(), File::text(text));
    let after = load::check(tree, None).diagnostics;
    let new: Vec<_> = after.iter().filter(|it| before.iter().all(|old| old != *it)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let diagnostics = new.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    Err(Failure::Refused { diagnostics, path: path.to_owned() })
}

/// The file; what `accountDefaults` gives every account is left to them.
fn account(args: &NewAccountArgs) -> String {
    let NewAccountArgs { slug, ou, name, email, id, tags, repo: _ } = args;
    let mut text = String::new();
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "{key}: {}", load::scalar(value));
    };
    if let Some(id) = id {
        line("id", id);
    }
    line("name", &name.clone().unwrap_or_else(|| spoken(slug)));
    if let Some(email) = email {
        line("email", email);
    }
    line("ou", ou);
    if !tags.is_empty() {
        let _ = writeln!(text, "tags:");
        for (key, value) in tags {
            let _ = writeln!(text, "  {}: {}", load::scalar(key), load::scalar(value));
        }
    }
    text
}

/// `payments-prod` as people say it: `Payments Prod`.
fn spoken(slug: &Slug) -> String {
    let words = slug.as_str().split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Reads `key=value`.
pub(super) fn parse_tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}
