//! Start, serve, drain, stop on TCP.

use crate::HostError;
use axum::Router;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long a stopping server waits for accepted requests: as long as a request may take, and under the 30 s after which
/// Kubernetes kills.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(29);

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Every accepted request was answered.
    Drained,
    /// The limit passed first; the rest was cut off.
    CutOff,
}

/// Listens on `address`, and says where.
///
/// # Errors
/// [`HostError::Bind`] when the address is taken or not this machine's.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, HostError> {
    let failed = |source| HostError::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    if bound.ip().is_loopback() {
        tracing::info!("listening on http://{bound}, reachable from this machine only");
    } else {
        tracing::info!("listening on http://{bound}");
    }
    Ok(listener)
}

/// Serves until `shutdown` comes, then takes no new connection and waits for the accepted requests, at most `limit`.
///
/// # Errors
/// [`HostError::Serve`] when accepting fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
    limit: Duration,
) -> Result<Stopped, HostError> {
    let (stopping, mut stopped) = tokio::sync::watch::channel(false);
    let signal = async move {
        shutdown.await;
        tracing::info!("stopping: waiting up to {} s for open requests", limit.as_secs());
        stopping.send_replace(true);
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(signal);
    let deadline = async move {
        // The sender goes away only with the server, whose own end is then the answer.
        if stopped.wait_for(|stopping| *stopping).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(limit).await;
    };
    tokio::select! {
        biased;
        served = serving.into_future() => served.map(|()| Stopped::Drained).map_err(HostError::Serve),
        () = deadline => {
            tracing::warn!("requests were cut off after {} s", limit.as_secs());
            Ok(Stopped::CutOff)
        }
    }
}

/// A future that ends at SIGTERM or SIGINT. The handlers stand from the call on, not from the first poll.
///
/// # Errors
/// [`HostError::Signals`] when the system refuses them.
pub fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, HostError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(HostError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(HostError::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::{Notify, oneshot};

    /// A server with one route that answers when told.
    struct Scene {
        address: SocketAddr,
        entered: Arc<Notify>,
        release: Arc<Notify>,
        stop: oneshot::Sender<()>,
        server: tokio::task::JoinHandle<Result<Stopped, HostError>>,
    }

    async fn scene(limit: Duration) -> Scene {
        let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (told, waits) = (entered.clone(), release.clone());
        let slow = get(move || async move {
            told.notify_one();
            waits.notified().await;
            "done"
        });
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { stopped.await.unwrap_or(()) };
        let server = tokio::spawn(serve(listener, Router::new().route("/slow", slow), shutdown, limit));
        Scene { address, entered, release, stop, server }
    }

    async fn ask(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        stream
    }

    #[tokio::test]
    async fn an_accepted_request_is_answered_before_the_server_ends() {
        let scene = scene(DRAIN_LIMIT).await;
        let mut stream = ask(scene.address).await;
        scene.entered.notified().await;
        scene.stop.send(()).unwrap();
        // The listener closes before the drain, so that a balancer turns to the next process.
        while TcpStream::connect(scene.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        scene.release.notify_one();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
        assert_eq!(scene.server.await.unwrap().unwrap(), Stopped::Drained);
    }

    #[tokio::test]
    async fn a_request_that_never_ends_is_cut_off_at_the_limit() {
        let scene = scene(Duration::ZERO).await;
        let _stream = ask(scene.address).await;
        scene.entered.notified().await;
        scene.stop.send(()).unwrap();
        assert_eq!(scene.server.await.unwrap().unwrap(), Stopped::CutOff);
    }

    #[tokio::test]
    async fn a_taken_address_is_named() {
        let first = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = first.local_addr().unwrap();
        assert_eq!(bind(address).await.unwrap_err().to_string(), format!("cannot listen on {address}"));
    }
}
