//! What the tests of a backtest say, one row each.

use super::{Day, Ground, Run, simulated};
use crate::error::{Error, Result};
use crate::history::{Bars, day_of};
use crate::numeric::accumulate::sum;
use crate::statistics::backtest::{
    conditional_coverage, exceedances, independence, proportion_of_failures, traffic_light,
};
use crate::statistics::laws::expected_shortfall_exceedance_rate;
use crate::statistics::procyclicality::procyclicality;
use crate::statistics::shortfall_backtest::{Verdict as Shortfall, shortfall_test};
use crate::watch::Watch;

/// Level at which a test rejects.
pub const LEVEL: f64 = 0.05;
/// Days that the traffic light is made for.
const TRAFFIC_LIGHT_DAYS: usize = 250;
/// Days over which rises of the margin are looked at.
const RISES: [usize; 2] = [5, 20];

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What is asked.
    pub test: String,
    /// The statistic.
    pub statistic: Option<f64>,
    /// Probability of one as bad or worse if the model is right.
    pub p_value: Option<f64>,
    /// accepted, rejected, green, yellow, red, pass, fail, not applicable, not checked, or nothing for a measure.
    pub verdict: &'static str,
    /// What the model or the rule promises.
    pub expected: Option<f64>,
    /// What was seen.
    pub observed: Option<f64>,
    /// In words.
    pub note: String,
}

impl Row {
    pub(super) fn new(test: &str, verdict: &'static str, note: String) -> Self {
        Self {
            test: test.to_owned(),
            statistic: None,
            p_value: None,
            verdict,
            expected: None,
            observed: None,
            note,
        }
    }
}

fn judged(p_value: f64) -> &'static str {
    if p_value < LEVEL { "rejected" } else { "accepted" }
}

/// Which days are tested, and what has to be known about them.
pub fn days(run: &Run, ground: &Ground<'_>) -> Vec<Row> {
    let bars = ground.bars;
    let (first, last) = (run.days.first(), run.days.last());
    let span = |day: Option<&Day>| day.map_or_else(String::new, |day| day_of(run.end_of(bars, day)));
    let mut rows = vec![Row {
        observed: Some(run.days.len() as f64),
        ..Row::new(
            "days",
            "",
            format!(
                "losses that end from {} to {}; the book is held constant, each margin is made of the bars before its loss",
                span(first),
                span(last)
            ),
        )
    }];
    if run.length > 1 {
        rows.push(Row {
            statistic: Some(run.length as f64),
            observed: Some(run.apart().len() as f64),
            ..Row::new(
                "overlapping periods",
                "",
                format!(
                    "a loss spans {} bars, so that neighbouring days share losses; tests of counts take the days whose periods do not overlap",
                    run.length
                ),
            )
        });
    }
    for filled in &bars.filled {
        rows.push(Row {
            observed: Some(filled.count as f64),
            ..Row::new(
                "proxied moves",
                "",
                format!(
                    "{}: beta {:.3} and residuals of {} later moves stand in, so that its margins before they were known know something of the future",
                    filled.factor, filled.beta, filled.overlap
                ),
            )
        });
    }
    rows
}

