//! What it costs and how long it takes to leave a position (methods.md sections 3.5, 3.6 and 3.8).

use super::check::outside;
use crate::error::{Error, Place, Result, check_finite, check_positive};
use crate::numeric::accumulate::sum;

/// Average cost of an order worked at an even rate, as a share of the impact at its end, under the square-root law.
const AVERAGE_OF_PEAK: f64 = 2.0 / 3.0;

/// A value at risk and what leaving the position costs on top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiquidityAdjusted {
    /// Value at risk of the price alone.
    pub value_at_risk: f64,
    /// Half of the spread that is allowed for.
    pub spread_cost: f64,
    /// Both together. They are not at their worst together, so this is conservative.
    pub total: f64,
}

/// Bangia and others' (1999) `V z sigma + V (spread + multiple x spread volatility) / 2`.
///
/// `value` is money, `volatility` that of the horizon, `multiple` how many of them the price may move (2.326 for a
/// normal price at 99 %), spreads are shares of the price; with a spread volatility of 0 the spread is constant.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a number below zero or not finite.
pub fn liquidity_adjusted_value_at_risk(
    value: f64,
    volatility: f64,
    multiple: f64,
    spread: Spread,
) -> Result<LiquidityAdjusted> {
    for (name, number) in [
        ("value", value),
        ("volatility", volatility),
        ("multiple", multiple),
        ("spread", spread.mean),
        ("spread_volatility", spread.volatility),
        ("spread_multiple", spread.multiple),
    ] {
        check_not_negative(name, number)?;
    }
    let value_at_risk = value * (multiple * volatility);
    let spread_cost = 0.5 * value * (spread.mean + spread.multiple * spread.volatility);
    Ok(LiquidityAdjusted { value_at_risk, spread_cost, total: value_at_risk + spread_cost })
}

/// A relative spread between bid and ask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Its mean.
    pub mean: f64,
    /// Its volatility.
    pub volatility: f64,
    /// How many volatilities above the mean it may be.
    pub multiple: f64,
}

/// Ratio of a liquidity-adjusted value at risk to the plain one where the price gives way:
/// `1 - elasticity x traded share`, the share being that of the outstanding amount that is sold.
///
/// # Errors
///
/// [`Error::OutOfRange`] for an elasticity above zero (a price does not rise when it is sold) or a share below
/// zero.
pub fn elasticity_ratio(elasticity: f64, traded_share: f64) -> Result<f64> {
    if !(elasticity.is_finite() && elasticity <= 0.0) {
        return outside("elasticity", elasticity, "finite and at most 0", None);
    }
    check_not_negative("traded_share", traded_share)?;
    Ok(1.0 - elasticity * traded_share)
}

/// A market into which a position is sold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Depth {
    /// Units traded in a day.
    pub daily_volume: f64,
    /// Volatility of a day.
    pub daily_volatility: f64,
    /// Coefficient of the square-root law; about 1.
    pub coefficient: f64,
}

impl Depth {
    fn check(&self) -> Result<()> {
        check_positive("daily_volume", self.daily_volume, Place::default)?;
        check_not_negative("daily_volatility", self.daily_volatility)?;
        check_not_negative("coefficient", self.coefficient)
    }
}

/// Price impact of one order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Impact {
    /// Impact at the end of the order, as a share of the price.
    pub peak: f64,
    /// Average cost, as a share of the price: two thirds of the peak.
    pub average: f64,
}

/// Price impact in money.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImpactCost {
    /// Shares of the price.
    pub impact: Impact,
    /// How far the price has moved at the end of the order, quote currency per unit.
    pub price_move: f64,
    /// Cost of the whole order, quote currency.
    pub cost: f64,
}

/// The square-root law at a price.
///
/// # Errors
///
/// As [`square_root_impact`]; [`Error::OutOfRange`] for a price that is not above zero.
pub fn square_root_cost(quantity: f64, price: f64, depth: &Depth) -> Result<ImpactCost> {
    check_positive("price", price, Place::default)?;
    let impact = square_root_impact(quantity, depth)?;
    Ok(ImpactCost { impact, price_move: price * impact.peak, cost: quantity.abs() * price * impact.average })
}

