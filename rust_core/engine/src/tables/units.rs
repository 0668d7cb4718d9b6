//! In which unit a quantity is given: coins, contracts or USD.

use super::symbol::Form;
use crate::instrument::Payoff;

/// What is known about the quantity of one row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// As pasted, with the sign of its side.
    pub(super) size: f64,
    pub(super) contract_size: Option<f64>,
    /// Unsigned, settlement currency.
    pub(super) notional: Option<f64>,
    /// Unsigned, USD.
    pub(super) notional_usd: Option<f64>,
    /// Unsigned, coins.
    pub(super) coins: Option<f64>,
    pub(super) mark: Option<f64>,
    /// Bybit's position value is at the entry price.
    pub(super) entry: Option<f64>,
    pub(super) payoff: Payoff,
    /// Whether the contract is an option: its quantity is in coins whatever it settles in, and what venues call
    /// its notional may be its value.
    pub(super) option: bool,
    pub(super) form: Form,
    pub(super) venue: Option<&'static str>,
}

/// How the pasted number becomes a quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// Multiply by a contract size (1 for coins).
    Times(f64),
    /// The number is USD of a linear contract: divide by the price.
    UsdOfLinear,
    /// The number is coins of an inverse contract: multiply by the price.
    CoinsOfInverse,
}

impl Scale {
    /// A pasted number as a quantity of the contract.
    pub fn quantity(self, size: f64, price: Option<f64>) -> Option<f64> {
        match self {
            Self::Times(factor) => Some(size * factor),
            Self::UsdOfLinear => price.map(|price| size / price),
            Self::CoinsOfInverse => price.map(|price| size * price),
        }
    }
}

/// Why a unit was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Because {
    /// The contract is quoted in coins.
    Linear,
    /// The contract is quoted in USD.
    Inverse,
    /// The contract size is given.
    ContractSize,
    /// The contract size follows from notional, mark price and size.
    DerivedContractSize,
    /// The size equals the notional.
    EqualsNotional,
    /// The size times the mark equals the notional although a contract size is given.
    AlreadyCoins,
    /// The export gives the coins in another column.
    CoinsColumn,
    /// Options of this form are quoted in coins.
    Option,
}

impl Because {
    /// For people.
    pub(super) fn words(self, factor: f64) -> String {
        match self {
            Self::Linear => "linear contract, no contract size".into(),
            Self::Inverse => "inverse contracts of this form are quoted in USD".into(),
            Self::ContractSize => format!("contract size {factor} is given"),
            Self::DerivedContractSize => {
                format!("contract size {factor} follows from notional, mark price and size")
            }
            Self::EqualsNotional => "the size equals the notional".into(),
            Self::AlreadyCoins => "size x mark price equals the notional without the contract size".into(),
            Self::Option => "options of this form are quoted in coins".into(),
            Self::CoinsColumn => "the export gives the coins in a column of its own".into(),
        }
    }
}

/// A quantity whose unit is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    pub(super) quantity: f64,
    pub(super) scale: Scale,
    pub(super) read_as: &'static str,
    pub(super) because: Because,
    /// The notional that follows, where the given one differs from it by more than 1 %.
    pub(super) differs_from: Option<f64>,
}

/// Reads a quantity; `None` if nothing tells its unit.
pub(super) fn read(given: &Size) -> Option<Reading> {
    let reading = match given.payoff {
        _ if given.option => option(given),
        Payoff::Linear => linear(given),
        Payoff::Inverse => inverse(given),
    };
    // A product of two finite numbers may overflow, or vanish.
    reading.filter(|reading| reading.quantity.is_finite() && reading.quantity != 0.0)
}

fn times(given: &Size, factor: f64, read_as: &'static str, because: Because) -> Reading {
    Reading {
        quantity: given.size * factor,
        scale: Scale::Times(factor),
        read_as,
        because,
        differs_from: None,
    }
}

