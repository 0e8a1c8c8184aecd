//! The outline of a source: one strategy class with its fields and methods, and helper functions.

use crate::builtins::{Function, builtin};
use crate::diagnostic::{Reported, Reporter, nearest};
use crate::limits::{CELLS_MAX, PARAMETERS_MAX};
use crate::lower::Lowered;
use crate::lower::expression::constant_of;
use crate::parameters::{ParameterKind, ParameterSpec};
use crate::plan::Literal;
use crate::value::Constant;
use ruff_python_ast::{Expr, ExprCall, Identifier, ModModule, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::{Ranged, TextRange};
use std::collections::BTreeMap;

/// What the walk needs to know of the source.
pub(crate) struct Program<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: Option<String>,
    pub(crate) parameters: Vec<ParameterSpec>,
    pub(crate) cells: Vec<CellSpec<'a>>,
    pub(crate) analyze: &'a StmtFunctionDef,
    pub(crate) methods: BTreeMap<&'a str, &'a StmtFunctionDef>,
    pub(crate) functions: BTreeMap<&'a str, &'a StmtFunctionDef>,
}

/// A declared cell: a value that the strategy keeps from bar to bar.
#[derive(Clone, Copy)]
pub(crate) struct CellSpec<'a> {
    pub(crate) name: &'a str,
    pub(crate) range: TextRange,
    pub(crate) initial: Literal,
}

/// What the fields of the class declare.
#[derive(Default)]
struct Fields<'a> {
    parameters: Vec<ParameterSpec>,
    cells: Vec<CellSpec<'a>>,
}

/// Reads the outline. Errors are in the reporter, also where an outline is given.
pub(crate) fn read_program<'a>(module: &'a ModModule, report: &mut Reporter<'a>) -> Lowered<Program<'a>> {
    let mut classes: Vec<&StmtClassDef> = Vec::new();
    let mut functions = BTreeMap::new();
    for (place, statement) in module.body.iter().enumerate() {
        match statement {
            Stmt::ClassDef(class) => classes.push(class),
            Stmt::FunctionDef(function) => define(&mut functions, function, report),
            other if place == 0 && docstring(other).is_some() => {}
            other => {
                report.error_with_hint(
                    other.range(),
                    "structure",
                    "only a strategy class and helper functions stand here",
                    "make a constant a field of the class, and read it as `self.name`",
                );
            }
        }
    }
    let Some((&class, more)) = classes.split_first() else {
        return Err(report.error_with_hint(
            module.range,
            "structure",
            "the source has no strategy class",
            "begin with `class NewStrategy(Strategy):` and define `analyze(self, data)` in it",
        ));
    };
    for extra in more {
        report.error_with_hint(extra.name.range, "structure", "a second class", "one source is one strategy");
    }
    check_base(class, report);
    read_class(class, functions, report)
}

fn check_base(class: &StmtClassDef, report: &mut Reporter<'_>) {
    let is_strategy = class.arguments.as_ref().is_some_and(|arguments| {
        arguments.keywords.is_empty()
            && matches!(&*arguments.args, [Expr::Name(base)] if base.id.as_str() == "Strategy")
    });
    if !is_strategy {
        let hint = format!("write `class {}(Strategy):`", class.name);
        report.error_with_hint(
            class.name.range,
            "structure",
            "a strategy's class derives from `Strategy`",
            hint,
        );
    }
}

fn read_class<'a>(
    class: &'a StmtClassDef,
    functions: BTreeMap<&'a str, &'a StmtFunctionDef>,
    report: &mut Reporter<'a>,
) -> Lowered<Program<'a>> {
    let mut methods = BTreeMap::new();
    let mut description = None;
    let mut fields = Fields::default();
    for (place, statement) in class.body.iter().enumerate() {
        match statement {
            Stmt::FunctionDef(function) => define(&mut methods, function, report),
            Stmt::Assign(assign) => match &*assign.targets {
                [Expr::Name(name)] => {
                    declare(&mut fields, (name.id.as_str(), name.range), None, Some(&assign.value), report);
                }
                _ => {
                    report.error(assign.range, "structure", "a field declares one parameter: `name = value`");
                }
            },
            Stmt::AnnAssign(assign) => {
                if let Expr::Name(name) = &*assign.target {
                    let place = (name.id.as_str(), name.range);
                    declare(&mut fields, place, Some(&assign.annotation), assign.value.as_deref(), report);
                }
            }
            Stmt::Pass(_) => {}
            other => match docstring(other) {
                Some(text) if place == 0 => description = Some(cleaned(text)).filter(|text| !text.is_empty()),
                _ => {
                    report.error_with_hint(
                        other.range(),
                        "structure",
                        "only parameters, state and methods stand in the class",
                        "move it into `analyze`",
                    );
                }
            },
        }
    }
    let Some(analyze) = methods.remove("analyze") else {
        let hint = nearest("analyze", methods.keys().copied()).map_or_else(
            || "define `def analyze(self, data):`".to_owned(),
            |near| format!("{near} rename it to `analyze`"),
        );
        return Err(report.error_with_hint(
            class.name.range,
            "structure",
            "the strategy has no method `analyze`",
            hint,
        ));
    };
    check_analyze(analyze, report);
    let Fields { parameters, cells } = fields;
    let names = parameters.iter().map(|spec| spec.name.as_str()).chain(cells.iter().map(|cell| cell.name));
    if let Some(name) = names.into_iter().find(|name| methods.contains_key(name) || *name == "analyze") {
        let message = format!("`{name}` is a field and a method");
        report.error(class.name.range, "structure", message);
    }
    Ok(Program { name: class.name.as_str(), description, parameters, cells, analyze, methods, functions })
}

