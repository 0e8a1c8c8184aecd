//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod import;
pub(crate) mod openapi;
pub(crate) mod quickstart;
pub(crate) mod serve;
