//! The README's "Your first webhook", line by line, as somebody types it who has just built it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{Broker, Guarded, Hookcast, Receiver, free_port, until};

/// The blocks of this kind in the section, in order, without the list's indentation.
fn blocks(section: &str, kind: &str) -> Vec<String> {
    let fence = format!("   ```{kind}\n");
    let blocks = section.split(&fence).skip(1);
    blocks
        .map(|block| {
            let (inside, _) = block.split_once("   ```\n").expect("every fence is closed");
            inside.lines().flat_map(|line| [line.get(3..).unwrap_or(""), "\n"]).collect()
        })
        .collect()
}

fn write_script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("a script is written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it may be run");
}

#[test]
fn the_first_webhook_of_the_readme_arrives() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).expect("there is a README");
    let (_, section) = readme.split_once("\n## Your first webhook").expect("it has the section");
    let (section, _) = section.split_once("\n## ").expect("it is not the last one");
    let [configuration] = &blocks(section, "yaml")[..] else { panic!("one configuration") };
    let [check, run, write_and_look] = &blocks(section, "sh")[..] else { panic!("three steps") };

    let broker = Broker::shared();
    broker.create_topic("events", 1, &[]);
    let receiver = Receiver::start(Some("s3cret"));

    // What is not of this machine: the addresses. `make build` gives the program under test, and
    // Kafka's console producer is on the path.
    let admin_port = free_port();
    let here = |text: &str| {
        text.replace("localhost:9092", &broker.bootstrap())
            .replace("localhost:9464", &format!("127.0.0.1:{admin_port}"))
    };
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let bin = folder.path().join("bin");
    fs::create_dir_all(&bin).expect("a folder for programs");
    fs::create_dir_all(folder.path().join("target/release")).expect("a folder for the program");
    let program = Path::new(env!("CARGO_BIN_EXE_hookcast"));
    symlink(program, folder.path().join("built")).expect("a link");
    write_script(
        &bin.join("make"),
        "[ \"$*\" = build ] && ln -fs ../../built target/release/hookcast",
    );
    let producer = Broker::tool("org.apache.kafka.tools.ConsoleProducer");
    write_script(&bin.join("kafka-console-producer.sh"), &format!("exec {producer} \"$@\""));
    let permission = "egress: { allow_private: true }";
    assert!(section.contains(permission), "it says how a receiver on this machine is permitted");
    let configuration = format!(
        "{}\n{permission}\nadmin: {{ listen: '127.0.0.1:{admin_port}' }}\n",
        here(configuration)
    );
    fs::write(folder.path().join("hookcast.yaml"), configuration).expect("it is written");

    let typed = |lines: &str| {
        let [folder, bin] = [folder.path(), &bin].map(Path::display);
        let here =
            format!("export PATH='{bin}':\"$PATH\"\nunset HOOKCAST_CONFIG RUST_LOG\ncd '{folder}'");
        format!("set -eu\n{here}\n{check}\n{lines}")
    };
    let said = |script: &str| {
        let output = Command::new("/bin/sh").args(["-c", script]).output().expect("a shell starts");
        let [said, complained] = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert!(output.status.success(), "{script}\n{said}{complained}");
        said
    };

    assert!(said(&typed("")).contains("hookcast.yaml is valid"));

    let log = folder.path().join("run.log");
    let script = typed(&format!("export CRM_URL={}\nexec {run}", receiver.url("/hooks/signup")));
    let process = Guarded::start(Path::new("/bin/sh"), ["-c", &script], &log, None);
    let mut hookcast = Hookcast::of(process, admin_port, log);
    hookcast.wait_ready();

    let (write, look) = write_and_look.split_once("curl ").expect("it is looked at with curl");
    said(&typed(&here(write)));
    receiver.wait_accepted("/hooks/signup", 1);
    let [request] = &receiver.requests("/hooks/signup")[..] else { panic!("one request") };
    assert!(write.contains(request.text()), "{}", request.text());

    let has_curl = Command::new("curl").arg("--version").output().is_ok();
    if !has_curl {
        eprintln!("curl is missing: the README's last line was NOT tried, its URL was asked");
    }
    let look = typed(&here(&format!("curl {look}")));
    let counted = "hookcast_events_delivered_total{action=\"signups\",destination=\"crm\"} 1";
    until("the delivery to be counted", || {
        let seen = if has_curl {
            said(&look)
        } else {
            hookcast.ask("/metrics").map_err(|error| error.to_string())?.1
        };
        if seen.contains(counted) { Ok(()) } else { Err(seen) }
    });
    hookcast.stop();
}
