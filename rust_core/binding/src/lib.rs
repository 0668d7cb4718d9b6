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
mod pricing;
mod revaluation;
mod rulebooks;

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
    use super::history::{History, check_history, join_histories};
    #[pymodule_export]
    use super::joint::JointBook;
    #[pymodule_export]
    use super::limits::{largest_size, largest_size_table, leverage_caps, limits, liquidation_probability};
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

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::error::set_signs(module.py())?;
        super::revaluation::set_level_from_environment(module.py())
    }
}
