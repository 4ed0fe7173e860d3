//! REST v3 for pull requests: joined to the git remote, so that a pushed branch can become one and a merge moves
//! the base branch.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::World;
use super::rest::{Login, Paging, Past, body, paged, too_long};
use super::shapes::{Shapes, invalid, not_found, refusal};
use super::store::{Issue, PullRequest};

pub(super) fn routes() -> Router<World> {
    Router::new()
        .route("/pulls", get(list).post(create))
        .route("/pulls/{number}", get(one).patch(edit))
        .route("/pulls/{number}/merge", put(merge))
}

#[derive(Deserialize)]
struct PullQuery {
    state: Option<String>,
    head: Option<String>,
    base: Option<String>,
    direction: Option<String>,
}

impl PullQuery {
    fn selects(&self, issue: &Issue, pull: &PullRequest) -> bool {
        let state = match self.state.as_deref() {
            Some("all") => true,
            Some("closed") => !issue.is_open,
            _ => issue.is_open,
        };
        let owner =
            pull.head_repository.as_deref().and_then(|name| name.split_once('/')).map(|(owner, _)| owner);
        let label = format!("{}:{}", owner.unwrap_or("unknown"), pull.head);
        let head = self.head.as_ref().is_none_or(|head| *head == label);
        state && head && self.base.as_ref().is_none_or(|base| *base == pull.base)
    }
}

async fn list(
    State(world): State<World>,
    uri: Uri,
    Query(query): Query<PullQuery>,
    Query(paging): Query<Paging>,
    past: Option<Extension<Past>>,
) -> Response {
    let store = world.store();
    let known = store.issues_before(past.map_or(0, |past| past.0.0));
    let pulls = known.values().filter_map(|issue| issue.pull.as_ref().map(|pull| (issue, pull)));
    let mut pulls: Vec<_> = pulls.filter(|(issue, pull)| query.selects(issue, pull)).collect();
    if query.direction.as_deref() != Some("asc") {
        pulls.reverse();
    }
    let shapes = Shapes::of(&world);
    let all: Vec<_> =
        pulls.into_iter().map(|(issue, pull)| shapes.listed_pull(&store, issue, pull)).collect();
    paged(&world, &uri, &paging, &all)
}

fn answer(world: &World, status: StatusCode, number: u64) -> Response {
    let store = world.store();
    match store.issues.get(&number).and_then(|issue| issue.pull.as_ref().map(|pull| (issue, pull))) {
        Some((issue, pull)) => (status, Json(Shapes::of(world).pull(&store, issue, pull))).into_response(),
        None => not_found(),
    }
}

async fn one(State(world): State<World>, Path(number): Path<u64>) -> Response {
    answer(&world, StatusCode::OK, number)
}

#[derive(Deserialize)]
struct NewPull {
    title: Option<String>,
    body: Option<String>,
    head: String,
    base: String,
}

async fn create(
    State(world): State<World>,
    login: Extension<Login>,
    bytes: Bytes,
) -> Result<Response, Response> {
    let new: NewPull = body(&bytes).map_err(|refused| *refused)?;
    if let Some(refused) = too_long("PullRequest", new.title.as_deref(), new.body.as_deref()) {
        return Err(refused);
    }
    let owner = format!("{}:", world.config.owner);
    let head = new.head.strip_prefix(&owner).unwrap_or(&new.head).to_owned();
    check_branches(&world, &head, &new.base)?;
    let missing = || invalid(&json!({"resource": "PullRequest", "field": "title", "code": "missing_field"}));
    let title = new.title.filter(|title| !title.trim().is_empty()).ok_or_else(missing)?;
    let at = world.now();
    let number = {
        let mut store = world.store();
        let number = store.open(&login.0.0, &title, new.body.as_deref().unwrap_or_default(), at);
        if let Some(issue) = store.issues.get_mut(&number) {
            let head_repository = Some(world.full_name());
            issue.pull = Some(PullRequest { head, head_repository, base: new.base, merged: None });
        }
        number
    };
    Ok(answer(&world, StatusCode::CREATED, number))
}

