//! The shapes of GitHub's answers.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::World;
use super::store::{Comment, Issue, Label, PullRequest, Store};

const DOCUMENTATION: &str = "https://docs.github.com/rest";

/// A refusal in GitHub's shape.
pub(super) fn refusal(status: StatusCode, message: &str) -> Response {
    let body = json!({
        "message": message, "documentation_url": DOCUMENTATION, "status": status.as_u16().to_string(),
    });
    (status, Json(body)).into_response()
}

/// 422 with one error.
pub(super) fn invalid(error: &Value) -> Response {
    let body = json!({
        "message": "Validation Failed", "errors": [error], "documentation_url": DOCUMENTATION, "status": "422",
    });
    (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
}

pub(super) fn not_found() -> Response {
    refusal(StatusCode::NOT_FOUND, "Not Found")
}

/// Builds answers; knows the addresses that are part of them.
pub(super) struct Shapes<'a> {
    world: &'a World,
}

impl<'a> Shapes<'a> {
    pub(super) fn of(world: &'a World) -> Self {
        Self { world }
    }

    fn repository_url(&self) -> String {
        let config = &self.world.config;
        format!("http://{}/repos/{}/{}", self.world.address, config.owner, config.name)
    }

    fn page_url(&self, kind: &str, number: u64) -> String {
        let config = &self.world.config;
        format!("http://{}/{}/{}/{kind}/{number}", self.world.address, config.owner, config.name)
    }

