//! The difference of two books: how much of a change each driver made, so that the change is closed to the last cent.
//!
//! Every driver is the change of the measure from one mixed book to the next, in this order: parameters (the older
//! tables under the newer rulebooks); then from there time, prices and volatilities, each alone, with what they make
//! together as `cross`; then, in the newer market, trades, collateral and orders.

mod by_position;
mod mixed;

use super::evaluated::{Evaluated, check_complete};
use super::node::Node;
use super::scope::report_currency;
use super::{Answer, Value};
use crate::book::{Book, Options, RulebookChoice, build};
use crate::error::{Error, Place, Result};
use crate::market::MarketState;
use crate::numeric::accumulate::sum;
use crate::plan::Origin;
use crate::tables::instant;
use mixed::{Taken, holdings_of, market_of};

/// The header of `CM_DIFF`.
pub const HEADER: [&str; 4] = ["driver", "change", "share", "note"];

/// Days of a year, as everywhere in time to expiry.
const DAYS_PER_YEAR: f64 = 365.0;
const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// A book with what it was made of.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The book.
    pub book: &'a Book,
    /// Its figures.
    pub evaluated: &'a Evaluated,
    /// Its tables, where they are kept.
    pub origin: Option<Origin<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Maintenance,
    Initial,
    Equity,
    Usage,
    Excess,
}

impl Measure {
    fn named(word: &str) -> Result<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "" | "mm" => Ok(Self::Maintenance),
            "im" => Ok(Self::Initial),
            "equity" => Ok(Self::Equity),
            "usage" => Ok(Self::Usage),
            "excess" => Ok(Self::Excess),
            _ => Err(Error::Unknown {
                what: "measure",
                value: word.to_owned(),
                known: "MM, IM, equity, usage, excess".into(),
            }),
        }
    }

    fn of(self, node: &Node<'_>) -> Result<f64> {
        let missing =
            |what: &str| Error::NoAnswer { why: format!("{what} of one of the books is no number") };
        match self {
            Self::Maintenance => Ok(node.maintenance()),
            Self::Initial => node.initial().ok_or_else(|| missing("the initial margin")),
            Self::Equity => Ok(node.equity()),
            Self::Usage => node.decisive()?.1.usage.ok_or_else(|| missing("the usage")),
            Self::Excess => Ok(node.decisive()?.1.excess),
        }
    }

    fn at(self, book: &Book, state: &MarketState) -> Result<f64> {
        let evaluated = Evaluated::at(book, state);
        self.of(&Node { pools: evaluated.all()? })
    }
}

/// How much each driver, or each position, has changed a measure from one book to the other; the rows sum to TOTAL.
///
/// # Errors
///
/// [`Error::Unknown`] for a word; [`Error::NotCovered`] for accounts that changed their venue (unless the option
/// `venues=any`) or their reporting currency; [`Error::OutOfRange`] where the newer book is the older one.
pub fn table(
    old: Side<'_>,
    new: Side<'_>,
    measure: &str,
    group_by: &str,
    options: &[(String, String)],
) -> Result<Answer> {
    let measure = Measure::named(measure)?;
    let any_venue = any_venue(options)?;
    for side in [&old, &new] {
        check_complete(side.book)?;
    }
    check_comparable(old.book, new.book, any_venue)?;
    match group_by.trim().to_ascii_lowercase().as_str() {
        "" | "driver" => by_driver(old, new, measure, any_venue),
        "position" => by_position::table(old, new, measure),
        _ => Err(Error::Unknown {
            what: "group_by",
            value: group_by.to_owned(),
            known: "driver, position".into(),
        }),
    }
}

fn any_venue(options: &[(String, String)]) -> Result<bool> {
    let mut any = false;
    for (key, value) in options {
        if !key.trim().eq_ignore_ascii_case("venues") {
            return Err(Error::Unknown { what: "option", value: key.clone(), known: "venues".into() });
        }
        any = match value.trim().to_ascii_lowercase().as_str() {
            "any" => true,
            "same" | "" => false,
            _ => {
                return Err(Error::Unknown {
                    what: "venues",
                    value: value.clone(),
                    known: "same, any".into(),
                });
            }
        };
    }
    Ok(any)
}

fn all_pools(book: &Book) -> Vec<usize> {
    (0..book.pools.len()).collect()
}

