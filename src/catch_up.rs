//! Reads stretches of the log again, for lanes that are behind.
//!
//! One consumer of its own for the whole process, on a thread of its own. It bears the group's
//! name, so that the same rights suffice, but never joins: it only assigns and seeks, and the group
//! does not notice it. It is created when it is first needed, serves one slice after the other in
//! the order in which they were asked for, and knows nothing of lanes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::health::Health;
use crate::kafka_log;
use crate::kept::KeptRecord;
use crate::librdkafka;
use crate::record::{Position, TopicPartition};

/// How many slices may be asked for and wait: each partition asks for one at a time.
const MOST_WAITING: usize = 4096;
/// How many pieces of a slice may wait for their worker.
const MOST_PIECES: usize = 256;
/// The longest wait for a record, and so for a worker that has had enough to be noticed.
const POLL: Duration = Duration::from_millis(100);
/// A slice that gets nothing for so long is given up; its worker asks for it again.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);
/// How long the broker may take to say where the log begins.
const PATIENCE: Duration = Duration::from_secs(5);

/// The name of this thread's loop where loops beat.
const BEAT: &str = "the catch-up reader";

/// What a slice consists of.
#[derive(Debug)]
pub enum Piece {
    /// The next record.
    Record(KeptRecord),
    /// The log's end is reached, and nothing more lies below this position.
    NothingUpTo(Position),
    /// The log begins here, above what was asked for: what lay below is gone.
    Gone(Position),
}

/// Asks for slices. Whoever holds it keeps the thread alive.
#[derive(Debug)]
pub struct CatchUp {
    wanted: mpsc::Sender<Wanted>,
}

/// One slice that is asked for.
#[derive(Debug)]
struct Wanted {
    partition: TopicPartition,
    from: Position,
    /// Where the partition's own reader is. The log reaches that far, whatever is left of it.
    reader: Position,
    pieces: mpsc::Sender<Piece>,
}

impl CatchUp {
    /// Starts the thread. `config` is that of the group's consumer.
    ///
    /// # Errors
    /// When the system has no thread to spare.
    pub fn start(config: ClientConfig, health: Arc<Health>) -> std::io::Result<Self> {
        let (wanted, mut slices) = mpsc::channel::<Wanted>(MOST_WAITING);
        let serve = move || {
            let mut reader = None;
            while let Some(slice) = slices.blocking_recv() {
                serve(&mut reader, &config, &slice, &health);
                // It sleeps until the next one is asked for.
                health.forget(BEAT);
            }
        };
        std::thread::Builder::new().name("kafka-catch-up".into()).spawn(serve)?;
        Ok(Self { wanted })
    }

    /// The records of `partition` from `from` on, where its own reader is at `reader`, until the
    /// receiver is dropped. When it ends by itself, the slice is over, or could not be read. None
    /// when too many wait already.
    #[must_use]
    pub fn slice(
        &self,
        partition: TopicPartition,
        from: Position,
        reader: Position,
    ) -> Option<mpsc::Receiver<Piece>> {
        let (pieces, slice) = mpsc::channel(MOST_PIECES);
        let wanted = Wanted { partition, from, reader, pieces };
        self.wanted.try_send(wanted).ok().map(|()| slice)
    }
}

/// Says what librdkafka has to say.
struct Silent;

impl ClientContext for Silent {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        kafka_log::log_line("catch-up", level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // The group's own consumer meets the same broker and says what is to be said.
        debug!(%error, reason, "the catch-up reader is told of an error");
    }
}

impl ConsumerContext for Silent {}

type Reader = Arc<BaseConsumer<Silent>>;

