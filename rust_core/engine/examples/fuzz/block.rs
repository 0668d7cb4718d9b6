//! One block: tables, the book that comes of them, and a few questions.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crossmargin_engine::answer::{Answer, Evaluated, Value, check};
use crossmargin_engine::book::{Book, Input, Options, RulebookChoice, build, read_only};
use crossmargin_engine::cell::{Cell, Column, Table};
use crossmargin_engine::{Error, Result};

use crate::draw::Draw;
use crate::questions::{Asked, QUESTIONS, Said};
use crate::shapes::{Rows, Shape, Shapes, broken, nonsense};

/// Functions asked of an accepted book.
const ASKED: usize = 3;
/// One time in so many a function that takes long is asked.
const SELDOM: usize = 10;
/// Asked more often of a book with a history, since few books have one.
const OF_HISTORY: [&str; 6] =
    ["CM_BACKTEST", "CM_CALIBRATE", "CM_CONTRIB", "CM_CORREL", "CM_LIQPROB", "CM_TAIL"];
const SLOW: [&str; 10] = [
    "CM_BACKTEST",
    "CM_CALIBRATE",
    "CM_COMPARE",
    "CM_CURE",
    "CM_LIQCOMPARE",
    "CM_LIQMAP",
    "CM_LIQORDER",
    "CM_LIQPROB",
    "CM_MAXSIZE",
    "CM_TAIL",
];

/// Tables of a book.
struct Drawn {
    tables: [Option<Table>; 5],
    history: bool,
}

impl Drawn {
    fn new(draw: &mut Draw<'_>, shapes: &Shapes, shape: &Shape) -> Self {
        let tables = ["positions", "collateral", "market", "orders", "brackets"].map(|name| {
            let rows: Option<Rows> = match shape.tables.get(name) {
                Some(_) if draw.chance(4) => Some(nonsense(draw, shapes)),
                Some(rows) => Some(broken(draw, rows)),
                None if draw.chance(2) => Some(nonsense(draw, shapes)),
                None => None,
            };
            rows.map(Table::from_rows)
        });
        Self { tables, history: shape.has_history }
    }

    fn input<'a>(&'a self, shapes: &'a Shapes) -> Input<'a> {
        let [positions, collateral, market, orders, brackets] = &self.tables;
        Input {
            positions: positions.as_ref(),
            collateral: collateral.as_ref(),
            market: market.as_ref(),
            orders: orders.as_ref(),
            brackets: brackets.as_ref(),
            history: self.history.then_some(&shapes.history),
            ..Input::default()
        }
    }

    /// The same tables with numbers of the positions moved by a percent, as of another day.
    fn moved(&self) -> Self {
        let [positions, rest @ ..] = &self.tables;
        let positions = positions.clone().map(|mut table| {
            for column in &mut table.columns {
                if let Column::Cells(cells) = column {
                    for cell in cells {
                        if let Cell::Number(number) = cell {
                            *number *= 1.01;
                        }
                    }
                }
            }
            table
        });
        let [collateral, market, orders, brackets] = rest.clone();
        Self { tables: [positions, collateral, market, orders, brackets], history: self.history }
    }
}

/// What a block did.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) accepted: bool,
    /// Tables of cells handed over.
    pub(crate) tables: u64,
    /// Function and whether it answered.
    pub(crate) asked: Vec<(usize, bool)>,
    /// Numbers of tables that are none.
    pub(crate) overflows: u64,
    pub(crate) failures: Vec<String>,
}

/// Which functions are asked of a book.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    /// A few in turn.
    Few,
    /// Every one.
    All,
}

/// Runs a block; `begin` is told the name of each function before it is asked.
pub(crate) fn run(shapes: &Shapes, seed: u64, number: u64, share: Share, begin: &dyn Fn(&str)) -> Done {
    let mut draw = Draw::new(shapes, seed, number);
    let mut done = Done::default();
    begin("the book");
    let drawn = guarded(|| drawn(&mut draw, shapes));
    let (drawn, built) = match drawn {
        Ok(found) => found,
        Err(panic) => {
            done.failures.push(format!("the book panicked: {panic}"));
            return done;
        }
    };
    done.tables = drawn.tables.iter().flatten().count() as u64;
    let book = match built {
        Ok(book) => book,
        Err(refusal) => {
            done.failures.extend(problem_of_error(&refusal).map(|what| format!("the book: {what}")));
            return done;
        }
    };
    done.accepted = true;
    begin("its evaluation");
    let evaluated = match guarded(|| Evaluated::new(&book)) {
        Ok(evaluated) => evaluated,
        Err(panic) => {
            done.failures.push(format!("its evaluation panicked: {panic}"));
            return done;
        }
    };
    let moved = drawn.moved();
    let other = guarded(|| {
        let choice = RulebookChoice::PerAccount(named(&book));
        let settings = Options { as_of: Some("2026-01-09".into()), partial: true, rebook: false };
        let built = build(&moved.input(shapes), &choice, &settings).book.ok()?;
        let evaluated = Evaluated::new(&built);
        Some((built, evaluated))
    })
    .ok()
    .flatten();
    let input = drawn.input(shapes);
    let before = match &other {
        Some((other, state)) => (other, state, moved.input(shapes)),
        None => (&book, &evaluated, input),
    };
    let asked = Asked { book: &book, evaluated: &evaluated, input, shapes, before };
    // in turn, so that every function is asked as often as every other
    let all = share == Share::All;
    let count = if all { QUESTIONS.len() } else { ASKED };
    let mut turns: Vec<usize> = (0..count).map(|place| number as usize * count + place).collect();
    if drawn.history {
        turns.extend(QUESTIONS.iter().position(|(name, _)| *name == *draw.of(&OF_HISTORY).unwrap_or(&"")));
    }
    for (place, turn) in turns.into_iter().enumerate() {
        let index = turn % QUESTIONS.len();
        let Some((name, question)) = QUESTIONS.get(index) else { continue };
        if SLOW.contains(name) && !all && place < ASKED && draw.below(SELDOM) != 0 {
            continue;
        }
        begin(name);
        match guarded(|| question(&mut draw, &asked)) {
            Ok(said) => {
                done.asked.push((index, said.is_ok()));
                done.overflows += said.as_ref().map_or(0, overflows);
                let what = match &said {
                    Ok(said) => problem(said),
                    Err(refusal) => problem_of_error(refusal),
                };
                done.failures.extend(what.map(|what| format!("{name}: {what}")));
            }
            Err(panic) => done.failures.push(format!("{name} panicked: {panic}")),
        }
    }
    done
}

