//! Books without options under moves that are kept for many books: ratios are read, nothing is combined or priced.

use super::block::write;
use super::group::Group;
use super::{FactorMoves, JointBook};
use crate::error::Result;
use crate::pricing::kernel::{LINE, Line};
use crate::watch::Watch;

/// Lines of scenarios whose results stay in the nearest cache while the groups are added.
const LINES: usize = 128;

/// A group with the ratios of its forward and of its settlement currency.
struct Part<'a> {
    group: &'a Group,
    forward: Option<&'a [Line]>,
    currency: Option<&'a [Line]>,
}

impl JointBook {
    /// Profit and loss in every scenario, to the bits of [`JointBook::profits`]; `None` where an option, a basis or a
    /// fixed share asks for more than ratios, or where none are kept.
    pub(super) fn plain_profits(&self, moves: &FactorMoves<'_>, watch: &Watch) -> Result<Option<Vec<f64>>> {
        let mut parts = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let combined = group.forward.is_some_and(|forward| forward.basis.is_some());
            if combined || group.fixed_share != 0.0 || group.strike_count() > 0 {
                return Ok(None);
            }
            let read = |factor: Option<usize>| match factor {
                None => Ok(Some(None)),
                Some(factor) => Ok(moves.ratios(self.level, factor)?.map(Some)),
            };
            let (Some(forward), Some(currency)) =
                (read(group.forward.map(|own| own.factor))?, read(group.currency)?)
            else {
                return Ok(None);
            };
            parts.push(Part { group, forward, currency });
        }
        let mut results = vec![Line::default(); moves.count().div_ceil(LINE)];
        watch.expect(1);
        for (number, block) in results.chunks_mut(LINES).enumerate() {
            watch.check()?;
            parts.iter().for_each(|part| part.add(number * LINES, block));
        }
        watch.advance(1)?;
        let mut found = vec![0.0; moves.count()];
        write(&results, &mut found);
        Ok(Some(found))
    }
}

impl Part<'_> {
    /// Adds the group's gain in the scenarios of some lines.
    fn add(&self, first: usize, results: &mut [Line]) {
        let own =
            |lines: &[Line], place: usize| lines.get(first + place).copied().unwrap_or(Line([1.0; LINE]));
        for (place, result) in results.iter_mut().enumerate() {
            let gain = self.forward.map_or(Line::default(), |lines| self.group.gain(&own(lines, place)));
            let currency = self.currency.map(|lines| own(lines, place));
            self.group.settle(&gain, currency.as_ref(), result);
        }
    }
}
