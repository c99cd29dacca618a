//! Progress as `docs/progress.md` specifies it, and what becomes of texts that are none.

use hookcast::progress::{Progress, Unusable};
use hookcast::record::Position;

mod noise;
use noise::Noise;

/// The texts of the document.
fn examples() -> Vec<&'static str> {
    let document = include_str!("../docs/progress.md");
    let blocks = document.split("```text\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split_once("```"));
    blocks.flat_map(|(block, _)| block.lines()).collect()
}

/// The position that a text repeats.
fn position_in(text: &str) -> Option<Position> {
    Some(Position(text.split([' ', ';']).nth(1)?.parse().ok()?))
}

#[test]
fn examples_in_the_document_are_written_as_they_are_read() {
    assert_eq!(examples().len(), 4);
    for text in examples() {
        let position = position_in(text).expect("an example repeats its position");
        let progress =
            Progress::parse(text, position).unwrap_or_else(|why| panic!("{text}: {why}"));
        let encoded = progress.expect("an example says something").encode(4000);
        assert_eq!(encoded.metadata, text);
    }
}

#[test]
fn the_first_example_says_what_the_document_says() {
    let progress = Progress::parse(examples()[0], Position(88_120)).expect("it can be read");
    let progress = progress.expect("it says something");
    assert_eq!(progress.start, Position(91_530));
    let [signups, pages] = &progress.lanes[..] else { panic!("two lanes: {progress:?}") };
    assert_eq!((&*signups.destination, &*signups.action), ("crm", "signups"));
    assert_eq!(signups.settled_below, Position(91_230));
    assert_eq!(signups.unsettled.len(), 2);
    assert_eq!(signups.failing_since, Some(1_764_000_000_000));
    assert_eq!((&*pages.destination, &*pages.action), ("crm", "pages"));
    assert_eq!(pages.lowest_unsettled(), Position(88_370));
}

#[test]
fn noise_is_refused_or_read_and_never_panics() {
    let (mut read, mut refused) = (0, 0);
    for seed in 0..200_000 {
        let mut noise = Noise::seeded(seed);
        let mut bytes = noise.pick(&examples()).as_bytes().to_vec();
        for _ in 0..noise.below(4) {
            let at = noise.below(bytes.len());
            let strange = *noise.pick(b"0123456789+!,@#*%/;:. -af\xc3\xff\n");
            match noise.below(3) {
                0 => bytes[at] = strange,
                1 => bytes.insert(at, strange),
                _ => drop(bytes.drain(at..(at + noise.below(20)).min(bytes.len()))),
            }
            if bytes.is_empty() {
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let position = position_in(&text).unwrap_or(Position(0));
        match Progress::parse(&text, position) {
            Ok(None) => assert!(text.is_empty()),
            Ok(Some(progress)) => {
                read += 1;
                let again = progress.clone().encode(usize::MAX).metadata;
                let same = Progress::parse(&again, position).expect("what is written can be read");
                let is_nothing = progress.lanes.is_empty() && progress.start == progress.position;
                assert_eq!(same, (!is_nothing).then_some(progress), "{text:?}: {again}");
            }
            Err(why) => {
                refused += 1;
                if let Unusable::Damaged { at, .. } = why {
                    assert!(at <= text.len(), "{text:?}: {why}");
                }
            }
        }
    }
    assert!(read > 10_000 && refused > 10_000, "{read} read, {refused} refused");
}
