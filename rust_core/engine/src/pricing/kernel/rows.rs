//! One strike under many scenarios: where its inputs come from and where its values go.

use super::value::{SMALLEST_VOLATILITY, each, out_of_the_money};
use super::vector::Vector;

/// What a scenario makes of one strike's forward, log-moneyness and total volatility.
pub(super) trait Inputs<V: Vector> {
    /// The three from a lane on, and one over the total volatility.
    ///
    /// # Safety
    ///
    /// `V::LANES` scenarios exist from `lane` on.
    unsafe fn at(&self, lane: usize) -> (V, V, V, V);
}

#[inline(always)]
fn inverse<V: Vector>(total_volatility: V) -> V {
    total_volatility.splat(1.0) / total_volatility.larger(total_volatility.splat(SMALLEST_VOLATILITY))
}

/// Takes the values of one strike.
pub(super) trait Output<V: Vector> {
    /// Takes the out-of-the-money value and `forward - strike` of the scenarios from a lane on.
    ///
    /// # Safety
    ///
    /// `V::LANES` scenarios exist from `lane` on.
    unsafe fn take(&mut self, lane: usize, time_value: V, forward_less_strike: V);
}

/// Inputs given scenario by scenario.
pub(super) struct Given {
    pub(super) forward: *const f64,
    pub(super) log_shock: *const f64,
    pub(super) total_volatility: *const f64,
    pub(super) log_moneyness: f64,
}

impl<V: Vector> Inputs<V> for Given {
    #[inline(always)]
    unsafe fn at(&self, lane: usize) -> (V, V, V, V) {
        // SAFETY: the caller vouches for the lanes
        unsafe {
            let total_volatility = V::load(self.total_volatility.add(lane));
            (
                V::load(self.forward.add(lane)),
                V::load(self.log_shock.add(lane)) + V::first(self.log_moneyness),
                total_volatility,
                inverse(total_volatility),
            )
        }
    }
}

/// Inputs of a strike moved by common scenarios.
pub(super) struct Moved {
    pub(super) price_ratio: *const f64,
    pub(super) log_ratio: *const f64,
    pub(super) volatility_move: *const f64,
    pub(super) strike: super::Strike,
}

impl<V: Vector> Inputs<V> for Moved {
    #[inline(always)]
    unsafe fn at(&self, lane: usize) -> (V, V, V, V) {
        // SAFETY: the caller vouches for the lanes
        unsafe {
            let slope = V::first(self.strike.volatility_slope);
            let move_size = V::load(self.volatility_move.add(lane));
            let total_volatility = slope.times_plus(move_size, V::first(self.strike.total_volatility));
            (
                V::load(self.price_ratio.add(lane)) * V::first(self.strike.forward),
                V::load(self.log_ratio.add(lane)) + V::first(self.strike.log_moneyness),
                total_volatility,
                inverse(total_volatility),
            )
        }
    }
}

/// Inputs of a strike moved by ratios whose inverses are known, so that no strike divides by its volatility.
pub(super) struct Scaled<'a> {
    pub(super) ratios: super::Ratios<'a>,
    pub(super) strike: super::JointStrike,
}

impl<V: Vector> Inputs<V> for Scaled<'_> {
    #[inline(always)]
    unsafe fn at(&self, lane: usize) -> (V, V, V, V) {
        let from = |lines: &[super::Line]| lines.as_ptr().cast::<f64>();
        // SAFETY: the caller vouches for the lanes
        unsafe {
            let inverse = V::load(from(self.ratios.inverse_volatility).add(lane));
            let inverse = inverse * V::first(self.strike.inverse_volatility);
            (
                V::load(from(self.ratios.forward).add(lane)) * V::first(self.strike.forward),
                V::load(from(self.ratios.log_forward).add(lane)) + V::first(self.strike.log_moneyness),
                V::load(from(self.ratios.volatility).add(lane)) * V::first(self.strike.total_volatility),
                inverse.smaller(V::first(1.0 / SMALLEST_VOLATILITY)),
            )
        }
    }
}

/// Writes call and put, less their values before the scenarios.
pub(super) struct Both {
    pub(super) calls: *mut f64,
    pub(super) puts: *mut f64,
    pub(super) call_before: f64,
    pub(super) put_before: f64,
}

