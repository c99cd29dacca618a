//! The command line that repeats a request with curl.

use std::fmt::Write as _;

use super::shown::Request;

/// The longest body that is an argument: Linux takes arguments of 128 KiB at most.
const LONGEST_ARGUMENT: usize = 96 * 1024;

/// A line for any POSIX shell; it has line breaks where the body has some.
pub(super) fn line(request: &Request, options: &[(&str, String)]) -> String {
    let mut line = format!("curl -X {} {}", request.method, quoted(&request.url));
    if request.url.contains(['[', ']', '{', '}']) {
        line.push_str(" --globoff");
    }
    for (option, value) in options {
        let _ = write!(line, " {option} {}", quoted(value));
    }
    for (name, value) in &request.headers {
        // For curl `Name:` removes a header, and `Name;` is one without a value.
        let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        let _ = write!(line, " -H {}", quoted(&header));
    }
    let body = quoted(&request.body);
    if body.len() > LONGEST_ARGUMENT {
        format!("printf %s {body} | {line} --data-binary @-")
    } else {
        format!("{line} --data-binary {body}")
    }
}

/// The text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
