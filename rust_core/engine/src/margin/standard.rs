//! The closed formulas of standard margin: rates that grow with size, options by themselves.

use super::scenario::exposure::index_price;
use super::scenario::{check_refusals, not_covered};
use crate::book::{Book, Position, TableOrigin};
use crate::error::{Error, Place, Result};
use crate::instrument::{ContractKind, OptionRight, Payoff};
use crate::market::{MarketState, option_gain};
use crate::numeric::rounding::{Direction, to_step};
use crate::rulebook::Rulebook;
use crate::rulebook::charge::PriceBasis;
use crate::rulebook::options::{Premium, ShortRate, StandardOptions};
use crate::rulebook::portfolio::{DeltaOneRates, Profile};
use crate::statistics::sizing::raised_by_open_interest;

/// Which formula is about a contract.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule<'a> {
    /// Its maintenance table; the rates are those of a profile whose open interest raises the initial rate.
    Table(Option<&'a DeltaOneRates>),
    /// Rates that grow with size.
    DeltaOne(&'a Profile, DeltaOneRates),
    /// The formulas of options.
    Option(&'a Profile, StandardOptions),
}

/// The two levels of one figure.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Levels {
    pub(super) initial: f64,
    pub(super) maintenance: f64,
}

/// The formula about a contract; `tabled` says whether a maintenance table was found for it.
///
/// # Errors
///
/// [`Error::NotCovered`] names a contract that the rulebook has no rule for, and what it refuses.
pub(super) fn rule<'a>(
    book: &Book,
    rulebook: &'a Rulebook,
    instrument: usize,
    tabled: bool,
) -> Result<Rule<'a>> {
    check_refusals(book, rulebook, instrument)?;
    let known = book.instruments.get(instrument);
    let option = known.is_some_and(|known| known.kind == ContractKind::Option);
    let profile = known
        .filter(|_| !rulebook.profiles.is_empty())
        .and_then(|known| rulebook.profile(&known.underlying, known.payoff));
    match profile {
        Some(profile) if option => {
            if let Some(rules) = profile.options {
                return Ok(Rule::Option(profile, rules));
            }
        }
        Some(profile) if tabled => return Ok(Rule::Table(profile.delta_one.as_ref())),
        None if tabled && !option => return Ok(Rule::Table(None)),
        Some(profile) => {
            if let Some(rates) = profile.delta_one {
                return Ok(Rule::DeltaOne(profile, rates));
            }
        }
        None => {}
    }
    let (coin, settle) = known.map_or(("?", "?"), |known| (known.underlying.as_str(), known.settle.as_str()));
    let what = if option { "options" } else { "contracts" };
    let why = format!("rulebook '{}' has no rule for {what} on {coin} settled in {settle}", rulebook.id);
    Err(not_covered(book, instrument, why))
}

/// The formula about a position.
///
/// # Errors
///
/// As [`rule`].
pub(super) fn rule_of<'a>(book: &Book, rulebook: &'a Rulebook, position: &Position) -> Result<Rule<'a>> {
    rule(book, rulebook, position.instrument, position.origin != TableOrigin::None)
}

/// What an option's margin is counted from, settlement currency per coin. Of a coin-settled option the
/// index is 1 coin and amounts of money are divided by the index price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    pub(super) right: OptionRight,
    pub(super) strike: f64,
    /// The index.
    pub(super) index: f64,
    /// How far it is out of the money: `max(0, strike - index)` of a call, the reverse of a put.
    pub(super) out_of_money: f64,
    pub(super) mark: f64,
    pub(super) entry: Option<f64>,
}

