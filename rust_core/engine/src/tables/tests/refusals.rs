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
fn an_option_that_lacks_strike_right_or_expiry_is_refused() {
    for (text, missing) in [
        ("symbol|size|type\nA|1|OPTION", "its strike and its optionType and its expiry"),
        ("symbol|size|optionType|expiry\nA|1|call|2026-03-27", "its strike"),
        ("symbol|size|strike|optionType\nA|1|90000|C", "its expiry"),
        ("symbol|size\nBTC-USD-90000-C|1", "its expiry"),
    ] {
        let read = read_positions(&table(text), &defaults());
        assert_eq!(errors(&read.findings), [("option_incomplete", Some(2))], "{text}");
        assert!(read.findings.iter().any(|f| f.message.contains(missing)), "{text}");
    }
    let text = "symbol|size|type|strike|optionType|secondsToExpiry\nA|1|option|90000|P|60";
    assert_eq!(read_positions(&table(text), &defaults()).rows.len(), 1);
}

#[test]
fn columns_that_contradict_the_symbol_of_an_option_are_refused_with_both_values() {
    for (column, value, code, both) in [
        ("strike", "95000", "strike_differs", ["95000", "90000"]),
        ("optionType", "put", "right_differs", ["put", "call"]),
        ("expiry", "2026-03-28", "expiry_differs", ["2026-03-28", "2026-03-27"]),
        ("type", "perpetual", "type_differs", ["type", "BTC-27MAR26-90000-C"]),
        ("strike", "-90000", "strike_not_positive", ["strike", "-90000"]),
        ("strike", "#N/A", "error_cell", ["strike", "error"]),
        ("optionType", "binary", "option_type_unknown", ["optionType", "binary"]),
    ] {
        let text = format!("symbol|size|venue|{column}\nBTC-27MAR26-90000-C|1|deribit|{value}");
        let read = read_positions(&table(&text), &defaults());
        assert_eq!(errors(&read.findings), [(code, Some(2))], "{text}");
        let finding = read.findings.iter().find(|f| f.code == code).unwrap();
        assert_eq!(finding.column, column);
        assert!(both.iter().all(|word| finding.message.contains(word)), "{}", finding.message);
    }
    assert_eq!(codes("symbol|size\nBTC-27MAR26-0-C|1"), [("strike_not_positive", Some(2))]);
}

#[test]
fn volatilities_whose_unit_is_unclear_or_that_are_zero_are_refused() {
    let head = "symbol|size|venue|markIv";
    let rows = |a: &str, b: &str| {
        format!("{head}\nBTC-27MAR26-90000-C|1|deribit|{a}\nBTC-27MAR26-90000-P|1|deribit|{b}")
    };
    let found = |a, b| errors(&read_positions(&table(&rows(a, b)), &defaults()).findings);
    let unclear = "volatility_unit_unclear";
    assert_eq!(found("60", "0.6"), [(unclear, Some(2)), (unclear, Some(3))]);
    assert_eq!(found("60%", "0.6"), []);
    assert_eq!(found("60", "0"), [("volatility_not_positive", Some(3))]);
    assert_eq!(found("0.6", "-0.6"), [("negative", Some(3))]);
    assert_eq!(found("0.6", "nan"), [("not_finite", Some(3))]);
    let percent = read_positions(&table(&rows("60", "7.5")), &defaults());
    assert!(percent.findings.iter().any(|f| f.code == "volatility_in_percent"));
    let read = |row: usize| percent.rows[row].quoted.as_ref().and_then(|q| q.implied_volatility);
    assert_eq!((read(0), read(1)), (Some(0.6), Some(0.075)));
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
