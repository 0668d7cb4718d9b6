//! What trades would make of a book: `CM_WHATIF` and `CM_IMPACT`.

use std::borrow::Cow;

use super::evaluated::{Evaluated, check_complete};
use super::scope::report_currency;
use super::summary::{Danger, danger};
use super::{Answer, Value};
use crate::book::{Book, Pool};
use crate::cell::Table;
use crate::error::{Error, Result};
use crate::margin::component::{Component, ComponentKind};
use crate::margin::tiers::brackets_only;
use crate::margin::{PoolState, PoolView};
use crate::numeric::accumulate::sum;
use crate::plan::impact::of_state;
use crate::plan::whatif::{Change, changes};
use crate::plan::{Account, Figure, Origin, Stage, Trade, Wanted, trades};
use crate::rulebook::Rulebook;

/// The header of `CM_WHATIF`.
pub const HEADER: [&str; 5] = ["measure", "before", "after", "change", "note"];

/// The trades of a table, on a stage that has their contracts.
fn staged<'a>(book: &'a Book, origin: Option<Origin<'_>>, table: &Table) -> Result<(Stage<'a>, Vec<Trade>)> {
    check_complete(book)?;
    let trades = trades::read(book, table)?;
    let wanted: Vec<Wanted> = trades.iter().map(Trade::wanted).collect();
    Ok((Stage::new(book, origin, &wanted, &[])?, trades))
}

/// A book of one pool as it stands after what was done to it: questions that walk along prices take a book.
fn alone(account: &Account<'_>) -> Option<Book> {
    let mut book = account.book.clone();
    let own = Pool {
        account: account.account,
        kind: account.kind,
        positions: 0..account.positions.len(),
        balances: account.balances.clone(),
        orders: account.orders.clone(),
    };
    book.positions.clone_from(&account.positions);
    book.pools = vec![own];
    Some(book)
}

/// The nearest trigger of an account and what is closed first there.
fn danger_of(account: &Account<'_>, state: &PoolState) -> Result<Option<Danger>> {
    if account.positions.is_empty() {
        return Ok(None);
    }
    let Some(book) = alone(account) else { return Ok(None) };
    book.pools.first().map(|pool| danger(&book, pool, state)).transpose()
}

/// Relative move to the nearest trigger; zero where the account is liquidatable now.
pub(super) fn nearest_of(account: &Account<'_>, state: &PoolState) -> Result<f64> {
    let found = danger_of(account, state)?;
    match found {
        Some(danger) if danger.now => Ok(0.0),
        Some(Danger { ahead: Some(ahead), .. }) => Ok(ahead.ratio - 1.0),
        _ => Err(Error::NoAnswer {
            why: format!(
                "no price inside {} times today's liquidates the account",
                super::price::SEARCH_LIMIT
            ),
        }),
    }
}

/// One figure of the whole book after trades: money is added up over pools, of usage the largest and of excesses and
/// triggers the worst pool counts.
///
/// # Errors
///
/// [`Error::Unknown`] for a word or an account, [`Error::Missing`] for a contract that cannot be priced,
/// [`Error::NoAnswer`] where the figure does not exist; as [`crate::margin::evaluate`].
pub fn number(
    book: &Book,
    evaluated: &Evaluated,
    origin: Option<Origin<'_>>,
    table: &Table,
    measure: &str,
) -> Result<f64> {
    let figure = Figure::read(measure)?;
    let (stage, trades) = staged(book, origin, table)?;
    let changes = changes(&stage, &trades, &|pool| evaluated.prepared(book, pool))?;
    let names: Vec<String> = changes.iter().map(|own| pool_name(&stage, own.pool)).collect();
    let mut found: Vec<f64> = Vec::new();
    for (index, pool) in book.pools.iter().enumerate() {
        if names.contains(&book.pool_name(pool)) {
            continue;
        }
        let state = evaluated.pool(index)?;
        match figure {
            Figure::Nearest => found.extend(nearest_of(&Account::of(book, pool), state).ok()),
            _ => found.push(of_state(figure, state)?),
        }
    }
    for own in &changes {
        match figure {
            Figure::Nearest => found.extend(nearest_of(&own.after, &own.state_after).ok()),
            _ => found.push(of_state(figure, &own.state_after)?),
        }
    }
    let least = |of: &dyn Fn(&f64) -> f64| found.iter().copied().min_by(|a, b| of(a).total_cmp(&of(b)));
    match figure {
        Figure::Usage => least(&|own: &f64| -own),
        Figure::Excess | Figure::ExcessInitial => least(&|own: &f64| *own),
        Figure::Nearest => least(&|own: &f64| own.abs()),
        _ => {
            report_currency(book, &(0..book.pools.len()).collect::<Vec<_>>())?;
            Some(sum(found.iter().copied()))
        }
    }
    .ok_or_else(|| Error::NoAnswer { why: "no price that was searched liquidates any account".into() })
}

