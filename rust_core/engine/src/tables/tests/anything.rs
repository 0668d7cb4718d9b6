use super::super::aliases::{Sheet, aliases};
use super::super::{read_balances, read_brackets, read_market, read_orders, read_positions};
use super::defaults;
use crate::cell::{Cell, Table};
use crate::finding::Finding;

/// Numbers that follow from a seed alone.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

const TEXTS: [&str; 44] = [
    "BTCUSDT",
    "BTC-PERPETUAL",
    "BTC/USDT:USDT",
    "BTC-USD-SWAP",
    "BTC-27MAR26-90000-C",
    "kPEPE",
    "-",
    "é-ü_/:",
    "BTCUSD",
    "long",
    "SELL",
    "BOTH",
    "zero",
    "isolated",
    "cross 20x",
    "{'value':",
    "{\"type\":\"cross\",\"value\":20}",
    "TOTAL",
    "1,234",
    "1.234,56",
    "(12.5)",
    "12%",
    "$1,200",
    "1e999",
    "nan",
    "-inf",
    "#N/A",
    "#REF!",
    "",
    " ",
    "true",
    "no",
    "None",
    "2026-03-27",
    "27MAR26",
    "260231",
    "ＢＴＣ",
    "\u{feff}x",
    "--5",
    "0",
    "-0",
    "5x",
    "x:y-é",
    "USDUSD_é",
];

const NUMBERS: [f64; 12] =
    [0.0, -0.0, 1.0, -1.0, 0.5, 1e-320, 1e308, -1e308, 46_108.0, 1.7e12, f64::NAN, f64::INFINITY];

fn any_table(sheet: Sheet, dice: &mut Dice) -> Table {
    let names: Vec<String> = aliases().entries(sheet).iter().map(|entry| entry.name.clone()).collect();
    let width = dice.roll(5);
    let mut header: Vec<Cell> = (0..width).map(|_| Cell::Text(dice.pick(&names).clone())).collect();
    for needed in
        ["symbol", "contracts", "amount", "currency", "cash", "minNotional", "maintenanceMarginRate"]
    {
        header.push(Cell::Text(if dice.roll(9) == 0 { "remark".into() } else { needed.into() }));
    }
    let width = header.len();
    let mut rows = vec![header];
    for _ in 0..dice.roll(6) {
        rows.push((0..width).map(|_| any_cell(dice)).collect());
    }
    Table::from_rows(rows)
}

fn any_cell(dice: &mut Dice) -> Cell {
    match dice.roll(8) {
        0 => Cell::Number(*dice.pick(&NUMBERS)),
        1 => Cell::from_text(dice.pick::<&str>(&TEXTS)),
        side => {
            let number = f64::from(u32::try_from(1 + dice.roll(999)).unwrap());
            Cell::Number(if side % 2 == 0 { number } else { number / 1000.0 })
        }
    }
}

/// Rows that are neither read, nor named by a finding, nor blank.
fn lost(table: &Table, used: &[usize], findings: &[Finding]) -> Vec<usize> {
    let named = |row: usize| findings.iter().any(|f| f.row == Some(row));
    let refused_as_a_whole = findings.iter().any(|f| f.row.is_none() && f.severity.word() == "ERROR");
    let blank = |row: usize| table.columns.iter().all(|column| column.cell(row - 2) == Cell::Empty);
    (2..table.rows() + 2)
        .filter(|row| !refused_as_a_whole && !used.contains(row) && !named(*row) && !blank(*row))
        .collect()
}

#[test]
fn whatever_is_pasted_no_row_is_lost_and_no_number_is_infinite() {
    let mut dice = Dice(20_260_113);
    let mut read_rows = [0; 5];
    for _ in 0..2000 {
        let table = any_table(Sheet::Positions, &mut dice);
        let read = read_positions(&table, &defaults());
        let used: Vec<usize> = read.rows.iter().map(|r| r.row).collect();
        assert_eq!(lost(&table, &used, &read.findings), Vec::<usize>::new(), "{table:?}");
        assert!(read.rows.iter().all(|r| r.quantity.is_finite() && r.quantity != 0.0), "{table:?}");
        assert!(read.rows.iter().all(|r| (r.instrument as usize) < read.instruments.len()));
        assert_eq!(read.scales.len(), read.instruments.len());
        assert_eq!(read.columns.len(), table.header.len());
        read_rows[0] += used.len();

        let table = any_table(Sheet::Orders, &mut dice);
        let orders = read_orders(&table, &defaults(), Some(&read));
        let used: Vec<usize> = orders.rows.iter().map(|r| r.row).collect();
        assert_eq!(lost(&table, &used, &orders.findings), Vec::<usize>::new(), "{table:?}");
        assert!(orders.rows.iter().all(|r| r.quantity.is_finite() && r.quantity != 0.0), "{table:?}");
        read_rows[1] += used.len();

        let table = any_table(Sheet::Collateral, &mut dice);
        let balances = read_balances(&table, &defaults());
        let used: Vec<usize> = balances.rows.iter().map(|r| r.row).collect();
        assert_eq!(lost(&table, &used, &balances.findings), Vec::<usize>::new(), "{table:?}");
        assert!(balances.rows.iter().all(|r| r.cash.or(r.equity).is_some_and(f64::is_finite)), "{table:?}");
        read_rows[2] += used.len();

        let table = any_table(Sheet::Market, &mut dice);
        let market = read_market(&table, &defaults());
        let used: Vec<usize> = market.rows.iter().map(|r| r.row).collect();
        assert_eq!(lost(&table, &used, &market.findings), Vec::<usize>::new(), "{table:?}");
        read_rows[3] += used.len();

        let table = any_table(Sheet::Brackets, &mut dice);
        let brackets = read_brackets(&table, &defaults());
        let used: Vec<usize> = brackets.rows.iter().map(|r| r.row).collect();
        assert_eq!(lost(&table, &used, &brackets.findings), Vec::<usize>::new(), "{table:?}");
        read_rows[4] += used.len();
    }
    assert!(
        read_rows.iter().all(|rows| *rows > 50),
        "the tables are too wild to test anything: {read_rows:?}"
    );
}
