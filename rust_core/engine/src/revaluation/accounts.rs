//! Many accounts: the worst loss of each over all scenarios.

use super::{Scenarios, Strikes, out_of_range, position, same_length};
use crate::error::{Error, Place, Result, check_finite};
use crate::pricing::kernel::{self, Line, Shocks, SparseRows, lines_per_block};
use crate::threads::Workers;

/// Groups whose minima are found in one piece of work.
const GROUPS_PER_PIECE: usize = 1024;
/// Strikes whose rows are valued in one piece of work.
const STRIKES_PER_PIECE: usize = 128;
/// Multiplications of lines, or values of lines, below which handing work to other threads costs more.
const WORTH_SHARING: usize = 100_000;
const VALUE_IN_MULTIPLICATIONS: usize = 20;

/// Positions of many accounts, compressed by rows.
#[derive(Debug, Clone, Copy)]
pub struct Holdings<'a> {
    /// First position of each account, and the number of positions.
    pub offsets: &'a [i64],
    /// The instrument of each position: the call of a strike has the strike's number, its put that number plus
    /// the number of strikes.
    pub instrument: &'a [i64],
    /// The quantity of each position in units of the underlying, short below zero.
    pub quantity: &'a [f64],
}

/// Factors on the net shocked value of each expiry, by expiry number.
#[derive(Debug, Clone, Copy)]
pub struct Discounts<'a> {
    /// Where the net value is zero or above.
    pub long: &'a [f64],
    /// Where it is below zero.
    pub short: &'a [f64],
}

/// Many accounts' options, grouped by underlying and expiry.
#[derive(Debug, Clone)]
pub struct Accounts {
    pub(super) strikes: Strikes,
    pub(super) sparse: SparseRows,
    /// Value of each group before any scenario.
    group_before: Vec<f64>,
    /// First group of each account, and the number of groups.
    pub(super) account_groups: Vec<usize>,
}

impl Accounts {
    /// Takes positions and groups those of each account by underlying (if the strikes have one) and expiry.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] if lengths differ; an error with the index for offsets that fall, an instrument that does
    /// not exist or a quantity that is not finite.
    pub fn new(strikes: &Strikes, holdings: Holdings<'_>) -> Result<Self> {
        let Holdings { offsets, instrument, quantity } = holdings;
        same_length("quantity", quantity.len(), instrument.len())?;
        let bounds = bounds(offsets, instrument.len())?;
        let mut grouping = Grouping::new(strikes, instrument.len());
        let mut account_groups = vec![0];
        for ends in bounds.windows(2) {
            let &[start, end] = ends else { continue };
            let entries = instrument[start..end].iter().zip(&quantity[start..end]).enumerate();
            let entries = entries.map(|(index, (&number, &quantity))| {
                let row = position("instrument", number, 2 * strikes.count(), start + index)?;
                check_finite("quantity", quantity, || Place::label(format!("index {}", start + index)))?;
                Ok((row, quantity))
            });
            grouping.account(entries)?;
            account_groups.push(grouping.group_segments.len());
        }
        let Grouping {
            rows,
            quantities,
            mut segment_entries,
            segment_expiries,
            mut group_segments,
            group_before,
            ..
        } = grouping;
        segment_entries.push(rows.len());
        group_segments.push(segment_expiries.len());
        let counts = (2 * strikes.count(), strikes.expiry_count());
        let sparse =
            SparseRows::new(counts, (rows, quantities), (segment_entries, segment_expiries), group_segments)?;
        Ok(Self { strikes: strikes.clone(), sparse, group_before, account_groups })
    }

    /// How many accounts there are.
    pub fn count(&self) -> usize {
        self.account_groups.len() - 1
    }