pub(super) fn pool_name(stage: &Stage<'_>, pool: usize) -> String {
    stage.book().pools.get(pool).map_or_else(String::new, |own| stage.book().pool_name(own))
}

/// Before, after and change of every figure and component of the pools that trades touch.
///
/// `measure` is `table`, or `all` with the nearest trigger and what is liquidated first under every rulebook; `table`
/// has them where a closed form gives them.
///
/// # Errors
///
/// As [`number`].
pub fn table(
    book: &Book,
    evaluated: &Evaluated,
    origin: Option<Origin<'_>>,
    table: &Table,
    measure: &str,
) -> Result<Answer> {
    let whole = match measure.trim().to_lowercase().as_str() {
        "" | "table" => false,
        "all" => true,
        _ => {
            return Err(Error::Unknown {
                what: "measure",
                value: measure.to_owned(),
                known: "table, all, MM, IM, usage, excess, excess_im, equity, nearest".into(),
            });
        }
    };
    let (stage, trades) = staged(book, origin, table)?;
    let changes = changes(&stage, &trades, &|pool| evaluated.prepared(book, pool))?;
    let mut answer = Answer::new(&HEADER);
    answer.note =
        "dealt at the price given, else at the mark, without fees; the whole account is measured again"
            .into();
    for own in &changes {
        let prefix =
            if changes.len() > 1 { format!("{}: ", pool_name(&stage, own.pool)) } else { String::new() };
        rows(&mut answer, &prefix, own, whole)?;
    }
    Ok(answer)
}

fn rows(answer: &mut Answer, prefix: &str, own: &Change<'_>, whole: bool) -> Result<()> {
    let (before, after) = (&own.state_before, &own.state_after);
    let mut put = |name: &str, values: [Option<f64>; 2], note: &str| {
        let change = values[0].zip(values[1]).map(|(from, to)| to - from);
        answer.rows.push(vec![
            format!("{prefix}{name}").into(),
            values[0].into(),
            values[1].into(),
            change.into(),
            note.into(),
        ]);
    };
    let both = |of: &dyn Fn(&PoolState) -> Option<f64>| [of(before), of(after)];
    let missing = after.requirement.initial_missing.clone().unwrap_or_default();
    put("equity", both(&|s| Some(s.equity.gross)), "everything at full value");
    put("equity_adjusted", both(&|s| Some(s.equity.maintenance)), "as the maintenance level counts it");
    put("equity_initial", both(&|s| Some(s.equity.initial)), "as the initial level counts it");
    put("im", both(&|s| s.requirement.initial), &missing);
    put("mm", both(&|s| Some(s.requirement.maintenance)), "");
    put("order_margin", both(&|s| Some(s.requirement.order_margin)), "part of im");
    put("usage", both(&|s| s.usage), "trigger x mm / equity_adjusted");
    put("excess_im", both(&|s| s.excess_initial), "");
    put("excess_mm", both(&|s| Some(s.excess)), "below zero: liquidatable");
    let words = |name: &str, from: String, to: String, note: &str| {
        let changed = if from == to { "same" } else { "changed" };
        vec![format!("{prefix}{name}").into(), from.into(), to.into(), changed.into(), Value::from(note)]
    };
    let status = words("status", before.status.word().into(), after.status.word().into(), "");
    let mut texts = vec![status];
    let cheap = brackets_only(&own.before.view())? && brackets_only(&own.after.view())?;
    if whole || cheap {
        let dangers = [danger_of(&own.before, before)?, danger_of(&own.after, after)?];
        let moves = dangers.each_ref().map(|found| match found {
            Some(danger) if danger.now => Some(0.0),
            Some(danger) => danger.ahead.map(|ahead| ahead.ratio - 1.0),
            None => None,
        });
        let told = |of: &dyn Fn(&Danger) -> String| {
            dangers.each_ref().map(|found| found.as_ref().map_or_else(|| "none".to_owned(), of))
        };
        let [from, to] = told(&|danger| danger.trigger.clone());
        put("nearest_move", moves, &format!("{from} before, {to} after"));
        let [from, to] = told(&|danger| danger.first.clone());
        texts.push(words("first_liquidated", from, to, "at the nearest trigger"));
    }
    answer.rows.extend(texts);
    component_rows(answer, prefix, own)
}

