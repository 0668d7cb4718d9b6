//! Drawn numbers, words and cells; a function of (seed, block).

use crossmargin_engine::cell::Cell;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::shapes::Shapes;

/// A stream of draws.
pub(crate) struct Draw<'a> {
    random: ChaCha8Rng,
    shapes: &'a Shapes,
}

const NAMES: [&str; 10] = ["BTC", "ETH", "SOL", "USDC", "USDT", "main", "a", "desk", "VOL", "all"];
// Of size: a million paths are slow because a million paths were asked for.
const VALUES: [&str; 13] = ["0", "1", "-1", "0.5", "2", "10", "120", "nan", "inf", "1e308", "yes", "", "x"];

impl<'a> Draw<'a> {
    pub(crate) fn new(shapes: &'a Shapes, seed: u64, block: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(block);
        Self { random, shapes }
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        if count == 0 { 0 } else { (self.random.next_u64() % count as u64) as usize }
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn of<'b, T>(&mut self, list: &'b [T]) -> Option<&'b T> {
        let index = self.below(list.len());
        list.get(index)
    }

    /// A word: mostly one of those given, else a name, else anything.
    pub(crate) fn word(&mut self, known: &[&str]) -> String {
        match self.below(100) {
            0..91 => self.of(known).map_or_else(String::new, |word| (*word).to_owned()),
            91..96 => self.name(),
            _ => self.text(),
        }
    }

    pub(crate) fn name(&mut self) -> String {
        self.of(&NAMES).map_or_else(String::new, |name| (*name).to_owned())
    }

    /// A text that somebody may have pasted.
    pub(crate) fn text(&mut self) -> String {
        let shapes = self.shapes;
        match self.below(100) {
            0..70 => self.of(&shapes.texts).cloned().unwrap_or_default(),
            70..72 => "x".repeat(32_767),
            _ => {
                let length = self.below(12);
                (0..length).filter_map(|_| self.character()).collect()
            }
        }
    }

    fn character(&mut self) -> Option<char> {
        let (low, high) = *self.of(&[
            (0_u32, 0x1F),
            (0x20, 0x7E),
            (0x20, 0x7E),
            (0x7F, 0x24F),
            (0x600, 0x6FF),
            (0x2000, 0x206F),
            (0x1F600, 0x1F64F),
        ])?;
        char::from_u32(low + self.below((high - low) as usize) as u32)
    }

    /// A number of any size, or none.
    pub(crate) fn number(&mut self) -> f64 {
        let shapes = self.shapes;
        match self.below(4) {
            0 => self.of(&shapes.numbers).copied().unwrap_or(0.0),
            1 => f64::from_bits(self.random.next_u64()),
            2 => (self.below(2_001) as f64 - 1_000.0) / 1_000.0,
            _ => (self.below(2_000_001) as f64 - 1_000_000.0) * 10.0_f64.powi(self.below(13) as i32 - 9),
        }
    }

    /// A number: mostly one of those given.
    pub(crate) fn number_of(&mut self, known: &[f64]) -> f64 {
        if self.chance(90) { self.of(known).copied().unwrap_or(1.0) } else { self.number() }
    }

    pub(crate) fn numbers(&mut self, known: &[f64]) -> Vec<f64> {
        let count = self.below(5);
        (0..count).map(|_| self.number_of(known)).collect()
    }

    /// Options with some of the keys given; half of the time none.
    pub(crate) fn options(&mut self, keys: &[&str], words: &[&str]) -> Vec<(String, String)> {
        if self.chance(50) {
            return Vec::new();
        }
        let count = 1 + self.below(3);
        (0..count)
            .map(|_| {
                let key = self.word(keys);
                let value = if words.is_empty() || self.chance(50) {
                    self.of(&VALUES).map_or_else(String::new, |value| (*value).to_owned())
                } else {
                    self.word(words)
                };
                (key, value)
            })
            .collect()
    }

    /// A cell of any kind that a host can hand over.
    pub(crate) fn cell(&mut self) -> Cell {
        let shapes = self.shapes;
        match self.below(100) {
            0..35 => Cell::from_text(&self.text()),
            35..70 => Cell::Number(self.number()),
            70..80 => Cell::Empty,
            80..90 => Cell::from_text(self.of(&shapes.headers).map_or("", String::as_str)),
            90..95 => Cell::Error(self.below(16)),
            _ => Cell::Text(if self.chance(50) { "TRUE" } else { "FALSE" }.to_owned()),
        }
    }
}
