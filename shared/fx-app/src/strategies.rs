//! Register, list, get, delete strategies.

use crate::ports::{Page, PageRequest, Put};
use crate::records::{Causality, Parameters, RECORD_SCHEMA, StrategyVersion};
use crate::validation::Candidate;
use crate::{App, Caller, errors};
use fx_domain::{
    Digest, DigestBuilder, ErrorKind, Granularity, Instrument, PlatformError, PlatformResult, StrategyId,
};
use fx_engine::Track;
use fx_strategy::{Compiled, Plan};

/// Characters of a strategy's name, at most.
pub const NAME_LENGTH_MAX: usize = 200;
/// Characters of a strategy's description, at most.
pub const DESCRIPTION_LENGTH_MAX: usize = 4_000;
/// Pairs of one strategy, at most.
pub const INSTRUMENTS_MAX: usize = 28;

/// A strategy to be registered.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// Its name: the same caller and name is the same strategy.
    pub name: String,
    /// What it is for; the source's docstring when absent.
    pub description: Option<String>,
    /// The pairs it trades.
    pub instruments: Vec<Instrument>,
    /// The bars it sees.
    pub timeframe: Granularity,
    /// Overrides of the source's parameters.
    pub parameters: Parameters,
    /// The source.
    pub code: String,
}

/// The digest of all that decides what a strategy does.
pub(crate) fn version_digest(
    source: &str,
    parameters: &Parameters,
    instruments: &[Instrument],
    timeframe: Granularity,
) -> Digest {
    let mut digest = DigestBuilder::new("strategy-version").part(source.as_bytes());
    for (name, value) in parameters {
        digest = digest.part(name.as_bytes()).part(format!("{value:?}").as_bytes());
    }
    for instrument in instruments {
        digest = digest.part(instrument.key().as_bytes());
    }
    digest.part(timeframe.as_str().as_bytes()).finish()
}

impl App {
    /// Compiles a strategy, shows that it does not look ahead, and stores it as a new version.
    ///
    /// # Errors
    /// `StrategyConfigurationError` with every diagnostic when the source or a field is wrong, and when a decision is
    /// found to depend on later bars.
    #[tracing::instrument(skip_all, fields(strategy.name = %request.name))]
    pub async fn register_strategy(
        &self,
        caller: &Caller,
        request: Registration,
    ) -> PlatformResult<StrategyVersion> {
        check_registration(&request)?;
        let candidate = Candidate::from(&request);
        let (compiled, causality) = off_thread(move || admit(&candidate)).await??;
        let Registration { name, description, instruments, timeframe, parameters, code } = request;
        let version = StrategyVersion {
            schema: RECORD_SCHEMA,
            id: StrategyId::of(caller.principal(), &name),
            version: version_digest(&code, &parameters, &instruments, timeframe),
            owner: caller.principal().clone(),
            name,
            description: description.or(compiled.description),
            instruments,
            timeframe,
            parameters,
            source: code,
            plan_hash: compiled.plan.hash(),
            causality: Some(causality),
            created_at: self.clock.now(),
        };
        let put = self.strategies.put(&version).await.map_err(errors::store)?;
        tracing::info!(strategy.id = %version.id, strategy.version = %version.version, new = (put == Put::Created), "strategy registered");
        Ok(version)
    }

    /// A page of the caller's strategies; the first page begins with the library.
    ///
    /// # Errors
    /// `ServiceError` when the store fails.
    pub async fn list_strategies(
        &self,
        caller: &Caller,
        page: &PageRequest,
    ) -> PlatformResult<Page<StrategyVersion>> {
        let mut found = self.strategies.list(caller.principal(), page).await.map_err(errors::store)?;
        if page.after.is_none() {
            found.items.splice(0..0, self.library().entries().cloned());
        }
        Ok(found)
    }

    /// The latest version of a strategy, or the one that is named.
    ///
    /// # Errors
    /// `StrategyLoadError` (404) when it does not exist for the caller.
    pub async fn get_strategy(
        &self,
        caller: &Caller,
        id: &StrategyId,
        version: Option<&Digest>,
    ) -> PlatformResult<StrategyVersion> {
        if let Some(entry) = self.library().get(id, version) {
            return Ok(entry.clone());
        }
        let found = match version {
            Some(version) => self.strategies.version(id, version).await,
            None => self.strategies.latest(id).await,
        };
        found
            .map_err(errors::store)?
            .filter(|found| caller.sees(&found.owner))
            .ok_or_else(|| not_found(id, version))
    }

