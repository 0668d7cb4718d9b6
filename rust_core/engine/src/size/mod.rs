//! The largest size of a trade before a limit: the account is measured again at every size that is tried.
//!
//! Sizes are whole lots. From nothing upwards they are tried on a grid that grows by half each time, and at those
//! that close or turn round what is held; between the last one inside and the first one outside, lots are halved
//! until one lot separates them. So what comes out is inside, and a lot more is outside, by measurement. Margins are
//! convex in the size of one position (brackets rise, a scenario's loss is linear), so that the sizes inside are one
//! interval and the grid misses nothing; for other measures a narrow gap between grid points may be missed.

mod trial;

use crate::error::{Error, Place, Result};
use crate::limits::context::Context;
use crate::limits::finding::{Finding, compare};
use crate::limits::limit::Limit;
use crate::limits::metric::Metric;
use crate::limits::profile::Profile;
use crate::limits::standing::Part;
use crate::liquidation::price::shown;
use crate::numeric::rounding::of_steps;

pub use trial::{Trial, account_of, found};

/// How much larger each size of the grid is.
const GROWTH: f64 = 1.5;
/// A notional beyond this multiple of the equity is beyond every limit that means something.
const LARGEST: f64 = 1e6;
/// So many lots are still told apart from one more.
const MOST_LOTS: f64 = 9_007_199_254_740_992.0;
/// Digits of a size where no lot is known.
const DIGITS: i32 = 6;

/// A limit with the part that it is about.
#[derive(Debug, Clone)]
pub struct Bound {
    /// What it is called.
    pub name: String,
    /// The limit.
    pub limit: Limit,
    /// The part of the trial's book.
    pub part: Part,
}

/// The largest size, with what bounds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Largest {
    /// Signed quantity, whole lots, unit as positions of the book have it.
    pub size: f64,
    /// The lot.
    pub lot: f64,
    /// Whether the lot is the market table's or the caller's, and not made up from the size of the account.
    pub lot_known: bool,
    /// Mark at which it is tried.
    pub price: f64,
    /// Notional of the trade, reporting currency.
    pub notional: f64,
    /// Name of the limit that bounds it.
    pub name: String,
    /// That limit before the trade, at the size, and one lot beyond it.
    pub findings: [Finding; 3],
}

/// Reads a limit of one text: `IM`, `MM`, `usage=0.7`, `leverage=3`, `ES=50000`, `VaR=5%` (of the equity),
/// `nearest>=0.15`; `VaR`, `ES`, `volatility` and `liquidation_probability` alone take the profile's.
///
/// # Errors
///
/// [`Error::Unknown`] for a metric, or a metric without a number; [`Error::OutOfRange`] for the number.
pub fn limit_of(text: &str, profile: &Profile) -> Result<Limit> {
    let word = text.trim();
    let (name, number) = match word.find(['=', '<', '>', ':']) {
        Some(place) => {
            let (name, rest) = word.split_at(place);
            (name.trim(), Some(rest.trim_start_matches(['=', '<', '>', ':']).trim()))
        }
        None => (word, None),
    };
    let row = |metric: &str, limit: f64, unit: &str| crate::tables::LimitRow {
        id: word.to_owned(),
        metric: metric.to_owned(),
        limit: Some(limit),
        unit: unit.to_owned(),
        ..crate::tables::LimitRow::default()
    };
    let Some(number) = number else {
        return match (name.to_lowercase().as_str(), Metric::named(name)?) {
            ("im", _) => Limit::of(&row("excess_im", 0.0, "")),
            ("mm", _) => Limit::of(&row("excess", 0.0, "")),
            (_, Metric::ValueAtRisk | Metric::ExpectedShortfall) => {
                Limit::of(&row(name, profile.loss_budget, "equity"))
            }
            (_, Metric::Volatility) => Limit::of(&row(name, profile.volatility_target, "")),
            (_, Metric::LiquidationProbability) => Limit::of(&row(name, profile.liquidation_probability, "")),
            (_, Metric::LeverageCap) => Limit::of(&row(name, 1.0, "")),
            _ => Err(Error::Unknown {
                what: "limit",
                value: word.to_owned(),
                known: format!("{name} needs a number, such as {name}=0.7"),
            }),
        };
    };
    let metric = Metric::named(name)?;
    let (digits, percent) = number.strip_suffix('%').map_or((number, false), |own| (own.trim_end(), true));
    let value: f64 = digits.replace('_', "").parse().map_err(|_| Error::Unknown {
        what: "limit",
        value: word.to_owned(),
        known: format!("{name} takes a number, such as {name}=0.7"),
    })?;
    let share = if percent { 0.01 * value } else { value };
    Limit::of(&row(name, share, if percent && metric.is_money() { "equity" } else { "" }))
}

