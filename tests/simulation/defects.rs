//! Deliberate defects. Each stands between the pipeline and its world: what one tells the other is
//! made false, just as a pipeline with that defect would have told it. The theorems must notice, or
//! they prove nothing.

use std::collections::HashSet;
use std::sync::Arc;

use hookcast::lane::Attempt;
use hookcast::pipeline::Pipeline;
use hookcast::plan::{ActionId, Plan};
use hookcast::progress::Progress;
use hookcast::runs::Runs;

use crate::bounds::Bounds;
use crate::quiet::quietly;
use crate::shrinking::shrunk;
use crate::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// The reader's place is committed, as by consumers that store offsets when they read.
    StoresBeforeItSettles,
    /// The pipeline goes on after its partition was revoked.
    ForgetsARevoke,
    /// One event of a batch that was split is in neither half.
    DropsOneOfASplit,
    /// What the catch-up reader brings is taken without regard to room.
    TakesRidersPastTheirRoom,
    /// Each lane takes all of the memory for its share.
    SharesNothing,
    /// The next owner is not told which events were set aside.
    LosesWhatIsSetAside,
    /// The next owner is not told of what lies unsettled below what is settled.
    ForgetsRuns,
    /// The commit of an owner arrives after that of the next one.
    CommitsAfterItsLoss,
    /// Every attempt has an `Idempotency-Key` of its own.
    KeysAttemptsAndNotSets,
    /// An action with another URL begins at the present.
    LosesItsPlaceWithItsUrl,
    /// Entries of actions that the plan does not know are dropped.
    DropsForeignEntries,
    /// A lane that is behind never gets its turn.
    NeverReadsAgain,
    /// What the broker has deleted is passed over without a count.
    LosesInSilence,
    /// `Retry-After` is not listened to.
    IgnoresRetryAfter,
}

/// What a world with a defect has beside one without.
#[derive(Default)]
pub struct Defects {
    built_in: Option<Defect>,
    /// A pipeline that goes on though its partition was revoked, and its plan.
    pub undead: Option<(Pipeline, Arc<Plan>)>,
    /// The last commit of an owner that is gone, before and after one of the next owner.
    pub late: Option<Progress>,
    arriving: Option<Progress>,
    /// The events that halves lack.
    pub dropped: HashSet<(ActionId, i64)>,
    attempts: usize,
}

impl Defects {
    pub fn new(built_in: Option<Defect>) -> Self {
        Self { built_in, ..Self::default() }
    }

    pub fn has(&self, defect: Defect) -> bool {
        self.built_in == Some(defect)
    }

    /// The progress that is committed.
    pub fn told(&mut self, mut progress: Progress, reader: i64) -> Progress {
        match self.built_in {
            Some(Defect::StoresBeforeItSettles) => {
                progress.position.0 = reader;
                progress.lanes.clear();
            }
            Some(Defect::LosesWhatIsSetAside) => {
                let lanes = progress.lanes.iter_mut();
                for lane in lanes.filter(|lane| lane.alone_since.is_some()) {
                    lane.unsettled = Runs::new();
                }
            }
            Some(Defect::ForgetsRuns) => {
                progress.lanes.iter_mut().for_each(|lane| lane.unsettled = Runs::new());
            }
            Some(Defect::CommitsAfterItsLoss) => {
                if let Some(late) = self.arriving.take() {
                    return late;
                }
                self.arriving = self.late.take();
            }
            _ => {}
        }
        progress
    }

    /// Which of these events are in a body.
    pub fn sent(&self, action: ActionId, mut offsets: Vec<i64>) -> Vec<i64> {
        offsets.retain(|offset| !self.dropped.contains(&(action, *offset)));
        offsets
    }

    pub fn idempotency_key(&mut self, attempt: &Attempt, left: &[i64]) -> String {
        let key = &*attempt.request.idempotency_key;
        match self.built_in {
            Some(Defect::KeysAttemptsAndNotSets) => {
                self.attempts += 1;
                format!("{key}-{}", self.attempts)
            }
            // It is the key of what is left.
            Some(Defect::DropsOneOfASplit) => format!("{:?} {left:?}", attempt.ticket.lane.action),
            _ => key.to_owned(),
        }
    }
}

