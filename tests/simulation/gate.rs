//! One gate in hostile worlds: an endpoint that hangs, throttles, refuses and goes down, and lanes
//! that come, go and change their minds. A lane runs only when it is called, has an answer, or has
//! slept as long as it was told to, so that a call that gets lost strands it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use fastrand::Rng;
use hookcast::gate::{Change, Entrance, Fault, Gate, Heard, Pass, Wait};
use hookcast::plan::{Delivery, Retry};
use hookcast::record::Now;
use hookcast::verdict::{Outcome, Verdict};

use crate::bounds::Bounds;
use crate::gate_keeper::{Begun, GateKeeper};
use crate::sights::sights;

/// After so many steps the world turns kind: the endpoint accepts, and nobody goes away.
const HOSTILE_STEPS: usize = 600;
/// A kind world that has not come to its end by now never does.
const MOST_STEPS: usize = 20_000;

sights! {
    openings, closings, lost_probes, other_events, narrow_windows, waits_for_a_place,
    waits_for_a_time, lanes_gone,
}

/// Remembers that a lane was called.
#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Lane {
    /// Names it for the keeper, who knows nothing of entrances.
    name: usize,
    entrance: Entrance,
    bell: Arc<Bell>,
    waker: Waker,
    sleeps_until: Option<Instant>,
    /// What it has yet to send.
    events: usize,
}

struct Request {
    lane: usize,
    pass: Pass,
    begun: Begun,
}

/// What the endpoint does at the moment.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Well,
    Down,
    Throttling,
    Refusing,
    Moody,
}

pub struct World {
    random: Rng,
    gate: Arc<Gate>,
    keeper: GateKeeper,
    lanes: Vec<Lane>,
    requests: Vec<Request>,
    mood: Mood,
    /// Requests that began long ago are rarely answered.
    old_ones_hang: bool,
    now: Now,
    is_kind: bool,
    hostile_steps: usize,
    sights: Sights,
}

impl World {
    pub fn new(seed: u64, bounds: Bounds) -> Self {
        let mut random = Rng::with_seed(seed);
        let widest = if random.bool() { 4 } else { 40 };
        let concurrency = random.usize(1..=widest);
        let retry = Retry {
            initial: Duration::from_millis(random.u64(1..1000)),
            max: Duration::from_secs(random.u64(1..30)),
            ..Retry::default()
        };
        let delivery = Delivery {
            concurrency: NonZeroUsize::new(concurrency).expect("one at least"),
            retry,
            ..Delivery::default()
        };
        let now = Now { instant: Instant::now(), unix_ms: 1_700_000_000_000 };
        let mut world = Self {
            gate: Arc::new(Gate::new(&delivery)),
            keeper: GateKeeper::new(concurrency, retry, now.instant),
            lanes: Vec::new(),
            requests: Vec::new(),
            mood: Mood::Well,
            old_ones_hang: random.bool(),
            now,
            is_kind: false,
            hostile_steps: bounds.hostile_steps.min(HOSTILE_STEPS),
            sights: Sights::default(),
            random,
        };
        for _ in 0..world.random.usize(1..8) {
            let events = world.random.usize(1..200).min(bounds.records);
            world.add_lane(events);
        }
        world
    }

    /// Lives until everything is sent.
    pub fn live(mut self) -> Sights {
        for step in 0.. {
            assert!(step < MOST_STEPS, "it comes to no end: {:?}", self.gate);
            if step == self.hostile_steps {
                self.is_kind = true;
                self.mood = Mood::Well;
            }
            let runnable = self.runnable();
            let is_at_end = self.requests.is_empty() && self.owed() == 0;
            if self.is_kind && is_at_end {
                break;
            }
            match self.random.u8(0..20) {
                0 if !self.is_kind => self.change_mood(),
                1 if !self.is_kind => self.drop_a_lane(),
                2 if !self.is_kind => self.change_a_mind(),
                3 if !self.is_kind => self.remember(),
                4..=12 if !runnable.is_empty() => {
                    let lane = self.random.usize(0..runnable.len());
                    self.run(runnable[lane]);
                }
                13.. if !self.requests.is_empty() => self.answer(),
                _ if runnable.is_empty() => self.pass_time(),
                _ => {}
            }
            self.keeper.look_at(&self.gate);
        }
        self.sights
    }

