//! Endpoints and events that fail for so long, or so often, that something has to be done about it.

use std::collections::BTreeSet;

use crate::harness::{
    Answer, Broker, Config, Hookcast, Receiver, SECRET, Stored, Stream, message_ids, until,
};

/// The actions `fine`, and `frail`, whose deliveries have these settings.
fn frail_beside_fine(broker: &Broker, topic: &str, receiver: &Receiver, settings: &str) -> Config {
    let (fine, frail) = (receiver.url("/fine"), receiver.url("/frail"));
    let yaml = format!(
        "sources:
  web: {{ topics: ['{topic}'] }}
destinations:
  crm:
    shared_secret: '{SECRET}'
    actions:
      fine: {{ trigger: type = \"track\", url: '{fine}' }}
      frail:
        trigger: type = \"track\"
        url: '{frail}'
{settings}
"
    );
    Config::new(broker, topic, &yaml)
}

fn delivery(settings: &str) -> String {
    format!("        delivery: {{ {settings} }}")
}

const TWO_SECONDS: &str = "retry: { initial: 10ms, max: 200ms, give_up_after: 2s }";

/// `/frail` answers with this status, and all else is well.
fn frail_answers(receiver: &Receiver, status: u16) {
    receiver.answer(move |request| match &*request.path {
        "/frail" => Answer::status(status),
        _ => Answer::ok(),
    });
}

fn dead_letters(topic: &str) -> String {
    format!("{topic}.dead-letter")
}

fn reasons(letters: &[Stored]) -> BTreeSet<String> {
    letters.iter().filter_map(|letter| letter.header("hookcast-reason")).collect()
}

fn until_metric(hookcast: &Hookcast, name: &str, wanted: f64) {
    until(name, || {
        let value = hookcast.metrics().value(name, &[("action", "frail")]);
        if (value - wanted).abs() < 0.5 { Ok(()) } else { Err(format!("{name} is {value}")) }
    });
}

#[test]
fn what_an_endpoint_refuses_for_too_long_is_dead_lettered_and_the_neighbour_gets_everything() {
    let topic = "giving-up.expired";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let receiver = Receiver::start(Some(SECRET));
    frail_answers(&receiver, 503);
    let config = frail_beside_fine(broker, topic, &receiver, &delivery(TWO_SECONDS));
    let mut stream = Stream::new(30);
    broker.produce(topic, stream.next(3000));
    let hookcast = config.start_ready();
    receiver.wait_accepted("/fine", 3000);
    let letters = broker.read_when(&dead_letters(topic), 3000);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_exactly_once("/fine", 3000);
    assert_eq!(reasons(&letters), BTreeSet::from(["expired".to_owned()]));
    let places: BTreeSet<_> = letters
        .iter()
        .map(|it| (it.header("hookcast-partition"), it.header("hookcast-offset")))
        .collect();
    assert_eq!((places.len(), letters.len()), (3000, 3000), "one letter for each event");
    assert_eq!(receiver.accepted("/frail"), 0);
}

#[test]
fn the_clock_of_an_endpoint_that_fails_goes_on_through_a_restart() {
    let topic = "giving-up.restart";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let receiver = Receiver::start(Some(SECRET));
    frail_answers(&receiver, 503);
    let long = delivery("retry: { initial: 10ms, max: 200ms, give_up_after: 1h }");
    let config = frail_beside_fine(broker, topic, &receiver, &long);
    broker.produce(topic, Stream::new(1).next(1));
    let hookcast = config.start_ready();
    until_metric(&hookcast, "hookcast_endpoint_open", 1.0);
    let since = std::time::Instant::now();
    hookcast.stop();
    assert!(broker.read(&dead_letters(topic)).is_empty());
    // So much time has passed when the next one starts, and it is told so.
    let before = receiver.requests("/frail").len();
    let patience = since.elapsed().as_millis().max(1);
    let short = format!("retry: {{ initial: 10s, max: 10s, give_up_after: {patience}ms }}");
    let config = frail_beside_fine(broker, topic, &receiver, &delivery(&short));
    let hookcast = config.start_ready();
    let letters = broker.read_when(&dead_letters(topic), 1);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    assert_eq!(reasons(&letters), BTreeSet::from(["expired".to_owned()]));
    let attempts = receiver.requests("/frail").len() - before;
    assert_eq!(attempts, 1, "the first failure of the new process puts the clock in force");
}

#[test]
fn under_hold_everything_is_delivered_when_the_endpoint_comes_back() {
    let topic = "giving-up.hold";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let receiver = Receiver::start(Some(SECRET));
    frail_answers(&receiver, 503);
    let hold = "on_give_up: hold, retry: { initial: 10ms, max: 100ms, give_up_after: 100ms }";
    let config = frail_beside_fine(broker, topic, &receiver, &delivery(hold));
    let mut stream = Stream::new(30);
    broker.produce(topic, stream.next(1000));
    let hookcast = config.start_ready();
    receiver.wait_accepted("/fine", 1000);
    // With a probe every 100 ms at most these take much longer than give_up_after.
    receiver.wait_until("it to fail for long", |arrived| arrived.at("/frail").requests >= 80);
    frail_answers(&receiver, 200);
    receiver.wait_accepted("/frail", 1000);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_exactly_once("/frail", 1000);
    assert!(broker.read(&dead_letters(topic)).is_empty());
}

#[test]
fn an_event_that_always_fails_is_set_aside_and_expires_while_the_others_arrive() {
    let topic = "giving-up.aside";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|request| {
        let is_poison = request.text().contains("\"key-7/3\"");
        if request.path == "/frail" && is_poison { Answer::status(500) } else { Answer::ok() }
    });
    let patient = delivery("retry: { initial: 10ms, max: 200ms, give_up_after: 5s }");
    let batched = format!("        batch: {{ max_events: 20, max_delay: 20ms }}\n{patient}");
    let config = frail_beside_fine(broker, topic, &receiver, &batched);
    let hookcast = config.start_ready();
    let mut stream = Stream::new(30);
    broker.produce(topic, stream.next(1000));
    until_metric(&hookcast, "hookcast_events_set_aside", 1.0);
    receiver.wait_accepted("/frail", 999);
    assert!(!receiver.arrived().at("/frail").has("key-7/3"));
    let letters = broker.read_when(&dead_letters(topic), 1);
    broker.wait_committed_to_end(topic, topic);
    until_metric(&hookcast, "hookcast_events_set_aside", 0.0);
    hookcast.stop();
    assert_eq!(letters[0].header("hookcast-reason").as_deref(), Some("expired"));
    assert_eq!(letters[0].header("hookcast-status").as_deref(), Some("500"));
    let inversions = receiver.arrived().at("/frail").inversions.clone();
    assert!(inversions.is_empty(), "{inversions:?}");
}

#[test]
fn an_expired_token_does_not_fill_the_dead_letter_topic() {
    const AT_ONCE: usize = 4;
    let topic = "giving-up.token";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let receiver = Receiver::start(Some(SECRET));
    frail_answers(&receiver, 401);
    let settings = "reject_limit: 5, concurrency: 4, retry: { initial: 10ms, max: 100ms }";
    let config = frail_beside_fine(broker, topic, &receiver, &delivery(settings));
    let hookcast = config.start_ready();
    broker.produce(topic, Stream::new(30).next(500));
    until_metric(&hookcast, "hookcast_endpoint_open", 1.0);
    receiver.wait_accepted("/fine", 500);
    frail_answers(&receiver, 200);
    receiver.wait_accepted("/frail", 500 - 5 - AT_ONCE);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    let letters = broker.read(&dead_letters(topic)).len();
    assert!((5..5 + AT_ONCE).contains(&letters), "{letters} letters");
    assert_eq!(receiver.accepted("/frail"), 500 - letters);
}

#[test]
fn after_413_no_request_carries_more_than_was_not_refused() {
    const MOST: usize = 100;
    let topic = "giving-up.too-large";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let receiver = Receiver::start(Some(SECRET));
    receiver.answer(|request| {
        let is_too_large = message_ids(&request.body).len() > MOST;
        if is_too_large { Answer::status(413) } else { Answer::ok() }
    });
    let batched = "        batch: { max_events: 1000, max_delay: 50ms }";
    let config = frail_beside_fine(broker, topic, &receiver, batched);
    broker.produce(topic, Stream::new(30).next(20_000));
    let hookcast = config.start_ready();
    receiver.wait_accepted("/frail", 20_000);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_exactly_once("/frail", 20_000);
    assert!(broker.read(&dead_letters(topic)).is_empty());
    let requests = receiver.requests("/frail");
    let refused = requests.iter().filter(|it| message_ids(&it.body).len() > MOST).count();
    assert!((1..=5).contains(&refused), "{refused} of {} requests", requests.len());
}
