//! Letters for programs: a JSON object on a line of its own for each.

use std::io::{self, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::list::Shown;

pub(super) fn write(out: &mut impl Write, shown: &Shown<'_>) -> io::Result<()> {
    writeln!(out, "{}", object(shown))
}

fn object(shown: &Shown<'_>) -> Value {
    let letter = shown.letter;
    let (origin, place) = (&letter.origin, shown.place);
    let (destination, action) = letter.address.map(|to| (to.destination, to.action)).unzip();
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("timestamp", json!(place.timestamp));
    put("partition", json!(place.partition));
    put("offset", json!(place.offset.0));
    put("redriven", json!(shown.is_redriven));
    put("destination", json!(destination));
    put("action", json!(action));
    put("reason", json!(letter.reason));
    put("status", json!(letter.status));
    put("attempts", json!(letter.attempts));
    put("first_attempt_at", json!(letter.first_attempt_at));
    put("error", json!(shown.error));
    put("truncated", json!(letter.truncated));
    let origin = json!({
        "topic": *origin.partition.topic,
        "partition": origin.partition.partition,
        "offset": origin.offset.0,
        "timestamp": origin.timestamp,
    });
    put("origin", origin);
    put_bytes(&mut object, "key", letter.key);
    put_bytes(&mut object, "value", Some(letter.value));
    let headers = letter.own_headers.iter().map(|header| {
        let mut object = Map::new();
        put_bytes(&mut object, "name", Some(header.name));
        put_bytes(&mut object, "value", header.value);
        Value::Object(object)
    });
    object.insert("headers".to_owned(), headers.collect());
    Value::Object(object)
}

/// Bytes that are text are put as text, others in base64 under a name of their own.
fn put_bytes(object: &mut Map<String, Value>, name: &str, bytes: Option<&[u8]>) {
    match bytes.map(|bytes| str::from_utf8(bytes).map_err(|_| bytes)) {
        Some(Err(bytes)) => {
            object.insert(format!("{name}_base64"), json!(BASE64_STANDARD.encode(bytes)))
        }
        Some(Ok(text)) => object.insert(name.to_owned(), json!(text)),
        None => object.insert(name.to_owned(), Value::Null),
    };
}
