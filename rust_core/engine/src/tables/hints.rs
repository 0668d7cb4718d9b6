//! What the columns beside a symbol say about its contract, and the contract that both describe.

use super::date;
use super::option_symbol;
use super::symbol::{self, Doubt, Form, Parsed};
use super::words::{WordColumn, yes_or_no};
use crate::cell::Cell;
use crate::instrument::{ContractKind, Instrument, OptionRight, OptionTerms, Payoff, Strike};

/// Names of the columns that explain symbols, in the order of [`Hints::read`].
pub(super) const HINTS: [&str; 6] = ["type", "underlying", "settle", "inverse", "expiry", "optionType"];
/// Places of the columns in a [`Refusal`]: the symbol, then [`HINTS`], then the strike.
const TYPE: usize = 1;
const EXPIRY: usize = 5;
const RIGHT: usize = 6;
/// Place of the column of strikes in a [`Refusal`].
pub(super) const STRIKE: usize = 7;

/// A refusal: place of the column (0 for the symbol, then [`HINTS`], then the strike), code, rule, fix.
pub(super) type Refusal = (usize, &'static str, String, &'static str);

/// What the explaining columns say.
#[derive(Default)]
pub(super) struct Hints {
    kind: Option<KindHint>,
    payoff: Option<Payoff>,
    underlying: Option<String>,
    settle: Option<String>,
    inverse: Option<bool>,
    expiry: Option<String>,
    expiry_instant: Option<i64>,
    right: Option<OptionRight>,
    /// Strike of the row.
    pub(super) strike: StrikeCell,
    /// Whether the row says how many seconds its contract has left, so that no date is needed.
    pub(super) has_seconds: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum KindHint {
    Perpetual,
    /// Deribit calls perpetuals futures too, so the symbol has a say.
    Future,
    Spot,
    Option,
}

/// What stands in the column of strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum StrikeCell {
    /// Nothing.
    #[default]
    Empty,
    /// A finite number, as its bits.
    Number(u64),
    /// Something else: code and rule.
    Bad(&'static str, &'static str),
}

impl StrikeCell {
    fn number(self) -> Option<f64> {
        match self {
            Self::Number(bits) => Some(f64::from_bits(bits)),
            Self::Empty | Self::Bad(..) => None,
        }
    }
}

