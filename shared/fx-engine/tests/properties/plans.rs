//! Random plans: every node, action and kind of order.

use crate::cases::REFERENCE;
use fx_domain::{Granularity, Instrument, NANOS_PER_MINUTE, TradingCentre};
use fx_strategy::{
    AccountField, Action, Binary, CellId, Clock, ClockField, Direction, Entry, Exits, Expiry, Feature,
    FeatureId, Feed, LabelId, Level, Literal, Node, NodeId, Period, Plan, Portion, PositionField, PriceField,
    Recording, Recursion, Rule, Scan, SeriesSide, Session, Size, Ticket, Type, Unary, Window,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Grows a plan from random numbers: every operand is an earlier node of the right type.
#[derive(Default)]
struct Grower {
    plan: Plan,
}

impl Grower {
    fn add(&mut self, node: Node) -> NodeId {
        // A plan holds no node twice; constants differ from each other by construction.
        let twin = self.plan.nodes.iter().position(|known| *known == node);
        let index = twin.unwrap_or_else(|| {
            self.plan.nodes.push(node);
            self.plan.nodes.len() - 1
        });
        NodeId(index as u32)
    }

    fn pick(&self, choice: u16, wanted: Type, market: bool) -> NodeId {
        let (types, reactive, clocks) = (self.plan.types(), self.plan.reactive(), self.plan.clocks());
        let own = |index: usize| !matches!(clocks[index], Clock::Of(_));
        let fit: Vec<_> = (0..types.len())
            .filter(|index| types[*index] == wanted && own(*index) && !(market && reactive[*index]))
            .collect();
        NodeId(fit[usize::from(choice) % fit.len()] as u32)
    }

    fn roots(&mut self) {
        for field in [PriceField::Open, PriceField::High, PriceField::Low, PriceField::Close] {
            self.add(Node::Price { side: SeriesSide::Signal, field });
        }
        for side in [SeriesSide::Bid, SeriesSide::Ask, SeriesSide::Mid] {
            self.add(Node::Price { side, field: PriceField::Close });
        }
        for node in [
            Node::Volume,
            Node::Clock(ClockField::Index),
            Node::Clock(ClockField::Minute),
            Node::Clock(ClockField::Day),
            Node::InSession { centre: TradingCentre::London },
            Node::Position(PositionField::Units),
            Node::Position(PositionField::EntryPrice),
            Node::Position(PositionField::Bars),
            Node::Position(PositionField::UnrealizedPips),
            Node::Account(AccountField::Equity),
            Node::Account(AccountField::Balance),
            Node::Number(3.0),
            Node::Number(1.1),
            Node::Condition(true),
            Node::Cell { cell: CellId(0), initial: Literal::Number(1.0) },
            Node::Cell { cell: CellId(1), initial: Literal::Condition(false) },
            Node::Feature { feature: FeatureId(0) },
            Node::Feature { feature: FeatureId(1) },
        ] {
            self.add(node);
        }
    }

    /// Values of other bars, seen at the strategy's own.
    fn feeds(&mut self, choice: u16) {
        let instrument = Instrument::parse(REFERENCE).ok().filter(|_| !choice.is_multiple_of(3));
        let longer = [Granularity::M15, Granularity::H1, Granularity::H4, Granularity::D1, Granularity::W1];
        let granularity = longer.get(usize::from(choice / 3) % 6).copied();
        let granularity = granularity.or((instrument.is_none()).then_some(Granularity::M15));
        let feed = Feed { instrument, granularity };
        let close = self.add(Node::FeedPrice { feed, side: SeriesSide::Signal, field: PriceField::Close });
        let high = self.add(Node::FeedPrice { feed, side: SeriesSide::Mid, field: PriceField::High });
        let volume = self.add(Node::FeedVolume { feed });
        let bars = 1 + u32::from(choice % 5);
        let mean = self.add(Node::Window { kind: Window::Sma, x: close, bars });
        let slow = self.add(Node::Window { kind: Window::Sma, x: close, bars: bars + 2 });
        let spread = self.add(Node::Window { kind: Window::Stdev, x: high, bars: bars + 1 });
        let ema = self.add(Node::Recursion { kind: Recursion::Ema, x: volume, bars });
        let before = self.add(Node::Lag { x: high, bars });
        let above = self.add(Node::Binary { op: Binary::Gt, a: mean, b: slow });
        let two = self.add(Node::Number(1.1));
        let scaled = self.add(Node::Binary { op: Binary::Mul, a: two, b: before });
        for x in [close, mean, spread, ema, before, above, scaled] {
            self.add(Node::AsOf { x });
        }
    }

    fn grow(&mut self, (kind, a, b, bars): (u8, u16, u16, u8)) {
        let bars = 1 + u32::from(bars % 40);
        let number = |grower: &Self, choice| grower.pick(choice, Type::Number, false);
        let condition = |grower: &Self, choice| grower.pick(choice, Type::Condition, false);
        let market = |grower: &Self, choice| grower.pick(choice, Type::Number, true);
        let arithmetic = [
            Binary::Add,
            Binary::Sub,
            Binary::Mul,
            Binary::Div,
            Binary::FloorDiv,
            Binary::Mod,
            Binary::Min,
            Binary::Max,
        ];
        let comparisons = [Binary::Lt, Binary::Le, Binary::Gt, Binary::Ge, Binary::Eq, Binary::Ne];
        let windows = Window::ALL;
        let recursions = [Recursion::Ema, Recursion::Rma, Recursion::Rsi];
        let at = usize::from(b);
        let event = |grower: &Self, choice| grower.pick(choice, Type::Condition, true);
        let node = match kind % 13 {
            0 => Node::Binary { op: arithmetic[at % 8], a: number(self, a), b: number(self, b) },
            1 | 2 => Node::Binary { op: comparisons[at % 6], a: number(self, a), b: number(self, b) },
            3 => Node::Binary { op: Binary::And, a: condition(self, a), b: condition(self, b) },
            4 => Node::Unary { op: [Unary::Neg, Unary::Abs, Unary::Sqrt][at % 3], x: number(self, a) },
            5 => Node::Unary { op: Unary::Not, x: condition(self, a) },
            6 => Node::Select {
                condition: condition(self, a),
                then: number(self, b),
                otherwise: number(self, a),
            },
            7 => Node::Lag { x: if b % 2 == 0 { number(self, a) } else { condition(self, a) }, bars },
            8 => Node::Window { kind: windows[at % 7], x: market(self, a), bars },
            9 => Node::Recursion { kind: recursions[at % 3], x: market(self, a), bars },
            10 => match at % 5 {
                0 => Node::Scan { kind: Scan::Adaptive, a: market(self, a), b: market(self, b), bars: 1 },
                1 => Node::Scan { kind: Scan::Ratchet, a: market(self, a), b: market(self, b), bars: 1 },
                2 => Node::Scan { kind: Scan::Latch, a: event(self, a), b: event(self, b), bars: 1 },
                3 => Node::Scan { kind: Scan::BarsSince, a: event(self, a), b: event(self, a), bars: 1 },
                _ => Node::Scan { kind: Scan::ValueWhen, a: event(self, a), b: market(self, b), bars },
            },
            11 => {
                let (high, low) = (market(self, a), market(self, b));
                let (step, limit) = (market(self, a / 2), market(self, b / 2));
                Node::Psar { high, low, step, limit }
            }
            _ => Node::Session {
                kind: [Session::Highest, Session::Lowest, Session::Last, Session::Sum][at % 4],
                x: market(self, a),
                period: if bars % 2 == 0 { Period::Day } else { Period::Week },
            },
        };
        self.add(node);
    }

    fn rule(&mut self, (kind, a, b, size): (u8, u16, u16, u8)) {
        let guard = self.pick(a, Type::Condition, false);
        let near = self.add(Node::Number(0.5 + f64::from(size % 7)));
        let close = NodeId(3);
        let amount = self.add(Node::Number(f64::from(size) * 77.0));
        let percent = self.add(Node::Number(0.25 + f64::from(size % 5)));
        let direction = if b % 2 == 0 { Direction::Long } else { Direction::Short };
        let away = |op, grower: &mut Self| {
            let distance = grower.add(Node::Number(0.0004));
            Level::Price(grower.add(Node::Binary { op, a: close, b: distance }))
        };
        let (down, up) = (away(Binary::Sub, self), away(Binary::Add, self));
        let (stop, target) = if direction == Direction::Long { (down, up) } else { (up, down) };
        let (better, worse) = if direction == Direction::Long { (down, up) } else { (up, down) };
        let entry = [
            Entry::Market,
            Entry::Limit(better),
            Entry::Stop(worse),
            Entry::StopLimit { stop: Level::Pips(near), limit: worse },
            Entry::Touch(Level::Pips(near)),
            Entry::Trail(Level::Pips(near)),
            Entry::Limit(worse),
            Entry::Market,
        ][usize::from(b / 2 % 8)];
        let expiry = [
            Expiry::Never,
            Expiry::Day,
            Expiry::ImmediateOrCancel,
            Expiry::FillOrKill,
            Expiry::Bars(near),
            Expiry::Until(i64::from(size) * NANOS_PER_MINUTE),
            Expiry::Never,
            Expiry::Never,
        ][usize::from(b / 16 % 8)];
        let label = [None, Some(LabelId(0)), Some(LabelId(1))][usize::from(b / 128 % 3)];
        let trailing = (b / 512 % 3 == 0).then_some(Level::Pips(near));
        let ticket = |stop_loss, take_profit| {
            let exits = Exits { stop_loss, take_profit, trailing };
            Ticket { entry, exits, expiry, label }
        };
        let enter = |size, stop_loss, take_profit| Action::Enter {
            direction,
            size,
            ticket: ticket(stop_loss, take_profit),
        };
        let signed = self.add(Node::Number(f64::from(size) * 53.0 - 6_700.0));
        let action = match kind % 14 {
            0 => enter(Size::Units(amount), Some(stop), Some(target)),
            1 => enter(Size::RiskPercent(percent), Some(Level::Pips(near)), Some(target)),
            2 => enter(Size::EquityPercent(percent), None, Some(Level::Pips(near))),
            3 => Action::Target { units: self.add(Node::Number(f64::from(size) * 31.0 - 3_000.0)) },
            4 => enter(Size::Units(amount), None, None),
            5 => Action::Close,
            6 => Action::ClosePartial(Portion::Percent(self.add(Node::Number(1.0 + f64::from(size % 100))))),
            7 => Action::ClosePartial(Portion::Units(amount)),
            8 => Action::Cancel { label },
            9 => Action::Modify {
                label,
                price: (b % 4 > 0).then_some(better),
                exits: Exits { stop_loss: Some(stop), take_profit: None, trailing },
            },
            10 => Action::Modify { label, price: Some(Level::Pips(near)), exits: Exits::default() },
            11 => Action::Order { units: signed, reduce_only: true, ticket: ticket(None, None) },
            12 => Action::Order {
                units: signed,
                reduce_only: false,
                ticket: ticket(Some(Level::Pips(near)), None),
            },
            _ => Action::Order {
                units: signed,
                reduce_only: false,
                ticket: ticket(None, Some(Level::Pips(near))),
            },
        };
        self.plan.rules.push(Rule { guard, actions: vec![action] });
    }
}

/// The plan with numbers where it asks for position and account: bars alone decide its cells.
pub(crate) fn of_bars(mut plan: Plan) -> Plan {
    for (node, number) in plan.nodes.iter_mut().zip(-1_000_i32..) {
        if matches!(node, Node::Position(_) | Node::Account(_)) {
            *node = Node::Number(f64::from(number) / 100.0);
        }
    }
    plan
}

pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    let seeds = || (any::<u8>(), any::<u16>(), any::<u16>(), any::<u8>());
    (vec(seeds(), 4..24), vec(seeds(), 1..5), any::<u16>()).prop_map(|(nodes, rules, recorded)| {
        let mut grower = Grower::default();
        grower.roots();
        grower.feeds(recorded);
        grower.feeds(recorded / 7);
        grower.plan.features = vec![Feature::Named("mood".into()), Feature::Regime("calm".into())];
        grower.plan.labels = vec!["one".into(), "two".into()];
        nodes.into_iter().for_each(|seed| grower.grow(seed));
        rules.into_iter().for_each(|seed| grower.rule(seed));
        let next = [Type::Number, Type::Condition].map(|kind| grower.pick(recorded, kind, false));
        grower.plan.cells = next.to_vec();
        if recorded % 3 > 0 {
            let value = grower.pick(recorded, Type::Number, recorded % 3 == 1);
            grower.plan.recordings.push(Recording { name: "seen".into(), value });
        }
        grower.plan
    })
}
