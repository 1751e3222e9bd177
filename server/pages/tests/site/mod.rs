//! A host on loopback that answers with the very bytes a test gives it, and names that resolve as a
//! test says.

use async_trait::async_trait;
use pages::Resolver;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

pub struct Site {
    pub address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

/// What is written to a connection.
pub struct Reply {
    first: Vec<u8>,
    then: Then,
    pause: Duration,
}

enum Then {
    Close,
    Repeat(Vec<u8>),
    Hold,
}

impl From<Vec<u8>> for Reply {
    fn from(first: Vec<u8>) -> Self {
        Self { first, then: Then::Close, pause: Duration::ZERO }
    }
}

impl From<&str> for Reply {
    fn from(first: &str) -> Self {
        first.as_bytes().to_vec().into()
    }
}

impl Reply {
    pub fn status(status: u16) -> Self {
        format!("HTTP/1.1 {status} Status\r\nContent-Length: 0\r\n\r\n").into_bytes().into()
    }

    pub fn endless(first: &str, again: Vec<u8>) -> Self {
        Self { then: Then::Repeat(again), ..first.into() }
    }

    pub fn silent() -> Self {
        Self { then: Then::Hold, ..Vec::new().into() }
    }

    pub fn every(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }
}

pub fn html(body: &str) -> Reply {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
    .into()
}

pub fn redirect(status: u16, to: &str) -> Reply {
    format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes().into()
}

impl Site {
    /// Answers each request by its path.
    pub async fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_on("127.0.0.1:0", answer).await
    }

    pub async fn start_on(address: &str, answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (heard, answer) = (Arc::clone(&heads), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (heard, answer) = (Arc::clone(&heard), Arc::clone(&answer));
                tokio::spawn(async move { serve(stream, &heard, &*answer).await });
            }
        });
        Self { address, heads }
    }

    pub fn url(&self, host: &str, path: &str) -> Url {
        Url::parse(&format!("http://{host}:{}{path}", self.address.port())).unwrap()
    }

    /// The requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Ends with the connection, whoever ends it.
async fn serve(mut stream: TcpStream, heard: &Mutex<Vec<String>>, answer: &(impl Fn(&str) -> Reply + Sync)) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let reply = answer(head.split(' ').nth(1).unwrap());
    heard.lock().unwrap().push(head);
    let mut written = stream.write_all(&reply.first).await;
    match reply.then {
        Then::Close => {}
        Then::Hold => drop(stream.read_u8().await),
        Then::Repeat(again) => {
            while written.is_ok() {
                tokio::time::sleep(reply.pause).await;
                written = stream.write_all(&again).await;
            }
        }
    }
}

/// Names that give one answer after the other, whatever is asked; the last one again and again.
pub struct Names {
    answers: Mutex<VecDeque<IpAddr>>,
    asked: AtomicUsize,
}

pub fn names(answers: &[&str]) -> Arc<Names> {
    let answers = answers.iter().map(|ip| ip.parse().unwrap()).collect();
    Arc::new(Names { answers: Mutex::new(answers), asked: AtomicUsize::new(0) })
}

impl Names {
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.front().copied();
        if answers.len() > 1 {
            answers.pop_front();
        }
        Ok(answer.into_iter().collect())
    }
}
