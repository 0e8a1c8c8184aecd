//! Many plans over the same prices.

use super::Run;
use super::plain::plain_entries;
use crate::decide::Scratch;
use crate::evaluate::{Block, Clock, Others};
use crate::market::Market;
use crate::program::Program;
use crate::program::union::Union;
use crate::terms::Setup;
use crate::{BLOCK, EngineError, Recorder, RunConfig, State};
use fearless_simd::Level;
use fx_strategy::Plan;

/// Runs each plan over `market` from the start, as [`advance_over`](crate::advance_over) would, and answers one recorder
/// for each, in their order.
///
/// Indicators that several plans have in common are evaluated once: parameter sets of one strategy share most of theirs.
/// The plans go through the prices block by block, so that what they share stays in the cache. Runs of one track only.
///
/// # Errors
/// As [`advance_over`](crate::advance_over), for the first plan that fails; [`EngineError::Config`] for several tracks.
pub fn sweep<R: Recorder + Default>(
    plans: &[Plan],
    config: &RunConfig,
    market: &Market<'_>,
) -> Result<Vec<R>, EngineError> {
    config.validate()?;
    if market.tracks.len() != 1 || !market.rates.is_empty() {
        return Err(EngineError::Config { field: "tracks", reason: "a sweep runs over one" });
    }
    let programs = plans.iter().map(Program::without_carried).collect::<Result<Vec<_>, _>>()?;
    let union = Union::of(&programs);
    let merged = union.program();
    let mut shared = Block::new(&merged);
    let quotes = &market.tracks[0];
    let granularity = config.tracks[0].granularity;
    let first_decision = quotes.bars.lower_bound(config.start);
    let clock = Clock { first_decision, first_index: 0, granularity };
    plans.iter().try_for_each(|plan| config.check_feeds(plan))?;
    let mut recorders: Vec<R> = plans.iter().map(|_| R::default()).collect();
    let Some(first) = programs.first() else { return Ok(recorders) };
    let setup = Setup::new(config, &State::new(first, config), market)?;
    let members = programs.iter().zip(&union.members).zip(&mut recorders);
    let mut runs: Vec<_> = members
        .map(|((program, member), recorder)| Run {
            blocks: Vec::with_capacity(1),
            scratch: Scratch::new(program),
            level: Level::new(),
            plain: if R::DETAILED {
                Vec::new()
            } else {
                plain_entries(program, Some(&member.places), &setup, market)
            },
            equity: Vec::with_capacity(BLOCK),
            recorded: program.plan.recordings.iter().map(|_| Vec::new()).collect(),
            program,
            places: Some(member.places.as_slice()),
            setup: &setup,
            market,
            clocks: vec![clock],
            state: State::new(program, config),
            recorder,
        })
        .collect();
    // Of the columns that the plans share; each plan's own state has the rest.
    let Some(mut track) = State::new(&merged, config).tracks.into_iter().next() else { return Ok(recorders) };
    let bars = quotes.bars.len();
    let mut from = 0;
    while from < bars {
        let rows = from..bars.min(from + BLOCK);
        if merged.reads_others() {
            let others = Others::of(&merged, config, market, (&track, config.tracks[0]));
            shared.evaluate_others(&merged, &mut track, quotes, (rows.clone(), clock), &others)?;
        }
        shared.begin(&merged, quotes, rows.clone(), clock);
        for (run, member) in runs.iter_mut().zip(&union.members) {
            shared.evaluate_member((&merged, member), &mut track.memories, quotes, rows.clone(), clock);
            // The run trades on the shared block and hands it back.
            run.blocks.push(shared);
            let traded = run.trade_block(rows.clone());
            let Some(block) = run.blocks.pop() else { return Ok(recorders) };
            shared = block;
            traded?;
        }
        from = rows.end;
    }
    drop(runs);
    Ok(recorders)
}