fn linear(given: &Size) -> Option<Reading> {
    let size = given.size.abs();
    if let Some(coins) = given.coins
        && given.contract_size.is_none()
        && coins > 0.0
        && !near(size, coins)
    {
        return Some(times(given, coins / size, "coin", Because::CoinsColumn));
    }
    let counts = matches!(given.form, Form::Okx | Form::Gate)
        || given.venue == Some("okx") && given.form != Form::Coin;
    let notional = given.notional.or(given.notional_usd);
    if counts && given.contract_size.is_none() {
        let factor = notional? / (given.mark? * size);
        if !(factor.is_finite() && factor > 0.0) {
            return None;
        }
        return Some(times(
            given,
            rounded(factor).unwrap_or(factor),
            "contracts",
            Because::DerivedContractSize,
        ));
    }
    let plain = match given.contract_size {
        Some(factor) => times(given, factor, "contracts", Because::ContractSize),
        None => times(given, 1.0, "coin", Because::Linear),
    };
    let (Some(notional), Some(mark)) = (notional, given.mark) else { return Some(plain) };
    let value = plain.quantity.abs() * mark;
    Some(if near(value, notional) || at_entry(given, |entry| near(plain.quantity.abs() * entry, notional)) {
        plain
    } else if given.contract_size.is_none() && near(size, notional) {
        let quantity = given.size / mark;
        Reading {
            quantity,
            scale: Scale::UsdOfLinear,
            read_as: "USD",
            because: Because::EqualsNotional,
            differs_from: None,
        }
    } else if let (None, Form::Ccxt, Some(factor)) =
        (given.contract_size, given.form, rounded(notional / (mark * size)))
    {
        times(given, factor, "contracts", Because::DerivedContractSize)
    } else if given.contract_size.is_some() && near(size * mark, notional) {
        times(given, 1.0, "coin", Because::AlreadyCoins)
    } else {
        Reading { differs_from: Some(value), ..plain }
    })
}

/// Options: contracts of a size that must be given on OKX, coins elsewhere.
fn option(given: &Size) -> Option<Reading> {
    let counts = given.form == Form::Okx || given.venue == Some("okx") && given.form != Form::Coin;
    match given.contract_size {
        Some(factor) => Some(times(given, factor, "contracts", Because::ContractSize)),
        None if counts => None,
        None => Some(times(given, 1.0, "coin", Because::Option)),
    }
}

fn inverse(given: &Size) -> Option<Reading> {
    let size = given.size.abs();
    let in_usd = matches!(given.venue, Some("deribit" | "bybit"));
    let counts = !in_usd
        && (matches!(given.form, Form::BinanceCoin | Form::Okx | Form::Ccxt | Form::Gate)
            || matches!(given.venue, Some("okx" | "binance")));
    let plain = match given.contract_size {
        Some(factor) if !in_usd => times(given, factor, "contracts", Because::ContractSize),
        _ if counts => return derived(given),
        _ => times(given, 1.0, "USD", Because::Inverse),
    };
    let Some(mark) = given.mark else { return Some(plain) };
    // The notional of an inverse contract is given in the coin by venues, in USD by people.
    let usd = plain.quantity.abs();
    let holds = |notional: f64| {
        near(usd / mark, notional)
            || near(usd, notional)
            || at_entry(given, |entry| near(usd / entry, notional))
    };
    let Some(notional) = given.notional.or(given.notional_usd).or(given.coins) else { return Some(plain) };
    Some(if holds(notional) {
        plain
    } else if given.contract_size.is_none() && (near(size, notional) || near(size * mark, notional)) {
        Reading {
            quantity: given.size * mark,
            scale: Scale::CoinsOfInverse,
            read_as: "coin",
            because: Because::EqualsNotional,
            differs_from: None,
        }
    } else {
        Reading { differs_from: Some(usd / mark), ..plain }
    })
}

/// Contracts of 1, 10 or 100 USD, where notional and mark price tell which.
fn derived(given: &Size) -> Option<Reading> {
    let size = given.size.abs();
    let from_usd = given.notional_usd.map(|usd| usd / size);
    let from_coin = given.notional.zip(given.mark).map(|(coins, mark)| coins * mark / size);
    let from_people = given.notional.map(|usd| usd / size);
    let factor = [from_usd, from_coin, from_people]
        .into_iter()
        .flatten()
        .filter_map(rounded)
        .find(|factor| (1.0..=1000.0).contains(factor))?;
    Some(times(given, factor, "contracts", Because::DerivedContractSize))
}

fn at_entry(given: &Size, holds: impl FnOnce(f64) -> bool) -> bool {
    given.entry.is_some_and(holds)
}

/// Within 1 %.
fn near(value: f64, reference: f64) -> bool {
    (value - reference).abs() <= 0.01 * reference.abs()
}

