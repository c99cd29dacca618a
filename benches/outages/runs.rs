//! The runs of one round.

use std::time::Instant;

use crate::events::{self, PARTITIONS, Writer};
use crate::harness::{Broker, Config, Hookcast, Record, until};
use crate::load;
use crate::receiver::{Behaviour, Path, Receiver, is_poison};
use crate::table::Figure;

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Size {
    /// Events that are delivered in batches, and one by one.
    batched: usize,
    single: usize,
    /// Seconds at half of the load.
    paced: usize,
    /// How often a process is killed.
    kills: usize,
}

impl Size {
    pub const FULL: Self = Self { batched: 1_000_000, single: 160_000, paced: 20, kills: 5 };
    pub const QUICK: Self = Self { batched: 40_000, single: 8_000, paced: 2, kills: 1 };
}

/// How an action sends.
#[derive(Clone, Copy)]
struct Mode {
    name: &'static str,
    settings: &'static str,
}

const BATCHED: Mode = Mode { name: "batched", settings: "batch: { max_events: 1000 }" };
const SINGLE: Mode = Mode { name: "single", settings: "batch: false" };

const FAULTS: [(&str, Behaviour); 3] = [
    ("hangs", Behaviour::Hang),
    ("refuses", Behaviour::Refuse),
    ("throttles", Behaviour::Throttle),
];

/// What one run has shown.
struct Run {
    events_per_second: f64,
    peak_mib: f64,
}

/// Everything that runs need.
pub struct Bench {
    broker: Broker,
    size: Size,
    only: String,
    topics: usize,
    figures: Vec<Figure>,
}

impl Bench {
    /// A broker with full topics.
    pub fn start(size: Size, only: String) -> Self {
        let broker = Broker::start();
        for (mode, events) in [(BATCHED, size.batched), (SINGLE, size.single)] {
            broker.create_topic(mode.name, PARTITIONS, &[]);
            load::fill(&broker, mode.name, events);
        }
        Self { broker, size, only, topics: 0, figures: Vec::new() }
    }

    /// Everything once.
    pub fn round(&mut self) -> Vec<Figure> {
        for mode in [BATCHED, SINGLE] {
            if self.wants(mode.name) {
                self.outages(mode);
            }
        }
        if self.wants("SIGKILL") {
            for mode in [BATCHED, SINGLE] {
                self.kills(mode);
            }
        }
        if self.wants("poison") {
            for status in [413, 400, 422] {
                for per_thousand in [1, 10] {
                    self.poison(status, per_thousand);
                }
            }
        }
        std::mem::take(&mut self.figures)
    }

    fn wants(&self, name: &str) -> bool {
        name.starts_with(&self.only)
    }

    fn tell(&mut self, group: &str, name: &str, value: f64) {
        eprintln!("{group}: {name}: {value:.2}");
        self.figures.push(Figure { name: format!("{group}: {name}"), value });
    }

    fn events(&self, mode: Mode) -> usize {
        if mode.name == BATCHED.name { self.size.batched } else { self.size.single }
    }

    /// The throughput of `fine`, alone and beside each fault, saturated and at half of that.
    fn outages(&mut self, mode: Mode) {
        let alone = self.alone(mode);
        let group = mode.name;
        self.tell(group, "fine alone, events/s", alone.events_per_second);
        self.tell(group, "fine alone, peak memory, MiB", alone.peak_mib);
        for (fault, behaviour) in FAULTS {
            let group = format!("{} beside one that {fault}", mode.name);
            let run = self.beside(mode, behaviour, &group);
            let ratio = run.events_per_second / alone.events_per_second;
            self.tell(&group, "throughput of fine, saturated, to alone", ratio);
            self.tell(&group, "peak memory, MiB", run.peak_mib);
            self.tell(&group, "peak memory, to alone", run.peak_mib / alone.peak_mib);
        }
        let per_second = whole(alone.events_per_second / 2.0);
        let alone = self.paced(mode, per_second, None);
        self.tell(group, "fine alone at half the load, events/s", alone);
        for (fault, behaviour) in FAULTS {
            let group = format!("{} beside one that {fault}", mode.name);
            let ratio = self.paced(mode, per_second, Some(behaviour)) / alone;
            self.tell(&group, "throughput of fine at half the load, to alone", ratio);
        }
    }

    fn alone(&mut self, mode: Mode) -> Run {
        let events = self.events(mode);
        let receiver = Receiver::start(events, Behaviour::Accept);
        let config = self.config(mode, mode.name, &receiver, false);
        let hookcast = config.start();
        receiver.wait_left(Path::Fine, 0);
        let peak_mib = hookcast.peak_mib();
        hookcast.stop();
        let events_per_second = receiver.seen(Path::Fine).events_per_second();
        receiver.stop();
        Run { events_per_second, peak_mib }
    }

