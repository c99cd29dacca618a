//! What librdkafka can do and rdkafka's safe interface cannot: the only `unsafe` code there is.
//!
//! Each function states what makes its calls sound. Pointers come from rdkafka's own wrappers,
//! which own what they point to for longer than the call lasts, or belong to a value of ours that
//! gives back what they point to.
#![allow(unsafe_code, reason = "see the module's documentation")]

mod reader;

use std::ffi::{CStr, CString, c_void};
use std::{ptr, slice};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::BorrowedMessage;
use rdkafka_sys as native;

use crate::record::{Header, Offset, Record};

pub use reader::Reader;

/// Begins to commit `offsets`. The result arrives in `ConsumerContext::commit_callback` on the
/// thread that polls the consumer; rdkafka's own asynchronous commit never tells it (#856).
///
/// # Errors
/// When librdkafka does not even begin.
pub fn commit<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    offsets: &TopicPartitionList,
) -> Result<(), RDKafkaErrorCode> {
    let client = consumer.client().native_ptr();
    // SAFETY: the client lives as long as `consumer`, which is borrowed; librdkafka copies
    // `offsets` before it returns. The queue is a reference of our own, released right after:
    // the pending operation holds another one. Without a callback the result becomes an event
    // in the queue, and rdkafka turns that into a call of `commit_callback`.
    let error = unsafe {
        let queue = native::rd_kafka_queue_get_consumer(client);
        if queue.is_null() {
            return Err(RDKafkaErrorCode::State);
        }
        let error =
            native::rd_kafka_commit_queue(client, offsets.ptr(), queue, None, ptr::null_mut());
        native::rd_kafka_queue_destroy(queue);
        error
    };
    match error {
        native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        error => Err(error.into()),
    }
}

/// The end of a partition's log as the last fetch told it, without asking the broker: the offset
/// that the next record will get. None before the first fetch.
#[must_use]
pub fn known_end<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
) -> Option<i64> {
    known_watermarks(consumer, topic, partition)?.1
}

/// The beginning of a partition's log as the last fetch told it: the lowest offset that the broker
/// has not deleted. None before the first fetch.
#[must_use]
pub fn known_begin<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
) -> Option<i64> {
    known_watermarks(consumer, topic, partition)?.0
}

fn known_watermarks<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
) -> Option<(Option<i64>, Option<i64>)> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client lives as long as `consumer`, which is borrowed; `topic` is terminated by
    // a zero and, like the two numbers, outlives the call.
    let error = unsafe {
        native::rd_kafka_get_watermark_offsets(
            consumer.client().native_ptr(),
            topic.as_ptr(),
            partition,
            &raw mut low,
            &raw mut high,
        )
    };
    let known = |offset: i64| (offset >= 0).then_some(offset);
    let is_right = error == native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
    is_right.then(|| (known(low), known(high)))
}

/// The metadata that a list of positions has for its element at `index`, as bytes: that of others
/// may be anything, and rdkafka's own accessor panics on what is no UTF-8.
///
/// # Panics
/// When there is no such element.
#[must_use]
pub fn metadata(list: &TopicPartitionList, index: usize) -> &[u8] {
    assert!(index < list.count(), "the list has an element {index}");
    // SAFETY: `list` owns its elements for as long as it is borrowed, and there are more than
    // `index` of them. Metadata is null or points to so many bytes, which belong to the element.
    unsafe {
        let element = &*(*list.ptr()).elems.add(index);
        if element.metadata.is_null() {
            return &[];
        }
        slice::from_raw_parts(element.metadata.cast::<u8>(), element.metadata_size)
    }
}

/// The record of a message, borrowed.
#[must_use]
pub fn record<'a>(message: &'a BorrowedMessage<'_>) -> Record<'a> {
    // SAFETY: the message is borrowed, and so it is there for as long as the record.
    unsafe { record_of(message.ptr()) }
}

/// The record of a message.
///
/// # Safety
/// The message has to be there for as long as the record.
unsafe fn record_of<'a>(message: *mut native::rd_kafka_message_t) -> Record<'a> {
    // SAFETY: keys and values are null or point to so many bytes, which belong to the message.
    let bytes = |start: *mut c_void, length| {
        (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start.cast::<u8>(), length) })
    };
    // SAFETY: the message is there.
    unsafe {
        let timestamp = native::rd_kafka_message_timestamp(message, ptr::null_mut());
        let it = &*message;
        Record {
            offset: Offset(it.offset),
            timestamp: (timestamp != -1).then_some(timestamp),
            key: bytes(it.key, it.key_len),
            value: bytes(it.payload, it.len),
            headers: headers(message),
        }
    }
}

/// The headers of a record. rdkafka's own iterator panics on a name that is no UTF-8.
///
/// # Safety
/// The message has to be there for as long as its headers.
unsafe fn headers<'a>(message: *mut native::rd_kafka_message_t) -> Vec<Header<'a>> {
    let mut headers = ptr::null_mut();
    // SAFETY: the message is there. librdkafka parses its headers on the first call and keeps
    // them, and their names and values, as long as the message.
    let error = unsafe { native::rd_kafka_message_headers(message, &raw mut headers) };
    if error != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Vec::new();
    }
    let mut found = Vec::new();
    loop {
        let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
        // SAFETY: as above. When there is a header at this index, `name` is terminated by a zero
        // and `value` is null or points to `length` bytes.
        unsafe {
            let error = native::rd_kafka_header_get_all(
                headers,
                found.len(),
                &raw mut name,
                &raw mut value,
                &raw mut length,
            );
            if error != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return found;
            }
            let value =
                (!value.is_null()).then(|| slice::from_raw_parts(value.cast::<u8>(), length));
            found.push(Header { name: CStr::from_ptr(name).to_bytes(), value });
        }
    }
}
