//! One attempt over real sockets: what an endpoint may do to us, and what we call it.

mod proxies;
mod recorder;
mod reuse;
mod servers;
mod shared;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookcast::config::Config;
use hookcast::endpoint::Endpoints;
use hookcast::gates::Gates;
use hookcast::lane::{Answer, Attempt};
use hookcast::metrics::Metrics;
use hookcast::pipeline::{Pipeline, Step};
use hookcast::record::{Now, Offset, Record, TopicPartition};
use hookcast::verdict::Outcome;
use servers::{Script, Tls};

const EVENT: &[u8] = br#"{"type":"track","event":"Signed Up","messageId":"m"}"#;

/// What an attempt to deliver one event to `url` ends with.
async fn attempt(url: &str, settings: &str) -> Answer {
    let (endpoints, attempt) = prepare(url, settings, "allow_private: true");
    endpoints.attempt(&attempt).await
}

/// The attempt that a pipeline makes of one event.
fn prepare(url: &str, settings: &str, egress: &str) -> (Endpoints, Attempt) {
    let yaml = format!(
        "kafka: {{ bootstrap.servers: 'unused:1', group.id: g }}\n\
         sources: {{ all: {{ topics: [t] }} }}\n\
         egress: {{ {egress} }}\n\
         destinations:\n  d:\n    shared_secret: secret\n{settings}    actions:\n      a:\n        \
         trigger: type = \"track\"\n        url: {url}\n        delivery: {{ timeout: 1s }}\n"
    );
    let config = Config::parse("test.yaml", &yaml, Path::new("/"), &|name| std::env::var(name));
    let plan = Arc::new(config.unwrap_or_else(|errors| panic!("{errors}")).plan);
    let metrics = Arc::new(Metrics::new(&plan));
    let endpoints = Endpoints::new(&plan, metrics).expect("the destination is usable");
    let partition = TopicPartition { topic: "t".into(), partition: 0 };
    let mut pipeline =
        Pipeline::new(Arc::clone(&plan), Arc::new(Gates::new(&plan)), partition, None);
    let record = Record {
        offset: Offset(7),
        timestamp: Some(0),
        key: None,
        value: Some(EVENT),
        headers: Vec::new(),
    };
    let now = Now { instant: Instant::now(), unix_ms: 0 };
    let _ = pipeline.push(&record, now);
    let mut steps = Vec::new();
    pipeline.poll(now, &mut steps);
    match steps.pop() {
        Some(Step::Send(attempt)) => (endpoints, attempt),
        step => panic!("not a request: {step:?}"),
    }
}

#[tokio::test]
async fn an_answer_is_read_to_its_end_and_its_beginning_kept() {
    let url =
        servers::start(Script::Answer("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"));
    let answer = attempt(&url.await, "").await;
    assert_eq!((answer.outcome, &*answer.detail), (Outcome::Status(404), "gone"));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let url = servers::start(Script::Answer(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    ));
    assert_eq!(attempt(&url.await, "").await.outcome, Outcome::Status(307));
}

#[tokio::test]
async fn retry_after_is_read_where_the_endpoint_asks_to_be_left_alone() {
    let asks = [
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 7\r\nContent-Length: 0\r\n\r\n",
    ];
    for response in asks {
        let answer = attempt(&servers::start(Script::Answer(response)).await, "").await;
        assert_eq!(answer.retry_after, Some(Duration::from_secs(7)), "{response}");
    }
    let dates = [
        ("Fri, 31 Dec 9999 23:59:59 GMT", 100_000_000..u64::MAX),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0..1),
    ];
    for (date, expected) in dates {
        let response = format!(
            "HTTP/1.1 429 Too Many Requests\r\nRetry-After: {date}\r\nContent-Length: 0\r\n\r\n"
        );
        let answer = attempt(&servers::start(Script::Answer(response.leak())).await, "").await;
        let wait = answer.retry_after.expect("a date").as_secs();
        assert!(expected.contains(&wait), "{date}: {wait}");
    }
    let asks_nothing = [
        "HTTP/1.1 500 Oops\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: \u{fc}\r\nContent-Length: 0\r\n\r\n",
    ];
    for response in asks_nothing {
        let answer = attempt(&servers::start(Script::Answer(response)).await, "").await;
        assert_eq!(answer.retry_after, None, "{response}");
    }
}

