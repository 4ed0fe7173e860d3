//! REST v3 for issues, comments and labels, and what all calls share: tokens, limits' headers, pages.

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shapes::{Shapes, invalid, not_found, refusal};
use super::store::{Issue, Label};
use super::{World, faults, pulls};
use crate::sandbox::watch::{Asked, watched};

/// GitHub's own limits, in characters.
const MAX_BODY: usize = 65_536;
const MAX_TITLE: usize = 256;
const HOURLY_LIMIT: u64 = 5_000;

pub(super) fn routes(world: &World) -> Router {
    let repository = Router::new()
        .route("/issues", get(list_issues).post(create_issue))
        .route("/issues/{number}", get(get_issue).patch(edit_issue))
        .route("/issues/{number}/comments", get(list_comments).post(create_comment))
        .route("/labels", get(list_labels).post(create_label))
        .merge(pulls::routes());
    let config = &world.config;
    let base = format!("/repos/{}/{}", config.owner, config.name);
    Router::new()
        .route("/user", get(user))
        .route(&base, get(self::repository))
        .nest(&base, repository)
        .route("/repos/{*rest}", axum::routing::any(async || not_found()))
        .route("/rate_limit", get(rate_limit))
        .layer(middleware::from_fn_with_state(world.clone(), admit))
        .layer(middleware::from_fn_with_state(world.clone(), faults::layer))
        .layer(middleware::from_fn_with_state(world.clone(), watch))
        .with_state(world.clone())
}

/// Who a request's token belongs to.
pub(super) fn login(world: &World, headers: &HeaderMap) -> Option<String> {
    let header = headers.get("authorization")?.to_str().ok()?;
    let token = header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("token "))?;
    world.config.tokens.get(token).cloned()
}

/// Lets a watcher see the call, if there is one.
async fn watch(State(world): State<World>, request: Request, next: Next) -> Response {
    let config = &world.config;
    let path = request.uri().path().replacen(&format!("/repos/{}/{}", config.owner, config.name), "", 1);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<_> = path.split('/').map(|part| if is_number(part) { "{n}" } else { part }).collect();
    let operation = format!("{} {}", request.method(), parts.join("/"));
    let watcher = world.store().watcher.clone();
    watched(watcher, &Asked { operation, email: String::new() }, next.run(request)).await
}

/// The login of an admitted request.
#[derive(Clone)]
pub(super) struct Login(pub(super) String);

async fn admit(State(world): State<World>, mut request: Request, next: Next) -> Response {
    let Some(login) = login(&world, request.headers()) else {
        let is_anonymous = !request.headers().contains_key("authorization");
        let words = if is_anonymous { "Requires authentication" } else { "Bad credentials" };
        return refusal(StatusCode::UNAUTHORIZED, words);
    };
    request.extensions_mut().insert(Login(login));
    let used = {
        let mut store = world.store();
        store.used += 1;
        store.used.min(HOURLY_LIMIT)
    };
    let mut response = next.run(request).await;
    let reset = u64::try_from(world.now().as_second()).unwrap_or_default() + 3600;
    let headers = response.headers_mut();
    for (name, value) in
        [("limit", HOURLY_LIMIT), ("remaining", HOURLY_LIMIT - used), ("used", used), ("reset", reset)]
    {
        if let Ok(name) = axum::http::HeaderName::try_from(format!("x-ratelimit-{name}")) {
            headers.insert(name, HeaderValue::from(value));
        }
    }
    headers.insert("x-ratelimit-resource", HeaderValue::from_static("core"));
    headers.insert("x-github-media-type", HeaderValue::from_static("github.v3; format=json"));
    response
}

/// How many writes back a list is to be stale.
#[derive(Clone, Copy, Default)]
pub(super) struct Past(pub(super) usize);

/// The page that was asked for, and the rest of the query for the links.
#[derive(Debug, Deserialize)]
pub(super) struct Paging {
    page: Option<usize>,
    per_page: Option<usize>,
}

/// One page of a list, with the `Link` header that leads to the others.
pub(super) fn paged(world: &World, uri: &Uri, paging: &Paging, all: &[Value]) -> Response {
    let size = paging.per_page.unwrap_or(30).clamp(1, 100);
    let page = paging.page.unwrap_or(1).max(1);
    let last = all.len().div_ceil(size).max(1);
    let start = ((page - 1) * size).min(all.len());
    let entries = &all[start..(start + size).min(all.len())];
    let mut response = Json(entries).into_response();
    let link = |page: usize, rel: &str| format!("<{}>; rel=\"{rel}\"", page_url(world, uri, page));
    let mut links = Vec::new();
    if page > 1 {
        links.extend([link(page - 1, "prev"), link(1, "first")]);
    }
    if page < last {
        links.extend([link(page + 1, "next"), link(last, "last")]);
    }
    if let Ok(links) = HeaderValue::try_from(links.join(", ")).map_err(drop)
        && !links.is_empty()
    {
        response.headers_mut().insert("link", links);
    }
    response
}

