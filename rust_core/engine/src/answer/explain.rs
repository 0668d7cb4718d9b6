//! A margin taken apart: every branch with its formula, inputs and source, and whether it counts.

use std::collections::BTreeMap;

use super::evaluated::{Evaluated, check_complete};
use super::explain_tail::tail_words;
use super::scope::report_currency;
use super::{Answer, Value};
use crate::book::{Book, Pool};
use crate::error::{Error, Result};
use crate::margin::Requirement;
use crate::margin::component::{Component, ComponentKind, Share};
use crate::numeric::accumulate::sum;
use crate::rulebook::charge::{Charge, ChargeKind, Growth};
use crate::rulebook::{Measure, Rulebook};

/// The header of `CM_EXPLAIN`.
pub const HEADER: [&str; 10] =
    ["account", "risk_unit", "component", "base", "amount", "share", "counts", "formula", "inputs", "source"];

/// Which level is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The initial margin.
    Initial,
    /// The maintenance margin.
    Maintenance,
}

impl Of {
    /// Reads `MM` or `IM`.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] names the words.
    pub fn read(word: &str) -> Result<Self> {
        match word.trim().to_uppercase().as_str() {
            "MM" => Ok(Self::Maintenance),
            "IM" => Ok(Self::Initial),
            _ => Err(Error::Unknown { what: "measure", value: word.to_owned(), known: "MM, IM".into() }),
        }
    }

    fn share(self, component: &Component) -> Share {
        match self {
            Self::Initial => component.initial,
            Self::Maintenance => component.maintenance,
        }
    }

    fn factor(self, rulebook: &Rulebook) -> f64 {
        match self {
            Self::Initial => rulebook.initial.factor,
            Self::Maintenance => rulebook.maintenance.factor,
        }
    }
}

/// The components of every pool, or their sums by risk unit or position, and a TOTAL.
///
/// # Errors
///
/// The refusal of a pool whose margin cannot be computed; [`Error::Unknown`] for a grouping.
pub fn table(book: &Book, evaluated: &Evaluated, of: Of, group_by: &str) -> Result<Answer> {
    check_complete(book)?;
    report_currency(book, &(0..book.pools.len()).collect::<Vec<_>>())?;
    let mut answer = Answer::new(&HEADER);
    let mut totals = Vec::new();
    for (index, pool) in book.pools.iter().enumerate() {
        let state = evaluated.pool(index)?;
        if of == Of::Initial && state.requirement.initial.is_none() {
            return Err(Error::Missing {
                what: format!("initial margin of {}", book.pool_name(pool)),
                why: state.requirement.initial_missing.clone().unwrap_or_default(),
                place: crate::error::Place::default(),
            });
        }
        let Some(rulebook) = book.rulebook_of(pool.account) else { continue };
        let whole = match of {
            Of::Initial => state.requirement.initial.unwrap_or(0.0),
            Of::Maintenance => state.requirement.maintenance,
        };
        totals.push(whole);
        let rows = match group_by {
            "component" => components(book, pool, rulebook, &state.requirement, of),
            "riskUnit" | "riskunit" | "risk_unit" => units(book, pool, &state.requirement.components, of),
            "position" => positions(book, pool, &state.requirement, of, whole),
            other => {
                return Err(Error::Unknown {
                    what: "group_by",
                    value: other.to_owned(),
                    known: "component, riskUnit, position".into(),
                });
            }
        };
        for mut row in rows {
            if let (Some(Value::Number(amount)), Some(Value::Text(counts))) =
                (row.get(4).cloned(), row.get(6))
            {
                let share = (counts == "yes" && whole != 0.0).then(|| amount / whole);
                if let Some(cell) = row.get_mut(5) {
                    *cell = share.into();
                }
            }
            answer.rows.push(row);
        }
    }
    let mut total: Vec<Value> = vec!["".into(); HEADER.len()];
    let cells: [(usize, Value); 4] =
        [(0, "TOTAL".into()), (4, sum(totals).into()), (5, Value::Missing), (6, "yes".into())];
    for (slot, value) in cells {
        if let Some(cell) = total.get_mut(slot) {
            *cell = value;
        }
    }
    answer.rows.push(total);
    Ok(answer)
}

