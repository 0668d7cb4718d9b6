//! Checks the tail group of a rulebook file.

use super::OrderRule;
use super::raw::RawMeasure;
use super::raw_tail::{RawHistory, RawSimulation, RawTail};
use super::read::Reader;
use super::tail::{
    Aggregation, CovarianceRule, HistoryRule, OptionVolatility, Repair, SimulationRule, Statistic,
    StressRule, TailLaw, TailRule, TailScenarios,
};
use crate::error::Result;
use crate::revaluation::joint::Method;

/// More scenarios or observations than anybody waits for.
const MOST: f64 = 10_000_000.0;
/// Integers up to here are exact in a cell.
const LARGEST_SEED: f64 = 9_007_199_254_740_991.0;

impl Reader {
    pub(super) fn tail(&self, measure: &RawMeasure, raw: &RawTail, statistic: Statistic) -> Result<TailRule> {
        let confidence = self.required("measure.confidence", measure.confidence.as_ref())?;
        let horizon = self.required("measure.horizon_days", measure.horizon_days.as_ref())?;
        let days = |key: &str, value: f64| self.number(key, value, 1e-4, 365.0);
        Ok(TailRule {
            statistic,
            confidence: self.number("measure.confidence", confidence, 0.5, 1.0 - 1e-9)?,
            horizon_days: days("measure.horizon_days", horizon)?,
            initial_horizon_days: raw
                .initial_horizon_days
                .map(|value| days("tail.initial_horizon_days", value))
                .transpose()?,
            scenarios: self.word("tail.scenarios", raw.scenarios.as_deref(), &TailScenarios::ALL)?,
            history: self.history(&raw.history)?,
            simulation: self.simulation(&raw.simulation)?,
            stress: raw
                .stress
                .as_ref()
                .map(|stress| {
                    let moves = |key: &str, list: &[f64]| {
                        list.iter()
                            .map(|value| self.number(key, *value, -1.0 + 1e-9, 100.0))
                            .collect::<Result<_>>()
                    };
                    let price_moves: Vec<f64> = moves("tail.stress.price_moves", &stress.price_moves)?;
                    if price_moves.is_empty() {
                        return self.refuse("tail.stress.price_moves", "needs at least one relative move");
                    }
                    let mut volatility_moves: Vec<f64> =
                        moves("tail.stress.volatility_moves", &stress.volatility_moves)?;
                    if volatility_moves.is_empty() {
                        volatility_moves.push(0.0);
                    }
                    let share = self.number("tail.stress.share", stress.share, 0.0, 1.0)?;
                    Ok(StressRule { share, price_moves, volatility_moves })
                })
                .transpose()?,
            floor_window: raw
                .floor_window
                .map(|value| self.count("tail.floor_window", value, 2.0))
                .transpose()?,
            age_options: raw.age_options.unwrap_or(true),
            option_volatility: self.word(
                "tail.option_volatility",
                raw.option_volatility.as_deref(),
                &[("required", OptionVolatility::Required), ("unmoved", OptionVolatility::Unmoved)],
            )?,
            revaluation: self.word("tail.revaluation", raw.revaluation.as_deref(), &Method::ALL)?,
            orders: self.word(
                "measure.orders",
                measure.orders.as_deref(),
                &[("variants", OrderRule::Variants), ("none", OrderRule::None)],
            )?,
        })
    }

    fn history(&self, raw: &RawHistory) -> Result<HistoryRule> {
        // a decay of 1 has no last observation, one of 0 nothing but it
        let decay = |key: &str, value: f64| self.number(key, value, 0.5, 0.99999);
        Ok(HistoryRule {
            window: self.count("tail.history.window", raw.window.unwrap_or(500.0), 2.0)?,
            aggregation: self.word(
                "tail.history.aggregation",
                raw.aggregation.as_deref(),
                &[
                    ("overlapping", Aggregation::Overlapping),
                    ("non_overlapping", Aggregation::NonOverlapping),
                    ("square_root", Aggregation::SquareRoot),
                ],
            )?,
            decay: decay("tail.history.decay", raw.decay.unwrap_or(0.97))?,
            largest_scale: self.number(
                "tail.history.largest_scale",
                raw.largest_scale.unwrap_or(4.0),
                1.0,
                1000.0,
            )?,
            floor_share: self.number(
                "tail.history.floor_share",
                raw.floor_share.unwrap_or(0.0),
                0.0,
                10.0,
            )?,
            age_decay: decay("tail.history.age_decay", raw.age_decay.unwrap_or(0.995))?,
            proxy: raw.proxy.clone().map(|coin| coin.trim().to_uppercase()).filter(|coin| !coin.is_empty()),
            least_overlap: self.count(
                "tail.history.least_overlap",
                raw.least_overlap.unwrap_or(60.0),
                10.0,
            )?,
            stale_after: self.count("tail.history.stale_after", raw.stale_after.unwrap_or(3.0), 1.0)?,
        })
    }