    pub(super) fn user(&self, login: &str) -> Value {
        let is_app = login.ends_with("[bot]");
        let id = login.bytes().fold(7_u64, |id, byte| (id * 31 + u64::from(byte)) % 100_000_000);
        let url = format!("http://{}/users/{login}", self.world.address);
        json!({
            "login": login, "id": id, "node_id": format!("U_{id}"), "gravatar_id": "", "url": url,
            "avatar_url": format!("http://{}/avatars/{login}", self.world.address),
            "html_url": format!("http://{}/{login}", self.world.address),
            "followers_url": format!("{url}/followers"), "following_url": format!("{url}/following{{/other_user}}"),
            "gists_url": format!("{url}/gists{{/gist_id}}"), "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{url}/subscriptions"), "organizations_url": format!("{url}/orgs"),
            "repos_url": format!("{url}/repos"), "events_url": format!("{url}/events{{/privacy}}"),
            "received_events_url": format!("{url}/received_events"),
            "type": if is_app { "Bot" } else { "User" }, "user_view_type": "public", "site_admin": false,
        })
    }

    pub(super) fn repository(&self) -> Value {
        let config = &self.world.config;
        json!({
            "id": 1, "node_id": "R_1", "name": config.name, "full_name": self.world.full_name(),
            "private": true, "owner": self.user(&config.owner), "url": self.repository_url(),
            "html_url": format!("http://{}/{}/{}", self.world.address, config.owner, config.name),
            "description": null, "fork": false, "has_issues": true, "archived": false, "disabled": false,
            "default_branch": config.default_branch, "visibility": "private",
            "permissions": {"admin": false, "maintain": false, "push": true, "triage": true, "pull": true},
        })
    }

    pub(super) fn label(&self, name: &str, label: &Label) -> Value {
        json!({
            "id": name.len(), "node_id": format!("L_{name}"), "name": name, "color": label.color,
            "description": label.description, "default": false,
            "url": format!("{}/labels/{name}", self.repository_url()),
        })
    }

    fn labels(&self, store: &Store, issue: &Issue) -> Vec<Value> {
        let known = issue.labels.iter().filter_map(|name| store.labels.get(name).map(|label| (name, label)));
        known.map(|(name, label)| self.label(name, label)).collect()
    }

    pub(super) fn issue(&self, store: &Store, issue: &Issue) -> Value {
        let comments = store.comments.iter().filter(|comment| comment.issue == issue.number).count();
        let url = format!("{}/issues/{}", self.repository_url(), issue.number);
        let kind = if issue.pull.is_some() { "pull" } else { "issues" };
        let mut shape = json!({
            "id": 1000 + issue.number, "node_id": format!("I_{}", issue.number), "url": url,
            "repository_url": self.repository_url(), "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"), "events_url": format!("{url}/events"),
            "html_url": self.page_url(kind, issue.number), "number": issue.number,
            "state": if issue.is_open { "open" } else { "closed" }, "state_reason": issue.state_reason,
            "title": issue.title, "body": issue.body, "user": self.user(&issue.author),
            "labels": self.labels(store, issue), "assignee": null, "assignees": [], "milestone": null,
            "locked": false, "active_lock_reason": null, "comments": comments, "closed_at": issue.closed,
            "created_at": issue.created, "updated_at": issue.updated, "author_association": "COLLABORATOR",
            "closed_by": issue.closed_by.as_ref().map(|login| self.user(login)),
        });
        if let Some(pull) = &issue.pull {
            shape["pull_request"] = json!({
                "url": format!("{}/pulls/{}", self.repository_url(), issue.number),
                "html_url": self.page_url("pull", issue.number),
                "merged_at": pull.merged.as_ref().and(issue.closed),
            });
        }
        shape
    }

    pub(super) fn pull(&self, store: &Store, issue: &Issue, pull: &PullRequest) -> Value {
        let owner = &self.world.config.owner;
        let end = |branch: &str| {
            let sha = self.world.config.git.head(branch).ok().flatten().unwrap_or_default();
            json!({
                "label": format!("{owner}:{branch}"), "ref": branch, "sha": sha, "user": self.user(owner),
                "repo": self.repository(),
            })
        };
        let is_here = pull.head_repository.as_ref() == Some(&self.world.full_name());
        let head = if is_here { end(&pull.head) } else { self.fork(pull) };
        let url = format!("{}/pulls/{}", self.repository_url(), issue.number);
        json!({
            "id": 1000 + issue.number, "node_id": format!("PR_{}", issue.number), "url": url,
            "html_url": self.page_url("pull", issue.number), "number": issue.number,
            "state": if issue.is_open { "open" } else { "closed" }, "locked": false, "title": issue.title,
            "user": self.user(&issue.author), "body": issue.body, "labels": self.labels(store, issue),
            "milestone": null, "assignee": null, "assignees": [], "requested_reviewers": [], "draft": false,
            "created_at": issue.created, "updated_at": issue.updated, "closed_at": issue.closed,
            "merged_at": pull.merged.as_ref().and(issue.closed), "merge_commit_sha": pull.merged,
            "merged": pull.merged.is_some(), "mergeable": issue.is_open.then_some(true),
            "head": head, "base": end(&pull.base), "author_association": "COLLABORATOR",
            "auto_merge": null,
        })
    }

    /// The head of a pull request from elsewhere; its git is not kept here. A fork that is gone is null.
    fn fork(&self, pull: &PullRequest) -> Value {
        let full_name = pull.head_repository.as_deref();
        let (owner, name) =
            full_name.and_then(|name| name.split_once('/')).unwrap_or(("unknown", "repository"));
        let repo = full_name.map(|full_name| {
            let mut repo = self.repository();
            repo["full_name"] = json!(full_name);
            repo["name"] = json!(name);
            repo["owner"] = self.user(owner);
            repo["fork"] = json!(true);
            repo["url"] = json!(format!("http://{}/repos/{full_name}", self.world.address));
            repo["html_url"] = json!(format!("http://{}/{full_name}", self.world.address));
            repo
        });
        let user = full_name.map(|_| self.user(owner));
        json!({
            "label": format!("{owner}:{}", pull.head), "ref": pull.head, "sha": "f".repeat(40), "user": user,
            "repo": repo,
        })
    }

    pub(super) fn comment(&self, comment: &Comment) -> Value {
        json!({
            "id": comment.id, "node_id": format!("IC_{}", comment.id),
            "url": format!("{}/issues/comments/{}", self.repository_url(), comment.id),
            "html_url": format!("{}#issuecomment-{}", self.page_url("issues", comment.issue), comment.id),
            "issue_url": format!("{}/issues/{}", self.repository_url(), comment.issue),
            "body": comment.body, "user": self.user(&comment.author), "created_at": comment.created,
            "updated_at": comment.created, "author_association": "COLLABORATOR",
        })
    }
}
