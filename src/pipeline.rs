//! One assignment of one partition: from a record that was read to a position that may be
//! committed, as a state machine without I/O.
//!
//! The worker hands in records ([`push`](Pipeline::push)), answers and acknowledgements, asks
//! what to do next ([`poll`](Pipeline::poll)) and until when to sleep
//! ([`wake_at`](Pipeline::wake_at)). Every record is offered to all lanes that are level. One that
//! has no room holds up the reader only while nobody else suffers from it; then it falls behind,
//! and the log is read again for it ([`begin_slice`](Pipeline::begin_slice),
//! [`read_again`](Pipeline::read_again)). A pipeline is born when its partition is assigned and
//! dropped when it is revoked; it never outlives its assignment, and that is all the fencing
//! there is. It knows nothing of other partitions but the share of memory it was given.

mod idle;
mod intake;
mod room;
mod slices;

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use crate::debt::Debt;
use crate::event::Fields;
use crate::gates::Gates;
use crate::lane::{Answer, Attempt, News, Ticket};
use crate::lanes::Lanes;
use crate::letters::{Debtor, LetterId, Writing};
use crate::lost::Lost;
use crate::parked::Parked;
use crate::patience::Patience;
use crate::plan::{ActionId, Plan};
use crate::progress::{LaneProgress, Progress};
use crate::record::{Now, Position, Record, TopicPartition};
use crate::routing::Skip;
use crate::slice::Slice;
use crate::standing::Heard;

use intake::Intake;

pub use crate::lanes::Completion;
pub use slices::Appetite;

/// Something for the worker to do.
#[derive(Debug)]
pub enum Step {
    /// Make this request, and hand its answer to [`Pipeline::complete`].
    Send(Attempt),
    /// Write this letter, and hand the result to [`Pipeline::letter_written`] or
    /// [`Pipeline::letter_failed`].
    DeadLetter(Writing),
    /// Say that the lanes of these actions, which the plan does not know, are forgotten: whatever
    /// they owe is skipped, and holds the position no longer.
    Forgotten(Vec<LaneProgress>),
}

/// What became of a record that was handed in.
#[derive(Debug, PartialEq, Eq)]
pub enum Pushed<'a> {
    /// It is owed to nobody.
    Skipped(Skip),
    /// It is no event, or was redriven to an action that is gone, and will be dead-lettered.
    Invalid,
    /// It is owed to these actions.
    Owed(&'a [ActionId]),
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Pipeline {
    plan: Arc<Plan>,
    partition: TopicPartition,
    intake: Intake,
    lanes: Lanes,
    /// The actions of `intake` that are not paused: those that a waiting reader may starve.
    hungry: Vec<ActionId>,
    /// The one action of `intake`, if there is no other.
    only: Option<ActionId>,
    /// Lanes of actions that this plan does not know, and until when they are kept.
    foreign: Vec<LaneProgress>,
    foreign_until: Option<Instant>,
    /// The record that some lane had no room for. Nothing is read while it waits.
    parked: Option<Parked>,
    patience: Patience,
    /// What is being read again.
    slice: Option<Slice>,
    /// Where the reader began.
    began: Position,
    /// The next record to read; none before the first one.
    next: Option<Position>,
    reading: Reading,
    lost: Lost,
    fields: Fields,
    owed: Vec<ActionId>,
}

/// Whether records are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Yes,
    /// What is under way comes to its end, and nothing is begun.
    Draining,
}

impl Pipeline {
    /// A pipeline whose reader begins at `start`; none when that is known only once the first
    /// record arrives.
    #[must_use]
    pub fn new(
        plan: Arc<Plan>,
        gates: Arc<Gates>,
        partition: TopicPartition,
        start: Option<Position>,
    ) -> Self {
        let intake = Intake::new(&plan, &partition.topic);
        let mut hungry = intake.actions(&plan);
        let only = if let [only] = *hungry { Some(only) } else { None };
        hungry.retain(|id| !plan.actions[id.0].paused);
        Self {
            lanes: Lanes::new(Arc::clone(&plan), gates, partition.clone()),
            plan,
            partition,
            intake,
            hungry,
            only,
            foreign: Vec::new(),
            foreign_until: None,
            parked: None,
            patience: Patience::new(),
            slice: None,
            began: start.unwrap_or(Position(0)),
            next: start,
            reading: Reading::Yes,
            lost: Lost::default(),
            fields: Fields::new(),
            owed: Vec::new(),
        }
    }

