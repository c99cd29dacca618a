//! Name resolution that refuses addresses which requests must not reach.
//!
//! A URL that names an address itself never gets here; those are refused where URLs are read.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec::IntoIter;

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

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
#[derive(Debug, Clone)]
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

impl Service<Name> for GuardedResolver {
    type Response = IntoIter<SocketAddr>;
    type Error = Unresolvable;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unresolvable>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let egress = self.egress.clone();
        let is_proxy = self.proxy_host.as_deref() == Some(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(Unresolvable::Unknown)?;
            let permitted = found.filter(|address| is_proxy || egress.permits(address.ip()));
            let permitted: Vec<SocketAddr> = permitted.collect();
            if permitted.is_empty() {
                Err(Unresolvable::Refused)
            } else {
                Ok(permitted.into_iter())
            }
        })
    }
}
