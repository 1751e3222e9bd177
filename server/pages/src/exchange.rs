//! One request and its answer, over a connection made to addresses that were judged beforehand. It
//! looks no name up, follows nothing, keeps no cookie and no connection, and knows no proxy.

use crate::error::Step;
use crate::reach::Checked;
use crate::{Error, Limits};
use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder};
use bytes::Bytes;
use futures::TryStreamExt;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONNECTION, CONTENT_ENCODING, HOST, HeaderMap, USER_AGENT,
};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::io::StreamReader;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

const PRODUCT: &str = concat!("Mozilla/5.0 (compatible; sideBar/", env!("CARGO_PKG_VERSION"), ")");
const KINDS: &str = "text/html,application/xhtml+xml,text/plain;q=0.9,application/pdf;q=0.9,*/*;q=0.1";
const LONGEST_HEAD_BYTES: usize = 128 << 10;
const MOST_HEADERS: usize = 128;
/// Of a host's addresses so many are tried.
const MOST_ADDRESSES: usize = 4;

/// What becomes of a body that is longer than wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overflow {
    Refuse,
    Cut,
}

/// Makes connections.
#[derive(Clone)]
pub(crate) struct Wire {
    tls: TlsConnector,
    limits: Limits,
}

/// An answer whose body was not read yet.
pub(crate) struct Answer {
    host: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Incoming,
    /// Ends with the answer: a body that nobody reads holds no connection.
    _connection: AbortOnDropHandle<()>,
}

impl Wire {
    pub fn new(limits: Limits) -> Result<Self, Error> {
        let config = tls_config().map_err(|e| Error::Settings(e.to_string()))?;
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), limits })
    }

    pub async fn get(&self, url: &Url, to: &Checked) -> Result<Answer, Error> {
        let host = url.host_str().unwrap_or_default();
        let connect = self.connect(url, host, to);
        let (mut sender, connection) = within(self.limits.connect, host, Step::Connect, connect).await?;
        let answer = sender.send_request(request(url, host)?);
        let answer = async { answer.await.map_err(|e| broken(host, &e)) };
        let answer = within(self.limits.first_byte, host, Step::Answer, answer).await?;
        let (head, body) = answer.into_parts();
        Ok(Answer {
            host: host.to_owned(),
            status: head.status,
            headers: head.headers,
            body,
            _connection: connection,
        })
    }

    async fn connect(
        &self,
        url: &Url,
        host: &str,
        to: &Checked,
    ) -> Result<(http1::SendRequest<Empty<Bytes>>, AbortOnDropHandle<()>), Error> {
        let unreachable = |why: String| Error::Unreachable { host: host.to_owned(), why };
        let stream = self.dial(to).await.map_err(|e| unreachable(e.to_string()))?;
        if url.scheme() == "http" {
            return handshake(host, stream).await;
        }
        let name = host.trim_matches(['[', ']']).trim_end_matches('.').to_owned();
        let name = ServerName::try_from(name).map_err(|e| unreachable(e.to_string()))?;
        let stream = self.tls.connect(name, stream).await.map_err(|e| unreachable(e.to_string()))?;
        handshake(host, stream).await
    }

    /// The first of the addresses that takes the connection.
    async fn dial(&self, to: &Checked) -> io::Result<TcpStream> {
        let addresses = &to.addresses()[..to.addresses().len().min(MOST_ADDRESSES)];
        let share = self.limits.connect / u32::try_from(addresses.len()).unwrap_or(1).max(1);
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match tokio::time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return stream.set_nodelay(true).map(|()| stream),
                Ok(Err(error)) => failure = error,
                Err(elapsed) => failure = elapsed.into(),
            }
        }
        Err(failure)
    }
}

