//! An action with a mapped URL: each origin has a lane of its own, up to a number.

use std::collections::BTreeMap;
use std::time::Duration;

use hookcast::pipeline::Appetite;
use hookcast::plan::ActionId;
use hookcast::progress::LaneOrigin;
use hookcast::record::Position;

use crate::bench::Bench;

const TO_HOSTS: &str = "      a: { trigger: 'true', url: { '@template': \
                        'http://h{{n}}.localhost/' }, delivery: { concurrency: 1 } }\n";

/// A log whose record at each offset is for this host, and what has become of it.
struct Log {
    hosts: Vec<usize>,
    /// The offsets that each host has accepted, in their order.
    accepted: BTreeMap<usize, Vec<i64>>,
}

impl Log {
    /// For so many hosts in turns.
    fn new(hosts: usize, each: usize) -> Self {
        let hosts = (0..each).flat_map(|_| 0..hosts).collect();
        Self { hosts, accepted: BTreeMap::new() }
    }

    fn event(&self, offset: i64) -> String {
        let host = self.hosts[usize::try_from(offset).expect("it is in the log")];
        format!(r#"{{"type":"track","n":{host},"offset":{offset}}}"#)
    }

    fn end(&self) -> i64 {
        i64::try_from(self.hosts.len()).expect("it is short")
    }

    fn accepted(&self, host: usize) -> usize {
        self.accepted.get(&host).map_or(0, Vec::len)
    }

    /// Time goes by: what is there is read, read again and sent; the hosts for which `is_up` says
    /// so accept.
    fn go_on(&mut self, bench: &mut Bench, is_up: impl Fn(usize) -> bool) {
        for _ in 0..2000 {
            while bench.next < self.end() && bench.pipeline.wants_record() {
                let event = self.event(bench.next);
                let _ = bench.push("key", &event);
            }
            if let Some(from) = bench.pipeline.begin_slice(bench.now) {
                let mut offset = from.0;
                while offset < self.end()
                    && bench.read_again(offset, "key", &self.event(offset)) == Appetite::More
                {
                    offset += 1;
                }
                bench.pipeline.end_slice();
            }
            for attempt in bench.sent() {
                let body = String::from_utf8_lossy(&attempt.request.body).into_owned();
                let offset = body.rsplit_once(':').map(|(_, number)| number.trim_end_matches('}'));
                let offset: i64 = offset.expect("a number").parse().expect("a number");
                let host = self.hosts[usize::try_from(offset).expect("it is in the log")];
                if is_up(host) {
                    self.accepted.entry(host).or_default().push(offset);
                }
                bench.answer(&attempt, if is_up(host) { 200 } else { 503 });
            }
            bench.now.instant += Duration::from_millis(50);
        }
    }

    fn assert_exactly_once(&self) {
        for (host, accepted) in &self.accepted {
            let own = (0..self.end()).zip(&self.hosts).filter(|(_, it)| *it == host);
            assert_eq!(*accepted, own.map(|(offset, _)| offset).collect::<Vec<_>>(), "{host}");
        }
    }
}

#[test]
fn an_origin_that_is_down_falls_behind_alone_and_is_told_of_alone() {
    let mut log = Log::new(3, 100);
    let mut bench = Bench::new(TO_HOSTS);
    log.go_on(&mut bench, |host| host != 1);
    assert_eq!([0, 1, 2].map(|host| log.accepted(host)), [100, 0, 100]);
    assert_eq!(bench.pipeline.actions_behind().collect::<Vec<_>>(), [ActionId(0)]);
    let progress = bench.pipeline.progress().expect("something was read");
    assert_eq!((progress.position, progress.start), (Position(1), Position(300)));
    let [lane] = &progress.lanes[..] else { panic!("{progress:?}") };
    assert!(
        matches!(&lane.origin, LaneOrigin::Mapped { origin, .. } if **origin == *"http://h1.localhost:80"),
        "{lane:?}"
    );
    let mut next = bench.handed_over(TO_HOSTS);
    assert_eq!(next.next, 300);
    log.go_on(&mut next, |_| true);
    log.assert_exactly_once();
    assert_eq!(log.accepted(1), 100);
    assert_eq!(next.pipeline.position(), Some(Position(300)));
}

#[test]
fn an_action_whose_url_is_mapped_otherwise_starts_whole_at_its_lowest_place() {
    let mut log = Log::new(3, 100);
    let mut bench = Bench::new(TO_HOSTS);
    log.go_on(&mut bench, |host| host != 1);
    let changed = TO_HOSTS.replace(".localhost/", ".localhost:81/");
    let mut next = bench.handed_over(&changed);
    assert_eq!(next.next, 300, "for others the reader goes on");
    log.accepted.clear();
    log.go_on(&mut next, |host| host != 2);
    // They start at the first event of the one that was behind, and soon each on its own again.
    assert_eq!([0, 1, 2].map(|host| log.accepted(host)), [99, 100, 0]);
    log.go_on(&mut next, |_| true);
    assert_eq!(log.accepted(2), 100);
    assert_eq!(next.pipeline.position(), Some(Position(300)));
}

#[test]
fn an_action_keeps_its_place_when_its_url_is_mapped_no_longer() {
    let mut log = Log::new(2, 50);
    let mut bench = Bench::new(TO_HOSTS);
    log.go_on(&mut bench, |host| host == 0);
    let constant = "      a: { trigger: 'true', url: 'http://127.0.0.1/' }\n";
    let mut next = bench.handed_over(constant);
    assert_eq!(next.pipeline.begin_slice(next.now), Some(Position(1)));
    next.pipeline.end_slice();
    log.go_on(&mut next, |_| true);
    assert_eq!(log.accepted(1), 50);
    assert_eq!(next.pipeline.position(), Some(Position(100)));
}

#[test]
fn more_than_sixty_four_origins_that_are_behind_share_a_lane_and_get_everything_once() {
    let mut log = Log::new(100, 12);
    let mut bench = Bench::new(TO_HOSTS);
    // Each of the others has accepted something before it goes down.
    log.hosts.truncate(200);
    log.go_on(&mut bench, |_| true);
    log.hosts = Log::new(100, 12).hosts;
    log.go_on(&mut bench, |host| host < 10);
    for host in 0..10 {
        assert_eq!(log.accepted(host), 12, "{host} waits for others");
    }
    assert_eq!(bench.pipeline.actions_behind().count(), 65);
    let progress = bench.pipeline.progress().expect("something was read");
    let is_shared = |origin: &LaneOrigin| matches!(origin, LaneOrigin::Shared { .. });
    assert_eq!(progress.lanes.iter().filter(|lane| is_shared(&lane.origin)).count(), 1);
    assert_eq!(progress.lanes.len(), 65);
    log.go_on(&mut bench, |_| true);
    log.assert_exactly_once();
    assert_eq!(log.accepted.values().map(Vec::len).sum::<usize>(), 1200);
    assert_eq!(bench.pipeline.position(), Some(Position(1200)));
    assert!(bench.pipeline.is_empty());
}

#[test]
fn origins_that_are_down_give_up_their_places_to_those_that_are_not() {
    let mut log = Log::new(300, 2);
    let mut bench = Bench::new(TO_HOSTS);
    bench.pipeline.allow(1);
    log.go_on(&mut bench, |host| host >= 250);
    for host in 250..300 {
        assert_eq!(log.accepted(host), 2, "{host} waits for others");
    }
    log.go_on(&mut bench, |_| true);
    log.assert_exactly_once();
    assert_eq!(bench.pipeline.position(), Some(Position(600)));
}
