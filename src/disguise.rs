//! What of a request may be shown.
//!
//! Secret is what `${…}` put into a header, or into a URL's user, password or query. A header is
//! shown as its own mapping makes it from `***` in place of what was put in, so that no directive
//! can carry a secret to where nobody looks for it: what is shown never knew it. In what others
//! say, an endpoint that answers for example, secrets are looked for. It does not know how a
//! configuration is written.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Url, form_urlencoded};

use crate::event::Event;
use crate::mapping::Mapping;
use crate::plan::Target;
use crate::request::SignedRequest;
use crate::secret::Secret;

/// Everything but unreserved characters (RFC 3986), which is what most encoders encode.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// How much of one action's requests may be shown.
pub struct Disguise {
    url: Part,
    headers: Vec<(Box<str>, Part)>,
    /// What was put in, in all the forms in which it may come back.
    put_in: Vec<String>,
    /// The secrets that sign, in the same way.
    signs: Vec<String>,
}

/// How much of one text of a request may be shown.
#[derive(Debug)]
pub enum Part {
    /// All of it: nothing was put in.
    Open,
    /// What this mapping makes of the event. It is the text's own, with [`MASK`] in place of what
    /// was put in.
    Masked(Mapping),
    /// Nothing.
    Hidden,
}

/// Whether secrets are shown after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// [`MASK`] is shown.
    Masked,
    /// Those that are sent are shown.
    Shown,
}

impl fmt::Debug for Disguise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disguise")
            .field("url", &self.url)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

impl Disguise {
    /// A disguise of requests into whose URL and headers `put_in` was put, and which `signs` sign.
    #[must_use]
    pub fn new(
        url: Part,
        headers: Vec<(Box<str>, Part)>,
        put_in: &[Secret],
        signs: &[Secret],
    ) -> Self {
        Self { url, headers, put_in: forms(put_in), signs: forms(signs) }
    }

    /// The URL of `event`'s request as it may be shown.
    #[must_use]
    pub fn url(&self, url: &str, event: Event<'_>) -> String {
        match &self.url {
            Part::Open => url.to_owned(),
            Part::Masked(mapping) => masked_url(url, masked_text(mapping, event).as_deref()),
            Part::Hidden => masked_url(url, None),
        }
    }

    /// The value of a header of `event`'s request as it may be shown.
    #[must_use]
    pub fn header(&self, name: &str, value: &str, event: Event<'_>) -> String {
        match self.headers.iter().find(|(known, _)| **known == *name) {
            None | Some((_, Part::Open)) => value.to_owned(),
            Some((_, Part::Masked(mapping))) => {
                masked_text(mapping, event).unwrap_or_else(|| MASK.to_owned())
            }
            Some((_, Part::Hidden)) => MASK.to_owned(),
        }
    }

    /// What must not be shown of what others say: of an error, and of the answer to a request that
    /// `sent` an event. They may repeat what they were given, as it is or written otherwise.
    #[must_use]
    pub fn hidden(&self, sent: Option<(&SignedRequest, Event<'_>)>, secrets: Secrets) -> Hidden {
        let mut forms = Vec::new();
        if secrets == Secrets::Masked {
            forms.extend(self.put_in.iter().cloned());
            if let Some((request, event)) = sent {
                forms.extend(
                    self.sent(&request.target, event).iter().flat_map(|text| forms_of(text)),
                );
            }
        }
        // A secret that signs and is sent too is shown to whoever asks for what is sent.
        let is_sent = |form: &&String| secrets == Secrets::Shown && self.put_in.contains(form);
        forms.extend(self.signs.iter().filter(|form| !is_sent(form)).cloned());
        Hidden::new(forms)
    }

    /// What a request carries and is masked when it is shown.
    fn sent(&self, target: &Target, event: Event<'_>) -> Vec<String> {
        let masked = |(name, value): &&(Box<str>, Box<str>)| {
            let is_header = |(known, _): &&(Box<str>, Part)| known == name;
            let part = self.headers.iter().find(is_header).map(|(_, part)| part);
            !value.is_empty() && !matches!(part, None | Some(Part::Open))
        };
        let headers = target.headers.iter().filter(masked);
        let mut sent: Vec<String> = headers.map(|(_, value)| value.to_string()).collect();
        let Ok(url) = Url::parse(&target.url) else { return sent };
        let shown = self.url(&target.url, event);
        if shown == *target.url {
            return sent;
        }
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = (decoded(url.username()), url.password().map(decoded));
        if !user.is_empty() || password.is_some() {
            let password = password.unwrap_or_default();
            sent.push(BASE64_STANDARD.encode(format!("{user}:{password}")));
            sent.push(password);
        }
        let (_, shown_query) = user_and_query(&shown);
        let shown_pairs: Vec<&str> = shown_query.unwrap_or_default().split('&').collect();
        let query = url.query().unwrap_or_default();
        if shown_query.is_some_and(|shown| shown != query) {
            sent.push(query.to_owned());
        }
        for pair in query.split('&').filter(|pair| !shown_pairs.contains(pair)) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let is_shown = shown_pairs.iter().any(|shown| shown.split('=').next() == Some(name));
            sent.extend((!is_shown).then(|| name.to_owned()));
            sent.push(value.to_owned());
            sent.extend(
                form_urlencoded::parse(pair.as_bytes()).map(|(_, value)| value.into_owned()),
            );
        }
        sent
    }
}