#[expect(clippy::too_many_arguments, reason = "one argument per cell")]
fn row(
    account: &str,
    unit: &str,
    component: String,
    base: Option<f64>,
    share: Share,
    formula: String,
    inputs: String,
    source: String,
) -> Vec<Value> {
    vec![
        account.into(),
        unit.into(),
        component.into(),
        base.into(),
        share.amount.into(),
        Value::Missing,
        if share.counts { "yes" } else { "no" }.into(),
        formula.into(),
        inputs.into(),
        source.into(),
    ]
}

/// The address of a source with its status.
pub(super) fn cited(rulebook: &Rulebook, key: &str) -> String {
    rulebook
        .sources
        .get(key)
        .map_or_else(String::new, |source| format!("{} ({})", source.address, source.status.word()))
}

fn unit_name(book: &Book, unit: Option<usize>) -> &str {
    unit.and_then(|coin| book.underlyings.get(coin)).map_or("all", |known| known.name.as_str())
}

fn components(
    book: &Book,
    pool: &Pool,
    rulebook: &Rulebook,
    requirement: &Requirement,
    of: Of,
) -> Vec<Vec<Value>> {
    let (components, worst) = (&requirement.components, requirement.worst.first());
    let name = book.pool_name(pool);
    let symbol = |position: usize| {
        let held = book.positions_of(pool).get(position);
        held.and_then(|p| book.instruments.get(p.instrument)).map_or("", |i| i.symbol.as_str())
    };
    let mut rows = Vec::with_capacity(components.len());
    for component in components {
        let unit = unit_name(book, component.unit);
        let share = of.share(component);
        let level = if component.base == 0.0 { 0.0 } else { share.amount / component.base };
        let (title, formula, inputs, source) = match component.kind {
            ComponentKind::Scenarios { profile, set, scenario } => {
                let known = rulebook.profiles.get(profile);
                let set = known.and_then(|p| p.sets.get(set));
                let worst = scenario.and_then(|index| known?.scenarios.get(index));
                (
                    format!("worst of {}", set.map_or("scenarios", |set| set.name.as_str())),
                    format!("factor {level} x largest loss"),
                    match worst {
                        Some(worst) => format!("loss {} at {}", money(component.base), worst.words()),
                        None => "no scenario loses".into(),
                    },
                    cited(rulebook, set.map_or("general", |set| set.source.as_str())),
                )
            }
            ComponentKind::Charge { profile, charge } => {
                let known = rulebook.profiles.get(profile).and_then(|p| p.charges.get(charge));
                let Some(charge) = known else { continue };
                (
                    format!("{} ({})", charge.name, charge.stage.word()),
                    formula_of(charge),
                    inputs(charge_figures(&charge.kind), component, level),
                    cited(rulebook, &charge.source),
                )
            }
            ComponentKind::Credit { credit } => {
                let Some(known) = rulebook.credits.get(credit) else { continue };
                let legs: Vec<&str> = known.legs.iter().map(|(name, _)| name.as_str()).collect();
                (
                    format!("credit {}", legs.join(" against ")),
                    format!("- {} x price risk of the deltas that offset", known.rate),
                    inputs(&["spreads", "deltas used", "price risk per delta"], component, level),
                    cited(rulebook, &known.source),
                )
            }
            ComponentKind::Position { position } => (
                symbol(position).to_owned(),
                "margin of the position by itself".into(),
                format!("notional {}", money(component.base)),
                cited(rulebook, &rulebook.measure_source),
            ),
            ComponentKind::ExpiryOffset { seconds } => (
                format!("spread offset, {:.2} days to expiry", seconds as f64 / 86_400.0),
                "largest loss at the strikes held instead of the positions one by one".into(),
                format!("saves {}", money(-component.base)),
                cited(rulebook, &rulebook.measure_source),
            ),
            ComponentKind::Tail(part) => tail_words(rulebook, component, part, of.factor(rulebook), worst),
            ComponentKind::ValueAtRisk => (
                "value at risk".into(),
                format!("factor {} x z x standard deviation", of.factor(rulebook)),
                format!("value at risk {}", money(component.base)),
                cited(rulebook, &rulebook.measure_source),
            ),
            ComponentKind::Borrowing { entry, currency } => {
                let Some(known) = rulebook.borrowing.get(entry) else { continue };
                let code = book.currencies.get(currency).map_or("?", |currency| currency.code.as_str());
                (
                    format!("borrowed {code}"),
                    "value of the negative balance x rate".into(),
                    inputs(&["borrowed", "price"], component, level),
                    cited(rulebook, &known.source),
                )
            }
            ComponentKind::Orders => (
                "open orders".into(),
                match rulebook.measure {
                    Measure::Scenarios { .. } | Measure::Tail(_) => {
                        "worst of none, all buys and all sells filled, less none filled"
                    }
                    _ => "initial margin that orders add",
                }
                .into(),
                format!("{} orders", pool.orders.len()),
                cited(rulebook, &rulebook.measure_source),
            ),
        };
        rows.push(row(&name, unit, title, Some(component.base), share, formula, inputs, source));
    }
    rows
}

