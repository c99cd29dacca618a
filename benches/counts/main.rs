//! What an event takes on its way through the pure half, in numbers that know no noise:
//! `make counts`.
//!
//! Allocations and bytes are counted by an allocator of this program, instructions by callgrind.
//! Both do something with N events and then with 2N: the difference is free of what a start takes.
//! The figures stand in `counts.txt` beside this file, so that a change of the code shows what it
//! costs. They depend on the compiler, which is pinned, and a little on the C library and what
//! the processor can do: `memcpy` and searching for a byte are written for each of them.
#![expect(clippy::cast_precision_loss, reason = "what is counted is far below 2^52")]

mod allocator;
mod callgrind;
mod cases;
#[path = "../end_to_end/events.rs"]
#[expect(dead_code, reason = "the other benchmark looks into bodies too")]
mod events;
mod figures;
mod partition;

use std::fs;
use std::process::ExitCode;

use clap::Parser;

use crate::allocator::{Allocated, allocated_by};
use crate::callgrind::Instructions;
use crate::cases::Case;
use crate::figures::{Change, Row};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/counts/counts.txt");

/// Counts what an event takes, and writes it down.
#[derive(Parser)]
struct Arguments {
    /// Fails where something takes more than is written down, and writes nothing.
    #[arg(long)]
    check: bool,
    /// Does what is counted, and nothing else: a case and a number of events.
    #[arg(long, hide = true, num_args = 2)]
    run: Option<Vec<String>>,
    /// Cargo says that this is a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some([name, events]) = arguments.run.as_deref() {
        run(name, events);
        return ExitCode::SUCCESS;
    }
    let counted_by = format!("{} on {}", callgrind::version(), std::env::consts::ARCH);
    let mut rows: Vec<_> = cases::ALL.iter().map(count).collect();
    let before = fs::read_to_string(FILE).unwrap_or_default();
    let known = figures::rows(&before);
    let changes = figures::settle(&known, &mut rows);
    let text = figures::text(&rows, &counted_by);
    print!("{text}");
    if !arguments.check {
        say("Other than before", changes.iter());
        fs::write(FILE, text).unwrap_or_else(|error| panic!("{FILE}: {error}"));
        return ExitCode::SUCCESS;
    }
    if !before.contains(&counted_by) {
        println!("\n{FILE} was counted by something else than {counted_by}.");
    }
    let is_same = known.iter().map(|row| &row.name).eq(rows.iter().map(|row| &row.name));
    if !is_same {
        println!("\n{FILE} has other cases: run `make counts`.");
    }
    say("More than is written down", changes.iter().filter(|change| change.is_worse()));
    if is_same && !changes.iter().any(Change::is_worse) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run(name: &str, events: &str) {
    let case = cases::ALL.iter().find(|case| case.name == name).expect("a case");
    (case.run)(events.parse().expect("a number of events"));
}

/// What an event takes: of twice as many, those that come in addition.
fn count(case: &Case) -> Row {
    let Case { name, events, run } = *case;
    eprintln!("{name}");
    // What is made once in a process is made now.
    run(0);
    let [once, twice] = [events, 2 * events].map(|events| {
        let Allocated { times, bytes } = allocated_by(|| run(events));
        let Instructions { others, sha1 } = callgrind::count(&["--run", name, &events.to_string()]);
        [times, bytes, others, sha1]
    });
    let each = |index: usize| (twice[index] as f64 - once[index] as f64) / events as f64;
    Row { name: name.to_owned(), figures: [0, 1, 2, 3].map(each) }
}

fn say<'c>(what: &str, changes: impl Iterator<Item = &'c Change>) {
    let changes: Vec<_> = changes.map(|change| format!("\n  {change}")).collect();
    if !changes.is_empty() {
        println!("\n{what}:{}", changes.concat());
    }
}
