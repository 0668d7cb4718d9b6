"""SPAN: risk arrays, the sixteen scenarios, credits between commodities, the total of SPAN 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.tables import figures, position
from tests.vectors.adapters.units import LOSS_UNIT, SCAN_RANGE_UNIT
from tests.vectors.view import Adapter, Shape, spelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

CURRENCY: Final = "USD"
COIN: Final = "COIN"

RISK_ARRAY = Shape(required=spelled("array", "qty"))


def _contract(
    symbol: str, coin: str, contracts: float, array: Sequence[float]
) -> dict[str, object]:
    """Return a position whose results in the scenarios are given by its risk array."""
    results = "; ".join(str(value) for value in array)
    terms = {"type": "perpetual", "underlying": coin, "riskArray": results}
    return position(symbol, contracts, mark=1.0) | terms


def _listed(count: Sequence[object]) -> dict[str, object]:
    """Return a set of as many scenarios as values are given; the values decide."""
    return {"set": "scan", "layout": "list", "price_moves": [0.0 for _ in count]}


def risk_array(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the scan risk of one contract from its published risk array."""
    array = fields["array"]
    scan = _listed(array) | {"volatility": ["same" for _ in array]}
    rules = rulebooks.scenarios("case-risk-array", [{"underlyings": [COIN], "scenarios": [scan]}])
    book = facade.book([_contract("CONTRACT", COIN, fields["qty"], array)], rules)
    found = facade.scenarios(book, risk_unit=COIN, layout="list").records()
    figures = {
        "scan_risk": facade.maintenance_margin(book),
        "worst_scenario": next(row["id"] for row in found if row["counts"] == "yes"),
    }
    return {name: figures[name] for name in case.expected_names if name in figures}


INTER_SPREAD = Shape(required=spelled("corn", "soy", "ratio", "credit"))


