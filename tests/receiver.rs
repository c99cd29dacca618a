//! `deploy/receiver.py`, which the README and the compose file start to look at what arrives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use hookcast::secret::Secret;
use hookcast::signature::Signer;

const SECRET: &str = "s3cret";
const BODY: &str = r#"[{"type":"track","event":"Signed Up"},{"type":"page","name":"Prís"}]"#;

/// Killed on drop.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing to do about a child that cannot be killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn status(port: u16, signature: &str) -> String {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let length = BODY.len();
    write!(
        connection,
        "POST /signup HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         X-Signature: {signature}\r\nContent-Length: {length}\r\n\r\n{BODY}"
    )
    .expect("it reads");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("it answers");
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn the_receiver_to_look_at_verifies_and_shows_what_arrives() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/receiver.py");
    let mut python = Command::new("python3");
    python.arg(script).env("SECRET", SECRET).env("PORT", "0").stdout(Stdio::piped());
    let Ok(mut child) = python.spawn() else {
        eprintln!("python3 is missing: deploy/receiver.py was NOT tried");
        return;
    };
    let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
    let mut line = || lines.next().expect("it goes on").expect("it prints UTF-8");
    let _running = Running(child);
    let listening = line();
    let port = listening.strip_prefix("listening on ").and_then(|port| port.parse().ok());
    let port: u16 = port.unwrap_or_else(|| panic!("no port: {listening}"));

    let signature = Signer::new(&Secret::new(SECRET)).sign(BODY.as_bytes());
    assert_eq!(status(port, &signature), "204");
    assert_eq!(line(), "POST /signup: 2 events");
    assert_eq!(line(), r#"  {"type": "track", "event": "Signed Up"}"#);
    assert_eq!(line(), r#"  {"type": "page", "name": "Prís"}"#);
    assert_eq!(status(port, "forged"), "401");
    assert_eq!(line(), "POST /signup: NOT SIGNED by us");
}
