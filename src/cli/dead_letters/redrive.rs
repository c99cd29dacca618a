//! `redrive`: letters that are read on one thread are written on others, a bounded number at a time.

use std::io;
use std::ops::ControlFlow;
use std::thread;

use tokio::sync::mpsc;

use super::filter::Filter;
use super::judgement::{Obstacle, judge};
use super::outcome::write_summary;
use super::topic::Topic;
use super::writer::{Found, Writer};
use super::{Ended, Error, Mode};
use crate::cli::options::Filters;
use crate::config::Config;
use crate::dead_letter::{Letter, Marker, Redriven, Seen};
use crate::kept::KeptRecord;
use crate::plan::Plan;
use crate::redrive::{Marking, Redriver};
use crate::service::on_runtime;

/// How many letters may wait to be written.
const MOST_WAITING: usize = 16;

/// Redrives the letters that are meant, or says which would be.
pub(in crate::cli) fn redrive(
    config: &Config,
    filters: &Filters,
    mode: Mode,
) -> Result<Ended, Error> {
    let filter = Filter::new(filters);
    let topic = Topic::open(config, filter.since)?;
    topic.expect_there(&config.topics.redrive)?;
    let (redrive_topic, dead_letters) = (&config.topics.redrive, &config.topics.dead_letter);
    let redriver = match mode {
        Mode::DryRun => None,
        Mode::Redrive => Some(Redriver::new(config.kafka.producer(), redrive_topic, dead_letters)?),
    };
    let (tell, found) = mpsc::channel(MOST_WAITING);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            // It goes when nothing more is found.
            let tell = tell;
            search(&topic, &config.plan, &filter, &tell)
        });
        let mut writer = Writer::new(&topic, redriver.as_ref());
        let written = on_runtime(writer.write(found));
        topic.stop();
        let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        writer.status.clear();
        write_summary(&mut io::stdout().lock(), config, mode, &writer.tally)?;
        let ended = written??;
        read.map(|()| ended)
    })
}

/// Reads the topic twice, for what was redriven and for what is to be, and hands over what it
/// finds until nobody wants more.
fn search(
    topic: &Topic,
    plan: &Plan,
    filter: &Filter<'_>,
    tell: &mpsc::Sender<Found>,
) -> Result<(), Error> {
    let redriven = topic.redriven()?;
    let mut seen = Seen::new();
    let mut count = 0;
    topic.read(|record, place| {
        let letter = Letter::read(record);
        let is_meant = letter
            .as_ref()
            .map_or_else(|| !Redriven::is_marker(record), |letter| filter.matches(letter, place));
        if !is_meant {
            return Ok(ControlFlow::Continue(()));
        }
        let found = match letter {
            None => Found::Foreign,
            Some(letter) if !filter.filters.all && redriven.hides(&letter, place) => Found::Hidden,
            Some(letter) => match (judge(&letter, plan), Marker::new(&letter, place)) {
                (Err(obstacle), _) => Found::Left(obstacle),
                (Ok(_), None) => Found::Left(Obstacle::NoAction),
                (Ok(to), Some(marker)) => {
                    let marking = Marking { marker, partition: place.partition };
                    let is_last = filter.filters.limit.is_some_and(|limit| count == limit.get());
                    match seen.is_first(&letter) {
                        false if redriven.hides(&letter, place) => Found::Hidden,
                        false => Found::Repeated(marking),
                        true if is_last => Found::CutShort,
                        true => {
                            count += 1;
                            Found::Letter { record: KeptRecord::new(record), marking, to }
                        }
                    }
                }
            },
        };
        let is_enough = matches!(found, Found::CutShort);
        let is_over = tell.blocking_send(found).is_err() || is_enough;
        Ok::<_, Error>(if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })
}
