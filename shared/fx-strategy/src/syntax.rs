//! The gate: what of Python's syntax is in the language. Everything behind it may rely on what passes here.

use crate::diagnostic::Reporter;
use crate::limits::{DEPTH_MAX, DIAGNOSTICS_MAX, NESTING_MAX, SOURCE_BYTES_MAX, STATEMENT_TOKENS_MAX};
use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{
    CmpOp, Expr, ExprCall, ModModule, Operator, Parameters, PySourceType, Stmt, StmtFunctionDef, UnaryOp,
};
use ruff_python_parser::{LexicalErrorType, Mode, ParseErrorType, lexer};
use ruff_text_size::{Ranged, TextRange, TextSize};
use unicode_security::MixedScript;

/// Parses `source`, or records why that is not possible.
pub(crate) fn parse(source: &str, report: &mut Reporter<'_>) -> Option<ModModule> {
    if source.len() > SOURCE_BYTES_MAX {
        let message =
            format!("the source has {} bytes, at most {SOURCE_BYTES_MAX} are allowed", source.len());
        report.error(TextRange::default(), "limit", message);
        return None;
    }
    if let Some(message) = overload(source) {
        report.error_with_hint(
            range_of_overload(source),
            "limit",
            message,
            "split it with local names or helper functions",
        );
        return None;
    }
    hidden_characters(source, report);
    let parsed = ruff_python_parser::parse_unchecked_source(source, PySourceType::Python);
    for name in parsed.tokens().iter().filter(|token| token.kind() == TokenKind::Name) {
        look_alike(source, name.range(), report);
    }
    // The parser goes on behind an error; in the line of one, the others follow from it, and so does what it makes of the
    // indentation of the next.
    let mut line = None;
    for error in parsed.errors() {
        let (before, here) = (line, report.line(error.location));
        let follows =
            matches!(error.error, ParseErrorType::UnexpectedIndentation) && before == Some(here - 1);
        line = Some(here);
        if before != line && !follows {
            let (message, hint) = syntax_error(&error.error);
            match hint {
                Some(hint) => report.error_with_hint(error.location, "syntax", message, hint),
                None => report.error(error.location, "syntax", message),
            };
        }
    }
    (!report.has_errors()).then(|| parsed.into_syntax())
}

/// What the parser says, and what to do about it.
fn syntax_error(error: &ParseErrorType) -> (String, Option<&'static str>) {
    let hint = match error {
        ParseErrorType::UnexpectedIndentation => "indent the lines of one block by the same number of spaces",
        ParseErrorType::Lexical(LexicalErrorType::IndentationError) => {
            "indent the lines of one block alike, all with spaces or all with tabs"
        }
        ParseErrorType::Lexical(LexicalErrorType::UnclosedStringError) => {
            "close the text with the same quote"
        }
        ParseErrorType::UnparenthesizedNamedExpression | ParseErrorType::InvalidNamedAssignmentTarget => {
            "assign on a line of its own; `:=` is not part of the language"
        }
        ParseErrorType::ExpectedToken { found: TokenKind::Equal, .. } => {
            "`=` assigns, `==` compares: `if x == 1:`"
        }
        ParseErrorType::ExpectedToken { expected: TokenKind::Colon, .. } => {
            "the line that begins a block ends with `:`"
        }
        ParseErrorType::PositionalAfterKeywordArgument => "arguments without a name stand before named ones",
        ParseErrorType::OtherError(text) if text.contains("indented block") => {
            "indent the lines of the block, or write `pass`"
        }
        _ => return (error.to_string(), None),
    };
    (error.to_string(), Some(hint))
}

/// Whether a character is not seen, or turns the direction of what is: a source that shows other than it says.
pub(crate) const fn is_hidden(character: char) -> bool {
    matches!(character,
        '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}')
}

fn hidden_characters(source: &str, report: &mut Reporter<'_>) {
    // A mark at the beginning says that the file is UTF-8.
    let hidden = source
        .char_indices()
        .filter(|&(at, character)| is_hidden(character) && (at > 0 || character != '\u{feff}'));
    for (at, character) in hidden.take(DIAGNOSTICS_MAX) {
        let range = TextRange::at(place(at), place(character.len_utf8()));
        let message = format!("a hidden character, U+{:04X}", u32::from(character));
        report.error_with_hint(
            range,
            "hidden-character",
            message,
            "delete it: what is read must be what runs",
        );
    }
}

