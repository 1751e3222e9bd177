//! Bytes, named by what they are: `<owner>/blobs/<SHA-256>`, in a folder or in S3-compatible storage.
//! Beside them what was made of a file, `<owner>/files/<id>/…`, and parts of uploads on their way.
//! A name from outside never becomes a path. Bytes are claimed in the database before they are stored, and what
//! fails here says whether it was the store, the disk, or us.

mod claims;
mod links;
mod listing;
mod trouble;

pub(crate) use claims::CLAIM;
pub(crate) use listing::{Item, Listed};

use crate::database::Database;
use crate::{Error, Result};
use bytes::Bytes;
use futures::stream::{BoxStream, Stream, StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Place;
use object_store::signer::Signer;
use object_store::{ClientOptions, GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, RetryConfig};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use shared::{ErrorCode, FileId, PageId, UploadId, UserId};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

/// No upload takes longer.
pub(crate) const LONGEST_ON_ITS_WAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A bucket is asked so many times more, while somebody waits.
const MORE_TRIES: usize = 2;
/// And for so long in all.
const PATIENCE: Duration = Duration::from_secs(20);
/// A bucket that says nothing for this long is away.
const SILENCE: Duration = Duration::from_secs(30);

/// Where bytes are kept.
#[derive(Clone, Debug, Default)]
pub enum Storage {
    /// In the data folder.
    #[default]
    Local,
    S3(S3),
}

/// A bucket of S3, or of anything that speaks its protocol.
#[derive(Clone, Debug)]
pub struct S3 {
    /// `s3://bucket` or `s3://bucket/prefix`.
    pub url: String,
    /// Of other services than Amazon's: `https://storage.example.org`.
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub access_key: Option<String>,
    pub secret_key: Option<SecretString>,
    /// Whether browsers reach the bucket too, so that large files come from there.
    pub direct_downloads: bool,
}

pub(crate) struct Blobs {
    store: Arc<dyn ObjectStore>,
    prefix: Place,
    /// Files on their way, named at random.
    incoming: PathBuf,
    /// Where blobs are claimed. None where nothing ever collects them.
    claims: Option<Database>,
    /// The folder, where it is one.
    folder: Option<PathBuf>,
    /// Signs addresses that browsers may fetch large files from.
    signer: Option<Arc<dyn Signer>>,
}

/// Bytes that are there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Blob {
    pub sha256: [u8; 32],
    pub size: u64,
}

/// A blob, or a part of it, as a stream.
pub(crate) struct Reading {
    pub range: Range<u64>,
    /// Of the whole blob.
    pub size: u64,
    pub bytes: BoxStream<'static, std::io::Result<Bytes>>,
}

impl Blobs {
    pub fn open(storage: &Storage, data: &Path, claims: Option<Database>) -> Result<Self> {
        let incoming = data.join("incoming");
        forget_old(&incoming).map_err(|error| at_folder(&incoming, error))?;
        match storage {
            Storage::Local => {
                let folder = data.join("blobs");
                std::fs::create_dir_all(&folder).map_err(|error| at_folder(&folder, error))?;
                let store = LocalFileSystem::new_with_prefix(&folder).map_err(Error::internal)?;
                let store = Arc::new(store.with_fsync(true));
                let prefix = Place::default();
                Ok(Self { store, prefix, incoming, claims, folder: Some(folder), signer: None })
            }
            Storage::S3(s3) => {
                let (store, prefix) = bucket(s3)?;
                let signer = s3.direct_downloads.then(|| Arc::clone(&store) as Arc<dyn Signer>);
                Ok(Self { store, prefix, incoming, claims, folder: None, signer })
            }
        }
    }

    fn place(&self, owner: UserId, sha256: &[u8; 32]) -> Place {
        let name: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        self.prefix.clone().join(owner.to_string()).join("blobs").join(name)
    }

