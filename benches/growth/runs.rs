//! The runs of one round: a topic that is full, a group that is new, and all events of it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::cpu;
use crate::dimensions::{Case, Mode};
use crate::harness::{Broker, Config, Hookcast, until};
use crate::receiver::{Expected, Receiver};
use crate::sized::Shape;
use crate::usage::{self, Of};

/// What one run has shown. Costs are those of a delivered event, processes those of all members.
#[derive(Clone, Copy)]
pub struct Figures {
    pub events_per_second: f64,
    pub cpu_us: f64,
    pub peak_mib: f64,
}

/// Everything that runs need.
pub struct Bench {
    pub broker: Broker,
    filled: Vec<(Shape, String)>,
    topics: usize,
}

impl Bench {
    pub fn start() -> Self {
        Self { broker: Broker::start(), filled: Vec::new(), topics: 0 }
    }

    /// Delivers a topic from its beginning to its end.
    pub fn run(&mut self, case: Case, mode: Mode, shape: Shape) -> Figures {
        if case.members > 1 {
            self.run_members(case, mode, shape)
        } else {
            self.run_one(case, mode, shape)
        }
    }

    fn run_one(&mut self, case: Case, mode: Mode, shape: Shape) -> Figures {
        let topic = self.full_topic(shape);
        let expected = expected(case, shape);
        let receiver = Receiver::start(expected);
        let config = self.config(case, mode, &topic, &receiver);
        let hookcast = config.start();
        measure(vec![hookcast], receiver, expected)
    }

    /// Members share the partitions before there is anything to deliver, and sleep while the topic
    /// is filled: none of them is ahead of the others.
    fn run_members(&mut self, case: Case, mode: Mode, shape: Shape) -> Figures {
        let topic = self.empty_topic(shape.partitions);
        let expected = expected(case, shape);
        let receiver = Receiver::start(expected);
        let config = self.config(case, mode, &topic, &receiver);
        let mut members: Vec<_> = (0..case.members).map(|_| config.start_ready()).collect();
        let each = (shape.partitions / case.members) as f64;
        until("the partitions to be shared", || {
            let assigned =
                |member: &Hookcast| member.metrics().value("hookcast_assigned_partitions", &[]);
            let assigned: Vec<_> = members.iter().map(assigned).collect();
            let is_fair = assigned.iter().all(|&partitions| (partitions - each).abs() < 0.5);
            if is_fair { Ok(()) } else { Err(format!("{assigned:?}")) }
        });
        members.iter_mut().for_each(Hookcast::freeze);
        shape.fill(&self.broker, &topic);
        members.iter_mut().for_each(Hookcast::thaw);
        measure(members, receiver, expected)
    }

    fn full_topic(&mut self, shape: Shape) -> String {
        if let Some((_, topic)) = self.filled.iter().find(|(filled, _)| *filled == shape) {
            return topic.clone();
        }
        let topic = self.empty_topic(shape.partitions);
        shape.fill(&self.broker, &topic);
        self.filled.push((shape, topic.clone()));
        topic
    }

    pub fn empty_topic(&mut self, partitions: usize) -> String {
        self.topics += 1;
        let topic = format!("growth-{}", self.topics);
        self.broker.create_topic(&topic, partitions, &[]);
        topic
    }

    /// The actions of a case, in a group that is new.
    pub fn config(&self, case: Case, mode: Mode, topic: &str, receiver: &Receiver) -> Config {
        let (address, settings) = (receiver.address, mode.settings());
        let mut rest = format!(
            "sources:
  web: {{ topics: [{topic}] }}
destinations:
  crm:
    shared_secret: secret
    actions:
"
        );
        for number in 0..case.actions {
            let event = if number < case.fan_out {
                "Order Completed".to_owned()
            } else {
                format!("Order Completed {number}")
            };
            let trigger = format!("type = \"track\" and event = \"{event}\"");
            let url = format!("http://{address}/{number}");
            let written = writeln!(
                rest,
                "      a{number}: {{ trigger: '{trigger}', url: '{url}', {settings} }}"
            );
            written.expect("a text takes everything");
        }
        Config::new(&self.broker, &format!("growth-{}", address.port()), &rest)
    }
}

fn expected(case: Case, shape: Shape) -> Expected {
    let latency = Duration::from_millis(case.latency_ms as u64);
    Expected { events: shape.events, paths: case.fan_out, latency }
}

/// From the first request until nearly everything is there; and then waits for the rest, of which
/// nothing may be missing and nothing come twice.
fn measure(members: Vec<Hookcast>, receiver: Receiver, expected: Expected) -> Figures {
    let of = |member: &Hookcast| member.process.pid.as_raw_nonzero().get();
    let cpu = || members.iter().map(|member| cpu::used(of(member))).sum::<Duration>();
    let begun = receiver.wait_begun();
    let before = cpu();
    let took = receiver.wait_measured() - begun;
    let cpu = cpu().saturating_sub(before);
    receiver.wait_complete();
    let peak = |member| usage::peak_mib(Of::Process(of(member)));
    let peak_mib = members.iter().map(peak).sum();
    members.into_iter().for_each(Hookcast::stop);
    receiver.stop();
    let events = expected.measured() as f64;
    Figures {
        events_per_second: events / took.as_secs_f64(),
        cpu_us: cpu.as_secs_f64() * 1e6 / events,
        peak_mib,
    }
}
