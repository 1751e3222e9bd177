//! What sideBar means: accounts, conversations, answers, providers, search, jobs.
//! It knows no HTTP, and reaches user data only through [`database`].

mod accounts;
mod answers;
mod api_keys;
mod blobs;
mod caller;
mod context;
mod conversations;
mod cut;
mod database;
mod embedding;
mod error;
mod files;
mod health;
mod invites;
mod jobs;
mod memories;
mod notes;
mod notices;
mod passages;
mod passwords;
mod pictures;
mod providers;
mod recognised;
mod saved_pages;
mod search;
mod secrets;
mod sessions;
mod text;
mod tools;
mod upkeep;

pub use accounts::SESSION_LIFETIME;
pub use answers::AnswerStream;
pub use blobs::{S3, Storage};
pub use caller::{Authenticated, Caller, NewSession, Via, Viewer, Visitor};
pub use conversations::{Export, ExportFormat, ListConversations, Window};
pub use database::{DatabaseAddress, check_server};
pub use embedding::DIMENSIONS;
pub use embeddings::{Embedder, EmbeddingError, ModelId, Purpose};
pub use error::{Error, Result};
pub use extract::{Extractor, Limits as ExtractLimits};
pub use files::{Downloaded, LARGEST_FILE, ListFiles, ReadingModels, SpeechModel, Thumbnail};
pub use memories::{ListMemories, MemoriesExport, SearchMemories};
pub use notes::{
    Against, AskedFile, Decision, Import, LARGEST_ATTACHMENT, ListNotes, NotesArchive, Only,
    OpenedAttachment, Part, Shared, SharedFolder, Visit,
};
pub use notices::{Notice, Notices};
pub use pictures::Picture;
pub use saved_pages::{Archive, ListPages};
pub use search::Search;
pub use secrets::SecretKey;
pub use sync::{Attachment, Incoming, Malformed, Outbox, Outgoing, decode as decode_frame};
pub use upkeep::{Finding, Mend, Reindexed};
pub use weather::{OpenMeteo, Weather};

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// The domain of one server process. Cheap to clone.
#[derive(Clone)]
pub struct Domain {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub db: database::Database,
    pub secrets: secrets::Sealer,
    pub passwords: passwords::Passwords,
    pub notices: notices::Board,
    pub recognised: recognised::Recognised,
    pub providers: providers::Registry,
    pub live: answers::Registry,
    pub turns: answers::Turns,
    pub models: models::Client,
    pub blobs: blobs::Blobs,
    /// As the last check of the store found it.
    pub storage_is_well: AtomicBool,
    pub file_limits: FileLimits,
    /// Reads files, each in a process of its own.
    pub extractor: Extractor,
    /// Read what it cannot.
    pub reading_models: ReadingModels,
    /// Gets web pages.
    pub fetcher: pages::Fetcher,
    /// None: search is by words alone.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// None: nobody is told of the weather.
    pub weather: Option<Arc<weather::Weather>>,
    /// The note rooms of this server.
    pub rooms: sync::Rooms,
    /// The same across restarts on the same data, so that a server knows its own lost generations.
    pub server_id: Uuid,
    pub started: std::time::Instant,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
}

/// What a domain needs to start.
pub struct Settings {
    pub database: DatabaseAddress,
    pub secret_key: SecretKey,
    pub server_id: Uuid,
    /// Connections to Postgres at most.
    pub pool_size: u32,
    /// The data folder: files on their way, and blobs unless they are kept elsewhere.
    pub data: std::path::PathBuf,
    pub storage: Storage,
    pub file_limits: FileLimits,
    pub extractor: Extractor,
    /// Read what it cannot: nobody, where none is named.
    pub reading_models: ReadingModels,
    /// Gets web pages; it says which addresses are reached.
    pub fetcher: pages::Fetcher,
    /// None: search is by words alone.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// None: nobody is told of the weather.
    pub weather: Option<Arc<weather::Weather>>,
}

/// What people may keep, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct FileLimits {
    /// Of one file.
    pub largest: u64,
    /// Of one person's files and attachments in all.
    pub per_person: u64,
}

impl Domain {
    /// Connects, applies migrations, takes up what an earlier run left, and starts the background work.
    pub async fn start(settings: Settings) -> Result<Self> {
        let db = database::Database::connect(&settings.database, settings.pool_size).await?;
        let stop = CancellationToken::new();
        let (rooms, committer) =
            notes::rooms::open(&db, settings.server_id, &settings.data, stop.clone()).await?;
        let domain = Self::over(db, rooms, settings, stop).await?;
        domain.inner.tasks.spawn(committer);
        domain.end_own_lost_answers().await?;
        domain.start_writer();
        domain.start_listener();
        domain.start_looking();
        domain.start_teller();
        domain.start_watchdog();
        domain.start_jobs();
        domain.start_embedding();
        domain.start_ending_shares();
        domain.start_database_check();
        domain.start_storage_check();
        Ok(domain)
    }

    /// Connects and applies migrations, without background work: for commands at the shell, which may
    /// run beside a server on the same data.
    pub async fn open(settings: Settings) -> Result<Self> {
        let db = database::Database::connect(&settings.database, settings.pool_size).await?;
        let rooms = notes::rooms::read_only(&db, settings.server_id);
        Self::over(db, rooms, settings, CancellationToken::new()).await
    }

    async fn over(
        db: database::Database,
        rooms: sync::Rooms,
        settings: Settings,
        stop: CancellationToken,
    ) -> Result<Self> {
        let secrets = secrets::Sealer::new(&settings.secret_key);
        secrets::check_key(&db, &secrets).await?;
        let models = models::Client::new().map_err(Error::internal)?;
        let blobs = blobs::Blobs::open(&settings.storage, &settings.data, Some(db.clone()))?;
        let domain = Self {
            inner: Arc::new(Inner {
                db,
                secrets,
                passwords: passwords::Passwords::default(),
                notices: notices::Board::default(),
                recognised: recognised::Recognised::default(),
                providers: providers::Registry::default(),
                live: answers::Registry::default(),
                turns: answers::Turns::default(),
                models,
                blobs,
                storage_is_well: AtomicBool::new(true),
                file_limits: settings.file_limits,
                extractor: settings.extractor,
                reading_models: settings.reading_models,
                fetcher: settings.fetcher,
                embedder: settings.embedder,
                weather: settings.weather,
                rooms,
                server_id: settings.server_id,
                started: std::time::Instant::now(),
                stop,
                tasks: TaskTracker::new(),
            }),
        };
        domain.reload_providers().await?;
        Ok(domain)
    }

    /// Ends background work; answers that run are stored as interrupted, to be continued.
    pub async fn shut_down(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        self.inner.db.close().await;
    }
}
