//! From pasted tables and rulebooks to a book, or to the reasons why not.

use super::assemble::assemble;
use super::collect::{UNSETTLED, collect, settle_by_account};
use super::{Book, key};
use crate::cell::Table;
use crate::error::{Error, Result, Sign};
use crate::finding::{Finding, Severity};
use crate::rulebook::Rulebook;
use crate::tables::{BalanceTotal, ColumnView, Defaults, UnitView};

/// The pasted tables.
#[derive(Debug, Clone, Copy, Default)]
pub struct Input<'a> {
    /// Positions; required for a book, but a check may do without.
    pub positions: Option<&'a Table>,
    /// Balances; `None` means that cross accounts have no cash.
    pub collateral: Option<&'a Table>,
    /// Prices, volatilities, betas.
    pub market: Option<&'a Table>,
    /// Open orders.
    pub orders: Option<&'a Table>,
    /// Bracket tables that take precedence over the rulebook's list.
    pub brackets: Option<&'a Table>,
    /// Correlations in the order in which symbols first appear in the positions.
    pub correlations: Option<&'a [Vec<f64>]>,
    /// A position that is tried out beside those pasted, one row in the form of the positions table.
    pub added: Option<&'a Table>,
    /// History of risk factors.
    pub history: Option<&'a std::sync::Arc<crate::history::History>>,
}

/// What else decides the book.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// As-of, as given.
    pub as_of: Option<String>,
    /// Carry on without the rows that have errors; totals are then no answer.
    pub partial: bool,
    /// Book what the rulebook does not know as its venue would; for comparisons under one rulebook.
    pub rebook: bool,
}

/// One rulebook for all accounts, or one per account.
#[derive(Debug, Clone)]
pub enum RulebookChoice {
    /// For every account.
    One(Box<Rulebook>),
    /// By account name.
    PerAccount(Vec<(String, Rulebook)>),
}

impl RulebookChoice {
    pub(super) fn named(&self) -> Vec<(String, &Rulebook)> {
        match self {
            Self::One(rulebook) => vec![(String::new(), rulebook)],
            Self::PerAccount(list) => list.iter().map(|(name, rulebook)| (name.clone(), rulebook)).collect(),
        }
    }
}

/// A book or a refusal, and in both cases what was noticed.
#[derive(Debug)]
pub struct Outcome {
    /// The book, or the first reason why there is none.
    pub book: Result<Book>,
    /// Everything that was noticed, most severe first.
    pub findings: Vec<Finding>,
    /// How headers were understood.
    pub columns: Vec<ColumnView>,
    /// How quantities were read.
    pub units: Vec<UnitView>,
}

