//! The program as it is called: exit statuses, what goes to which stream, and what never does.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const SECRET: &str = "hunter2-very-secret";

const GOOD: &str = r#"kafka:
  bootstrap.servers: localhost:9092
  group.id: hookcast
  sasl.password: ${CRM_SECRET}
sources:
  web: { topics: [events.web] }
destinations:
  crm:
    shared_secret: ${CRM_SECRET}
    actions:
      signups:
        trigger: type = "track" and event = "Signed Up"
        url: https://user:${CRM_SECRET}@crm.example.com/hooks?key=${CRM_SECRET}
        headers: { Authorization: "Bearer ${CRM_SECRET}" }
"#;

/// A directory with a configuration in it.
fn directory_with(configuration: &str) -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a directory can be made");
    let path = directory.path().join("hookcast.yaml");
    fs::write(&path, configuration).expect("a file can be written");
    (directory, path)
}

fn hookcast() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookcast"));
    command.env_remove("HOOKCAST_CONFIG").env_remove("RUST_LOG").env("CRM_SECRET", SECRET);
    command
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout is UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("stderr is UTF-8")
}

fn assert_keeps_its_secret(output: &Output) {
    assert!(!out(output).contains(SECRET), "{}", out(output));
    assert!(!err(output).contains(SECRET), "{}", err(output));
}

#[test]
fn check_of_a_good_configuration_says_what_would_run() {
    let (directory, _) = directory_with(GOOD);
    let output = hookcast().arg("check").current_dir(&directory).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("action signups"), "{}", out(&output));
    assert_eq!(err(&output), "");
    assert_keeps_its_secret(&output);
}

