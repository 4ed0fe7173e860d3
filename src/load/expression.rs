//! `${{ … }}`: expressions over values and facts, evaluated by a library that can neither read nor call out.
//!
//! Guarantees: what is outside the double braces is untouched, CloudFormation's own `${Name}` included; a text
//! that is one expression and nothing else keeps the type of its value; what is not known is a fault, never an
//! empty text; what an expression comes to is measured before it is built, and evaluating has an end.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use minijinja::value::{Serde, ValueKind};
use minijinja::{Environment, ErrorKind, Expression, UndefinedBehavior};

use super::fields::known_here;
use super::later::{self, Taken, without_quotes};
use super::pieces::{Piece, may_hold_expression, multiplies, pieces};
use super::room::Room;
use crate::model::{Region, Slug, Value, nearest};

/// Work for one expression: steps and items, 64 bytes of new text counting as a step. Real ones take a few dozen.
const MAX_WORK: u64 = 20_000;

/// Letters of one expression. The library goes down into what it reads, as deep as that is long.
const MAX_LENGTH: usize = 1_000;

/// The library with its built-in filters and tests; nothing of ours is added to it.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(MAX_WORK));
    environment
});

/// The names an expression can see.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    names: BTreeMap<&'static str, minijinja::Value>,
    /// The same as the library takes it.
    seen: OnceLock<minijinja::Value>,
    /// All of `values`.
    values: Arc<Value>,
    taken: Taken,
    compiled: Arc<Compiled>,
}

/// Expressions by their text: one of a baseline is the same for every account.
#[derive(Debug, Default)]
struct Compiled(Mutex<BTreeMap<String, Arc<Expression<'static, 'static>>>>);

impl Compiled {
    fn get(&self, expression: &str) -> Result<Arc<Expression<'static, 'static>>, minijinja::Error> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = all.get(expression) {
            return Ok(Arc::clone(compiled));
        }
        let compiled = Arc::new(ENVIRONMENT.compile_expression_owned(expression.to_owned())?);
        all.insert(expression.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }
}

/// What a parameter comes to. What is known later is between marks: see [`later::parts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// A text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
}

/// A value as expressions see it; cheap to clone.
pub(super) type Fact = minijinja::Value;

