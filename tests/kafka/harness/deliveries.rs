//! What has arrived at one path, counted by event.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use memchr::memmem;

/// The events that one path has seen. "Accepted" are those of requests answered with 2xx.
#[derive(Default)]
pub struct Deliveries {
    /// Requests, whatever the answer.
    pub requests: usize,
    /// How often each event was accepted, by `messageId`.
    accepted: HashMap<String, usize>,
    /// How often each event was sent without being refused: accepted, waiting for the answer, or
    /// given up by the sender. Whoever gives up a request cannot know that it was not accepted.
    sent: HashMap<String, usize>,
    /// The highest number accepted of each key.
    latest: HashMap<String, usize>,
    /// The keys of the requests that wait for their answer, and how many of them there are.
    in_flight: BTreeMap<String, usize>,
    /// Events first accepted after a later one of their key.
    pub inversions: Vec<String>,
    /// Events that arrived while another request with their key was being answered.
    pub overlaps: Vec<String>,
}

impl Deliveries {
    /// How many events were accepted, each counted once.
    pub fn accepted(&self) -> usize {
        self.accepted.len()
    }

    /// Whether an event was accepted.
    pub fn has(&self, message_id: &str) -> bool {
        self.accepted.contains_key(message_id)
    }

    /// How many times an event was accepted that had been accepted before.
    pub fn repeated(&self) -> usize {
        self.accepted.values().map(|times| times - 1).sum()
    }

    /// How many times an event was sent that had been sent before and was not refused.
    pub fn sent_again(&self) -> usize {
        self.sent.values().map(|times| times.saturating_sub(1)).sum()
    }

    /// A request has arrived with these events, of these keys.
    pub(super) fn arrive(&mut self, message_ids: &[String], keys: &BTreeSet<String>) {
        self.requests += 1;
        for message_id in message_ids {
            *self.sent.entry(message_id.clone()).or_default() += 1;
        }
        for key in keys {
            let others = self.in_flight.entry(key.clone()).or_default();
            if *others > 0 {
                self.overlaps.push(key.clone());
            }
            *others += 1;
        }
    }

    /// The request is answered, or its connection was lost.
    pub(super) fn leave(&mut self, keys: &BTreeSet<String>) {
        for key in keys {
            match self.in_flight.get_mut(key) {
                Some(others) if *others > 1 => *others -= 1,
                _ => {
                    self.in_flight.remove(key);
                }
            }
        }
    }

    /// The request's events are refused, and may be sent again.
    pub(super) fn refuse(&mut self, message_ids: &[String]) {
        for message_id in message_ids {
            *self.sent.get_mut(message_id).expect("the event arrived before") -= 1;
        }
    }

    /// The request's events are accepted.
    pub(super) fn accept(&mut self, message_ids: &[String]) {
        for message_id in message_ids {
            let times = self.accepted.entry(message_id.clone()).or_default();
            *times += 1;
            if *times > 1 {
                continue;
            }
            let Some((key, number)) = split(message_id) else {
                continue;
            };
            match self.latest.get_mut(key) {
                Some(latest) if *latest > number => {
                    self.inversions.push(format!("{message_id} came after {key}/{latest}"));
                }
                Some(latest) => *latest = number,
                None => {
                    self.latest.insert(key.to_owned(), number);
                }
            }
        }
    }
}

/// The keys of events, without repetition.
pub(super) fn keys(message_ids: &[String]) -> BTreeSet<String> {
    message_ids.iter().filter_map(|message_id| Some(split(message_id)?.0.to_owned())).collect()
}

/// The `messageId` of every event in a body, in order. Found by their text, not by parsing: a
/// receiver that takes fifty thousand events a second leaves the cores to what is tested, and the
/// tests never write `"messageId":"` into anything else.
pub fn message_ids(body: &[u8]) -> Vec<String> {
    const NAME: &[u8] = br#""messageId":""#;
    memmem::find_iter(body, NAME)
        .filter_map(|at| {
            let rest = &body[at + NAME.len()..];
            let end = memchr::memchr(b'"', rest)?;
            Some(String::from_utf8_lossy(&rest[..end]).into_owned())
        })
        .collect()
}

fn split(message_id: &str) -> Option<(&str, usize)> {
    let (key, number) = message_id.rsplit_once('/')?;
    Some((key, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Deliveries, keys, message_ids};

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn message_ids_are_found_in_order() {
        let body = br#"[{"messageId":"a/0"},{"x":1,"messageId":"b/7"}]"#;
        assert_eq!(message_ids(body), ids(&["a/0", "b/7"]));
    }

    #[test]
    fn repeats_are_no_inversions_and_inversions_are_seen() {
        let mut deliveries = Deliveries::default();
        deliveries.accept(&ids(&["a/0", "a/1", "b/5"]));
        deliveries.accept(&ids(&["a/0", "b/4"]));
        assert_eq!((deliveries.accepted(), deliveries.repeated()), (4, 1));
        assert_eq!(deliveries.inversions, ["b/4 came after b/5"]);
    }

    #[test]
    fn two_requests_with_one_key_at_a_time_are_seen() {
        let mut deliveries = Deliveries::default();
        let (first, second) = (keys(&ids(&["a/0", "a/1"])), keys(&ids(&["a/2"])));
        deliveries.arrive(&[], &first);
        deliveries.leave(&first);
        deliveries.arrive(&[], &first);
        assert!(deliveries.overlaps.is_empty());
        deliveries.arrive(&[], &second);
        assert_eq!(deliveries.overlaps, ["a"]);
    }

    #[test]
    fn only_a_refused_event_may_be_sent_again() {
        let mut deliveries = Deliveries::default();
        let event = ids(&["a/0"]);
        deliveries.arrive(&event, &keys(&event));
        deliveries.refuse(&event);
        deliveries.arrive(&event, &keys(&event));
        assert_eq!(deliveries.sent_again(), 0);
        deliveries.arrive(&event, &keys(&event));
        assert_eq!((deliveries.sent_again(), deliveries.repeated()), (1, 0));
    }
}
