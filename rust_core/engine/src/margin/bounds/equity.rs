//! The equity of a pool along a stretch.

use super::Between;
use super::enclosed::Enclosed;
use super::option::Stretch;
use crate::book::{Book, Position};
use crate::error::Result;
use crate::instrument::Payoff;
use crate::margin::equity::{Counting, Holding, counting, equity, holdings};
use crate::marked::Marked;
use crate::market::{
    MarketState, least_value_at, mark_at, marked, option_value_at, payoff, settle_of, underlying_of,
    unrealised_pnl,
};
use crate::rulebook::{OptionValue, OtherCurrencies};

/// What of the pool is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The equity of the maintenance level.
    Maintenance,
    /// Everything at full value.
    Gross,
}

/// Unrealised profit and loss of a position, settlement currency.
pub(super) fn result_of(between: &Between<'_>, position: &Position) -> Result<Option<Enclosed>> {
    let (book, (from, to)) = (between.view.book, between.states());
    let (start, end) = (unrealised_pnl(book, position, from), unrealised_pnl(book, position, to));
    let coin = underlying_of(book, position);
    let exponent = between.exponent(coin);
    let known = book.instruments.get(position.instrument);
    if known.is_some_and(|known| known.option.is_some()) {
        let one = gain_of_option(between, position.instrument)?;
        return Ok(one.map(|one| one.times_constant(position.quantity).with_ends(start, end)));
    }
    let marks = (mark_at(book, position, from.ratio(coin)), mark_at(book, position, to.ratio(coin)));
    let moving = match payoff(book, position) {
        Payoff::Linear => {
            let slopes = Enclosed::exponential(marks.0, marks.1, exponent);
            slopes.times_constant(position.quantity)
        }
        Payoff::Inverse => {
            let slopes = Enclosed::exponential(marks.0.recip(), marks.1.recip(), -exponent);
            slopes.times_constant(-position.quantity)
        }
    };
    Ok(Some(moving.with_ends(start, end)))
}

/// What one coin of an option gains from its mark on, settlement currency (see [`crate::marked`]).
pub(super) fn gain_of_option(between: &Between<'_>, instrument: usize) -> Result<Option<Enclosed>> {
    let (book, (from, to)) = (between.view.book, between.states());
    let quote = from.quote(book, instrument);
    let discount = quote.map_or(1.0, |quote| (-quote.discount_rate * quote.years).exp());
    let Some(option) = between.option(instrument, discount)? else { return Ok(None) };
    let inverse = book.instruments.get(instrument).is_some_and(|known| known.payoff == Payoff::Inverse);
    let moving = |option: Stretch, of: fn(&Book, usize, &MarketState) -> f64| {
        let ends = (of(book, instrument, from), of(book, instrument, to));
        if inverse { option.in_coin(ends.0, ends.1) } else { option.in_money(ends.0, ends.1) }
    };
    let model = moving(option, option_value_at);
    let Some(own) = marked(book, instrument).filter(Marked::is_below) else { return Ok(Some(model)) };
    let model = model.minus(Enclosed::constant(own.model));
    let least = moving(option.settled(), least_value_at);
    let least = least.with_ends(own.gain_of_least(least.start), own.gain_of_least(least.end));
    Ok(Some(model.larger(least, between.width).larger(Enclosed::constant(-own.mark), between.width)))
}

/// Amount of a currency that counts, coins.
fn counted(net: Enclosed, counting: &Counting, width: f64) -> Enclosed {
    let none = Enclosed::constant(0.0);
    let owed = net.smaller(none, width);
    let held = net.positive(width);
    let counted = match counting {
        Counting::Nothing => none,
        Counting::Full => return net,
        Counting::Slices(slices, cap) => {
            let amount = cap.map_or(held, |cap| held.smaller(Enclosed::constant(cap), width));
            let upper = slices.iter().skip(1).map(|slice| slice.from).chain([f64::INFINITY]);
            Enclosed::total(slices.iter().zip(upper).map(|(slice, upper)| {
                let below =
                    if upper.is_finite() { amount.smaller(Enclosed::constant(upper), width) } else { amount };
                below.minus(Enclosed::constant(slice.from)).positive(width).times_constant(slice.rate)
            }))
        }
    };
    owed.plus(counted)
}

