//! The configuration file: from text to a [`Plan`] and what runs it.
//!
//! Knows every key, and says everything that is wrong at once, each with its place in the file.
//! It reads the file, the files that it names, and the environment, and nothing else: no network.
//!
//! `yaml` makes a tree with places, `expand` replaces `${…}` in it, and the other modules read
//! their sections through `at`, which reports what is not as it should be.

mod at;
mod delivery;
mod destination;
mod diagnostic;
mod disguise;
mod expand;
mod json;
mod kafka;
mod kafka_keys;
mod network;
mod report;
mod review;
mod scalar;
mod secret_places;
mod section;
mod signing;
mod slips;
mod target;
#[cfg(test)]
mod tests;
mod topics;
mod tree;
mod units;
mod yaml;

use std::collections::HashMap;
use std::env::VarError;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::disguise::Disguise;
use crate::egress::Egress;
use crate::event::{self, Paths};
use crate::plan::{Names, Plan, Subscription};

pub use diagnostic::{Diagnostic, Errors, Place};
pub use kafka::{Kafka, OffsetReset};
pub use topics::Topics;
pub(crate) use units::{parse_duration, show_duration, show_size};

use at::At;
use delivery::Level;
use diagnostic::File;
use expand::{Expansion, Outside};
use report::Report;
use section::Section;

/// A valid configuration.
#[derive(Debug)]
pub struct Config {
    /// Where and as whom to read.
    pub kafka: Kafka,
    /// Where `/metrics`, `/healthz` and `/readyz` are.
    pub admin_listen: SocketAddr,
    /// What is delivered where.
    pub plan: Plan,
    /// The topics that Hookcast writes.
    pub topics: Topics,
    /// Bytes of events held in memory, all partitions together.
    pub buffered_bytes: usize,
    /// The longest that a stop or a hand-over waits for requests in flight.
    pub shutdown_timeout: Duration,
    /// What is odd, but no error; in the file's order.
    pub warnings: Vec<Diagnostic>,
    /// Every action's texts as the file writes them, by [`crate::plan::ActionId`].
    pub as_written: Vec<AsWritten>,
    /// What of every action's requests may be shown, by [`crate::plan::ActionId`].
    pub disguises: Vec<Disguise>,
    /// The files of every destination's certificates, by [`crate::plan::DestinationId`].
    pub tls_files: Vec<TlsFiles>,
}

/// The files that a destination's `tls` names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// `ca_file`.
    pub ca: Option<FileName>,
    /// `cert_file`.
    pub cert: Option<FileName>,
    /// `key_file`.
    pub key: Option<FileName>,
}

/// The name of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// Where it is.
    pub path: PathBuf,
    /// What may be shown of that: `***` stands for what `${…}` put in.
    pub shown: PathBuf,
}

/// Texts of one action as they stand in the file: without what `${…}` puts in, so that they may
/// be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsWritten {
    /// The trigger.
    pub trigger: Box<str>,
    /// The URL; none when it is a mapping.
    pub url: Option<Box<str>>,
    /// What was replaced in the trigger.
    trigger_expansions: Vec<Expansion>,
}

impl AsWritten {
    /// Where in the trigger as it is written stands the part of it that was parsed at `at`.
    #[must_use]
    pub fn trigger_place(&self, at: Range<usize>) -> Range<usize> {
        let place = |at| expand::place_as_written(&self.trigger_expansions, at);
        // Where a part ends in the middle of what was put in, it is shown with all of it.
        let end = place(at.end);
        let around = |expansion: &&Expansion| {
            expansion.written.start == end && expansion.expanded.start < at.end
        };
        let end =
            self.trigger_expansions.iter().find(around).map_or(end, |around| around.written.end);
        place(at.start)..end
    }
}

/// The largest configuration that is read.
const LARGEST: u64 = 8 << 20;

