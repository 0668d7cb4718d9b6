//! What brings an account to a target: `CM_CURE`.

use super::evaluated::check_complete;
use super::impact::with_listed;
use super::options::number;
use super::{Answer, Value};
use crate::book::{Book, PoolKind, Position};
use crate::error::{Error, Place, Result};
use crate::limits::standing::size;
use crate::margin::PoolState;
use crate::market::{MarketState, settle_of, unrealised_pnl};
use crate::numeric::accumulate::sum;
use crate::plan::action::{Allowed, Kind};
use crate::plan::bound::Bound;
use crate::plan::cure::{Cure, Done, Proposal, Request, cure};
use crate::plan::{Account, Cost, Origin, Slippage, Stage, Target, Wanted};
use crate::watch::Watch;

/// The header of `CM_CURE`.
pub const HEADER: [&str; 10] =
    ["rank", "action", "symbol", "side", "qty", "cost", "mm_after", "usage_after", "delta_after", "comment"];

/// What is asked, and of which account.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    request: Request,
    account: Option<String>,
    max_rows: usize,
}

impl Question {
    /// Reads a target, the actions allowed, a number of rows and options: `fee`, `slippage` (a fraction or `depth`),
    /// `account`, `hedge` (symbols).
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] for a word, [`Error::OutOfRange`] for a number.
    pub fn read(target: &str, allowed: &str, max_rows: f64, options: &[(String, String)]) -> Result<Self> {
        if !(1.0..=1000.0).contains(&max_rows) {
            return Err(Error::OutOfRange {
                name: "max_rows".into(),
                value: max_rows,
                must_be: "from 1 to 1,000",
                place: Place::default(),
            });
        }
        let mut request = Request {
            target: Target::read(target)?,
            allowed: Allowed::read(allowed)?,
            cost: Cost { fee: 0.0, slippage: Slippage::Flat(0.0) },
            hedges: Vec::new(),
        };
        let mut account = None;
        for (key, value) in options {
            let value = value.trim();
            match key.trim().to_lowercase().as_str() {
                "fee" => request.cost.fee = number("fee", value, 0.0, 0.999, "from 0 to below 1")?,
                "slippage" if value.eq_ignore_ascii_case("depth") => request.cost.slippage = Slippage::Depth,
                "slippage" => {
                    let flat = number("slippage", value, 0.0, 0.999, "depth, or from 0 to below 1")?;
                    request.cost.slippage = Slippage::Flat(flat);
                }
                "account" => account = Some(value.to_owned()),
                "hedge" => {
                    let names = value.split([',', '|', ' ']).filter(|name| !name.is_empty());
                    request.hedges = names.map(str::to_owned).collect();
                }
                other => {
                    return Err(Error::Unknown {
                        what: "option",
                        value: other.to_owned(),
                        known: "fee, slippage, account, hedge".into(),
                    });
                }
            }
        }
        Ok(Self { request, account, max_rows: max_rows as usize })
    }
}

/// Actions that bring the worst pool of a book, or an account, to a target: each row measured from nothing.
///
/// # Errors
///
/// [`Error::Unknown`] for an account; as [`cure`].
pub fn table(book: &Book, origin: Option<Origin<'_>>, question: &Question, watch: &Watch) -> Result<Answer> {
    check_complete(book)?;
    let stage = staged(book, origin, question)?;
    let (pool, others) = worst(&stage, question)?;
    let account = stage.account(pool)?;
    let found = cure(&stage, pool, &question.request, &account, watch)?;
    let mut answer = Answer::new(&HEADER);
    let name = stage.book().pools.get(pool).map_or_else(String::new, |own| stage.book().pool_name(own));
    let target = question.request.target;
    let now = target.shown(&found.before);
    if found.short <= 0.0 {
        let words = target.words();
        answer.note = format!("{name} has reached the target {words}, and has least to spare: {now}");
        answer.rows.push(as_it_is(&account, &found.before, &answer.note)?);
        return Ok(answer);
    }
    let reached = found.proposals.iter().filter(|own| own.plan.reached).count();
    let mut notes = vec![format!("{name}: {now}, target {}", target.words())];
    if found.proposals.is_empty() {
        notes.push(if found.possible {
            "nothing that is allowed brings the account nearer to it".into()
        } else {
            "nothing that is allowed can be done".into()
        });
    } else if reached == 0 {
        notes.push("nothing that is allowed reaches the target; the first row comes nearest".into());
    }
    match &found.bound {
        Ok(Some(bound)) => notes.push(bound_words(bound, question)),
        Ok(None) => {
            notes.push("no closing or hedging reaches it (linear programme without a solution)".into())
        }
        Err(error) => notes.push(error.to_string()),
    }
    if !others.is_empty() {
        notes.push(format!("also short of it: {}", others.join(", ")));
    }
    answer.note = notes.join("; ");
    // what does not reach the target is shown where nothing does; a plan too long for the table comes after the rest
    let shown = found.proposals.iter().filter(|own| own.plan.reached || reached == 0);
    let (short, long): (Vec<_>, Vec<_>) =
        shown.partition(|own| own.done.len() <= question.max_rows.div_ceil(2).max(1));
    for (place, proposal) in short.into_iter().chain(long).enumerate() {
        let room = question.max_rows - answer.rows.len();
        if room == 0 {
            break;
        }
        rows(&mut answer, place + 1, proposal, &found, question)?;
        if proposal.done.len() > room {
            let more = format!(
                "; {} more steps belong to this plan, all of it costs {:.2}: raise max_rows",
                proposal.done.len() - room,
                proposal.plan.cost
            );
            answer.rows.truncate(question.max_rows);
            if let Some(Value::Text(comment)) = answer.rows.last_mut().and_then(|row| row.last_mut()) {
                comment.push_str(&more);
            }
        }
    }
    if answer.rows.is_empty() {
        answer.rows.push(as_it_is(&account, &found.before, &answer.note)?);
    }
    Ok(answer)
}

