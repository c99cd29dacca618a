//! What grows: one dimension at a time, around one case that all of them have in common.

use crate::sized::Shape;

/// What a run is made with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Case {
    pub partitions: usize,
    pub actions: usize,
    pub keys: usize,
    /// How many of the actions every event is owed to.
    pub fan_out: usize,
    pub bytes: usize,
    pub latency_ms: usize,
    pub members: usize,
}

/// The case that all dimensions go through.
pub const BASE: Case = Case {
    partitions: 8,
    actions: 1,
    keys: 1000,
    fan_out: 1,
    bytes: 714,
    latency_ms: 0,
    members: 1,
};

/// How many events a request carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Batched,
    Single,
}

impl Mode {
    pub const ALL: [Self; 2] = [Self::Batched, Self::Single];

    /// The most events of a request, by which figures are filed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Batched => "1000",
            Self::Single => "1",
        }
    }

    /// The settings of an action.
    pub fn settings(self) -> &'static str {
        match self {
            Self::Batched => "batch: { max_events: 1000 }",
            Self::Single => "batch: false",
        }
    }

    /// Enough events for some seconds of the base case.
    fn events(self) -> usize {
        match self {
            Self::Batched => 400_000,
            Self::Single => 60_000,
        }
    }
}

/// One thing that grows while all others stay.
pub struct Dimension {
    pub name: &'static str,
    /// What its numbers count.
    pub unit: &'static str,
    pub values: &'static [usize],
    pub modes: &'static [Mode],
    set: fn(&mut Case, usize),
    of: fn(&Case) -> usize,
    /// How many events it takes to see something: fewer where they are costly or slow.
    events: fn(Mode, usize) -> usize,
}

impl Dimension {
    /// The case with this value.
    pub fn case(&self, value: usize) -> Case {
        let mut case = BASE;
        (self.set)(&mut case, value);
        case
    }

    /// Its value in the base case.
    pub fn base(&self) -> usize {
        (self.of)(&BASE)
    }

    /// What a topic is filled with.
    pub fn shape(&self, value: usize, mode: Mode, is_quick: bool) -> Shape {
        let Case { bytes, keys, partitions, .. } = self.case(value);
        let events = (self.events)(mode, value) / if is_quick { 10 } else { 1 };
        Shape { events, bytes, keys, partitions }
    }
}

/// All of them, in the order in which they are told.
pub const DIMENSIONS: [Dimension; 7] = [
    Dimension {
        name: "partitions",
        unit: "partitions",
        values: &[1, 8, 64, 500],
        modes: &Mode::ALL,
        set: |case, value| case.partitions = value,
        of: |case| case.partitions,
        // Batches of every partition are to be full.
        events: |mode, value| match mode {
            Mode::Batched => mode.events().max(value * 2000),
            Mode::Single => mode.events(),
        },
    },
    Dimension {
        name: "actions",
        unit: "actions, of which one matches",
        values: &[1, 100, 10_000],
        modes: &Mode::ALL,
        set: |case, value| case.actions = value,
        of: |case| case.actions,
        events: |mode, _| mode.events(),
    },
    Dimension {
        name: "keys",
        unit: "record keys",
        values: &[1, 10, 1000],
        // Batches go one after the other in any case.
        modes: &[Mode::Single],
        set: |case, value| case.keys = value,
        of: |case| case.keys,
        events: |mode, value| if value == 1 { mode.events() / 3 } else { mode.events() },
    },
    Dimension {
        name: "fan-out",
        unit: "actions that match",
        values: &[1, 5, 50],
        modes: &Mode::ALL,
        set: |case, value| (case.actions, case.fan_out) = (value, value),
        of: |case| case.fan_out,
        events: |mode, value| match mode {
            // A batch for every action, and then some.
            Mode::Batched => (mode.events() / value).max(24_000),
            Mode::Single => mode.events() / value,
        },
    },
    Dimension {
        name: "event-size",
        unit: "bytes of an event",
        values: &[200, 714, 5_000, 100_000],
        modes: &Mode::ALL,
        set: |case, value| case.bytes = value,
        of: |case| case.bytes,
        events: |mode, value| match (mode, value) {
            (_, 100_000) => 4_000,
            (Mode::Batched, 5_000) => 80_000,
            _ => mode.events(),
        },
    },
    Dimension {
        name: "latency",
        unit: "ms until the endpoint answers",
        values: &[0, 20, 200],
        modes: &Mode::ALL,
        set: |case, value| case.latency_ms = value,
        of: |case| case.latency_ms,
        events: |mode, value| match (mode, value) {
            (_, 0) | (Mode::Batched, 20) => mode.events(),
            (Mode::Batched, _) => 160_000,
            (Mode::Single, 20) => 15_000,
            (Mode::Single, _) => 2_000,
        },
    },
    Dimension {
        name: "members",
        unit: "members of the group, on one machine",
        values: &[1, 2, 4],
        modes: &Mode::ALL,
        set: |case, value| case.members = value,
        of: |case| case.members,
        events: |mode, _| mode.events(),
    },
];
