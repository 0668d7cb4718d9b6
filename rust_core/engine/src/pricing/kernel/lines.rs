//! Numbers in whole cache lines, so that a row of scenarios never straddles one and needs no remainder.

/// Scenarios in a line.
pub const LINE: usize = 8;

/// Eight numbers in one cache line.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[repr(C, align(64))]
pub struct Line(pub [f64; LINE]);

/// As many lines as hold the numbers; the last one is filled up with `padding`.
pub fn lines(numbers: impl ExactSizeIterator<Item = f64>, padding: f64) -> Vec<Line> {
    let mut filled = vec![Line([padding; LINE]); numbers.len().div_ceil(LINE)];
    for (place, number) in filled.iter_mut().flat_map(|line| line.0.iter_mut()).zip(numbers) {
        *place = number;
    }
    filled
}

/// The first `count` numbers of lines.
pub fn numbers(lines: &[Line], count: usize) -> Vec<f64> {
    lines.iter().flat_map(|line| line.0).take(count).collect()
}
