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
mod clocks;
mod diagnostic;
mod feature_names;
mod floor;
pub mod limits;
mod lower;
mod parameters;
mod plan;
mod plan_check;
mod syntax;
mod unused;
mod value;

pub use builtins::{BUILTINS, Builtin, builtin};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use floor::{floor_div, floor_mod};
pub use parameters::{ParameterKind, ParameterSpec, ParameterValue};
pub use plan::*;
pub use plan_check::PlanError;

use diagnostic::{Reported, Reporter};
use ruff_python_ast::ModModule;
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

/// What the compiler has to say about a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The strategy, when there is no error.
    pub compiled: Option<Compiled>,
    /// Errors and warnings in the order of the source; at most [`limits::DIAGNOSTICS_MAX`] of each.
    pub findings: Vec<Diagnostic>,
}

/// Compiles `source` with `overrides` in place of the parameters' defaults.
///
/// # Errors
/// Every error that could be found in one pass, at most [`limits::DIAGNOSTICS_MAX`]: places in the source, and fields
/// `parameters.NAME` for overrides that the strategy does not have or accept.
pub fn compile(source: &str, overrides: &BTreeMap<String, ParameterValue>) -> Result<Compiled, Diagnostics> {
    let Checked { compiled, findings } = check(source, overrides);
    compiled.ok_or_else(|| {
        Diagnostics(findings.into_iter().filter(|found| found.severity == Severity::Error).collect())
    })
}

/// [`compile`], with the warnings of a source that has errors too: what a linter shows.
#[must_use]
pub fn check(source: &str, overrides: &BTreeMap<String, ParameterValue>) -> Checked {
    let mut report = Reporter::new(source);
    let module = syntax::parse(source, &mut report);
    let compiled = module.as_ref().and_then(|module| compile_module(module, overrides, &mut report).ok());
    let findings = report.into_findings();
    let warnings = || findings.iter().filter(|found| found.severity == Severity::Warning).cloned();
    let compiled = compiled.map(|compiled| Compiled { warnings: warnings().collect(), ..compiled });
    Checked { compiled, findings }
}

fn compile_module<'a>(
    module: &'a ModModule,
    overrides: &BTreeMap<String, ParameterValue>,
    report: &mut Reporter<'a>,
) -> Result<Compiled, Reported> {
    if !syntax::check(module, report) {
        return Err(Reported);
    }
    let known = report.error_count();
    let program = lower::read_program(module, report)?;
    if report.error_count() > known {
        return Err(Reported);
    }
    let effective = parameters::bind(&program.parameters, overrides)
        .map_err(|faults| faults.into_iter().for_each(|fault| report.add(fault)))
        .map_err(|()| Reported)?;
    unused::warn(&program, report);
    let plan = lower::Lowering::new(&program, &effective, report).plan()?;
    let lower::Program { name, description, parameters, .. } = program;
    let (name, warnings) = (name.to_owned(), Vec::new());
    Ok(Compiled { name, description, parameters, effective, plan, warnings })
}
