"""How large a position may be, how near its liquidation is, rates that grow with size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.vectors.adapters.answers import each, expected
from tests.vectors.adapters.units import DAY_UNIT, YEAR_UNIT
from tests.vectors.view import Adapter, Shape, spelled

if TYPE_CHECKING:
    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

KELLY = Shape(required=spelled(drift="mu drift", volatility="sigma vol"))


def kelly(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for Kelly's fraction, and half and twice of it."""
    found = facade.statistics.kelly(fields["drift"], fields["volatility"])
    return expected(
        case,
        {
            "f f_star fraction kelly": lambda: found.fraction,
            "g growth g_star": lambda: found.growth,
            "half_ratio half_share": lambda: found.half_share,
            "g_double double_growth": lambda: found.double_growth,
        },
    )


TARGET = Shape(
    required=spelled(target="target sigma_target", volatility="sigma vol"),
    optional=spelled(
        "budget",
        confidence="alpha confidence",
        horizon="h_days h horizon_days horizon",
        days="days days_per_year",
    ),
)


def target(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a weight by volatility, and the leverage that a budget of risk allows."""
    statistics = facade.statistics
    return expected(
        case,
        {
            "w weight": lambda: statistics.volatility_target_weight(
                fields["target"], fields["volatility"]
            ),
            "lev_cap leverage_cap l_max": lambda: statistics.leverage_cap(
                fields["budget"],
                fields["volatility"],
                confidence=fields["confidence"],
                horizon_days=fields["horizon"] or 1,
                days_per_year=fields["days"] or 365,
            ),
        },
    )


BARRIER = Shape(
    required=spelled(
        leverage="L leverage", rate="m mmr maintenance_rate mm", volatility="sigma vol ann_vol"
    ),
    optional=spelled("side", days="T_days days", drift="mu drift"),
)


def barrier(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the probability of liquidation within days, a leverage or several."""
    days = 1 if fields["days"] is None else fields["days"]
    found = each(
        fields["leverage"],
        lambda leverage: facade.statistics.liquidation_probability(
            leverage,
            maintenance_rate=fields["rate"],
            volatility=fields["volatility"],
            years=days * DAY_UNIT / YEAR_UNIT,
            drift=fields["drift"] or 0.0,
            side=fields["side"] or "long",
        ),
    )
    return expected(case, {"p prob probability p_liq": lambda: found})


NEAR = Shape(
    required=spelled(
        price="P price mark S", liquidation="liq liq_price P_liq", volatility="ann_vol sigma vol"
    ),
    optional=spelled(days="days days_per_year"),
)


def near(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the distance to a liquidation price."""
    found = facade.statistics.distance_to_liquidation(
        fields["price"],
        fields["liquidation"],
        volatility=fields["volatility"],
        days_per_year=fields["days"] or 365,
    )
    return expected(
        case,
        {
            "log_dist log_distance": lambda: found.logarithmic,
            "sigmas_1d sigmas daily_sigmas dtl_sigma": lambda: found.daily_sigmas,
            "pct pct_dist relative distance dist_pct": lambda: found.relative,
            "hours hours_1sigma hours_to_one_sigma": lambda: found.hours_to_one_sigma,
        },
    )


OPEN_INTEREST = Shape(
    required=spelled(
        rate="base b imf base_imf base_im imf_base im_base base_imf_fraction",
        open_interest="OI oi open_interest oi_notional OI_usd oi_usd",
        lower="lo lower oi_lower lower_cap OI_lower oi_lo lower_oi lower_cap_usd",
        upper="hi upper oi_upper upper_cap OI_upper oi_hi upper_oi upper_cap_usd",
    )
)


def open_interest(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for an initial rate raised by open interest, of one figure or several."""
    found = each(
        fields["open_interest"],
        lambda amount: facade.statistics.open_interest_rate(
            fields["rate"],
            open_interest=amount,
            lower=fields["lower"],
            upper=fields["upper"],
        ),
    )
    return expected(
        case,
        {"imf imf_eff imf_scaled im_fraction rate im_rate oimf fraction": lambda: found},
    )


PREMIUM = Shape(
    required=spelled(
        weight="w weight base", coefficient="imf k imf_factor coefficient", size="size_units size"
    )
)


def premium(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a margin weight that grows with the root of the size."""
    found = each(
        fields["size"],
        lambda size: facade.statistics.size_premium(
            fields["weight"], coefficient=fields["coefficient"], size=size
        ),
    )
    return expected(case, {"weight w_eff w": lambda: found})


ADAPTERS: Final = (
    Adapter(KELLY, kelly),
    Adapter(TARGET, target),
    Adapter(BARRIER, barrier),
    Adapter(NEAR, near),
    Adapter(OPEN_INTEREST, open_interest),
    Adapter(PREMIUM, premium),
)
