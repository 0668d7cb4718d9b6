"""The cheapest reduction of a margin, and a sale spread over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters.answers import expected
from tests.vectors.adapters.units import MILLION_UNIT
from tests.vectors.view import Adapter, Shape, spelled

if TYPE_CHECKING:
    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

NEEDED = Shape(required=spelled("relief", "cost", "need"))


def needed(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the cheapest fractions, the cheapest set, and the set by cost per relief."""

    def found(kind: str) -> Any:
        return facade.statistics.cheapest_reduction(
            fields["relief"], fields["cost"], fields["need"], kind=kind
        )

    return expected(
        case,
        {
            "x parts": lambda: found("fractions").parts,
            "cost": lambda: found("fractions").cost,
            "milp_cost": lambda: found("exact").cost,
            "milp_set": lambda: found("exact").parts,
            "greedy_cost": lambda: found("whole").cost,
        },
    )


QUADRATIC = Shape(required=spelled(impact="lambda", relief="a", need="s"))


def quadratic(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the sizes that free a margin under an impact by the square of size."""
    found = facade.statistics.quadratic_reduction(
        fields["impact"], fields["relief"], fields["need"]
    )
    return expected(case, {"x": lambda: found.parts, "cost": lambda: found.cost})


SCHEDULED = Shape(
    required=spelled(
        averse="lambda_1e6",
        price="S0",
        quantity="X",
        days="T",
        periods="N",
        volatility="sigma",
        spread="epsilon",
        permanent="gamma",
        temporary="eta",
    )
)


def scheduled(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for mean, variance and half-life of a sale, by risk aversion; money in millions."""
    found = [
        facade.statistics.execution_schedule(
            fields["quantity"],
            days=fields["days"],
            periods=fields["periods"],
            volatility=fields["volatility"],
            half_spread=fields["spread"],
            permanent=fields["permanent"],
            temporary=fields["temporary"],
            risk_aversion=averse / MILLION_UNIT,
        )
        for averse in fields["averse"]
    ]
    return expected(
        case,
        {
            "mean": lambda: [own.expected_cost / MILLION_UNIT for own in found],
            "var": lambda: [own.variance / MILLION_UNIT / MILLION_UNIT for own in found],
            "halflife": lambda: [own.half_life for own in found],
        },
    )


ADAPTERS: Final = (
    Adapter(NEEDED, needed),
    Adapter(QUADRATIC, quadratic),
    Adapter(SCHEDULED, scheduled),
)
