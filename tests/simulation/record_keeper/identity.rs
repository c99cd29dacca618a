//! The theorem of identity: the same set of events has the same `Idempotency-Key`, in every life, and
//! no other set has it.

use std::collections::HashMap;

use hookcast::plan::ActionId;

/// Sets of events by their key, and the other way round.
#[derive(Default)]
pub struct Identity {
    sets: HashMap<String, (ActionId, Vec<i64>)>,
    keys: HashMap<(ActionId, Vec<i64>), String>,
}

impl Identity {
    pub fn check(&mut self, action: ActionId, offsets: &[i64], key: &str) {
        let set = (action, offsets.to_vec());
        let known = self.sets.entry(key.to_owned()).or_insert_with(|| set.clone());
        assert_eq!(*known, set, "one idempotency key for two sets");
        let known = self.keys.entry(set).or_insert_with(|| key.to_owned());
        assert_eq!(known, key, "two idempotency keys for one set");
    }
}
