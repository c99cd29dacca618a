//! One world: a log, members with their plans, endpoints, a broker, and chance.

mod broker;
mod checks;
mod clock;
mod endpoints;
mod lives;
mod members;

use std::sync::Arc;
use std::time::Instant;

use fastrand::Rng;
use hookcast::dead_letter::Reason;
use hookcast::gates::Gates;
use hookcast::lane::Attempt;
use hookcast::letters::{Debtor, Writing};
use hookcast::pipeline::{Pipeline, Step};
use hookcast::plan::{ActionId, Plan};
use hookcast::record::{Now, TopicPartition};

use crate::bounds::Bounds;
use crate::defects::{Defect, Defects};
use crate::log::Log;
use crate::plans::Plans;
use crate::record_keeper::RecordKeeper;
use crate::sights::sights;
use members::Unknown;

/// By then everything else has been delivered. Now the dead endpoint revives, so that everything
/// comes to an end.
const DEAD_STEPS: usize = 20_000;
/// A kind world that has not come to its end by now never does.
const MOST_STEPS: usize = 60_000;

sights! {
    crashes, drains, retries, splits, rejections, failed_letters, full_pipelines, batches,
    lanes_behind, slices, restored, folded, lost_metadata, openings, expired, streaks, set_aside,
    changed_urls, shared_lanes, crowds, deletions, lost_to_readers, lost_to_lanes, jumps_forwards,
    jumps_backwards, storms, rests, unknown_actions, foreign_entries, forgotten_entries, excused,
}

/// What a world is like from its beginning to its end.
struct Nature {
    /// After so many steps the world turns kind.
    hostile_steps: usize,
    /// The most room that there will ever be.
    widest_room: usize,
    /// How many lanes there may be.
    most_lanes: usize,
    /// The endpoint that stays dead for longer than the others: this action's, and where its URL is
    /// mapped that of this host. None where so many are behind that they share lanes.
    dead: Option<(ActionId, usize)>,
    /// Whether the broker deletes what is old.
    deletes: bool,
    /// Whether the clock on the wall is set by people.
    has_jumping_clock: bool,
}

pub struct World {
    random: Rng,
    nature: Nature,
    log: Log,
    plans: Plans,
    /// Which of their URLs are in force.
    urls: usize,
    plan: Arc<Plan>,
    /// What the present member does not know.
    unknown: Option<Unknown>,
    /// The URLs with which each action was known last.
    known_urls: Vec<usize>,
    gates: Arc<Gates>,
    keeper: RecordKeeper,
    pipeline: Pipeline,
    defects: Defects,
    room: usize,
    /// The most room that there was in this life.
    most_room: usize,
    /// The index of the next record that the reader gets.
    next: usize,
    /// The index of the next record of the slice that is being read again.
    slice: Option<usize>,
    now: Now,
    /// The earliest that the clock on the wall has shown.
    earliest: i64,
    /// The latest that it ever showed.
    latest: i64,
    requests: Vec<Attempt>,
    letters: Vec<Writing>,
    is_draining: bool,
    is_dead: bool,
    /// How likely what fails fails, out of a hundred.
    hostility: u8,
    /// Whether all endpoints throttle.
    is_stormy: bool,
    /// How many offsets were said to be lost, in all lives and in this one.
    counted: u64,
    counted_now: u64,
    /// What was committed when this life began.
    committed_then: i64,
    sights: Sights,
}

