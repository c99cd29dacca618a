//! The events of the benchmark: Segment `track` calls of exactly 714 bytes, each with a number and
//! the moment at which it was made, at places where a receiver finds them without parsing.

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The size of every event.
pub const BYTES: usize = 714;
/// How many users the events come from; each is a record key. A multiple of the partitions, so
/// that a user's events are in one partition although partitions take turns.
pub const KEYS: usize = 10_000;
/// The partitions of every topic.
pub const PARTITIONS: usize = 8;

/// In the place of what differs from event to event: as many letters as there will be digits.
const NUMBER: &str = "########";
const MADE_AT: &str = "@@@@@@@@@@@@@@@@";
const USER: &str = "%%%%%%";

const BEGINNING: &str = r#"{"anonymousId":"23adfd82-aa0f-45a7-a756-24f2a7a4c895","context":{"ip":"203.0.113.42","library":{"name":"analytics.js","version":"2.11.1"},"locale":"en-GB","page":{"path":"/checkout/complete","title":"Thank you","url":"https://shop.example.com/checkout/complete"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko"},"event":"Order Completed","integrations":{"All":true},"messageId":"ajs-next-########","properties":{"currency":"EUR","made_at_us":@@@@@@@@@@@@@@@@,"order_id":"50314b8e9bcf","total":27.50,"note":""#;
const END: &str =
    r#""},"timestamp":"2026-03-01T12:00:00.000Z","type":"track","userId":"user-%%%%%%"}"#;

/// An event without its number, its moment and its user, and where these belong.
struct Template {
    text: [u8; BYTES],
    number: usize,
    made_at: usize,
    user: usize,
}

static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
    let filler = "x".repeat(BYTES - BEGINNING.len() - END.len());
    let text = format!("{BEGINNING}{filler}{END}");
    let place = |mark| text.find(mark).expect("the template has all the marks");
    Template {
        number: place(NUMBER),
        made_at: place(MADE_AT),
        user: place(USER),
        text: text.as_bytes().try_into().expect("the filler makes up what is missing"),
    }
});

/// Writes one event after the other into the same place.
pub struct Writer([u8; BYTES]);

impl Writer {
    pub fn new() -> Self {
        Self(TEMPLATE.text)
    }

    /// The event with this number, made now.
    pub fn write(&mut self, number: usize) -> &[u8; BYTES] {
        let Template { number: number_at, made_at, user, .. } = *TEMPLATE;
        write_digits(&mut self.0[number_at..][..NUMBER.len()], number as u64);
        write_digits(&mut self.0[made_at..][..MADE_AT.len()], now_us());
        write_digits(&mut self.0[user..][..USER.len()], (number % KEYS) as u64);
        &self.0
    }
}

/// The key of the event with this number.
pub fn key(number: usize) -> String {
    format!("user-{:06}", number % KEYS)
}

/// The partition of the event with this number.
pub fn partition(number: usize) -> i32 {
    i32::try_from(number % PARTITIONS).expect("there are few partitions")
}

/// The number of an event.
pub fn number(event: &[u8]) -> usize {
    let digits = read_digits(&event[TEMPLATE.number..][..NUMBER.len()]);
    usize::try_from(digits).expect("eight digits fit")
}

/// When an event was made, in microseconds since 1970.
pub fn made_at_us(event: &[u8]) -> u64 {
    read_digits(&event[TEMPLATE.made_at..][..MADE_AT.len()])
}

/// Microseconds since 1970.
pub fn now_us() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970");
    u64::try_from(since_1970.as_micros()).expect("microseconds fit for a long time")
}

/// How many events a body of this length carries.
pub fn events_in(body: &[u8]) -> usize {
    if body.first() != Some(&b'[') {
        assert_eq!(body.len(), BYTES, "a body that is not one event");
        return 1;
    }
    let (events, rest) = ((body.len() - 1) / (BYTES + 1), (body.len() - 1) % (BYTES + 1));
    assert_eq!(rest, 0, "a body of {} bytes is no array of events", body.len());
    events
}

/// The events that a body carries.
pub fn events_of(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let begin = usize::from(body.first() == Some(&b'['));
    body[begin..].chunks(BYTES + 1).map(|event| &event[..BYTES])
}

/// A body like those of Hookcast: one event as it is, or an array.
pub fn body(events_per_request: usize) -> Vec<u8> {
    let mut writer = Writer::new();
    if events_per_request == 1 {
        return writer.write(0).to_vec();
    }
    let mut body = Vec::with_capacity(events_per_request * (BYTES + 1) + 1);
    for number in 0..events_per_request {
        body.push(if number == 0 { b'[' } else { b',' });
        body.extend_from_slice(writer.write(number));
    }
    body.push(b']');
    body
}

fn write_digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("a digit is small");
        number /= 10;
    }
}

fn read_digits(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, digit| {
        assert!(digit.is_ascii_digit(), "an event has moved within its body");
        number * 10 + u64::from(digit - b'0')
    })
}
