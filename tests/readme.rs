//! What the documents say, tried: configurations, commands, links, examples and snippets.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hookcast::config::Config;
use hookcast::event::Fields;
use hookcast::request;
use serde_json::Value;
use tempfile::TempDir;

/// Stands in for every environment variable and every secret file of an example.
const ANY_VALUE: &str = "https://example.com/anything";
const KAFKA: &str = "kafka: { bootstrap.servers: 'localhost:9092', group.id: example }\n";
const SOURCES: &str = "sources: { web: { topics: [events] } }\n";
const DESTINATION: &str = "destinations:\n  example:\n";
const TRIGGER: &str = "        trigger: type = \"track\"\n";
const URL: &str = "        url: https://example.com\n";

/// A fenced block of a document.
struct Block {
    /// File and line.
    place: String,
    /// What stands behind the fence: `yaml`, `sh`, …
    kind: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file of a folder of the repository whose name ends like this, in order.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("the entry can be read").path());
    let mut paths: Vec<_> = paths
        .filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ending))
        })
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder} holds no {ending}");
    paths
}

fn documents() -> Vec<PathBuf> {
    [files(".", ".md"), files("docs", ".md")].concat()
}

fn blocks(document: &Path) -> Vec<Block> {
    let mut blocks = Vec::new();
    let text = read(document);
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(kind) = line.trim_start().strip_prefix("```") else { continue };
        let indentation = line.len() - line.trim_start().len();
        let inside = lines.by_ref().map(|(_, line)| line);
        let inside = inside.take_while(|line| !line.trim_start().starts_with("```"));
        let inside = inside.flat_map(|line| [line.get(indentation..).unwrap_or(""), "\n"]);
        blocks.push(Block {
            place: format!("{}:{}", document.display(), number + 1),
            kind: kind.to_owned(),
            text: inside.collect(),
        });
    }
    blocks
}

fn has_key(text: &str, key: &str) -> bool {
    text.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))
}

fn indented(text: &str, by: usize) -> String {
    let blanks = " ".repeat(by);
    text.lines().flat_map(|line| [&*blanks, line, "\n"]).collect()
}

/// A whole configuration around a block, by where its first key belongs: what is missing of the
/// sections every configuration needs, of a destination, or of an action is put in.
fn whole(block: &Block) -> String {
    let text = &block.text;
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let key = first.and_then(|line| line.split(':').next()).unwrap_or_default();
    let around = |text: &str, has_destinations: bool| {
        let missing = |key, section| if has_key(text, key) { "" } else { section };
        let [kafka, sources] = [missing("kafka", KAFKA), missing("sources", SOURCES)];
        let action = format!("{DESTINATION}    actions:\n      example:\n{TRIGGER}{URL}");
        let destinations = if has_destinations { "" } else { &*action };
        format!("{text}{kafka}{sources}{destinations}")
    };
    match key {
        "kafka" | "admin" | "sources" | "destinations" | "delivery" | "topics" | "egress"
        | "limits" | "shutdown_timeout" => around(text, has_key(text, "destinations")),
        "actions" => around(&format!("{DESTINATION}{}", indented(text, 4)), true),
        "trigger" | "url" | "headers" | "data" | "batch" => {
            let trigger = if has_key(text, "trigger") { "" } else { TRIGGER };
            let url = if has_key(text, "url") { "" } else { URL };
            let action = format!("{}{trigger}{url}", indented(text, 8));
            around(&format!("{DESTINATION}    actions:\n      example:\n{action}"), true)
        }
        _ => panic!("{}: a configuration does not begin with {key:?}", block.place),
    }
}

/// The configuration inside a `ConfigMap`.
fn inside_config_map(manifests: &str) -> String {
    let mut lines = manifests.lines().skip_while(|line| line.trim() != "hookcast.yaml: |").skip(1);
    let inside = lines.by_ref().take_while(|line| line.is_empty() || line.starts_with("    "));
    inside.flat_map(|line| [line.get(4..).unwrap_or(""), "\n"]).collect()
}

fn hookcast() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookcast"));
    command.env_remove("HOOKCAST_CONFIG").env_remove("RUST_LOG");
    command
}

