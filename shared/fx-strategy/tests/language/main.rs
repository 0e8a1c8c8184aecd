//! The language from outside: what compiles to what, what is refused and how, and that nothing panics.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod diagnostics;
mod files;
mod hostile;
mod lowering;
mod plan;

use fx_strategy::{Action, Compiled, Diagnostics, Node, NodeId, ParameterValue, Plan, compile};
use std::collections::BTreeMap;

fn compiled(source: &str) -> Compiled {
    compile(source, &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(source: &str) -> Diagnostics {
    compile(source, &BTreeMap::new()).expect_err(source)
}

/// A strategy whose `analyze` has these lines.
fn strategy(body: &str) -> String {
    let lines: Vec<String> = body.lines().map(|line| format!("        {line}")).collect();
    format!(
        "class S(Strategy):\n    n = 10\n    on = True\n\n    def analyze(self, data):\n{}\n",
        lines.join("\n")
    )
}

fn plan_of(body: &str) -> Plan {
    compiled(&strategy(body)).plan
}

/// The plan in words: one line per rule and recording.
fn words(plan: &Plan) -> String {
    let mut lines: Vec<String> = plan
        .rules
        .iter()
        .map(|rule| {
            let actions: Vec<String> = rule.actions.iter().map(|action| action_words(plan, action)).collect();
            format!("{} => {}", node_words(plan, rule.guard), actions.join("; "))
        })
        .collect();
    lines.extend(plan.recordings.iter().map(|r| format!("{} = {}", r.name, node_words(plan, r.value))));
    lines.join("\n")
}

fn action_words(plan: &Plan, action: &Action) -> String {
    match action {
        Action::Enter { direction, size, stop_loss, take_profit } => {
            let level = |level: &Option<fx_strategy::Level>| match level {
                None => "none".to_owned(),
                Some(fx_strategy::Level::Price(x)) => node_words(plan, *x),
                Some(fx_strategy::Level::Pips(x)) => format!("pips {}", node_words(plan, *x)),
                Some(fx_strategy::Level::Distance(x)) => format!("distance {}", node_words(plan, *x)),
            };
            let size = format!("{size:?}").split('(').next().unwrap().to_owned()
                + " "
                + &node_words(plan, size.node());
            format!("{direction:?} {size} sl {} tp {}", level(stop_loss), level(take_profit))
        }
        Action::Target { units } => format!("target {}", node_words(plan, *units)),
        Action::Close => "close".to_owned(),
    }
}

fn node_words(plan: &Plan, id: NodeId) -> String {
    let word = |id: NodeId| node_words(plan, id);
    match plan.nodes[id.index()] {
        Node::Number(x) => format!("{x}"),
        Node::Condition(x) => format!("{x}"),
        Node::Price { side, field } => format!("{side:?}.{field:?}").to_lowercase().replace("signal.", ""),
        Node::Volume => "volume".to_owned(),
        Node::Clock(field) => format!("{field:?}").to_lowercase(),
        Node::Position(field) => format!("position.{field:?}").to_lowercase(),
        Node::Account(field) => format!("account.{field:?}").to_lowercase(),
        Node::Unary { op, x } => format!("{op:?}({})", word(x)),
        Node::Binary { op, a, b } => format!("{op:?}({}, {})", word(a), word(b)),
        Node::Select { condition, then, otherwise } => {
            format!("Select({}, {}, {})", word(condition), word(then), word(otherwise))
        }
        Node::Lag { x, bars } => format!("{}[-{}]", word(x), bars + 1),
        Node::Window { kind, x, bars } => format!("{kind:?}({}, {bars})", word(x)),
        Node::Recursion { kind, x, bars } => format!("{kind:?}({}, {bars})", word(x)),
    }
}

fn overrides<const N: usize>(values: [(&str, ParameterValue); N]) -> BTreeMap<String, ParameterValue> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
