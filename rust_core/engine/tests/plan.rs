//! What-if, cure and lower bounds over drawn books.

#![expect(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "the distribution of the gaps is told")]

mod common;

use common::{rules, table};
use crossmargin_engine::answer::Evaluated;
use crossmargin_engine::book::{Book, Input, Options, RulebookChoice, build};
use crossmargin_engine::cell::Table;
use crossmargin_engine::market::MarketState;
use crossmargin_engine::plan::action::{Action, Allowed};
use crossmargin_engine::plan::combined::Planner;
use crossmargin_engine::plan::cure::{Request, cure};
use crossmargin_engine::plan::whatif::changes;
use crossmargin_engine::plan::{Account, Cost, Prepared, Slippage, Stage, Target, Trade};
use crossmargin_engine::watch::Watch;

/// A pseudo-random fraction that depends on its index alone.
fn fraction(index: usize) -> f64 {
    let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn built(positions: &Table, collateral: &Table, market: &Table, rules: &RulebookChoice) -> Book {
    let input = Input {
        positions: Some(positions),
        collateral: Some(collateral),
        market: Some(market),
        ..Input::default()
    };
    let options = Options { as_of: Some("2026-01-13T12:00:00Z".into()), ..Options::default() };
    build(&input, rules, &options).book.expect("a book without errors")
}

/// Options on one coin with a perpetual, and cash.
fn option_book(seed: usize, count: usize, rulebook: &str, cash: f64) -> Book {
    let coin_settled = rulebook.starts_with("deribit");
    let settle = if coin_settled { "BTC" } else { &rules_settle(rulebook) };
    let months = ["30JAN26", "27MAR26", "26JUN26"];
    let mut lines =
        vec!["symbol|contracts|forward|markIv|markPrice|indexPrice|settle|inverse|entryPrice".to_owned()];
    for index in 0..count {
        let draw = |of: usize| fraction(1000 * seed + 10 * index + of);
        let (month, strike) = (index % 3, 70_000 + 4000 * (index / 3 % 12));
        let right = if draw(1) < 0.5 { "C" } else { "P" };
        let contracts = ((draw(2) - 0.55) * 40.0).round().max(-19.0) / 2.0 + 0.25;
        let forward = 90_000.0 * (1.0 + 0.01 * month as f64);
        lines.push(format!(
            "BTC-{}-{strike}-{right}|{contracts}|{forward}|{}||90000|{settle}||",
            months[month],
            0.4 + 0.3 * draw(3)
        ));
    }
    let (size, inverse) = if coin_settled { (-90_000.0, 1) } else { (-1.5, 0) };
    lines.push(format!("BTC-PERP|{size}|||90000|90000|{settle}|{inverse}|90000"));
    let mut seen = std::collections::BTreeSet::new();
    lines.retain(|line| seen.insert(line.split('|').next().expect("a symbol").to_owned()));
    let money = if coin_settled { cash / 90_000.0 } else { cash };
    built(
        &table(&lines.join("\n")),
        &table(&format!("currency|cash\n{settle}|{money}")),
        &table("underlying|markPrice|indexPrice\nBTC|90000|90000\nUSDC|1|1\nUSDT|1|1"),
        &rules(rulebook),
    )
}

fn rules_settle(rulebook: &str) -> String {
    crossmargin_engine::rulebook::builtin(rulebook).expect("a built-in rulebook").settle.clone()
}

/// Perpetuals of several coins under brackets.
fn perpetual_book(seed: usize, cash: f64) -> Book {
    let coins = [("BTC", 94_000.0), ("ETH", 3200.0), ("SOL", 140.0), ("XRP", 2.1), ("DOGE", 0.14)];
    let mut lines = vec!["coin|szi|entry_price|mark_price|leverage".to_owned()];
    for (place, (coin, mark)) in coins.iter().enumerate() {
        let draw = |of: usize| fraction(100 * seed + 10 * place + of);
        let notional = 1e5 * (1.0 + 200.0 * draw(1) * draw(2));
        let side = if draw(3) < 0.5 { -1.0 } else { 1.0 };
        lines.push(format!("{coin}|{}|{}|{mark}|10", side * notional / mark, mark * (0.9 + 0.2 * draw(4))));
    }
    built(
        &table(&lines.join("\n")),
        &table(&format!("currency|cash\nUSDC|{cash}")),
        &table(
            "underlying|markPrice|adv|dailyVol|halfSpread
BTC|94000|900|0.03|0.0001
ETH|3200|20000|0.04|0.0002
SOL|140|300000|0.05|0.0003
XRP|2.1|9000000|0.05|0.0004
DOGE|0.14|70000000|0.06|0.0005",
        ),
        &rules("hyperliquid"),
    )
}

#[test]
fn a_changed_account_is_measured_to_the_bit_whether_prices_are_kept_or_not() {
    for (seed, rulebook) in ["deribit-spm", "derive-pm2", "paradex-pm", "custom-scan"].into_iter().enumerate()
    {
        let book = option_book(seed, 40, rulebook, 2e6);
        let pool = &book.pools[0];
        let account = Account::of(&book, pool);
        let today = MarketState::today(&book);
        let moved = today.clone().with(0, 0.83);
        for (ratio, state) in [
            ("today", today),
            ("0.83", moved.clone()),
            ("0.83, volatility up, two days on", moved.with_volatility(0, 0.2, 0.01).with_days(2.0)),
        ] {
            let prepared = Prepared::new(&account, &[], state.clone()).expect("a price of everything");
            assert_eq!(prepared.evaluate(&account).unwrap(), account.evaluate(&state).unwrap(), "{rulebook}");
            for step in 0..6 {
                let mut changed = account.clone();
                let place = step * 6;
                let held = changed.positions[place].quantity;
                let change = [-held, -0.5 * held, 3.0, -7.0, -2.0 * held, 0.25][step];
                changed.deal(place, change, None, 12.5 * step as f64).unwrap();
                assert_eq!(
                    prepared.evaluate(&changed).unwrap(),
                    changed.evaluate(&state).unwrap(),
                    "{rulebook} at {ratio}, step {step}"
                );
            }
        }
    }
}

#[test]
fn what_is_kept_with_a_book_answers_a_what_if_to_the_bit() {
    for (seed, rulebook) in ["deribit-spm", "derive-pm2", "custom-scan"].into_iter().enumerate() {
        let book = option_book(seed, 40, rulebook, 2e6);
        let evaluated = Evaluated::new(&book);
        let symbol = |place: usize| book.instruments[book.positions[place].instrument].symbol.clone();
        for (place, quantity) in [(0, 3.0), (11, -0.5), (23, 40.0)] {
            let trades = [Trade { symbol: symbol(place), quantity, price: None, account: 0, row: 1 }];
            let stage = Stage::bare(&book);
            let whole = changes(&stage, &trades, &|_| None).unwrap();
            for _ in 0..2 {
                let kept = changes(&stage, &trades, &|pool| evaluated.prepared(&book, pool)).unwrap();
                assert_eq!(kept.len(), whole.len());
                for (kept, whole) in kept.iter().zip(&whole) {
                    assert_eq!(kept.state_before, whole.state_before, "{rulebook}");
                    assert_eq!(kept.state_after, whole.state_after, "{rulebook}");
                    assert_ne!(kept.state_after, kept.state_before, "{rulebook}");
                }
            }
        }
    }
}

/// How much dearer the best reduction is than the lower bound, and whether it reaches the target.
fn gap(book: &Book, usage: f64, hedge: bool, slippage: Slippage) -> Option<f64> {
    let stage = Stage::bare(book);
    let account = stage.account(0).unwrap();
    let watch = Watch::new();
    let request = Request {
        target: Target::Usage(usage),
        allowed: Allowed { close: true, hedge, deposit: false, convert: false, cancel: false },
        cost: Cost { fee: 0.0005, slippage },
        hedges: Vec::new(),
    };
    let found = cure(&stage, 0, &request, &account, &watch).unwrap();
    if found.short <= 0.0 {
        return None;
    }
    let bound = match &found.bound {
        Ok(Some(bound)) => bound,
        Ok(None) => {
            assert!(found.proposals.iter().all(|own| !own.plan.reached), "out of reach, yet reached");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let best = found.proposals.iter().filter(|own| own.plan.reached).map(|own| own.plan.cost);
    let best = best.min_by(f64::total_cmp)?;
    assert!(best >= bound.cost * (1.0 - 1e-6), "a reduction below its bound: {best} and {}", bound.cost);
    Some(best / bound.cost - 1.0)
}

fn distribution(name: &str, mut gaps: Vec<f64>) -> f64 {
    gaps.sort_by(f64::total_cmp);
    let at = |share: f64| gaps[((gaps.len() - 1) as f64 * share) as usize];
    println!(
        "{name}: {} books, gap median {:.5}, 90 % {:.5}, largest {:.5}",
        gaps.len(),
        at(0.5),
        at(0.9),
        at(1.0)
    );
    at(1.0)
}

#[test]
fn the_cheapest_reduction_of_bracketed_books_is_within_five_percent_of_the_bound() {
    for slippage in [Slippage::Flat(0.001), Slippage::Depth] {
        let gaps = gaps_of_bracketed_books(slippage);
        assert!(gaps.len() >= 20, "{} books are short of the target", gaps.len());
        assert!(distribution(&format!("brackets, {slippage:?}"), gaps) <= 0.05);
    }
}

fn gaps_of_bracketed_books(slippage: Slippage) -> Vec<f64> {
    let mut gaps = Vec::new();
    for seed in 0..40 {
        let book = perpetual_book(seed, 1e5);
        let account = Account::of(&book, &book.pools[0]);
        let state = account.evaluate(&MarketState::today(&book)).unwrap();
        // cash that makes the account use what it has, and a target two thirds of that
        let short = state.requirement.maintenance - state.equity.maintenance;
        let book = perpetual_book(seed, 1e5 + 1.2 * short.max(-8e4) + 0.3 * state.requirement.maintenance);
        gaps.extend(gap(&book, 0.6, false, slippage));
    }
    gaps
}

/// Options of a drawn book whose reductions are searched.
const OPTIONS: usize = 8;

#[test]
fn the_cheapest_reduction_of_scanned_books_is_within_five_percent_of_the_bound() {
    for (rulebook, hedge) in
        [("custom-scan", false), ("custom-scan", true), ("deribit-spm", false), ("paradex-pm", false)]
    {
        let mut gaps = Vec::new();
        for seed in 0..8 {
            let rich = option_book(seed, OPTIONS, rulebook, 1e8);
            let state = Account::of(&rich, &rich.pools[0]).evaluate(&MarketState::today(&rich)).unwrap();
            // equity that the margin uses whole
            let cash = 1e8 - state.equity.maintenance + 1.05 * state.requirement.maintenance;
            if state.requirement.maintenance > 0.0 {
                gaps.extend(gap(
                    &option_book(seed, OPTIONS, rulebook, cash),
                    0.7,
                    hedge,
                    Slippage::Flat(0.001),
                ));
            }
        }
        assert!(gaps.len() >= 4, "{rulebook}: {} books are short of the target", gaps.len());
        assert!(distribution(&format!("{rulebook}, hedges {hedge}"), gaps) <= 0.05);
    }
}

#[test]
fn an_exact_search_finds_what_trying_every_combination_of_lots_finds() {
    for seed in 0..12 {
        let lots = |place: usize| 1 + (fraction(500 + 10 * seed + place) * 3.0) as usize;
        let coins =
            [("BTC", 60_000.0, 0.01), ("ETH", 3000.0, 0.02), ("SOL", 150.0, 0.04), ("XRP", 2.0, 0.05)];
        let mut lines = vec!["symbol|contracts|entryPrice|markPrice|maintenanceMarginRate".to_owned()];
        let mut market = vec!["symbol|lot|markPrice".to_owned()];
        let mut margin = 0.0;
        for (place, (coin, mark, rate)) in coins.iter().enumerate() {
            let lot = (20_000.0 * (1.0 + fraction(10 * seed + place)) / mark * 1000.0).round() / 1000.0;
            lines.push(format!("{coin}|{}|{mark}|{mark}|{rate}", lot * lots(place) as f64));
            market.push(format!("{coin}|{lot}|{mark}"));
            margin += lot * lots(place) as f64 * mark * rate;
        }
        let book = built(
            &table(&lines.join("\n")),
            &table(&format!("currency|cash\nUSD|{margin}")),
            &table(&market.join("\n")),
            &rules("custom"),
        );
        let stage = Stage::bare(&book);
        let account = stage.account(0).unwrap();
        let prepared = Prepared::new(&account, &[], MarketState::today(&book)).unwrap();
        let actions: Vec<Action> = account.positions.iter().map(|own| Action::close(&account, own)).collect();
        let cost = Cost { fee: 0.0, slippage: Slippage::Flat(0.001 * (1.0 + fraction(seed))) };
        let watch = Watch::new();
        let target = Target::Usage(0.6);
        let planner = Planner {
            account: &account,
            prepared: &prepared,
            target,
            actions: &actions,
            cost: &cost,
            watch: &watch,
        };
        let all: Vec<usize> = (0..actions.len()).collect();
        let found = planner.exact(&all).unwrap().expect("at most twelve lots");
        // every combination, by hand: margins of the custom rulebook are rate x notional
        let counts: Vec<usize> = actions.iter().map(|own| own.most_steps() as usize).collect();
        let mut cheapest = f64::INFINITY;
        let combinations: usize = counts.iter().map(|count| count + 1).product();
        for code in 0..combinations {
            let mut rest = code;
            let (mut paid, mut left) = (0.0, 0.0);
            for (place, count) in counts.iter().enumerate() {
                let closed = rest % (count + 1);
                rest /= count + 1;
                let position = &account.positions[place];
                let (coin, mark, rate) = coins
                    .iter()
                    .find(|own| own.0 == account.symbol(position.instrument))
                    .expect("a coin of the book");
                assert!(!coin.is_empty());
                let lot = actions[place].step;
                let (gone, kept) = (lot * closed as f64 * mark, lot * (count - closed) as f64 * mark);
                paid += gone * 0.001 * (1.0 + fraction(seed));
                left += kept * rate;
            }
            if margin - paid >= left / 0.6 - 1e-9 * margin && paid < cheapest {
                cheapest = paid;
            }
        }
        assert!(
            (found.cost - cheapest).abs() <= 1e-9 * cheapest,
            "seed {seed}: {} and {cheapest}",
            found.cost
        );
        assert!(found.reached);
    }
}

#[test]
fn under_square_root_impact_the_cheapest_reduction_is_split_as_by_lagrange() {
    // coins, mark, maintenance rate, daily volume in coins, daily volatility
    let rows: [(&str, f64, f64, f64, f64, f64); 3] = [
        ("BTC", 20.0, 60_000.0, 0.01, 2000.0, 0.03),
        ("ETH", -400.0, 3000.0, 0.02, 9000.0, 0.04),
        ("SOL", 9000.0, 150.0, 0.05, 30_000.0, 0.06),
    ];
    let mut lines = vec!["symbol|contracts|entryPrice|markPrice|maintenanceMarginRate".to_owned()];
    let mut market = vec!["underlying|markPrice|adv|dailyVol|halfSpread".to_owned()];
    for (coin, size, mark, rate, volume, volatility) in &rows {
        lines.push(format!("{coin}|{size}|{mark}|{mark}|{rate}"));
        market.push(format!("{coin}|{mark}|{volume}|{volatility}|0"));
    }
    let (cash, usage) = (130_000.0, 0.5);
    let book = built(
        &table(&lines.join("\n")),
        &table(&format!("currency|cash\nUSD|{cash}")),
        &table(&market.join("\n")),
        &rules("custom"),
    );
    // margin freed and impact of closing all of each: two thirds of sigma sqrt(size / volume) on the notional
    let terms: Vec<(f64, f64)> = rows
        .iter()
        .map(|(_, size, mark, rate, volume, volatility)| {
            let notional = size.abs() * mark;
            (rate * notional, notional * volatility * (size.abs() / volume).sqrt() / 1.5)
        })
        .collect();
    let margin: f64 = terms.iter().map(|own| own.0).sum();
    // the derivative of every cost is the same multiple of what its closing frees, where not all of it is closed
    let split = |multiplier: f64| -> (f64, f64) {
        let parts =
            terms.iter().map(|(freed, impact)| (multiplier * freed / (1.5 * impact)).powi(2).min(1.0));
        let parts: Vec<f64> = parts.collect();
        let freed: f64 = parts.iter().zip(&terms).map(|(part, own)| part * own.0).sum();
        let cost: f64 = parts.iter().zip(&terms).map(|(part, own)| part.powf(1.5) * own.1).sum();
        (cash - cost - (margin - freed) / usage, cost)
    };
    let (mut low, mut high) = (0.0, 1.0);
    assert!(split(low).0 < 0.0 && split(high).0 > 0.0, "{:?} {:?}", split(low), split(high));
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if split(middle).0 < 0.0 { low = middle } else { high = middle }
    }
    let cheapest = split(high).1;
    let stage = Stage::bare(&book);
    let account = stage.account(0).unwrap();
    let request = Request {
        target: Target::Usage(usage),
        allowed: Allowed { close: true, hedge: false, deposit: false, convert: false, cancel: false },
        cost: Cost { fee: 0.0, slippage: Slippage::Depth },
        hedges: Vec::new(),
    };
    let watch = Watch::new();
    let found = cure(&stage, 0, &request, &account, &watch).unwrap();
    let bound = found.bound.unwrap().unwrap();
    let best = &found.proposals[0];
    assert_eq!((best.done.len(), best.plan.reached), (3, true), "{:?}", best.plan);
    assert!(bound.cost <= cheapest * (1.0 + 1e-9), "{} above {cheapest}", bound.cost);
    assert!(bound.cost >= cheapest * (1.0 - 2e-3), "{} and {cheapest}", bound.cost);
    let dearer = best.plan.cost / cheapest - 1.0;
    assert!((-1e-9..2e-3).contains(&dearer), "{} and {cheapest}", best.plan.cost);
    // one position by itself is much dearer, and stands in the table as the shortest
    let alone = found.proposals.iter().filter(|own| own.done.len() == 1 && own.plan.reached);
    assert!(alone.clone().count() > 0 && alone.clone().all(|own| own.plan.cost > 1.1 * cheapest));
}
