//! A pipeline on a bench: records, answers and time come when the test says so.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hookcast::config::Config;
use hookcast::dead_letter::DeadLetter;
use hookcast::gates::Gates;
use hookcast::lane::{Answer, Attempt};
use hookcast::pipeline::{Appetite, Pipeline, Pushed, Step};
use hookcast::plan::Plan;
use hookcast::progress::Progress;
use hookcast::record::{Now, Offset, Record, TopicPartition};
use hookcast::verdict::Outcome;

pub const TRACK: &str = r#"{"type":"track"}"#;

/// A pipeline and a clock that moves when it is told to.
pub struct Bench {
    pub pipeline: Pipeline,
    gates: Arc<Gates>,
    pub now: Now,
    pub next: i64,
}

impl Bench {
    /// A pipeline with these actions, as YAML.
    pub fn new(actions: &str) -> Self {
        Self::reading(partition(), actions)
    }

    /// A pipeline of another partition.
    pub fn reading(partition: TopicPartition, actions: &str) -> Self {
        let plan = plan(actions);
        let gates = Arc::new(Gates::new(&plan));
        Self {
            pipeline: Pipeline::new(Arc::clone(&plan), Arc::clone(&gates), partition, None),
            gates,
            now: Now { instant: Instant::now(), unix_ms: 0 },
            next: 0,
        }
    }

    pub fn push(&mut self, key: &str, value: &str) -> Pushed<'_> {
        let record = Record {
            offset: Offset(self.next),
            timestamp: Some(0),
            key: Some(key.as_bytes()),
            value: Some(value.as_bytes()),
            headers: Vec::new(),
        };
        self.next += 1;
        self.pipeline.push(&record, self.now)
    }

    pub fn gates(&self) -> Arc<Gates> {
        Arc::clone(&self.gates)
    }

    pub fn sent(&mut self) -> Vec<Attempt> {
        let mut steps = Vec::new();
        self.pipeline.poll(self.now, &mut steps);
        let sent = steps.into_iter().filter_map(|step| match step {
            Step::Send(attempt) => Some(attempt),
            Step::DeadLetter(_) | Step::Forgotten(_) => None,
        });
        sent.collect()
    }

    /// What is written into the dead-letter topic.
    pub fn letters(&mut self) -> Vec<Arc<DeadLetter>> {
        let mut steps = Vec::new();
        self.pipeline.poll(self.now, &mut steps);
        let letters = steps.into_iter().filter_map(|step| match step {
            Step::DeadLetter(writing) => {
                self.pipeline.letter_written(writing.id);
                Some(writing.letter)
            }
            Step::Send(_) | Step::Forgotten(_) => None,
        });
        letters.collect()
    }

    pub fn answer(&mut self, attempt: &Attempt, status: u16) {
        let outcome = Outcome::Status(status);
        let answer = Answer { outcome, detail: String::new(), retry_after: None };
        let _ = self.pipeline.complete(attempt.ticket, &answer, self.now, 1.0);
    }
}

impl Bench {
    /// The next owner of the partition, with these actions, after a drain.
    pub fn handed_over(mut self, actions: &str) -> Self {
        self.pipeline.drain();
        assert!(self.sent().is_empty());
        let progress = self.pipeline.progress().expect("something was read");
        let position = progress.position;
        let metadata = progress.encode(4000).metadata;
        let told = Progress::parse(&metadata, position).expect("it is our own");
        let mut next = Self::new(actions);
        let (plan, gates) = (plan(actions), Arc::clone(&next.gates));
        next.pipeline = match told {
            Some(progress) => Pipeline::restored(plan, gates, partition(), progress),
            None => Pipeline::new(plan, gates, partition(), Some(position)),
        };
        next.next = next.pipeline.reads_at().expect("it begins somewhere").0;
        next
    }

    pub fn read_again(&mut self, offset: i64, key: &str, value: &str) -> Appetite {
        let record = Record {
            offset: Offset(offset),
            timestamp: Some(0),
            key: Some(key.as_bytes()),
            value: Some(value.as_bytes()),
            headers: Vec::new(),
        };
        self.pipeline.read_again(&record, self.now)
    }
}

pub fn partition() -> TopicPartition {
    TopicPartition { topic: "t".into(), partition: 0 }
}

pub fn plan(actions: &str) -> Arc<Plan> {
    let yaml = format!(
        "kafka: {{ bootstrap.servers: 'unused:1', group.id: g }}\n\
         sources: {{ all: {{ topics: [t] }} }}\n\
         egress: {{ allow_private: true }}\n\
         destinations:\n  d:\n    shared_secret: secret\n    actions:\n{actions}"
    );
    let config = Config::parse("test.yaml", &yaml, Path::new(""), &|name| std::env::var(name));
    Arc::new(config.unwrap_or_else(|errors| panic!("{errors}")).plan)
}
