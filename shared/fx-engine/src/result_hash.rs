//! The identity of a result.

use fx_domain::{
    ConversionStep, Currency, Digest, DigestBuilder, ExitReason, Instrument, LedgerKind, LedgerRow, Side,
    Trade, UnixNanos,
};

/// The kind and version of the encoding below; another encoding gets another name.
const DOMAIN: &str = "fx-engine/result/3";

/// Bytes gathered before they are hashed.
const BUFFER_BYTES: usize = 64 * 1024;

/// SHA-256 over trades, ledger and equity of a whole run, taken as they come. Two runs with the same hash gave the same
/// answer. How the run was cut into calls of [`advance`](crate::advance) is not part of it.
///
/// The encoding: trades, ledger and equity are digests of their own, each over its items and then their number; the
/// result is the digest over the three and the account currency. Every number is eight little-endian bytes (two's
/// complement); enumerations are numbers in order of declaration, from 0; texts are their length and their bytes; what may
/// be absent is length 0, or length 1 and itself. Fields come in order of declaration, a point of the equity is its time
/// and its amount.
pub struct ResultHasher {
    currency: Currency,
    trades: Encoder,
    ledger: Encoder,
    equity: Encoder,
}

impl ResultHasher {
    /// Of a run whose account is in `currency`.
    #[must_use]
    pub fn new(currency: Currency) -> Self {
        let section = |name: &str| Encoder::new(&format!("{DOMAIN}/{name}"));
        Self { currency, trades: section("trades"), ledger: section("ledger"), equity: section("equity") }
    }

    /// Adds trades, in order of exit.
    pub fn trades(&mut self, trades: &[Trade]) {
        for trade in trades {
            self.trades.trade(trade);
        }
        self.trades.items += trades.len() as u64;
    }

    /// Adds rows of the ledger.
    pub fn ledger(&mut self, rows: &[LedgerRow]) {
        for row in rows {
            self.ledger.ledger_row(row);
        }
        self.ledger.items += rows.len() as u64;
    }

    /// Adds points of the equity: when their bars opened, and millionths of the account currency.
    ///
    /// # Panics
    /// When there are not as many of the one as of the other.
    pub fn equity(&mut self, times: &[UnixNanos], micros: &[i64]) {
        assert_eq!(times.len(), micros.len(), "a point of the equity has a time and an amount");
        for (time, micros) in times.iter().zip(micros) {
            self.equity.integer(time.get());
            self.equity.integer(*micros);
        }
        self.equity.items += times.len() as u64;
    }

    /// The hash of the run.
    #[must_use]
    pub fn finish(self) -> Digest {
        let result = DigestBuilder::new(DOMAIN).part(self.currency.code().as_bytes());
        [self.trades, self.ledger, self.equity]
            .into_iter()
            .fold(result, |result, section| result.part(section.finish().as_bytes()))
            .finish()
    }
}

struct Encoder {
    digest: DigestBuilder,
    buffer: Vec<u8>,
    items: u64,
}

impl Encoder {
    fn new(domain: &str) -> Self {
        Self { digest: DigestBuilder::new(domain), buffer: Vec::with_capacity(BUFFER_BYTES), items: 0 }
    }

    fn finish(mut self) -> Digest {
        self.natural(self.items);
        self.digest.update(&self.buffer);
        self.digest.finish()
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.digest.update(&self.buffer);
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(bytes);
    }

    fn integer(&mut self, value: i64) {
        self.bytes(&value.to_le_bytes());
    }

    fn natural(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        self.natural(length as u64);
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes(text.as_bytes());
    }

    fn trade(&mut self, trade: &Trade) {
        self.natural(trade.id);
        self.natural(trade.position_id);
        self.instrument(trade.instrument);
        self.natural(match trade.side {
            Side::Long => 0,
            Side::Short => 1,
        });
        self.integer(trade.units.get());
        self.natural(trade.entry_bar);
        self.natural(trade.exit_bar);
        self.integer(trade.entry_time.get());
        self.integer(trade.exit_time.get());
        self.integer(trade.entry_price.nanos());
        self.integer(trade.exit_price.nanos());
        self.integer(trade.profit_loss.micros());
        self.text(trade.profit_loss.currency().code());
        for cost in [
            trade.costs.spread_micros,
            trade.costs.commission_micros,
            trade.costs.slippage_micros,
            trade.costs.financing_micros,
        ] {
            self.integer(cost);
        }
        self.natural(match trade.exit_reason {
            ExitReason::Close => 0,
            ExitReason::Reverse => 1,
            ExitReason::StopLoss => 2,
            ExitReason::TakeProfit => 3,
            ExitReason::TrailingStop => 4,
            ExitReason::StopOut => 5,
        });
        self.natural(u64::from(trade.ambiguous));
        self.integer(trade.mae.nanos());
        self.integer(trade.mfe.nanos());
    }

    fn ledger_row(&mut self, row: &LedgerRow) {
        self.natural(row.sequence);
        self.integer(row.time.get());
        self.natural(match row.kind {
            LedgerKind::Deposit => 0,
            LedgerKind::ProfitLoss => 1,
            LedgerKind::Commission => 2,
            LedgerKind::Financing => 3,
            LedgerKind::NegativeBalance => 4,
        });
        self.natural(u64::from(row.order.is_some()));
        if let Some(order) = row.order {
            self.natural(order.0);
        }
        self.integer(row.amount.micros());
        self.text(row.amount.currency().code());
        self.integer(row.balance.micros());
        self.natural(u64::from(row.conversion.is_some()));
        if let Some(conversion) = &row.conversion {
            self.text(conversion.from.code());
            self.step(&conversion.first);
            self.natural(u64::from(conversion.second.is_some()));
            if let Some(second) = &conversion.second {
                self.step(second);
            }
        }
        self.natural(u64::from(row.rollover.is_some()));
        if let Some(rollover) = &row.rollover {
            self.instrument(rollover.instrument);
            self.integer(rollover.time.get());
            self.natural(u64::from(rollover.days));
            self.integer(rollover.units.get());
            self.integer(rollover.price.nanos());
            self.natural(u64::from(rollover.inside_bar));
        }
    }

    fn step(&mut self, step: &ConversionStep) {
        self.instrument(step.instrument);
        self.integer(step.bid_plus_ask.nanos());
        self.natural(u64::from(step.inverse));
        self.integer(step.time.get());
    }

    fn instrument(&mut self, instrument: Instrument) {
        self.text(instrument.base().code());
        self.text(instrument.quote().code());
    }
}