/// Amount of a component and whether it counts: by level (maintenance, initial), before and after.
type Levels = [[Option<(f64, bool)>; 2]; 2];

/// Components of both, matched by what they are; of positions one by one those that change.
fn component_rows(answer: &mut Answer, prefix: &str, own: &Change<'_>) -> Result<()> {
    let rulebook = own.after.view().rulebook()?;
    let mut rows: Vec<(String, bool, Levels)> = Vec::new();
    for (side, (account, state)) in
        [(&own.before, &own.state_before), (&own.after, &own.state_after)].into_iter().enumerate()
    {
        for component in &state.requirement.components {
            let name = name_of(account.view(), rulebook, component);
            let single = matches!(component.kind, ComponentKind::Position { .. });
            let place = rows.iter().position(|(known, ..)| *known == name);
            let place = place.unwrap_or_else(|| {
                rows.push((name, single, [[None; 2]; 2]));
                rows.len() - 1
            });
            for (level, share) in [component.maintenance, component.initial].into_iter().enumerate() {
                if let Some(slot) = rows.get_mut(place).and_then(|row| row.2.get_mut(level)?.get_mut(side)) {
                    // two of one name, such as legs, are one row
                    let (sum, counts) = slot.unwrap_or((0.0, false));
                    *slot = Some((sum + share.amount, counts || share.counts));
                }
            }
        }
    }
    for (name, single, levels) in rows {
        for (level, [before, after]) in ["mm", "im"].into_iter().zip(levels) {
            let amount = |own: Option<(f64, bool)>| own.map_or(0.0, |(amount, _)| amount);
            let counts = |own: Option<(f64, bool)>| own.is_some_and(|(_, counts)| counts);
            let (from, to) = (amount(before), amount(after));
            if (single && from == to) || (from == 0.0 && to == 0.0) {
                continue;
            }
            let note = match (counts(before), counts(after)) {
                (true, true) => "counts",
                (true, false) => "counted before",
                (false, true) => "counts after",
                (false, false) => "does not count",
            };
            answer.rows.push(vec![
                format!("{prefix}{level}: {name}").into(),
                from.into(),
                to.into(),
                (to - from).into(),
                note.into(),
            ]);
        }
    }
    Ok(())
}

/// What a component is called here: its coin and what it is, without the scenario, which may change.
fn name_of(view: PoolView<'_>, rulebook: &Rulebook, component: &Component) -> String {
    let book = view.book;
    let unit =
        component.unit.and_then(|coin| book.underlyings.get(coin)).map_or("all", |own| own.name.as_str());
    let profile = |place: usize| rulebook.profiles.get(place);
    let title: Cow<'_, str> = match component.kind {
        ComponentKind::Scenarios { profile: own, set, .. } => {
            let name = profile(own).and_then(|own| own.sets.get(set)).map_or("scenarios", |set| &set.name);
            format!("worst of {name}").into()
        }
        ComponentKind::Charge { profile: own, charge } => {
            profile(own).and_then(|own| own.charges.get(charge)).map_or("charge", |own| &own.name).into()
        }
        ComponentKind::Credit { credit } => {
            let legs = rulebook.credits.get(credit).map_or(&[][..], |own| &own.legs);
            let names: Vec<&str> = legs.iter().map(|(name, _)| name.as_str()).collect();
            format!("credit {}", names.join(" against ")).into()
        }
        ComponentKind::Position { position } => {
            let own = view.positions.get(position);
            own.and_then(|own| book.instruments.get(own.instrument)).map_or("", |own| &own.symbol).into()
        }
        ComponentKind::ExpiryOffset { seconds } => {
            format!("spread offset, {:.2} days to expiry", seconds as f64 / 86_400.0).into()
        }
        ComponentKind::Tail(part) => match part {
            crate::margin::component::TailPart::Main => "tail",
            crate::margin::component::TailPart::Stress => "stress",
            crate::margin::component::TailPart::Floor => "floor",
        }
        .into(),
        ComponentKind::ValueAtRisk => "value at risk".into(),
        ComponentKind::Orders => "open orders".into(),
        ComponentKind::Borrowing { currency, .. } => {
            format!("borrowed {}", book.currencies.get(currency).map_or("?", |own| &own.code)).into()
        }
    };
    format!("{unit} {title}")
}
