//! What moving an event costs, from outside: `make bench`.
//!
//! A real Kafka with full topics of 8 partitions and 714-byte events with keys; the release binary
//! with one destination that signs, one action with a trigger on `type` and `event`, metrics on;
//! and a receiver of one thread that ticks off every event by its number, so that a run in which
//! one was lost or sent twice fails. All share one machine. Measured are, for 1000, 100 and 1
//! events per request:
//!
//! - events/s: all events of the topic by the time from the first request to the last, at the
//!   receiver. Every run is a new group, and reads from the beginning.
//! - CPU-µs per event: what the process has used of all cores in that time, its own time and the
//!   kernel's for it, from `/proc/PID/stat`.
//! - peak memory: `VmHWM` at the end of that time.
//! - latency: from the moment that an event was made, which it carries in itself, to its request,
//!   while events come at a steady pace. A batch that is not full waits for company.
//!
//! Each figure stands beside its floors, measured in the same round: a bare consumer that reads
//! the same topic, and a bare client that posts bodies of the same size on as many connections.
//! On a machine that is shared the ratios say more than the numbers.
#![expect(clippy::cast_precision_loss, reason = "what is measured is far below 2^52")]

mod events;
mod figures;
mod floors;
#[path = "../../tests/kafka/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the scenarios use the rest of it")]
mod harness;
mod load;
mod machine;
mod profile;
mod receiver;
mod rounds;
mod table;
mod usage;

use std::path::PathBuf;

use clap::Parser;

use crate::floors::Floor;
use crate::rounds::{Bench, Size};

/// Measures what moving an event costs, beside the least that it could.
#[derive(Parser)]
struct Arguments {
    /// How often everything is measured.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Everything once and little of it: a smoke test whose numbers mean little.
    #[arg(long)]
    quick: bool,
    /// One mode alone, to profile it or to compare two binaries.
    #[arg(long, value_name = "EVENTS_PER_REQUEST")]
    only: Option<usize>,
    /// Writes all figures of all runs to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Has perf record Hookcast at full speed into this file; for one mode, see `--only`.
    #[arg(long, value_name = "FILE", requires = "only")]
    profile: Option<PathBuf>,
    /// Cargo says that this is a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    floor: Option<Floor>,
}

fn main() {
    let arguments = Arguments::parse();
    if let Some(floor) = arguments.floor {
        floor.run();
        return;
    }
    let (size, runs) =
        if arguments.quick { (Size::QUICK, 1) } else { (Size::FULL, arguments.runs.max(1)) };
    let machine = machine::machine();
    eprintln!("{machine}\nstarting Kafka and filling topics");
    let mut bench = Bench::start(size, arguments.only, arguments.profile);
    let mut rounds = Vec::new();
    for round in 1..=runs {
        eprintln!("round {round} of {runs}");
        rounds.push(bench.round());
    }
    println!("{}\n{}", table::table(&rounds), table::legend(runs));
    if let Some(file) = arguments.json {
        let json = table::json(&rounds, &machine);
        let written = std::fs::write(&file, format!("{json:#}\n"));
        written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}
