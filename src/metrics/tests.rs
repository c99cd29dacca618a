use std::env::VarError;

use super::Metrics;
use crate::config::Config;
use crate::plan::ActionId;

#[test]
fn events_count_alike_however_many_are_delivered_together() {
    let text = r"
kafka: { bootstrap.servers: 'unused:1', group.id: g }
sources: { one: { topics: [t] } }
destinations: { d: { actions: { a: { trigger: x, url: 'https://example.com' } } } }
";
    let variable = |_: &str| Err(VarError::NotPresent);
    let config = Config::parse("plan.yaml", text, "".as_ref(), &variable);
    let plan = config.unwrap_or_else(|errors| panic!("{errors}")).plan;
    let unix_ms = 1_700_000_000_000;
    let behind = [0, 5, 6, 1_000, 90_000, 10_000_000, -3_000];
    let timestamps: Vec<_> =
        behind.iter().map(|ms| Some(unix_ms - ms)).chain([None, None]).collect();
    let told = |together: usize| {
        let metrics = Metrics::new(&plan);
        for some in timestamps.chunks(together) {
            metrics.action(ActionId(0)).events_delivered(some.iter().copied(), unix_ms);
        }
        String::from_utf8(metrics.encode()).expect("it is text")
    };
    let one_by_one = told(1);
    let action = r#"{action="a",destination="d""#;
    for (name, label, value) in [
        ("events_delivered_total", "", "9"),
        ("delivery_latency_seconds_count", "", "7"),
        ("delivery_latency_seconds_sum", "", "10091.011"),
        ("delivery_latency_seconds_bucket", r#",le="0.005""#, "3"),
        ("delivery_latency_seconds_bucket", r#",le="0.01""#, "4"),
    ] {
        let line = format!("hookcast_{name}{action}{label}}} {value}\n");
        assert!(one_by_one.contains(&line), "{line} is not in:\n{one_by_one}");
    }
    for together in [2, 4, 9] {
        assert_eq!(told(together), one_by_one);
    }
}
