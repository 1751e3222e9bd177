//! How the server is: checked every second, so that the interface can say it before a person finds out.

use crate::{Domain, Error, Result};
use shared::health::{HealthDetail, PartHealth};
use std::sync::atomic::Ordering;
use std::time::Duration;

const CHECK: Duration = Duration::from_secs(1);
/// A check that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the store of files is asked while it answers: in a bucket every question costs something.
const STORAGE_CHECK: Duration = Duration::from_secs(15);
const STORAGE_PATIENCE: Duration = Duration::from_secs(4);

impl Domain {
    pub(crate) fn start_database_check(&self) {
        let domain = self.clone();
        self.inner.tasks.spawn(async move {
            loop {
                let database = domain.ping().await.is_ok();
                let storage = domain.inner.storage_is_well.load(Ordering::Relaxed);
                let parts = [("database", database), ("files", storage)];
                let ill = parts.into_iter().filter(|(_, well)| !well).map(|(part, _)| part.to_owned());
                domain.inner.notices.set_degraded(ill.collect());
                let (size, idle) = domain.inner.db.pool_state();
                metrics::gauge!("sidebar_database_connections", "state" => "open").set(size);
                metrics::gauge!("sidebar_database_connections", "state" => "idle").set(idle as f64);
                metrics::gauge!("sidebar_running_answers").set(domain.inner.live.count() as f64);
                tokio::select! {
                    () = domain.inner.stop.cancelled() => break,
                    () = tokio::time::sleep(CHECK) => {}
                }
            }
        });
    }

    /// Beside the other: a store that is slow to answer does not keep anybody from hearing of the database.
    pub(crate) fn start_storage_check(&self) {
        let domain = self.clone();
        self.inner.tasks.spawn(async move {
            loop {
                let well = domain.ping_storage().await.is_ok();
                domain.inner.storage_is_well.store(well, Ordering::Relaxed);
                let rest = if well { STORAGE_CHECK } else { CHECK };
                tokio::select! {
                    () = domain.inner.stop.cancelled() => break,
                    () = tokio::time::sleep(rest) => {}
                }
            }
        });
    }

    async fn ping_storage(&self) -> Result<()> {
        match tokio::time::timeout(STORAGE_PATIENCE, self.inner.blobs.ping()).await {
            Ok(result) => result,
            Err(_) => Err(Error::problem(
                shared::ErrorCode::StorageUnavailable,
                format!("it did not answer within {} s", STORAGE_PATIENCE.as_secs()),
            )),
        }
    }

    async fn ping(&self) -> Result<()> {
        let ping = async {
            let tx = self.inner.db.as_system().await?;
            tx.commit().await?;
            Ok::<_, Error>(())
        };
        match tokio::time::timeout(PATIENCE, ping).await {
            Ok(result) => result,
            Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
        }
    }

    /// For admins: what works and what it takes.
    pub async fn health(&self) -> HealthDetail {
        let database = match self.ping().await {
            Ok(()) => PartHealth { ok: true, message: "answers".into() },
            Err(error) => PartHealth { ok: false, message: error.to_string() },
        };
        HealthDetail {
            database,
            storage: match self.ping_storage().await {
                Ok(()) => PartHealth { ok: true, message: "answers".into() },
                Err(error) => PartHealth { ok: false, message: error.to_string() },
            },
            memory_bytes: resident_bytes(),
            uptime_seconds: self.inner.started.elapsed().as_secs(),
            running_answers: self.inner.live.count() as u64,
        }
    }
}

/// Resident memory of this process; 0 where the system does not tell.
fn resident_bytes() -> u64 {
    const KIB: u64 = 1024;
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        })
        .map_or(0, |kib| kib * KIB)
}