/// The same address with another page. GitHub spells the repository by its number there.
fn page_url(world: &World, uri: &Uri, page: usize) -> String {
    numbered(world, uri, Some(page))
}

/// The same address again, spelled as in links.
pub(super) fn this_page(world: &World, uri: &Uri) -> String {
    numbered(world, uri, None)
}

fn numbered(world: &World, uri: &Uri, page: Option<usize>) -> String {
    let config = &world.config;
    let named = format!("/repos/{}/{}", config.owner, config.name);
    let path = uri.path().replacen(&named, "/repositories/1", 1);
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .filter(|(key, _)| key != "page" || page.is_none())
        .fold(form_urlencoded::Serializer::new(String::new()), |mut query, (key, value)| {
            query.append_pair(&key, &value);
            query
        })
        .extend_pairs(page.map(|page| ("page", page.to_string())))
        .finish();
    format!("http://{}{path}?{query}", world.address)
}

/// A JSON body, whatever its content type, as GitHub takes it.
pub(super) fn body<T: for<'de> Deserialize<'de>>(bytes: &Bytes) -> Result<T, Box<Response>> {
    serde_json::from_slice(bytes)
        .map_err(|_| Box::new(refusal(StatusCode::BAD_REQUEST, "Problems parsing JSON")))
}

/// The refusal of a text that is too long.
pub(super) fn too_long(resource: &str, title: Option<&str>, text: Option<&str>) -> Option<Response> {
    let check = |field: &str, value: Option<&str>, max: usize| {
        (value.unwrap_or_default().chars().count() > max).then(|| {
            let message = format!("{field} is too long (maximum is {max} characters)");
            invalid(&json!({"resource": resource, "field": field, "code": "custom", "message": message}))
        })
    };
    check("title", title, MAX_TITLE).or_else(|| check("body", text, MAX_BODY))
}

async fn user(State(world): State<World>, request: Request) -> Response {
    let login = request.extensions().get::<Login>().map(|login| login.0.clone()).unwrap_or_default();
    if login.ends_with("[bot]") {
        return refusal(StatusCode::FORBIDDEN, "Resource not accessible by integration");
    }
    Json(Shapes::of(&world).me(&login)).into_response()
}

async fn rate_limit(State(world): State<World>) -> Json<Value> {
    let used = world.store().used.min(HOURLY_LIMIT);
    let core = json!({"limit": HOURLY_LIMIT, "used": used, "remaining": HOURLY_LIMIT - used});
    Json(json!({"resources": {"core": core}, "rate": core}))
}

async fn repository(State(world): State<World>) -> Json<Value> {
    Json(Shapes::of(&world).repository_in_full())
}

#[derive(Deserialize)]
struct IssueQuery {
    state: Option<String>,
    labels: Option<String>,
    creator: Option<String>,
    sort: Option<String>,
    direction: Option<String>,
}

async fn list_issues(
    State(world): State<World>,
    uri: Uri,
    Query(query): Query<IssueQuery>,
    Query(paging): Query<Paging>,
    past: Option<axum::Extension<Past>>,
) -> Response {
    let store = world.store();
    let known = store.issues_before(past.map_or(0, |past| past.0.0));
    let mut issues: Vec<_> = known.values().filter(|issue| query.selects(issue)).collect();
    if query.sort.as_deref() == Some("updated") {
        issues.sort_by_key(|issue| issue.updated);
    }
    // Newest first unless asked otherwise.
    if query.direction.as_deref() != Some("asc") {
        issues.reverse();
    }
    let shapes = Shapes::of(&world);
    let all: Vec<_> = issues.into_iter().map(|issue| shapes.issue(&store, issue)).collect();
    paged(&world, &uri, &paging, &all)
}

impl IssueQuery {
    fn selects(&self, issue: &Issue) -> bool {
        let state = match self.state.as_deref() {
            Some("all") => true,
            Some("closed") => !issue.is_open,
            _ => issue.is_open,
        };
        let labels = self.labels.as_deref().unwrap_or_default();
        let labelled =
            labels.split(',').filter(|label| !label.is_empty()).all(|label| issue.labels.contains(label));
        state
            && labelled
            && self.creator.as_ref().is_none_or(|creator| creator.eq_ignore_ascii_case(&issue.author))
    }
}

async fn get_issue(State(world): State<World>, Path(number): Path<u64>) -> Response {
    let store = world.store();
    let Some(issue) = store.issues.get(&number) else { return not_found() };
    Json(Shapes::of(&world).issue(&store, issue)).into_response()
}

#[derive(Deserialize)]
struct NewIssue {
    title: Option<String>,
    body: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
}

