use std::collections::BTreeSet;

use super::{LaneOrigin, LaneProgress, Progress, Unusable};
use crate::record::{Offset, Position};
use crate::runs::Runs;

/// A lane with a constant URL.
fn lane(name: &str, settled_below: i64, unsettled: &[(i64, i64)]) -> LaneProgress {
    let (destination, action) = name.split_once('/').expect("two names");
    LaneProgress {
        destination: destination.into(),
        action: action.into(),
        origin: LaneOrigin::Constant,
        settled_below: Position(settled_below),
        unsettled: unsettled.iter().map(|&(from, to)| (Offset(from), Position(to))).collect(),
        failing_since: None,
        alone_since: None,
    }
}

fn progress(position: i64, start: i64, lanes: Vec<LaneProgress>) -> Progress {
    Progress { position: Position(position), start: Position(start), lanes }
}

fn parse(text: &str, position: i64) -> Result<Option<Progress>, Unusable> {
    Progress::parse(text, Position(position))
}

/// What a text of any length says.
fn whole(progress: &Progress) -> String {
    progress.clone().encode(usize::MAX).metadata
}

/// What tells a lane from others.
fn name_of(lane: &LaneProgress) -> (Box<str>, Box<str>, LaneOrigin) {
    (lane.destination.clone(), lane.action.clone(), lane.origin.clone())
}

/// Any progress, with names and numbers that are hard on the format.
fn any(random: &mut fastrand::Rng) -> Progress {
    const NAMES: [&str; 9] =
        ["crm", "sign.ups", "a/b", "ü 😀", "", "%", "x+1!2,f3;", "*", "hookcast/1 7;"];
    let position = *random.choice(&[0, 7, 1_000_000_000_000]).expect("one of three");
    let start = position + random.i64(0..40);
    let mut known = BTreeSet::new();
    let mut lanes = Vec::new();
    for _ in 0..random.usize(..12) {
        let mut name = || (*random.choice(&NAMES).expect("one of some")).into();
        let (destination, action, origin) = (name(), name(), name());
        let fingerprint = random.u32(..2) * 0xdead_beef;
        let origin = match random.u8(..4) {
            0 | 1 => LaneOrigin::Constant,
            2 => LaneOrigin::Shared { fingerprint },
            _ => LaneOrigin::Mapped { fingerprint, origin },
        };
        let settled_below = position + random.i64(0..60);
        let mut unsettled = Runs::new();
        for _ in 0..random.usize(..8) {
            let from = random.i64(position..position + 60);
            let to = (from + random.i64(1..9)).min(settled_below);
            unsettled.insert(Offset(from), Position(to));
        }
        // A moment of the wall clock, on the second so that it is written as it is.
        let mut since = || random.bool().then(|| random.i64(-5..2_000_000_000) * 1000);
        let (failing_since, alone_since) = (since(), since());
        let lane = LaneProgress {
            destination,
            action,
            origin,
            settled_below: Position(settled_below),
            unsettled,
            failing_since,
            alone_since,
        };
        if known.insert(name_of(&lane)) {
            lanes.push(lane);
        }
    }
    progress(position, start, lanes)
}

#[test]
fn a_text_says_all_that_it_was_told() {
    for seed in 0..3000 {
        let progress = any(&mut fastrand::Rng::with_seed(seed));
        let text = whole(&progress);
        assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text}");
        let is_empty = progress.lanes.is_empty() && progress.start == progress.position;
        let said = parse(&text, progress.position.0);
        assert_eq!(said, Ok((!is_empty).then_some(progress)), "seed {seed}: {text}");
    }
}

/// Whether a lane has settled an offset, as a progress says.
fn is_settled(progress: &Progress, lane: &LaneProgress, offset: i64) -> bool {
    match progress.lanes.iter().find(|listed| name_of(listed) == name_of(lane)) {
        Some(listed) => {
            offset < listed.settled_below.0 && !listed.unsettled.contains(Offset(offset))
        }
        None => offset < progress.start.0,
    }
}

/// What a lane has settled above its lowest unsettled offset.
fn islands(lane: &LaneProgress) -> BTreeSet<(i64, i64)> {
    let begins = lane.unsettled.iter().map(|(_, to)| to.0);
    let ends = lane.unsettled.iter().skip(1).map(|(from, _)| from.0);
    begins.zip(ends.chain([lane.settled_below.0])).filter(|(from, to)| from < to).collect()
}

