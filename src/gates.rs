//! What the lanes of an action share in a process, in all partitions: the gates of its endpoints,
//! its rate limit, and the count of what it rejects.
//!
//! Knows which endpoint has which gate. An action with a constant URL has one endpoint; one with a
//! mapped URL has as many as its events name. Of these a gate is remembered while some lane leads
//! through it, and for a while longer: whoever comes later begins anew, as after a restart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::gate::Gate;
use crate::plan::{Action, ActionId, Delivery, Plan};
use crate::progress::LaneOrigin;
use crate::rate::{self, Known, RateLimit};
use crate::rejections::Rejections;

/// So many gates of one action are not worth looking at for idle ones.
const FEW: usize = 256;
/// All of them are looked at no more often.
const FORGET_EVERY: Duration = Duration::from_secs(10);

/// See the module's documentation.
#[derive(Debug)]
pub struct Gates {
    by_action: Vec<OfAction>,
    rejections: Vec<Arc<Rejections>>,
    limits: Vec<Option<Arc<RateLimit>>>,
    /// When idle ones were forgotten last.
    forgot_at: Mutex<Option<Instant>>,
}

/// What a lane shares with others.
#[derive(Debug)]
pub struct Shared {
    /// With those of its endpoint. Origins that share a lane have none: their requests are limited
    /// where they are made.
    pub gate: Option<Arc<Gate>>,
    /// With those of its action, where that one has a limit.
    pub limit: Option<Arc<RateLimit>>,
    /// With those of its action: what it has rejected in a row.
    pub rejections: Arc<Rejections>,
}

#[derive(Debug)]
enum OfAction {
    /// The URL is constant.
    One(Arc<Gate>),
    /// The URL is mapped.
    Many(Delivery, Mutex<ByOrigin>),
}

#[derive(Debug, Default)]
struct ByOrigin {
    gates: HashMap<Box<str>, Arc<Gate>>,
    /// How many there were when idle ones were looked for last.
    were: usize,
}

impl Gates {
    /// The gates of endpoints of which nothing is known yet.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let gates = |action: &Action| match action.request.target.fingerprint() {
            None => OfAction::One(Arc::new(Gate::new(&action.delivery))),
            Some(_) => OfAction::Many(action.delivery.clone(), Mutex::default()),
        };
        let rejections = |action: &Action| Arc::new(Rejections::new(action.delivery.reject_limit));
        let limit = |action: &Action| Some(Arc::new(RateLimit::new(action.delivery.rate_limit?)));
        let rejections = plan.actions.iter().map(rejections).collect();
        let by_action = plan.actions.iter().map(gates).collect();
        let limits = plan.actions.iter().map(limit).collect();
        Self { by_action, rejections, limits, forgot_at: Mutex::default() }
    }

    fn gate(&self, id: ActionId, origin: &LaneOrigin) -> Option<Arc<Gate>> {
        match (&self.by_action[id.0], origin) {
            (OfAction::One(gate), _) => Some(Arc::clone(gate)),
            (OfAction::Many(delivery, by_origin), LaneOrigin::Mapped { origin, .. }) => {
                let mut by_origin = lock(by_origin);
                if let Some(known) = by_origin.gates.get(origin) {
                    return Some(Arc::clone(known));
                }
                by_origin.make_room();
                let new = Arc::new(Gate::new(delivery));
                by_origin.gates.insert(origin.clone(), Arc::clone(&new));
                Some(new)
            }
            (OfAction::Many(..), _) => None,
        }
    }

    /// What a lane of one of an action's endpoints shares with others.
    ///
    /// # Panics
    /// When the action is of another plan.
    #[must_use]
    pub fn shared(&self, id: ActionId, origin: &LaneOrigin) -> Shared {
        Shared {
            gate: self.gate(id, origin),
            limit: self.limits[id.0].clone(),
            rejections: Arc::clone(&self.rejections[id.0]),
        }
    }

    /// Whether the requests of any action are limited.
    #[must_use]
    pub fn have_limits(&self) -> bool {
        self.limits.iter().any(Option::is_some)
    }

    /// This member takes its part of the limits, as far as partitions are `known` now.
    ///
    /// # Panics
    /// When the plan is another one.
    pub fn take_shares(&self, plan: &Plan, known: &Known, now: Instant) {
        for (index, limit) in self.limits.iter().enumerate() {
            if let Some(limit) = limit {
                limit.set_share(rate::share(plan, ActionId(index), known), now);
            }
        }
    }

    /// Forgets the gates of mapped origins that no lane leads through, now and then. Gives back the actions of
    /// those that were open, one for each: nobody will ever say that they are closed.
    #[must_use = "what was counted as open is to be counted no more"]
    pub fn forget_idle(&self, now: Instant) -> Vec<ActionId> {
        let mut open = Vec::new();
        let mut forgot_at = self.forgot_at.lock().unwrap_or_else(PoisonError::into_inner);
        if forgot_at.is_some_and(|at| now < at + FORGET_EVERY) {
            return open;
        }
        *forgot_at = Some(now);
        for (index, gates) in self.by_action.iter().enumerate() {
            let OfAction::Many(_, by_origin) = gates else { continue };
            lock(by_origin).gates.retain(|_, gate| {
                let is_kept = is_used(gate);
                if !is_kept && gate.is_open() {
                    open.push(ActionId(index));
                }
                is_kept
            });
        }
        open
    }
}

