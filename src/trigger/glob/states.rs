//! A pattern gone through once, in all the ways at the same time that it can be matched.
//!
//! A way is how many units of the pattern are matched so far, and each is a bit. Every character of
//! the text shifts the bits whose units it fits, which costs the same whatever was tried before: a
//! 64th of pattern times text. It allocates, so it is left to patterns that want trying too often.

use std::collections::HashMap;

/// For how many different characters it is remembered which units they fit.
const REMEMBERED: usize = 1024;

/// What one character of a text must fit.
#[derive(Debug)]
pub(super) enum Unit {
    Any,
    Letter(char),
    Class(Class),
}

/// One of these characters, or one of all others.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) negated: bool,
    pub(super) ranges: Vec<(char, char)>,
}

/// The units of a pattern, and where between them any run may stand.
#[derive(Debug, Default)]
pub(super) struct States {
    length: usize,
    /// By bit: what fits every character.
    any: Vec<u64>,
    letters: HashMap<char, Vec<usize>>,
    classes: Vec<(usize, Class)>,
    /// By bit: what may wait while a run goes on.
    waiting: Vec<u64>,
}

impl States {
    pub(super) fn unit(&mut self, unit: Unit) {
        let at = self.length;
        match unit {
            Unit::Any => set(&mut self.any, at),
            Unit::Letter(letter) => self.letters.entry(letter).or_default().push(at),
            Unit::Class(class) => self.classes.push((at, class)),
        }
        self.length += 1;
    }

    pub(super) fn star(&mut self) {
        set(&mut self.waiting, self.length);
    }

    pub(super) fn match_all(mut self, text: impl Iterator<Item = char>) -> bool {
        let words = self.length / 64 + 1;
        self.any.resize(words, 0);
        self.waiting.resize(words, 0);
        let mut now = vec![0; words];
        set(&mut now, 0);
        let mut fitting: HashMap<char, Box<[u64]>> = HashMap::new();
        for letter in text {
            if fitting.len() == REMEMBERED && !fitting.contains_key(&letter) {
                fitting.clear();
            }
            let fits = fitting.entry(letter).or_insert_with(|| self.fitting(letter));
            let mut carried = 0;
            let mut any = 0;
            for ((now, fits), waiting) in now.iter_mut().zip(fits.iter()).zip(&self.waiting) {
                let moved = *now & fits;
                *now = (*now & waiting) | (moved << 1) | carried;
                carried = moved >> 63;
                any |= *now;
            }
            if any == 0 {
                return false;
            }
        }
        (now[self.length / 64] >> (self.length % 64)) & 1 == 1
    }

    /// By bit: the units that `letter` fits.
    fn fitting(&self, letter: char) -> Box<[u64]> {
        let mut fits = self.any.clone();
        for at in self.letters.get(&letter).into_iter().flatten() {
            set(&mut fits, *at);
        }
        for (at, Class { negated, ranges }) in &self.classes {
            if ranges.iter().any(|(first, last)| (first..=last).contains(&&letter)) != *negated {
                set(&mut fits, *at);
            }
        }
        fits.into()
    }
}

fn set(bits: &mut Vec<u64>, at: usize) {
    let word = at / 64;
    if bits.len() <= word {
        bits.resize(word + 1, 0);
    }
    bits[word] |= 1 << (at % 64);
}