#[test]
fn a_text_that_was_made_to_fit_says_nothing_that_it_was_not_told() {
    for seed in 0..3000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let told = any(&mut random);
        let Progress { position, start, .. } = told;
        let most_bytes = random.usize(..=whole(&told).len());
        let encoded = told.clone().encode(most_bytes);
        let text = &encoded.metadata;
        assert!(text.len() <= most_bytes, "seed {seed}: {text}");
        let said = parse(text, position.0).expect("what is written can be read");
        let said = said.unwrap_or_else(|| progress(position.0, position.0, Vec::new()));
        assert_eq!((said.position, said.start), (position, encoded.start), "seed {seed}: {text}");
        assert!(said.start <= start, "seed {seed}: {text}");

        let unlisted = lane("nobody/knows", 0, &[]);
        for lane in told.lanes.iter().chain([&unlisted]) {
            for offset in position.0..position.0 + 70 {
                assert!(
                    !is_settled(&said, lane, offset) || is_settled(&told, lane, offset),
                    "seed {seed}: {offset} of {lane:?} in {text}"
                );
            }
        }
        // What is left out is never longer than what stays.
        let told_of = |lane: &LaneProgress| {
            told.lanes.iter().find(|told| name_of(told) == name_of(lane)).expect("it was told")
        };
        let length = |(from, to): &(i64, i64)| to - from;
        let stays = said.lanes.iter().flat_map(islands).map(|island| length(&island)).min();
        let mut changed = told.lanes.len() - said.lanes.len();
        for lane in &said.lanes {
            let before = told_of(lane);
            changed += usize::from(lane != before);
            assert_eq!(lane.failing_since, before.failing_since, "seed {seed}");
            assert_eq!(lane.alone_since, before.alone_since, "seed {seed}");
            let gone = islands(before).difference(&islands(lane)).map(length).max();
            assert!(gone <= stays || stays.is_none(), "seed {seed}: {told:?}: {text}");
        }
        assert_eq!(encoded.folded, changed, "seed {seed}: {told:?}: {text}");
    }
}

/// The text of a progress that has a few bytes less than it needs.
fn without(progress: &Progress, bytes: usize) -> String {
    progress.clone().encode(whole(progress).len() - bytes).metadata
}

#[test]
fn the_shortest_stretch_between_two_runs_goes_first() {
    let lanes = vec![
        lane("crm/a", 200, &[(110, 111), (120, 121)]),
        lane("crm/b", 208, &[(105, 106), (114, 115)]),
    ];
    let progress = progress(100, 300, lanes);
    assert_eq!(whole(&progress), "hookcast/1 100 +200 crm/a+10!1+9!1+79 /b+5!1+8!1+93;");
    assert_eq!(without(&progress, 1), "hookcast/1 100 +200 crm/a+10!1+9!1+79 /b+5!10+93;");
    assert_eq!(without(&progress, 5), "hookcast/1 100 +200 crm/a+10!11+79 /b+5!10+93;");
    // Then what stands behind the last run: the lane is to go on from there.
    assert_eq!(without(&progress, 9), "hookcast/1 100 +200 crm/a+10 /b+5!10+93;");
}

#[test]
fn a_lane_that_is_ahead_is_left_out_before_the_start_is_lowered() {
    let behind = lane("crm/behind", 150, &[]);
    let ahead = lane("crm/ahead", 390, &[(350, 351)]);
    let progress = progress(100, 200, vec![behind, ahead]);
    assert_eq!(whole(&progress), "hookcast/1 100 +100 crm/behind+50 /ahead+250!1+39;");
    assert_eq!(without(&progress, 1), "hookcast/1 100 +100 crm/behind+50 /ahead+250;");
    assert_eq!(without(&progress, 7), "hookcast/1 100 +100 crm/behind+50;");
    assert_eq!(without(&progress, 18), "hookcast/1 100 +50;");
}

#[test]
fn the_start_is_lowered_as_little_as_possible() {
    let lanes = [130, 190, 110, 170].map(|place| lane(&format!("crm/from-{place}"), place, &[]));
    let mut progress = progress(100, 200, lanes.into());
    progress.lanes[1].failing_since = Some(1_764_000_000_000);
    let encoded = progress.encode(55);
    assert_eq!(encoded.metadata, "hookcast/1 100 +70 crm/from-130+30 /from-110+10;");
    assert_eq!((encoded.start, encoded.folded), (Position(170), 2));
}

#[test]
fn where_the_start_is_lowered_anyway_a_lane_far_above_it_keeps_what_it_has_settled() {
    let far = lane("crm/far", 90_000, &[(101, 102)]);
    let near = (0..40).map(|number| lane(&format!("crm/near-{number}"), 200 + number, &[]));
    let progress = progress(100, 100_000, [far].into_iter().chain(near).collect());
    let encoded = progress.encode(100);
    assert_eq!(
        encoded.metadata,
        "hookcast/1 100 +102 crm/far+1!1+89898 /near-0+100 /near-1+101 /near-38+138 /near-39+139;"
    );
    assert_eq!(encoded.folded, 36);
}

#[test]
fn everything_starts_at_the_position_when_there_is_no_room_at_all() {
    let told = progress(100, 200, vec![lane("crm/a", 150, &[(110, 111)])]);
    for most_bytes in 0.."hookcast/1 100 +10;".len() {
        let encoded = told.clone().encode(most_bytes);
        assert_eq!((&*encoded.metadata, encoded.start), ("", Position(100)));
    }
    assert_eq!(told.encode(19).metadata, "hookcast/1 100 +10;");
}

