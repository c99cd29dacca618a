//! The names of the headers that are Hookcast's own.

pub(super) const DESTINATION: &str = "hookcast-destination";
pub(super) const ACTION: &str = "hookcast-action";
pub(super) const REASON: &str = "hookcast-reason";
pub(super) const STATUS: &str = "hookcast-status";
pub(super) const ATTEMPTS: &str = "hookcast-attempts";
pub(super) const FIRST_ATTEMPT_AT: &str = "hookcast-first-attempt-at";
pub(super) const ERROR: &str = "hookcast-error";
pub(super) const TOPIC: &str = "hookcast-topic";
pub(super) const PARTITION: &str = "hookcast-partition";
pub(super) const OFFSET: &str = "hookcast-offset";
pub(super) const TIMESTAMP: &str = "hookcast-timestamp";
pub(super) const TRUNCATED: &str = "hookcast-truncated";
pub(super) const REDRIVEN: &str = "hookcast-redriven";
pub(super) const REDRIVEN_LETTER: &str = "hookcast-redriven-letter";

/// All of them: none is a record's own.
pub(super) const ALL: [&str; 14] = [
    DESTINATION,
    ACTION,
    REASON,
    STATUS,
    ATTEMPTS,
    FIRST_ATTEMPT_AT,
    ERROR,
    TOPIC,
    PARTITION,
    OFFSET,
    TIMESTAMP,
    TRUNCATED,
    REDRIVEN,
    REDRIVEN_LETTER,
];
