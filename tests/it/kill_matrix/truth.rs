//! What the world truly holds, in words that are the same whatever ids were drawn and whenever it happened.

use std::collections::BTreeMap;

use landfast::git::bare;
use landfast::sandbox::stage::BRANCH;

use super::world::World;

const OBSERVED: &str = "landfast/observed";

/// What is where, as text.
pub(super) type Truth = BTreeMap<String, String>;

/// What moves whenever Landfast does anything.
#[derive(Debug, PartialEq)]
pub(super) struct Trace {
    aws: usize,
    github: usize,
    branches: BTreeMap<String, String>,
}

impl World {
    pub(super) fn trace(&self) -> Trace {
        let branches = bare::branches(&self.stage.remote).unwrap();
        Trace {
            aws: self.stage.aws.mutations().len(),
            github: self.stage.github.writes().len(),
            branches: branches.into_iter().map(|(name, commit)| (name, commit.to_string())).collect(),
        }
    }

    /// All of it.
    pub(super) fn truth(&self) -> Truth {
        let mut truth = Truth::new();
        self.aws_truth(&mut truth);
        self.github_truth(&mut truth);
        self.git_truth(&mut truth);
        let names = self.names();
        let plain = |text: String| names.iter().fold(text, |text, (id, name)| text.replace(id, name));
        truth.into_iter().map(|(key, text)| (plain(key), plain(text))).collect()
    }

    /// What stands for what: drawn ids, and the commit.
    fn names(&self) -> Vec<(String, String)> {
        let accounts = self.stage.aws.accounts();
        // Before the accounts, whose ids are in them: ties hold the ARNs of stacks.
        let stacks = accounts.iter().flat_map(|account| self.stage.aws.stacks(&account.id));
        let mut names: Vec<_> = stacks.map(|stack| (stack.id, format!("<arn of {}>", stack.name))).collect();
        names.extend(accounts.into_iter().map(|account| (account.id, format!("<id of {}>", account.email))));
        let policies = self.stage.aws.policies().into_iter();
        names.extend(policies.map(|policy| (policy.id, format!("<id of {}>", policy.name))));
        let head = bare::head(&self.stage.remote, BRANCH).unwrap();
        names.push((head.to_string(), "<commit>".to_owned()));
        names.push((head.short().to_owned(), "<commit>".to_owned()));
        names
    }

    fn aws_truth(&self, truth: &mut Truth) {
        for account in self.stage.aws.accounts() {
            let whose = account.email.clone();
            let mut stacks: Vec<_> = self
                .stage
                .aws
                .stacks(&account.id)
                .into_iter()
                .map(|stack| {
                    let kinds: Vec<_> = stack.resources.values().map(|(kind, _)| kind.clone()).collect();
                    format!(
                        "{} in {}: {} {kinds:?} {:?} {:?}\n{}",
                        stack.name, stack.region, stack.status, stack.tags, stack.parameters, stack.template
                    )
                })
                .collect();
            stacks.sort();
            truth.insert(format!("aws/{whose}/stacks"), stacks.join("\n"));
            let policy = self.stage.aws.password_policy(&account.id);
            truth.insert(format!("aws/{whose}/policy"), format!("{policy:?}"));
            // Two accounts can have one e-mail only if the simulation is wrong; both are told then.
            let found =
                format!("{} {:?} {} {:?}; ", account.name, account.standing, account.ou, account.tags);
            truth.entry(format!("aws/{whose}")).or_default().push_str(&found);
        }
        let ous: Vec<_> = self.stage.aws.ous().into_keys().collect();
        truth.insert("aws/ous".to_owned(), ous.join(" "));
        // Two policies of one name there are only if the simulation is wrong; both are told then.
        for policy in self.stage.aws.policies() {
            let found =
                format!("{} {} {:?} {:?}; ", policy.kind, policy.content, policy.tags, policy.targets);
            truth.entry(format!("aws/policies/{}", policy.name)).or_default().push_str(&found);
        }
    }

    fn github_truth(&self, truth: &mut Truth) {
        for (kind, all) in [("issues", self.stage.github.issues()), ("pulls", self.stage.github.pulls())] {
            let mut words: Vec<_> = all
                .iter()
                .map(|issue| {
                    let head = issue.pull.as_ref().map(|pull| (&pull.head, &pull.base));
                    format!(
                        "open={} {head:?} {} {:?} {:?}\n{}",
                        issue.is_open, issue.title, issue.labels, issue.author, issue.body
                    )
                })
                .collect();
            words.sort();
            words.iter().enumerate().for_each(|(n, word)| {
                truth.insert(format!("github/{kind}/{n:02}"), word.clone());
            });
        }
    }

    /// Every file of every branch that Landfast writes.
    fn git_truth(&self, truth: &mut Truth) {
        let repository = git2::Repository::open_bare(&self.stage.remote).unwrap();
        for branch in bare::branches(&self.stage.remote).unwrap().into_keys() {
            let reference = repository.find_reference(&format!("refs/heads/{branch}")).unwrap();
            let tree = reference.peel_to_tree().unwrap();
            let seen = tree.walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
                if let Some(blob) =
                    entry.to_object(&repository).ok().and_then(|object| object.into_blob().ok())
                {
                    let text = String::from_utf8_lossy(blob.content()).into_owned();
                    let name = entry.name().unwrap_or_default();
                    // Proofs hold drawn ids and times, and are for saving calls only.
                    let is_kept = branch == OBSERVED && !folder.starts_with("proof/");
                    if is_kept || name == "account.yaml" {
                        truth.insert(format!("git/{branch}/{folder}{name}"), text);
                    }
                }
                git2::TreeWalkResult::Ok
            });
            seen.unwrap();
        }
    }
}

/// Where two truths differ.
pub(super) fn difference(expected: &Truth, found: &Truth) -> Vec<String> {
    let keys: std::collections::BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    keys.into_iter()
        .filter(|key| expected.get(*key) != found.get(*key))
        .map(|key| {
            let text = |truth: &Truth| truth.get(key).cloned().unwrap_or_default();
            let diff = similar::TextDiff::from_lines(text(expected), text(found)).unified_diff().to_string();
            format!("## {key}\n{diff}")
        })
        .collect()
}
