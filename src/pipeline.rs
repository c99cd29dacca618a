//! One assignment of one partition: from a record that was read to a position that may be
//! committed, as a state machine without I/O.
//!
//! The worker hands in records ([`push`](Pipeline::push)), answers and acknowledgements, asks
//! what to do next ([`poll`](Pipeline::poll)) and until when to sleep
//! ([`wake_at`](Pipeline::wake_at)). A pipeline is born when its partition is assigned and
//! dropped when it is revoked; it never outlives its assignment, and that is all the fencing
//! there is. It knows nothing of other partitions but the share of memory it was given.

use std::sync::Arc;
use std::time::Instant;

use crate::event::Fields;
use crate::lane::{Answer, Attempt, Ticket};
use crate::lanes::Lanes;
use crate::letters::{LetterId, Writing};
use crate::parked::Parked;
use crate::plan::{ActionId, Plan};
use crate::record::{Now, Position, Record, TopicPartition};
use crate::routing::{Routes, Skip};

pub use crate::lanes::Completion;

/// Something for the worker to do.
#[derive(Debug)]
pub enum Step {
    /// Make this request, and hand its answer to [`Pipeline::complete`].
    Send(Attempt),
    /// Write this letter, and hand the result to [`Pipeline::letter_written`] or
    /// [`Pipeline::letter_failed`].
    DeadLetter(Writing),
}

/// What became of a record that was handed in.
#[derive(Debug, PartialEq, Eq)]
pub enum Pushed<'a> {
    /// It is owed to nobody.
    Skipped(Skip),
    /// It is no event, and will be dead-lettered.
    Invalid,
    /// It is owed to these actions.
    Owed(&'a [ActionId]),
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Pipeline {
    plan: Arc<Plan>,
    partition: TopicPartition,
    routes: Routes,
    lanes: Lanes,
    /// The record that some lane had no room for. Nothing is read while it waits.
    parked: Option<Parked>,
    /// The next record to read; none before the first one.
    next: Option<Position>,
    reading: Reading,
    fields: Fields,
    owed: Vec<ActionId>,
}

/// Whether records are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Yes,
    /// What was begun is finished, and no more.
    Draining,
}

impl Pipeline {
    /// A pipeline whose reader begins at `start`; none when that is known only once the first
    /// record arrives.
    #[must_use]
    pub fn new(plan: Arc<Plan>, partition: TopicPartition, start: Option<Position>) -> Self {
        let routes = Routes::new(&plan, &partition.topic);
        Self {
            lanes: Lanes::new(Arc::clone(&plan), partition.clone()),
            plan,
            partition,
            routes,
            parked: None,
            next: start,
            reading: Reading::Yes,
            fields: Fields::new(),
            owed: Vec::new(),
        }
    }

    /// Its events may hold `bytes` bytes of memory from now on. Each lane that holds events has
    /// an equal share of it; one event finds room in any case.
    pub fn allow(&mut self, bytes: usize) {
        if self.reading == Reading::Yes {
            self.lanes.allow(bytes);
        }
    }

