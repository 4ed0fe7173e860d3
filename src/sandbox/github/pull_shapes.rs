//! How GitHub shows a pull request: with less in lists.

use serde_json::{Value, json};

use super::repository::repository;
use super::shapes::Shapes;
use super::store::{Issue, PullRequest, Store};

impl Shapes<'_> {
    /// A pull request in a list.
    pub(super) fn listed_pull(&self, store: &Store, issue: &Issue, pull: &PullRequest) -> Value {
        let is_here = pull.head_repository.as_ref() == Some(&self.world.full_name());
        let head = if is_here { self.end(&pull.head) } else { self.fork(pull) };
        let url = format!("{}/pulls/{}", self.repository_url(), issue.number);
        let issue_url = format!("{}/issues/{}", self.repository_url(), issue.number);
        let page = self.page_url("pull", issue.number);
        let statuses_url =
            format!("{}/statuses/{}", self.repository_url(), head["sha"].as_str().unwrap_or_default());
        let mut shape = json!({
            "id": 1000 + issue.number, "node_id": format!("PR_{}", issue.number), "url": url,
            "html_url": page, "diff_url": format!("{page}.diff"), "patch_url": format!("{page}.patch"),
            "issue_url": issue_url, "comments_url": format!("{issue_url}/comments"),
            "commits_url": format!("{url}/commits"), "review_comments_url": format!("{url}/comments"),
            "review_comment_url": format!("{}/pulls/comments{{/number}}", self.repository_url()),
            "statuses_url": statuses_url, "number": issue.number,
            "state": if issue.is_open { "open" } else { "closed" }, "locked": false, "title": issue.title,
            "user": self.user(&issue.author), "body": issue.body, "labels": self.labels(store, issue),
            "milestone": null, "assignee": null, "assignees": [], "requested_reviewers": [],
            "requested_teams": [], "draft": false, "created_at": issue.created, "updated_at": issue.updated,
            "closed_at": issue.closed, "merged_at": pull.merged.as_ref().and(issue.closed),
            "merge_commit_sha": pull.merged, "head": head, "base": self.end(&pull.base),
            "author_association": "COLLABORATOR", "auto_merge": null,
        });
        shape["_links"] = links(&shape);
        shape
    }

    /// A pull request by itself.
    pub(super) fn pull(&self, store: &Store, issue: &Issue, pull: &PullRequest) -> Value {
        let mut shape = self.listed_pull(store, issue, pull);
        let comments = store.comments.iter().filter(|comment| comment.issue == issue.number).count();
        let diff = self.world.config.git.diff(&pull.base, &pull.head).unwrap_or_default();
        let count = |mark: &str, heading: &str| {
            diff.lines().filter(|line| line.starts_with(mark) && !line.starts_with(heading)).count()
        };
        let merged_by = pull.merged.as_ref().and(issue.closed_by.as_ref());
        let more = json!({
            "merged": pull.merged.is_some(), "mergeable": issue.is_open.then_some(true), "rebaseable": null,
            "mergeable_state": if issue.is_open { "clean" } else { "unknown" },
            "merged_by": merged_by.map(|login| self.user(login)), "comments": comments,
            "review_comments": 0, "maintainer_can_modify": false, "commits": 1, "additions": count("+", "+++ "),
            "deletions": count("-", "--- "), "changed_files": count("+++ ", "++++"),
        });
        if let (Some(shape), Value::Object(more)) = (shape.as_object_mut(), more) {
            shape.extend(more);
        }
        shape
    }

    /// Either end, where its branch is in this repository.
    fn end(&self, branch: &str) -> Value {
        let config = &self.world.config;
        let sha = config.git.head(branch).ok().flatten().unwrap_or_default();
        json!({
            "label": format!("{}:{branch}", config.owner), "ref": branch, "sha": sha,
            "user": self.user(&config.owner), "repo": self.repository(),
        })
    }

    /// The head of a pull request from elsewhere; its git is not kept here. A fork that is gone is null.
    fn fork(&self, pull: &PullRequest) -> Value {
        let full_name = pull.head_repository.as_deref();
        let owner = full_name.and_then(|name| name.split_once('/')).map_or("unknown", |(owner, _)| owner);
        let repo = full_name.map(|full_name| {
            let host = self.world.address.to_string();
            let branch = &self.world.config.default_branch;
            let mut repo = repository(&host, full_name, &self.user(owner), branch);
            repo["fork"] = json!(true);
            repo
        });
        json!({
            "label": format!("{owner}:{}", pull.head), "ref": pull.head, "sha": "f".repeat(40),
            "user": full_name.map(|_| self.user(owner)), "repo": repo,
        })
    }
}

/// The addresses once more, as GitHub's second convention has them.
fn links(shape: &Value) -> Value {
    let names = [
        ("self", "url"),
        ("html", "html_url"),
        ("issue", "issue_url"),
        ("comments", "comments_url"),
        ("review_comments", "review_comments_url"),
        ("review_comment", "review_comment_url"),
        ("commits", "commits_url"),
        ("statuses", "statuses_url"),
    ];
    names.into_iter().map(|(name, field)| (name.to_owned(), json!({"href": shape[field]}))).collect()
}
