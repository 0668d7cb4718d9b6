//! Market states beyond prices, against books that are pasted with the moved inputs.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{own_rules, rules, table};
use crossmargin_engine::book::{Book, Input, Options, RulebookChoice, build};
use crossmargin_engine::error::Result;
use crossmargin_engine::liquidation::order;
use crossmargin_engine::margin::component::maintenance_total;
use crossmargin_engine::margin::contributions::{Under, contributions, one_by_one};
use crossmargin_engine::margin::{PoolState, PoolView, evaluate, excess};
use crossmargin_engine::market::{MarketState, unrealised_pnl};
use proptest::prelude::*;

/// What is moved, and by how much.
#[derive(Debug, Clone, Copy)]
struct Inputs {
    price: f64,
    relative: f64,
    absolute: f64,
    days: f64,
    staked: f64,
    peg: f64,
}

const TODAY: Inputs = Inputs { price: 1.0, relative: 0.0, absolute: 0.0, days: 0.0, staked: 1.0, peg: 1.0 };
const MOVED: Inputs = Inputs { price: 0.87, relative: 0.35, absolute: 0.04, days: 2.5, ..TODAY };
const EXPIRED: Inputs = Inputs { days: 12.0, ..MOVED };

/// Options of two expiries and a perpetual on ETH, pasted at some inputs without marks of options. What has
/// expired is not pasted: its intrinsic value is cash.
fn book(choice: &RulebookChoice, settle: &str, at: Inputs) -> Book {
    let inverse = settle == "ETH";
    let (spot, forward) = (3_000.0 * at.price, 3_020.0 * at.price);
    let mut rows = String::from(
        "symbol|type|underlying|settle|contracts|contractSize|strike|optionType|secondsToExpiry|forward|markIv|markPrice|indexPrice|entryPrice|leverage",
    );
    let mut settled = 0.0;
    for (name, quantity, strike, right, days, volatility) in [
        ("NEAR-P", -10.0, 2_900.0, "put", 10.0, 0.7),
        ("NEAR-C", -6.0, 3_300.0, "call", 10.0, 0.65),
        ("FAR-C", 8.0, 3_100.0, "call", 70.0, 0.6),
        ("FAR-P", 5.0, 2_600.0, "put", 70.0, 0.75),
    ] {
        if days <= at.days {
            let value = if right == "put" { strike - forward } else { forward - strike };
            settled += quantity * value.max(0.0) / if inverse { forward } else { 1.0 };
            continue;
        }
        let seconds = (days - at.days) * 86_400.0;
        let volatility = volatility * (1.0 + at.relative) + at.absolute;
        rows += &format!(
            "\n{name}|option|ETH|{settle}|{quantity}|1|{strike}|{right}|{seconds}|{forward}|{volatility}||{spot}||"
        );
    }
    let symbol = if inverse { "ETH-PERPETUAL" } else { "ETH-PERP" };
    let (quantity, entry) = if inverse { (9_000.0, 2_950.0) } else { (3.0, 2_950.0) };
    rows += &format!("\n{symbol}|perpetual|ETH|{settle}|{quantity}|1||||||{spot}|{spot}|{entry}|10");
    let cash = if inverse { 40.0 } else { 90_000.0 };
    let collateral = format!(
        "currency|cash|priceVenue|collateralRate\n{settle}|{}|{}|\nSTETH|4|{}|0.9",
        cash + settled,
        if inverse { spot } else { at.peg },
        spot * at.staked
    );
    let market = format!("underlying|indexPrice|annualVol\nETH|{spot}|0.8\nUSDC|{}|\nUSDT|1|\n", at.peg);
    let (positions, collateral, market) = (table(&rows), table(&collateral), table(&market));
    let input = Input {
        positions: Some(&positions),
        collateral: Some(&collateral),
        market: Some(&market),
        ..Input::default()
    };
    let outcome = build(&input, choice, &Options::default());
    outcome.book.expect("a book without errors")
}

/// The same inputs as a state of a book.
fn state(book: &Book, at: Inputs) -> MarketState {
    let coin = book.underlyings.iter().position(|known| known.name == "ETH").expect("the coin");
    let staked = book.currencies.iter().position(|known| known.code == "STETH").expect("the staked form");
    let stable = book.currencies.iter().position(|known| known.code == "USDC");
    stable
        .into_iter()
        .fold(MarketState::today(book), |state, usdc| state.with_currency(usdc, at.peg))
        .with(coin, at.price)
        .with_volatility(coin, at.relative, at.absolute)
        .with_days(at.days)
        .with_currency(staked, at.staked)
}