    /// The bytes of memory that its events hold.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.lanes.held_bytes() + self.parked.as_ref().map_or(0, Parked::held_bytes)
    }

    /// Whether the next record may be handed in.
    #[must_use]
    pub fn wants_record(&self) -> bool {
        self.reading == Reading::Yes && self.parked.is_none() && !self.lanes.is_clogged()
    }

    /// The position that may be committed: everything below it is settled. None when nothing
    /// was read.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        let parked = self.parked.as_ref().map(Parked::offset);
        let owed = self.lanes.lowest_owed().into_iter().chain(parked).min();
        owed.map(Position::at).or(self.next)
    }

    /// The next record to read. None when nothing was read.
    #[must_use]
    pub fn reads_at(&self) -> Option<Position> {
        self.next
    }

    /// Whether nothing is owed of all that it has taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty() && self.parked.is_none()
    }

    /// Whether a drain has come to its end: what is still owed, paused actions owe.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.reading == Reading::Draining && self.lanes.is_finished() && self.parked.is_none()
    }

    /// Takes the next record of the partition.
    ///
    /// # Panics
    /// When the record does not lie behind the last one.
    pub fn push(&mut self, record: &Record<'_>, now: Now) -> Pushed<'_> {
        let follows = self.next.is_none_or(|next| !next.is_past(record.offset));
        assert!(follows, "{} of {} was read already", record.offset, self.partition);
        self.next = Some(record.offset.next());
        let Some(value) = record.value else {
            return Pushed::Skipped(Skip::Tombstone);
        };
        let event = match self.fields.read(value, &self.plan.paths) {
            Ok(event) => event,
            Err(invalid) => {
                self.lanes.bury(record, &invalid.to_string());
                return Pushed::Invalid;
            }
        };
        if let Err(skip) = self.routes.route(&self.plan, event, &mut self.owed) {
            return Pushed::Skipped(skip);
        }
        let without_room = self.lanes.place(record, event, &self.owed, now);
        if !without_room.is_empty() {
            self.parked = Some(Parked::new(record, without_room));
        }
        Pushed::Owed(&self.owed)
    }

    /// Appends everything that is to be done now.
    pub fn poll(&mut self, now: Now, steps: &mut Vec<Step>) {
        self.place_parked(now);
        while let Some(writing) = self.lanes.next_letter(now) {
            steps.push(Step::DeadLetter(writing));
        }
        self.lanes.send(now, |attempt| steps.push(Step::Send(attempt)));
    }

    /// When [`poll`](Self::poll) has something again, if nothing is handed in before.
    #[must_use]
    pub fn wake_at(&self) -> Option<Instant> {
        self.lanes.wake_at()
    }

    /// The answer to a request has come. `chance` is drawn uniformly from `0.0..1.0`.
    ///
    /// # Panics
    /// When the ticket's request is not in flight.
    pub fn complete(
        &mut self,
        ticket: Ticket,
        answer: &Answer,
        now: Now,
        chance: f64,
    ) -> Completion {
        self.lanes.complete(ticket, answer, now, chance)
    }

    /// The broker has acknowledged a letter: its event is settled.
    ///
    /// # Panics
    /// When the letter is not pending.
    pub fn letter_written(&mut self, id: LetterId) {
        self.lanes.letter_written(id);
    }

    /// A letter could not be written: its event stays unsettled, and the letter is tried again.
    /// `chance` is drawn uniformly from `0.0..1.0`.
    ///
    /// # Panics
    /// When the letter is not pending.
    pub fn letter_failed(&mut self, id: LetterId, now: Now, chance: f64) {
        self.lanes.letter_failed(id, now, chance);
    }

    /// Takes no more records, and finishes what was begun: everything up to the furthest event
    /// that is settled or in flight is still delivered, so that one position tells the next owner
    /// of the partition what every lane has settled; whatever lies above is left to it. What has
    /// failed and waits for its next attempt is left too, unless something above it is settled:
    /// so the worker asks again whenever something has changed.
    pub fn drain(&mut self, now: Now) {
        self.reading = Reading::Draining;
        let Some(end) = self.lanes.begun().max(self.position()) else { return };
        self.lanes.leave_from(end);
        self.lanes.allow_all();
        if self.parked.as_ref().is_some_and(|parked| !end.is_past(parked.offset())) {
            self.parked = None;
        }
        self.place_parked(now);
        self.lanes.flush();
        self.next = self.next.min(Some(end));
    }

    /// Offers the parked record once more to the lanes that had no room for it.
    fn place_parked(&mut self, now: Now) {
        let Some(parked) = self.parked.take() else { return };
        let bytes = parked.held_bytes();
        if !parked.owed().iter().any(|&id| self.lanes.has_room(id, bytes)) {
            self.parked = Some(parked);
            return;
        }
        let record = parked.record();
        let value = record.value.expect("only events are parked");
        let event = self.fields.read(value, &self.plan.paths).expect("only events are parked");
        let without_room = self.lanes.place(&record, event, parked.owed(), now);
        if !without_room.is_empty() {
            self.parked = Some(parked.still_owed_to(without_room));
        }
    }
}
