//! What sideBar means: accounts, conversations, answers, providers, search, jobs.
//! It knows no HTTP, and reaches user data only through [`database`].

mod accounts;
mod answers;
mod api_keys;
mod caller;
mod conversations;
mod database;
mod error;
mod health;
mod jobs;
mod notices;
mod passwords;
mod pictures;
mod providers;
mod search;
mod secrets;
mod sessions;
mod text;
mod tools;

pub use answers::AnswerStream;
pub use caller::{Authenticated, Caller, NewSession, Via, Viewer, Visitor};
pub use conversations::{Export, ExportFormat, ListConversations, Window};
pub use database::{DatabaseAddress, check_server};
pub use error::{Error, Result};
pub use notices::{Notice, Notices};
pub use pictures::Picture;
pub use secrets::SecretKey;

use std::sync::Arc;
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
    pub providers: providers::Registry,
    pub live: answers::Registry,
    pub models: models::Client,
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
}

impl Domain {
    /// Connects, applies migrations, takes up what an earlier run left, and starts the background work.
    pub async fn start(settings: Settings) -> Result<Self> {
        let domain = Self::open(settings).await?;
        domain.end_own_lost_answers().await?;
        domain.start_writer();
        domain.start_listener();
        domain.start_teller();
        domain.start_watchdog();
        domain.start_jobs();
        domain.start_database_check();
        Ok(domain)
    }

    /// Connects and applies migrations, without background work: for commands at the shell.
    pub async fn open(settings: Settings) -> Result<Self> {
        let db = database::Database::connect(&settings.database, settings.pool_size).await?;
        let secrets = secrets::Sealer::new(&settings.secret_key);
        secrets::check_key(&db, &secrets).await?;
        let models = models::Client::new().map_err(Error::internal)?;
        let providers = providers::Registry::default();
        let domain = Self {
            inner: Arc::new(Inner {
                db,
                secrets,
                passwords: passwords::Passwords::default(),
                notices: notices::Board::default(),
                providers,
                live: answers::Registry::default(),
                models,
                server_id: settings.server_id,
                started: std::time::Instant::now(),
                stop: CancellationToken::new(),
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
