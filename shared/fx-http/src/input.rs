//! Reading requests: everything that is wrong is found and named before anything is done.

mod body;
mod fields;
mod path;
mod query;
pub(crate) mod read;

pub(crate) use body::JsonBody;
#[cfg(test)]
pub(crate) use body::decode;
pub(crate) use fields::{Faults, Fields, FromFields, Read};
pub(crate) use path::{BacktestPath, ExecutionPath, InstrumentPath, PathKey, StrategyPath};
pub(crate) use query::{PageParams, Query, RowPageParams, Rows};
