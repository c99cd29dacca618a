//! What is printed for people, and written for machines.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::figures::{FIGURES, Figures, Round, Summary};
use crate::rounds::{MODES, Mode, PER_SECOND};

const COLUMNS: [usize; 9] = [18, 11, 23, 11, 8, 11, 8, 11, 8];

/// All rounds as one table.
pub fn table(rounds: &[[Round; 3]]) -> String {
    let mut text = String::new();
    let heads =
        ["", "hookcast", "min to max", "consumer", "ratio", "client", "ratio", "both", "ratio"];
    line(&mut text, heads);
    for (index, mode) in MODES.iter().enumerate() {
        let Mode { events_per_request } = mode;
        if Row::new(rounds, index, 0).hookcast.is_none() {
            continue;
        }
        let _ = writeln!(text, "\n{events_per_request} per request");
        for (figure, (name, digits)) in FIGURES.iter().enumerate() {
            let row = Row::new(rounds, index, figure);
            let Some(hookcast) = row.hookcast else { continue };
            let number = |number: f64| format!("{number:.digits$}");
            let median =
                |summary: Option<Summary>| summary.map_or("-".to_owned(), |all| number(all.median));
            let ratio = |summary: Option<Summary>| {
                summary.map_or("-".to_owned(), |all| format!("{:.2}x", all.median))
            };
            let [consumer, client, both] = row.floors.map(median);
            let [to_consumer, to_client, to_both] = row.ratios.map(ratio);
            let range = format!("{} to {}", number(hookcast.min), number(hookcast.max));
            let cells = [
                name.to_string(),
                number(hookcast.median),
                range,
                consumer,
                to_consumer,
                client,
                to_client,
                both,
                to_both,
            ];
            line(&mut text, cells.each_ref().map(String::as_str));
        }
    }
    text
}

/// What the numbers of the table mean.
pub fn legend(rounds: usize) -> String {
    format!(
        "Medians of {rounds}; a ratio is hookcast to the floor of the same round, then the median.
consumer: a bare rdkafka consumer reads the topic. client: a bare hyper client posts bodies of
the same size on as many connections, unsigned. both: the sum of their CPU.
Latency: from an event's own timestamp to its request, at {PER_SECOND} events/s; a batch that is
not full waits for company for up to 1 s (batch.max_delay)."
    )
}

/// All rounds, for machines.
pub fn json(rounds: &[[Round; 3]], machine: &Value) -> Value {
    let mut modes = Map::new();
    for (index, mode) in MODES.iter().enumerate() {
        let mut figures = Map::new();
        for (figure, (name, _)) in FIGURES.iter().enumerate() {
            let row = Row::new(rounds, index, figure);
            let [consumer, client, both] = row.floors.map(summary);
            let [to_consumer, to_client, to_both] = row.ratios.map(summary);
            let of = |pick: fn(&Round) -> Figures| {
                let runs = rounds.iter().map(|round| pick(&round[index]).as_array()[figure]);
                runs.collect::<Vec<_>>()
            };
            figures.insert(
                (*name).into(),
                json!({
                    "hookcast": summary(row.hookcast),
                    "consumer": consumer, "client": client, "both": both,
                    "ratio": { "consumer": to_consumer, "client": to_client, "both": to_both },
                    "runs": {
                        "hookcast": of(|round| round.hookcast),
                        "consumer": of(|round| round.consumer),
                        "client": of(|round| round.client),
                    },
                }),
            );
        }
        modes.insert(mode.events_per_request.to_string(), figures.into());
    }
    json!({ "machine": machine, "rounds": rounds.len(), "events_per_request": modes })
}

/// One figure of one mode in all rounds.
struct Row {
    hookcast: Option<Summary>,
    /// Of the consumer, the client, and both together.
    floors: [Option<Summary>; 3],
    ratios: [Option<Summary>; 3],
}

impl Row {
    fn new(rounds: &[[Round; 3]], mode: usize, figure: usize) -> Self {
        let of = |figures: Figures| figures.as_array()[figure];
        let hookcast = |round: &[Round; 3]| of(round[mode].hookcast);
        // Rates do not add up, and neither does memory: only the cost of an event does.
        let is_cost = FIGURES[figure].0.starts_with("CPU");
        let floor = |round: &[Round; 3], which: usize| {
            let (consumer, client) = (of(round[mode].consumer), of(round[mode].client));
            match which {
                0 => consumer,
                1 => client,
                _ => consumer.zip(client).filter(|_| is_cost).map(|(one, other)| one + other),
            }
        };
        let ratio =
            |round, which| hookcast(round).zip(floor(round, which)).map(|(our, its)| our / its);
        Self {
            hookcast: Summary::of(rounds.iter().filter_map(hookcast)),
            floors: [0, 1, 2]
                .map(|which| Summary::of(rounds.iter().filter_map(|round| floor(round, which)))),
            ratios: [0, 1, 2]
                .map(|which| Summary::of(rounds.iter().filter_map(|round| ratio(round, which)))),
        }
    }
}

fn summary(summary: Option<Summary>) -> Value {
    summary.map_or(
        Value::Null,
        |Summary { median, min, max }| json!({ "median": median, "min": min, "max": max }),
    )
}

fn line(text: &mut String, cells: [&str; 9]) {
    let mut line = format!("{:<width$}", cells[0], width = COLUMNS[0]);
    for (cell, width) in cells.iter().zip(COLUMNS).skip(1) {
        let _ = write!(line, "{cell:>width$}");
    }
    let _ = writeln!(text, "{}", line.trim_end());
}
