//! What an event costs inside one thread, part by part: `make bench-micro`.
//!
//! Nanoseconds for one event of the other benchmark (714 bytes), or for what the row says: medians
//! of rounds in which everything is measured in turns, 50 ms each. A ratio is to the first row of
//! the same table, in the same round, and then the median: on a machine that is shared the ratios
//! say more than the numbers. It needs neither Kafka nor a network.
#![expect(clippy::cast_precision_loss, reason = "what is measured is far below 2^52")]

mod cases;
#[path = "../end_to_end/events.rs"]
#[expect(dead_code, reason = "the other benchmark looks into bodies too")]
mod events;
#[path = "../end_to_end/figures.rs"]
#[expect(dead_code, reason = "the other benchmark measures more")]
mod figures;
#[path = "../end_to_end/machine.rs"]
mod machine;
mod measure;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Measures what the parts of an event's way cost.
#[derive(Parser)]
struct Arguments {
    /// How often everything is measured.
    #[arg(long, default_value_t = 21)]
    runs: usize,
    /// Everything once and little of it: a smoke test whose numbers mean little.
    #[arg(long)]
    quick: bool,
    /// Only what has this in its name or its group's.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Writes all figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Cargo says that this is a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    let (rounds, duration) = if arguments.quick { (1, 1) } else { (arguments.runs.max(1), 50) };
    let machine = machine::machine();
    eprintln!("{machine}");
    let mut cases = cases::all();
    if let Some(text) = &arguments.only {
        cases.retain(|case| case.name.contains(text) || case.group.contains(text));
    }
    let measured = measure::measure(&mut cases, rounds, Duration::from_millis(duration));
    let rows = table::rows(&cases, &measured);
    println!("{}\n{}", table::table(&rows), table::LEGEND);
    if let Some(file) = arguments.json {
        let json = table::json(&rows, rounds, &machine);
        let written = std::fs::write(&file, format!("{json:#}\n"));
        written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}
