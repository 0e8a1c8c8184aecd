//! The short way from a signal to its fill at the next open, for strategies that enter at the market with known sizes and
//! nothing attached, on one track in the quote currency.
//!
//! It does what deciding, waiting and filling do, without an order that waits: nothing can come between, and nobody
//! wants to be told. Whatever is not plain at a bar takes the long way there.

use super::{At, Run};
use crate::evaluate::Column;
use crate::program::Program;
use crate::terms::Setup;
use crate::value::TRUE;
use crate::{EngineError, FillTime, Market, Recorder, UNITS_MAX};
use fx_domain::{OrderId, Side, Units};
use fx_strategy::{Action, Direction, NodeId, Size, Ticket};

/// Whether entries of the plan may take the short way.
pub(super) fn is_plain(program: &Program<'_>, setup: &Setup<'_>, market: &Market<'_>) -> bool {
    let config = setup.config;
    let rules = program.plan.rules.iter().zip(&program.rules);
    let all_plain = rules.into_iter().all(|(rule, prepared)| {
        matches!(*rule.actions, [Action::Enter { size: Size::Units(_), ticket, .. }] if ticket == Ticket::default())
            && prepared.necessary == [rule.guard]
    });
    let alone = market.tracks.len() == 1 && market.rates.is_empty() && market.finer[0].is_none();
    let costless_nights = config.financing.is_none();
    all_plain
        && alone
        && costless_nights
        && setup.paths[0].is_none()
        && config.fill == FillTime::Open
        && config.pyramiding == 0
        && program.every_bar.is_empty()
}

impl<R: Recorder> Run<'_, R> {
    /// Fills what the rules decide at the close of `at` at the next open, which is in the same block. Whether it could.
    pub(super) fn fill_next(&mut self, at: At) -> Result<bool, EngineError> {
        let book = &self.state.book;
        if !self.is_plain || !book.orders.is_empty() || book.lots.len() > 1 {
            return Ok(false);
        }
        let place = at.row - at.origin;
        let columns = &self.blocks[0].columns;
        let column_of = |id: NodeId| &columns[self.places.map_or(id, |places| places[id.index()]).index()];
        let holds = |id: NodeId| matches!(column_of(id), Column::Condition(column) if column[place] == TRUE);
        let Some(rule) = self.program.plan.rules.iter().find(|rule| holds(rule.guard)) else {
            return Ok(true);
        };
        let [Action::Enter { direction, size, .. }] = *rule.actions else { return Ok(false) };
        let side = match direction {
            Direction::Long => Side::Long,
            Direction::Short => Side::Short,
        };
        let Column::Number(column) = column_of(size.node()) else { return Ok(false) };
        let wanted = column[place];
        if !(1.0..=UNITS_MAX as f64).contains(&wanted)
            || book.lots.first().is_some_and(|lot| lot.side == side)
        {
            return Ok(false);
        }
        let order = OrderId(book.next_order);
        self.state.book.next_order += 1;
        let next = At { row: at.row + 1, ..at };
        let quotes = &self.market.tracks[0];
        let quote = [quotes.bid.open(next.row), quotes.ask.open(next.row)];
        let mut dealing = self.dealing(next, quote, quotes.bars.times[next.row]);
        dealing.see();
        dealing.enter_plainly(order, side, Units::new(wanted as i64))?;
        dealing.check_margin()?;
        Ok(true)
    }
}
