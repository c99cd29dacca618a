//! The demo from its beginning to its end, once everything that takes part is there.
//!
//! Knows when the play is over, and how to tell an event that was lost from one that waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::time::MissedTickBehavior;

use super::closing::{self, Account};
use super::feed::{self, Feed};
use super::ledger::Ledger;
use super::picture::{Moment, Picture};
use super::{Demo, Ended, Error, GROUP, PARTITIONS, TOPIC};
use crate::consumer;
use crate::service::{self, Service, Signals};

/// Between two turns of the demo, each of which writes the events that have become due.
const TURN: Duration = Duration::from_millis(20);
/// When no request has come for this long, none will: every wait of the demo is far shorter.
const STALLED: Duration = Duration::from_secs(30);

/// Why the play is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curtain {
    AllDelivered,
    Interrupted,
    Stalled,
}

/// Everything that takes part.
pub(super) struct Stage<'a> {
    pub(super) demo: &'a Demo,
    /// What can be looked at, a line each.
    pub(super) addresses: String,
    pub(super) feed: Feed,
    pub(super) picture: Picture,
    pub(super) ledger: Arc<Ledger>,
    pub(super) service: Service,
}

impl Stage<'_> {
    /// The whole demo, with the service running. When it fails the service may still run.
    pub(super) async fn show(
        &mut self,
        broker: &str,
        signals: &mut Signals,
    ) -> Result<Ended, Error> {
        self.picture.say(&self.addresses)?;
        let curtain = self.play(signals).await?;
        if curtain == Curtain::Interrupted {
            self.picture.say("\nFinishing what was begun ...")?;
        }
        let stays = self.demo.keep && curtain == Curtain::AllDelivered;
        if !stays {
            self.end_service(signals).await?;
        }
        let account = self.account(broker)?;
        self.picture.say(&format!("\n{}", account.table()))?;
        if curtain == Curtain::Stalled {
            let seconds = STALLED.as_secs();
            self.picture.say(&format!("No request has come for {seconds} s: giving up.\n"))?;
        }
        self.picture.say(&closing::next_steps(&self.demo.program))?;
        if stays {
            self.picture.say(&format!("\nStill up, until Ctrl-C:\n{}", self.addresses))?;
            tokio::select! {
                ended = self.service.ended() => return Err(too_early(ended)),
                _ = signals.next() => {}
            }
            self.end_service(signals).await?;
        }
        let is_good = account.is_good() && curtain != Curtain::Stalled;
        Ok(if is_good { Ended::Well } else { Ended::Badly })
    }

    /// Writes events and shows what becomes of them.
    async fn play(&mut self, signals: &mut Signals) -> Result<Curtain, Error> {
        self.picture.say("Joining the consumer group, for which the broker takes 3 s ...\n")?;
        let mut begun = None;
        let mut turns = tokio::time::interval(TURN);
        // Events that have become due meanwhile are written all at once, however many turns it was.
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let curtain = loop {
            tokio::select! {
                ended = self.service.ended() => return Err(too_early(ended)),
                _ = signals.next() => break Curtain::Interrupted,
                _ = turns.tick() => {}
            }
            if self.ledger.tally().accepted == u64::from(self.demo.events) {
                break Curtain::AllDelivered;
            }
            if self.ledger.idle_for() > STALLED {
                break Curtain::Stalled;
            }
            if self.service.health().unreadiness().is_none() {
                let begun = *begun.get_or_insert_with(Instant::now);
                self.feed.send_due(begun.elapsed(), self.ledger.complete_below())?;
                if self.picture.is_due() {
                    self.picture.draw(self.moment())?;
                }
            }
        };
        // The last one stays.
        self.picture.draw(self.moment())?;
        Ok(curtain)
    }

    fn moment(&self) -> Moment {
        let in_flight = self.service.metrics().requests_in_flight();
        Moment { at: Instant::now(), tally: self.ledger.tally(), in_flight }
    }

    /// Lets the service finish what it has begun. What it cannot finish in time stays in Kafka,
    /// and is accounted for there.
    pub(super) async fn end_service(&mut self, signals: &mut Signals) -> Result<(), Error> {
        self.service.stop();
        let ended = tokio::select! {
            ended = self.service.ended() => ended,
            _ = signals.next() => std::process::exit(1),
        };
        match ended {
            Ok(()) | Err(service::Error::Consumer(consumer::Error::Undrained(_))) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What has become of every event that was written.
    fn account(&self, broker: &str) -> Result<Account, Error> {
        tokio::task::block_in_place(|| self.feed.flush())?;
        let log = self.feed.log();
        let is_missing = |number: u32| number != feed::NO_EVENT && !self.ledger.has(number);
        let missing = log.iter().flatten().filter(|number| is_missing(**number)).count();
        let mut lost = 0;
        if missing > 0 {
            // What is missing below the committed position will never be sent again.
            let committed = tokio::task::block_in_place(|| committed(broker))?;
            for (events, committed) in log.iter().zip(committed) {
                lost += events.iter().take(committed).filter(|number| is_missing(**number)).count();
            }
        }
        Ok(Account {
            events: log.iter().flatten().filter(|number| **number != feed::NO_EVENT).count() as u64,
            lost: lost as u64,
            waiting: (missing - lost) as u64,
            tally: self.ledger.tally(),
        })
    }
}

/// The service has ended, and nobody has told it to.
fn too_early(ended: Result<(), service::Error>) -> Error {
    ended.err().map_or(Error::EndedEarly, Error::from)
}

/// The position that the group has committed in each partition. Blocks.
fn committed(broker: &str) -> Result<Vec<usize>, KafkaError> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker).set("group.id", GROUP);
    let consumer: BaseConsumer = config.create()?;
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_range(TOPIC, 0, PARTITIONS - 1);
    let committed = consumer.committed_offsets(partitions, Duration::from_secs(5))?;
    let position = |partition| {
        let offset = committed.find_partition(TOPIC, partition).map(|found| found.offset());
        match offset {
            Some(Offset::Offset(offset)) => usize::try_from(offset).unwrap_or(0),
            _ => 0,
        }
    };
    Ok((0..PARTITIONS).map(position).collect())
}