    fn simulation(&self, raw: &RawSimulation) -> Result<SimulationRule> {
        let student =
            self.word("tail.simulation.law", raw.law.as_deref(), &[("normal", false), ("student_t", true)])?;
        let law = if student {
            let given =
                self.required("tail.simulation.degrees_of_freedom", raw.degrees_of_freedom.as_ref())?;
            if given <= 2.0 {
                return self.refuse(
                    "tail.simulation.degrees_of_freedom",
                    format!("must be above 2, was {given}; at 2 and below the variance is infinite"),
                );
            }
            let degrees_of_freedom = self.number("tail.simulation.degrees_of_freedom", given, 2.0, 1000.0)?;
            TailLaw::StudentT { degrees_of_freedom }
        } else {
            TailLaw::Normal
        };
        let seed = self.number("tail.simulation.seed", raw.seed.unwrap_or(0.0), 0.0, LARGEST_SEED)?;
        if seed.fract() != 0.0 {
            return self.refuse("tail.simulation.seed", format!("must be a whole number, was {seed}"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number in range"
        )]
        let seed = seed as u64;
        let found = SimulationRule {
            paths: self.count("tail.simulation.paths", raw.paths.unwrap_or(10_000.0), 2.0)?,
            seed,
            law,
            sobol: self.word(
                "tail.simulation.sampler",
                raw.sampler.as_deref(),
                &[("plain", false), ("sobol", true)],
            )?,
            shaped: self.word(
                "tail.simulation.marginals",
                raw.marginals.as_deref(),
                &[("law", false), ("history", true)],
            )?,
            covariance: self.word(
                "tail.simulation.covariance",
                raw.covariance.as_deref(),
                &CovarianceRule::ALL,
            )?,
            repair: self.word(
                "tail.simulation.repair",
                raw.repair.as_deref(),
                &[("refuse", Repair::Refused), ("nearest", Repair::Nearest)],
            )?,
        };
        if found.shaped && found.covariance == CovarianceRule::Market {
            let why = "history needs moves that happened, and covariance = market takes none".to_owned();
            return self.refuse("tail.simulation.marginals", why);
        }
        Ok(found)
    }

    /// A whole number of observations or scenarios.
    fn count(&self, key: &str, value: f64, least: f64) -> Result<usize> {
        if value.fract() != 0.0 {
            return self.refuse(key, format!("must be a whole number, was {value}"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number in range"
        )]
        self.number(key, value, least, MOST).map(|value| value as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Measure;
    use super::super::read::{Format, read};
    use super::*;

    fn own(rest: &str) -> Result<super::super::Rulebook> {
        let head = "id = \"t\"\nversion = \"1\"\nvenue = \"t\"\nreport_currency = \"USD\"\nsettle = \"USD\"\n\
                    source = \"made up\"\nretrieved = \"2026-11-20\"\neffective = \"2026-11-20\"\n";
        read(&format!("{head}{rest}"), Format::Toml)
    }

    const MEASURE: &str = "[measure]\nkind = \"expected_shortfall\"\nconfidence = 0.99\nhorizon_days = 1\n";

    #[test]
    fn a_tail_has_defaults_that_are_those_of_the_reference() {
        let Measure::Tail(tail) = own(MEASURE).unwrap().measure else { panic!("no tail") };
        assert_eq!(tail.scenarios, TailScenarios::Historical);
        assert_eq!((tail.history.window, tail.history.decay), (500, 0.97));
        assert_eq!(tail.horizons(), [1.0]);
    }

    #[test]
    fn parameters_that_mean_nothing_are_refused_by_a_sentence() {
        for (rest, sentence) in [
            ("[tail.history]\ndecay = 1.0\n", "tail.history.decay: must be between 0.5 and 0.99999, was 1"),
            (
                "[tail.simulation]\nlaw = \"student_t\"\ndegrees_of_freedom = 2\n",
                "tail.simulation.degrees_of_freedom: must be above 2, was 2; at 2 and below the variance is infinite",
            ),
            ("[tail.history]\nwindow = 10.5\n", "tail.history.window: must be a whole number, was 10.5"),
            ("[tail]\nscenarios = \"normal\"\n", "tail.scenarios: must be one of historical, filtered"),
            ("[tail.stress]\nshare = 0.25\nprice_moves = []\n", "needs at least one relative move"),
            ("[tail.simulation]\nlaw = \"student_t\"\n", "is missing; this measure needs it"),
        ] {
            let refusal = own(&format!("{MEASURE}{rest}")).unwrap_err().to_string();
            assert!(refusal.contains(sentence), "{refusal}");
        }
    }
}
