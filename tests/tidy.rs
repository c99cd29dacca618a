//! What keeps the house in order and no compiler checks: the two halves, the direction of imports,
//! the size of files, and a few words that have no place here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The longest a file may be. A longer one is usually two ideas.
const LONGEST: usize = 400;

/// The modules that decide and do nothing else: they are told the time, and draw no lots.
const PURE: &[&str] = &[
    "batch",
    "dead_letter",
    "debt",
    "disguise",
    "event",
    "kept",
    "explanation",
    "gate",
    "gates",
    "lane",
    "lanes",
    "letters",
    "lost",
    "mapping",
    "offsets",
    "original",
    "parked",
    "patience",
    "pipeline",
    "plan",
    "progress",
    "provenance",
    "rate",
    "record",
    "request",
    "retention",
    "retry",
    "routing",
    "runs",
    "secret",
    "signature",
    "slice",
    "spec",
    "spelling",
    "standard_webhooks",
    "standing",
    "trigger",
    "verdict",
    "watchdog",
];

/// What the pure modules name nowhere, in their own code as in their imports.
const IMPURE_WORDS: [&str; 7] =
    ["fastrand", "hyper", "prometheus", "rdkafka", "rustls", "tokio", "tracing"];
const IMPURE_PATHS: [&str; 4] = ["Instant::now", "SystemTime::now", "std::net", "std::thread"];

/// Who may know the configuration file. Everyone else gets a plan.
const KNOW_THE_CONFIGURATION: [&str; 5] = ["cli", "config", "demo", "main", "service"];

/// Words of work that is not done, of tests that are not run, and of waiting in the dark.
const UNFINISHED: [&str; 5] = ["todo!", "unimplemented!", "dbg!", "#[ignore", "thread::sleep"];

