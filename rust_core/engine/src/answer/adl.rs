//! Auto-deleveraging as a table: the queues of several venues, and who gives up how much of a deficit.

use super::adl_candidates::{given, own_positions};
use super::evaluated::{Evaluated, check_complete};
use super::options::number;
use super::{Answer, Value};
use crate::book::Book;
use crate::cell::Table;
use crate::error::{Error, Place, Result};
use crate::instrument::Payoff;
use crate::liquidation::adl::fill::{Fill, fills};
use crate::liquidation::adl::{Candidate, Form};
use crate::liquidation::price::shown;
use crate::liquidation::waterfall::{Layers, waterfall};

/// The header of `CM_ADL`.
pub const HEADER: [&str; 19] = [
    "form",
    "rank",
    "account",
    "symbol",
    "side",
    "qty",
    "mark",
    "pnl",
    "equity",
    "leverage",
    "bankruptcy",
    "score",
    "lights",
    "fill_qty",
    "fill",
    "price",
    "qty_left",
    "leverage_left",
    "comment",
];

/// What a deficit is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Notional,
    Quantity,
    Loss,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    form: Option<Form>,
    symbol: Option<String>,
    long: Option<bool>,
    unit: Unit,
    bankruptcy: Option<f64>,
    layers: Layers,
    inverted: bool,
    own: Option<bool>,
}

impl Question {
    /// Reads a form and options.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for a word or a key, [`Error::OutOfRange`] for a number outside its range.
    pub fn read(form: &str, pairs: &[(String, String)]) -> Result<Self> {
        let unknown = |what: &'static str, value: &str, known: String| Error::Unknown {
            what,
            value: value.to_owned(),
            known,
        };
        let form = match form.trim().to_ascii_lowercase().as_str() {
            "" | "all" => None,
            word => {
                Some(Form::ALL.iter().find(|(known, _)| *known == word).map(|(_, form)| *form).ok_or_else(
                    || {
                        unknown(
                            "form",
                            word,
                            format!("all, {}", Form::ALL.map(|(known, _)| known).join(", ")),
                        )
                    },
                )?)
            }
        };
        let mut asked = Self {
            form,
            symbol: None,
            long: None,
            unit: Unit::Notional,
            bankruptcy: None,
            layers: Layers::default(),
            inverted: false,
            own: None,
        };
        for (key, value) in pairs {
            let value = value.trim();
            let word = value.to_ascii_lowercase();
            let money = |key: &'static str| number(key, value, 0.0, f64::MAX, "at least 0");
            match (key.trim().to_ascii_lowercase().as_str(), word.as_str()) {
                ("symbol", _) => asked.symbol = Some(value.to_owned()),
                ("side", "long") => asked.long = Some(true),
                ("side", "short") => asked.long = Some(false),
                ("side", _) => return Err(unknown("side", value, "long, short".into())),
                ("unit", "notional") => asked.unit = Unit::Notional,
                ("unit", "qty") => asked.unit = Unit::Quantity,
                ("unit", "loss") => asked.unit = Unit::Loss,
                ("unit", _) => return Err(unknown("unit", value, "notional, qty, loss".into())),
                ("bankruptcy", _) => {
                    asked.bankruptcy =
                        Some(number("bankruptcy", value, f64::MIN_POSITIVE, f64::MAX, "above 0")?);
                }
                ("fund", _) => asked.layers.fund = money("fund")?,
                ("backstop", _) => asked.layers.backstop = money("backstop")?,
                ("shorts", "published") => asked.inverted = false,
                ("shorts", "inverted") => asked.inverted = true,
                ("shorts", _) => return Err(unknown("shorts", value, "published, inverted".into())),
                ("own", "yes" | "1") => asked.own = Some(true),
                ("own", "no" | "0") => asked.own = Some(false),
                ("own", _) => return Err(unknown("own", value, "yes, no".into())),
                (other, _) => {
                    let known = "symbol, side, unit, bankruptcy, fund, backstop, shorts, own";
                    return Err(unknown("option", other, known.into()));
                }
            }
        }
        if asked.unit != Unit::Loss && asked.layers != Layers::default() {
            return Err(unknown("fund", "given", "unit=loss with it: a fund pays money of a loss".into()));
        }
        Ok(asked)
    }
}

