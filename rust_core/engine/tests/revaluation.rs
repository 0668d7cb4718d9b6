//! Revaluation against single values, and its bits over threads and instruction sets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crossmargin_engine::pricing::black76::both;
use crossmargin_engine::pricing::level::{Level, available, level};
use crossmargin_engine::revaluation::{
    Account, Accounts, Discounts, Holdings, Scenarios, StrikeColumns, Strikes,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const EXPIRIES: usize = 4;
const UNDERLYINGS: usize = 3;

/// A made-up book: 96 strikes of three underlyings and four expiries, and what accounts hold of them.
struct Case {
    strike: Vec<f64>,
    forward: Vec<f64>,
    years: Vec<f64>,
    volatility: Vec<f64>,
    tenor_weight: Vec<f64>,
    expiry: Vec<i64>,
    underlying: Vec<i64>,
    price_move: Vec<f64>,
    volatility_move: Vec<f64>,
    offsets: Vec<i64>,
    instrument: Vec<i64>,
    quantity: Vec<f64>,
}

fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

impl Case {
    fn new(accounts: usize, scenarios: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(76);
        let count = 96;
        let mut case = Self {
            strike: vec![],
            forward: vec![],
            years: vec![],
            volatility: vec![],
            tenor_weight: vec![],
            expiry: vec![],
            underlying: vec![],
            price_move: (0..scenarios).map(|_| 0.5 * uniform(&mut random) - 0.25).collect(),
            volatility_move: (0..scenarios).map(|_| 1.2 * uniform(&mut random) - 0.6).collect(),
            offsets: vec![0],
            instrument: vec![],
            quantity: vec![],
        };
        case.price_move[0] = 0.0;
        case.volatility_move[0] = 0.0;
        for index in 0..count {
            let (underlying, expiry) = (index % UNDERLYINGS, index / UNDERLYINGS % EXPIRIES);
            let forward = [60_000.0, 3_000.0, 150.0][underlying] * (1.0 + 0.002 * expiry as f64);
            let years = [0.02, 0.1, 0.3, 0.9][expiry];
            case.strike.push(forward * (0.6 + 0.8 * uniform(&mut random)));
            case.forward.push(forward);
            case.years.push(years);
            case.volatility.push(0.4 + 0.5 * uniform(&mut random));
            case.tenor_weight.push(f64::min(1.0, (30.0 / 365.0 / years).powf(0.3)));
            case.expiry.push(expiry as i64);
            case.underlying.push(underlying as i64);
        }
        for account in 0..accounts {
            for _ in 0..account % 13 {
                case.instrument.push((uniform(&mut random) * 2.0 * count as f64) as i64);
                case.quantity.push(10.0 * uniform(&mut random) - 5.0);
            }
            case.offsets.push(case.instrument.len() as i64);
        }
        case
    }

    fn strikes(&self, level: Level, with_underlying: bool) -> Strikes {
        Strikes::new(
            level,
            StrikeColumns {
                strike: &self.strike,
                forward: &self.forward,
                years: &self.years,
                volatility: &self.volatility,
                tenor_weight: Some(&self.tenor_weight),
                expiry: Some(&self.expiry),
                underlying: with_underlying.then_some(&self.underlying),
            },
        )
        .unwrap()
    }

    fn scenarios(&self) -> Scenarios {
        Scenarios::new(&self.price_move, &self.volatility_move).unwrap()
    }

    fn accounts(&self, strikes: &Strikes) -> Accounts {
        let holdings =
            Holdings { offsets: &self.offsets, instrument: &self.instrument, quantity: &self.quantity };
        Accounts::new(strikes, holdings).unwrap()
    }

    /// Value of one instrument with a price and a volatility move, by the scalar function.
    fn value(&self, instrument: i64, price_move: f64, volatility_move: f64) -> f64 {
        let strike = instrument as usize % self.strike.len();
        let volatility = self.volatility[strike] * (1.0 + self.tenor_weight[strike] * volatility_move);
        let total_volatility = volatility.max(0.0) * self.years[strike].sqrt();
        let forward = self.forward[strike] * (1.0 + price_move);
        let (call, put) = both(forward, self.strike[strike], total_volatility).unwrap();
        if (instrument as usize) < self.strike.len() { call } else { put }
    }

    /// Worst loss of an account, written as the rule reads; one expiry number for each underlying.
    fn worst_loss(&self, account: usize, with_underlying: bool, discounts: Option<(&[f64], &[f64])>) -> f64 {
        let entries = self.offsets[account] as usize..self.offsets[account + 1] as usize;
        let strike = |entry: usize| self.instrument[entry] as usize % self.strike.len();
        let mut total = 0.0;
        for underlying in 0..if with_underlying { UNDERLYINGS } else { 1 } {
            let mut worst = f64::NEG_INFINITY;
            for (&price, &volatility) in self.price_move.iter().zip(&self.volatility_move) {
                let (mut shocked, mut today) = ([0.0; EXPIRIES], 0.0);
                for entry in entries.clone() {
                    if with_underlying && self.underlying[strike(entry)] as usize != underlying {
                        continue;
                    }
                    let (instrument, quantity) = (self.instrument[entry], self.quantity[entry]);
                    shocked[self.expiry[strike(entry)] as usize] +=
                        quantity * self.value(instrument, price, volatility);
                    today += quantity * self.value(instrument, 0.0, 0.0);
                }
                let mut value = 0.0;
                for (expiry, &net) in shocked.iter().enumerate() {
                    let factor =
                        discounts.map_or(1.0, |d| if net >= 0.0 { d.0[expiry] } else { d.1[expiry] });
                    value += factor * net;
                }
                worst = f64::max(worst, today - value);
            }
            total += if with_underlying { worst.max(0.0) } else { worst };
        }
        total
    }
}

const LONG: [f64; EXPIRIES] = [0.99, 0.97, 0.93, 0.9];
const SHORT: [f64; EXPIRIES] = [1.01, 1.02, 1.05, 1.1];

#[test]
fn an_account_is_worth_what_its_options_are_worth_one_by_one() {
    let case = Case::new(40, 33);
    let strikes = case.strikes(level(), false);
    let (index, is_call): (Vec<i64>, Vec<bool>) =
        case.instrument.iter().map(|&i| (i % case.strike.len() as i64, i < case.strike.len() as i64)).unzip();
    let account = Account::new(&strikes, &index, &is_call, &case.quantity).unwrap();
    let profits = account.scenario_pnl(&case.scenarios()).unwrap();
    assert_eq!(profits.len(), 33);
    assert_eq!(profits[0].to_bits(), 0.0_f64.to_bits());
    let scale: f64 =
        case.instrument.iter().zip(&case.quantity).map(|(&i, q)| q.abs() * case.value(i, 0.0, 0.0)).sum();
    for (scenario, profit) in profits.iter().enumerate() {
        let moved = (case.price_move[scenario], case.volatility_move[scenario]);
        let held = case.instrument.iter().zip(&case.quantity);
        let expected: f64 =
            held.map(|(&i, q)| q * (case.value(i, moved.0, moved.1) - case.value(i, 0.0, 0.0))).sum();
        assert!((profit - expected).abs() < 1e-12 * scale, "{profit} {expected}");
    }
}

#[test]
fn worst_losses_follow_their_rule() {
    for scenarios in [1, 8, 33, 100] {
        let case = Case::new(60, scenarios);
        for with_underlying in [false, true] {
            let accounts = case.accounts(&case.strikes(level(), with_underlying));
            for discounted in [false, true] {
                let factors = discounted.then_some((LONG.as_slice(), SHORT.as_slice()));
                let discounts = factors.map(|(long, short)| Discounts { long, short });
                let ours = accounts.worst_loss(&case.scenarios(), discounts, None).unwrap();
                assert_eq!(ours.len(), 60);
                for (account, loss) in ours.iter().enumerate() {
                    let expected = case.worst_loss(account, with_underlying, factors);
                    assert!((loss - expected).abs() <= 1e-8, "{account}: {loss} {expected}");
                }
            }
        }
    }
}

#[test]
fn neither_threads_nor_fused_levels_change_a_bit() {
    let case = Case::new(8_000, 41);
    for with_underlying in [false, true] {
        for discounts in [None, Some(Discounts { long: &LONG, short: &SHORT })] {
            let run = |level, threads| {
                let accounts = case.accounts(&case.strikes(level, with_underlying));
                accounts.worst_loss(&case.scenarios(), discounts, threads).unwrap()
            };
            let bits = |losses: &[f64]| losses.iter().map(|loss| loss.to_bits()).collect::<Vec<_>>();
            let mut first_fused: Option<Vec<u64>> = None;
            let portable = run(Level::Portable, Some(1));
            for level in available() {
                let one = run(level, Some(1));
                for threads in [Some(2), Some(8)] {
                    assert_eq!(bits(&run(level, threads)), bits(&one), "{level} {threads:?}");
                }
                if level.is_fused() {
                    assert_eq!(bits(&one), *first_fused.get_or_insert_with(|| bits(&one)), "{level}");
                }
                for (ours, plain) in one.iter().zip(&portable) {
                    // twelve options of at most 5 x 60,000 each
                    assert!((ours - plain).abs() <= 1e-14 * 12.0 * 300_000.0, "{level}: {ours} {plain}");
                }
            }
        }
    }
}

#[test]
fn wrong_positions_are_refused_with_their_index() {
    let case = Case::new(3, 8);
    let strikes = case.strikes(level(), false);
    let accounts = |offsets: &[i64], instrument: &[i64], quantity: &[f64]| {
        Accounts::new(&strikes, Holdings { offsets, instrument, quantity }).unwrap_err().to_string()
    };
    assert_eq!(
        accounts(&[0, 2], &[5, 192], &[1.0, 1.0]),
        "instrument must be an integer from 0 to below 192, was 192 (index 1)"
    );
    assert_eq!(
        accounts(&[0, 2, 1], &[5, 6], &[1.0, 1.0]),
        "offsets must begin with 0, never fall and end with 2, was 1 (index 2)"
    );
    assert_eq!(accounts(&[0, 1], &[5], &[f64::NAN]), "quantity must be a finite number, was NaN (index 0)");
    let one = Account::new(&strikes, &[96], &[true], &[1.0]).unwrap_err().to_string();
    assert_eq!(one, "index must be an integer from 0 to below 96, was 96 (index 0)");
    let short = Discounts { long: &LONG, short: &SHORT[..3] };
    let refusal = case.accounts(&strikes).worst_loss(&case.scenarios(), Some(short), None).unwrap_err();
    assert_eq!(refusal.to_string(), "short_discount has 3 rows, expected 4");
}