/// `hookcast check` has nothing to say against it: no error, and no warning either.
fn assert_is_right(place: &str, configuration: &str) {
    let folder = TempDir::new().expect("a folder can be made");
    let secrets = format!("{}/", folder.path().display());
    for name in configuration.split("${file:/run/secrets/").skip(1) {
        let name = name.split('}').next().unwrap_or_default();
        fs::write(folder.path().join(name), ANY_VALUE).expect("a file can be written");
    }
    let configuration = configuration.replace("/run/secrets/", &secrets);
    let path = folder.path().join("hookcast.yaml");
    fs::write(&path, &configuration).expect("a file can be written");
    let mut check = hookcast();
    check.arg("check").current_dir(&folder);
    for name in configuration.split("${").skip(1) {
        let name = name.split(['}', ':']).next().unwrap_or_default();
        if name != "file" {
            check.env(name, ANY_VALUE);
        }
    }
    let output = check.output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{place}\n{configuration}\n{said}");
}

#[test]
fn every_configuration_in_the_documents_is_right() {
    let mut checked = 0;
    for document in documents() {
        for block in blocks(&document).iter().filter(|block| block.kind == "yaml") {
            assert_is_right(&block.place, &whole(block));
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked}");
}

#[test]
fn every_configuration_to_deploy_is_right() {
    let configurations: Vec<_> = files("deploy", ".yaml")
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name != "kubernetes.yaml"))
        .collect();
    assert!(configurations.len() >= 2, "{configurations:?}");
    for path in configurations {
        assert_is_right(&path.display().to_string(), &read(&path));
    }
    let inside = inside_config_map(&read(&root().join("deploy/kubernetes.yaml")));
    assert!(inside.starts_with("kafka:"), "{inside}");
    assert_is_right("deploy/kubernetes.yaml", &inside);
}

/// Everything that is written as code: inside backticks, and the lines of shell blocks.
fn code(document: &Path) -> Vec<String> {
    let text = read(document);
    let mut code = Vec::new();
    let mut is_fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced {
            code.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    let shell = blocks(document).into_iter().filter(|block| block.kind == "sh");
    code.extend(shell.flat_map(|block| block.text.lines().map(str::to_owned).collect::<Vec<_>>()));
    code
}

fn help(arguments: &[&str]) -> String {
    let output = hookcast().args(arguments).arg("--help").output().expect("the program starts");
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).expect("help is UTF-8")
}

