//! The columns from which options are valued: forward, implied volatility, rate, time and confidence.

use super::columns::Columns;
use super::notes::Notes;
use super::number::{NumberColumn, Refused, Rule, Value};
use crate::finding::Severity;

/// Plain volatilities above this are percent, others fractions.
const LARGEST_FRACTION: f64 = 5.0;

/// A forward may differ by this share from the sum of its parts.
const PARTS_APART: f64 = 1e-4;

/// What a row says about the market of its contract, beyond the mark.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quoted {
    /// Price for delivery at expiry, quote currency; the sum of its two parts where only those are given.
    pub forward: Option<f64>,
    /// The part of the forward that settlement has fixed already.
    pub forward_fixed: Option<f64>,
    /// Implied volatility, a fraction per year.
    pub implied_volatility: Option<f64>,
    /// Interest rate, a fraction per year.
    pub rate: Option<f64>,
    /// Seconds to expiry; negative once expired.
    pub seconds_to_expiry: Option<f64>,
    /// Confidence in the quote itself, 0 to 1.
    pub confidence: Option<f64>,
    /// Confidence in forward and rate, the smaller of the two.
    pub forward_confidence: Option<f64>,
    /// Funding rate per eight hours.
    pub funding_rate: Option<f64>,
}

impl Quoted {
    /// What this row says, and where it says nothing what the other does. A forward and its fixed part stay
    /// together.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        let whole = self.forward.is_some();
        Self {
            forward: self.forward.or(other.forward),
            forward_fixed: self.forward_fixed.or(other.forward_fixed.filter(|_| !whole)),
            implied_volatility: self.implied_volatility.or(other.implied_volatility),
            rate: self.rate.or(other.rate),
            seconds_to_expiry: self.seconds_to_expiry.or(other.seconds_to_expiry),
            confidence: self.confidence.or(other.confidence),
            forward_confidence: self.forward_confidence.or(other.forward_confidence),
            funding_rate: self.funding_rate.or(other.funding_rate),
        }
    }

    /// Every figure, in a fixed order.
    pub(crate) fn figures(&self) -> [Option<f64>; 8] {
        [
            self.forward,
            self.forward_fixed,
            self.implied_volatility,
            self.rate,
            self.seconds_to_expiry,
            self.confidence,
            self.forward_confidence,
            self.funding_rate,
        ]
    }
}

/// In which unit the plain numbers of a column of volatilities are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Fraction,
    Percent,
    Unclear,
}

/// Columns of a table, each resolved once.
pub(super) struct QuotedColumns<'a> {
    forward: NumberColumn<'a>,
    fixed: NumberColumn<'a>,
    variable: NumberColumn<'a>,
    volatility: NumberColumn<'a>,
    unit: Unit,
    rate: NumberColumn<'a>,
    seconds: NumberColumn<'a>,
    confidence: NumberColumn<'a>,
    forward_confidence: NumberColumn<'a>,
    rate_confidence: NumberColumn<'a>,
    funding: NumberColumn<'a>,
    any: bool,
}

const NAMES: [&str; 10] = [
    "forward",
    "forwardFixed",
    "forwardVariable",
    "markIv",
    "rate",
    "secondsToExpiry",
    "confidence",
    "forwardConfidence",
    "rateConfidence",
    "fundingRate",
];

impl<'a> QuotedColumns<'a> {
    pub(super) fn new(columns: &Columns<'a>, notes: &mut Notes) -> Self {
        let volatility = columns.numbers("markIv");
        let unit = unit(&volatility, columns.rows());
        if unit == Unit::Percent {
            let header = volatility.header();
            let message = format!("every number of {header} is above 5 and is read as percent: 60 is 0.6");
            let fix = "write 60% or 0.6 to decide it".to_owned();
            notes.column(Severity::Info, header, "volatility_in_percent", message, fix);
        }
        Self {
            forward: columns.numbers("forward"),
            fixed: columns.numbers("forwardFixed"),
            variable: columns.numbers("forwardVariable"),
            volatility,
            unit,
            rate: columns.numbers("rate"),
            seconds: columns.numbers("secondsToExpiry"),
            confidence: columns.numbers("confidence"),
            forward_confidence: columns.numbers("forwardConfidence"),
            rate_confidence: columns.numbers("rateConfidence"),
            funding: columns.numbers("fundingRate"),
            any: NAMES.iter().any(|name| columns.has(name)),
        }
    }

