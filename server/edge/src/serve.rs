//! The listener: connections with bounded headers and bounded patience, and an orderly end. It
//! knows nothing of what is served.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// How long a connection may take to send its next request's headers, silence included.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
/// The largest head of a request.
const HEAD_LIMIT: usize = 64 << 10;
/// How long open connections may take to finish when the server stops.
const DRAIN: Duration = Duration::from_secs(10);
/// Pause after the system had no more descriptors.
const BREATHER: Duration = Duration::from_millis(100);

/// Serves until `shutdown`, then lets open requests finish for a bounded time.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let open = TaskTracker::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    open.spawn(connection(stream, peer, router.clone(), shutdown.clone()));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(BREATHER).await;
                }
            },
        }
    }
    drop(listener);
    open.close();
    if tokio::time::timeout(DRAIN, open.wait()).await.is_err() {
        tracing::warn!("some connections did not finish in time and are cut");
    }
    Ok(())
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, shutdown: CancellationToken) {
    // A bundle must not wait for the acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone before it began");
        return;
    }
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // The other side went away or did not speak HTTP: nothing that we could mend.
        tracing::debug!(%error, "a connection ended early");
    }
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    async fn start(
        router: Router,
    ) -> (SocketAddr, CancellationToken, tokio::task::JoinHandle<std::io::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let served = tokio::spawn(serve(listener, router, shutdown.clone()));
        (address, shutdown, served)
    }

    async fn exchange(address: SocketAddr, request: String) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may answer and close before all of it was taken.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn a_request_that_runs_may_finish_while_the_server_stops() {
        let (begun, mut running) = tokio::sync::mpsc::channel(1);
        let router = Router::new().route(
            "/",
            get(move || async move {
                begun.send(()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(300)).await;
                "finished"
            }),
        );
        let (address, shutdown, served) = start(router).await;
        let request = tokio::spawn(exchange(address, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned()));
        running.recv().await.unwrap();
        shutdown.cancel();
        assert!(request.await.unwrap().ends_with("finished"));
        served.await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn headers_past_the_limit_are_refused() {
        let (address, _shutdown, _served) = start(Router::new()).await;
        let ask = |headers: String| {
            exchange(
                address,
                format!("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n"),
            )
        };
        assert!(ask(String::new()).await.starts_with("HTTP/1.1 404"), "the router answered");
        assert!(ask("x: y\r\n".repeat(200)).await.starts_with("HTTP/1.1 431"));
        // The refusal itself may be lost when the connection closes on what was still being sent.
        let large = ask(format!("x: {}\r\n", "a".repeat(1 << 20))).await;
        assert!(large.is_empty() || large.starts_with("HTTP/1.1 431"), "{large}");
    }
}