#[expect(clippy::result_large_err, reason = "a refusal is the answer itself")]
fn check_branches(world: &World, head: &str, base: &str) -> Result<(), Response> {
    let commit = |branch: &str| world.config.git.head(branch).map_err(|error| trouble(&error));
    let unknown = |field| invalid(&json!({"resource": "PullRequest", "field": field, "code": "invalid"}));
    let head_commit = commit(head)?.ok_or_else(|| unknown("head"))?;
    let base_commit = commit(base)?.ok_or_else(|| unknown("base"))?;
    let custom =
        |message: String| invalid(&json!({"resource": "PullRequest", "code": "custom", "message": message}));
    if head_commit == base_commit {
        return Err(custom(format!("No commits between {base} and {head}")));
    }
    let store = world.store();
    let pulls = store.issues.values().filter(|issue| issue.is_open).filter_map(|issue| issue.pull.as_ref());
    let here = world.full_name();
    let pulls = pulls.filter(|pull| pull.head_repository.as_ref() == Some(&here));
    let mut same = pulls.filter(|pull| pull.head == head && pull.base == base);
    match same.next() {
        Some(_) => Err(custom(format!("A pull request already exists for {}:{head}.", world.config.owner))),
        None => Ok(()),
    }
}

fn trouble(error: &str) -> Response {
    refusal(StatusCode::INTERNAL_SERVER_ERROR, error)
}

#[derive(Deserialize)]
struct EditPull {
    title: Option<String>,
    body: Option<String>,
    state: Option<String>,
}

async fn edit(
    State(world): State<World>,
    login: Extension<Login>,
    Path(number): Path<u64>,
    bytes: Bytes,
) -> Result<Response, Response> {
    let edit: EditPull = body(&bytes).map_err(|refused| *refused)?;
    if let Some(refused) = too_long("PullRequest", edit.title.as_deref(), edit.body.as_deref()) {
        return Err(refused);
    }
    let at = world.now();
    {
        let mut store = world.store();
        let Some(issue) = store.issues.get_mut(&number).filter(|issue| issue.pull.is_some()) else {
            return Err(not_found());
        };
        issue.title = edit.title.unwrap_or_else(|| issue.title.clone());
        issue.body = edit.body.unwrap_or_else(|| issue.body.clone());
        if let Some(state) = edit.state {
            store.set_open(number, state == "open", &login.0.0, at);
        }
    }
    Ok(answer(&world, StatusCode::OK, number))
}

#[derive(Default, Deserialize)]
struct NewMerge {
    commit_title: Option<String>,
}

async fn merge(
    State(world): State<World>,
    login: Extension<Login>,
    Path(number): Path<u64>,
    bytes: Bytes,
) -> Result<Response, Response> {
    let new =
        if bytes.is_empty() { NewMerge::default() } else { body(&bytes).map_err(|refused| *refused)? };
    match merge_now(&world, number, new.commit_title, &login.0.0) {
        Ok(sha) => {
            let words = "Pull Request successfully merged";
            Ok(Json(json!({"sha": sha, "merged": true, "message": words})).into_response())
        }
        Err(MergeError::NoPull) => Err(not_found()),
        Err(MergeError::NotMergeable(_)) => {
            Err(refusal(StatusCode::METHOD_NOT_ALLOWED, "Pull Request is not mergeable"))
        }
    }
}

/// Why a pull request was not merged.
pub(super) enum MergeError {
    NoPull,
    NotMergeable(String),
}

/// Merges, moves the base branch and closes the pull request.
pub(super) fn merge_now(
    world: &World,
    number: u64,
    title: Option<String>,
    by: &str,
) -> Result<String, MergeError> {
    let issue = world.store().issues.get(&number).cloned().ok_or(MergeError::NoPull)?;
    let pull = issue.pull.ok_or(MergeError::NoPull)?;
    if !issue.is_open {
        return Err(MergeError::NotMergeable("it is closed".to_owned()));
    }
    if pull.head_repository != Some(world.full_name()) {
        return Err(MergeError::NotMergeable("the git of forks is not kept here".to_owned()));
    }
    let subject = title.unwrap_or_else(|| format!("Merge pull request #{number} from {}", pull.head));
    let message = format!("{subject}\n\n{}\n", issue.title);
    let sha = world
        .config
        .git
        .merge(&pull.base, &pull.head, &message, world.now())
        .map_err(MergeError::NotMergeable)?;
    let at = world.now();
    let mut store = world.store();
    store.set_open(number, false, by, at);
    if let Some(pull) = store.issues.get_mut(&number).and_then(|issue| issue.pull.as_mut()) {
        pull.merged = Some(sha.clone());
    }
    Ok(sha)
}
