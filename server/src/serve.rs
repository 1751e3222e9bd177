//! `sidebar serve`: database, domain and edge, wired together and stopped in order.

use crate::bundle::Bundle;
use crate::data::{Folder, Opened, say};
use crate::meaning;
use crate::options::{Serve, or_file};
use crate::reading;
use crate::telemetry::Telemetry;
use anyhow::{Context, Result};
use domain::{Domain, OpenMeteo, Weather};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub async fn run(options: Serve) -> Result<()> {
    let telemetry = Telemetry::start(&options)?;
    // Taken first: a port in use is found before a database is started.
    let listener = TcpListener::bind(options.addr)
        .await
        .with_context(|| format!("cannot listen on {}: choose another with --addr", options.addr))?;
    let folder = Folder::open(&options.data)?;
    let site = site_folder(&options, &folder)?;
    // Named, not `_`: what it holds keeps the way to the database open.
    let Opened { mut settings, cluster, connection: _connection } = folder.start_database().await?;
    settings.embedder =
        meaning::embedder(&options.embeddings, folder.bundle.as_ref().map(|bundle| bundle.model.as_path()))?;
    settings.reading_models = reading::models(&options.reading)?;
    settings.weather = weather(&options)?;
    let domain = Domain::start(settings).await.map_err(say)?;
    let setup_code = setup_code();
    let shutdown = CancellationToken::new();
    let config = edge::Config {
        build: build_name(&site)?,
        site,
        public_url: options.public_url.clone(),
        allowed_hosts: options.allowed_hosts.clone(),
        memory_origins: options.memory_origins.clone(),
        trusted_proxies: options.trusted_proxies.clone(),
        metrics_token: or_file("SIDEBAR_METRICS_TOKEN", options.metrics_token.clone())?,
        setup_code: setup_code.clone(),
        sign_in_limit: edge::Rate::per_minute(options.sign_in_per_minute as usize),
        request_limit: edge::Rate::per_minute(options.requests_per_minute as usize),
        browser_error_sink: telemetry.browser_errors(),
        metrics: telemetry.metrics.clone(),
    };
    let router = edge::router(domain.clone(), config, shutdown.clone())?;
    let address = listener.local_addr().context("the listener has no address")?;
    tracing::info!(%address, "listening");
    greet(&domain, &options, &format!("http://{address}"), &setup_code).await?;
    if let Some(Err(error)) = folder.bundle.as_ref().map(Bundle::remove_others) {
        tracing::warn!(error = format!("{error:#}"), "what older versions unpacked is still there");
    }
    stop_on_signal(shutdown.clone())?;
    edge::serve(listener, router, shutdown).await.context("serving ended")?;
    tracing::info!("stopping");
    domain.shut_down().await;
    if let Some(cluster) = cluster {
        cluster.stop().await;
    }
    tracing::info!("stopped");
    telemetry.end().await;
    Ok(())
}

/// Says on standard output where to go, and the code that set-up asks for from elsewhere.
async fn greet(domain: &Domain, options: &Serve, local: &str, setup_code: &str) -> Result<()> {
    let url = options.public_url.as_ref().map_or(local, |url| url.as_str());
    let mut lines = format!("sideBar is ready: {url}\n");
    if domain.needs_setup().await.map_err(say)? {
        lines.push_str(&format!(
            "Make the first account there. From another machine it asks for this code: {setup_code}\n"
        ));
    }
    std::io::stdout().write_all(lines.as_bytes()).context("standard output is closed")
}

/// None where nobody is to be asked.
fn weather(options: &Serve) -> Result<Option<Arc<Weather>>> {
    if options.weather == "none" {
        return Ok(None);
    }
    let service = OpenMeteo::new(&options.weather).context("SIDEBAR_WEATHER is `none` or an address")?;
    Ok(Some(Arc::new(Weather::new(Arc::new(service)))))
}

/// Easy to type, hard to guess within a minute's few tries.
fn setup_code() -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!("{}-{}-{}", &id[..4], &id[4..8], &id[16..20])
}

fn site_folder(options: &Serve, folder: &Folder) -> Result<PathBuf> {
    if let Some(site) = &options.site {
        return Ok(site.clone());
    }
    if let Some(bundle) = &folder.bundle {
        return Ok(bundle.site.clone());
    }
    let executable = std::env::current_exe().context("the executable does not know where it is")?;
    Ok(executable.parent().map(|folder| folder.join("site")).unwrap_or_else(|| "site".into()))
}

/// Two builds of the browser half have different names.
fn build_name(site: &std::path::Path) -> Result<String> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let manifest = std::fs::read(site.join("manifest.json")).with_context(|| {
        format!("the site's assets are not in {}: build them with `cargo xtask build`, or name their folder with --site", site.display())
    })?;
    let mut hasher = DefaultHasher::new();
    manifest.hash(&mut hasher);
    Ok(format!("{}-{:016x}", env!("CARGO_PKG_VERSION"), hasher.finish()))
}

fn stop_on_signal(shutdown: CancellationToken) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        shutdown.cancel();
    });
    Ok(())
}
