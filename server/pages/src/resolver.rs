//! How a host's name becomes addresses: asked once for each connection, so that no second answer can
//! differ from the one that was judged. It judges nothing itself.

use async_trait::async_trait;
use std::io;
use std::net::IpAddr;

#[async_trait]
pub trait Resolver: Send + Sync {
    /// The host's addresses; none when there is no such host.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's own way of looking names up.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let addresses = tokio::net::lookup_host((host, 0)).await?;
        Ok(addresses.map(|address| address.ip()).collect())
    }
}