/// The square-root law `coefficient x sigma x sqrt(quantity / volume)`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a quantity that is not finite, a volume that is not above zero, or a volatility or
/// coefficient below zero.
pub fn square_root_impact(quantity: f64, depth: &Depth) -> Result<Impact> {
    check_finite("quantity", quantity, Place::default)?;
    depth.check()?;
    let peak = depth.coefficient * depth.daily_volatility * (quantity.abs() / depth.daily_volume).sqrt();
    Ok(Impact { peak, average: AVERAGE_OF_PEAK * peak })
}

/// What a position that is large for its market adds to a margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Concentration {
    /// Days to sell it at the participation given.
    pub days: f64,
    /// Average impact of what is beyond the free share, as a share of the price.
    pub impact: f64,
    /// Half spread and impact on the whole position, in money.
    pub addon: f64,
}

/// Concentration add-on `|Q| P [s/2 + (2/3) Y sigma sqrt((|Q| - theta V)^+ / V)]`, and days `|Q| / (eta V)`.
///
/// `free_share` (theta) of a day's volume has no impact, `participation` (eta) of it can be sold in a day.
///
/// # Errors
///
/// As [`square_root_impact`]; [`Error::OutOfRange`] for a price or participation that is not above zero, or a half
/// spread or free share below zero.
pub fn concentration(
    quantity: f64,
    price: f64,
    half_spread: f64,
    depth: &Depth,
    free_share: f64,
    participation: f64,
) -> Result<Concentration> {
    check_positive("price", price, Place::default)?;
    check_positive("participation", participation, Place::default)?;
    check_not_negative("half_spread", half_spread)?;
    check_not_negative("free_share", free_share)?;
    check_finite("quantity", quantity, Place::default)?;
    depth.check()?;
    let beyond = (quantity.abs() - free_share * depth.daily_volume).max(0.0);
    let impact = square_root_impact(beyond, depth)?.average;
    Ok(Concentration {
        days: quantity.abs() / (participation * depth.daily_volume),
        impact,
        addon: quantity.abs() * price * (half_spread + impact),
    })
}

/// Factor on a one-day value at risk where the position is sold in equal parts over `days`:
/// `sqrt((1 + T)(1 + 2T) / (6T))`.
///
/// # Errors
///
/// [`Error::OutOfRange`] for less than one day.
pub fn unwind_factor(days: f64) -> Result<f64> {
    if !(days >= 1.0 && days.is_finite()) {
        return outside("days", days, "finite and at least 1", None);
    }
    Ok(((1.0 + days) * (1.0 + 2.0 * days) / (6.0 * days)).sqrt())
}

/// Factor on a one-day variance over `days` whose returns follow each other with an autocorrelation:
/// `h + 2 sum (h - j) rho^j`; `h` itself without one, and its root is the factor on volatility.
///
/// # Errors
///
/// [`Error::OutOfRange`] for an autocorrelation outside (-1, 1), [`Error::NoAnswer`] for 0 days.
pub fn autocorrelated_variance_factor(days: u32, autocorrelation: f64) -> Result<f64> {
    if !(autocorrelation > -1.0 && autocorrelation < 1.0) {
        return outside("autocorrelation", autocorrelation, "above -1 and below 1", None);
    }
    if days == 0 {
        return Err(Error::NoAnswer { why: "days must be at least 1, were 0".into() });
    }
    let mut power = 1.0;
    let pairs = sum((1..days).map(|lag| {
        power *= autocorrelation;
        f64::from(days - lag) * power
    }));
    Ok(f64::from(days) + 2.0 * pairs)
}

/// The same factors on a variance and on a volatility.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HorizonFactor {
    /// Factor on the one-day variance.
    pub variance: f64,
    /// Its root, the factor on a one-day volatility or value at risk.
    pub volatility: f64,
}

/// Both factors of [`autocorrelated_variance_factor`].
///
/// # Errors
///
/// As there.
pub fn autocorrelated_factor(days: u32, autocorrelation: f64) -> Result<HorizonFactor> {
    let variance = autocorrelated_variance_factor(days, autocorrelation)?;
    Ok(HorizonFactor { variance, volatility: variance.sqrt() })
}

