use super::super::{IsolatedMargin, Leg, MarginMode, Scale, TierSource, read_positions};
use super::{defaults, errors, of, table};
use crate::cell::{Column, Table};
use crate::finding::Severity;

#[test]
fn headers_are_understood_in_any_order_and_case() {
    let read =
        read_positions(&table("Mark Price|QTY|my note|SYMBOL|entry-price\n110|2|x|ABC|100"), &defaults());
    assert_eq!(errors(&read.findings), []);
    let row = &read.rows[0];
    assert_eq!((row.row, row.quantity, row.mark_price, row.entry_price), (2, 2.0, Some(110.0), Some(100.0)));
    let understood: Vec<&str> = read.columns.iter().map(|c| c.understood_as.as_str()).collect();
    assert_eq!(understood, ["markPrice", "contracts", "ignored", "symbol", "entryPrice"]);
    assert_eq!(read.columns[0].header, "Mark Price");
    assert_eq!(
        (read.columns[0].sample.as_str(), read.columns[0].unit.as_str()),
        ("110", "quote currency per coin")
    );
    let ignored = read.findings.iter().find(|f| f.code == "columns_ignored").unwrap();
    assert!(ignored.message.ends_with("my note"));
}

#[test]
fn a_short_row_with_positive_size_becomes_negative_and_one_with_negative_size_stays() {
    let read = read_positions(&table("symbol|side|size\nA|SHORT|2\nB|short|-3\nC|Buy|4\nD||-5"), &defaults());
    let quantities: Vec<f64> = read.rows.iter().map(|r| r.quantity).collect();
    assert_eq!(quantities, [-2.0, -3.0, 4.0, -5.0]);
    assert!(read.rows.iter().all(|r| r.leg == Leg::Net));
}

#[test]
fn a_long_row_with_negative_size_is_refused_and_the_others_stay() {
    let read = read_positions(&table("symbol|side|size\nA|LONG|-2\nB|LONG|1"), &defaults());
    assert_eq!(errors(&read.findings), [("side_sign_conflict", Some(2))]);
    assert_eq!(read.rows.len(), 1);
    let finding = &read.findings[0];
    assert_eq!((finding.sheet, finding.column.as_str(), finding.value.as_str()), ("Positions", "size", "-2"));
}

#[test]
fn opposite_signs_without_hedge_mode_are_refused_on_both_rows() {
    let read = read_positions(&table("symbol|size\nA|2\nB|1\nA|-1"), &defaults());
    assert_eq!(errors(&read.findings), [("opposite_signs", Some(2)), ("opposite_signs", Some(4))]);
    assert!(read.findings[0].message.contains("row 4"));
    assert!(read.findings[1].message.contains("row 2"));
    assert_eq!(read.rows.len(), 1);
}

#[test]
fn opposite_signs_in_two_accounts_or_two_modes_are_two_positions() {
    let read = read_positions(
        &table("account|symbol|size|margin mode\nx|A|2|cross\ny|A|-1|cross\nx|A|-3|isolated"),
        &defaults(),
    );
    assert_eq!(errors(&read.findings), []);
    assert_eq!(read.accounts, ["x", "y"]);
    assert_eq!(read.rows.iter().map(|r| r.account).collect::<Vec<_>>(), [Some(0), Some(1), Some(0)]);
    assert_eq!(read.rows[2].mode, MarginMode::Isolated(IsolatedMargin::FromLeverage));
}

#[test]
fn rows_of_one_sign_are_kept_apart() {
    let read = read_positions(&table("symbol|size\nA|2\nA|3"), &defaults());
    assert_eq!((read.rows.len(), read.instruments.len()), (2, 1));
}

#[test]
fn hedge_mode_makes_two_legs() {
    let read = read_positions(&table("symbol|positionSide|size\nA|LONG|2\nA|SHORT|1"), &defaults());
    assert_eq!(errors(&read.findings), []);
    let legs: Vec<_> = read.rows.iter().map(|r| (r.leg, r.quantity)).collect();
    assert_eq!(legs, [(Leg::Long, 2.0), (Leg::Short, -1.0)]);
    let read = read_positions(
        &table("symbol|side|positionIdx|size\nA|Buy|1|2\nA|Sell|2|1\nB|Sell|0|4"),
        &defaults(),
    );
    let legs: Vec<_> = read.rows.iter().map(|r| (r.leg, r.quantity)).collect();
    assert_eq!(legs, [(Leg::Long, 2.0), (Leg::Short, -1.0), (Leg::Net, -4.0)]);
    let read =
        read_positions(&table("symbol|side|hedged|contracts\nA|long|true|2\nA|short|true|1"), &defaults());
    let legs: Vec<_> = read.rows.iter().map(|r| (r.leg, r.quantity)).collect();
    assert_eq!(legs, [(Leg::Long, 2.0), (Leg::Short, -1.0)]);
}

