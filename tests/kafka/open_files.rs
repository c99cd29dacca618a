//! A process that may have few files open.

use std::time::Duration;

use crate::harness::{Answer, Broker, Config, Gate, Receiver, SECRET, Stream, until};

/// What a process may open. Kafka's clients need some forty of them.
const OPEN_FILES: usize = 128;
/// Requests at a time that leaves room for.
const REQUESTS: usize = 32;

#[test]
fn requests_that_hang_take_neither_all_open_files_nor_all_places() {
    let topic = "open-files.hanging";
    let broker = Broker::shared();
    broker.create_topic(topic, 2, &[]);
    let receiver = Receiver::start(Some(SECRET));
    let gate = Gate::closed();
    let hangs = gate.clone();
    receiver.answer(move |request| match &*request.path {
        "/well" => Answer::ok().after(Duration::from_millis(5)),
        _ => Answer::ok().behind(&hangs),
    });
    let actions = ["well", "one", "two", "three", "four"].map(|name| {
        let url = receiver.url(&format!("/{name}"));
        format!("      {name}: {{ trigger: 'type = \"track\"', url: '{url}' }}\n")
    });
    let actions = actions.concat();
    let yaml = format!(
        "sources:\n  web: {{ topics: [{topic}] }}\n\
         destinations:\n  crm:\n    shared_secret: '{SECRET}'\n    actions:\n{actions}\
         delivery: {{ timeout: 5m, concurrency: 64 }}\n"
    );
    let config = Config::new(broker, topic, &yaml).open_files(OPEN_FILES);
    let mut stream = Stream::new(300);
    broker.produce(topic, stream.next(600));
    let hookcast = config.start_ready();
    receiver.wait_accepted("/well", 600);
    let hanging = ["/one", "/two", "/three", "/four"];
    let most = hanging.map(|path| receiver.requests(path).len());
    assert!(most.iter().all(|requests| (1..=REQUESTS / 2).contains(requests)), "{most:?}");
    assert!(most.iter().sum::<usize>() < REQUESTS, "{most:?}");
    until("/healthz to answer", || match hookcast.ask("/healthz") {
        Ok((200, _)) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    gate.open();
    for path in hanging {
        receiver.wait_accepted(path, 600);
    }
    broker.wait_committed_to_end(topic, topic);
    assert!(!hookcast.log().contains("oo many open files"), "it ran out of them");
    hookcast.stop();
    receiver.assert_exactly_once("/one", 600);
    receiver.assert_exactly_once("/well", 600);
}