    /// Worst loss of each account over all scenarios, quote currency, a loss above zero.
    ///
    /// Without an underlying all strikes move together, and the loss is below zero where the account gains in
    /// every scenario. With underlyings, each is moved on its own, its worst loss is floored at zero, and the
    /// losses are added. With `discounts`, the net shocked value of each expiry is multiplied by its factor
    /// before the value today, without a factor, is taken off.
    ///
    /// `threads` limits the workers; their number changes no bit of the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for discounts of too few expiries, [`Error::OutOfRange`] for a factor below zero or no
    /// threads.
    pub fn worst_loss(
        &self,
        scenarios: &Scenarios,
        discounts: Option<Discounts<'_>>,
        threads: Option<usize>,
    ) -> Result<Vec<f64>> {
        let workers = Workers::new(threads)?;
        let discounts = discounts.map(|given| self.checked(given)).transpose()?;
        let minima = self.minima(scenarios, discounts, &workers)?;
        let groups = minima.iter().zip(&self.group_before);
        let loss = |(minimum, before): (&f64, &f64)| {
            let today = if discounts.is_some() { *before } else { 0.0 };
            today - minimum
        };
        if self.strikes.underlying.is_none() {
            // every account is one group, an empty one too
            return Ok(groups.map(loss).collect());
        }
        let mut losses = groups.map(loss);
        let of_account = |ends: &[usize]| match ends {
            [start, end] => losses.by_ref().take(end - start).fold(0.0, |sum, loss| sum + loss.max(0.0)),
            _ => 0.0,
        };
        Ok(self.account_groups.windows(2).map(of_account).collect())
    }

    /// The row and the quantity of what a group holds, in the order of its sums.
    pub(super) fn entries(&self, group: usize) -> impl Iterator<Item = (usize, f64)> {
        let ends = self.sparse.group_entries().get(group..).unwrap_or_default();
        let held = match ends {
            [start, end, ..] => *start..*end,
            _ => 0..0,
        };
        let rows = self.sparse.rows().get(held.clone()).unwrap_or_default();
        let quantities = self.sparse.quantities().get(held).unwrap_or_default();
        rows.iter().zip(quantities).map(|(row, quantity)| (*row as usize, *quantity))
    }

    /// The smallest sum of each group: profit and loss, or discounted value.
    fn minima(
        &self,
        scenarios: &Scenarios,
        discounts: Option<(&[f64], &[f64])>,
        workers: &Workers,
    ) -> Result<Vec<f64>> {
        let level = self.strikes.level;
        let line_count = scenarios.line_count();
        let block_count = line_count.div_ceil(lines_per_block(level, discounts.is_some())).max(1);
        let before = match discounts {
            Some(_) => vec![(0.0, 0.0); self.strikes.count()],
            None => self.strikes.before.clone(),
        };
        let row_count = self.sparse.row_count();
        let mut minima = vec![f64::INFINITY; self.sparse.group_count()];
        let mut table = vec![Line::default(); row_count * line_count.div_ceil(block_count)];
        for block in 0..block_count {
            // one block of the table stays in the cache of a core while all groups read it
            let (start, end) = (block * line_count / block_count, (block + 1) * line_count / block_count);
            let width = end - start;
            let table = &mut table[..row_count * width];
            let shocks = scenarios.block(start, width);
            fill(&self.strikes, (&shocks, &before), table, workers)?;
            let table: &[Line] = table;
            let pieces: Vec<_> = minima.chunks_mut(GROUPS_PER_PIECE).enumerate().collect();
            let cost = self.sparse.rows().len() * width;
            worth(cost, workers).each(pieces, |(piece, minima)| {
                let first = piece * GROUPS_PER_PIECE;
                kernel::lower_minima(level, &self.sparse, first, (table, width), discounts, minima)
            })?;
        }
        Ok(minima)
    }

    /// Discounts of as many expiries as the strikes have.
    fn checked<'a>(&self, discounts: Discounts<'a>) -> Result<(&'a [f64], &'a [f64])> {
        let count = self.sparse.expiry_count();
        let factors = |name: &str, factors: &'a [f64]| {
            let used = factors.get(..count).ok_or_else(|| Error::Shape {
                name: name.to_owned(),
                found: factors.len(),
                expected: count,
            })?;
            match used.iter().enumerate().find(|&(_, factor)| !(factor.is_finite() && *factor >= 0.0)) {
                None => Ok(used),
                Some((index, &factor)) => Err(out_of_range(name, factor, "finite and zero or above", index)),
            }
        };
        Ok((factors("long_discount", discounts.long)?, factors("short_discount", discounts.short)?))
    }
}

