//! Logs as JSON lines on standard error, metrics in Prometheus' format, and, where configured,
//! traces to an OpenTelemetry collector and errors to Sentry. None of them ever holds the text of a
//! message, an address of a person, or a key.

use crate::options::{Serve, or_file};
use anyhow::{Context, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use sentry::integrations::tracing::ErrorLayer;
use sentry::protocol::{Event, Level};
use shared::telemetry::BrowserError;
use std::sync::Arc;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Seconds, from a cached page to a long answer.
const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// What runs for as long as the server does; what waits to be sent is sent when this is ended.
pub struct Telemetry {
    pub metrics: PrometheusHandle,
    traces: Option<SdkTracerProvider>,
    sentry: Option<sentry::ClientInitGuard>,
}

impl Telemetry {
    pub fn start(options: &Serve) -> Result<Self> {
        let filter = EnvFilter::try_new(&options.log).with_context(|| {
            format!("--log {} is not a filter: use error, warn, info or debug", options.log)
        })?;
        let sentry = start_sentry(options)?;
        let traces = options.otlp_endpoint.as_ref().map(|url| traces_to(url.as_str())).transpose()?;
        let lines = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(std::io::stderr);
        let spans = traces
            .as_ref()
            .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("sidebar")));
        let errors = sentry.as_ref().map(|_| ErrorLayer::new().with_filter(LevelFilter::ERROR));
        tracing_subscriber::registry()
            .with(lines.and_then(spans).and_then(errors).with_filter(filter))
            .try_init()
            .context("logging cannot start")?;
        Ok(Self { metrics: start_metrics()?, traces, sentry })
    }

    /// Where errors that browsers report go, when someone wants them.
    pub fn browser_errors(&self) -> Option<edge::BrowserErrorSink> {
        self.sentry.as_ref().map(|_| Arc::new(report) as edge::BrowserErrorSink)
    }

    /// Sends what waits to be sent.
    pub async fn end(self) {
        let traces = self.traces;
        let sentry = self.sentry;
        let ended = tokio::task::spawn_blocking(move || {
            drop(sentry);
            traces.map(|traces| traces.shutdown())
        });
        if let Ok(Some(Err(error))) = ended.await {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

fn start_metrics() -> Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
        .context("the buckets of the metrics are wrong")?
        .install_recorder()
        .context("metrics cannot start")
}

fn traces_to(endpoint: &str) -> Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .with_context(|| format!("traces cannot be sent to {endpoint}"))?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name("sidebar").build())
        .build())
}

fn start_sentry(options: &Serve) -> Result<Option<sentry::ClientInitGuard>> {
    let Some(dsn) = or_file("SIDEBAR_SENTRY_DSN", options.sentry_dsn.clone())? else { return Ok(None) };
    let dsn =
        dsn.parse().ok().context("SIDEBAR_SENTRY_DSN is not a DSN: copy it from the project's settings")?;
    let mut options = sentry::ClientOptions::new();
    options.dsn = Some(dsn);
    options.release = Some(env!("CARGO_PKG_VERSION").into());
    options.send_default_pii = false;
    Ok(Some(sentry::init(options)))
}

fn report(error: BrowserError) {
    let event = Event {
        level: Level::Error,
        logger: Some("browser".into()),
        message: Some(error.message),
        extra: [("stack".to_owned(), error.stack.into())].into(),
        ..Default::default()
    };
    sentry::capture_event(event);
}
