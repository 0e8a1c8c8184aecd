//! What is wrong with a source, where, and what to do about it.

use crate::limits::{DIAGNOSTICS_MAX, SUGGESTED_NAME_BYTES_MAX};
use crate::syntax::is_hidden;
use fx_domain::{Issue, Location};
use ruff_text_size::{TextRange, TextSize};
use std::fmt;

/// Characters of a source line that a rendered diagnostic shows at most.
const LINE_SHOWN_MAX: usize = 160;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The source is not a strategy.
    Error,
    /// It is one, and most likely not the one that was meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One finding of the compiler.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// What kind of finding it is, stable across releases: `syntax`, `not-in-language`, `structure`, `unknown-name`,
    /// `type`, `argument`, `decision`, `look-ahead`, `unassigned`, `constant`, `limit`, `parameter`, `no-effect`,
    /// `unused`, `no-decision`, `hidden-character`, `look-alike`.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// A place in the source (lines and columns from 1, columns in characters, the end behind the last character), or
    /// the field `parameters.NAME` of the request.
    pub location: Location,
    /// What to do, when we know.
    pub hint: Option<String>,
    /// The source line, for the rendering; empty for a field.
    source_line: String,
}

impl Diagnostic {
    /// An error that is the whole source's, found by who runs it: the field `code`.
    #[must_use]
    pub fn of_source(code: &'static str, message: String) -> Self {
        Self::of_field("code", code, message)
    }

    /// An error about a field of the request that a source is given with.
    #[must_use]
    pub fn of_field(field: &str, code: &'static str, message: String) -> Self {
        let location = Location::Field(field.to_owned());
        Self { severity: Severity::Error, code, message, location, hint: None, source_line: String::new() }
    }

    /// A finding about the override of the parameter `name`.
    pub(crate) fn parameter(name: &str, message: impl Into<String>, hint: Option<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: "parameter",
            message: message.into(),
            location: Location::Field(format!("parameters.{name}")),
            hint,
            source_line: String::new(),
        }
    }

    /// Whether it begins where `other` does.
    fn begins_at(&self, other: &Location) -> bool {
        let start = |location: &Location| match *location {
            Location::Source { line, column, .. } => Some((line, column)),
            _ => None,
        };
        start(&self.location).is_some_and(|place| start(other) == Some(place))
    }

    /// The first line, from 1; `None` for a finding about a field of the request.
    #[must_use]
    pub const fn line(&self) -> Option<u32> {
        match self.location {
            Location::Source { line, .. } => Some(line),
            _ => None,
        }
    }

    /// The source line with carets under the finding, three lines with the line's number in a gutter; `None` for a
    /// finding about a field of the request.
    #[must_use]
    pub fn snippet(&self) -> Option<String> {
        let Location::Source { line, column, end_line, end_column } = self.location else { return None };
        let gutter = margin(line);
        let characters: Vec<char> = self.source_line.chars().collect();
        let start = (column as usize).saturating_sub(1).min(characters.len());
        let end = if end_line == line { (end_column as usize).saturating_sub(1) } else { characters.len() };
        let first = start.saturating_sub(LINE_SHOWN_MAX / 2);
        let shown = &characters[first..characters.len().min(first + LINE_SHOWN_MAX)];
        let carets = end.clamp(start + 1, (first + LINE_SHOWN_MAX).max(start + 1)) - start;
        // What steers a terminal or turns the direction of a line must not reach one; a tab keeps its width in both lines.
        let seen = |&c: &char| if is_hidden(c) || (c.is_control() && c != '\t') { ' ' } else { c };
        let text: String = shown.iter().map(seen).collect();
        let padding: String =
            shown.iter().take(start - first).map(|&c| if c == '\t' { '\t' } else { ' ' }).collect();
        let text = text.trim_end();
        Some(format!("{gutter} |\n{line} | {text}\n{gutter} | {padding}{}", "^".repeat(carets)))
    }

    /// As a compiler prints it, `file` being where the source comes from.
    #[must_use]
    pub fn listing(&self, file: &str) -> String {
        let mut text = format!("{}[{}]: {}\n", self.severity.as_str(), self.code, self.message);
        text += &match (&self.location, self.snippet()) {
            (Location::Source { line, column, .. }, Some(snippet)) => {
                format!("{}--> {file}:{line}:{column}\n{snippet}", margin(*line))
            }
            (Location::Field(name), _) => format!(" --> {file}: {name}"),
            _ => format!(" --> {file}"),
        };
        match &self.hint {
            Some(hint) => text + "\n  hint: " + hint,
            None => text,
        }
    }
}

