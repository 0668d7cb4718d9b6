//! Every function of the sheet, asked of a book with drawn arguments.

use crossmargin_engine::answer::{
    self, Answer, Evaluated, accounts, adl, backtest, books, calibrate, check, collateral, contributions,
    correlation, cure, difference, explain, exposure, grid, horizon, impact, limits, map, nearest, options,
    order, policies, price, probability, recon, rulebooks, scalar, scenarios, schedule, size, stress,
    summary, tail, tiers, whatif, withdraw, zones,
};
use crossmargin_engine::book::{self, Book, Input, RulebookChoice, build};
use crossmargin_engine::cell::Table;
use crossmargin_engine::history::{Reading, read_history};
use crossmargin_engine::instrument::Payoff;
use crossmargin_engine::limits::profile::Profile;
use crossmargin_engine::liquidation::single::Single;
use crossmargin_engine::plan::Origin;
use crossmargin_engine::rulebook::{MaintenanceOn, builtins, read_sheet};
use crossmargin_engine::watch::Watch;
use crossmargin_engine::{Error, Place, Result};

use crate::draw::Draw;
use crate::shapes::{Rows, Shapes, broken, nonsense};

/// A book that was accepted, with what it was made of.
pub(crate) struct Asked<'a> {
    pub(crate) book: &'a Book,
    pub(crate) evaluated: &'a Evaluated,
    pub(crate) input: Input<'a>,
    pub(crate) shapes: &'a Shapes,
    /// The same holdings at other prices, or the book itself.
    pub(crate) before: (&'a Book, &'a Evaluated, Input<'a>),
}

impl<'a> Asked<'a> {
    fn origin(&self) -> Option<Origin<'a>> {
        Some(Origin { input: self.input, as_of: Some(self.book.as_of.as_str()) })
    }

    fn table(&self, draw: &mut Draw<'_>, name: &str) -> Table {
        let rows: Rows = match self.shapes.tables.get(name) {
            Some(rows) if draw.chance(85) => broken(draw, rows),
            _ => nonsense(draw, self.shapes),
        };
        Table::from_rows(rows)
    }

    fn maybe(&self, draw: &mut Draw<'_>, name: &str) -> Option<Table> {
        draw.chance(60).then(|| self.table(draw, name))
    }
}

/// What a function answers.
pub(crate) enum Said {
    Number(f64),
    Texts(Vec<String>),
    Table(Answer),
}

type Question = fn(&mut Draw<'_>, &Asked<'_>) -> Result<Said>;

const MOVES: [f64; 9] = [-0.5, -0.2, -0.1, 0.0, 0.1, 0.3, 1.0, 7.0, 30.0];
const SCOPES: [&str; 6] = ["all", "main", "a", "BTC", "main/USDC", "ETH"];
const SCENARIOS: [&str; 4] = ["nearest", "now", "-0.2", "BTC:-0.2,ETH:-0.3"];
const POLICIES: [&str; 17] = [
    "venue",
    "usual",
    "all",
    "all_at_once",
    "tier_steps",
    "pro_rata",
    "equal_slice",
    "largest_loss",
    "largest_notional",
    "highest_risk_contribution",
    "largest_margin_contribution",
    "futures_then_options",
    "staged_by_class",
    "collateral_first",
    "marginal_per_cost",
    "incremental",
    "random",
];
const ORDER_KEYS: [&str; 10] =
    ["policy", "step", "stop", "slippage", "hedge", "elapsed", "gap", "seed", "until", "liquidate_last"];
const ORDER_WORDS: [&str; 13] = [
    "whole",
    "needed",
    "multiples:0.2",
    "healthy",
    "initial",
    "flat",
    "usage:0.7",
    "depth",
    "none",
    "after",
    "first",
    "pro_rata",
    "random",
];
const PROFILE_KEYS: [&str; 12] = [
    "profile",
    "confidence",
    "horizon_days",
    "close_out_days",
    "loss_budget",
    "liquidation_days",
    "depth_share",
    "depth_move",
    "participation",
    "steps",
    "seed",
    "volatility",
];
const PROFILE_WORDS: [&str; 6] = ["conservative", "standard", "aggressive", "either", "market", "history"];
const TAIL_KEYS: [&str; 6] = ["window", "decay", "method", "confidence", "law", "seed"];
const TAIL_WORDS: [&str; 7] =
    ["historical", "filtered", "age_weighted", "simulated", "student_t", "250", "0.94"];