    /// `name` is ours, never from outside.
    fn derivative_place(&self, owner: UserId, file: FileId, name: &'static str) -> Place {
        let folder = self.prefix.clone().join(owner.to_string()).join("files").join(file.to_string());
        name.split('/').fold(folder, |place, part| place.join(part))
    }

    fn part_place(&self, owner: UserId, upload: UploadId, number: u32) -> Place {
        let uploads = self.prefix.clone().join(owner.to_string()).join("uploads");
        uploads.join(upload.to_string()).join(number.to_string())
    }

    /// Keeps what was made of a file, in the place of what was made before.
    pub async fn keep_derivative(
        &self,
        owner: UserId,
        file: FileId,
        name: &'static str,
        bytes: Vec<u8>,
    ) -> Result<()> {
        let place = self.derivative_place(owner, file, name);
        self.store.put(&place, bytes.into()).await.map_err(|error| self.trouble(error))?;
        Ok(())
    }

    pub async fn derivative(&self, owner: UserId, file: FileId, name: &'static str) -> Result<Option<Bytes>> {
        match self.store.get(&self.derivative_place(owner, file, name)).await {
            Ok(found) => found.bytes().await.map(Some).map_err(|error| self.trouble(error)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.trouble(error)),
        }
    }

    /// `name` is ours, never from outside.
    fn page_place(&self, owner: UserId, page: PageId, asking: i32, name: &'static str) -> Place {
        let folder = self.page_folder(owner, page).join(asking.to_string());
        name.split('/').fold(folder, |place, part| place.join(part))
    }

    fn page_folder(&self, owner: UserId, page: PageId) -> Place {
        self.prefix.clone().join(owner.to_string()).join("pages").join(page.to_string())
    }

    /// Keeps what was made of a page. Each asking for it has a folder of its own: one that was overtaken
    /// overwrites nothing.
    pub async fn keep_page_part(
        &self,
        owner: UserId,
        page: PageId,
        asking: i32,
        name: &'static str,
        bytes: Vec<u8>,
    ) -> Result<()> {
        let place = self.page_place(owner, page, asking, name);
        self.store.put(&place, bytes.into()).await.map_err(|error| self.trouble(error))?;
        Ok(())
    }

    pub async fn page_part(
        &self,
        owner: UserId,
        page: PageId,
        asking: i32,
        name: &'static str,
    ) -> Result<Option<Bytes>> {
        match self.store.get(&self.page_place(owner, page, asking, name)).await {
            Ok(found) => found.bytes().await.map(Some).map_err(|error| self.trouble(error)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.trouble(error)),
        }
    }

    pub async fn forget_page_part(
        &self,
        owner: UserId,
        page: PageId,
        asking: i32,
        name: &'static str,
    ) -> Result<()> {
        match self.store.delete(&self.page_place(owner, page, asking, name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.trouble(error)),
        }
    }

