//! What the demo shows while it runs: a bar that is redrawn in place on a terminal, a line every
//! second elsewhere.
//!
//! Knows terminals and numbers, and nothing about where the numbers come from.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Stdout, Write};
use std::time::{Duration, Instant};

use super::ledger::Tally;
use crate::bar::{bar, grouped};

/// Rates are taken over this time.
const RATE_OVER: Duration = Duration::from_secs(2);

/// What is shown of one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: Instant,
    pub(super) tally: Tally,
    /// Requests that are being made.
    pub(super) in_flight: i64,
}

/// See the module's documentation.
pub(super) struct Picture {
    out: Stdout,
    style: Style,
    total: u64,
    begun: Instant,
    drawn: Option<Instant>,
    /// What was shown lately, oldest first.
    recent: VecDeque<Moment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Two lines, redrawn in place.
    Bar,
    /// A line now and then.
    Lines,
}

impl Style {
    /// Between two drawings.
    fn pause(self) -> Duration {
        match self {
            Self::Bar => Duration::from_millis(100),
            Self::Lines => Duration::from_secs(1),
        }
    }
}

impl Picture {
    /// A picture on stdout of the way to `total` events.
    pub(super) fn new(total: u32) -> Self {
        let out = io::stdout();
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let style = if out.is_terminal() && !is_dumb { Style::Bar } else { Style::Lines };
        Self {
            out,
            style,
            total: total.into(),
            begun: Instant::now(),
            drawn: None,
            recent: VecDeque::new(),
        }
    }

    /// Says something that stays. Not to be used between two drawings.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// Whether the last drawing is old enough for another one.
    pub(super) fn is_due(&self) -> bool {
        self.drawn.is_none_or(|drawn| drawn.elapsed() >= self.style.pause())
    }

    /// Draws a moment, on a terminal over the last one.
    pub(super) fn draw(&mut self, moment: Moment) -> io::Result<()> {
        let text = match self.style {
            Style::Bar => {
                // Up to where the last one began; lines that are longer than the terminal is wide
                // are cut by it (`?7l`), as two lines must stay two; what was there is erased.
                let up = if self.drawn.is_some() { "\x1b[2A" } else { "" };
                let [bar, numbers] = [self.bar(moment), self.numbers(moment)];
                format!("{up}\r\x1b[?7l{bar}\x1b[K\n  {numbers}\x1b[K\n\x1b[?7h")
            }
            Style::Lines => {
                let (accepted, total) = (grouped(moment.tally.accepted), grouped(self.total));
                let seconds = (moment.at - self.begun).as_secs();
                let numbers = self.numbers(moment);
                format!("{seconds:>3} s  {accepted} of {total} events, {numbers}\n")
            }
        };
        self.drawn = Some(moment.at);
        self.recent.push_back(moment);
        while self.recent.len() > 1 && moment.at - self.recent[0].at > RATE_OVER {
            self.recent.pop_front();
        }
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    fn bar(&self, moment: Moment) -> String {
        let accepted = moment.tally.accepted;
        format!(
            "  {}  {} of {} events  {} s",
            bar(accepted, self.total),
            grouped(accepted),
            grouped(self.total),
            (moment.at - self.begun).as_secs()
        )
    }

    fn numbers(&self, moment: Moment) -> String {
        let tally = moment.tally;
        let before = self.recent.front();
        let rate = |count: fn(&Tally) -> u64| {
            let Some(before) = before else { return grouped(0) };
            let risen = count(&tally).saturating_sub(count(&before.tally));
            grouped(per_second(risen, moment.at - before.at))
        };
        format!(
            "{} events/s, {} requests/s, {} batches, {} in flight, {} retries",
            rate(|tally| tally.accepted),
            rate(|tally| tally.requests),
            grouped(tally.batches),
            moment.in_flight,
            grouped(tally.refused)
        )
    }
}

fn per_second(count: u64, time: Duration) -> u64 {
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1000) / milliseconds
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Moment, Picture, per_second};
    use crate::demo::ledger::Tally;

    #[test]
    fn a_rate_is_what_came_in_a_second() {
        assert_eq!(per_second(500, Duration::from_millis(200)), 2500);
        assert_eq!(per_second(0, Duration::ZERO), 0);
    }

    #[test]
    fn the_bar_is_full_when_all_events_are_there() {
        let picture = Picture::new(1000);
        let at = |accepted| {
            let tally = Tally { accepted, ..Tally::default() };
            Moment { at: picture.begun + Duration::from_secs(3), tally, in_flight: 0 }
        };
        assert_eq!(
            picture.bar(at(250)),
            "  ██████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  250 of 1,000 events  3 s"
        );
        assert!(!picture.bar(at(1000)).contains('░'));
    }
}
