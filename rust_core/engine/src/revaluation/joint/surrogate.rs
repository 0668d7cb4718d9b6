//! A group's profit and loss as a function of two numbers, tabulated: the logarithms of the ratios of its forward
//! and of its volatility. The settlement currency is applied exactly outside.

use super::block::{Block, Chosen, Scratch, add, lanes, write};
use super::group::Group;
use super::line::Combination;
use super::{FactorMoves, JointBook, block_length};
use crate::error::Result;
use crate::pricing::kernel::{self, Grid, LINE, Line, Quantities, Ratios};
use crate::pricing::level::Level;
use crate::threads::Workers;
use crate::watch::Watch;

/// Points along the forward, of which the one that costs least is taken.
const COLUMNS: [usize; 6] = [32, 64, 128, 256, 512, 1024];
/// Points along the volatility.
const ROWS: usize = 12;
/// Points of a variable that does not move.
const STILL: usize = 4;
/// What a cubic polynomial through four points misses between the middle two, in fourth differences: 9/16 / 4!.
const CUBIC: f64 = 9.0 / 384.0;
/// Steps may not be wider than this many total volatilities, or a strike could hide between two points.
const WIDEST_STEP: f64 = 1.0;

/// One group's table.
#[derive(Debug, Clone)]
struct Table {
    grid: Grid,
    /// Options that the grid is too coarse for; they are valued in every scenario.
    valued: Group,
}

/// Tables of all groups that hold options.
#[derive(Debug, Clone)]
pub(super) struct Surrogate {
    tables: Vec<Option<Table>>,
}

/// How a group is tabulated.
struct Plan {
    x: (f64, f64, usize),
    y: (f64, f64, usize),
    /// Smallest total volatility that the grid resolves.
    resolved: f64,
    cost: f64,
}

impl Surrogate {
    /// What making and using a surrogate would cost, in values of a strike; `fineness` doubles the points each time.
    pub(super) fn cost(book: &JointBook, moves: &FactorMoves<'_>, fineness: usize) -> f64 {
        let held = book.groups.iter().filter(|group| group.strike_count() > 0);
        held.map(|group| plan(group, moves, fineness).cost).sum()
    }

    /// Tabulates every group.
    pub(super) fn new(
        book: &JointBook,
        moves: &FactorMoves<'_>,
        fineness: usize,
        workers: &Workers,
        watch: &Watch,
    ) -> Result<Self> {
        let mut tables = Vec::with_capacity(book.groups.len());
        for group in &book.groups {
            if group.strike_count() == 0 {
                tables.push(None);
                continue;
            }
            let plan = plan(group, moves, fineness);
            let (resolved, valued) = split(group, plan.resolved);
            let mut grid = Grid { x: plan.x, y: plan.y, values: Vec::new(), errors: Vec::new() };
            grid.values = vec![0.0; grid.x.2 * grid.y.2];
            fill(book.level, &resolved, &mut grid, workers, watch)?;
            grid.errors = errors(&grid);
            tables.push(Some(Table { grid, valued }));
        }
        Ok(Self { tables })
    }

    /// Profit and loss in every scenario, and an estimate of its error.
    pub(super) fn profits(
        &self,
        book: &JointBook,
        moves: &FactorMoves<'_>,
        workers: &Workers,
        watch: &Watch,
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let (mut profits, mut errors) = (vec![0.0; moves.count()], vec![0.0; moves.count()]);
        let block = block_length(moves.count());
        watch.expect(profits.len().div_ceil(block));
        let pieces: Vec<_> = profits.chunks_mut(block).zip(errors.chunks_mut(block)).enumerate().collect();
        workers.each(pieces, |(number, (profits, errors))| {
            let block = Block { level: book.level, moves, chosen: Chosen::From(number * block) };
            let mut scratch = Scratch::new(profits.len());
            let mut total_errors = vec![Line::default(); scratch.gain.len()];
            for (group, table) in book.groups.iter().zip(&self.tables) {
                watch.check()?;
                match table {
                    None => block.add(group, &mut scratch)?,
                    Some(table) => table.add(block, &mut scratch, &mut total_errors)?,
                }
            }
            scratch.write(profits);
            write(&total_errors, errors);
            watch.advance(1)
        })?;
        Ok((profits, errors))
    }
}

