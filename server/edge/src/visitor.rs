//! Where a request comes from. A forwarded address is believed only from a proxy that the operator
//! named, and "from this machine" is said only when nothing stands between.

use crate::origin;
use axum::extract::{ConnectInfo, Request};
use http::{HeaderMap, header};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// A range of addresses, `10.0.0.0/8`; a plain address is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

#[derive(Debug, thiserror::Error)]
#[error("‘{0}’ is not an address or a range of addresses: write 10.0.0.1, 10.0.0.0/8 or fd00::/8")]
pub struct NotACidr(String);

impl FromStr for Cidr {
    type Err = NotACidr;

    fn from_str(text: &str) -> Result<Self, NotACidr> {
        let wrong = || NotACidr(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse().map_err(|_| wrong())?,
            None => bits,
        };
        if prefix > bits { Err(wrong()) } else { Ok(Self { address, prefix }) }
    }
}

impl Cidr {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(range), IpAddr::V4(one)) => {
                same_prefix(range.to_bits().into(), one.to_bits().into(), self.prefix, 32)
            }
            (IpAddr::V6(range), IpAddr::V6(one)) => {
                same_prefix(range.to_bits(), one.to_bits(), self.prefix, 128)
            }
            _ => false,
        }
    }
}

fn same_prefix(a: u128, b: u128, prefix: u8, bits: u32) -> bool {
    let differing = a ^ b;
    prefix == 0 || differing >> (bits - u32::from(prefix)) == 0
}

/// Where a request comes from; each request carries one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    pub address: IpAddr,
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A program on the machine of the server, talking to it directly.
    ThisMachine,
    Elsewhere,
}

impl Source {
    /// What is assumed where nothing is known.
    pub const UNKNOWN: Self = Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), place: Place::Elsewhere };

    pub fn of(request: &Request, trusted: &[Cidr]) -> Self {
        match request.extensions().get::<ConnectInfo<SocketAddr>>() {
            Some(ConnectInfo(peer)) => resolve(peer.ip().to_canonical(), request.headers(), trusted),
            None => Self::UNKNOWN,
        }
    }
}

fn resolve(peer: IpAddr, headers: &HeaderMap, trusted: &[Cidr]) -> Source {
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(address));
    if is_trusted(peer) {
        // Each proxy appends whom it heard from: the last one that is not ours is the caller.
        let caller = forwarded_for(headers).into_iter().rev().find(|address| !is_trusted(*address));
        return Source { address: caller.unwrap_or(peer), place: Place::Elsewhere };
    }
    let place = if peer.is_loopback() && !was_forwarded(headers) && origin::host_is_loopback(headers) {
        Place::ThisMachine
    } else {
        Place::Elsewhere
    };
    Source { address: peer, place }
}

/// Whether something passed this request on, whoever it was.
fn was_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key("x-forwarded-for")
        || headers.contains_key("x-forwarded-host")
        || headers.contains_key("x-real-ip")
        || headers.contains_key(header::FORWARDED)
        || headers.contains_key(header::VIA)
}

fn forwarded_for(headers: &HeaderMap) -> Vec<IpAddr> {
    headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map_while(|entry| address_of(entry.trim()))
        .collect()
}

/// An address with or without a port.
fn address_of(entry: &str) -> Option<IpAddr> {
    let address = entry.parse::<IpAddr>().or_else(|_| entry.parse::<SocketAddr>().map(|a| a.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn from(peer: &str, headers: &[(&'static str, &str)], trusted: &[&str]) -> Source {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (http::HeaderName::from_static(name), HeaderValue::try_from(*value).unwrap())
            })
            .collect();
        let trusted: Vec<Cidr> = trusted.iter().map(|range| range.parse().unwrap()).collect();
        resolve(ip(peer), &headers, &trusted)
    }

    #[test]
    fn ranges_are_read_and_contain_what_they_say() {
        let contains = |range: &str, address: &str| range.parse::<Cidr>().unwrap().contains(ip(address));
        assert!(contains("10.0.0.0/8", "10.255.0.1"));
        assert!(!contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("192.0.2.7", "192.0.2.7"));
        assert!(contains("192.0.2.7", "::ffff:192.0.2.7"));
        assert!(contains("fd00::/8", "fd12::1"));
        assert!(contains("0.0.0.0/0", "203.0.113.9"));
        assert!(!contains("0.0.0.0/0", "2001:db8::1"));
        for wrong in ["10.0.0.0/33", "ten", "", "10.0.0.0/", "::1/129"] {
            assert!(wrong.parse::<Cidr>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_forwarded_address_is_believed_only_from_a_named_proxy() {
        let headers = [("x-forwarded-for", "203.0.113.9"), ("host", "example.com")];
        assert_eq!(from("10.0.0.1", &headers, &[]).address, ip("10.0.0.1"));
        assert_eq!(from("10.0.0.1", &headers, &["10.0.0.0/8"]).address, ip("203.0.113.9"));
    }

    #[test]
    fn what_a_caller_wrote_before_the_proxy_added_to_it_is_not_believed() {
        let headers = [("x-forwarded-for", "127.0.0.1, 203.0.113.9, 10.0.0.2"), ("host", "localhost")];
        let source = from("10.0.0.1", &headers, &["10.0.0.0/8"]);
        assert_eq!(source, Source { address: ip("203.0.113.9"), place: Place::Elsewhere });
    }

    #[test]
    fn this_machine_is_loopback_with_nothing_between() {
        assert_eq!(from("127.0.0.1", &[("host", "localhost:3000")], &[]).place, Place::ThisMachine);
        assert_eq!(from("::1", &[("host", "[::1]:3000")], &[]).place, Place::ThisMachine);
        assert_eq!(from("192.0.2.1", &[("host", "localhost")], &[]).place, Place::Elsewhere);
    }

    #[test]
    fn a_proxy_on_this_machine_does_not_make_its_visitors_local() {
        for forwarded in ["x-forwarded-for", "x-real-ip", "forwarded", "via", "x-forwarded-host"] {
            let source = from("127.0.0.1", &[("host", "localhost"), (forwarded, "127.0.0.1")], &[]);
            assert_eq!(source.place, Place::Elsewhere, "{forwarded}");
        }
        assert_eq!(from("127.0.0.1", &[("host", "sidebar.example")], &[]).place, Place::Elsewhere);
        assert_eq!(from("127.0.0.1", &[("host", "localhost")], &["127.0.0.1"]).place, Place::Elsewhere);
    }
}