    fn owed(&self) -> usize {
        self.lanes.iter().map(|lane| lane.events).sum()
    }

    fn add_lane(&mut self, events: usize) {
        let bell = Arc::new(Bell::default());
        bell.0.store(true, Ordering::Relaxed);
        self.lanes.push(Lane {
            name: self.keeper.new_lane(),
            entrance: self.gate.entrance(),
            waker: Arc::clone(&bell).into(),
            bell,
            sleeps_until: None,
            events,
        });
    }

    /// The lanes that have a reason to run.
    fn runnable(&self) -> Vec<usize> {
        let now = self.now.instant;
        let has_reason = |lane: &Lane| {
            lane.bell.0.load(Ordering::Relaxed) || lane.sleeps_until.is_some_and(|at| at <= now)
        };
        (0..self.lanes.len()).filter(|at| has_reason(&self.lanes[*at])).collect()
    }

    /// A lane sends what it may, or a part of it.
    fn run(&mut self, at: usize) {
        let lane = &mut self.lanes[at];
        lane.bell.0.store(false, Ordering::Relaxed);
        lane.sleeps_until = None;
        for _ in 0..self.random.usize(1..6) {
            if lane.events == 0 {
                lane.entrance.leave();
                self.keeper.left(lane.name);
                return;
            }
            let could_go = self.gate.could_go(self.now.instant);
            match lane.entrance.ask(self.now.instant, &lane.waker) {
                Ok(pass) => {
                    assert_eq!(could_go, Ok(()), "it goes though it could not");
                    lane.events -= 1;
                    self.sights.other_events += usize::from(pass.probe().unwrap_or(0) > 0);
                    let begun = self.keeper.begins(&self.gate, lane.name, &pass, self.now.instant);
                    self.requests.push(Request { lane: lane.name, pass, begun });
                }
                Err(wait) => {
                    self.keeper.waits(lane.name);
                    match wait {
                        Wait::Until(time) => {
                            assert!(time > self.now.instant, "it would ask again at once");
                            lane.sleeps_until = Some(time);
                            self.sights.waits_for_a_time += 1;
                        }
                        Wait::ForAPlace => self.sights.waits_for_a_place += 1,
                    }
                    return;
                }
            }
        }
        lane.bell.0.store(true, Ordering::Relaxed);
    }

    fn answer(&mut self) {
        let in_flight = self.requests.len();
        let newest = if self.old_ones_hang { in_flight.saturating_sub(2) } else { 0 };
        let oldest = if self.random.u8(0..10) == 0 { 0 } else { newest };
        let Request { lane, pass, begun } =
            self.requests.remove(self.random.usize(oldest..in_flight));
        let heard = self.heard();
        let chance = self.random.f64();
        let was = self.gate.window();
        let news = pass.answered(&heard, self.now, chance);
        self.keeper.answered(&begun, &heard, self.now, chance, news);
        self.keeper.check_window(&begun, &heard, was, &self.gate, news);
        match news {
            Some(Change::Opened) => self.sights.openings += 1,
            Some(Change::Closed) => self.sights.closings += 1,
            None => {}
        }
        self.sights.narrow_windows += usize::from(self.gate.window() == 1);
        let lane = self.lanes.iter_mut().find(|other| other.name == lane);
        let lane = lane.expect("the requests of a lane that is gone are gone");
        lane.events += usize::from(!matches!(heard.verdict, Verdict::Accept | Verdict::Reject));
        // Whoever has an answer runs.
        lane.bell.0.store(true, Ordering::Relaxed);
    }