#[tokio::test]
async fn an_answer_that_comes_before_the_body_was_read_counts() {
    let url = servers::start(Script::AnswerEarly(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ));
    assert_eq!(attempt(&url.await, "").await.outcome, Outcome::Status(200));
}

#[tokio::test]
async fn an_endless_answer_is_cut_and_its_status_counts() {
    let url = servers::start(Script::AnswerWithoutEnd);
    assert_eq!(attempt(&url.await, "").await.outcome, Outcome::Status(200));
}

#[tokio::test]
async fn an_endpoint_that_hangs_or_drips_times_out() {
    for script in [Script::Hang, Script::Drip] {
        let answer = attempt(&servers::start(script).await, "").await;
        assert_eq!(answer.outcome, Outcome::Timeout, "{script:?}: {}", answer.detail);
        assert_eq!(answer.detail, "no complete answer within 1s");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_fault_of_the_connection() {
    let cut_short = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this";
    let scripts = [
        Script::Close,
        Script::Reset,
        Script::Answer("no HTTP\r\n\r\n"),
        Script::AnswerEarly(cut_short),
    ];
    for script in scripts {
        let answer = attempt(&servers::start(script).await, "").await;
        assert_eq!(answer.outcome, Outcome::Connect, "{script:?}: {}", answer.detail);
    }
    // In mid-handshake, too.
    let url = servers::start(Script::AnswerEarly("")).await.replace("http:", "https:");
    let answer = attempt(&url, "").await;
    assert_eq!(answer.outcome, Outcome::Connect, "{}", answer.detail);
    let answer = attempt("http://127.0.0.1:1/", "").await;
    assert_eq!(answer.outcome, Outcome::Connect, "{}", answer.detail);
}

#[tokio::test]
async fn a_host_without_an_address_is_a_fault_of_the_dns() {
    let answer = attempt("http://nowhere.invalid/path?secret=hunter2", "").await;
    assert_eq!(answer.outcome, Outcome::Dns);
    assert!(!answer.detail.contains("hunter2"), "{}", answer.detail);
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_is_refused() {
    let url = servers::start(Script::Answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    // The configuration is read under rules that permit the URL; then the rules change.
    let (_, attempt) = prepare(&url, "", "allow_private: true");
    let named = url.replace("127.0.0.1", "localhost");
    let (permitted, _) = prepare(&named, "", "allow_private: true");
    assert_eq!(permitted.attempt(&attempt).await.outcome, Outcome::Status(200));
    let (refused, attempt) =
        prepare("'http://hookcast-test.localdomain/'", "", "deny: [0.0.0.0/0, '::/0']");
    assert_eq!(refused.attempt(&attempt).await.outcome, Outcome::Dns);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_a_fault_of_tls() {
    let tls = Tls::new();
    let answer = attempt(&servers::start_tls(&tls, &[]).await, "").await;
    assert_eq!(answer.outcome, Outcome::Tls, "{}", answer.detail);
}

#[tokio::test]
async fn an_authority_of_its_own_and_a_client_certificate_are_used() {
    let tls = Tls::new();
    let files = tls.client_files();
    for (protocols, expected) in
        [(&["http/1.1"][..], "HTTP/1.1"), (&["h2", "http/1.1"], "HTTP/2.0")]
    {
        let url = servers::start_tls(&tls, protocols).await;
        let settings = format!(
            "    tls: {{ ca_file: {0}/ca.pem, cert_file: {0}/me.pem, key_file: {0}/me.key }}\n",
            files.path().display()
        );
        let answer = attempt(&url, &settings).await;
        assert_eq!(answer.outcome, Outcome::Status(200), "{}", answer.detail);
        assert_eq!(answer.detail, format!("{expected}, client certificate shown"));
        let settings = format!("    tls: {{ ca_file: {}/ca.pem }}\n", files.path().display());
        let answer = attempt(&url, &settings).await;
        assert!(matches!(answer.outcome, Outcome::Tls | Outcome::Connect), "{answer:?}");
    }
}
