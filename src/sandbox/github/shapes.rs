//! The shapes of GitHub's answers.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::World;
use super::repository::{in_full, repository};
use super::store::{Comment, Issue, Label, Store};

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
    pub(super) world: &'a World,
}

impl<'a> Shapes<'a> {
    pub(super) fn of(world: &'a World) -> Self {
        Self { world }
    }

    pub(super) fn repository_url(&self) -> String {
        let config = &self.world.config;
        format!("http://{}/repos/{}/{}", self.world.address, config.owner, config.name)
    }

    pub(super) fn page_url(&self, kind: &str, number: u64) -> String {
        let config = &self.world.config;
        format!("http://{}/{}/{}/{kind}/{number}", self.world.address, config.owner, config.name)
    }

    /// A login as it is part of other answers. An app's is spelled with brackets, but not in addresses.
    pub(super) fn user(&self, login: &str) -> Value {
        let host = self.world.address;
        let app = login.strip_suffix("[bot]");
        let id = login.bytes().fold(7_u64, |id, byte| (id * 31 + u64::from(byte)) % 100_000_000);
        let url = format!("http://{host}/users/{}", login.replace('[', "%5B").replace(']', "%5D"));
        let page =
            app.map_or_else(|| format!("http://{host}/{login}"), |app| format!("http://{host}/apps/{app}"));
        json!({
            "login": login, "id": id, "node_id": format!("U_{id}"), "gravatar_id": "", "url": url,
            "avatar_url": format!("http://{host}/avatars/{id}"), "html_url": page,
            "followers_url": format!("{url}/followers"), "following_url": format!("{url}/following{{/other_user}}"),
            "gists_url": format!("{url}/gists{{/gist_id}}"), "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{url}/subscriptions"), "organizations_url": format!("{url}/orgs"),
            "repos_url": format!("{url}/repos"), "events_url": format!("{url}/events{{/privacy}}"),
            "received_events_url": format!("{url}/received_events"),
            "type": if app.is_some() { "Bot" } else { "User" }, "user_view_type": "public", "site_admin": false,
        })
    }

    /// A login as it sees itself.
    pub(super) fn me(&self, login: &str) -> Value {
        let mut shape = self.user(login);
        let more = json!({
            "name": null, "company": null, "blog": "", "location": null, "email": null, "hireable": null,
            "bio": null, "public_repos": 0, "public_gists": 0, "followers": 0, "following": 0,
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        });
        if let (Some(shape), Value::Object(more)) = (shape.as_object_mut(), more) {
            shape.extend(more);
        }
        shape
    }

    /// The repository as it is part of other answers.
    pub(super) fn repository(&self) -> Value {
        let config = &self.world.config;
        let host = self.world.address.to_string();
        repository(&host, &self.world.full_name(), &self.user(&config.owner), &config.default_branch)
    }

    /// The repository when it is asked for.
    pub(super) fn repository_in_full(&self) -> Value {
        in_full(self.repository())
    }

    pub(super) fn label(&self, name: &str, label: &Label) -> Value {
        json!({
            "id": name.len(), "node_id": format!("L_{name}"), "name": name, "color": label.color,
            "description": label.description, "default": false,
            "url": format!("{}/labels/{name}", self.repository_url()),
        })
    }

    pub(super) fn labels(&self, store: &Store, issue: &Issue) -> Vec<Value> {
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
            let page = self.page_url("pull", issue.number);
            shape["pull_request"] = json!({
                "diff_url": format!("{page}.diff"), "patch_url": format!("{page}.patch"),
                "url": format!("{}/pulls/{}", self.repository_url(), issue.number),
                "html_url": page,
                "merged_at": pull.merged.as_ref().and(issue.closed),
            });
        }
        shape
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
