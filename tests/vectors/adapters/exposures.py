"""Contributions of exposures to a value at risk or an expected shortfall in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters.answers import expected, mentions
from tests.vectors.adapters.portfolio import CONTRIBUTIONS
from tests.vectors.adapters.units import THOUSAND_UNIT
from tests.vectors.view import Adapter, NotApplicableError, Shape, quantity, spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

EXPOSURES = Shape(
    required=spelled(
        exposures="pos position positions w weights x exposure exposures amounts holdings"
    ),
    optional=spelled(
        volatilities="vol vols sigma sigmas ann_vol volatility volatilities sd",
        correlation="rho R corr correlation",
        covariance="Sigma sigma_matrix cov covariance C",
        multiple="z multiple k",
        confidence="alpha confidence conf cl",
        nu="nu df dof",
        value="V W value wealth portfolio_value",
        days="days days_per_year",
        horizon="horizon h horizon_days h_days",
    ),
)


def read(inputs: Mapping[str, Any]) -> Fields | None:
    """Return the fields of exposures with a covariance, or volatilities and correlations.

    Those that go through a book are left to its adapter.
    """
    fields = EXPOSURES(inputs)
    if fields is None or CONTRIBUTIONS(inputs) is not None:
        return None
    if not isinstance(fields["exposures"], list):
        return None
    if fields["covariance"] is None:
        return None if fields["volatilities"] is None else fields
    return fields if fields["volatilities"] is None and fields["correlation"] is None else None


def _correlation(fields: Fields) -> Any:
    """Return a matrix where the correlation is one number, or none is given."""
    given = 0.0 if fields["correlation"] is None else fields["correlation"]
    if isinstance(given, list):
        return given
    places = range(len(fields["exposures"]))
    return [[1.0 if row == column else given for column in places] for row in places]


def _covariance(fields: Fields, facade: Facade) -> Any:
    if fields["covariance"] is not None:
        return fields["covariance"]
    volatilities = fields["volatilities"]
    if fields["days"] is not None or fields["horizon"] is not None:
        volatilities = [
            facade.statistics.horizon_volatility(
                volatility,
                horizon_days=fields["horizon"] or 1,
                days_per_year=fields["days"] or 365,
            )
            for volatility in volatilities
        ]
    return facade.statistics.covariance_of(volatilities, _correlation(fields))


def _multiple(case: CaseView, fields: Fields, facade: Facade) -> float:
    """Return how many volatilities the measure of the case is; one where none is named."""
    if fields["multiple"] is not None:
        multiple: float = fields["multiple"]
        return multiple
    if fields["confidence"] is None:
        return 1.0
    level = {"confidence": fields["confidence"]}
    if fields["nu"] is None:
        law = facade.statistics.normal_tail(1.0, **level)
    else:
        law = facade.statistics.student_tail(1.0, degrees_of_freedom=fields["nu"], **level)
    measure: float = law.expected_shortfall if mentions(case, "es") else law.value_at_risk
    return measure


def contributions(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the total, its parts and the orders that they give.

    A figure in thousands is that of the first exposure. Names ``var...`` that are left, one for
    each exposure, are the exposures by themselves.
    """
    exposures = fields["exposures"]
    if fields["value"] is not None:
        exposures = [quantity(weight, fields["value"]) for weight in exposures]
    covariance, multiple = _covariance(fields, facade), _multiple(case, fields, facade)
    found = facade.statistics.contributions(exposures, covariance, multiple=multiple)

    def volatility() -> object:
        return facade.statistics.contributions(exposures, covariance, multiple=1.0).total

    totals = "portfolio total var es risk portfolio_var portfolio_es var_portfolio es_portfolio"
    results: dict[str, Callable[[], object]] = {
        f"{totals} diversified diversified_var var_p es_p": lambda: found.total,
        "sigma_p vol_p portfolio_vol portfolio_volatility volatility sd std": volatility,
        "k k_es multiple z": lambda: multiple,
        "component components component_var component_es euler contribution contributions crc rc"
        " component_vol absolute": lambda: found.component,
        "marginal marginal_var marginal_es mrc mvar": lambda: found.marginal,
        "incremental incremental_var incremental_es ivar": lambda: found.incremental,
        "individual individual_var standalone stand_alone standalone_var": lambda: (
            found.stand_alone
        ),
        "undiversified undiversified_var var_undiversified sum_individual": lambda: (
            found.undiversified
        ),
        "beta betas": lambda: found.beta,
        "share shares percent pct relative rrc prc percent_contribution pct_contribution": lambda: (
            found.share
        ),
        "component_k": lambda: found.component[0].item() / THOUSAND_UNIT,
        "incremental_k": lambda: found.incremental[0].item() / THOUSAND_UNIT,
        "portfolio_k total_k var_k": lambda: found.total / THOUSAND_UNIT,
        "order_component": lambda: found.order_component,
        "order_marginal order_marginal_per_usd": lambda: found.order_marginal,
        "order_incremental": lambda: found.order_incremental,
        "order_notional": lambda: found.order_notional,
    }
    answer = expected(case, results)
    left = [name for name in case.expected_names if name not in answer]
    if len(left) == len(exposures) and all(name.lower().startswith("var") for name in left):
        return answer | dict(zip(left, found.stand_alone, strict=True))
    if left:
        reason = f"no figure here is called {', '.join(left)}"
        raise NotApplicableError(reason)
    return answer


BUDGETED = Shape(
    required=spelled(covariance="Sigma sigma_matrix cov covariance"),
    optional=spelled(budgets="budget budgets b risk_budget target_rc"),
)
VOLATILE = Shape(
    required=spelled(volatilities="vol vols sigma ann_vol", correlation="R corr correlation rho"),
    optional=spelled(budgets="budget budgets b risk_budget target_rc"),
)


def volatile(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the same of volatilities and a matrix of correlations."""
    covariance = facade.statistics.covariance_of(fields["volatilities"], fields["correlation"])
    return budgeted(case, {"covariance": covariance, "budgets": fields["budgets"]}, facade)


def budgeted(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for weights whose risk is shared out as asked, equally if nothing is."""
    weights = facade.statistics.risk_budget_weights(fields["covariance"], budgets=fields["budgets"])
    found = facade.statistics.contributions(weights, fields["covariance"], multiple=1.0)
    return expected(
        case,
        {
            "w weights x": lambda: weights,
            "rc component contributions": lambda: found.component,
            "share shares pct percent rrc prc relative": lambda: found.share,
            "vol sigma_p portfolio_vol": lambda: found.total,
        },
    )


ADAPTERS: Final = (
    Adapter(read, contributions),
    Adapter(BUDGETED, budgeted),
    Adapter(VOLATILE, volatile),
)