/// As wide as the number of a line.
fn margin(line: u32) -> String {
    " ".repeat(line.to_string().len())
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.code, self.message)?;
        match &self.location {
            Location::Source { line, column, .. } => {
                let snippet = self.snippet().unwrap_or_default();
                write!(f, "{}--> line {line}, column {column}\n{snippet}", margin(*line))?;
            }
            Location::Field(name) => write!(f, " --> {name}")?,
            Location::Line(_) | Location::Bar { .. } => {}
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl From<Diagnostic> for Issue {
    fn from(diagnostic: Diagnostic) -> Self {
        let Diagnostic { location, message, hint, code, .. } = diagnostic;
        Self { location, message, hint, code: Some(code) }
    }
}

/// Why a source does not compile: at least one finding, in the order of the source. Its text shows each of them with
/// the source line, carets and a hint.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))]
pub struct Diagnostics(pub(crate) Vec<Diagnostic>);

impl Diagnostics {
    /// The findings.
    #[must_use]
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.0
    }

    /// The findings as the issues of a platform error.
    #[must_use]
    pub fn into_issues(self) -> Vec<Issue> {
        self.0.into_iter().map(Issue::from).collect()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Proof that a finding was recorded: the caller has nothing to add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reported;

/// Collects findings and turns byte ranges into lines and columns.
#[derive(Debug)]
pub(crate) struct Reporter<'a> {
    source: &'a str,
    line_starts: Vec<usize>,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        let bytes = source.as_bytes();
        let breaks = bytes
            .iter()
            .enumerate()
            .filter(|&(at, &byte)| byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')));
        let line_starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Self { source, line_starts, errors: Vec::new(), warnings: Vec::new() }
    }

    /// Records an error.
    pub(crate) fn error(
        &mut self,
        range: TextRange,
        code: &'static str,
        message: impl Into<String>,
    ) -> Reported {
        self.push(range, code, message.into(), None)
    }

    /// Records an error and what to do about it.
    pub(crate) fn error_with_hint(
        &mut self,
        range: TextRange,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Reported {
        self.push(range, code, message.into(), Some(hint.into()))
    }

    /// Records a warning and what to do about it.
    pub(crate) fn warning(&mut self, range: TextRange, code: &'static str, message: &str, hint: &str) {
        let found = self.diagnostic(range, code, message.to_owned(), Some(hint.to_owned()));
        let found = Diagnostic { severity: Severity::Warning, ..found };
        if self.warnings.len() < DIAGNOSTICS_MAX && !self.warnings.contains(&found) {
            self.warnings.push(found);
        }
    }

    /// The line in which `range` begins, from 1.
    pub(crate) fn line(&self, range: TextRange) -> usize {
        self.place(range.start()).0
    }

    /// The source in `range`.
    pub(crate) fn text(&self, range: TextRange) -> &'a str {
        self.source.get(range.start().to_usize()..range.end().to_usize()).unwrap_or_default()
    }

    /// No more errors are taken.
    pub(crate) fn is_full(&self) -> bool {
        self.errors.len() >= DIAGNOSTICS_MAX
    }

    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    pub(crate) const fn error_count(&self) -> usize {
        self.errors.len()
    }

    /// Everything that was found, in the order of the source.
    pub(crate) fn into_findings(self) -> Vec<Diagnostic> {
        in_order(self.errors.into_iter().chain(self.warnings).collect())
    }

    fn push(
        &mut self,
        range: TextRange,
        code: &'static str,
        message: String,
        hint: Option<String>,
    ) -> Reported {
        self.add(self.diagnostic(range, code, message, hint));
        Reported
    }

    /// Records an error. An unrolled loop and a helper inlined twice find the same one again; it is kept once. What is
    /// not part of the language or not to be seen is not spoken of again at its place.
    pub(crate) fn add(&mut self, found: Diagnostic) {
        let is_final = |error: &Diagnostic| matches!(error.code, "not-in-language" | "hidden-character");
        let known =
            |error: &Diagnostic| error == &found || (is_final(error) && error.begins_at(&found.location));
        if !self.is_full() && !self.errors.iter().any(known) {
            self.errors.push(found);
        }
    }

    fn diagnostic(
        &self,
        range: TextRange,
        code: &'static str,
        message: String,
        hint: Option<String>,
    ) -> Diagnostic {
        let (line, column) = self.place(range.start());
        let (end_line, end_column) = self.place(range.end());
        let start = self.line_starts[line - 1];
        let end = self.line_starts.get(line).copied().unwrap_or(self.source.len());
        let source_line = self.source[start..end].trim_end_matches(['\n', '\r']).to_owned();
        let [line, column, end_line, end_column] =
            [line, column, end_line, end_column].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        let location = Location::Source { line, column, end_line, end_column };
        Diagnostic { severity: Severity::Error, code, message, location, hint, source_line }
    }

    fn place(&self, offset: TextSize) -> (usize, usize) {
        let mut offset = offset.to_usize().min(self.source.len());
        while !self.source.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_starts.partition_point(|&start| start <= offset).max(1);
        (line, self.source[self.line_starts[line - 1]..offset].chars().count() + 1)
    }
}

fn in_order(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    found.sort_by_key(|found| match found.location {
        Location::Source { line, column, .. } => (line, column),
        _ => (0, 0),
    });
    found
}

/// `did you mean …` for a misspelt name, when one of `known` is near enough. A comparison costs the product of both
/// lengths.
pub(crate) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    if name.len() > SUGGESTED_NAME_BYTES_MAX {
        return None;
    }
    let distance_max = (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= SUGGESTED_NAME_BYTES_MAX)
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|&(distance, _)| distance <= distance_max)
        .min()
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}
