//! What an outage costs, from outside: `make bench-outages`.
//!
//! A real Kafka with topics of 8 partitions and 714-byte events with keys; the binary with one
//! action, `fine`, and mostly a second one, `ill`, on the same partitions, whose endpoint hangs,
//! refuses or throttles from the first event on, until `fine` has everything. All figures that
//! compare do so within one round. Measured are, for batches of 1000 and for single events:
//!
//! - what is left of the throughput of `fine` beside `ill`, saturated (a full topic is read from
//!   its beginning) and at half of what it reached alone;
//! - the peak of memory until `fine` has everything and `ill` nothing, beside that of `fine` alone;
//! - from the moment the endpoint of `ill` accepts until its lanes are level, and how often the log
//!   was read again for that, in lengths of the log; inversions and repeats on both;
//! - what is sent again after SIGKILL, alone and beside an action that hangs from its first event;
//! - requests until one and ten poisonous events of a thousand are found, by status.
#![expect(clippy::cast_precision_loss, reason = "what is measured is far below 2^52")]

#[path = "../end_to_end/events.rs"]
#[expect(dead_code, reason = "the other benchmark uses the rest of it")]
mod events;
#[path = "../../tests/kafka/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the scenarios use the rest of it")]
mod harness;
#[path = "../end_to_end/load.rs"]
mod load;
#[path = "../end_to_end/machine.rs"]
mod machine;
mod receiver;
mod runs;
mod table;

use std::path::PathBuf;

use clap::Parser;

use crate::runs::{Bench, Size};

/// Measures what an outage of one endpoint costs the others, and itself.
#[derive(Parser)]
struct Arguments {
    /// How often everything is measured.
    #[arg(long, default_value_t = 1)]
    runs: usize,
    /// Little of everything: a smoke test whose numbers mean little.
    #[arg(long)]
    quick: bool,
    /// Only the figures whose name begins so.
    #[arg(long, value_name = "PREFIX", default_value = "")]
    only: String,
    /// Writes all figures of all runs to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Cargo says that this is a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    let size = if arguments.quick { Size::QUICK } else { Size::FULL };
    let machine = machine::machine();
    eprintln!("{machine}\nstarting Kafka and filling topics");
    let mut bench = Bench::start(size, arguments.only);
    let mut rounds = Vec::new();
    for round in 1..=arguments.runs.max(1) {
        eprintln!("round {round} of {}", arguments.runs.max(1));
        rounds.push(bench.round());
    }
    print!("{}", table::table(&rounds));
    if let Some(file) = arguments.json {
        let json = table::json(&rounds, &machine);
        let written = std::fs::write(&file, format!("{json:#}\n"));
        written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}