fn profile(draw: &mut Draw<'_>) -> Result<Profile> {
    Profile::of(&few_paths(draw.options(&PROFILE_KEYS, &PROFILE_WORDS)))
}

/// The usual ten thousand paths take minutes where every step of one measures a tail.
fn few_paths(mut options: Vec<(String, String)>) -> Vec<(String, String)> {
    options.push(("paths".into(), "100".into()));
    options
}

fn coin(draw: &mut Draw<'_>, asked: &Asked<'_>) -> String {
    let held: Vec<&str> = asked.book.underlyings.iter().map(|known| known.name.as_str()).collect();
    draw.word(&held)
}

fn symbol(draw: &mut Draw<'_>, asked: &Asked<'_>) -> String {
    let held: Vec<&str> = asked.book.instruments.iter().map(|known| known.symbol.as_str()).collect();
    draw.word(&held)
}

fn axis(draw: &mut Draw<'_>, asked: &Asked<'_>) -> String {
    if draw.chance(50) { coin(draw, asked) } else { draw.word(&["ALL", "VOL", "VOL:BTC", "PEG:USDT", "BTC"]) }
}

fn one_of_five(draw: &mut Draw<'_>) -> f64 {
    draw.number_of(&[1.0, 2.0, 5.0, 10.0, 50.0])
}