fn named(book: &Book) -> Vec<(String, crossmargin_engine::rulebook::Rulebook)> {
    let accounts = book.accounts.iter().enumerate();
    accounts.filter_map(|(index, own)| Some((own.name.clone(), book.rulebook_of(index)?.clone()))).collect()
}

fn drawn(draw: &mut Draw<'_>, shapes: &Shapes) -> (Drawn, Result<Book>) {
    let mut shape = draw.below(shapes.books.len());
    if shapes.books.get(shape).is_some_and(|known| known.rare) && !draw.chance(2) {
        shape = 0;
    }
    let rulebook = if draw.chance(7) { draw.below(shapes.books.len()) } else { shape };
    let (Some(shape), Some(rules)) = (shapes.books.get(shape), shapes.books.get(rulebook)) else {
        let refusal = Error::NoAnswer { why: "there are no shapes".into() };
        return (Drawn { tables: [const { None }; 5], history: false }, Err(refusal));
    };
    let made = Drawn::new(draw, shapes, shape);
    let input = made.input(shapes);
    if draw.chance(5) {
        let (findings, columns, units) = read_only(&input);
        drop((check::issues(&findings), check::columns(&columns), check::units(&units)));
    }
    let as_of = if draw.chance(5) { draw.text() } else { shapes.as_of.clone() };
    let settings = Options { as_of: Some(as_of), partial: draw.chance(10), rebook: draw.chance(5) };
    let choice = if draw.chance(5) {
        RulebookChoice::PerAccount(vec![(draw.word(&["main", "a"]), rules.rulebook.clone())])
    } else {
        RulebookChoice::One(Box::new(rules.rulebook.clone()))
    };
    let outcome = build(&input, &choice, &settings);
    drop(check::issues(&outcome.findings));
    (made, outcome.book)
}

fn guarded<T>(work: impl FnOnce() -> T) -> std::result::Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

/// Numbers of a table that are none: products of numbers near the largest, which the host shows as an error.
fn overflows(said: &Said) -> u64 {
    let Said::Table(table) = said else { return 0 };
    let cells = table.rows.iter().flatten();
    cells.filter(|cell| matches!(cell, Value::Number(number) if !number.is_finite())).count() as u64
}

/// What is wrong with an answer, if anything.
fn problem(said: &Said) -> Option<String> {
    match said {
        Said::Number(number) if !number.is_finite() => Some(format!("the number {number}")),
        Said::Texts(texts) if texts.iter().any(|text| text.trim().is_empty()) => Some("an empty text".into()),
        Said::Table(table) => problem_of_table(table),
        _ => None,
    }
}

fn problem_of_table(table: &Answer) -> Option<String> {
    if table.header.is_empty() {
        return Some("a table without a header".into());
    }
    for (row, cells) in table.rows.iter().enumerate() {
        if cells.len() != table.header.len() {
            return Some(format!("row {row} is not as long as the header"));
        }
    }
    None
}

fn problem_of_error(refusal: &Error) -> Option<String> {
    refusal.to_string().trim().is_empty().then(|| "a refusal without a sentence".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_blocks_are_read_and_asked_everything_without_a_failure() {
        let shapes = Shapes::read().unwrap();
        let mut counts = vec![0; QUESTIONS.len()];
        for number in 0..60 {
            let done = run(&shapes, 1, number, Share::All, &|_| ());
            assert!(done.failures.is_empty(), "block {number}: {:?}", done.failures);
            for (index, _) in done.asked {
                counts[index] += 1;
            }
        }
        assert!(counts.iter().all(|count| *count > 10), "{counts:?}");
    }

    #[test]
    fn a_block_is_a_function_of_seed_and_number() {
        let shapes = Shapes::read().unwrap();
        for number in 0..40 {
            let one = run(&shapes, 7, number, Share::Few, &|_| ());
            let other = run(&shapes, 7, number, Share::Few, &|_| ());
            assert_eq!((one.accepted, one.asked), (other.accepted, other.asked));
        }
    }
}
