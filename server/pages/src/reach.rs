//! Where requests may go: public addresses only, unless a caller passes a list of its own. An address
//! that was not judged here must never be connected to: [`Checked`] is made nowhere else.
//!
//! The ranges are those of the IANA special-purpose address registries for IPv4 and IPv6, read
//! strictly: of an ambiguous range nothing is public.

use crate::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// Which addresses may be connected to.
#[derive(Clone, Debug, Default)]
pub enum Reach {
    /// Those that [`is_public`].
    #[default]
    Public,
    /// These and no others, whatever they are: for a test server.
    Only(Vec<SocketAddr>),
}

/// Addresses that may be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked(Vec<SocketAddr>);

impl Checked {
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.0
    }
}

impl Reach {
    /// One address that may not be reached spoils them all: a name that answers with a public and a
    /// private address is not to be trusted with either.
    pub(crate) fn check(&self, host: &str, addresses: &[IpAddr], port: u16) -> Result<Checked, Error> {
        if addresses.is_empty() {
            return Err(Error::UnknownHost(host.to_owned()));
        }
        let addresses: Vec<SocketAddr> = addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        if addresses.iter().all(|address| self.allows(*address)) {
            Ok(Checked(addresses))
        } else {
            Err(Error::NotPublic(host.to_owned()))
        }
    }

    fn allows(&self, address: SocketAddr) -> bool {
        match self {
            Self::Public => is_public(address.ip()),
            Self::Only(list) => list.contains(&address),
        }
    }
}

/// A host as its address names it: a name to look up, or an address already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Name(String),
    Address(IpAddr),
}

/// What an address must be before its host is even looked up: http or https, no credentials, and a
/// port that pages are served on. Of the ports below 1024 those are 80 and 443; of the others all
/// but those that browsers refuse as well, since other protocols live there.
pub(crate) fn target(url: &Url) -> Result<(Target, u16), Error> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Credentials);
    }
    let port = url.port_or_known_default().unwrap_or_default();
    if !is_web_port(port) {
        return Err(Error::Port(port));
    }
    // The parser has read `0x7f.1` and `2130706433` as the addresses they are.
    let target = match url.host() {
        Some(Host::Ipv4(ip)) => Target::Address(ip.into()),
        Some(Host::Ipv6(ip)) => Target::Address(ip.into()),
        Some(Host::Domain(name)) if !name.is_empty() => Target::Name(name.to_owned()),
        _ => return Err(Error::UnknownHost(String::new())),
    };
    Ok((target, port))
}

/// From 1024 on, the ports that the Fetch standard blocks.
const OTHER_PROTOCOLS: [u16; 19] = [
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 10080,
];

fn is_web_port(port: u16) -> bool {
    matches!(port, 80 | 443) || (port >= 1024 && !OTHER_PROTOCOLS.contains(&port))
}

/// Whether an address is one of the public internet.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, d] = ip.octets();
    let special = match (a, b, c) {
        // "This network", private use, loopback; multicast, reserved and broadcast.
        (0 | 10 | 127 | 224.., _, _) => true,
        // Shared between a carrier and its customers.
        (100, 64..=127, _) => true,
        // Link-local, where clouds keep their metadata.
        (169, 254, _) => true,
        (172, 16..=31, _) | (192, 168, _) => true,
        // Protocol assignments, documentation, and the relays of 6to4.
        (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (192, 88, 99) => true,
        // Benchmarking.
        (198, 18 | 19, _) => true,
        // A public range by the registry, and the inside of a cloud in fact.
        (168, 63, 129) => d == 16,
        _ => false,
    };
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    // NAT64 of a public address is how networks without IPv4 reach it.
    if (a, b, c, d, e, f) == (0x64, 0xff9b, 0, 0, 0, 0) {
        let [g0, g1] = g.to_be_bytes();
        let [h0, h1] = h.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(g0, g1, h0, h1));
    }
    // Outside of global unicast lie loopback, the mapped and compatible forms, unique local,
    // link-local and multicast; inside of it protocol assignments (Teredo among them), documentation
    // and 6to4.
    let global_unicast = a & 0xe000 == 0x2000;
    let special = match a {
        0x2001 => b < 0x0200 || b == 0x0db8,
        0x2002 => true,
        0x3fff => b < 0x1000,
        _ => false,
    };
    global_unicast && !special
}

#[cfg(test)]
mod tests;