/// Serves one slice with the consumer that there is, or a new one.
fn serve(reader: &mut Option<Reader>, config: &ClientConfig, slice: &Wanted, health: &Health) {
    if slice.pieces.is_closed() {
        return;
    }
    if reader.is_none() {
        match catch_up_config(config.clone()).create_with_context(Silent) {
            Ok(new) => *reader = Some(Arc::new(new)),
            Err(error) => return warn!(%error, "the catch-up reader cannot be created"),
        }
    }
    if let Some(reader) = reader {
        let read = read(reader, slice, health);
        let left = reader.assign(&TopicPartitionList::new());
        if let Err(error) = read.and(left) {
            warn!(partition = %slice.partition, %error, "the log could not be read again; trying again");
        }
    }
}

fn read(reader: &BaseConsumer<Silent>, slice: &Wanted, health: &Health) -> KafkaResult<()> {
    let (topic, partition) = (&*slice.partition.topic, slice.partition.partition);
    let mut assigned = TopicPartitionList::new();
    assigned.add_partition_offset(topic, partition, Offset::Offset(slice.from.0))?;
    reader.assign(&assigned)?;
    let mut heard = Instant::now();
    while !slice.pieces.is_closed() {
        health.beat(BEAT);
        let piece = match reader.poll(POLL) {
            None if heard.elapsed() > LONGEST_SILENCE => return Ok(()),
            None => continue,
            // What was fetched for the last slice may still come.
            Some(Ok(message)) if !belongs(&message, slice) => continue,
            Some(Ok(message)) => Piece::Record(KeptRecord::new(&librdkafka::record(&message))),
            // Compaction may have left nothing to read, and markers of transactions are no
            // records: that the log's end is reached says more than what was read last.
            Some(Err(KafkaError::PartitionEOF(ended))) if ended == partition => {
                hand_over(slice, Piece::NothingUpTo(slice.reader));
                return Ok(());
            }
            Some(Err(error)) if is_out_of_range(&error) => {
                let (begin, _) = reader.fetch_watermarks(topic, partition, PATIENCE)?;
                hand_over(slice, Piece::Gone(Position(begin)));
                return Ok(());
            }
            Some(Err(error)) if is_no_news(&error) => continue,
            Some(Err(error)) => return Err(error),
        };
        heard = Instant::now();
        if !hand_over(slice, piece) {
            break;
        }
    }
    Ok(())
}

/// Whether the worker takes more. Waits while it has enough to do.
fn hand_over(slice: &Wanted, piece: Piece) -> bool {
    slice.pieces.blocking_send(piece).is_ok()
}

fn belongs(message: &BorrowedMessage<'_>, slice: &Wanted) -> bool {
    message.topic() == &*slice.partition.topic
        && message.partition() == slice.partition.partition
        && message.offset() >= slice.from.0
}

fn is_out_of_range(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{AutoOffsetReset, OffsetOutOfRange};
    matches!(error.rdkafka_error_code(), Some(AutoOffsetReset | OffsetOutOfRange))
}

/// Whether an error may be passed over. The end of another partition was fetched for the last slice.
/// And librdkafka connects again by itself: while no slice is read nobody hears its complaints, so
/// after an outage there are as many of them as there were attempts.
fn is_no_news(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        AllBrokersDown, BrokerTransportFailure, OperationTimedOut, RequestTimedOut, Resolve,
    };
    let is_other_end = matches!(error, KafkaError::PartitionEOF(_));
    is_other_end
        || matches!(
            error.rdkafka_error_code(),
            Some(
                AllBrokersDown
                    | BrokerTransportFailure
                    | OperationTimedOut
                    | RequestTimedOut
                    | Resolve
            )
        )
}

fn catch_up_config(mut config: ClientConfig) -> ClientConfig {
    let client = config.get("client.id").unwrap_or("hookcast").to_owned();
    config
        .set("client.id", format!("{client}-catch-up"))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "true")
        // What is gone is counted, not skipped.
        .set("auto.offset.reset", "error")
        // Whoever has read up to the end asks for more of it before the slice is over, and the next
        // slice would wait until the broker has answered that.
        .set("fetch.wait.max.ms", "10")
        // One partition at a time, and not much of it: most slices are short.
        .set("queued.max.messages.kbytes", "4096");
    // A name in the group is for its member.
    config.remove("group.instance.id");
    config
}
