"""Books measured as a whole: contributions to risk, portfolio against isolated margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.tables import position, table
from tests.vectors.view import Adapter, Shape, spelled

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields


def _symbols(legs: Collection[object]) -> list[str]:
    """Return a symbol for each leg: their names in the files are not contracts."""
    return [f"LEG{place:03d}" for place, _ in enumerate(legs)]


CONTRIBUTIONS = Shape(
    required=spelled("pos", "ann_vol", "R", "alpha", "days"),
    optional=spelled(horizon="horizon horizon_days h_days"),
)
# The ranks of the table and the orders that cases ask for.
ORDERS: Final[Mapping[str, str]] = {
    "order_component": "rank_component",
    "order_marginal_per_usd": "rank_marginal",
    "order_marginal": "rank_marginal",
    "order_incremental": "rank_incremental",
    "order_notional": "rank_notional",
}


def contributions(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the parts of a value at risk and the closing orders that they give."""
    symbols = _symbols(fields["pos"])
    book = facade.book(
        table(
            [
                position(symbol, amount, mark=1.0)
                for symbol, amount in zip(symbols, fields["pos"], strict=True)
            ]
        ),
        rulebooks.value_at_risk(
            fields["alpha"],
            horizon_days=fields["horizon"] or 1,
            days_per_year=fields["days"],
        ),
        market=[
            {"symbol": symbol, "markPrice": 1.0, "annualVol": volatility}
            for symbol, volatility in zip(symbols, fields["ann_vol"], strict=True)
        ],
        options={"correlations": fields["R"]},
    )
    records = facade.risk_contributions(book, measure="MM").records()
    by_symbol = {record["symbol"]: record for record in records}
    legs = [by_symbol[symbol] for symbol in symbols]
    total = next(record for record in records if "TOTAL" in record.values())
    columns: dict[str, object] = {
        name: [leg[name] for leg in legs]
        for name in ("standalone", "component", "marginal", "incremental")
        if name in case.expected_names
    }
    orders = {name: _order(legs, ORDERS[name]) for name in case.expected_names if name in ORDERS}
    return {"var": total["component"], **columns, **orders}


def _order(legs: Sequence[Mapping[str, Any]], rank: str) -> list[object]:
    """Return the places of `legs` in the order of a rank that the table gives."""
    place_by_rank = {leg[rank]: place for place, leg in enumerate(legs)}
    return [place_by_rank[number] for number in sorted(place_by_rank)]


EFFICIENCY = Shape(
    required=spelled("legs", "isolated_rate", "scan", "cont"),
)


def efficiency(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the margin of legs on one coin, leg by leg and as a portfolio."""
    legs = fields["legs"]
    rows = [
        {
            **position(symbol, notional, mark=1.0, maintenanceMarginRate=fields["isolated_rate"]),
            "underlying": "COIN",
        }
        for symbol, notional in zip(_symbols(legs), legs.values(), strict=True)
    ]
    leg_by_leg = facade.book(table(rows), rulebooks.rates())
    whole = facade.book(
        table(rows), rulebooks.price_scan(fields["scan"], gross_notional_rate=fields["cont"])
    )
    first, second = facade.compare([("isolated", leg_by_leg), ("portfolio", whole)]).records()
    return {
        "isolated": first["mm"],
        "pm": second["mm"],
        "efficiency": second["capital_efficiency"],
    }


ADAPTERS: Final = (
    Adapter(CONTRIBUTIONS, contributions),
    Adapter(EFFICIENCY, efficiency),
)
