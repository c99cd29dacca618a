//! Requests that leave for the public internet without encryption.

use std::net::IpAddr;

use url::{Host, Url};

use super::Written;
use crate::egress::Egress;

/// Ends of names that mean a host of one's own.
const OWN: [&str; 12] = [
    "cluster.local",
    "corp",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "lan",
    "local",
    "localhost",
    "private",
    "svc",
    "test",
];

pub(super) fn review(action: &Written<'_>) {
    let Some(url) = action.at.key("url") else { return };
    let at = url.key("@template").unwrap_or(url);
    let Some(scalar) = super::scalar(&at) else { return };
    let Some((scheme, host)) = plain(&scalar.text) else { return };
    if !is_public(&host) {
        return;
    }
    let message = if at.holds_secret() {
        "requests are sent without encryption".to_owned()
    } else {
        format!("requests to `{host}` are sent without encryption")
    };
    let bytes = at.locate(scheme);
    at.warn_at(bytes, message, Some("write `https:`; a signature hides nothing".to_owned()));
}

/// Where the scheme stands in a URL that begins with `http:`, and its host.
fn plain(text: &str) -> Option<(std::ops::Range<usize>, Host)> {
    // What a mapping puts in may be the host: only a path or a query of its own is looked past.
    let known = text.find("{{").map_or(text, |tag| &text[..tag]);
    let authority = known.find("://").map(|colon| &known[colon + 3..])?;
    if known.len() < text.len() && !authority.contains(['/', '?', '#']) {
        return None;
    }
    let url = Url::parse(known.trim()).ok().filter(|url| url.scheme() == "http")?;
    let start = text.len() - text.trim_start().len();
    Some((start..start + "http:".len(), url.host()?.to_owned()))
}

fn is_public(host: &Host) -> bool {
    let address: IpAddr = match host {
        Host::Ipv4(address) => (*address).into(),
        Host::Ipv6(address) => (*address).into(),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let is_below =
                |end: &&str| name.strip_suffix(*end).is_some_and(|rest| rest.ends_with('.'));
            return name.contains('.') && !OWN.iter().any(is_below);
        }
    };
    Egress::default().permits(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_host_without_encryption_is_told_from_hosts_of_ones_own() {
        for (url, expected) in [
            ("http://example.com/hook", true),
            (" http://EXAMPLE.com.", true),
            ("http://93.184.216.34/", true),
            ("http://example.com/{{userId}}", true),
            ("https://example.com", false),
            ("http://{{tenant}}.example.com/", false),
            ("http://example.com{{path}}", false),
            ("http://localhost:8000/x", false),
            ("http://10.1.2.3/", false),
            ("http://[::1]/", false),
            ("http://169.254.169.254/", false),
            ("http://receiver:8000/x", false),
            ("http://receiver.team.svc/x", false),
            ("http://receiver.team.svc.cluster.local/x", false),
            ("http://hooks.internal./", false),
            ("http://printer.local/", false),
        ] {
            let found = plain(url).is_some_and(|(_, host)| is_public(&host));
            assert_eq!(found, expected, "{url}");
        }
    }
}
