//! From the checked tree to a plan: `analyze` is walked once, symbolically; helpers inline, loops unroll, branches
//! become choices and guards.

mod call;
mod decision;
mod expression;
mod feature;
mod feed;
mod indicator;
mod names;
mod order;
mod program;
mod session;
mod state;
mod statement;

pub(crate) use program::{Program, read_program};

use crate::builder::{Builder, Called};
use crate::diagnostic::{Reported, Reporter};
use crate::limits::{DEPTH_MAX, RULES_MAX, STEPS_MAX};
use crate::parameters::{ParameterValue, constant};
use crate::plan::{CellId, LabelId, Literal, Node, NodeId, Plan, Recording, Rule};
use crate::value::{BarsRead, Local, Locals, Scope, Value};
use ruff_text_size::{Ranged, TextRange};
use std::collections::{BTreeMap, BTreeSet};

/// What lowering a part gives: a value, or proof that an error was recorded.
pub(crate) type Lowered<T> = Result<T, Reported>;

/// The walk.
pub(crate) struct Lowering<'a, 'r> {
    report: &'r mut Reporter<'a>,
    program: &'r Program<'a>,
    parameters: &'r BTreeMap<String, ParameterValue>,
    builder: Builder,
    recordings: Vec<Recording>,
    called: Called,
    /// The labels that `cancel` and `modify` name, and where.
    named_labels: Vec<(LabelId, TextRange)>,
    /// What each cell holds at this place of the walk.
    cells: Locals<'a>,
    /// Cells that are assigned somewhere.
    assigned: BTreeSet<&'a str>,
    /// What the indicator that is being lowered reads by itself.
    bars: BarsRead,
    /// Helpers whose inlining is under way.
    calls: Vec<&'a str>,
    depth: usize,
    steps: usize,
    unrolled: usize,
    /// A value has more ways to decide than a plan has rules.
    crowded: bool,
    /// A limit is passed: nothing further is lowered.
    stopped: bool,
}

/// One function's names and paths.
pub(crate) struct Frame<'a> {
    pub(crate) locals: Locals<'a>,
    /// The condition under which control reaches this place from the function's start; `None` behind a return.
    pub(crate) path: Option<NodeId>,
    /// The condition under which the function is called.
    pub(crate) outer: NodeId,
    /// The returns so far.
    pub(crate) returns: Vec<Return<'a>>,
}

/// A way out of a function.
pub(crate) struct Return<'a> {
    /// The condition under which it is taken, from the function's start.
    pub(crate) path: NodeId,
    pub(crate) value: Value,
    pub(crate) range: TextRange,
    /// What the cells hold there.
    pub(crate) cells: Locals<'a>,
}

impl<'a, 'r> Lowering<'a, 'r> {
    pub(crate) fn new(
        program: &'r Program<'a>,
        parameters: &'r BTreeMap<String, ParameterValue>,
        report: &'r mut Reporter<'a>,
    ) -> Self {
        Self {
            report,
            program,
            parameters,
            builder: Builder::default(),
            recordings: Vec::new(),
            called: Called::default(),
            named_labels: Vec::new(),
            cells: Locals::new(),
            assigned: BTreeSet::new(),
            bars: BarsRead::OWN,
            calls: Vec::new(),
            depth: 0,
            steps: 0,
            unrolled: 0,
            crowded: false,
            stopped: false,
        }
    }

    /// The plan of `analyze`. Errors are in the reporter.
    pub(crate) fn plan(mut self) -> Lowered<Plan> {
        let analyze = self.program.analyze;
        let always = self.builder.condition(true);
        let mut frame =
            Frame { locals: Locals::new(), path: Some(always), outer: always, returns: Vec::new() };
        for (parameter, scope) in analyze.parameters.args.iter().zip([Scope::Strategy, Scope::Data]) {
            frame.locals.insert(parameter.name().as_str(), Local::Value(Value::Scope(scope)));
        }
        self.begin_cells();
        self.block(&mut frame, &analyze.body);
        let mut rules = Vec::new();
        let returns = std::mem::take(&mut frame.returns);
        self.leave_cells(frame.path.is_some(), &returns);
        for Return { path, value, range, .. } in returns {
            let Ok(alternatives) = self.decision(value, range) else { continue };
            for alternative in &*alternatives {
                let guard = self.builder.and(path, alternative.guard);
                let idle = alternative.actions.is_empty();
                if !idle && self.builder.known_condition(guard) != Some(false) {
                    self.crowded |= rules.len() >= RULES_MAX;
                    self.within_limits(range)?;
                    let own = &mut |id| self.builder.own(id);
                    let actions = alternative.actions.iter().map(|action| action.map_nodes(own)).collect();
                    rules.push(Rule { guard: self.builder.own(guard), actions });
                }
            }
        }
        let cells = self.end_cells();
        for recording in &mut self.recordings {
            recording.value = self.builder.own(recording.value);
        }
        let _reported = self.within_limits(analyze.name.range);
        if self.report.has_errors() {
            return Err(Reported);
        }
        self.check_labels(&rules);
        Ok(self.builder.finish(rules, self.recordings, self.called, &cells))
    }

    /// Counts one step of work one level deeper; `leave` ends it.
    fn enter(&mut self, at: &impl Ranged) -> Lowered<()> {
        self.within_limits(at.range())?;
        if self.report.is_full() {
            return Err(Reported);
        }
        self.steps += 1;
        if self.steps > STEPS_MAX {
            let message =
                format!("this strategy has more than {STEPS_MAX} steps after unrolling and inlining");
            return Err(self.overflow(at.range(), &message));
        }
        if self.depth >= DEPTH_MAX {
            let message = format!("nested too deeply: at most {DEPTH_MAX} levels, inlined helpers included");
            return Err(self.overflow(at.range(), &message));
        }
        self.depth += 1;
        Ok(())
    }

    /// Whether what has been built so far can still become a plan.
    fn within_limits(&mut self, range: TextRange) -> Lowered<()> {
        if self.stopped {
            return Err(Reported);
        }
        let crowded =
            || self.crowded.then(|| format!("this strategy has more than {RULES_MAX} ways to decide"));
        match self.builder.overflow().map(str::to_owned).or_else(crowded) {
            Some(message) => Err(self.overflow(range, &message)),
            None => Ok(()),
        }
    }

    const fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Ends the walk: more of it would only cost time.
    fn overflow(&mut self, range: TextRange, message: &str) -> Reported {
        self.stopped = true;
        self.report.error_with_hint(
            range,
            "limit",
            message,
            "use fewer or shorter loops, helpers and windows",
        )
    }

    fn parameter(&self, name: &str) -> Option<Value> {
        self.parameters.get(name).map(|value| Value::Constant(constant(value)))
    }
}
