//! What `hookcast check` says about a configuration that is right.
//!
//! Shows what would run, as the file writes it: nothing that `${…}` put in, no user, password or
//! query of a URL.

use std::fmt::Write as _;
use std::path::Path;

use crate::config::{AsWritten, Config, OffsetReset, show_duration, show_size};
use crate::plan::{Action, Destination, Order, Plan, SignatureScope, TargetTemplate, TopicPattern};

/// The longest trigger that is shown whole, in characters.
const LONGEST_TRIGGER: usize = 100;

/// The summary, ready to print.
pub(super) fn summary(file: &Path, config: &Config) -> String {
    let mut text = String::new();
    write_summary(&mut text, file, config).expect("a string takes everything");
    text
}

fn write_summary(out: &mut String, file: &Path, config: &Config) -> std::fmt::Result {
    let plan = &config.plan;
    writeln!(out, "{} is valid\n", file.display())?;
    writeln!(
        out,
        "reads {} as group {}, new partitions from the {}",
        config.kafka.bootstrap_servers(),
        config.kafka.group_id,
        match config.kafka.offset_reset {
            OffsetReset::Earliest => "beginning",
            OffsetReset::Latest => "end",
        }
    )?;
    let width = plan.sources.iter().map(|source| source.name.chars().count()).max().unwrap_or(0);
    for source in &plan.sources {
        let topics: Vec<&str> = source.topics.iter().map(TopicPattern::as_str).collect();
        writeln!(out, "  source {:width$}  {}", source.name, topics.join(", "))?;
    }
    for (index, destination) in plan.destinations.iter().enumerate() {
        writeln!(out, "\ndestination {}{}", destination.name, sources_of(destination, plan))?;
        if !destination.enabled {
            writeln!(out, "  disabled: its events are skipped for good")?;
        }
        let actions = plan.actions.iter().zip(&config.as_written);
        for (action, written) in actions.filter(|(action, _)| action.destination.0 == index) {
            write_action(out, action, written)?;
        }
    }
    let created = if config.topics.create { ", created when missing" } else { "" };
    writeln!(out, "\ndead letters go to {}{created}", config.topics.dead_letter)?;
    if let Some(proxy) = &config.plan.egress.proxy {
        writeln!(out, "requests go through {proxy}")?;
    }
    writeln!(out, "up to {} of events in memory", show_size(config.buffered_bytes))?;
    writeln!(out, "metrics and health at http://{}", config.admin_listen)
}

fn sources_of(destination: &Destination, plan: &Plan) -> String {
    if destination.sources.len() == plan.sources.len() {
        return String::new();
    }
    let names: Vec<&str> =
        destination.sources.iter().map(|source| &*plan.sources[source.0].name).collect();
    format!(" (from {})", names.join(", "))
}

fn write_action(out: &mut String, action: &Action, written: &AsWritten) -> std::fmt::Result {
    let state = match action {
        Action { enabled: false, .. } => " (disabled: its events are skipped for good)",
        Action { paused: true, .. } => " (paused: its events wait)",
        _ => "",
    };
    writeln!(out, "  action {}{state}", action.name)?;
    writeln!(out, "    when   {}", shortened(&written.trigger))?;
    let url =
        written.url.as_deref().map_or_else(|| "a URL made for each event".to_owned(), harmless);
    writeln!(out, "    send   {} {url}", action.request.method.as_str())?;
    let mut how = Vec::new();
    match action.batch {
        Some(batch) => how.push(format!(
            "batches of up to {} events or {}, sent after {}",
            batch.max_events,
            show_size(batch.max_bytes),
            show_duration(batch.max_delay)
        )),
        None => how.push("one event a request".into()),
    }
    let signature = match (&action.shared_secret, action.delivery.signature) {
        (None, _) if action.standard_signer.is_some() => "without `X-Signature`",
        (None, _) => "not signed",
        (Some(_), SignatureScope::Body) => "signed",
        (Some(_), SignatureScope::FirstElement) => "signed by the first event",
    };
    how.push(signature.into());
    if action.standard_signer.is_some() {
        how.push("signed by Standard Webhooks".into());
    }
    if let TargetTemplate::Mapped { .. } = action.request.target
        && written.url.is_some()
    {
        how.push("headers made for each event".into());
    }
    let delivery = &action.delivery;
    if delivery.order == Order::None {
        how.push("in any order".into());
    }
    how.push(format!("{} timeout", show_duration(delivery.timeout)));
    how.push(format!("{} at a time", delivery.concurrency));
    writeln!(out, "    as     {}", how.join(", "))
}

