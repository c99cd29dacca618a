//! Events of any size, from so many users, over so many partitions. Each says how long it is and
//! which number it has, at places where a receiver finds them without parsing.

use crate::harness::Broker;
use crate::load::Filling;

/// What is written into a topic.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub events: usize,
    pub bytes: usize,
    pub keys: usize,
    pub partitions: usize,
}

/// Every event begins so: the length, and at the end the number, have eight digits.
const BEGINNING: &str = r#"{"anonymousId":"00000000-aa0f-45a7-a756-24f200000000","#;
const LENGTH: usize = 16;
const NUMBER: usize = 44;
const DIGITS: usize = 8;
const CONTEXT: &str = r#""context":{"ip":"203.0.113.42","library":{"name":"analytics.js","version":"2.11.1"},"locale":"en-GB","page":{"path":"/checkout/complete","title":"Thank you","url":"https://shop.example.com/checkout/complete"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko"},"#;
const MIDDLE: &str =
    r#""event":"Order Completed","properties":{"currency":"EUR","total":27.50,"products":["#;
/// An order of many products is what makes an event large.
const PRODUCT: &str = r#"{"sku":"G-32","name":"Monopoly: 3rd Edition","price":14.00,"quantity":1}"#;
const END: &str = r#""},"type":"track"}"#;

impl Shape {
    /// Writes all events into a topic, the numbers from zero on.
    pub fn fill(self, broker: &Broker, topic: &str) {
        let filling = Filling::at_once(broker, topic);
        let mut event = template(self.bytes);
        for number in 0..self.events {
            let user = number % self.keys;
            let partition = i32::try_from(user % self.partitions).expect("there are few");
            write_digits(&mut event[NUMBER..][..DIGITS], number);
            filling.write(partition, &format!("user-{user}"), &event);
        }
        filling.finish();
    }
}

/// An event of so many bytes, without a number.
fn template(bytes: usize) -> Vec<u8> {
    const PAD: &str = r#"],"note":""#;
    let context = if bytes < 600 { "" } else { CONTEXT };
    let fixed = [BEGINNING, context, MIDDLE, PAD, END].map(str::len).iter().sum::<usize>();
    let room = bytes.checked_sub(fixed).expect("no event is that short");
    let products = vec![PRODUCT; (room + 1) / (PRODUCT.len() + 1)].join(",");
    let note = "x".repeat(room - products.len());
    let mut text = [BEGINNING, context, MIDDLE, &products, PAD, &note, END].concat().into_bytes();
    assert_eq!(text.len(), bytes);
    write_digits(&mut text[LENGTH..][..DIGITS], bytes);
    text
}

/// The numbers of the events of a body: one event as it is, or an array.
pub fn numbers(body: &[u8]) -> impl Iterator<Item = usize> {
    let mut rest = body.strip_prefix(b"[").unwrap_or(body);
    std::iter::from_fn(move || {
        if rest.len() < BEGINNING.len() {
            return None;
        }
        let number = read_digits(&rest[NUMBER..][..DIGITS]);
        let length = read_digits(&rest[LENGTH..][..DIGITS]);
        assert!(rest.len() >= length, "an event was cut short");
        // Behind it is a comma, a bracket, or nothing.
        rest = &rest[rest.len().min(length + 1)..];
        Some(number)
    })
}

fn write_digits(place: &mut [u8], mut number: usize) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("a digit is small");
        number /= 10;
    }
}

fn read_digits(digits: &[u8]) -> usize {
    digits.iter().fold(0, |number, digit| {
        assert!(digit.is_ascii_digit(), "an event has moved within its body");
        number * 10 + usize::from(digit - b'0')
    })
}