/// Refuses a name that is read as another one: of letters of several scripts, or of letters that all look Latin.
fn look_alike(source: &str, range: TextRange, report: &mut Reporter<'_>) {
    let name = &source[range];
    if name.is_ascii() {
        return;
    }
    let looks: String = unicode_security::skeleton(name).collect();
    let foreign = name.chars().find(|letter| !letter.is_ascii());
    let Some(foreign) = foreign.filter(|_| looks.is_ascii() || !name.is_single_script()) else { return };
    let message =
        format!("`{name}` is not what it looks like: it has the letter U+{:04X}", u32::from(foreign));
    let hint = match looks.is_ascii() {
        true => format!("write `{looks}` in Latin letters"),
        false => "write a name in the letters of one script".to_owned(),
    };
    report.error_with_hint(range, "look-alike", message, hint);
}

fn place(offset: usize) -> TextSize {
    TextSize::new(u32::try_from(offset).unwrap_or(u32::MAX))
}

/// Which limit on shape the source passes. It runs before the parser: the depth of the tree, which the parser builds
/// and the compiler walks, is bounded by the tokens of a statement and the nesting of brackets and blocks.
fn overload(source: &str) -> Option<String> {
    let mut tokens = lexer::lex(source, Mode::Module);
    let (mut brackets, mut blocks, mut statement) = (0_usize, 0_usize, 0_usize);
    loop {
        match tokens.next_token() {
            TokenKind::EndOfFile => return None,
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => brackets += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => brackets = brackets.saturating_sub(1),
            TokenKind::Indent => blocks += 1,
            TokenKind::Dedent => blocks = blocks.saturating_sub(1),
            TokenKind::Newline => statement = 0,
            _ => {}
        }
        statement += 1;
        if brackets + blocks > NESTING_MAX {
            return Some(format!("nested too deeply: at most {NESTING_MAX} brackets and blocks"));
        }
        if statement > STATEMENT_TOKENS_MAX {
            return Some(format!(
                "this statement is too long: at most {STATEMENT_TOKENS_MAX} words and signs"
            ));
        }
    }
}

/// The last character of the shortest beginning of `source` that is too much. The lexer keeps its positions to
/// itself, so the place is found by halving.
fn range_of_overload(source: &str) -> TextRange {
    let (mut fits, mut fails) = (0, source.len());
    while fails - fits > 1 {
        let mut middle = usize::midpoint(fits, fails);
        while !source.is_char_boundary(middle) {
            middle -= 1;
        }
        if middle == fits {
            break;
        }
        if overload(&source[..middle]).is_some() { fails = middle } else { fits = middle }
    }
    TextRange::new(place(fits), place(fails))
}

/// Where a statement stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Module,
    Class,
    Function,
}

/// Records every statement and expression that is not in the language. Whether what is behind the gate can still be
/// looked at: not where a limit is passed, and not where names are bound by what was refused.
pub(crate) fn check(module: &ModModule, report: &mut Reporter<'_>) -> bool {
    let mut gate = Gate { report, depth: 0, passable: true };
    gate.block(&module.body, Within::Module);
    gate.passable
}

struct Gate<'r, 'a> {
    report: &'r mut Reporter<'a>,
    depth: usize,
    passable: bool,
}

impl Gate<'_, '_> {
    fn refuse(&mut self, range: TextRange, what: &str, hint: &str) {
        self.report.error_with_hint(
            range,
            "not-in-language",
            format!("{what} not part of the language"),
            hint,
        );
    }

    /// Whether one level deeper is allowed.
    fn enter(&mut self, range: TextRange) -> bool {
        if self.depth >= DEPTH_MAX {
            let message = format!("nested too deeply: at most {DEPTH_MAX} levels");
            self.passable = false;
            self.report.error_with_hint(
                range,
                "limit",
                message,
                "split it with local names or helper functions",
            );
            return false;
        }
        self.depth += 1;
        true
    }

    fn block(&mut self, body: &[Stmt], within: Within) {
        for statement in body {
            if self.enter(statement.range()) {
                self.statement(statement, within);
                self.depth -= 1;
            }
        }
    }