/// A trigger in one line, cut when it is long.
fn shortened(trigger: &str) -> String {
    let line = trigger.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST_TRIGGER {
        return line;
    }
    let cut: String = line.chars().take(LONGEST_TRIGGER - 1).collect();
    format!("{}…", cut.trim_end())
}

/// A URL as the file writes it, without user, password, query and fragment. `${…}` inside of it
/// stays as it is, whatever it holds, so this cannot rely on its being a URL.
fn harmless(url: &str) -> String {
    let url = url.trim();
    let (start, rest) = match url.find("://") {
        Some(colon) => url.split_at(colon + 3),
        None => ("", url),
    };
    let mut is_reference = false;
    let mut user_end = 0;
    let mut authority_ended = false;
    for (at, character) in rest.char_indices() {
        match character {
            '$' if rest[at..].starts_with("${") => is_reference = true,
            '}' => is_reference = false,
            _ if is_reference => {}
            '@' if !authority_ended => user_end = at + 1,
            '/' | '\\' => authority_ended = true,
            '?' | '#' => return format!("{start}{}{}?***", user(user_end), &rest[user_end..at]),
            _ => {}
        }
    }
    format!("{start}{}{}", user(user_end), &rest[user_end..])
}

/// What stands for a user and a password that end at `end`.
fn user(end: usize) -> &'static str {
    if end > 0 { "***@" } else { "" }
}

#[cfg(test)]
mod tests {
    use std::env::VarError;
    use std::path::Path;

    use super::{harmless, shortened, summary};
    use crate::config::Config;

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        for (url, shown) in [
            ("https://example.com/a", "https://example.com/a"),
            ("https://u:p@example.com/a?key=1#x", "https://***@example.com/a?***"),
            ("https://u:p/a@example.com", "https://u:p/a@example.com"),
            ("${BASE}/hook?key=${KEY}", "${BASE}/hook?***"),
            ("https://${USER}:${PASSWORD}@example.com", "https://***@example.com"),
            (
                "https://u:p${file:/run/p?}@example.com/${A:-b?c}",
                "https://***@example.com/${A:-b?c}",
            ),
        ] {
            assert_eq!(harmless(url), shown);
        }
    }

    #[test]
    fn a_long_trigger_is_cut_and_put_in_one_line() {
        let long = format!("type = \"track\"\n  and event = \"{}\"", "x".repeat(200));
        let shown = shortened(&long);
        assert!(shown.starts_with("type = \"track\" and event = \"xxx"), "{shown}");
        assert_eq!(shown.chars().count(), 100);
    }

    #[test]
    fn the_summary_says_what_would_run() {
        let text = r#"
kafka:
  bootstrap.servers: broker-1:9092,broker-2:9092
  group.id: hookcast
  sasl.password: ${PASSWORD}
sources:
  web: { topics: [events.web] }
  mobile: { topics: ['^events\.mobile\..+', events.ios] }
destinations:
  crm:
    sources: [web]
    shared_secret: ${PASSWORD}
    actions:
      signups:
        trigger: type = "track" and event = "Signed Up"
        url: https://user:${PASSWORD}@crm.example.com/hooks/signup?key=${PASSWORD}
        batch: true
      pages:
        paused: true
        trigger: |
          type = "page"
            and context.page.path = "/pricing"
        url: { "@template": "https://{{context.host}}/" }
        method: PUT
        delivery: { order: none, timeout: 3s }
  warehouse:
    enabled: false
    actions:
      all:
        trigger: type != "alias"
        url: https://warehouse.example.com
        batch: { max_events: 100, max_bytes: 512KiB, max_delay: 250ms }
egress:
  proxy: http://user:${PASSWORD}@proxy.internal:3128
"#;
        let variable = |name: &str| match name {
            "PASSWORD" => Ok("hunter2".to_owned()),
            _ => Err(VarError::NotPresent),
        };
        let config = Config::parse("hookcast.yaml", text, Path::new(""), &variable)
            .unwrap_or_else(|errors| panic!("{errors}"));
        let shown = summary(Path::new("hookcast.yaml"), &config);
        assert!(!shown.contains("hunter2"));
        assert!(!format!("{config:?}").contains("sasl.password\": \"hunter2"));
        insta::assert_snapshot!(shown);
    }
}
