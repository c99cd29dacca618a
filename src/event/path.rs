//! Ways into a document, and the trie of all the ways that a plan takes.

use foldhash::{HashMap, HashMapExt};

/// A way into a JSON document: keys from the outside in. A key of digits (without a leading
/// zero) also indexes an array. Empty: the whole.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Path {
    segments: Box<[Segment]>,
}

/// One step of a [`Path`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Segment {
    pub(super) key: Box<str>,
    /// Where the step leads in an array, if it leads anywhere.
    pub(super) index: Option<usize>,
}

impl Path {
    /// A path through `keys`, from the outside in.
    pub fn new<S: Into<Box<str>>>(keys: impl IntoIterator<Item = S>) -> Path {
        let segments = keys.into_iter().map(|key| {
            let key = key.into();
            let index = index_of(&key);
            Segment { key, index }
        });
        Path { segments: segments.collect() }
    }

    /// The keys, from the outside in.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().map(|segment| &*segment.key)
    }

    /// Whether this is the path to the whole.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

fn index_of(key: &str) -> Option<usize> {
    let canonical = key == "0" || !key.starts_with('0');
    let digits = key.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { key.parse().ok() } else { None }
}

/// A place among [`Paths`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct PathId(u32);

impl PathId {
    pub(super) const WHOLE: PathId = PathId(0);

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a plan reads of every event, gathered while it is compiled: a trie of keys.
#[derive(Debug)]
pub struct Paths {
    /// The whole comes first, and every place comes after the place it is in.
    places: Vec<Place>,
}

/// A node of the trie.
#[derive(Debug)]
pub(super) struct Place {
    /// The place that this one is in; the whole is in itself.
    pub(super) within: PathId,
    /// What is asked for in an object here.
    keys: HashMap<Box<[u8]>, PathId>,
    /// The lengths that occur among `keys`, one bit each, everything from 63 in the last: most
    /// keys of an event are told apart by this alone.
    lengths: u64,
    /// What is asked for in an array here, by index.
    items: Vec<(usize, PathId)>,
}

impl Place {
    fn within(place: PathId) -> Place {
        Place { within: place, keys: HashMap::new(), lengths: 0, items: Vec::new() }
    }

    /// Whether anything is asked for in an object here.
    #[inline]
    pub(super) fn asks_for_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// What is asked for in an array here, by index.
    #[inline]
    pub(super) fn items(&self) -> &[(usize, PathId)] {
        &self.items
    }

    /// Where `key` leads in an object here.
    #[inline]
    pub(super) fn at_key(&self, key: &[u8]) -> Option<PathId> {
        if self.lengths & length_bit(key.len()) == 0 {
            return None;
        }
        self.keys.get(key).copied()
    }
}

fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

impl Default for Paths {
    fn default() -> Self {
        Paths::new()
    }
}

impl Paths {
    /// Only the whole.
    #[must_use]
    pub fn new() -> Self {
        Paths { places: vec![Place::within(PathId::WHOLE)] }
    }

    /// The place of `path`: the same for equal paths, and good for this `Paths` only.
    ///
    /// # Panics
    ///
    /// With more than 2^32 places, which no configuration holds.
    pub fn intern(&mut self, path: Path) -> PathId {
        let segments = path.segments.into_iter();
        segments.fold(PathId::WHOLE, |at, segment| self.step(at, segment))
    }

    /// How many places there are: those that were interned, those on the way, and the whole.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "the whole is always there")]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    #[inline]
    pub(super) fn place(&self, id: PathId) -> &Place {
        &self.places[id.index()]
    }

    fn step(&mut self, from: PathId, segment: Segment) -> PathId {
        let next = PathId(u32::try_from(self.places.len()).expect("paths are configuration: few"));
        let place = &mut self.places[from.index()];
        let key = segment.key.into_boxed_bytes();
        if let Some(known) = place.keys.get(&key) {
            return *known;
        }
        place.lengths |= length_bit(key.len());
        place.keys.insert(key, next);
        if let Some(index) = segment.index {
            // A canonical index has one spelling, so a new key is a new index.
            let slot = place.items.partition_point(|(asked, _)| *asked < index);
            place.items.insert(slot, (index, next));
        }
        self.places.push(Place::within(from));
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_paths_have_one_place() {
        let mut paths = Paths::new();
        let first = paths.intern(Path::new(["a", "0", "c"]));
        assert_eq!(first, paths.intern(Path::new(["a", "0", "c"])));
        assert_ne!(first, paths.intern(Path::new(["a", "0"])));
        assert_eq!(paths.intern(Path::new(Vec::<&str>::new())), PathId::WHOLE);
    }

    #[test]
    fn only_canonical_digits_index_an_array() {
        let index = |key: &str| Path::new([key]).segments()[0].index;
        assert_eq!(index("0"), Some(0));
        assert_eq!(index("10"), Some(10));
        for key in ["", "00", "01", "-1", "+1", "1.0", "a", "99999999999999999999999"] {
            assert_eq!(index(key), None, "{key}");
        }
    }
}
