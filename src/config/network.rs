//! `admin`, `egress` and a destination's `tls`: addresses and certificates.
//!
//! Knows how they are written, and reads the files that they name. It connects to nothing.

use std::net::{Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;

use super::at::{At, network};
use super::expand::read_text;
use super::section::Section;
use super::tree::{Node, Value};
use super::{FileName, TlsFiles};
use crate::disguise::MASK;
use crate::egress::{Egress, Proxy};
use crate::plan::Tls;
use crate::secret::Secret;

/// Reads `admin`.
pub(super) fn read_admin(root: &Section<'_>) -> Option<SocketAddr> {
    let default = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 9464));
    let Some(at) = root.key("admin") else {
        return Some(default);
    };
    let section = Section::read(&at, &["listen"])?;
    match section.key("listen") {
        Some(at) => at.parse("an address and a port", |text| {
            text.parse().map_err(|_| "for example `127.0.0.1:9464`, or `[::1]:9464`")
        }),
        None => Some(default),
    }
}

/// Reads `egress`.
pub(super) fn read_egress(root: &Section<'_>) -> Option<Egress> {
    let Some(at) = root.key("egress") else {
        return Some(Egress::default());
    };
    let section = Section::read(&at, &["allow_private", "allow", "deny", "proxy"])?;
    let allow_private = section.key("allow_private").map_or(Some(false), |at| at.boolean());
    let allow = read_networks(section.key("allow"));
    let deny = read_networks(section.key("deny"));
    let proxy = match section.key("proxy") {
        Some(at) => read_proxy(&at).map(Some),
        None => Some(None),
    };
    Some(Egress { allow_private: allow_private?, allow: allow?, deny: deny?, proxy: proxy? })
}

fn read_networks(at: Option<At<'_>>) -> Option<Vec<IpNet>> {
    let Some(at) = at else {
        return Some(Vec::new());
    };
    let read = |at: &At<'_>| at.parse("an address or a network", network);
    let networks: Vec<_> = at.items()?.iter().map(read).collect();
    networks.into_iter().collect()
}

fn read_proxy(at: &At<'_>) -> Option<Proxy> {
    let proxy = Url::parse(at.text()?).ok().and_then(Proxy::new);
    if proxy.is_none() {
        // What is written may hold a password, so it is not repeated.
        at.error_with(
            "expected the URL of an HTTP proxy",
            "for example `http://proxy.internal:3128`",
        );
    }
    proxy
}

/// Reads a destination's `tls`; none when it has none, or when it is wrong, which has been
/// reported.
pub(super) fn read_tls(destination: &Section<'_>) -> Option<Tls> {
    let at = destination.key("tls")?;
    let section = Section::read(&at, &["ca_file", "cert_file", "key_file"])?;
    let authorities = section.key("ca_file").map(|at| read_certificates(&at));
    let chain = section.key("cert_file").map(|at| read_certificates(&at));
    let key = section.key("key_file").map(|at| read_key(&at));
    let identity = match (chain, key) {
        (Some(chain), Some(key)) => Some(Secret::new(format!("{}\n{}", chain?, key?.expose()))),
        (None, None) => None,
        (chain, _) => {
            let (there, missing) =
                if chain.is_some() { ("cert_file", "key_file") } else { ("key_file", "cert_file") };
            at.key_error(
                format!("the key `{missing}` is missing"),
                Some(format!("`{there}` is of no use without it")),
            );
            return None;
        }
    };
    let authorities = match authorities {
        Some(authorities) => Some(authorities?.into()),
        None => None,
    };
    Some(Tls { authorities, identity })
}

/// The files that `tls` names, which [`read_tls`] has read.
pub(super) fn tls_files(destination: &Section<'_>) -> TlsFiles {
    let tls = destination.key("tls");
    let file = |key: &str| {
        let entry = tls.as_ref()?.entries()?.iter().find(|entry| entry.key == key)?;
        let directory = tls.as_ref()?.report.directory;
        let place = |node: &Node| match &node.value {
            Value::Scalar(scalar) => Some(directory.join(&scalar.text)),
            _ => None,
        };
        Some(FileName { path: place(&entry.node)?, shown: place(&entry.node.masked(MASK))? })
    };
    TlsFiles { ca: file("ca_file"), cert: file("cert_file"), key: file("key_file") }
}

fn read_certificates(at: &At<'_>) -> Option<String> {
    let text = read_file(at)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    if certificates.is_ok_and(|certificates| !certificates.is_empty()) {
        return Some(text);
    }
    at.error_with(
        "the file holds no certificates in PEM",
        "PEM begins with `-----BEGIN CERTIFICATE-----`",
    );
    None
}

fn read_key(at: &At<'_>) -> Option<Secret> {
    let text = read_file(at)?;
    if PrivateKeyDer::from_pem_slice(text.as_bytes()).is_ok() {
        return Some(Secret::new(text));
    }
    let hint = if text.contains("ENCRYPTED") {
        "an encrypted key cannot be used: decrypt it with `openssl pkey`"
    } else {
        "PEM begins with `-----BEGIN PRIVATE KEY-----`"
    };
    at.error_with("the file holds no private key in PEM", hint);
    None
}

/// The text of the file that is named, relative to the configuration's own directory.
fn read_file(at: &At<'_>) -> Option<String> {
    match read_text(&at.report.directory.join(at.text()?)) {
        Ok(text) => Some(text),
        Err(why) => {
            at.error(format!("{} cannot be read: {why}", at.shown()));
            None
        }
    }
}
