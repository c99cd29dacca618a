//! A real Apache Kafka on free loopback ports: one node, broker and controller at once.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tempfile::TempDir;

use super::ports::free_port;
use super::process::Guarded;
use super::until;

/// The only user of the SASL listener, and the password.
pub const SASL_USER: (&str, &str) = ("alice", "wonderland-7f3a");

/// A broker with its own data.
pub struct Broker {
    port: u16,
    sasl_port: u16,
    /// Behind a lock only because the shared broker is a static, and a channel is not `Sync`.
    process: Mutex<Option<Guarded>>,
    folder: TempDir,
}

impl Broker {
    /// The broker that every test uses that does not harm it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A running broker of the test's own.
    pub fn start() -> Self {
        let mut broker = Self::reserve();
        broker.restart();
        broker
    }

    /// A broker that has its address and its formatted disk, and does not run yet.
    pub fn reserve() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("kafka-")
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .expect("a folder for the broker's data");
        let broker =
            Self { port: free_port(), sasl_port: free_port(), process: Mutex::default(), folder };
        std::fs::write(broker.properties(), broker.server_properties())
            .expect("server.properties is written");
        let properties = broker.properties();
        let format = [
            "kafka.tools.StorageTool",
            "format",
            "--standalone",
            "-t",
            "aG9va2Nhc3QtdGVzdHMtMQ",
            "-c",
        ]
        .map(OsString::from);
        let mut tool = Guarded::start(
            &java(),
            java_options().into_iter().chain(format).chain([properties.into_os_string()]),
            &broker.log(),
            None,
        );
        let status = tool.exit_within(super::DEADLINE);
        assert_eq!(status, Some(0), "formatting the broker's disk: {}", broker.log_tail());
        broker
    }

    /// Where clients connect.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where clients connect that authenticate with SASL PLAIN.
    pub fn sasl_bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.sasl_port)
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process().take().expect("the broker runs").kill();
    }

    /// Starts on the data that is there, at the same address, and waits until it answers.
    pub fn restart(&mut self) {
        assert!(self.process().is_none(), "the broker runs already");
        let server = [OsString::from("kafka.Kafka"), self.properties().into_os_string()];
        let mut process = Guarded::start(
            &java(),
            java_options().into_iter().chain(server),
            &self.log(),
            Some(self.folder.path()),
        );
        let client: BaseConsumer = self.client().create().expect("a client");
        until("the broker to answer", || {
            if let Some(status) = process.exit_within(Duration::ZERO) {
                panic!("the broker ended with status {status}: {}", self.log_tail());
            }
            match client.fetch_metadata(None, Duration::from_millis(500)) {
                Ok(metadata) if !metadata.brokers().is_empty() => Ok(()),
                Ok(_) => Err("metadata without brokers".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        });
        *self.process() = Some(process);
    }

    /// What every client of the harness is configured with. Failures to connect are told by what
    /// the client is used for, so librdkafka's own log is kept out of the tests' output.
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", self.bootstrap())
            .set("reconnect.backoff.ms", "20")
            .set("reconnect.backoff.max.ms", "200")
            .set("log_level", "0");
        config
    }

    /// One of Kafka's own command-line tools, named by its class, as the beginning of a line of
    /// shell.
    pub fn tool(class: &str) -> String {
        let words = java_options().into_iter().chain([OsString::from(class)]);
        let words = [java().into_os_string()].into_iter().chain(words);
        let quoted = words.map(|word| format!("'{}'", word.to_string_lossy()));
        quoted.collect::<Vec<_>>().join(" ")
    }

    fn process(&mut self) -> &mut Option<Guarded> {
        self.process.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn properties(&self) -> PathBuf {
        self.folder.path().join("server.properties")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("broker.log")
    }

    fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn server_properties(&self) -> String {
        let Self { port, sasl_port, folder, .. } = self;
        let controller_port = free_port();
        let data = folder.path().join("data");
        let data = data.display();
        let (user, password) = SASL_USER;
        // Sessions may be short, so that a member that was killed is missed soon. Nothing is
        // flushed to disk more often than Kafka itself does: SIGKILL leaves the page cache alone.
        format!(
            "process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:{port},SASL://127.0.0.1:{sasl_port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL://127.0.0.1:{sasl_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}=\"{password}\";
log.dirs={data}
num.partitions=1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
group.consumer.min.session.timeout.ms=500
group.consumer.min.heartbeat.interval.ms=100
group.consumer.heartbeat.interval.ms=500
log.cleaner.enable=false
log.retention.ms=-1
"
        )
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if std::thread::panicking() && self.process().is_some() {
            eprintln!("--- end of the broker's log\n{}", self.log_tail());
        }
    }
}

/// Small and quick to start: two cores are shared with everything that is tested.
fn java_options() -> Vec<OsString> {
    let mut class_path = jars().into_os_string();
    class_path.push("/*");
    let mut options =
        ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp"]
            .map(OsString::from)
            .to_vec();
    options.push(class_path);
    options
}

fn jars() -> PathBuf {
    let jars = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/kafka-4.1.1");
    assert!(jars.is_dir(), "Apache Kafka is missing in {}: run `make kafka`", jars.display());
    jars
}

fn java() -> PathBuf {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    home.into_iter()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join("java"))
        .find(|java| java.is_file())
        .expect("java is missing: run `apt-get install --yes openjdk-17-jdk-headless`, then `make kafka`")
}
