//! The Segment spec, as far as a configuration is judged by it: the six calls and their fields.
//!
//! Events need not follow it. What a configuration asks of fields that no event of the spec has
//! is legal, and worth a warning.

use crate::spelling::{did_you_mean, letters_of};

/// The six calls: the types of events that are delivered.
pub(crate) const CALLS: [&str; 6] = ["identify", "track", "page", "screen", "group", "alias"];

/// A field of an event.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// Whether it holds other fields; otherwise it is a text.
    pub(crate) is_object: bool,
    /// The calls that have it.
    pub(crate) calls: &'static [&'static str],
}

const fn text(name: &'static str, calls: &'static [&'static str]) -> Field {
    Field { name, is_object: false, calls }
}

const fn object(name: &'static str, calls: &'static [&'static str]) -> Field {
    Field { name, is_object: true, calls }
}

const FIELDS: [Field; 22] = [
    text("type", &CALLS),
    text("event", &["track"]),
    text("name", &["page", "screen"]),
    text("category", &["page", "screen"]),
    text("userId", &CALLS),
    text("anonymousId", &CALLS),
    text("previousId", &["alias"]),
    text("groupId", &["group"]),
    text("messageId", &CALLS),
    text("timestamp", &CALLS),
    text("originalTimestamp", &CALLS),
    text("sentAt", &CALLS),
    text("receivedAt", &CALLS),
    text("channel", &CALLS),
    text("version", &CALLS),
    object("context", &CALLS),
    object("integrations", &CALLS),
    object("properties", &["track", "page", "screen"]),
    object("traits", &["identify", "group"]),
    text("projectId", &CALLS),
    text("writeKey", &CALLS),
    object("_metadata", &CALLS),
];

/// What stands in `context`, as far as it is not taken for something else.
const IN_CONTEXT: [&str; 14] = [
    "app",
    "campaign",
    "device",
    "ip",
    "library",
    "locale",
    "location",
    "network",
    "os",
    "page",
    "referrer",
    "screen",
    "timezone",
    "userAgent",
];

/// The field of this name.
pub(crate) fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// The path that was probably meant by `path`, whose first key, `first`, is no field.
pub(crate) fn path_meant(path: &str, first: &str) -> String {
    let (root, keys) = path.strip_prefix("$.").map_or(("", path), |keys| ("$.", keys));
    if let Some(rest) = keys.strip_prefix(first) {
        let letters = letters_of(first);
        let respelled = FIELDS.iter().find(|field| letters_of(field.name) == letters);
        let name = respelled.map(|field| field.name);
        let names = FIELDS.iter().map(|field| field.name);
        let is_in_context = IN_CONTEXT.contains(&first);
        if let Some(name) = name.or_else(|| did_you_mean(first, names).filter(|_| !is_in_context)) {
            return format!("{root}{name}{rest}");
        }
        if is_in_context {
            return format!("{root}context.{keys}");
        }
    }
    format!("{root}properties.{keys}")
}

#[cfg(test)]
mod tests {
    use super::path_meant;

    #[test]
    fn a_path_that_was_meant_is_guessed_by_its_first_key() {
        for (path, first, meant) in [
            ("propertis.plan", "propertis", "properties.plan"),
            ("user_id", "user_id", "userId"),
            ("UserId", "UserId", "userId"),
            ("plan", "plan", "properties.plan"),
            ("$.plan.name", "plan", "$.properties.plan.name"),
            ("page.url", "page", "context.page.url"),
            ("$.trait['a']", "trait", "$.traits['a']"),
            (r"a\.b", "a.b", r"properties.a\.b"),
        ] {
            assert_eq!(path_meant(path, first), meant);
        }
    }
}