/// The largest size of a trial before any of its bounds.
///
/// # Errors
///
/// [`Error::OutOfRange`] where a limit is broken before anything is traded; [`Error::NoAnswer`] where no size
/// reaches any limit; as [`compare`].
pub fn largest(context: &Context<'_>, trial: &Trial<'_>, bounds: &[Bound], buys: bool) -> Result<Largest> {
    let sign = if buys { 1.0 } else { -1.0 };
    let scale = trial.scale()?;
    let (lot, lot_known) = match trial.lot {
        Some(lot) => (lot, true),
        None => (10.0_f64.powf(scale.log10().floor() - f64::from(DIGITS)), false),
    };
    let bound = |which: usize| {
        bounds.get(which).ok_or_else(|| Error::NoAnswer { why: "the limit has no bound".into() })
    };
    let before = outside(context, trial, bounds, 0.0)?;
    let at = |lots: f64| outside(context, trial, bounds, sign * of_steps(lots, lot));
    let most = (LARGEST * scale / lot).ceil().min(MOST_LOTS);
    let turning = (trial.held() / lot).abs();
    let first = (scale / lot * 1e-6).floor().max(1.0);
    let mut grid: Vec<f64> = std::iter::successors(Some(first), |own| Some((own * GROWTH).ceil()))
        .take_while(|own| *own <= most)
        .collect();
    grid.extend(
        [1.0, turning.floor(), turning.ceil(), (2.0 * turning).floor()]
            .into_iter()
            .filter(|own| *own >= 1.0 && *own <= most),
    );
    grid.sort_by(f64::total_cmp);
    grid.dedup_by(|a, b| a.total_cmp(b).is_eq());
    if let Some((which, finding)) = before {
        return Err(already(
            bound(which)?,
            &finding,
            &grid,
            |lots| Ok(at(lots)?.is_none()),
            sign * lot,
            trial,
        )?);
    }
    let mut low = 0.0;
    let mut beyond = None;
    for lots in grid {
        context.watch.check()?;
        match at(lots)? {
            None => low = lots,
            Some(found) => {
                beyond = Some((lots, found));
                break;
            }
        }
    }
    let Some((mut high, mut found)) = beyond else {
        return Err(Error::NoAnswer {
            why: format!(
                "no size up to {} of {} reaches the limit {}",
                shown(of_steps(most, lot)),
                trial.symbol(),
                bounds.iter().map(|bound| bound.name.as_str()).collect::<Vec<_>>().join(", ")
            ),
        });
    };
    while high - low > 1.0 {
        context.watch.check()?;
        let middle = f64::midpoint(low, high).floor();
        match at(middle)? {
            None => low = middle,
            Some(own) => (high, found) = (middle, own),
        }
    }
    let (which, last) = found;
    let bound = bound(which)?;
    let one =
        |change: f64| trial.with(change, |standing| compare(context, standing, &bound.limit, &bound.part));
    let size = if low == 0.0 { 0.0 } else { sign * of_steps(low, lot) };
    Ok(Largest {
        size,
        lot,
        lot_known,
        price: trial.price(),
        notional: trial.notional(size)?,
        findings: [one(0.0)?, one(size)?, last],
        name: bound.name.clone(),
    })
}

/// The first bound that a change breaks, by its place.
fn outside(
    context: &Context<'_>,
    trial: &Trial<'_>,
    bounds: &[Bound],
    change: f64,
) -> Result<Option<(usize, Finding)>> {
    trial.with(change, |standing| {
        for (which, bound) in bounds.iter().enumerate() {
            let found = compare(context, standing, &bound.limit, &bound.part)?;
            if !found.limit.allows(found.value) {
                return Ok(Some((which, found)));
            }
        }
        Ok(None)
    })
}

/// The refusal of an account that is beyond its limit before anything is traded.
fn already(
    bound: &Bound,
    finding: &Finding,
    grid: &[f64],
    inside: impl Fn(f64) -> Result<bool>,
    step: f64,
    trial: &Trial<'_>,
) -> Result<Error> {
    let mut helps = String::new();
    for lots in grid {
        if inside(*lots)? {
            helps = format!("; {} of {} would bring it inside", shown(lots * step), trial.symbol());
            break;
        }
    }
    Ok(Error::OutOfRange {
        name: format!("limit {}: {}", bound.name, finding.limit.metric.word()),
        value: finding.value.unwrap_or(f64::NAN),
        must_be: "inside the limit before anything is added",
        place: Place::label(format!("{}{helps}", finding.rule)),
    })
}