    fn statement(&mut self, statement: &Stmt, within: Within) {
        match statement {
            Stmt::ClassDef(class) if within == Within::Module => {
                for decorator in &class.decorator_list {
                    self.refuse(decorator.range, "decorators are", "delete it");
                }
                self.block(&class.body, Within::Class);
            }
            Stmt::ClassDef(class) => {
                self.passable = false;
                self.refuse(class.name.range, "classes inside each other are", "one strategy is one class");
            }
            Stmt::FunctionDef(function) if within == Within::Function => {
                self.passable = false;
                self.refuse(
                    function.name.range,
                    "functions inside functions are",
                    "move it beside `analyze`, with a `self` parameter, or in front of the class",
                );
            }
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::Return(returned) => {
                if let Some(value) = &returned.value {
                    self.expression(value);
                }
            }
            Stmt::Assign(assign) => {
                assign.targets.iter().for_each(|target| self.target(target));
                self.expression(&assign.value);
            }
            Stmt::AugAssign(assign) => {
                self.target(&assign.target);
                self.operator(assign.op, assign.range);
                self.expression(&assign.value);
            }
            Stmt::AnnAssign(assign) => {
                self.target(&assign.target);
                if let Some(value) = &assign.value {
                    self.expression(value);
                }
            }
            Stmt::If(choice) if within == Within::Function => {
                self.expression(&choice.test);
                self.block(&choice.body, within);
                for clause in &choice.elif_else_clauses {
                    clause.test.iter().for_each(|test| self.expression(test));
                    self.block(&clause.body, within);
                }
            }
            Stmt::For(repeat) if within == Within::Function && !repeat.is_async => {
                self.target(&repeat.target);
                self.expression(&repeat.iter);
                self.block(&repeat.body, within);
                if let Some(first) = repeat.orelse.first() {
                    self.refuse(first.range(), "`else` of a loop is", "put these lines behind the loop");
                }
            }
            Stmt::Expr(expression) => self.expression(&expression.value),
            Stmt::Pass(_) => {}
            refused => {
                let (what, hint) = refusal(refused);
                self.passable &= matches!(refused, Stmt::Import(_) | Stmt::ImportFrom(_));
                self.refuse(first_line(refused.range(), self.report), what, hint);
            }
        }
    }

    fn function(&mut self, function: &StmtFunctionDef) {
        if function.is_async {
            self.refuse(function.name.range, "`async` is", "write a plain `def`");
        }
        for decorator in &function.decorator_list {
            self.refuse(decorator.range, "decorators are", "delete it");
        }
        self.parameters(&function.parameters);
        self.block(&function.body, Within::Function);
    }

    fn parameters(&mut self, parameters: &Parameters) {
        for starred in [&parameters.vararg, &parameters.kwarg].into_iter().flatten() {
            self.passable = false;
            self.refuse(starred.range, "`*` and `**` parameters are", "name each parameter");
        }
        for parameter in parameters.iter_non_variadic_params() {
            parameter.default.iter().for_each(|default| self.expression(default));
        }
    }

    fn target(&mut self, target: &Expr) {
        match target {
            Expr::Name(_) => {}
            Expr::Tuple(tuple) if tuple.elts.iter().all(is_assignable) => {}
            target if is_assignable(target) => {}
            Expr::Attribute(_) => self.refuse(
                target.range(),
                "assigning to this is",
                "assign to a name, or to a field that the class declares with `name = state(0)`: `self.name = …`",
            ),
            _ => self.refuse(target.range(), "assigning to this is", "assign to a name, or to names: `a, b = …`"),
        }
    }

    fn operator(&mut self, operator: Operator, range: TextRange) {
        match operator {
            Operator::BitAnd => self.refuse(range, "`&` is", "combine conditions with `and`"),
            Operator::BitOr => self.refuse(range, "`|` is", "combine conditions with `or`"),
            Operator::BitXor => self.refuse(range, "`^` is", "a power is `**`"),
            Operator::MatMult | Operator::LShift | Operator::RShift => {
                self.refuse(range, &format!("`{operator}` is"), "the operators are + - * / // % **");
            }
            Operator::Add
            | Operator::Sub
            | Operator::Mult
            | Operator::Div
            | Operator::Mod
            | Operator::Pow
            | Operator::FloorDiv => {}
        }
    }

