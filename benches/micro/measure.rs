//! How long something takes: many times in a row, and everything in turns, so that what disturbs
//! the machine disturbs all. Time is what the thread has used of a core, so that waiting for one
//! does not count.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Something that is measured.
pub struct Case {
    /// What it belongs to.
    pub group: &'static str,
    pub name: String,
    /// The case of the same group that it is compared with, and what the ratio is to be.
    pub beside: Option<(String, Option<Aim>)>,
    /// Does it so many times.
    run: Box<dyn FnMut(usize)>,
}

/// The most that something may cost, as a multiple of what it is compared with.
#[derive(Clone, Copy)]
pub struct Aim(pub f64);

impl Case {
    /// A case that does `once` over and over; `once` is told how often it was called before.
    pub fn new(
        group: &'static str,
        name: impl Into<String>,
        mut once: impl FnMut(usize) + 'static,
    ) -> Self {
        let mut done = 0_usize;
        let run = Box::new(move |times| {
            for _ in 0..times {
                once(done);
                done = done.wrapping_add(1);
            }
        });
        Self { group, name: name.into(), beside: None, run }
    }

    /// Compares it with another one of its group.
    pub fn beside(self, other: impl Into<String>, aim: Option<Aim>) -> Self {
        Self { beside: Some((other.into(), aim)), ..self }
    }

    /// What doing it so many times takes.
    fn spend(&mut self, times: usize) -> Duration {
        let start = spent();
        (self.run)(times);
        spent().saturating_sub(start)
    }

    /// Nanoseconds for doing it once, on the average of so many times.
    fn time(&mut self, times: usize) -> f64 {
        self.spend(times).as_secs_f64() * 1e9 / times as f64
    }

    /// How many times fill `duration`, found out by doing it; which also warms it up.
    fn times_in(&mut self, duration: Duration) -> usize {
        let mut times = 1;
        loop {
            if self.spend(times) >= duration / 2 {
                return times * 2;
            }
            times *= 2;
        }
    }
}

/// What this thread has used of all cores.
fn spent() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).expect("a thread has used no less than nothing")
}

/// Nanoseconds of every case in every round: by case, then by round.
pub fn measure(cases: &mut [Case], rounds: usize, duration: Duration) -> Vec<Vec<f64>> {
    let times: Vec<usize> = cases.iter_mut().map(|case| case.times_in(duration)).collect();
    let mut measured = vec![Vec::with_capacity(rounds); cases.len()];
    for _ in 0..rounds {
        for ((case, times), measured) in cases.iter_mut().zip(&times).zip(&mut measured) {
            measured.push(case.time(*times));
        }
    }
    measured
}
