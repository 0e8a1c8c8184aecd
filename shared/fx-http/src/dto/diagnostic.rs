//! What a strategy's compiler found, on the wire.

use fx_app::validation::Finding;
use fx_domain::{Issue, Location};
use serde::Serialize;
use utoipa::ToSchema;

/// One finding of the compiler: a place in the source, or a field of the request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DiagnosticDto {
    /// `error`, or `warning` for what is allowed and probably not meant.
    #[schema(pattern = "^(error|warning)$")]
    severity: &'static str,
    /// What kind of finding it is: `syntax`, `not-in-language`, `unknown-name`, `type`, `look-ahead`, `limit` and so on.
    code: &'static str,
    /// What is wrong.
    message: String,
    /// Line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// Column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    /// Line behind the last character.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u32>,
    /// Column behind the last character.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
    /// The field of the request, in dotted form.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The line of the source with carets under the place, in three lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<String>,
}

impl DiagnosticDto {
    /// As the linter shows it.
    pub(crate) fn of(found: &Finding) -> Self {
        Self {
            severity: found.severity.as_str(),
            snippet: found.snippet(),
            ..Self::at(&found.location, found.code, found.message.clone(), found.hint.clone())
        }
    }

    /// As a refusal lists it; `None` for what no compiler found.
    pub(crate) fn refused(issue: &Issue) -> Option<Self> {
        Some(Self::at(&issue.location, issue.code?, issue.message.clone(), issue.hint.clone()))
    }

    fn at(location: &Location, code: &'static str, message: String, hint: Option<String>) -> Self {
        let [line, column, end_line, end_column] = match location {
            Location::Source { line, column, end_line, end_column } => {
                [line, column, end_line, end_column].map(|place| Some(*place))
            }
            _ => [None; 4],
        };
        let field = match location {
            Location::Field(field) => Some(field.clone()),
            _ => None,
        };
        let severity = "error";
        Self { severity, code, message, line, column, end_line, end_column, field, hint, snippet: None }
    }
}
