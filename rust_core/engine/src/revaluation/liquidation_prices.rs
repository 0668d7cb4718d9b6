//! Many accounts: how far the price of their underlying has to fall until each is worth less than it needs.

use super::accounts::{Accounts, fill};
use super::{at, same_length};
use crate::error::{Error, Place, Result, check_finite, check_positive};
use crate::instrument::OptionRight;
use crate::numeric::root::{Point, root};
use crate::pricing::kernel::{
    JointStrike, LINE, Line, Positions, SUMMED_LINES, Shocks, group_sums, value_at,
};
use crate::threads::Workers;

/// Points of the grid in one block.
const BLOCK: usize = SUMMED_LINES * LINE;
/// Points that the search for the exact price starts from.
const WINDOW: usize = 4;
/// Accounts in one piece of work: enough to read a block of the table more often than it is fetched.
const ACCOUNTS_PER_PIECE: usize = 1024;
/// Accounts whose sums over a block stay in the nearest cache together.
const ACCOUNTS_AT_ONCE: usize = 64;
/// Error that is looked for, of the logarithm of the price.
const TOLERANCE: f64 = 1e-11;
/// Most points of a grid.
const MOST_POINTS: usize = 1 << 16;

/// Where prices are looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// Price of the underlying today, quote currency; where left out, the forward that all strikes share.
    pub price: Option<f64>,
    /// The lowest price that is looked at, in the same unit, above zero and below today's.
    pub lowest: f64,
    /// Points of the grid from today's price to the lowest, both among them, evenly spaced in the logarithm; from 4 to
    /// 65,536. A stretch between two of them in which an account is worth less than it needs, but at neither end, is
    /// not seen.
    pub points: usize,
}

impl Accounts {
    /// The nearest price at or below today's at which each account is worth less than it needs: today's where it is so
    /// already, none where it is so at no point of the grid.
    ///
    /// `need` is a number per account in quote currency: what its options must be worth at least, its requirement less
    /// its cash for example. All forwards move by the ratio in which the price does, volatilities and time stay. Every
    /// strike is valued once at every point of the grid; the first point at which an account is worth less brackets its
    /// price, which is then found on exact values to an estimated 1e-11 of itself.
    ///
    /// `threads` limits the workers; their number changes no bit of the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a need of another length, [`Error::OutOfRange`] for a number outside its range,
    /// [`Error::Missing`] for a price that cannot be known, [`Error::NoAnswer`] for strikes on several underlyings.
    pub fn liquidation_prices(
        &self,
        need: &[f64],
        search: Search,
        threads: Option<usize>,
    ) -> Result<Vec<Option<f64>>> {
        same_length("need", need.len(), self.count())?;
        for (index, value) in need.iter().enumerate() {
            check_finite("need", *value, || at(index))?;
        }
        let grid = Grid::new(self.price(search)?, search)?;
        let workers = Workers::new(threads)?;
        let strikes: Vec<JointStrike> = self
            .strikes
            .strikes
            .iter()
            .map(|own| JointStrike::new(own.strike, own.forward, own.total_volatility))
            .collect();
        let mut pieces: Vec<Piece> = (0..self.count())
            .step_by(ACCOUNTS_PER_PIECE)
            .map(|first| self.piece(first, need, grid.price))
            .collect();
        let before = vec![(0.0, 0.0); strikes.len()];
        let mut table = vec![Line::default(); self.sparse.row_count() * SUMMED_LINES];
        workers.among(|| {
            for block in 0..grid.points.div_ceil(BLOCK) {
                if pieces.iter().all(|piece| piece.open.is_empty()) {
                    break;
                }
                // one block of the table stays in the cache of a core while all accounts read it
                let market = grid.block(block);
                fill(&self.strikes, (&market.shocks(), &before), &mut table, &workers)?;
                let (table, market) = (&table[..], &market);
                let open: Vec<&mut Piece> = pieces.iter_mut().collect();
                workers.each(open, |piece| piece.scan(self, (table, market, &grid), (need, &strikes)))?;
            }
            Ok(())
        })?;
        Ok(pieces.into_iter().flat_map(|piece| piece.prices).collect())
    }

    /// Today's price of the one underlying.
    fn price(&self, search: Search) -> Result<f64> {
        let mut underlyings = self.strikes.underlying.iter().flatten();
        if let Some(first) = underlyings.next()
            && let Some(other) = underlyings.find(|other| *other != first)
        {
            return Err(Error::NoAnswer {
                why: format!(
                    "a liquidation price is one of one underlying, and the strikes have underlyings {first} and {other}"
                ),
            });
        }
        if let Some(price) = search.price {
            return check_positive("price", price, Place::default);
        }
        let mut forwards = self.strikes.strikes.iter().map(|own| own.forward);
        let missing = |why: &str| Error::Missing {
            what: "price".to_owned(),
            why: why.to_owned(),
            place: Place::default(),
        };
        let first =
            forwards.next().ok_or_else(|| missing("there is no strike whose forward could stand for it"))?;
        if forwards.any(|other| other.total_cmp(&first).is_ne()) {
            return Err(missing("the forwards of the strikes differ, so none of them is today's price"));
        }
        Ok(first)
    }