/// A pool's equity on a basis between two states, reporting currency; `None` where something it holds has no bounds.
pub(super) fn equity_between(between: &Between<'_>, basis: Basis) -> Result<Option<Enclosed>> {
    let (view, width) = (between.view, between.width);
    let rulebook = view.rulebook()?;
    let level = &rulebook.maintenance;
    let (from, to) = between.states();
    let mut total = Enclosed::default();
    for (start, end) in holdings(view, from).iter().zip(holdings(view, to)) {
        let Some(moving) = Moving::of(between, start, &end)? else { return Ok(None) };
        let nothing = Enclosed::default();
        if moving.cash == nothing && moving.pnl == nothing && moving.options == nothing {
            continue;
        }
        let prices = (view.price(start.currency, from)?, view.price(start.currency, to)?);
        let price = Enclosed::growing(prices.0, prices.1, width);
        let counting = counting(view, start)?;
        let cash = moving.cash;
        let amount = match basis {
            Basis::Gross => {
                let gross = cash.plus(moving.pnl).plus(moving.options);
                let ignored =
                    counting == Counting::Nothing && rulebook.other_currencies == OtherCurrencies::Ignored;
                if ignored { gross.smaller(Enclosed::constant(0.0), width) } else { gross }
            }
            Basis::Maintenance => {
                let pnl =
                    if level.gains { moving.pnl } else { moving.pnl.smaller(Enclosed::constant(0.0), width) };
                let options = match level.option_value {
                    OptionValue::All => moving.options,
                    OptionValue::Nothing => Enclosed::default(),
                };
                let net = cash.plus(pnl).plus(options);
                if level.haircut || counting == Counting::Nothing {
                    counted(net, &counting, width)
                } else {
                    net
                }
            }
        };
        total = total.plus(amount.times(price, width));
    }
    let (first, last) = (equity(view, from)?, equity(view, to)?);
    let ends = match basis {
        Basis::Maintenance => (first.maintenance, last.maintenance),
        Basis::Gross => (first.gross, last.gross),
    };
    Ok(between.agrees(total, ends).then(|| total.with_ends(ends.0, ends.1)))
}

/// What a currency's results do between two states, coins.
pub(super) struct Moving {
    /// Cash, with the results of what has expired.
    pub(super) cash: Enclosed,
    pub(super) pnl: Enclosed,
    pub(super) options: Enclosed,
}

impl Moving {
    pub(super) fn of(between: &Between<'_>, start: &Holding<'_>, end: &Holding<'_>) -> Result<Option<Self>> {
        let book = between.view.book;
        let (mut pnl, mut options) = (Enclosed::default(), Enclosed::default());
        let mut cash = Enclosed::default();
        for position in between.view.positions {
            if settle_of(book, position) != start.currency {
                continue;
            }
            let Some(own) = result_of(between, position)? else { return Ok(None) };
            let known = book.instruments.get(position.instrument);
            if between.states().0.is_expired(book, position.instrument) {
                cash = cash.plus(own);
            } else if known.is_some_and(|known| known.option.is_some()) {
                options = options.plus(own);
            } else {
                pnl = pnl.plus(own);
            }
        }
        Ok(Some(Self {
            cash: cash.with_ends(start.cash, end.cash),
            pnl: pnl.with_ends(start.pnl, end.pnl),
            options: options.with_ends(start.option_value, end.option_value),
        }))
    }
}

/// What a pool pays for what it has borrowed, reporting currency.
pub(super) fn borrowing_between(between: &Between<'_>) -> Result<Option<Enclosed>> {
    let (view, width) = (between.view, between.width);
    let rulebook = view.rulebook()?;
    if rulebook.borrowing.is_empty() || view.kind == crate::book::PoolKind::Isolated {
        return Ok(Some(Enclosed::default()));
    }
    let (from, to) = between.states();
    let mut total = Enclosed::default();
    for (start, end) in holdings(view, from).iter().zip(holdings(view, to)) {
        let Some(moving) = Moving::of(between, start, &end)? else { return Ok(None) };
        let net = moving.cash.plus(moving.pnl).plus(moving.options);
        let borrowed = net.times_constant(-1.0).positive(width);
        if borrowed == Enclosed::default() {
            continue;
        }
        let code = view.book.currencies.get(start.currency).map_or("", |known| known.code.as_str());
        let rule = rulebook
            .borrowing
            .iter()
            .find(|entry| entry.currencies.is_empty() || entry.currencies.iter().any(|name| name == code));
        let Some(rule) = rule else { return Ok(None) };
        let prices = (view.price(start.currency, from)?, view.price(start.currency, to)?);
        let value = borrowed.times(Enclosed::growing(prices.0, prices.1, width), width);
        total = total.plus(value.times_constant(rule.maintenance));
    }
    Ok(Some(total))
}