    /// Deletes what askings before `asking` left; everything of the page for none.
    pub async fn forget_page(&self, owner: UserId, page: PageId, before: Option<i32>) -> Result<()> {
        let folder = self.page_folder(owner, page);
        let found = self.store.list(Some(&folder)).try_collect::<Vec<_>>().await;
        let found = found.map_err(|error| self.trouble(error))?;
        for place in found.into_iter().map(|found| found.location) {
            let asking = place.prefix_match(&folder).and_then(|mut parts| parts.next());
            let asking = asking.and_then(|part| part.as_ref().parse::<i32>().ok());
            if before.is_some_and(|before| asking.is_none_or(|asking| asking >= before)) {
                continue;
            }
            match self.store.delete(&place).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(self.trouble(error)),
            }
        }
        Ok(())
    }

    /// Keeps a part of an upload that has `whole` bytes; how many came. With fewer, what was there before stays;
    /// with more, it is refused.
    pub async fn keep_part<S, E>(
        &self,
        owner: UserId,
        upload: UploadId,
        number: u32,
        stream: S,
        whole: u64,
    ) -> Result<u64>
    where
        S: Stream<Item = std::result::Result<Bytes, E>>,
    {
        let file = self.receive_file(stream, whole).await?;
        let size = tokio::fs::metadata(&file.path).await.map_err(Error::internal)?.len();
        if size == whole {
            self.move_in(&file, self.part_place(owner, upload, number)).await?;
        }
        Ok(size)
    }

    /// Makes one blob of an upload's parts.
    pub async fn join_parts(
        &self,
        owner: UserId,
        upload: UploadId,
        numbers: &[u32],
        limit: u64,
    ) -> Result<Blob> {
        let places: Vec<Place> =
            numbers.iter().map(|number| self.part_place(owner, upload, *number)).collect();
        let store = Arc::clone(&self.store);
        let parts = futures::stream::iter(places).then(move |place| {
            let store = Arc::clone(&store);
            async move { store.get(&place).await.map(object_store::GetResult::into_stream) }
        });
        // Here a piece that does not come is the store's doing and not the sender's. Boxed: the compiler cannot
        // see that a stream of streams may cross threads.
        let pieces = parts.try_flatten().map_err(|error| self.trouble(error)).boxed();
        let (file, blob) = self.take_in(pieces, limit, std::convert::identity).await?;
        self.store_blob(owner, &file, blob).await
    }

    pub async fn forget_parts(&self, owner: UserId, upload: UploadId, numbers: &[u32]) -> Result<()> {
        for number in numbers {
            match self.store.delete(&self.part_place(owner, upload, *number)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(self.trouble(error)),
            }
        }
        Ok(())
    }

    /// Takes in a stream of at most `limit` bytes, by way of a file: memory stays bounded.
    pub async fn receive<S, E>(&self, owner: UserId, stream: S, limit: u64) -> Result<Blob>
    where
        S: Stream<Item = std::result::Result<Bytes, E>>,
    {
        let (file, blob) = self.take_in(stream, limit, |_| cut_off()).await?;
        self.store_blob(owner, &file, blob).await
    }

    /// Writes a stream into a file on its way, and says what it is.
    async fn take_in<S, E>(
        &self,
        stream: S,
        limit: u64,
        broken: impl Fn(E) -> Error,
    ) -> Result<(Incoming, Blob)>
    where
        S: Stream<Item = std::result::Result<Bytes, E>>,
    {
        let file = Incoming::create(&self.incoming).await?;
        let mut out = File::options().write(true).open(&file.path).await.map_err(trouble::disk)?;
        let mut hash = Sha256::new();
        let mut size = 0_u64;
        let mut stream = std::pin::pin!(stream);
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(&broken)?;
            size += piece.len() as u64;
            if size > limit {
                return Err(too_large(limit));
            }
            hash.update(&piece);
            out.write_all(&piece).await.map_err(trouble::disk)?;
        }
        out.flush().await.map_err(trouble::disk)?;
        Ok((file, Blob { sha256: hash.finalize().into(), size }))
    }

    async fn store_blob(&self, owner: UserId, file: &Incoming, blob: Blob) -> Result<Blob> {
        self.claim(owner, &blob).await?;
        let place = self.place(owner, &blob.sha256);
        if !self.has(&place, blob.size).await? {
            self.move_in(file, place).await?;
        }
        Ok(blob)
    }

    async fn move_in(&self, file: &Incoming, place: Place) -> Result<()> {
        let mut from = File::open(&file.path).await.map_err(trouble::disk)?;
        let mut to = BufWriter::new(Arc::clone(&self.store), place);
        let moved = match tokio::io::copy(&mut from, &mut to).await {
            Ok(_) => to.shutdown().await,
            Err(error) => {
                // What was begun takes room until it is given up; the first error is the one to tell.
                let _ = to.abort().await;
                Err(error)
            }
        };
        moved.map_err(|error| self.trouble_of_writing(error))
    }

    /// Keeps bytes that are in memory already.
    pub async fn keep(&self, owner: UserId, bytes: Vec<u8>) -> Result<Blob> {
        let blob = Blob { sha256: Sha256::digest(&bytes).into(), size: bytes.len() as u64 };
        self.claim(owner, &blob).await?;
        let place = self.place(owner, &blob.sha256);
        if !self.has(&place, blob.size).await? {
            self.store.put(&place, bytes.into()).await.map_err(|error| self.trouble(error))?;
        }
        Ok(blob)
    }

    async fn has(&self, place: &Place, size: u64) -> Result<bool> {
        match self.store.head(place).await {
            Ok(known) => Ok(known.size == size),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.trouble(error)),
        }
    }

    /// Reads the whole or a part; none where the range lies outside.
    pub async fn read(
        &self,
        owner: UserId,
        sha256: &[u8; 32],
        range: Option<GetRange>,
    ) -> Result<Option<Reading>> {
        let place = self.place(owner, sha256);
        let asked = range.is_some();
        match self.store.get_opts(&place, GetOptions { range, ..GetOptions::default() }).await {
            Ok(found) => Ok(Some(Reading {
                range: found.range.clone(),
                size: found.meta.size,
                bytes: found.into_stream().map(|piece| piece.map_err(std::io::Error::other)).boxed(),
            })),
            Err(error @ object_store::Error::NotFound { .. }) => Err(Error::internal(error)),
            // Stores differ in how they refuse a range: the whole answers whether that was it.
            Err(error) if asked => match self.store.head(&place).await {
                Ok(_) => Ok(None),
                Err(_) => Err(self.trouble(error)),
            },
            Err(error) => Err(self.trouble(error)),
        }
    }

    /// A file on its way, gone with its value.
    pub async fn temporary(&self) -> Result<Incoming> {
        Incoming::create(&self.incoming).await
    }

    /// Takes a stream in as a file that is gone with its value.
    pub async fn receive_file<S, E>(&self, stream: S, limit: u64) -> Result<Incoming>
    where
        S: Stream<Item = std::result::Result<Bytes, E>>,
    {
        self.take_in(stream, limit, |_| cut_off()).await.map(|(file, _)| file)
    }

    /// A blob's bytes, all at once.
    pub async fn whole(&self, owner: UserId, sha256: &[u8; 32]) -> Result<Bytes> {
        let found = self.store.get(&self.place(owner, sha256)).await.map_err(|error| self.trouble(error))?;
        found.bytes().await.map_err(|error| self.trouble(error))
    }
}