fn check_analyze(analyze: &StmtFunctionDef, report: &mut Reporter<'_>) {
    let parameters = &analyze.parameters;
    let plain = parameters.posonlyargs.is_empty() && parameters.kwonlyargs.is_empty();
    if !plain
        || parameters.args.len() != 2
        || parameters.args.iter().any(|argument| argument.default.is_some())
    {
        report.error_with_hint(
            analyze.name.range,
            "structure",
            "`analyze` takes the strategy and its data",
            "write `def analyze(self, data):`",
        );
    }
}

fn define<'a>(
    functions: &mut BTreeMap<&'a str, &'a StmtFunctionDef>,
    function: &'a StmtFunctionDef,
    report: &mut Reporter<'_>,
) {
    let name = &function.name;
    if builtin(name).is_some() {
        report.error_with_hint(
            name.range,
            "structure",
            format!("`{name}` is a function of the language"),
            "choose another name",
        );
    } else if functions.insert(name.as_str(), function).is_some() {
        report.error_with_hint(
            name.range,
            "structure",
            format!("`{name}` is defined twice"),
            "delete or rename one of them",
        );
    }
}

/// The text of a statement that is a string alone.
pub(crate) fn docstring(statement: &Stmt) -> Option<&str> {
    match statement {
        Stmt::Expr(expression) => match &*expression.value {
            Expr::StringLiteral(text) => Some(text.value.to_str()),
            _ => None,
        },
        _ => None,
    }
}

/// A docstring without the indentation of the source.
fn cleaned(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
    lines.join("\n")
}

/// A value of a parameter's declaration and where it stands.
type Given = (Constant, TextRange);

/// Adds the parameter or the cell that a class field declares.
fn declare<'a>(
    fields: &mut Fields<'a>,
    (name, range): (&'a str, TextRange),
    annotation: Option<&Expr>,
    value: Option<&Expr>,
    report: &mut Reporter<'_>,
) {
    let Fields { parameters, cells } = fields;
    if parameters.iter().any(|spec| spec.name == name) || cells.iter().any(|cell| cell.name == name) {
        report.error(range, "parameter", format!("`{name}` is declared twice"));
        return;
    }
    if let Some(Expr::Call(call)) = value
        && is_call_of(call, "state")
    {
        if cells.len() >= CELLS_MAX {
            let message = format!("too many values are kept between bars, at most {CELLS_MAX} are allowed");
            report.error(range, "limit", message);
        } else if let Ok(initial) = initial_state(call, annotation, report) {
            cells.push(CellSpec { name, range, initial });
        }
        return;
    }
    if parameters.len() >= PARAMETERS_MAX {
        report.error(range, "limit", format!("too many parameters, at most {PARAMETERS_MAX} are allowed"));
        return;
    }
    let Some(value) = value else {
        let hint = format!("write `{name} = …`");
        report.error_with_hint(range, "parameter", format!("`{name}` has no default"), hint);
        return;
    };
    if let Ok(spec) = specification(name, range, annotation, value, report) {
        parameters.push(spec);
    }
}

fn specification(
    name: &str,
    range: TextRange,
    annotation: Option<&Expr>,
    value: &Expr,
    report: &mut Reporter<'_>,
) -> Lowered<ParameterSpec> {
    let kind = annotation.map(|annotation| annotated_kind(annotation, report)).transpose()?;
    let [default, min, max, description] = match value {
        Expr::Call(call) if is_call_of(call, "param") => param_arguments(call, report)?,
        plain => [Some(given(plain, report)?), None, None, None],
    };
    let Some(default) = default else {
        return Err(report.error_with_hint(
            value.range(),
            "parameter",
            "`param` needs a default",
            "write `param(10)`",
        ));
    };
    let kind = match (kind, &default.0) {
        (Some(kind), _) => kind,
        (None, Constant::Boolean(_)) => ParameterKind::Boolean,
        (None, Constant::Integer(_)) => ParameterKind::Integer,
        (None, Constant::Number(_)) => ParameterKind::Number,
        (None, Constant::Text(_)) => {
            return Err(report.error_with_hint(
                default.1,
                "parameter",
                format!("`{name}` is a text, parameters are numbers or True and False"),
                "delete the field, or say it in the docstring",
            ));
        }
    };
    let mut accept = |(value, place): &Given| {
        kind.accept(value).ok_or_else(|| {
            let message = format!("a value of `{name}` is not of its type `{}`", kind.annotation());
            let hint = match (kind, value) {
                (ParameterKind::Integer, Constant::Number(_)) => {
                    format!("a fraction is of type `float`: `{name}: float`")
                }
                _ => "default, min and max have one type".to_owned(),
            };
            report.error_with_hint(*place, "parameter", message, hint)
        })
    };
    let accepted = accept(&default)?;
    let min = min.as_ref().map(&mut accept).transpose()?;
    let max = max.as_ref().map(&mut accept).transpose()?;
    let description = match description {
        None => None,
        Some((Constant::Text(text), _)) => Some(text.to_string()),
        Some((_, place)) => return Err(report.error(place, "parameter", "a description is a text")),
    };
    if kind == ParameterKind::Boolean && (min.is_some() || max.is_some()) {
        return Err(report.error(range, "parameter", format!("`{name}` is True or False and has no range")));
    }
    let spec = ParameterSpec { name: name.to_owned(), kind, default: accepted, min, max, description };
    match spec.range_fault(&spec.default) {
        Some(fault) => {
            Err(report.error_with_hint(default.1, "parameter", fault, "the default lies within min and max"))
        }
        None => Ok(spec),
    }
}