impl<V: Vector> Output<V> for Both {
    #[inline(always)]
    unsafe fn take(&mut self, lane: usize, time_value: V, forward_less_strike: V) {
        let call_intrinsic = forward_less_strike.larger(time_value.splat(0.0));
        let put_intrinsic = call_intrinsic - forward_less_strike;
        let call = (time_value + call_intrinsic) - time_value.splat(self.call_before);
        let put = (time_value + put_intrinsic) - time_value.splat(self.put_before);
        // SAFETY: the caller vouches for the lanes
        unsafe {
            call.store(self.calls.add(lane));
            put.store(self.puts.add(lane));
        }
    }
}

/// Adds quantities of call and put to running sums.
pub(super) struct Held {
    pub(super) sums: *mut f64,
    pub(super) calls: f64,
    pub(super) puts: f64,
}

impl<V: Vector> Output<V> for Held {
    #[inline(always)]
    unsafe fn take(&mut self, lane: usize, time_value: V, forward_less_strike: V) {
        let call_intrinsic = forward_less_strike.larger(time_value.splat(0.0));
        let put_intrinsic = call_intrinsic - forward_less_strike;
        // SAFETY: the caller vouches for the lanes
        unsafe {
            let to = self.sums.add(lane);
            let sum = call_intrinsic.times_plus(V::first(self.calls), V::load(to));
            let sum = put_intrinsic.times_plus(V::first(self.puts), sum);
            time_value.times_plus(V::first(self.calls + self.puts), sum).store(to);
        }
    }
}

/// Sums of values times weights, in eight lanes whatever the width of a vector.
pub(super) struct Weighed {
    pub(super) weights: *const f64,
    pub(super) calls: super::Line,
    pub(super) puts: super::Line,
}

impl<V: Vector> Output<V> for Weighed {
    #[inline(always)]
    unsafe fn take(&mut self, lane: usize, time_value: V, forward_less_strike: V) {
        let call_intrinsic = forward_less_strike.larger(time_value.splat(0.0));
        let put_intrinsic = call_intrinsic - forward_less_strike;
        let place = lane % super::LINE;
        // SAFETY: the caller vouches for the lanes, and a line has as many as the lanes are counted in
        unsafe {
            let weight = V::load(self.weights.add(lane));
            let to = self.calls.0.as_mut_ptr().add(place);
            weight.times_plus(time_value + call_intrinsic, V::load(to)).store(to);
            let to = self.puts.0.as_mut_ptr().add(place);
            weight.times_plus(time_value + put_intrinsic, V::load(to)).store(to);
        }
    }
}

#[inline(always)]
unsafe fn step<V: Vector, const COUNT: usize>(
    lane: usize,
    strike: f64,
    inputs: &impl Inputs<V>,
    output: &mut impl Output<V>,
) {
    // SAFETY: the caller vouches for the instructions and for the lanes
    unsafe {
        let inputs = each!(v in COUNT: inputs.at(lane + v * V::LANES));
        let strike = [V::first(strike); COUNT];
        let forward = each!(v in COUNT: inputs[v].0);
        let log_moneyness = each!(v in COUNT: inputs[v].1);
        let total_volatility = each!(v in COUNT: inputs[v].2);
        let inverse = each!(v in COUNT: inputs[v].3);
        let time_value = out_of_the_money(&forward, &strike, &log_moneyness, &total_volatility, &inverse);
        let mut v = 0;
        while v < COUNT {
            output.take(lane + v * V::LANES, time_value[v], forward[v] - strike[v]);
            v += 1;
        }
    }
}

/// Values one strike under `lanes` scenarios, `WIDE` vectors at a time while there are as many.
///
/// # Safety
///
/// The processor has the instructions of `V`, `lanes` is a multiple of `V::LANES`, and `inputs` and `output`
/// have as many lanes.
#[inline(always)]
pub(super) unsafe fn row<V: Vector, const WIDE: usize>(
    lanes: usize,
    strike: f64,
    inputs: &impl Inputs<V>,
    output: &mut impl Output<V>,
) {
    let mut lane = 0;
    // SAFETY: each step stays below `lanes`; the caller vouches for the rest
    unsafe {
        while lane + WIDE * V::LANES <= lanes {
            step::<V, WIDE>(lane, strike, inputs, output);
            lane += WIDE * V::LANES;
        }
        while lane + 2 * V::LANES <= lanes {
            step::<V, 2>(lane, strike, inputs, output);
            lane += 2 * V::LANES;
        }
        while lane < lanes {
            step::<V, 1>(lane, strike, inputs, output);
            lane += V::LANES;
        }
    }
}