#[test]
fn flat_rows_totals_and_blank_rows_are_left_out_and_only_blank_ones_without_a_word() {
    let read =
        read_positions(&table("symbol|size|entry price|mark\nA|0|0|0\nB|1|5|5\n|||\nTOTAL|1||"), &defaults());
    assert_eq!(errors(&read.findings), []);
    assert_eq!(of(&read.findings, Severity::Info), [("flat", Some(2)), ("total_row", Some(5))]);
    assert_eq!(read.rows.len(), 1);
}

#[test]
fn a_margin_table_wins_over_a_rate_and_a_number_is_a_name() {
    let read = read_positions(
        &table(
            "symbol|size|margin_table|maintenanceMarginRate|cum\nA|1|25/15@100M||\nB|1|5||\nC|1||4%|50\nD|1|||",
        ),
        &defaults(),
    );
    let tiers: Vec<TierSource> = read.rows.iter().map(|r| r.tier.clone()).collect();
    assert_eq!(
        tiers,
        [
            TierSource::Table("25/15@100M".into()),
            TierSource::Table("5".into()),
            TierSource::Rate { rate: 0.04, amount: 50.0 },
            TierSource::Rulebook
        ]
    );
}

#[test]
fn columns_of_numbers_and_words_are_read_like_cells() {
    let frame = Table {
        header: vec!["symbol".into(), "size".into(), "leverage".into()],
        columns: vec![
            Column::Words { codes: vec![0, 1, 0], words: vec!["A".into(), "B".into()] },
            Column::Numbers { values: vec![1.0, 2.0, f64::NAN], present: None },
            Column::Numbers { values: vec![5.0, f64::NAN, 5.0], present: Some(vec![true, false, true]) },
        ],
    };
    let read = read_positions(&frame, &defaults());
    assert_eq!(errors(&read.findings), [("not_finite", Some(4))]);
    assert_eq!(read.rows.iter().map(|r| r.leverage).collect::<Vec<_>>(), [Some(5.0), None]);
}

#[test]
fn the_unit_of_each_symbol_is_said_once() {
    let read = read_positions(
        &table(
            "symbol|contracts|contractSize|markPrice|notional\nAUSDT|3|0.1|100|30\nAUSDT|5|0.1|100|50\nB|2||10|20",
        ),
        &defaults(),
    );
    assert_eq!(errors(&read.findings), []);
    let units: Vec<_> = read.units.iter().map(|u| (u.symbol.as_str(), u.read_as)).collect();
    assert_eq!(units, [("AUSDT", "contracts"), ("B", "coin")]);
    assert_eq!(read.scales, [Scale::Times(0.1), Scale::Times(1.0)]);
    assert!((read.rows[0].quantity - 0.3).abs() < 1e-15);
}

#[test]
fn a_notional_that_differs_is_a_warning() {
    let read = read_positions(&table("symbol|size|mark|notional\nA|2|100|350"), &defaults());
    assert_eq!(of(&read.findings, Severity::Warning), [("notional_differs", Some(2))]);
    assert_eq!(read.rows[0].quantity, 2.0);
}

#[test]
fn a_rate_beside_a_table_and_an_amount_without_a_rate_are_said() {
    let read =
        read_positions(&table("symbol|size|marginTable|mmr rate|maintAmt\nA|1|5||7\nB|1|||7"), &defaults());
    assert_eq!(of(&read.findings, Severity::Warning), [("amount_without_rate", Some(3))]);
    let read =
        read_positions(&table("symbol|size|marginTable|maintenanceMarginRate\nA|1|5|0.1"), &defaults());
    assert_eq!(of(&read.findings, Severity::Info), [("rate_not_used", Some(2))]);
}

#[test]
fn a_column_without_header_is_said_if_it_holds_something() {
    let read = read_positions(&table("symbol|size||\nA|1||x"), &defaults());
    assert_eq!(read.columns.len(), 3);
    assert!(read.findings[0].message.ends_with("(without a header)"));
}
