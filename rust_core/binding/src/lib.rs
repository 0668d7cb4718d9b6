//! Python binding: arguments in, one call, result out.

mod array;
mod backtest;
mod book;
mod cells;
mod correlation;
mod enter;
mod error;
mod functions;
mod history;
mod joint;
mod limits;
mod maps;
mod plan;
mod pricing;
mod revaluation;
mod rulebooks;
mod statistics;
mod stress;

use pyo3::prelude::*;

/// The compiled core of crossmargin.
#[pymodule(gil_used = false)]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::backtest::{backtest, calibrate};
    #[pymodule_export]
    use super::book::{Book, build_book, inspect};
    #[pymodule_export]
    use super::correlation::{book_correlations, history_correlations};
    #[pymodule_export]
    use super::error::{
        CrossmarginError, MissingError, NoAnswerError, NotCoveredError, OutOfRangeError, RulebookError,
        ShapeError, TableError, UnknownWordError,
    };
    #[pymodule_export]
    use super::functions::{
        build_information, compare, cumulative_amounts, linear_liquidation_prices, rank_value, single_prices,
    };
    #[pymodule_export]
    use super::history::{History, check_history, join_histories, splice_histories};
    #[pymodule_export]
    use super::joint::JointBook;
    #[pymodule_export]
    use super::limits::{largest_size, largest_size_table, leverage_caps, limits, liquidation_probability};
    #[pymodule_export]
    use super::maps::{liquidation_map, liquidation_zones, nearest_scenarios};
    #[pymodule_export]
    use super::plan::{
        cheapest_reduction, cure, execution_schedule, fraction_to_close, greedy_cuts, impact,
        quadratic_reduction, scenario_reduction, schedule_table, what_if, what_if_number, withdrawable,
        withdrawable_table,
    };
    #[pymodule_export]
    use super::pricing::{
        black76, implied_volatilities, normal_implied_volatility, option_greeks, option_values,
        settlement_delta, spot_implied_volatility, spot_option,
    };
    #[pymodule_export]
    use super::revaluation::{Account, Accounts, Scenarios, Strikes, simd_level, simd_levels};
    #[pymodule_export]
    use super::rulebooks::{
        rulebook_difference, rulebook_list, rulebook_parts, rulebook_text, rulebook_text_of_rows,
    };
    #[pymodule_export]
    use super::statistics::backtests::{
        accepted_failures, conditional_coverage, count_exceedances, emir_options, independence,
        margin_procyclicality, proportion_of_failures, shortfall_critical_values, shortfall_test,
        step_multiplier, traffic_light,
    };
    #[pymodule_export]
    use super::statistics::laws::{
        cornish_fisher_quantile, correlation_of_kendall_tau, expected_shortfall_exceedance_rate,
        horizon_volatility, kendall_tau, lognormal_shortfall_rates, normal_tail, pure_gamma_tail,
        spearman_rho, student_tail, tail_dependence, volatility_contributions,
    };
    #[pymodule_export]
    use super::statistics::liquidity::{
        autocorrelated_factor, concentration, elasticity_ratio, liquidity_adjusted_value_at_risk,
        scaled_haircut, square_root_impact, unwind_factor,
    };
    #[pymodule_export]
    use super::statistics::matrices::{
        beta, blume_beta, check_correlation, correlation_change, correlation_of, covariance_of,
        downside_beta, ewma_covariance, ewma_covariance_update, ledoit_wolf, repaired_correlation,
        sample_covariance, smallest_eigenvalue, stressed_correlation,
    };
    #[pymodule_export]
    use super::statistics::moves::factor_moves;
    #[pymodule_export]
    use super::statistics::ranking::{descending_order, largest_rows, losses_in_scenarios};
    #[pymodule_export]
    use super::statistics::sizing::{
        barrier_liquidation_probability, distance_to_liquidation, growth_rate, kelly, leverage_cap,
        open_interest_rate, risk_budget_weights, size_premium, volatility_target_weight,
    };
    #[pymodule_export]
    use super::statistics::tails::{
        effective_size, expected_shortfall_error, order_statistic_coverage, order_statistic_ranks,
        sample_tail, sampling_errors, shortfall_contributions, value_at_risk_interval,
    };
    #[pymodule_export]
    use super::statistics::volatilities::{
        age_weights, ewma_volatilities, ewma_volatility_update, filtered_returns, garch_long_run_volatility,
        garch_volatility_update, half_life,
    };

    #[pymodule_export]
    use super::stress::{accounts, difference, grid, horizon, stress};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::error::set_signs(module.py())?;
        super::revaluation::set_level_from_environment(module.py())
    }
}