#[test]
fn thousands_of_lanes_with_many_runs_fit() {
    let lanes = (0..2000).map(|number: i64| {
        let run = |run: i64| (run * 10_000 + number, run * 10_000 + number + 1);
        let runs: Vec<_> = (0..64).map(run).collect();
        lane(&format!("destination-{}/action-{number}", number / 10), 640_000, &runs)
    });
    let encoded = progress(0, 1_000_000, lanes.collect()).encode(4000);
    assert!((3900..=4000).contains(&encoded.metadata.len()), "{}", encoded.metadata.len());
    assert_eq!(encoded.folded, 2000);
}

#[test]
fn what_contradicts_itself_is_told_by_what_goes_without_saying() {
    let odd = progress(
        100,
        90,
        vec![lane("crm/a", 95, &[(80, 85)]), lane("crm/b", 120, &[(90, 104), (115, 130)])],
    );
    assert_eq!(whole(&odd), "hookcast/1 100 crm/a /b!4+11!5;");
}

#[test]
fn moments_are_written_in_seconds_and_never_become_later() {
    for (told, said) in [(1999, 1000), (2000, 2000), (-1, -1000), (i64::MIN, i64::MIN)] {
        let mut lane = lane("crm/a", 1, &[]);
        (lane.failing_since, lane.alone_since) = (Some(told), Some(told));
        let text = whole(&progress(0, 0, vec![lane]));
        let read = parse(&text, 0).expect("readable").expect("not empty").lanes.remove(0);
        assert_eq!((read.failing_since, read.alone_since), (Some(said), Some(said)), "{text}");
    }
}

#[test]
fn a_text_that_was_cut_short_is_never_taken_for_whole() {
    for seed in 0..500 {
        let progress = any(&mut fastrand::Rng::with_seed(seed));
        let text = whole(&progress);
        for length in 1..text.len() {
            let said = parse(&text[..length], progress.position.0);
            assert!(said.is_err(), "seed {seed}: {} of {text}", &text[..length]);
        }
    }
}

#[test]
fn what_cannot_be_used_says_why() {
    use Unusable::{Foreign, Misfit, Newer};
    let misfit = Misfit { told: Position(7), committed: Position(8) };
    assert_eq!(parse("", 8), Ok(None));
    assert_eq!(parse("somebody else's", 8), Err(Foreign));
    assert_eq!(parse("hookcast/2 whatever", 8), Err(Newer { version: 2 }));
    assert_eq!(parse("hookcast/1 7 +1;", 8), Err(misfit.clone()));
    insta::assert_snapshot!(
        [Foreign, Newer { version: 2 }, misfit].map(|why| why.to_string()).join("\n"),
        @r"
    the metadata of the commit was not written by hookcast
    the progress was written by a newer hookcast: its format has version 2, and this release reads version 1
    the progress belongs to position 7, but 8 is committed: the position was set by another program
    "
    );
}

#[test]
fn damage_is_found_where_it_is() {
    for (text, place, expected) in [
        ("hookcast/", 9, "version"),
        ("hookcast/1", 10, "`;`"),
        ("hookcast/1 8 +1", 15, "`;`"),
        ("hookcast/1;", 10, "blank"),
        ("hookcast/1 eight;", 11, "position"),
        ("hookcast/1 8 +0;", 14, "1 or more"),
        ("hookcast/1 8 +9223372036854775807;", 14, "1 or more"),
        ("hookcast/1 8 +1  crm/a;", 16, "destination"),
        ("hookcast/1 8 +1 crm;", 19, "action"),
        ("hookcast/1 8 +1 /a;", 16, "destination"),
        ("hookcast/1 8 +1 crm/;", 20, "action"),
        ("hookcast/1 8 +1 cr%F/a;", 16, "destination"),
        ("hookcast/1 8 +1 crm/%FF;", 20, "action"),
        ("hookcast/1 8 +1 crm/ü;", 20, "action"),
        ("hookcast/1 8 crm/a+1+1;", 20, "in turns"),
        ("hookcast/1 8 crm/a+-1;", 19, "1 or more"),
        ("hookcast/1 8 crm/a@;", 19, "origin"),
        ("hookcast/1 8 crm/a@*;", 20, "fingerprint"),
        ("hookcast/1 8 crm/a@*#12;", 23, "eight"),
        ("hookcast/1 8 crm/a,f;", 20, "seconds"),
        ("hookcast/1 8 crm/a,a1,f1;", 21, "blank"),
        ("hookcast/1 8 crm/a;;", 18, "blank"),
        ("hookcast/1 8 crm/a /b crm/a;", 27, "once"),
    ] {
        let Err(Unusable::Damaged { at, expected: said }) = parse(text, 8) else {
            panic!("{text}: {:?}", parse(text, 8));
        };
        assert_eq!(at, place, "{text}: {said}");
        assert!(said.contains(expected), "{text}: {said}");
    }
}