impl ByOrigin {
    /// Forgets the gates that no lane leads through and whose endpoints are well, when there are
    /// twice as many as last time.
    fn make_room(&mut self) {
        if self.gates.len() >= FEW.max(2 * self.were) {
            self.gates.retain(|_, gate| is_used(gate) || gate.is_open());
            self.were = self.gates.len();
        }
    }
}

/// Whether somebody beside the map holds it. New holders come from under the map's lock.
fn is_used(gate: &Arc<Gate>) -> bool {
    Arc::strong_count(gate) > 1
}

fn lock(by_origin: &Mutex<ByOrigin>) -> MutexGuard<'_, ByOrigin> {
    by_origin.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::env::VarError;
    use std::task::Waker;

    use super::*;
    use crate::config::Config;
    use crate::gate::{Fault, Heard};
    use crate::record::Now;
    use crate::verdict::{Outcome, Verdict};

    fn plan() -> Plan {
        let text = r"
kafka: { bootstrap.servers: 'unused:1', group.id: g }
sources: { one: { topics: [t] } }
destinations:
  d: { actions: { a: { trigger: x, url: { '@template': 'https://{{host}}/' } } } }
";
        let variable = |_: &str| Err(VarError::NotPresent);
        let config = Config::parse("plan.yaml", text, "".as_ref(), &variable);
        config.unwrap_or_else(|errors| panic!("{errors}")).plan
    }

    fn origin(number: usize) -> LaneOrigin {
        LaneOrigin::Mapped { fingerprint: 1, origin: format!("https://h{number}:443").into() }
    }

    fn open(gate: &Arc<Gate>, now: Instant) {
        let mut entrance = gate.entrance();
        let failed = Heard {
            outcome: Outcome::Timeout,
            verdict: Verdict::Retry,
            retry_after: None,
            fault: Fault::Endpoint,
            events: 1,
            has_others: false,
        };
        while !gate.is_open() {
            let pass = entrance.ask(now, Waker::noop()).expect("it is closed");
            let _ = pass.answered(&failed, Now { instant: now, unix_ms: 0 }, 0.5);
        }
    }

    #[test]
    fn an_open_gate_that_is_forgotten_is_told_of_once() {
        let gates = Gates::new(&plan());
        let (action, now) = (ActionId(0), Instant::now());
        let gate = gates.gate(action, &origin(0)).expect("an origin has a gate");
        open(&gate, now);
        assert!(gates.forget_idle(now).is_empty(), "somebody leads through it");
        let again = gates.gate(action, &origin(0)).expect("an origin has a gate");
        assert!(Arc::ptr_eq(&gate, &again));
        drop((gate, again));
        let later = now + FORGET_EVERY;
        assert_eq!(gates.forget_idle(later), [action]);
        assert!(gates.forget_idle(later + FORGET_EVERY).is_empty());
        let fresh = gates.gate(action, &origin(0)).expect("an origin has a gate");
        assert!(!fresh.is_open());
        assert!(gates.gate(action, &LaneOrigin::Shared { fingerprint: 1 }).is_none());
    }

    #[test]
    fn gates_of_millions_of_origins_are_not_kept() {
        let gates = Gates::new(&plan());
        for number in 0..10_000 {
            let gate = gates.gate(ActionId(0), &origin(number));
            assert!(gate.is_some());
        }
        let OfAction::Many(_, by_origin) = &gates.by_action[0] else { panic!("it is mapped") };
        assert!(lock(by_origin).gates.len() <= FEW);
    }
}