/// A file that is deleted when its value goes.
pub(crate) struct Incoming {
    pub path: PathBuf,
}

impl Incoming {
    async fn create(folder: &Path) -> Result<Self> {
        let path = folder.join(Uuid::now_v7().simple().to_string());
        File::create_new(&path).await.map_err(trouble::disk)?;
        Ok(Self { path })
    }

    /// The file's bytes as a stream; the file itself is gone already, and its space when the stream is.
    pub async fn into_stream(self) -> Result<(u64, BoxStream<'static, std::io::Result<Bytes>>)> {
        let file = File::open(&self.path).await.map_err(Error::internal)?;
        let size = file.metadata().await.map_err(Error::internal)?.len();
        let stream = futures::stream::try_unfold(file, |mut file| async move {
            let mut piece = Vec::with_capacity(PIECE);
            (&mut file).take(PIECE as u64).read_to_end(&mut piece).await?;
            Ok((!piece.is_empty()).then(|| (Bytes::from(piece), file)))
        });
        Ok((size, stream.boxed()))
    }
}

const PIECE: usize = 128 << 10;

impl Drop for Incoming {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn bucket(s3: &S3) -> Result<(Arc<AmazonS3>, Place)> {
    let wrong = |why: String| Error::invalid("SIDEBAR_STORAGE_URL", why);
    let rest = s3
        .url
        .strip_prefix("s3://")
        .ok_or_else(|| wrong("SIDEBAR_STORAGE_URL is s3://bucket or s3://bucket/prefix.".into()))?;
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    // No limit on the whole of a request: a large file may take its time, as long as it goes on.
    let mut client = ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(Duration::from_secs(5))
        .with_read_timeout(SILENCE);
    let retry = RetryConfig { max_retries: MORE_TRIES, retry_timeout: PATIENCE, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(name).with_retry(retry);
    if let Some(endpoint) = &s3.endpoint {
        client = client.with_allow_http(endpoint.starts_with("http://"));
        builder = builder.with_endpoint(endpoint);
    }
    builder = builder.with_client_options(client);
    if let Some(region) = &s3.region {
        builder = builder.with_region(region);
    }
    if let Some(key) = &s3.access_key {
        builder = builder.with_access_key_id(key);
    }
    if let Some(key) = &s3.secret_key {
        builder = builder.with_secret_access_key(key.expose_secret());
    }
    let store = builder.build().map_err(|error| wrong(format!("The storage cannot be used: {error}")))?;
    let prefix = Place::parse(prefix).map_err(|error| wrong(format!("The prefix is no path: {error}")))?;
    Ok((Arc::new(store), prefix))
}

fn cut_off() -> Error {
    Error::problem(ErrorCode::InvalidInput, "The file was cut off on its way. Send it again.")
}

fn too_large(limit: u64) -> Error {
    Error::problem(
        ErrorCode::PayloadTooLarge,
        format!("This is larger than the {} MB allowed here.", limit >> 20),
    )
}

/// What a crash left on its way is of no use. Another process may use the folder right now.
fn forget_old(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let old = entry
            .metadata()
            .and_then(|known| known.modified())
            .is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > LONGEST_ON_ITS_WAY));
        if old {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn at_folder(folder: &Path, error: std::io::Error) -> Error {
    Error::internal(anyhow::Error::from(error).context(format!("{} cannot be used", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs() -> (Blobs, PathBuf) {
        let data = std::env::temp_dir().join(format!("sidebar-blobs-{}", Uuid::now_v7().simple()));
        (Blobs::open(&Storage::Local, &data, None).unwrap(), data)
    }

    fn pieces(text: &'static str) -> impl Stream<Item = std::io::Result<Bytes>> {
        futures::stream::iter(text.as_bytes().chunks(3).map(|piece| Ok(Bytes::from_static(piece))))
    }

    #[tokio::test]
    async fn bytes_are_kept_once_and_read_in_parts() {
        let (blobs, data) = blobs();
        let owner = UserId::new();
        let blob = blobs.receive(owner, pieces("hello world"), 100).await.unwrap();
        assert_eq!(blobs.keep(owner, b"hello world".to_vec()).await.unwrap(), blob);
        assert_eq!(blobs.whole(owner, &blob.sha256).await.unwrap(), "hello world");
        let part = blobs.read(owner, &blob.sha256, Some(GetRange::Bounded(6..100))).await.unwrap().unwrap();
        assert_eq!((part.range, part.size), (6..11, 11));
        assert!(blobs.read(owner, &blob.sha256, Some(GetRange::Bounded(50..60))).await.unwrap().is_none());
        assert!(blobs.whole(UserId::new(), &blob.sha256).await.is_err());
        assert_eq!(std::fs::read_dir(data.join("incoming")).unwrap().count(), 0);
        std::fs::remove_dir_all(data).unwrap();
    }

    #[tokio::test]
    async fn what_is_too_large_leaves_nothing() {
        let (blobs, data) = blobs();
        assert!(blobs.receive(UserId::new(), pieces("hello world"), 5).await.is_err());
        assert_eq!(std::fs::read_dir(data.join("incoming")).unwrap().count(), 0);
        assert_eq!(std::fs::read_dir(data.join("blobs")).unwrap().count(), 0);
        std::fs::remove_dir_all(data).unwrap();
    }
}