impl World {
    pub fn new(seed: u64, bounds: Bounds, defect: Option<Defect>) -> Self {
        let mut random = Rng::with_seed(seed);
        let actions = random.usize(1..5).min(bounds.actions);
        let plans = Plans::new(random.fork(), actions);
        let is_crowded = random.u8(0..10) == 0;
        let hosts = if is_crowded { random.usize(70..150) } else { random.usize(1..5) };
        let log = Log::new(random.fork(), actions, hosts, bounds);
        let dead = (ActionId(random.usize(0..4) % actions), random.usize(0..hosts));
        // One for each origin, one that they share, and one for what is no event.
        let lanes_of = |action| if plans.may_be_mapped(ActionId(action)) { hosts + 1 } else { 1 };
        let most_lanes = (0..actions).map(lanes_of).sum::<usize>() + 1;
        let plan = plans.full(0);
        let gates = Arc::new(Gates::new(&plan));
        let rooms = [usize::MAX, 2_000, 20_000];
        let widest_room = random.choice(rooms).expect("there is a choice");
        let room = random.usize(1..=widest_room);
        let unix_ms = 1_700_000_000_000;
        let nature = Nature {
            hostile_steps: bounds.hostile_steps,
            widest_room,
            most_lanes,
            dead: (!is_crowded).then_some(dead),
            deletes: random.u8(0..3) == 0,
            has_jumping_clock: random.u8(0..4) < 2,
        };
        let mut world = Self {
            pipeline: Pipeline::new(Arc::clone(&plan), Arc::clone(&gates), partition(), None),
            hostility: random.u8(0..60),
            nature,
            log,
            plans,
            urls: 0,
            plan,
            unknown: None,
            known_urls: vec![0; actions],
            gates,
            keeper: RecordKeeper::default(),
            defects: Defects::new(defect),
            room,
            most_room: room,
            next: 0,
            slice: None,
            now: Now { instant: Instant::now(), unix_ms },
            earliest: unix_ms,
            latest: unix_ms,
            requests: Vec::new(),
            letters: Vec::new(),
            is_draining: false,
            is_dead: true,
            is_stormy: false,
            counted: 0,
            counted_now: 0,
            committed_then: 0,
            sights: Sights::default(),
            random,
        };
        world.allow(room);
        world
    }

    /// How many records its log has.
    pub fn records(&self) -> usize {
        self.log.records.len()
    }

    /// Lives until everything is settled and committed.
    pub fn live(mut self) -> Sights {
        let mut others_are_done = false;
        for step in 0.. {
            assert!(step < MOST_STEPS, "nothing comes to an end");
            if step == self.nature.hostile_steps {
                self.hostility = 0;
                self.is_stormy = false;
                self.set_clock_right();
            }
            self.is_dead = step < DEAD_STEPS && !others_are_done;
            self.step();
            self.obey_pipeline();
            self.check_sleep();
            self.check_memory();
            self.sights.set_aside +=
                self.pipeline.set_aside().map(|(_, events)| events).sum::<usize>();
            if step > self.nature.hostile_steps {
                others_are_done |= self.are_others_done();
                assert!(others_are_done || step < DEAD_STEPS, "others wait for a dead endpoint");
                if self.keeper.committed() >= self.log.end() {
                    break;
                }
            }
        }
        self.log.records.iter().for_each(|record| self.keeper.assert_settled(&self.log, record));
        self.check_losses();
        assert!(self.is_draining || self.pipeline.is_empty());
        self.sights
    }

    /// Whether everything is settled that is not owed to the dead endpoint, nor to an action that
    /// the present member does not know. A partition's only endpoint is waited for: nobody suffers
    /// from it. What no endpoint can bear waits for its time to be over, and clocks may have jumped
    /// back by hours.
    fn are_others_done(&self) -> bool {
        let is_owed = |action: &ActionId, host| {
            action.0 < self.plan.actions.len() && !self.is_dead_to(*action, host)
        };
        self.plan.actions.len() == 1 && !self.plans.is_mapped(ActionId(0), self.urls)
            || self.log.records.iter().filter(|record| !record.is_stubborn).all(|record| {
                let mut unsettled = self.keeper.unsettled(&self.log, record);
                unsettled
                    .all(|creditor| creditor.is_some_and(|action| !is_owed(&action, record.host)))
            })
    }

    /// Whether the dead endpoint is the one that an action's events for `host` go to.
    fn is_dead_to(&self, action: ActionId, host: Option<usize>) -> bool {
        let dead = self.nature.dead.filter(|(dead, _)| *dead == action);
        let is_mapped = || self.plans.is_mapped(action, self.urls);
        dead.is_some_and(|(_, dead)| !is_mapped() || Some(dead) == host)
    }

    fn step(&mut self) {
        match self.random.u8(0..100) {
            0..22 => self.read(),
            22..35 => self.read_again(),
            35..60 => self.answer(),
            60..72 => self.acknowledge(),
            72..85 => self.pass_time(),
            85..94 => self.commit(),
            94 if self.is_hostile() => self.be_hostile(),
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

    /// What happens to everybody at once.
    fn be_hostile(&mut self) {
        match self.random.u8(0..5) {
            0..3 => self.delete(),
            3 => self.jump(),
            _ => {
                self.is_stormy = !self.is_stormy && self.random.u8(0..4) == 0;
                self.sights.storms += usize::from(self.is_stormy);
            }
        }
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
                Step::Forgotten(lanes) => self.forget_unknown(&lanes),
                Step::Send(attempt) => self.send(attempt),
            }
        }
        self.obey_undead();
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
