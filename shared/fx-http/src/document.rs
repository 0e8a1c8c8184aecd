//! The OpenAPI document, from the same list of routes that the router is built of.

use crate::auth::KEY_HEADER;
use crate::failure::{ErrorBody, PROBLEM_JSON, ProblemBody};
use crate::routes::group_routes;
use crate::settings::RouteGroup;
use http::Method;
use std::fmt::Write as _;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{AdditionalProperties, Components, Schema};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response, ResponseBuilder,
};
use utoipa_axum::router::OpenApiRouter;

/// Name of the key in the document's security section.
const KEY_SCHEME: &str = "ApiKey";

/// Bodies of requests: an unknown field in them is refused.
const REQUEST_BODIES: [&str; 5] =
    ["RegisterBody", "ValidateBody", "BacktestBody", "StopOutBody", "ExecuteBody"];

/// The OpenAPI 3.1 document of every route.
#[must_use]
pub fn openapi() -> OpenApi {
    of(true)
}

/// Every route with the group that owns it: what a deployment's own list of routes must agree with.
#[must_use]
pub fn route_table() -> Vec<(Method, String, RouteGroup)> {
    let mut table = Vec::new();
    for group in RouteGroup::ALL {
        for (path, mut item) in group_routes(group, true).into_openapi().paths.paths {
            table.extend(operations(&mut item).map(|(method, _)| (method, path.clone(), group)));
        }
    }
    table
}

/// The document, with or without `/metrics`.
pub(crate) fn of(with_metrics: bool) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Strategy Execution Engine")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Registers, backtests and executes forex strategies."));
    let mut components = Components::new();
    let key = ApiKeyValue::with_description("X-API-Key", "Not needed when the server has no keys.");
    components.add_security_scheme(KEY_SCHEME, SecurityScheme::ApiKey(ApiKey::Header(key)));
    let base = OpenApiBuilder::new().info(info).components(Some(components)).build();
    let groups = RouteGroup::ALL.into_iter();
    let mut document = groups
        .fold(OpenApiRouter::with_openapi(base), |all, group| {
            let mut routes = group_routes(group, with_metrics);
            for item in routes.get_openapi_mut().paths.paths.values_mut() {
                operations(item).for_each(|(_, operation)| complete(operation, group));
            }
            all.merge(routes)
        })
        .into_openapi();
    add_schemas(&mut document);
    document
}

/// Adds what every operation has: its key, and the failures that the layers around it answer.
fn complete(operation: &mut Operation, group: RouteGroup) {
    let mut failures =
        vec![(500, "Our fault."), (503, "A store is not available."), (504, "It took too long.")];
    if group == RouteGroup::Platform {
        operation.security = Some(Vec::new());
    } else {
        operation.security = Some(vec![SecurityRequirement::new(KEY_SCHEME, Vec::<String>::new())]);
        failures.extend([
            (401, "The key is missing."),
            (403, "The key is wrong."),
            (502, "A store or peer failed."),
        ]);
    }
    if operation.request_body.is_some() {
        failures.extend([(413, "The body is too large."), (415, "The body is not JSON.")]);
    }
    if group != RouteGroup::Platform {
        failures.push((422, "The request does not fit its schema, or the data is missing or unsound."));
    }
    let responses = &mut operation.responses.responses;
    for (status, description) in failures {
        responses.entry(status.to_string()).or_insert_with(|| RefOr::T(Response::new(description)));
    }
    for (status, response) in responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
        {
            *response = with_error_body(&response.description);
        }
    }
}

fn with_error_body(description: &str) -> Response {
    let content = |name: &str| ContentBuilder::new().schema(Some(Ref::from_schema_name(name))).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/json", content("ErrorBody"))
        .content(PROBLEM_JSON, content("ProblemBody"))
        .build()
}

