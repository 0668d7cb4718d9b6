use super::super::read_positions;
use super::{defaults, errors, table};
use crate::cell::{Cell, Table};

fn codes(text: &str) -> Vec<(&'static str, Option<usize>)> {
    let read = read_positions(&table(text), &defaults());
    assert!(read.rows.is_empty(), "{:?}", read.rows);
    errors(&read.findings)
}

#[test]
fn a_missing_column_is_named_with_what_was_found() {
    let read = read_positions(&table("account|qty\nx|1"), &defaults());
    assert_eq!(errors(&read.findings), [("column_missing", None)]);
    let message = &read.findings.iter().find(|f| f.code == "column_missing").unwrap().message;
    assert!(message.starts_with("positions need a column named 'symbol' (or "), "{message}");
    assert!(message.ends_with("; found account, qty"), "{message}");
    assert_eq!(read.columns.len(), 2);
}

#[test]
fn text_in_a_number_is_refused() {
    assert_eq!(codes("symbol|size\nA|1.234,56"), [("not_a_number", Some(2))]);
    assert_eq!(codes("symbol|size|mark\nA|1|high"), [("not_a_number", Some(2))]);
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    let rows = |value| {
        Table::from_rows(vec![
            vec![Cell::Text("symbol".into()), Cell::Text("size".into())],
            vec![Cell::Text("A".into()), Cell::Number(value)],
        ])
    };
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let read = read_positions(&rows(value), &defaults());
        assert_eq!(errors(&read.findings), [("not_finite", Some(2))]);
    }
}

#[test]
fn prices_of_zero_and_below_are_refused() {
    assert_eq!(codes("symbol|size|mark\nA|1|0"), [("price_not_positive", Some(2))]);
    assert_eq!(codes("symbol|size|entry price\nA|1|-5"), [("price_not_positive", Some(2))]);
}

#[test]
fn error_cells_are_refused_in_columns_that_are_used_only() {
    assert_eq!(codes("symbol|size|mark\nA|1|#N/A"), [("error_cell", Some(2))]);
    assert_eq!(codes("symbol|size\n#REF!|1"), [("error_cell", Some(2))]);
    assert_eq!(codes("symbol|side|size\nA|#NAME?|1"), [("error_cell", Some(2))]);
    assert_eq!(codes("account|symbol|size\n#N/A|A|1"), [("error_cell", Some(2))]);
    let read = read_positions(&table("symbol|size|remark\nA|1|#N/A"), &defaults());
    assert_eq!(read.rows.len(), 1);
}

#[test]
fn an_empty_table_is_refused() {
    assert_eq!(codes("symbol|size"), [("table_empty", None)]);
    let nothing = Table { header: Vec::new(), columns: Vec::new() };
    assert_eq!(errors(&read_positions(&nothing, &defaults()).findings), [("table_empty", None)]);
}

#[test]
fn two_columns_for_one_thing_are_refused() {
    assert_eq!(codes("symbol|size|qty\nA|1|2"), [("duplicate_column", None)]);
    assert_eq!(codes("symbol|Symbol|size\nA|A|2"), [("duplicate_column", None)]);
}

#[test]
fn transaction_logs_are_recognised_and_refused() {
    for header in [
        "ID|UserSeq|Date|Instrument|Type|Side|Size|Price|Position|Cash Flow|Funding|Fee Charged|Change|Balance",
        "symbol|incomeType|income|asset|time|tradeId",
        "symbol|id|orderId|side|price|qty|realizedPnl|commission|time",
        "symbol|execId|execPrice|execQty|side",
        "instId|billId|pnl|sz|px",
        "time|coin|dir|px|sz|ntl|fee|closedPnl",
    ] {
        let width = header.split('|').count();
        let read = read_positions(&table(&format!("{header}\n{}", vec!["1"; width].join("|"))), &defaults());
        let found = read.findings.iter().find(|f| f.code == "transaction_log");
        let finding = found.unwrap_or_else(|| panic!("{header} was not recognised"));
        assert!(
            finding.message.starts_with("this is a transaction log (")
                && finding.message.ends_with("paste positions")
        );
        assert!(read.rows.is_empty() && finding.row.is_none());
    }
}

#[test]
fn a_missing_symbol_or_quantity_is_refused() {
    assert_eq!(codes("symbol|size\n|1"), [("symbol_missing", Some(2))]);
    assert_eq!(codes("symbol|size\nA|"), [("quantity_missing", Some(2))]);
    assert_eq!(codes("symbol|size\n--|1"), [("symbol_unreadable", Some(2))]);
}

#[test]
fn unknown_words_and_impossible_leverage_are_refused() {
    assert_eq!(codes("symbol|side|size\nA|up|1"), [("side_unknown", Some(2))]);
    assert_eq!(codes("symbol|size|margin mode\nA|1|half"), [("margin_mode_unknown", Some(2))]);
    assert_eq!(codes("symbol|size|leverage\nA|1|-3"), [("leverage_not_positive", Some(2))]);
    assert_eq!(codes("symbol|size|leverage\nA|1|0"), [("leverage_not_positive", Some(2))]);
    assert_eq!(codes("symbol|size|type\nA|1|bond"), [("type_unknown", Some(2))]);
    assert_eq!(codes("symbol|size|expiry\nA|1|03/04/26"), [("not_a_date", Some(2))]);
}

#[test]
fn one_look_shows_everything_that_is_wrong_with_a_row() {
    let found = codes("symbol|size|mark|leverage|liquidation price\nA|x|0|0|#N/A");
    let kinds: Vec<&str> = found.iter().map(|(code, _)| *code).collect();
    assert_eq!(kinds, ["not_a_number", "price_not_positive", "error_cell", "leverage_not_positive"]);
}

#[test]
fn a_million_bad_rows_do_not_become_a_million_sentences() {
    let rows = (0..3000).map(|_| "A|x\n").collect::<String>();
    let read = read_positions(&table(&format!("symbol|size\n{rows}")), &defaults());
    assert_eq!(read.findings.len(), 1001);
    assert_eq!(
        read.findings[0].message,
        "2000 more rows like the 1000 listed, between row 1002 and row 3001"
    );
}