fn units(book: &Book, pool: &Pool, components: &[Component], of: Of) -> Vec<Vec<Value>> {
    let mut by_unit: BTreeMap<Option<usize>, Vec<f64>> = BTreeMap::new();
    for component in components {
        let share = of.share(component);
        if share.counts {
            by_unit.entry(component.unit).or_default().push(share.amount);
        }
    }
    let name = book.pool_name(pool);
    by_unit
        .into_iter()
        .map(|(unit, amounts)| {
            let count = amounts.len();
            let share = Share { amount: sum(amounts), counts: true };
            let text = format!("{count} components that count");
            row(
                &name,
                unit_name(book, unit),
                "TOTAL of unit".into(),
                None,
                share,
                "sum".into(),
                text,
                String::new(),
            )
        })
        .collect()
}

fn positions(book: &Book, pool: &Pool, requirement: &Requirement, of: Of, whole: f64) -> Vec<Vec<Value>> {
    let name = book.pool_name(pool);
    let mut rows = Vec::new();
    let mut borne = Vec::new();
    for (position, margin) in book.positions_of(pool).iter().zip(&requirement.by_position) {
        let Some(instrument) = book.instruments.get(position.instrument) else { continue };
        let amount = match of {
            Of::Initial => margin.initial.unwrap_or(0.0),
            Of::Maintenance => margin.maintenance,
        };
        borne.push(amount);
        rows.push(row(
            &name,
            &instrument.underlying,
            instrument.symbol.clone(),
            None,
            Share { amount, counts: true },
            "share of the margin that the position is responsible for".into(),
            format!("quantity {}", position.quantity),
            String::new(),
        ));
    }
    let rest = whole - sum(borne);
    if rest.abs() > 1e-12 * whole.abs().max(1e-12) {
        rows.push(row(
            &name,
            "all",
            "not attributable".into(),
            None,
            Share { amount: rest, counts: true },
            "charges, floors, collateral in the scan and orders that no position bears alone".into(),
            String::new(),
            String::new(),
        ));
    }
    rows
}

/// Money with two decimals, for sentences.
pub(super) fn money(amount: f64) -> String {
    format!("{:.2}", amount + 0.0)
}