/// The functions by the names that they have in a sheet.
pub(crate) const QUESTIONS: [(&str, Question); 47] = [
    ("CM_ACCOUNTS", |draw, asked| {
        let question = accounts::Question {
            top: one_of_five(draw),
            sort: draw.word(&["excess", "usage", "shortfall", "mm", "call", "nearest"]),
            options: draw.options(&["stress", "case"], &["OCT2025", "mild", "central", "severe"]),
        };
        let both = [(asked.before.0, asked.before.1), (asked.book, asked.evaluated)];
        let ranked = both.map(|(book, evaluated)| accounts::Ranked { book, evaluated });
        accounts::table(&ranked, &question).map(Said::Table)
    }),
    ("CM_ADL", |draw, asked| {
        let form = draw.word(&[
            "all",
            "binance",
            "bybit",
            "hyperliquid",
            "okx",
            "pnl_ratio",
            "size",
            "pro_rata",
            "water_filling",
        ]);
        let keys = ["symbol", "side", "unit", "bankruptcy", "fund", "backstop", "shorts", "own"];
        let words = ["BTC", "long", "short", "notional", "qty", "loss", "inverted", "yes", "no"];
        let question = adl::Question::read(&form, &draw.options(&keys, &words))?;
        let candidates = asked.maybe(draw, "candidates");
        let deficit = draw.chance(50).then(|| draw.number_of(&[1.0, 1e4, 1e6]));
        adl::table(asked.book, asked.evaluated, candidates.as_ref(), deficit, &question).map(Said::Table)
    }),
    ("CM_BACKTEST", |draw, asked| {
        let measure = draw.word(&["all", "margin", "es", "var"]);
        let keys = ["view", "level", "coverage", "horizon_days", "first", "last", "window", "method"];
        let words = ["tests", "exceedances", "series", "initial", "0.99", "250", "historical", "2025-06-01"];
        let question = backtest::question(&measure, &draw.options(&keys, &words))?;
        backtest::table(asked.book, &question, &Watch::new()).map(Said::Table)
    }),
    ("CM_BOOK", |draw, asked| {
        let choice = RulebookChoice::PerAccount(
            asked
                .book
                .accounts
                .iter()
                .filter_map(|account| {
                    let shape = draw.of(&asked.shapes.books)?;
                    Some((account.name.clone(), shape.rulebook.clone()))
                })
                .collect(),
        );
        let settings = book::Options { as_of: None, partial: draw.chance(50), rebook: draw.chance(50) };
        let built = build(&asked.input, &choice, &settings).book?;
        let evaluated = Evaluated::new(&built);
        summary::summary(&built, &evaluated, "account").map(Said::Table)
    }),
    ("CM_CALIBRATE", |draw, asked| {
        let what = draw.word(&["tail", "scan"]);
        let keys = ["decay", "window", "coverage", "horizon_days", "level", "view"];
        let words = ["0.94,0.97", "250,500", "0.99", "initial", "points", "folds"];
        let question = calibrate::question(&what, &draw.options(&keys, &words))?;
        calibrate::table(asked.book, &question, &Watch::new()).map(Said::Table)
    }),
    ("CM_CHECK", |draw, asked| {
        Ok(Said::Table(match draw.below(3) {
            0 => check::of_book(asked.book),
            1 => check::columns(&asked.book.columns),
            _ => check::units(&asked.book.units),
        }))
    }),
    ("CM_COLLATERAL", |draw, asked| {
        let sort = collateral::sort_named(&draw.word(&["usable", "lost"]))?;
        collateral::collateral(asked.book, sort).map(Said::Table)
    }),
    ("CM_COMPARE", |draw, asked| {
        let count = 1 + draw.below(3);
        let rebooked: Vec<(String, Result<(Book, Evaluated)>)> = (0..count)
            .filter_map(|_| draw.of(&asked.shapes.books))
            .map(|shape| {
                let settings = book::Options { as_of: None, partial: false, rebook: true };
                let choice = RulebookChoice::One(Box::new(shape.rulebook.clone()));
                let built = build(&asked.input, &choice, &settings).book.map(|book| {
                    let evaluated = Evaluated::new(&book);
                    (book, evaluated)
                });
                (shape.rulebook.id.clone(), built)
            })
            .collect();
        let compared: Vec<books::Compared<'_>> = rebooked
            .iter()
            .map(|(name, built)| books::Compared {
                name: name.clone(),
                book: built.as_ref().map(|(book, evaluated)| (book, evaluated)).map_err(Clone::clone),
                isolated: false,
            })
            .collect();
        books::compare(&compared, draw.chance(50)).map(Said::Table)
    }),
    ("CM_CONTRIB", |draw, asked| {
        let question = contributions::Question {
            measure: draw.word(&["MM", "ES", "VaR"]),
            group_by: draw.word(&["position", "underlying", "account", "strategy"]),
            options: draw.options(&TAIL_KEYS, &TAIL_WORDS),
        };
        contributions::table(asked.book, &question).map(Said::Table)
    }),
    ("CM_CORREL", |draw, asked| {
        let view = draw.word(&["matrix", "change", "beta", "volatility", "stress", "repair"]);
        let keys = ["decay", "method", "window", "fast", "slow", "driver", "quantile", "share"];
        let words = ["0.94", "ewma", "sample", "ledoit_wolf", "market", "BTC", "0.1", "250"];
        let options = draw.options(&keys, &words);
        if draw.chance(50) {
            correlation::of_history(&asked.shapes.history, &view, &options).map(Said::Table)
        } else {
            correlation::of_book(asked.book, &view, &options).map(Said::Table)
        }
    }),
    ("CM_CURE", |draw, asked| {
        let target = draw.word(&["usage=0.7", "excess=10000", "excess_im=0", "MM", "IM", "1e9"]);
        let allowed =
            draw.word(&["close;hedge;deposit;cancel;convert", "close", "deposit", "hedge", "cancel"]);
        let options = draw.options(
            &["fee", "slippage", "account", "hedge"],
            &["0.001", "depth", "main", "a", "BTC", "ETH"],
        );
        let question = cure::Question::read(&target, &allowed, one_of_five(draw), &options)?;
        cure::table(asked.book, asked.origin(), &question, &Watch::new()).map(Said::Table)
    }),
    ("CM_DIFF", |draw, asked| {
        let (book, evaluated, input) = asked.before;
        let as_of = Some(book.as_of.as_str());
        let old = difference::Side { book, evaluated, origin: Some(Origin { input, as_of }) };
        let new = difference::Side { book: asked.book, evaluated: asked.evaluated, origin: asked.origin() };
        let measure = draw.word(&["MM", "IM", "equity", "usage", "excess"]);
        let group_by = draw.word(&["driver", "position"]);
        difference::table(old, new, &measure, &group_by, &draw.options(&["venues"], &["any"]))
            .map(Said::Table)
    }),
    ("CM_EQUITY", |draw, asked| {
        let basis = draw.word(&["adjusted", "gross", "haircut_loss"]);
        scalar::equity(asked.book, asked.evaluated, &basis, &draw.word(&SCOPES)).map(Said::Number)
    }),
    ("CM_EXCESS", |draw, asked| {
        let above = draw.word(&["MM", "IM", "usage=0.7"]);
        scalar::excess(asked.book, asked.evaluated, &above, &draw.word(&SCOPES)).map(Said::Number)
    }),
    ("CM_EXPLAIN", |draw, asked| {
        let of = explain::Of::read(&draw.word(&["MM", "IM"]))?;
        let group_by = draw.word(&["component", "riskUnit", "position"]);
        explain::table(asked.book, asked.evaluated, of, &group_by).map(Said::Table)
    }),
    ("CM_EXPOSURE", |draw, asked| {
        let group_by = draw.word(&["underlying", "expiry", "strike", "account", "symbol"]);
        let unit = draw.word(&["usd", "coin"]);
        exposure::table(asked.book, asked.evaluated, &group_by, &unit).map(Said::Table)
    }),
    ("CM_GRID", |draw, asked| {
        let question = grid::Question {
            underlying: axis(draw, asked),
            price_moves: draw.numbers(&MOVES),
            volatility_moves: draw.numbers(&MOVES),
            days: draw.numbers(&MOVES),
            measure: draw.word(&["usage", "pnl", "excess", "im", "mm", "equity", "first", "delta", "status"]),
            options: draw.options(
                &["path", "betas", "vol", "scope"],
                &["alone", "together", "beta", "ETH:1.2", "relative", "points"],
            ),
        };
        grid::table(asked.book, asked.evaluated, &question).map(Said::Table)
    }),
    ("CM_HISTORY", |draw, asked| {
        let start = 1 + draw.below(500);
        let mut rows: Rows = asked.shapes.history_rows.iter().take(1).cloned().collect();
        let count = 1 + draw.below(60);
        rows.extend(asked.shapes.history_rows.iter().skip(start).take(count).cloned());
        let rows = if draw.chance(90) { broken(draw, &rows) } else { nonsense(draw, asked.shapes) };
        let reading = Reading {
            coin: draw.chance(20).then(|| draw.word(&["BTC"])),
            step_days: draw.chance(20).then(|| draw.number_of(&[1.0, 2.0, 7.0])),
            partial: draw.chance(30),
        };
        let read = read_history(&Table::from_rows(rows), &reading)?;
        answer::history::check(&read, &draw.word(&["issues", "columns"])).map(Said::Table)
    }),
    ("CM_HORIZON", |draw, asked| {
        let count = draw.below(4);
        let question = horizon::Question {
            dates: (0..count).map(|_| draw.word(&["7", "30", "90", "2026-03-27", "0.5"])).collect(),
            measure: draw.word(&["MM", "IM", "equity", "usage"]),
            funding: draw.chance(50),
        };
        horizon::table(asked.book, &question).map(Said::Table)
    }),
    ("CM_IM", |draw, asked| {
        scalar::initial_margin(asked.book, asked.evaluated, &draw.word(&SCOPES)).map(Said::Number)
    }),
    ("CM_IMPACT", |draw, asked| {
        let count = draw.below(3);
        let symbols: Vec<String> = (0..count).map(|_| symbol(draw, asked)).collect();
        let sizes = draw.numbers(&[-10.0, -1.0, 1.0, 10.0, 0.001]);
        let measure = draw.word(&["MM", "IM", "usage", "excess", "excess_im", "equity", "nearest"]);
        impact::impact(asked.book, asked.origin(), &symbols, &sizes, &measure).map(Said::Table)
    }),
    ("CM_LEVERAGE", |draw, asked| {
        let (scope, profile) = (draw.word(&SCOPES), profile(draw)?);
        limits::leverage_caps(asked.book, asked.evaluated, &scope, &profile, &Watch::new()).map(Said::Table)
    }),
    ("CM_LIMITS", |draw, asked| {
        let (table, profile) = (asked.maybe(draw, "limits"), profile(draw)?);
        limits::table(asked.book, asked.evaluated, table.as_ref(), &profile, &Watch::new()).map(Said::Table)
    }),
    ("CM_LIQ1", |draw, _| {
        let asked = Single {
            quantity: draw.number_of(&[1.0, -1.0, 100.0, -5_000.0]),
            entry: draw.number_of(&[100.0, 50_000.0, 0.01]),
            collateral: draw.number_of(&[5.0, 0.0, 10_000.0]),
            rate: draw.number_of(&[0.004, 0.01, 0.5]),
            amount: draw.number_of(&[0.0, 10.0]),
            other: draw.number_of(&[0.0, 4.0]),
            payoff: if draw.chance(50) { Payoff::Inverse } else { Payoff::Linear },
            maintenance_on: if draw.chance(50) { MaintenanceOn::Entry } else { MaintenanceOn::Mark },
        };
        let found = asked.prices()?;
        match found.liquidation {
            Some(price) => Ok(Said::Number(price)),
            None => Ok(Said::Texts(vec![found.reason])),
        }
    }),
    ("CM_LIQCOMPARE", |draw, asked| {
        let pairs = draw.options(&ORDER_KEYS, &ORDER_WORDS);
        let chosen = options::compared_options(&pairs, draw.number_of(&[1.0, 10.0, 200.0]))?;
        let policies = policies::read(&draw.word(&POLICIES), &chosen)?;
        let scenario = options::scenario(&draw.word(&SCENARIOS))?;
        policies::table(asked.book, &scenario, &policies, &chosen).map(Said::Table)
    }),
    ("CM_LIQFIRST", |draw, asked| {
        let chosen = options::order_options(&draw.options(&ORDER_KEYS, &ORDER_WORDS), 50.0)?;
        let scenario = options::scenario(&draw.word(&SCENARIOS))?;
        let count = draw.below(5);
        order::first(asked.book, &scenario, &chosen, count, draw.chance(50)).map(Said::Texts)
    }),
    ("CM_LIQMAP", |draw, asked| {
        let (x, y) = (axis(draw, asked), axis(draw, asked));
        let (x_moves, y_moves) = (draw.numbers(&MOVES), draw.numbers(&MOVES));
        let question = map::Question {
            x: (&x, &x_moves),
            y: (&y, &y_moves),
            figure: map::Figure::named(&draw.word(&["usage", "excess", "equity", "mm", "first"]))?,
            account: &draw.word(&["all", "main", "a", "b"]),
        };
        map::table(asked.book, &question).map(Said::Table)
    }),
    ("CM_LIQORDER", |draw, asked| {
        let pairs = draw.options(&ORDER_KEYS, &ORDER_WORDS);
        let chosen = options::order_options(&pairs, draw.number_of(&[1.0, 5.0, 50.0, 200.0]))?;
        let scenario = options::scenario(&draw.word(&SCENARIOS))?;
        order::table(asked.book, &scenario, &chosen).map(Said::Table)
    }),
    ("CM_LIQPRICE", |draw, asked| {
        let question = price_question(draw)?;
        if draw.chance(50) {
            let coin = draw.chance(50).then(|| coin(draw, asked));
            return price::table(asked.book, coin.as_deref(), &question).map(Said::Table);
        }
        let side = options::side(&draw.word(&["nearest", "down", "up"]))?;
        price::single(asked.book, &symbol(draw, asked), side, &question).map(Said::Number)
    }),
    ("CM_LIQPROB", |draw, asked| {
        let profile = profile(draw)?;
        let scope = draw.word(&["all", "main", "each account"]);
        probability::table(asked.book, &scope, &profile, &Watch::new()).map(Said::Table)
    }),
    ("CM_LIQZONES", |draw, asked| {
        let question = price_question(draw)?;
        let coin = draw.chance(50).then(|| coin(draw, asked));
        zones::table(asked.book, coin.as_deref(), &question).map(Said::Table)
    }),
    ("CM_MAXSIZE", |draw, asked| {
        let question = size::Question {
            symbol: symbol(draw, asked),
            side: draw.word(&["buy", "sell"]),
            limit: draw.word(&["IM", "MM", "usage=0.7", "excess=0", "leverage=5"]),
            limits: if draw.chance(20) { Some(asked.table(draw, "limits")) } else { None },
            ..size::Question::default()
        };
        let keys = ["account", "lot", "price", "leverage", "mmr", "imr", "markIv", "forward", "confidence"];
        let (question, rest) = question.split(&draw.options(&keys, &["main", "0.001", "93400", "10"]))?;
        let (profile, watch) = (Profile::of(&few_paths(rest))?, Watch::new());
        if draw.chance(50) {
            return size::table(asked.book, asked.origin(), &question, &profile, &watch).map(Said::Table);
        }
        size::number(asked.book, asked.origin(), &question, &profile, &watch).map(Said::Number)
    }),
    ("CM_MAXWITHDRAW", |draw, asked| {
        let (code, account) = (draw.word(&["USDC", "USDT", "BTC", "ETH"]), draw.word(&["", "main", "a"]));
        if draw.chance(50) {
            return withdraw::table(asked.book, &code, &account).map(Said::Table);
        }
        withdraw::number(asked.book, &code, &account).map(Said::Number)
    }),
    ("CM_MM", |draw, asked| {
        scalar::maintenance_margin(asked.book, asked.evaluated, &draw.word(&SCOPES)).map(Said::Number)
    }),
    ("CM_NEAREST", |draw, asked| {
        let (factors, profile) = (draw.word(&["all", "BTC", "BTC,ETH"]), profile(draw)?);
        let scale = nearest::Scale::named(&draw.word(&["sigma", "pct"]))?;
        nearest::table(asked.book, &factors, scale, &profile).map(Said::Table)
    }),
    ("CM_RATIO", |draw, asked| {
        let style = draw.word(&["usage", "safety", "venue"]);
        scalar::ratio(asked.book, asked.evaluated, &style, &draw.word(&SCOPES)).map(Said::Number)
    }),
    ("CM_RECON", |draw, asked| {
        let wide = draw.number_of(&[0.005, 0.0, 1.0]);
        let tolerance =
            if draw.chance(50) { recon::Tolerance::Relative(wide) } else { recon::Tolerance::Absolute(wide) };
        let scope = draw.word(&["all", "account", "position"]);
        recon::recon(asked.book, asked.evaluated, tolerance, &scope).map(Said::Table)
    }),
    ("CM_RULEBOOKS", |draw, asked| {
        if draw.chance(20) {
            let known: Vec<_> = builtins()?.iter().collect();
            return Ok(Said::Table(rulebooks::list(&known)));
        }
        let part = draw.word(&["all", "general", "levels", "shocks", "charges", "tiers", "haircuts"]);
        let own = asked.book.rulebooks.first().ok_or_else(none)?;
        rulebooks::parts(own, &part).map(Said::Table)
    }),
    ("CM_RULEDIFF", |draw, asked| {
        let own = asked.book.rulebooks.first().ok_or_else(none)?;
        if draw.chance(50) {
            let shape = draw.of(&asked.shapes.books).ok_or_else(none)?;
            return rulebooks::difference(own, shape.rulebook).map(Said::Table);
        }
        // the rows of a rulebook as a sheet shows them, changed here and there
        let shown = rulebooks::parts(own, "all")?;
        let rows = rows_of(&shown);
        let read = read_sheet(&Table::from_rows(broken(draw, &rows)))?;
        rulebooks::difference(own, &read).map(Said::Table)
    }),
    ("CM_SCENARIOS", |draw, asked| {
        let unit = if draw.chance(50) { String::new() } else { coin(draw, asked) };
        scenarios::table(asked.book, &unit, &draw.word(&["matrix", "list", "positions"])).map(Said::Table)
    }),
    ("CM_SCHEDULE", |draw, _| {
        let market = schedule::Market {
            price: draw.number_of(&[60_000.0]),
            daily_volatility: draw.number_of(&[0.03]),
            daily_volume: draw.number_of(&[20_000.0]),
            half_spread: draw.number_of(&[0.0001, 0.0]),
        };
        let choice = schedule::Choice::read(&draw.options(&["periods", "risk_aversion"], &["8", "1e-6"]))?;
        let (quantity, days) = (draw.number_of(&[500.0, -20.0]), draw.number_of(&[2.0, 0.5]));
        let order = schedule::order(quantity, days, choice.periods, &market)?;
        schedule::table(&order, choice.risk_aversion).map(Said::Table)
    }),
    ("CM_STRESS", |draw, asked| {
        let words = draw.word(&["LIB", "OCT2025", "MAR2020", "FTX2022"]);
        let typed = if draw.chance(40) { Some(asked.table(draw, "scenarios")) } else { None };
        let options = draw.options(
            &["case", "group_by", "layout", "cascade", "impact", "depth", "rounds", "slippage"],
            &["mild", "severe", "all", "book", "account", "sources"],
        );
        stress::table(asked.book, asked.evaluated, &words, typed.as_ref(), &options).map(Said::Table)
    }),
    ("CM_SUMMARY", |draw, asked| {
        let group_by = draw.word(&["account", "pool", "settle", "riskUnit", "book"]);
        summary::summary(asked.book, asked.evaluated, &group_by).map(Said::Table)
    }),
    ("CM_TAIL", |draw, asked| {
        let question = tail::Question {
            measure: draw.word(&["all", "es", "var", "losses"]),
            confidence: draw.chance(50).then(|| draw.number_of(&[0.95, 0.99, 0.975])),
            horizon_days: draw.chance(30).then(|| draw.number_of(&[1.0, 10.0])),
            method: draw
                .chance(50)
                .then(|| draw.word(&["historical", "filtered", "age_weighted", "simulated", "all"])),
            options: draw.options(&TAIL_KEYS, &TAIL_WORDS),
        };
        tail::table(asked.book, &question, &Watch::new()).map(Said::Table)
    }),
    ("CM_TIERS", |draw, asked| {
        tiers::tiers(asked.book, asked.evaluated, draw.number_of(&[0.25, 0.5])).map(Said::Table)
    }),
    ("CM_WHATIF", |draw, asked| {
        let trades = asked.table(draw, "trades");
        if draw.chance(50) {
            let measure = draw.word(&["table", "all"]);
            return whatif::table(asked.book, asked.evaluated, asked.origin(), &trades, &measure)
                .map(Said::Table);
        }
        let measure = draw.word(&["MM", "IM", "usage", "excess", "excess_im", "equity", "nearest"]);
        whatif::number(asked.book, asked.evaluated, asked.origin(), &trades, &measure).map(Said::Number)
    }),
    ("CM_WHY", |draw, asked| {
        Ok(Said::Table(if draw.chance(50) {
            books::stamp(asked.book)
        } else {
            books::assumptions(asked.book)
        }))
    }),
];

fn price_question(draw: &mut Draw<'_>) -> Result<price::Question> {
    let path = draw.word(&["alone", "together", "beta"]);
    let which = draw.word(&["trigger", "bankrupt"]);
    let pairs = draw.options(&["max", "betas", "vol", "days"], &["10", "ETH:1.2", "-0.5", "3"]);
    options::question(&path, &which, &pairs)
}

fn rows_of(answer: &Answer) -> Rows {
    use crossmargin_engine::answer::Value;
    use crossmargin_engine::cell::Cell;
    let header = answer.header.iter().map(|name| Cell::from_text(name)).collect();
    let cell = |value: &Value| match value {
        Value::Number(number) => Cell::Number(*number),
        Value::Text(text) => Cell::from_text(text),
        Value::Missing => Cell::Empty,
    };
    std::iter::once(header).chain(answer.rows.iter().map(|row| row.iter().map(cell).collect())).collect()
}

fn none() -> Error {
    Error::Missing { what: "rulebook".into(), why: "the book has none".into(), place: Place::default() }
}
