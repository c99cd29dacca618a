//! How many instructions something takes: this program, started once more under callgrind, which
//! counts every one of them and knows no noise.
//!
//! It simulates a processor without instructions for SHA, so what SHA-1 takes is that of the
//! portable code, several times what it takes in reality. It is told apart from the rest: it would
//! hide what happens there.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};

/// The functions that digest blocks, by what their names have in common.
const SHA1: &str = "sha1::compress";
const NEEDED: &str = "valgrind is needed to count instructions: apt-get install --yes valgrind";

/// Instructions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Instructions {
    /// All but those of `sha1`.
    pub others: u64,
    /// Those that digest blocks by SHA-1.
    pub sha1: u64,
}

/// Which valgrind there is.
///
/// # Panics
/// When there is none. The message says how to get one.
pub fn version() -> String {
    let output = Command::new("valgrind").arg("--version").output();
    let output = output.unwrap_or_else(|error| panic!("{error}; {NEEDED}"));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// What this program takes when it is started with `arguments`.
pub fn count(arguments: &[&str]) -> Instructions {
    let program = std::env::current_exe().expect("a program knows itself");
    let file = std::env::temp_dir().join(format!("hookcast-counts-{}", std::process::id()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-line=no"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args(arguments)
        .stdout(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{error}; {NEEDED}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?} under valgrind: {}\n{said}", output.status);
    let profile = fs::read_to_string(&file);
    let profile = profile.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    fs::remove_file(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    instructions(&profile)
}

/// Adds up a profile. `fn=(1) name` begins a function, `fn=(1)` does so again; then a line for what
/// it takes itself, and after each `calls=` one for what those take that it calls.
fn instructions(profile: &str) -> Instructions {
    let mut names = HashMap::new();
    let (mut is_sha1, mut is_call) = (false, false);
    let mut instructions = Instructions::default();
    for line in profile.lines() {
        if let Some(function) = line.strip_prefix("fn=").or(line.strip_prefix("cfn=")) {
            let (number, name) = function.split_once(' ').unwrap_or((function, ""));
            let known = names.entry(number).or_insert(name.contains(SHA1));
            if line.starts_with("fn=") {
                is_sha1 = *known;
            }
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if let Some(totals) = line.strip_prefix("totals: ") {
            let Instructions { others, sha1 } = instructions;
            let sum = (others + sha1).to_string();
            assert_eq!(sum, totals, "the profile is not read as it is meant");
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let cost = line.split_ascii_whitespace().nth(1).and_then(|cost| cost.parse().ok());
            let cost: u64 = cost.unwrap_or_else(|| panic!("a line of costs, and not {line:?}"));
            if !std::mem::take(&mut is_call) {
                *(if is_sha1 { &mut instructions.sha1 } else { &mut instructions.others }) += cost;
            }
        }
    }
    instructions
}