    /// The accounts from one on, those without any option decided.
    fn piece(&self, first: usize, need: &[f64], price: f64) -> Piece {
        let accounts = first..(first + ACCOUNTS_PER_PIECE).min(self.count());
        let mut piece = Piece { first, prices: vec![None; accounts.len()], open: Vec::new() };
        for (place, account) in accounts.enumerate() {
            match self.account_groups.get(account..=account + 1) {
                Some(&[group, end]) if group < end => {
                    piece.open.push(Open { place, group, last: f64::NAN });
                }
                // worth nothing at any price
                _ => {
                    if let (Some(slot), Some(need)) = (piece.prices.get_mut(place), need.get(account)) {
                        *slot = (*need > 0.0).then_some(price);
                    }
                }
            }
        }
        piece
    }
}

/// The prices that are looked at.
struct Grid {
    price: f64,
    /// Logarithm of the ratio of neighbouring prices.
    step: f64,
    points: usize,
}

impl Grid {
    fn new(price: f64, search: Search) -> Result<Self> {
        let Search { lowest, points, .. } = search;
        let lowest = check_positive("lowest", lowest, Place::default)?;
        if lowest >= price {
            return Err(Error::OutOfRange {
                name: "lowest".to_owned(),
                value: lowest,
                must_be: "below today's price",
                place: Place::default(),
            });
        }
        if !(WINDOW..=MOST_POINTS).contains(&points) {
            return Err(Error::OutOfRange {
                name: "points".to_owned(),
                value: points as f64,
                must_be: "from 4 to 65536",
                place: Place::default(),
            });
        }
        Ok(Self { price, step: (lowest / price).ln() / (points - 1) as f64, points })
    }

    /// Logarithm of the ratio to today's price.
    fn logarithm(&self, point: usize) -> f64 {
        self.step * point as f64
    }

    fn block(&self, block: usize) -> Block {
        let first = block * BLOCK;
        // the last block goes on beyond the lowest price, where nothing that is found counts
        let logarithms: [Line; SUMMED_LINES] = std::array::from_fn(|line| {
            Line(std::array::from_fn(|lane| self.logarithm(first + line * LINE + lane)))
        });
        Block { first, ratios: logarithms.map(|line| Line(line.0.map(f64::exp))), logarithms }
    }

    /// The price at a logarithm of its ratio to today's.
    fn at(&self, logarithm: f64) -> f64 {
        self.price * logarithm.exp()
    }
}

/// Points of the grid whose values are in the table together.
struct Block {
    first: usize,
    ratios: [Line; SUMMED_LINES],
    logarithms: [Line; SUMMED_LINES],
}

impl Block {
    fn shocks(&self) -> Shocks<'_> {
        const SAME: &[Line; SUMMED_LINES] = &[Line([0.0; LINE]); SUMMED_LINES];
        Shocks { price_ratio: &self.ratios, log_ratio: &self.logarithms, volatility_move: SAME }
    }
}

/// An account whose price has not been found.
#[derive(Clone, Copy)]
struct Open {
    /// In its piece.
    place: usize,
    group: usize,
    /// What it is worth at the last point of the block before.
    last: f64,
}

/// The first point at which an account is worth less than it needs, with its neighbours.
struct Found {
    place: usize,
    group: usize,
    need: f64,
    point: usize,
    /// First point of the window, and what the account is worth there and at the next ones.
    start: usize,
    worth: [f64; WINDOW],
}

/// Some accounts in a row.
struct Piece {
    first: usize,
    prices: Vec<Option<f64>>,
    open: Vec<Open>,
}