/// The row of an account to which nothing is done, with the reason.
fn as_it_is(account: &Account<'_>, state: &PoolState, why: &str) -> Result<Vec<Value>> {
    Ok(vec![
        1.0.into(),
        "none".into(),
        "".into(),
        "".into(),
        0.0.into(),
        0.0.into(),
        state.requirement.maintenance.into(),
        state.usage.into(),
        delta(account)?.into(),
        why.into(),
    ])
}

/// A book with what it may be hedged with.
fn staged<'a>(book: &'a Book, origin: Option<Origin<'_>>, question: &Question) -> Result<Stage<'a>> {
    if !question.request.allowed.hedge {
        return Ok(Stage::bare(book));
    }
    if question.request.hedges.is_empty() {
        return Ok(with_listed(book, origin));
    }
    let mut wanted = Vec::new();
    for (index, account) in book.accounts.iter().enumerate() {
        if question.account.as_ref().is_some_and(|name| !account.name.eq_ignore_ascii_case(name)) {
            continue;
        }
        let named = question.request.hedges.iter();
        wanted.extend(named.map(|symbol| Wanted { account: index, symbol: symbol.clone(), buys: true }));
    }
    Stage::new(book, origin, &wanted, &[])
}

/// The pool that lacks most to the target, and the names of the others that lack something.
fn worst(stage: &Stage<'_>, question: &Question) -> Result<(usize, Vec<String>)> {
    let book = stage.book();
    if let Some(name) = &question.account
        && !book.accounts.iter().any(|own| own.name.eq_ignore_ascii_case(name))
    {
        let known: Vec<&str> = book.accounts.iter().map(|own| own.name.as_str()).collect();
        return Err(Error::Unknown { what: "account", value: name.clone(), known: known.join(", ") });
    }
    let today = MarketState::today(book);
    let mut found: Vec<(usize, f64)> = Vec::new();
    for (index, pool) in book.pools.iter().enumerate() {
        let named = book.accounts.get(pool.account).is_some_and(|own| {
            question.account.as_ref().is_none_or(|name| own.name.eq_ignore_ascii_case(name))
        });
        // the initial level says nothing about an isolated position
        let initial = matches!(question.request.target, Target::ExcessInitial(_));
        if !named || (initial && pool.kind == PoolKind::Isolated) {
            continue;
        }
        let account = stage.account(index)?;
        found.push((index, question.request.target.above(&account.view(), &account.evaluate(&today)?)?));
    }
    found.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let Some((first, _)) = found.first().copied() else {
        return Err(Error::NoAnswer { why: "nothing is held".into() });
    };
    let others = found.iter().skip(1).filter(|own| own.1 < 0.0);
    let names = others.filter_map(|own| book.pools.get(own.0)).map(|own| book.pool_name(own)).collect();
    Ok((first, names))
}

fn bound_words(bound: &Bound, question: &Question) -> String {
    let free = question.request.cost.is_free();
    let what = if free { "moves less notional" } else { "costs less" };
    let tight = if bound.tight { "" } else { ", not sharp" };
    format!(
        "no closing or hedging {what} than {:.2} (linear programme, fractions of lots{tight})",
        bound.cost
    )
}