#[test]
fn check_of_a_bad_configuration_says_everything_that_is_wrong() {
    let bad =
        GOOD.replace("headers:", "heders:").replace("\"track\" and", "\"track\" ${CRM_SECRET} and");
    let (_directory, path) = directory_with(&bad);
    let output = hookcast().arg("check").arg("--config").arg(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(out(&output), "");
    let said = err(&output);
    assert!(
        said.contains(&format!("{}:14:9: destinations.crm.actions.signups: ", path.display())),
        "{said}"
    );
    assert!(said.contains("did you mean `headers`?"), "{said}");
    assert!(said.contains(&format!("{}:12:", path.display())), "{said}");
    assert!(said.contains("2 errors in"), "{said}");
    assert_keeps_its_secret(&output);
}

#[test]
fn warnings_go_to_stderr_and_are_no_failure() {
    let (_directory, path) = directory_with(&GOOD.replace("https:", "http:"));
    let output = hookcast().arg("check").env("HOOKCAST_CONFIG", &path).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(err(&output).starts_with("warning: "), "{}", err(&output));
    assert!(err(&output).contains("destinations.crm.actions.signups.url"), "{}", err(&output));
}

#[test]
fn strict_takes_warnings_for_errors() {
    let strict = |configuration: &str| {
        let (_directory, path) = directory_with(configuration);
        hookcast().args(["check", "--strict", "-c"]).arg(&path).output().unwrap()
    };
    let output = strict(GOOD);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let warned = GOOD.replace("https:", "http:");
    let output = strict(&warned);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(out(&output), "");
    assert!(err(&output).starts_with("warning: "), "{}", err(&output));
    assert!(err(&output).ends_with("\n1 warning, and --strict was given\n"), "{}", err(&output));
    let output = strict(&warned.replace("\"track\" and", "track and"));
    assert!(err(&output).ends_with("\n2 warnings, and --strict was given\n"), "{}", err(&output));
    assert_keeps_its_secret(&output);
}

#[test]
fn a_variable_that_is_not_set_is_an_error() {
    let (_directory, path) = directory_with(GOOD);
    let output =
        hookcast().arg("-c").arg(&path).arg("check").env_remove("CRM_SECRET").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("the environment variable `CRM_SECRET` is not set"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_configuration_that_is_not_there_is_an_error() {
    for command in [
        &["check"][..],
        &["run"],
        &["progress"],
        &["dead-letters", "list"],
        &["dead-letters", "redrive"],
    ] {
        let file = ["-c", "/nowhere/hookcast.yaml"];
        let output = hookcast().args(command).args(file).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            err(&output).starts_with("/nowhere/hookcast.yaml: cannot be read: no such file"),
            "{}",
            err(&output)
        );
    }
}

#[test]
fn a_bad_configuration_is_refused() {
    let (_directory, path) = directory_with("kafka: {}\n");
    for command in [&["run"][..], &["progress"], &["dead-letters", "list"]] {
        let output = hookcast().args(command).arg("-c").arg(&path).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains("the key `group.id` is missing"), "{}", err(&output));
    }
}

#[test]
fn why_it_cannot_run_is_said_once() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port on loopback");
    let port = taken.local_addr().expect("the listener is bound").port();
    let admin = format!("{GOOD}admin: {{ listen: \"127.0.0.1:{port}\" }}\n");
    let (_directory, path) = directory_with(&admin);
    let output = hookcast().arg("run").arg("-c").arg(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert_eq!(err(&output).matches("in use").count(), 1, "{}", err(&output));
}

#[test]
fn bad_usage_is_told_from_help() {
    for arguments in
        [&[][..], &["walk"], &["run", "--fast"], &["check", "--log-level", "loud"], &["run", "x"]]
    {
        let output = hookcast().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(out(&output), "", "{arguments:?}");
        assert!(!err(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn what_no_dead_letter_can_have_is_bad_usage() {
    for (arguments, expected) in [
        (&["dead-letters"][..], "Usage: hookcast dead-letters"),
        (&["dead-letters", "purge"], "unrecognized subcommand"),
        (&["dead-letters", "list", "--reason", "refused"], "invalid_payload"),
        (&["dead-letters", "list", "--status", "4o4"], "--status"),
        (&["dead-letters", "list", "--status", "42"], "100..=999"),
        (&["dead-letters", "list", "--limit", "0"], "--limit"),
        (&["dead-letters", "list", "--dry-run"], "--dry-run"),
        (&["dead-letters", "redrive", "--json"], "--json"),
        (&["dead-letters", "redrive", "--action", ""], "--action"),
        (&["dead-letters", "redrive", "--since", "yesterday"], "a duration such as `2h`"),
        (&["dead-letters", "redrive", "--since", "7d"], "write `168h`"),
    ] {
        let output = hookcast().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(out(&output), "", "{arguments:?}");
        assert!(err(&output).contains(expected), "{arguments:?}: {}", err(&output));
    }
}

#[test]
fn a_filter_that_is_none_is_bad_usage() {
    let (_directory, path) = directory_with(GOOD);
    let output = hookcast()
        .arg("check")
        .arg("-c")
        .arg(&path)
        .env("RUST_LOG", "hookcast=loud")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("RUST_LOG"), "{}", err(&output));
}

#[test]
fn help_and_version_go_to_stdout() {
    for arguments in [
        &["--help"][..],
        &["run", "--help"],
        &["check", "--help"],
        &["check", "-h"],
        &["explain", "--help"],
        &["progress", "-h"],
        &["dead-letters", "-h"],
        &["dead-letters", "list", "--help"],
        &["dead-letters", "redrive", "-h"],
        &["demo", "-h"],
    ] {
        let output = hookcast().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(out(&output).contains("Usage: hookcast"), "{}", out(&output));
        assert!(out(&output).contains("Examples:"), "{}", out(&output));
    }
    for arguments in [&["--version"][..], &["-V"], &["run", "--version"], &["check", "--version"]] {
        let output = hookcast().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(out(&output).contains(env!("CARGO_PKG_VERSION")), "{}", out(&output));
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let (_directory, path) = directory_with(GOOD);
    let mut child = hookcast()
        .arg("check")
        .arg("-c")
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().expect("stderr is piped").read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    assert_eq!(said, "");
}
