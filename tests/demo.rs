//! `hookcast demo` as it is called: it needs nothing but itself, loses nothing, and can be read.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

fn hookcast(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookcast"));
    command.arg("demo").args(arguments).env_remove("RUST_LOG").env_remove("HOOKCAST_CONFIG");
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the output is UTF-8")
}

/// Runs it to its end, and expects that to be a good one.
fn shown(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = hookcast(arguments).output().expect("it starts");
    let (shown, said) = (text(&stdout), text(&stderr));
    assert_eq!(status.code(), Some(0), "{shown}{said}");
    assert_eq!(said, "");
    shown.to_owned()
}

/// The number in the row of the closing table with this name.
fn row(shown: &str, name: &str) -> u64 {
    let number = shown.lines().find_map(|line| {
        let (label, rest) = line.split_once(": ")?;
        (label.trim() == name).then(|| rest.split_whitespace().next())?
    });
    let number = number.unwrap_or_else(|| panic!("no row `{name}`:\n{shown}"));
    number.replace(',', "").parse().expect("a number")
}

#[test]
fn nothing_is_lost_and_a_pipe_gets_readable_lines() {
    let shown = shown(&["--events", "500"]);
    assert!(shown.contains("lost: 0"), "{shown}");
    assert!(shown.contains(" of 500 events, "), "{shown}");
    assert_eq!(row(&shown, "events"), 500);
    assert_eq!(row(&shown, "duplicates"), 0);
    assert_eq!(row(&shown, "verified signatures"), row(&shown, "requests"));
    assert!((1..100).contains(&row(&shown, "batches")), "{shown}");
    assert!(shown.chars().all(|character| character == '\n' || !character.is_control()));
}

#[test]
fn refused_requests_are_made_again() {
    let shown = shown(&["--events", "1000", "--failures", "30%"]);
    assert!(shown.contains("lost: 0"), "{shown}");
    assert!(row(&shown, "retries") > 20, "{shown}");
    assert!(row(&shown, "requests") > row(&shown, "retries") + 200, "{shown}");
}

#[test]
fn ctrl_c_ends_it_with_the_table_of_what_has_happened() {
    let mut demo = Running::start(&["--events", "1000000"]);
    demo.read_until(|line| line.contains("events/s") && !line.contains(" 0 of"));
    let rest = demo.interrupt();
    assert!(rest.contains("lost: 0"), "{rest}");
    assert!((1..1_000_000).contains(&row(&rest, "events")), "{rest}");
}

#[test]
fn an_early_ctrl_c_is_no_failure_either() {
    let mut demo = Running::start(&[]);
    demo.read_until(|line| line.contains("Joining"));
    let rest = demo.interrupt();
    assert!(rest.contains("lost: 0"), "{rest}");
}

#[test]
fn with_keep_it_can_be_looked_at_afterwards() {
    let mut demo = Running::start(&["--events", "100", "--keep"]);
    demo.read_until(|line| line.contains("Still up"));
    let receiver = demo.read_until(|line| line.contains("receiver "));
    let metrics = demo.read_until(|line| line.contains("metrics "));
    assert!(get(&metrics).contains("hookcast_events_delivered_total{"));
    assert!(get(&receiver).contains("100 events in "));
    demo.interrupt();
}

#[test]
fn numbers_that_make_no_sense_are_usage_errors() {
    for (arguments, complaint) in [
        (["--events", "0"], "'--events <N>'"),
        (["--events", "many"], "'--events <N>'"),
        (["--failures", "101%"], "a whole percentage from 0% to 100%"),
    ] {
        let output = hookcast(&arguments).output().expect("it starts");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(complaint), "{}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "");
    }
}

/// What answers a GET of the URL in a line.
fn get(line: &str) -> String {
    let url = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
    let url = url.unwrap_or_else(|| panic!("no URL: {line}")).trim_end_matches(',');
    let (address, path) = url.split_once('/').unwrap_or((url, ""));
    let mut connection = TcpStream::connect(address).expect("somebody listens");
    write!(connection, "GET /{path} HTTP/1.0\r\nHost: localhost\r\n\r\n").expect("it is read");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("it answers");
    answer
}

/// A demo that is running. Killed on drop.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut command = hookcast(arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Self { child, stdout }
    }

    /// Reads up to a line, which comes back.
    #[track_caller]
    fn read_until(&mut self, is_wanted: impl Fn(&str) -> bool) -> String {
        let mut read = String::new();
        loop {
            let start = read.len();
            let length = self.stdout.read_line(&mut read).expect("stdout can be read");
            assert!(length > 0, "it ended:\n{read}");
            if is_wanted(&read[start..]) {
                return read.split_off(start);
            }
        }
    }

    /// Ctrl-C, and what it says from then on. Expects it to end well.
    #[track_caller]
    fn interrupt(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it is running");
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("stdout can be read");
        assert_eq!(self.child.wait().expect("it ends").code(), Some(0), "{rest}");
        rest
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already when everything went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
