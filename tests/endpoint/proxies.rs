//! Requests that go through a proxy, and what each of the two hears.

use std::sync::{Arc, Mutex, PoisonError};

use hookcast::verdict::Outcome;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::prepare;
use crate::recorder::{OK, Recorder, Then};
use crate::servers::{self, Tls};

/// `me` and `pa ss`.
const CREDENTIALS: &str = "proxy-authorization: Basic bWU6cGEgc3M=";

/// The `egress` of a configuration with this proxy.
fn through(proxy: &str) -> String {
    let proxy = proxy.replace("http://", "http://me:pa%20ss@");
    format!("allow_private: true, proxy: '{proxy}'")
}

/// A proxy that leads wherever it is asked to; gives its URL, and what it was asked.
async fn tunnel() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heads = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let heads = Arc::clone(&heads);
            // That one of the two goes away ends it, and is no fault.
            tokio::spawn(async move { drop(lead(stream, &heads).await) });
        }
    });
    (url, asked)
}

async fn lead(mut client: TcpStream, heads: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&request).into_owned();
    let address = head.split(' ').nth(1).unwrap_or_default().to_owned();
    heads.lock().unwrap_or_else(PoisonError::into_inner).push(head);
    let mut endpoint = TcpStream::connect(address).await?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut endpoint).await?;
    Ok(())
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_whole_url_without_tls() {
    let proxy = Recorder::start(OK, Then::Nothing).await;
    let url = "http://you:word@crm.example.com:8080/hook?q=1";
    let (endpoints, attempt) = prepare(url, "", &through(proxy.url.trim_end_matches("/hook")));
    for _ in 0..2 {
        assert_eq!(endpoints.attempt(&attempt).await.outcome, Outcome::Status(200));
    }
    for seen in proxy.seen() {
        let head = &seen.head;
        assert_eq!(seen.connection, 0);
        assert!(
            head.starts_with("POST http://crm.example.com:8080/hook?q=1 HTTP/1.1\r\n"),
            "{head}"
        );
        for line in ["host: crm.example.com:8080", CREDENTIALS, "authorization: Basic eW91OndvcmQ="]
        {
            assert_eq!(head.lines().filter(|seen| *seen == line).count(), 1, "{line}: {head}");
        }
    }
}

#[tokio::test]
async fn a_proxy_leads_to_an_endpoint_with_tls_that_hears_nothing_of_it() {
    let tls = Tls::new();
    let files = tls.client_files();
    let settings = format!(
        "    tls: {{ ca_file: {0}/ca.pem, cert_file: {0}/me.pem, key_file: {0}/me.key }}\n",
        files.path().display()
    );
    for (protocols, expected) in
        [(&["http/1.1"][..], "HTTP/1.1"), (&["h2", "http/1.1"], "HTTP/2.0")]
    {
        let endpoint = servers::start_tls(&tls, protocols).await;
        let (proxy, asked) = tunnel().await;
        let (endpoints, attempt) = prepare(&endpoint, &settings, &through(&proxy));
        for _ in 0..2 {
            let answer = endpoints.attempt(&attempt).await;
            assert_eq!(answer.outcome, Outcome::Status(200), "{}", answer.detail);
            assert_eq!(answer.detail, format!("{expected}, client certificate shown"));
        }
        let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(asked.len(), 1, "the tunnel is kept");
        let address = endpoint.trim_start_matches("https://").trim_end_matches('/');
        let expected =
            format!("CONNECT {address} HTTP/1.1\r\nhost: {address}\r\n{CREDENTIALS}\r\n\r\n");
        assert_eq!(asked[0], expected);
    }
}

#[tokio::test]
async fn a_proxy_that_leads_nowhere_is_a_fault_of_the_connection_that_says_so() {
    for status in ["407 Proxy Authentication Required", "502 Bad Gateway"] {
        let refusal = format!("HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\nnope");
        let proxy = Recorder::start(refusal, Then::Nothing).await;
        let egress = through(proxy.url.trim_end_matches("/hook"));
        let (endpoints, attempt) = prepare("https://crm.example.com/", "", &egress);
        let answer = endpoints.attempt(&attempt).await;
        assert_eq!(answer.outcome, Outcome::Connect);
        assert_eq!(answer.detail, format!("the proxy answers {status} to CONNECT"));
        assert!(proxy.seen()[0].head.starts_with("CONNECT crm.example.com:443 HTTP/1.1\r\n"));
    }
}
