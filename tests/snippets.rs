//! The README's snippets that verify a signature, tried on the conformance cases.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Runs the README's one snippet of this kind, with a few lines behind it that try it on the
/// conformance cases. Without an interpreter it says that the snippet was only found.
fn assert_verifies(interpreter: &str, kind: &str, trial: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("there is a README");
    let fence = format!("\n```{kind}\n");
    let snippets: Vec<_> = readme.split(&fence).skip(1).collect();
    let [snippet] = &snippets[..] else { panic!("one snippet in {kind}, not {}", snippets.len()) };
    let (snippet, _) = snippet.split_once("\n```\n").expect("every fence is closed");
    let folder = TempDir::new().expect("a folder can be made");
    let script = folder.path().join(format!("snippet.{kind}"));
    fs::write(&script, format!("{snippet}\n{trial}")).expect("a file can be written");
    let cases = root.join("tests/conformance/signatures.json");
    match Command::new(interpreter).arg(&script).arg(cases).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{kind}: {said}");
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "all right", "{said}");
        }
        Err(_) => eprintln!("{interpreter} is missing: the {kind} snippet was found, NOT tried"),
    }
}

#[test]
fn the_python_snippet_verifies_signatures() {
    let trial = r#"
import json, sys
for case in json.load(open(sys.argv[1])):
    body, signature, secret = case["body"].encode(), case["x_signature"], case["secret"]
    assert is_from_hookcast(body, signature, secret), case
    assert not is_from_hookcast(body + b" ", signature, secret), case
    for wrong in [signature[1:], signature.upper(), "", "\u00e9"]:
        assert not is_from_hookcast(body, wrong, secret), wrong
print("all right")
"#;
    assert_verifies("python3", "python", trial);
}

#[test]
fn the_node_snippet_verifies_signatures() {
    let trial = r#"
const assert = require("node:assert");
for (const { body, x_signature, secret } of require(process.argv[2])) {
  assert(isFromHookcast(Buffer.from(body), x_signature, secret));
  assert(!isFromHookcast(Buffer.from(body + " "), x_signature, secret));
  for (const wrong of [x_signature.slice(1), x_signature.toUpperCase(), "", "\u00e9", undefined]) {
    assert(!isFromHookcast(Buffer.from(body), wrong, secret));
  }
}
console.log("all right");
"#;
    assert_verifies("node", "js", trial);
}
