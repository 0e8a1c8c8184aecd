//! Runs made from numbers, for the tests of this crate.

use fx_analytics::{Analysis, MarginFigures, Report, RunEnd, RunStart, Sketch, TradeBars};
use fx_domain::{
    Costs, Currency, EquityCurve, ExitReason, Granularity, Instrument, Money, NANOS_PER_MINUTE, Price, Side,
    Trade, Units, UnixNanos,
};

/// A run that owns its columns.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) trades: Vec<Trade>,
    pub(crate) equity: EquityCurve,
    pub(crate) closes: Vec<Price>,
    pub(crate) initial: Money,
    pub(crate) granularity: Granularity,
}

pub(crate) fn usd(micros: i64) -> Money {
    Money::from_micros(micros, Currency::USD)
}

impl Run {
    /// Equity at bars of one length, back to back from `start`.
    pub(crate) fn of_equity(start: &str, granularity: Granularity, initial: i64, micros: Vec<i64>) -> Self {
        let start = UnixNanos::parse(start).expect("a time");
        let times = (0..micros.len() as i64).map(|bar| start.plus_nanos(bar * granularity.nominal_nanos()));
        let equity = EquityCurve { times: times.collect(), micros, currency: Currency::USD };
        let closes = vec![Price::from_nanos(1_100_000_000); equity.micros.len()];
        Self { trades: Vec::new(), equity, closes, initial: usd(initial), granularity }
    }

    /// A walk of `bars` minutes from 2015 on that trades every `bars / trades` of them; the same every time.
    pub(crate) fn walk(bars: usize, trades: usize) -> Self {
        let mut state = 42u64;
        let mut step = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i64 % 21 - 10
        };
        let mut price = 1_100_000_000i64;
        let closes: Vec<Price> = (0..bars)
            .map(|_| {
                price = (price + step() * 10_000).clamp(900_000_000, 1_300_000_000);
                Price::from_nanos(price)
            })
            .collect();
        let mut run = Self::of_equity("2015-01-01", Granularity::M1, 100_000_000_000, vec![0; bars]);
        let hold = (bars / trades.max(1)).max(1);
        for id in 0..trades {
            let (entry_bar, exit_bar) = (id * hold, ((id + 1) * hold).min(bars - 1));
            let side = if id % 3 == 0 { Side::Short } else { Side::Long };
            run.trades.push(trade(
                id as u64,
                side,
                (entry_bar, closes[entry_bar]),
                (exit_bar, closes[exit_bar]),
            ));
        }
        let (mut balance, mut exited) = (run.initial.micros(), 0);
        for (bar, close) in closes.iter().enumerate() {
            while exited < trades && run.trades[exited].exit_bar as usize <= bar {
                balance += run.trades[exited].profit_loss.micros();
                exited += 1;
            }
            let open = run.trades.get(exited).filter(|trade| trade.entry_bar as usize <= bar);
            let marked =
                open.map_or(0, |trade| trade.side.sign() * 10 * (close.nanos() - trade.entry_price.nanos()));
            run.equity.micros[bar] = balance + marked;
        }
        run.closes = closes;
        run
    }

    pub(crate) fn start(&self) -> RunStart {
        RunStart {
            initial_capital: self.initial,
            granularity: self.granularity,
            trade_bars: TradeBars::OfEquity,
            first_decision: 0,
        }
    }

    pub(crate) fn end(&self) -> RunEnd {
        let last = self.equity.micros.last().copied().unwrap_or(self.initial.micros());
        RunEnd { final_balance: usd(last), margin: MarginFigures::default() }
    }

    /// Measured in one go.
    pub(crate) fn measured(&self) -> (Report, Sketch) {
        let mut analysis = Analysis::new(self.start());
        analysis.points(&self.equity.times, &self.equity.micros, &self.closes);
        analysis.trades(&self.trades);
        analysis.finish(self.end())
    }

    #[allow(dead_code, reason = "the page's tests look at the whole")]
    pub(crate) fn report(&self) -> Report {
        self.measured().0
    }
}

/// Ten thousand units from one minute of 2015 to another, 10 cents of commission.
pub(crate) fn trade(id: u64, side: Side, entry: (usize, Price), exit: (usize, Price)) -> Trade {
    let start = UnixNanos::parse("2015-01-01").expect("a time");
    let at = |bar: usize| start.plus_nanos(bar as i64 * NANOS_PER_MINUTE);
    let gain = side.sign() * 10 * (exit.1.nanos() - entry.1.nanos());
    Trade {
        id,
        position_id: id,
        instrument: Instrument::parse("EUR/USD").expect("a pair"),
        side,
        units: Units::new(10_000),
        entry_bar: entry.0 as u64,
        exit_bar: exit.0 as u64,
        entry_time: at(entry.0),
        exit_time: at(exit.0),
        entry_price: entry.1,
        exit_price: exit.1,
        profit_loss: usd(gain - 100_000),
        costs: Costs { commission_micros: 100_000, ..Costs::default() },
        exit_reason: ExitReason::Reverse,
        ambiguous: false,
        mae: Price::ZERO,
        mfe: Price::ZERO,
    }
}
