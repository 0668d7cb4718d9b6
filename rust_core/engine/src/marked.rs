//! What an option that is marked apart from its model is worth away from today.
//!
//! A mark and the value at its volatility differ by ticks, by a second, or because one of them is stale. Away from
//! today the model moves the option and the difference goes along as it is: a proportion of it would blow up where the
//! model is worth a multiple of today, or take most of what is paid for certain. But no option is worth less than
//! nothing, nor has it reason to fall below what is paid if the forward stays, so the difference is only deducted as
//! far as it leaves that:
//!
//! ```text
//! value = max(model + mark - model today, least - max(least today - mark, 0), 0)    where the mark is below the model
//! value = model + mark - model today                                                where it is not
//! ```
//!
//! with `least` the discounted intrinsic value at the state (Merton 1973, theorem 1). Today's value is the mark, the
//! value is continuous in the mark and in the state, up to expiry where the mark is below the model, and it differs from
//! the model's by no more than today's mark does.

use crate::book::Quote;
use crate::instrument::{OptionTerms, Payoff};

/// An option with its mark, its value by the model and the least that it can be worth, each of one coin today, in the
/// settlement currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Marked {
    pub(crate) mark: f64,
    pub(crate) model: f64,
    least: f64,
}

impl Marked {
    /// An option as its quote has it today; one without a mark is worth what the model says.
    pub(crate) fn of(quote: &Quote, payoff: Payoff, terms: OptionTerms) -> Self {
        let model = quote.value(payoff, terms, 1.0, quote.implied_volatility.unwrap_or(0.0));
        Self { mark: quote.mark.unwrap_or(model), model, least: quote.least_value(payoff, terms, 1.0) }
    }

    /// Whether the mark lies below the model, so that less than the whole difference may be deducted elsewhere.
    pub(crate) fn is_below(&self) -> bool {
        self.mark < self.model
    }

    /// What it has gained since today where the model says `model`; the least value there is asked for only where it
    /// may decide. Not a number where the model's value is none.
    pub(crate) fn gain(&self, model: f64, least: impl FnOnce() -> f64) -> f64 {
        let moved = model - self.model;
        if !self.is_below() || moved.is_nan() {
            return moved;
        }
        moved.max(self.gain_of_least(least())).max(-self.mark)
    }

    /// The gain where only the least value is left.
    pub(crate) fn gain_of_least(&self, least: f64) -> f64 {
        least - self.least.max(self.mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::{OptionRight, Strike};
    use proptest::prelude::*;

    fn terms(put: bool, strike: f64) -> OptionTerms {
        OptionTerms { right: if put { OptionRight::Put } else { OptionRight::Call }, strike: Strike(strike) }
    }

    fn quote(years: f64, volatility: f64, rate: f64) -> Quote {
        Quote {
            years,
            forward: Some(100.0),
            implied_volatility: Some(volatility),
            discount_rate: rate,
            ..Quote::default()
        }
    }

    proptest! {
        #[test]
        fn an_option_is_worth_its_mark_today_and_never_less_than_nothing(
            put in any::<bool>(), inverse in any::<bool>(), strike in 20.0..400.0_f64, share in 0.0..2.0_f64,
            volatility in 0.05..3.0_f64, years in 0.001..2.0_f64, rate in 0.0..0.2_f64,
            ratio in -2.0..1.0_f64, moved in 0.0..4.0_f64, left in 0.0..1.0_f64,
        ) {
            let payoff = if inverse { Payoff::Inverse } else { Payoff::Linear };
            let (terms, today) = (terms(put, strike), quote(years, volatility, rate));
            let model = today.value(payoff, terms, 1.0, volatility);
            let mark = share * model;
            let own = Marked { mark, ..Marked::of(&today, payoff, terms) };
            prop_assert_eq!((mark + own.gain(model, || today.least_value(payoff, terms, 1.0))).to_bits(), mark.to_bits());
            let (ratio, there) = (10_f64.powf(ratio), quote(years * left, volatility, rate));
            let model_there = there.value(payoff, terms, ratio, volatility * moved);
            let least = there.least_value(payoff, terms, ratio);
            let value = mark + own.gain(model_there, || least);
            prop_assert!(value >= 0.0, "{value}");
            // no further from the model than today, and not below what is paid for certain by more than today
            let scale = 1e-12 * (1.0 + mark + model_there);
            prop_assert!((value - model_there).abs() <= (mark - model).abs() + scale);
            prop_assert!(value >= least - (own.least - mark).max(0.0) - scale);
            // a mark that is a little higher is worth as much more at the most
            let near = Marked { mark: mark + 1e-7, ..own };
            let more = near.mark + near.gain(model_there, || least) - value;
            prop_assert!((-1e-12..=1e-7 + 1e-12).contains(&(more / (1.0 + scale))));
        }
    }

    #[test]
    fn a_put_marked_far_below_its_volatility_is_worth_nothing_far_up_and_its_payoff_far_down() {
        // BTC-6FEB26-58000-P at 60,000: mark 0.001, value at 226.96 % of volatility 0.05 and more
        let terms = terms(true, 58_000.0);
        let today = Quote { forward: Some(60_000.0), mark: Some(0.001), ..quote(1.0 / 365.0, 2.2696, 0.0) };
        let own = Marked::of(&today, Payoff::Inverse, terms);
        assert!(own.model > 0.02);
        let value = |ratio: f64| {
            let model = today.value(Payoff::Inverse, terms, ratio, 2.2696);
            own.mark + own.gain(model, || today.least_value(Payoff::Inverse, terms, ratio))
        };
        assert_eq!(value(1.4).to_bits(), 0.0_f64.to_bits());
        assert!((value(0.4) - (58_000.0 / 24_000.0 - 1.0)).abs() < 1e-3);
    }
}
