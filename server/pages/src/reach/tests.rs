use super::*;
use proptest::prelude::*;

/// From the IANA IPv4 and IPv6 special-purpose address registries, and the address registry of IPv6:
/// what is not "globally reachable", and what is but leads inside (6to4, its relays, and the anycast
/// addresses among the protocol assignments).
const V4: [(&str, u32); 17] = [
    ("0.0.0.0", 8),
    ("10.0.0.0", 8),
    ("100.64.0.0", 10),
    ("127.0.0.0", 8),
    ("168.63.129.16", 32),
    ("169.254.0.0", 16),
    ("172.16.0.0", 12),
    ("192.0.0.0", 24),
    ("192.0.2.0", 24),
    ("192.88.99.0", 24),
    ("192.168.0.0", 16),
    ("198.18.0.0", 15),
    ("198.51.100.0", 24),
    ("203.0.113.0", 24),
    ("224.0.0.0", 4),
    ("240.0.0.0", 4),
    ("255.255.255.255", 32),
];
const V6: [(&str, u32); 18] = [
    ("::", 128),
    ("::1", 128),
    ("::", 96),
    ("::ffff:0:0", 96),
    ("64:ff9b:1::", 48),
    ("100::", 64),
    ("100:0:0:1::", 64),
    ("2001::", 23),
    ("2001::", 32),
    ("2001:2::", 48),
    ("2001:db8::", 32),
    ("2002::", 16),
    ("3fff::", 20),
    ("5f00::", 16),
    ("fc00::", 7),
    ("fe80::", 10),
    ("fec0::", 10),
    ("ff00::", 8),
];
/// All that is given out as global unicast.
const GLOBAL_V6: (&str, u32) = ("2000::", 3);
const NAT64: (&str, u32) = ("64:ff9b::", 96);

fn v4_in(ip: Ipv4Addr, (base, bits): (&str, u32)) -> bool {
    let base: Ipv4Addr = base.parse().unwrap();
    (ip.to_bits() ^ base.to_bits()).leading_zeros() >= bits
}

fn v6_in(ip: Ipv6Addr, (base, bits): (&str, u32)) -> bool {
    let base: Ipv6Addr = base.parse().unwrap();
    (ip.to_bits() ^ base.to_bits()).leading_zeros() >= bits
}

fn table_v4(ip: Ipv4Addr) -> bool {
    !V4.iter().any(|range| v4_in(ip, *range))
}

fn table_v6(ip: Ipv6Addr) -> bool {
    if v6_in(ip, NAT64) {
        return table_v4(Ipv4Addr::from_bits(u32::try_from(ip.to_bits() & 0xffff_ffff).unwrap()));
    }
    v6_in(ip, GLOBAL_V6) && !V6.iter().any(|range| v6_in(ip, *range))
}

/// Addresses at and around the edges of the ranges, which chance alone hardly meets.
fn near_v4() -> impl Strategy<Value = Ipv4Addr> {
    (0..V4.len(), any::<u32>(), 0..4u8).prop_map(|(range, noise, how)| {
        let (base, bits) = V4[range];
        let base = base.parse::<Ipv4Addr>().unwrap().to_bits();
        let inside = u32::MAX.checked_shr(bits).unwrap_or(0);
        Ipv4Addr::from_bits(match how {
            0 => base.wrapping_sub(1),
            1 => base,
            2 => base | (noise & inside),
            _ => (base | inside).wrapping_add(1),
        })
    })
}

