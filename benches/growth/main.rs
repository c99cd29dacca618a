//! Whether the cost of an event stays where it is while everything around it grows:
//! `make bench-growth`.
//!
//! A real Kafka and the release binary, as in `make bench`; one dimension grows at a time, around a
//! case that all dimensions have in common: 8 partitions, 1 action, 1,000 keys, 714-byte events, an
//! endpoint that answers at once, one member. Every run is a new group that reads a full topic from
//! its beginning, and fails if an event is lost or comes twice to an action. Measured are, for up to
//! 1000 events per request and for one:
//!
//! - events/s: delivered events by the time from the first request until 95 % of all have come, at
//!   the receiver. What is left then may be batches that wait for company that does not come.
//! - CPU-µs per event: what the processes have used of all cores in that time, by delivered event.
//! - peak memory: `VmHWM` at the end, of all processes together.
//!
//! And what it costs to be there: CPU while nothing happens, and the time until it is ready.
//!
//! Everything that is shown is made of the JSON that is written: charts (`--plots`), and the tables of
//! a page (`--page`), also of a file that is there already (`--from`).
#![expect(clippy::cast_precision_loss, reason = "what is measured is far below 2^52")]

mod cpu;
mod dimensions;
#[path = "../end_to_end/events.rs"]
#[expect(dead_code, reason = "the other benchmark uses the rest of it")]
mod events;
#[path = "../../tests/kafka/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the scenarios use the rest of it")]
mod harness;
#[path = "../end_to_end/load.rs"]
#[expect(dead_code, reason = "the other benchmark uses the rest of it")]
mod load;
#[path = "../end_to_end/machine.rs"]
mod machine;
mod measured;
mod page;
mod pictures;
mod plot;
mod receiver;
mod rest;
mod runs;
mod sized;
#[path = "../end_to_end/usage.rs"]
#[expect(dead_code, reason = "the other benchmark uses the rest of it")]
mod usage;

use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::Value;

/// Measures what an event costs while everything around it grows.
#[derive(Parser)]
struct Arguments {
    /// How often everything is measured; the medians count.
    #[arg(long, default_value_t = 1)]
    runs: usize,
    /// Little of everything: a smoke test whose numbers mean little.
    #[arg(long)]
    quick: bool,
    /// One dimension alone, or `rest`.
    #[arg(long, value_name = "DIMENSION")]
    only: Option<String>,
    /// One value of it alone.
    #[arg(long, value_name = "NUMBER")]
    value: Option<usize>,
    /// Writes all figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measures nothing, and takes the figures of this file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "only", "quick", "runs", "value"])]
    from: Option<PathBuf>,
    /// The figures of the benchmark `end_to_end`, to show beside these.
    #[arg(long, value_name = "FILE")]
    end_to_end: Option<PathBuf>,
    /// The figures of the benchmark `outages`, to show beside these.
    #[arg(long, value_name = "FILE")]
    outages: Option<PathBuf>,
    /// Draws charts into this folder.
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
    /// Renews the tables of this page.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Cargo says that this is a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    let growth = arguments.from.as_deref().map_or_else(|| measured::everything(&arguments), read);
    if let Some(file) = &arguments.json {
        write(file, &format!("{growth:#}\n"));
    }
    let end_to_end = arguments.end_to_end.as_deref().map(read);
    let outages = arguments.outages.as_deref().map(read);
    if let Some(folder) = &arguments.plots {
        pictures::draw(&growth, end_to_end.as_ref(), folder);
    }
    let tables = page::tables(&growth, end_to_end.as_ref(), outages.as_ref());
    match &arguments.page {
        Some(page) => write(page, &page::renew(&text(page), &tables)),
        None => tables.iter().for_each(|(name, table)| println!("{name}\n\n{table}")),
    }
}

fn read(file: &Path) -> Value {
    let value = serde_json::from_str(&text(file));
    value.unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn text(file: &Path) -> String {
    let text = std::fs::read_to_string(file);
    text.unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn write(file: &Path, text: &str) {
    let written = std::fs::write(file, text);
    written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}