/// A value as expressions see it.
pub(super) fn fact(value: &impl serde::Serialize) -> Fact {
    minijinja::Value::from(Serde(value))
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExpressionFault {
    pub(super) message: String,
    pub(super) hint: String,
}

impl Context {
    /// The same with one more name.
    pub(super) fn with(&self, name: &'static str, value: &impl serde::Serialize) -> Self {
        self.with_fact(name, fact(value))
    }

    /// The same where it is a fact already.
    pub(super) fn with_fact(&self, name: &'static str, fact: Fact) -> Self {
        let mut context = self.clone();
        context.names.insert(name, fact);
        context.seen = OnceLock::new();
        context
    }

    /// The same with `values`, of which some may hang on what is known later.
    pub(super) fn with_values(&self, values: &Value) -> Self {
        Self { values: Arc::new(values.clone()), ..self.with("values", values) }
    }

    /// What the expressions at a path of an account see: `region` in stacks; ids that are not recorded yet, which `values`
    /// hand on; and in parameters also outputs of stacks. What comes later is waited for.
    pub(super) fn at(&self, slug: &Slug, path: &[String], region: Option<&Region>) -> Self {
        let context = region.iter().fold(self.clone(), |context, region| context.with("region", region));
        match path {
            [head, _, key, ..] if head == "stacks" && key == "parameters" => context.waiting(slug, true),
            _ => context.waiting(slug, false),
        }
    }

    /// [`Self::at`] where a value holds an expression; else nothing is looked up in it, and most hold none.
    pub(super) fn for_value(
        &self,
        value: &Value,
        slug: &Slug,
        path: &[String],
        region: Option<&Region>,
    ) -> Cow<'_, Self> {
        if may_hold_expression(value) { Cow::Owned(self.at(slug, path, region)) } else { Cow::Borrowed(self) }
    }

    /// The same with what is known later.
    fn waiting(mut self, slug: &Slug, has_stacks: bool) -> Self {
        let taken = Taken::default();
        let accounts = self.names.get("accounts").map(|facts| later::accounts(facts, has_stacks, &taken));
        let account = self.names.get("account").map(|facts| later::account(facts, slug, false, &taken));
        self.names.extend(accounts.map(|accounts| ("accounts", accounts)));
        self.names.extend(account.map(|account| ("account", account)));
        if has_stacks {
            self.names.insert("stacks", later::stacks(slug, &taken));
        }
        if later::is_open_within(&self.values) {
            self.names.insert("values", later::values(&self.values, &taken));
        }
        self.taken = taken;
        self.seen = OnceLock::new();
        self
    }

    fn seen(&self) -> minijinja::Value {
        self.seen.get_or_init(|| minijinja::Value::from_pairs(self.names.clone())).clone()
    }

    /// Evaluates every text inside a value.
    pub(super) fn value(&self, value: &Value) -> Result<Value, ExpressionFault> {
        self.inside(value, &mut Room::default())
    }

    /// All texts of a value share the room: aliases and lists repeat an expression cheaply.
    fn inside(&self, value: &Value, room: &mut Room) -> Result<Value, ExpressionFault> {
        match value {
            Value::String(text) => self.typed(text, room),
            Value::Array(values) => values.iter().map(|value| self.inside(value, room)).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, value)| Ok((key.clone(), self.inside(value, room)?))).collect()
            }
            other => Ok(other.clone()),
        }
    }

    /// Evaluates to a text; a list becomes its members joined by commas, as CloudFormation writes lists.
    pub(super) fn text(&self, text: &str) -> Result<String, ExpressionFault> {
        as_text(&self.typed(text, &mut Room::default())?, text)
    }

    /// A parameter: a text, or a list of texts. A list in a list adds its members.
    pub(super) fn parameter(&self, value: &Value) -> Result<Given, ExpressionFault> {
        match self.value(value)? {
            Value::Array(members) => {
                let flat = members.iter().flat_map(|member| match member {
                    Value::Array(inner) => inner.iter().collect(),
                    other => vec![other],
                });
                flat.map(|member| as_text(member, "the list")).collect::<Result<_, _>>().map(Given::List)
            }
            other => as_text(&other, "the value").map(Given::Text),
        }
    }

    fn typed(&self, text: &str, room: &mut Room) -> Result<Value, ExpressionFault> {
        let pieces = pieces(text)?;
        if let [Piece::Expression(expression)] = pieces.as_slice() {
            return self.evaluate(expression, room);
        }
        let mut result = String::new();
        for piece in pieces {
            match piece {
                Piece::Literal(literal) => result.push_str(literal),
                Piece::Expression(expression) => {
                    result.push_str(&as_text(&self.evaluate(expression, room)?, expression)?);
                }
            }
        }
        Ok(result.into())
    }

    fn evaluate(&self, expression: &str, room: &mut Room) -> Result<Value, ExpressionFault> {
        if expression.len() > MAX_LENGTH {
            let message =
                format!("an expression of {} letters, and {MAX_LENGTH} are allowed", expression.len());
            return Err(ExpressionFault {
                message,
                hint: "give parts of it names under `values`".to_owned(),
            });
        }
        if multiplies(expression) {
            let message =
                format!("the expression `{}` multiplies, which is not available", expression.trim());
            return Err(ExpressionFault { message, hint: "write the value out".to_owned() });
        }
        let compiled = self.compiled.get(expression).map_err(|error| self.failed(expression, &error))?;
        self.taken.forget();
        let value = compiled.eval(self.seen());
        if self.taken.is_so()
            && let Some(how) = later::working(expression)
        {
            return Err(looks_into(expression, self.taken.what(), &how));
        }
        let value = value.map_err(|error| self.failed(expression, &error))?;
        if value.is_undefined() || value.is_none() {
            return Err(self.unknown(expression));
        }
        room.hold(&value)?;
        let value = serde_json::to_value(&value).map_err(|_| ExpressionFault {
            message: format!("`{}` is not plain data", expression.trim()),
            hint: String::new(),
        })?;
        if !self.taken.is_so() && later::is_marked(&value) {
            let message =
                format!("the expression `{}` makes a character that no text holds", expression.trim());
            return Err(ExpressionFault { message, hint: "take it out".to_owned() });
        }
        if self.taken.is_so() {
            let eval = || compiled.eval(self.seen());
            let as_texts = self.taken.as_texts(eval).ok().and_then(|value| serde_json::to_value(value).ok());
            if as_texts.is_none() || as_texts != later::veiled(&value) {
                let how = "a list or a map made a text, or a letter picked";
                return Err(looks_into(expression, self.taken.what(), how));
            }
        }
        Ok(value)
    }

    fn failed(&self, expression: &str, error: &minijinja::Error) -> ExpressionFault {
        if error.kind() == ErrorKind::UndefinedError {
            return self.unknown(expression);
        }
        if error.kind() == ErrorKind::OutOfFuel {
            let message = format!("the expression `{}` takes too much work", expression.trim());
            return ExpressionFault { message, hint: "write the value out".to_owned() };
        }
        let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        let message = format!("the expression `{}` does not work: {detail}", expression.trim());
        ExpressionFault { message, hint: String::new() }
    }

    fn unknown(&self, expression: &str) -> ExpressionFault {
        let expression = expression.trim();
        let message = format!("`{expression}` has no value here");
        let hint = if let Some(near) = self.account_like(expression) {
            format!("did you mean `accounts['{near}']`?")
        } else if expression.rsplit('.').next() == Some("id") {
            "an account's id is known once it was created and recorded; its stacks, values and alias can wait for it, its \
             name, e-mail and tags cannot"
                .to_owned()
        } else if expression.starts_with("values.") {
            self.known_values()
        } else if !self.names.contains_key("stacks") && without_quotes(expression).contains("outputs") {
            "outputs of stacks can be taken in the parameters of stacks only".to_owned()
        } else {
            known_here(self.names.len(), self.names.keys())
        };
        ExpressionFault { message, hint }
    }

    /// The account that was meant by a name that is none.
    fn account_like(&self, expression: &str) -> Option<String> {
        let wrong = expression.strip_prefix("accounts[")?.get(1..)?.split(['\'', '"']).next()?;
        let names = self.names.get("accounts")?.try_iter().ok()?.map(|name| name.to_string());
        let names: Vec<_> = names.collect();
        nearest(wrong, names.iter().map(String::as_str)).filter(|near| *near != wrong).map(str::to_owned)
    }

    fn known_values(&self) -> String {
        let values = self.names.get("values").filter(|values| values.kind() == ValueKind::Map);
        let count = values.and_then(Fact::len).unwrap_or_default();
        if count == 0 {
            return "no values reach this account".to_owned();
        }
        let names = values.and_then(|values| values.try_iter().ok()).into_iter().flatten();
        known_here(count, names.map(|name| format!("values.{name}")))
    }
}

