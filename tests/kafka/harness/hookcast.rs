//! Hookcast as an operator runs it: a file, a process, signals, and three URLs.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use super::metrics::Metrics;
use super::ports::free_port;
use super::process::Guarded;
use super::{Broker, DEADLINE, until};

/// The shared secret of every destination in these tests. Not ASCII: it is taken as UTF-8.
pub const SECRET: &str = "clé-secrète";

/// How an action sends.
#[derive(Clone, Copy)]
pub enum Mode {
    /// One request an event.
    Single,
    /// Small batches, so that there are many requests.
    Batched,
}

impl Mode {
    /// The action's settings for it.
    pub fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Single => &[],
            Self::Batched => &["batch: { max_events: 20, max_delay: 20ms }"],
        }
    }
}

/// YAML for one source, and the destination `crm` with one action, `all`, for `track` events.
/// `settings` are more lines of the action. Retries come soon.
pub fn one_action(topic: &str, url: &str, settings: &[&str]) -> String {
    let settings: Vec<_> = settings.iter().map(|line| format!("        {line}\n")).collect();
    let settings = settings.concat();
    format!(
        "sources:
  web: {{ topics: ['{topic}'] }}
destinations:
  crm:
    shared_secret: '{SECRET}'
    actions:
      all:
        trigger: type = \"track\"
        url: {url}
{settings}delivery:
  retry: {{ initial: 10ms, max: 100ms }}
"
    )
}

/// A configuration under which any number of processes may be started, together or in turns. If
/// the test fails, it prints the end of what each of them logged.
pub struct Config {
    kafka: Vec<(String, String)>,
    rest: String,
    folder: TempDir,
    started: Cell<usize>,
    open_files: Option<usize>,
}

impl Config {
    /// `rest` is YAML: everything but `kafka`, `admin` and `egress`.
    pub fn new(broker: &Broker, group: &str, rest: &str) -> Self {
        let folder =
            tempfile::Builder::new().prefix("hookcast-").tempdir_in(env!("CARGO_TARGET_TMPDIR"));
        let config = Self {
            kafka: Vec::new(),
            rest: rest.to_owned(),
            folder: folder.expect("a folder for configuration and logs"),
            started: Cell::new(0),
            open_files: None,
        };
        // What is down in these tests comes back within seconds: librdkafka need not be patient.
        config
            .kafka("bootstrap.servers", &broker.bootstrap())
            .kafka("group.id", group)
            .kafka("reconnect.backoff.ms", "50")
            .kafka("reconnect.backoff.max.ms", "500")
    }

    /// Sets one of librdkafka's keys, or another value for it.
    pub fn kafka(mut self, key: &str, value: &str) -> Self {
        self.kafka.retain(|(other, _)| other != key);
        self.kafka.push((key.to_owned(), value.to_owned()));
        self
    }

    /// A member that is killed without a word is missed after this long.
    pub fn session_timeout(self, time: Duration) -> Self {
        let (session, heartbeat) = (time.as_millis(), time.as_millis() / 5);
        self.kafka("session.timeout.ms", &session.to_string())
            .kafka("heartbeat.interval.ms", &heartbeat.to_string())
    }

    /// Lets its processes have no more files open than this.
    pub fn open_files(mut self, most: usize) -> Self {
        self.open_files = Some(most);
        self
    }

    /// Starts `hookcast run`.
    pub fn start(&self) -> Hookcast {
        let number = self.started.get() + 1;
        self.started.set(number);
        let admin_port = free_port();
        let file = self.folder.path().join(format!("{number}.yaml"));
        std::fs::write(&file, self.text(admin_port)).expect("the configuration is written");
        let log = self.log(number);
        let program = env!("CARGO_BIN_EXE_hookcast");
        let arguments = ["run", "--config", file.to_str().expect("the folder's name is UTF-8")];
        let process = match self.open_files {
            None => Guarded::start(Path::new(program), arguments, &log, None),
            Some(most) => {
                let script = format!("ulimit -n {most} && exec \"$0\" \"$@\"");
                let arguments = ["-c", &script, program].into_iter().chain(arguments);
                Guarded::start(Path::new("/bin/sh"), arguments, &log, None)
            }
        };
        Hookcast::of(process, admin_port, log)
    }

    /// Runs another command to its end.
    pub fn output_of(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("hookcast starts")
    }

