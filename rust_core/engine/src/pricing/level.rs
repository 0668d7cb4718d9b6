//! Which vector instructions the kernels use, chosen once per process at run time.

use std::fmt;
use std::sync::OnceLock;

use crate::error::{Error, Result};

/// A set of vector instructions that the pricing kernels are compiled for.
///
/// The levels with a fused multiply-add give the same bits as each other. The portable level multiplies and
/// adds separately and may differ from them by 1e-14 of a value's scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Plain arithmetic, for any processor.
    Portable,
    /// x86-64 with AVX2 and FMA: 4 numbers at once.
    Avx2,
    /// 64-bit ARM: 2 numbers at once.
    Neon,
    /// x86-64 with AVX-512 (F, DQ, VL, BW and CD): 8 numbers at once.
    Avx512,
}

static CHOSEN: OnceLock<Level> = OnceLock::new();

impl Level {
    /// All levels, slowest first.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Avx2, Self::Neon, Self::Avx512];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Avx512 => "avx512",
        }
    }

    /// The level of a word.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for any other word.
    pub fn from_word(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word).ok_or_else(|| Error::Unknown {
            what: "instruction set",
            value: word.to_owned(),
            known: words(&Self::ALL),
        })
    }

    /// Whether this processor has it. The standard library remembers what it detected, so asking is cheap.
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            // the five together, as the kernel's compilation assumes them
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512cd")
                    && is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon => true, // part of the architecture's baseline
            _ => false,
        }
    }

    /// Whether a product and a sum are rounded once, which makes the bits agree between levels.
    pub fn is_fused(self) -> bool {
        self != Self::Portable
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The levels of this processor, slowest first; the first is always [`Level::Portable`].
pub fn available() -> Vec<Level> {
    Level::ALL.into_iter().filter(|level| level.is_available()).collect()
}

/// The level in use: what [`set_level`] chose, else the fastest of this processor.
pub fn level() -> Level {
    *CHOSEN.get_or_init(|| available().last().copied().unwrap_or(Level::Portable))
}

/// Chooses the level of the process, before anything has been calculated.
///
/// # Errors
///
/// [`Error::NoAnswer`] if this processor does not have the level, or if another one is in use already.
pub fn set_level(wanted: Level) -> Result<()> {
    if !wanted.is_available() {
        return Err(Error::NoAnswer {
            why: format!(
                "this processor does not have the instruction set '{wanted}'; it has: {}",
                words(&available())
            ),
        });
    }
    let chosen = *CHOSEN.get_or_init(|| wanted);
    if chosen == wanted {
        Ok(())
    } else {
        Err(Error::NoAnswer {
            why: format!("the instruction set '{chosen}' is in use already and cannot become '{wanted}'"),
        })
    }
}

fn words(levels: &[Level]) -> String {
    levels.iter().map(|level| level.word()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_processor_has_the_portable_level() {
        assert_eq!(available().first(), Some(&Level::Portable));
        assert!(available().contains(&level()));
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_words_that_are_known() {
        let refusal = Level::from_word("sse9").unwrap_err().to_string();
        assert_eq!(refusal, "unknown instruction set 'sse9'; known: portable, avx2, neon, avx512");
    }

    #[test]
    fn a_level_of_another_processor_is_refused() {
        let foreign = Level::ALL.into_iter().find(|level| !level.is_available());
        let refusal = set_level(foreign.unwrap()).unwrap_err().to_string();
        assert!(refusal.starts_with("this processor does not have the instruction set"), "{refusal}");
    }
}
