//! The data folder: the server's identity and secret key, and the way to its database.

use crate::bundle::{self, Bundle};
use crate::options::{Data, or_file};
use anyhow::{Context, Result, bail};
use domain::{DatabaseAddress, Domain, ExtractLimits, Extractor, S3, SecretKey, Settings, Storage};
use embedded_postgres::{Attached, Cluster, Connection, Installation};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// A data folder that exists, and what the options say of the database.
pub struct Folder {
    pub path: PathBuf,
    pub bundle: Option<Bundle>,
    options: Data,
}

/// The database, open, for as long as this lives.
pub struct Opened {
    pub settings: Settings,
    /// The embedded Postgres, when this process runs it.
    pub cluster: Option<Cluster>,
    /// Keeps the way to a socket open that another process' Postgres listens on.
    pub connection: Option<Connection>,
}

impl Folder {
    pub fn open(options: &Data) -> Result<Self> {
        let path = match or_file("SIDEBAR_DATA", options.data.as_ref().map(|p| p.display().to_string()))? {
            Some(path) => PathBuf::from(path),
            None => default_folder()?,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&path)
            .with_context(|| format!("the data folder {} cannot be made", path.display()))?;
        let path = path.canonicalize().with_context(|| format!("{} cannot be opened", path.display()))?;
        let bundle = bundle::unpack(&path)?;
        Ok(Self { path, bundle, options: options.clone() })
    }

    /// For the server: starts the embedded Postgres, unless a URL names another.
    pub async fn start_database(&self) -> Result<Opened> {
        match self.database_url()? {
            Some(url) => self.external(url).await,
            None => {
                let cluster = Cluster::start(self.cluster_settings()?).await?;
                self.opened(cluster.connection().clone(), Some(cluster))
            }
        }
    }

    /// For commands: the running server's database, or one that is started for the command alone.
    pub async fn attach_database(&self) -> Result<Opened> {
        match self.database_url()? {
            Some(url) => self.external(url).await,
            None => match Cluster::attach(self.cluster_settings()?).await? {
                Attached::Running(connection) => self.opened(connection, None),
                Attached::Started(cluster) => self.opened(cluster.connection().clone(), Some(cluster)),
            },
        }
    }

    fn database_url(&self) -> Result<Option<String>> {
        or_file("DATABASE_URL", self.options.database_url.clone())
    }

    async fn external(&self, url: String) -> Result<Opened> {
        let Some(key) = self.given_key()? else {
            bail!(
                "SIDEBAR_SECRET_KEY is needed with DATABASE_URL: make one with `openssl rand -hex 32` and keep it as long as the database"
            );
        };
        let address = DatabaseAddress::Url(url);
        domain::check_server(&address).await.map_err(say)?;
        Ok(Opened { settings: self.settings(address, &key)?, cluster: None, connection: None })
    }

    fn cluster_settings(&self) -> Result<embedded_postgres::Settings> {
        let installation = match (&self.options.postgres, &self.bundle) {
            (Some(folder), _) => Installation::at(folder)?,
            (None, Some(bundle)) => Installation::at(&bundle.postgres)?,
            (None, None) => Installation::cached()?,
        };
        Ok(embedded_postgres::Settings::new(installation, self.path.clone()))
    }

    fn opened(&self, connection: Connection, cluster: Option<Cluster>) -> Result<Opened> {
        let key = match self.given_key()? {
            Some(key) => key,
            None => kept(&self.path.join("secret-key"), SecretKey::generate)?,
        };
        let address = DatabaseAddress::Socket {
            directory: connection.socket_folder.clone(),
            port: connection.port,
            user: connection.user.to_owned(),
            database: connection.database.to_owned(),
        };
        Ok(Opened { settings: self.settings(address, &key)?, cluster, connection: Some(connection) })
    }

    fn storage(&self) -> Result<Storage> {
        let options = &self.options.storage;
        let Some(url) = or_file("SIDEBAR_STORAGE_URL", options.storage_url.clone())? else {
            return Ok(Storage::Local);
        };
        Ok(Storage::S3(S3 {
            url,
            endpoint: options.storage_endpoint.clone(),
            region: options.storage_region.clone(),
            access_key: or_file("SIDEBAR_STORAGE_ACCESS_KEY", options.storage_access_key.clone())?,
            secret_key: or_file("SIDEBAR_STORAGE_SECRET_KEY", options.storage_secret_key.clone())?
                .map(Into::into),
            direct_downloads: options.storage_direct,
        }))
    }

    fn given_key(&self) -> Result<Option<String>> {
        or_file("SIDEBAR_SECRET_KEY", self.options.secret_key.clone())
    }

    fn settings(&self, database: DatabaseAddress, key: &str) -> Result<Settings> {
        let server_id = kept(&self.path.join("server-id"), || Uuid::now_v7().to_string())?;
        Ok(Settings {
            database,
            secret_key: SecretKey::new(key).map_err(say)?,
            server_id: server_id.trim().parse().with_context(|| {
                format!("{}/server-id does not hold an id; remove it", self.path.display())
            })?,
            pool_size: self.options.database_connections,
            data: self.path.clone(),
            storage: self.storage()?,
            file_limits: domain::FileLimits {
                largest: u64::from(self.options.largest_file_mb) << 20,
                per_person: u64::from(self.options.files_per_person_mb) << 20,
            },
            extractor: Extractor::new(
                bundle::own_executable()?,
                vec!["extract".to_owned()],
                ExtractLimits::default(),
            ),
            fetcher: pages::Fetcher::new(pages::Limits::default()).context("web pages cannot be fetched")?,
            reading_models: domain::ReadingModels::default(),
            embedder: None,
            weather: None,
        })
    }
}

impl Opened {
    /// Opens the domain for one command, then lets the database go again.
    pub async fn command<T>(self, work: impl AsyncFnOnce(&Domain) -> domain::Result<T>) -> Result<T> {
        let domain = Domain::open(self.settings).await.map_err(say)?;
        let done = work(&domain).await.map_err(say);
        domain.shut_down().await;
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
        done
    }
}

/// An error of the domain with its whole chain, for one line at the shell.
pub fn say(error: domain::Error) -> anyhow::Error {
    match error {
        domain::Error::Problem { message, .. } => anyhow::anyhow!(message),
        domain::Error::Internal(cause) => cause,
        away @ domain::Error::DatabaseUnavailable(_) => away.into(),
    }
}

fn default_folder() -> Result<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Ok("/var/lib/sidebar".into());
    }
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    match (named("XDG_DATA_HOME"), named("HOME")) {
        (Some(data), _) => Ok(data.join("sidebar")),
        (None, Some(home)) => Ok(home.join(".local/share/sidebar")),
        (None, None) => {
            bail!("neither HOME nor SIDEBAR_DATA is set: say where the data is to be with --data DIR")
        }
    }
}

/// What the file holds; made on the first run, readable by its owner alone.
fn kept(path: &Path, make: impl FnOnce() -> String) -> Result<String> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(mut file) => {
            let text = make();
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
                .with_context(|| format!("{} cannot be written", path.display()))?;
            Ok(text)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be made", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_kept_value_is_made_once_and_for_its_owner_alone() {
        let folder = std::env::temp_dir().join(format!("sidebar-kept-{}", Uuid::now_v7()));
        fs::create_dir(&folder).unwrap();
        let path = folder.join("secret-key");
        let first = kept(&path, SecretKey::generate).unwrap();
        assert_eq!(kept(&path, || "another".into()).unwrap(), first);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_dir_all(folder).unwrap();
    }
}
