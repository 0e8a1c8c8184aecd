//! A JSON object, read field by field.

use fx_domain::{ErrorKind, Issue, PlatformError};
use serde_json::{Map, Value};

/// How alike two names must be for a "did you mean".
const ALIKE_MIN: f64 = 0.7;

/// What is wrong with a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// It does not fit the schema.
    pub(crate) schema: Vec<Issue>,
    /// It fits, but asks for what the platform does not do.
    pub(crate) unsupported: Vec<Issue>,
}

/// A value, or what is wrong with it.
pub(crate) type Read<T> = Result<T, Faults>;

impl Faults {
    /// The value at `path` does not fit the schema.
    pub(crate) fn schema(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { schema: vec![Issue::field(path, message)], unsupported: Vec::new() }
    }

    /// The value at `path` asks for what the platform does not do.
    pub(crate) fn unsupported(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { schema: Vec::new(), unsupported: vec![Issue::field(path, message)] }
    }

    /// What is wrong in another place, too.
    pub(crate) fn add(&mut self, other: Self) {
        self.schema.extend(other.schema);
        self.unsupported.extend(other.unsupported);
    }

    /// Whether nothing is wrong.
    pub(crate) const fn is_empty(&self) -> bool {
        self.schema.is_empty() && self.unsupported.is_empty()
    }

    /// The error that tells the caller: of faults of the schema if there are any, else of kind `unsupported`.
    pub(crate) fn into_error(self, unsupported: ErrorKind) -> PlatformError {
        let (kind, issues) = match self.schema.is_empty() {
            false => (ErrorKind::RequestValidation, self.schema),
            true => (unsupported, self.unsupported),
        };
        let message = issues.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        PlatformError::new(kind, message).with_issues(issues)
    }
}

/// The fields of an object that are not read yet, and what was wrong with those that are.
#[derive(Debug)]
pub(crate) struct Fields {
    /// The object's own place, with a trailing dot; empty for the body.
    prefix: String,
    left: Map<String, Value>,
    known: Vec<&'static str>,
    faults: Faults,
}

/// What a body is read into.
pub(crate) trait FromFields: Sized {
    /// The kind of error of what fits the schema but is not supported.
    const UNSUPPORTED: ErrorKind;
    /// Reads every field. `None` only after a fault was noted.
    fn read(fields: &mut Fields) -> Option<Self>;
}

impl Fields {
    /// The fields of the body's `object`.
    pub(crate) const fn new(object: Map<String, Value>) -> Self {
        Self { prefix: String::new(), left: object, known: Vec::new(), faults: EMPTY }
    }

    /// The fields of the object at `path`.
    pub(crate) fn nested(path: &str, object: Map<String, Value>) -> Self {
        Self { prefix: format!("{path}."), ..Self::new(object) }
    }

    /// A field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str, Value) -> Read<T>,
    ) -> Option<T> {
        let before = self.faults.schema.len() + self.faults.unsupported.len();
        let found = self.optional(name, read);
        let after = self.faults.schema.len() + self.faults.unsupported.len();
        if found.is_none() && before == after {
            self.faults.add(Faults::schema(format!("{}{name}", self.prefix), "is required"));
        }
        found
    }

    /// A field that may be absent, or null.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str, Value) -> Read<T>,
    ) -> Option<T> {
        self.known.push(name);
        let value = self.left.remove(name).filter(|value| !value.is_null())?;
        read(&format!("{}{name}", self.prefix), value).map_err(|faults| self.faults.add(faults)).ok()
    }

    /// A field of the contract that the platform does not act on: refused rather than ignored.
    pub(crate) fn unsupported(&mut self, name: &'static str, supported: &str) {
        let message = format!("is not supported: {supported}");
        self.optional::<()>(name, |path, _| Err(Faults::unsupported(path, message)));
    }

    /// What was read, or all that was wrong, unknown fields included.
    pub(crate) fn finish<T>(mut self, read: Option<T>) -> Read<T> {
        for name in self.left.keys() {
            let mut issue = Issue::field(format!("{}{name}", self.prefix), "is not a field of this request");
            issue.hint = alike(name, &self.known).map(|known| format!("did you mean `{known}`?"));
            if let Some(hint) = &issue.hint {
                issue.message = format!("{}; {hint}", issue.message);
            }
            self.faults.schema.push(issue);
        }
        match read {
            Some(read) if self.faults == EMPTY => Ok(read),
            _ => Err(self.faults),
        }
    }

    /// The names that were asked for.
    #[cfg(test)]
    pub(crate) fn known(&self) -> &[&'static str] {
        &self.known
    }
}

const EMPTY: Faults = Faults { schema: Vec::new(), unsupported: Vec::new() };

/// The known name that `name` is most like.
pub(crate) fn alike<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let scored = known.iter().map(|candidate| (strsim::jaro_winkler(name, candidate), *candidate));
    scored.filter(|(score, _)| *score >= ALIKE_MIN).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
