//! Calls of one peer over HTTP.

use crate::PeersError;
use crate::breaker::Breaker;
use backon::{ExponentialBuilder, Retryable};
use fx_app::peers::{ClientPolicy, PeerEndpoint, Secret};
use fx_app::ports::{Clock, PeerError};
use reqwest::header::HeaderValue;
use reqwest::{Response, StatusCode, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of an answer, at most.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Time for one question with all its repetitions: the deadline of a call through the gateway.
const QUESTION_TIME_MAX: Duration = Duration::from_secs(25);
/// Delay between two repetitions, at most.
const RETRY_DELAY_MAX: Duration = Duration::from_secs(5);

/// The connection pool that all peers share: no redirects, no proxy from the environment, roots from the binary.
pub(crate) fn pool(policy: &ClientPolicy) -> Result<reqwest::Client, PeersError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(PeersError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(policy.timeout)
        .build()
        .map_err(PeersError::Client)
}

/// One peer.
pub(crate) struct PeerClient {
    peer: &'static str,
    base: String,
    key: Option<HeaderValue>,
    pool: reqwest::Client,
    policy: ClientPolicy,
    breaker: Breaker,
}

/// One call that failed.
enum Failure {
    /// It may pass: no connection, no answer in time, an answer of 5xx or 429.
    Transient(PeerError),
    /// What came is not an answer: too large, malformed, a redirect.
    Broken(PeerError),
    /// The peer works and refuses the request.
    Refused(PeerError),
}

impl Failure {
    fn into_error(self) -> PeerError {
        match self {
            Self::Transient(error) | Self::Broken(error) | Self::Refused(error) => error,
        }
    }
}

impl PeerClient {
    pub(crate) fn new(
        endpoint: &PeerEndpoint,
        pool: reqwest::Client,
        policy: ClientPolicy,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PeersError> {
        let peer = endpoint.peer.name();
        let key = endpoint.key.as_ref().map(Secret::expose).map(HeaderValue::from_str).transpose();
        let mut key = key.map_err(|_| PeersError::Key { peer })?;
        if let Some(key) = &mut key {
            key.set_sensitive(true);
        }
        let base = endpoint.url.trim_end_matches('/').to_owned();
        Ok(Self { peer, base, key, pool, policy, breaker: Breaker::new(policy.breaker, clock) })
    }

    /// Posts a question: a call that changes nothing at the peer. It is repeated after what may pass, so this must never
    /// carry an order.
    pub(crate) async fn ask<Q, A>(&self, path: &str, question: &Q) -> Result<A, PeerError>
    where
        Q: Serialize + Sync,
        A: DeserializeOwned,
    {
        let backoff = ExponentialBuilder::new()
            .with_min_delay(self.policy.retry_base_delay)
            .with_factor(self.policy.retry_backoff_factor)
            .with_max_delay(RETRY_DELAY_MAX.max(self.policy.retry_base_delay))
            .with_max_times(self.policy.retries_max)
            .with_jitter();
        let answer = (|| self.call(path, question))
            .retry(backoff)
            .when(|failure| matches!(failure, Failure::Transient(_)));
        match tokio::time::timeout(QUESTION_TIME_MAX, answer).await {
            Ok(answered) => answered.map_err(Failure::into_error),
            Err(_) => Err(PeerError::Timeout { peer: self.peer }),
        }
    }

    async fn call<Q, A>(&self, path: &str, question: &Q) -> Result<A, Failure>
    where
        Q: Serialize + Sync,
        A: DeserializeOwned,
    {
        if !self.breaker.admits() {
            return Err(Failure::Refused(PeerError::BreakerOpen { peer: self.peer }));
        }
        let mut request = self.pool.post(format!("{}{path}", self.base)).json(question);
        if let Some(key) = &self.key {
            request = request.header("x-api-key", key.clone());
        }
        let answered = match request.send().await {
            Ok(response) => self.read(response).await,
            Err(error) => Err(self.transport(&error)),
        };
        match &answered {
            Ok(_) | Err(Failure::Refused(_)) => self.breaker.succeeded(),
            Err(Failure::Transient(_) | Failure::Broken(_)) => self.breaker.failed(),
        }
        answered
    }

    async fn read<A: DeserializeOwned>(&self, mut response: Response) -> Result<A, Failure> {
        let status = response.status();
        if !status.is_success() {
            return Err(self.refusal(status));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.transport(&error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                let reason = format!("its answer is larger than {ANSWER_BYTES_MAX} bytes");
                return Err(Failure::Broken(self.failed(reason)));
            }
            body.extend_from_slice(&chunk);
        }
        // Line and column locate the fault; the text itself may hold what belongs in no log.
        serde_json::from_slice(&body).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            Failure::Broken(self.failed(format!("its answer does not have the agreed form ({place})")))
        })
    }

    fn refusal(&self, status: StatusCode) -> Failure {
        let code = status.as_u16();
        if status.is_redirection() {
            Failure::Broken(self.failed(format!("it answered {code}, and redirects are not followed")))
        } else if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            Failure::Transient(self.failed(format!("it answered {code}")))
        } else {
            Failure::Refused(self.failed(format!("it answered {code}")))
        }
    }

    fn transport(&self, error: &reqwest::Error) -> Failure {
        Failure::Transient(if error.is_timeout() {
            PeerError::Timeout { peer: self.peer }
        } else if error.is_connect() {
            self.failed("it cannot be reached".to_owned())
        } else {
            self.failed("the connection broke off".to_owned())
        })
    }

    fn failed(&self, reason: String) -> PeerError {
        PeerError::Failed { peer: self.peer, reason }
    }
}
