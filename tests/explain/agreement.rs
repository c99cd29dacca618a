//! What an explanation says is what a pipeline does.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookcast::config::Config;
use hookcast::event::Fields;
use hookcast::explanation::{Explainer, Explanation, Origin};
use hookcast::gates::Gates;
use hookcast::pipeline::{Pipeline, Step};
use hookcast::plan::Plan;
use hookcast::record::{Now, Offset, Record, TopicPartition};

/// Every way in which requests differ.
const CONFIG: &str = r#"
kafka: { bootstrap.servers: 'unused:1', group.id: g }
sources: { web: { topics: [web] }, mobile: { topics: ['^mobile.*'] } }
destinations:
  plain:
    shared_secret: s1
    actions:
      whole: { trigger: type = "track", url: 'https://example.com/?a=b#fragment' }
      off: { enabled: false, trigger: 'true', url: 'https://example.com/' }
      shaped: { trigger: event = "a", url: 'https://example.com/', method: DELETE, data: { n: { "@path": n } } }
      array: { trigger: 'true', url: 'https://example.com/', batch: true, headers: { X-A: b, user-agent: me } }
  mobile:
    sources: [mobile]
    integration: Push
    shared_secret: s2
    standard_webhooks: { secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw }
    actions:
      mapped: { trigger: 'true', url: { "@template": "https://example.com/{{n}}#f" }, headers: { X-N: { "@path": n }, X-C: c } }
      first: { trigger: n > 1, url: 'https://example.com/', batch: { max_events: 1 }, delivery: { signature: first_element } }
      picky: { trigger: 'true', url: { "@path": url }, data: { "@path": o } }
  unsigned:
    actions:
      all: { trigger: "!(type = \"page\")", url: 'https://example.com/' }
  gone: { enabled: false, actions: { all: { trigger: 'true', url: 'https://example.com/' } } }
"#;

const EVENTS: [&str; 10] = [
    r#"{"type":"track","event":"a","n":1}"#,
    r#" {"type":"page", "n" : 2, "url":"https://example.com", "o":{"x":[1]} }"#,
    r#"{"type":"track","n":"x\ny","url":"ftp://example.com","o":{}}"#,
    r#"{"type":"identify","n":5,"url":"http://127.0.0.1/","o":{}}"#,
    r#"{"type":"group","url":"http://example.com/","o":[]}"#,
    r#"{"type":"track","integrations":{"All":false}}"#,
    r#"{"type":"track","integrations":{"All":false,"Push":true},"n":3}"#,
    r#"{"type":"trick","n":3}"#,
    "not json",
    r#"{"type":"alias"} x"#,
];

/// Whether a header tells where its event comes from: one that is explained comes from nowhere.
fn is_made_from_the_origin(name: &str) -> bool {
    ["Idempotency-Key", "webhook-id", "webhook-signature"].contains(&name)
}

/// What becomes of a record for each action, in words.
type Fates = Vec<Option<String>>;

fn done_by_a_pipeline(plan: &Arc<Plan>, topic: &str, record: &str) -> Fates {
    let partition = TopicPartition { topic: topic.into(), partition: 0 };
    let mut pipeline = Pipeline::new(Arc::clone(plan), Arc::new(Gates::new(plan)), partition, None);
    let begun = Instant::now();
    let now = Now { instant: begun, unix_ms: 0 };
    let record = Record {
        offset: Offset(7),
        timestamp: Some(0),
        key: None,
        value: Some(record.as_bytes()),
        headers: Vec::new(),
    };
    let _ = pipeline.push(&record, now);
    let mut steps = Vec::new();
    // Late enough that no batch waits for company any longer.
    pipeline.poll(Now { instant: begun + Duration::from_hours(1), unix_ms: 0 }, &mut steps);
    let mut fates = vec![None; plan.actions.len()];
    for step in steps {
        match step {
            Step::Send(attempt) => {
                let request = &attempt.request;
                let headers = request.headers();
                let headers = headers.iter().filter(|(name, _)| !is_made_from_the_origin(name));
                fates[attempt.ticket.lane.action.0] = Some(format!(
                    "{:?} {} {:?} {:?}",
                    request.target.method,
                    request.target.url,
                    headers.collect::<Vec<_>>(),
                    request.body
                ));
            }
            Step::Forgotten(lanes) => panic!("nothing was told of anybody: {lanes:?}"),
            Step::DeadLetter(writing) => {
                let header = |name: &str| {
                    let mut headers = writing.letter.headers.iter();
                    let found = headers.find(|(known, _)| known == name);
                    found.map(|(_, value)| {
                        String::from_utf8_lossy(value.as_deref().unwrap_or_default()).into_owned()
                    })
                };
                let Some(name) = header("hookcast-action") else { continue };
                let destination = header("hookcast-destination").expect("an action has one");
                let index = plan.actions.iter().position(|action| {
                    *action.name == *name && *action.destination_name == *destination
                });
                let error = header("hookcast-error").unwrap_or_default();
                let index = index.expect("letters are about actions");
                fates[index] = Some(format!("{}: {error}", writing.letter.reason.as_str()));
            }
        }
    }
    fates
}

fn explained(plan: &Plan, topic: &str, record: &str) -> Fates {
    let mut fields = Fields::new();
    let event = fields.read(record.as_bytes(), &plan.paths);
    let mut explainer = Explainer::new(plan, Origin::Topic(topic));
    let now = Now { instant: Instant::now(), unix_ms: 0 };
    let explanations = explainer.explain(record.as_bytes(), event.as_ref().copied(), now);
    let fate = |explanation| match explanation {
        Explanation::Unowed(_) => None,
        Explanation::Unsendable { reason, message } => {
            Some(format!("{}: {message}", reason.as_str()))
        }
        Explanation::Owed(request) => {
            let headers = request.headers();
            let headers = headers.iter().filter(|(name, _)| !is_made_from_the_origin(name));
            Some(format!(
                "{:?} {} {:?} {:?}",
                request.target.method,
                request.target.url,
                headers.collect::<Vec<_>>(),
                request.body
            ))
        }
    };
    explanations.into_iter().map(fate).collect()
}

#[test]
fn an_explanation_is_what_a_pipeline_does() {
    let config = Config::parse("test.yaml", CONFIG, Path::new(""), &|name| std::env::var(name));
    let plan = Arc::new(config.unwrap_or_else(|errors| panic!("{errors}")).plan);
    let mut sent = 0;
    for topic in ["web", "mobile.ios", "elsewhere"] {
        for event in EVENTS {
            let fates = explained(&plan, topic, event);
            assert_eq!(fates, done_by_a_pipeline(&plan, topic, event), "{topic}: {event}");
            sent += fates.iter().flatten().count();
        }
    }
    assert!(sent > 30, "{sent}");
}