    /// A page of a strategy's versions, oldest first.
    ///
    /// # Errors
    /// `StrategyLoadError` (404) when it does not exist for the caller.
    pub async fn strategy_versions(
        &self,
        caller: &Caller,
        id: &StrategyId,
        page: &PageRequest,
    ) -> PlatformResult<Page<StrategyVersion>> {
        let shipped: Vec<_> = self.library().versions(id).cloned().collect();
        if !shipped.is_empty() {
            return Ok(Page { items: shipped, next: None });
        }
        self.get_strategy(caller, id, None).await?;
        self.strategies.versions(id, page).await.map_err(errors::store)
    }

    /// Hides a strategy. Its versions stay readable: results refer to them.
    ///
    /// # Errors
    /// `StrategyLoadError` (404) when it does not exist for the caller; `AuthorizationError` for a library strategy.
    pub async fn delete_strategy(&self, caller: &Caller, id: &StrategyId) -> PlatformResult<()> {
        if self.library().get(id, None).is_some() {
            let message = format!("strategy {id} ships with the platform and cannot be deleted");
            return Err(PlatformError::new(ErrorKind::Forbidden, message));
        }
        self.get_strategy(caller, id, None).await?;
        self.strategies.delete(id).await.map_err(errors::store)?;
        Ok(())
    }
}

/// Compiles off the async threads: hostile source may take its whole bounded time.
pub(crate) async fn compile(source: String, parameters: Parameters) -> PlatformResult<Compiled> {
    let kind = ErrorKind::StrategyConfiguration;
    off_thread(move || fx_strategy::compile(&source, &parameters))
        .await?
        .map_err(|diagnostics| errors::diagnostics(kind, diagnostics))
}

/// Why a strategy cannot run on bars of `own`, if so: timeframes that it reads are longer than that.
pub(crate) fn timeframe_fault(plan: &Plan, own: Granularity) -> Option<String> {
    let mut unfit = plan.feeds().into_iter().filter(|feed| !feed.fits(own));
    let wanted = unfit.find_map(|feed| feed.granularity)?;
    Some(format!("the strategy reads bars of {wanted}, which are not longer than its own of {own}"))
}

/// Runs work of bounded length where it holds up no request.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> PlatformResult<T> {
    let lost = |error| errors::lost_task(ErrorKind::StrategyExecution, error);
    tokio::task::spawn_blocking(work).await.map_err(lost)
}

/// What a registration asks of a source: that it compiles, and that it is shown not to look ahead.
pub(crate) fn admit(candidate: &Candidate) -> PlatformResult<(Compiled, Causality)> {
    let kind = ErrorKind::StrategyConfiguration;
    let compiled = fx_strategy::compile(&candidate.code, &candidate.parameters)
        .map_err(|diagnostics| errors::diagnostics(kind, diagnostics))?;
    if let Some(message) = timeframe_fault(&compiled.plan, candidate.track.granularity) {
        return Err(PlatformError::field(kind, "timeframe", message));
    }
    let causality = fx_engine::check_causality(&compiled.plan, candidate.track).map_err(errors::causality)?;
    Ok((compiled, causality))
}

impl From<&Registration> for Candidate {
    fn from(request: &Registration) -> Self {
        let Registration { code, parameters, instruments, timeframe, .. } = request;
        let usual = Self::default().track;
        let instrument = instruments.first().copied().unwrap_or(usual.instrument);
        let track = Track { instrument, granularity: *timeframe };
        Self { code: code.clone(), parameters: parameters.clone(), track }
    }
}

fn check_registration(request: &Registration) -> PlatformResult<()> {
    let refuse = |field: &str, message: String| {
        Err(PlatformError::field(ErrorKind::StrategyConfiguration, field, message))
    };
    let name_length = request.name.chars().count();
    if request.name.trim().is_empty() || name_length > NAME_LENGTH_MAX {
        return refuse(
            "name",
            format!("has {name_length} characters: expected 1 to {NAME_LENGTH_MAX}, not only spaces"),
        );
    }
    if request.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_LENGTH_MAX) {
        return refuse("description", format!("is longer than {DESCRIPTION_LENGTH_MAX} characters"));
    }
    if request.instruments.is_empty() || request.instruments.len() > INSTRUMENTS_MAX {
        return refuse("instruments", format!("expected 1 to {INSTRUMENTS_MAX} pairs"));
    }
    for (index, instrument) in request.instruments.iter().enumerate() {
        if request.instruments[..index].contains(instrument) {
            return refuse("instruments", format!("{instrument} is named twice"));
        }
    }
    Ok(())
}

fn not_found(id: &StrategyId, version: Option<&Digest>) -> PlatformError {
    let message = match version {
        Some(version) => format!("strategy {id} version {version} not found"),
        None => format!("strategy {id} not found"),
    };
    PlatformError::new(ErrorKind::StrategyNotFound, message)
}