/// Builds a book.
///
/// Never panics and never drops a row silently: a row that cannot be used is a finding with severity
/// error, and the book is refused unless `options.partial` asks to go on without it.
pub fn build(input: &Input<'_>, choice: &RulebookChoice, options: &Options) -> Outcome {
    let named = choice.named();
    let Some((_, first)) = named.first() else {
        let refusal = Error::Missing {
            what: "rulebook".into(),
            why: "a book needs one for each of its accounts".into(),
            place: crate::error::Place::default(),
        };
        return Outcome { book: Err(refusal), findings: Vec::new(), columns: Vec::new(), units: Vec::new() };
    };
    let balance_total = if first.balance_total_is_equity { BalanceTotal::Equity } else { BalanceTotal::Cash };
    // accounts under rulebooks that settle differently are told apart after reading
    let shared = named.iter().all(|(_, rulebook)| rulebook.settle == first.settle);
    let settle = if shared { first.settle.clone() } else { UNSETTLED.to_owned() };
    let defaults = Defaults { settle, balance_total };
    let mut collected = collect(input, &defaults);
    if let Some(added) = input.added {
        super::added::add(&mut collected, added, &defaults);
    }
    if !shared {
        if !collected.positions.risk_arrays.is_empty() {
            collected.findings.push(Finding {
                severity: Severity::Error,
                sheet: "Positions",
                row: None,
                column: "riskArray".into(),
                value: String::new(),
                code: "risk_array_unclear",
                message: "risk arrays belong to one rulebook; the accounts have several".into(),
                fix: "paste the accounts one by one".into(),
            });
        }
        settle_by_account(&mut collected, &named);
    }
    let agreed = named.iter().all(|(_, r)| r.balance_total_is_equity == first.balance_total_is_equity);
    if let (false, Some(told)) = (agreed, collected.findings.iter().find(|f| f.code == "total_read_as")) {
        let refusal = Finding {
            severity: Severity::Error,
            code: "total_unclear",
            message: "a bare total means cash under one rulebook of the list and equity under another".into(),
            fix: "name the column cash or equity".into(),
            ..told.clone()
        };
        collected.findings.push(refusal);
    }
    if options.rebook {
        super::rebook::rebook(&mut collected, first);
    }
    let columns = std::mem::take(&mut collected.columns);
    let units = std::mem::take(&mut collected.units);
    let mut findings = std::mem::take(&mut collected.findings);
    let assembled = assemble(collected, input, choice, options, &mut findings);
    findings.sort_by(by_severity);
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let refusal = findings
        .iter()
        .find(|finding| finding.severity == Severity::Error)
        .filter(|finding| !options.partial || finding.row.is_none())
        .map(|finding| refused_by(finding, errors));
    let book = match (refusal, assembled) {
        (Some(error), _) | (None, Err(error)) => Err(error),
        (None, Ok(mut book)) => {
            book.hash = key::content_hash(input, &named, options);
            book.as_of = options
                .as_of
                .clone()
                .or_else(|| Some(std::mem::take(&mut book.as_of)).filter(|text| !text.is_empty()))
                .unwrap_or_else(|| "none".into());
            book.partial = errors > 0;
            book.key = text_key(&book, &named);
            book.findings.clone_from(&findings);
            book.columns.clone_from(&columns);
            book.units.clone_from(&units);
            Ok(book)
        }
    };
    Outcome { book, findings, columns, units }
}

/// What is noticed about tables by reading them alone, without a rulebook.
pub fn read_only(input: &Input<'_>) -> (Vec<Finding>, Vec<ColumnView>, Vec<UnitView>) {
    let mut collected = collect(input, &Defaults { settle: "USD".into(), balance_total: BalanceTotal::Cash });
    collected.findings.sort_by(by_severity);
    (collected.findings, collected.columns, collected.units)
}

/// Most severe first, then by place, sheets in the order in which people fill them.
fn by_severity(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    const SHEETS: [&str; 5] = ["Positions", "Collateral", "Orders", "Market", "Rulebook"];
    let sheet = |finding: &Finding| SHEETS.iter().position(|sheet| *sheet == finding.sheet);
    (a.severity, sheet(a), a.row, &a.column, a.code).cmp(&(b.severity, sheet(b), b.row, &b.column, b.code))
}

fn refused_by(finding: &Finding, errors: usize) -> Error {
    let row = finding.row.map(|row| format!("row {row}, ")).unwrap_or_default();
    let column = if finding.column.is_empty() { String::new() } else { format!("{}: ", finding.column) };
    let more = match errors {
        0 | 1 => String::new(),
        n => format!(" (and {} more, see CM_CHECK)", n - 1),
    };
    Error::Table {
        table: finding.sheet,
        message: format!("{row}{column}{}{more}", finding.message),
        sign: if finding.row.is_none() && finding.code != "table_empty" {
            Sign::Value
        } else {
            Sign::NotAvailable
        },
    }
}

/// `book:<hash>|rulebook@version|positions and balances|as-of`.
fn text_key(book: &Book, named: &[(String, &Rulebook)]) -> String {
    let mut labels: Vec<String> = named.iter().map(|(_, rulebook)| rulebook.label()).collect();
    labels.dedup();
    let balances: usize =
        book.pools.iter().flat_map(|pool| &pool.balances).filter(|balance| balance.row.is_some()).count();
    format!(
        "book:{}|{}|{}p {}c|{}",
        book.hash,
        labels.join("+"),
        book.positions.len(),
        balances,
        if book.as_of == "none" { "as-of none" } else { &book.as_of }
    )
}