/// Texts that are not shown.
pub struct Hidden {
    /// The longest first, since one may be part of another.
    forms: Vec<String>,
}

impl Hidden {
    fn new(mut forms: Vec<String>) -> Self {
        forms.retain(|form| !form.is_empty());
        forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        forms.dedup();
        Self { forms }
    }

    /// `text` as it may be shown.
    #[must_use]
    pub fn masked(&self, text: &str) -> String {
        self.forms.iter().fold(text.to_owned(), |text, form| text.replace(form, MASK))
    }

    /// `text` as it may be shown, where it was cut: the beginning of a secret may be left at its
    /// end.
    #[must_use]
    pub fn masked_part(&self, text: &str) -> String {
        let mut masked = self.masked(text);
        let left = self.forms.iter().filter_map(|form| {
            let ends = form.char_indices().map(|(at, _)| at).skip(1);
            ends.filter(|&end| masked.ends_with(&form[..end])).max()
        });
        if let Some(left) = left.max() {
            masked.truncate(masked.len() - left);
            masked.push_str(MASK);
        }
        masked
    }
}

fn masked_text(mapping: &Mapping, event: Event<'_>) -> Option<String> {
    mapping.text(event).ok().flatten()
}

/// The URL with the user, the password and the query that `masked` has, which is the text of the
/// same URL with [`MASK`] in place of secrets. What `masked` does not have was put in as a whole.
fn masked_url(url: &str, masked: Option<&str>) -> String {
    let Ok(mut shown) = Url::parse(url) else { return MASK.to_owned() };
    let (user, query) = masked.map_or((None, None), user_and_query);
    let has_user = !shown.username().is_empty() || shown.password().is_some();
    if user.is_some() && !has_user {
        // The secret has ended the place that it was put into, and stands elsewhere now.
        return format!("{}://{MASK}", shown.scheme());
    }
    if has_user {
        let (name, password) = match user.unwrap_or(MASK).split_once(':') {
            Some((name, password)) => (name, Some(password)),
            None => (user.unwrap_or(MASK), None),
        };
        let is_set = shown.set_username(name).and_then(|()| shown.set_password(password));
        is_set.expect("a URL with a user can have another one");
    }
    if shown.query().is_some() {
        shown.set_query(Some(query.unwrap_or(MASK)));
    }
    shown.into()
}

/// What stands before the host and behind the question mark.
fn user_and_query(text: &str) -> (Option<&str>, Option<&str>) {
    let text = text.split('#').next().unwrap_or_default();
    let (front, query) = match text.split_once('?') {
        Some((front, query)) => (front, Some(query)),
        None => (text, None),
    };
    let authority = front.split_once("://").map(|(_, rest)| rest);
    let authority = authority.and_then(|rest| rest.split(['/', '\\']).next());
    (authority.and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user), query)
}

/// The forms in which secrets may come back.
fn forms<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Vec<String> {
    secrets.into_iter().flat_map(|secret| forms_of(secret.expose())).collect()
}

