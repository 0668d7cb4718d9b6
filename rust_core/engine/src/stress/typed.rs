//! Scenarios of the user's own: a range with a row per coin.

use super::{Other, Peg, Scenario, VolatilityMove};
use crate::cell::{Cell, Column, Table};
use crate::error::{Error, Place, Result, Sign};

/// Columns by the words that name them, written without blanks, `_` and `-`.
const COLUMNS: [(&str, &[&str]); 8] = [
    ("scenario", &["scenario", "name", "stress"]),
    ("coin", &["coin", "underlying", "currency", "asset"]),
    ("move", &["move", "pricemove", "price", "shock"]),
    ("vol", &["vol", "volmove", "volatility"]),
    ("vol_points", &["volpoints", "points"]),
    ("peg", &["peg", "pegratio", "ratio"]),
    ("venue", &["venue", "exchange"]),
    ("days", &["days", "dayspassed"]),
];

/// Reads a range with the columns coin and move, and scenario, vol, vol_points, peg, venue, days.
///
/// Rows of one scenario stand together under its name; a row without a name belongs to the scenario of the row above.
/// The coin `other` says what coins without a row do: a move, or the word beta. `peg` is the price of the currency
/// named over what its peg or its coin makes of it.
///
/// # Errors
///
/// [`Error::Table`] names the row and the cell that cannot be used.
pub fn read_scenarios(table: &Table) -> Result<Vec<Scenario>> {
    let columns = Columns::of(table)?;
    let mut scenarios: Vec<Scenario> = Vec::new();
    for row in 0..table.rows() {
        if table.columns.iter().all(|column| column.cell(row) == Cell::Empty) {
            continue;
        }
        let name = columns.text("scenario", row)?;
        let place = match (name.is_empty(), scenarios.len()) {
            (true, 0) => {
                scenarios.push(Scenario::named("scenario 1"));
                0
            }
            (true, count) => count - 1,
            (false, _) => match scenarios.iter().position(|own| own.name == name) {
                Some(place) => place,
                None => {
                    scenarios.push(Scenario::named(name));
                    scenarios.len() - 1
                }
            },
        };
        let Some(scenario) = scenarios.get_mut(place) else { continue };
        columns.read(row, scenario)?;
    }
    if scenarios.is_empty() {
        return Err(refusal("no row has a scenario", Sign::Value));
    }
    Ok(scenarios)
}

fn refusal(message: impl Into<String>, sign: Sign) -> Error {
    Error::Table { table: "scenarios", message: message.into(), sign }
}

struct Columns<'a>(Vec<(&'static str, &'a Column)>);

impl<'a> Columns<'a> {
    fn of(table: &'a Table) -> Result<Self> {
        let mut found: Vec<(&'static str, &'a Column)> = Vec::new();
        for (header, column) in table.header.iter().zip(&table.columns) {
            let plain: String =
                header.to_lowercase().chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect();
            let known = COLUMNS.iter().find(|(_, words)| words.contains(&plain.as_str()));
            match known {
                Some((name, _)) if found.iter().any(|(own, _)| own == name) => {
                    return Err(refusal(format!("two columns are the column {name}"), Sign::Value));
                }
                Some((name, _)) => found.push((name, column)),
                None if plain.is_empty() => {}
                None => {
                    let known = COLUMNS.map(|(name, _)| name).join(", ");
                    return Err(refusal(format!("unknown column '{header}'; known: {known}"), Sign::Value));
                }
            }
        }
        if !found.iter().any(|(name, _)| *name == "coin") {
            return Err(refusal("needs a column coin, and move, vol or peg beside it", Sign::Value));
        }
        Ok(Self(found))
    }

    fn cell(&self, name: &str, row: usize) -> Result<Cell> {
        let column = self.0.iter().find(|(own, _)| *own == name).map(|(_, column)| column);
        match column.map_or(Cell::Empty, |column| column.cell(row)) {
            cell @ Cell::Error(_) => Err(refusal(
                format!("row {}, {name}: holds the error {}", row + 2, cell.shown()),
                Sign::NotAvailable,
            )),
            cell => Ok(cell),
        }
    }

