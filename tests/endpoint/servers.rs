//! Endpoints that misbehave, each on a port of its own.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::PROXY_AUTHORIZATION;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// What an endpoint does with a connection.
#[derive(Debug, Clone, Copy)]
pub enum Script {
    /// Reads the request and answers this.
    Answer(&'static str),
    /// Answers this without reading on after the first bytes, and closes.
    AnswerEarly(&'static str),
    /// Answers more than anybody wants to read.
    AnswerWithoutEnd,
    /// Reads and says nothing.
    Hang,
    /// Answers a byte at a time, slowly.
    Drip,
    /// Closes without an answer.
    Close,
    /// Resets the connection in mid-answer.
    Reset,
}

/// Starts an endpoint; gives its URL.
pub async fn start(script: Script) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // That the client goes away is what some of the tests are about.
            tokio::spawn(async move { drop(play(script, stream).await) });
        }
    });
    format!("http://{address}/")
}

async fn play(script: Script, mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    let body = super::EVENT;
    let has_enough = |request: &[u8]| match script {
        Script::AnswerEarly(_) => !request.is_empty(),
        _ => request.ends_with(body),
    };
    while !has_enough(&request) {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    match script {
        Script::Answer(answer) | Script::AnswerEarly(answer) => {
            stream.write_all(answer.as_bytes()).await
        }
        Script::AnswerWithoutEnd => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                stream.write_all(&[b'x'; 8192]).await?;
            }
        }
        Script::Hang => std::future::pending().await,
        Script::Drip => {
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Ok(())
        }
        Script::Close => Ok(()),
        Script::Reset => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await?;
            stream.set_zero_linger()
        }
    }
}

/// An authority, and certificates that it vouches for.
pub struct Tls {
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Tls {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("keys can be made");
        let authority = CertifiedIssuer::self_signed(params, key).expect("it signs itself");
        Self { authority }
    }

    fn certify(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let params = CertificateParams::new([name.to_owned()]).expect("a legal name");
        let key = KeyPair::generate().expect("keys can be made");
        (params.signed_by(&key, &self.authority).expect("it is signed"), key)
    }

    /// `ca.pem`, and `me.pem` and `me.key` for a client.
    pub fn client_files(&self) -> TempDir {
        let folder = TempDir::new().expect("there is a place for files");
        let (certificate, key) = self.certify("hookcast.test");
        for (name, text) in [
            ("ca.pem", self.authority.pem()),
            ("me.pem", certificate.pem()),
            ("me.key", key.serialize_pem()),
        ] {
            std::fs::write(folder.path().join(name), text).expect("a file can be written");
        }
        folder
    }

    /// What a server takes its connections with.
    pub fn acceptor(&self, protocols: &[&str]) -> TlsAcceptor {
        let (certificate, key) = self.certify("localhost");
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).expect("an authority");
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("there are versions")
            .with_client_cert_verifier(clients.build().expect("a verifier"))
            .with_single_cert(
                vec![CertificateDer::from(certificate)],
                PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
            )
            .expect("certificate and key belong together");
        config.alpn_protocols =
            protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Starts an endpoint that asks for a client certificate, and answers what it saw.
pub async fn start_tls(tls: &Tls, protocols: &[&str]) -> String {
    let acceptor = tls.acceptor(protocols);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A handshake that fails is what some of the tests are about.
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let is_known = stream.get_ref().1.peer_certificates().is_some();
                let answer = service_fn(move |request: Request<Incoming>| async move {
                    let shown = if is_known { "client certificate shown" } else { "nobody" };
                    let has_more = request.headers().contains_key(PROXY_AUTHORIZATION);
                    let more = if has_more { ", and a proxy's credentials" } else { "" };
                    let seen = format!("{:?}, {shown}{more}", request.version());
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(seen))))
                });
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                drop(server.serve_connection(TokioIo::new(stream), answer).await);
            });
        }
    });
    format!("https://localhost:{port}/")
}
