//! What the executable tells the edge at its start.

use crate::limits::Rate;
use crate::visitor::Cidr;
use metrics_exporter_prometheus::PrometheusHandle;
use shared::telemetry::BrowserError;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

/// Takes errors reported by browsers, when someone wants them.
pub type BrowserErrorSink = Arc<dyn Fn(BrowserError) + Send + Sync>;

pub struct Config {
    /// The folder with `manifest.json` and `assets/`.
    pub site: PathBuf,
    /// Where people reach this server, when that is not loopback.
    pub public_url: Option<Url>,
    /// Further names this server answers to, without ports.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call the memories, with an API key: `chrome-extension://…`, `https://…`.
    pub memory_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Cidr>,
    /// Lets others than this machine read `/metrics`.
    pub metrics_token: Option<String>,
    /// Asked for at set-up from elsewhere than this machine.
    pub setup_code: String,
    /// Names this build; another one tells open pages to reload.
    pub build: String,
    pub sign_in_limit: Rate,
    pub request_limit: Rate,
    pub browser_error_sink: Option<BrowserErrorSink>,
    pub metrics: PrometheusHandle,
}

/// Why the edge cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the site's {file} cannot be read ({cause}): build it with `cargo xtask build`, or name its folder with --site"
    )]
    Site { file: String, cause: std::io::Error },
    #[error(
        "the site's manifest.json is not what a build writes ({0}): build it again with `cargo xtask build`"
    )]
    Manifest(#[source] serde_json::Error),
}
