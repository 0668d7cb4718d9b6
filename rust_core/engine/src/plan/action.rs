//! What can be done to an account, one thing at a time.

use super::cost::Cost;
use super::{Account, Stage};
use crate::book::Position;
use crate::error::{Error, Result};
use crate::instrument::ContractKind;
use crate::limits::standing::size;
use crate::market::{MarketState, settle_of, underlying_of};
use crate::numeric::rounding::of_steps;
use crate::rulebook::Rulebook;

/// Digits of a size where no lot is known: what a person would type, and no venue's smallest lot is finer.
const DIGITS: i32 = 6;

/// Less than this share of a size is what sums of decimals leave: 0.1 + 0.2 is more than 0.3.
const TAIL: f64 = 1e-12;
/// Most money that comes in, as a multiple of what is missing: haircuts and caps may take most of it.
const MOST_MONEY: f64 = 100.0;
/// Most hedges that nobody named; of more those that reduce the largest exposures.
const MOST_HEDGES: usize = 40;

/// What is done.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A position is reduced.
    Close,
    /// A contract is traded to offset risk, perhaps one that is not held.
    Hedge,
    /// A share of every position is closed, hedges staying hedges.
    Slice,
    /// Money comes in.
    Deposit,
    /// Collateral is sold into the currency of settlement.
    Convert {
        /// Index of that currency.
        into: usize,
    },
    /// Open orders are cancelled.
    Cancel,
}

impl Kind {
    /// The word of the action column.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Close | Self::Slice => "close",
            Self::Hedge => "hedge",
            Self::Deposit => "deposit",
            Self::Convert { .. } => "convert",
            Self::Cancel => "cancel",
        }
    }
}

/// One thing that can be done, in whole steps.
#[derive(Debug, Clone)]
pub struct Action {
    /// What it is.
    pub kind: Kind,
    /// The contract that is traded.
    pub contract: Option<Position>,
    /// Index of the currency that comes in or is sold.
    pub currency: Option<usize>,
    /// Size of one step, unsigned.
    pub step: f64,
    /// Whether the step is a known lot and not made up from the size of what is held.
    pub lot_known: bool,
    /// Whether it is a purchase; of no meaning for what is no trade.
    pub buys: bool,
    /// Most of it that makes sense, unsigned.
    pub most: f64,
}

/// A step that divides a size finely enough where no lot is known.
fn step_for(size: f64) -> f64 {
    if size > 0.0 && size.is_finite() {
        let place = size.log10().floor() as i32 + 1 - DIGITS;
        // a power of ten by division is the number nearest to it, so that steps of it are written without a tail
        if place < 0 { 10.0_f64.powi(-place).recip() } else { 10.0_f64.powi(place) }
    } else {
        1e-8
    }
}

/// A size rounded up to whole steps.
fn whole_steps(size: f64, step: f64) -> f64 {
    of_steps((size / step - 1e-9).ceil(), step)
}

impl Action {
    /// Closing a position.
    pub fn close(account: &Account<'_>, own: &Position) -> Self {
        let lot = account.book.lot.get(own.instrument).copied().flatten();
        Self {
            kind: Kind::Close,
            step: lot.unwrap_or_else(|| step_for(own.quantity.abs())),
            lot_known: lot.is_some(),
            buys: own.quantity < 0.0,
            most: own.quantity.abs(),
            contract: Some(own.clone()),
            currency: None,
        }
    }

    /// Trading a contract up to a size.
    pub fn hedge(account: &Account<'_>, contract: &Position, buys: bool, most: f64) -> Self {
        let lot = account.book.lot.get(contract.instrument).copied().flatten();
        let step = lot.unwrap_or_else(|| step_for(most));
        Self {
            kind: Kind::Hedge,
            step,
            lot_known: lot.is_some(),
            buys,
            most: whole_steps(most, step),
            contract: Some(contract.clone()),
            currency: None,
        }
    }

    /// The same share of every position.
    pub fn slice() -> Self {
        let step = 10.0_f64.powi(-DIGITS);
        Self {
            kind: Kind::Slice,
            contract: None,
            currency: None,
            step,
            lot_known: false,
            buys: false,
            most: 1.0,
        }
    }

    /// Money of a currency, in steps of the amount that is missing.
    pub fn deposit(currency: usize, short: f64) -> Self {
        let step = step_for(short);
        Self { step, most: whole_steps(MOST_MONEY * short, step), ..Self::money(currency, short) }
    }

    fn money(currency: usize, most: f64) -> Self {
        Self {
            kind: Kind::Deposit,
            contract: None,
            currency: Some(currency),
            step: step_for(most),
            lot_known: false,
            buys: false,
            most,
        }
    }

    /// Selling a balance.
    pub fn convert(currency: usize, into: usize, most: f64) -> Self {
        Self { kind: Kind::Convert { into }, ..Self::money(currency, most) }
    }

    /// Cancelling all orders.
    pub fn cancel() -> Self {
        Self { kind: Kind::Cancel, step: 1.0, lot_known: true, most: 1.0, ..Self::slice() }
    }

