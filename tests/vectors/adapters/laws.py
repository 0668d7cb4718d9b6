"""Laws in closed form, copulas, rates of a lognormal price, a circuit breaker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters.answers import each, expected
from tests.vectors.adapters.units import LOSS_UNIT
from tests.vectors.view import Adapter, Shape, quantity, spelled

if TYPE_CHECKING:
    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

CONFIDENCE: Final = "alpha confidence conf cl"

CLOSED_FORM = Shape(
    required=spelled(volatility="ann_vol annual_vol sigma vol", confidence="alpha confidence"),
    optional=spelled(
        value="V value W notional",
        days="days days_per_year year_days",
        horizon="horizon h horizon_days h_days",
        nu="nu",
    ),
)


def closed_form(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for normal and Student measures of equal variance, a confidence or several."""
    statistics = facade.statistics
    volatility = fields["volatility"]
    if fields["days"] is not None or fields["horizon"] is not None:
        volatility = statistics.horizon_volatility(
            volatility,
            horizon_days=fields["horizon"] or 1,
            days_per_year=fields["days"] or 365,
        )
    value = 1.0 if fields["value"] is None else fields["value"]

    def normal(confidence: Any) -> Any:
        return statistics.normal_tail(volatility, confidence=confidence, value=value)

    def student(confidence: Any) -> Any:
        return statistics.student_tail(
            volatility, degrees_of_freedom=fields["nu"], confidence=confidence, value=value
        )

    alone = normal if fields["nu"] is None else student
    levels = fields["confidence"]
    return expected(
        case,
        {
            "var_n var_normal": lambda: each(levels, lambda a: normal(a).value_at_risk),
            "es_n es_normal": lambda: each(levels, lambda a: normal(a).expected_shortfall),
            "var_t var_student var_t4": lambda: each(levels, lambda a: student(a).value_at_risk),
            "es_t es_student es_t4": lambda: each(levels, lambda a: student(a).expected_shortfall),
            "var": lambda: each(levels, lambda a: alone(a).value_at_risk),
            "es": lambda: each(levels, lambda a: alone(a).expected_shortfall),
        },
    )


GAMMA = Shape(required=spelled("gamma", volatility="sigma vol", confidence=CONFIDENCE))


def gamma(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for gamma alone, for the delta that it does not have, and for its mirror image."""
    statistics, level = facade.statistics, {"confidence": fields["confidence"]}
    volatility = fields["volatility"]
    found = statistics.pure_gamma_tail(fields["gamma"], volatility, **level)
    mirrored = fields["gamma"] * LOSS_UNIT
    return expected(
        case,
        {
            "var_loss var": lambda: found.value_at_risk,
            "es_loss es": lambda: found.expected_shortfall,
            "ore_sign_trap": lambda: (
                statistics.pure_gamma_tail(mirrored, volatility, **level).value_at_risk
            ),
            "delta_normal_var": lambda: (
                statistics.normal_tail(volatility, value=0.0, **level).value_at_risk
            ),
        },
    )


EXPANSION = Shape(
    required=spelled(
        probability="p prob probability",
        skewness="skew skewness S s",
        kurtosis="exkurt ex_kurt excess_kurtosis K k kurt",
    )
)


def expansion(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a Cornish-Fisher quantile at one probability."""
    found = each(
        fields["probability"],
        lambda probability: facade.statistics.cornish_fisher_quantile(
            probability,
            skewness=fields["skewness"],
            excess_kurtosis=fields["kurtosis"],
            whole_law=False,
        ),
    )
    return expected(case, {"z_cf zcf z quantile q q_cf": lambda: found})


TAIL_DEPENDENCE = Shape(required=spelled(nu="nu df dof", rho="rho correlation"))


def tail_dependence(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the tail dependence of the Student copula, a row per degrees of freedom."""
    found = each(
        fields["nu"],
        lambda nu: each(fields["rho"], lambda rho: facade.statistics.tail_dependence(nu, rho)),
    )
    names = "lambda lam lambda_l lambda_u tail_dependence taildep"
    return expected(case, {names: lambda: found})


RANKS = Shape(required=spelled(rho="rho correlation"))


def ranks(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the rank correlations of the Gaussian copula."""
    statistics, rho = facade.statistics, fields["rho"]
    return expected(
        case,
        {
            "tau kendall kendall_tau": lambda: each(rho, statistics.kendall_tau),
            "spearman rho_s spearman_rho": lambda: each(rho, statistics.spearman_rho),
        },
    )


FROM_TAU = Shape(required=spelled(tau="tau kendall kendall_tau"))


def from_tau(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the correlation of a Kendall's tau."""
    found = each(fields["tau"], facade.statistics.correlation_of_kendall_tau)
    return expected(case, {"rho correlation": lambda: found})


LOGNORMAL = Shape(
    required=spelled(
        tail="tail_probability lambda risk_aversion",
        years="tau_years tau years",
        volatility="sigma vol",
    ),
    optional=spelled(drift="mu drift"),
)


def lognormal(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the margin rates of a lognormal price by expected shortfall."""
    found = facade.statistics.lognormal_shortfall_rates(
        fields["tail"], fields["volatility"], years=fields["years"], drift=fields["drift"] or 0.0
    )
    return expected(
        case,
        {
            "short_rate rf_short short": lambda: found.short,
            "long_rate_exact long_rate_published long_rate rf_long long": lambda: found.long,
        },
    )


STUDENT_FACTOR = Shape(
    required=spelled(nu="df dof degrees_of_freedom", confidence="conf confidence alpha"),
    optional=spelled(
        scale="sigma vol scale",
        notional="notional value",
        size="qty quantity size",
        price="price mark mark_price",
    ),
)


def student_factor(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the shortfall of a Student law of scale 1, and the margin that it gives."""
    law = {"degrees_of_freedom": fields["nu"]}
    unit = each(
        fields["confidence"],
        lambda level: (
            facade.statistics.student_tail(scale=1.0, confidence=level, **law).expected_shortfall
        ),
    )
    notional = fields["notional"]
    if notional is None:
        given = (fields["size"], fields["price"])
        notional = quantity(*(number for number in given if number is not None))

    def margin() -> object:
        return facade.statistics.student_tail(
            scale=fields["scale"], confidence=fields["confidence"], value=notional, **law
        ).expected_shortfall

    return expected(
        case,
        {
            "es_factor factor es": lambda: unit,
            "im initial_margin margin": margin,
        },
    )


BREAKER = Shape(required=spelled("soft", "hard", "multipliers", "stress"))


def breaker(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the multiplier of a circuit breaker by a stress index."""
    found = each(
        fields["stress"],
        lambda stress: facade.statistics.step_multiplier(
            stress,
            thresholds=[fields["soft"], fields["hard"]],
            multipliers=fields["multipliers"],
        ),
    )
    return expected(case, {"multiplier multipliers": lambda: found})


ADAPTERS: Final = (
    Adapter(GAMMA, gamma),
    Adapter(EXPANSION, expansion),
    Adapter(RANKS, ranks),
    Adapter(FROM_TAU, from_tau),
    Adapter(TAIL_DEPENDENCE, tail_dependence),
    Adapter(LOGNORMAL, lognormal),
    Adapter(BREAKER, breaker),
    Adapter(STUDENT_FACTOR, student_factor),
    Adapter(CLOSED_FORM, closed_form),
)
