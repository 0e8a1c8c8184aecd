//! What a plan costs to run, from its nodes alone: the same plan has the same estimate on every machine and at every
//! load. `benches/columns.rs` measures the figures below and fails where a plan's estimate is off by more than a factor
//! of four; the prices are those of one core of a server at 3 GHz.

use fx_strategy::{Node, Plan};

/// Nanoseconds of a bar that no plan avoids: its prices are checked, equity is marked.
const BAR_NS: f64 = 3.0;
/// A market operator: one pass over a column.
const OPERATOR_NS: f64 = 0.5;
/// A price, the volume or the clock, as a column.
const READ_NS: f64 = 0.7;
/// The value of an earlier bar.
const LAG_NS: f64 = 0.5;
/// A window of a stored price, which is read from the bars as whole numbers. No window's cost grows with its length.
const PRICE_WINDOW_NS: f64 = 3.0;
/// A window of a number.
const WINDOW_NS: f64 = 6.0;
/// A recursion: each bar waits for the one before.
const RECURSION_NS: f64 = 3.0;
/// A node that is evaluated at single bars, because it depends on position or account.
const REACTIVE_NS: f64 = 4.0;
/// A rule: its guard is looked at.
const RULE_NS: f64 = 0.5;

/// Nanoseconds for each bar of one track.
pub(crate) fn nanos_per_bar(plan: &Plan) -> f64 {
    let reactive = plan.reactive();
    let nodes = plan.nodes.iter().zip(reactive);
    let nodes = nodes.map(|(node, reactive)| if reactive { REACTIVE_NS } else { market_nanos(plan, node) });
    BAR_NS + plan.rules.len() as f64 * RULE_NS + nodes.sum::<f64>()
}

/// Bars of one track that a core runs in a second, decisions and fills aside: an estimate by the kinds of the plan's
/// nodes, no measurement.
///
/// ```
/// let source = "class Idle(Strategy):\n    def analyze(self, data):\n        return {}\n";
/// let plan = fx_strategy::compile(source, &Default::default())?.plan;
/// assert!(fx_engine::estimated_bars_per_second(&plan) > 10_000_000);
/// # Ok::<(), fx_strategy::Diagnostics>(())
/// ```
#[must_use]
pub fn estimated_bars_per_second(plan: &Plan) -> u64 {
    (1e9 / nanos_per_bar(plan)) as u64
}

fn market_nanos(plan: &Plan, node: &Node) -> f64 {
    match *node {
        Node::Number(_) | Node::Condition(_) => 0.0,
        Node::Unary { .. } | Node::Binary { .. } | Node::Select { .. } => OPERATOR_NS,
        Node::Lag { .. } => LAG_NS,
        Node::Window { x, .. } if matches!(plan.nodes[x.index()], Node::Price { .. }) => PRICE_WINDOW_NS,
        Node::Window { .. } => WINDOW_NS,
        Node::Recursion { .. } | Node::Scan { .. } | Node::Psar { .. } | Node::Session { .. } => RECURSION_NS,
        _ => READ_NS,
    }
}