fn looks_into(expression: &str, what: &str, how: &str) -> ExpressionFault {
    ExpressionFault {
        message: format!(
            "the expression `{}` would look into {what} (`{how}`), which is not known yet",
            expression.trim()
        ),
        hint: "put it in whole: alone, in a text, joined with `~`, or in a list; \
               a template can take it apart with Fn::Select and Fn::Split"
            .to_owned(),
    }
}

fn as_text(value: &Value, of: &str) -> Result<String, ExpressionFault> {
    crate::model::template::plain_text(value).ok_or_else(|| ExpressionFault {
        message: format!("`{}` is a map, where a text is needed", of.trim()),
        hint: "name one entry of the map".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn context() -> Context {
        Context::default()
            .with("values", &json!({"Cidr": "10.0.0.0/16", "Zones": ["a", "b"], "Count": 3, "On": true}))
            .with("accounts", &json!({"log-archive": {"name": "Log Archive"}}))
    }

    #[test]
    fn a_text_that_is_one_expression_keeps_its_type() {
        let value = |text: &str| context().value(&json!(text)).unwrap();
        assert_eq!(value("${{ values.Count }}"), json!(3));
        assert_eq!(value("${{ values.Zones }}"), json!(["a", "b"]));
        assert_eq!(value("n-${{ values.Count }}"), json!("n-3"));
        assert_eq!(value("${{ accounts['log-archive'].name | upper }}"), json!("LOG ARCHIVE"));
        assert_eq!(value("${{ '}}' }}${{ values.On }}"), json!("}}true"));
    }

    #[test]
    fn a_list_becomes_a_text_with_commas() {
        assert_eq!(context().text("${{ values.Zones }}").unwrap(), "a,b");
        let list = context().parameter(&json!(["x", "${{ values.Cidr }}", "${{ values.Zones }}"])).unwrap();
        assert_eq!(list, Given::List(["x", "10.0.0.0/16", "a", "b"].map(str::to_owned).into()));
    }

    #[test]
    fn cloudformations_own_braces_are_never_touched() {
        for text in ["${AWS::AccountId}", "{{resolve:ssm:/a:1}}", "${!Literal}", "$${", "}}"] {
            assert_eq!(context().text(text).unwrap(), text);
        }
    }

    #[test]
    fn what_is_not_known_is_a_fault_with_a_hint() {
        let fault = |text: &str| context().text(text).unwrap_err();
        assert_eq!(fault("${{ values.Nope }}").message, "`values.Nope` has no value here");
        assert_eq!(
            fault("${{ values.Nope }}").hint,
            "known here: values.Cidr, values.Count, values.On, values.Zones"
        );
        assert!(fault("${{ accounts['log-archive'].id }}").hint.contains("recorded"));
        assert_eq!(fault("${{ secret }}").hint, "known here: accounts, values");
        assert_eq!(fault("${{ values }}").message, "`${{ values }}` is a map, where a text is needed");
        assert!(fault("${{ values.Cidr").message.contains("is not closed"));
        assert!(fault("${{ 1 + }}").message.contains("does not work"));
    }

    #[test]
    fn what_would_grow_without_bound_is_refused_before_it_is_built() {
        let many = |piece: &'static str, times| vec![piece; times];
        for text in [
            json!("${{ range(99999) }}"),
            json!("${{ {'a': [range(49999), range(49999)]} }}"),
            json!(many("${{ range(999) }}-", 100).concat()),
            json!(many("${{ range(9999) }}", 100)),
        ] {
            let fault = context().value(&text).unwrap_err();
            assert_eq!(fault.message, "expressions come to more than 65536 bytes in one value", "{text}");
        }
    }

    #[test]
    fn the_work_of_an_expression_is_bounded() {
        for text in ["range(99999) | list", "range(99999) | join('x')"] {
            let fault = context().text(&format!("${{{{ {text} }}}}")).unwrap_err();
            assert_eq!(fault.message, format!("the expression `{text}` takes too much work"));
        }
    }

    #[test]
    fn a_result_of_a_sensible_size_is_kept_whole() {
        let value = |text: &str| context().value(&json!(text)).unwrap();
        assert_eq!(value("${{ [0] + [0, 1] }}"), json!([0, 0, 1]));
        assert_eq!(value("${{ values }}")["Cidr"], json!("10.0.0.0/16"));
    }

    proptest! {
        #[test]
        fn a_text_without_an_expression_is_its_own_value(text in "[^$]{0,40}|(\\$\\{[A-Za-z:]{1,8}\\} ?){0,4}") {
            prop_assert_eq!(context().text(&text).unwrap(), text);
        }

        #[test]
        fn no_expression_makes_it_panic(text in "\\$\\{\\{[ -~]{0,24}\\}\\}") {
            let _ = context().text(&text);
        }

        /// Whatever is accepted while an output is not known comes to the same once it is.
        #[test]
        fn nothing_hangs_on_what_an_output_is(expression in expressions(), output in "[a-z,]{0,6}") {
            let slug = Slug::parse("one").unwrap();
            let path = ["stacks", "s", "parameters", "P"].map(str::to_owned);
            let said = json!(format!("${{{{ {expression} }}}}"));
            let Ok(before) = context().at(&slug, &path, None).parameter(&said) else { return Ok(()) };
            let known = context()
                .with("stacks", &json!({"a": {"outputs": {"B": output}}}))
                .with("accounts", &json!({"log-archive": {"name": "Log Archive", "id": output}}));
            let filled = |text: &String| {
                let fill = |part| match part {
                    crate::model::Part::Text(text) => text,
                    crate::model::Part::Output(_) | crate::model::Part::AccountId(_) => output.clone(),
                };
                later::parts(text).into_iter().map(fill).collect::<String>()
            };
            let before = match before {
                Given::Text(text) => Given::Text(filled(&text)),
                Given::List(members) => Given::List(members.iter().map(filled).collect()),
            };
            prop_assert_eq!(known.parameter(&said), Ok(before), "{}", expression);
        }
    }

    /// Expressions that put an output into all sorts of places.
    fn expressions() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            3 => Just("stacks['a'].outputs.B".to_owned()),
            2 => Just("accounts['log-archive'].id".to_owned()),
            1 => Just("'x'".to_owned()),
            1 => Just("values.Zones".to_owned()),
            1 => Just("values.Count".to_owned()),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            let two = || (inner.clone(), inner.clone());
            prop_oneof![
                4 => two().prop_map(|(a, b)| format!("{a} ~ {b}")),
                2 => two().prop_map(|(a, b)| format!("[{a}, {b}]")),
                2 => two().prop_map(|(a, b)| format!("[{a}, {b}][0]")),
                2 => two().prop_map(|(a, b)| format!("{{'k': {a}, 'l': {b}}}['k']")),
                1 => inner.clone().prop_map(|a| format!("({a})")),
                1 => inner.clone().prop_map(|a| format!("({a})[0]")),
                1 => inner.clone().prop_map(|a| format!("values[{a}]")),
                1 => inner.clone().prop_map(|a| format!("({a})[0:2]")),
                1 => inner.clone().prop_map(|a| format!("({a}) | upper")),
                1 => inner.clone().prop_map(|a| format!("({a}) | length")),
                1 => two().prop_map(|(a, b)| format!("('y' if {a} == {b} else 'n')")),
                1 => two().prop_map(|(a, b)| format!("({a} + {b})")),
            ]
        })
    }
}
