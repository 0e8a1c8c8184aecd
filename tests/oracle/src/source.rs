//! The outline of a source: the strategy's class, its parameters and methods, and the helpers in front of it.

use crate::statement::Names;
use crate::value::{Condition, Number, Value};
use anyhow::{Context, Result, bail, ensure};
use ruff_python_ast::{Expr, Number as Literal, Stmt, StmtClassDef, StmtFunctionDef, UnaryOp};
use std::collections::BTreeMap;

/// The value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Parameter {
    /// `True` or `False`.
    Boolean(bool),
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
}

/// A source, read.
#[derive(Clone, Debug)]
pub struct Strategy {
    parameters: BTreeMap<String, Parameter>,
    /// What each field `name = state(…)` begins with.
    states: BTreeMap<String, Parameter>,
    methods: BTreeMap<String, StmtFunctionDef>,
    functions: BTreeMap<String, StmtFunctionDef>,
}

impl Strategy {
    /// Reads `source`, its parameters at their defaults.
    ///
    /// # Errors
    /// When it is not Python, or not one class and helpers.
    pub fn parse(source: &str) -> Result<Self> {
        let module = ruff_python_parser::parse_module(source)?.into_syntax();
        let mut strategy = Self {
            parameters: BTreeMap::new(),
            states: BTreeMap::new(),
            methods: BTreeMap::new(),
            functions: BTreeMap::new(),
        };
        for statement in module.body {
            match statement {
                Stmt::ClassDef(class) => strategy.read_class(class)?,
                Stmt::FunctionDef(function) => {
                    strategy.functions.insert(function.name.to_string(), function);
                }
                _ => {}
            }
        }
        Ok(strategy)
    }

    /// The same strategy with another value of a parameter.
    ///
    /// # Errors
    /// When it has no such parameter.
    pub fn with(mut self, name: &str, value: Parameter) -> Result<Self> {
        let slot = self.parameters.get_mut(name).with_context(|| format!("no parameter `{name}`"))?;
        *slot = like(*slot, value);
        Ok(self)
    }

    fn read_class(&mut self, class: StmtClassDef) -> Result<()> {
        for statement in class.body {
            match statement {
                Stmt::FunctionDef(function) => {
                    self.methods.insert(function.name.to_string(), function);
                }
                Stmt::Assign(field) => {
                    let [Expr::Name(name)] = &*field.targets else { bail!("a field has one name") };
                    self.declare(&name.id, &field.value, declared(&field.value)?);
                }
                Stmt::AnnAssign(field) => {
                    let (Expr::Name(name), Some(value)) = (&*field.target, &field.value) else {
                        bail!("a field has a name and a value")
                    };
                    let default = declared(value)?;
                    let is_float = matches!(&*field.annotation, Expr::Name(kind) if kind.id == "float");
                    let default = if is_float { like(Parameter::Number(0.0), default) } else { default };
                    self.declare(&name.id, value, default);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A field is a parameter, or a state where it says so.
    fn declare(&mut self, name: &str, value: &Expr, initial: Parameter) {
        let is_state = matches!(value, Expr::Call(call) if matches!(&*call.func, Expr::Name(name) if name.id == "state"));
        let fields = if is_state { &mut self.states } else { &mut self.parameters };
        fields.insert(name.to_owned(), initial);
    }

    /// What each state begins with.
    pub(crate) fn initial_states(&self) -> Names {
        let states = self.states.iter();
        states.map(|(name, initial)| (name.clone(), constant(*initial))).collect()
    }

    pub(crate) fn analyze(&self) -> Result<&StmtFunctionDef> {
        self.methods.get("analyze").context("the strategy has no `analyze`")
    }

    pub(crate) fn method(&self, name: &str) -> Option<&StmtFunctionDef> {
        self.methods.get(name)
    }

    pub(crate) fn function(&self, name: &str) -> Option<&StmtFunctionDef> {
        self.functions.get(name)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<Value> {
        self.parameters.get(name).copied().map(constant)
    }
}

fn constant(value: Parameter) -> Value {
    match value {
        Parameter::Boolean(value) => Value::Condition(Condition::constant(value)),
        Parameter::Whole(value) => Value::Number(Number::whole(value)),
        Parameter::Number(value) => Value::Number(Number::constant(value)),
    }
}

/// `value` of the kind of `model`: a whole number is also a number.
#[expect(clippy::cast_precision_loss, reason = "a whole number becomes the nearest number")]
const fn like(model: Parameter, value: Parameter) -> Parameter {
    match (model, value) {
        (Parameter::Number(_), Parameter::Whole(value)) => Parameter::Number(value as f64),
        (_, value) => value,
    }
}

/// The value that a field begins with: a constant, or the first argument of `param` or `state`.
fn declared(value: &Expr) -> Result<Parameter> {
    let default = match value {
        Expr::Call(call) => {
            let named = |name| call.arguments.find_keyword(name).map(|keyword| &keyword.value);
            let named = named("default").or(named("initial"));
            call.arguments.args.first().or(named).context("a field has a default")?
        }
        plain => plain,
    };
    match literal(default) {
        Some(Value::Condition(condition)) => Ok(Parameter::Boolean(condition.now == Some(true))),
        Some(Value::Number(number)) => Ok(match (number.kind, number.now) {
            (crate::value::Kind::Whole(value), _) => Parameter::Whole(value),
            (_, value) => Parameter::Number(value.context("a default is defined")?),
        }),
        _ => bail!("a parameter is a number, True or False"),
    }
}

/// What a literal, or a sign in front of one, writes.
pub(crate) fn literal(expression: &Expr) -> Option<Value> {
    match expression {
        Expr::NumberLiteral(number) => match &number.value {
            Literal::Int(value) => Some(Value::Number(Number::whole(value.as_i64()?))),
            Literal::Float(value) => Some(Value::Number(Number::constant(*value))),
            Literal::Complex { .. } => None,
        },
        Expr::BooleanLiteral(truth) => Some(Value::Condition(Condition::constant(truth.value))),
        Expr::StringLiteral(text) => Some(Value::Text(text.value.to_str().to_owned())),
        Expr::UnaryOp(signed) => match (signed.op, literal(&signed.operand)?) {
            (UnaryOp::UAdd, value @ Value::Number(_)) => Some(value),
            (UnaryOp::USub, Value::Number(value)) => Some(Value::Number(crate::arithmetic::negative(value))),
            _ => None,
        },
        _ => None,
    }
}

/// Names of the parameters of a helper, and their defaults.
pub(crate) fn signature(function: &StmtFunctionDef) -> Result<Vec<(String, Option<Value>)>> {
    ensure!(
        function.parameters.vararg.is_none() && function.parameters.kwarg.is_none(),
        "starred parameters"
    );
    let parameters = function.parameters.iter_non_variadic_params();
    Ok(parameters
        .map(|parameter| (parameter.name().to_string(), parameter.default.as_deref().and_then(literal)))
        .collect())
}