    fn text(&self, name: &str, row: usize) -> Result<String> {
        Ok(self.cell(name, row)?.shown().trim().to_owned())
    }

    fn number(&self, name: &'static str, row: usize) -> Result<Option<f64>> {
        let value = match self.cell(name, row)? {
            Cell::Empty => return Ok(None),
            Cell::Number(value) => value,
            cell => {
                let text = cell.shown();
                let parsed = match text.strip_suffix('%') {
                    Some(percent) => percent.trim().parse::<f64>().map(|own| own / 100.0),
                    None => text.parse(),
                };
                parsed.map_err(|_| {
                    refusal(
                        format!("row {}, {name}: needs a number, was '{text}'", row + 2),
                        Sign::NotAvailable,
                    )
                })?
            }
        };
        if value.is_finite() {
            Ok(Some(value))
        } else {
            Err(Error::not_finite(name, value, Place { row: Some(row + 2), label: None }))
        }
    }

    fn read(&self, row: usize, scenario: &mut Scenario) -> Result<()> {
        let coin = self.text("coin", row)?;
        let lower = coin.to_ascii_lowercase();
        if coin.is_empty() {
            return Err(refusal(format!("row {}: needs a coin", row + 2), Sign::NotAvailable));
        }
        let others = matches!(lower.as_str(), "other" | "others" | "all" | "*");
        if others && self.text("move", row)?.eq_ignore_ascii_case("beta") {
            scenario.other = Other::Beta;
        } else if let Some(own) = self.number("move", row)? {
            if others {
                scenario.other = Other::Price(own);
            } else if scenario.moves.iter().any(|(known, _)| known.eq_ignore_ascii_case(&coin)) {
                let message = format!("row {}: {coin} has a move in {} already", row + 2, scenario.name);
                return Err(refusal(message, Sign::NotAvailable));
            } else {
                scenario.moves.push((coin.clone(), own));
            }
        }
        let relative = self.number("vol", row)?;
        let points = self.number("vol_points", row)?;
        if relative.is_some() || points.is_some() {
            let own = VolatilityMove { relative: relative.unwrap_or(0.0), points: points.unwrap_or(0.0) };
            scenario.volatilities.push((if others { String::new() } else { coin.clone() }, own));
        }
        if let Some(ratio) = self.number("peg", row)? {
            let venue = Some(self.text("venue", row)?).filter(|own| !own.is_empty());
            scenario.pegs.push(Peg { currency: coin, ratio, venue });
        }
        if let Some(days) = self.number("days", row)? {
            scenario.days = scenario.days.max(days);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        let rows = text.lines().map(|line| {
            line.split('|')
                .map(|cell| cell.trim().parse().map_or_else(|_| Cell::from_text(cell), Cell::Number))
                .collect()
        });
        Table::from_rows(rows.collect())
    }

    #[test]
    fn rows_without_a_name_belong_to_the_scenario_above() {
        let read = read_scenarios(&table(
            "Scenario|Coin|Move|Vol|Peg|Days\ncrash|BTC|-0.3|0.5||\n|other|beta||||\n|USDE|||0.65|\nup|all|10%|||3",
        ))
        .unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].moves, [("BTC".to_owned(), -0.3)]);
        assert_eq!((read[0].other.clone(), read[0].pegs[0].ratio), (Other::Beta, 0.65));
        assert_eq!(read[0].volatilities[0].1.relative, 0.5);
        assert_eq!((read[1].other.clone(), read[1].days), (Other::Price(0.1), 3.0));
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_row() {
        let why = |text: &str| read_scenarios(&table(text)).unwrap_err().to_string();
        assert_eq!(why("coin|move\nBTC|soon"), "scenarios: row 2, move: needs a number, was 'soon'");
        assert_eq!(
            why("coin|move\nBTC|-0.1\nbtc|-0.2"),
            "scenarios: row 3: btc has a move in scenario 1 already"
        );
        assert!(
            why("symbol|move\nBTC|1")
                .starts_with("scenarios: unknown column 'symbol'; known: scenario, coin")
        );
        assert_eq!(why("coin|move\nBTC|#N/A"), "scenarios: row 2, move: holds the error #N/A");
    }
}