impl Piece {
    /// Looks through one block of the table for all that are open, and finds the prices of those that it decides.
    fn scan(
        &mut self,
        accounts: &Accounts,
        (table, block, grid): (&[Line], &Block, &Grid),
        (need, strikes): (&[f64], &[JointStrike]),
    ) -> Result<()> {
        let level = accounts.strikes.level;
        let need = need.get(self.first..).unwrap_or_default();
        let mut sums = vec![Line::default(); ACCOUNTS_AT_ONCE * SUMMED_LINES];
        let mut least = [0.0; ACCOUNTS_AT_ONCE];
        let (mut still_open, mut found) = (Vec::with_capacity(self.open.len()), Vec::new());
        for some in self.open.chunks(ACCOUNTS_AT_ONCE) {
            let groups: Vec<usize> = some.iter().map(|open| open.group).collect();
            let (sums, least) = (&mut sums[..some.len() * SUMMED_LINES], &mut least[..some.len()]);
            group_sums(level, &accounts.sparse, &groups, table, sums, least)?;
            for ((open, sums), least) in some.iter().zip(sums.chunks_exact(SUMMED_LINES)).zip(least) {
                let need = need.get(open.place).copied().unwrap_or(f64::NAN);
                match if *least < need { first_below(sums, need) } else { None } {
                    None => {
                        let last = sums.last().map_or(f64::NAN, |line| line.0[LINE - 1]);
                        still_open.push(Open { last, ..*open });
                    }
                    Some(lane) if block.first + lane < grid.points => {
                        found.push(open.found(sums, need, block.first, lane));
                    }
                    // below the lowest price
                    Some(_) => {}
                }
            }
        }
        self.open = still_open;
        let mut positions = Positions::default();
        for found in &found {
            let price = if found.point == 0 {
                grid.price
            } else {
                grid.at(found.logarithm(accounts, grid, strikes, &mut positions))
            };
            if let Some(slot) = self.prices.get_mut(found.place) {
                *slot = Some(price);
            }
        }
        Ok(())
    }
}

/// The first place in lines whose number is below a limit.
fn first_below(lines: &[Line], limit: f64) -> Option<usize> {
    lines.iter().flat_map(|line| line.0).position(|value| value < limit)
}

impl Open {
    /// The neighbours of a place in a block whose first point has a number.
    fn found(&self, sums: &[Line], need: f64, first: usize, lane: usize) -> Found {
        let known = |place: usize| match place.checked_sub(1) {
            None => self.last,
            Some(lane) => sums.get(lane / LINE).map_or(f64::NAN, |line| line.0[lane % LINE]),
        };
        // counted from the last point of the block before, which the first block does not have
        let least = usize::from(first == 0);
        let start = (lane + 1).saturating_sub(WINDOW / 2).clamp(least, BLOCK + 1 - WINDOW);
        Found {
            place: self.place,
            group: self.group,
            need,
            point: first + lane,
            start: (first + start).saturating_sub(1),
            worth: std::array::from_fn(|number| known(start + number)),
        }
    }
}

