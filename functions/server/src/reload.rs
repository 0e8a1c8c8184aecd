//! Shipped strategies follow their files: a running server takes changes over without a restart.

use crate::compose;
use fx_app::App;
use fx_host::HostError;
use fx_host::config::StrategiesDir;
use fx_host::strategies_dir::{RELOAD_INTERVAL, Watch};

/// Takes changes of the folder over, as long as the runtime lives.
pub(crate) fn follow(app: App, dir: StrategiesDir) {
    count_active(&app);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(RELOAD_INTERVAL);
        let mut watch = Watch::new(dir);
        let mut trouble = None;
        loop {
            ticks.tick().await;
            let worker = app.clone();
            let looked = tokio::task::spawn_blocking(move || {
                let outcome = take_over(&worker, &mut watch);
                (watch, outcome)
            });
            // The task ends only with the runtime, or with a panic that was reported where it happened.
            let Ok((watched, outcome)) = looked.await else { return };
            watch = watched;
            let said = outcome.err().map(|error| error.to_string());
            if let Some(error) = said.as_ref().filter(|_| said != trouble) {
                tracing::error!("shipped strategies stay as they are: {error}");
            }
            trouble = said;
        }
    });
}

fn take_over(app: &App, watch: &mut Watch) -> Result<(), HostError> {
    let Some(files) = watch.look()? else { return Ok(()) };
    let before = app.library();
    let library = before.reloaded(files);
    if library != *before {
        compose::report_failures(&library);
        tracing::info!("{} strategies loaded", library.entries().count());
        app.replace_library(library);
        count_active(app);
    }
    Ok(())
}

/// Strategies that the library serves.
fn count_active(app: &App) {
    metrics::gauge!("active_strategies").set(app.library().entries().count() as f64);
}