    fn heard(&mut self) -> Heard {
        let moods = [Mood::Well, Mood::Down, Mood::Throttling, Mood::Refusing];
        let mood = match self.mood {
            Mood::Moody => self.random.choice(moods).expect("there is a choice"),
            mood => mood,
        };
        let outcomes: &[Outcome] = match mood {
            Mood::Down => {
                &[Outcome::Connect, Outcome::Timeout, Outcome::Status(500), Outcome::Status(503)]
            }
            Mood::Throttling if self.requests.len() > 3 => {
                &[Outcome::Status(429), Outcome::Status(503)]
            }
            Mood::Refusing => &[Outcome::Status(400), Outcome::Status(404)],
            _ => &[Outcome::Status(200)],
        };
        let outcome = *self.random.choice(outcomes).expect("there is a choice");
        let verdict = match outcome {
            Outcome::Status(200) => Verdict::Accept,
            Outcome::Status(400) => Verdict::Split,
            Outcome::Status(404) => Verdict::Reject,
            _ => Verdict::Retry,
        };
        let asks = matches!(outcome, Outcome::Status(429 | 503)) && self.random.u8(0..6) == 0;
        let retry_after = asks.then(|| Duration::from_secs(self.random.u64(0..7200)));
        let is_of_event = self.random.u8(0..10) == 0;
        let fault = if is_of_event { Fault::Event } else { Fault::Endpoint };
        let has_others = self.random.bool();
        Heard { outcome, verdict, retry_after, fault, events: 1, has_others }
    }

    /// Some time passes; in a kind world nobody waits longer than somebody was told to.
    fn pass_time(&mut self) {
        let soonest = self.lanes.iter().filter_map(|lane| lane.sleeps_until).min();
        let until = match soonest {
            Some(at) if self.is_kind || self.random.bool() => at,
            None if self.is_kind && self.requests.is_empty() => {
                panic!("nobody will ever run again: {:?}", self.gate)
            }
            _ => self.now.instant + Duration::from_millis(self.random.u64(0..2000)),
        };
        let elapsed = until.saturating_duration_since(self.now.instant);
        self.now.instant += elapsed;
        self.now.unix_ms += i64::try_from(elapsed.as_millis()).expect("worlds are short");
        if self.random.u8(0..50) == 0 {
            // The world's clock is set by people.
            self.now.unix_ms += self.random.i64(-100_000..100_000);
        }
    }

    fn change_mood(&mut self) {
        let moods = [Mood::Well, Mood::Down, Mood::Throttling, Mood::Refusing, Mood::Moody];
        self.mood = self.random.choice(moods).expect("there is a choice");
    }

    /// A partition is revoked; somebody else's takes its place.
    fn drop_a_lane(&mut self) {
        let lane = self.lanes.swap_remove(self.random.usize(0..self.lanes.len()));
        let (name, mut events) = (lane.name, lane.events);
        let is_first = self.random.bool();
        if is_first {
            drop(lane.entrance);
        }
        for request in self.requests.extract_if(.., |request| request.lane == name) {
            events += 1;
            self.sights.lost_probes += usize::from(self.keeper.lost(&request.begun));
            drop(request.pass);
        }
        self.keeper.left(name);
        self.sights.lanes_gone += 1;
        self.add_lane(events + 1);
    }

    /// A lane has nothing to send any more: somebody else has.
    fn change_a_mind(&mut self) {
        let [from, to] = [(); 2].map(|()| self.random.usize(0..self.lanes.len()));
        let events = std::mem::take(&mut self.lanes[from].events);
        self.lanes[from].entrance.leave();
        self.lanes[from].sleeps_until = None;
        self.keeper.left(self.lanes[from].name);
        self.lanes[to].events += events;
        self.lanes[to].bell.0.store(true, Ordering::Relaxed);
    }

    /// Another member's partition comes with its memories.
    fn remember(&mut self) {
        let unix_ms = self.now.unix_ms - self.random.i64(0..100_000);
        self.gate.restore_failing_since(unix_ms);
        self.keeper.remembers(unix_ms);
    }
}
