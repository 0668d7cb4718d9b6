//! Who pays when an account is worth less than nothing: its margin, a backstop, the insurance fund, then the winners
//! (methods.md section 5.6), and the price at which an account is closed to nothing.

use crate::error::{Error, Place, Result};
use crate::instrument::Payoff;

/// What stands between a loss and the winners, money.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Layers {
    /// What a backstop vault takes.
    pub backstop: f64,
    /// What is in the insurance fund.
    pub fund: f64,
}

/// Who has paid a loss.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Paid {
    /// The backstop.
    pub backstop: f64,
    /// The insurance fund.
    pub fund: f64,
    /// What is left in the layers.
    pub left: Layers,
    /// What the winners give up.
    pub winners: f64,
}

/// Lets losses beyond the margin fall through the layers, one after the other.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a loss or a layer below zero.
pub fn waterfall(losses: &[f64], layers: Layers) -> Result<Vec<Paid>> {
    let named = [("backstop", layers.backstop), ("fund", layers.fund)];
    for (name, value) in losses.iter().map(|loss| ("loss", *loss)).chain(named) {
        if !(value.is_finite() && value >= 0.0) {
            return Err(Error::OutOfRange {
                name: name.into(),
                value,
                must_be: "finite and at least 0",
                place: Place::default(),
            });
        }
    }
    let mut left = layers;
    let mut paid = Vec::with_capacity(losses.len());
    for loss in losses {
        let backstop = loss.min(left.backstop);
        let fund = (loss - backstop).min(left.fund);
        left = Layers { backstop: left.backstop - backstop, fund: left.fund - fund };
        paid.push(Paid { backstop, fund, left, winners: loss - backstop - fund });
    }
    Ok(paid)
}

/// The price at which closing a position uses up its share of the equity exactly; `None` where no price above zero
/// does. Money in the settlement currency, quantity in coins (linear) or quote currency (inverse).
pub fn bankruptcy_price(mark: f64, quantity: f64, equity: f64, payoff: Payoff) -> Option<f64> {
    let price = match payoff {
        Payoff::Linear => mark - equity / quantity,
        Payoff::Inverse => (mark.recip() + equity / quantity).recip(),
    };
    (price.is_finite() && price > 0.0).then_some(price)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_fall_through_fund_and_backstop_to_the_winners() {
        // methods.json waterfall.insurance
        let paid = waterfall(&[300.0, 500.0, 900.0], Layers { backstop: 0.0, fund: 1_000.0 }).unwrap();
        let left: Vec<f64> = paid.iter().map(|own| own.left.fund).collect();
        let winners: Vec<f64> = paid.iter().map(|own| own.winners).collect();
        assert_eq!((left, winners), (vec![700.0, 200.0, 0.0], vec![0.0, 0.0, 700.0]));
        // flox-insurancefundabsorbsdeficit: long 10 from 100 with 50, at 40
        let paid = waterfall(&[550.0], Layers { backstop: 0.0, fund: 1_000.0 }).unwrap();
        assert_eq!((paid[0].fund, paid[0].left.fund), (550.0, 450.0));
        let first = waterfall(&[550.0], Layers { backstop: 500.0, fund: 1_000.0 }).unwrap();
        assert_eq!((first[0].backstop, first[0].fund), (500.0, 50.0));
        assert!(waterfall(&[-1.0], Layers::default()).is_err());
    }

    #[test]
    fn closing_at_the_bankruptcy_price_leaves_nothing() {
        for (quantity, equity) in [(10.0, 50.0), (-10.0, 50.0), (3.0, -20.0)] {
            let price = bankruptcy_price(40.0, quantity, equity, Payoff::Linear).unwrap();
            assert!((equity + Payoff::Linear.profit(quantity, 40.0, price)).abs() < 1e-12);
            let coins = equity / 4_000.0;
            let price = bankruptcy_price(40.0, quantity, coins, Payoff::Inverse).unwrap();
            assert!((coins + Payoff::Inverse.profit(quantity, 40.0, price)).abs() < 1e-12);
        }
        // an unlevered long cannot go bankrupt above zero
        assert_eq!(bankruptcy_price(40.0, 1.0, 50.0, Payoff::Linear), None);
    }
}