/// Ranks the book's own winners, or shares a deficit out among candidates and the book's own positions.
///
/// # Errors
///
/// [`Error::Table`] for a table of candidates with an error; what the form asked for misses.
pub fn table(
    book: &Book,
    evaluated: &Evaluated,
    candidates: Option<&Table>,
    deficit: Option<f64>,
    asked: &Question,
) -> Result<Answer> {
    check_complete(book)?;
    let mut notes = Vec::new();
    let mut list = match candidates {
        Some(table) => given(book, table, asked.symbol.as_deref())?,
        None => Vec::new(),
    };
    let only = list.is_empty();
    if asked.own != Some(false) {
        let wanted = list.first().map(|own| own.symbol.clone()).or_else(|| asked.symbol.clone());
        let (own, unknown) = own_positions(book, evaluated, wanted.as_deref())?;
        list.extend(own);
        if unknown > 0 {
            notes.push(format!("{unknown} positions without an entry price are left out"));
        }
    }
    if only {
        list.retain(|own| own.pnl() > 0.0);
        notes.push("ranked among the book's own winners; a venue ranks among all its users".to_owned());
    }
    let long = side(&mut list, asked, deficit.is_some())?;
    let contract = list.first().map(|own| (own.mark, own.payoff));
    let (wanted, paid) = wanted(deficit, asked, contract, &mut notes)?;
    let forms = asked.form.map_or_else(|| Form::ALL.map(|(_, form)| form).to_vec(), |form| vec![form]);
    let mut answer = Answer::new(&HEADER);
    for form in forms {
        if only && deficit.is_none() && !form.has_queue() {
            continue;
        }
        match fills(form, &list, wanted, asked.inverted) {
            Ok(found) => {
                for row in &found.rows {
                    answer.rows.extend(
                        list.get(row.candidate).map(|own| {
                            cells(form, own, row, &list, (asked, deficit.is_some(), wanted, paid))
                        }),
                    );
                }
                if found.uncovered > 0.0 {
                    answer.rows.push(uncovered(form, found.uncovered, wanted, paid));
                }
            }
            Err(Error::Missing { what, why, .. }) if asked.form.is_none() => {
                notes.push(format!("{} is left out: {what} is missing, {why}", form.word()));
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(long) = long {
        notes.push(format!("{} positions are deleveraged", if long { "long" } else { "short" }));
    }
    answer.note = notes.join("; ");
    Ok(answer)
}

/// Keeps the positions of the side that is deleveraged, where a deficit is shared out.
fn side(list: &mut Vec<Candidate>, asked: &Question, shared: bool) -> Result<Option<bool>> {
    if !shared && asked.long.is_none() {
        return Ok(None);
    }
    let given = || list.iter().filter(|own| !own.own);
    let long = match asked.long {
        Some(long) => long,
        None if given().count() > 0 && given().all(|own| own.quantity > 0.0) => true,
        None if given().count() > 0 && given().all(|own| own.quantity < 0.0) => false,
        None => {
            return Err(Error::Missing {
                what: "side".into(),
                why: "candidates are on both sides; say with side=long or side=short whose positions are closed"
                    .into(),
                place: Place::default(),
            });
        }
    };
    list.retain(|own| (own.quantity > 0.0) == long);
    Ok(Some(long))
}

/// The deficit as notional, and how much of the caller's unit one of it is.
fn wanted(
    deficit: Option<f64>,
    asked: &Question,
    contract: Option<(f64, Payoff)>,
    notes: &mut Vec<String>,
) -> Result<(f64, f64)> {
    let Some(deficit) = deficit else { return Ok((0.0, 1.0)) };
    if !(deficit.is_finite() && deficit >= 0.0) {
        return Err(Error::OutOfRange {
            name: "deficit".into(),
            value: deficit,
            must_be: "finite and at least 0",
            place: Place::default(),
        });
    }
    let Some((mark, payoff)) = contract else { return Ok((deficit, 1.0)) };
    let one = payoff.notional(1.0, mark);
    match asked.unit {
        Unit::Notional => Ok((deficit, 1.0)),
        Unit::Quantity => Ok((deficit * one, one.recip())),
        Unit::Loss => {
            let price = asked.bankruptcy.ok_or_else(|| Error::Missing {
                what: "bankruptcy".into(),
                why: "unit=loss needs the bankruptcy price at which the winners are closed".into(),
                place: Place::default(),
            })?;
            let per_unit = payoff.profit(1.0, price, mark).abs();
            if per_unit == 0.0 {
                return Err(Error::NoAnswer {
                    why: "at a bankruptcy price equal to the mark closing winners pays for no loss".into(),
                });
            }
            let paid = waterfall(&[deficit], asked.layers)?;
            let winners = paid.first().map_or(deficit, |own| own.winners);
            if let Some(own) = paid.first().filter(|_| asked.layers != Layers::default()) {
                notes.push(format!(
                    "of a loss of {} the backstop pays {}, the fund {}, the winners {}",
                    shown(deficit),
                    shown(own.backstop),
                    shown(own.fund),
                    shown(own.winners)
                ));
            }
            Ok((winners / per_unit * one, per_unit / one))
        }
    }
}

fn cells(
    form: Form,
    own: &Candidate,
    row: &Fill,
    list: &[Candidate],
    (asked, shared, wanted, per_notional): (&Question, bool, f64, f64),
) -> Vec<Value> {
    let one = own.payoff.notional(1.0, own.mark);
    let closed = row.notional / one;
    let price = match (form, asked.bankruptcy) {
        (Form::Hyperliquid | Form::Okx, _) | (_, None) => own.mark,
        (_, Some(price)) => price,
    };
    let left = own.quantity.abs() - closed;
    // closing at a price other than the mark moves the equity
    let equity = own.equity - own.payoff.profit(own.quantity.signum() * closed, price, own.mark);
    let mut comment = Vec::new();
    if own.own {
        comment.push("a position of the book".to_owned());
    }
    if row.rank.is_none() {
        comment.push("no profit: not in this queue".to_owned());
    }
    if !row.score.is_finite() {
        comment.push("equity at or below zero".to_owned());
    }
    if form == Form::Hyperliquid && own.quantity < 0.0 && !asked.inverted {
        comment.push("the published ratio falls with a short's profit (option shorts)".to_owned());
    }
    if shared && wanted > 0.0 && closed > 0.0 && list.len() > 1 {
        comment.push(format!("bears {:.1} % of the deficit", 100.0 * row.notional / wanted));
    }
    let given = |value: f64| if shared { value.into() } else { Value::Missing };
    vec![
        form.word().into(),
        row.rank.map_or(Value::Missing, Value::from),
        own.account.as_str().into(),
        own.symbol.as_str().into(),
        if own.quantity > 0.0 { "long" } else { "short" }.into(),
        own.quantity.abs().into(),
        own.mark.into(),
        own.pnl().into(),
        own.equity.into(),
        own.leverage().into(),
        own.bankruptcy.into(),
        row.score.is_finite().then_some(row.score).into(),
        row.lights.map_or(Value::Missing, Value::from),
        given(closed),
        given(row.notional * per_notional),
        given(price),
        given(left),
        (shared && equity > 0.0).then(|| own.payoff.notional(left, own.mark) / equity).into(),
        comment.join("; ").into(),
    ]
}

/// The row of what nobody is left to give up.
fn uncovered(form: Form, notional: f64, wanted: f64, per_notional: f64) -> Vec<Value> {
    let mut row: Vec<Value> = vec![Value::Missing; HEADER.len()];
    let share = 100.0 * notional / wanted;
    let texts: [(usize, Value); 5] = [
        (0, form.word().into()),
        (2, "UNCOVERED".into()),
        (3, "".into()),
        (14, (notional * per_notional).into()),
        (
            18,
            format!(
                "{share:.1} % of the deficit is left when every winner is closed: it is socialised or unpaid"
            )
            .into(),
        ),
    ];
    for (place, value) in texts {
        if let Some(slot) = row.get_mut(place) {
            *slot = value;
        }
    }
    row
}
