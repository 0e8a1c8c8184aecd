//! DynamoDB, S3 and SQS adapters of the ports.
//!
//! Strategies, the series catalogue and the summaries of runs lie in one table with string keys `pk` and `sk`; bars and
//! result files lie in one bucket under their keys; messages about jobs travel over a queue. The items of the table:
//!
//! | item | `pk` | `sk` | beside `schema` |
//! | --- | --- | --- | --- |
//! | strategy version | `STRATEGY#{id}` | `VERSION#{digest}` | `body` |
//! | which is the latest | `STRATEGY#{id}` | `HEAD` | `latest`, `owner`, `deleted` |
//! | versions in order | `STRATEGY#{id}#VERSIONS` | `-{time}-{digest}` | `latest` |
//! | an owner's strategies | `OWNER#{owner}#STRATEGIES` | `-{id}` | `latest` |
//! | series version | `SERIES#{key}` | `VERSION#{digest}` | `body` |
//! | all series, and the latest of each | `SERIES` | `-{key}` | `latest` |
//! | backtest, execution | `BACKTEST#{id}`, `EXECUTION#{id}` | `RECORD` | `body` |
//! | an owner's runs, of all strategies or one | `OWNER#{owner}#BACKTEST`, `…#{strategy}` | `-{time}-{id}` | `latest` |
//! | job | `JOB#{id}` | `META` | `epoch`, `revision`, `expires`, `body` |
//! | chunk of a submission of it | `JOB#{id}` | `CHUNK#{epoch}#{index}` | `epoch`, `revision`, `expires`, `body` |
//! | all open jobs, an owner's | `JOBS#OPEN#{shard}`, `OWNER#{owner}#JOBS#OPEN` | `-{time}-{id}` | `latest`, `expires` |
//!
//! Invariants:
//! - Every read is consistent; an entry and its places in lists are written by one transaction, so no index lags behind.
//! - A list is a partition of its own, in the list's order: a page token is the sort key that was seen last, and whatever a
//!   client makes of it is a position in that partition and nowhere else.
//! - Bodies are read by their immutable keys; what a list or a head names but is not there is reported as broken.
//!
//! A role that reads needs `dynamodb:GetItem`, `BatchGetItem` and `Query`, and `s3:GetObject` and `ListBucket`; one that
//! writes also `dynamodb:PutItem`, `UpdateItem` and (strategies and jobs only) `DeleteItem`, and `s3:PutObject`; one that
//! sends messages `sqs:SendMessage`, one that takes them `ReceiveMessage` and `DeleteMessage`, one that counts them
//! `GetQueueAttributes`.
//!
//! Nothing here removes what has `expires` (seconds since 1970): that is the table's time to live.
//!
//! What this crate must not know: routes, the environment (beside what the AWS SDK itself reads), what the records mean.

#[cfg(test)]
mod answers;
mod body;
mod bucket;
mod catalog;
mod error;
mod jobs;
pub mod provision;
mod queue;
mod runs;
mod strategies;
mod table;

pub use error::AwsError;

use aws_config::{BehaviorVersion, timeout::TimeoutConfig};
use fx_app::Stores;
use fx_app::ports::{Health, HealthProbe, HealthStatus, JobQueue, JobStore};
use fx_app::records::{BacktestRecord, ExecutionRecord};
use std::sync::Arc;
use std::time::{Duration, Instant};
use table::Table;

/// To reach an endpoint.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// To the first byte of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// One DynamoDB call with its retries: well inside the deadline of one request to the platform.
const TABLE_CALL_TIMEOUT: Duration = Duration::from_secs(12);

/// Where the platform keeps its data. Credentials, region and endpoints are what the SDK finds in its own environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsSettings {
    /// The DynamoDB table.
    pub table: String,
    /// The S3 bucket.
    pub bucket: String,
    /// The address of the SQS queue of messages about jobs; none where nobody sends or takes any.
    pub queue: Option<String>,
    /// Another endpoint than AWS for all, such as an emulator's `http://127.0.0.1:4566`. With one, from here or from the
    /// SDK's environment, buckets are addressed by path: an emulator has no name per bucket.
    pub endpoint: Option<String>,
}

/// The ports over one table, one bucket and one queue. Clones share the connections.
#[derive(Clone)]
pub struct Aws {
    /// All but those of jobs.
    pub stores: Stores,
    /// Jobs and their chunks.
    pub jobs: Arc<dyn JobStore>,
    /// Messages about them, if the settings name a queue.
    pub queue: Option<Arc<dyn JobQueue>>,
    table: Arc<Table>,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
    bucket: String,
}

impl Aws {
    /// Builds the clients; no call is made, so that a start does not depend on the network.
    pub async fn connect(settings: AwsSettings) -> Self {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT);
        let mut loader =
            aws_config::defaults(BehaviorVersion::v2026_01_12()).timeout_config(timeouts.clone().build());
        if let Some(endpoint) = settings.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        let shared = loader.load().await;
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&shared)
            .timeout_config(timeouts.operation_timeout(TABLE_CALL_TIMEOUT).build());
        // A call that waits for a message is answered when its wait is over.
        let sqs = aws_sdk_sqs::config::Builder::from(&shared).timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(queue::POLL_MAX + READ_TIMEOUT)
                .build(),
        );
        let sqs = aws_sdk_sqs::Client::from_conf(sqs.build());
        let s3 = aws_sdk_s3::config::Builder::from(&shared)
            .force_path_style(shared.endpoint_url().is_some())
            .build();
        let s3 = aws_sdk_s3::Client::from_conf(s3);
        let client = aws_sdk_dynamodb::Client::from_conf(dynamodb.build());
        let table = Arc::new(Table::new(client, settings.table));
        let stores = Stores {
            strategies: Arc::new(strategies::DynamoStrategies(Arc::clone(&table))),
            series: Arc::new(catalog::DynamoCatalog(Arc::clone(&table))),
            features: Arc::new(catalog::DynamoCatalog(Arc::clone(&table))),
            backtests: Arc::new(runs::DynamoRuns::<BacktestRecord>::new(Arc::clone(&table))),
            executions: Arc::new(runs::DynamoRuns::<ExecutionRecord>::new(Arc::clone(&table))),
            blobs: Arc::new(bucket::Bucket::new(s3.clone(), settings.bucket.clone())),
            probe: Arc::new(TableProbe(Arc::clone(&table))),
        };
        let jobs = Arc::new(jobs::DynamoJobs(Arc::clone(&table)));
        let queue = settings.queue.map(|url| Arc::new(queue::SqsQueue::new(sqs.clone(), url)) as _);
        Self { stores, jobs, queue, table, s3, sqs, bucket: settings.bucket }
    }
}

struct TableProbe(Arc<Table>);

#[async_trait::async_trait]
impl HealthProbe for TableProbe {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Health {
        let asked = Instant::now();
        // Reads a key that is never written: needs no other permission than the adapters have.
        match self.0.get("HEALTH", "HEALTH").await {
            Ok(_) => {
                let message = format!(
                    "DynamoDB table {} answered in {} ms",
                    self.0.name(),
                    asked.elapsed().as_millis()
                );
                Health { status: HealthStatus::Healthy, message }
            }
            Err(error) => Health { status: HealthStatus::Unhealthy, message: error::chain(&error) },
        }
    }
}
