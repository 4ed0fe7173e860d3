//! Plain local pages: issues and pull requests to read, to close and to merge.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::World;
use super::html::{diff, escape, markdown};
use super::pulls::{MergeError, merge_now};
use super::store::{Comment, Issue, PullRequest, Store};

/// Whoever sits in front of the page.
const VISITOR: &str = "you";

pub(super) fn routes(world: &World) -> Router {
    let base = format!("/{}/{}", world.config.owner, world.config.name);
    let repository = Router::new()
        .route("/issues", get(list))
        .route("/pulls", get(list))
        .route("/issues/{number}", get(issue))
        .route("/pull/{number}", get(issue))
        .route("/issues/{number}/{act}", post(act))
        .route("/pull/{number}/{act}", post(act));
    Router::new()
        .route("/", get(list))
        .route(&base, get(list))
        .nest(&base, repository)
        .route("/issues/{number}", get(short))
        .route("/pull/{number}", get(short))
        .with_state(world.clone())
}

fn page(world: &World, title: &str, body: &str) -> Html<String> {
    let config = &world.config;
    let name = escape(&format!("{}/{}", config.owner, config.name));
    let home = format!("/{}/{}/issues", config.owner, config.name);
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{}</style>\
         <header><strong><a href=\"{}\">{name}</a></strong><span>simulated GitHub, on this machine only</span></header>{body}",
        escape(title),
        include_str!("style.css"),
        escape(&home),
    ))
}

fn address(world: &World, issue: &Issue) -> String {
    let kind = if issue.pull.is_some() { "pull" } else { "issues" };
    escape(&format!("/{}/{}/{kind}/{}", world.config.owner, world.config.name, issue.number))
}

async fn list(State(world): State<World>) -> Html<String> {
    let store = world.store();
    let part = |title: &str, is_pull: bool| {
        let mut issues: Vec<_> = store.issues.values().filter(|it| it.pull.is_some() == is_pull).collect();
        issues.sort_by_key(|issue| (!issue.is_open, std::cmp::Reverse(issue.number)));
        let rows: String = issues.into_iter().map(|issue| row(&world, issue)).collect();
        let rows = if rows.is_empty() { "<div class=\"empty\">None.</div>".to_owned() } else { rows };
        format!("<h2>{title}</h2><div class=\"list\">{rows}</div>")
    };
    let body = part("Issues", false) + &part("Pull requests", true);
    page(&world, "Issues and pull requests", &body)
}

fn row(world: &World, issue: &Issue) -> String {
    format!(
        "<div>{} <a href=\"{}\">{}</a> {}<div class=\"meta\">#{} opened {} by {}</div></div>",
        state(issue),
        address(world, issue),
        escape(&issue.title),
        labels(issue),
        issue.number,
        time(issue.created),
        escape(&issue.author),
    )
}