fn check_comparable(old: &Book, new: &Book, any_venue: bool) -> Result<()> {
    let (before, now) = (report_currency(old, &all_pools(old))?, report_currency(new, &all_pools(new))?);
    let refuse =
        |what: &str, why: String| Err(Error::NotCovered { what: what.into(), why, place: Place::default() });
    if before != now {
        return refuse("a difference", format!("the books report in {before} and {now}"));
    }
    for (account, known) in old.accounts.iter().enumerate() {
        let other = new.accounts.iter().position(|own| own.name == known.name);
        let (Some(a), Some(b)) = (old.rulebook_of(account), other.and_then(|other| new.rulebook_of(other)))
        else {
            continue;
        };
        if a.venue != b.venue && !any_venue {
            return refuse(
                "a difference",
                format!(
                    "account {} is at {} in one book and at {} in the other; the option venues=any goes on",
                    known.name, a.venue, b.venue
                ),
            );
        }
    }
    Ok(())
}

/// Days between two books, and how they are known.
fn days_between(old: &Book, new: &Book) -> Result<(f64, &'static str)> {
    let days = match (instant(&old.as_of), instant(&new.as_of)) {
        (Some(before), Some(now)) => (now - before) / SECONDS_OF_A_DAY,
        _ => {
            let mut passed: Vec<f64> = Vec::new();
            for (own, quote) in old.instruments.iter().zip(&old.quotes).filter(|(_, quote)| quote.years > 0.0)
            {
                let other = new.instruments.binary_search(own).ok();
                if let Some(newer) = other.and_then(|other| new.quotes.get(other)) {
                    passed.push((quote.years - newer.years) * DAYS_PER_YEAR);
                }
            }
            passed.sort_by(f64::total_cmp);
            match passed.get(passed.len() / 2) {
                Some(middle) => {
                    return check_days(*middle).map(|days| (days, "by the time that contracts have left"));
                }
                None => return Ok((0.0, "neither book has an as-of that can be read")),
            }
        }
    };
    check_days(days).map(|days| (days, "between the as-of of the books"))
}

fn check_days(days: f64) -> Result<f64> {
    if days >= 0.0 {
        return Ok(days);
    }
    Err(Error::OutOfRange {
        name: "days from book_old to book_new".into(),
        value: days,
        must_be: "zero or above: exchange the two",
        place: Place::default(),
    })
}

/// The older tables under the newer rulebooks: the older book itself where those are the same.
fn under_new_rulebooks(old: &Side<'_>, new: &Book, any_venue: bool) -> Result<Option<Book>> {
    let rulebook = |name: &str| {
        let account = new.accounts.iter().position(|own| own.name == name)?;
        new.rulebook_of(account)
    };
    let mut list = Vec::new();
    let mut changed = false;
    for (account, known) in old.book.accounts.iter().enumerate() {
        let Some(own) = old.book.rulebook_of(account) else { continue };
        let newer = rulebook(&known.name).unwrap_or(own);
        changed |= newer != own;
        list.push((known.name.clone(), newer.clone()));
    }
    if !changed {
        return Ok(None);
    }
    let Some(origin) = old.origin else {
        return Err(Error::NotCovered {
            what: "the effect of new parameters".into(),
            why: "the tables of a book that large are not kept; it is part of cross".into(),
            place: Place::default(),
        });
    };
    let same = list.first().is_some_and(|(_, first)| list.iter().all(|(_, own)| own == first));
    let choice = match list.first() {
        Some((_, first)) if same => RulebookChoice::One(Box::new(first.clone())),
        _ => RulebookChoice::PerAccount(list),
    };
    let settings = Options { as_of: origin.as_of.map(str::to_owned), partial: false, rebook: any_venue };
    build(&origin.input, &choice, &settings).book.map(Some)
}

/// One driver: what it changed, or why that is not known, and what to know about it.
struct Driver {
    name: &'static str,
    change: Result<f64>,
    note: String,
}

