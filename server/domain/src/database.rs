//! The one way to the database.
//!
//! Every transaction takes on a role inside: `sidebar_user` with `app.user_id` set, bound by
//! row-level security, or `sidebar_system` for what happens before or without a person, which has
//! no right to conversations and passages at all. A connection at rest is `sidebar_none`, which may
//! do nothing: a statement outside of [`Database::as_user`] and [`Database::as_system`] fails.

use crate::error::connection_is_lost;
use crate::{Error, Result, Viewer};
use shared::{ConversationId, UserId};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Postgres, Transaction};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A transaction that has taken on its role.
pub(crate) type Tx = Transaction<'static, Postgres>;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// Where Postgres is.
#[derive(Clone, Debug)]
pub enum DatabaseAddress {
    /// Our own, on a Unix socket.
    Socket { directory: PathBuf, port: u16, user: String, database: String },
    /// A `postgres://` URL.
    Url(String),
}

impl DatabaseAddress {
    fn options(&self) -> Result<PgConnectOptions> {
        let options = match self {
            Self::Socket { directory, port, user, database } => PgConnectOptions::new_without_pgpass()
                .socket(directory)
                .port(*port)
                .username(user)
                .database(database),
            Self::Url(url) => PgConnectOptions::from_str(url).map_err(|e| {
                Error::invalid("DATABASE_URL", format!("DATABASE_URL is not a Postgres URL: {e}"))
            })?,
        };
        // Statements over a second are worth a line; their text never holds values.
        Ok(options
            .application_name("sidebar")
            .log_statements(tracing::log::LevelFilter::Off)
            .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1)))
    }
}

/// Checks that a server that is not ours can carry us; says what is missing.
pub async fn check_server(address: &DatabaseAddress) -> Result<()> {
    let mut connection = PgConnection::connect_with(&address.options()?).await?;
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
        .fetch_one(&mut connection)
        .await?;
    if version < 160_000 {
        return Err(Error::invalid(
            "DATABASE_URL",
            format!(
                "Postgres 16 or later is needed; this server is version {}.{}.",
                version / 10_000,
                version % 10_000
            ),
        ));
    }
    let vector: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_available_extensions
                           WHERE name = 'vector' AND string_to_array(default_version, '.')::int[] >= '{0,8}')")
            .fetch_one(&mut connection)
            .await?;
    if !vector {
        return Err(Error::invalid(
            "DATABASE_URL",
            "This Postgres lacks the extension ‘vector’, 0.8 or later: install pgvector on its host, then start again.",
        ));
    }
    let may_create_roles: bool = sqlx::query_scalar(
        "SELECT (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user)
             OR (SELECT count(*) = 4 FROM pg_roles WHERE rolname IN
                 ('sidebar_none', 'sidebar_user', 'sidebar_system', 'sidebar_definer'))",
    )
    .fetch_one(&mut connection)
    .await?;
    if !may_create_roles {
        return Err(Error::invalid(
            "DATABASE_URL",
            "The database user may not create roles: run ALTER ROLE … CREATEROLE for it once, then start again.",
        ));
    }
    connection.close().await?;
    Ok(())
}

#[derive(Clone)]
pub(crate) struct Database {
    pool: PgPool,
    options: PgConnectOptions,
}

impl Database {
    pub async fn connect(address: &DatabaseAddress, pool_size: u32) -> Result<Self> {
        let options = address.options()?;
        // The migrator holds an advisory lock, so two servers that start at once are safe.
        let mut owner = options.connect().await?;
        MIGRATIONS.run(&mut owner).await.map_err(Error::internal)?;
        owner.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(pool_size)
            .acquire_timeout(Duration::from_secs(3))
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute("SET ROLE sidebar_none").await.map(drop) })
            })
            .connect_with(options.clone())
            .await?;
        Ok(Self { pool, options })
    }

    /// A transaction in which only what this person may see exists.
    pub async fn as_user(&self, user: UserId) -> Result<Tx> {
        // One statement with the BEGIN saves a round trip in every request. An id is hexadecimal
        // digits and hyphens, whoever made it.
        let UserId(id) = user;
        self.begin(format!("BEGIN; SET LOCAL ROLE sidebar_user; SET LOCAL app.user_id = '{id}'")).await
    }

    /// As [`Self::as_user`], and waits for this conversation and keeps it until the transaction ends, so
    /// that changes take turns; one that is not there is found missing when it is read.
    pub async fn as_user_holding(&self, user: UserId, conversation: ConversationId) -> Result<Tx> {
        let (UserId(id), ConversationId(conversation)) = (user, conversation);
        self.begin(format!(
            "BEGIN; SET LOCAL ROLE sidebar_user; SET LOCAL app.user_id = '{id}';
             SELECT FROM conversations WHERE id = '{conversation}' FOR NO KEY UPDATE"
        ))
        .await
    }

    /// As [`Self::as_system`], with this advisory lock until the transaction ends.
    pub async fn as_system_holding(&self, lock: i64) -> Result<Tx> {
        self.begin(format!("BEGIN; SET LOCAL ROLE sidebar_system; SELECT pg_advisory_xact_lock({lock})"))
            .await
    }

    /// A transaction for what happens before or without a person: sign-in, leases, jobs, providers.
    pub async fn as_system(&self) -> Result<Tx> {
        self.begin("BEGIN; SET LOCAL ROLE sidebar_system".to_owned()).await
    }

    /// A transaction in which only what this viewer of notes may see exists: a person, whoever has
    /// a share's link, or both at once.
    pub async fn as_viewer(&self, viewer: &Viewer) -> Result<Tx> {
        let user = viewer.person.as_ref().map(|caller| caller.user_id.to_string()).unwrap_or_default();
        let share = viewer.share.map(|share| share.to_string()).unwrap_or_default();
        self.begin(format!(
            "BEGIN; SET LOCAL ROLE sidebar_user; SET LOCAL app.user_id = '{user}'; SET LOCAL app.share_id = '{share}'"
        ))
        .await
    }

    /// A transaction for the rooms of notes: their log and its projections, and nothing else.
    pub async fn as_sync(&self) -> Result<Tx> {
        self.begin("BEGIN; SET LOCAL ROLE sidebar_sync".to_owned()).await
    }

    /// Goes on in a person's transaction as the rooms, so that what a person makes and what the rooms
    /// write of it are there together. [`Self::turn_back`] must follow.
    pub async fn turn_sync(tx: &mut Tx) -> Result<()> {
        tx.execute("SET LOCAL ROLE sidebar_sync").await?;
        Ok(())
    }

    /// Goes on as the person.
    pub async fn turn_back(tx: &mut Tx) -> Result<()> {
        tx.execute("SET LOCAL ROLE sidebar_user").await?;
        Ok(())
    }

    async fn begin(&self, statement: String) -> Result<Tx> {
        // After Postgres was away every pooled connection is dead and fails once:
        // go through them rather than pass each failure on to a person.
        let mut tries = self.pool.options().get_max_connections() + 1;
        loop {
            match self.pool.begin_with(AssertSqlSafe(statement.clone())).await {
                Err(e) if tries > 0 && connection_is_lost(&e) && !matches!(e, sqlx::Error::PoolTimedOut) => {
                    tries -= 1;
                }
                other => return Ok(other?),
            }
        }
    }

    /// A connection that hears notifications and reconnects by itself.
    pub async fn listener(&self) -> Result<PgListener> {
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(self.options.clone());
        Ok(PgListener::connect_with(&pool).await?)
    }

    /// Connections open and idle, for metrics.
    pub fn pool_state(&self) -> (u32, usize) {
        (self.pool.size(), self.pool.num_idle())
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}
