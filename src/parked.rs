//! A record that some lane had no room for, kept until every lane has taken it or has fallen
//! behind.
//!
//! While a record is parked its partition is not read, so there is one at the most. Knows the
//! record and who still has to take it.

use crate::kept::KeptRecord;
use crate::letters::Debtor;
use crate::plan::ActionId;
use crate::record::Record;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) record: KeptRecord,
    /// Who still has to take it.
    pub(crate) owed: Vec<Debtor>,
}

impl Parked {
    /// Keeps a copy of `record` for those that it is still owed to.
    pub(crate) fn new(record: &Record<'_>, owed: Vec<Debtor>) -> Self {
        Self { record: KeptRecord::new(record), owed }
    }

    /// The actions that still have to take it.
    pub(crate) fn actions(&self) -> impl Iterator<Item = ActionId> {
        self.owed.iter().copied().filter_map(Debtor::action)
    }
}