    /// A pipeline that goes on where another one has left off.
    #[must_use]
    pub fn restored(
        plan: Arc<Plan>,
        gates: Arc<Gates>,
        partition: TopicPartition,
        progress: Progress,
    ) -> Self {
        let mut pipeline = Self::new(plan, gates, partition, Some(progress.start));
        let wanted = pipeline.intake.actions(&pipeline.plan);
        let heard = Heard::new(&pipeline.plan, &wanted, progress.start, progress.lanes);
        for (whose, standing) in heard.lanes {
            pipeline.lanes.restore(whose, standing, progress.start);
        }
        pipeline.foreign = heard.foreign;
        pipeline
    }

    /// `waker` is called when there may be something to do because of what other partitions do.
    pub fn wake_with(&mut self, waker: Waker) {
        self.lanes.wake_with(waker);
    }

    /// The position that may be committed: everything below it is settled. None when nothing
    /// was read.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        let foreign = self.foreign.iter().map(LaneProgress::lowest_unsettled);
        let owed = self.lanes.lowest_owed().into_iter().chain(foreign).min();
        self.reads_at().map(|reader| owed.map_or(reader, |owed| owed.min(reader)))
    }

    /// How far every lane is.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        let (position, reader) = (self.position()?, self.reads_at()?);
        let start = self.lanes.start(self.began, reader);
        let lanes = self.lanes.listed(start, reader);
        let lanes = lanes.chain(self.foreign.iter().cloned()).collect();
        Some(Progress { position, start, lanes })
    }

    /// What every action owes that does not stand where the reader is.
    pub fn debts(&self) -> impl Iterator<Item = Debt> {
        self.lanes.debts()
    }

    /// The next record that the reader has to offer to the lanes that are level.  None when
    /// nothing was read.
    #[must_use]
    pub fn reads_at(&self) -> Option<Position> {
        let parked = self.parked.as_ref().map(|parked| Position::at(parked.record.offset()));
        parked.or(self.next)
    }

    /// Whether nothing is owed of all that it has taken, and no lane is behind.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty() && self.lanes.behind().len() == 0 && self.parked.is_none()
    }

    /// Whether a drain has come to its end.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.reading == Reading::Draining && self.lanes.is_at_rest()
    }

    /// Takes the next record of the partition.
    ///
    /// # Panics
    /// When the record does not lie behind the last one.
    pub fn push(&mut self, record: &Record<'_>, now: Now) -> Pushed<'_> {
        let follows = self.next.is_none_or(|next| !next.is_past(record.offset));
        assert!(follows, "{} of {} was read already", record.offset, self.partition);
        self.next = Some(record.offset.next());
        self.lanes.forget_idle(self.began, Position::at(record.offset));
        let Some(value) = record.value else {
            return Pushed::Skipped(Skip::Tombstone);
        };
        let without_room = match self.intake.read(&self.plan, &mut self.fields, record, value) {
            Ok(offer) => {
                if let Err(skip) = self.intake.route(&self.plan, &offer, &mut self.owed) {
                    return Pushed::Skipped(skip);
                }
                self.lanes.place(record, offer.event, self.owed.iter().copied(), now)
            }
            Err(why) => {
                self.owed.clear();
                self.lanes.place_invalid(record, &why)
            }
        };
        if !without_room.is_empty() {
            self.parked = Some(Parked::new(record, without_room));
        }
        if self.owed.is_empty() { Pushed::Invalid } else { Pushed::Owed(&self.owed) }
    }

    /// Appends everything that is to be done now.
    pub fn poll(&mut self, now: Now, steps: &mut Vec<Step>) {
        if self.reading == Reading::Draining {
            while let Some(writing) = self.lanes.next_new_letter() {
                steps.push(Step::DeadLetter(writing));
            }
            return;
        }
        self.forget_foreign(now.instant, steps);
        loop {
            self.place_parked(now);
            self.lanes.expire(now);
            self.lanes.send(now, |attempt| steps.push(Step::Send(attempt)));
            // What was spared for a probe that has gone by now with something else.
            self.lanes.expire(now);
            while let Some(writing) = self.lanes.next_letter(now) {
                steps.push(Step::DeadLetter(writing));
            }
            // A batch that goes out in parts holds less than it did as a whole.
            if !self.parked_has_room() {
                return;
            }
        }
    }

    /// When [`poll`](Self::poll) has something again, if nothing is handed in before.
    #[must_use]
    pub fn wake_at(&self, now: Now) -> Option<Instant> {
        if self.reading == Reading::Draining {
            return None;
        }
        let others = [self.patience.ends_at(), self.foreign_until];
        self.lanes.wake_at(now).into_iter().chain(others.into_iter().flatten()).min()
    }

    /// The answer to a request has come. `chance` is drawn uniformly from `0.0..1.0`.
    ///
    /// # Panics
    /// When the ticket's request is not in flight.
    ///
    /// Says also what has changed beyond the events of the request.
    pub fn complete(
        &mut self,
        ticket: Ticket,
        answer: &Answer,
        now: Now,
        chance: f64,
    ) -> (Completion, News) {
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

    /// Takes no more records and begins no more requests. What is in flight comes to its end, and
    /// the letters that follow from it are tried once; the rest is left to the next owner of the
    /// partition, whom [`progress`](Self::progress) tells what is settled.
    pub fn drain(&mut self) {
        self.reading = Reading::Draining;
        self.slice = None;
        self.lanes.step_aside();
    }

    /// An action that is gone for good must not hold the position for ever. While a deployment
    /// rolls, other members may still know it.
    fn forget_foreign(&mut self, now: Instant, steps: &mut Vec<Step>) {
        if self.foreign.is_empty() {
            return;
        }
        let patience = self.plan.patience_with_unknown();
        let until = *self.foreign_until.get_or_insert(now + patience);
        if until <= now {
            self.foreign_until = None;
            steps.push(Step::Forgotten(std::mem::take(&mut self.foreign)));
        }
    }

    /// Offers the parked record once more to the lanes that had no room for it, or goes on without
    /// them.
    fn place_parked(&mut self, now: Now) {
        let Some(mut parked) = self.parked.take() else {
            self.patience.note(now.instant, false);
            return;
        };
        let reader = Position::at(parked.record.offset());
        self.lanes.make_places(&parked.owed, reader);
        if self.has_room_for(&parked) {
            let record = parked.record.record();
            let value = record.value.expect("only what has a value is parked");
            parked.owed = match self.intake.read(&self.plan, &mut self.fields, &record, value) {
                Ok(offer) => self.lanes.place(&record, offer.event, parked.actions(), now),
                Err(why) => self.lanes.place_invalid(&record, &why),
            };
        }
        let others_starve = !parked.owed.is_empty() && self.others_starve(&parked.owed);
        self.patience.note(now.instant, others_starve);
        let is_over = others_starve && self.patience.is_exhausted();
        parked.owed.retain(|&debtor| {
            let is_left_behind = is_over || self.lanes.is_stuck(debtor);
            if is_left_behind {
                self.lanes.fall_behind(debtor, reader);
            }
            !is_left_behind
        });
        if parked.owed.is_empty() {
            self.patience.note(now.instant, false);
        } else {
            self.parked = Some(parked);
        }
    }

    /// Whether a lane that is level has nothing to do while the reader waits for `debtors`. Nobody
    /// knows which origins a mapped URL would lead to.
    fn others_starve(&self, debtors: &[Debtor]) -> bool {
        if debtors.iter().any(|debtor| self.lanes.is_mapped(*debtor)) {
            return true;
        }
        let is_hungry = |id: ActionId| self.hungry.binary_search(&id).is_ok();
        self.lanes.occupied(is_hungry) < self.hungry.len()
    }
}