def inter_spread(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a spread between two commodities with a credit."""
    first, second = fields["ratio"]
    scan = {
        "set": "scan",
        "layout": "list",
        "price_moves": [-0.1, 0.1],
        "volatility": ["same", "same"],
    }
    rules = rulebooks.scenarios("case-spread", [{"underlyings": ["*"], "scenarios": [scan]}]) | {
        "credits": [
            {
                "legs": [
                    {"underlying": "CORN", "delta": first},
                    {"underlying": "SOY", "delta": second * LOSS_UNIT},
                ],
                "rate": fields["credit"],
            }
        ]
    }

    def row(symbol: str, contracts: float, margin: float) -> dict[str, object]:
        return _contract(symbol, symbol, contracts, [margin * LOSS_UNIT, margin])

    book = facade.book(
        [row("CORN", first, fields["corn"]), row("SOY", second * LOSS_UNIT, fields["soy"])], rules
    )
    return {"margin": facade.maintenance_margin(book)}


SIXTEEN = Shape(required=spelled("psr", "position", "extreme_multiple", "extreme_cover"))
# Moves in price ranges: none, then a third, two thirds and the whole of it, up before down.
THIRDS: Final = (
    *(0.0, 0.3333333333333333, -0.3333333333333333),
    *(0.6666666666666666, -0.6666666666666666, 1.0, -1.0),
)
VOLATILITY_MOVES: Final = {"volatility up": 1, "volatility down": -1, "volatility same": 0}
POSITIONS: Final = {"+1 linear future": 1.0, "-1 linear future": -1.0}


def sixteen(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the sixteen scenarios of a future and its result in the first extreme one."""
    extreme = fields["extreme_multiple"]
    profile = {
        "underlyings": [COIN],
        "volatility": {"up": 0.25, "down": 0.25},
        "scenarios": [
            {
                "set": "scan",
                "price_range": SCAN_RANGE_UNIT,
                "price_moves": list(THIRDS),
                "volatility": ["up", "down"],
            },
            {
                "set": "extreme",
                "price_range": SCAN_RANGE_UNIT,
                "price_moves": [extreme, extreme * LOSS_UNIT],
                "weight": fields["extreme_cover"],
            },
        ],
    }
    # a contract of ten dollars on as many units as the range has dollars moves by that range
    row = {
        "symbol": "FUTURE",
        "type": "perpetual",
        "underlying": COIN,
        "settle": CURRENCY,
        "contracts": POSITIONS[fields["position"]],
        "contractSize": fields["psr"],
        "markPrice": 1 / SCAN_RANGE_UNIT,
        "entryPrice": 1 / SCAN_RANGE_UNIT,
    }
    book = facade.book([row], rulebooks.scenarios("case-sixteen", [profile]))
    listed = facade.scenarios(book, risk_unit=COIN, layout="list").records()
    first_extreme = next(row for row in listed if row["set"] == "extreme")
    return {
        "price_mult": [row["price_move"] / SCAN_RANGE_UNIT for row in listed],
        "vol_mult": [VOLATILITY_MOVES[row["vol_move"]] for row in listed],
        "weight": [row["weight"] for row in listed],
        "scenario15_pnl": first_extreme["pnl"],
    }


CREDIT_LEG = Shape(required=spelled("scan", "vol_time", "net_delta", "ratio"))
WEIGHTED_CREDIT = Shape(
    required=spelled("leg1", "leg2", "rate"), inner={"leg1": CREDIT_LEG, "leg2": CREDIT_LEG}
)


def _leg(coin: str, leg: Fields) -> list[dict[str, object]]:
    """Return a delta without a risk of its own, and the risk of the leg without a delta.

    The risk arrays are: price unchanged and the time risk, price against the leg and the scan risk.
    """

    def row(name: str, contracts: float, still: float, against: float) -> dict[str, object]:
        return _contract(f"{coin}{name}", coin, contracts, [still, against])

    return [
        row("DELTA", leg["net_delta"], 0.0, 0.0),
        row("RISK", 1.0, leg["vol_time"] * LOSS_UNIT, leg["scan"] * LOSS_UNIT),
        row("AGAINST", -1.0, 0.0, 0.0),
    ]


def weighted_credit(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the credit of a spread by the price risk of the deltas that it uses."""
    first, second = fields["leg1"], fields["leg2"]
    scan = {
        "set": "scan",
        "layout": "list",
        "price_moves": [0.0, 0.1],
        "volatility": ["same", "same"],
    }
    rules = rulebooks.scenarios("case-credit", [{"underlyings": ["*"], "scenarios": [scan]}]) | {
        "credits": [
            {
                "legs": [
                    {"underlying": "FIRST", "delta": first["ratio"]},
                    {"underlying": "SECOND", "delta": second["ratio"] * LOSS_UNIT},
                ],
                "rate": fields["rate"],
            }
        ]
    }
    book = facade.book([*_leg("FIRST", first), *_leg("SECOND", second)], rules)
    rows = facade.explanation(book, measure="MM").records()

    def credit(coin: str) -> dict[str, Any]:
        return next(
            row
            for row in rows
            if row["risk_unit"] == coin and row["component"].startswith("credit")
        )

    return {
        "spreads": figures(credit("FIRST")["inputs"])["spreads"],
        "credit1": credit("FIRST")["amount"] * LOSS_UNIT,
        "credit2": credit("SECOND")["amount"] * LOSS_UNIT,
    }


BLEND = Shape(
    required=spelled("x", "stress", historical="hist", liquidity="liq", concentration="conc")
)


def blend(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a total of historical and stress risk in shares, and two charges."""
    one = {"price_moves": [-0.1]}
    inside = {"on": "fixed", "stage": "inside"}
    profile = {
        "underlyings": [COIN],
        "scenarios": [{"set": "historical", **one}, {"set": "stress", **one}],
        "blend": {"set": "historical", "share": fields["x"]},
        "charges": [
            {"name": "liquidity", "rate": fields["liquidity"], **inside},
            {"name": "concentration", "rate": fields["concentration"], **inside},
        ],
    }
    losses = [fields["historical"] * LOSS_UNIT, fields["stress"] * LOSS_UNIT]
    row = _contract("CONTRACT", COIN, 1.0, losses)
    book = facade.book([row], rulebooks.scenarios("case-blend", [profile]))
    return {"total": facade.maintenance_margin(book)}


ADAPTERS: Final = (
    Adapter(RISK_ARRAY, risk_array),
    Adapter(INTER_SPREAD, inter_spread),
    Adapter(SIXTEEN, sixteen),
    Adapter(WEIGHTED_CREDIT, weighted_credit),
    Adapter(BLEND, blend),
)
