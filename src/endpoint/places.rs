//! Places for the requests of the whole process, so that it never has too many files open.
//!
//! An endpoint may hold as many places as are free. So one whose requests all hang gets half of
//! them, two get a third each, and whoever comes then still finds some. Whoever finds none waits
//! in the line of his endpoint, first come, first served, and the endpoints take turns. What waits
//! holds nothing but its request.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::{HashMap, HashMapExt};
use tokio::sync::oneshot;

use super::origin::Origin;
use crate::plan::ActionId;

/// An endpoint: an action, and the origin where that is not always the same.
pub(super) type Key = (ActionId, Option<Origin>);

/// See the module's documentation.
#[derive(Debug, Clone)]
pub(super) struct Places(Arc<Mutex<State>>);

/// A place of one request, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    key: Key,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Those that hold a place or wait for one.
    endpoints: HashMap<Key, AtEndpoint>,
    /// Those of whose requests some wait, the one whose turn it is first.
    turns: VecDeque<Key>,
}

#[derive(Debug, Default)]
struct AtEndpoint {
    held: usize,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

impl Places {
    pub(super) fn new(places: usize) -> Self {
        let state = State { free: places, endpoints: HashMap::new(), turns: VecDeque::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// A place for one request of an endpoint, as soon as there is one.
    pub(super) async fn take(&self, key: Key) -> Place {
        let waiting = {
            let mut state = self.lock();
            let free = state.free;
            let endpoint = state.endpoints.entry(key.clone()).or_default();
            if endpoint.waiting.is_empty() && endpoint.held < free {
                endpoint.held += 1;
                state.free -= 1;
                None
            } else {
                let (grant, granted) = oneshot::channel();
                let is_first = endpoint.waiting.is_empty();
                endpoint.waiting.push_back(grant);
                if is_first {
                    state.turns.push_back(key.clone());
                }
                Some(granted)
            }
        };
        match waiting {
            None => Place { places: self.clone(), key },
            Some(granted) => granted.await.expect("whoever waits is given a place some time"),
        }
    }

    /// Gives what is free to those whose turn it is.
    fn grant(&self) {
        loop {
            let Some((grant, key)) = self.lock().next() else { return };
            // Who does not want it any more gives it back by dropping it.
            drop(grant.send(Place { places: self.clone(), key }));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut state = self.places.lock();
            state.free += 1;
            if let Some(endpoint) = state.endpoints.get_mut(&self.key) {
                endpoint.held -= 1;
                if endpoint.held == 0 && endpoint.waiting.is_empty() {
                    state.endpoints.remove(&self.key);
                }
            }
        }
        self.places.grant();
    }
}

impl State {
    /// The next request that gets a place, which it holds from now on.
    fn next(&mut self) -> Option<(oneshot::Sender<Place>, Key)> {
        let mut index = 0;
        while let Some(key) = self.turns.get(index) {
            let endpoint = self.endpoints.get_mut(key).expect("those with a turn are known");
            // Requests that were aborted while they waited.
            while endpoint.waiting.front().is_some_and(oneshot::Sender::is_closed) {
                endpoint.waiting.pop_front();
            }
            if endpoint.waiting.is_empty() {
                let is_gone = endpoint.held == 0;
                let key = self.turns.remove(index).expect("it stands there");
                if is_gone {
                    self.endpoints.remove(&key);
                }
                continue;
            }
            if endpoint.held >= self.free {
                index += 1;
                continue;
            }
            endpoint.held += 1;
            self.free -= 1;
            let grant = endpoint.waiting.pop_front().expect("somebody waits");
            let has_more = !endpoint.waiting.is_empty();
            let key = self.turns.remove(index).expect("it stands there");
            if has_more {
                self.turns.push_back(key.clone());
            }
            return Some((grant, key));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::{Key, Place, Places};
    use crate::plan::ActionId;

    fn key(action: usize) -> Key {
        (ActionId(action), None)
    }

    fn poll(taking: Pin<&mut impl Future<Output = Place>>) -> Option<Place> {
        match taking.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(place) => Some(place),
            Poll::Pending => None,
        }
    }

    /// As many places as an endpoint gets at once.
    fn take_all(places: &Places, action: usize) -> Vec<Place> {
        std::iter::from_fn(|| poll(pin!(places.take(key(action))))).collect()
    }

    #[test]
    fn an_endpoint_whose_requests_hang_leaves_half_of_the_places_to_others() {
        let places = Places::new(90);
        let hanging = take_all(&places, 0);
        assert_eq!(hanging.len(), 45);
        let other = take_all(&places, 1);
        assert_eq!(other.len(), 23);
        assert!(!take_all(&places, 2).is_empty());
        drop((hanging, other));
        assert!(places.lock().endpoints.is_empty());
        assert_eq!(places.lock().free, 90);
    }

    #[test]
    fn who_waits_is_served_in_turns_and_in_the_order_of_coming() {
        let places = Places::new(1);
        let first = take_all(&places, 0).remove(0);
        let mut again = pin!(places.take(key(0)));
        let mut once_more = pin!(places.take(key(0)));
        let mut other = pin!(places.take(key(1)));
        assert!(poll(again.as_mut()).is_none() && poll(once_more.as_mut()).is_none());
        assert!(poll(other.as_mut()).is_none());
        drop(first);
        assert!(poll(once_more.as_mut()).is_none() && poll(other.as_mut()).is_none());
        let place = poll(again.as_mut()).expect("it came first");
        drop(place);
        assert!(poll(once_more.as_mut()).is_none(), "its endpoint had a turn");
        let place = poll(other.as_mut()).expect("it is its turn");
        drop(place);
        assert!(poll(once_more.as_mut()).is_some());
    }

    #[test]
    fn who_goes_while_he_waits_keeps_nobody_waiting_and_no_place() {
        let places = Places::new(1);
        let place = take_all(&places, 0).remove(0);
        let mut patient = Box::pin(places.take(key(2)));
        {
            let mut gone = Box::pin(places.take(key(0)));
            let mut granted_too_late = Box::pin(places.take(key(1)));
            assert!(poll(gone.as_mut()).is_none());
            assert!(poll(granted_too_late.as_mut()).is_none());
            assert!(poll(patient.as_mut()).is_none());
            drop(gone);
            drop(place);
            assert!(poll(patient.as_mut()).is_none(), "it is somebody else's turn");
        }
        drop(poll(patient.as_mut()).expect("the place came back"));
        assert!(places.lock().endpoints.is_empty() && places.lock().turns.is_empty());
        assert_eq!(places.lock().free, 1);
    }
}
