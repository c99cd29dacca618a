//! Explanations for people.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::Tally;
use super::marked;
use super::send::{Answer, Answered};
use super::shown::{Request, Shown, Verdict};
use crate::cli::colours::{Colour, painted};
use crate::explanation::Because;
use crate::trigger::Reason;
use crate::verdict;

/// The most parts of a trigger that are explained one by one.
const MOST_REASONS: usize = 5;

/// Writes explanations one after the other.
pub(super) struct Human<W> {
    out: W,
    has_colours: bool,
}

impl<W: Write> Human<W> {
    pub(super) fn new(out: W, has_colours: bool) -> Self {
        Self { out, has_colours }
    }

    /// What follows is about this one of several events.
    pub(super) fn event(
        &mut self,
        number: usize,
        of: usize,
        line: usize,
        call: Option<&str>,
    ) -> io::Result<()> {
        let title = format!("event {number} of {of}, line {line}");
        let title = painted(&title, Colour::Strong, self.has_colours);
        let call = call.map(|call| format!(": {}", printable(call))).unwrap_or_default();
        writeln!(self.out, "{title}{call}\n")
    }

    /// What would become of the event for one action. `curl` is put in front of nothing: its
    /// lines are those of the shell.
    pub(super) fn action(&mut self, shown: &Shown<'_>, curl: Option<&str>) -> io::Result<()> {
        let name = format!("{}/{}", shown.action.destination_name, shown.action.name);
        let name = painted(&name, Colour::Strong, self.has_colours);
        let mut text = String::new();
        match &shown.verdict {
            Verdict::Unowed { because: Because::Trigger(reasons), places } => {
                let cross = painted("✗", Colour::Bad, self.has_colours);
                let _ = writeln!(text, "{cross} {name} does not match");
                self.write_trigger(&mut text, shown.trigger, reasons, places);
            }
            Verdict::Unowed { because, .. } => {
                let cross = painted("✗", Colour::Bad, self.has_colours);
                let because = printable(&because.to_string());
                let _ = writeln!(text, "{cross} {name} does not get it: {because}");
            }
            Verdict::Unsendable { reason, message } => {
                let mark = painted("!", Colour::Bad, self.has_colours);
                let message = printable(message);
                let _ = writeln!(text, "{mark} {name} matches, but it cannot be sent");
                let _ =
                    writeln!(text, "    {}: {message}; it would be dead-lettered", reason.as_str());
            }
            Verdict::Owed(request) => {
                let mark = painted("✓", Colour::Good, self.has_colours);
                let paused =
                    if shown.action.paused { " (it is paused: the event would wait)" } else { "" };
                let _ = writeln!(text, "{mark} {name} matches{paused}");
                self.write_trigger(&mut text, shown.trigger, &[], &[]);
                write_request(&mut text, request);
                let _ = writeln!(text, "\n{}", curl.unwrap_or_default());
            }
        }
        writeln!(self.out, "{text}")
    }

    /// Shows what was written so far: what follows takes its time.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn write_trigger(
        &self,
        text: &mut String,
        trigger: &str,
        reasons: &[Reason],
        places: &[std::ops::Range<usize>],
    ) {
        let mut lines = marked::lines(trigger, places);
        if let [reason] = reasons
            && let Some(last) = lines.iter_mut().rfind(|line| !line.marks.is_empty())
        {
            last.marks = format!("{} {}", last.marks, printable(&in_words(reason)));
        }
        for line in &lines {
            let _ = writeln!(text, "    {}", painted(&line.text, Colour::Faint, self.has_colours));
            if !line.marks.is_empty() {
                let _ =
                    writeln!(text, "    {}", painted(&line.marks, Colour::Bad, self.has_colours));
            }
        }
        if reasons.len() > 1 {
            for reason in reasons.iter().take(MOST_REASONS) {
                let _ = writeln!(text, "    {}", printable(&reason.to_string()));
            }
            if reasons.len() > MOST_REASONS {
                let _ = writeln!(text, "    … and {} parts more", reasons.len() - MOST_REASONS);
            }
        }
    }

    /// What came of the request that was explained last.
    pub(super) fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        let mut text = String::new();
        let (colour, meaning) = match answer.verdict {
            verdict::Verdict::Accept => (Colour::Good, "accept: delivered"),
            verdict::Verdict::Retry => {
                (Colour::Bad, "retry: the same request would be made again later")
            }
            verdict::Verdict::Split => (Colour::Bad, "split: its events would be sent one by one"),
            verdict::Verdict::Reject => (Colour::Bad, "reject: it would be dead-lettered"),
        };
        let meaning = painted(meaning, colour, self.has_colours);
        match &answer.answered {
            Answered::Reply { status, headers, body, is_cut } => {
                let _ = writeln!(text, "    answered {status}, {meaning}");
                for (name, value) in headers {
                    let _ = writeln!(text, "    {name}: {}", printable(value));
                }
                write_body(&mut text, body);
                if *is_cut {
                    let _ = writeln!(text, "    … and more");
                }
            }
            Answered::Nothing { error } => {
                let _ = writeln!(text, "    no answer, {meaning}");
                let _ = writeln!(text, "    {}", printable(error));
            }
        }
        writeln!(self.out, "{text}")
    }

    /// The last line: about one event, or about all of several.
    pub(super) fn summary(&mut self, tally: &Tally, is_sent: bool) -> io::Result<()> {
        let Tally { events, explained, matches, sent, accepted } = *tally;
        let of = |count, noun| {
            if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
        };
        let mut line = if events == 1 {
            let verb = if matches == 1 { "matches" } else { "match" };
            format!("{matches} of {} {verb}", of(explained, "action"))
        } else {
            let matches =
                if matches == 1 { "1 match".to_owned() } else { format!("{matches} matches") };
            format!("{events} events: {matches}")
        };
        if is_sent {
            let _ = write!(line, "; {accepted} of {} accepted", of(sent, "request"));
        }
        writeln!(self.out, "{}", painted(&line, Colour::Strong, self.has_colours))?;
        self.out.flush()
    }
}

/// Why the only part that decided does not hold, or does.
fn in_words(reason: &Reason) -> String {
    let text = reason.to_string();
    let whole = format!("{} is ", reason.part);
    text.strip_prefix(&whole).unwrap_or(&text).to_owned()
}

fn write_request(text: &mut String, request: &Request) {
    let _ = writeln!(text, "\n    {} {}", request.method, request.url);
    for (name, value) in &request.headers {
        let _ = writeln!(text, "    {name}: {value}");
    }
    write_body(text, &request.body);
}

/// A body after an empty line, indented.
fn write_body(text: &mut String, body: &str) {
    if body.is_empty() {
        return;
    }
    text.push('\n');
    for line in body.lines() {
        let _ = writeln!(text, "    {}", printable(line));
    }
}

/// The text without characters that would command a terminal.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\t' {
            printable.extend(character.escape_unicode());
        } else {
            printable.push(character);
        }
    }
    printable
}
