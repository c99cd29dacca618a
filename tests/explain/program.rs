//! The program with a configuration, an event, and what it says about it.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use hookcast::secret::Secret;
use hookcast::signature::Signer;
use serde_json::Value;
use tempfile::TempDir;

/// What `${SECRET}` stands for.
pub const SECRET: &str = "hunter2-very-secret";

const KAFKA: &str = "kafka: { bootstrap.servers: 'unused:1', group.id: hookcast }\n";
const SOURCES: &str = "sources: { all: { topics: [events] } }\n";

/// `hookcast explain` with a configuration.
pub struct Explain {
    folder: TempDir,
    command: Command,
}

/// What the program did.
pub struct Called {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Explain {
    /// What the configuration does not say about Kafka and sources is put in.
    pub fn new(configuration: &str) -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        let sources =
            if configuration.contains("sources:\n") || configuration.contains("sources: {") {
                ""
            } else {
                SOURCES
            };
        let text = format!("{KAFKA}{sources}{configuration}");
        fs::write(folder.path().join("hookcast.yaml"), text).expect("a file can be written");
        let mut command = hookcast();
        command.arg("explain").current_dir(&folder);
        Self { folder, command }
    }

    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Where the configuration is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Explains what is in a file.
    pub fn of(self, event: &str) -> Called {
        self.of_bytes(event.as_bytes())
    }

    pub fn of_bytes(mut self, event: &[u8]) -> Called {
        fs::write(self.folder.path().join("event.json"), event).expect("a file can be written");
        call(self.command.arg("event.json"), "")
    }

    /// Explains whatever else is named.
    pub fn of_named(mut self, name: &str, input: &str) -> Called {
        call(self.command.arg(name), input)
    }

    /// The status, and what is said on standard error, when nobody reads the explanation.
    pub fn with_nobody_reading(mut self, event: &str) -> (i32, String) {
        fs::write(self.folder.path().join("event.json"), event).expect("a file can be written");
        self.command.arg("event.json").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the program starts");
        drop(child.stdout.take());
        let mut err = String::new();
        let stderr = child.stderr.as_mut().expect("stderr is piped");
        stderr.read_to_string(&mut err).expect("stderr can be read");
        let status = child.wait().expect("it ends").code().expect("it was not killed");
        (status, err)
    }
}

impl Called {
    /// The elements of the array that it has printed.
    pub fn json(&self) -> Vec<Value> {
        match serde_json::from_str(&self.out) {
            Ok(Value::Array(elements)) => elements,
            other => panic!("no array: {other:?}\n{}\n{}", self.out, self.err),
        }
    }

    pub fn out_without_version(&self) -> String {
        self.out.replace(concat!("hookcast/", env!("CARGO_PKG_VERSION")), "hookcast/VERSION")
    }
}

pub fn hookcast() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookcast"));
    command.env_remove("HOOKCAST_CONFIG").env_remove("RUST_LOG").env("SECRET", SECRET);
    command
}

/// Runs `command` with `input` on its standard input.
pub fn call(command: &mut Command, input: &str) -> Called {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // A program that does not read its input ends before it was written.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
    Called {
        status: output.status.code().expect("it was not killed"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// `X-Signature` of a body under `${SECRET}`.
pub fn signature(body: &str) -> String {
    Signer::new(&Secret::new(SECRET)).sign(body.as_bytes()).to_string()
}
