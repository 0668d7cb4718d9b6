//! Who may be deleveraged: the rows of a table, and the book's own positions.

use super::evaluated::Evaluated;
use crate::book::{Book, Pool};
use crate::cell::Table;
use crate::error::{Error, Place, Result, Sign};
use crate::finding::Severity;
use crate::instrument::{ContractKind, Payoff};
use crate::liquidation::adl::Candidate;
use crate::liquidation::waterfall::bankruptcy_price;
use crate::margin::PoolView;
use crate::market::{MarketState, settle_of};
use crate::numeric::accumulate::sum;
use crate::tables::read_candidates;

/// Candidates of a table.
pub(super) fn given(book: &Book, table: &Table, asked: Option<&str>) -> Result<Vec<Candidate>> {
    let wrong = |message: String| Error::Table { table: "Candidates", message, sign: Sign::Value };
    let (rows, findings) = read_candidates(table);
    if let Some(finding) = findings.into_iter().find(|finding| finding.severity == Severity::Error) {
        let place = finding.row.map_or_else(String::new, |row| format!(" (row {row})"));
        return Err(wrong(format!("{}{place}", finding.message)));
    }
    if rows.is_empty() {
        return Err(wrong("candidates need rows below the header; the table is empty".into()));
    }
    let mut found: Vec<Candidate> = Vec::with_capacity(rows.len());
    for row in rows {
        let symbol = row.symbol.or_else(|| asked.map(str::to_owned)).unwrap_or_default();
        if let Some(first) = found.first().filter(|first| !first.symbol.eq_ignore_ascii_case(&symbol)) {
            let names = format!("'{}' and '{symbol}'", first.symbol);
            return Err(wrong(format!(
                "all candidates must be in one contract, were in {names} (row {})",
                row.row
            )));
        }
        let known = book.instruments.iter().position(|own| own.symbol.eq_ignore_ascii_case(&symbol));
        let held = book.positions.iter().find(|own| Some(own.instrument) == known);
        let quoted = known.and_then(|index| book.quotes.get(index)).and_then(|quote| quote.forward);
        let mark = row.mark.or(held.map(|own| own.mark_price)).or(quoted).ok_or_else(|| Error::Missing {
            what: format!("mark of {}", if symbol.is_empty() { "the candidates" } else { &symbol }),
            why: "the book does not know the contract; give the column mark".into(),
            place: Place::row(row.row, row.account.clone()),
        })?;
        let payoff = known
            .and_then(|index| book.instruments.get(index))
            .map_or(Payoff::Linear, |instrument| instrument.payoff);
        let pnl = payoff.profit(row.quantity, row.entry, mark);
        let initial = row.leverage.map(|leverage| payoff.notional(row.quantity, row.entry) / leverage);
        let own = Candidate {
            account: row.account,
            symbol,
            quantity: row.quantity,
            entry: row.entry,
            mark,
            equity: row.equity,
            wallet: row.wallet.unwrap_or(row.equity - pnl),
            maintenance: row.maintenance,
            initial: row.initial.or(initial),
            bankruptcy: row.bankruptcy.or_else(|| bankruptcy_price(mark, row.quantity, row.equity, payoff)),
            payoff,
            own: false,
            row: Some(row.row),
        };
        own.check()?;
        found.push(own);
    }
    Ok(found)
}

/// The book's own perpetuals and futures, and how many have no entry price.
pub(super) fn own_positions(
    book: &Book,
    evaluated: &Evaluated,
    symbol: Option<&str>,
) -> Result<(Vec<Candidate>, usize)> {
    let (mut found, mut unknown) = (Vec::new(), 0);
    for (index, pool) in book.pools.iter().enumerate() {
        let (own, missing) = of_pool(book, evaluated, (index, pool), symbol)?;
        found.extend(own);
        unknown += missing;
    }
    Ok((found, unknown))
}

fn of_pool(
    book: &Book,
    evaluated: &Evaluated,
    (index, pool): (usize, &Pool),
    symbol: Option<&str>,
) -> Result<(Vec<Candidate>, usize)> {
    let today = MarketState::today(book);
    let view = PoolView::of(book, pool);
    let (mut found, mut unknown) = (Vec::new(), 0);
    for (place, position) in view.positions.iter().enumerate() {
        let Some(contract) = book.instruments.get(position.instrument) else { continue };
        let other = symbol.is_some_and(|symbol| !contract.symbol.eq_ignore_ascii_case(symbol));
        if other || !matches!(contract.kind, ContractKind::Perpetual | ContractKind::Future) {
            continue;
        }
        let Some(entry) = position.entry_price else {
            unknown += 1;
            continue;
        };
        let state = evaluated.pool(index)?;
        let price = view.price(settle_of(book, position), &today)?;
        let margin = state.requirement.by_position.get(place).copied().unwrap_or_default();
        let (equity, whole) = (state.equity.gross / price, state.requirement.maintenance);
        let results = sum(view.positions.iter().map(|own| own.unrealised_pnl));
        let share = if whole > 0.0 { equity * margin.maintenance / whole } else { equity };
        found.push(Candidate {
            account: book.pool_label(pool.account, pool.kind),
            symbol: contract.symbol.clone(),
            quantity: position.quantity,
            entry,
            mark: position.mark_price,
            equity,
            wallet: equity - results,
            maintenance: Some(whole / price),
            initial: margin.initial.map(|own| own / price),
            bankruptcy: bankruptcy_price(position.mark_price, position.quantity, share, contract.payoff),
            payoff: contract.payoff,
            own: true,
            row: None,
        });
    }
    Ok((found, unknown))
}
