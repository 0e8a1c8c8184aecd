//! Every bound of the compiler. Each keeps hostile source from costing more than bounded time and memory.

/// Bytes of one source.
pub const SOURCE_BYTES_MAX: usize = 64 * 1024;
/// Open brackets plus open blocks at one place of the source.
pub const NESTING_MAX: usize = 48;
/// Tokens of one statement; bounds the depth of the tree that the parser builds and later drops.
pub const STATEMENT_TOKENS_MAX: usize = 1_000;
/// Depth of one expression or block in the tree, and of all inlined calls on top of each other.
pub const DEPTH_MAX: usize = 96;
/// Calls of helper functions inside each other.
pub const INLINE_DEPTH_MAX: usize = 16;
/// Passes of all `for` loops of a strategy together, after unrolling.
pub const UNROLL_MAX: usize = 1_000;
/// Expressions and statements that are lowered, after unrolling and inlining.
pub const STEPS_MAX: usize = 200_000;
/// Local names of one function.
pub const LOCALS_MAX: usize = 256;
/// Nodes of a plan.
pub const NODES_MAX: usize = 10_000;
/// Rules of a plan.
pub const RULES_MAX: usize = 256;
/// Decisions of one rule.
pub const ACTIONS_MAX: usize = 16;
/// Recorded series of a plan.
pub const RECORDINGS_MAX: usize = 32;
/// Bytes of the name of a recorded series.
pub const RECORDING_NAME_MAX: usize = 64;
/// Labels of orders in a plan.
pub const LABELS_MAX: usize = 256;
/// Bytes of one label.
pub const LABEL_BYTES_MAX: usize = 64;
/// Bars of one window, recursion or lag.
pub const LOOK_BACK_MAX: u32 = 10_000;
/// Bars of all windows, recursions and lags of a plan together: what an evaluation keeps in memory.
pub const HISTORY_MAX: u64 = 1_000_000;
/// Other timeframes and instruments that a strategy reads.
pub const FEEDS_MAX: usize = 16;
/// Features that a strategy reads, each name that a regime is compared with among them.
pub const FEATURES_MAX: usize = 64;
/// Bytes of the name of a feature, a pattern or a regime.
pub const FEATURE_NAME_MAX: usize = 64;
/// Cells of a strategy: values of its own that it keeps from bar to bar.
pub const CELLS_MAX: usize = 64;
/// Parameters of a strategy.
pub const PARAMETERS_MAX: usize = 64;
/// The largest exponent of `**`, either sign.
pub const EXPONENT_MAX: i64 = 16;
/// Diagnostics in one answer.
pub const DIAGNOSTICS_MAX: usize = 20;
/// Bytes of a name that is compared with others to say which one was meant.
pub const SUGGESTED_NAME_BYTES_MAX: usize = 64;
/// Bytes of a serialised plan.
pub const PLAN_BYTES_MAX: usize = 1024 * 1024;
