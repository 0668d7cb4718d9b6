//! Equity of a pool: per currency, then in the reporting currency, on the basis that each level names.

use super::PoolView;
use super::scenario::Table;
use crate::book::{Balance, PoolKind, Position};
use crate::error::{Error, Place, Result};
use crate::market::{MarketState, settle_of, unrealised_pnl};
use crate::numeric::Accumulator;
use crate::rulebook::{Level, OptionValue, OtherCurrencies, RateSlice};

/// Equity in the reporting currency.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Equity {
    /// Everything at full value: cash, unrealised profit and loss, less debts.
    pub gross: f64,
    /// On the basis of the maintenance level.
    pub maintenance: f64,
    /// On the basis of the initial level.
    pub initial: f64,
}

/// What a pool holds in one currency.
#[derive(Debug, Clone, Copy, Default)]
pub struct Holding<'a> {
    /// Index of the currency.
    pub currency: usize,
    /// Cash less debts, coins.
    pub cash: f64,
    /// Unrealised profit and loss settled in it, coins.
    pub pnl: f64,
    /// Value of options settled in it, bought less sold, coins.
    pub option_value: f64,
    /// The balance it comes from; `None` where only positions are settled in it.
    pub balance: Option<&'a Balance>,
    /// Whether positions of the pool settle in it.
    pub settles: bool,
}

impl Holding<'_> {
    /// The same with its balance out of those of the pool.
    pub(super) fn of_balances<'b>(&self, balances: &'b [Balance]) -> Holding<'b> {
        let Holding { currency, cash, pnl, option_value, settles, .. } = *self;
        let balance = balances.iter().find(|own| own.currency == currency);
        Holding { currency, cash, pnl, option_value, balance, settles }
    }
}

/// What a pool holds per currency at a state, by currency.
pub fn holdings<'a>(view: &PoolView<'a>, state: &MarketState) -> Vec<Holding<'a>> {
    holdings_by(view, state, |position| unrealised_pnl(view.book, position, state))
}

/// The same with the values of options at hand.
pub(super) fn holdings_with<'a>(view: &PoolView<'a>, state: &MarketState, table: &Table) -> Vec<Holding<'a>> {
    holdings_by(view, state, |position| table.result(view.book, position, state))
}

/// The same where the unrealised results of positions are told.
fn holdings_by<'a>(
    view: &PoolView<'a>,
    state: &MarketState,
    result: impl Fn(&Position) -> f64,
) -> Vec<Holding<'a>> {
    let mut rows: Vec<(Holding<'a>, Accumulator)> = Vec::new();
    for balance in view.balances {
        let held = balance.cash - balance.debt;
        match rows.iter_mut().find(|(row, _)| row.currency == balance.currency) {
            Some((row, _)) => {
                row.cash += held;
                row.settles |= balance.settles;
            }
            None => rows.push((
                Holding {
                    settles: balance.settles,
                    currency: balance.currency,
                    cash: held,
                    balance: Some(balance),
                    ..Holding::default()
                },
                Accumulator::default(),
            )),
        }
    }
    let mut values: Vec<(usize, Accumulator)> = Vec::new();
    for position in view.positions {
        let currency = settle_of(view.book, position);
        let result = result(position);
        let option = view.book.instruments.get(position.instrument).is_some_and(|i| i.option.is_some());
        let expired = state.is_expired(view.book, position.instrument);
        let place = match rows.iter().position(|(row, _)| row.currency == currency) {
            Some(place) => place,
            None => {
                rows.push((Holding { currency, ..Holding::default() }, Accumulator::default()));
                rows.len() - 1
            }
        };
        let Some((row, sum)) = rows.get_mut(place) else { continue };
        row.settles = true;
        if expired {
            row.cash += result;
        } else if option {
            match values.iter_mut().find(|(known, _)| *known == currency) {
                Some((_, sum)) => sum.add(result),
                None => {
                    let mut sum = Accumulator::default();
                    sum.add(result);
                    values.push((currency, sum));
                }
            }
        } else {
            sum.add(result);
        }
    }
    rows.sort_by_key(|(row, _)| row.currency);
    let value_of = |currency: usize| {
        values.iter().find(|(known, _)| *known == currency).map_or(0.0, |(_, sum)| sum.value())
    };
    rows.into_iter()
        .map(|(row, sum)| Holding { pnl: sum.value(), option_value: value_of(row.currency), ..row })
        .collect()
}

/// Adds the value of options that were added up apart to what is held in their currency.
pub(super) fn add_option_value(holdings: &mut Vec<Holding<'_>>, currency: usize, value: f64) {
    let place = match holdings.binary_search_by_key(&currency, |own| own.currency) {
        Ok(place) => place,
        Err(place) => {
            holdings.insert(place, Holding { currency, ..Holding::default() });
            place
        }
    };
    if let Some(own) = holdings.get_mut(place) {
        own.settles = true;
        own.option_value += value;
    }
}

/// How a holding counts: not at all, in full, or in slices of its amount.
#[derive(Debug, Clone, PartialEq)]
pub enum Counting {
    /// It is no collateral here.
    Nothing,
    /// At full value.
    Full,
    /// At rates by amount, perhaps up to a cap.
    Slices(Vec<RateSlice>, Option<f64>),
}

