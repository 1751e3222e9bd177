//! Whether an address is on this machine or on its own network. By the address alone: nothing is asked.

use std::net::{IpAddr, Ipv6Addr};

/// Ends of names that only a network of one's own gives out.
const OWN_NETWORK: [&str; 6] = [".localhost", ".local", ".lan", ".internal", ".home", ".home.arpa"];

/// Whether what is sent to this URL stays on this machine or its own network: loopback, private and link-local
/// addresses, names without a dot, and names that only an own network gives out.
pub fn is_near(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address_is_near(address.to_canonical()),
        Err(_) => !host.contains('.') || OWN_NETWORK.iter().any(|end| host.ends_with(end)),
    }
}

fn address_is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || is_own(v6),
    }
}

/// Unique local (fc00::/7) and link-local (fe80::/10) addresses.
fn is_own(v6: Ipv6Addr) -> bool {
    let [first, ..] = v6.segments();
    first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_its_own_network_are_near() {
        for url in [
            "http://127.0.0.1:11434/",
            "http://localhost/v1",
            "http://[::1]:8080/v1",
            "http://192.168.1.20/v1",
            "http://10.0.0.5",
            "http://[fd12::1]/",
            "http://[::ffff:10.0.0.5]/",
            "http://ollama:11434",
            "http://studio.local/v1",
            "http://host.docker.internal:1234",
        ] {
            assert!(is_near(url), "{url}");
        }
    }

    #[test]
    fn everything_else_is_somewhere_else() {
        for url in [
            "https://models.example.com/v1",
            "http://8.8.8.8/",
            "http://[2001:db8::1]/",
            "http://[::ffff:8.8.8.8]/",
            "https://127.0.0.1.example.com/",
            "https://localhost.example.com/",
            "not an address",
            "",
        ] {
            assert!(!is_near(url), "{url}");
        }
    }
}
