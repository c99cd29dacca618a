//! Everything that may happen, in an order drawn by a seed: endpoints change their mood, members
//! join, leave and are killed, the broker is killed and comes back. At the end of every chapter
//! all heals, and everything must be delivered.
//!
//! In a clean chapter nobody is killed, and nothing may come twice. In a hard one it may, and is
//! counted. Two short chapters here; `make soak` takes half an hour.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::harness::{
    Answer, Broker, Config, Gate, Hookcast, Manner, Receiver, Request, SECRET, Stream,
    from_environment,
};

const TOPIC: &str = "soak";
const PARTITIONS: usize = 6;
/// How far the actions that are never ill may be behind what was produced before it goes on.
const BACKLOG: usize = 1000;
const BATCH: &str = "batch: { max_events: 50, max_delay: 50ms }";
/// The actions; the first two are never ill.
const ACTIONS: [(&str, &str); 5] = [
    ("fine", "batch: false"),
    ("fine-batched", BATCH),
    ("flaky", "batch: false"),
    ("ill", "batch: false"),
    ("ill-batched", BATCH),
];

/// What an endpoint is like for a while.
#[derive(Clone, Copy, Debug)]
enum Mood {
    Well,
    Refusing,
    Throttling,
    Hanging,
    /// Every fifth request fails, each in another way.
    Fickle,
}