impl Config {
    /// Reads and checks the configuration in the file `path`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(path: &Path) -> Result<Self, Errors> {
        let name = path.display().to_string();
        let refuse = |message: String, hint: Option<String>| {
            Errors(vec![File::new(&name, "").diagnostic(None, "", message, hint)])
        };
        let read = || {
            if std::fs::metadata(path)?.len() > LARGEST {
                return Ok(Err("larger than 8 MiB"));
            }
            Ok(String::from_utf8(std::fs::read(path)?).map_err(|_| "not UTF-8"))
        };
        let text = match read() {
            Ok(Ok(text)) => text,
            Ok(Err(why)) => return Err(refuse(why.into(), None)),
            Err(error) => {
                let error: std::io::Error = error;
                let hint = "`--config FILE` or HOOKCAST_CONFIG names the configuration".to_owned();
                return Err(refuse(
                    format!("cannot be read: {}", expand::plain(&error)),
                    Some(hint),
                ));
            }
        };
        let directory = path.parent().unwrap_or(Path::new(""));
        Self::parse(&name, &text, directory, &|name| std::env::var(name))
    }

    /// Checks the configuration `text`, which messages call `name`. Paths in it are relative to
    /// `directory`; `variable` looks up environment variables.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(
        name: &str,
        text: &str,
        directory: &Path,
        variable: &dyn Fn(&str) -> Result<String, VarError>,
    ) -> Result<Self, Errors> {
        let mut file = File::new(name, text);
        let (mut tree, repeated) = match yaml::parse(file.text()) {
            Ok(parsed) => parsed,
            Err(refused) => {
                secret_places::hide_line(&mut file, refused.bytes.start);
                let diagnostic = file.diagnostic(
                    Some(refused.bytes),
                    &refused.path,
                    refused.message,
                    refused.hint,
                );
                return Err(Errors(vec![diagnostic]));
            }
        };
        secret_places::hide(&mut file, &tree);
        let report = Report::new(&file, directory);
        for refused in repeated {
            report.error(refused.bytes, &refused.path, refused.message, refused.hint);
        }
        expand::expand(
            &mut tree,
            "",
            &Outside { variable, directory },
            &mut |path, scalar, why| {
                let start = scalar.written.locate(file.text(), &scalar.raw, why.at.start);
                let end = scalar.written.locate(file.text(), &scalar.raw, why.at.end);
                report.error(start..end, path, why.message, why.hint);
            },
        );
        let root = At::root(&report, &tree);
        let config = read(&root);
        if let Some(config) = config.as_ref().filter(|_| report.has_no_error()) {
            review::review(&root, config);
        }
        let (errors, warnings) = report.finish();
        match config {
            Some(config) if errors.is_empty() => Ok(Self { warnings, ..config }),
            _ => Err(Errors(errors)),
        }
    }
}

/// Reads every section. None, or a configuration with gaps, comes with an error reported.
fn read(at: &At<'_>) -> Option<Config> {
    let keys = [
        "kafka",
        "admin",
        "sources",
        "destinations",
        "delivery",
        "topics",
        "egress",
        "limits",
        "shutdown_timeout",
    ];
    let root = Section::read(at, &keys)?;
    let kafka = kafka::read(&root);
    let admin_listen = network::read_admin(&root);
    let (sources, named) = topics::read_sources(&root);
    let topics = topics::read_topics(&root, &named);
    let egress = network::read_egress(&root);
    let delivery = Level::default().over(&root);
    let mut paths = Paths::new();
    let event_type = paths.intern(event::Path::new(["type"]));
    let mut plan = Plan {
        sources,
        destinations: Vec::new(),
        actions: Vec::new(),
        names: Names::default(),
        triggers: Vec::new(),
        subscriptions: Vec::new(),
        paths,
        event_type,
        egress: Egress::default(),
        dead_letter_topic: "".into(),
        redrive_topic: "".into(),
    };
    let mut as_written = Vec::new();
    let mut disguises = Vec::new();
    let mut tls_files = Vec::new();
    // When `egress` is wrong its rules are unknown, and no URL is blamed for breaking them.
    let lenient = Egress { allow_private: true, ..Egress::default() };
    destination::Reader {
        egress: egress.as_ref().unwrap_or(&lenient),
        delivery: &delivery,
        plan: &mut plan,
        as_written: &mut as_written,
        disguises: &mut disguises,
        tls_files: &mut tls_files,
        triggers: HashMap::new(),
    }
    .read(&root);
    let subscriptions = Subscription::all(&plan.destinations, &plan.actions, &plan.triggers);
    let buffered_bytes = read_buffered_bytes(&root);
    let longest = Duration::from_hours(1);
    let shutdown_timeout = root
        .key("shutdown_timeout")
        .map_or(Some(Duration::from_secs(30)), |at| at.duration(Duration::ZERO, longest));
    Some(Config {
        kafka: kafka?,
        admin_listen: admin_listen?,
        plan: Plan {
            egress: egress?,
            names: Names::new(&plan.actions),
            subscriptions,
            dead_letter_topic: topics.as_ref()?.dead_letter.as_str().into(),
            redrive_topic: topics.as_ref()?.redrive.as_str().into(),
            ..plan
        },
        topics: topics?,
        buffered_bytes: buffered_bytes?,
        shutdown_timeout: shutdown_timeout?,
        warnings: Vec::new(),
        as_written,
        disguises,
        tls_files,
    })
}

fn read_buffered_bytes(root: &Section<'_>) -> Option<usize> {
    let default = 64 << 20;
    let Some(at) = root.key("limits") else {
        return Some(default);
    };
    let section = Section::read(&at, &["buffered_bytes"])?;
    section.key("buffered_bytes").map_or(Some(default), |at| at.size(64 << 10, 1 << 40))
}

/// Reports a name of a source, destination or action that could not stand in a header, a label
/// or a path.
fn check_name(at: &At<'_>, name: &str) {
    if name.is_empty()
        || name.len() > 128
        || name.trim() != name
        || name.contains(|c: char| c.is_control() || c == '/')
    {
        let hint =
            "at most 128 bytes, no `/`, no control characters, no blanks around it".to_owned();
        at.key_error("this name cannot be used", Some(hint));
    }
}