fn by_driver(old: Side<'_>, new: Side<'_>, measure: Measure, any_venue: bool) -> Result<Answer> {
    let before = measure.of(&Node { pools: old.evaluated.all()? })?;
    let after = measure.of(&Node { pools: new.evaluated.all()? })?;
    let (days, how) = days_between(old.book, new.book)?;
    let rebuilt = under_new_rulebooks(&old, new.book, any_venue);
    let base = match &rebuilt {
        Ok(Some(book)) => book,
        _ => old.book,
    };
    let today = MarketState::today(base);
    let start = match &rebuilt {
        Ok(Some(book)) => measure.at(book, &today),
        _ => Ok(before),
    };
    let parameters = match (&rebuilt, &start) {
        (Err(error), _) => Err(error.clone()),
        (_, start) => start.clone().map(|start| start - before),
    };
    let from_start = |found: Result<f64>| found.and_then(|found| Ok(found - start.clone()?));
    let mixture = |prices: bool, volatilities: bool, days: Option<f64>| {
        market_of(base, new.book, Taken { prices, volatilities, days })
    };
    let time = from_start(measure.at(base, &today.clone().with_days(days)));
    let prices = from_start(measure.at(&mixture(true, false, None), &today));
    let volatilities = from_start(measure.at(&mixture(false, true, None), &today));
    let all = measure.at(&mixture(true, true, Some(days)), &today.clone().with_days(days));
    let newer = MarketState::today(new.book);
    let at = |book: &Book| measure.at(book, &MarketState::today(book));
    let traded = at(&holdings_of(new.book, base, true, true));
    let paid = at(&holdings_of(new.book, base, false, true));
    let ordered = measure.at(new.book, &newer);
    let step = |from: &Result<f64>, to: &Result<f64>| Ok(to.clone()? - from.clone()?);
    let drivers = [
        Driver {
            name: "parameters",
            change: parameters,
            note: match &rebuilt {
                Ok(None) => "the rulebooks are the same".into(),
                _ => changed_rulebooks(old.book, new.book),
            },
        },
        Driver {
            name: "time",
            change: time,
            note: format!("{days:.4} days, {how}; what expires is settled"),
        },
        Driver {
            name: "prices",
            change: prices,
            note: "marks, forwards, indices and currencies alone".into(),
        },
        Driver {
            name: "vol",
            change: volatilities,
            note: "volatilities, correlations and history alone".into(),
        },
        Driver { name: "trades", change: step(&all, &traded), note: traded_words(old.book, new.book) },
        Driver {
            name: "collateral",
            change: step(&traded, &paid),
            note: "cash, debts, premiums and results that were paid".into(),
        },
        Driver { name: "orders", change: step(&paid, &ordered), note: String::new() },
    ];
    let total = after - before;
    let known = sum(drivers.iter().filter_map(|own| own.change.as_ref().ok().copied()));
    let mut answer = Answer::new(&HEADER);
    let share = |change: f64| if total == 0.0 { Value::from("") } else { (change / total).into() };
    for driver in &drivers {
        answer.rows.push(match &driver.change {
            Ok(change) => {
                vec![driver.name.into(), (*change).into(), share(*change), driver.note.as_str().into()]
            }
            Err(error) => vec![
                driver.name.into(),
                Value::Missing,
                Value::Missing,
                format!("part of cross: {error}").into(),
            ],
        });
    }
    let cross = total - known;
    answer.rows.push(vec![
        "cross".into(),
        cross.into(),
        share(cross),
        "what time, prices and vol make together beyond each alone, and whatever is left".into(),
    ]);
    answer.rows.push(vec![
        "TOTAL".into(),
        total.into(),
        share(total),
        format!(
            "from {} to {}",
            crate::liquidation::price::shown(before),
            crate::liquidation::price::shown(after)
        )
        .into(),
    ]);
    Ok(answer)
}

fn changed_rulebooks(old: &Book, new: &Book) -> String {
    let label = |book: &Book| book.rulebooks.iter().map(|own| own.label()).collect::<Vec<_>>().join(", ");
    format!("from {} to {}", label(old), label(new))
}

fn traded_words(old: &Book, new: &Book) -> String {
    let changes = by_position::quantities(old, new);
    let count = |word: &str| changes.iter().filter(|own| own.word() == word).count();
    let words = [("opened", "opened"), ("closed", "closed"), ("changed", "changed")]
        .map(|(word, shown)| (count(word), shown));
    let said: Vec<String> =
        words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if said.is_empty() { "no position changed".into() } else { format!("positions: {}", said.join(", ")) }
}
