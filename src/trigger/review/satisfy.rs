//! Whether a trigger, or a part of it, can hold at all.

use crate::event::PathId;
use crate::spec::{self, CALLS};
use crate::spelling::did_you_mean;

use super::super::parse::Parsed;
use super::super::tree::{Comparison, Condition, Literal, Operand};
use super::Warning;
use super::demand::Demand;
use super::known::{Absent, Contradiction, Known, Reason};
use super::{for_each_comparison, operands};

/// The longest part that a message repeats whole, in characters.
const LONGEST_PART: usize = 60;

/// Warns of a trigger that matches no event or every event, of parts that hold of none, and of
/// fields that the calls in question do not have.
pub(super) fn review(parsed: &Parsed) -> Vec<Warning> {
    let whole = Demand { part: &parsed.condition, holds: true, first: 0 };
    let calls = CALLS.map(|call| Literal::Text(call.into()));
    let call = call_path(&parsed.condition);
    let known = call.map_or_else(Known::default, |id| Known::of(id, calls.iter()));
    let mut found = Found { parsed, call, warnings: Vec::new() };
    if let Some(contradiction) = found.meet(whole, &known) {
        found.warnings.clear();
        found.warn_of(&contradiction, Extent::Whole);
        return found.warnings;
    }
    let is_written_so = matches!(whole.part, Condition::Holds(Operand::Literal(_)));
    let mut inverted = Found { parsed, call, warnings: Vec::new() };
    let never = Demand { holds: false, ..whole };
    if !is_written_so && inverted.meet(never, &Known::default()).is_some() {
        found.warnings.push(Warning {
            at: found.place(whole),
            message: "this trigger matches every event".to_owned(),
            hint: Some("`true` says so; is `and` meant where `or` stands?".to_owned()),
        });
    }
    found.warnings
}

/// Where the type of an event stands among the trigger's paths.
fn call_path(condition: &Condition) -> Option<PathId> {
    let mut found = None;
    for_each_comparison(condition, &mut |comparison| {
        let (left, right) = operands(comparison);
        for operand in [left, right].into_iter().flatten() {
            note_call_path(operand, &mut found);
        }
    });
    found
}

fn note_call_path(operand: &Operand, found: &mut Option<PathId>) {
    match operand {
        Operand::Field { path, id } if path.keys().eq(["type"]) => *found = Some(*id),
        Operand::Field { .. } | Operand::Literal(_) => {}
        Operand::Call(_, arguments) => {
            arguments.iter().for_each(|argument| note_call_path(argument, found));
        }
    }
}

/// How much of a trigger is in vain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

struct Found<'p> {
    parsed: &'p Parsed,
    call: Option<PathId>,
    warnings: Vec<Warning>,
}

