//! Stage 1: what shares one margin.

use std::collections::BTreeMap;

use super::collect::Collected;
use super::held::about;
use super::net::Netted;
use super::prices::Names;
use super::tiering::{InitialRate, Tiering};
use super::{Balance, Book, Order, Pool, PoolKind, Position};
use crate::finding::{Finding, Severity};
use crate::rulebook::{PoolRule, RateSlice, Rulebook};
use crate::tables::{BalanceRow, IsolatedMargin, ReportedAccount, TierSource};

/// Groups positions, balances and orders into pools; reorders the positions so that each pool is a range.
pub(super) fn pools(
    book: &Book,
    netted: &[Netted],
    collected: &Collected,
    names: &Names,
    marks: &[Option<f64>],
    tiering: &mut Tiering,
    findings: &mut Vec<Finding>,
) -> Vec<Pool> {
    let isolated: BTreeMap<(usize, usize, crate::tables::Leg), &Netted> = netted
        .iter()
        .filter(|row| row.isolated.is_some())
        .map(|row| ((row.account, row.instrument, row.leg), row))
        .collect();
    let is_isolated = |position: &Position| {
        isolated.get(&(position.account, position.instrument, position.leg)).copied().filter(|row| {
            // the same symbol may be held cross and isolated; the row tells them apart
            row.sample.row == position.row
        })
    };
    let mut balances: Vec<Vec<&BalanceRow>> = vec![Vec::new(); book.accounts.len()];
    for balance in &collected.balances.rows {
        if let Some(list) = balances.get_mut(collected.account(balance.account.as_deref())) {
            list.push(balance);
        }
    }
    let mut pools = Vec::new();
    let mut start = 0;
    for account in 0..book.accounts.len() {
        let Some(rulebook) = book.rulebook_of(account) else { continue };
        let held =
            book.positions.iter().skip(start).take_while(|position| position.account == account).count();
        let range = start..start + held;
        let first_isolated = range
            .clone()
            .find(|index| book.positions.get(*index).is_some_and(|p| is_isolated(p).is_some()))
            .unwrap_or(range.end);
        let rows = balances.get(account).map_or(&[][..], Vec::as_slice);
        cross_pools(book, account, rulebook, range.start..first_isolated, rows, names, findings, &mut pools);
        for index in first_isolated..range.end {
            let Some(position) = book.positions.get(index) else { continue };
            let Some(row) = is_isolated(position) else { continue };
            if let Some(balance) = isolated_balance(book, position, row, findings) {
                pools.push(Pool {
                    account,
                    kind: PoolKind::Isolated,
                    positions: index..index + 1,
                    balances: vec![balance],
                    orders: Vec::new(),
                });
            }
        }
        start = range.end;
    }
    if collected.wallet_includes_isolated {
        take_out_isolated(book, &mut pools, findings);
    }
    place_orders(book, collected, marks, tiering, findings, &mut pools);
    pools
}