/// Kupiec, Christoffersen and the traffic light of a value at risk.
///
/// # Errors
///
/// As the tests: [`Error::OutOfRange`] for a confidence of a half or less.
pub fn value_at_risk(run: &Run, confidence: f64) -> Result<Vec<Row>> {
    let apart = run.apart();
    let exceeded: Vec<bool> =
        apart.iter().filter_map(|day| day.tail.as_ref().map(|tail| day.loss > tail.value_at_risk)).collect();
    if exceeded.is_empty() {
        return Ok(vec![Row::new("VaR", "not applicable", "the rulebook has no tail".into())]);
    }
    let rate = 1.0 - confidence;
    let observed = exceedances(&exceeded);
    let coverage = proportion_of_failures(observed.days, observed.exceeded, rate)?;
    let expected = Some(rate * observed.days as f64);
    let seen = Some(observed.exceeded as f64);
    let row = |test: &str, statistic: f64, p_value: f64, note: String| Row {
        statistic: Some(statistic),
        p_value: Some(p_value),
        expected,
        observed: seen,
        ..Row::new(test, judged(p_value), note)
    };
    let mut rows = vec![
        row(
            "VaR Kupiec",
            coverage.ratio.statistic,
            coverage.ratio.p_value,
            format!("{} days; chi-square with one degree of freedom", observed.days),
        ),
        row(
            "VaR Kupiec, exact",
            observed.exceeded as f64,
            coverage.exact_p_value,
            format!(
                "binomial; as many or more have {:.4}, as many or fewer {:.4}",
                coverage.at_least, coverage.at_most
            ),
        ),
    ];
    match independence(&observed.transitions) {
        Ok(test) => {
            let note = format!(
                "{} exceedances followed one on the day before",
                observed.transitions.exceeded_exceeded
            );
            rows.push(row("VaR Christoffersen independence", test.statistic, test.p_value, note));
            let both = conditional_coverage(&observed, rate)?;
            let note = "coverage and independence, two degrees of freedom".to_owned();
            rows.push(row("VaR Christoffersen conditional coverage", both.statistic, both.p_value, note));
        }
        Err(why) => rows.push(Row::new("VaR Christoffersen independence", "not applicable", why.to_string())),
    }
    let latest = exceeded.len().min(TRAFFIC_LIGHT_DAYS);
    let in_last = exceeded.iter().rev().take(latest).filter(|own| **own).count();
    let most = exceeded.windows(latest).map(|list| list.iter().filter(|own| **own).count()).max();
    let most = most.unwrap_or(in_last);
    for (test, count, words) in [
        ("VaR Basel traffic light, last 250 days", in_last, "the latest"),
        ("VaR Basel traffic light, worst 250 days", most, "those with the most exceedances"),
    ] {
        let (zone, probability) = traffic_light(latest as u64, count as u64, rate)?;
        rows.push(Row {
            statistic: Some(probability),
            expected: Some(rate * latest as f64),
            observed: Some(count as f64),
            ..Row::new(
                test,
                zone.word(),
                format!("{latest} days, {words}; the statistic is the probability of as many or fewer"),
            )
        });
    }
    Ok(rows)
}

/// Acerbi and Szekely's tests of an expected shortfall, and how often losses were beyond it.
///
/// # Errors
///
/// As the tests; [`Error::NoAnswer`] if stopped.
pub fn expected_shortfall(run: &Run, confidence: f64, watch: &Watch) -> Result<Vec<Row>> {
    let apart = run.apart();
    let tails: Vec<_> =
        apart.iter().filter_map(|day| day.tail.as_ref().map(|tail| (day.loss, tail))).collect();
    if tails.is_empty() {
        return Ok(vec![Row::new("ES", "not applicable", "the rulebook has no tail".into())]);
    }
    let rate = 1.0 - confidence;
    let results: Vec<f64> = tails.iter().map(|(loss, _)| -loss).collect();
    let limits: Vec<f64> = tails.iter().map(|(_, tail)| tail.value_at_risk).collect();
    let shortfalls: Vec<f64> = tails.iter().map(|(_, tail)| tail.expected_shortfall).collect();
    if let Some(place) = shortfalls.iter().position(|own| *own <= 0.0) {
        let why = format!(
            "on day {} of {} no tail scenario loses: there is no shortfall to compare with",
            place + 1,
            results.len()
        );
        return Ok(vec![Row::new("ES Acerbi-Szekely Z2", "not applicable", why)]);
    }
    let found = shortfall_test(&results, &limits, &shortfalls, rate)?;
    let likely = simulated(&apart, rate, (found.first, found.second), watch)?;
    let published = match &found.verdict {
        Shortfall::Accepted => "published critical value -0.70: accepted".to_owned(),
        Shortfall::RejectedAtFivePercent => {
            "published critical value -0.70: rejected at a level of 5 %".to_owned()
        }
        Shortfall::RejectedAtOneInTenThousand => {
            "published critical value -1.8: rejected at a level of 0.01 %".to_owned()
        }
        Shortfall::None { .. } => "critical values are published for 250 days at 97.5 % alone".to_owned(),
    };
    let drawn =
        format!("p of {} histories drawn from each day's own scenarios, if they are right", likely.drawn);
    let mut rows = vec![Row {
        statistic: Some(found.second),
        p_value: Some(likely.second),
        expected: Some(0.0),
        observed: Some(found.second),
        ..Row::new(
            "ES Acerbi-Szekely Z2",
            judged(likely.second),
            format!("{drawn}; below 0 losses are larger or more often than predicted; {published}"),
        )
    }];
    rows.push(match (found.first, likely.first) {
        (Some(first), Some(p_value)) => Row {
            statistic: Some(first),
            p_value: Some(p_value),
            expected: Some(0.0),
            observed: Some(first),
            ..Row::new(
                "ES Acerbi-Szekely Z1",
                judged(p_value),
                format!(
                    "{drawn}; the size of the {} losses beyond VaR alone, not their number",
                    found.exceeded
                ),
            )
        },
        _ => Row::new("ES Acerbi-Szekely Z1", "not applicable", "no loss is beyond VaR".into()),
    });
    let beyond = tails.iter().filter(|(loss, tail)| *loss > tail.expected_shortfall).count();
    let normal = expected_shortfall_exceedance_rate(confidence)?;
    let coverage = proportion_of_failures(tails.len() as u64, beyond as u64, normal)?;
    rows.push(Row {
        statistic: Some(coverage.ratio.statistic),
        p_value: Some(coverage.exact_p_value),
        expected: Some(normal * tails.len() as f64),
        observed: Some(beyond as f64),
        ..Row::new(
            "ES exceedances against a normal law",
            judged(coverage.exact_p_value),
            format!(
                "normal losses are beyond their own ES on {:.3} % of days, not {:.3} %; p is the exact binomial one",
                100.0 * normal,
                100.0 * rate
            ),
        )
    });
    Ok(rows)
}

