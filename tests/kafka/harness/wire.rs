//! One produce request, written by hand.
//!
//! rust-rdkafka takes header names as `&str`; Kafka takes any bytes, and producers in other
//! languages write them. This is the least of the protocol (Produce v3, record batch v2) that
//! puts such a record into a topic without unsafe code.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::{Broker, DEADLINE};

/// A header with any bytes for a name.
pub struct RawHeader<'a> {
    pub name: &'a [u8],
    pub value: &'a [u8],
}

/// Writes one record to partition 0 and gives its offset.
pub fn produce_raw(
    broker: &Broker,
    topic: &str,
    key: &[u8],
    value: &[u8],
    headers: &[RawHeader<'_>],
) -> i64 {
    let batch = record_batch(&record(key, value, headers));
    let mut request = Vec::new();
    request.extend(0_i16.to_be_bytes()); // Produce
    request.extend(3_i16.to_be_bytes()); // version
    request.extend(7_i32.to_be_bytes()); // correlation
    request.extend((-1_i16).to_be_bytes()); // no client id
    request.extend((-1_i16).to_be_bytes()); // no transaction
    request.extend((-1_i16).to_be_bytes()); // acks=all
    request.extend(30_000_i32.to_be_bytes()); // timeout
    request.extend(1_i32.to_be_bytes()); // one topic
    request.extend(length16(topic.as_bytes()));
    request.extend(topic.as_bytes());
    request.extend(1_i32.to_be_bytes()); // one partition
    request.extend(0_i32.to_be_bytes());
    request.extend(length32(&batch));
    request.extend(&batch);

    let mut connection = TcpStream::connect(broker.bootstrap()).expect("the broker listens");
    connection.set_read_timeout(Some(DEADLINE)).expect("a timeout that is not zero");
    connection.write_all(&length32(&request)).expect("the broker reads");
    connection.write_all(&request).expect("the broker reads");
    let mut length = [0; 4];
    connection.read_exact(&mut length).expect("the broker answers");
    let mut answer = vec![0; usize::try_from(i32::from_be_bytes(length)).expect("a length")];
    connection.read_exact(&mut answer).expect("the broker answers");
    // Correlation, topics, the topic's name, partitions, partition; then what we came for.
    let at = 4 + 4 + 2 + topic.len() + 4 + 4;
    let error = i16::from_be_bytes(answer[at..at + 2].try_into().expect("two bytes"));
    assert_eq!(error, 0, "the broker refused the record, error code {error}");
    i64::from_be_bytes(answer[at + 2..at + 10].try_into().expect("eight bytes"))
}

fn record(key: &[u8], value: &[u8], headers: &[RawHeader<'_>]) -> Vec<u8> {
    let mut body = vec![0]; // attributes
    body.extend(varint(0)); // timestamp, from the batch's
    body.extend(varint(0)); // offset, from the batch's
    for bytes in [key, value] {
        body.extend(varint(bytes.len()));
        body.extend(bytes);
    }
    body.extend(varint(headers.len()));
    for header in headers {
        body.extend(varint(header.name.len()));
        body.extend(header.name);
        body.extend(varint(header.value.len()));
        body.extend(header.value);
    }
    let mut record = varint(body.len());
    record.extend(body);
    record
}

fn record_batch(record: &[u8]) -> Vec<u8> {
    let now = std::time::UNIX_EPOCH.elapsed().expect("it is after 1970");
    let now = i64::try_from(now.as_millis()).expect("it is before the year 292278994");
    let mut summed = Vec::new();
    summed.extend(0_i16.to_be_bytes()); // attributes
    summed.extend(0_i32.to_be_bytes()); // last offset, from the base
    summed.extend(now.to_be_bytes());
    summed.extend(now.to_be_bytes());
    summed.extend((-1_i64).to_be_bytes()); // no producer id
    summed.extend((-1_i16).to_be_bytes()); // no epoch
    summed.extend((-1_i32).to_be_bytes()); // no sequence
    summed.extend(1_i32.to_be_bytes()); // one record
    summed.extend(record);

    let mut rest = Vec::new();
    rest.extend((-1_i32).to_be_bytes()); // leader epoch
    rest.push(2); // magic
    rest.extend(crc32c(&summed).to_be_bytes());
    rest.extend(summed);

    let mut batch = 0_i64.to_be_bytes().to_vec(); // base offset
    batch.extend(length32(&rest));
    batch.extend(rest);
    batch
}

fn length16(bytes: &[u8]) -> [u8; 2] {
    i16::try_from(bytes.len()).expect("a short name").to_be_bytes()
}

fn length32(bytes: &[u8]) -> [u8; 4] {
    i32::try_from(bytes.len()).expect("a small request").to_be_bytes()
}

/// A length as Kafka's variable-length integer: zigzag, seven bits a byte, lowest first.
fn varint(length: usize) -> Vec<u8> {
    let mut rest = length << 1;
    let mut bytes = Vec::new();
    loop {
        let seven = u8::try_from(rest & 0x7f).expect("seven bits");
        rest >>= 7;
        if rest == 0 {
            bytes.push(seven);
            return bytes;
        }
        bytes.push(seven | 0x80);
    }
}

fn crc32c(bytes: &[u8]) -> u32 {
    let mut sum = !0_u32;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0x82f6_3b78 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}
