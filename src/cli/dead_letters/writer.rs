//! Writes what was found, a bounded number of letters at a time.
//!
//! Knows what may be done at once, and what has to wait for what. It does not know which letters
//! are meant.

use std::collections::HashSet;

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::interval;

use super::Ended;
use super::judgement::Obstacle;
use super::outcome::Tally;
use super::status::{self, Status};
use super::topic::Topic;
use crate::cli::complain;
use crate::kept::KeptRecord;
use crate::plan::ActionId;
use crate::redrive::{Error, Marking, Redriver};
use crate::service::Signals;

/// How many letters may be on their way to the broker, and how many bytes of them.
const MOST_LETTERS: usize = 1000;
const MOST_BYTES: usize = 32 << 20;
/// How many letters that repeat others may wait for those to be redriven.
const MOST_REPEATED: usize = 1000;

/// What the reader has found.
pub(super) enum Found {
    /// One to write, and the action that it is for.
    Letter {
        record: KeptRecord,
        marking: Marking,
        to: ActionId,
    },
    /// One that repeats another.
    Repeated(Marking),
    Left(Obstacle),
    /// One that was redriven already.
    Hidden,
    /// A record of another program.
    Foreign,
    /// There is more, beyond the limit.
    CutShort,
}

/// See the module's documentation.
pub(super) struct Writer<'r> {
    topic: &'r Topic,
    /// None: nothing is written.
    redriver: Option<&'r Redriver>,
    under_way: JoinSet<Written>,
    bytes_under_way: usize,
    /// To be marked, once those are redriven that they repeat.
    repeated: Vec<Marking>,
    /// The events of letters that were too large, as markers name them.
    too_large: HashSet<String>,
    pub(super) tally: Tally,
    pub(super) status: Status,
}

/// A letter or a marker that has come to its end.
struct Written {
    what: What,
    bytes: usize,
    result: Result<(), Error>,
}

/// What was written.
enum What {
    /// A letter to this action, and its marker, which names this event.
    Letter(ActionId, String),
    MarkerAlone,
}

impl<'r> Writer<'r> {
    /// A writer of what is found in `topic`; without a redriver it writes nothing and counts.
    pub(super) fn new(topic: &'r Topic, redriver: Option<&'r Redriver>) -> Self {
        Self {
            topic,
            redriver,
            under_way: JoinSet::new(),
            bytes_under_way: 0,
            repeated: Vec::new(),
            too_large: HashSet::new(),
            tally: Tally::default(),
            status: Status::new(),
        }
    }

    /// Writes what is found, until there is no more, something fails, or a signal says so. What was
    /// begun comes to its end in any case.
    ///
    /// # Errors
    /// The first thing that has failed.
    pub(super) async fn write(
        &mut self,
        found: mpsc::Receiver<Found>,
    ) -> Result<Ended, super::Error> {
        let signals = Signals::new()?;
        let ended = self.write_until_it_ends(found, signals).await;
        // Nothing more is begun. What has failed first is what counts.
        let settled = self.settle_all().await;
        Ok(ended.and_then(|ended| settled.map(|()| ended))?)
    }

    async fn write_until_it_ends(
        &mut self,
        mut found: mpsc::Receiver<Found>,
        mut signals: Signals,
    ) -> Result<Ended, Error> {
        let mut ticks = interval(status::PAUSE);
        loop {
            let has_room = self.under_way.len() < MOST_LETTERS && self.bytes_under_way < MOST_BYTES;
            tokio::select! {
                // What was asked for by hand comes first, and then what makes room.
                biased;
                name = signals.next() => {
                    self.status.clear();
                    complain(&format!("{name} received: what was begun is finished"));
                    return Ok(Ended::Interrupted);
                }
                Some(written) = self.under_way.join_next() => self.settle(written)?,
                next = found.recv(), if has_room => {
                    let Some(next) = next else {
                        self.mark_repeated().await?;
                        return Ok(Ended::Well);
                    };
                    self.take(next)?;
                }
                _ = ticks.tick() => {}
            }
            if self.repeated.len() == MOST_REPEATED {
                self.mark_repeated().await?;
            }
            // The topic is read twice.
            let (done, total) = (self.topic.offsets_read(), 2 * self.topic.length());
            self.status.draw(done, total, self.tally.count_redriven());
        }
    }

    fn take(&mut self, found: Found) -> Result<(), Error> {
        match (found, self.redriver) {
            (Found::Letter { to, .. }, None) => self.tally.redriven(to),
            (Found::Letter { record, marking, to }, Some(redriver)) => {
                let event = marking.marker.event().to_owned();
                let writing = redriver.begin(&record.record(), marking)?;
                let bytes = record.held_bytes();
                self.bytes_under_way += bytes;
                self.under_way.spawn(async move {
                    Written { what: What::Letter(to, event), bytes, result: writing.await }
                });
            }
            (Found::Repeated(marking), Some(_)) => self.repeated.push(marking),
            (Found::Repeated(_), None) => {}
            (Found::Left(obstacle), _) => self.tally.leave(obstacle),
            (Found::Hidden, _) => self.tally.hidden += 1,
            (Found::Foreign, _) => self.tally.foreign += 1,
            (Found::CutShort, _) => self.tally.is_cut_short = true,
        }
        Ok(())
    }

    /// Marks the letters that repeat others. A marker hides what lies before it too, so it has to
    /// be known that the other one is through.
    async fn mark_repeated(&mut self) -> Result<(), Error> {
        self.settle_all().await?;
        let Some(redriver) = self.redriver else { return Ok(()) };
        for marking in std::mem::take(&mut self.repeated) {
            if self.too_large.contains(marking.marker.event()) {
                self.tally.leave(Obstacle::TooLarge);
                continue;
            }
            let writing = redriver.mark(marking);
            self.under_way.spawn(async move {
                Written { what: What::MarkerAlone, bytes: 0, result: writing.await }
            });
        }
        self.settle_all().await
    }

    /// Waits for everything that was begun.
    async fn settle_all(&mut self) -> Result<(), Error> {
        let mut all = Ok(());
        while let Some(written) = self.under_way.join_next().await {
            all = all.and(self.settle(written));
        }
        all
    }

    /// A letter that is too large says nothing about the next one; everything else does.
    fn settle(&mut self, written: Result<Written, JoinError>) -> Result<(), Error> {
        let written = written.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        self.bytes_under_way -= written.bytes;
        match (written.what, written.result) {
            (What::Letter(_, event), Err(Error::TooLarge { .. })) => {
                self.too_large.insert(event);
                self.tally.leave(Obstacle::TooLarge);
            }
            (_, Err(error)) => return Err(error),
            (What::Letter(to, _), Ok(())) => self.tally.redriven(to),
            (What::MarkerAlone, Ok(())) => {}
        }
        Ok(())
    }
}