/// Whether the margin covers what it says it covers, and what was lost beyond it.
///
/// `target` is the coverage that is promised, 0.99; the test is one-sided: covering more is no fault.
///
/// # Errors
///
/// As the tests.
pub fn coverage(run: &Run, bars: &Bars, target: f64) -> Result<Vec<Row>> {
    let apart = run.apart();
    let count = apart.iter().filter(|day| day.exceeded()).count();
    let days = apart.len();
    let found = proportion_of_failures(days as u64, count as u64, 1.0 - target)?;
    let lower = 1.0 - largest_rate(days, count)?;
    let all = run.days.iter().filter(|day| day.exceeded()).count();
    let mut rows = vec![Row {
        statistic: Some(1.0 - count as f64 / days as f64),
        p_value: Some(found.at_least),
        expected: Some((1.0 - target) * days as f64),
        observed: Some(count as f64),
        ..Row::new(
            "margin coverage",
            judged(found.at_least),
            format!(
                "target {target}; {:.3} % of {days} days covered, at least {:.3} % with 95 % confidence; p of as many exceedances or more",
                100.0 * (1.0 - count as f64 / days as f64),
                100.0 * lower
            ),
        )
    }];
    let excess = |day: &Day| (day.loss - day.margin).max(0.0);
    let mean = sum(run.days.iter().map(excess)) / run.days.len() as f64;
    let worst = run.days.iter().max_by(|a, b| excess(a).total_cmp(&excess(b)).then(b.known.cmp(&a.known)));
    rows.push(match worst.filter(|day| day.exceeded()) {
        Some(day) => Row {
            statistic: Some(mean),
            observed: Some(excess(day)),
            ..Row::new(
                "size of exceedances",
                "",
                format!(
                    "mean loss beyond the margin per day, and the largest, on {}: {:.2} of the margin; {:.2} on average where there is one",
                    day_of(run.end_of(bars, day)),
                    excess(day) / day.margin,
                    mean * run.days.len() as f64 / all as f64
                ),
            )
        },
        None => Row {
            statistic: Some(0.0),
            observed: Some(0.0),
            ..Row::new("size of exceedances", "", "no loss was beyond the margin".into())
        },
    });
    let groups = clusters(run);
    let largest = groups.iter().max_by_key(|group| group.len());
    rows.push(Row {
        statistic: Some(groups.len() as f64),
        observed: Some(all as f64),
        ..Row::new(
            "clusters of exceedances",
            "",
            match largest {
                Some(group) => format!(
                    "{all} exceedances are {} events: those whose periods touch are one; the largest has {} and begins with the loss that ended on {}",
                    groups.len(),
                    group.len(),
                    group.first().map_or_else(String::new, |day| day_of(run.end_of(bars, day)))
                ),
                None => "no loss was beyond the margin".into(),
            },
        )
    });
    Ok(rows)
}

/// Exceedances whose periods overlap or touch are one event.
pub fn clusters(run: &Run) -> Vec<Vec<&Day>> {
    let mut groups: Vec<Vec<&Day>> = Vec::new();
    for day in run.days.iter().filter(|day| day.exceeded()) {
        match groups.last_mut() {
            Some(group) if group.last().is_some_and(|last| day.known <= last.known + run.length) => {
                group.push(day);
            }
            _ => groups.push(vec![day]),
        }
    }
    groups
}