/// So many worlds are enough to catch any of them.
const WORLDS: u64 = 300;

/// The first world that fails with a defect built in, and why.
fn first_caught(defect: Defect) -> (u64, String) {
    let live = |seed| quietly(|| World::new(seed, Bounds::NONE, Some(defect)).live());
    let mut failures = (0..WORLDS).filter_map(|seed| Some((seed, live(seed).err()?)));
    failures.next().unwrap_or_else(|| panic!("{defect:?} passes unnoticed through {WORLDS} worlds"))
}

/// A world notices the defect, for one of these reasons.
fn assert_caught(defect: Defect, reasons: &[&str]) {
    let (seed, why) = first_caught(defect);
    eprintln!("{defect:?} is caught by the world of seed {seed}: {why}");
    assert!(reasons.iter().any(|reason| why.contains(reason)), "{defect:?} fails otherwise: {why}");
}

macro_rules! each_is_caught {
    ($($name:ident: $defect:ident, $reasons:expr;)*) => {
        $(
            #[test]
            fn $name() {
                assert_caught(Defect::$defect, &$reasons);
            }
        )*
    };
}

const LOSS: &str = "is committed, but not settled";
const REPEAT: &str = "again although it is settled";

each_is_caught! {
    a_position_that_is_stored_before_its_events_are_settled_is_caught:
        StoresBeforeItSettles, [LOSS];
    a_revoke_that_is_forgotten_is_caught:
        ForgetsARevoke, [REPEAT, "although its position is committed", "two at a time", "twice"];
    an_event_that_is_dropped_from_a_split_is_caught: DropsOneOfASplit, [LOSS];
    riders_that_are_taken_past_their_room_are_caught:
        TakesRidersPastTheirRoom, ["bytes where"];
    lanes_that_take_all_memory_are_caught: SharesNothing, ["bytes where"];
    a_set_aside_event_that_the_next_owner_does_not_know_is_caught:
        LosesWhatIsSetAside, [LOSS, "are lost and"];
    runs_that_the_next_owner_does_not_know_are_caught: ForgetsRuns, [LOSS];
    a_commit_after_the_loss_of_ownership_is_caught:
        CommitsAfterItsLoss, ["is behind", REPEAT, LOSS];
    keys_that_name_attempts_and_not_sets_are_caught:
        KeysAttemptsAndNotSets, ["two idempotency keys for one set"];
    a_place_that_is_lost_with_its_url_is_caught: LosesItsPlaceWithItsUrl, [LOSS];
    foreign_entries_that_are_dropped_are_caught: DropsForeignEntries, [LOSS];
    a_lane_that_never_gets_its_turn_is_caught: NeverReadsAgain, ["it sleeps for ever"];
    deletions_that_nobody_counts_are_caught: LosesInSilence, ["are lost and"];
    requests_that_come_before_retry_after_are_caught:
        IgnoresRetryAfter, ["is to be left alone"];
}

#[test]
fn a_world_that_fails_is_made_smaller_and_still_fails() {
    let defect = Defect::ForgetsRuns;
    let world = |seed, bounds| World::new(seed, bounds, Some(defect));
    let (seed, _) = first_caught(defect);
    let fails = |bounds| quietly(|| world(seed, bounds).live()).is_err();
    let smallest = shrunk(Bounds::NONE, fails);
    eprintln!("HOOKCAST_SEED={seed}{smallest}");
    assert!(fails(smallest));
    let records = |bounds| world(seed, bounds).records();
    assert!(records(smallest) < records(Bounds::NONE), "no record was in vain");
    assert!(smallest.hostile_steps < Bounds::NONE.hostile_steps, "no step was in vain");
    for (name, dimension) in Bounds::DIMENSIONS {
        let mut smaller = smallest;
        *dimension(&mut smaller) -= 1;
        let is_least = *dimension(&mut smaller) == 0;
        assert!(is_least || !fails(smaller), "{name} may be lower still");
    }
}
