//! The real router over in-memory adapters.

#![allow(clippy::unwrap_used)]

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use fx_app::library::StrategyLibrary;
use fx_app::ports::{
    Health, HealthProbe, HealthStatus, PeerError, ResultEnd, RiskAnswer, RiskManagement, RiskRequest, RunRows,
};
use fx_app::records::{BacktestRecord, MarginCause, MarginPoint, OrderEvent, OrderEventKind};
use fx_app::{App, RunLimits, Services, Stores};
use fx_domain::{
    Currency, EquityCurve, Instrument, OrderId, OrderKind, Price, ProtectiveLevels, Side, TimeInForce, Units,
    UnixNanos,
};
use fx_http::{ApiSettings, Keys, RouteGroup, RouteSet};
use fx_testkit::{fixtures, memory};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

const SMALLEST: &str = "class NewStrategy(Strategy):\n    def analyze(self, data):\n        return {}\n";

struct Part(HealthStatus);

#[async_trait]
impl HealthProbe for Part {
    fn name(&self) -> &'static str {
        "database"
    }
    async fn check(&self) -> Health {
        Health { status: self.0, message: "in memory".to_owned() }
    }
}

struct Approves;

#[async_trait]
impl RiskManagement for Approves {
    async fn check(&self, _request: &RiskRequest) -> Result<RiskAnswer, PeerError> {
        Ok(RiskAnswer { is_valid: true, reason: "approved".to_owned() })
    }
}

fn stores(database: HealthStatus) -> Stores {
    Stores {
        strategies: Arc::new(memory::Strategies::default()),
        series: Arc::new(memory::Catalogue::default()),
        features: Arc::new(memory::Catalogue::default()),
        backtests: Arc::new(memory::Backtests::default()),
        executions: Arc::new(memory::Executions::default()),
        blobs: Arc::new(memory::Blobs::default()),
        probe: Arc::new(Part(database)),
    }
}

fn clock() -> Arc<memory::ManualClock> {
    Arc::new(memory::ManualClock::new(fixtures::FRIDAY))
}

const LIMITS: RunLimits = RunLimits { concurrent_max: 2, timeout: std::time::Duration::from_secs(60) };

fn app(stores: Stores) -> App {
    let services = Services { risk: Arc::new(Approves), probes: Vec::new() };
    let files = fx_store::files(&stores);
    App::new(stores, files, services, StrategyLibrary::default(), clock(), LIMITS)
}

fn keyed(stores: Stores) -> Router {
    let keys = Keys::new(Some("client-key"), Some("service-key")).unwrap();
    fx_http::router(app(stores), RouteSet::all(), ApiSettings { keys, ..ApiSettings::new(clock()) })
}

fn open() -> Router {
    fx_http::router(app(stores(HealthStatus::Healthy)), RouteSet::all(), ApiSettings::new(clock()))
}

async fn send(router: &Router, request: Request<Body>) -> (Response<()>, String) {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(parts, ()), String::from_utf8_lossy(&bytes).into_owned())
}

async fn ask(router: &Router, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path).header("X-API-Key", "client-key");
    let request = match body {
        Some(body) => request.header("Content-Type", "application/json").body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    let (response, text) = send(router, request.unwrap()).await;
    (response.status(), serde_json::from_str(&text).unwrap_or(Value::Null))
}

fn registration() -> Value {
    json!({"name": "first", "instruments": ["EUR_USD"], "timeframe": "H1", "code": SMALLEST})
}

