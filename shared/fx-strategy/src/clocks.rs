//! Clocks: whose bars each node of a plan is evaluated at, and how much history that takes.

use crate::plan::{Action, Clock, Feed, Node, NodeId, Plan, Recursion, Rule, Session};
use crate::plan_check::PlanError;
use fx_domain::{Granularity, NANOS_PER_DAY};

/// Markets are open five days of seven.
const OPEN_DAYS: i64 = 5;
const WEEK_DAYS: i64 = 7;
/// A weekend and the holidays around it may lie at the end of any stretch of history.
const CLOSED_DAYS: i64 = 4;

impl Feed {
    /// The length of its bars, for a strategy on bars of `own`.
    #[must_use]
    pub fn granularity_for(&self, own: Granularity) -> Granularity {
        self.granularity.unwrap_or(own)
    }

    /// Whether a strategy on bars of `own` can read it: its bars are longer, and made of whole ones of `own`. Each
    /// timeframe is a multiple of every shorter one.
    #[must_use]
    pub fn fits(&self, own: Granularity) -> bool {
        self.granularity.is_none_or(|wanted| wanted > own)
    }
}

impl Node {
    /// Whose bars it is evaluated at, given its operands' clocks; `None` where these differ.
    pub(crate) fn clock_given(&self, operand: impl Fn(NodeId) -> Clock) -> Option<Clock> {
        match *self {
            Self::Number(_) | Self::Condition(_) => return Some(Clock::Any),
            Self::FeedPrice { feed, .. } | Self::FeedVolume { feed } => return Some(Clock::Of(feed)),
            Self::AsOf { x } => return matches!(operand(x), Clock::Of(_)).then_some(Clock::Own),
            _ => {}
        }
        let mut clocks = self.operands().map(operand).filter(|clock| *clock != Clock::Any);
        let first = clocks.next().unwrap_or(Clock::Own);
        clocks.all(|clock| clock == first).then_some(first)
    }
}

impl Plan {
    /// Whose bars each node is evaluated at; a plan that is not sound may have operands of two clocks.
    #[must_use]
    pub fn clocks(&self) -> Vec<Clock> {
        let mut clocks: Vec<Clock> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            clocks.push(node.clock_given(|operand| clocks[operand.index()]).unwrap_or(Clock::Own));
        }
        clocks
    }

    /// The completed bars that it reads beside the strategy's own, each once, in order of appearance.
    #[must_use]
    pub fn feeds(&self) -> Vec<Feed> {
        let mut feeds = Vec::new();
        for node in &self.nodes {
            if let Node::FeedPrice { feed, .. } | Node::FeedVolume { feed } = node
                && !feeds.contains(feed)
            {
                feeds.push(*feed);
            }
        }
        feeds
    }

    /// The strategy's own bars that must precede a bar for every node to have had its chance to be defined there: the
    /// longest chain of windows, recursions and lags. A session counts with as many bars as it has minutes: bars may be
    /// shorter than that, and longer ones only begin earlier than they must. Read these before the start date, and before them what
    /// [`Plan::feed_lead_nanos`] says.
    #[must_use]
    pub fn warm_up_bars(&self) -> u64 {
        let clocks = self.clocks();
        let mut warm_up: Vec<u64> = Vec::with_capacity(self.nodes.len());
        for (node, clock) in self.nodes.iter().zip(clocks) {
            let operands = node.operands().map(|operand| warm_up[operand.index()]).max().unwrap_or(0);
            let own = if matches!(clock, Clock::Of(_)) { 0 } else { history(node) };
            warm_up.push(operands + own);
        }
        warm_up.into_iter().max().unwrap_or(0)
    }

    /// How long before its own bars of the warm-up a strategy on bars of `own` needs prices, so that its feeds are
    /// defined there: their bars, weekends counted. 0 without feeds.
    #[must_use]
    pub fn feed_lead_nanos(&self, own: Granularity) -> i64 {
        let clocks = self.clocks();
        let mut bars: Vec<u64> = Vec::with_capacity(self.nodes.len());
        let mut lead = 0;
        for (node, clock) in self.nodes.iter().zip(clocks) {
            let operands = node.operands().map(|operand| bars[operand.index()]).max().unwrap_or(0);
            let needed = if let Clock::Of(feed) = clock {
                let needed = operands + history(node);
                // One more: the first of them may be there in part only.
                let open = i64::try_from(needed + 2).unwrap_or(i64::MAX);
                let open = open.saturating_mul(feed.granularity_for(own).nominal_nanos());
                lead = lead.max(open.saturating_mul(WEEK_DAYS) / OPEN_DAYS + CLOSED_DAYS * NANOS_PER_DAY);
                needed
            } else {
                0
            };
            bars.push(needed);
        }
        lead
    }

    /// Operands of a node are on one clock, and what the plan decides and keeps is on the strategy's own.
    pub(crate) fn validate_clocks(&self) -> Result<(), PlanError> {
        let clocks = self.clocks();
        for (node, checked) in self.nodes.iter().enumerate() {
            if checked.clock_given(|operand| clocks[operand.index()]).is_none() {
                return Err(PlanError::Node { node, fault: "mixes the bars of two series" });
            }
            if let Node::FeedPrice { feed, .. } | Node::FeedVolume { feed } = checked
                && (feed.instrument.is_none() && feed.granularity.is_none()
                    || feed.granularity == Some(Granularity::Tick))
            {
                return Err(PlanError::Node { node, fault: "reads bars that are no other bars" });
            }
        }
        let away = |id: &NodeId| matches!(clocks.get(id.index()), Some(Clock::Of(_)));
        let arguments = |rule: &Rule| rule.actions.iter().flat_map(Action::nodes).any(|id| away(&id));
        if let Some(rule) = self.rules.iter().position(|rule| away(&rule.guard) || arguments(rule)) {
            return Err(PlanError::Rule { rule, fault: "decides by bars that are not the strategy's own" });
        }
        if let Some(cell) = self.cells.iter().position(away) {
            return Err(PlanError::Cell {
                cell,
                fault: "becomes a value of bars that are not the strategy's own",
            });
        }
        match self.recordings.iter().position(|recording| away(&recording.value)) {
            None => Ok(()),
            Some(recording) => {
                Err(PlanError::Recording { recording, fault: "is of bars that are not the strategy's own" })
            }
        }
    }
}

/// Bars before the first on which the node itself can be defined.
fn history(node: &Node) -> u64 {
    u64::from(match *node {
        Node::Psar { .. } => 1,
        Node::Session { kind, period, .. } if kind != Session::Sum => 2 * period.minutes(),
        Node::Session { period, .. } => period.minutes(),
        Node::Lag { bars, .. } | Node::Recursion { kind: Recursion::Rsi, bars, .. } => bars,
        Node::Window { bars, .. } | Node::Recursion { bars, .. } => bars - 1,
        _ => 0,
    })
}
