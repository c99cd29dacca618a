//! What one run has shown, and what several of them say together.

/// What is measured. Not every run measures everything.
#[derive(Clone, Copy, Default)]
pub struct Figures {
    pub events_per_second: Option<f64>,
    pub cpu_us: Option<f64>,
    pub peak_mib: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
}

/// The names of the figures, and how many digits of them mean something.
pub const FIGURES: [(&str, usize); 5] = [
    ("events/s", 0),
    ("CPU-µs per event", 2),
    ("peak memory, MiB", 1),
    ("latency p50, ms", 2),
    ("latency p99, ms", 2),
];

impl Figures {
    /// In the order of [`FIGURES`].
    pub fn as_array(self) -> [Option<f64>; 5] {
        [self.events_per_second, self.cpu_us, self.peak_mib, self.p50_ms, self.p99_ms]
    }
}

/// The runs of one round in one mode, made right after one another.
#[derive(Clone, Copy, Default)]
pub struct Round {
    pub hookcast: Figures,
    pub consumer: Figures,
    pub client: Figures,
}

/// Several numbers as one.
#[derive(Clone, Copy)]
pub struct Summary {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Summary {
    /// None of no number.
    pub fn of(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        let mut numbers: Vec<_> = numbers.collect();
        numbers.sort_by(f64::total_cmp);
        let (min, max) = (*numbers.first()?, *numbers.last()?);
        let middle = numbers.len() / 2;
        let median = if numbers.len().is_multiple_of(2) {
            f64::midpoint(numbers[middle - 1], numbers[middle])
        } else {
            numbers[middle]
        };
        Some(Self { median, min, max })
    }
}

/// The value below which this part of the numbers lies, microseconds as milliseconds.
pub fn percentile(numbers: &mut [u64], part: f64) -> Option<f64> {
    numbers.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a length"
    )]
    let index = (numbers.len() as f64 * part) as usize;
    numbers.get(index.min(numbers.len().saturating_sub(1))).map(|&us| us as f64 / 1000.0)
}
