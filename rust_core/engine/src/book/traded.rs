//! What a deal makes of a position, and of the cash that it settles in.

use super::{Balance, Book, Position};
use crate::instrument::{ContractKind, Payoff};
use crate::rulebook::Rulebook;
use crate::tables::ReportedAccount;

/// A position after a deal, and the cash that it moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Traded {
    /// What is held afterwards; `None` where that is nothing.
    pub position: Option<Position>,
    /// What the balance of the settlement currency gains, coins.
    pub cash: f64,
}

/// A deal in a position of which `held` is held: `own` itself, or nothing where `own` is a sample of the contract.
///
/// What is closed is realised: its part of the unrealised result becomes cash. The premium of an option is paid or
/// received. `price` is that of the deal (of an option in settlement currency per coin), the mark where left out;
/// what it differs from the mark is the result of the deal.
pub fn traded(book: &Book, own: &Position, held: f64, change: f64, price: Option<f64>) -> Traded {
    let quantity = held + change;
    let sample = held == 0.0;
    let known = book.instruments.get(own.instrument);
    let deal = price.unwrap_or(own.mark_price);
    let carried = if sample { 0.0 } else { own.unrealised_pnl };
    let grows = held * quantity > 0.0 && quantity.abs() >= held.abs();
    // the result of an amount between the deal and the mark, settlement currency
    let apart = |amount: f64| match price {
        None => 0.0,
        Some(price) => known.map_or(Payoff::Linear, |i| i.payoff).profit(amount, price, own.mark_price),
    };
    let (left, cash) = if known.is_some_and(|known| known.kind == ContractKind::Option) {
        // the value is all in the position; the premium comes out of the cash
        (carried + change * own.mark_price, -change * deal)
    } else if grows {
        (carried + apart(change), 0.0)
    } else if held * quantity > 0.0 {
        let left = carried * quantity / held;
        (left, carried - left + apart(change))
    } else {
        (apart(quantity), carried + apart(-held))
    };
    let entry = match own.entry_price {
        Some(entry) if held * quantity > 0.0 && quantity.abs() > held.abs() => {
            Some(entry + (deal - entry) * (1.0 - held / quantity))
        }
        Some(entry) if held * quantity > 0.0 => Some(entry),
        _ => Some(deal),
    };
    let entry_price = if change == 0.0 && !sample { own.entry_price } else { entry };
    let position = Position { quantity, unrealised_pnl: left, entry_price, ..own.clone() };
    Traded { position: (quantity != 0.0).then_some(position), cash }
}

/// An amount of a currency of which nothing was held, counted as the rulebook counts that currency.
pub fn fresh_balance(book: &Book, rulebook: &Rulebook, currency: usize, cash: f64) -> Balance {
    let code = book.currencies.get(currency).map_or("", |known| known.code.as_str());
    Balance {
        currency,
        cash,
        settles: false,
        from_equity: false,
        debt: 0.0,
        rates: rulebook.collateral_rates.get(code).cloned().unwrap_or_default(),
        initial_rate: rulebook.initial_rates.get(code).copied(),
        cap: None,
        enabled: true,
        in_scan: None,
        confidence: None,
        reported: ReportedAccount::default(),
        row: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{Input, Options, RulebookChoice, build};
    use crate::cell::{Cell, Table};
    use crate::rulebook::builtin;

    fn held(quantity: f64, inverse: f64) -> Book {
        let words = ["symbol", "contracts", "entryPrice", "markPrice", "maintenanceMarginRate", "inverse"];
        let header = words.map(|word| Cell::Text(word.to_owned())).to_vec();
        let mut row = vec![Cell::Text("BTC".into())];
        row.extend([quantity, 50.0, 100.0, 0.01, inverse].map(Cell::Number));
        let table = Table::from_rows(vec![header, row]);
        let market = [["underlying", "markPrice"].map(|word| Cell::Text(word.to_owned())).to_vec()];
        let price = vec![Cell::Text("BTC".into()), Cell::Number(100.0)];
        let market = Table::from_rows([&market[..], &[price]].concat());
        let input = Input { positions: Some(&table), market: Some(&market), ..Input::default() };
        let rules = RulebookChoice::One(Box::new(builtin("custom").unwrap().clone()));
        build(&input, &rules, &Options::default()).book.unwrap()
    }

    #[test]
    fn a_deal_away_from_the_mark_is_a_result_of_its_own() {
        let book = held(2.0, 0.0);
        let own = &book.positions[0];
        assert_eq!(own.unrealised_pnl, 100.0);
        // one more at 90, marked at 100
        let more = traded(&book, own, 2.0, 1.0, Some(90.0));
        let position = more.position.unwrap();
        assert_eq!((position.quantity, position.unrealised_pnl, more.cash), (3.0, 110.0, 0.0));
        assert!((position.entry_price.unwrap() - 190.0 / 3.0).abs() < 1e-12);
        // half sold at 90: bought at 50, so 40 of cash, and 50 are still carried
        let less = traded(&book, own, 2.0, -1.0, Some(90.0));
        assert_eq!((less.position.unwrap().unrealised_pnl, less.cash), (50.0, 40.0));
        // turned round at 90: 2 x 40 of cash, and a short that is 10 under water
        let turned = traded(&book, own, 2.0, -3.0, Some(90.0));
        let position = turned.position.unwrap();
        assert_eq!((position.quantity, position.unrealised_pnl, turned.cash), (-1.0, -10.0, 80.0));
        assert_eq!(traded(&book, own, 2.0, -2.0, None).position, None);
    }

    #[test]
    fn at_the_mark_equity_stays_what_it_was() {
        for (quantity, inverse) in [(2.0, 0.0), (-2.0, 0.0), (200.0, 1.0)] {
            let book = held(quantity, inverse);
            let own = &book.positions[0];
            for change in [-3.0 * quantity, -quantity, -0.3 * quantity, 0.7 * quantity] {
                let after = traded(&book, own, quantity, change, None);
                let left = after.position.map_or(0.0, |position| position.unrealised_pnl);
                assert!((left + after.cash - own.unrealised_pnl).abs() < 1e-12, "{change}");
            }
        }
    }
}