impl Table {
    fn add(&self, block: Block<'_>, scratch: &mut Scratch, errors: &mut [Line]) -> Result<()> {
        let group = &self.valued;
        if group.strike_count() > 0 {
            block.read(group, scratch)?;
        } else {
            block.read_logarithms(group, scratch)?;
        }
        // the gain of the group without its options is in the table
        scratch.gain.fill(Line([-group.base; LINE]));
        if group.strike_count() > 0 {
            scratch.value(block.level, group)?;
        }
        let mut own = vec![Line::default(); errors.len()];
        let (points, gain) = scratch.points();
        kernel::interpolate(block.level, &self.grid, points, (gain, &mut own))?;
        scratch.settle(group);
        scratch.in_reporting(group, &mut own);
        for (sum, own) in errors.iter_mut().zip(&own) {
            add(sum, 1.0, &own.0);
        }
        Ok(())
    }
}

/// The part of a group that a grid resolves, with what is not an option; and the options that it does not.
fn split(group: &Group, resolved: f64) -> (Group, Group) {
    let (mut within, mut beyond) = (group.clone(), group.clone());
    let is_resolved = |held: &Quantities| held.strike.total_volatility() >= resolved;
    within.in_quote.retain(is_resolved);
    within.in_coin.retain(is_resolved);
    beyond.in_quote.retain(|held| !is_resolved(held));
    beyond.in_coin.retain(|held| !is_resolved(held));
    (within, beyond)
}

fn range(moves: &FactorMoves<'_>, combination: Option<Combination>) -> (f64, f64) {
    let Some(own) = combination else { return (0.0, 0.0) };
    let add = |sum: (f64, f64), part: (usize, f64)| {
        let own = moves.range(part);
        (sum.0 + own.0, sum.1 + own.1)
    };
    std::iter::once(own.first).chain(own.second).fold((0.0, 0.0), add)
}

fn plan(group: &Group, moves: &FactorMoves<'_>, fineness: usize) -> Plan {
    let price = group.forward.map(|forward| Combination { first: (forward.factor, 1.0), second: None });
    let (mut low, mut high) = range(moves, price);
    let basis = range(moves, group.forward.and_then(|forward| forward.basis));
    (low, high) = (low + basis.0, high + basis.1);
    if group.fixed_share != 0.0 {
        let of = |move_size: f64| ((1.0 - group.fixed_share) * move_size.exp() + group.fixed_share).ln();
        (low, high) = (of(low), of(high));
    }
    let (volatility_low, volatility_high) = range(moves, group.volatility);
    let y = axis(volatility_low, volatility_high, ROWS << fineness);
    let smallest = volatility_low.exp();
    let scenarios = moves.count() as f64;
    let rows = if y.2 == STILL { 1.0 } else { y.2 as f64 };
    let mut best: Option<Plan> = None;
    for columns in COLUMNS {
        let columns = columns << fineness;
        let x = axis(low, high, columns);
        // each refinement asks for a finer step where a strike is narrow
        let resolved = WIDEST_STEP * (1 << fineness) as f64 / (x.1 * smallest);
        let unresolved =
            group.strikes().filter(|held| held.strike.total_volatility() < resolved).count() as f64;
        let tabulated = group.strike_count() as f64 - unresolved;
        let cost = tabulated * rows * x.2 as f64 + unresolved * scenarios;
        if best.as_ref().is_none_or(|best| cost < best.cost) {
            best = Some(Plan { x, y, resolved, cost });
        }
        if x.2 == STILL {
            break;
        }
    }
    best.unwrap_or(Plan { x: axis(low, high, STILL), y, resolved: 0.0, cost: f64::INFINITY })
}