/// Fills a table with the values of all calls, then of all puts, less those in `before`: as many lines for each as the
/// shocks have.
pub(super) fn fill(
    strikes: &Strikes,
    (shocks, before): (&Shocks<'_>, &[(f64, f64)]),
    table: &mut [Line],
    workers: &Workers,
) -> Result<()> {
    let width = shocks.price_ratio.len();
    let (calls, puts) = table.split_at_mut(strikes.count() * width);
    let piece = STRIKES_PER_PIECE * width;
    let rows = calls.chunks_mut(piece).zip(puts.chunks_mut(piece));
    let own = strikes.strikes.chunks(STRIKES_PER_PIECE);
    let pieces: Vec<_> = own.zip(before.chunks(STRIKES_PER_PIECE)).zip(rows).collect();
    let cost = VALUE_IN_MULTIPLICATIONS * strikes.count() * width;
    worth(cost, workers).each(pieces, |((own, before), (calls, puts))| {
        kernel::table(strikes.level, shocks, own, before, calls, puts)
    })
}

/// The calling thread alone where the work is too small to share.
fn worth(cost: usize, workers: &Workers) -> Workers {
    if cost < WORTH_SHARING { Workers::Here } else { workers.clone() }
}

/// Offsets as positions, checked to begin with zero, never fall and end with the number of positions.
fn bounds(offsets: &[i64], count: usize) -> Result<Vec<usize>> {
    let rule = |index: usize, was: i64| Error::NoAnswer {
        why: format!("offsets must begin with 0, never fall and end with {count}, was {was} (index {index})"),
    };
    let mut bounds: Vec<usize> = Vec::with_capacity(offsets.len());
    for (index, &offset) in offsets.iter().enumerate() {
        let least = bounds.last().copied().unwrap_or(0);
        match usize::try_from(offset) {
            Ok(bound) if bound >= least && (index > 0 || bound == 0) && bound <= count => bounds.push(bound),
            _ => return Err(rule(index, offset)),
        }
    }
    match bounds.last() {
        Some(&last) if last == count => Ok(bounds),
        Some(&last) => Err(rule(offsets.len() - 1, last as i64)),
        None => Err(Error::Missing {
            what: "offsets".to_owned(),
            why: "it has one element more than there are accounts".to_owned(),
            place: Place::default(),
        }),
    }
}

/// Groups of segments of entries while accounts are taken in.
struct Grouping<'a> {
    strikes: &'a Strikes,
    rows: Vec<u32>,
    quantities: Vec<f64>,
    segment_entries: Vec<usize>,
    segment_expiries: Vec<u32>,
    group_segments: Vec<usize>,
    group_before: Vec<f64>,
    /// Entries of the account at hand by underlying and expiry; kept for its memory.
    sorted: Vec<(u32, u32, u32, f64)>,
}

impl<'a> Grouping<'a> {
    fn new(strikes: &'a Strikes, entries: usize) -> Self {
        Self {
            strikes,
            rows: Vec::with_capacity(entries),
            quantities: Vec::with_capacity(entries),
            segment_entries: Vec::new(),
            segment_expiries: Vec::new(),
            group_segments: Vec::new(),
            group_before: Vec::new(),
            sorted: Vec::new(),
        }
    }

    /// Takes the entries `(row, quantity)` of the next account.
    fn account(&mut self, entries: impl Iterator<Item = Result<(usize, f64)>>) -> Result<()> {
        let count = self.strikes.count();
        self.sorted.clear();
        for entry in entries {
            let (row, quantity) = entry?;
            let strike = if row < count { row } else { row - count };
            let underlying = self.strikes.underlying.as_ref().map_or(0, |numbers| numbers[strike]);
            self.sorted.push((underlying, self.strikes.expiry[strike], row as u32, quantity));
        }
        // stable, so that entries of a segment keep their order
        self.sorted.sort_by_key(|&(underlying, expiry, ..)| (underlying, expiry));
        if self.sorted.is_empty() && self.strikes.underlying.is_none() {
            self.begin_group();
        }
        let mut last = None;
        for at in 0..self.sorted.len() {
            let (underlying, expiry, row, quantity) = self.sorted[at];
            if last.is_none_or(|(of, _)| of != underlying) {
                self.begin_group();
            }
            if last != Some((underlying, expiry)) {
                self.segment_entries.push(self.rows.len());
                self.segment_expiries.push(expiry);
            }
            last = Some((underlying, expiry));
            let before = match (row as usize).checked_sub(count) {
                None => self.strikes.before[row as usize].0,
                Some(strike) => self.strikes.before[strike].1,
            };
            if let Some(sum) = self.group_before.last_mut() {
                *sum += quantity * before;
            }
            self.rows.push(row);
            self.quantities.push(quantity);
        }
        Ok(())
    }

    fn begin_group(&mut self) {
        self.group_segments.push(self.segment_expiries.len());
        self.group_before.push(0.0);
    }
}