async fn create_issue(
    State(world): State<World>,
    login: axum::Extension<Login>,
    bytes: Bytes,
) -> Result<Response, Response> {
    let new: NewIssue = body(&bytes).map_err(|refused| *refused)?;
    if let Some(refused) = too_long("Issue", new.title.as_deref(), new.body.as_deref()) {
        return Err(refused);
    }
    let missing = || invalid(&json!({"resource": "Issue", "field": "title", "code": "missing_field"}));
    let title = new.title.filter(|title| !title.trim().is_empty()).ok_or_else(missing)?;
    let at = world.now();
    let mut store = world.store();
    let number = store.open(&login.0.0, &title, new.body.as_deref().unwrap_or_default(), at);
    store.set_labels(number, new.labels);
    let shape = Shapes::of(&world).issue(&store, &store.issues[&number]);
    Ok((StatusCode::CREATED, Json(shape)).into_response())
}

#[derive(Deserialize)]
struct EditIssue {
    title: Option<String>,
    body: Option<String>,
    labels: Option<Vec<String>>,
    state: Option<String>,
    state_reason: Option<String>,
}

async fn edit_issue(
    State(world): State<World>,
    login: axum::Extension<Login>,
    Path(number): Path<u64>,
    bytes: Bytes,
) -> Result<Response, Response> {
    let edit: EditIssue = body(&bytes).map_err(|refused| *refused)?;
    if let Some(refused) = too_long("Issue", edit.title.as_deref(), edit.body.as_deref()) {
        return Err(refused);
    }
    let at = world.now();
    let mut store = world.store();
    let Some(issue) = store.issues.get_mut(&number) else { return Err(not_found()) };
    issue.updated = at;
    issue.title = edit.title.unwrap_or_else(|| issue.title.clone());
    issue.body = edit.body.unwrap_or_else(|| issue.body.clone());
    if let Some(labels) = edit.labels {
        store.set_labels(number, labels);
    }
    match edit.state.as_deref() {
        None => {}
        Some(state @ ("open" | "closed")) => store.set_open(number, state == "open", &login.0.0, at),
        Some(_) => return Err(invalid(&json!({"resource": "Issue", "field": "state", "code": "invalid"}))),
    }
    if let (Some(reason), Some(issue)) = (edit.state_reason, store.issues.get_mut(&number)) {
        issue.state_reason = Some(reason);
    }
    Ok(Json(Shapes::of(&world).issue(&store, &store.issues[&number])).into_response())
}

async fn list_comments(
    State(world): State<World>,
    uri: Uri,
    Path(number): Path<u64>,
    Query(paging): Query<Paging>,
) -> Response {
    let store = world.store();
    if !store.issues.contains_key(&number) {
        return not_found();
    }
    let shapes = Shapes::of(&world);
    let comments = store.comments.iter().filter(|comment| comment.issue == number);
    let all: Vec<_> = comments.map(|comment| shapes.comment(comment)).collect();
    paged(&world, &uri, &paging, &all)
}

#[derive(Deserialize)]
struct NewComment {
    body: Option<String>,
}

async fn create_comment(
    State(world): State<World>,
    login: axum::Extension<Login>,
    Path(number): Path<u64>,
    bytes: Bytes,
) -> Result<Response, Response> {
    let new: NewComment = body(&bytes).map_err(|refused| *refused)?;
    if let Some(refused) = too_long("IssueComment", None, new.body.as_deref()) {
        return Err(refused);
    }
    let missing = || invalid(&json!({"resource": "IssueComment", "field": "body", "code": "missing_field"}));
    let text = new.body.filter(|text| !text.trim().is_empty()).ok_or_else(missing)?;
    let at = world.now();
    let mut store = world.store();
    if !store.issues.contains_key(&number) {
        return Err(not_found());
    }
    let comment = store.comment(number, &login.0.0, &text, at);
    Ok((StatusCode::CREATED, Json(Shapes::of(&world).comment(&comment))).into_response())
}

async fn list_labels(State(world): State<World>, uri: Uri, Query(paging): Query<Paging>) -> Response {
    let store = world.store();
    let shapes = Shapes::of(&world);
    let all: Vec<_> = store.labels.iter().map(|(name, label)| shapes.label(name, label)).collect();
    paged(&world, &uri, &paging, &all)
}

#[derive(Deserialize)]
struct NewLabel {
    name: String,
    color: Option<String>,
    description: Option<String>,
}

async fn create_label(State(world): State<World>, bytes: Bytes) -> Result<Response, Response> {
    let new: NewLabel = body(&bytes).map_err(|refused| *refused)?;
    let mut store = world.store();
    if store.labels.contains_key(&new.name) {
        return Err(invalid(&json!({"resource": "Label", "code": "already_exists", "field": "name"})));
    }
    let color = new.color.unwrap_or_else(|| "ededed".to_owned());
    let label = Label { color, description: new.description.unwrap_or_default() };
    let shape = Shapes::of(&world).label(&new.name, &label);
    store.labels.insert(new.name, label);
    Ok((StatusCode::CREATED, Json(shape)).into_response())
}
