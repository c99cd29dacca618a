//! Which addresses requests may go to.
//!
//! Knows the ranges that do not belong to the public internet, and the exceptions an operator
//! makes. It resolves no names and opens no connections: whoever does asks for every address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::Url;

/// What leaves the process, and how.
#[derive(Debug, Clone, Default)]
pub struct Egress {
    /// True: loopback, private, link-local and metadata addresses are permitted too.
    pub allow_private: bool,
    /// Permitted although they are not public.
    pub allow: Vec<IpNet>,
    /// Refused, whatever else is permitted.
    pub deny: Vec<IpNet>,
    /// Goes between, where there is one.
    pub proxy: Option<Proxy>,
}

impl Egress {
    /// Whether a connection to `address` may be opened. `deny` comes before everything else,
    /// and an IPv4 address inside an IPv6 one is judged as what it stands for.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let meant = meaning(address);
        let is_in =
            |nets: &[IpNet]| nets.iter().any(|net| net.contains(&address) || net.contains(&meant));
        if is_in(&self.deny) {
            return false;
        }
        self.allow_private || is_in(&self.allow) || is_public(meant)
    }
}

/// A proxy for requests: an absolute `http` or `https` URL with a host.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy(Url);

impl Proxy {
    /// Takes a URL that can be a proxy; none: it cannot.
    #[must_use]
    pub fn new(url: Url) -> Option<Self> {
        let can = matches!(url.scheme(), "http" | "https") && url.has_host();
        can.then_some(Self(url))
    }

    /// The URL with the user and password it may hold. Whoever calls this takes care that it
    /// reaches no output.
    #[must_use]
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// The address that packets to `address` reach: an embedded IPv4 address where there is one.
fn meaning(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => embedded(v6).map_or(address, IpAddr::V4),
    }
}

/// The IPv4 address inside a mapped (RFC 4291), compatible (RFC 4291, deprecated), NAT64
/// (RFC 6052) or 6to4 (RFC 3056) address.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let last_four = |s: [u16; 8]| {
        let [a, b] = s[6].to_be_bytes();
        let [c, d] = s[7].to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    let segments = address.segments();
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(last_four(segments)),
        [0x2002, high, low, ..] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// Everything the IANA special-purpose registry keeps off the public internet, and Azure's
/// metadata address, which is a public one by its number.
fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [168, 63, 129, 16]
    )
}

/// Only `2000::/3` is global unicast; inside it some ranges are set apart. Public IPv4 addresses
/// behind NAT64 have been replaced by what they stand for before this is asked.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // IETF protocol assignments (Teredo, benchmarking, ORCHID), documentation.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Egress, Proxy};

    fn address(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    #[test]
    fn public_addresses_are_permitted() {
        let egress = Egress::default();
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "93.184.216.34",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001:80e::200e",
            "64:ff9b::808:808",
            "::ffff:8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(egress.permits(address(text)), "{text}");
        }
    }

    #[test]
    fn addresses_that_are_not_public_are_refused() {
        let egress = Egress::default();
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "100::1",
            "64:ff9b:1::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!egress.permits(address(text)), "{text}");
        }
    }

    #[test]
    fn a_private_address_inside_another_one_is_refused() {
        let egress = Egress::default();
        for text in [
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::10.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
        ] {
            assert!(!egress.permits(address(text)), "{text}");
        }
    }

    #[test]
    fn an_exception_is_permitted_also_in_disguise() {
        let egress = Egress { allow: vec!["10.20.0.0/16".parse().unwrap()], ..Egress::default() };
        assert!(egress.permits(address("10.20.3.4")));
        assert!(egress.permits(address("::ffff:10.20.3.4")));
        assert!(egress.permits(address("64:ff9b::a14:304")));
        assert!(!egress.permits(address("10.21.3.4")));
    }

    #[test]
    fn deny_comes_before_everything_else() {
        let egress = Egress {
            allow_private: true,
            allow: vec!["10.0.0.0/8".parse().unwrap()],
            deny: vec!["10.0.0.7/32".parse().unwrap(), "8.8.8.0/24".parse().unwrap()],
            proxy: None,
        };
        assert!(egress.permits(address("127.0.0.1")));
        assert!(egress.permits(address("10.0.0.6")));
        assert!(!egress.permits(address("10.0.0.7")));
        assert!(!egress.permits(address("::ffff:10.0.0.7")));
        assert!(!egress.permits(address("8.8.8.8")));
    }

    #[test]
    fn a_proxy_does_not_print_its_password() {
        let proxy = Proxy::new("http://user:hunter2@proxy.internal:3128".parse().unwrap()).unwrap();
        assert_eq!(
            format!("{proxy} {proxy:?}"),
            "http://proxy.internal:3128 Proxy(http://proxy.internal:3128)"
        );
        assert!(Proxy::new("socks5://proxy.internal".parse().unwrap()).is_none());
    }
}
