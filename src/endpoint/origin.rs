//! Where connections lead: the scheme, the host and the port of a URL.

use http::Uri;
use http::header::HeaderValue;
use url::Url;

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    is_https: bool,
    /// An IPv6 address stands in brackets.
    host: Box<str>,
    port: u16,
}

impl Origin {
    /// That of an `http` or `https` URL with a host.
    pub(super) fn of(url: &Url) -> Self {
        let is_https = url.scheme() == "https";
        let port = url.port_or_known_default().expect("http and https have one");
        Self { is_https, host: url.host_str().unwrap_or_default().into(), port }
    }

    pub(super) fn is_https(&self) -> bool {
        self.is_https
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Its URI, with the path of all.
    pub(super) fn uri(&self) -> Uri {
        self.uri_with("/")
    }

    /// That of a URL that leads here: without user, password and fragment.
    pub(super) fn uri_of(&self, url: &Url) -> Uri {
        self.uri_with(&url[url::Position::BeforePath..url::Position::AfterQuery])
    }

    fn uri_with(&self, path: &str) -> Uri {
        let scheme = if self.is_https { "https" } else { "http" };
        let uri = format!("{scheme}://{}{path}", self.authority());
        uri.parse().expect("what can be requested is a legal URI")
    }

    /// The value of `Host` (RFC 9110, section 7.2).
    pub(super) fn host_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.authority()).expect("what can be requested has a legal host")
    }

    /// Host and port, without the port where it is the usual one.
    fn authority(&self) -> String {
        let usual = if self.is_https { 443 } else { 80 };
        if self.port == usual {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}
