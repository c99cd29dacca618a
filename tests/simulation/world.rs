//! One world: a log, a plan, endpoints, a broker, and chance.

mod checks;
mod lives;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use hookcast::dead_letter::Reason;
use hookcast::gate::Change;
use hookcast::gates::Gates;
use hookcast::lane::{Answer, Attempt, Streak};
use hookcast::letters::{Debtor, Writing};
use hookcast::pipeline::{Appetite, Completion, Pipeline, Step};
use hookcast::plan::{ActionId, Plan};
use hookcast::record::{Now, Position, TopicPartition};
use hookcast::verdict::Outcome;
use serde_json::Value;

use crate::log::{self, Log};
use crate::record_keeper::RecordKeeper;
use crate::sights::Sights;

/// After so many steps the world turns kind, but for one endpoint that stays dead.
const HOSTILE_STEPS: usize = 1500;
/// By then everything else has been delivered. Now that endpoint revives, so that everything comes
/// to an end.
const DEAD_STEPS: usize = 20_000;
/// A kind world that has not come to its end by now never does.
const MOST_STEPS: usize = 60_000;
/// The most metadata that the broker takes with a commit, in bytes.
const MOST_METADATA: usize = 4_000;

pub struct World {
    random: Rng,
    log: Log,
    plan: Arc<Plan>,
    /// The same but for its URLs; for another life.
    other_plan: Arc<Plan>,
    gates: Arc<Gates>,
    keeper: RecordKeeper,
    pipeline: Pipeline,
    room: usize,
    /// The most room that there was in this life.
    most_room: usize,
    /// The index of the next record that the reader gets.
    next: usize,
    /// The index of the next record of the slice that is being read again.
    slice: Option<usize>,
    /// The endpoint that stays dead for longer than the others: this action's, and where its URL is
    /// mapped that of this host. None where so many are behind that they share lanes.
    dead: Option<(ActionId, usize)>,
    now: Now,
    requests: Vec<Attempt>,
    letters: Vec<Writing>,
    is_draining: bool,
    is_dead: bool,
    /// How likely what fails fails, out of a hundred.
    hostility: u8,
    sights: Sights,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let actions = random.usize(1..5);
        let [plan, other_plan] = log::plans(&mut random, actions);
        let is_crowded = random.u8(0..10) == 0;
        let hosts = if is_crowded { random.usize(70..150) } else { random.usize(1..5) };
        let log = Log::new(&mut random, actions, hosts);
        let dead = (ActionId(random.usize(0..actions)), random.usize(0..hosts));
        let gates = Arc::new(Gates::new(&plan));
        let room = if random.bool() { usize::MAX } else { random.usize(1..20_000) };
        let mut world = Self {
            pipeline: Pipeline::new(Arc::clone(&plan), Arc::clone(&gates), partition(), None),
            hostility: random.u8(0..60),
            log,
            plan,
            other_plan,
            gates,
            keeper: RecordKeeper::default(),
            room,
            most_room: room,
            next: 0,
            slice: None,
            dead: (!is_crowded).then_some(dead),
            now: Now { instant: Instant::now(), unix_ms: 1_700_000_000_000 },
            requests: Vec::new(),
            letters: Vec::new(),
            is_draining: false,
            is_dead: true,
            sights: Sights::default(),
            random,
        };
        world.pipeline.allow(room);
        world
    }

    /// Lives until everything is settled and committed.
    pub fn live(mut self) -> Sights {
        let mut others_are_done = false;
        for step in 0.. {
            assert!(step < MOST_STEPS, "nothing comes to an end");
            if step == HOSTILE_STEPS {
                self.hostility = 0;
            }
            self.is_dead = step < DEAD_STEPS && !others_are_done;
            self.step();
            self.obey_pipeline();
            self.check_sleep();
            self.check_memory();
            self.sights.set_aside +=
                self.pipeline.set_aside().map(|(_, events)| events).sum::<usize>();
            if step > HOSTILE_STEPS {
                others_are_done |= self.are_others_done();
                assert!(others_are_done || step < DEAD_STEPS, "others wait for a dead endpoint");
                if self.keeper.committed() >= self.log.end() {
                    break;
                }
            }
        }
        self.log.records.iter().for_each(|record| self.keeper.assert_settled(record));
        assert!(self.is_draining || self.pipeline.is_empty());
        self.sights
    }

    /// Whether everything is settled that is not owed to the dead endpoint. A partition's only
    /// endpoint is waited for: nobody suffers from it.
    fn are_others_done(&self) -> bool {
        self.plan.actions.len() == 1 && !self.is_mapped(ActionId(0))
            || self.log.records.iter().all(|record| {
                let owed = record.owed.iter();
                let owed = owed.filter(|action| !self.is_dead_to(**action, record.host));
                let mut debts =
                    owed.map(|action| Some(*action)).chain(record.is_invalid.then_some(None));
                debts.all(|creditor| self.keeper.is_settled(creditor, record.offset))
            })
    }

    fn is_mapped(&self, action: ActionId) -> bool {
        self.plan.actions[action.0].request.target.fingerprint().is_some()
    }

    /// Whether the dead endpoint is the one that an action's events for `host` go to.
    fn is_dead_to(&self, action: ActionId, host: Option<usize>) -> bool {
        let dead = self.dead.filter(|(dead, _)| *dead == action);
        dead.is_some_and(|(_, dead)| !self.is_mapped(action) || Some(dead) == host)
    }

    fn step(&mut self) {
        match self.random.u8(0..100) {
            0..22 => self.read(),
            22..35 => self.read_again(),
            35..60 => self.answer(),
            60..72 => self.acknowledge(),
            72..85 => self.pass_time(),
            85..95 => self.commit(),
            95 if self.is_hostile() => self.crash(),
            96 if !self.is_draining && self.is_hostile() => {
                self.sights.drains += 1;
                self.is_draining = true;
                self.pipeline.drain();
                self.slice = None;
            }
            _ => self.hand_over(),
        }
    }

    fn is_hostile(&mut self) -> bool {
        self.random.u8(0..100) < self.hostility
    }

    fn read(&mut self) {
        for _ in 0..self.random.usize(1..20) {
            if !self.pipeline.wants_record() {
                self.sights.full_pipelines += usize::from(!self.is_draining);
                return;
            }
            let Some(record) = self.log.records.get(self.next) else { return };
            self.next += 1;
            self.pipeline.push(&record.record(), self.now);
        }
    }

    /// The catch-up reader reads a little, or fails.
    fn read_again(&mut self) {
        if self.slice.is_none() && !self.begin_slice() {
            return;
        }
        for _ in 0..self.random.usize(1..20) {
            let Some(next) = &mut self.slice else { return };
            let appetite = if let Some(record) = self.log.records.get(*next) {
                *next += 1;
                self.pipeline.read_again(&record.record(), self.now)
            } else {
                self.pipeline.nothing_up_to(Position(self.log.end()));
                Appetite::Enough
            };
            if appetite == Appetite::Enough || self.random.u8(0..100) == 0 {
                self.pipeline.end_slice();
                self.slice = None;
            }
        }
    }

    fn begin_slice(&mut self) -> bool {
        let place = self.pipeline.begin_slice(self.now);
        if let Some(place) = place {
            self.sights.slices += 1;
            self.slice = Some(self.log.index_at(place.0));
        }
        place.is_some()
    }

    fn obey_pipeline(&mut self) {
        let mut steps = Vec::new();
        self.pipeline.poll(self.now, &mut steps);
        assert!(!self.pipeline.idles(self.now), "there is something to do, and it is not begun");
        for step in steps {
            match step {
                Step::DeadLetter(writing) => {
                    if writing.letter.reason == Reason::Expired {
                        self.sights.expired += 1;
                        self.check_expiry(&writing);
                    }
                    self.letters.push(writing);
                }
                Step::Forgotten(lanes) => panic!("nothing is foreign here: {lanes:?}"),
                Step::Send(attempt) => {
                    let offsets = offsets(&attempt);
                    assert_eq!(offsets.len(), attempt.events);
                    assert!(attempt.request.signature.is_some());
                    self.sights.batches += usize::from(offsets.len() > 1);
                    self.keeper.sent(
                        (&self.plan, &self.log),
                        attempt.ticket.lane.action,
                        (&attempt.request.target.url, &attempt.request.idempotency_key),
                        &offsets,
                    );
                    self.requests.push(attempt);
                }
            }
        }
    }

    fn answer(&mut self) {
        if self.requests.is_empty() {
            return;
        }
        let attempt = self.requests.swap_remove(self.random.usize(0..self.requests.len()));
        let offsets = offsets(&attempt);
        let records = self.log.by_offset();
        let is_poisoned = offsets.iter().any(|offset| records[offset].is_poison);
        let is_stubborn = offsets.iter().any(|offset| records[offset].is_stubborn);
        let action = attempt.ticket.lane.action;
        let host = records[&offsets[0]].host;
        let is_dead = self.is_dead && self.is_dead_to(action, host);
        let outcome = if is_dead || is_stubborn || self.is_hostile() {
            self.random.choice([Outcome::Timeout, Outcome::Connect, Outcome::Status(503)])
        } else if is_poisoned {
            self.random.choice([Outcome::Status(400), Outcome::Status(413), Outcome::Status(404)])
        } else {
            Some(Outcome::Status(200))
        };
        let outcome = outcome.expect("there is a choice");
        let is_accepted = outcome == Outcome::Status(200);
        let context = (&*self.plan, &self.log);
        let url = &attempt.request.target.url;
        self.keeper.answered(context, action, url, &offsets, is_accepted, self.now.unix_ms);
        let asks_for_rest = outcome == Outcome::Status(503) && self.random.u8(0..4) == 0;
        let retry_after = asks_for_rest.then(|| Duration::from_secs(self.random.u64(0..120)));
        let answer = Answer { outcome, detail: String::new(), retry_after };
        let chance = self.random.f64();
        let (completion, news) = self.pipeline.complete(attempt.ticket, &answer, self.now, chance);
        self.sights.streaks += usize::from(news.rejections == Some(Streak::TooLong));
        self.sights.openings += usize::from(news.endpoint == Some(Change::Opened));
        match completion {
            Completion::Delivered(batch) => assert_eq!(batch.entries().len(), offsets.len()),
            Completion::Retried => self.sights.retries += 1,
            Completion::Split => self.sights.splits += 1,
            Completion::Rejected(_) => {
                self.sights.rejections += 1;
                self.keeper.refuse(action, &offsets);
            }
        }
    }

    fn acknowledge(&mut self) {
        if self.letters.is_empty() {
            return;
        }
        let writing = self.letters.swap_remove(self.random.usize(0..self.letters.len()));
        if self.is_hostile() {
            self.sights.failed_letters += 1;
            let chance = self.random.f64();
            self.pipeline.letter_failed(writing.id, self.now, chance);
            return;
        }
        let offset = offset_of(&writing);
        let creditor = match writing.debtor {
            Debtor::Lane(lane) => Some(lane.action),
            Debtor::InvalidEvents => None,
        };
        self.keeper.settle(creditor, offset);
        self.pipeline.letter_written(writing.id);
    }

    fn pass_time(&mut self) {
        // Meanwhile other partitions take memory, or give it back.
        if self.room != usize::MAX && self.random.u8(0..4) == 0 {
            self.room = self.random.usize(1..20_000);
            self.most_room = self.most_room.max(self.room);
            self.pipeline.allow(self.room);
        }
        let until = match self.pipeline.wake_at(self.now) {
            Some(wake) if self.random.bool() => wake.saturating_duration_since(self.now.instant),
            _ => Duration::from_millis(self.random.u64(0..300)),
        };
        self.now.instant += until;
        self.now.unix_ms += i64::try_from(until.as_millis()).expect("a short while");
    }
}

fn partition() -> TopicPartition {
    TopicPartition { topic: "log".into(), partition: 0 }
}

/// The offset of the event that a letter is about.
fn offset_of(writing: &Writing) -> i64 {
    let offset = writing.letter.headers.iter().find(|(name, _)| name == "hookcast-offset");
    let offset = offset.and_then(|(_, value)| value.as_deref()).expect("it has an origin");
    std::str::from_utf8(offset).expect("a number").parse().expect("a number")
}

/// The offsets of an attempt's events, as a receiver reads them in the body.
fn offsets(attempt: &Attempt) -> Vec<i64> {
    let body: Value = serde_json::from_slice(&attempt.request.body).expect("a body is JSON");
    let payloads = match body {
        Value::Array(payloads) => payloads,
        payload => vec![payload],
    };
    payloads.iter().map(|payload| payload["offset"].as_i64().expect("a number")).collect()
}
