//! Everything that is measured, as JSON: whatever is shown is made of that.

use serde_json::{Map, Value, json};

use crate::Arguments;
use crate::dimensions::{DIMENSIONS, Dimension};
use crate::runs::{Bench, Figures};
use crate::{machine, rest};

/// The names of the figures of a run.
pub const EVENTS_PER_SECOND: &str = "events/s";
pub const CPU_US: &str = "CPU-µs per event";
pub const PEAK_MIB: &str = "peak memory, MiB";
/// CPU by that of the base case in the same dimension.
pub const RATIO: &str = "ratio";

/// Measures it.
pub fn everything(arguments: &Arguments) -> Value {
    let machine = machine::machine();
    eprintln!("{machine}\nstarting Kafka");
    let mut bench = Bench::start();
    let is_wanted = |name| arguments.only.as_ref().is_none_or(|only| only == name);
    let dimensions = DIMENSIONS.iter().filter(|dimension| is_wanted(dimension.name));
    let dimensions: Vec<_> =
        dimensions.map(|dimension| measure(&mut bench, dimension, arguments)).collect();
    let rest = if is_wanted("rest") {
        eprintln!("rest");
        rest::measure(&mut bench, arguments.quick)
    } else {
        Vec::new()
    };
    assert!(!dimensions.is_empty() || !rest.is_empty(), "there is no such dimension");
    json!({
        "machine": machine,
        "runs": arguments.runs,
        "is quick": arguments.quick,
        "dimensions": dimensions,
        "rest": rest,
    })
}

fn measure(bench: &mut Bench, dimension: &Dimension, arguments: &Arguments) -> Value {
    let Dimension { name, unit, values, modes, .. } = dimension;
    let is_wanted = |value: &&usize| arguments.value.is_none_or(|only| only == **value);
    let mut points = Vec::new();
    for &value in values.iter().filter(is_wanted) {
        let mut by_mode = Map::new();
        for &mode in *modes {
            let (case, shape) =
                (dimension.case(value), dimension.shape(value, mode, arguments.quick));
            let runs = (0..arguments.runs.max(1)).map(|_| bench.run(case, mode, shape));
            let runs: Vec<_> = runs.collect();
            let of = |pick: fn(&Figures) -> f64| median(runs.iter().map(pick).collect());
            let (speed, cpu) = (of(|run| run.events_per_second), of(|run| run.cpu_us));
            let peak = of(|run| run.peak_mib);
            eprintln!(
                "{name} {value}, {} per request: {speed:.0} events/s, {cpu:.2} CPU-µs, {peak:.0} MiB",
                mode.name()
            );
            let figures = json!({
                "events": shape.events * case.fan_out,
                EVENTS_PER_SECOND: speed,
                CPU_US: cpu,
                PEAK_MIB: peak,
            });
            by_mode.insert(mode.name().into(), figures);
        }
        points.push((value, by_mode));
    }
    let base = points.iter().find(|(value, _)| *value == dimension.base());
    let base = base.map(|(_, by_mode)| by_mode.clone()).unwrap_or_default();
    for (mode, figures) in points.iter_mut().flat_map(|(_, by_mode)| by_mode.iter_mut()) {
        let cpu_of = |figures: &Value| figures[CPU_US].as_f64();
        let ratio = base.get(mode).and_then(cpu_of).zip(cpu_of(figures));
        figures[RATIO] = json!(ratio.map(|(base, cpu)| cpu / base));
    }
    let points = points.into_iter();
    let points = points.map(|(value, modes)| json!({ "value": value, "modes": modes }));
    json!({
        "name": name,
        "unit": unit,
        "base": dimension.base(),
        "points": points.collect::<Vec<_>>(),
    })
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len().is_multiple_of(2) {
        f64::midpoint(numbers[middle - 1], numbers[middle])
    } else {
        numbers[middle]
    }
}