    /// An outage from the first event on, until `fine` has everything; and its end.
    fn beside(&mut self, mode: Mode, behaviour: Behaviour, group: &str) -> Run {
        let events = self.events(mode);
        let receiver = Receiver::start(events, behaviour);
        let config = self.config(mode, mode.name, &receiver, true);
        let hookcast = config.start();
        receiver.wait_left(Path::Fine, 0);
        let peak_mib = hookcast.peak_mib();
        receiver.set(Path::Ill, Behaviour::Accept);
        let healed = Instant::now();
        receiver.wait_left(Path::Ill, 0);
        until("the lanes to be level", || match behind(&hookcast) {
            0.0 => Ok(()),
            lanes => Err(format!("{lanes} lanes are behind")),
        });
        let level_after = healed.elapsed().as_secs_f64();
        let read_again = hookcast.metrics().value("hookcast_catch_up_records_total", &[]);
        let after = hookcast.peak_mib();
        hookcast.stop();
        let (fine, ill) = (receiver.seen(Path::Fine), receiver.seen(Path::Ill));
        receiver.stop();
        self.tell(group, "from its recovery until level, s", level_after);
        self.tell(group, "its throughput meanwhile, events/s", events as f64 / level_after);
        self.tell(group, "records read again, in lengths of the log", read_again / events as f64);
        self.tell(group, "peak memory after it caught up, MiB", after);
        self.tell(group, "inversions", (fine.inversions + ill.inversions) as f64);
        self.tell(group, "repeated", (fine.repeated + ill.repeated) as f64);
        Run { events_per_second: fine.events_per_second(), peak_mib }
    }

    /// The throughput of `fine` while events come at a steady pace.
    fn paced(&mut self, mode: Mode, per_second: usize, ill: Option<Behaviour>) -> f64 {
        let events = per_second * self.size.paced;
        let topic = self.topic(PARTITIONS);
        let receiver = Receiver::start(events, ill.unwrap_or(Behaviour::Accept));
        let config = self.config(mode, &topic, &receiver, ill.is_some());
        let hookcast = config.start_ready();
        load::pace(&self.broker, &topic, events, per_second);
        receiver.wait_left(Path::Fine, 0);
        hookcast.sigkill();
        let seen = receiver.seen(Path::Fine);
        receiver.stop();
        seen.events_per_second()
    }

    /// What comes twice to `fine` because its process was killed in mid-stream.
    fn kills(&mut self, mode: Mode) {
        for (name, ill) in [("alone", None), ("beside one that hangs", Some(Behaviour::Hang))] {
            let events = self.events(mode);
            let receiver = Receiver::start(events, ill.unwrap_or(Behaviour::Accept));
            let config = self
                .config(mode, mode.name, &receiver, ill.is_some())
                .session_timeout(std::time::Duration::from_secs(1));
            for kill in 1..=self.size.kills {
                let hookcast = config.start();
                receiver.wait_left(Path::Fine, events - events * kill / (self.size.kills + 1));
                hookcast.sigkill();
            }
            let hookcast = config.start();
            receiver.wait_left(Path::Fine, 0);
            hookcast.sigkill();
            let fine = receiver.seen(Path::Fine);
            receiver.stop();
            let group = format!("SIGKILL, {}, {name}", mode.name);
            self.tell(&group, "sent again per SIGKILL", ratio(fine.repeated, self.size.kills));
            self.tell(&group, "inversions", fine.inversions as f64);
        }
    }

    /// Requests until the poisonous events of a batch of a thousand are alone.
    fn poison(&mut self, status: u16, per_thousand: usize) {
        const EVENTS: usize = 1000;
        let topic = self.topic(1);
        let mut writer = Writer::new();
        let records = (0..EVENTS).map(|number| {
            Record::new(writer.write(number).as_slice()).key(events::key(number)).partition(0)
        });
        let records: Vec<_> = records.collect();
        self.broker.produce(&topic, records);
        let receiver = Receiver::start(EVENTS, Behaviour::Accept);
        receiver.set(Path::Fine, Behaviour::Poison(status, per_thousand));
        let config = self.config(BATCHED, &topic, &receiver, false);
        let hookcast = config.start();
        receiver.wait_left(Path::Fine, per_thousand);
        until("the letters", || {
            let letters = hookcast.metrics().value("hookcast_events_dead_lettered_total", &[]);
            if letters >= per_thousand as f64 { Ok(()) } else { Err(letters.to_string()) }
        });
        hookcast.stop();
        let fine = receiver.seen(Path::Fine);
        receiver.stop();
        let poisonous = (0..EVENTS).filter(|number| is_poison(*number, per_thousand)).count();
        assert_eq!((fine.left, fine.repeated, fine.largest), (poisonous, 0, EVENTS));
        let name = format!("requests for {per_thousand} in a batch of 1,000, {status}");
        self.tell("poison", &name, fine.requests as f64);
    }

    fn topic(&mut self, partitions: usize) -> String {
        self.topics += 1;
        let topic = format!("topic-{}", self.topics);
        self.broker.create_topic(&topic, partitions, &[]);
        topic
    }

    /// One or two actions, in a group that is new.
    fn config(&self, mode: Mode, topic: &str, receiver: &Receiver, both: bool) -> Config {
        let (address, Mode { settings, .. }) = (receiver.address, mode);
        let action = |name| {
            format!(
                "      {name}: {{ trigger: type = \"track\" and event = \"Order Completed\", url: 'http://{address}/{name}', {settings} }}\n"
            )
        };
        let (fine, ill) = (action("fine"), if both { action("ill") } else { String::new() });
        let rest = format!(
            "sources:
  web: {{ topics: [{topic}] }}
destinations:
  crm:
    shared_secret: secret
    actions:
{fine}{ill}delivery:
  timeout: 2s
"
        );
        Config::new(&self.broker, &format!("bench-{}", address.port()), &rest)
    }
}

fn behind(hookcast: &Hookcast) -> f64 {
    hookcast.metrics().value("hookcast_lanes_behind", &[])
}

fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is positive")]
fn whole(rate: f64) -> usize {
    rate as usize
}
