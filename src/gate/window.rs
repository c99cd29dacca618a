//! How many requests may be in flight: fewer when the endpoint cannot keep up, more again in time.
//!
//! After TCP's congestion control (RFC 5681): additive increase, multiplicative decrease, and a
//! slow start. Knows rounds: an answer to a request that began in an earlier one says nothing of
//! the window as it is now.

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Window {
    places: usize,
    /// What it never exceeds.
    most: usize,
    /// Below this many places it doubles every round; from there on it gains one.
    doubles_below: usize,
    /// Acceptances since it was last changed.
    accepted: usize,
    round: u64,
}

impl Window {
    /// A window as wide as it can be.
    pub(super) fn new(most: usize) -> Self {
        Self { places: most, most, doubles_below: most, accepted: 0, round: 0 }
    }

    /// How many requests may be in flight, 1 at least.
    pub(super) fn places(&self) -> usize {
        self.places
    }

    /// How many they may be at most.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// What tells a request's answer from those to requests that began before the last cut.
    pub(super) fn round(&self) -> u64 {
        self.round
    }

    /// A request that began in `round` was accepted.
    pub(super) fn accepted(&mut self, round: u64) {
        if round != self.round || self.places == self.most {
            return;
        }
        self.accepted += 1;
        if self.places < self.doubles_below || self.accepted >= self.places {
            self.places += 1;
            self.accepted = 0;
        }
    }

    /// A request that began in `round` was too much for the endpoint.
    pub(super) fn overwhelmed(&mut self, round: u64) {
        if round == self.round {
            self.doubles_below = (self.places / 2).max(1);
            self.cut_to(self.doubles_below);
        }
    }

    /// Nothing is known any more of what the endpoint can bear: it begins with one place.
    pub(super) fn begin_anew(&mut self) {
        self.doubles_below = self.most;
        self.cut_to(1);
    }

    /// It begins with one place, and doubles until it has as many as it has now.
    pub(super) fn begin_again(&mut self) {
        self.doubles_below = self.places;
        self.cut_to(1);
    }

    fn cut_to(&mut self, places: usize) {
        self.places = places;
        self.accepted = 0;
        self.round += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    /// As many acceptances as it has places: one round trip of a window that is used in full.
    fn round_trip(window: &mut Window) -> usize {
        for _ in 0..window.places() {
            window.accepted(window.round());
        }
        window.places()
    }

    #[test]
    fn it_begins_as_wide_as_it_can_be_and_grows_no_further() {
        let mut window = Window::new(64);
        assert_eq!(window.places(), 64);
        assert_eq!(round_trip(&mut window), 64);
    }

    #[test]
    fn it_halves_once_per_round_trip_and_never_closes() {
        let mut window = Window::new(64);
        let begun = window.round();
        for _ in 0..64 {
            window.overwhelmed(begun);
        }
        assert_eq!(window.places(), 32);
        let sizes: Vec<_> = (0..6)
            .map(|_| {
                window.overwhelmed(window.round());
                window.places()
            })
            .collect();
        assert_eq!(sizes, [16, 8, 4, 2, 1, 1]);
    }

    #[test]
    fn after_it_was_halved_it_gains_one_place_per_window_of_acceptances() {
        let mut window = Window::new(64);
        let begun = window.round();
        window.overwhelmed(begun);
        // Answers to what began before tell nothing of the new window.
        for _ in 0..63 {
            window.accepted(begun);
        }
        assert_eq!(window.places(), 32);
        assert_eq!([round_trip(&mut window), round_trip(&mut window)], [33, 34]);
    }

    #[test]
    fn after_an_outage_it_doubles_every_round_trip() {
        let mut window = Window::new(50);
        window.begin_anew();
        assert_eq!(window.places(), 1);
        let sizes: Vec<_> = (0..7).map(|_| round_trip(&mut window)).collect();
        assert_eq!(sizes, [2, 4, 8, 16, 32, 50, 50]);
    }

    #[test]
    fn what_was_learnt_of_the_endpoint_ends_the_doubling() {
        let mut window = Window::new(64);
        for _ in 0..3 {
            window.overwhelmed(window.round());
        }
        window.begin_again();
        let sizes: Vec<_> = (0..5).map(|_| round_trip(&mut window)).collect();
        assert_eq!(sizes, [2, 4, 8, 9, 10]);
    }
}
