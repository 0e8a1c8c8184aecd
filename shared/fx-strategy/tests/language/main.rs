//! The language from outside: what compiles to what, what is refused and how, and that nothing panics.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod clock;
mod diagnostics;
mod features;
mod feeds;
mod files;
mod fuzz;
mod hostile;
mod limits;
mod lowering;
mod orders;
mod plan;
mod state;

use fx_strategy::{
    Action, Compiled, Diagnostics, Entry, Exits, Expiry, Feature, Feed, LabelId, Level, Node, NodeId,
    ParameterValue, Plan, Ticket, compile,
};
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
    lines.extend(
        plan.cells
            .iter()
            .enumerate()
            .map(|(cell, next)| format!("cell{cell} := {}", node_words(plan, *next))),
    );
    lines.extend(plan.recordings.iter().map(|r| format!("{} = {}", r.name, node_words(plan, r.value))));
    lines.join("\n")
}

fn action_words(plan: &Plan, action: &Action) -> String {
    let word = |id: NodeId| node_words(plan, id);
    let amount = |size: String, node| format!("{} {}", size.split('(').next().unwrap(), word(node));
    let label = |label: Option<LabelId>| label.map(|label| plan.labels[usize::from(label.0)].as_str());
    match *action {
        Action::Enter { direction, size, ticket } => {
            let size = amount(format!("{size:?}"), size.node());
            format!("{direction:?} {size}{}", ticket_words(plan, ticket))
        }
        Action::Order { units, reduce_only, ticket } => {
            let reduce_only = if reduce_only { " reduce only" } else { "" };
            format!("order {}{}{reduce_only}", word(units), ticket_words(plan, ticket))
        }
        Action::Target { units } => format!("target {}", word(units)),
        Action::Close => "close".to_owned(),
        Action::ClosePartial(portion) => {
            format!("close {}", amount(format!("{portion:?}"), portion.node()))
        }
        Action::Cancel { label: which } => format!("cancel {}", label(which).unwrap_or("all")),
        Action::Modify { label: which, price, exits } => format!(
            "modify {} price {}{}",
            label(which).unwrap_or("all"),
            level_words(plan, price),
            exits_words(plan, exits)
        ),
    }
}

fn ticket_words(plan: &Plan, ticket: Ticket) -> String {
    let level = |level| level_words(plan, Some(level));
    let entry = match ticket.entry {
        Entry::Market => String::new(),
        Entry::Limit(limit) => format!(" limit {}", level(limit)),
        Entry::Stop(stop) => format!(" stop {}", level(stop)),
        Entry::StopLimit { stop, limit } => format!(" stop {} limit {}", level(stop), level(limit)),
        Entry::Touch(touch) => format!(" touch {}", level(touch)),
        Entry::Trail(trail) => format!(" trail {}", level(trail)),
    };
    let expiry = match ticket.expiry {
        Expiry::Never => String::new(),
        Expiry::Day => " day".to_owned(),
        Expiry::ImmediateOrCancel => " ioc".to_owned(),
        Expiry::FillOrKill => " fok".to_owned(),
        Expiry::Bars(bars) => format!(" for {} bars", node_words(plan, bars)),
        Expiry::Until(nanos) => format!(" until {nanos}"),
    };
    let label = ticket.label.map_or(String::new(), |id| format!(" as {}", plan.labels[usize::from(id.0)]));
    format!("{entry}{}{expiry}{label}", exits_words(plan, ticket.exits))
}

fn exits_words(plan: &Plan, exits: Exits) -> String {
    let level = |level| level_words(plan, level);
    let trailing =
        exits.trailing.map_or(String::new(), |trailing| format!(" trailing {}", level(Some(trailing))));
    format!(" sl {} tp {}{trailing}", level(exits.stop_loss), level(exits.take_profit))
}

fn level_words(plan: &Plan, level: Option<Level>) -> String {
    match level {
        None => "none".to_owned(),
        Some(Level::Price(x)) => node_words(plan, x),
        Some(Level::Pips(x)) => format!("pips {}", node_words(plan, x)),
        Some(Level::Distance(x)) => format!("distance {}", node_words(plan, x)),
    }
}

fn node_words(plan: &Plan, id: NodeId) -> String {
    let word = |id: NodeId| node_words(plan, id);
    match plan.nodes[id.index()] {
        Node::Number(x) => format!("{x}"),
        Node::Condition(x) => format!("{x}"),
        Node::Price { side, field } => format!("{side:?}.{field:?}").to_lowercase().replace("signal.", ""),
        Node::FeedPrice { feed, side, field } => {
            let price = format!("{side:?}.{field:?}").to_lowercase().replace("signal.", "");
            format!("{}.{price}", feed_words(feed))
        }
        Node::FeedVolume { feed } => format!("{}.volume", feed_words(feed)),
        Node::AsOf { x } => format!("AsOf({})", word(x)),
        Node::Cell { cell, .. } => format!("cell{}", cell.0),
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
        Node::Scan { kind, a, b, bars } => format!("{kind:?}({}, {}, {bars})", word(a), word(b)),
        Node::Psar { high, low, step, limit } => {
            format!("Psar({}, {}, {}, {})", word(high), word(low), word(step), word(limit))
        }
        Node::Session { kind, x, period } => format!("{period:?}{kind:?}({})", word(x)),
        Node::InSession { centre } => format!("in {centre}"),
        Node::Feature { feature } => match &plan.features[usize::from(feature.0)] {
            Feature::Regime(name) => format!("regime {name}"),
            named => named.to_string().replace('"', ""),
        },
    }
}

fn feed_words(feed: Feed) -> String {
    let instrument = feed.instrument.map(|instrument| instrument.to_string());
    let granularity = feed.granularity.map(|granularity| granularity.to_string());
    [instrument, granularity].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn overrides<const N: usize>(values: [(&str, ParameterValue); N]) -> BTreeMap<String, ParameterValue> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
