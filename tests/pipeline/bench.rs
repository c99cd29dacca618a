//! A pipeline on a bench: records, answers and time come when the test says so.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookcast::config::Config;
use hookcast::dead_letter::DeadLetter;
use hookcast::gates::Gates;
use hookcast::lane::{Answer, Attempt, News};
use hookcast::letters::Writing;
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

    /// A pipeline of another partition in the same process.
    pub fn beside(&self, partition: i32, actions: &str) -> Self {
        let place = TopicPartition { topic: "t".into(), partition };
        let gates = self.gates();
        let pipeline = Pipeline::new(plan(actions), Arc::clone(&gates), place, None);
        Self { pipeline, gates, now: self.now, next: 0 }
    }

    /// Time goes by, on both clocks.
    pub fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.unix_ms += i64::try_from(time.as_millis()).expect("a short time");
    }

    pub fn push(&mut self, key: &str, value: &str) -> Pushed<'_> {
        self.push_of(0, key, value)
    }

    /// A record with this timestamp.
    pub fn push_of(&mut self, timestamp: i64, key: &str, value: &str) -> Pushed<'_> {
        let record = Record {
            offset: Offset(self.next),
            timestamp: Some(timestamp),
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

    /// What is sent, and what is to be written.
    pub fn poll(&mut self) -> (Vec<Attempt>, Vec<Writing>) {
        let (mut steps, mut sent, mut letters) = (Vec::new(), Vec::new(), Vec::new());
        self.pipeline.poll(self.now, &mut steps);
        for step in steps {
            match step {
                Step::Send(attempt) => sent.push(attempt),
                Step::DeadLetter(writing) => letters.push(writing),
                Step::Forgotten(_) => {}
            }
        }
        (sent, letters)
    }

    /// Every request is answered with the status that `answer` says for it, and every letter is
    /// written, until there is nothing more to do now. These are the letters.
    pub fn settle(&mut self, mut answer: impl FnMut(&Attempt) -> u16) -> Vec<Arc<DeadLetter>> {
        let mut written = Vec::new();
        loop {
            let (sent, letters) = self.poll();
            if sent.is_empty() && letters.is_empty() {
                return written;
            }
            for attempt in sent {
                let status = answer(&attempt);
                self.answer(&attempt, status);
            }
            for writing in letters {
                self.pipeline.letter_written(writing.id);
                written.push(writing.letter);
            }
        }
    }

    /// The same, second by second.
    pub fn settle_for(
        &mut self,
        seconds: u64,
        mut answer: impl FnMut(&Attempt) -> u16,
    ) -> Vec<Arc<DeadLetter>> {
        let mut written = Vec::new();
        for _ in 0..seconds {
            written.extend(self.settle(&mut answer));
            self.pass(Duration::from_secs(1));
        }
        written
    }

    /// How many events are set aside.
    pub fn aside(&self) -> usize {
        self.pipeline.set_aside().map(|(_, events)| events).sum()
    }

    pub fn answer(&mut self, attempt: &Attempt, status: u16) -> News {
        let outcome = Outcome::Status(status);
        let answer = Answer { outcome, detail: String::new(), retry_after: None };
        self.pipeline.complete(attempt.ticket, &answer, self.now, 1.0).1
    }
}

/// The text of a request's body.
pub fn body(attempt: &Attempt) -> String {
    String::from_utf8_lossy(&attempt.request.body).into_owned()
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
        let mut next = Self { now: self.now, ..Self::new(actions) };
        let (plan, gates) = (plan(actions), Arc::clone(&next.gates));
        next.pipeline = match told {
            Some(progress) => Pipeline::restored(plan, gates, partition(), progress),
            None => Pipeline::new(plan, gates, partition(), Some(position)),
        };
        next.next = next.pipeline.reads_at().expect("it begins somewhere").0;
        next
    }

    pub fn read_again(&mut self, offset: i64, key: &str, value: &str) -> Appetite {
        self.read_again_of(0, offset, key, value)
    }

    /// A record with this timestamp, once more.
    pub fn read_again_of(
        &mut self,
        timestamp: i64,
        offset: i64,
        key: &str,
        value: &str,
    ) -> Appetite {
        let record = Record {
            offset: Offset(offset),
            timestamp: Some(timestamp),
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
