//! How a worker reads the log again for lanes that are behind.

use std::time::{Duration, Instant};

use rdkafka::consumer::ConsumerContext;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;
use tracing::warn;

use super::Worker;
use crate::catch_up::Piece;
use crate::pipeline::Appetite;
use crate::record::Now;

/// How many records are read again in one turn.
const PIECES_PER_TURN: usize = 200;
/// The pause after a slice that could not be read.
const SLICE_PAUSE: Duration = Duration::from_secs(1);

impl<C: ConsumerContext + 'static> Worker<C> {
    /// Asks for the log to be read again, where a lane needs it.
    pub(super) fn begin_slice(&mut self, now: Now) {
        if self.slice.is_some() || now.instant < self.no_slice_before {
            return;
        }
        let Some(from) = self.pipeline.begin_slice(now) else { return };
        let reader = self.pipeline.reads_at().unwrap_or(from);
        self.slice = self.outside.catch_up.slice(self.partition.clone(), from, reader);
        if self.slice.is_none() {
            self.end_slice(now.instant + SLICE_PAUSE);
        }
    }

    /// Takes what has arrived of the slice.
    pub(super) fn read_again(&mut self, now: Now) {
        for _ in 0..PIECES_PER_TURN {
            let Some(slice) = &mut self.slice else { return };
            match slice.try_recv() {
                Ok(piece) => self.take_piece(Some(piece), now),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.take_piece(None, now),
            }
        }
    }

    /// Takes a piece of the slice; none when it broke off.
    pub(super) fn take_piece(&mut self, piece: Option<Piece>, now: Now) {
        self.has_changed = true;
        let appetite = match piece {
            None => return self.end_slice(now.instant + SLICE_PAUSE),
            Some(Piece::Record(kept)) => {
                self.outside.metrics.catch_up_records.inc();
                self.pipeline.read_again(&kept.record(), now)
            }
            Some(Piece::NothingUpTo(position)) => {
                self.pipeline.nothing_up_to(position);
                Appetite::Enough
            }
            Some(Piece::Gone(begin)) => {
                let lost = self.pipeline.lost_below(begin);
                self.outside.metrics.offsets_lost(&self.partition, lost);
                warn!(
                    partition = %self.partition,
                    %begin,
                    lost,
                    "the broker has deleted records before every action had read them"
                );
                Appetite::Enough
            }
        };
        if appetite == Appetite::Enough {
            self.end_slice(now.instant);
        }
    }

    pub(super) fn end_slice(&mut self, no_other_before: Instant) {
        self.pipeline.end_slice();
        self.slice = None;
        self.no_slice_before = no_other_before;
    }
}

/// The next piece of the slice, where there is one; none when it is over.
pub(super) async fn next(slice: &mut Option<mpsc::Receiver<Piece>>) -> Option<Piece> {
    match slice {
        Some(slice) => slice.recv().await,
        None => std::future::pending().await,
    }
}