impl Answer {
    pub fn header(&self, name: http::header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, unpacked. Both what comes over the wire and what it unpacks to are counted.
    pub async fn read(self, most: usize, overflow: Overflow) -> Result<Bytes, Error> {
        let announced = self.body.size_hint().lower();
        if overflow == Overflow::Refuse && announced > most as u64 {
            return Err(Error::TooLarge(most));
        }
        let coding = self.header(CONTENT_ENCODING).unwrap_or_default().trim().to_ascii_lowercase();
        let host = self.host;
        let mut received = 0;
        let packed = self.body.into_data_stream().map_err(io::Error::other).and_then(move |bytes| {
            received += bytes.len();
            // A stream that unpacks to nothing would otherwise go on for ever.
            let within = received <= most.saturating_mul(2);
            futures::future::ready(within.then_some(bytes).ok_or_else(|| io::Error::other(PastLimit)))
        });
        let packed = StreamReader::new(packed);
        let read = match coding.as_str() {
            "" | "identity" => read_at_most(packed, most).await,
            "gzip" | "x-gzip" => read_at_most(many(GzipDecoder::new(packed)), most).await,
            "deflate" => read_at_most(ZlibDecoder::new(packed), most).await,
            "br" => read_at_most(BrotliDecoder::new(packed), most).await,
            _ => return Err(Error::Coding { host, coding }),
        };
        match (read, overflow) {
            (Ok(Body::Whole(bytes)), _) | (Ok(Body::Cut(bytes)), Overflow::Cut) => Ok(bytes),
            (Ok(Body::Cut(_)), Overflow::Refuse) => Err(Error::TooLarge(most)),
            (Err(error), _) if is_past_limit(&error) => Err(Error::TooLarge(most)),
            (Err(error), _) => Err(broken(&host, &error)),
        }
    }
}

enum Body {
    Whole(Bytes),
    Cut(Bytes),
}

#[derive(Debug, thiserror::Error)]
#[error("the body goes on past its limit")]
struct PastLimit;

fn is_past_limit(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<PastLimit>())
}

/// A gzip body may be several in a row.
fn many<R: AsyncBufRead>(mut decoder: GzipDecoder<R>) -> GzipDecoder<R> {
    decoder.multiple_members(true);
    decoder
}

async fn read_at_most(reader: impl AsyncRead, most: usize) -> io::Result<Body> {
    let mut body = Vec::new();
    let mut reader = std::pin::pin!(reader.take(most as u64 + 1));
    reader.read_to_end(&mut body).await?;
    if body.len() > most {
        body.truncate(most);
        return Ok(Body::Cut(body.into()));
    }
    Ok(Body::Whole(body.into()))
}

async fn handshake(
    host: &str,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<(http1::SendRequest<Empty<Bytes>>, AbortOnDropHandle<()>), Error> {
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(LONGEST_HEAD_BYTES)
        .max_headers(MOST_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|e| broken(host, &e))?;
    let connection = tokio::spawn(async move {
        // Whoever reads the answer is told of the same failure.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to a page ended");
        }
    });
    Ok((sender, AbortOnDropHandle::new(connection)))
}

fn request(url: &Url, host: &str) -> Result<Request<Empty<Bytes>>, Error> {
    let authority = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    Request::get(path_and_query(url))
        .header(HOST, authority)
        .header(USER_AGENT, PRODUCT)
        .header(ACCEPT, KINDS)
        .header(ACCEPT_LANGUAGE, "*")
        .header(ACCEPT_ENCODING, "gzip, deflate, br")
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|e| broken(host, &e))
}

/// The part of an address that goes into a request: never the fragment.
pub(crate) fn path_and_query(url: &Url) -> &str {
    &url[url::Position::BeforePath..url::Position::AfterQuery]
}

async fn within<T>(
    after: Duration,
    host: &str,
    step: Step,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(after, work).await.unwrap_or_else(|_| {
        let host = host.to_owned();
        Err(Error::TooSlow { host, step, after })
    })
}

fn broken(host: &str, error: &dyn std::error::Error) -> Error {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Error::Broken { host: host.to_owned(), why: cause.to_string() }
}

/// Certificates as the machine trusts them, or as Mozilla does where it has none.
fn tls_config() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        || ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let mut config = match rustls_platform_verifier::Verifier::new(Arc::clone(&provider)) {
        Ok(verifier) => {
            builder()?.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
        Err(error) => {
            tracing::info!(%error, "no certificates on this machine: those of Mozilla are used");
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
            builder()?.with_root_certificates(roots).with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}