impl Found {
    /// The logarithm of the ratio at which the account is worth what it needs.
    fn logarithm(
        &self,
        accounts: &Accounts,
        grid: &Grid,
        strikes: &[JointStrike],
        positions: &mut Positions,
    ) -> f64 {
        positions.clear();
        for (row, quantity) in accounts.entries(self.group) {
            let (strike, right) = match row.checked_sub(strikes.len()) {
                None => (row, OptionRight::Call),
                Some(strike) => (strike, OptionRight::Put),
            };
            if let Some(strike) = strikes.get(strike) {
                positions.push(strike, right, quantity);
            }
        }
        let known: [Point; WINDOW] = std::array::from_fn(|number| {
            let worth = self.worth.get(number).copied().unwrap_or(f64::NAN);
            (grid.logarithm(self.start + number), worth - self.need)
        });
        let at =
            |point: usize| known.get(point.wrapping_sub(self.start)).copied().unwrap_or((f64::NAN, f64::NAN));
        root(&known, (at(self.point - 1), at(self.point)), TOLERANCE, |logarithm| {
            value_at(accounts.strikes.level, positions, logarithm.exp(), logarithm) - self.need
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::black76::both;
    use crate::pricing::level::{Level, available, level};
    use crate::revaluation::{Holdings, StrikeColumns, Strikes};

    fn drawn(index: usize) -> f64 {
        let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// 40 strikes of four expiries, the first of which has no time left, and accounts of 0 to 11 positions.
    struct Case {
        columns: [Vec<f64>; 4],
        offsets: Vec<i64>,
        instrument: Vec<i64>,
        quantity: Vec<f64>,
        need: Vec<f64>,
    }

    const PRICE: f64 = 60_000.0;
    const STRIKES: usize = 40;
    const SEARCH: Search = Search { price: Some(PRICE), lowest: 20_000.0, points: 100 };

    impl Case {
        fn new(accounts: usize) -> Self {
            let of = |number: &dyn Fn(usize) -> f64| (0..STRIKES).map(number).collect::<Vec<f64>>();
            let columns = [
                of(&|index| PRICE * (0.5 + drawn(index))),
                of(&|index| PRICE * (1.0 + 0.01 * (index % 4) as f64)),
                of(&|index| [0.0, 0.005, 0.1, 0.8][index % 4]),
                of(&|index| 0.4 + 0.4 * drawn(1000 + index)),
            ];
            let mut case =
                Self { columns, offsets: vec![0], instrument: vec![], quantity: vec![], need: vec![] };
            for account in 0..accounts {
                for place in 0..account % 12 {
                    let draw = 7_000 + 100 * account + 2 * place;
                    case.instrument.push((drawn(draw) * 2.0 * STRIKES as f64) as i64);
                    case.quantity.push(10.0 * drawn(draw + 1) - 5.0);
                }
                case.offsets.push(case.instrument.len() as i64);
                let cushion = PRICE * (drawn(500_000 + account) - 0.1);
                case.need.push(case.worth(account, 1.0) - cushion);
            }
            case
        }

        fn accounts(&self, level: Level) -> Accounts {
            let [strike, forward, years, volatility] = &self.columns;
            let (tenor_weight, expiry, underlying) = (None, None, None);
            let columns =
                StrikeColumns { strike, forward, years, volatility, tenor_weight, expiry, underlying };
            let Self { offsets, instrument, quantity, .. } = self;
            let strikes = Strikes::new(level, columns).unwrap();
            Accounts::new(&strikes, Holdings { offsets, instrument, quantity }).unwrap()
        }

        /// What an account is worth, by the scalar function, option by option.
        fn worth(&self, account: usize, ratio: f64) -> f64 {
            let [strike, forward, years, volatility] = &self.columns;
            let held = self.offsets[account] as usize..self.offsets[account + 1] as usize;
            let worth = |entry: usize| {
                let index = self.instrument[entry] as usize % STRIKES;
                let total = volatility[index] * years[index].sqrt();
                let (call, put) = both(forward[index] * ratio, strike[index], total).unwrap();
                self.quantity[entry] * if self.instrument[entry] < STRIKES as i64 { call } else { put }
            };
            held.map(worth).sum()
        }

        /// By a scan of the points and halving.
        fn expected(&self, account: usize) -> Option<f64> {
            let step = (SEARCH.lowest / PRICE).ln() / (SEARCH.points - 1) as f64;
            let below = |logarithm: f64| self.worth(account, logarithm.exp()) < self.need[account];
            let point = (0..SEARCH.points).find(|point| below(step * *point as f64))?;
            let (mut above, mut under) = (step * (point as f64 - 1.0), step * point as f64);
            for _ in 0..60 {
                let middle = 0.5 * (above + under);
                *(if below(middle) { &mut under } else { &mut above }) = middle;
            }
            Some(if point == 0 { PRICE } else { PRICE * under.exp() })
        }
    }

    #[test]
    fn prices_are_those_of_a_scan_with_the_scalar_function_and_halving() {
        let case = Case::new(600);
        let found = case.accounts(level()).liquidation_prices(&case.need, SEARCH, None).unwrap();
        let mut kinds = [0; 3];
        for (account, found) in found.iter().enumerate() {
            let expected = case.expected(account);
            kinds[expected.map_or(0, |price| if price < PRICE { 1 } else { 2 })] += 1;
            match (found, expected) {
                (Some(found), Some(expected)) => {
                    assert!((found / expected - 1.0).abs() < 1e-9, "{account}: {found} {expected}");
                }
                (found, expected) => assert_eq!(*found, expected, "account {account}"),
            }
        }
        assert!(kinds.iter().all(|count| *count > 30), "none, below and at once: {kinds:?}");
    }

    #[test]
    fn neither_threads_nor_fused_levels_change_a_bit() {
        let case = Case::new(3_000);
        let bits = |level: Level, threads: usize| -> Vec<Option<u64>> {
            let found = case.accounts(level).liquidation_prices(&case.need, SEARCH, Some(threads)).unwrap();
            found.into_iter().map(|price| price.map(f64::to_bits)).collect()
        };
        let mut fused = None;
        for level in available() {
            let one = bits(level, 1);
            assert_eq!(bits(level, 3), one, "{level}");
            if level.is_fused() {
                assert_eq!(*fused.get_or_insert(one.clone()), one, "{level}");
            }
        }
    }

    #[test]
    fn what_cannot_be_searched_is_refused() {
        let case = Case::new(3);
        let accounts = case.accounts(level());
        let refusal = |need: &[f64], search: Search| {
            accounts.liquidation_prices(need, search, None).unwrap_err().to_string()
        };
        assert_eq!(refusal(&[0.0; 2], SEARCH), "need has 2 rows, expected 3");
        assert_eq!(refusal(&[0.0, 0.0, f64::NAN], SEARCH), "need must be a finite number, was NaN (index 2)");
        assert_eq!(
            refusal(&[0.0; 3], Search { price: None, ..SEARCH }),
            "price is missing: the forwards of the strikes differ, so none of them is today's price"
        );
        assert_eq!(
            refusal(&[0.0; 3], Search { lowest: 60_000.0, ..SEARCH }),
            "lowest must be below today's price, was 60000"
        );
        assert_eq!(
            refusal(&[0.0; 3], Search { points: 3, ..SEARCH }),
            "points must be from 4 to 65536, was 3"
        );
    }
}
