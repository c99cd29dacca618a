//! The records of one partition, of which many are taken from librdkafka's queue at a time.
//!
//! rdkafka makes an event of every record, and reads the clock twice for it: half of what it costs
//! to get one out of the queue.

use std::ffi::CString;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka_sys as native;

use super::record_of;
use crate::record::Record;

/// How many records are taken at a time: enough to share what that costs, and few enough that they
/// are no memory worth counting beside what is fetched ahead.
const AT_A_TIME: usize = 64;

type Message = native::rd_kafka_message_t;

/// See the module's documentation.
pub struct Reader<C: ConsumerContext + 'static> {
    /// The records that were taken and not handed out yet, the next one last.
    taken: Vec<NonNull<Message>>,
    queue: NonNull<native::rd_kafka_queue_t>,
    /// The queue as rdkafka knows it: it tells when there is something in it.
    split: PartitionQueue<C>,
    /// Whose queue it is, which has to outlive it.
    consumer: Arc<BaseConsumer<C>>,
}

// SAFETY: librdkafka's queues and messages may be used, and given back, by any thread.
unsafe impl<C: ConsumerContext + 'static> Send for Reader<C> {}

impl<C: ConsumerContext + 'static> Reader<C> {
    /// Reads the queue of a partition that was `split` off from its consumer.
    ///
    /// # Panics
    /// When the partition has no queue.
    #[must_use]
    pub fn new(
        consumer: Arc<BaseConsumer<C>>,
        split: PartitionQueue<C>,
        topic: &str,
        partition: i32,
    ) -> Self {
        let topic = CString::new(topic).expect("names of topics hold no zero");
        let client = consumer.client().native_ptr();
        // SAFETY: the client lives as long as `consumer`, `topic` as long as the call. What comes
        // back is a reference of our own.
        let queue =
            unsafe { native::rd_kafka_queue_get_partition(client, topic.as_ptr(), partition) };
        let queue = NonNull::new(queue).expect("a partition whose queue was split off has one");
        Self { taken: Vec::with_capacity(AT_A_TIME), queue, split, consumer }
    }

    /// `wake` is called when there is something in the queue that was empty.
    pub fn wake_with(&mut self, wake: impl Fn() + Send + Sync + 'static) {
        self.split.set_nonempty_callback(wake);
    }

    /// The next record; none: there is none for now.
    ///
    /// # Errors
    /// What librdkafka tells in place of a record.
    pub fn next(&mut self) -> Option<Result<Fetched<'_, C>, RDKafkaErrorCode>> {
        if self.taken.is_empty() {
            self.take();
        }
        let fetched = Fetched { message: self.taken.pop()?, consumer: &self.consumer };
        // SAFETY: the message is ours until `fetched` is dropped.
        let error = unsafe { fetched.message.as_ref().err };
        let is_record = error == native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        Some(if is_record { Ok(fetched) } else { Err(error.into()) })
    }

    fn take(&mut self) {
        let mut messages = [ptr::null_mut(); AT_A_TIME];
        // SAFETY: the queue is ours, and there is room for so many pointers.
        let taken = unsafe {
            native::rd_kafka_consume_batch_queue(
                self.queue.as_ptr(),
                0,
                messages.as_mut_ptr(),
                AT_A_TIME,
            )
        };
        let taken = usize::try_from(taken).unwrap_or(0);
        self.taken.extend(messages[..taken].iter().rev().copied().filter_map(NonNull::new));
    }
}

impl<C: ConsumerContext + 'static> Drop for Reader<C> {
    fn drop(&mut self) {
        for message in self.taken.drain(..) {
            drop(Fetched { message, consumer: &self.consumer });
        }
        // SAFETY: the reference is ours, and is given back once.
        unsafe { native::rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

/// A record that was fetched. It is given back when this is dropped, before its consumer is closed.
pub struct Fetched<'r, C: ConsumerContext + 'static> {
    message: NonNull<Message>,
    consumer: &'r BaseConsumer<C>,
}

impl<C: ConsumerContext + 'static> Fetched<'_, C> {
    /// The record, borrowed.
    #[must_use]
    pub fn record(&self) -> Record<'_> {
        // SAFETY: the message is there for as long as `self`.
        unsafe { record_of(self.message.as_ptr()) }
    }

    /// Whose record it is.
    #[must_use]
    pub fn consumer(&self) -> &BaseConsumer<C> {
        self.consumer
    }
}

impl<C: ConsumerContext + 'static> Drop for Fetched<'_, C> {
    fn drop(&mut self) {
        // SAFETY: the message is ours, and is given back once.
        unsafe { native::rd_kafka_message_destroy(self.message.as_ptr()) };
    }
}