#[test]
fn no_file_is_too_long() {
    let long: Vec<_> = sources("src")
        .into_iter()
        .chain(sources("tests"))
        .chain(sources("benches"))
        .map(|source| (source.path, source.text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines:\n{}", long.join("\n"));
}

#[test]
fn the_pure_half_names_no_io_no_clock_and_no_chance() {
    let sources = sources("src");
    let gone: Vec<_> =
        PURE.iter().filter(|name| sources.iter().all(|s| s.module() != **name)).collect();
    assert!(gone.is_empty(), "listed as pure and not there: {gone:?}");

    let mut found = Vec::new();
    for source in sources.iter().filter(|source| PURE.contains(&source.module())) {
        for (number, line) in source.production().lines().enumerate() {
            let words = words(line);
            let named = IMPURE_WORDS.iter().filter(|word| words.contains(*word));
            let named = named.chain(IMPURE_PATHS.iter().filter(|path| line.contains(*path)));
            // `use std::{net::IpAddr, thread}` hides the path.
            let grouped = ["net", "thread"];
            let grouped =
                grouped.iter().filter(|word| line.contains("std::{") && words.contains(*word));
            for name in named.chain(grouped) {
                found.push(format!("{}:{}: {name}", source.path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "in the pure half:\n{}", found.join("\n"));
}

#[test]
fn only_those_who_start_a_service_know_the_configuration() {
    let imports = imports();
    let others = imports
        .iter()
        .filter(|(_, imported)| imported.contains("config"))
        .map(|(module, _)| module.as_str())
        .filter(|module| !KNOW_THE_CONFIGURATION.contains(module))
        .collect::<Vec<_>>();
    assert!(others.is_empty(), "these import crate::config: {others:?}");
}

#[test]
fn imports_form_no_circle() {
    let imports = imports();
    let mut done = BTreeSet::new();
    for module in imports.keys() {
        if let Some(circle) = circle_from(module, &imports, &mut Vec::new(), &mut done) {
            panic!("modules import each other in a circle: {}", circle.join(" -> "));
        }
    }
}

#[test]
fn nothing_is_left_undone() {
    let mut found = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")).chain(sources("benches")) {
        for (number, line) in source.code.lines().enumerate() {
            let words = UNFINISHED.iter().filter(|word| line.contains(*word));
            found.extend(
                words.map(|word| format!("{}:{}: {word}", source.path.display(), number + 1)),
            );
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// One file of this crate.
struct Source {
    /// Where it is, from the root of the repository.
    path: PathBuf,
    text: String,
    /// The text with comments and the insides of strings blanked out, line for line.
    code: String,
}

impl Source {
    /// The top-level module it belongs to.
    fn module(&self) -> &str {
        let name = self.path.components().nth(1).and_then(|name| name.as_os_str().to_str());
        name.map_or("", |name| name.trim_end_matches(".rs"))
    }

    /// How deep in modules its own code stands: 1 for `event`, 2 for `event::path`.
    fn depth(&self) -> usize {
        let is_mod = self.path.file_name().is_some_and(|name| name == "mod.rs");
        self.path.components().count() - 1 - usize::from(is_mod)
    }

    /// The code without unit tests, which stand at the bottom of a file or in one of their own.
    fn production(&self) -> &str {
        let is_tests = self
            .path
            .components()
            .any(|part| part.as_os_str().to_string_lossy().starts_with("tests"));
        if is_tests {
            return "";
        }
        let end = self.code.match_indices("#[cfg(test)]").map(|(at, _)| at);
        let inline = |at: &usize| {
            let item = self.code[*at..].lines().nth(1).unwrap_or_default();
            item.trim_start().starts_with("mod ") && item.contains('{')
        };
        &self.code[..end.into_iter().find(inline).unwrap_or(self.code.len())]
    }
}

/// Every Rust file under a folder of the repository.
fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("source files are UTF-8");
                let code = without_comments_and_strings(&text);
                let path = path.strip_prefix(root).expect("it was found there").to_owned();
                found.push(Source { path, text, code });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// For every top-level module, the other top-level modules that it names.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let sources = sources("src");
    let modules: BTreeSet<_> =
        sources.iter().map(Source::module).filter(|name| *name != "lib").collect();
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.module() != "lib") {
        let code = source.production();
        // From the depth d, `super` d times is the root.
        let root = format!("{}::", vec!["super"; source.depth()].join("::"));
        let named =
            ["crate::", root.as_str()].into_iter().flat_map(|prefix| heads_after(code, prefix));
        let others =
            named.filter(|name| name != source.module() && modules.contains(name.as_str()));
        imports.entry(source.module().to_owned()).or_default().extend(others);
    }
    imports
}

/// The first segment of every path that goes on after `prefix`: of `crate::a::X` and
/// `crate::{a::X, b}` these are `a`, and `a` and `b`.
fn heads_after(code: &str, prefix: &str) -> Vec<String> {
    let mut heads = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|before| is_word(before) || before == ':' || before == '$') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            heads.push(first_word(rest));
            continue;
        };
        let mut depth = 1;
        let mut item = String::new();
        for character in group.chars() {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 || (depth == 1 && character == ',') {
                heads.push(first_word(&item));
                item.clear();
            } else {
                item.push(character);
            }
            if depth == 0 {
                break;
            }
        }
    }
    heads
}

/// A way from a module back to one that is on the way already.
fn circle_from(
    module: &str,
    imports: &BTreeMap<String, BTreeSet<String>>,
    way: &mut Vec<String>,
    done: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if let Some(at) = way.iter().position(|other| other == module) {
        let mut circle = way[at..].to_vec();
        circle.push(module.to_owned());
        return Some(circle);
    }
    if done.contains(module) {
        return None;
    }
    way.push(module.to_owned());
    let circle = imports
        .get(module)
        .into_iter()
        .flatten()
        .find_map(|next| circle_from(next, imports, way, done));
    way.pop();
    done.insert(module.to_owned());
    circle
}

/// The text with comments and the insides of strings and characters blanked out. Lines stay.
fn without_comments_and_strings(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let follows_word = code.chars().next_back().is_some_and(is_word);
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(end) = raw_string_end(rest).filter(|_| !follows_word) {
            end
        } else if first == '"' {
            quoted_end(rest, '"')
        } else if first == '\'' && is_character(rest) {
            quoted_end(rest, '\'')
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.extend(
            rest[..length].chars().map(|character| if character == '\n' { '\n' } else { ' ' }),
        );
        rest = &rest[length..];
    }
    code
}

/// Where a raw string ends, if one begins here.
fn raw_string_end(rest: &str) -> Option<usize> {
    let hashes = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let fence = hashes.len() - hashes.trim_start_matches('#').len();
    let body = hashes[fence..].strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(fence));
    let begin = rest.len() - body.len();
    Some(body.find(&closing).map_or(rest.len(), |end| begin + end + closing.len()))
}

/// Where a literal ends that begins here with `quote`.
fn quoted_end(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == quote {
            return at + 1;
        }
    }
    rest.len()
}

/// Whether this is a character, and no lifetime.
fn is_character(rest: &str) -> bool {
    let mut characters = rest.chars().skip(1);
    characters.next() == Some('\\') || characters.next() == Some('\'')
}

fn words(line: &str) -> BTreeSet<&str> {
    line.split(|character| !is_word(character)).filter(|word| !word.is_empty()).collect()
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|character| is_word(*character)).collect()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

mod tests {
    use std::collections::BTreeSet;

    use super::{circle_from, heads_after, without_comments_and_strings};

    #[test]
    fn the_first_segments_of_imports_are_found() {
        let code = "use crate::a::X; use crate::{b::{c, d}, e as f,\n g}; let x = crate::h::i(); $crate::no; mycrate::no;";
        assert_eq!(heads_after(code, "crate::"), ["a", "b", "e", "g", "h"]);
        assert_eq!(heads_after("use super::super::a; use super::b;", "super::super::"), ["a"]);
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        let text = "a // b\n/* c\n */ d \"e\\\"f\" 'g' '\\'' &'h r#\"i\"j\"# k br\"l\" m";
        let code = without_comments_and_strings(text);
        let left: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(left, "a d &'h k m");
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn a_circle_is_found_and_told() {
        let imports = [("a", vec!["b"]), ("b", vec!["c", "d"]), ("c", vec![]), ("d", vec!["b"])];
        let imports = imports.map(|(module, others)| {
            (module.to_owned(), others.into_iter().map(str::to_owned).collect())
        });
        let circle = circle_from("a", &imports.into(), &mut Vec::new(), &mut BTreeSet::default());
        assert_eq!(circle.expect("a circle"), ["b", "d", "b"]);
    }
}
