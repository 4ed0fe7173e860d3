//! Every answer has a class: tables of all that AWS can say, a line each, to be judged by people. They are made from
//! the SDK's own lists, so an SDK that knows more than we do fails here.

mod decisions;
mod reasons;
mod refusals;
mod sdk;
mod states;
mod wire;

use landfast::aws::{Error, Refusal};

/// A refusal as it comes out of an answer.
fn refusal(operation: &'static str, code: &str, reason: Option<&str>, message: &str, status: u16) -> Error {
    Error::Refused(Box::new(Refusal {
        operation,
        place: "111122223333".to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        reason: reason.map(str::to_owned),
        status,
    }))
}

/// Its class, or that it has none; and what else is known of it.
fn judged(error: &Error) -> String {
    let Error::Refused(refusal) = error else { panic!("{error} is no refusal") };
    let class = refusal.known_class().map_or("NO CLASS", landfast::model::Class::label);
    let marks = [
        (error.is_absent(), "absent"),
        (error.is_access_denied(), "denied"),
        (error.is_not_ready(), "waited for in a new account"),
        (error.is_expired(), "session renewed"),
        (error.outcome_unknown(), "looked before sent again"),
    ];
    let marks: Vec<_> = marks.into_iter().filter_map(|(is_so, mark)| is_so.then_some(mark)).collect();
    if marks.is_empty() { class.to_owned() } else { format!("{class} ({})", marks.join(", ")) }
}

/// One line each.
fn table(lines: impl IntoIterator<Item = String>) -> String {
    let table = lines.into_iter().collect::<Vec<_>>().join("\n");
    assert!(!table.is_empty(), "a table of nothing");
    assert!(!table.contains("NO CLASS"), "what has no class would be left to a person unseen:\n{table}");
    table
}