impl Hints {
    /// Reads the columns of a row.
    pub(super) fn read(columns: &[WordColumn<'_>; 6], row: usize) -> Result<Self, Refusal> {
        let mut hints = Self::default();
        for (place, words) in columns.iter().enumerate() {
            let column = place + 1;
            let text = match words.word(words.code(row)) {
                Cell::Empty => continue,
                Cell::Error(_) => {
                    return Err((
                        column,
                        "error_cell",
                        format!("{} holds a spreadsheet error", words.header()),
                        "repair the formula of the cell",
                    ));
                }
                cell => cell.shown(),
            };
            match place {
                0 => kind_hint(&text, column, words.header(), &mut hints)?,
                1 => hints.underlying = Some(symbol::coin_name(&text)),
                2 => hints.settle = Some(symbol::coin_name(&text)),
                3 => {
                    let flag = yes_or_no(&text).ok_or_else(|| {
                        (
                            column,
                            "not_yes_or_no",
                            format!("{} takes yes or no, was {text}", words.header()),
                            "write yes or no",
                        )
                    })?;
                    hints.inverse = Some(flag);
                }
                4 if matches!(text.to_lowercase().as_str(), "0" | "none" | "perpetual" | "perp" | "-") => {}
                4 => {
                    let (expiry, instant) = date::moment(&text).ok_or_else(|| {
                        (
                            column,
                            "not_a_date",
                            format!("{} needs a date that can mean one day only, was {text}", words.header()),
                            "write it as 2026-03-27",
                        )
                    })?;
                    // Venues give perpetuals an expiry in the year 3000.
                    if expiry.as_str() < "2200" {
                        (hints.expiry, hints.expiry_instant) = (Some(expiry), instant);
                    }
                }
                _ if matches!(text.to_lowercase().as_str(), "none" | "-" | "na" | "n/a") => {}
                _ => {
                    let right = option_symbol::right(&text.to_uppercase()).ok_or_else(|| {
                        (
                            column,
                            "option_type_unknown",
                            format!("{} takes call, put, C or P, was {text}", words.header()),
                            "correct the word or clear the cell",
                        )
                    })?;
                    hints.right = Some(right);
                }
            }
        }
        Ok(hints)
    }

    fn says_option(&self) -> bool {
        self.kind == Some(KindHint::Option)
            || self.right.is_some()
            || self.strike.number().is_some_and(|strike| strike > 0.0)
    }
}

fn kind_hint(text: &str, column: usize, header: &str, hints: &mut Hints) -> Result<(), Refusal> {
    let word: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let (kind, payoff) = match word.as_str() {
        "swap" | "perp" | "perpetual" | "perpetuals" | "perpetualswap" => (Some(KindHint::Perpetual), None),
        "linearperpetual" => (Some(KindHint::Perpetual), Some(Payoff::Linear)),
        "inverseperpetual" => (Some(KindHint::Perpetual), Some(Payoff::Inverse)),
        "future" | "futures" | "delivery" | "currentquarter" | "nextquarter" => {
            (Some(KindHint::Future), None)
        }
        "linearfutures" => (Some(KindHint::Future), Some(Payoff::Linear)),
        "inversefutures" => (Some(KindHint::Future), Some(Payoff::Inverse)),
        "linear" => (None, Some(Payoff::Linear)),
        "inverse" => (None, Some(Payoff::Inverse)),
        "spot" => (Some(KindHint::Spot), None),
        // Hyperliquid's word for one-way mode.
        "oneway" => (None, None),
        "option" | "options" => (Some(KindHint::Option), None),
        _ => {
            return Err((
                column,
                "type_unknown",
                format!("{header} takes perpetual, future, spot, option, linear or inverse, was {text}"),
                "correct the word or clear the cell",
            ));
        }
    };
    hints.kind = kind;
    hints.payoff = payoff;
    Ok(())
}

/// Strike and right of an option, from its symbol and its columns; `None` of what is no option.
fn option_terms(symbol: &str, parsed: &Parsed, hints: &Hints) -> Result<Option<OptionTerms>, Refusal> {
    let differs = |column, code, what, said: String, own: String| {
        let message = format!("the {what} of this row is {own}, its symbol {symbol} says {said}");
        Err((column, code, message, "correct the symbol or the column"))
    };
    if parsed.option.is_none() && !hints.says_option() {
        if hints.strike.number().is_some_and(|strike| strike < 0.0) {
            return Err(not_positive(hints.strike));
        }
        return Ok(None);
    }
    if matches!(hints.kind, Some(KindHint::Perpetual | KindHint::Future | KindHint::Spot)) {
        return Err((
            TYPE,
            "type_differs",
            format!("the type of this row is no option, {symbol} and its strike or right say that it is one"),
            "correct the type, or clear strike and optionType",
        ));
    }
    if let StrikeCell::Bad(code, rule) = hints.strike {
        return Err((STRIKE, code, format!("the strike {rule}"), "write it as 90000"));
    }
    let own_strike = hints.strike.number();
    if own_strike.is_some_and(|strike| strike <= 0.0) {
        return Err(not_positive(hints.strike));
    }
    let strike = match (parsed.option, own_strike) {
        (Some(OptionTerms { strike: Strike(said), .. }), Some(own))
            if (own - said).abs() > 1e-9 * said.abs() =>
        {
            return differs(STRIKE, "strike_differs", "strike", said.to_string(), own.to_string());
        }
        (Some(OptionTerms { strike, .. }), _) => Some(strike),
        (None, own) => own.map(Strike),
    };
    let right = match (parsed.option, hints.right) {
        (Some(OptionTerms { right: said, .. }), Some(own)) if own != said => {
            return differs(RIGHT, "right_differs", "right", said.word().into(), own.word().into());
        }
        (Some(OptionTerms { right, .. }), _) => Some(right),
        (None, own) => own,
    };
    if let (Some(said), Some(own)) = (&parsed.expiry, &hints.expiry)
        && said != own
    {
        return differs(EXPIRY, "expiry_differs", "expiry", said.clone(), own.clone());
    }
    let missing: Vec<&str> = [
        ("strike", strike.is_none()),
        ("optionType", right.is_none()),
        ("expiry", parsed.expiry.is_none() && hints.expiry.is_none() && !hints.has_seconds),
    ]
    .into_iter()
    .filter_map(|(name, missing)| missing.then_some(name))
    .collect();
    match (strike, right) {
        (Some(strike), _) if strike.0 <= 0.0 => Err(not_positive(StrikeCell::Number(strike.0.to_bits()))),
        (Some(strike), Some(right)) if missing.is_empty() => Ok(Some(OptionTerms { strike, right })),
        _ => Err((
            0,
            "option_incomplete",
            format!("{symbol} is an option, and nothing says its {}", missing.join(" and its ")),
            "fill the columns strike, optionType and expiry",
        )),
    }
}

fn not_positive(strike: StrikeCell) -> Refusal {
    let shown = strike.number().map_or_else(String::new, |strike| strike.to_string());
    (
        STRIKE,
        "strike_not_positive",
        format!("the strike of an option must be above zero, was {shown}"),
        "correct the strike",
    )
}

/// The contract that a symbol and its columns describe: explicit columns win over what the symbol says, except
/// that an option whose columns contradict its symbol is refused.
pub(super) fn merge(
    symbol: String,
    parsed: Parsed,
    hints: Hints,
    default_settle: &str,
    venue: Option<&str>,
) -> Result<(Instrument, Form, Option<Doubt>), Refusal> {
    let option = option_terms(&symbol, &parsed, &hints)?;
    let Parsed { underlying, settle, kind, payoff, expiry, form, doubt, .. } = parsed;
    let explained = match doubt {
        Some(Doubt::Payoff) => hints.inverse.is_some() || hints.payoff.is_some() || hints.settle.is_some(),
        Some(Doubt::Kind) => hints.kind.is_some(),
        Some(Doubt::Separators) => hints.underlying.is_some(),
        None => true,
    };
    let underlying = hints.underlying.unwrap_or(underlying);
    let payoff = (hints.inverse.map(|inverse| if inverse { Payoff::Inverse } else { Payoff::Linear }))
        .or(hints.payoff)
        .unwrap_or_else(|| match (&hints.settle, payoff) {
            (Some(given), Payoff::Inverse) if *given != underlying => Payoff::Linear,
            (Some(given), Payoff::Linear) if *given == underlying && settle.is_none() => Payoff::Inverse,
            _ => payoff,
        });
    let expiry = hints.expiry.or(expiry);
    let says_perpetual = venue == Some("deribit")
        || symbol.to_uppercase().contains("PERP")
        || symbol.contains("SWAP")
        || symbol.contains(':');
    let kind = match hints.kind {
        _ if option.is_some() => ContractKind::Option,
        Some(KindHint::Spot) => ContractKind::Spot,
        Some(KindHint::Perpetual) => ContractKind::Perpetual,
        Some(KindHint::Future) if expiry.is_none() && says_perpetual => kind,
        Some(KindHint::Future) => ContractKind::Future,
        // A symbol that is joined from two coins, and a type that says linear, is a contract.
        _ if hints.payoff.is_some() && kind == ContractKind::Spot => ContractKind::Perpetual,
        _ if expiry.is_some() => ContractKind::Future,
        _ => kind,
    };
    let payoff = if kind == ContractKind::Spot { Payoff::Linear } else { payoff };
    let settle = hints.settle.unwrap_or_else(|| match (payoff, settle) {
        (Payoff::Inverse, _) => underlying.clone(),
        (Payoff::Linear, Some(settle)) if settle != underlying => settle,
        (Payoff::Linear, _) => default_settle.to_owned(),
    });
    let dated = matches!(kind, ContractKind::Future | ContractKind::Option);
    let (expiry, expiry_instant) = if dated { (expiry, hints.expiry_instant) } else { (None, None) };
    let instrument = Instrument { symbol, underlying, settle, kind, payoff, expiry, expiry_instant, option };
    Ok((instrument, form, doubt.filter(|_| !explained)))
}
