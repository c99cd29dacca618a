//! Connections are opened: to the endpoint itself or through a proxy, with TLS where the URL asks
//! for it.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use http::{Method, Request, Uri};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tower_service::Service;
use url::Url;

use super::connection::{Connection, Form};
use super::fault::Error;
use super::origin::Origin;
use super::resolver::GuardedResolver;
use super::tls::{self, Unusable};
use crate::egress::Egress;
use crate::plan::Tls;

/// A connection that says nothing for so long is asked by TCP whether its other end is there, and
/// again after as long.
const TCP_KEEPALIVE: Duration = Duration::from_secs(15);
/// It is not when it has missed so many questions.
const TCP_KEEPALIVE_RETRIES: u32 = 3;
/// Nor when it has acknowledged nothing of what was sent for so long. The system alone would wait
/// for a quarter of an hour.
#[cfg(target_os = "linux")]
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(30);
const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// Bytes to and from somewhere, whatever is between.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens the connections of one destination.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector<GuardedResolver>,
    tls: TlsConnector,
    proxy: Option<Arc<Proxy>>,
}

/// What goes between.
struct Proxy {
    origin: Origin,
    /// The user and the password, as a header's value.
    credentials: Option<HeaderValue>,
    /// A proxy is spoken to by HTTP/1.1.
    tls: TlsConnector,
}

impl Connector {
    /// For a destination with certificates of its `own`, beside what the `system` trusts.
    pub(super) fn new(
        egress: &Egress,
        system: &RootCertStore,
        own: Option<&Tls>,
    ) -> Result<Self, Unusable> {
        let mut tcp = HttpConnector::new_with_resolver(GuardedResolver::new(egress.clone()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        tcp.set_keepalive_interval(Some(TCP_KEEPALIVE));
        tcp.set_keepalive_retries(Some(TCP_KEEPALIVE_RETRIES));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(TCP_USER_TIMEOUT));
        let config = tls::client_config(system, own)?;
        let speaking = |protocols: &[&[u8]]| {
            let mut config: ClientConfig = config.clone();
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            TlsConnector::from(Arc::new(config))
        };
        let proxy = egress.proxy.as_ref().map(|proxy| {
            let url = proxy.expose();
            let (origin, credentials) = (Origin::of(url), basic(url));
            Arc::new(Proxy { origin, credentials, tls: speaking(&[HTTP1]) })
        });
        Ok(Self { tcp, tls: speaking(&[HTTP2, HTTP1]), proxy })
    }

    /// Opens a connection to `origin`.
    pub(super) async fn open(&self, origin: &Origin) -> Result<Connection, Error> {
        match &self.proxy {
            None if origin.is_https() => self.secure(self.connect(origin).await?, origin).await,
            None => Connection::http1(self.connect(origin).await?, Form::Path).await,
            Some(proxy) => {
                let stream = self.connect(&proxy.origin).await?;
                let stream: Box<dyn Stream> = if proxy.origin.is_https() {
                    Box::new(handshake(&proxy.tls, stream, &proxy.origin).await?)
                } else {
                    stream
                };
                if !origin.is_https() {
                    let form = Form::Absolute { credentials: proxy.credentials.clone() };
                    return Connection::http1(stream, form).await;
                }
                self.secure(tunnel(stream, origin, proxy).await?, origin).await
            }
        }
    }

    async fn connect(&self, origin: &Origin) -> Result<Box<dyn Stream>, Error> {
        let stream = self.tcp.clone().call(origin.uri()).await;
        let stream = stream.map_err(|error| Error::Connect(error.into()))?;
        Ok(Box::new(stream.into_inner()))
    }

    async fn secure(&self, stream: Box<dyn Stream>, origin: &Origin) -> Result<Connection, Error> {
        let stream = handshake(&self.tls, stream, origin).await?;
        if stream.get_ref().1.alpn_protocol() == Some(HTTP2) {
            Connection::http2(Box::new(stream)).await
        } else {
            Connection::http1(Box::new(stream), Form::Path).await
        }
    }
}

async fn handshake(
    tls: &TlsConnector,
    stream: Box<dyn Stream>,
    origin: &Origin,
) -> Result<tokio_rustls::client::TlsStream<Box<dyn Stream>>, Error> {
    let host = origin.host().trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|error| Error::Tls(io::Error::other(error)))?;
    tls.connect(name, stream).await.map_err(Error::Tls)
}

/// Asks a proxy for a way to `origin` (RFC 9110, section 9.3.6).
async fn tunnel(
    stream: Box<dyn Stream>,
    origin: &Origin,
    proxy: &Proxy,
) -> Result<Box<dyn Stream>, Error> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
            .await
            .map_err(Error::Http)?;
    let mut connection = connection.with_upgrades();
    let authority = format!("{}:{}", origin.host(), origin.port());
    let mut request = Request::new(Empty::new());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = authority.parse::<Uri>().expect("a host and a port are an authority");
    let host = HeaderValue::from_str(&authority).expect("an authority is a legal value");
    request.headers_mut().insert(HOST, host);
    if let Some(credentials) = &proxy.credentials {
        request.headers_mut().insert(PROXY_AUTHORIZATION, credentials.clone());
    }
    let answered = async {
        let answer = sender.send_request(request).await.map_err(Error::Http)?;
        if answer.status().is_success() {
            hyper::upgrade::on(answer).await.map_err(Error::Http)
        } else {
            Err(Error::Connect(format!("the proxy answers {} to CONNECT", answer.status()).into()))
        }
    };
    tokio::pin!(answered);
    let mut is_open = true;
    let upgraded = loop {
        tokio::select! {
            upgraded = &mut answered => break upgraded?,
            _ = &mut connection, if is_open => is_open = false,
        }
    };
    Ok(Box::new(TokioIo::new(upgraded)))
}

/// The user and password of a URL as the value of `Authorization` (RFC 7617); none: it has none.
pub(super) fn basic(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [decode(url.username()), decode(url.password().unwrap_or_default())].join(&b':');
    let value = format!("Basic {}", STANDARD.encode(pair));
    let mut value = HeaderValue::from_str(&value).expect("base64 is legal in a header");
    value.set_sensitive(true);
    Some(value)
}