impl Seen {
    /// An option at a state, with the price at which it was sold.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without an index price.
    pub(super) fn of(
        book: &Book,
        instrument: usize,
        state: &MarketState,
        mark: f64,
        entry: Option<f64>,
    ) -> Result<Option<Self>> {
        let Some(known) = book.instruments.get(instrument) else { return Ok(None) };
        let Some(terms) = known.option else { return Ok(None) };
        let coin = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
        let price = index_price(book, coin, state).ok_or_else(|| Error::Missing {
            what: format!("index price of {}", known.underlying),
            why: "the margin of an option is counted from it; give indexPrice".into(),
            place: Place::label(known.symbol.clone()),
        })?;
        let strike = terms.strike.0;
        let out_of_money = match terms.right {
            OptionRight::Call => (strike - price).max(0.0),
            OptionRight::Put => (price - strike).max(0.0),
        };
        let unit = match known.payoff {
            Payoff::Linear => 1.0,
            Payoff::Inverse => price,
        };
        let right = terms.right;
        Ok(Some(Self { right, strike, index: price / unit, out_of_money: out_of_money / unit, mark, entry }))
    }

    /// A position's option at a state.
    ///
    /// # Errors
    ///
    /// As [`Seen::of`].
    pub(super) fn of_position(book: &Book, position: &Position, state: &MarketState) -> Result<Option<Self>> {
        let mark = moved_mark(book, position.instrument, position.mark_price, state);
        Self::of(book, position.instrument, state, mark, position.entry_price)
    }
}

/// A mark of today's at a state, as the equity has it.
fn moved_mark(book: &Book, instrument: usize, mark: f64, state: &MarketState) -> f64 {
    let coin = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
    if state.ratio(coin) == 1.0 && !state.is_beyond_prices() {
        return mark;
    }
    mark + option_gain(book, instrument, state)
}

/// Margin of a quantity of an option by itself, settlement currency.
///
/// Sold, per coin: `max(rate x index - out of the money, floor x index)`, or `rate x index` without a floor;
/// no less than a fraction of the mark; plus the fee on the index and the premium. The initial margin is no
/// less than a multiple of the maintenance margin. Bought: `min(mark, rate x index)` (venues.md sections 1.2,
/// 4.2, 7.1, 8.1).
pub(super) fn option_margin(rules: &StandardOptions, seen: &Seen, quantity: f64) -> Levels {
    if quantity >= 0.0 {
        let bought = |rate: f64| quantity * seen.mark.min(rate * seen.index);
        return Levels {
            initial: bought(rules.long_initial.rate),
            maintenance: bought(rules.long_maintenance.rate),
        };
    }
    let sold = |rate: &ShortRate, premium: f64| {
        let base = match rate.floor {
            Some(floor) => (rate.rate * seen.index - seen.out_of_money).max(floor * seen.index),
            None => rate.rate * seen.index,
        };
        let of_mark = match seen.right {
            OptionRight::Call => rate.call_mark,
            OptionRight::Put => rate.put_mark,
        };
        base.max(of_mark * seen.mark) + rate.fee * seen.index + premium
    };
    let (premium_initial, premium) = match rules.premium {
        Premium::Mark => (seen.mark, seen.mark),
        Premium::LargerOfEntryAndMark => (seen.entry.unwrap_or(seen.mark).max(seen.mark), seen.mark),
        Premium::Nothing => (0.0, 0.0),
    };
    let maintenance = sold(&rules.short_maintenance, premium);
    let over = match seen.right {
        OptionRight::Call => rules.call_initial_over_maintenance,
        OptionRight::Put => rules.put_initial_over_maintenance,
    };
    let initial = sold(&rules.short_initial, premium_initial).max(over * maintenance);
    Levels { initial: -quantity * initial, maintenance: -quantity * maintenance }
}

/// What a row says about the initial margin of a contract.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Chosen {
    /// Its initial rate.
    pub(super) rate: Option<f64>,
    /// Its leverage.
    pub(super) leverage: Option<f64>,
}

