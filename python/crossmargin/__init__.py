"""Margin and liquidation of crypto-derivatives books.

Paste an exchange export and get, offline: the margin, why it is that, how far the book is from
liquidation, and what is closed first. Everything is calculated in a Rust core; these functions give
it words::

    import crossmargin

    book = crossmargin.book("positions.csv", "hyperliquid", collateral="collateral.csv")
    print(crossmargin.summary(book))
    print(crossmargin.liquidation_price(book))

The sheet functions (`CM_MM` and so on) are the same functions, listed by
:func:`crossmargin.registry.records`. Names are loaded when they are first used, so that
`import crossmargin` needs nothing but the standard library and the compiled core.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crossmargin import statistics as statistics
    from crossmargin._core import Book as Book
    from crossmargin.account_functions import (
        account_ranking as account_ranking,
    )
    from crossmargin.action_functions import (
        cure as cure,
    )
    from crossmargin.action_functions import (
        impact as impact,
    )
    from crossmargin.action_functions import (
        reduction_schedule as reduction_schedule,
    )
    from crossmargin.action_functions import (
        what_if as what_if,
    )
    from crossmargin.action_functions import (
        withdrawable as withdrawable,
    )
    from crossmargin.backtest_functions import (
        backtest as backtest,
    )
    from crossmargin.backtest_functions import (
        calibration as calibration,
    )
    from crossmargin.backtest_functions import (
        spliced_history as spliced_history,
    )
    from crossmargin.calculators import (
        AdlRank as AdlRank,
    )
    from crossmargin.calculators import (
        SinglePrice as SinglePrice,
    )
    from crossmargin.calculators import (
        adl_rank_value as adl_rank_value,
    )
    from crossmargin.calculators import (
        linear_liquidation_prices as linear_liquidation_prices,
    )
    from crossmargin.calculators import (
        single_liquidation_price as single_liquidation_price,
    )
    from crossmargin.calculators import (
        tier_amounts as tier_amounts,
    )
    from crossmargin.correlation_functions import (
        correlations as correlations,
    )
    from crossmargin.desk_report import (
        report as report,
    )
    from crossmargin.errors import CrossmarginError as CrossmarginError
    from crossmargin.functions import (
        book as book,
    )
    from crossmargin.functions import (
        check as check,
    )
    from crossmargin.functions import (
        collateral as collateral,
    )
    from crossmargin.functions import (
        comparison as comparison,
    )
    from crossmargin.functions import (
        equity as equity,
    )
    from crossmargin.functions import (
        excess as excess,
    )
    from crossmargin.functions import (
        explanation as explanation,
    )
    from crossmargin.functions import (
        exposure as exposure,
    )
    from crossmargin.functions import (
        first_liquidated as first_liquidated,
    )
    from crossmargin.functions import (
        initial_margin as initial_margin,
    )
    from crossmargin.functions import (
        liquidation_order as liquidation_order,
    )
    from crossmargin.functions import (
        liquidation_price as liquidation_price,
    )
    from crossmargin.functions import (
        maintenance_margin as maintenance_margin,
    )
    from crossmargin.functions import (
        one_position_price as one_position_price,
    )
    from crossmargin.functions import (
        ratio as ratio,
    )
    from crossmargin.functions import (
        reconciliation as reconciliation,
    )
    from crossmargin.functions import (
        rulebook_diff as rulebook_diff,
    )
    from crossmargin.functions import (
        rulebooks as rulebooks,
    )
    from crossmargin.functions import (
        scenarios as scenarios,
    )
    from crossmargin.functions import (
        summary as summary,
    )
    from crossmargin.functions import (
        tiers as tiers,
    )
    from crossmargin.functions import (
        version as version,
    )
    from crossmargin.functions import (
        why as why,
    )
    from crossmargin.history_functions import (
        history as history,
    )
    from crossmargin.limit_functions import (
        largest_size as largest_size,
    )
    from crossmargin.limit_functions import (
        leverage_caps as leverage_caps,
    )
    from crossmargin.limit_functions import (
        limits as limits,
    )
    from crossmargin.limit_functions import (
        liquidation_probability as liquidation_probability,
    )
    from crossmargin.map_functions import (
        liquidation_map as liquidation_map,
    )
    from crossmargin.map_functions import (
        liquidation_zones as liquidation_zones,
    )
    from crossmargin.map_functions import (
        nearest_scenarios as nearest_scenarios,
    )
    from crossmargin.portfolio import (
        compare as compare,
    )
    from crossmargin.pricing import (
        OptionGreeks as OptionGreeks,
    )
    from crossmargin.pricing import (
        SpotOption as SpotOption,
    )
    from crossmargin.pricing import (
        black76 as black76,
    )
    from crossmargin.pricing import (
        implied_volatilities as implied_volatilities,
    )
    from crossmargin.pricing import (
        normal_implied_volatility as normal_implied_volatility,
    )
    from crossmargin.pricing import (
        option_greeks as option_greeks,
    )
    from crossmargin.pricing import (
        option_on_spot as option_on_spot,
    )
    from crossmargin.pricing import (
        option_values as option_values,
    )
    from crossmargin.pricing import (
        settlement_delta as settlement_delta,
    )
    from crossmargin.pricing import (
        spot_implied_volatility as spot_implied_volatility,
    )
    from crossmargin.risk_functions import (
        risk_contributions as risk_contributions,
    )
    from crossmargin.risk_functions import (
        tail_measures as tail_measures,
    )
    from crossmargin.stress_functions import (
        book_difference as book_difference,
    )
    from crossmargin.stress_functions import (
        horizon as horizon,
    )
    from crossmargin.stress_functions import (
        margin_grid as margin_grid,
    )
    from crossmargin.stress_functions import (
        stresses as stresses,
    )
    from crossmargin.table import Table as Table
    from crossmargin.waterfall_functions import (
        deleveraging as deleveraging,
    )
    from crossmargin.waterfall_functions import (
        liquidation_policies as liquidation_policies,
    )

_HOMES = {
    "AdlRank": "calculators",
    "Book": "_core",
    "CrossmarginError": "errors",
    "OptionGreeks": "pricing",
    "SinglePrice": "calculators",
    "SpotOption": "pricing",
    "Table": "table",
    "account_ranking": "account_functions",
    "adl_rank_value": "calculators",
    "backtest": "backtest_functions",
    "black76": "pricing",
    "book": "functions",
    "book_difference": "stress_functions",
    "calibration": "backtest_functions",
    "check": "functions",
    "collateral": "functions",
    "compare": "portfolio",
    "comparison": "functions",
    "correlations": "correlation_functions",
    "cure": "action_functions",
    "deleveraging": "waterfall_functions",
    "equity": "functions",
    "excess": "functions",
    "explanation": "functions",
    "exposure": "functions",
    "first_liquidated": "functions",
    "history": "history_functions",
    "horizon": "stress_functions",
    "impact": "action_functions",
    "implied_volatilities": "pricing",
    "initial_margin": "functions",
    "largest_size": "limit_functions",
    "leverage_caps": "limit_functions",
    "limits": "limit_functions",
    "linear_liquidation_prices": "calculators",
    "liquidation_map": "map_functions",
    "liquidation_order": "functions",
    "liquidation_policies": "waterfall_functions",
    "liquidation_price": "functions",
    "liquidation_probability": "limit_functions",
    "liquidation_zones": "map_functions",
    "maintenance_margin": "functions",
    "margin_grid": "stress_functions",
    "nearest_scenarios": "map_functions",
    "normal_implied_volatility": "pricing",
    "one_position_price": "functions",
    "option_greeks": "pricing",
    "option_on_spot": "pricing",
    "option_values": "pricing",
    "ratio": "functions",
    "reconciliation": "functions",
    "report": "desk_report",
    "reduction_schedule": "action_functions",
    "risk_contributions": "risk_functions",
    "rulebook_diff": "functions",
    "rulebooks": "functions",
    "scenarios": "functions",
    "settlement_delta": "pricing",
    "single_liquidation_price": "calculators",
    "spliced_history": "backtest_functions",
    "spot_implied_volatility": "pricing",
    "stresses": "stress_functions",
    "summary": "functions",
    "tail_measures": "risk_functions",
    "tier_amounts": "calculators",
    "tiers": "functions",
    "version": "functions",
    "what_if": "action_functions",
    "why": "functions",
    "withdrawable": "action_functions",
}

_MODULES = ("statistics",)  # public modules that are used by their name

__all__ = sorted((*_HOMES, *_MODULES))  # noqa: PLE0605  # one list of names, not two


def __getattr__(name: str) -> object:
    """Load a public name from its module."""
    if name in _MODULES:
        return importlib.import_module(f"crossmargin.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'crossmargin' has no attribute {name!r}")
    return getattr(importlib.import_module(f"crossmargin.{home}"), name)


def __dir__() -> list[str]:
    return __all__
