//! The one renderer of failures.
//!
//! A handler or layer that fails leaves its error in the response's extensions; the outermost layer, which knows the
//! request, writes the body and logs the cause.

use crate::dto::DiagnosticDto;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use fx_domain::{ErrorClass, ErrorKind, Issue, Location, PlatformError, UnixNanos};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use std::error::Error as _;
use std::sync::Arc;
use utoipa::ToSchema;

/// The media type of RFC 9457.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";
/// Issues that one answer lists, at most.
const ISSUES_MAX: usize = 100;

/// A failure on its way to the renderer.
#[derive(Clone, Debug)]
pub(crate) struct Failure(Arc<PlatformError>);

impl From<PlatformError> for Failure {
    fn from(error: PlatformError) -> Self {
        Self(Arc::new(error))
    }
}

impl Failure {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        PlatformError::new(kind, message).into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = status(self.0.kind()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The request's part in the body of its failure.
pub(crate) struct Occasion<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) now: UnixNanos,
    pub(crate) wants_problem: bool,
}

/// Writes the body of a failed response, and logs why it failed. Other responses pass unchanged.
pub(crate) fn render(mut response: Response, occasion: &Occasion<'_>) -> Response {
    let Some(Failure(error)) = response.extensions_mut().remove::<Failure>() else {
        return response;
    };
    log(&error);
    let (media_type, body) = if occasion.wants_problem {
        (PROBLEM_JSON, serde_json::to_vec(&ProblemBody::new(&error, occasion)))
    } else {
        ("application/json", serde_json::to_vec(&ErrorBody::new(&error, occasion)))
    };
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if error.kind() == ErrorKind::Unauthenticated {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("ApiKey header=\"X-API-Key\""));
    }
    // Strings and numbers always serialise; an empty body is what is left should they not.
    *response.body_mut() = Body::from(body.unwrap_or_default());
    response
}

/// Whether the caller asked for RFC 9457 by name.
pub(crate) fn wants_problem(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|range| media_type(range).eq_ignore_ascii_case(PROBLEM_JSON)))
}

/// A media range without its parameters.
pub(crate) fn media_type(range: &str) -> &str {
    range.split(';').next().unwrap_or_default().trim()
}

fn status(kind: ErrorKind) -> StatusCode {
    StatusCode::from_u16(kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn log(error: &PlatformError) {
    let (kind, message) = (error.kind().name(), error.message());
    match error.kind().class() {
        ErrorClass::Caller => tracing::debug!(error.kind = kind, error.message = message, "request refused"),
        ErrorClass::Retry | ErrorClass::Bug => {
            let mut causes = Vec::new();
            let mut cause = error.source();
            while let Some(found) = cause {
                causes.push(found.to_string());
                cause = found.source();
            }
            let causes = causes.join(": ");
            tracing::error!(
                error.kind = kind,
                error.message = message,
                error.cause = causes,
                "request failed"
            );
        }
    }
}

/// The body of every failure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// Always `error`.
    #[schema(pattern = "^error$")]
    status: &'static str,
    /// What is wrong, in full sentences.
    detail: String,
    /// The error's class.
    #[serde(rename = "type")]
    class: &'static str,
    /// For programs.
    error: ErrorObject,
    /// For support.
    metadata: ErrorMetadata,
}

/// The failure for programs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorObject {
    /// Machine code.
    code: &'static str,
    /// As `detail`.
    message: String,
    /// What exactly is wrong, and where.
    details: ErrorDetails,
}

/// What exactly is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDetails {
    /// What the compiler found in a strategy's source and its parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    diagnostics: Vec<DiagnosticDto>,
    /// One entry for each other thing that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    issues: Vec<IssueDto>,
    /// How many things are wrong, when the lists are cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    issues_total: Option<usize>,
}

/// One thing that is wrong: a field of the request, a line of a file or a bar.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct IssueDto {
    /// The field, in dotted form.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// Index of the bar.
    #[serde(skip_serializing_if = "Option::is_none")]
    bar: Option<u64>,
    /// Open time of the bar.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    /// What is wrong.
    message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// When and where it failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorMetadata {
    /// When.
    #[schema(format = DateTime)]
    timestamp: String,
    /// Version of the platform.
    version: &'static str,
    /// The request, as in the header `X-Request-ID`.
    request_id: String,
}

/// The same as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemBody {
    /// The error's class, as a URN.
    #[serde(rename = "type")]
    class: String,
    /// The status' name.
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong.
    detail: String,
    /// Machine code.
    code: &'static str,
    /// What exactly is wrong, and where.
    details: ErrorDetails,
    /// The request.
    request_id: String,
}

impl ErrorBody {
    fn new(error: &PlatformError, occasion: &Occasion<'_>) -> Self {
        let (kind, message) = (error.kind(), error.message().to_owned());
        Self {
            status: "error",
            detail: message.clone(),
            class: kind.name(),
            error: ErrorObject { code: kind.code(), message, details: ErrorDetails::of(error) },
            metadata: ErrorMetadata {
                timestamp: occasion.now.to_string(),
                version: env!("CARGO_PKG_VERSION"),
                request_id: occasion.request_id.to_owned(),
            },
        }
    }
}

impl ProblemBody {
    fn new(error: &PlatformError, occasion: &Occasion<'_>) -> Self {
        let kind = error.kind();
        Self {
            class: format!("urn:forex-platform:error:{}", kind.name()),
            title: status(kind).canonical_reason().unwrap_or("Error"),
            status: kind.http_status(),
            detail: error.message().to_owned(),
            code: kind.code(),
            details: ErrorDetails::of(error),
            request_id: occasion.request_id.to_owned(),
        }
    }
}

impl ErrorDetails {
    fn of(error: &PlatformError) -> Self {
        let total = error.issues().len();
        let shown = || error.issues().iter().take(ISSUES_MAX);
        Self {
            diagnostics: shown().filter_map(DiagnosticDto::refused).collect(),
            issues: shown().filter(|issue| issue.code.is_none()).map(IssueDto::of).collect(),
            issues_total: (total > ISSUES_MAX).then_some(total),
        }
    }
}

impl IssueDto {
    fn of(issue: &Issue) -> Self {
        let dto = Self { message: issue.message.clone(), hint: issue.hint.clone(), ..Self::default() };
        match &issue.location {
            Location::Field(field) => Self { field: Some(field.clone()), ..dto },
            Location::Source { line, .. } => Self { line: Some(u64::from(*line)), ..dto },
            Location::Line(line) => Self { line: Some(*line), ..dto },
            Location::Bar { index, time } => Self { bar: Some(*index), time: Some(time.to_string()), ..dto },
        }
    }
}