/// Takes the isolated margins out of cross balances that were pasted as whole wallets.
fn take_out_isolated(book: &Book, pools: &mut [Pool], findings: &mut Vec<Finding>) {
    let mut taken: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for balance in pools
        .iter()
        .filter(|pool| pool.kind == PoolKind::Isolated)
        .flat_map(|pool| pool.balances.iter().map(move |balance| (pool.account, balance)))
    {
        *taken.entry((balance.0, balance.1.currency)).or_default() += balance.1.cash;
    }
    for pool in pools.iter_mut().filter(|pool| pool.kind != PoolKind::Isolated) {
        for balance in &mut pool.balances {
            let Some(isolated) = taken.get(&(pool.account, balance.currency)) else { continue };
            balance.cash -= isolated;
            let code = book.currencies.get(balance.currency).map_or("", |currency| currency.code.as_str());
            findings.push(Finding {
                severity: Severity::Warning,
                sheet: "Collateral",
                row: balance.row,
                column: "walletBalance".into(),
                value: code.to_owned(),
                code: "wallet_includes_isolated",
                message: format!(
                    "{code}: a wallet balance holds the isolated margins too; {isolated} is taken out of the cross balance"
                ),
                fix: "paste crossWalletBalance to leave nothing to be inferred".into(),
            });
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "one step of the assembly, called once")]
fn cross_pools(
    book: &Book,
    account: usize,
    rulebook: &Rulebook,
    range: std::ops::Range<usize>,
    rows: &[&BalanceRow],
    names: &Names,
    findings: &mut Vec<Finding>,
    pools: &mut Vec<Pool>,
) {
    let settle_of = |index: usize| {
        book.positions
            .get(index)
            .and_then(|position| book.instrument_settle.get(position.instrument))
            .copied()
            .unwrap_or(0)
    };
    let own_pool = |currency: usize| PoolKind::Cross(Some(currency));
    let mut kinds: Vec<(PoolKind, std::ops::Range<usize>)> = Vec::new();
    match rulebook.pool {
        PoolRule::Account => {
            if !range.is_empty() || !rows.is_empty() {
                kinds.push((PoolKind::Cross(None), range.clone()));
            }
        }
        PoolRule::AccountSettle => {
            // positions are sorted by settlement currency first where pools are split by it
            for index in range.clone() {
                let kind = own_pool(settle_of(index));
                match kinds.last_mut() {
                    Some((last, positions)) if *last == kind => positions.end = index + 1,
                    _ => kinds.push((kind, index..index + 1)),
                }
            }
            for row in rows {
                let kind = own_pool(names.currency(&row.currency));
                if !kinds.iter().any(|(known, _)| *known == kind) {
                    kinds.push((kind, range.end..range.end));
                }
            }
        }
    }
    if rows.is_empty() && !range.is_empty() {
        findings.push(Finding {
            severity: Severity::Warning,
            sheet: "Collateral",
            row: None,
            column: "currency".into(),
            value: String::new(),
            code: "no_collateral",
            message: format!(
                "no collateral is given for account '{}', so its cash is taken as zero",
                book.accounts.get(account).map_or("", |account| account.name.as_str())
            ),
            fix: "paste the balances".into(),
        });
    }
    for (kind, positions) in kinds {
        let mut balances = Vec::new();
        for row in rows {
            let currency = names.currency(&row.currency);
            if let PoolKind::Cross(Some(own)) = kind
                && own != currency
            {
                continue;
            }
            // two rows of one currency: the result is in their sum once
            let first = !balances.iter().any(|known: &Balance| known.currency == currency);
            let held = book.positions.get(positions.clone()).filter(|_| first).unwrap_or(&[]);
            let read = balance(book, rulebook, row, currency, held, findings);
            if let Some(known) = balances.iter().find(|known| known.currency == currency)
                && (&known.rates, known.cap, known.enabled, known.from_equity, beside(known))
                    != (&read.rates, read.cap, read.enabled, read.from_equity, beside(&read))
            {
                findings.push(Finding {
                    severity: Severity::Error,
                    sheet: "Collateral",
                    row: Some(row.row),
                    column: "currency".into(),
                    value: row.currency.clone(),
                    code: "balances_disagree",
                    message: format!(
                        "{}: this row and row {} disagree about cash or equity, collateralRate, initialRate, cap, enabled, inScan or confidence",
                        row.currency,
                        known.row.unwrap_or(0)
                    ),
                    fix: "make the rows agree or merge them".into(),
                });
            }
            balances.push(read);
        }
        unknown_profit(book, &positions, &balances, findings);
        pools.push(Pool { account, kind, positions, balances, orders: Vec::new() });
    }
}

/// What rows of one currency must agree about besides: initial rate, scenarios and confidence.
fn beside(balance: &Balance) -> (Option<f64>, Option<bool>, Option<f64>) {
    (balance.initial_rate, balance.in_scan, balance.confidence)
}

/// A balance row as a balance: cash, or equity less the unrealised result of what is settled in it.
fn balance(
    book: &Book,
    rulebook: &Rulebook,
    row: &BalanceRow,
    currency: usize,
    held: &[Position],
    findings: &mut Vec<Finding>,
) -> Balance {
    let settled = || {
        crate::numeric::accumulate::sum(
            held.iter()
                .filter(|position| book.instrument_settle.get(position.instrument) == Some(&currency))
                .map(|position| position.unrealised_pnl),
        )
    };
    // both columns stand before debts, which are subtracted once
    let cash = row.cash.or_else(|| row.equity.map(|equity| equity - settled())).unwrap_or(0.0);
    if let (Some(cash), Some(equity)) = (row.cash, row.equity) {
        let ours = cash + settled();
        if (ours - equity).abs() > 0.01 * equity.abs().max(1.0) {
            findings.push(Finding {
                severity: Severity::Warning,
                sheet: "Collateral",
                row: Some(row.row),
                column: "equity".into(),
                value: equity.to_string(),
                code: "equity_differs",
                message: format!(
                    "{}: cash plus unrealised profit and loss is {ours}, the pasted equity is {equity}; cash is used",
                    row.currency
                ),
                fix: "check that balances and positions were exported at the same time".into(),
            });
        }
    }
    let rates = match row.collateral_rate {
        Some(rate) => vec![RateSlice { from: 0.0, rate }],
        None => rulebook.collateral_rates.get(&row.currency).cloned().unwrap_or_default(),
    };
    Balance {
        currency,
        cash,
        settles: false,
        from_equity: row.cash.is_none() && row.equity.is_some(),
        debt: row.debt,
        rates,
        // a rate of the row's own stands for both levels unless the row gives two
        initial_rate: row.initial_rate.or_else(|| {
            let of_rulebook = rulebook.initial_rates.get(&row.currency).copied();
            of_rulebook.filter(|_| row.collateral_rate.is_none())
        }),
        cap: row.cap,
        enabled: row.enabled,
        in_scan: row.in_scan,
        confidence: row.confidence,
        reported: row.reported,
        row: Some(row.row),
    }
}

/// Profit and loss may be unknown only where the pool's equity is given.
fn unknown_profit(
    book: &Book,
    positions: &std::ops::Range<usize>,
    balances: &[Balance],
    findings: &mut Vec<Finding>,
) {
    for position in book.positions.get(positions.clone()).unwrap_or(&[]) {
        if position.pnl_known {
            continue;
        }
        let settle = book.instrument_settle.get(position.instrument).copied().unwrap_or(0);
        let with_equity = balances.iter().any(|balance| balance.currency == settle && balance.from_equity);
        let symbol = book.instruments.get(position.instrument).map_or("", |i| i.symbol.as_str());
        findings.push(Finding {
            severity: if with_equity { Severity::Info } else { Severity::Error },
            sheet: "Positions",
            row: Some(position.row),
            column: "entryPrice".into(),
            value: symbol.to_owned(),
            code: "profit_unknown",
            message: format!(
                "{symbol}: neither an entry price nor an unrealised profit and loss is given{}",
                if with_equity {
                    "; the balance is taken as it stands, profit and loss count from the mark"
                } else {
                    ""
                }
            ),
            fix: "fill entryPrice or unrealizedPnl".into(),
        });
    }
}

/// The margin of an isolated position as a balance of its own.
fn isolated_balance(
    book: &Book,
    position: &Position,
    row: &Netted,
    findings: &mut Vec<Finding>,
) -> Option<Balance> {
    let settle = book.instrument_settle.get(position.instrument).copied()?;
    let cash = match row.isolated? {
        IsolatedMargin::Cash(cash) => cash,
        IsolatedMargin::Equity(equity) => equity - position.unrealised_pnl,
        IsolatedMargin::FromLeverage => {
            let instrument = book.instruments.get(position.instrument)?;
            let (Some(entry), Some(leverage)) = (position.entry_price, position.leverage) else {
                findings.push(about(
                    row,
                    &book.instruments,
                    Severity::Error,
                    "isolated_margin_missing",
                    "an isolated position needs its margin, or an entry price and a leverage to assume one"
                        .into(),
                    "fill isolatedWallet (without profit and loss) or isolatedMargin (with it)",
                ));
                return None;
            };
            findings.push(about(
                row,
                &book.instruments,
                Severity::Warning,
                "isolated_margin_assumed",
                "no isolated margin is given; entry notional over leverage is assumed".into(),
                "fill isolatedWallet (without profit and loss) or isolatedMargin (with it)",
            ));
            instrument.payoff.notional(position.quantity, entry) / leverage
        }
    };
    Some(Balance {
        currency: settle,
        cash,
        settles: true,
        from_equity: matches!(row.isolated, Some(IsolatedMargin::Equity(_))),
        debt: 0.0,
        rates: vec![RateSlice { from: 0.0, rate: 1.0 }],
        initial_rate: None,
        cap: None,
        enabled: true,
        in_scan: None,
        confidence: None,
        reported: ReportedAccount::default(),
        row: None,
    })
}

fn place_orders(
    book: &Book,
    collected: &Collected,
    marks: &[Option<f64>],
    tiering: &mut Tiering,
    findings: &mut Vec<Finding>,
    pools: &mut [Pool],
) {
    for row in &collected.orders.rows {
        let account = collected.account(row.account.as_deref());
        let Ok(instrument) = book.instruments.binary_search(&row.instrument) else { continue };
        let settle = book.instrument_settle.get(instrument).copied();
        let rulebook_index = book.accounts.get(account).map_or(0, |account| account.rulebook);
        let Some(rulebook) = book.rulebooks.get(rulebook_index) else { continue };
        let first = book.positions.partition_point(|position| position.account < account);
        let held = book
            .positions
            .iter()
            .skip(first)
            .take_while(|position| position.account == account)
            .find(|position| position.instrument == instrument);
        let leverage = held.and_then(|position| position.leverage);
        let initial = InitialRate { rate: row.initial_rate, leverage };
        let refuse = |code, message: String, fix: &str| Finding {
            severity: Severity::Error,
            sheet: "Orders",
            row: Some(row.row),
            column: "symbol".into(),
            value: row.instrument.symbol.clone(),
            code,
            message: format!("{}: {message}", row.instrument.symbol),
            fix: fix.into(),
        };
        let Some(price) = row.price.or_else(|| marks.get(instrument).copied().flatten()) else {
            findings.push(refuse(
                "order_price_missing",
                "the order has no price and the symbol no mark price".into(),
                "give a price",
            ));
            continue;
        };
        let table = match held {
            Some(position) => Ok(position.table),
            None => tiering
                .table_of((rulebook_index, rulebook), &row.instrument, &row.tier, initial)
                .map(|(table, _)| table),
        };
        let table = match (table, row.initial_rate) {
            (Ok(table), _) => table,
            (Err(_), Some(_)) => {
                let single = TierSource::Rate { rate: 0.0, amount: 0.0 };
                tiering
                    .table_of((rulebook_index, rulebook), &row.instrument, &single, initial)
                    .map_or(0, |(table, _)| table)
            }
            (Err(_), None) => {
                findings.push(refuse(
                    "order_table_missing",
                    format!("rulebook '{}' lists no table for this symbol and it is not held", rulebook.id),
                    "give initialMarginRate, or the brackets on the Rulebook sheet",
                ));
                continue;
            }
        };
        let order = Order {
            instrument,
            quantity: row.quantity,
            price,
            table,
            initial_rate: row.initial_rate.or_else(|| held.and_then(|position| position.initial_rate)),
            leverage,
            reduce_only: row.reduce_only,
            row: row.row,
        };
        let first = pools.partition_point(|pool| pool.account < account);
        let home = pools.iter_mut().skip(first).take_while(|pool| pool.account == account).find(|pool| {
            match pool.kind {
                PoolKind::Cross(None) => true,
                PoolKind::Cross(currency) => currency == settle,
                PoolKind::Isolated => false,
            }
        });
        match home {
            Some(pool) => pool.orders.push(order),
            None => findings.push(refuse(
                "order_without_pool",
                "the account holds neither positions nor collateral for this order".into(),
                "paste the collateral of the account",
            )),
        }
    }
}