/// Rates of a size in coins: `rate + increment x coins` (venues.md section 1.2); a row's own initial rate
/// comes first.
pub(super) fn rates(rates: &DeltaOneRates, coins: f64, chosen: Chosen) -> Levels {
    let more = rates.increment * coins;
    let own = chosen.rate.unwrap_or(rates.initial + more);
    let initial = match chosen.leverage {
        Some(leverage) if rates.user_leverage => own.max(leverage.recip()),
        _ => own,
    };
    Levels { initial, maintenance: rates.maintenance + more }
}

/// An initial rate raised by open interest, see [`crate::statistics::sizing::open_interest_rate`], cut down to
/// whole steps (venues.md section 6).
/// `interest` is in the reporting currency.
pub(super) fn raised(rates: &DeltaOneRates, rate: f64, interest: f64) -> f64 {
    let (Some(lower), Some(upper)) = (rates.open_interest_lower, rates.open_interest_upper) else {
        return rate;
    };
    if interest <= lower {
        return rate;
    }
    let raised = raised_by_open_interest(rate, interest, lower, upper);
    rates.rate_step.map_or(raised, |step| to_step(raised, step, Direction::Down))
}

/// Price at which a linear contract is counted at a state, quote currency.
///
/// # Errors
///
/// [`Error::Missing`] without an index price where the rulebook counts at the index.
pub(super) fn counted_price(
    book: &Book,
    rates: &DeltaOneRates,
    instrument: usize,
    mark: f64,
    state: &MarketState,
) -> Result<f64> {
    match rates.price {
        PriceBasis::Mark => Ok(mark),
        PriceBasis::Index => {
            let coin = book.instrument_underlying.get(instrument).copied().unwrap_or(0);
            let known = book.instruments.get(instrument);
            index_price(book, coin, state).ok_or_else(|| Error::Missing {
                what: format!("index price of {}", known.map_or("?", |known| known.underlying.as_str())),
                why: "the rulebook counts the contract at the index; give indexPrice".into(),
                place: Place::label(known.map_or("", |known| known.symbol.as_str())),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::builtin;

    fn options(id: &str, coin: &str, payoff: Payoff) -> StandardOptions {
        builtin(id).unwrap().profile(coin, payoff).unwrap().options.unwrap()
    }

    fn seen(right: OptionRight, strike: f64, index: f64, mark: f64) -> Seen {
        let out_of_money = match right {
            OptionRight::Call => (strike - index).max(0.0),
            OptionRight::Put => (index - strike).max(0.0),
        };
        Seen { right, strike, index, out_of_money, mark, entry: None }
    }

    #[track_caller]
    fn near(ours: Levels, initial: f64, maintenance: f64) {
        let apart = (ours.initial - initial).abs().max((ours.maintenance - maintenance).abs());
        assert!(apart < 1e-9, "{ours:?} against {initial} and {maintenance}");
    }

    #[test]
    fn three_calls_sold_on_derive_need_what_the_page_prints() {
        // venues.md 7.1, example 1: 2,000 USDC less the margins leave 785 and 1,127
        let rules = options("derive-sm", "ETH", Payoff::Linear);
        let margin = option_margin(&rules, &seen(OptionRight::Call, 1800.0, 1900.0, 120.0), -3.0);
        near(margin, 2000.0 - 785.0, 2000.0 - 1127.0);
    }

    #[test]
    fn a_put_sold_by_the_rule_of_deribit_needs_what_bit_com_prints() {
        // venues.md 1.2: ETH put 1850, index 2098, mark 2.4: 212.20 and 159.75, of 50: 10,610 and 7,987.50
        let rules = options("deribit-sm", "ETH", Payoff::Linear);
        let put = seen(OptionRight::Put, 1850.0, 2098.0, 2.4);
        near(option_margin(&rules, &put, -1.0), 212.2, 159.75);
        near(option_margin(&rules, &put, -50.0), 10_610.0, 7_987.5);
    }

    #[test]
    fn a_coin_settled_option_has_the_formula_in_coin() {
        // short call: max(0.15 - OTM/S, 0.10) + M and 0.075 + M (venues.md 1.2)
        let rules = options("deribit-sm", "BTC", Payoff::Inverse);
        let call =
            Seen { out_of_money: 2_000.0 / 100_000.0, ..seen(OptionRight::Call, 102_000.0, 1.0, 0.02) };
        near(option_margin(&rules, &call, -2.0), 2.0 * (0.13 + 0.02), 2.0 * (0.075 + 0.02));
        // a put deep in the money: its maintenance margin is 7.5 % of the mark where that is more than a coin's
        let put = Seen { out_of_money: 0.0, ..seen(OptionRight::Put, 300_000.0, 1.0, 2.0) };
        near(option_margin(&rules, &put, -1.0), 2.15, 2.15);
    }

    #[test]
    fn a_call_sold_on_bybit_pays_for_its_liquidation() {
        // venues.md 4.2: max(3 % x 30,000, 3 % x 300) + 300 + 0.2 % x 30,000 = 1,260
        let rules = options("bybit-cross", "BTC", Payoff::Linear);
        let call = seen(OptionRight::Call, 31_000.0, 30_000.0, 300.0);
        near(option_margin(&rules, &call, -1.0), 3_500.0 + 300.0, 1_260.0);
        // sold at 500, the larger of entry and mark counts at the initial level
        let entered = Seen { entry: Some(500.0), ..call };
        near(option_margin(&rules, &entered, -1.0), 3_500.0 + 500.0, 1_260.0);
    }

    #[test]
    fn an_option_bought_needs_no_more_than_its_mark() {
        let paradex = options("paradex-cross", "BTC", Payoff::Linear);
        let call = seen(OptionRight::Call, 100_000.0, 100_000.0, 4_000.0);
        near(option_margin(&paradex, &call, 1.0), 4_000.0, 4_000.0);
        let deep = seen(OptionRight::Call, 50_000.0, 100_000.0, 50_500.0);
        near(option_margin(&paradex, &deep, 1.0), 20_000.0, 10_000.0);
        let deribit = options("deribit-sm", "BTC", Payoff::Linear);
        near(option_margin(&deribit, &deep, 1.0), 0.0, 0.0);
    }

    #[test]
    fn rates_of_deribit_grow_with_the_position() {
        // venues.md 1.2: 25 BTC at 100,000 need 53,125 and 28,125, 350 BTC 1,312,500
        let own = builtin("deribit-sm").unwrap().profile("BTC", Payoff::Linear).unwrap().delta_one.unwrap();
        for (coins, initial) in [(25.0, 53_125.0), (350.0, 1_312_500.0)] {
            let rate = rates(&own, coins, Chosen::default());
            assert!((rate.initial * coins * 1e5 - initial).abs() < 1e-6);
        }
        assert!((rates(&own, 25.0, Chosen::default()).maintenance * 25e5 - 28_125.0).abs() < 1e-6);
    }

    #[test]
    fn open_interest_raises_the_initial_rate_to_one_and_no_further() {
        let own = DeltaOneRates {
            initial: 0.2,
            maintenance: 0.1,
            increment: 0.0,
            open_interest_lower: Some(1e7),
            open_interest_upper: Some(2e7),
            rate_step: Some(1e-6),
            price: PriceBasis::Mark,
            user_leverage: true,
            open_loss: false,
        };
        assert_eq!(raised(&own, 0.2, 5e6).to_bits(), 0.2_f64.to_bits());
        // half way, cut to millionths: the chain's own test (36,750 x 0.012 at 408.163265 contracts)
        let half = raised(&own, 0.2, 408.163_265 * 36_750.0);
        assert!((half * 36_750.0 * 0.012 - 264.599_559).abs() < 1e-9);
        assert_eq!(raised(&own, 0.2, 1e9).to_bits(), 1.0_f64.to_bits());
        let chosen = |leverage| rates(&own, 1.0, Chosen { rate: None, leverage: Some(leverage) }).initial;
        assert_eq!((chosen(2.0), chosen(50.0)), (0.5, 0.2));
    }
}