#[tokio::test]
async fn a_strategy_is_registered_listed_read_and_deleted() {
    let router = keyed(stores(HealthStatus::Healthy));
    let (status, registered) =
        ask(&router, "POST", "/api/v1/strategies/register", Some(registration())).await;
    assert_eq!((status, &registered["status"]), (StatusCode::CREATED, &json!("active")), "{registered}");
    let path = format!("/api/v1/strategies/{}", registered["id"].as_str().unwrap());
    let (_, listed) = ask(&router, "GET", "/api/v1/strategies?page_size=1", None).await;
    assert_eq!(listed["strategies"][0]["id"], registered["id"]);
    let (status, got) = ask(&router, "GET", &path, None).await;
    assert_eq!(
        (status, &got["instruments"], &got["timeframe"]),
        (StatusCode::OK, &json!(["EUR/USD"]), &json!("1h"))
    );
    assert_eq!(got["code"], SMALLEST);
    let (_, versions) = ask(&router, "GET", &format!("{path}/versions"), None).await;
    assert_eq!(versions["versions"][0]["version"], registered["version"]);
    assert_eq!(ask(&router, "DELETE", &path, None).await.0, StatusCode::NO_CONTENT);
    let (status, gone) = ask(&router, "GET", &path, None).await;
    assert_eq!((status, &gone["type"]), (StatusCode::NOT_FOUND, &json!("StrategyLoadError")));
    assert!(gone["detail"].as_str().unwrap().ends_with("not found"));
    let versioned = format!("{path}?version={}", registered["version"].as_str().unwrap());
    assert_eq!(ask(&router, "GET", &versioned, None).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_source_is_looked_at_and_nothing_is_stored() {
    let router = keyed(stores(HealthStatus::Healthy));
    let validate = async |body: Value| ask(&router, "POST", "/api/v1/strategies/validate", Some(body)).await;
    let code = "class S(Strategy):\n    n: int = param(20, min=2, max=500)\n    on = True\n\n    def analyze(self, data):\n        \
        return buy(units=1, tif=\"day\") if self.on and data.close > sma(data.close, self.n) else None\n";
    let (status, found) = validate(json!({"code": code, "parameters": {"n": 40}})).await;
    assert_eq!(
        (status, &found["valid"], &found["name"]),
        (StatusCode::OK, &json!(true), &json!("S")),
        "{found}"
    );
    assert_eq!((&found["warm_up_bars"], &found["plan"]["rules"]), (&json!(39), &json!(1)));
    assert_eq!(
        (&found["parameters"][0], &found["effective_parameters"]),
        (
            &json!({"name": "n", "kind": "int", "default": 20, "min": 2, "max": 500}),
            &json!({"n": 40, "on": true})
        )
    );
    assert!(found["estimated_bars_per_second"].as_u64().unwrap() > 1_000_000);
    let registered = json!({"name": "same", "instruments": ["EUR/USD"], "timeframe": "1h", "code": code});
    let (_, registered) = ask(&router, "POST", "/api/v1/strategies/register", Some(registered)).await;
    let (_, again) = validate(json!({"code": code, "name": "same", "timeframe": "1h"})).await;
    assert_eq!(again["plan"]["hash"], registered["plan_hash"], "it is what a registration stores");
    let (severity, code) = (&found["diagnostics"][0]["severity"], &found["diagnostics"][0]["code"]);
    assert_eq!((severity, code), (&json!("warning"), &json!("decision")), "a market order does not wait");

    let wrong = "class S(Strategy):\n    def analyze(self, data):\n        x = data.cloze\n        return target(units=x) if nothing else None\n";
    let (status, found) = validate(json!({"code": wrong})).await;
    assert_eq!(
        (status, &found["valid"], found.get("plan")),
        (StatusCode::OK, &json!(false), None),
        "{found}"
    );
    assert_eq!(
        found["diagnostics"][0],
        json!({"severity": "error", "code": "unknown-name", "message": "`data` has no `cloze`", "line": 3,
            "column": 18, "end_line": 3, "end_column": 23, "hint": "did you mean `close`?",
            "snippet": "  |\n3 |         x = data.cloze\n  |                  ^^^^^"})
    );
    assert_eq!(found["diagnostics"].as_array().unwrap().len(), 2);
    let (status, found) = validate(json!({"code": SMALLEST, "parameters": {"n": 1}})).await;
    assert_eq!(
        (status, &found["diagnostics"][0]["field"]),
        (StatusCode::OK, &json!("parameters.n")),
        "{found}"
    );
    let slow = "class S(Strategy):\n    def analyze(self, data):\n        record(\"x\", data.timeframe(\"4h\").close)\n";
    let (_, found) = validate(json!({"code": slow, "timeframe": "1h"})).await;
    assert_eq!((&found["warm_up_bars"], &found["warm_up_lead_days"]), (&json!(0), &json!(5)), "{found}");
    let (_, found) = validate(json!({"code": slow, "timeframe": "4h"})).await;
    assert_eq!(
        (&found["valid"], &found["diagnostics"][0]["field"]),
        (&json!(false), &json!("timeframe")),
        "{found}"
    );
    let (status, refused) = validate(json!({"source": SMALLEST})).await;
    assert_eq!(
        (status, &refused["type"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("RequestValidationError"))
    );
    let (_, listed) = ask(&router, "GET", "/api/v1/strategies", None).await;
    assert_eq!(listed["strategies"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refused_source_is_answered_with_its_diagnostics() {
    let router = keyed(stores(HealthStatus::Healthy));
    let code = "class S(Strategy):\n    def analyze(self, data):\n        return nothing\n";
    let body = json!({"name": "wrong", "instruments": ["EUR/USD"], "timeframe": "1h", "code": code});
    let (status, refused) = ask(&router, "POST", "/api/v1/strategies/register", Some(body)).await;
    let details = &refused["error"]["details"];
    assert_eq!((status, details.get("issues")), (StatusCode::BAD_REQUEST, None), "{refused}");
    assert_eq!(
        details["diagnostics"],
        json!([{"severity": "error", "code": "unknown-name", "message": "unknown name `nothing`", "line": 3,
            "column": 16, "end_line": 3, "end_column": 23, "hint": "assign `nothing` first"}])
    );
}

#[tokio::test]
async fn every_class_of_failure_has_the_error_body() {
    let router = keyed(stores(HealthStatus::Healthy));
    let backtest = |extra: Value| {
        let mut body = json!({"strategy_id": "nobody", "start_date": "2024-01-01", "end_date": "2024-02-01"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        Some(body)
    };
    let run = "/api/v1/backtest";
    for (method, path, body, status, class) in [
        ("GET", "/nowhere", None, 404, "NotFoundError"),
        ("PUT", "/api/v1/strategies", None, 405, "MethodNotAllowedError"),
        ("GET", "/metrics", None, 404, "NotFoundError"),
        ("GET", "/api/v1/strategies?page_size=0", None, 422, "RequestValidationError"),
        ("GET", "/api/v1/strategies/a%20b", None, 422, "RequestValidationError"),
        ("GET", "/api/v1/backtests/none", None, 404, "BacktestError"),
        ("GET", "/api/v1/executions/none", None, 404, "NotFoundError"),
        ("GET", "/api/v1/datasets/EURUSD", None, 404, "NotFoundError"),
        ("GET", "/api/v1/analysis/compare", None, 400, "BacktestConfigError"),
        ("POST", run, None, 415, "UnsupportedMediaTypeError"),
        ("POST", run, Some(json!([])), 422, "RequestValidationError"),
        ("POST", run, backtest(json!({"sed": 1})), 422, "RequestValidationError"),
        ("POST", run, backtest(json!({"stop_out": {"level": 5}})), 422, "RequestValidationError"),
        ("POST", run, backtest(json!({"financing": {"rates": []}})), 400, "BacktestConfigError"),
        ("POST", run, backtest(json!({"account": "hedging"})), 404, "StrategyLoadError"),
        ("POST", run, backtest(json!({})), 404, "StrategyLoadError"),
        ("POST", run, Some(json!({"x": "y".repeat(fx_http::BODY_BYTES_MAX)})), 413, "PayloadTooLargeError"),
        (
            "POST",
            "/api/v1/execute",
            Some(json!({"strategy_id": "s", "capital_allocation": 1, "dry_run": false})),
            400,
            "StrategyConfigurationError",
        ),
    ] {
        let (found, answer) = ask(&router, method, path, body).await;
        assert_eq!((found.as_u16(), &answer["type"]), (status, &json!(class)), "{method} {path} {answer}");
        assert_eq!((&answer["status"], &answer["error"]["message"]), (&json!("error"), &answer["detail"]));
        assert!(answer["metadata"]["request_id"].is_string() && answer["error"]["code"].is_string());
    }
}

#[tokio::test]
async fn keys_decide_who_asks_and_public_routes_need_none() {
    let router = keyed(stores(HealthStatus::Healthy));
    let status = async |path: &str, key: Option<&str>| {
        let mut request = Request::builder().uri(path);
        if let Some(key) = key {
            request = request.header("X-API-Key", key);
        }
        send(&router, request.body(Body::empty()).unwrap()).await.0.status().as_u16()
    };
    for path in [
        "/",
        "/health",
        "/health/detailed",
        "/health/live",
        "/health/ready",
        "/api/docs",
        "/api/openapi.json",
    ] {
        assert_eq!(status(path, None).await, 200, "{path}");
    }
    assert_eq!(status("/api/v1/strategies", None).await, 401);
    assert_eq!(status("/api/v1/strategies", Some("wrong")).await, 403);
    assert_eq!(status("/api/v1/strategies", Some("client-key")).await, 200);
    let (_, registered) = ask(&router, "POST", "/api/v1/strategies/register", Some(registration())).await;
    let path = format!("/api/v1/strategies/{}", registered["id"].as_str().unwrap());
    assert_eq!(status(&path, Some("service-key")).await, 200);
}

#[tokio::test]
async fn request_ids_are_echoed_and_problems_are_answered_on_request() {
    let request =
        Request::builder().uri("/nowhere").header("X-Request-ID", "req-7").header("X-Correlation-ID", "c-1");
    let request = request.header("Accept", "application/problem+json").body(Body::empty()).unwrap();
    let (response, text) = send(&open(), request).await;
    assert_eq!(
        (&response.headers()["x-request-id"], &response.headers()["x-correlation-id"]),
        (&"req-7".parse().unwrap(), &"c-1".parse().unwrap())
    );
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&problem["status"], &problem["request_id"]), (&json!(404), &json!("req-7")));
    let (response, _) = send(&open(), Request::builder().uri("/").body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["x-request-id"].len(), 32);
}

#[tokio::test]
async fn a_host_that_is_not_ready_answers_503_and_a_group_that_is_not_served_404() {
    let groups = RouteSet::of([RouteGroup::Platform, RouteGroup::Registration]);
    let router = fx_http::router(app(stores(HealthStatus::Unhealthy)), groups, ApiSettings::new(clock()));
    assert_eq!(ask(&router, "GET", "/health/ready", None).await.0, StatusCode::SERVICE_UNAVAILABLE);
    let (status, detailed) = ask(&router, "GET", "/health/detailed", None).await;
    assert_eq!((status, &detailed["status"]), (StatusCode::OK, &json!("unhealthy")));
    assert_eq!(ask(&router, "GET", "/api/v1/datasets", None).await.0, StatusCode::NOT_FOUND);
}

fn order_and_margin() -> (Vec<OrderEvent>, Vec<MarginPoint>) {
    let time = UnixNanos::parse("2024-03-08").unwrap();
    let event = |kind| OrderEvent {
        time,
        order: OrderId(0),
        instrument: Instrument::parse("EUR/USD").unwrap(),
        kind,
    };
    let submitted = OrderEventKind::Submitted {
        kind: OrderKind::Limit(Price::from_f64(1.05).unwrap()),
        side: Side::Long,
        units: Units::new(1_000),
        protect: ProtectiveLevels::default(),
        time_in_force: TimeInForce::Bars(1),
    };
    let margin = MarginPoint {
        time,
        cause: MarginCause::StopOut,
        equity_micros: 50_000_000,
        used_micros: 200_000_000,
    };
    (vec![event(submitted), event(OrderEventKind::Expired)], vec![margin])
}

#[tokio::test]
async fn a_stored_result_is_read_in_parts() {
    let stores = stores(HealthStatus::Healthy);
    let record = fixtures::backtest(&fixtures::principal("client"), "s", "one", fixtures::FRIDAY);
    let record = BacktestRecord { bars: 3, ..record };
    let times = (0..3).map(|hour| UnixNanos::new(hour * fx_domain::NANOS_PER_HOUR)).collect();
    let equity =
        EquityCurve { times, micros: vec![1_000_000, 2_000_000, 3_000_000], currency: Currency::USD };
    let (events, margin) = order_and_margin();
    let end =
        ResultEnd { curve: equity.clone(), pending: Vec::new(), report_html: "<p>sheet</p>".to_owned() };
    let rows = RunRows { trades: Vec::new(), ledger: Vec::new(), equity, events, margin };
    let results = fx_store::files(&stores).results;
    fx_testkit::contract::store_result(&*results, &record.id, (rows, end)).await;
    stores.backtests.put(&record).await.unwrap();
    let router = keyed(stores);
    let path = format!("/api/v1/backtests/{}", record.id);
    let (status, got) = ask(&router, "GET", &path, None).await;
    assert_eq!(
        (status, &got["status"], &got["progress"]),
        (StatusCode::OK, &json!("completed"), &json!(1.0)),
        "{got}"
    );
    assert_eq!(got["result"]["equity_points_total"], 3);
    let (_, first) = ask(&router, "GET", &format!("{path}/equity?page_size=2"), None).await;
    assert_eq!(
        (first["equity_curve"][1]["equity"].as_f64(), &first["next_page_token"]),
        (Some(2.0), &json!("2"))
    );
    let (_, last) = ask(&router, "GET", &format!("{path}/equity?page_size=2&page_token=2"), None).await;
    assert_eq!((last["equity_curve"].as_array().unwrap().len(), last.get("next_page_token")), (1, None));
    let (_, orders) = ask(&router, "GET", &format!("{path}/orders?page_size=1"), None).await;
    assert_eq!(
        (&orders["orders"][0]["event"], &orders["orders"][0]["price"], &orders["next_page_token"]),
        (&json!("submitted"), &json!(1.05), &json!("1"))
    );
    let (_, rest) = ask(&router, "GET", &format!("{path}/orders?page_size=1&page_token=1"), None).await;
    assert_eq!((&rest["orders"][0]["event"], rest.get("next_page_token")), (&json!("expired"), None));
    let (_, margin) = ask(&router, "GET", &format!("{path}/margin"), None).await;
    assert_eq!(
        margin["margin"],
        json!([{"time": "2024-03-08T00:00:00Z", "cause": "stop_out", "equity": 50.0, "used_margin": 200.0,
            "level_pct": 25.0, "currency": record.config.account.currency.code()}])
    );
    let read = async |part: &str, accept: &str| {
        let request = Request::builder().uri(format!("{path}/{part}")).header("X-API-Key", "client-key");
        send(&router, request.header("Accept", accept).body(Body::empty()).unwrap()).await
    };
    let (response, text) = read("equity", "application/vnd.apache.parquet").await;
    assert_eq!(response.headers()["content-type"], "application/vnd.apache.parquet");
    assert!(text.starts_with("PAR1"));
    let (response, text) = read("report", "*/*").await;
    assert!(
        response.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'")
    );
    assert_eq!(
        (&response.headers()["x-content-type-options"], text.as_str()),
        (&"nosniff".parse().unwrap(), "<p>sheet</p>")
    );
    let (_, compared) =
        ask(&router, "GET", &format!("/api/v1/analysis/compare?strategy_ids={}", record.strategy_id), None)
            .await;
    assert!(
        compared["metrics_comparison"]["net_profit"][record.strategy_id.as_str()].is_number(),
        "{compared}"
    );
    let (status, _) = ask(&router, "GET", &format!("/api/v1/analysis/performance/{}", record.id), None).await;
    assert_eq!(status, StatusCode::OK);
}

#[test]
fn the_document_is_as_reviewed() {
    let document = serde_json::to_string_pretty(&fx_http::openapi()).unwrap();
    insta::assert_snapshot!("openapi", document);
}
