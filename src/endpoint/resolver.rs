//! Name resolution that refuses addresses which requests must not reach.
//!
//! A URL that names an address itself never gets here; those are refused where URLs are read.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::egress::Egress;

/// Why a host has no address to connect to.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unresolvable {
    #[error("the host name does not resolve: {0}")]
    Unknown(std::io::Error),
    #[error("`egress` refuses every address that the host name resolves to")]
    Refused,
}

/// The system's resolver behind the egress rules.
#[derive(Debug)]
pub(super) struct GuardedResolver {
    egress: Egress,
    /// The proxy is where the operator says it is, inside the network as a rule.
    proxy_host: Option<String>,
}

impl GuardedResolver {
    pub(super) fn new(egress: Egress) -> Self {
        let proxy = egress.proxy.as_ref().and_then(|proxy| proxy.expose().host_str());
        let proxy_host = proxy.map(str::to_owned);
        Self { egress, proxy_host }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let egress = self.egress.clone();
        let is_proxy = self.proxy_host.as_deref() == Some(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(Unresolvable::Unknown)?;
            let permitted = found.filter(|address| is_proxy || egress.permits(address.ip()));
            let permitted: Vec<SocketAddr> = permitted.collect();
            if permitted.is_empty() {
                return Err(Unresolvable::Refused.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}
