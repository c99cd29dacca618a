//! The events of the demo: what a small shop would send, numbered.
//!
//! Knows what an event says. When it is sent and where it arrives is the business of others.

use serde_json::json;

/// The most bytes of one event, its key included. The feed counts on it.
pub(super) const LARGEST: usize = 512;

const USERS: u64 = 1000;
const PAGES: [&str; 4] = ["/checkout", "/basket", "/shoes", "/"];
const PURCHASES: [&str; 3] = ["Order Completed", "Product Added", "Product Viewed"];
const PLANS: [&str; 3] = ["free", "team", "enterprise"];

/// One event, ready to be written.
#[derive(Debug)]
pub(super) struct Event {
    /// The user: one user's events stay in order.
    pub(super) key: String,
    pub(super) value: String,
}

impl Event {
    /// The event of this number, the same every time: every fifth is an `identify`, the others
    /// are `track` events.
    pub(super) fn new(number: u32) -> Self {
        let number = u64::from(number);
        // A prime stride goes round all users and looks like chance.
        let key = format!("user-{}", number * 617 % USERS);
        let mut event = json!({
            "messageId": message_id(number),
            "type": "track",
            "userId": &key,
            "context": {
                "library": { "name": "hookcast-demo", "version": env!("CARGO_PKG_VERSION") },
                "page": { "path": pick(&PAGES, number / 3) },
            },
            "integrations": { "All": true },
        });
        if number % 5 == 4 {
            event["type"] = json!("identify");
            event["traits"] = json!({
                "email": format!("{key}@example.com"),
                "plan": pick(&PLANS, number / 5),
                "logins": number % 97,
            });
        } else {
            event["event"] = json!(pick(&PURCHASES, number));
            event["properties"] = json!({
                "order_id": format!("order-{number}"),
                "total": number % 20_000,
                "currency": "EUR",
            });
        }
        Self { key, value: event.to_string() }
    }
}

/// The number of the event with this `messageId`; none: it is not of this demo.
pub(super) fn number_of(message_id: &str) -> Option<usize> {
    message_id.strip_prefix("demo-")?.parse().ok()
}

fn message_id(number: u64) -> String {
    format!("demo-{number:08}")
}

fn pick(choices: &[&'static str], number: u64) -> &'static str {
    let index = usize::try_from(number).unwrap_or(0) % choices.len();
    choices[index]
}

#[cfg(test)]
mod tests {
    use super::{Event, LARGEST, number_of};

    #[test]
    fn an_event_can_be_told_by_its_message_id() {
        for number in [0, 4, 49_999, u32::MAX] {
            let event = Event::new(number);
            let value: serde_json::Value = serde_json::from_str(&event.value).unwrap();
            let message_id = value["messageId"].as_str().unwrap();
            assert_eq!(number_of(message_id), Some(number as usize));
            assert_eq!(value["userId"], event.key);
        }
        assert_eq!(number_of("somebody else's"), None);
    }

    #[test]
    fn no_event_is_larger_than_the_feed_counts_on() {
        let numbers = (0..1000).chain(u32::MAX - 1000..=u32::MAX);
        let longest = numbers.map(Event::new).map(|event| event.key.len() + event.value.len());
        assert!(longest.max().unwrap() <= LARGEST);
    }
}
