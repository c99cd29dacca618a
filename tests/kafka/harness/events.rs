//! Events whose place in their key's order can be read from their `messageId`.

use super::Record;

/// A `track` event. Its `messageId` is `KEY/NUMBER`: the number counts the key's events.
pub fn track(key: &str, number: usize) -> String {
    format!(
        r#"{{"type":"track","event":"Order Completed","messageId":"{key}/{number}","userId":"{key}","context":{{"library":{{"name":"tests"}}}},"properties":{{"revenue":12.50,"number":{number}}}}}"#
    )
}

/// An endless stream of `track` events under a fixed number of keys, in turns.
pub struct Stream {
    keys: usize,
    made: usize,
}

impl Stream {
    /// A stream that begins.
    pub fn new(keys: usize) -> Self {
        Self { keys, made: 0 }
    }

    /// The next records. The key is the record's key too, and decides on the partition.
    pub fn next(&mut self, count: usize) -> Vec<Record> {
        let records = (self.made..self.made + count).map(|index| {
            let key = format!("key-{}", index % self.keys);
            Record::new(track(&key, index / self.keys)).key(key)
        });
        let records = records.collect();
        self.made += count;
        records
    }

    /// How many records there were.
    pub fn made(&self) -> usize {
        self.made
    }
}