/// A haircut for another revaluation period and holding period: `H sqrt((N + T - 1) / T)`, `N` the days between
/// revaluations and `T` the holding period that `H` is for.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a haircut outside [0, 1], or days that are not at least 1.
pub fn scaled_haircut(haircut: f64, days_between: f64, holding_days: f64) -> Result<f64> {
    if !(0.0..=1.0).contains(&haircut) {
        return outside("haircut", haircut, "from 0 to 1", None);
    }
    for (name, value) in [("days_between", days_between), ("holding_days", holding_days)] {
        if !(value >= 1.0 && value.is_finite()) {
            return outside(name, value, "finite and at least 1", None);
        }
    }
    Ok(haircut * ((days_between + holding_days - 1.0) / holding_days).sqrt())
}

fn check_not_negative(name: &str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        outside(name, value, "finite and at least 0", None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPTH: Depth = Depth { daily_volume: 20_000.0, daily_volatility: 0.04, coefficient: 1.0 };

    #[test]
    fn a_large_position_costs_what_the_example_says() {
        // methods.json conc.addon and impact.sqrt
        let found = concentration(-3000.0, 60_000.0, 0.0002, &DEPTH, 0.05, 0.1).unwrap();
        assert_eq!(found.days, 1.5);
        assert!((found.impact - 0.008_432_740_427_115_679).abs() < 1e-15, "{found:?}");
        assert!((found.addon - 1_553_893.276_880_822_4).abs() < 1e-6, "{found:?}");
        let small = concentration(500.0, 60_000.0, 0.0002, &DEPTH, 0.05, 0.1).unwrap();
        assert_eq!(small.impact, 0.0);
        let impact = square_root_impact(500.0, &DEPTH).unwrap();
        // methods.json impact.sqrt
        let cost = square_root_cost(-500.0, 60_000.0, &DEPTH).unwrap();
        assert!((cost.price_move - 379.473_319_220_205_55).abs() < 1e-9, "{cost:?}");
        assert!((cost.cost - 126_491.106_406_735_18).abs() < 1e-6, "{cost:?}");
        assert!((impact.peak - 0.006_324_555_320_336_759).abs() < 1e-17);
    }

    #[test]
    fn a_constant_spread_adds_half_of_itself() {
        let quantile = super::super::laws::normal_quantile(0.99).unwrap();
        let constant = Spread { mean: 0.02, volatility: 0.0, multiple: 0.0 };
        let found = liquidity_adjusted_value_at_risk(100.0, 0.01, quantile, constant).unwrap();
        assert!((found.spread_cost - 1.0).abs() < 1e-15);
        assert!((found.total - 3.326_347_874_040_841).abs() < 1e-12, "{found:?}");
        let moving = Spread { volatility: 0.01, multiple: 3.0, ..constant };
        let found = liquidity_adjusted_value_at_risk(100.0, 0.01, quantile, moving).unwrap();
        assert!((found.spread_cost - 2.5).abs() < 1e-15);
        assert!((elasticity_ratio(-0.4, 0.1).unwrap() - 1.04).abs() < 1e-15);
    }

    #[test]
    fn factors_of_horizons_are_the_published_ones() {
        // methods.json mpor.linear_unwind and haircut.basel_scale
        for (days, expected) in [(1.0, 1.0), (5.0, 1.483_239_697_419_132_6), (10.0, 1.962_141_687_034_858_5)]
        {
            assert!((unwind_factor(days).unwrap() - expected).abs() < 1e-12);
        }
        assert!((scaled_haircut(0.1, 5.0, 10.0).unwrap() - 0.118_321_595_661_992_32).abs() < 1e-15);
        // 3 + 2 (2 rho + rho^2) at rho = 1/2
        assert_eq!(autocorrelated_variance_factor(3, 0.5).unwrap(), 5.5);
        assert_eq!(autocorrelated_variance_factor(10, 0.0).unwrap(), 10.0);
        assert_eq!(autocorrelated_variance_factor(2, -0.5).unwrap(), 1.0);
    }

    #[test]
    fn what_is_no_market_is_refused() {
        let dry = Depth { daily_volume: 0.0, ..DEPTH };
        assert_eq!(
            square_root_impact(1.0, &dry).unwrap_err().to_string(),
            "daily_volume must be finite and above zero, was 0"
        );
        assert_eq!(
            elasticity_ratio(0.4, 0.1).unwrap_err().to_string(),
            "elasticity must be finite and at most 0, was 0.4"
        );
        assert_eq!(
            autocorrelated_variance_factor(2, 1.0).unwrap_err().to_string(),
            "autocorrelation must be above -1 and below 1, was 1"
        );
    }
}
