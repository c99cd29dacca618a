//! The tables of a page, in Markdown: whatever stands between a table's marks is replaced, so that
//! no number is ever copied by hand.

use std::fmt::Write as _;

use serde_json::Value;

use crate::measured::{CPU_US, EVENTS_PER_SECOND, PEAK_MIB, RATIO};
use crate::pictures::{MODES, text};
use crate::plot::number;

/// What stands for a figure that was not measured.
const NOTHING: &str = "–";

/// Every table that the figures are enough for, by its name.
pub fn tables(
    growth: &Value,
    end_to_end: Option<&Value>,
    outages: Option<&Value>,
) -> Vec<(String, String)> {
    let mut tables = vec![("machine".to_owned(), machine(growth))];
    for dimension in list(&growth["dimensions"]) {
        tables.push((text(&dimension["name"]).to_owned(), of_dimension(dimension)));
    }
    if !list(&growth["rest"]).is_empty() {
        tables.push(("rest".to_owned(), rest(growth, end_to_end)));
    }
    if let Some(end_to_end) = end_to_end {
        tables.push(("modes".to_owned(), modes(end_to_end)));
    }
    if let Some(outages) = outages {
        tables.push(("outages".to_owned(), of_outages(outages)));
    }
    tables
}

/// The page with these tables in the place of those that it has.
pub fn renew(page: &str, tables: &[(String, String)]) -> String {
    let mut page = page.to_owned();
    for (name, table) in tables {
        let (begin, end) = (format!("<!-- figures: {name} -->\n"), "<!-- end of figures -->");
        let Some(from) = page.find(&begin).map(|at| at + begin.len()) else {
            panic!("the page has no place for {name}: {begin}");
        };
        let length = page[from..].find(end).unwrap_or_else(|| panic!("{begin} has no end: {end}"));
        page.replace_range(from..from + length, &format!("\n{table}\n"));
    }
    page
}

fn machine(growth: &Value) -> String {
    let machine = &growth["machine"];
    let of = |name: &str| match &machine[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut line = format!(
        "{}, {} cores, Linux {}; load before the first run: {}.",
        of("cpu"),
        of("cores"),
        of("kernel"),
        of("load before")
    );
    if growth["is quick"] == Value::Bool(true) {
        line.push_str(" **A smoke run (`--quick`): these numbers mean little.**");
    }
    line + "\n"
}

fn of_dimension(dimension: &Value) -> String {
    let is_size = dimension["name"] == "event-size";
    let mut head =
        vec![text(&dimension["unit"]), "events/s", "CPU-µs per event", "ratio", "peak MiB"];
    if is_size {
        head.push("ns per byte");
    }
    let mut table = String::new();
    for (mode, name) in MODES {
        let points = list(&dimension["points"]);
        let points = points.iter().filter(|point| point["modes"][mode].is_object());
        let rows = points.map(|point| {
            let figures = &point["modes"][mode];
            let figure = |name: &str| figures[name].as_f64().map_or(NOTHING.to_owned(), number);
            let ratio = figures[RATIO].as_f64();
            let ratio = ratio.map_or(NOTHING.to_owned(), |ratio| format!("{ratio:.2}"));
            let mut row = vec![number(point["value"].as_f64().unwrap_or_default())];
            row.extend([EVENTS_PER_SECOND, CPU_US].map(figure));
            row.extend([ratio, figure(PEAK_MIB)]);
            if let Some(cpu) = figures[CPU_US].as_f64().filter(|_| is_size) {
                row.push(number(cpu * 1000.0 / point["value"].as_f64().unwrap_or(1.0)));
            }
            row
        });
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            let _ = writeln!(table, "{name}:\n\n{}", markdown(&head, &rows));
        }
    }
    table.trim_end().to_owned() + "\n"
}

/// What the other benchmark has measured of the same belongs here.
fn rest(growth: &Value, end_to_end: Option<&Value>) -> String {
    let row = |name: &str, value: f64, aim: Option<f64>| {
        let aim = aim.map_or(NOTHING.to_owned(), |aim| format!("< {}", number(aim)));
        vec![name.to_owned(), format!("{value:.2}"), aim]
    };
    let figures = list(&growth["rest"]).iter();
    let figures = figures.filter_map(|figure| {
        Some(row(text(&figure["name"]), figure["value"].as_f64()?, figure["aim"].as_f64()))
    });
    let mut rows: Vec<_> = figures.collect();
    let of = |mode: &str, figure: &str| {
        end_to_end?["events_per_request"][mode][figure]["hookcast"]["median"].as_f64()
    };
    for (name, mode, figure, aim) in [
        (
            "peak memory at full speed with 8 partitions, 1000 per request, MiB",
            "1000",
            PEAK_MIB,
            100.0,
        ),
        ("peak memory at full speed with 8 partitions, 1 per request, MiB", "1", PEAK_MIB, 100.0),
        ("p50 from produce to request, 1,000 single events/s, ms", "1", "latency p50, ms", 10.0),
        ("p99 from produce to request, 1,000 single events/s, ms", "1", "latency p99, ms", 10.0),
    ] {
        rows.extend(of(mode, figure).map(|value| row(name, value, Some(aim))));
    }
    markdown(&["", "measured", "aim"], &rows)
}

fn modes(end_to_end: &Value) -> String {
    let mut rows = Vec::new();
    for (mode, figures) in end_to_end["events_per_request"].as_object().into_iter().flatten() {
        for (name, figure) in figures.as_object().into_iter().flatten() {
            let of = |of: &Value| of["median"].as_f64().map_or(NOTHING.to_owned(), number);
            let range = [&figure["hookcast"]["min"], &figure["hookcast"]["max"]];
            let range = range.map(|value| value.as_f64().map_or(NOTHING.to_owned(), number));
            if figure["hookcast"]["median"].is_null() {
                continue;
            }
            rows.push(vec![
                mode.clone(),
                name.clone(),
                format!("**{}**", of(&figure["hookcast"])),
                range.join(" to "),
                of(&figure["consumer"]),
                of(&figure["client"]),
                of(&figure["both"]),
            ]);
        }
    }
    let head = ["per request", "", "Hookcast", "min to max", "consumer", "client", "both"];
    markdown(&head, &rows)
}

fn of_outages(outages: &Value) -> String {
    let figures = outages["figures"].as_object().into_iter().flatten();
    let rows = figures.filter_map(|(name, figure)| {
        let (group, name) = name.split_once(": ")?;
        Some(vec![group.to_owned(), name.to_owned(), number(figure["median"].as_f64()?)])
    });
    markdown(&["", "", "measured"], &rows.collect::<Vec<_>>())
}

/// Words to the left, numbers to the right.
fn markdown(head: &[&str], rows: &[Vec<String>]) -> String {
    let is_number = |column: usize| {
        let starts_so =
            |cell: &String| cell.trim_matches('*').starts_with(|it: char| it.is_ascii_digit());
        rows.iter().any(|row| starts_so(&row[column]))
    };
    let line = |cells: &[&str]| format!("| {} |\n", cells.join(" | "));
    let rule = |column| if is_number(column) { "--:" } else { "---" };
    let mut table = line(head) + &line(&(0..head.len()).map(rule).collect::<Vec<_>>());
    for row in rows {
        table += &line(&row.iter().map(String::as_str).collect::<Vec<_>>());
    }
    table
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