fn annotated_kind(annotation: &Expr, report: &mut Reporter<'_>) -> Lowered<ParameterKind> {
    match annotation {
        Expr::Name(name) if name.id.as_str() == "int" => Ok(ParameterKind::Integer),
        Expr::Name(name) if name.id.as_str() == "float" => Ok(ParameterKind::Number),
        Expr::Name(name) if name.id.as_str() == "bool" => Ok(ParameterKind::Boolean),
        other => {
            Err(report.error(other.range(), "parameter", "a parameter's type is `int`, `float` or `bool`"))
        }
    }
}

fn is_call_of(call: &ExprCall, function: &str) -> bool {
    matches!(&*call.func, Expr::Name(name) if name.id.as_str() == function)
}

/// What a `state(…)` begins with.
fn initial_state(call: &ExprCall, annotation: Option<&Expr>, report: &mut Reporter<'_>) -> Lowered<Literal> {
    let value = match (&*call.arguments.args, &*call.arguments.keywords) {
        ([value], []) => value,
        ([], [only]) if only.arg.as_ref().is_some_and(|name| name.as_str() == "initial") => &only.value,
        _ => {
            let message = "`state` takes one argument, the value that it begins with";
            return Err(report.error_with_hint(call.range(), "argument", message, "write `state(0)`"));
        }
    };
    let (initial, place) = given(value, report)?;
    let literal = match &initial {
        Constant::Boolean(value) => Some(Literal::Condition(*value)),
        // −0 is written as 0, nothing in the language tells them apart.
        other => other.number().map(|value| Literal::Number(value + 0.0)),
    };
    let wanted = annotation.map(|annotation| annotated_kind(annotation, report)).transpose()?;
    match (literal, wanted.map(|kind| kind.accept(&initial).is_some())) {
        (Some(literal), None | Some(true)) => Ok(literal),
        (None, _) => Err(report.error(place, "type", "a state is a number, or True or False")),
        (Some(_), Some(false)) => {
            Err(report.error(place, "type", "the state begins with a value of another type than declared"))
        }
    }
}

/// Default, min, max and description of a `param(…)`.
fn param_arguments(call: &ExprCall, report: &mut Reporter<'_>) -> Lowered<[Option<Given>; 4]> {
    let mut found = [None, None, None, None];
    let names = ["default", "min", "max", "description"];
    debug_assert!(
        builtin("param").is_some_and(|row| row.function == Function::Param && row.arguments.len() == 4)
    );
    for (place, argument) in call.arguments.args.iter().enumerate() {
        match found.get_mut(place) {
            Some(slot) => *slot = Some(given(argument, report)?),
            None => return Err(report.error(argument.range(), "argument", "`param` takes four arguments")),
        }
    }
    for keyword in &call.arguments.keywords {
        let name = keyword.arg.as_ref().map_or("", Identifier::as_str);
        let Some(place) = names.iter().position(|known| *known == name) else {
            let hint =
                nearest(name, names).unwrap_or_else(|| "it takes default, min, max, description".to_owned());
            return Err(report.error_with_hint(
                keyword.range,
                "argument",
                format!("`param` has no argument `{name}`"),
                hint,
            ));
        };
        if found[place].is_some() {
            return Err(report.error(keyword.range, "argument", format!("`{name}` is given twice")));
        }
        if !keyword.value.is_none_literal_expr() {
            found[place] = Some(given(&keyword.value, report)?);
        }
    }
    Ok(found)
}

fn given(value: &Expr, report: &mut Reporter<'_>) -> Lowered<Given> {
    match constant_of(value) {
        Some(constant) => Ok((constant, value.range())),
        None => Err::<Given, Reported>(report.error_with_hint(
            value.range(),
            "parameter",
            "a field of the class is a constant number, or True or False",
            "compute it in `analyze`, or write `param(10, min=2, max=500)`",
        )),
    }
}
