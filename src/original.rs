//! The original of an event: what a dead letter needs of its record, kept beside the payload.
//!
//! Originals lie one after the other in one buffer of their batch, so that keeping them costs no
//! allocation per event. A value that equals the payload is not kept a second time. Knows only
//! how they are laid out in that buffer.

use crate::record::{Header, Record};

/// In place of a length: there is no such thing (a null key, a null header value).
const NULL: u32 = u32::MAX;
/// In place of a value's length: the value is the payload itself.
const SAME_AS_PAYLOAD: u32 = u32::MAX - 1;

/// Where the record's value is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The payload is the value, byte for byte.
    IsPayload,
    /// The value differs from the payload and is kept.
    Kept,
}

impl Value {
    /// Where the value of `record` is found, which has become `payload`. The default mapping hands
    /// on the record's own bytes: they are the same place in memory, and comparing places is all
    /// that it takes to see it.
    #[must_use]
    pub fn of(record: &Record<'_>, payload: &[u8]) -> Self {
        let is_payload = record.value.is_some_and(|value| std::ptr::eq(value, payload));
        if is_payload { Self::IsPayload } else { Self::Kept }
    }
}

/// A record's key, value and headers, read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original<'a> {
    /// The record's key.
    pub key: Option<&'a [u8]>,
    /// The record's value.
    pub value: Option<&'a [u8]>,
    /// The record's own headers.
    pub headers: Vec<Header<'a>>,
}

/// How many bytes [`keep`] appends.
#[must_use]
pub fn kept_bytes(record: &Record<'_>, value: Value) -> usize {
    let length = |bytes: Option<&[u8]>| size_of::<u32>() + bytes.map_or(0, <[u8]>::len);
    let kept = if value == Value::Kept { record.value } else { None };
    let headers = record.headers.iter();
    let headers = headers.map(|header| length(Some(header.name)) + length(header.value));
    length(record.key) + length(kept) + headers.sum::<usize>()
}

/// Appends what a dead letter needs of `record` to `buffer`.
pub fn keep(record: &Record<'_>, value: Value, buffer: &mut Vec<u8>) {
    put(buffer, record.key);
    match value {
        Value::IsPayload => buffer.extend_from_slice(&SAME_AS_PAYLOAD.to_le_bytes()),
        Value::Kept => put(buffer, record.value),
    }
    for header in &record.headers {
        put(buffer, Some(header.name));
        put(buffer, header.value);
    }
}

/// Reads back what [`keep`] has written. `kept` is exactly that, `payload` the event's payload.
///
/// # Panics
/// When `kept` was not written by [`keep`].
#[must_use]
pub fn read<'a>(mut kept: &'a [u8], payload: &'a [u8]) -> Original<'a> {
    let key = take(&mut kept, payload);
    let value = take(&mut kept, payload);
    let mut headers = Vec::new();
    while !kept.is_empty() {
        let name = take(&mut kept, payload).unwrap_or_default();
        headers.push(Header { name, value: take(&mut kept, payload) });
    }
    Original { key, value, headers }
}

fn put(buffer: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let length = bytes
        .map_or(NULL, |bytes| u32::try_from(bytes.len()).expect("a record is smaller than 2 GiB"));
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(bytes.unwrap_or_default());
}

fn take<'a>(kept: &mut &'a [u8], payload: &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = kept.split_first_chunk().expect("a length stands before every part");
    let length = u32::from_le_bytes(*length);
    *kept = rest;
    match length {
        NULL => None,
        SAME_AS_PAYLOAD => Some(payload),
        length => {
            let length = usize::try_from(length).expect("a part has fitted into memory");
            let (part, rest) = kept.split_at(length);
            *kept = rest;
            Some(part)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Original, Value, keep, kept_bytes, read};
    use crate::record::{Header, Offset, Record};

    #[test]
    fn a_record_is_read_back_as_it_was() {
        let headers = vec![
            Header { name: b"a", value: Some(b"1") },
            Header { name: b"\xff", value: None },
            Header { name: b"", value: Some(b"") },
        ];
        for key in [None, Some(&b""[..]), Some(&b"k"[..])] {
            for value in [None, Some(&b""[..]), Some(&b"{}"[..])] {
                let record = Record {
                    offset: Offset(1),
                    timestamp: None,
                    key,
                    value,
                    headers: headers.clone(),
                };
                let mut buffer = Vec::new();
                keep(&record, Value::Kept, &mut buffer);
                assert_eq!(buffer.len(), kept_bytes(&record, Value::Kept));
                let expected = Original { key, value, headers: headers.clone() };
                assert_eq!(read(&buffer, b"payload"), expected);
            }
        }
    }

    #[test]
    fn a_value_that_is_the_payload_is_not_kept_twice() {
        let value = [b'x'; 1000];
        let record = Record {
            offset: Offset(1),
            timestamp: None,
            key: Some(b"k"),
            value: Some(&value),
            headers: Vec::new(),
        };
        let mut buffer = Vec::new();
        keep(&record, Value::IsPayload, &mut buffer);
        assert!(buffer.len() < 20);
        assert_eq!(buffer.len(), kept_bytes(&record, Value::IsPayload));
        assert_eq!(read(&buffer, &value).value, Some(&value[..]));
    }
}
