//! The configuration as its users meet it: what is refused and in which words, what is accepted,
//! and where errors point.

mod accepted;
mod not_meant;
mod places;
mod refused;
mod refused_requests;
mod warned;
mod worth_reading;

use std::env::VarError;
use std::path::Path;

use super::{Config, Errors};

/// A configuration with nothing but what is required.
const SMALLEST: &str = r#"kafka:
  bootstrap.servers: localhost:9092
  group.id: hookcast
sources:
  web: { topics: [events.web] }
destinations:
  crm:
    actions:
      signups:
        trigger: type = "track" and event = "Signed Up"
        url: https://crm.example.com/hooks/signup
"#;

/// A trigger's line in the smallest configuration.
const TRIGGER: &str = r#"trigger: type = "track" and event = "Signed Up""#;
/// A URL's line in the smallest configuration.
const URL: &str = "url: https://crm.example.com/hooks/signup";

/// The URL with more lines of its action.
fn with(lines: &str) -> String {
    format!("{URL}\n        {lines}")
}

fn parse(text: &str) -> Result<Config, Errors> {
    let variable = |name: &str| match name {
        "SECRET" => Ok("hunter2".to_owned()),
        "EMPTY" => Ok(String::new()),
        "TOPIC" => Ok("events.web".to_owned()),
        "NUMBER" => Ok("7".to_owned()),
        "HOST" => Ok("crm.example.com".to_owned()),
        _ => Err(VarError::NotPresent),
    };
    Config::parse("hookcast.yaml", text, Path::new("tests"), &variable)
}

/// The configuration that is read from the smallest one with `from` replaced by `to`.
fn accept(from: &str, to: &str) -> Config {
    parse(&edited(from, to)).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What is said about the smallest configuration with `from` replaced by `to`.
fn refuse(from: &str, to: &str) -> String {
    match parse(&edited(from, to)) {
        Err(errors) => errors.to_string(),
        Ok(_) => panic!("accepted: {to}"),
    }
}

/// What is said about the smallest configuration with `more` at its end.
fn refuse_more(more: &str) -> String {
    refuse("hooks/signup\n", &format!("hooks/signup\n{more}\n"))
}

fn accept_more(more: &str) -> Config {
    accept("hooks/signup\n", &format!("hooks/signup\n{more}\n"))
}

fn edited(from: &str, to: &str) -> String {
    assert!(SMALLEST.contains(from), "{from}");
    SMALLEST.replacen(from, to, 1)
}
