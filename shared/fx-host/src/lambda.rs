//! The host of an API function on Lambda.
//!
//! The gateway prefixes paths with its stage unless the stage is `$default`; `lambda_http` strips nothing by itself and
//! adds the prefix to the path that it hands on. The template therefore sets `AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH=true`
//! in every API function's environment: that library reads it itself, and routes match in both cases.

use crate::HostError;
use axum::Router;

/// Answers invocations with `router` until the runtime ends the process.
///
/// # Errors
/// When the runtime cannot be reached or an answer cannot be delivered.
pub async fn run(router: Router) -> Result<(), HostError> {
    lambda_http::run(router).await.map_err(|error| HostError::Lambda(error.to_string()))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use lambda_http::lambda_runtime::{LambdaEvent, Service};
    use lambda_http::request::LambdaRequest;

    /// An HTTP API event (payload format 2.0) for `GET path`.
    fn event(path: &str) -> LambdaEvent<LambdaRequest> {
        let event = serde_json::json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "a=1", "headers": {"host": "x"},
            "isBase64Encoded": false,
            "requestContext": {
                "accountId": "1", "apiId": "a", "stage": "$default", "requestId": "r", "timeEpoch": 0, "time": "",
                "domainName": "x", "domainPrefix": "x", "routeKey": "$default",
                "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "1.1.1.1", "userAgent": "t"},
            },
        });
        LambdaEvent::new(serde_json::from_value(event).unwrap(), lambda_http::Context::default())
    }

    #[tokio::test]
    async fn a_gateway_event_reaches_the_route_that_tcp_reaches() {
        let echo = |uri: axum::http::Uri| async move { uri.path_and_query().map(ToString::to_string) };
        let router =
            Router::new().route("/items/{id}", get(async move |uri| echo(uri).await.unwrap_or_default()));
        let mut host = lambda_http::Adapter::from(router);
        let mut ask = async |path| {
            let answer = host.call(event(path)).await.unwrap();
            let answer = serde_json::to_value(answer).unwrap();
            (answer["statusCode"].as_u64(), answer["body"].as_str().map(str::to_owned))
        };
        assert_eq!(ask("/items/7").await, (Some(200), Some("/items/7?a=1".to_owned())));
        assert_eq!(ask("/other").await.0, Some(404));
    }
}