fn near_v6() -> impl Strategy<Value = Ipv6Addr> {
    (0..V6.len() + 2, any::<u128>(), 0..4u8).prop_map(|(range, noise, how)| {
        let (base, bits) = V6.iter().chain([&GLOBAL_V6, &NAT64]).nth(range).copied().unwrap();
        let base = base.parse::<Ipv6Addr>().unwrap().to_bits();
        let inside = u128::MAX.checked_shr(bits).unwrap_or(0);
        Ipv6Addr::from_bits(match how {
            0 => base.wrapping_sub(1),
            1 => base,
            2 => base | (noise & inside),
            _ => (base | inside).wrapping_add(1),
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_address_is_judged_as_the_registries_do(bits in any::<u32>(), wide in any::<u128>()) {
        let (v4, v6) = (Ipv4Addr::from_bits(bits), Ipv6Addr::from_bits(wide));
        prop_assert_eq!(is_public(v4.into()), table_v4(v4), "{}", v4);
        prop_assert_eq!(is_public(v6.into()), table_v6(v6), "{}", v6);
        let global = Ipv6Addr::from_bits((wide >> 3) | (1 << 125));
        prop_assert_eq!(is_public(global.into()), table_v6(global), "{}", global);
    }

    #[test]
    fn the_edges_of_ranges_are_where_the_registries_put_them(v4 in near_v4(), v6 in near_v6()) {
        prop_assert_eq!(is_public(v4.into()), table_v4(v4), "{}", v4);
        prop_assert_eq!(is_public(v6.into()), table_v6(v6), "{}", v6);
    }

    #[test]
    fn no_wrapping_makes_a_private_address_public(v4 in near_v4()) {
        if table_v4(v4) {
            return Ok(());
        }
        let [a, b, c, d] = v4.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let wrapped = [
            v4.to_ipv6_mapped(),
            v4.to_ipv6_compatible(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, 0x0808, 0x0808, 0, 0, !high, !low),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
        ];
        for v6 in wrapped {
            prop_assert!(!is_public(v6.into()), "{}", v6);
        }
    }
}

#[test]
fn addresses_of_metadata_are_private_and_those_of_the_internet_are_not() {
    for ip in ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"] {
        assert!(!is_public(ip.parse().unwrap()), "{ip}");
    }
    for ip in
        ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2001:4860:4860::8888", "64:ff9b::808:808"]
    {
        assert!(is_public(ip.parse().unwrap()), "{ip}");
    }
}

fn judged(url: &str) -> Result<Checked, Error> {
    let (target, port) = target(&Url::parse(url).unwrap())?;
    match target {
        Target::Address(ip) => Reach::Public.check("host", &[ip], port),
        Target::Name(name) => panic!("{name} was taken for a name"),
    }
}

#[test]
fn odd_spellings_of_an_address_are_that_address() {
    for url in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://017700000001/",
        "http://0177.0.0.01/",
        "http://127.0.0.1./",
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0。0。1/",
        "http://%31%32%37.0.0.1/",
        "http://0/",
        "http://0.0.0.0:8080/",
        "http:127.0.0.1/",
        "http:\\\\127.0.0.1\\",
        "http://[::]/",
        "http://[::1]/",
        "http://[::127.0.0.1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://[fd00:ec2::254]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://192.168.1.1:8443/",
    ] {
        assert_eq!(judged(url), Err(Error::NotPublic("host".to_owned())), "{url}");
    }
    assert!(judged("http://0x08080808/").is_ok());
}

#[test]
fn credentials_other_schemes_and_other_protocols_are_refused() {
    let refused = |url: &str| target(&Url::parse(url).unwrap()).unwrap_err();
    for url in ["http://user@example.com/", "https://user:word@example.com/", "http://:word@example.com/"] {
        assert_eq!(refused(url), Error::Credentials);
    }
    for url in ["file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "data:text/html,x"] {
        assert!(matches!(refused(url), Error::Scheme(_)), "{url}");
    }
    for port in [22, 25, 53, 6667, 5060, 6000] {
        assert_eq!(refused(&format!("http://example.com:{port}/")), Error::Port(port));
    }
    for (url, expected) in [
        ("http://example.com/", 80),
        ("https://example.com/", 443),
        ("http://example.com:8080/", 8080),
        ("https://example.com:8443/", 8443),
        ("http://example.com:3000/", 3000),
    ] {
        assert_eq!(target(&Url::parse(url).unwrap()).unwrap().1, expected);
    }
}

#[test]
fn one_private_address_among_public_ones_spoils_the_host() {
    let ips: Vec<IpAddr> = vec!["93.184.216.34".parse().unwrap(), "10.0.0.1".parse().unwrap()];
    assert!(Reach::Public.check("host", &ips[..1], 80).is_ok());
    assert_eq!(Reach::Public.check("host", &ips, 80), Err(Error::NotPublic("host".to_owned())));
    assert_eq!(Reach::Public.check("host", &[], 80), Err(Error::UnknownHost("host".to_owned())));
}