    fn expression(&mut self, expression: &Expr) {
        if !self.enter(expression.range()) {
            return;
        }
        match expression {
            Expr::BoolOp(logic) => logic.values.iter().for_each(|value| self.expression(value)),
            Expr::BinOp(binary) => {
                self.operator(binary.op, binary.range);
                self.expression(&binary.left);
                self.expression(&binary.right);
            }
            Expr::UnaryOp(unary) => {
                if unary.op == UnaryOp::Invert {
                    self.refuse(unary.range, "`~` is", "negate a condition with `not`");
                }
                self.expression(&unary.operand);
            }
            Expr::If(choice) => {
                self.expression(&choice.test);
                self.expression(&choice.body);
                self.expression(&choice.orelse);
            }
            Expr::Dict(dict) => {
                for item in &dict.items {
                    match &item.key {
                        Some(key) => self.expression(key),
                        None => self.refuse(item.value.range(), "`**` in a dict is", "write each key"),
                    }
                    self.expression(&item.value);
                }
            }
            Expr::Compare(compare) => {
                if compare
                    .ops
                    .iter()
                    .any(|op| matches!(op, CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn))
                {
                    self.refuse(
                        compare.range,
                        "`is` and `in` are",
                        "compare with == != < <= > >=; `defined(x)` tests for a missing value",
                    );
                }
                self.expression(&compare.left);
                compare.comparators.iter().for_each(|value| self.expression(value));
            }
            Expr::Call(call) => self.call(call),
            Expr::Attribute(attribute) => self.expression(&attribute.value),
            Expr::Subscript(subscript) => {
                self.expression(&subscript.value);
                self.expression(&subscript.slice);
            }
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|value| self.expression(value)),
            Expr::List(list) => list.elts.iter().for_each(|value| self.expression(value)),
            Expr::NumberLiteral(_)
            | Expr::StringLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::Name(_) => {}
            refused => {
                let (what, hint) = expression_refusal(refused);
                self.passable &= !refused.is_named_expr();
                self.refuse(refused.range(), what, hint);
            }
        }
        self.depth -= 1;
    }

    fn call(&mut self, call: &ExprCall) {
        self.expression(&call.func);
        for argument in &call.arguments.args {
            self.expression(argument);
        }
        for keyword in &call.arguments.keywords {
            if keyword.arg.is_none() {
                self.refuse(keyword.range, "`**` in a call is", "name each argument");
            }
            self.expression(&keyword.value);
        }
    }
}

/// A name, or an attribute of one.
fn is_assignable(target: &Expr) -> bool {
    match target {
        Expr::Name(_) => true,
        Expr::Attribute(attribute) => attribute.value.is_name_expr(),
        _ => false,
    }
}

/// A compound statement is underlined in its first line only.
fn first_line(range: TextRange, report: &Reporter<'_>) -> TextRange {
    let text = report.text(range);
    let line = text.find(['\n', '\r']).unwrap_or(text.len());
    TextRange::at(range.start(), TextSize::new(u32::try_from(line).unwrap_or(u32::MAX)))
}

const fn refusal(statement: &Stmt) -> (&'static str, &'static str) {
    match statement {
        Stmt::While(_) => {
            ("`while` is", "every strategy must end: use `for i in range(N)` with a constant N")
        }
        Stmt::For(_) | Stmt::If(_) => ("a loop or choice here is", "move it into `analyze`"),
        Stmt::With(_) => {
            ("`with` is", "a strategy opens nothing: it sees completed bars and returns a decision")
        }
        Stmt::Try(_) | Stmt::Raise(_) | Stmt::Assert(_) => (
            "`try`, `raise` and `assert` are",
            "nothing raises here: an undefined value propagates and decides nothing, `defined(x)` tests it",
        ),
        Stmt::Match(_) => ("`match` is", "use `if` and `elif`"),
        Stmt::Import(_) | Stmt::ImportFrom(_) => {
            ("`import` is", "delete it: every function of the language is built in")
        }
        Stmt::Global(_) | Stmt::Nonlocal(_) => (
            "`global` and `nonlocal` are",
            "a value that is kept between bars is a field of the class: `count = state(0)`, then `self.count += 1`",
        ),
        Stmt::Delete(_) => ("`del` is", "delete the line"),
        Stmt::Break(_) | Stmt::Continue(_) => {
            ("`break` and `continue` are", "put the rest of the loop's body under an `if`")
        }
        Stmt::TypeAlias(_) => ("`type` is", "delete it"),
        _ => (
            "this statement is",
            "a strategy consists of assignments, `if`, `for i in range(N)` and `return`",
        ),
    }
}

const fn expression_refusal(expression: &Expr) -> (&'static str, &'static str) {
    match expression {
        Expr::Named(_) => ("`:=` is", "assign on a line of its own"),
        Expr::Lambda(_) => ("`lambda` is", "write a helper function with `def`"),
        Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => (
            "a comprehension is",
            "use `for i in range(N)` with a constant N, or a window such as `highest(x, n)`",
        ),
        Expr::Set(_) => ("a set is", "did you mean a dict, `{\"action\": …}`?"),
        Expr::FString(_) | Expr::TString(_) => ("a formatted string is", "write a plain string"),
        Expr::BytesLiteral(_) => ("a byte string is", "write a plain string"),
        Expr::Starred(_) => ("`*` in front of a value is", "write each value"),
        Expr::Slice(_) => {
            ("a slice is", "`x[-1]` is now, `x[-2]` one bar ago; windows are functions such as `sma(x, n)`")
        }
        Expr::Await(_) | Expr::Yield(_) | Expr::YieldFrom(_) => {
            ("`await` and `yield` are", "`analyze` runs once per bar and returns a decision")
        }
        _ => ("this expression is", "see the language reference"),
    }
}