impl Mood {
    fn answer(self, request: &Request, never: &Gate) -> Answer {
        match self {
            Self::Well => Answer::ok(),
            Self::Refusing => Answer::status(503),
            Self::Throttling => Answer::status(429).header("retry-after", "1"),
            Self::Hanging => Answer::ok().behind(never),
            Self::Fickle => match request.number % 20 {
                0 => Answer::status(500),
                5 => Answer::ok().in_manner(Manner::Reset),
                10 => Answer::ok().in_manner(Manner::CutShort),
                15 => Answer::status(503).in_manner(Manner::WithAnother(200)),
                _ => Answer::ok(),
            },
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chapter {
    Clean,
    Hard,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Mood,
    Join,
    Leave,
    Replace,
    Kill,
    KillBroker,
}

/// What there was, to be told at the end.
#[derive(Default)]
struct Account {
    acts: BTreeMap<String, usize>,
    repeated: usize,
    peak_mib: f64,
}

struct Soak {
    rng: Rng,
    broker: Broker,
    config: Config,
    receiver: Receiver,
    moods: Arc<Mutex<[Mood; ACTIONS.len()]>>,
    members: Vec<Hookcast>,
    stream: Stream,
    account: Account,
}

impl Soak {
    fn begin(seed: u64) -> Self {
        let broker = Broker::start();
        broker.create_topic(TOPIC, PARTITIONS, &[]);
        let receiver = Receiver::start(Some(SECRET));
        let moods = Arc::new(Mutex::new([Mood::Well; ACTIONS.len()]));
        let (asked, never) = (Arc::clone(&moods), Gate::closed());
        receiver.answer(move |request| {
            let index = ACTIONS.iter().position(|(name, _)| request.path[1..] == **name);
            let moods = asked.lock().expect("nothing panics while it holds the moods");
            moods[index.expect("the path of an action")].answer(request, &never)
        });
        let config = Config::new(&broker, TOPIC, &configuration(&receiver))
            .session_timeout(Duration::from_secs(6));
        let members = (0..3).map(|_| config.start_ready()).collect();
        let (rng, stream) = (Rng::with_seed(seed), Stream::new(200));
        Self { rng, broker, config, receiver, moods, members, stream, account: Account::default() }
    }

    /// Some acts, and a good end.
    fn chapter(&mut self, chapter: Chapter, acts: usize) {
        for _ in 0..acts {
            let act = self.draw(chapter);
            *self.account.acts.entry(format!("{act:?}")).or_default() += 1;
            let events = self.rng.usize(100..800);
            self.broker.produce(TOPIC, self.stream.next(events));
            self.act(act, chapter);
            let made = self.stream.made();
            for path in ["/fine", "/fine-batched"] {
                self.receiver.wait_accepted(path, made.saturating_sub(BACKLOG));
            }
        }
        self.moods.lock().expect("nothing panics while it holds the moods").fill(Mood::Well);
        for path in paths() {
            self.receiver.wait_accepted(&path, self.stream.made());
        }
        self.broker.wait_committed_to_end(TOPIC, TOPIC);
        self.close(chapter);
    }

    fn draw(&mut self, chapter: Chapter) -> Act {
        let clean = [Act::Mood, Act::Mood, Act::Mood, Act::Join, Act::Leave, Act::Replace];
        let hard = [Act::Mood, Act::Mood, Act::Replace, Act::Kill, Act::Kill, Act::KillBroker];
        let acts = if chapter == Chapter::Clean { clean } else { hard };
        match acts[self.rng.usize(..acts.len())] {
            Act::Join if self.members.len() >= 4 => Act::Leave,
            Act::Leave if self.members.len() <= 2 => Act::Join,
            act => act,
        }
    }

    fn act(&mut self, act: Act, chapter: Chapter) {
        match act {
            Act::Mood => self.change_a_mood(),
            Act::Join => self.members.push(self.config.start_ready()),
            Act::Leave => self.stop_one(chapter),
            Act::Replace => {
                self.members.push(self.config.start());
                self.stop_one(chapter);
            }
            Act::Kill => {
                let victim = self.rng.usize(..self.members.len());
                let member = self.members.swap_remove(victim);
                self.account.peak_mib = self.account.peak_mib.max(member.peak_mib());
                member.sigkill();
                self.members.push(self.config.start());
            }
            Act::KillBroker => {
                self.broker.kill();
                self.broker.restart();
            }
        }
    }

    fn change_a_mood(&mut self) {
        let ill = self.rng.usize(2..ACTIONS.len());
        let mood = match ACTIONS[ill].0 {
            "flaky" => [Mood::Well, Mood::Fickle, Mood::Fickle, Mood::Throttling],
            _ => [Mood::Well, Mood::Refusing, Mood::Throttling, Mood::Hanging],
        }[self.rng.usize(..4)];
        self.moods.lock().expect("nothing panics while it holds the moods")[ill] = mood;
    }

    fn stop_one(&mut self, chapter: Chapter) {
        let leaving = self.rng.usize(..self.members.len());
        let mut member = self.members.swap_remove(leaving);
        // One that was just started may be gone before it can be asked.
        member.wait_ready();
        self.account.peak_mib = self.account.peak_mib.max(member.peak_mib());
        member.sigterm();
        let status = member.wait_exit();
        assert!(chapter == Chapter::Hard || status == 0, "exit status {status}: {}", member.log());
    }

    /// Everything was delivered: how often, and in which order?
    fn close(&mut self, chapter: Chapter) {
        let repeated: usize =
            paths().map(|path| self.receiver.arrived().at(&path).repeated()).sum();
        let new = repeated - std::mem::replace(&mut self.account.repeated, repeated);
        eprintln!("{chapter:?} chapter: {} events so far, {new} repeated", self.stream.made());
        assert!(chapter == Chapter::Hard || new == 0, "{new} repeated, and nobody was killed");
        for path in paths() {
            self.receiver.assert_nothing_lost(&path, self.stream.made());
        }
        self.receiver.forget_requests();
    }

    fn end(mut self) {
        for member in self.members.drain(..) {
            self.account.peak_mib = self.account.peak_mib.max(member.peak_mib());
            member.stop();
        }
        assert!(self.broker.read(&format!("{TOPIC}.dead-letter")).is_empty());
        let Account { acts, repeated, peak_mib } = &self.account;
        eprintln!(
            "{} events for {} actions: lost 0, out of order 0, repeated {repeated} after kills and 0 \
             otherwise; peak memory of a member {peak_mib:.1} MiB; {acts:?}",
            self.stream.made(),
            ACTIONS.len(),
        );
    }
}

fn paths() -> impl Iterator<Item = String> {
    ACTIONS.into_iter().map(|(name, _)| format!("/{name}"))
}

fn configuration(receiver: &Receiver) -> String {
    let mut yaml = format!(
        "sources:
  web: {{ topics: ['{TOPIC}'] }}
destinations:
  crm:
    shared_secret: '{SECRET}'
    actions:
"
    );
    for (name, batch) in ACTIONS {
        let url = receiver.url(&format!("/{name}"));
        let _ =
            writeln!(yaml, "      {name}: {{ trigger: type = \"track\", url: '{url}', {batch} }}");
    }
    yaml + "delivery:
  timeout: 3s
  retry: { initial: 50ms, max: 1s }
"
}

#[test]
fn nothing_is_lost_or_out_of_order_and_nothing_comes_twice_unless_somebody_was_killed() {
    let seed = from_environment("HOOKCAST_SEED", 1);
    let minutes: u64 = from_environment("HOOKCAST_SOAK_MINUTES", 0);
    let acts = if minutes == 0 { 3 } else { 15 };
    let (begun, time) = (Instant::now(), Duration::from_secs(minutes * 60));
    eprintln!("seed {seed}");
    let mut soak = Soak::begin(seed);
    loop {
        soak.chapter(Chapter::Clean, acts);
        soak.chapter(Chapter::Hard, acts);
        if begun.elapsed() >= time {
            break;
        }
    }
    soak.end();
}
