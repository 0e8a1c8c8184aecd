//! The AWS adapters pass the contract suite against the emulator at `AWS_ENDPOINT_URL`.
//!
//! The suite needs no clean emulator and leaves what it wrote. Without the variable it is left out, except where `CI` is set.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use fx_app::ports::{BlobKey, HealthStatus, JobQueue, StoreError};
use fx_aws::{Aws, AwsSettings, provision};
use fx_domain::Digest;
use fx_testkit::contract;
use fx_testkit::fixtures::{FRIDAY, backtest, eur_usd, principal, series_key, strategy_version, unique_name};
use std::sync::Arc;
use std::time::Duration;

const ENDPOINT: &str = "AWS_ENDPOINT_URL";
const VISIBILITY: Duration = Duration::from_secs(2);

fn settings(endpoint: &str) -> AwsSettings {
    AwsSettings {
        table: "contract-suite".to_owned(),
        bucket: "contract-suite".to_owned(),
        queue: None,
        endpoint: Some(endpoint.to_owned()),
    }
}

async fn emulator() -> Option<Aws> {
    let Ok(endpoint) = std::env::var(ENDPOINT) else {
        assert!(std::env::var_os("CI").is_none(), "{ENDPOINT} must name an emulator where CI is set");
        println!("left out: {ENDPOINT} names no emulator");
        return None;
    };
    let aws = Aws::connect(settings(&endpoint)).await;
    provision::create_table_and_bucket(&aws).await.unwrap();
    Some(aws)
}

#[tokio::test(flavor = "multi_thread")]
async fn strategies() {
    if let Some(aws) = emulator().await {
        contract::strategy_store(&aws.stores.strategies).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn series() {
    if let Some(aws) = emulator().await {
        contract::catalog(&aws.stores.series).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn features() {
    if let Some(aws) = emulator().await {
        contract::catalog(&aws.stores.features).await;
        contract::feature_store(&fx_store::files(&aws.stores).features).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backtests() {
    if let Some(aws) = emulator().await {
        contract::backtest_store(&aws.stores.backtests).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn executions() {
    if let Some(aws) = emulator().await {
        contract::execution_store(&aws.stores.executions).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn results() {
    if let Some(aws) = emulator().await {
        contract::result_store(&fx_store::files(&aws.stores).results).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs() {
    if let Some(aws) = emulator().await {
        contract::blob_store(&aws.stores.blobs).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs() {
    if let Some(aws) = emulator().await {
        contract::job_store(&aws.jobs).await;
    }
}

/// A queue of its own, whose messages are hidden as briefly as whole seconds allow.
async fn new_queue() -> Option<(Arc<dyn JobQueue>, String)> {
    let aws = emulator().await?;
    let url = provision::create_queue(&aws, &unique_name(), VISIBILITY).await.unwrap();
    let settings = AwsSettings { queue: Some(url.clone()), ..settings(&std::env::var(ENDPOINT).unwrap()) };
    Some((Aws::connect(settings).await.queue.unwrap(), url))
}

#[tokio::test(flavor = "multi_thread")]
async fn messages() {
    if let Some((queue, _)) = new_queue().await {
        contract::job_queue(&queue, VISIBILITY, tokio::time::sleep).await;
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_dropped() {
    if let Some((queue, url)) = new_queue().await {
        let endpoint = std::env::var(ENDPOINT).unwrap();
        let credentials = aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "test");
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(aws_sdk_sqs::config::BehaviorVersion::v2026_01_12())
            .region(aws_sdk_sqs::config::Region::new("us-east-1"))
            .credentials_provider(credentials)
            .endpoint_url(endpoint);
        let client = aws_sdk_sqs::Client::from_conf(config.build());
        for body in ["{", r#"{"do":"dance"}"#, r#"{"do":"plan","job":"a b","epoch":1}"#] {
            client.send_message().queue_url(&url).message_body(body).send().await.unwrap();
        }
        assert_eq!(queue.depth().await.unwrap(), 3);
        let taken = queue.receive(10, VISIBILITY).await.unwrap();
        assert_eq!(taken, []);
        tokio::time::sleep(VISIBILITY).await;
        assert_eq!(queue.depth().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn provisioning_twice_changes_nothing_and_the_probe_is_healthy() {
    if let Some(aws) = emulator().await {
        provision::create_table_and_bucket(&aws).await.unwrap();
        let health = aws.stores.probe.check().await;
        assert_eq!(
            (aws.stores.probe.name(), health.status),
            ("database", HealthStatus::Healthy),
            "{}",
            health.message
        );
    }
}

#[tokio::test]
async fn a_record_that_no_item_can_hold_is_too_large() {
    if let Some(aws) = emulator().await {
        let mut version = strategy_version(&principal(&unique_name()), "s", &"x".repeat(400 * 1024), FRIDAY);
        let refused = aws.stores.strategies.put(&version).await;
        assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
        assert_eq!(aws.stores.strategies.latest(&version.id).await.unwrap(), None);
        // The largest that is accepted here must be accepted by the table too, with every key and name beside it.
        let overhead = serde_json::to_string(&version).unwrap().len() - version.source.len();
        version.source = "x".repeat(392 * 1024 - overhead);
        aws.stores.strategies.put(&version).await.unwrap();
        assert_eq!(aws.stores.strategies.latest(&version.id).await.unwrap(), Some(version));
    }
}

#[tokio::test]
async fn a_record_that_json_cannot_hold_is_refused() {
    if let Some(aws) = emulator().await {
        let mut record = backtest(&principal("nan"), "s", "1", FRIDAY);
        record.report.sharpe_ratio = Some(f64::NAN);
        let refused = aws.stores.backtests.put(&record).await;
        assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn a_missing_table_or_bucket_is_unavailable_never_empty() {
    if let (Some(_), Ok(endpoint)) = (emulator().await, std::env::var(ENDPOINT)) {
        let missing = AwsSettings {
            table: "no-such-table".to_owned(),
            bucket: "no-such-bucket".to_owned(),
            ..settings(&endpoint)
        };
        let aws = Aws::connect(missing).await;
        let unavailable = |error: Option<StoreError>| matches!(error, Some(StoreError::Unavailable { .. }));
        let version = strategy_version(&principal("ann"), "s", "pass", FRIDAY);
        assert!(unavailable(aws.stores.strategies.put(&version).await.err()));
        assert!(unavailable(aws.stores.strategies.latest(&version.id).await.err()));
        assert!(unavailable(aws.stores.series.latest(&series_key("default", eur_usd())).await.err()));
        assert!(unavailable(aws.stores.series.list(&Default::default()).await.err()));
        let key = BlobKey::parse(&format!("x/{}", Digest::of(b"x"))).unwrap();
        assert!(unavailable(aws.stores.blobs.get(&key).await.err()));
        assert!(unavailable(aws.stores.blobs.put(&key, "x".into()).await.err()));
        assert_eq!(aws.stores.probe.check().await.status, HealthStatus::Unhealthy);
    }
}
