//! How GitHub shows a repository: mostly addresses.

use serde_json::{Value, json};

/// What follows the repository's own address in its other ones.
const ADDRESSES: [(&str, &str); 38] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
    ("svn_url", ""),
];

/// The repository `full_name` of `owner`, as it is part of other answers. `host` has neither scheme nor a last `/`.
pub(super) fn repository(host: &str, full_name: &str, owner: &Value, default_branch: &str) -> Value {
    let name = full_name.rsplit('/').next().unwrap_or(full_name);
    let mut shape = json!({
        "id": 1, "node_id": "R_1", "name": name, "full_name": full_name, "private": true, "owner": owner,
        "html_url": format!("http://{host}/{full_name}"), "description": null, "fork": false,
        "clone_url": format!("http://{host}/{full_name}.git"), "git_url": format!("git://{host}/{full_name}.git"),
        "ssh_url": format!("git@{host}:{full_name}.git"), "mirror_url": null, "homepage": null,
        "language": null, "license": null, "topics": [], "visibility": "private", "size": 1,
        "default_branch": default_branch, "archived": false, "disabled": false, "is_template": false,
        "has_issues": true, "has_projects": true, "has_downloads": true, "has_wiki": false, "has_pages": false,
        "has_discussions": false, "allow_forking": true, "web_commit_signoff_required": false,
        "forks": 0, "forks_count": 0, "open_issues": 0, "open_issues_count": 0, "stargazers_count": 0,
        "watchers": 0, "watchers_count": 0, "pushed_at": "2026-01-01T00:00:00Z",
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
    });
    for (field, rest) in ADDRESSES {
        shape[field] = json!(format!("http://{host}/repos/{full_name}{rest}"));
    }
    shape
}

/// What only `GET /repos/{owner}/{repo}` shows.
pub(super) fn in_full(mut repository: Value) -> Value {
    let permissions = json!({"admin": false, "maintain": false, "push": true, "triage": true, "pull": true});
    repository["permissions"] = permissions;
    repository["network_count"] = json!(0);
    repository["subscribers_count"] = json!(0);
    repository
}