/// First point, inverse step and number of points of a range.
fn axis(low: f64, high: f64, points: usize) -> (f64, f64, usize) {
    let width = high - low;
    if width > 1e-12 {
        (low, (points - 1) as f64 / width, points)
    } else {
        // the second of four points is where everything is
        (low - 1.0, 1.0, STILL)
    }
}

/// Values a group at every point of a grid; a row of the volatility at a time.
fn fill(level: Level, group: &Group, grid: &mut Grid, workers: &Workers, watch: &Watch) -> Result<()> {
    let ((first, inverse_step, columns), (low, inverse_row, rows)) = (grid.x, grid.y);
    let point = |column: usize| first + column as f64 / inverse_step;
    let log_ratio = kernel::lines((0..columns).map(point), 0.0);
    let mut ratio = log_ratio.clone();
    kernel::exponentials(level, &log_ratio, &mut ratio)?;
    watch.expect(rows);
    let mut by_row = vec![0.0; grid.values.len()];
    let pieces: Vec<_> = by_row.chunks_mut(columns).enumerate().collect();
    workers.each(pieces, |(row, values)| {
        // of a volatility that does not move, one row alone is ever read with a weight
        if rows == STILL && row != 1 {
            return watch.advance(1);
        }
        let volatility = (low + row as f64 / inverse_row).exp();
        let all = |value: f64| vec![Line([value; LINE]); log_ratio.len()];
        let (volatility, inverse) = (all(volatility), all(volatility.recip()));
        let ratios = Ratios {
            forward: &ratio,
            log_forward: &log_ratio,
            volatility: &volatility,
            inverse_volatility: &inverse,
        };
        let mut sums = vec![Line::default(); log_ratio.len()];
        kernel::joint_sums(level, &ratios, &group.in_coin, &mut sums)?;
        for (sum, ratio) in lanes(&mut sums).zip(ratio.iter().flat_map(|line| line.0)) {
            *sum = *sum / ratio + group.linear * (ratio - 1.0) + group.inverse * (1.0 - 1.0 / ratio);
        }
        kernel::joint_sums(level, &ratios, &group.in_quote, &mut sums)?;
        write(&sums, values);
        watch.advance(1)
    })?;
    for (row, values) in by_row.chunks(columns).enumerate() {
        let places = grid.values.iter_mut().skip(row).step_by(rows);
        places.zip(values).for_each(|(place, value)| *place = *value);
    }
    Ok(())
}

/// What interpolation may miss in each cell: fourth differences along both variables at the points around it.
fn errors(grid: &Grid) -> Vec<f64> {
    let (columns, rows) = (grid.x.2, grid.y.2);
    let at = |column: usize, row: usize| grid.values.get(column * rows + row).copied().unwrap_or(0.0);
    let fourth = |a: f64, b: f64, c: f64, d: f64, e: f64| ((a + e) - 4.0 * (b + d) + 6.0 * c).abs();
    let of_point = |column: usize, row: usize| {
        let mut found = 0.0;
        if columns > STILL {
            let c = column.clamp(2, columns - 3);
            found += fourth(at(c - 2, row), at(c - 1, row), at(c, row), at(c + 1, row), at(c + 2, row));
        }
        if rows > STILL {
            let r = row.clamp(2, rows - 3);
            found += fourth(
                at(column, r - 2),
                at(column, r - 1),
                at(column, r),
                at(column, r + 1),
                at(column, r + 2),
            );
        }
        CUBIC * found
    };
    let points: Vec<f64> = (0..columns)
        .flat_map(|column| (0..rows).map(move |row| (column, row)))
        .map(|(c, r)| of_point(c, r))
        .collect();
    let error = |column: usize, row: usize| points.get(column * rows + row).copied().unwrap_or(0.0);
    let mut found = vec![0.0; points.len()];
    for (place, slot) in found.iter_mut().enumerate() {
        let (column, row) = (place / rows, place % rows);
        if column + 2 < columns && row + 2 < rows {
            *slot = error(column + 1, row + 1)
                .max(error(column + 2, row + 1))
                .max(error(column + 1, row + 2))
                .max(error(column + 2, row + 2));
        }
    }
    found
}