/// Adds the schemas of failures, and closes those of requests.
fn add_schemas(document: &mut OpenApi) {
    let components = document.components.get_or_insert_with(Components::new);
    let mut found = Vec::new();
    add_schema::<ErrorBody>(&mut found);
    add_schema::<ProblemBody>(&mut found);
    components.schemas.extend(found);
    for name in REQUEST_BODIES {
        if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(name) {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
    }
}

fn add_schema<T: utoipa::ToSchema>(found: &mut Vec<(String, RefOr<Schema>)>) {
    found.push((T::name().into_owned(), T::schema()));
    T::schemas(found);
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [
        (Method::GET, get),
        (Method::PUT, put),
        (Method::POST, post),
        (Method::DELETE, delete),
        (Method::PATCH, patch),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

/// The page that lists the routes: no script, nothing loaded.
pub(crate) fn page(document: &OpenApi) -> String {
    let mut rows = String::new();
    let mut items = document.paths.paths.clone();
    for (path, item) in &mut items {
        for (method, operation) in operations(item) {
            let text = [&operation.summary, &operation.description];
            let text = text.into_iter().flatten().next().map_or("", String::as_str);
            // Writing to a text cannot fail.
            let _ = writeln!(
                rows,
                "<tr><td><code>{method}</code></td><td><code>{}</code></td><td>{}</td></tr>",
                escaped(path),
                escaped(text)
            );
        }
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}\
         table{{border-collapse:collapse}}td{{border-top:1px solid #ccc;padding:.4rem .8rem;vertical-align:top}}\
         </style></head>\n<body><h1>{title} {version}</h1>\n\
         <p>Machine-readable: <a href=\"/api/openapi.json\">/api/openapi.json</a>. \
         Send the key in the header <code>{KEY_HEADER}</code>.</p>\n<table>\n{rows}</table></body></html>\n",
        title = escaped(&document.info.title),
        version = escaped(&document.info.version),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dto::{BacktestInput, ExecuteBody, RegisterBody};
    use crate::input::{Fields, FromFields};
    use serde_json::Value;

    fn json() -> Value {
        serde_json::to_value(openapi()).unwrap()
    }

    #[test]
    fn the_document_covers_the_route_table_and_nothing_else() {
        let document = json();
        assert_eq!(document["openapi"], "3.1.0");
        let paths = document["paths"].as_object().unwrap();
        let mut described: Vec<_> = paths
            .iter()
            .flat_map(|(path, item)| {
                item.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
            })
            .collect();
        let mut table: Vec<_> =
            route_table().into_iter().map(|(method, path, _)| (method.to_string(), path)).collect();
        described.sort();
        table.sort();
        assert_eq!(described, table);
    }

    #[test]
    fn every_reference_points_to_a_schema() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(object) => {
                    found.extend(object.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned));
                    object.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let document = json();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn a_request_schema_has_the_fields_that_the_reader_reads() {
        fn check<T: FromFields>(name: &str, only_refused: &[&str]) {
            let mut fields = Fields::new(serde_json::Map::new());
            assert!(T::read(&mut fields).is_none());
            let mut read: Vec<_> =
                fields.known().iter().copied().filter(|name| !only_refused.contains(name)).collect();
            let schema = &json()["components"]["schemas"][name];
            let mut described: Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
            read.sort_unstable();
            described.sort_unstable();
            assert_eq!(read, described);
            assert_eq!(schema["additionalProperties"], Value::Bool(false));
        }
        check::<RegisterBody>("RegisterBody", &[]);
        check::<BacktestInput>("BacktestBody", &[]);
        check::<ExecuteBody>("ExecuteBody", &["account_id"]);
    }

    #[test]
    fn without_a_renderer_there_are_no_metrics() {
        assert!(of(true).paths.paths.contains_key("/metrics"));
        assert!(!of(false).paths.paths.contains_key("/metrics"));
    }

    #[test]
    fn the_docs_page_is_self_contained() {
        let page = page(&openapi());
        assert!(page.contains("/api/v1/backtest") && !page.contains("http://") && !page.contains("<script"));
    }
}