/// What the figures of a charge's component are, in their order.
fn charge_figures(kind: &ChargeKind) -> &'static [&'static str] {
    match kind {
        ChargeKind::Roll { .. } => &["unsigned net deltas, money", "expiries"],
        ChargeKind::Size { .. } => &["net delta", "free delta", "rate by size"],
        ChargeKind::NakedShorts => &["coins sold naked"],
        ChargeKind::MinimumDelta { .. } => &["net delta", "gross delta", "hedged delta"],
        ChargeKind::ShortOptions { .. } => &["calls sold", "puts sold"],
        ChargeKind::Calendar => &["long delta", "short delta"],
        ChargeKind::TieredDelta { .. } => &["unsigned delta, money", "multiplier"],
        ChargeKind::Impact { .. } => &["coins to be left", "days of volume", "impact"],
        ChargeKind::Unwind { .. } => &["coins to be left", "days to sell", "factor less 1"],
        _ => &[],
    }
}

/// The figures of a component by name and what its base is multiplied by: `name = value; name = value`.
fn inputs(names: &[&str], component: &Component, level: f64) -> String {
    let figures = component.figures.into_iter().flat_map(|figures| names.iter().copied().zip(figures));
    // of nothing the rate does not show
    let rest = (component.base != 0.0).then_some(("rate and factor", level));
    let named = figures.chain(rest).map(|(name, value)| format!("{name} = {}", ten_digits(value)));
    named.collect::<Vec<_>>().join("; ")
}

/// A number with ten significant digits at most, for people; sums are made of the columns.
fn ten_digits(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value) + 0.0
}

/// A charge's formula in words.
fn formula_of(charge: &Charge) -> String {
    match &charge.kind {
        ChargeKind::Roll { minimum, annualised, growth, price } => {
            let growth = match growth {
                Growth::Linear => format!("{annualised} x years"),
                Growth::Exponential => format!("exp({annualised} x years) - 1"),
            };
            format!("sum over expiries of |net delta| x max({minimum}, {growth}) x {}", price.word())
        }
        ChargeKind::Size { threshold, increment, cap } => {
            format!("|delta| x min({cap}, {increment} x coins above {threshold} of money) x index")
        }
        ChargeKind::NakedShorts => "options sold less bought per strike x index x rate".into(),
        ChargeKind::Notional { .. } => "unsigned notional x rate".into(),
        ChargeKind::MinimumDelta { unhedged, hedged } => {
            format!("({unhedged} x |net delta| + {hedged} x (gross - |net|) / 2) x index")
        }
        ChargeKind::ShortOptions { .. } => "options sold x index x rate".into(),
        ChargeKind::Calendar => "deltas that offset between expiries x index x rate".into(),
        ChargeKind::ForwardContingency { moves: [up, down], add, per_year } => format!(
            "sum over expiries of ({add} + {per_year} x years) x loss at the worse of {up:+} and {down:+}"
        ),
        ChargeKind::Confidence { threshold, .. } => {
            format!("(1 - confidence) x notional x rate where the confidence is below {threshold}")
        }
        ChargeKind::Funding { hours } => format!("funding that {hours} hours would take at today's rate"),
        ChargeKind::Fee { .. } => "fee of closing: notional x rate".into(),
        ChargeKind::TieredDelta { price, .. } => {
            format!("|delta| x {} x rate x multiplier by size", price.word())
        }
        ChargeKind::StableHedge { .. } => "volume hedged between stablecoins x marginal rates".into(),
        ChargeKind::Depeg { threshold } => {
            format!("max(0, {threshold} - peg) x (perpetuals and options sold) x index x rate")
        }
        ChargeKind::Impact { gross, coefficient, free_share } => format!(
            "|{} delta| x index x (half spread + 2/3 x {coefficient} x daily volatility x sqrt((|delta| - {free_share} x volume) / volume)) x rate",
            if *gross { "gross" } else { "net" }
        ),
        ChargeKind::Unwind { gross, participation } => format!(
            "|{} delta| x index x daily volatility x (sqrt((1 + T)(1 + 2T) / (6T)) - 1) x rate, T = |delta| / ({participation} x volume)",
            if *gross { "gross" } else { "net" }
        ),
        ChargeKind::Fixed => "an amount that the rulebook sets".into(),
        ChargeKind::NetOptionValue => "less the value of options bought, plus that of options sold".into(),
    }
}
