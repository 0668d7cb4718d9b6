//! Risk contributions as a table, with the orders that the definitions give side by side.

use super::{Answer, Value};
use crate::book::{Book, Pool, Position};
use crate::error::{Error, Result};
use crate::margin::PoolView;
use crate::margin::component::{Component, ComponentKind};
use crate::margin::contributions::{Bearer, Contribution, Group, Under, contributions, one_by_one};
use crate::margin::tail::{made_for, rule_of};
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::rulebook::tail::Statistic;

/// The header.
pub const HEADER: [&str; 16] = [
    "symbol",
    "account",
    "quantity",
    "notional",
    "standalone",
    "component",
    "marginal",
    "incremental",
    "share",
    "pnl_in_worst",
    "room_to_tier",
    "rank_component",
    "rank_marginal",
    "rank_incremental",
    "rank_notional",
    "note",
];

/// What is looked at together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Position,
    Underlying,
    Account,
    Strategy,
}

impl By {
    fn read(word: &str) -> Result<Self> {
        match word.to_lowercase().as_str() {
            "position" => Ok(Self::Position),
            "underlying" | "coin" => Ok(Self::Underlying),
            "account" => Ok(Self::Account),
            "strategy" => Ok(Self::Strategy),
            _ => Err(Error::Unknown {
                what: "group_by",
                value: word.to_owned(),
                known: "position, underlying, account, strategy".into(),
            }),
        }
    }
}

/// Groups of a pool's positions with what each is called.
fn groups(book: &Book, pool: &Pool, by: By) -> Vec<(String, Group)> {
    let held = book.positions_of(pool);
    let symbol = |position: &Position| {
        book.instruments.get(position.instrument).map_or("", |known| known.symbol.as_str()).to_owned()
    };
    if by == By::Position {
        let single = one_by_one(&PoolView::of(book, pool));
        return held.iter().map(symbol).zip(single).collect();
    }
    let mut found: Vec<(usize, Group)> = Vec::new();
    let mut add = |key: usize, member: (usize, f64)| match found.iter_mut().find(|(known, _)| *known == key) {
        Some((_, group)) => group.push(member),
        None => found.push((key, vec![member])),
    };
    for (place, position) in held.iter().enumerate() {
        match by {
            By::Underlying => {
                add(book.instrument_underlying.get(position.instrument).copied().unwrap_or(0), (place, 1.0));
            }
            By::Strategy if position.quantity != 0.0 => {
                for (strategy, quantity) in &position.strategies {
                    add(*strategy, (place, quantity / position.quantity));
                }
            }
            _ => add(0, (place, 1.0)),
        }
    }
    found.sort_by_key(|(key, _)| *key);
    let name = |key: usize| match by {
        By::Underlying => book.underlyings.get(key).map_or("", |known| known.name.as_str()).to_owned(),
        By::Strategy => match book.strategies.get(key) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => "(no strategy)".to_owned(),
        },
        _ => "positions".to_owned(),
    };
    found.into_iter().map(|(key, group)| (name(key), group)).collect()
}

/// One row before it is ranked.
struct Row {
    name: String,
    account: String,
    quantity: Option<f64>,
    part: Contribution,
    room: Option<f64>,
    note: String,
}

/// What of a book is shared out.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// `MM`, the maintenance margin; `ES` or `VaR` of the tail, whatever the margin is made of.
    pub measure: String,
    /// `position`, `underlying`, `account` or `strategy`.
    pub group_by: String,
    /// Keys of the tail that differ from the rulebook's.
    pub options: Vec<(String, String)>,
}

/// Contributions to a measure by position, underlying, account or strategy; the components of all rows sum to the
/// total. Charges, credits, loans and balances have rows of their own.
///
/// # Errors
///
/// As [`crate::margin::evaluate`]; [`Error::Unknown`] for another measure, grouping or option.
pub fn table(book: &Book, question: &Question) -> Result<Answer> {
    let by = By::read(&question.group_by)?;
    let statistic = match question.measure.to_lowercase().as_str() {
        "mm" => None,
        "es" => Some(Statistic::ExpectedShortfall),
        "var" => Some(Statistic::ValueAtRisk),
        _ => {
            return Err(Error::Unknown {
                what: "measure",
                value: question.measure.clone(),
                known: "MM, ES, VaR".into(),
            });
        }
    };
    if let (None, Some((name, _))) = (statistic, question.options.first()) {
        return Err(Error::Unknown {
            what: "option",
            value: name.clone(),
            known: "none for the measure MM: its rulebook says how it is made".into(),
        });
    }
    super::evaluated::check_complete(book)?;
    super::scope::report_currency(book, &(0..book.pools.len()).collect::<Vec<_>>())?;
    let today = MarketState::today(book);
    let mut rows = Vec::new();
    let mut totals = Vec::new();
    for pool in &book.pools {
        let (names, members): (Vec<String>, Vec<Group>) = groups(book, pool, by).into_iter().unzip();
        let view = PoolView::of(book, pool);
        let found = match statistic {
            None => contributions(&view, &today, Under::Own, &members)?,
            Some(statistic) => {
                let index = book.accounts.get(pool.account).map_or(0, |account| account.rulebook);
                let Some(own) = book.rulebooks.get(index) else { continue };
                let pure = super::tail::pure(own, statistic, &question.options)?;
                let sets = made_for(book, index, rule_of(&pure)?)?;
                contributions(&view, &today, Under::Tail(&pure, &sets), &members)?
            }
        };
        totals.push(found.whole.maintenance);
        for part in found.rows {
            rows.push(row(book, pool, (&names, &members), &found.whole.components, part));
        }
    }
    let whole = sum(totals);
    let ranks = [
        ranks(&rows, |part| Some(part.component)),
        ranks(&rows, |part| part.marginal),
        ranks(&rows, |part| part.incremental),
        ranks(&rows, |part| part.notional),
    ];
    let mut answer = Answer::new(&HEADER);
    let blank = |number: Option<f64>| number.map_or_else(|| Value::from(""), Value::from);
    for (place, own) in rows.iter().enumerate() {
        let part = &own.part;
        let mut cells: Vec<Value> = vec![
            own.name.as_str().into(),
            own.account.as_str().into(),
            blank(own.quantity),
            blank(part.notional),
            blank(part.standalone),
            part.component.into(),
            blank(part.marginal),
            blank(part.incremental),
            blank((whole > 0.0).then(|| part.component / whole)),
            blank(part.in_worst),
            blank(own.room),
        ];
        for list in &ranks {
            let rank = list.get(place).copied().flatten();
            cells.push(rank.map_or_else(|| Value::from(""), Value::from));
        }
        cells.push(own.note.as_str().into());
        answer.rows.push(cells);
    }
    let total =
        |pick: &dyn Fn(&Contribution) -> Option<f64>| sum(rows.iter().filter_map(|own| pick(&own.part)));
    let mut last: Vec<Value> = vec!["".into(); HEADER.len()];
    let cells: [(usize, Value); 5] = [
        (0, "TOTAL".into()),
        (3, total(&|part| part.notional).into()),
        (4, total(&|part| part.standalone).into()),
        (5, whole.into()),
        (8, if whole > 0.0 { 1.0.into() } else { "".into() }),
    ];
    for (slot, value) in cells {
        if let Some(cell) = last.get_mut(slot) {
            *cell = value;
        }
    }
    answer.rows.push(last);
    Ok(answer)
}

