//! Where the time of a run goes, as perf sees it: samples of the process with their stacks.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Samples a second. Not a round number, so that nothing that happens as often is always met.
const FREQUENCY: &str = "499";
/// Stacks are unwound from a copy of so many bytes: the binary keeps no frame pointers.
const STACKS: &str = "dwarf,32768";

/// A recording that goes on.
pub struct Recording(Child);

impl Recording {
    /// Records the process into `file`.
    pub fn start(process: Pid, file: &Path) -> Self {
        let mut command = Command::new("perf");
        command.args([
            "record",
            "--event",
            "cpu-clock",
            "--freq",
            FREQUENCY,
            "--call-graph",
            STACKS,
        ]);
        command.args(["--pid", &process.as_raw_nonzero().to_string(), "--output"]).arg(file);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn();
        Self(child.unwrap_or_else(|error| panic!("perf (Debian's linux-perf): {error}")))
    }

    /// Ends it, and waits until the file is complete.
    pub fn stop(mut self) {
        kill_process(Pid::from_child(&self.0), Signal::INT).expect("perf is our child");
        let status = self.0.wait().expect("perf is our child");
        // It ends as whoever was interrupted.
        assert!(status.success() || status.code().is_none(), "perf record: {status}");
    }
}
