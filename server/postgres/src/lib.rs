//! An embedded Postgres: created, started, supervised and stopped together with the server, over
//! a Unix socket only, also when the server runs as root.
//!
//! It knows nothing of what is stored, speaks no SQL beyond creating one empty database, never
//! opens a TCP port and never turns off `fsync` or `synchronous_commit`.
//!
//! ```no_run
//! # async fn example() -> Result<(), embedded_postgres::Error> {
//! use embedded_postgres::{Attached, Cluster, Installation, Settings};
//!
//! let installation = Installation::cached()?;
//! let settings = Settings::new(installation, "/srv/sidebar".into());
//! // The server:
//! let cluster = Cluster::start(settings.clone()).await?;
//! println!("{}", cluster.connection().socket_folder.display());
//! cluster.stop().await;
//! // A command at the shell, whether or not the server runs:
//! match Cluster::attach(settings).await? {
//!     Attached::Running(connection) => println!("{}", connection.database),
//!     Attached::Started(cluster) => cluster.stop().await,
//! }
//! # Ok(())
//! # }
//! ```

mod account;
mod cluster;
mod creation;
mod error;
mod installation;
mod launch;
mod lock;
mod orphans;
mod place;
mod supervision;

pub use cluster::{Attached, Cluster, Connection, Settings, State};
pub use error::Error;
pub use installation::{Installation, RELEASE};