fn row(
    book: &Book,
    pool: &Pool,
    (names, members): (&[String], &[Group]),
    components: &[Component],
    part: Contribution,
) -> Row {
    let (mut quantity, mut room, mut note) = (None, None, String::new());
    let name = match part.bearer {
        Bearer::Group(place) => {
            let positions = book.positions_of(pool);
            let single = match members.get(place).map(Vec::as_slice) {
                Some([(own, share)]) => positions.get(*own).map(|position| (position, *share)),
                _ => None,
            };
            if let Some((position, share)) = single {
                quantity = Some(share * position.quantity);
                room = room_to_tier(book, position);
            }
            if part.component < 0.0 {
                note = "a hedge: closing it alone raises the margin".into();
            }
            names.get(place).cloned().unwrap_or_default()
        }
        Bearer::Balance(currency) => {
            note = "the balance moves in the scenarios".into();
            format!("collateral {}", book.currencies.get(currency).map_or("?", |known| known.code.as_str()))
        }
        Bearer::Component(place) => {
            note = "charged by itself".into();
            components.get(place).map_or_else(String::new, |own| component_name(book, pool, own))
        }
        Bearer::NotAttributable(place) => {
            note = "stands whatever is held".into();
            let name = components.get(place).map_or_else(String::new, |own| component_name(book, pool, own));
            format!("not attributable: {name}")
        }
        Bearer::Rest => "not attributable".into(),
    };
    Row { name, account: book.pool_name(pool), quantity, part, room, note }
}

/// What a charge, a credit or a loan is called.
fn component_name(book: &Book, pool: &Pool, component: &Component) -> String {
    let Some(rulebook) = book.rulebook_of(pool.account) else { return String::new() };
    let coin =
        component.unit.and_then(|coin| book.underlyings.get(coin)).map_or("", |known| known.name.as_str());
    match component.kind {
        ComponentKind::Charge { profile, charge } => {
            let known = rulebook.profiles.get(profile).and_then(|known| known.charges.get(charge));
            let name = known.map_or("charge", |own| own.name.as_str());
            if coin.is_empty() { name.to_owned() } else { format!("{name} {coin}") }
        }
        ComponentKind::Credit { credit } => {
            let legs = rulebook.credits.get(credit).map(|own| &own.legs);
            let names: Vec<&str> = legs.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            format!("credit {}", names.join(" against "))
        }
        ComponentKind::Borrowing { currency, .. } => {
            format!("borrowed {}", book.currencies.get(currency).map_or("?", |known| known.code.as_str()))
        }
        _ => String::new(),
    }
}

/// By how much the notional may grow before the next bracket, a fraction.
fn room_to_tier(book: &Book, position: &Position) -> Option<f64> {
    let table = book.tables.get(position.table)?;
    let notional = crate::market::notional(book, position, 1.0);
    let next = table.brackets.get(table.bracket_index(notional) + 1)?;
    (notional > 0.0).then(|| next.floor / notional - 1.0)
}

/// Ranks of the groups by a figure, the largest first; other rows have none.
fn ranks(rows: &[Row], of: impl Fn(&Contribution) -> Option<f64>) -> Vec<Option<usize>> {
    let mut order: Vec<(usize, f64)> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| matches!(row.part.bearer, Bearer::Group(_)))
        .filter_map(|(place, row)| Some((place, of(&row.part)?)))
        .collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut ranks = vec![None; rows.len()];
    for (rank, (place, _)) in order.into_iter().enumerate() {
        if let Some(slot) = ranks.get_mut(place) {
            *slot = Some(rank + 1);
        }
    }
    ranks
}
