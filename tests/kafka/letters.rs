//! Letters that are hard to write: too large, to a topic that is gone, or more than fit into the
//! producer's queue. The position waits for them, and nobody else does.

use std::collections::BTreeSet;

use crate::harness::{
    Answer, Broker, Config, Hookcast, Receiver, Record, SECRET, Stored, Stream, track, until,
};

/// The actions `fine`, and `strict`, whose endpoint wants none of the events.
fn strict_beside_fine(broker: &Broker, topic: &str, receiver: &Receiver) -> Config {
    receiver.answer(|request| match &*request.path {
        "/strict" => Answer::status(404),
        _ => Answer::ok(),
    });
    let (fine, strict) = (receiver.url("/fine"), receiver.url("/strict"));
    let yaml = format!(
        "sources:
  web: {{ topics: ['{topic}'] }}
destinations:
  crm:
    shared_secret: '{SECRET}'
    actions:
      fine: {{ trigger: type = \"track\", url: '{fine}' }}
      strict: {{ trigger: type = \"track\", url: '{strict}' }}
delivery:
  reject_limit: 0
  retry: {{ initial: 10ms, max: 100ms }}
"
    );
    Config::new(broker, topic, &yaml)
}

fn dead_letters(topic: &str) -> String {
    format!("{topic}.dead-letter")
}

fn offsets(letters: &[Stored]) -> BTreeSet<i64> {
    let offset = |letter: &Stored| letter.header("hookcast-offset")?.parse().ok();
    letters.iter().map(|letter| offset(letter).expect("every letter says where from")).collect()
}

/// One letter for each event, `fine` has everything, and the position is at the end.
fn assert_one_letter_each(
    broker: &Broker,
    topic: &str,
    receiver: &Receiver,
    hookcast: Hookcast,
    sent: usize,
) -> Vec<Stored> {
    receiver.wait_accepted("/fine", sent);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_exactly_once("/fine", sent);
    let letters = broker.read(&dead_letters(topic));
    assert_eq!(letters.len(), sent, "letters");
    assert_eq!(offsets(&letters), (0..i64::try_from(sent).expect("few")).collect());
    letters
}

#[test]
fn only_a_letter_that_is_too_large_by_itself_is_cut() {
    const LIMIT: usize = 20_000;
    let topic = "letters.cut";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let config = strict_beside_fine(broker, topic, &receiver);
    broker.create_topic(&dead_letters(topic), 1, &[("max.message.bytes", &LIMIT.to_string())]);
    // Many at once, together far above the limit, and one that is above it alone.
    let large = track("key-250", 0).replace("tests", &"x".repeat(3 * LIMIT));
    let value =
        |number| if number == 250 { large.clone() } else { track(&format!("key-{number}"), 0) };
    broker.produce(
        topic,
        (0..500).map(|number| Record::new(value(number)).key(format!("key-{number}"))),
    );
    let hookcast = config.start();
    let letters = assert_one_letter_each(broker, topic, &receiver, hookcast, 500);
    for letter in letters {
        let written = letter.value.as_deref().expect("a value");
        let number = letter.header("hookcast-offset").expect("it says where from");
        let whole = value(number.parse().expect("a number"));
        let truncated = letter.header("hookcast-truncated");
        if number == "250" {
            assert_eq!(truncated, Some(large.len().to_string()));
            assert!(large.as_bytes().starts_with(written), "its beginning is kept");
            assert!(written.len() > LIMIT / 4, "{} bytes are left of it", written.len());
        } else {
            assert_eq!(truncated, None, "offset {number} was cut");
            assert_eq!(written, whole.as_bytes());
        }
    }
}

#[test]
fn a_dead_letter_topic_that_is_deleted_is_waited_for_and_holds_up_nobody() {
    let topic = "letters.deleted";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let config = strict_beside_fine(broker, topic, &receiver);
    let hookcast = config.start_ready();
    let mut stream = Stream::new(50);
    broker.produce(topic, stream.next(100));
    broker.wait_committed_to_end(topic, topic);
    assert_eq!(broker.read(&dead_letters(topic)).len(), 100);

    broker.delete_topic(&dead_letters(topic));
    broker.produce(topic, stream.next(400));
    receiver.wait_accepted("/fine", stream.made());
    receiver.wait_until("all to be refused", |arrived| arrived.at("/strict").requests >= 500);
    let committed = broker.positions(topic, topic).committed();
    assert_eq!(committed, [Some(100)], "nothing is settled without its letter");
    broker.create_topic(&dead_letters(topic), 1, &[]);
    let letters = broker.read_when(&dead_letters(topic), 400);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    receiver.assert_exactly_once("/fine", stream.made());
    assert_eq!(offsets(&letters), (100..500).collect());
    assert_eq!(receiver.arrived().at("/strict").requests, 500, "none is asked for twice");
}

#[test]
fn more_letters_than_the_producer_holds_are_all_written() {
    let topic = "letters.queue";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let config = strict_beside_fine(broker, topic, &receiver)
        .kafka("queue.buffering.max.messages", "5")
        .kafka("linger.ms", "50");
    broker.produce(topic, Stream::new(500).next(500));
    let hookcast = config.start_ready();
    until("the queue to have been full", || {
        let log = hookcast.log();
        if log.contains("Queue full") { Ok(()) } else { Err(log) }
    });
    assert_one_letter_each(broker, topic, &receiver, hookcast, 500);
}
