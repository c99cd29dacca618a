//! Seeded noise: numbers, JSON and broken JSON, the same for the same seed.
#![allow(dead_code, reason = "every test takes what it needs")]

/// A splitmix64 generator: <https://prng.di.unimi.it/splitmix64.c>.
pub struct Noise {
    state: u64,
}

impl Noise {
    pub fn seeded(seed: u64) -> Noise {
        Noise { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("less than a usize")
    }

    pub fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        let at = self.below(of.len());
        &of[at]
    }

    /// An object with keys out of `keys`, some of them repeated or written with escapes.
    pub fn object(&mut self, keys: &[&str], depth: usize, out: &mut String) {
        out.push('{');
        for member in 0..self.below(5) {
            if member > 0 {
                out.push(',');
            }
            self.white(out);
            let key = *self.pick(keys);
            if self.below(5) == 0 {
                let escaped = key.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
                out.extend(["\"", &escaped.collect::<String>(), "\""]);
            } else {
                out.extend(["\"", key, "\""]);
            }
            self.white(out);
            out.push(':');
            self.white(out);
            self.value(keys, depth, out);
            self.white(out);
        }
        out.push('}');
    }

    pub fn value(&mut self, keys: &[&str], depth: usize, out: &mut String) {
        const SCALARS: [&str; 14] = [
            "null",
            "true",
            "false",
            "0",
            "-1",
            "1.50",
            "1e3",
            "12345678901234567890",
            "\"\"",
            "\"text, [and] {more}\"",
            "\"\\\"\\\\\\n\"",
            "\"\\u00e9\\ud83d\\ude00\"",
            "\"ü😀\"",
            "-0.0E-2",
        ];
        match self.below(if depth == 0 { 2 } else { 5 }) {
            0 | 1 => out.push_str(self.pick::<&str>(&SCALARS)),
            2 | 3 => self.object(keys, depth - 1, out),
            _ => {
                out.push('[');
                for item in 0..self.below(4) {
                    if item > 0 {
                        out.push(',');
                    }
                    self.white(out);
                    self.value(keys, depth - 1, out);
                    self.white(out);
                }
                out.push(']');
            }
        }
    }

    fn white(&mut self, out: &mut String) {
        if self.below(6) == 0 {
            out.push_str(self.pick::<&str>(&[" ", "\n", "\r\n", "\t", "  "]));
        }
    }

    /// Up to two small injuries, or none.
    pub fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.below(3) {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            let strange = *self.pick(b"{}[]\",:\\u0e.+- \n\x00\x1f\xc3\xff/dt");
            match self.below(5) {
                0 => bytes.truncate(at),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, strange),
                3 => bytes[at] = strange,
                _ => {
                    let other = self.below(bytes.len());
                    bytes.swap(at, other);
                }
            }
        }
    }
}