    /// Most steps: the last one may be a part, where all of it is taken.
    pub fn most_steps(&self) -> f64 {
        (self.most / self.step - 1e-9).ceil().max(1.0)
    }

    /// The size of a number of steps, unsigned and not more than all; all of it where only the tail of a sum of decimals
    /// would be left.
    pub fn size(&self, steps: f64) -> f64 {
        let size = of_steps(steps, self.step);
        if size >= self.most * (1.0 - TAIL) { self.most } else { size }
    }

    /// Does it; returns what it costs and what money it moves, reporting currency.
    ///
    /// # Errors
    ///
    /// As [`Account::trade`] and [`Cost::of`].
    pub fn apply(&self, account: &mut Account<'_>, steps: f64, cost: &Cost) -> Result<(f64, f64)> {
        let size = self.size(steps);
        if size == 0.0 {
            return Ok((0.0, 0.0));
        }
        let missing = || Error::NoAnswer { why: "the action has nothing to act on".into() };
        match &self.kind {
            Kind::Close | Kind::Hedge => {
                let contract = self.contract.as_ref().ok_or_else(missing)?;
                let place = place_of(account, contract);
                self.deal(account, contract, place, size, cost)
            }
            Kind::Slice => {
                let mut sums = (0.0, 0.0);
                let mut place = 0; // positions closed whole are gone
                for own in account.positions.clone() {
                    let close = Self::close(account, &own);
                    let part = size * own.quantity.abs();
                    // what has no lot keeps its share, which is what the row says
                    let lots = if close.lot_known { whole_steps(part, close.step) } else { part };
                    let held = account.positions.len();
                    let done = close.deal(account, &own, Some(place), lots.min(own.quantity.abs()), cost)?;
                    place += usize::from(account.positions.len() == held);
                    sums = (sums.0 + done.0, sums.1 + done.1);
                }
                Ok(sums)
            }
            Kind::Deposit => {
                let currency = self.currency.ok_or_else(missing)?;
                account.credit(currency, size)?;
                Ok((0.0, size * account.view().price_today(currency)?))
            }
            Kind::Convert { into } => {
                let currency = self.currency.ok_or_else(missing)?;
                let value = size * account.view().price_today(currency)?;
                let paid = cost.of_collateral(account, currency, size)?;
                if let Some(coin) = account.book.currencies.get(currency).and_then(|own| own.underlying) {
                    account.note_dealt(coin, size);
                }
                let price = account.view().price_today(*into)?;
                account.credit(currency, -size)?;
                account.credit(*into, (value - paid) / price)?;
                Ok((paid, value))
            }
            Kind::Cancel => {
                account.orders.clear();
                Ok((0.0, 0.0))
            }
        }
    }

    fn deal(
        &self,
        account: &mut Account<'_>,
        contract: &Position,
        own: Option<usize>,
        size: f64,
        cost: &Cost,
    ) -> Result<(f64, f64)> {
        let held = own.and_then(|place| account.positions.get(place)).map_or(0.0, |held| held.quantity);
        // what is left after a slice may be less than was there; closing never opens
        let left = if self.buys { -held } else { held };
        let size = if self.kind == Kind::Hedge { size } else { size.min(left.max(0.0)) };
        if size == 0.0 {
            return Ok((0.0, 0.0));
        }
        let paid = cost.of(account, contract, size)?;
        let coins = cost.coins(account, contract, size)?;
        account.note_dealt(underlying_of(account.book, contract), coins);
        let money = account.view().price_today(settle_of(account.book, contract))?;
        let moved = self::size(&account.view(), &Position { quantity: size, ..contract.clone() })?.gross;
        let change = if self.buys { size } else { -size };
        match own {
            Some(place) => account.deal(place, change, None, paid / money)?,
            None => account.open(contract, change, None, paid / money)?,
        }
        Ok((paid, moved))
    }
}

/// Where a contract is held.
pub(super) fn place_of(account: &Account<'_>, contract: &Position) -> Option<usize> {
    let same = |held: &Position| held.instrument == contract.instrument && held.leg == contract.leg;
    account.positions.iter().position(same)
}

/// Which actions may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Closing positions.
    pub close: bool,
    /// Trading contracts to hedge.
    pub hedge: bool,
    /// Money from outside.
    pub deposit: bool,
    /// Selling collateral.
    pub convert: bool,
    /// Cancelling orders.
    pub cancel: bool,
}

impl Allowed {
    /// Reads words separated by `;`, `,` or blanks; nothing allows all.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for another word.
    pub fn read(text: &str) -> Result<Self> {
        let none = Self { close: false, hedge: false, deposit: false, convert: false, cancel: false };
        let mut own = none;
        for word in text.split([';', ',', '|', ' ']).map(str::trim).filter(|word| !word.is_empty()) {
            match word.to_lowercase().as_str() {
                "close" => own.close = true,
                "hedge" => own.hedge = true,
                "deposit" => own.deposit = true,
                "convert" => own.convert = true,
                "cancel" => own.cancel = true,
                _ => {
                    return Err(Error::Unknown {
                        what: "action",
                        value: word.to_owned(),
                        known: "close, hedge, deposit, convert, cancel".into(),
                    });
                }
            }
        }
        Ok(if own == none {
            Self { close: true, hedge: true, deposit: true, convert: true, cancel: true }
        } else {
            own
        })
    }
}

