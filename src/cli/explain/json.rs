//! Explanations as one JSON array, for programs.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::send::{Answer, Answered};
use super::shown::{Request, Shown, Verdict};

/// Writes one array, an element for each line.
pub(super) struct Json<W> {
    out: W,
    /// How many elements were written.
    written: usize,
}

impl<W: Write> Json<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, written: 0 }
    }

    /// Adds an element. `event` is the event's number where there are several, and `answer` what
    /// came of its request.
    pub(super) fn add(
        &mut self,
        event: Option<usize>,
        shown: &Shown<'_>,
        answer: Option<&Answer>,
    ) -> io::Result<()> {
        let mut element = Map::new();
        if let Some(number) = event {
            element.insert("event".into(), number.into());
        }
        element.insert("destination".into(), (*shown.action.destination_name).into());
        element.insert("action".into(), (*shown.action.name).into());
        let matches = !matches!(shown.verdict, Verdict::Unowed { .. });
        element.insert("matches".into(), matches.into());
        let (key, value) = match &shown.verdict {
            Verdict::Unowed { because, .. } => ("because", because.to_string().into()),
            Verdict::Unsendable { reason, message } => {
                ("error", json!({ "reason": reason.as_str(), "message": message }))
            }
            Verdict::Owed(request) => ("request", of_request(request)),
        };
        element.insert(key.into(), value);
        if let Some(answer) = answer {
            element.insert("response".into(), of_answer(answer));
        }
        let before = if self.written == 0 { "[\n" } else { ",\n" };
        self.written += 1;
        write!(self.out, "{before}{}", Value::Object(element))
    }

    /// Closes the array.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.out.write_all(if self.written == 0 { b"[]\n" } else { b"\n]\n" })?;
        self.out.flush()
    }
}

fn of_request(request: &Request) -> Value {
    json!({
        "method": request.method,
        "url": request.url,
        "headers": of_headers(&request.headers),
        "body": request.body,
    })
}

fn of_answer(answer: &Answer) -> Value {
    let verdict = answer.verdict.as_str();
    match &answer.answered {
        Answered::Reply { status, headers, body, is_cut } => {
            let mut value = json!({
                "status": status,
                "headers": of_headers(headers),
                "body": body,
                "verdict": verdict,
            });
            if *is_cut {
                value["body_is_cut"] = true.into();
            }
            value
        }
        Answered::Nothing { error } => json!({ "error": error, "verdict": verdict }),
    }
}

fn of_headers(headers: &[(String, String)]) -> Value {
    let entries = headers.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
    Value::Object(entries.collect())
}