    /// Another command, for whoever runs it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let file = self.folder.path().join("command.yaml");
        std::fs::write(&file, self.text(free_port())).expect("the configuration is written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookcast"));
        command.args(arguments).arg("--config").arg(&file);
        command
    }

    /// Starts `hookcast run` and waits until it is a member of its group.
    #[track_caller]
    pub fn start_ready(&self) -> Hookcast {
        let mut hookcast = self.start();
        hookcast.wait_ready();
        hookcast
    }

    fn text(&self, admin_port: u16) -> String {
        let kafka = self.kafka.iter().map(|(key, value)| format!("  {key}: '{value}'\n"));
        let kafka = kafka.collect::<Vec<_>>().concat();
        let Self { rest, .. } = self;
        format!(
            "kafka:\n{kafka}admin:\n  listen: 127.0.0.1:{admin_port}\negress:\n  allow_private: true\n{rest}"
        )
    }

    fn log(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("{number}.log"))
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        eprintln!("--- configuration\n{}", self.text(0));
        for number in 1..=self.started.get() {
            let log = std::fs::read_to_string(self.log(number)).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(60)..];
            eprintln!(
                "--- log of process {number}, last {} of {} lines\n{}",
                tail.len(),
                lines.len(),
                tail.join("\n")
            );
        }
    }
}

/// A running process. Killed on drop.
pub struct Hookcast {
    pub process: Guarded,
    admin_port: u16,
    log: PathBuf,
}

impl Hookcast {
    /// A process that was started otherwise than by a [`Config`].
    pub fn of(process: Guarded, admin_port: u16, log: PathBuf) -> Self {
        Self { process, admin_port, log }
    }

    /// Asks it to stop.
    pub fn sigterm(&mut self) {
        self.process.signal(Signal::TERM);
    }

    /// Stops its clock: it does nothing until [`thaw`](Self::thaw), and does not know it.
    pub fn freeze(&mut self) {
        self.process.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&mut self) {
        self.process.signal(Signal::CONT);
    }

    /// Ends it without asking.
    #[track_caller]
    pub fn sigkill(mut self) {
        self.process.kill();
    }

    /// Asks it to stop, and expects it to end well.
    #[track_caller]
    pub fn stop(mut self) {
        self.sigterm();
        let status = self.wait_exit();
        assert_eq!(status, 0, "exit status after SIGTERM");
    }

    /// The exit status, as a shell tells it.
    #[track_caller]
    pub fn wait_exit(&mut self) -> i32 {
        let status = self.process.exit_within(DEADLINE);
        status.unwrap_or_else(|| panic!("waited {DEADLINE:?} for hookcast to end; it runs"))
    }

    /// The exit status, if it ends in this time.
    pub fn exit_within(&mut self, time: Duration) -> Option<i32> {
        self.process.exit_within(time)
    }

    /// The most memory that it has had at a time, in MiB, as the kernel tells it.
    pub fn peak_mib(&self) -> f64 {
        let file = format!("/proc/{}/status", self.process.pid.as_raw_nonzero());
        let status = std::fs::read_to_string(&file).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<f64>().ok()).expect("VmHWM is a number of kB") / 1024.0
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log is there from the start")
    }

    /// Whether `/readyz` says so. A process whose admin port does not answer is not ready.
    pub fn is_ready(&self) -> bool {
        self.ask("/readyz").is_ok_and(|(status, _)| status == 200)
    }

    /// Waits until `/readyz` says so.
    #[track_caller]
    pub fn wait_ready(&mut self) {
        until("/readyz to answer 200", || {
            if let Some(status) = self.process.exit_within(Duration::ZERO) {
                panic!("hookcast ended with status {status} before it was ready");
            }
            match self.ask("/readyz") {
                Ok((200, _)) => Ok(()),
                Ok((status, body)) => Err(format!("{status} {body}")),
                Err(error) => Err(error.to_string()),
            }
        });
    }

    /// One of the admin endpoints: status and body.
    pub fn ask(&self, path: &str) -> std::io::Result<(u16, String)> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.admin_port))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(connection, "GET {path} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::InvalidData)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok((status.ok_or(std::io::ErrorKind::InvalidData)?, body.to_owned()))
    }

    /// Its metrics now.
    #[track_caller]
    pub fn metrics(&self) -> Metrics {
        let (status, body) = self.ask("/metrics").expect("/metrics answers");
        assert_eq!(status, 200, "/metrics: {body}");
        Metrics::parse(&body)
    }
}