/// The power of ten within 2 %: contract sizes are powers of ten, while notionals carry the rate of the
/// settlement currency against USD.
fn rounded(factor: f64) -> Option<f64> {
    if !(factor.is_finite() && factor > 0.0) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a finite f64")]
    let exponent = factor.log10().round() as i32;
    // Division is exact where a negative power is not.
    let power = if exponent < 0 { 1.0 / 10f64.powi(-exponent) } else { 10f64.powi(exponent) };
    ((factor / power - 1.0).abs() <= 0.02).then_some(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(size: f64, payoff: Payoff, form: Form) -> Size {
        Size {
            size,
            contract_size: None,
            notional: None,
            notional_usd: None,
            coins: None,
            mark: Some(100_000.0),
            entry: None,
            payoff,
            option: false,
            form,
            venue: None,
        }
    }

    #[test]
    fn linear_coins_and_usd_are_told_apart_by_the_notional() {
        let coins = Size { notional: Some(250_000.0), ..size(-2.5, Payoff::Linear, Form::Joined) };
        assert_eq!(read(&coins).map(|r| (r.quantity, r.read_as)), Some((-2.5, "coin")));
        let usd = Size { notional: Some(250_000.0), ..size(-250_000.0, Payoff::Linear, Form::Joined) };
        assert_eq!(read(&usd).map(|r| (r.quantity, r.read_as)), Some((-2.5, "USD")));
        let neither = Size { notional: Some(70_000.0), ..size(-2.5, Payoff::Linear, Form::Joined) };
        assert_eq!(read(&neither).and_then(|r| r.differs_from), Some(250_000.0));
    }

    #[test]
    fn okx_contracts_need_a_size_or_a_notional() {
        let bare = size(300.0, Payoff::Linear, Form::Okx);
        assert_eq!(read(&bare), None);
        let given = Size { contract_size: Some(0.01), ..bare };
        assert_eq!(read(&given).map(|r| r.quantity), Some(3.0));
        let derived = Size { notional_usd: Some(300_150.0), ..bare };
        let reading = read(&derived).unwrap();
        assert_eq!((reading.quantity, reading.because), (3.0, Because::DerivedContractSize));
    }

    #[test]
    fn ccxt_contracts_without_a_size_are_counted_by_their_notional() {
        let bare = Size { notional: Some(300_150.0), ..size(-300.0, Payoff::Linear, Form::Ccxt) };
        assert_eq!(read(&bare).map(|r| (r.quantity, r.read_as)), Some((-3.0, "contracts")));
        let coins = Size { form: Form::Joined, ..bare };
        assert_eq!(read(&coins).and_then(|r| r.differs_from), Some(30_000_000.0));
    }

    #[test]
    fn options_are_in_coins_and_those_of_okx_in_contracts_whose_size_is_needed() {
        let given = Size { option: true, notional: Some(7.0), ..size(-2.0, Payoff::Inverse, Form::Deribit) };
        assert_eq!(read(&given).map(|r| (r.quantity, r.read_as, r.differs_from)), Some((-2.0, "coin", None)));
        let okx = Size { form: Form::Okx, ..given };
        assert_eq!(read(&okx), None);
        let sized = Size { contract_size: Some(0.01), ..okx };
        assert_eq!(read(&sized).map(|r| (r.quantity, r.read_as)), Some((-0.02, "contracts")));
    }

    #[test]
    fn a_quantity_that_overflows_or_vanishes_has_no_unit() {
        let bare = size(1e200, Payoff::Linear, Form::Okx);
        assert_eq!(read(&Size { contract_size: Some(1e200), ..bare }), None);
        assert_eq!(read(&Size { notional_usd: Some(0.0), ..bare }), None);
    }

    #[test]
    fn inverse_contracts_of_binance_and_okx_need_a_size_and_those_of_deribit_and_bybit_are_usd() {
        let bare = size(-10.0, Payoff::Inverse, Form::BinanceCoin);
        assert_eq!(read(&bare), None);
        let coin_notional = Size { notional: Some(0.01), ..bare };
        assert_eq!(read(&coin_notional).map(|r| r.quantity), Some(-1000.0));
        let okx = Size { notional_usd: Some(1000.0), form: Form::Okx, ..bare };
        assert_eq!(read(&okx).map(|r| r.quantity), Some(-1000.0));
        let deribit = size(-1000.0, Payoff::Inverse, Form::Deribit);
        assert_eq!(read(&deribit).map(|r| (r.quantity, r.read_as)), Some((-1000.0, "USD")));
    }
}
