//! What a host decides about the API.

use fx_app::ports::Clock;
use fx_app::{Caller, Reach};
use fx_domain::{Digest, InvalidId, Principal};
use http::HeaderValue;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Bytes of a request's body, at most.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// A request that takes longer is answered 504: the gateway in front gives up at 30 s.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(29);

/// Renders the metrics in Prometheus' text form.
pub type MetricsRenderer = Arc<dyn Fn() -> String + Send + Sync>;

/// What a host decides about the API.
#[derive(Clone)]
pub struct ApiSettings {
    /// The time in answers: the clock of the use-cases.
    pub clock: Arc<dyn Clock>,
    /// Who may call.
    pub keys: Keys,
    /// Origins that browsers may call from; `*` is any.
    pub cors_origins: Vec<HeaderValue>,
    /// Renders `/metrics`; without it the route does not exist.
    pub metrics: Option<MetricsRenderer>,
}

impl ApiSettings {
    /// No keys, no other origins, no metrics.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, keys: Keys::default(), cors_origins: Vec::new(), metrics: None }
    }
}

impl fmt::Debug for ApiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiSettings")
            .field("keys", &self.keys)
            .field("cors_origins", &self.cors_origins)
            .field("metrics", &self.metrics.is_some())
            .finish_non_exhaustive()
    }
}

/// The keys that open the API. Without any, everybody is the principal `local` and sees everything: the host then binds
/// the loopback address only.
#[derive(Clone, Default)]
pub struct Keys(Vec<Key>);

#[derive(Clone)]
struct Key {
    digest: Digest,
    caller: Caller,
}

impl Keys {
    /// `api_key` opens the API for the principal `client`, which sees its own objects; `service_key` for the principal
    /// `service`, which sees everybody's.
    ///
    /// # Errors
    /// Never with the principals above; the type is that of [`Principal::parse`].
    pub fn new(api_key: Option<&str>, service_key: Option<&str>) -> Result<Self, InvalidId> {
        let mut keys = Vec::new();
        for (text, principal, reach) in
            [(api_key, "client", Reach::Own), (service_key, "service", Reach::All)]
        {
            if let Some(text) = text {
                let caller = Caller::new(Principal::parse(principal)?, reach);
                keys.push(Key { digest: Digest::of(text.as_bytes()), caller });
            }
        }
        Ok(Self(keys))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose key `given` is. Every key is compared, by digest, in a time that does not depend on where they differ.
    pub(crate) fn caller(&self, given: &[u8]) -> Option<&Caller> {
        let given = Digest::of(given);
        let mut found = None;
        for key in &self.0 {
            if bool::from(key.digest.as_bytes().ct_eq(given.as_bytes())) {
                found = Some(&key.caller);
            }
        }
        found
    }
}

/// Says how many, never which.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

/// Routes that one function owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteGroup {
    /// Strategies.
    Registration,
    /// Backtests, their analysis, data sets.
    Backtesting,
    /// Executions.
    Execution,
    /// `/`, health, metrics, OpenAPI. On Lambda they belong to the registration function, behind the default route.
    Platform,
}

impl RouteGroup {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Registration, Self::Backtesting, Self::Execution, Self::Platform];

    /// `registration`, `backtesting`, `execution`, `platform`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Backtesting => "backtesting",
            Self::Execution => "execution",
            Self::Platform => "platform",
        }
    }
}

/// Which groups a process serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSet(BTreeSet<RouteGroup>);

impl RouteSet {
    /// Every group: one process serves everything.
    #[must_use]
    pub fn all() -> Self {
        Self::of(RouteGroup::ALL)
    }

    /// These groups.
    #[must_use]
    pub fn of(groups: impl IntoIterator<Item = RouteGroup>) -> Self {
        Self(groups.into_iter().collect())
    }

    pub(crate) fn has(&self, group: RouteGroup) -> bool {
        self.0.contains(&group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_opens_its_own_principal_and_no_other_text_opens_any() {
        let keys = Keys::new(Some("alpha"), Some("beta")).unwrap();
        let principal =
            |text: &str| keys.caller(text.as_bytes()).map(|caller| caller.principal().to_string());
        assert_eq!(principal("alpha").as_deref(), Some("client"));
        assert_eq!(principal("beta").as_deref(), Some("service"));
        for wrong in ["", "alph", "alphaa", "ALPHA", "gamma"] {
            assert_eq!(principal(wrong), None, "{wrong}");
        }
        assert!(!format!("{keys:?}").contains("alpha"));
    }
}
