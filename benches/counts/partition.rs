//! One partition's way through the pure half, driven as a worker drives it: records in turns,
//! requests out, answers in. There is no Kafka and no endpoint, and time goes by a millisecond at
//! every turn.

use std::collections::VecDeque;
use std::env::VarError;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookcast::config::Config;
use hookcast::gates::Gates;
use hookcast::lane::{Answer, Attempt};
use hookcast::pipeline::{Completion, Pipeline, Pushed, Step};
use hookcast::plan::Plan;
use hookcast::record::{Now, Offset, Record, TopicPartition};
use hookcast::verdict::Outcome;

use crate::events;

/// As many records as a worker reads before answers get their turn.
const RECORDS_PER_TURN: usize = 500;
/// More than a partition ever holds here, so that no lane falls behind.
const MEMORY: usize = 64 << 20;
/// When it all happens: 2026-03-01.
const UNIX_MS: i64 = 1_772_366_400_000;

/// How many answers come in a turn.
#[derive(Clone, Copy)]
pub enum Answers {
    /// Those to everything that is in flight.
    All,
    /// The oldest one, so that the lane is always full.
    One,
}

/// A record's key and value.
pub struct Written {
    key: String,
    pub value: Vec<u8>,
}

impl Written {
    /// The record at `offset` of the partition.
    pub fn record(&self, offset: usize) -> Record<'_> {
        Record {
            offset: Offset(i64::try_from(offset).expect("there are not so many")),
            timestamp: Some(UNIX_MS),
            key: Some(self.key.as_bytes()),
            value: Some(&self.value),
            headers: Vec::new(),
        }
    }
}

/// What the other benchmark writes into one partition, until its keys come again.
pub fn written() -> Vec<Written> {
    let mut writer = events::Writer::new();
    let numbers = (0..events::KEYS).step_by(events::PARTITIONS);
    numbers
        .map(|number| Written { key: events::key(number), value: writer.write(number).to_vec() })
        .collect()
}

/// The plan of the other benchmark: one destination that signs, one action with a trigger on `type`
/// and `event`, and so many events per request. `more` are further lines of the action.
pub fn plan(events_per_request: usize, more: &str) -> Arc<Plan> {
    let batch = match events_per_request {
        1 => String::new(),
        events => format!("        batch: {{ max_events: {events} }}\n"),
    };
    let yaml = format!(
        "kafka: {{ bootstrap.servers: 'unused:1', group.id: bench }}
sources:
  web: {{ topics: [events] }}
destinations:
  crm:
    shared_secret: 'the secret of the benchmark'
    actions:
      orders:
        trigger: type = \"track\" and event = \"Order Completed\"
        url: https://example.com/events
{batch}{more}"
    );
    let no_variable = |_: &str| Err(VarError::NotPresent);
    let config = Config::parse("counts.yaml", &yaml, Path::new(""), &no_variable);
    Arc::new(config.unwrap_or_else(|errors| panic!("{errors}")).plan)
}

/// The partition that it all happens in.
pub fn place() -> TopicPartition {
    TopicPartition { topic: "events".into(), partition: 0 }
}

/// See the module's documentation.
pub struct Partition {
    pipeline: Pipeline,
    answers: Answers,
    now: Now,
    in_flight: VecDeque<Attempt>,
    steps: Vec<Step>,
    read: usize,
    delivered: usize,
}

impl Partition {
    pub fn new(plan: &Arc<Plan>, answers: Answers) -> Self {
        let gates = Arc::new(Gates::new(plan));
        let mut pipeline = Pipeline::new(Arc::clone(plan), gates, place(), None);
        pipeline.allow(MEMORY);
        Self {
            pipeline,
            answers,
            now: Now { instant: Instant::now(), unix_ms: UNIX_MS },
            in_flight: VecDeque::new(),
            steps: Vec::new(),
            read: 0,
            delivered: 0,
        }
    }

    /// Reads so many records, and goes on until all of their events are delivered.
    pub fn deliver(&mut self, written: &[Written], events: usize) {
        let end = self.read + events;
        while self.delivered < end {
            self.now.instant += Duration::from_millis(1);
            self.now.unix_ms += 1;
            self.answer();
            let held = self.pipeline.held_bytes();
            assert!(held <= MEMORY, "it holds {held} bytes");
            self.read_up_to(end, written);
            self.pipeline.poll(self.now, &mut self.steps);
            for step in self.steps.drain(..) {
                let Step::Send(attempt) = step else { panic!("nothing is dead-lettered") };
                self.in_flight.push_back(attempt);
            }
            black_box(self.pipeline.wake_at(self.now));
        }
        assert!(self.pipeline.is_empty(), "everything is delivered, and something is owed");
    }

    /// Requests are accepted.
    fn answer(&mut self) {
        let most = match self.answers {
            Answers::All => usize::MAX,
            Answers::One => 1,
        };
        let answered = self.in_flight.len().min(most);
        for attempt in self.in_flight.drain(..answered) {
            let outcome = Outcome::Status(200);
            let answer = Answer { outcome, detail: String::new(), retry_after: None };
            let (completion, _) = self.pipeline.complete(attempt.ticket, &answer, self.now, 0.5);
            let Completion::Delivered(batch) = completion else { panic!("it was accepted") };
            self.delivered += batch.entries().len();
        }
    }

    fn read_up_to(&mut self, end: usize, written: &[Written]) {
        for _ in 0..RECORDS_PER_TURN {
            if self.read == end || !self.pipeline.wants_record() {
                return;
            }
            let record = written[self.read % written.len()].record(self.read);
            let pushed = self.pipeline.push(&record, self.now);
            assert!(matches!(pushed, Pushed::Owed([_])), "the event is owed to the one action");
            self.read += 1;
        }
    }
}
