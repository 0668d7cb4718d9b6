//! Books for tests, from a few words.
#![allow(dead_code, reason = "each test file uses its own part")]

use crossmargin_engine::book::{Book, Input, Options, RulebookChoice, build};
use crossmargin_engine::cell::{Cell, Table};
use crossmargin_engine::rulebook::{Format, Rulebook, builtin, read};

/// A table from lines of cells separated by `|`.
pub(crate) fn table(text: &str) -> Table {
    let rows = text.trim().lines().map(|line| {
        line.split('|')
            .map(|cell| match cell.trim().parse::<f64>() {
                Ok(number) => Cell::Number(number),
                Err(_) => Cell::from_text(cell),
            })
            .collect()
    });
    Table::from_rows(rows.collect())
}

/// A built-in rulebook as a choice for all accounts.
pub(crate) fn rules(id: &str) -> RulebookChoice {
    RulebookChoice::One(Box::new(builtin(id).expect("a built-in rulebook").clone()))
}

/// A rulebook of the test's own, the head filled in.
pub(crate) fn own_rules(rest: &str) -> Rulebook {
    let head = "id = \"test\"\nversion = \"1\"\nvenue = \"test\"\nreport_currency = \"USD\"\nsettle = \"USD\"\n\
                source = \"made up for a test\"\nretrieved = \"2026-11-20\"\neffective = \"2026-11-20\"\n";
    read(&format!("{head}{rest}"), Format::Toml).expect("a rulebook that obeys the schema")
}

/// A book from positions and collateral.
pub(crate) fn book(
    positions: &Table,
    collateral: &Table,
    market: Option<&Table>,
    rules: &RulebookChoice,
) -> Book {
    let input =
        Input { positions: Some(positions), collateral: Some(collateral), market, ..Input::default() };
    build(&input, rules, &Options::default()).book.expect("a book without errors")
}
