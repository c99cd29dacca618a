//! What comes in: a record, and whom its event is owed to.
//!
//! Records of a source are matched against triggers. Those of the redrive topic name their action
//! themselves, and neither its trigger nor the event's `integrations` are asked a second time.

use std::sync::Arc;

use crate::dead_letter::{Account, Address, Reason};
use crate::event::{Event, Fields};
use crate::plan::{ActionId, Plan};
use crate::record::Record;
use crate::routing::{Routes, Skip};

/// How the records of one topic are taken.
#[derive(Debug)]
pub(super) struct Intake {
    routes: Routes,
    is_redrive: bool,
}

/// An event, and the action that it is addressed to, if it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer<'r> {
    pub(super) event: Event<'r>,
    addressee: Option<ActionId>,
}

impl Intake {
    pub(super) fn new(plan: &Plan, topic: &str) -> Self {
        Self { routes: Routes::new(plan, topic), is_redrive: *plan.redrive_topic == *topic }
    }

    /// The actions that records of the topic may be owed to, in the order of the plan.
    pub(super) fn actions(&self, plan: &Plan) -> Vec<ActionId> {
        self.routes.actions(plan)
    }

    /// Reads a record, whose value is `value`, or says why it can only be dead-lettered.
    pub(super) fn read<'r>(
        &self,
        plan: &'r Plan,
        fields: &'r mut Fields,
        record: &Record<'_>,
        value: &'r [u8],
    ) -> Result<Offer<'r>, Account> {
        let event = fields.read(value, &plan.paths).map_err(|invalid| {
            Account::without_attempt(None, Reason::InvalidEvent, invalid.to_string())
        })?;
        let addressee = if self.is_redrive { Some(addressee(plan, record)?) } else { None };
        Ok(Offer { event, addressee })
    }

    /// Puts into `owed` the actions that an event is owed to, in the order of the plan.
    pub(super) fn route(
        &mut self,
        plan: &Plan,
        offer: &Offer<'_>,
        owed: &mut Vec<ActionId>,
    ) -> Result<(), Skip> {
        let Some(addressee) = offer.addressee else {
            return self.routes.route(plan, offer.event, owed);
        };
        owed.clear();
        owed.push(addressee);
        Ok(())
    }
}

/// The action that a record of the redrive topic names. Where it is gone or disabled, the event goes
/// back to where it was: it was redriven on purpose, and is not skipped like others.
fn addressee(plan: &Plan, record: &Record<'_>) -> Result<ActionId, Account> {
    let Some(Address { destination, action }) = Address::of(&record.headers) else {
        let why = "no action is named in the headers hookcast-destination and hookcast-action";
        return Err(Account::without_attempt(None, Reason::InvalidEvent, why.to_owned()));
    };
    let why = match plan.action_named(destination, action) {
        Some(id) if plan.is_enabled(id) => return Ok(id),
        Some(_) => "disabled",
        None => "not in the configuration",
    };
    let why = format!("redriven, and the action {destination}/{action} is {why}");
    let addressee = Some((Arc::from(destination), Arc::from(action)));
    Err(Account::without_attempt(addressee, Reason::ActionRemoved, why))
}
