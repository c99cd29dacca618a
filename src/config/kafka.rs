//! The `kafka` section: what goes to librdkafka.
//!
//! Knows which keys are Hookcast's own business and why, and has librdkafka judge the others one
//! by one. It connects to nothing.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

use super::at::At;
use super::kafka_keys::{BOTH, CONSUMER, PRODUCER};
use super::section::Section;
use crate::secret::Secret;
use crate::spelling::did_you_mean;

/// Where and as whom to read, checked by librdkafka key by key.
#[derive(Debug, Clone)]
pub struct Kafka {
    /// The consumer group.
    pub group_id: String,
    /// Every key of the file with its value, but for `auto.offset.reset`; with `group.id` and
    /// `bootstrap.servers`. Any value may be a password.
    pub settings: BTreeMap<String, Secret>,
    /// Where a partition without a committed position is read from.
    pub offset_reset: OffsetReset,
}

/// Where a partition without a committed position is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetReset {
    /// The oldest record that the broker still has.
    Earliest,
    /// The end, as it is at the first assignment.
    Latest,
}

impl fmt::Display for OffsetReset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Earliest => "earliest",
            Self::Latest => "latest",
        })
    }
}

impl Kafka {
    /// Where the brokers are.
    #[must_use]
    pub fn bootstrap_servers(&self) -> &str {
        self.settings.get(SERVERS).map_or("", Secret::expose)
    }

    /// The file's keys for a consumer. Keys that only producers read are left out: librdkafka
    /// would complain about them in the log.
    #[must_use]
    pub fn consumer(&self) -> ClientConfig {
        self.without(&PRODUCER)
    }

    /// The file's keys for a producer or an admin client, without those that only consumers
    /// read.
    #[must_use]
    pub fn producer(&self) -> ClientConfig {
        self.without(&CONSUMER)
    }

    fn without(&self, left_out: &[&str]) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (key, value) in self.settings.iter().filter(|(key, _)| !left_out.contains(&&***key)) {
            config.set(key, value.expose());
        }
        config
    }
}

const SERVERS: &str = "bootstrap.servers";
const GROUP: &str = "group.id";
const OFFSET_RESET: &str = "auto.offset.reset";

const COMMITS: &str = "hookcast commits a position only when everything below it is settled";
const ACKS: &str =
    "a dead letter counts only when every in-sync replica has it, so this is always `all`";

/// Keys whose values are fixed because a guarantee hangs on them.
const OURS: [(&str, &str); 17] = [
    ("acks", ACKS),
    ("request.required.acks", ACKS),
    ("auto.commit.enable", COMMITS),
    ("auto.commit.interval.ms", COMMITS),
    ("enable.auto.commit", COMMITS),
    ("enable.auto.offset.store", COMMITS),
    ("offset.store.method", COMMITS),
    ("offset.store.path", COMMITS),
    ("offset.store.sync.interval.ms", COMMITS),
    ("delivery.report.only.error", "without reports no dead letter would ever count as written"),
    ("enable.partition.eof", "hookcast tells the end of a partition by its positions"),
    ("enabled_events", "hookcast needs the events that it asks for"),
    ("transactional.id", "dead letters are written outside transactions"),
    ("transaction.timeout.ms", "dead letters are written outside transactions"),
    (
        "enable.gapless.guarantee",
        "a dead letter that cannot be written must not stop those after it",
    ),
    ("log.queue", "hookcast takes librdkafka's log lines as they come"),
    ("metadata.broker.list", "it is another name of `bootstrap.servers`: use that"),
];

/// Reads the section; none when something in it is wrong, which has been reported.
pub(super) fn read(root: &Section<'_>) -> Option<Kafka> {
    let at = root.required("kafka", "{ bootstrap.servers: localhost:9092, group.id: hookcast }")?;
    let entries = at.entries()?;
    let mut settings = BTreeMap::new();
    let mut offset_reset = Some(OffsetReset::Earliest);
    let mut is_whole = true;
    for entry in entries {
        let value = at.entry(entry);
        if entry.key == OFFSET_RESET {
            offset_reset = read_offset_reset(&value);
        } else if let Some(text) = read_setting(&value, &entry.key) {
            settings.insert(entry.key.clone(), Secret::new(text));
        } else {
            is_whole = false;
        }
    }
    let has = |key: &str, example: &str| {
        let written = entries.iter().find(|entry| entry.key == key);
        if written.is_none() {
            at.key_error(
                format!("the key `{key}` is missing"),
                Some(format!("for example `{key}: {example}`")),
            );
        }
        written.is_some()
    };
    let has_required = has(SERVERS, "localhost:9092") & has(GROUP, "hookcast");
    if !has_required || !is_whole {
        return None;
    }
    let group_id = settings.get(GROUP)?.expose().to_owned();
    Some(Kafka { group_id, settings, offset_reset: offset_reset? })
}

fn read_offset_reset(at: &At<'_>) -> Option<OffsetReset> {
    if at.scalar("`earliest` or `latest`")?.text == "error" {
        at.error_with(
            "a new partition must be read from somewhere",
            "`earliest` reads all that is there, `latest` only what comes",
        );
        return None;
    }
    at.parse("`earliest` or `latest`", |text| match text {
        "earliest" | "smallest" | "beginning" => Ok(OffsetReset::Earliest),
        "latest" | "largest" | "end" => Ok(OffsetReset::Latest),
        _ => Err(""),
    })
}

/// One key and value, as librdkafka accepts them.
fn read_setting<'a>(at: &At<'a>, key: &str) -> Option<&'a str> {
    if let Some((_, reason)) = OURS.iter().find(|(ours, _)| *ours == key) {
        at.key_error(format!("`{key}` cannot be set"), Some((*reason).to_owned()));
        return None;
    }
    let text =
        if matches!(key, SERVERS | GROUP) { at.text()? } else { &at.scalar("a value")?.text };
    if matches!(key, "sasl.mechanism" | "sasl.mechanisms") && text.eq_ignore_ascii_case("GSSAPI") {
        let known = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER are";
        at.error_with("Kerberos is not built in", known);
        return None;
    }
    let judged = ClientConfig::new().set(key, text).create_native_config();
    let Err(error) = judged else {
        return Some(text);
    };
    let reason = match error {
        KafkaError::ClientConfig(_, reason, ..) => reason,
        _ => "it holds a zero byte".into(),
    };
    if reason.starts_with("No such configuration property") {
        let known = CONSUMER.into_iter().chain(PRODUCER).chain(BOTH);
        let (message, hint) = match did_you_mean(key, known) {
            Some(meant) => (format!("unknown key `{key}`, did you mean `{meant}`?"), None),
            None => (
                format!("librdkafka has no setting `{key}`"),
                Some("its CONFIGURATION.md lists what there is".to_owned()),
            ),
        };
        at.key_error(message, hint);
    } else if at.holds_secret() || is_password(key) {
        at.error("librdkafka refuses this value, which is not shown");
    } else {
        let reason = reason.trim_end_matches(|c: char| c == '.' || c == '\0' || c.is_whitespace());
        let reason =
            reason.strip_prefix(&format!("Configuration property \"{key}\" ")).unwrap_or(reason);
        at.error(format!("librdkafka refuses this value: {reason}"));
    }
    None
}

/// Whether a key's value must not be shown.
fn is_password(key: &str) -> bool {
    super::secret_places::hides_its_value(key)
}
