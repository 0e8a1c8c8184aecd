//! What a function computes and does not use: most often a name that was meant elsewhere.

use crate::diagnostic::Reporter;
use crate::lower::Program;
use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, ExprContext, ExprName, Stmt, StmtFunctionDef};
use ruff_text_size::Ranged;
use std::collections::BTreeSet;

/// Warns about local names that are assigned and never read, and about an `analyze` that cannot decide anything.
pub(crate) fn warn(program: &Program<'_>, report: &mut Reporter<'_>) {
    let helpers = program.methods.values().chain(program.functions.values());
    for function in helpers.copied().chain([program.analyze]) {
        let names = names_of(function);
        for name in names.assigned.iter().filter(|name| !name.id.starts_with('_')) {
            if !names.read.contains(name.id.as_str()) {
                let message = format!("`{}` is assigned and never used", name.id);
                report.warning(name.range, "unused", &message, "use it, or delete the line");
            }
        }
    }
    let analyze = names_of(program.analyze);
    let idle = program.analyze.body.iter().all(|statement| statement.is_pass_stmt());
    if !analyze.returns && !analyze.read.contains("record") && !idle {
        let range = program.analyze.name.range();
        let hint = "write `return buy(…)` or another decision, and `return {}` for none";
        report.warning(range, "no-decision", "`analyze` returns nothing: it never decides", hint);
    }
}

#[derive(Default)]
struct Names<'a> {
    /// Targets of plain assignments. Of several names at once some may be there for their place only.
    assigned: Vec<&'a ExprName>,
    read: BTreeSet<&'a str>,
    returns: bool,
}

fn names_of(function: &StmtFunctionDef) -> Names<'_> {
    let mut names = Names::default();
    names.visit_body(&function.body);
    names
}

impl<'a> Visitor<'a> for Names<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Assign(assign) => {
                self.assigned.extend(assign.targets.iter().filter_map(Expr::as_name_expr))
            }
            Stmt::AnnAssign(assign) => self.assigned.extend(assign.target.as_name_expr()),
            Stmt::Return(_) => self.returns = true,
            _ => {}
        }
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Name(name) = expression
            && name.ctx == ExprContext::Load
        {
            self.read.insert(name.id.as_str());
        }
        walk_expr(self, expression);
    }
}
