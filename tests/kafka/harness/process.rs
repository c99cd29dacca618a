//! A child process that does not outlive the test binary, whatever ends it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Runs `"$@"` with its output in `$1`, and prints its process id. Standard input is the lifeline:
/// a pipe whose other end only the test process holds. When that process is gone, even by SIGKILL,
/// the guard's `read` ends, and the guard kills the child and removes the folder `$2`. Nothing else
/// ends the guard, so a child that was killed on purpose keeps its folder for the next start.
const SCRIPT: &str = r#"
log=$1 folder=$2
shift 2
exec 3<&0
"$@" </dev/null >>"$log" 2>&1 3<&- &
child=$!
{
    read -r _ <&3
    trap '' TERM
    kill -KILL "$child"
    while kill -0 "$child"; do sleep 0.01; done
    [ -z "$folder" ] || rm -rf -- "$folder"
} </dev/null >/dev/null 2>&1 &
guard=$!
echo "$child"
exec >&- 3<&-
wait "$child"
status=$?
kill -TERM "$guard" 2>&-
wait "$guard" 2>&-
exit "$status"
"#;

/// A running child. Killed on drop.
pub struct Guarded {
    /// The process that is guarded.
    pub pid: Pid,
    lifeline: Option<ChildStdin>,
    exits: Receiver<ExitStatus>,
    exit: Option<i32>,
}

impl Guarded {
    /// Starts a program with its output appended to `log`. If `folder` is given, it is removed
    /// when the handle is dropped or this process dies.
    pub fn start<S: AsRef<OsStr>>(
        program: &Path,
        arguments: impl IntoIterator<Item = S>,
        log: &Path,
        folder: Option<&Path>,
    ) -> Self {
        let mut shell = Command::new("/bin/sh")
            .arg("-c")
            .arg(SCRIPT)
            .arg("guard")
            .arg(log)
            .arg(folder.unwrap_or(Path::new("")))
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("/bin/sh starts");
        let lifeline = shell.stdin.take();
        let mut line = String::new();
        let output = shell.stdout.take().expect("standard output is piped");
        BufReader::new(output).read_line(&mut line).expect("the guard prints a process id");
        let pid = line.trim().parse().ok().and_then(Pid::from_raw);
        let pid = pid.unwrap_or_else(|| panic!("the guard printed {line:?} for a process id"));
        let (exited, exits) = sync_channel(1);
        std::thread::spawn(move || {
            let status = shell.wait().expect("the shell is our child");
            // Nobody listens any more when the handle was dropped first.
            let _ = exited.send(status);
        });
        Self { pid, lifeline, exits, exit: None }
    }

    /// Sends a signal, unless the child has ended.
    pub fn signal(&mut self, signal: Signal) {
        if self.exit_within(Duration::ZERO).is_none() {
            // The child may end between the two lines: then there is nobody to signal.
            let _ = kill_process(self.pid, signal);
        }
    }

    /// The exit status, as a shell tells it (128 and the signal's number for a signal), if the
    /// child ends in this time.
    pub fn exit_within(&mut self, time: Duration) -> Option<i32> {
        if self.exit.is_none() {
            self.exit = match self.exits.recv_timeout(time) {
                Ok(status) => Some(status.code().unwrap_or(-1)),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(-1),
            };
        }
        self.exit
    }

    /// SIGKILL, and waits until the child is gone.
    #[track_caller]
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        let gone = self.exit_within(super::DEADLINE);
        assert!(gone.is_some(), "process {:?} did not end after SIGKILL", self.pid);
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        self.exit_within(Duration::from_secs(10));
    }
}
