//! What is drawn of what was measured.

use std::path::Path;

use serde_json::Value;

use crate::measured::CPU_US;
use crate::plot::{self, Bars, Line};
use crate::write;

/// The modes, by the names under which figures are filed.
pub const MODES: [(&str, &str); 2] = [("1000", "1000 per request"), ("1", "1 per request")];

/// A chart for every dimension, and one that compares with the floors of `make bench`.
pub fn draw(growth: &Value, end_to_end: Option<&Value>, folder: &Path) {
    let made = std::fs::create_dir_all(folder);
    made.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for dimension in growth["dimensions"].as_array().into_iter().flatten() {
        let (name, unit) = (text(&dimension["name"]), text(&dimension["unit"]));
        let title = format!("Cost of a delivered event: {}", name.replace('-', " "));
        let svg = plot::lines(&title, unit, CPU_US, &lines(dimension));
        write(&folder.join(format!("{name}.svg")), &svg);
    }
    if let Some(end_to_end) = end_to_end {
        let groups = MODES.map(|(mode, name)| {
            let figures = &end_to_end["events_per_request"][mode][CPU_US];
            let bar = |name: &str, who: &str| {
                figures[who]["median"].as_f64().map(|value| (name.to_owned(), value))
            };
            let bars = [
                bar("bare consumer", "consumer"),
                bar("bare client", "client"),
                bar("both together", "both"),
                bar("Hookcast", "hookcast"),
            ];
            Bars { name: name.to_owned(), bars: bars.into_iter().flatten().collect() }
        });
        let svg = plot::bars("Hookcast and its floors", CPU_US, &groups);
        write(&folder.join("floors.svg"), &svg);
    }
}

fn lines(dimension: &Value) -> Vec<Line> {
    let points = dimension["points"].as_array();
    let line = |(mode, name): (&str, &str)| {
        let point = |point: &Value| {
            Some((point["value"].as_f64()?, point["modes"][mode][CPU_US].as_f64()?))
        };
        let points: Vec<_> = points.into_iter().flatten().filter_map(point).collect();
        (!points.is_empty()).then(|| Line { name: name.to_owned(), points })
    };
    MODES.into_iter().filter_map(line).collect()
}

/// A text that was written by this benchmark.
pub fn text(value: &Value) -> &str {
    value.as_str().expect("the file was written by this benchmark")
}