fn rows(
    answer: &mut Answer,
    rank: usize,
    proposal: &Proposal<'_>,
    found: &Cure<'_>,
    question: &Question,
) -> Result<()> {
    let target = question.request.target;
    let count = proposal.done.len();
    let mut before = &found.before;
    for (place, done) in proposal.done.iter().enumerate() {
        let moved = format!("{} -> {}", target.shown(before), target.shown(&done.state));
        let mut words = if count > 1 {
            vec![format!("step {} of {count} ({})", place + 1, proposal.found_by)]
        } else {
            Vec::new()
        };
        words.push(moved);
        if let Kind::Deposit | Kind::Convert { .. } = done.action.kind {
            let counted = done.state.equity.maintenance - before.equity.maintenance;
            words.push(format!("adds {counted:.2} of adjusted equity"));
        }
        if place + 1 == count {
            words.extend(last_words(proposal, found, question));
        }
        let (symbol, side) = told(done);
        answer.rows.push(vec![
            rank.into(),
            done.action.kind.word().into(),
            symbol.into(),
            side.into(),
            tidy(done.size).into(),
            done.cost.into(),
            done.state.requirement.maintenance.into(),
            done.state.usage.into(),
            delta(&done.account)?.into(),
            words.join("; ").into(),
        ]);
        before = &done.state;
    }
    Ok(())
}

/// A size without the tail that sums of decimals leave: all of a position of 0.1 + 0.2 is 0.3.
fn tidy(size: f64) -> f64 {
    format!("{size:.14e}").parse().unwrap_or(size)
}

/// What the last row of a proposal says besides: the target, one step less, the sum, the gap to the bound.
fn last_words(proposal: &Proposal<'_>, found: &Cure<'_>, question: &Question) -> Vec<String> {
    let target = question.request.target;
    let mut words = Vec::new();
    if let Some(less) = &proposal.one_less {
        words.push(format!("one step less: {}", target.shown(less)));
    }
    if !proposal.plan.reached {
        words.push(format!("short of the target by {:.2}", -proposal.plan.above));
    }
    let plan = &proposal.plan;
    if proposal.done.len() > 1 {
        words.push(format!("all steps cost {:.2} and move {:.2}", plan.cost, plan.moved));
    }
    let trades = |own: &Done<'_>| matches!(own.action.kind, Kind::Close | Kind::Hedge | Kind::Slice);
    if proposal.done.iter().all(trades) && plan.reached {
        let own = if question.request.cost.is_free() { plan.moved } else { plan.cost };
        match &found.bound {
            Ok(Some(bound)) if bound.cost > 0.0 => {
                let above = 100.0 * (own / bound.cost - 1.0).max(0.0);
                words.push(format!("{above:.2} % above the lower bound"));
            }
            Ok(_) => {}
            Err(why) => words.push(why.to_string()),
        }
    }
    if proposal.found_by == "exact search" {
        words.push("cheapest of all combinations of whole lots".into());
    }
    words
}

/// Symbol (or currency) and side of what is done.
fn told(done: &Done<'_>) -> (String, &'static str) {
    let book = done.account.book;
    let code = |currency: usize| book.currencies.get(currency).map_or("", |known| known.code.as_str());
    match &done.action.kind {
        Kind::Close | Kind::Hedge => {
            let own = done.action.contract.as_ref().and_then(|own| book.instruments.get(own.instrument));
            let side = if done.action.buys { "buy" } else { "sell" };
            (own.map_or_else(String::new, |known| known.symbol.clone()), side)
        }
        Kind::Slice => ("all positions, this share of each".into(), ""),
        Kind::Deposit => (done.action.currency.map_or("", code).to_owned(), "in"),
        Kind::Convert { into } => {
            (format!("{} into {}", done.action.currency.map_or("", code), code(*into)), "sell")
        }
        Kind::Cancel => ("all orders".into(), ""),
    }
}

/// What a relative move of all coins by 1 would bring at today's slope, reporting currency; positions only. The value
/// of an option that is settled in a coin moves with that coin besides.
fn delta(account: &Account<'_>) -> Result<f64> {
    let (book, view, today) = (account.book, account.view(), MarketState::today(account.book));
    let one = |own: &Position| -> Result<f64> {
        let slope = size(&view, own)?.delta;
        let settle = settle_of(book, own);
        let option = book.instruments.get(own.instrument).is_some_and(|known| known.option.is_some());
        let moves = book.currencies.get(settle).is_some_and(|known| known.underlying.is_some());
        if !(option && moves) {
            return Ok(slope);
        }
        Ok(slope + unrealised_pnl(book, own, &today) * view.price(settle, &today)?)
    };
    let parts: Result<Vec<f64>> = account.positions.iter().map(one).collect();
    Ok(sum(parts?))
}