#[test]
fn every_command_in_the_documents_exists() {
    let top = help(&[]);
    let (_, commands) = top.split_once("Commands:").expect("help lists commands");
    let (commands, _) = commands.split_once("Options:").expect("help lists options");
    let commands: BTreeSet<_> =
        commands.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let mut seen = 0;
    for document in documents() {
        for line in code(&document) {
            let mut words = line.split_whitespace();
            if words.next() != Some("hookcast") {
                continue;
            }
            let Some(command) = words.next() else { continue };
            let place = format!("{}: {line}", document.display());
            if command.starts_with('-') {
                assert!(top.contains(command), "{place}");
                continue;
            }
            assert!(commands.contains(command), "{place}");
            let mut help = help(&[command]);
            let mut words = words.take_while(|word| !matches!(*word, "|" | "#")).peekable();
            if let Some(part) = words.next_if(|_| help.contains("\nCommands:")) {
                assert!(help.contains(&format!("\n  {part} ")), "{place}");
                help = self::help(&[command, part]);
            }
            for option in words.filter(|word| word.starts_with('-')) {
                assert!(help.contains(option), "{place}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen}");
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[test]
fn every_link_into_the_repository_leads_somewhere() {
    let mut followed = 0;
    for document in documents() {
        for target in read(&document).split("](").skip(1) {
            let target = target.split(')').next().unwrap_or_default();
            if target.starts_with("http") {
                continue;
            }
            let (file, section) = target.split_once('#').unwrap_or((target, ""));
            let folder = document.parent().expect("a file is in a folder");
            let path = if file.is_empty() { document.clone() } else { folder.join(file) };
            let place = format!("{}: {target}", document.display());
            assert!(path.exists(), "{place}");
            if !section.is_empty() {
                let text = read(&path);
                let headings = text.lines().filter(|line| line.starts_with('#'));
                let mut anchors =
                    headings.map(|line| anchor(line.trim_start_matches('#').trim_start()));
                assert!(anchors.any(|known| known == section), "{place}");
            }
            followed += 1;
        }
    }
    assert!(followed > 10, "{followed}");
}

fn parsed(place: &str, configuration: &str) -> Config {
    let variable = |_: &str| Ok(ANY_VALUE.to_owned());
    Config::parse(place, configuration, root(), &variable)
        .unwrap_or_else(|errors| panic!("{place}: {errors}\n{configuration}"))
}

#[test]
fn examples_of_triggers_and_mappings_do_what_the_page_says() {
    let page = blocks(&root().join("docs/triggers-and-mappings.md"));
    let record = &page.iter().find(|block| block.kind == "json").expect("there is an event").text;
    let mut fields = Fields::new();
    let (mut triggers, mut mappings) = (0, 0);
    for (index, block) in page.iter().enumerate() {
        if let Some(expected) = block.kind.strip_prefix("fql ") {
            for trigger in block.text.lines() {
                let trigger = format!("trigger: |\n  {trigger}\n");
                let block =
                    Block { place: block.place.clone(), kind: String::new(), text: trigger };
                let config = parsed(&block.place, &whole(&block));
                let event = fields.read(record.as_bytes(), &config.plan.paths).expect("an event");
                let matches = config.plan.triggers[0].matches(event);
                assert_eq!(matches, expected == "match", "{}", block.text);
                triggers += 1;
            }
        }
        let result = page.get(index + 1).filter(|next| next.kind == "json");
        if let Some(result) = result.filter(|_| block.kind == "yaml") {
            let config = parsed(&block.place, &whole(block));
            let event = fields.read(record.as_bytes(), &config.plan.paths).expect("an event");
            let mut room = Vec::new();
            let payload = request::payload(&config.plan.actions[0].request.data, event, &mut room);
            let payload = payload.unwrap_or_else(|error| panic!("{}: {error}", block.place));
            let [payload, expected]: [Value; 2] = [payload, result.text.as_bytes()]
                .map(|text| serde_json::from_slice(text).expect("it is JSON"));
            assert_eq!(payload, expected, "{}", block.place);
            mappings += 1;
        }
    }
    assert!(triggers > 15 && mappings >= 4, "{triggers} triggers, {mappings} mappings");
}

#[test]
fn the_tests_that_the_architecture_names_exist() {
    let mut folders = vec![root().join("src"), root().join("tests")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(read(&path));
            }
        }
    }
    let code = code(&root().join("ARCHITECTURE.md"));
    let names = code.iter().filter(|name| name.matches('_').count() >= 3 && !name.contains("rd_"));
    let names: Vec<_> = names.collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let definition = format!("fn {name}()");
        assert!(sources.iter().any(|source| source.contains(&definition)), "{name}");
    }
}

#[test]
fn the_readme_lists_the_metrics_that_there_are() {
    let source = read(&root().join("src/metrics.rs"));
    let (_, constructor) = source.split_once("pub fn new(plan").expect("metrics are made in new");
    let calls = ["counter(", "counters(", "gauge(", "gauges(", "histograms(", "Opts::new("];
    let mut there = BTreeSet::new();
    for call in calls {
        for after in constructor.split(call).skip(1) {
            if let Some(quoted) = after.trim_start().strip_prefix('"') {
                there.extend(quoted.split('"').next());
            }
        }
    }
    let readme = read(&root().join("README.md"));
    let (_, table) = readme.split_once("\n## Metrics").expect("the README lists metrics");
    let rows = table.lines().take_while(|line| !line.starts_with("Worth"));
    let rows: Vec<_> = rows.filter(|line| line.starts_with("| `")).collect();
    let names = rows.iter().filter_map(|row| row.split('|').nth(1));
    let names = names.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let listed: BTreeSet<_> = names.filter_map(|name| name.split('{').next()).collect();
    assert_eq!(listed, there);
}
