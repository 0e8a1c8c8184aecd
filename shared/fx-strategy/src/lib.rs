//! The strategy language: Python syntax, checked and lowered to a typed, hashed [`Plan`].
//!
//! A strategy is a total, causal subset of Python: every program ends, uses bounded memory, and cannot see a bar that
//! is not complete. [`compile`] reads a source once; what comes out is a list of nodes and rules that an engine
//! evaluates without ever looking at the source again.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! let source = r#"
//! class Cross(Strategy):
//!     """Fast average over slow average."""
//!     fast: int = param(10, min=2, max=500)
//!
//!     def analyze(self, data):
//!         if crosses_above(sma(data.close, self.fast), sma(data.close, 30)):
//!             return buy(units=10000)
//!         return {}
//! "#;
//! let compiled = fx_strategy::compile(source, &BTreeMap::new())?;
//! assert_eq!(compiled.name, "Cross");
//! assert_eq!(compiled.plan.rules.len(), 1);
//! // The average of 30 bars, compared with its value one bar ago.
//! assert_eq!(compiled.plan.warm_up_bars(), 30);
//! # Ok::<(), fx_strategy::Diagnostics>(())
//! ```
//!
//! Invariants:
//! - The same source and parameters give the same plan, byte for byte; nothing here iterates over a hash map.
//! - No source, however hostile, panics, overflows the stack or takes more than bounded time: see [`limits`].
//! - A plan that leaves this crate is valid; [`Plan::from_bytes`] proves it again for bytes from elsewhere.
//! - An indicator is evaluated on every bar wherever the source calls it: branches choose between values, they do not
//!   stop the clock of a window.
//!
//! What this crate must not know: where bars come from, what becomes of a decision, IO.

mod builder;
mod builtins;
mod diagnostic;
pub mod limits;
mod lower;
mod parameters;
mod plan;
mod plan_check;
mod syntax;
mod value;

pub use builtins::{BUILTINS, Builtin, builtin};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use parameters::{ParameterKind, ParameterSpec, ParameterValue};
pub use plan::*;
pub use plan_check::PlanError;

use diagnostic::Reporter;
use std::collections::BTreeMap;

/// A strategy, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// The name of its class.
    pub name: String,
    /// The docstring of its class.
    pub description: Option<String>,
    /// Its parameters, in the order of the source.
    pub parameters: Vec<ParameterSpec>,
    /// The value of every parameter that the plan is compiled with.
    pub effective: BTreeMap<String, ParameterValue>,
    /// Its lowered form, parameters bound.
    pub plan: Plan,
    /// What is allowed and probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// Compiles `source` with `overrides` in place of the parameters' defaults.
///
/// # Errors
/// Every finding that could be made in one pass, at most [`limits::DIAGNOSTICS_MAX`]: places in the source, and fields
/// `parameters.NAME` for overrides that the strategy does not have or accept.
pub fn compile(source: &str, overrides: &BTreeMap<String, ParameterValue>) -> Result<Compiled, Diagnostics> {
    let mut report = Reporter::new(source);
    let Some(module) = syntax::parse(source, &mut report) else { return Err(report.into_errors()) };
    syntax::check(&module, &mut report);
    if report.has_errors() {
        return Err(report.into_errors());
    }
    let Ok(program) = lower::read_program(&module, &mut report) else { return Err(report.into_errors()) };
    if report.has_errors() {
        return Err(report.into_errors());
    }
    let effective = match parameters::bind(&program.parameters, overrides) {
        Ok(effective) => effective,
        Err(mut faults) => {
            faults.truncate(limits::DIAGNOSTICS_MAX);
            return Err(Diagnostics(faults));
        }
    };
    match lower::Lowering::new(&program, &effective, &mut report).plan() {
        Err(_) => Err(report.into_errors()),
        Ok(plan) => Ok(Compiled {
            name: program.name.to_owned(),
            description: program.description,
            parameters: program.parameters,
            effective,
            plan,
            warnings: report.into_warnings(),
        }),
    }
}
