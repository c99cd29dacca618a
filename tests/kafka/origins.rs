//! One action whose mapped URL leads to several origins, some of which are down.

use crate::harness::{
    Answer, Broker, Config, Gate, Hookcast, Receiver, Record, SECRET, free_port, track, until,
};

/// An action that sends every event to the port that the event names.
fn to_ports(topic: &str, settings: &str) -> String {
    format!(
        "sources:
  web: {{ topics: ['{topic}'] }}
destinations:
  crm:
    shared_secret: '{SECRET}'
    actions:
      all:
        trigger: type = \"track\"
        url: {{ '@template': 'http://user:hidden@127.0.0.1:{{{{properties.port}}}}/?key=hidden' }}
        {settings}
delivery:
  retry: {{ initial: 10ms, max: 100ms }}
limits: {{ buffered_bytes: 4MiB }}
"
    )
}

fn port(receiver: &Receiver) -> u16 {
    let url = receiver.url("");
    let (_, port) = url.rsplit_once(':').expect("a receiver has a port");
    port.parse().expect("a port is a number")
}

/// Events for several ports in turns: as many for each of them, the first with this number.
fn events(ports: &[u16], first: usize, each: usize) -> Vec<Record> {
    const KEYS: usize = 20;
    let event = |number: usize, port: &u16| {
        let key = format!("{port}-{}", number % KEYS);
        let event = track(&key, number / KEYS);
        let named = format!(r#""properties":{{"port":{port},"#);
        Record::new(event.replace(r#""properties":{"#, &named)).key(key)
    };
    let numbers = first..first + each;
    numbers.flat_map(|number| ports.iter().map(move |port| event(number, port))).collect()
}

fn of_action(hookcast: &Hookcast, metric: &str) -> f64 {
    hookcast.metrics().value(metric, &[("action", "all")])
}

fn until_level(hookcast: &Hookcast) {
    until("the lanes to be level again", || {
        let behind = of_action(hookcast, "hookcast_lanes_behind");
        if behind < 0.5 { Ok(()) } else { Err(format!("{behind} are behind")) }
    });
}

#[test]
fn an_origin_that_is_down_holds_up_no_other_one_and_gets_its_own_once_it_is_well() {
    for (topic, batch) in [("origins.down", "batch: false"), ("origins.batched", "batch: true")] {
        let broker = Broker::shared();
        broker.create_topic(topic, 2, &[]);
        let [fine, ill] = [(); 2].map(|()| Receiver::start(Some(SECRET)));
        ill.answer(|_| Answer::status(503));
        let ports = [port(&fine), port(&ill)];
        let config = Config::new(broker, topic, &to_ports(topic, batch));
        let hookcast = config.start_ready();
        broker.produce(topic, events(&ports, 0, 8000));
        fine.wait_accepted("/", 8000);
        assert!(of_action(&hookcast, "hookcast_lanes_behind") > 0.5, "it waits alone");
        until("the endpoint to be open", || {
            let open = of_action(&hookcast, "hookcast_endpoint_open");
            if (0.5..1.5).contains(&open) { Ok(()) } else { Err(format!("{open} are open")) }
        });
        let log = hookcast.log();
        let told = format!("http://127.0.0.1:{}", ports[1]);
        assert!(log.contains(&told) && !log.contains("hidden"), "{log}");
        hookcast.stop();
        // Another owner, to whom it is told that one of the origins is behind.
        let hookcast = config.start_ready();
        broker.produce(topic, events(&ports, 8000, 1000));
        fine.wait_accepted("/", 9000);
        assert_eq!(ill.accepted("/"), 0);
        ill.answer(|_| Answer::ok());
        ill.wait_accepted("/", 9000);
        broker.wait_committed_to_end(topic, topic);
        until_level(&hookcast);
        assert_eq!(of_action(&hookcast, "hookcast_endpoint_open").to_string(), "0");
        hookcast.stop();
        fine.assert_exactly_once("/", 9000);
        ill.assert_exactly_once("/", 9000);
    }
}

#[test]
fn an_origin_that_hangs_holds_up_no_other_one() {
    let topic = "origins.hang";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let [fine, ill] = [(); 2].map(|()| Receiver::start(Some(SECRET)));
    let gate = Gate::closed();
    let closed = gate.clone();
    ill.answer(move |_| Answer::ok().behind(&closed));
    let ports = [port(&fine), port(&ill)];
    let settings = "delivery: { timeout: 1m, concurrency: 16 }";
    let config = Config::new(broker, topic, &to_ports(topic, settings));
    let hookcast = config.start_ready();
    broker.produce(topic, events(&ports, 0, 5000));
    fine.wait_accepted("/", 5000);
    assert_eq!(ill.accepted("/"), 0);
    gate.open();
    ill.wait_accepted("/", 5000);
    broker.wait_committed_to_end(topic, topic);
    hookcast.stop();
    fine.assert_exactly_once("/", 5000);
    ill.assert_exactly_once("/", 5000);
}

#[test]
fn seventy_origins_that_are_down_share_what_sixty_four_do_not_need() {
    let topic = "origins.many";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let fine = Receiver::start(Some(SECRET));
    let mut ports: Vec<_> = (0..70).map(|_| free_port()).collect();
    ports.push(port(&fine));
    let settings = "delivery: { concurrency: 16 }";
    let config = Config::new(broker, topic, &to_ports(topic, settings));
    let hookcast = config.start_ready();
    // More for each of them than its lane holds, eight for every request at a time.
    broker.produce(topic, events(&ports, 0, 150));
    fine.wait_accepted("/", 150);
    broker.produce(topic, events(&ports[70..], 150, 2000));
    fine.wait_accepted("/", 2150);
    let positions = broker.positions(topic, topic);
    until("a commit to tell of them", || {
        let told = positions.metadata(0);
        let origins = told.matches("@http").count();
        let is_told = told.contains("@*") && (60..=64).contains(&origins);
        if is_told { Ok(()) } else { Err(told) }
    });
    let behind = of_action(&hookcast, "hookcast_lanes_behind");
    assert!((60.0..=65.0).contains(&behind), "{behind} lanes are behind");
    let truncated = hookcast.metrics().value("hookcast_progress_truncated_total", &[]);
    assert!(truncated > 0.5, "who shares a lane is not told");
    hookcast.stop();
    fine.assert_exactly_once("/", 2150);
}
