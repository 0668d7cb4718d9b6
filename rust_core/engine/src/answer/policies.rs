//! Policies of liquidation side by side: what each leaves of an account from the same first state.

use rayon::prelude::*;

use super::order::{first_in_words, jobs};
use super::{Answer, Value};
use crate::book::Book;
use crate::error::{Error, Result};
use crate::liquidation::order::{End, LiquidationOrder, Options, Scenario};
use crate::numeric::accumulate::sum;
use crate::rulebook::{Certainty, Policy};

/// The header of `CM_LIQCOMPARE`.
pub const HEADER: [&str; 16] = [
    "policy",
    "account",
    "certainty",
    "first",
    "steps",
    "closings",
    "cost",
    "equity_before",
    "equity_left",
    "mm_left",
    "usage_left",
    "excess_left",
    "shortfall",
    "positions_left",
    "warnings",
    "end",
];

/// What stands side by side where nobody chooses; `random` and what needs a list or ranks every whole position are
/// left out.
const USUAL: [Policy; 12] = [
    Policy::AllAtOnce,
    Policy::ProRata,
    Policy::EqualSlice,
    Policy::TierSteps,
    Policy::LargestLoss,
    Policy::LargestNotional,
    Policy::HighestRiskContribution,
    Policy::LargestMarginContribution,
    Policy::FuturesThenOptions,
    Policy::StagedByClass,
    Policy::CollateralFirst,
    Policy::MarginalPerCost,
];

/// Reads policies: words with commas or semicolons, `venue`, `usual` (the default) or `all`.
///
/// # Errors
///
/// [`Error::Unknown`] names the words.
pub fn read(text: &str, options: &Options) -> Result<Vec<Option<Policy>>> {
    let mut found: Vec<Option<Policy>> = Vec::new();
    let words = if text.trim().is_empty() { "usual" } else { text };
    for word in words.split([',', ';', '|']).map(str::trim).filter(|word| !word.is_empty()) {
        let lower = word.to_ascii_lowercase();
        let listed = Policy::ALL.iter().map(|(_, policy)| *policy);
        let made: Vec<Option<Policy>> = match lower.as_str() {
            "venue" => vec![None],
            "usual" => std::iter::once(None).chain(USUAL.map(Some)).collect(),
            "all" => std::iter::once(None)
                .chain(
                    listed.filter(|own| *own != Policy::UserList || !options.user_list.is_empty()).map(Some),
                )
                .collect(),
            _ => match Policy::ALL.iter().find(|(known, _)| *known == lower) {
                Some((_, Policy::UserList)) if options.user_list.is_empty() => {
                    return Err(Error::Unknown {
                        what: "list",
                        value: String::new(),
                        known: "policy user_list needs the option list=SYMBOL,SYMBOL".into(),
                    });
                }
                Some((_, policy)) => vec![Some(*policy)],
                None => {
                    let known = Policy::ALL.map(|(known, _)| known).join(", ");
                    return Err(Error::Unknown {
                        what: "policy",
                        value: word.to_owned(),
                        known: format!("usual, all, venue, {known}"),
                    });
                }
            },
        };
        for policy in made {
            if !found.contains(&policy) {
                found.push(policy);
            }
        }
    }
    Ok(found)
}

/// One row per account that is liquidated and per policy.
///
/// # Errors
///
/// As [`crate::margin::evaluate`]; a policy that cannot be followed keeps its row and says why.
pub fn table(
    book: &Book,
    scenario: &Scenario,
    policies: &[Option<Policy>],
    options: &Options,
) -> Result<Answer> {
    super::evaluated::check_complete(book)?;
    let jobs = jobs(book, scenario)?;
    let mut pairs = Vec::new();
    for job in &jobs {
        pairs.extend(policies.iter().map(|policy| (job, *policy)));
    }
    let rows: Vec<Option<Vec<Value>>> = pairs
        .par_iter()
        .map(|(job, policy)| {
            let options = Options { policy: *policy, ..options.clone() };
            row(book, job.pool.account, *policy, job.run(book, &options), &options)
        })
        .collect();
    let mut answer = Answer::new(&HEADER);
    answer.rows = rows.into_iter().flatten().collect();
    if answer.rows.is_empty() {
        answer.note = "no price makes any account liquidatable".to_owned();
    }
    Ok(answer)
}

/// The row of one policy; none where there is nothing to do.
fn row(
    book: &Book,
    account: usize,
    policy: Option<Policy>,
    order: Result<LiquidationOrder>,
    options: &Options,
) -> Option<Vec<Value>> {
    let rule = &book.rulebook_of(account)?.liquidation;
    let name = policy.map_or_else(|| format!("venue: {}", rule.policy.word()), |own| own.word().to_owned());
    let certainty = if policy.is_some() { Certainty::Chosen } else { rule.certainty };
    let account = book.accounts.get(account).map_or("", |known| known.name.as_str());
    let head: [Value; 3] = [name.into(), account.into(), certainty.word().into()];
    let order = match order {
        Ok(order) if order.end == End::NothingToDo => return None,
        Ok(order) => order,
        Err(error) => {
            let mut cells: Vec<Value> = head.into();
            cells.resize(HEADER.len() - 1, Value::Missing);
            cells.push(error.to_string().into());
            return Some(cells);
        }
    };
    let (first, last) = (order.rows.first()?, order.rows.last()?);
    // who takes an account over takes what it owes too
    let owed = if order.end == End::TakenOver { last.before.equity.gross } else { last.after.equity.gross };
    let mut flagged: Vec<usize> =
        order.rows.iter().filter(|row| row.trap.is_some()).map(|row| row.step).collect();
    flagged.dedup();
    let closings = order.rows.iter().filter(|row| row.closes()).count();
    let cost = sum(order.rows.iter().filter_map(|row| row.closed.as_ref()).map(|closed| closed.cost));
    let mut cells: Vec<Value> = head.into();
    cells.extend([
        first_in_words(book, &order, options).into(),
        last.step.into(),
        closings.into(),
        cost.into(),
        first.before.equity.maintenance.into(),
        last.after.equity.maintenance.into(),
        last.after.maintenance.into(),
        last.after.usage.into(),
        last.after.excess.into(),
        (-owed).max(0.0).into(),
        order.left.into(),
        flagged.len().into(),
        order.sentence.as_str().into(),
    ]);
    Some(cells)
}
