//! `delivery.rate_limit`: how many requests a second one action may make.
//!
//! The limit holds for the whole group; every member takes the [share](share()) of it that it has
//! of the partitions. A token bucket: what was not used in the last second may be used at once, but
//! no more than that, and one request at least. So in any span of time a member makes no more
//! requests than its rate allows for it and one second's worth.
//!
//! All lanes of an action share it, and take turns. A lane that has to wait stands in line, and is
//! told when there will be a token for it and for everybody in front of it. Nobody is called: who
//! stands in line knows a time.

mod share;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use share::{Known, share};

/// The longest wait until it is worth asking again: a rebalance may have given a larger share.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// One action's limit in one process.
#[derive(Debug)]
pub struct RateLimit {
    /// Requests per second of the whole group.
    of_group: f64,
    bucket: Mutex<Bucket>,
}

/// One lane's place in front of a limit. Dropping it leaves the line.
#[derive(Debug)]
pub struct Turn {
    limit: Arc<RateLimit>,
    /// When it came, in comparison with others; none: it has not asked since it went last.
    number: Option<u64>,
}

#[derive(Debug)]
struct Bucket {
    /// Requests per second of this process.
    rate: f64,
    tokens: f64,
    /// When it was filled last; none: never.
    filled_at: Option<Instant>,
    /// The numbers of those who wait, ascending.
    line: VecDeque<u64>,
    /// The next number to give out.
    next_number: u64,
}

impl RateLimit {
    /// A limit of `per_second` requests in the whole group, of which this process has no share
    /// yet. The bucket holds a single request at first: members that start one after the other
    /// must not begin with a second's worth each.
    #[must_use]
    pub fn new(per_second: f64) -> Self {
        let bucket = Bucket {
            rate: 0.0,
            tokens: 1.0,
            filled_at: None,
            line: VecDeque::new(),
            next_number: 0,
        };
        Self { of_group: per_second, bucket: Mutex::new(bucket) }
    }

    /// This process takes `share` of the group's limit, 0 to 1, from `now` on.
    pub fn set_share(&self, share: f64, now: Instant) {
        let mut bucket = self.lock();
        bucket.fill(now);
        bucket.rate = self.of_group * share.clamp(0.0, 1.0);
        bucket.tokens = bucket.tokens.min(bucket.most());
    }

    /// A place in front of it for one more lane.
    #[must_use]
    pub fn turn(self: &Arc<Self>) -> Turn {
        Turn { limit: Arc::clone(self), number: None }
    }

    /// Whether somebody who is not in line might make a request now.
    #[must_use]
    pub fn could_go(&self, now: Instant) -> bool {
        let mut bucket = self.lock();
        bucket.fill(now);
        bucket.ready(bucket.line.len(), now).is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Takes the right to make one request now.
    ///
    /// # Errors
    /// When it is worth asking again. From then on the lane stands in line.
    pub fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let mut bucket = self.limit.lock();
        bucket.fill(now);
        let number = *self.number.get_or_insert_with(|| bucket.new_number());
        let place = bucket.line.binary_search(&number);
        let (Ok(ahead) | Err(ahead)) = place;
        if let Err(at) = bucket.ready(ahead, now) {
            if place.is_err() {
                bucket.line.insert(ahead, number);
            }
            return Err(at);
        }
        if place.is_ok() {
            bucket.line.remove(ahead);
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    /// The request that [`take`](Self::take) allowed goes: the lane's next one comes behind those
    /// of everybody who waits.
    pub fn went(&mut self) {
        self.number = None;
    }

    /// The request that [`take`](Self::take) allowed does not go, something else keeps it: another
    /// lane may use its token. The lane waits elsewhere, and stops nobody here; when it comes again
    /// it goes before those who came after it. Otherwise one that always finds either the gate full
    /// or the bucket empty might never go.
    pub fn give_back(&mut self) {
        let mut bucket = self.limit.lock();
        bucket.tokens = (bucket.tokens + 1.0).min(bucket.most());
    }

    /// The lane has nothing to send for now.
    pub fn leave(&mut self) {
        let Some(number) = self.number.take() else { return };
        let mut bucket = self.limit.lock();
        if let Ok(place) = bucket.line.binary_search(&number) {
            bucket.line.remove(place);
        }
    }

    /// Whether a lane that is not in line might make a request now.
    #[must_use]
    pub fn could_go(&self, now: Instant) -> bool {
        self.limit.could_go(now)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Bucket {
    /// One second's worth, but one request at least.
    fn most(&self) -> f64 {
        self.rate.max(1.0)
    }

    fn new_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Workers read the clock before they come here, so that it may seem to go back: then nothing
    /// is added, and no span is counted twice.
    fn fill(&mut self, now: Instant) {
        let last = *self.filled_at.get_or_insert(now);
        let elapsed = now.saturating_duration_since(last);
        self.tokens = (self.tokens + elapsed.as_secs_f64() * self.rate).min(self.most());
        self.filled_at = Some(last.max(now));
    }

    /// Whether there is a token for somebody who has so many in front of him.
    fn ready(&self, ahead: usize, now: Instant) -> Result<(), Instant> {
        #[allow(clippy::cast_precision_loss, reason = "there are not that many lanes")]
        let needed = ahead as f64 + 1.0;
        if self.rate > 0.0 && self.tokens >= needed {
            return Ok(());
        }
        let seconds = (needed - self.tokens) / self.rate;
        let wait = Duration::try_from_secs_f64(seconds).map_or(LONGEST_WAIT, |wait| {
            // Rounded up, so that who comes then does not come in vain.
            (wait + Duration::from_nanos(1)).min(LONGEST_WAIT)
        });
        Err(now + wait)
    }
}
