//! An S3 server in this process, and a line to it that can be cut, slow, or answer for it.

use crate::application::folder;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const ACCESS_KEY: &str = "AKIDEXAMPLE";
const SECRET_KEY: &str = "a secret of the bucket";

/// What becomes of what is sent to the bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    Open,
    /// Nobody answers.
    Cut,
    /// Each piece of up to 64 KB waits so long.
    Slow(Duration),
    /// The bucket answers, and refuses.
    Refusing,
}

pub struct Bucket {
    /// Of the line.
    pub address: SocketAddr,
    /// Where the server keeps the bucket's objects.
    pub folder: PathBuf,
    state: Arc<Mutex<(Way, CancellationToken)>>,
}

impl Bucket {
    pub async fn start() -> Self {
        let root = folder(&format!("s3-{}", Uuid::now_v7().simple()));
        let folder = root.join("files");
        std::fs::create_dir_all(&folder).unwrap();
        let behind = serve(root).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new((Way::Open, CancellationToken::new())));
        tokio::spawn(pass_on(listener, behind, Arc::clone(&state)));
        Self { address, folder, state }
    }

    /// What is under way ends, and all that comes goes this way.
    pub fn set(&self, way: Way) {
        let before = std::mem::replace(&mut *self.state.lock().unwrap(), (way, CancellationToken::new()));
        before.1.cancel();
    }

    pub fn storage(&self) -> domain::Storage {
        domain::Storage::S3(domain::S3 {
            url: "s3://files/a/place".into(),
            endpoint: Some(format!("http://{}", self.address)),
            region: Some("us-east-1".into()),
            access_key: Some(ACCESS_KEY.into()),
            secret_key: Some(SECRET_KEY.to_owned().into()),
            direct_downloads: true,
        })
    }

    /// Objects of people, by what comes behind their ids.
    pub fn objects(&self) -> Vec<String> {
        let mut found = Vec::new();
        let top = self.folder.join("a/place");
        let mut left = vec![top.clone()];
        while let Some(folder) = left.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.path().is_dir() {
                    true => left.push(entry.path()),
                    false => {
                        let path = entry.path().strip_prefix(&top).unwrap().display().to_string();
                        found.push(path.split_once('/').unwrap().1.to_owned());
                    }
                }
            }
        }
        found.sort();
        found
    }
}

async fn serve(root: PathBuf) -> SocketAddr {
    let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = service.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let service = service.clone();
            // A connection that is cut is an error of no interest.
            tokio::spawn(async move {
                let connection = Builder::new(TokioExecutor::new());
                connection.serve_connection(TokioIo::new(socket), service).await.is_ok()
            });
        }
    });
    address
}

async fn pass_on(listener: TcpListener, behind: SocketAddr, state: Arc<Mutex<(Way, CancellationToken)>>) {
    loop {
        let (here, _) = listener.accept().await.unwrap();
        let (way, ended) = state.lock().unwrap().clone();
        tokio::spawn(async move {
            tokio::select! {
                () = ended.cancelled() => {}
                _ = go(way, here, behind) => {}
            }
        });
    }
}

async fn go(way: Way, mut here: TcpStream, behind: SocketAddr) -> std::io::Result<()> {
    match way {
        Way::Open => {
            let mut there = TcpStream::connect(behind).await?;
            tokio::io::copy_bidirectional(&mut here, &mut there).await.map(drop)
        }
        Way::Cut => Ok(()),
        Way::Slow(pause) => {
            let there = TcpStream::connect(behind).await?;
            let ((from, to), (back, forth)) = (here.into_split(), there.into_split());
            tokio::try_join!(slowly(from, forth, pause), slowly(back, to, pause)).map(drop)
        }
        Way::Refusing => {
            let mut asked = vec![0; 64 << 10];
            if here.read(&mut asked).await? == 0 {
                return Ok(());
            }
            let body = "<Error><Code>InternalError</Code><Message>We are not well.</Message></Error>";
            let head =
                "HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/xml\r\nconnection: close";
            let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            here.write_all(answer.as_bytes()).await?;
            here.shutdown().await
        }
    }
}

async fn slowly(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    pause: Duration,
) -> std::io::Result<()> {
    let mut piece = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut piece).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        tokio::time::sleep(pause).await;
        to.write_all(&piece[..read]).await?;
    }
}
