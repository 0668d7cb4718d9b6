//! Sparse holdings over the rows of a table, checked once so that the kernels need not check again.

use crate::error::{Error, Result};

/// Groups of segments of entries: an account's holdings of one underlying, of one expiry, of one instrument.
///
/// The fields are private to this file because the kernels read without bounds checks what the constructor
/// has checked: starts never fall, and each entry's row and each segment's expiry is below its count.
#[derive(Debug, Clone)]
pub struct SparseRows {
    row_count: usize,
    expiry_count: usize,
    rows: Vec<u32>,
    quantities: Vec<f64>,
    segment_entries: Vec<usize>,
    segment_expiries: Vec<u32>,
    group_segments: Vec<usize>,
    group_entries: Vec<usize>,
}

impl SparseRows {
    /// Takes entries `(row, quantity)` in the order of their segments, the first entry and the expiry of each
    /// segment, and the first segment of each group. Both lists of starts end with the count of what they
    /// start.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] or [`Error::NoAnswer`] if lengths, starts, rows or expiries do not fit each other.
    pub fn new(
        (row_count, expiry_count): (usize, usize),
        (rows, quantities): (Vec<u32>, Vec<f64>),
        (segment_entries, segment_expiries): (Vec<usize>, Vec<u32>),
        group_segments: Vec<usize>,
    ) -> Result<Self> {
        same_length("quantities", quantities.len(), rows.len())?;
        same_length("segment_entries", segment_entries.len(), segment_expiries.len() + 1)?;
        rising("segment_entries", &segment_entries, rows.len())?;
        rising("group_segments", &group_segments, segment_expiries.len())?;
        below("row", &rows, row_count)?;
        below("expiry", &segment_expiries, expiry_count)?;
        let group_entries =
            group_segments.iter().filter_map(|&segment| segment_entries.get(segment).copied()).collect();
        Ok(Self {
            row_count,
            expiry_count,
            rows,
            quantities,
            segment_entries,
            segment_expiries,
            group_segments,
            group_entries,
        })
    }

    /// Rows that a table must have.
    pub fn row_count(&self) -> usize {
        self.row_count
    }

    /// Expiries that discounts must be given for.
    pub fn expiry_count(&self) -> usize {
        self.expiry_count
    }

    /// How many groups there are.
    pub fn group_count(&self) -> usize {
        self.group_segments.len() - 1
    }

    /// The row of each entry.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The quantity of each entry.
    pub fn quantities(&self) -> &[f64] {
        &self.quantities
    }

    /// The first entry of each segment, and the count of entries.
    pub fn segment_entries(&self) -> &[usize] {
        &self.segment_entries
    }

    /// The expiry of each segment.
    pub fn segment_expiries(&self) -> &[u32] {
        &self.segment_expiries
    }

    /// The first segment of each group, and the count of segments.
    pub fn group_segments(&self) -> &[usize] {
        &self.group_segments
    }

    /// The first entry of each group, and the count of entries.
    pub fn group_entries(&self) -> &[usize] {
        &self.group_entries
    }
}

fn same_length(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected { Ok(()) } else { Err(Error::Shape { name: name.to_owned(), found, expected }) }
}

/// Checks that starts begin with zero, never fall and end with the count.
fn rising(name: &str, starts: &[usize], count: usize) -> Result<()> {
    let ordered = starts.is_sorted() && starts.first() == Some(&0) && starts.last() == Some(&count);
    if ordered {
        Ok(())
    } else {
        Err(Error::NoAnswer { why: format!("{name} must begin with 0, never fall and end with {count}") })
    }
}

fn below(name: &str, values: &[u32], count: usize) -> Result<()> {
    match values.iter().enumerate().find(|&(_, &value)| value as usize >= count) {
        None => Ok(()),
        Some((index, value)) => {
            Err(Error::NoAnswer { why: format!("{name} must be below {count}, was {value} (index {index})") })
        }
    }
}