/// Every action on an account that is allowed; `short` is what it lacks, reporting currency.
///
/// Hedges are the perpetuals and futures of coins that the account is exposed to, and contracts that `named` names;
/// up to twice the size that offsets the delta of the coin.
///
/// # Errors
///
/// [`Error::Missing`] for a price.
pub fn actions(
    stage: &Stage<'_>,
    pool: usize,
    account: &Account<'_>,
    allowed: Allowed,
    named: &[String],
    short: f64,
) -> Result<Vec<Action>> {
    let book = account.book;
    let rulebook = account.view().rulebook()?;
    let mut found = Vec::new();
    if allowed.cancel && !account.orders.is_empty() {
        found.push(Action::cancel());
    }
    if allowed.close {
        found.extend(account.positions.iter().map(|own| Action::close(account, own)));
        if account.positions.len() > 1 {
            found.push(Action::slice());
        }
    }
    if allowed.hedge && !stage.is_isolated(pool) {
        found.extend(hedges(stage, pool, account, named)?);
    }
    let today = MarketState::today(book);
    let settles = settling_currency(account, rulebook);
    if allowed.deposit {
        let mut currencies: Vec<usize> = account.balances.iter().map(|own| own.currency).collect();
        currencies.extend(settles);
        currencies.sort_unstable();
        currencies.dedup();
        for currency in currencies {
            if let Ok(price) = account.view().price(currency, &today)
                && price > 0.0
            {
                found.push(Action::deposit(currency, short / price));
            }
        }
    }
    if let (true, Some(into)) = (allowed.convert, settles) {
        for balance in &account.balances {
            let free = balance.cash - balance.debt;
            if balance.currency != into && free > 0.0 {
                found.push(Action::convert(balance.currency, into, free));
            }
        }
    }
    Ok(found)
}

/// The currency that collateral is sold into: that of a pool of one currency, else the rulebook's settlement currency
/// or the reporting one.
fn settling_currency(account: &Account<'_>, rulebook: &Rulebook) -> Option<usize> {
    if let crate::book::PoolKind::Cross(Some(own)) = account.kind {
        return Some(own);
    }
    if account.kind == crate::book::PoolKind::Isolated {
        return account.positions.first().map(|own| settle_of(account.book, own));
    }
    let named = |code: &str| account.book.currencies.iter().position(|known| known.code == code);
    named(&rulebook.settle).or_else(|| named(&rulebook.report_currency))
}

fn hedges(stage: &Stage<'_>, pool: usize, account: &Account<'_>, named: &[String]) -> Result<Vec<Action>> {
    let book = account.book;
    let view = account.view();
    let mut exposures: Vec<(usize, f64, f64)> = Vec::new();
    for own in &account.positions {
        let known = size(&view, own)?;
        match exposures.iter_mut().find(|(coin, ..)| *coin == known.coin) {
            Some((_, net, gross)) => (*net, *gross) = (*net + known.delta, *gross + known.delta.abs()),
            None => exposures.push((known.coin, known.delta, known.delta.abs())),
        }
    }
    let mut found = Vec::new();
    for contract in stage.contracts(pool) {
        let Some(known) = book.instruments.get(contract.instrument) else { continue };
        let wanted = if named.is_empty() {
            matches!(known.kind, ContractKind::Perpetual | ContractKind::Future)
        } else {
            named.iter().any(|name| name.eq_ignore_ascii_case(&known.symbol))
        };
        let unit = size(&view, &Position { quantity: 1.0, ..contract.clone() })?;
        let exposure = exposures.iter().find(|(coin, ..)| *coin == unit.coin);
        let Some((_, net, gross)) = exposure.filter(|_| wanted && unit.delta != 0.0) else { continue };
        // a flat book can still lack margin by its gross: let hedges reach half of it
        let most = (2.0 * net.abs()).max(0.5 * gross) / unit.delta.abs();
        for buys in [true, false] {
            // what reduces a position is closing it
            let held = account.positions.iter().find(|own| own.instrument == contract.instrument);
            if most > 0.0 && held.is_none_or(|own| (own.quantity > 0.0) == buys) {
                let reduces = *net != 0.0 && (unit.delta > 0.0) == ((*net < 0.0) == buys);
                found.push((reduces, net.abs(), Action::hedge(account, contract, buys, most)));
            }
        }
    }
    if named.is_empty() && found.len() > MOST_HEDGES {
        found.retain(|own| own.0);
        let mut sizes: Vec<f64> = found.iter().map(|own| own.1).collect();
        sizes.sort_by(|a, b| b.total_cmp(a));
        let least = sizes.get(MOST_HEDGES).copied().unwrap_or(0.0);
        found.retain(|own| own.1 > least);
    }
    Ok(found.into_iter().map(|own| own.2).collect())
}