/// The largest rate of exceedances that is not too unlikely: the end of the exact one-sided interval of 95 %
/// (Clopper and Pearson 1934).
///
/// # Errors
///
/// [`Error::NoAnswer`] for no days.
pub fn largest_rate(days: usize, exceeded: usize) -> Result<f64> {
    use statrs::distribution::{Binomial, DiscreteCDF};
    let law = |rate: f64| {
        Binomial::new(rate, days as u64)
            .map_err(|why| Error::NoAnswer { why: format!("coverage of {days} days: {why}") })
    };
    if days == 0 {
        return Err(Error::NoAnswer { why: "coverage needs at least one day, had none".into() });
    }
    if exceeded >= days {
        return Ok(1.0);
    }
    let (mut low, mut high) = (exceeded as f64 / days as f64, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if law(middle)?.cdf(exceeded as u64) > LEVEL {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(0.5 * (low + high))
}

/// How much the margin rises when markets fall.
///
/// # Errors
///
/// None but those of the measures; a margin that is zero on some day has no ratio, and the row says so.
pub fn cyclicality(run: &Run, bars: &Bars) -> Result<Vec<Row>> {
    let margins: Vec<f64> = run.days.iter().map(|day| day.margin).collect();
    let mean = sum(margins.iter().copied()) / margins.len() as f64;
    let mut rows =
        vec![Row { observed: Some(mean), ..Row::new("average margin", "", "reporting currency".into()) }];
    if let Some(day) = run.days.iter().find(|day| day.margin <= 0.0) {
        let why = format!("the margin of {} is zero", day_of(run.known_at(bars, day)));
        rows.push(Row::new("peak to trough", "not applicable", why));
        return Ok(rows);
    }
    let at = |best: Option<&Day>| best.map_or_else(String::new, |day| day_of(run.known_at(bars, day)));
    let most = run.days.iter().max_by(|a, b| a.margin.total_cmp(&b.margin).then(b.known.cmp(&a.known)));
    let least = run.days.iter().min_by(|a, b| a.margin.total_cmp(&b.margin).then(a.known.cmp(&b.known)));
    for (place, steps) in RISES.into_iter().enumerate() {
        if steps >= margins.len() {
            let why = format!("{} days are too few", margins.len());
            rows.push(Row::new(&format!("largest {steps}-day rise"), "not applicable", why));
            continue;
        }
        let found = procyclicality(&margins, steps)?;
        if place == 0 {
            rows.push(Row {
                statistic: Some(found.peak_to_trough),
                observed: most.map(|day| day.margin),
                ..Row::new(
                    "peak to trough",
                    "",
                    format!("largest margin on {}, smallest on {}", at(most), at(least)),
                )
            });
        }
        rows.push(Row {
            statistic: Some(found.largest_ratio - 1.0),
            observed: Some(found.largest_increase),
            ..Row::new(
                &format!("largest {steps}-day rise"),
                "",
                "as a fraction of the margin before it, and in money; the two may be of different days"
                    .into(),
            )
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::super::tests::run_of;
    use super::*;

    fn bars() -> Bars {
        Bars {
            factors: Vec::new(),
            instants: (0..40).map(|bar| f64::from(bar) * 86_400.0).collect(),
            step_days: 1.0,
            moves: Vec::new(),
            usable: vec![true; 40],
            forecasts: Vec::new(),
            long_run: Vec::new(),
            filled: Vec::new(),
        }
    }

    #[test]
    fn exceedances_whose_periods_touch_are_one_event() {
        let run = run_of(&[2.0, 2.0, 0.0, 0.0, 3.0, 0.0, 2.0], 1);
        let sizes: Vec<usize> = clusters(&run).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1, 1]);
        let longer = run_of(&[2.0, 2.0, 0.0, 0.0, 3.0, 0.0, 2.0], 2);
        assert_eq!(clusters(&longer).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    }

    #[test]
    fn coverage_is_one_sided_and_sizes_are_of_all_days() {
        let mut losses = vec![0.0; 20];
        losses[3] = 3.0;
        let rows = coverage(&run_of(&losses, 1), &bars(), 0.95).unwrap();
        assert_eq!((rows[0].statistic, rows[0].verdict), (Some(0.95), "accepted"));
        // one or more of 20 at 5 %: 1 - 0.95^20
        assert!((rows[0].p_value.unwrap() - (1.0 - 0.95_f64.powi(20))).abs() < 1e-12);
        assert_eq!((rows[1].statistic, rows[1].observed), (Some(2.0 / 20.0), Some(2.0)));
        let none = coverage(&run_of(&[0.0; 20], 1), &bars(), 0.95).unwrap();
        assert_eq!(none[0].verdict, "accepted");
        losses[4..8].fill(3.0);
        assert_eq!(coverage(&run_of(&losses, 1), &bars(), 0.95).unwrap()[0].verdict, "rejected");
    }

    #[test]
    fn the_largest_rate_is_where_so_few_exceedances_have_five_percent() {
        // none of n: (1 - r)^n = 0.05
        assert!((largest_rate(300, 0).unwrap() - (1.0 - 0.05_f64.powf(1.0 / 300.0))).abs() < 1e-12);
        assert_eq!(largest_rate(3, 3).unwrap(), 1.0);
        assert!(largest_rate(0, 0).is_err());
    }
}
