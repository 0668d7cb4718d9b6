//! Checks the standard margin groups of a rulebook file: rates of delta-one contracts, formulas of options.

use super::charge::PriceBasis;
use super::options::{
    ExpiryOffset, LongRate, OffsetPrice, OptionOrders, Premium, ShortRate, StandardOptions,
};
use super::portfolio::DeltaOneRates;
use super::raw_portfolio::{RawDeltaOne, RawOptions, RawShort};
use super::read::Reader;
use crate::error::Result;

impl Reader {
    pub(super) fn delta_one(&self, raw: &RawDeltaOne, key: &str) -> Result<DeltaOneRates> {
        let rate = |part: &str, value: f64| self.number(&format!("{key}.{part}"), value, 0.0, 1.0);
        let interest = |part: &str, value| self.optional(&format!("{key}.{part}"), value, 0.0, f64::MAX);
        let initial = rate("initial", raw.initial)?;
        let maintenance = match (raw.maintenance, raw.maintenance_share_of_initial) {
            (Some(maintenance), None) => rate("maintenance", maintenance)?,
            (None, Some(share)) => initial * rate("maintenance_share_of_initial", share)?,
            _ => return self.refuse(key, "needs maintenance or maintenance_share_of_initial, one of them"),
        };
        let lower = interest("open_interest_lower", raw.open_interest_lower)?;
        let upper = interest("open_interest_upper", raw.open_interest_upper)?;
        match (lower, upper) {
            (None, None) => {}
            (Some(lower), Some(upper)) if lower < upper => {}
            _ => {
                return self.refuse(
                    &format!("{key}.open_interest_upper"),
                    "goes together with open_interest_lower and lies above it",
                );
            }
        }
        Ok(DeltaOneRates {
            initial,
            maintenance,
            increment: rate("increment", raw.increment)?,
            open_interest_lower: lower,
            open_interest_upper: upper,
            rate_step: self.optional(&format!("{key}.rate_step"), raw.rate_step, 1e-12, 1.0)?,
            price: self.word(
                &format!("{key}.price"),
                raw.price.as_deref(),
                &[("mark", PriceBasis::Mark), ("index", PriceBasis::Index)],
            )?,
            user_leverage: raw.user_leverage,
            open_loss: raw.open_loss,
        })
    }

    pub(super) fn options(&self, raw: &RawOptions, key: &str) -> Result<StandardOptions> {
        let number = |part: &str, value: f64| self.number(&format!("{key}.{part}"), value, 0.0, 10.0);
        let short = |part: &str, raw: &RawShort| -> Result<ShortRate> {
            Ok(ShortRate {
                rate: number(part, raw.rate)?,
                floor: raw.floor.map(|floor| number(part, floor)).transpose()?,
                call_mark: number(part, raw.call_mark)?,
                put_mark: number(part, raw.put_mark)?,
                fee: number(part, raw.fee)?,
            })
        };
        let offset = match (raw.offset_initial, raw.offset_maintenance) {
            (None, None) => None,
            (Some(initial), Some(maintenance)) => Some(ExpiryOffset {
                initial: number("offset_initial", initial)?,
                maintenance: number("offset_maintenance", maintenance)?,
                price: self.word(
                    &format!("{key}.offset_price"),
                    raw.offset_price.as_deref(),
                    &[("forward", OffsetPrice::Forward), ("index", OffsetPrice::Index)],
                )?,
            }),
            _ => return self.refuse(key, "offset_initial and offset_maintenance go together"),
        };
        Ok(StandardOptions {
            short_initial: short("short_initial", &raw.short_initial)?,
            short_maintenance: short("short_maintenance", &raw.short_maintenance)?,
            call_initial_over_maintenance: number(
                "call_initial_over_maintenance",
                raw.call_initial_over_maintenance,
            )?,
            put_initial_over_maintenance: number(
                "put_initial_over_maintenance",
                raw.put_initial_over_maintenance,
            )?,
            premium: self.word(
                &format!("{key}.premium"),
                raw.premium.as_deref(),
                &[
                    ("mark", Premium::Mark),
                    ("larger_of_entry_and_mark", Premium::LargerOfEntryAndMark),
                    ("nothing", Premium::Nothing),
                ],
            )?,
            long_initial: LongRate { rate: number("long_initial", raw.long_initial)? },
            long_maintenance: LongRate { rate: number("long_maintenance", raw.long_maintenance)? },
            offset,
            orders: OptionOrders {
                fee: number("order_fee", raw.order_fee)?,
                fee_cap: match raw.order_fee_cap {
                    Some(cap) => number("order_fee_cap", cap)?,
                    None => f64::INFINITY,
                },
                credit_premium: raw.order_credit_premium,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::rulebook::{Format, read};

    fn refusal(rest: &str) -> String {
        let head = "id = \"test\"\nversion = \"1\"\nvenue = \"test\"\nreport_currency = \"USD\"\nsettle = \"USD\"\n\
                    source = \"made up\"\nretrieved = \"2026-11-20\"\neffective = \"2026-11-20\"\n\
                    [measure]\nkind = \"tiers\"\n[[profiles]]\nunderlyings = [\"BTC\"]\n";
        read(&format!("{head}{rest}"), Format::Toml).unwrap_err().to_string()
    }

    #[test]
    fn a_maintenance_rate_is_given_once() {
        let text =
            refusal("delta_one = { initial = 0.1, maintenance = 0.05, maintenance_share_of_initial = 0.5 }");
        assert!(text.contains("profiles.BTC.delta_one") && text.contains("one of them"), "{text}");
    }

    #[test]
    fn open_interest_needs_two_bounds_that_rise() {
        let text = refusal(
            "delta_one = { initial = 0.1, maintenance = 0.05, open_interest_lower = 2.0, open_interest_upper = 1.0 }",
        );
        assert!(text.contains("open_interest_upper"), "{text}");
    }

    #[test]
    fn a_closed_formula_takes_charges_outside_the_factor_only() {
        let text = refusal(
            "[[profiles.charges]]\nname = \"roll\"\non = \"roll\"\nstage = \"inside\"\nminimum = 0.01\nannualised = 0.1",
        );
        assert!(text.contains("stage") && text.contains("outside"), "{text}");
    }
}
