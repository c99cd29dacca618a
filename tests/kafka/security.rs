//! Credentials, right and wrong, and a configuration no broker can be reached with.

use crate::harness::{Broker, Config, Receiver, SASL_USER, SECRET, Stream, one_action};

fn sasl(config: Config, broker: &Broker, password: &str) -> Config {
    config
        .kafka("bootstrap.servers", &broker.sasl_bootstrap())
        .kafka("security.protocol", "SASL_PLAINTEXT")
        .kafka("sasl.mechanism", "PLAIN")
        .kafka("sasl.username", SASL_USER.0)
        .kafka("sasl.password", password)
}

#[test]
fn right_credentials_deliver_and_stand_in_no_log() {
    let topic = "security.right";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    broker.produce(topic, Stream::new(5).next(10));
    let receiver = Receiver::start(Some(SECRET));
    let config = sasl(
        Config::new(broker, topic, &one_action(topic, &receiver.url("/"), &[])),
        broker,
        SASL_USER.1,
    );
    let mut hookcast = config.start();
    receiver.wait_accepted("/", 10);
    hookcast.sigterm();
    assert_eq!(hookcast.wait_exit(), 0);
    let log = hookcast.log();
    assert!(!log.contains(SASL_USER.1) && !log.contains(SECRET), "a secret is logged:\n{log}");
}

/// Ends with status 1 and a line that says so, without being asked.
fn ends_with_a_reason(config: &Config, reasons: &[&str]) {
    let mut hookcast = config.start();
    let status = hookcast.wait_exit();
    let log = hookcast.log();
    assert_eq!(status, 1, "exit status; the log:\n{log}");
    let lower = log.to_lowercase();
    assert!(
        reasons.iter().any(|reason| lower.contains(reason)),
        "no reason out of {reasons:?} in the log:\n{log}"
    );
    assert!(!log.contains("wrong-password"), "the password is logged:\n{log}");
    assert!(!log.contains("panicked"), "a panic is no plain reason:\n{log}");
}

#[test]
fn wrong_credentials_end_the_process_with_a_reason() {
    let topic = "security.wrong";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let config = Config::new(broker, topic, &one_action(topic, "http://127.0.0.1:1/", &[]));
    ends_with_a_reason(&sasl(config, broker, "wrong-password"), &["authentication"]);
}

#[test]
fn credentials_for_a_broker_that_wants_none_end_the_process_with_a_reason() {
    let topic = "security.plain";
    let broker = Broker::shared();
    broker.create_topic(topic, 1, &[]);
    let config = Config::new(broker, topic, &one_action(topic, "http://127.0.0.1:1/", &[]));
    let config = sasl(config, broker, SASL_USER.1).kafka("bootstrap.servers", &broker.bootstrap());
    ends_with_a_reason(&config, &["sasl", "authentication"]);
}

#[test]
fn a_setting_that_librdkafka_refuses_ends_the_process_with_its_name() {
    let broker = Broker::shared();
    let config = Config::new(
        broker,
        "security.unknown",
        &one_action("security.unknown", "http://127.0.0.1:1/", &[]),
    )
    .kafka("security.protocol", "CARRIER_PIGEON");
    let mut hookcast = config.start();
    let status = hookcast.wait_exit();
    let log = hookcast.log();
    // 2 if the configuration is found wrong before it is used.
    assert!(status == 1 || status == 2, "exit status {status}; the log:\n{log}");
    assert!(log.contains("security.protocol"), "the log does not name the setting:\n{log}");
}
