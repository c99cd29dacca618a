//! What a pipeline asked for and takes its time: requests, and letters.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use futures_util::stream::{FuturesUnordered, StreamExt};
use rdkafka::error::KafkaError;

use super::Outside;
use crate::lane::{Answer, Attempt, Ticket};
use crate::letters::Writing;
use crate::plan::Target;

/// Something to do.
pub(super) enum Task {
    Request(Attempt),
    Letter(Writing),
}

/// It has been done.
pub(super) enum Done {
    Request(Ticket, Arc<Target>, Answer),
    Letter(Writing, Result<(), KafkaError>),
}

pub(super) async fn perform(outside: Arc<Outside>, task: Task) -> Done {
    match task {
        Task::Request(attempt) => {
            let answer = outside.endpoints.attempt(&attempt).await;
            Done::Request(attempt.ticket, attempt.request.target, answer)
        }
        Task::Letter(writing) => {
            let result = outside.dead_letters.write(&writing.letter).await;
            Done::Letter(writing, result)
        }
    }
}

/// Advances everything that can be, and takes what is done. Tokio would have this worker pause after
/// a few requests, and the others wait a round for it; once through all of them is bounded as well.
pub(super) async fn take_done(
    under_way: &mut FuturesUnordered<impl Future<Output = Done>>,
    done: &mut Vec<Done>,
) {
    let advance = poll_fn(|cx| {
        while let Poll::Ready(Some(next)) = under_way.poll_next_unpin(cx) {
            done.push(next);
        }
        Poll::Ready(())
    });
    tokio::task::unconstrained(advance).await;
}
