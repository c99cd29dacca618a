//! What `hookcast explain` says: what would become of an event, and why.
//!
//! Reads events, has them explained, and prints it for people or for programs; with `--send` it
//! also makes the requests. What is decided is decided elsewhere, by the code that a pipeline runs.

mod curl;
mod human;
mod input;
mod json;
mod marked;
mod send;
mod shown;

use std::io::{self, BufWriter, IsTerminal, StdoutLock};

use super::colours;
use super::options::Explain;
use crate::clock;
use crate::config::{Config, TlsFiles};
use crate::disguise::Secrets;
use crate::event::{Event, Fields, Value};
use crate::explanation::{Explainer, Explanation, Origin};
use crate::plan::ActionId;
use crate::verdict::Verdict;
use human::Human;
use input::{Input, Record};
use json::Json;
use send::{Answer, Sender};
use shown::{Showing, Shown};

/// Why there is no explanation, or only half of one.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Input(#[from] input::Error),
    #[error(transparent)]
    Send(#[from] send::Error),
    #[error("the explanation cannot be written")]
    Output(#[from] io::Error),
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Everything was explained, and everything that was sent was accepted.
    Well,
    /// Some request was not accepted.
    Refused,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    events: usize,
    explained: usize,
    matches: usize,
    sent: usize,
    accepted: usize,
}

/// Explains what was asked for, on standard output.
pub(super) fn run(config: &Config, asked: &Explain) -> Result<Ended, Error> {
    let input = Input::read(&asked.event)?;
    let sender = if asked.send { Some(Sender::new(&config.plan)?) } else { None };
    let stdout = io::stdout().lock();
    let has_colours = colours::are_wanted(stdout.is_terminal());
    let out = BufWriter::new(stdout);
    let form = if asked.json {
        Form::Json(Json::new(out))
    } else {
        Form::Human(Human::new(out, has_colours))
    };
    let secrets = if asked.show_secrets { Secrets::Shown } else { Secrets::Masked };
    let run =
        Run { config, secrets, sender, several: input.len() > 1, form, tally: Tally::default() };
    run.explain(&input, asked.topic.as_deref())
}

enum Form {
    Human(Human<BufWriter<StdoutLock<'static>>>),
    Json(Json<BufWriter<StdoutLock<'static>>>),
}

/// One run of the command.
struct Run<'c> {
    config: &'c Config,
    secrets: Secrets,
    sender: Option<Sender<'c>>,
    /// Whether there are several events.
    several: bool,
    form: Form,
    tally: Tally,
}

impl Run<'_> {
    fn explain(mut self, input: &Input, topic: Option<&str>) -> Result<Ended, Error> {
        let plan = &self.config.plan;
        let mut explainer = Explainer::new(plan, origin(self.config, topic));
        let mut fields = Fields::new();
        for record in input.records() {
            self.tally.events += 1;
            let event = fields.read(record.bytes, &plan.paths);
            let known = event.as_ref().ok().copied();
            self.begin_event(&record, input.len(), known)?;
            let explanations =
                explainer.explain(record.bytes, event.as_ref().copied(), clock::now());
            for (index, explanation) in explanations.iter().enumerate() {
                self.action(ActionId(index), explanation, known)?;
            }
        }
        match self.form {
            Form::Human(mut human) => human.summary(&self.tally, self.sender.is_some())?,
            Form::Json(json) => json.finish()?,
        }
        let is_well = self.tally.accepted == self.tally.sent;
        Ok(if is_well { Ended::Well } else { Ended::Refused })
    }

    fn begin_event(
        &mut self,
        record: &Record<'_>,
        of: usize,
        event: Option<Event<'_>>,
    ) -> io::Result<()> {
        if let Form::Human(human) = &mut self.form
            && self.several
        {
            let call = event.and_then(|event| event.find(self.config.plan.event_type));
            human.event(self.tally.events, of, record.line, call.map(Value::text))?;
        }
        Ok(())
    }

    /// Shows what would become of an event for the action `id`, and sends it when that is asked.
    fn action(
        &mut self,
        id: ActionId,
        explanation: &Explanation,
        event: Option<Event<'_>>,
    ) -> Result<(), Error> {
        let showing = Showing {
            action: &self.config.plan.actions[id.0],
            written: &self.config.as_written[id.0],
            disguise: &self.config.disguises[id.0],
            secrets: self.secrets,
        };
        let shown = showing.show(explanation, event);
        self.tally.explained += 1;
        self.tally.matches += usize::from(!matches!(explanation, Explanation::Unowed(_)));
        if let Form::Human(human) = &mut self.form {
            let curl = curl_line(&shown, self.config, self.secrets);
            human.action(&shown, curl.as_deref())?;
        }
        let answer = self.send(id, explanation, event)?;
        match (&mut self.form, &answer) {
            (Form::Human(human), Some(answer)) => human.answer(answer)?,
            (Form::Human(_), None) => {}
            (Form::Json(json), answer) => {
                let number = self.several.then_some(self.tally.events);
                json.add(number, &shown, answer.as_ref())?;
            }
        }
        Ok(())
    }

    fn send(
        &mut self,
        id: ActionId,
        explanation: &Explanation,
        event: Option<Event<'_>>,
    ) -> io::Result<Option<Answer>> {
        let (Some(sender), Explanation::Owed(request)) = (&self.sender, explanation) else {
            return Ok(None);
        };
        let sent = event.map(|event| (request, event));
        let hidden = self.config.disguises[id.0].hidden(sent, self.secrets);
        if let Form::Human(human) = &mut self.form {
            human.flush()?;
        }
        let answer = sender.send(id, request, &hidden);
        self.tally.sent += 1;
        self.tally.accepted += usize::from(answer.verdict == Verdict::Accept);
        Ok(Some(answer))
    }
}

/// Where events come from that are said to come from `topic`.
fn origin<'c>(config: &Config, topic: Option<&'c str>) -> Origin<'c> {
    let own = [&config.topics.dead_letter, &config.topics.redrive];
    match topic {
        None => Origin::EverySource,
        Some(topic) if own.iter().any(|own| *own == topic) => Origin::OwnTopic(topic),
        Some(topic) => Origin::Topic(topic),
    }
}

/// The line that repeats the request of an explanation that has one.
fn curl_line(shown: &Shown<'_>, config: &Config, secrets: Secrets) -> Option<String> {
    let shown::Verdict::Owed(request) = &shown.verdict else { return None };
    let is_shown = secrets == Secrets::Shown;
    let mut options = Vec::new();
    if let Some(proxy) = &config.plan.egress.proxy {
        let url = if is_shown { proxy.expose().to_string() } else { proxy.to_string() };
        options.push(("--proxy", url));
    }
    let TlsFiles { ca, cert, key } = &config.tls_files[shown.action.destination.0];
    for (option, file) in [("--cacert", ca), ("--cert", cert), ("--key", key)] {
        if let Some(file) = file {
            let name = if is_shown { &file.path } else { &file.shown };
            options.push((option, name.display().to_string()));
        }
    }
    Some(curl::line(request, &options))
}
