//! What every handler reaches: the domain, the rules of this edge, and the sign to stop.

use crate::config::{BrowserErrorSink, Config};
use crate::limits::{Limits, Rates};
use crate::origin::Hosts;
use crate::visitor::Cidr;
use domain::Domain;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub struct Edge {
    pub domain: Domain,
    pub hosts: Hosts,
    pub limits: Limits,
    /// As [`Config::memory_origins`].
    pub memory_origins: Vec<String>,
    pub trusted_proxies: Vec<Cidr>,
    pub metrics: PrometheusHandle,
    pub metrics_token: Option<String>,
    pub setup_code: String,
    pub build: String,
    /// Whether people reach this server by HTTPS only.
    pub https_only: bool,
    pub browser_error_sink: Option<BrowserErrorSink>,
    /// Cancelled when the server stops: streams and sockets end, to be resumed.
    pub shutdown: CancellationToken,
}

impl Edge {
    pub fn new(domain: Domain, config: Config, shutdown: CancellationToken) -> Arc<Self> {
        let https_only = config.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
        Arc::new(Self {
            domain,
            hosts: Hosts::new(config.public_url, &config.allowed_hosts),
            limits: Limits::new(Rates { sign_in: config.sign_in_limit, request: config.request_limit }),
            memory_origins: config.memory_origins,
            trusted_proxies: config.trusted_proxies,
            metrics: config.metrics,
            metrics_token: config.metrics_token,
            setup_code: config.setup_code,
            build: config.build,
            https_only,
            browser_error_sink: config.browser_error_sink,
            shutdown,
        })
    }
}
