"""What it costs and how long it takes to leave a position; haircuts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters.answers import each, expected
from tests.vectors.view import Adapter, Shape, spelled

if TYPE_CHECKING:
    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

ADJUSTED = Shape(
    required=spelled(
        value="P V value position W",
        volatility="sigma vol",
        spread="spread s mu_spread mean_spread",
    ),
    optional=spelled(
        multiple="z k",
        confidence="alpha confidence conf",
        spread_volatility="sigma_spread spread_vol vol_spread",
        spread_multiple="a k_spread scale",
    ),
)


def adjusted(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a value at risk with the cost of the spread."""
    found = facade.statistics.liquidity_adjusted_value_at_risk(
        fields["value"],
        fields["volatility"],
        spread=fields["spread"],
        confidence=fields["confidence"],
        multiple=fields["multiple"],
        spread_volatility=fields["spread_volatility"] or 0.0,
        spread_multiple=fields["spread_multiple"] or 0.0,
    )
    return expected(
        case,
        {
            "lvar total l_var lvar_total": lambda: found.total,
            "var": lambda: found.value_at_risk,
            "spread_cost lc liquidity_cost cost": lambda: found.spread_cost,
        },
    )


ELASTICITY = Shape(
    required=spelled(elasticity="E elasticity eta", share="dN_over_N dn_n share traded_share")
)


def elasticity(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the ratio of values at risk by the elasticity of the price."""
    found = facade.statistics.elasticity_ratio(fields["elasticity"], fields["share"])
    return expected(case, {"ratio lvar_over_var lvar_ratio": lambda: found})


UNWOUND = Shape(required=spelled(days="T days"))


def unwound(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the factor of an equal daily unwind."""
    found = each(fields["days"], facade.statistics.unwind_factor)
    return expected(case, {"factor factors": lambda: found})


FOLLOWING = Shape(
    required=spelled(
        days="h H days horizon T h_days",
        rho="rho phi ar1 autocorrelation rho1",
    ),
    optional=spelled(volatility="sigma vol sigma_d"),
)


def following(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the factors of a horizon with autocorrelated returns."""

    def found(take: Any) -> object:
        return each(
            fields["rho"],
            lambda rho: each(
                fields["days"],
                lambda days: take(facade.statistics.autocorrelated_factor(days, rho)),
            ),
        )

    return expected(
        case,
        {
            "factor variance_factor var_factor variance h_eff": lambda: found(
                lambda factor: factor.variance
            ),
            "vol_factor sd_factor sqrt_factor sigma_factor volatility_factor scale": lambda: found(
                lambda factor: factor.volatility
            ),
        },
    )


HAIRCUT = Shape(
    required=spelled(
        haircut="H_M H_m H haircut", between="N_R N revaluation_days", holding="T_M T holding_days"
    )
)


def haircut(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a haircut scaled to another period of revaluation."""
    found = each(
        fields["between"],
        lambda between: facade.statistics.scaled_haircut(
            fields["haircut"], days_between=between, holding_days=fields["holding"]
        ),
    )
    return expected(case, {"h haircut h_scaled": lambda: found})


IMPACT = Shape(
    required=spelled(volatility="sigma_d sigma", quantity="Q q qty", volume="V ADV adv"),
    optional=spelled(coefficient="Y y", price="P p price"),
)


def impact(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the square-root impact of one order."""
    found = facade.statistics.square_root_impact(
        fields["quantity"],
        daily_volume=fields["volume"],
        daily_volatility=fields["volatility"],
        coefficient=1.0 if fields["coefficient"] is None else fields["coefficient"],
        price=1.0 if fields["price"] is None else fields["price"],
    )
    return expected(
        case,
        {
            "peak_frac peak impact": lambda: found.peak,
            "average average_frac avg_frac": lambda: found.average,
            "peak_usd_per_unit peak_per_unit": lambda: found.price_move,
            "cost_usd cost": lambda: found.cost,
        },
    )


CONCENTRATED = Shape(
    required=spelled(
        volatility="sigma_d sigma",
        quantity="Q q qty",
        volume="V ADV adv",
        price="P price",
        half_spread="half_spread",
    ),
    optional=spelled(coefficient="Y", free="theta free_share", participation="eta participation"),
)


def concentrated(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the add-on of a position that is large for its market."""
    given = {
        "coefficient": fields["coefficient"],
        "free_share": fields["free"],
        "participation": fields["participation"],
    }
    found = facade.statistics.concentration(
        fields["quantity"],
        fields["price"],
        half_spread=fields["half_spread"],
        daily_volume=fields["volume"],
        daily_volatility=fields["volatility"],
        **{name: value for name, value in given.items() if value is not None},
    )
    return expected(
        case,
        {
            "days days_to_liquidate": lambda: found.days,
            "impact impact_frac": lambda: found.impact,
            "addon add_on": lambda: found.addon,
        },
    )


ADAPTERS: Final = (
    Adapter(ADJUSTED, adjusted),
    Adapter(ELASTICITY, elasticity),
    Adapter(UNWOUND, unwound),
    Adapter(FOLLOWING, following),
    Adapter(HAIRCUT, haircut),
    Adapter(IMPACT, impact),
    Adapter(CONCENTRATED, concentrated),
)