fn time(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn state(issue: &Issue) -> String {
    let (class, word) = match (&issue.pull, issue.is_open) {
        (_, true) => ("state", "Open"),
        (Some(PullRequest { merged: Some(_), .. }), false) => ("state done", "Merged"),
        (_, false) => ("state done", "Closed"),
    };
    format!("<span class=\"{class}\">{word}</span>")
}

fn labels(issue: &Issue) -> String {
    let label = |name: &String| {
        let class = if name.ends_with("/high") { "label high" } else { "label" };
        format!("<span class=\"{class}\">{}</span> ", escape(name))
    };
    issue.labels.iter().map(label).collect()
}

/// `/issues/7`, for people who type.
async fn short(State(world): State<World>, Path(number): Path<u64>) -> Response {
    match world.store().issues.get(&number) {
        Some(issue) => Redirect::to(&address(&world, issue)).into_response(),
        None => missing(&world),
    }
}

fn missing(world: &World) -> Response {
    (StatusCode::NOT_FOUND, page(world, "Not found", "<h1>There is no such issue.</h1>")).into_response()
}

async fn issue(State(world): State<World>, Path(number): Path<u64>) -> Response {
    let Some(issue) = world.store().issues.get(&number).cloned() else { return missing(&world) };
    let change = issue.pull.as_ref().map(|pull| change(&world, pull)).unwrap_or_default();
    let body = format!(
        "<h1>{} <span class=\"meta\">#{number}</span></h1><div>{} {}</div>{}{}{change}{}",
        escape(&issue.title),
        state(&issue),
        labels(&issue),
        text_box(&issue.author, issue.created, &issue.body),
        comments(&world.store(), number),
        buttons(&world, &issue),
    );
    page(&world, &issue.title, &body).into_response()
}

fn text_box(author: &str, at: jiff::Timestamp, text: &str) -> String {
    format!(
        "<div class=\"box\"><div class=\"by meta\"><strong>{}</strong> · {}</div><div class=\"text\">{}</div></div>",
        escape(author),
        time(at),
        markdown(text),
    )
}

fn comments(store: &Store, number: u64) -> String {
    let comments = store.comments.iter().filter(|comment| comment.issue == number);
    comments.map(|Comment { author, body, created, .. }| text_box(author, *created, body)).collect()
}

/// What the pull request would change; once merged, what it changed is in git.
fn change(world: &World, pull: &PullRequest) -> String {
    let ends = format!("<h2>{} ← {}</h2>", escape(&pull.base), escape(&pull.head));
    if let Some(sha) = &pull.merged {
        return format!("{ends}<p class=\"meta\">Merged as <code>{}</code>.</p>", escape(sha));
    }
    if pull.head_repository != Some(world.full_name()) {
        return format!("{ends}<p class=\"meta\">From a fork, whose git is not kept here.</p>");
    }
    match world.config.git.diff(&pull.base, &pull.head) {
        Ok(lines) => ends + &diff(&lines),
        Err(error) => {
            format!("{ends}<p class=\"meta\">The difference cannot be shown: {}</p>", escape(&error))
        }
    }
}

fn buttons(world: &World, issue: &Issue) -> String {
    let button = |act: &str, words: &str, class: &str| {
        let address = address(world, issue);
        format!(
            "<form method=\"post\" action=\"{address}/{act}\"><button class=\"{class}\">{words}</button></form>"
        )
    };
    match (&issue.pull, issue.is_open) {
        (Some(_), true) => {
            button("merge", "Merge pull request", "") + &button("close", "Close without merging", "quiet")
        }
        (None, true) => button("close", "Close issue", "quiet"),
        (None, false) => button("reopen", "Open again", "quiet"),
        (Some(_), false) => String::new(),
    }
}

async fn act(
    State(world): State<World>,
    Path((number, act)): Path<(u64, String)>,
    headers: HeaderMap,
) -> Response {
    if !is_from_here(&world, &headers) {
        return (StatusCode::FORBIDDEN, page(&world, "Refused", "<h1>That came from another page.</h1>"))
            .into_response();
    }
    let Some(issue) = world.store().issues.get(&number).cloned() else { return missing(&world) };
    let at = world.now();
    match act.as_str() {
        "merge" => {
            if let Err(MergeError::NotMergeable(because)) = merge_now(&world, number, None, VISITOR) {
                let words = format!("<h1>It was not merged.</h1><p>{}</p>", escape(&because));
                return (StatusCode::CONFLICT, page(&world, "Not merged", &words)).into_response();
            }
        }
        "close" => world.store().set_open(number, false, VISITOR, at),
        "reopen" => world.store().set_open(number, true, VISITOR, at),
        _ => return missing(&world),
    }
    Redirect::to(&address(&world, &issue)).into_response()
}

/// A browser names the page a form comes from: others must not press our buttons.
fn is_from_here(world: &World, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let port = world.address.port();
    let is_local = [format!("127.0.0.1:{port}"), format!("localhost:{port}")].iter().any(|it| it == host);
    let same = |origin: &str| origin == format!("http://{host}");
    is_local && headers.get(header::ORIGIN).is_none_or(|origin| origin.to_str().is_ok_and(same))
}