    /// What a row says; nothing of what only an option needs where the row is of another contract.
    pub(super) fn read(&self, row: usize, option: bool, notes: &mut Notes) -> Result<Quoted, Refused> {
        if !self.any {
            return Ok(Quoted::default());
        }
        let confidence = self.confidence.read(row, Rule::Fraction, notes);
        let funding_rate = self.funding.read(row, Rule::Rate, notes);
        let seconds_to_expiry = self.seconds.read(row, Rule::Finite, notes);
        if !option {
            return Ok(Quoted {
                confidence: confidence?,
                funding_rate: funding_rate?,
                seconds_to_expiry: seconds_to_expiry?,
                ..Quoted::default()
            });
        }
        let forward = self.forward.read(row, Rule::Price, notes);
        let fixed = self.fixed.read(row, Rule::NotNegative, notes);
        let variable = self.variable.read(row, Rule::NotNegative, notes);
        let implied_volatility = self.volatility(row, notes);
        let rate = self.rate.read(row, Rule::Rate, notes);
        let forward_confidence = self.forward_confidence.read(row, Rule::Fraction, notes);
        let rate_confidence = self.rate_confidence.read(row, Rule::Fraction, notes);
        let (forward, fixed, variable) = (forward?, fixed?, variable?);
        if let (Some(whole), Some(open)) = (forward, variable) {
            let sum = open + fixed.unwrap_or(0.0);
            if (sum - whole).abs() > PARTS_APART * whole {
                notes.row(Severity::Warning, row + 2, self.forward.header(), "forward_parts_differ", || {
                    let message =
                        format!("the forward {whole} is not the sum {sum} of its fixed and open parts; {whole} is used");
                    (self.forward.shown(row), message, "correct one of them, or leave the forward out".into())
                });
            }
        }
        let forward = forward.or(variable.map(|open| open + fixed.unwrap_or(0.0)).filter(|sum| *sum > 0.0));
        if let (Some(whole), Some(fixed)) = (forward, fixed)
            && fixed > whole
        {
            return self.fixed.refuse(row, "forward_fixed_too_large", "must not exceed the forward", notes);
        }
        let (forward_confidence, rate_confidence) = (forward_confidence?, rate_confidence?);
        Ok(Quoted {
            forward,
            forward_fixed: fixed,
            implied_volatility: implied_volatility?,
            rate: rate?,
            seconds_to_expiry: seconds_to_expiry?,
            confidence: confidence?,
            forward_confidence: match (forward_confidence, rate_confidence) {
                (Some(forward), Some(rate)) => Some(forward.min(rate)),
                (forward, rate) => forward.or(rate),
            },
            funding_rate: funding_rate?,
        })
    }

    fn volatility(&self, row: usize, notes: &mut Notes) -> Result<Option<f64>, Refused> {
        let read = match (self.volatility.value(row), self.unit) {
            (Value::Number(value), Unit::Unclear) if value > 0.0 => {
                return self.volatility.refuse(
                    row,
                    "volatility_unit_unclear",
                    "has numbers above 5 and others that are not, so that nobody can tell percent from fractions",
                    notes,
                );
            }
            (Value::Number(value), Unit::Percent) => Some(value / 100.0),
            _ => self.volatility.read(row, Rule::Volatility, notes)?,
        };
        if read.is_some_and(|value| value <= 0.0) {
            return self.volatility.refuse(
                row,
                "volatility_not_positive",
                "must be above zero: no option is priced from a volatility of zero",
                notes,
            );
        }
        Ok(read)
    }
}

/// The unit of the plain numbers of a column; numbers that are refused anyway have no say.
fn unit(column: &NumberColumn<'_>, rows: usize) -> Unit {
    if column.header().to_lowercase().ends_with("fraction") {
        return Unit::Fraction; // the header says it
    }
    let (mut above, mut below) = (false, false);
    for row in 0..rows {
        if let Value::Number(value) = column.value(row)
            && value > 0.0
        {
            *(if value > LARGEST_FRACTION { &mut above } else { &mut below }) = true;
        }
    }
    match (above, below) {
        (true, true) => Unit::Unclear,
        (true, false) => Unit::Percent,
        _ => Unit::Fraction,
    }
}