/// The forms in which a text may come back: as it is, in a URL, in HTML, and all that in JSON, and
/// in JSON inside of JSON.
fn forms_of(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let form: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let strict = utf8_percent_encode(text, STRICT).to_string();
    let mut url = Url::parse("http://host/").expect("it is a URL");
    url.set_query(Some(text));
    let query = url.query().unwrap_or_default().to_owned();
    url.set_password(Some(text)).expect("a URL with a host can have a password");
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut forms = vec![
        text.to_owned(),
        form.replace('+', "%20"),
        form,
        with_small_digits(&strict),
        strict,
        query,
        url.password().unwrap_or_default().to_owned(),
        html.replace('"', "&quot;"),
        html,
    ];
    forms.sort_unstable();
    forms.dedup();
    for nested in 0..2 {
        let before = forms.clone();
        for text in &before {
            let json = in_json(text);
            // Some write more escapes than they must.
            if nested == 0 {
                forms.push(json.replace('/', r"\/"));
                forms.push(
                    json.replace('<', r"\u003c").replace('>', r"\u003e").replace('&', r"\u0026"),
                );
            }
            forms.push(json);
        }
        forms.sort_unstable();
        forms.dedup();
    }
    forms
}

/// The text as it stands between the quotes of a JSON string.
fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A percent-encoded text as those write it who prefer `%c3` to `%C3`.
fn with_small_digits(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        text.extend(["%", &digits.to_lowercase(), rest]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Hidden, Secrets, forms_of, masked_url};
    use crate::disguise::{Disguise, Part};
    use crate::secret::Secret;

    #[test]
    fn of_a_url_the_user_and_the_query_are_those_of_the_masked_text() {
        for (url, masked, shown) in [
            ("https://h/p?a=1&k=s", Some("https://h/p?a=1&k=***"), "https://h/p?a=1&k=***"),
            ("https://u:s@h/p", Some("https://u:***@h/p"), "https://u:***@h/p"),
            ("https://u:s@h/p?k=s", Some("***/p"), "https://***@h/p?***"),
            ("https://u:s@h/p?k=s", None, "https://***@h/p?***"),
            ("https://h/s?k", Some("https://h/***?k"), "https://h/s?k"),
            ("https://h/p?k=a%20b", Some(" https://h/p?k=*** b#f?x@"), "https://h/p?k=***%20b"),
            ("https://u@h/p@q", Some(r"https://***@h\p@q"), "https://***@h/p@q"),
            // The password was `1/x`, and is no password then.
            ("https://u:1/x@h/", Some("https://u:***@h/"), "https://***"),
        ] {
            assert_eq!(masked_url(url, masked), shown, "{masked:?}");
        }
    }

    #[test]
    fn a_secret_is_found_in_the_forms_in_which_it_comes_back() {
        let secret = "a\"b/c+d e&<ü";
        let hidden = Hidden::new(forms_of(secret));
        for said in [
            secret,
            r#"{"k":"a\"b/c+d e&<ü"}"#,
            r#"{"k":"a\"b\/c+d e&<ü"}"#,
            r#"{"k":"a\"b/c+d e\u0026\u003cü"}"#,
            r#"{"k":"{\"k\":\"a\\\"b/c+d e&<ü\"}"}"#,
            "a%22b%2Fc%2Bd%20e%26%3C%C3%BC",
            "a%22b%2fc%2bd%20e%26%3c%c3%bc",
            "a%22b%2Fc%2Bd+e%26%3C%C3%BC",
            "a%22b/c+d%20e&%3C%C3%BC",
            "a&quot;b/c+d e&amp;&lt;ü",
        ] {
            let masked = hidden.masked(said);
            assert!(masked.contains("***") && !masked.contains('b'), "{said}: {masked}");
        }
    }

    #[test]
    fn the_beginning_of_a_secret_at_the_end_of_what_was_cut_is_hidden() {
        let hidden = Hidden::new(forms_of("hunter2"));
        assert_eq!(hidden.masked_part("it was hunter2 and hunt"), "it was *** and ***");
        assert_eq!(hidden.masked_part("it was hunter2"), "it was ***");
        assert_eq!(hidden.masked_part("nothing"), "nothing");
    }

    #[test]
    fn what_signs_is_hidden_unless_it_is_what_is_sent() {
        let disguise = |put_in: &str| {
            let (put_in, signs) = (Secret::new(put_in), Secret::new("signs"));
            Disguise::new(Part::Open, Vec::new(), &[put_in], &[signs])
        };
        let said = |put_in, secrets| disguise(put_in).hidden(None, secrets).masked("signs sent");
        assert_eq!(said("sent", Secrets::Masked), "*** ***");
        assert_eq!(said("sent", Secrets::Shown), "*** sent");
        assert_eq!(said("signs", Secrets::Shown), "signs sent");
        assert!(!format!("{:?}", disguise("sent")).contains("sent"));
    }
}
