//! What a result consists of.

use crate::Error;
use fx_app::ports::ResultPart;
use fx_domain::{Currency, Digest};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The object that lists the others.
pub(super) const FILE: &str = "contents.json";
/// Version of its form.
const SCHEMA: u16 = 1;

/// Every object of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Contents {
    schema: u16,
    /// The account's.
    pub(super) currency: Currency,
    trades: Vec<Piece>,
    ledger: Vec<Piece>,
    equity: Vec<Piece>,
    events: Vec<Piece>,
    margin: Vec<Piece>,
    /// The equity, thinned.
    pub(super) curve: Piece,
    /// Events of the orders that still wait.
    pub(super) pending: Piece,
    /// The tear sheet.
    pub(super) report: Piece,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Piece {
    /// Its name in the result's folder.
    pub(super) file: String,
    /// Rows in it; of a page none.
    pub(super) rows: u64,
    /// Digest of its bytes.
    pub(super) sha256: Digest,
}

impl Contents {
    /// Of a result with these objects; parts as in [`ResultPart::ALL`].
    pub(super) fn new(currency: Currency, parts: [Vec<Piece>; 5], rest: [Piece; 3]) -> Self {
        let [trades, ledger, equity, events, margin] = parts;
        let [curve, pending, report] = rest;
        Self { schema: SCHEMA, currency, trades, ledger, equity, events, margin, curve, pending, report }
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|error| Error::corrupt(error.to_string()))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let contents: Self = serde_json::from_slice(bytes)
            .map_err(|error| Error::corrupt(format!("{FILE} of a result: {error}")))?;
        if contents.schema == SCHEMA {
            Ok(contents)
        } else {
            let found = contents.schema;
            Err(Error::corrupt(format!("{FILE} of a result has form {found}, this release reads {SCHEMA}")))
        }
    }

    /// The objects of a part, in order of their rows.
    pub(super) fn pieces(&self, part: ResultPart) -> &[Piece] {
        match part {
            ResultPart::Trades => &self.trades,
            ResultPart::Ledger => &self.ledger,
            ResultPart::Equity => &self.equity,
            ResultPart::Events => &self.events,
            ResultPart::Margin => &self.margin,
        }
    }

    /// The objects that hold rows of `rows`, and which of their own rows those are.
    pub(super) fn within(
        &self,
        part: ResultPart,
        rows: Range<u64>,
    ) -> impl Iterator<Item = (&Piece, Range<usize>)> {
        let mut first = 0_u64;
        self.pieces(part).iter().filter_map(move |piece| {
            let start = first;
            first = first.saturating_add(piece.rows);
            let within = |row: u64| usize::try_from(row.clamp(start, first) - start).unwrap_or(usize::MAX);
            let range = within(rows.start)..within(rows.end);
            (!range.is_empty()).then_some((piece, range))
        })
    }
}
