//! What TLS trusts, and what it shows of itself.

use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tracing::warn;

use crate::plan::Tls;

/// Why a destination's certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("its certificate authorities cannot be read")]
    Authorities(#[source] pem::Error),
    #[error("a certificate authority cannot be trusted")]
    Authority(#[source] rustls::Error),
    #[error("its client certificate cannot be read")]
    Identity(#[source] pem::Error),
    #[error("its client certificate and key cannot be used")]
    Pair(#[source] rustls::Error),
    #[error("TLS cannot be set up")]
    Protocol(#[source] rustls::Error),
}

/// The authorities that the system trusts. None at all is worth a word, and no reason to refuse:
/// there may be nothing but plain HTTP.
pub(super) fn system_authorities() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut authorities = RootCertStore::empty();
    let (added, _) = authorities.add_parsable_certificates(found.certs);
    if added == 0 {
        let error = found.errors.first().map(ToString::to_string).unwrap_or_default();
        warn!(error, "the system trusts no certificate authority: TLS needs those of tls.ca_file");
    }
    authorities
}

/// TLS as a destination wants it, beside what the `system` trusts.
pub(super) fn client_config(
    system: &RootCertStore,
    own: Option<&Tls>,
) -> Result<ClientConfig, Unusable> {
    let mut authorities = system.clone();
    for certificate in
        own.iter().filter_map(|tls| tls.authorities.as_ref()).flat_map(|pem| certificates(pem))
    {
        let certificate = certificate.map_err(Unusable::Authorities)?;
        authorities.add(certificate).map_err(Unusable::Authority)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Unusable::Protocol)?
        .with_root_certificates(authorities);
    let Some(identity) = own.and_then(|tls| tls.identity.as_ref()) else {
        return Ok(builder.with_no_client_auth());
    };
    let pem = identity.expose();
    let chain = certificates(pem).collect::<Result<_, _>>().map_err(Unusable::Identity)?;
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(Unusable::Identity)?;
    builder.with_client_auth_cert(chain, key).map_err(Unusable::Pair)
}

fn certificates(pem: &str) -> impl Iterator<Item = Result<CertificateDer<'static>, pem::Error>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
}
