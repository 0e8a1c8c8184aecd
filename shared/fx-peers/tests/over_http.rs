//! The clients against a server on this machine.

#![allow(clippy::unwrap_used)]

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use fx_app::Services;
use fx_app::peers::{BreakerPolicy, ClientPolicy, Peer, PeerEndpoint, PeerSettings, RiskLimits, Secret};
use fx_app::ports::{Clock, HealthStatus, PeerError, RiskAnswer, RiskRequest};
use fx_domain::{
    Instrument, Money, NANOS_PER_SECOND, Price, ProtectiveLevels, Side, StrategyId, Units, UnixNanos,
};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A clock that is set by hand.
#[derive(Default)]
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> UnixNanos {
        UnixNanos::new(self.0.load(Ordering::SeqCst))
    }
}

/// A peer whose answers are made by a function of the call's number, from 1.
struct Scene {
    peers: Services,
    clock: Arc<HandClock>,
    calls: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    url: String,
}

const POLICY: ClientPolicy = ClientPolicy {
    timeout: Duration::from_secs(20),
    retries_max: 2,
    retry_base_delay: Duration::ZERO,
    retry_backoff_factor: 1.0,
    breaker: BreakerPolicy { threshold: 100, reset: Duration::from_secs(30) },
};

async fn listen(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn peers_at(peer: Peer, url: &str, policy: ClientPolicy, clock: Arc<HandClock>) -> Services {
    let endpoint = PeerEndpoint { peer, url: url.to_owned(), key: Some(Secret::new("peer-key")) };
    assert!(!format!("{endpoint:?}").contains("peer-key"));
    let settings = PeerSettings { endpoints: vec![endpoint], client: policy, limits: RiskLimits::default() };
    fx_peers::connect(&settings, clock).unwrap()
}

async fn scene(
    policy: ClientPolicy,
    answer: impl Fn(usize) -> Response + Clone + Send + Sync + 'static,
) -> Scene {
    let (calls, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (counted, kept) = (calls.clone(), seen.clone());
    let check = post(move |headers: HeaderMap, body: Bytes| async move {
        kept.lock().unwrap().push((headers, serde_json::from_slice(&body).unwrap()));
        answer(counted.fetch_add(1, Ordering::SeqCst) + 1)
    });
    let url = listen(Router::new().route("/base/api/v1/risk/check", check)).await + "/base";
    let clock = Arc::new(HandClock::default());
    let peers = peers_at(Peer::RiskManagement, &url, policy, clock.clone());
    Scene { peers, clock, calls, seen, url }
}

impl Scene {
    async fn check(&self) -> Result<RiskAnswer, PeerError> {
        self.peers.risk.check(&request()).await
    }

    /// Why a check failed, after how many calls.
    async fn failure(&self) -> (String, usize) {
        let error = self.check().await.unwrap_err().to_string();
        assert!(!error.contains(&self.url) && !error.contains("peer-key"), "{error}");
        (error, self.calls.load(Ordering::SeqCst))
    }
}

fn request() -> RiskRequest {
    RiskRequest {
        instrument: Instrument::parse("EUR/USD").unwrap(),
        side: Side::Short,
        units: Units::new(10_000),
        entry_price: Price::parse("1.08005").unwrap(),
        protect: ProtectiveLevels {
            stop_loss: Price::parse("1.085"),
            take_profit: None,
            trailing_distance: None,
        },
        account_balance: Money::from_micros(10_000_500_000, "USD".parse().unwrap()),
        strategy_id: StrategyId::parse("ma-cross").unwrap(),
    }
}

fn approval() -> Response {
    Json(json!({"is_valid": true, "reason": "ok", "risk_percentage": "0.5", "max_loss": 50})).into_response()
}

#[tokio::test]
async fn a_check_is_asked_and_answered_in_the_agreed_form() {
    let scene = scene(POLICY, |_| approval()).await;
    assert_eq!(scene.check().await.unwrap(), RiskAnswer { is_valid: true, reason: "ok".to_owned() });
    let seen = scene.seen.lock().unwrap();
    let expected = json!({
        "symbol": "EUR/USD", "direction": "short", "size": 10000, "entry_price": 1.08005, "stop_loss": 1.085,
        "account_balance": 10000.5, "strategy_id": "ma-cross",
    });
    assert_eq!(seen[0].1, expected);
    assert_eq!(seen[0].0["x-api-key"], "peer-key");
}

#[tokio::test]
async fn a_refusal_is_an_answer() {
    let scene = scene(POLICY, |_| Json(json!({"is_valid": false, "reason": null})).into_response()).await;
    let answer = RiskAnswer { is_valid: false, reason: "the risk service gave no reason".to_owned() };
    assert_eq!(scene.check().await.unwrap(), answer);
}

#[tokio::test]
async fn what_may_pass_is_tried_again_as_often_as_the_policy_says() {
    let recovers = scene(POLICY, |call| match call {
        1 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        2 => StatusCode::TOO_MANY_REQUESTS.into_response(),
        _ => approval(),
    });
    assert!(recovers.await.check().await.unwrap().is_valid);
    let broken =
        scene(POLICY, |_| (StatusCode::INTERNAL_SERVER_ERROR, "at 10.0.0.7: secret").into_response()).await;
    assert_eq!(broken.failure().await, ("risk_management failed: it answered 500".to_owned(), 3));
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    let refuses = scene(POLICY, |_| StatusCode::UNAUTHORIZED.into_response()).await;
    assert_eq!(refuses.failure().await, ("risk_management failed: it answered 401".to_owned(), 1));
    let forms = [
        "",
        "approved",
        "{}",
        r#"{"is_valid": "true"}"#,
        r#"{"is_valid": null}"#,
        r#"{"is_valid": true, "max_loss": "much"}"#,
    ];
    for form in forms {
        let garbles = scene(POLICY, move |_| form.into_response()).await;
        let (error, calls) = garbles.failure().await;
        assert!(
            error.starts_with("risk_management failed: its answer does not have the agreed form"),
            "{form}: {error}"
        );
        assert_eq!(calls, 1);
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_is_not_read() {
    let large =
        scene(POLICY, |_| Json(json!({"is_valid": true, "reason": "x".repeat(64 * 1024)})).into_response())
            .await;
    let said = "risk_management failed: its answer is larger than 65536 bytes";
    assert_eq!(large.failure().await, (said.to_owned(), 1));
}

#[tokio::test]
async fn a_redirect_is_refused_and_the_key_goes_nowhere_else() {
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = visits.clone();
    let elsewhere = listen(Router::new().fallback(move || async move {
        counted.fetch_add(1, Ordering::SeqCst);
    }));
    let elsewhere = elsewhere.await;
    let redirects = scene(POLICY, move |_| {
        (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, elsewhere.clone())]).into_response()
    });
    let said = "risk_management failed: it answered 307, and redirects are not followed";
    assert_eq!(redirects.await.failure().await, (said.to_owned(), 1));
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn silence_is_a_timeout_and_a_closed_port_a_failure() {
    let silent = Router::new().fallback(std::future::pending::<()>);
    let policy = ClientPolicy { timeout: Duration::from_millis(50), retries_max: 1, ..POLICY };
    let peers = peers_at(Peer::RiskManagement, &listen(silent).await, policy, Arc::default());
    let error = peers.risk.check(&request()).await.unwrap_err();
    assert!(matches!(error, PeerError::Timeout { peer: "risk_management" }), "{error}");

    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let error = peers_at(Peer::RiskManagement, &url, POLICY, Arc::default()).risk.check(&request()).await;
    assert_eq!(error.unwrap_err().to_string(), "risk_management failed: it cannot be reached");
}

#[tokio::test]
async fn a_peer_that_fails_in_a_row_is_left_alone_until_a_trial_succeeds() {
    let breaker = BreakerPolicy { threshold: 2, reset: Duration::from_secs(30) };
    let policy = ClientPolicy { retries_max: 0, breaker, ..POLICY };
    let scene =
        scene(policy, |call| if call <= 3 { StatusCode::BAD_GATEWAY.into_response() } else { approval() })
            .await;
    let open = "risk_management is not asked: it failed too often lately".to_owned();
    assert_eq!(scene.failure().await.1, 1);
    assert_eq!(scene.failure().await.1, 2);
    assert_eq!(scene.failure().await, (open.clone(), 2));
    scene.clock.0.store(30 * NANOS_PER_SECOND, Ordering::SeqCst);
    assert_eq!(scene.failure().await, ("risk_management failed: it answered 502".to_owned(), 3));
    assert_eq!(scene.failure().await, (open, 3));
    scene.clock.0.store(60 * NANOS_PER_SECOND, Ordering::SeqCst);
    assert!(scene.check().await.unwrap().is_valid);
    assert!(scene.check().await.unwrap().is_valid);
}

#[tokio::test]
async fn a_probe_says_how_a_peer_does_and_not_where_it_is() {
    let health = get(|| async { "{}" });
    let url = listen(Router::new().route("/health", health)).await;
    let ask = |peer: Peer, url: String| async move {
        let peers = peers_at(peer, &url, POLICY, Arc::default());
        let probe = peers.probes.iter().find(|probe| probe.name() == peer.name()).unwrap().check().await;
        (probe.status, probe.message)
    };
    let well = (HealthStatus::Healthy, "over HTTP: answered 200 in 0 ms".to_owned());
    assert_eq!(ask(Peer::RiskManagement, url.clone()).await, well);
    let uncalled = "over HTTP: answered 404 in 0 ms; nothing but this probe calls it yet".to_owned();
    assert_eq!(
        ask(Peer::FeatureStore, format!("{url}/elsewhere")).await,
        (HealthStatus::Unhealthy, uncalled)
    );
}

#[tokio::test]
async fn without_urls_every_peer_says_what_stands_in_for_it() {
    let settings = PeerSettings { endpoints: Vec::new(), client: POLICY, limits: RiskLimits::default() };
    let peers = fx_peers::connect(&settings, Arc::new(HandClock::default())).unwrap();
    let mut said = Vec::new();
    for probe in &peers.probes {
        let health = probe.check().await;
        assert_eq!(health.status, HealthStatus::Healthy);
        said.push((probe.name(), health.message));
    }
    let names: Vec<_> = said.iter().map(|(name, _)| *name).collect();
    let expected = [
        "analysis_engine",
        "feature_store",
        "trading_gateway",
        "risk_management",
        "portfolio_management",
        "monitoring",
        "backtester",
    ];
    assert_eq!(names, expected);
    assert_eq!(said[3].1, "embedded limits: at most 1000000 units, 30 × equity, 2% of it lost at the stop");
    assert!(peers.risk.check(&request()).await.unwrap().is_valid);
}