/// How a currency counts on a basis with collateral rates.
///
/// # Errors
///
/// [`Error::Missing`] names the currency whose rate nobody gives.
pub fn counting(view: &PoolView<'_>, holding: &Holding<'_>) -> Result<Counting> {
    let rulebook = view.rulebook()?;
    let Some(balance) = holding.balance else { return Ok(Counting::Full) };
    if !balance.enabled {
        return Ok(Counting::Nothing);
    }
    if !balance.rates.is_empty() {
        return Ok(Counting::Slices(balance.rates.clone(), balance.cap));
    }
    let code = view.book.currencies.get(holding.currency).map_or("", |currency| currency.code.as_str());
    let own_pool = view.kind == PoolKind::Cross(Some(holding.currency));
    if code == rulebook.report_currency || code == rulebook.settle || holding.settles || own_pool {
        return Ok(match balance.cap {
            Some(_) => Counting::Slices(vec![RateSlice { from: 0.0, rate: 1.0 }], balance.cap),
            None => Counting::Full,
        });
    }
    match rulebook.other_currencies {
        OtherCurrencies::Ignored => Ok(Counting::Nothing),
        OtherCurrencies::Full => Ok(Counting::Full),
        OtherCurrencies::RateRequired => Err(Error::Missing {
            what: format!("collateral rate of {code}"),
            why: format!(
                "rulebook '{}' publishes none; give collateralRate on the Collateral sheet",
                rulebook.id
            ),
            place: balance.row.map_or_else(Place::default, |row| Place::row(row, code)),
        }),
    }
}

/// The amount of a currency that counts, coins. Negative amounts count in full.
pub fn counted_amount(net: f64, counting: &Counting) -> f64 {
    match counting {
        _ if net <= 0.0 => net,
        Counting::Nothing => 0.0,
        Counting::Full => net,
        Counting::Slices(slices, cap) => {
            let amount = cap.map_or(net, |cap| net.min(cap));
            let upper = slices.iter().skip(1).map(|slice| slice.from).chain([f64::INFINITY]);
            slices
                .iter()
                .zip(upper)
                .map(|(slice, upper)| (amount.min(upper) - slice.from).max(0.0) * slice.rate)
                .sum()
        }
    }
}

/// Net amount of a holding on the basis of a level: gains may not count, nor the value of options.
pub fn net_amount(holding: &Holding<'_>, level: &Level) -> f64 {
    let pnl = if level.gains { holding.pnl } else { holding.pnl.min(0.0) };
    let options = match level.option_value {
        OptionValue::All => holding.option_value,
        OptionValue::Nothing => 0.0,
    };
    holding.cash + pnl + options
}

/// Equity of a pool at a state.
///
/// # Errors
///
/// [`Error::Missing`] for a price or a collateral rate that is needed.
pub fn equity(view: &PoolView<'_>, state: &MarketState) -> Result<Equity> {
    of_holdings(view, state, holdings(view, state))
}

/// The same with the values of options at hand.
///
/// # Errors
///
/// As [`equity`].
pub(super) fn equity_with(view: &PoolView<'_>, state: &MarketState, table: &Table) -> Result<Equity> {
    of_holdings(view, state, holdings_with(view, state, table))
}

pub(super) fn of_holdings(
    view: &PoolView<'_>,
    state: &MarketState,
    holdings: Vec<Holding<'_>>,
) -> Result<Equity> {
    let rulebook = view.rulebook()?;
    let mut sums = [Accumulator::default(), Accumulator::default(), Accumulator::default()];
    for holding in holdings {
        if holding.cash == 0.0 && holding.pnl == 0.0 && holding.option_value == 0.0 {
            continue;
        }
        let price = view.price(holding.currency, state)?;
        let counting = counting(view, &holding)?;
        let ignored = counting == Counting::Nothing && rulebook.other_currencies == OtherCurrencies::Ignored;
        let gross = holding.cash + holding.pnl + holding.option_value;
        sums[0].add(price * if ignored { gross.min(0.0) } else { gross });
        for (slot, level) in [(1, &rulebook.maintenance), (2, &rulebook.initial)] {
            let net = net_amount(&holding, level);
            let disabled = counting == Counting::Nothing;
            let own = holding.balance.and_then(|balance| balance.initial_rate).filter(|_| slot == 2);
            let amount = match own {
                Some(rate) if level.haircut && !disabled && net > 0.0 => {
                    rate * holding.balance.and_then(|balance| balance.cap).map_or(net, |cap| net.min(cap))
                }
                _ if level.haircut || disabled => counted_amount(net, &counting),
                _ => net,
            };
            if let Some(sum) = sums.get_mut(slot) {
                sum.add(price * amount);
            }
        }
    }
    let [gross, maintenance, initial] = sums.map(|sum| sum.value());
    Ok(Equity { gross, maintenance, initial })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_count_marginally_up_to_the_cap() {
        let slices = vec![RateSlice { from: 0.0, rate: 0.95 }, RateSlice { from: 10.0, rate: 0.9 }];
        let counting = Counting::Slices(slices, Some(15.0));
        assert!((counted_amount(5.0, &counting) - 4.75).abs() < 1e-12);
        assert!((counted_amount(20.0, &counting) - (9.5 + 4.5)).abs() < 1e-12);
        assert!((counted_amount(-3.0, &counting) + 3.0).abs() < 1e-12);
    }
}