impl Found<'_> {
    /// Why `demand` cannot be met beside what is known; nothing when perhaps it can. Notes what is
    /// odd about its parts on the way.
    fn meet<'c>(&mut self, demand: Demand<'c>, known: &Known<'c>) -> Option<Contradiction<'c>> {
        let demands = demand.all();
        let mut all = known.clone();
        if let Err(contradiction) = all.add_each(&demands) {
            return Some(contradiction);
        }
        if let Some(call) = self.call {
            for absent in all.absent(known.len(), call) {
                self.warn_of_absent(&absent);
            }
        }
        for (index, demand) in demands.iter().enumerate() {
            let choices = demand.any();
            if choices.is_empty() {
                continue;
            }
            // A choice is looked at beside everything but the whole that it is a choice of.
            let mut beside = known.clone();
            let others = [&demands[..index], &demands[index + 1..]].concat();
            if let Err(contradiction) = beside.add_each(&others) {
                return Some(contradiction);
            }
            let dead: Vec<_> =
                choices.iter().filter_map(|choice| self.meet(*choice, &beside)).collect();
            if dead.len() == choices.len() {
                return dead.into_iter().next();
            }
            for contradiction in dead {
                self.warn_of(&contradiction, Extent::Part);
            }
        }
        None
    }

    fn warn_of(&mut self, contradiction: &Contradiction<'_>, extent: Extent) {
        let blamed = contradiction.blamed;
        let (why, hint) = match &contradiction.reason {
            Reason::Constant => {
                (format!("{} of every event", truth(blamed)), constant_hint(blamed))
            }
            Reason::Never(never) => (never.because.clone(), never.hint.clone()),
            Reason::NoCall => {
                (format!("no event meets {}", shown(blamed)), Some(call_hint(blamed)))
            }
            Reason::Beside(others) => {
                let beside: Vec<String> = others.iter().take(2).map(|one| shown(*one)).collect();
                let is_choice = extent == Extent::Whole
                    && blamed.is_equality()
                    && others.iter().all(Demand::is_equality);
                let hint = is_choice.then(|| "is `or` meant?".to_owned());
                (format!("{} contradicts {}", shown(blamed), beside.join(" and ")), hint)
            }
        };
        let what = match extent {
            Extent::Whole => "this trigger never matches",
            Extent::Part => "this part never holds",
        };
        self.warn(Warning { at: self.place(blamed), message: format!("{what}: {why}"), hint });
    }

    fn warn_of_absent(&mut self, absent: &Absent<'_>) {
        let Absent { demand, field, calls } = absent;
        let name = field.name;
        let meant = match (name, &calls[..]) {
            ("event", ["page" | "screen"]) => "; the name of a page or screen is `name`",
            ("name", ["track"]) => "; the name of what was tracked is `event`",
            ("properties", calls) if calls.iter().all(|call| has_traits(call)) => {
                "; these calls have `traits`"
            }
            ("traits", calls) if calls.iter().all(|call| !has_traits(call)) => {
                "; of a person they are in `context.traits`"
            }
            _ => "",
        };
        self.warn(Warning {
            at: self.place(*demand),
            message: format!("{} calls have no `{name}` in the spec", joined(calls)),
            hint: Some(format!("{} calls have it{meant}", joined(field.calls))),
        });
    }

    fn warn(&mut self, warning: Warning) {
        if self.warnings.iter().all(|known| known.at != warning.at) {
            self.warnings.push(warning);
        }
    }

    /// Where a part stands in the text, from its first comparison to its last.
    fn place(&self, demand: Demand<'_>) -> std::ops::Range<usize> {
        let last = demand.first + demand.part.comparisons() - 1;
        let place = |index: usize| self.parsed.comparisons.get(index).cloned().unwrap_or_default();
        place(demand.first).start..place(last).end
    }
}

fn has_traits(call: &str) -> bool {
    spec::field("traits").is_some_and(|traits| traits.calls.contains(&call))
}

/// `page and screen`.
fn joined(calls: &[&str]) -> String {
    match calls.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((only, _)) => (*only).to_owned(),
        None => String::new(),
    }
}

/// A demand as the trigger could say it.
fn shown(demand: Demand<'_>) -> String {
    let text = match (demand.holds, demand.part) {
        (true, part) => part.to_string(),
        (false, part @ Condition::Holds(_)) => format!("!{part}"),
        (false, part) => format!("!({part})"),
    };
    quoted(&text)
}

fn quoted(text: &str) -> String {
    let is_long = text.chars().count() > LONGEST_PART;
    let cut: String = text.chars().take(LONGEST_PART).chain(is_long.then_some('…')).collect();
    format!("`{cut}`")
}

/// What a part that reads no field is, where it should be otherwise.
fn truth(demand: Demand<'_>) -> String {
    let text = quoted(&demand.part.to_string());
    format!("{text} is {}", if demand.holds { "false" } else { "true" })
}

fn constant_hint(demand: Demand<'_>) -> Option<String> {
    match demand.part {
        Condition::Holds(Operand::Literal(Literal::Bool(false))) => {
            Some("`enabled: false` on the action says so too".to_owned())
        }
        Condition::Compare { left: Operand::Literal(Literal::Text(text)), .. } => {
            let first = text.split('.').next().unwrap_or_default();
            spec::field(first).map(|_| format!("a field has no quotes: `{text}`"))
        }
        _ => None,
    }
}

/// Which call was probably meant by one that there is not.
fn call_hint(demand: Demand<'_>) -> String {
    let written = match demand.part {
        Condition::Compare { left, by: Comparison::Equal, right } => {
            [left, right].into_iter().find_map(|side| match side {
                Operand::Literal(literal) => literal.as_text(),
                _ => None,
            })
        }
        _ => None,
    };
    let meant = written.and_then(|written| did_you_mean(written, CALLS));
    match meant {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => format!("the type of an event is {} or alias", CALLS[..5].join(", ")),
    }
}
