//! The harness itself: a test that cannot fail proves nothing.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::harness::{
    Answer, Broker, Gate, RawHeader, Receiver, Record, Stream, produce_raw, track,
};

#[test]
fn records_are_read_as_they_were_produced() {
    let broker = Broker::shared();
    broker.create_topic("harness.records", 2, &[("max.message.bytes", "2000000")]);
    let places = broker.produce(
        "harness.records",
        [
            Record::new("first")
                .partition(1)
                .key("a")
                .header("x", Some(b"1"))
                .header("y", None)
                .timestamp(1_700_000_000_123),
            Record::tombstone().partition(0).key("b"),
            Record::new(vec![b'z'; 1_500_000]).partition(1),
        ],
    );
    assert_eq!(places, [(1, 0), (0, 0), (1, 1)]);
    assert_eq!(broker.ends("harness.records"), [1, 2]);

    let records = broker.read("harness.records");
    assert_eq!(
        records.iter().map(|record| record.place).collect::<Vec<_>>(),
        [(0, 0), (1, 0), (1, 1)]
    );
    assert_eq!((records[0].key.as_deref(), records[0].value.as_deref()), (Some(&b"b"[..]), None));
    assert_eq!(records[1].value.as_deref(), Some(&b"first"[..]));
    assert_eq!(records[1].headers, [("x".to_owned(), Some(b"1".to_vec())), ("y".to_owned(), None)]);
    assert_eq!(records[1].timestamp, Some(1_700_000_000_123));
    assert_eq!(records[2].value.as_ref().map(Vec::len), Some(1_500_000));
    assert!(broker.read("harness.absent").is_empty());
}

#[test]
fn a_record_written_by_hand_is_one_like_any_other() {
    let broker = Broker::shared();
    broker.create_topic("harness.raw", 1, &[]);
    let headers = [RawHeader { name: b"plain", value: b"1" }];
    assert_eq!(produce_raw(broker, "harness.raw", b"k", b"{}", &headers), 0);
    // A name that is not UTF-8 is accepted too; reading it with rust-rdkafka would panic.
    let headers = [RawHeader { name: b"\xff\xfe", value: b"2" }];
    assert_eq!(produce_raw(broker, "harness.raw", b"k", &[b'x'; 300], &headers), 1);
    broker.create_topic("harness.raw.plain", 1, &[]);
    produce_raw(
        broker,
        "harness.raw.plain",
        b"k",
        &[b'x'; 300],
        &[RawHeader { name: b"plain", value: b"1" }],
    );
    let record = &broker.read("harness.raw.plain")[0];
    assert_eq!(record.header("plain").as_deref(), Some("1"));
    assert_eq!(
        (record.key.as_deref(), record.value.as_ref().map(Vec::len)),
        (Some(&b"k"[..]), Some(300))
    );
}

#[test]
fn a_broker_killed_and_restarted_keeps_its_data_and_its_address() {
    let mut broker = Broker::start();
    broker.create_topic("kept", 1, &[]);
    broker.produce("kept", [Record::new("1"), Record::new("2")]);
    let address = broker.bootstrap();
    broker.kill();
    assert!(TcpStream::connect(&address).is_err(), "the broker still listens");
    broker.restart();
    assert_eq!(broker.bootstrap(), address);
    broker.produce("kept", [Record::new("3")]);
    assert_eq!(broker.read("kept").len(), 3);
}

#[test]
fn positions_are_seen_without_joining_the_group() {
    use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
    use rdkafka::{Offset, TopicPartitionList};

    let broker = Broker::shared();
    broker.create_topic("harness.positions", 2, &[]);
    let positions = broker.positions("harness-positions", "harness.positions");
    assert_eq!(positions.committed(), [None, None]);
    let committer: BaseConsumer =
        broker.client().set("group.id", "harness-positions").create().expect("a consumer");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("harness.positions", 1, Offset::Offset(7)).expect("an offset");
    committer.commit(&list, CommitMode::Sync).expect("a commit");
    assert_eq!(positions.committed(), [None, Some(7)]);
}

#[test]
fn the_receiver_checks_counts_and_answers_as_it_is_told() {
    let receiver = Receiver::start(None);
    let gate = Gate::closed();
    let held = gate.clone();
    receiver.answer(move |request| match request.path.as_str() {
        "/held" => Answer::ok().behind(&held),
        _ => Answer::status(503).header("retry-after", "1").body("later"),
    });
    let busy = post(&receiver, "/busy", &track("a", 0));
    assert!(read(busy).starts_with("HTTP/1.1 503"));
    assert_eq!(receiver.accepted("/busy"), 0);

    let first = post(&receiver, "/held", &track("a", 1));
    receiver.wait_until("the first request", |arrived| arrived.at("/held").requests == 1);
    let second = post(&receiver, "/held", &track("a", 0));
    receiver.wait_until("the second request", |arrived| arrived.at("/held").requests == 2);
    assert_eq!(receiver.arrived().at("/held").overlaps, ["a"]);
    drop(second);
    gate.open();
    assert!(read(first).starts_with("HTTP/1.1 200"));
    receiver.wait_accepted("/held", 1);
    assert!(receiver.arrived().at("/held").has("a/1"));
    assert_eq!(receiver.requests("/held")[0].header("x-test"), Some("yes"));
}

#[test]
#[should_panic(expected = "X-Signature is missing")]
fn a_request_that_is_not_signed_fails_the_test() {
    let receiver = Receiver::start(Some("secret"));
    read(post(&receiver, "/", "{}"));
}

/// What the scenarios need of the receiver, by far: it must not be what they measure.
#[test]
fn the_receiver_takes_fifty_thousand_events_a_second() {
    let receiver = Receiver::start(None);
    let mut stream = Stream::new(100);
    let bodies: Vec<String> = (0..50)
        .map(|_| {
            let first = stream.made() / 100;
            let events: Vec<_> =
                (0..1000).map(|n| track(&format!("key-{}", n % 100), first + n / 100)).collect();
            stream.next(1000);
            format!("[{}]", events.join(","))
        })
        .collect();
    let begun = std::time::Instant::now();
    for body in &bodies {
        read(post(&receiver, "/", body));
    }
    let took = begun.elapsed();
    receiver.assert_exactly_once("/", 50_000);
    assert!(took.as_secs() < 5, "50,000 events took {took:?}");
    eprintln!("50,000 events took {took:?}");
}

fn post(receiver: &Receiver, path: &str, body: &str) -> TcpStream {
    let url = receiver.url(path);
    let host = url.trim_start_matches("http://").split('/').next().expect("a host");
    let mut connection = TcpStream::connect(host).expect("the receiver listens");
    write!(
        connection,
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nX-Test: yes\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the receiver reads");
    connection
}

fn read(mut connection: TcpStream) -> String {
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("the receiver answers");
    answer
}