fn first(book: &Book, state: &MarketState) -> Result<PoolState> {
    evaluate(&PoolView::of(book, &book.pools[0]), state)
}

#[track_caller]
fn alike(moved: &PoolState, pasted: &PoolState, what: &str) {
    let figures = |state: &PoolState| {
        [
            ("equity", state.equity.gross),
            ("adjusted equity", state.equity.maintenance),
            ("initial equity", state.equity.initial),
            ("maintenance margin", state.requirement.maintenance),
            ("initial margin", state.requirement.initial.expect("an initial margin")),
            ("excess", state.excess),
        ]
    };
    for ((name, ours), (_, theirs)) in figures(moved).into_iter().zip(figures(pasted)) {
        let apart = (ours - theirs).abs() / theirs.abs().max(1e4);
        assert!(apart <= 1e-12, "{what}, {name}: {ours} against {theirs}");
    }
}

/// A measure of every kind, with the currency that options are settled in.
fn measures() -> Vec<(String, RulebookChoice, &'static str)> {
    let built_in = [
        ("deribit-spm", "ETH"),
        ("deribit-sm", "ETH"),
        ("derive-pm2", "USDC"),
        ("derive-sm", "USDC"),
        ("paradex-pm", "USDC"),
        ("paradex-cross", "USDC"),
    ];
    let simulated = "[measure]\nkind = \"expected_shortfall\"\nconfidence = 0.97\nhorizon_days = 1.0\n[pool]\nkind = \"account\"\n[tail]\nscenarios = \"simulated\"\noption_volatility = \"unmoved\"\nage_options = true\n[tail.simulation]\npaths = 512\ncovariance = \"market\"\n[levels]\ninitial = { factor = 1.2, trigger = 1.0 }\nmaintenance = { factor = 1.0, trigger = 1.0 }\n[collateral]\nother_currencies = \"full\"\n[liquidation]\npolicy = \"largest_loss\"\ncertainty = \"assumed\"\n";
    let mut all: Vec<(String, RulebookChoice, &'static str)> =
        built_in.map(|(id, settle)| (id.to_owned(), rules(id), settle)).to_vec();
    all.push(("tail".into(), RulebookChoice::One(Box::new(own_rules(simulated))), "USDC"));
    all
}

#[test]
fn a_moved_state_is_the_book_that_is_pasted_with_moved_inputs() {
    for (name, choice, settle) in measures() {
        let today = book(&choice, settle, TODAY);
        let broken = Inputs { staked: 0.8, peg: 0.9, ..MOVED };
        for at in [MOVED, EXPIRED, broken, Inputs { price: 1.2, ..EXPIRED }] {
            let moved = first(&today, &state(&today, at)).expect("an answer");
            let pasted = book(&choice, settle, at);
            let pasted = first(&pasted, &MarketState::today(&pasted)).expect("an answer");
            alike(&moved, &pasted, &format!("{name} {at:?}"));
            let unmoved = first(&today, &MarketState::today(&today)).expect("an answer");
            assert!((unmoved.equity.gross - moved.equity.gross).abs() > 1.0, "{name}: nothing moved");
        }
    }
}

#[test]
fn moves_of_nothing_change_no_bit() {
    for (name, choice, settle) in measures() {
        let today = book(&choice, settle, TODAY);
        let plain = first(&today, &MarketState::today(&today)).expect("an answer");
        let mut said = MarketState::today(&today).with_volatility(0, 0.3, 0.1).with_days(3.0);
        said = said.with_currency(0, 0.9).with_volatility(0, 0.0, 0.0).with_days(0.0).with_currency(0, 1.0);
        assert!(said.is_beyond_prices());
        assert_eq!(first(&today, &said).expect("an answer"), plain, "{name}");
        assert!(!state(&today, TODAY).is_beyond_prices());
    }
}

#[test]
fn the_excess_alone_is_that_of_the_whole_evaluation_to_the_bit() {
    let quantile = "[measure]\nkind = \"value_at_risk\"\nconfidence = 0.97\nhorizon_days = 1.0\n[pool]\nkind = \"account\"\n[tail]\ninitial_horizon_days = 3.0\nscenarios = \"simulated\"\noption_volatility = \"unmoved\"\n[tail.simulation]\npaths = 300\ncovariance = \"market\"\n[levels]\ninitial = { factor = 1.2, trigger = 1.0 }\nmaintenance = { factor = 0.9, trigger = 1.1 }\n[[profiles]]\nunderlyings = [\"*\"]\n[[profiles.charges]]\nname = \"cost\"\non = \"notional\"\nstage = \"outside\"\nrate = 0.001\nkinds = [\"perpetual\", \"option\"]\n[collateral]\nother_currencies = \"full\"\n[liquidation]\npolicy = \"largest_loss\"\ncertainty = \"assumed\"\n";
    let mut measures = measures();
    measures.push(("quantile".into(), RulebookChoice::One(Box::new(own_rules(quantile))), "USDC"));
    for (name, choice, settle) in measures {
        let today = book(&choice, settle, TODAY);
        for at in [TODAY, MOVED, EXPIRED, Inputs { staked: 0.8, peg: 0.9, ..MOVED }] {
            let state = state(&today, at);
            let alone = excess(&PoolView::of(&today, &today.pools[0]), &state).expect("an excess");
            let whole = first(&today, &state).expect("an answer");
            assert_eq!(alone.to_bits(), whole.excess.to_bits(), "{name} {at:?}");
            assert!(whole.requirement.maintenance > 0.0 || at.days > 10.0, "{name} {at:?}");
        }
    }
}

#[test]
fn what_has_expired_needs_nothing_and_its_result_is_cash() {
    let choice = rules("deribit-spm");
    let today = book(&choice, "ETH", TODAY);
    let at = state(&today, EXPIRED);
    let view = PoolView::of(&today, &today.pools[0]);
    let found = evaluate(&view, &at).expect("an answer");
    assert_eq!(found.requirement.by_position.len(), today.positions.len());
    for (position, margin) in today.positions.iter().zip(&found.requirement.by_position) {
        let near = today.instruments[position.instrument].symbol.starts_with("NEAR");
        assert_eq!(near, margin.notional == 0.0);
        assert_eq!(near, at.is_expired(&today, position.instrument));
    }
    let shared = contributions(&view, &at, Under::Own, &one_by_one(&view)).expect("contributions");
    let total: f64 = shared.rows.iter().map(|row| row.component).sum();
    assert!((total - maintenance_total(&found.requirement.components)).abs() < 1e-9 * total);
    // an order of liquidation closes what is left only
    let options = order::Options { stop: Some(order::Stop::Flat), ..order::Options::default() };
    let crash = state(&today, Inputs { price: 0.1, ..EXPIRED });
    let closing = order::at_state(&today, &today.pools[0], &crash, &options).expect("an order");
    assert!(!closing.rows.is_empty());
    for row in &closing.rows {
        let closed = row.closed.as_ref().map(|closed| &closed.symbol);
        assert!(closed.is_none_or(|symbol| !symbol.starts_with("NEAR")), "{closed:?}");
    }
}

#[test]
fn a_peg_that_breaks_lowers_balances_and_raises_what_the_rulebook_says() {
    let choice = rules("derive-pm2");
    let today = book(&choice, "USDC", TODAY);
    let usdc = today.currencies.iter().position(|known| known.code == "USDC").expect("the currency");
    let plain = first(&today, &MarketState::today(&today)).expect("an answer");
    let broken = first(&today, &MarketState::today(&today).with_currency(usdc, 0.9)).expect("an answer");
    // staked coins are worth more USDC, and the initial margin rises by more than 4 x (0.99 - 0.9) (venues.md 7.2)
    assert!(broken.requirement.initial.expect("one") > 1.36 * plain.requirement.initial.expect("one"));
    assert!((broken.equity.gross - plain.equity.gross - 12_000.0 / 9.0).abs() < 1e-8);
    // at a venue that counts in USD, a balance in USDC loses what the peg loses
    let (_, choice, settle) = measures().pop().expect("the last measure");
    let in_dollars = book(&choice, settle, TODAY);
    let usdc = in_dollars.currencies.iter().position(|known| known.code == "USDC").expect("the currency");
    let plain = first(&in_dollars, &MarketState::today(&in_dollars)).expect("an answer");
    let broken = MarketState::today(&in_dollars).with_currency(usdc, 0.9);
    let broken = first(&in_dollars, &broken).expect("an answer");
    let staked = 4.0 * 3_000.0;
    assert!((broken.equity.gross - staked - 0.9 * (plain.equity.gross - staked)).abs() < 1e-8);
}

#[test]
fn what_no_market_has_is_refused_by_name() {
    let today = book(&rules("deribit-spm"), "ETH", TODAY);
    let why = |state: MarketState| first(&today, &state).expect_err("a refusal").to_string();
    let at = MarketState::today(&today);
    assert_eq!(why(at.clone().with_days(-1.0)), "days must be finite and zero or above, was -1");
    let negative = why(at.clone().with_volatility(0, -1.5, 0.0));
    assert!(negative.starts_with("implied volatility after its move must be finite and zero or above"));
    assert!(negative.contains("FAR-C"), "{negative}");
    let currency = why(at.clone().with_currency(0, 0.0));
    assert!(currency.starts_with("ratio of a currency must be finite and above zero, was 0"), "{currency}");
    // ten days less ten minutes: the settlement price is half way to being fixed
    let settling = why(at.with_days(10.0 - 900.0 / 86_400.0));
    assert!(settling.contains("900 seconds from its expiry"), "{settling}");
}

/// Options on ETH that are marked apart from their volatilities, below and above, one below what it pays.
fn marked_apart(settle: &str) -> Book {
    let unit = if settle == "ETH" { 3_000.0 } else { 1.0 };
    let mut rows = String::from(
        "symbol|type|underlying|settle|contracts|contractSize|strike|optionType|secondsToExpiry|forward|markIv|markPrice|indexPrice",
    );
    for (name, strike, right, days, mark) in [
        ("A", 2_900.0, "put", 10.0, 3.0),
        ("B", 3_300.0, "call", 10.0, 0.0),
        ("C", 2_000.0, "call", 70.0, 985.0),
        ("D", 9_000.0, "put", 3.0, 5_970.0),
        ("E", 3_100.0, "call", 70.0, 400.0),
    ] {
        let mark = mark / unit;
        rows += &format!(
            "\n{name}|option|ETH|{settle}|-2|1|{strike}|{right}|{}|3000|0.9|{mark}|3000",
            days * 86_400.0
        );
    }
    let (positions, market) = (table(&rows), table("underlying|indexPrice\nETH|3000\nUSDC|1"));
    let collateral = table(&format!("currency|cash\n{settle}|{}", 90_000.0 / unit));
    let input = Input {
        positions: Some(&positions),
        collateral: Some(&collateral),
        market: Some(&market),
        ..Input::default()
    };
    build(&input, &rules("deribit-sm"), &Options::default()).book.expect("a book without errors")
}

proptest! {
    #[test]
    fn no_option_is_ever_worth_less_than_nothing_and_today_it_is_worth_its_mark(
        coin in any::<bool>(), price in -2.0..1.0_f64, relative in -1.0..4.0_f64, days in 0.0..80.0_f64,
    ) {
        let book = marked_apart(if coin { "ETH" } else { "USDC" });
        let state = MarketState::today(&book).with(0, 10_f64.powf(price));
        let states = [state.clone(), state.with_volatility(0, relative, 0.0).with_days(days)];
        for position in &book.positions {
            let today = unrealised_pnl(&book, position, &MarketState::today(&book)) / position.quantity;
            prop_assert!(today == position.mark_price);
            for state in &states {
                prop_assert!(unrealised_pnl(&book, position, state) / position.quantity >= 0.0);
            }
        }
    }
}

#[test]
fn an_option_marked_below_its_volatility_gains_no_more_than_the_model_and_pays_in_full() {
    for settle in ["ETH", "USDC"] {
        let book = marked_apart(settle);
        let unit = |ratio: f64| if settle == "ETH" { 3_000.0 * ratio } else { 1.0 };
        let put = book.positions.iter().find(|own| own.mark_price * unit(1.0) < 4.0 && own.mark_price > 0.0);
        let put = put.expect("the put marked at 3");
        for (ratio, worth) in [(0.05, 2_900.0 - 150.0), (3.0, 0.0)] {
            let state = MarketState::today(&book).with(0, ratio);
            let value = unrealised_pnl(&book, put, &state) / put.quantity * unit(ratio);
            assert!((value - worth).abs() < 1e-9 * 3_000.0, "{settle} {ratio}: {value}");
        }
    }
}
