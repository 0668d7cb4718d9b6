"""Charges by themselves: amounts, floors, hedges of stable currencies, least deltas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.tables import figures, position
from tests.vectors.adapters.units import DAY_UNIT, LOSS_UNIT, MINUTE_UNIT, YEAR_UNIT
from tests.vectors.view import Adapter, Shape, quantity, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

CURRENCY: Final = "USD"
COIN: Final = "COIN"
PERPETUAL: Final = {"type": "perpetual", "underlying": COIN}

FORWARD_BOOK = Shape(required=spelled("I0", "abr", "days", "qty", "cont_factor", "shocks"))


def forward_book(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a dated future: its price from carry, its contingency, its scenarios."""
    index = fields["I0"]
    years = fields["days"] * DAY_UNIT / YEAR_UNIT
    forward = facade.option_on_spot("call", index, index, 1.0, years, rate=fields["abr"]).forward
    profile = {
        "underlyings": [COIN],
        "scenarios": [{"set": "grid", "price_moves": fields["shocks"]}],
        "charges": [
            {
                "name": "future contingency",
                "on": "notional",
                "kinds": ["perpetual"],
                "price": "index",
                "stage": "inside",
                "rate": fields["cont_factor"],
            }
        ],
    }
    row = position("FUTURE", fields["qty"], mark=forward) | PERPETUAL
    book = facade.book(
        [row],
        rulebooks.scenarios("case-forward", [profile]),
        market=[{"underlying": COIN, "indexPrice": index}],
    )
    components = facade.explanation(book, measure="MM").records()
    listed = facade.scenarios(book, risk_unit=COIN, layout="list").records()
    return {
        "F0": forward,
        "contingency": next(
            row["amount"] for row in components if row["component"].startswith("future")
        ),
        "pnl": [row["pnl"] for row in listed],
    }


def _one(settle: str, contracts: float) -> dict[str, object]:
    """Return a position of one dollar a contract."""
    row = position(f"CONTRACT{settle}", contracts, mark=1.0)
    return row | PERPETUAL | {"settle": settle}


def _charged(
    facade: Facade,
    charges: Sequence[Mapping[str, object]],
    rows: Sequence[Mapping[str, object]],
    maintenance: float = 1.0,
) -> object:
    """Return a book that needs these charges and nothing else."""
    profile = {"underlyings": [COIN], "charges": list(charges)}
    market = [
        {"underlying": COIN, "indexPrice": 1.0},
        {"underlying": "USDT", "indexPrice": 1.0},
    ]
    return facade.book(
        rows,
        rulebooks.scenarios("case-charges", [profile], maintenance=maintenance),
        market=market,
    )


LEVEL_FACTOR = Shape(required=spelled("total_initial_margin_usd", "mm_factor"))


def level_factor(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a maintenance level that is a factor of the same measure as the initial one."""
    charge = {
        "name": "account",
        "on": "fixed",
        "stage": "inside",
        "rate": fields["total_initial_margin_usd"] or 0.0,
    }
    book = _charged(facade, [charge], [_one(CURRENCY, 1.0)], maintenance=fields["mm_factor"])
    return {"total_maintenance_margin_usd": facade.maintenance_margin(book)}


FLOORED = Shape(
    required=spelled("MR4", "MR7", rest="MR1_2_3_5_6"),
    optional=spelled("spot_btc", "BTCUSDT_perp_contracts", "open_order"),
)


def floored(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for amounts that are added, with another one below which nothing goes."""
    inside = {"on": "fixed", "stage": "inside"}
    charges = [
        {"name": "MR1 2 3 5 6", "rate": fields["rest"], **inside},
        {"name": "MR4", "rate": fields["MR4"], **inside},
        {"name": "MR7", "on": "fixed", "stage": "floor", "rate": fields["MR7"]},
    ]
    book = _charged(facade, charges, [_one(CURRENCY, 1.0)])
    return {"MMR_after": facade.maintenance_margin(book)}


STABLE_HEDGE = Shape(required=spelled("hedged_volume_usd", "tiers"))


def stable_hedge(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a hedge between two stable currencies, slice by slice."""
    volume, tiers = fields["hedged_volume_usd"], fields["tiers"]
    charge = {
        "name": "MR9",
        "on": "stable_hedge",
        "stage": "outside",
        "from": [float(tier["from"]) for tier in tiers],
        "rates": [tier["factor"] for tier in tiers],
    }
    rows = [_one("USDT", volume), _one(CURRENCY, volume * LOSS_UNIT)]
    return {"mr9_usd": facade.maintenance_margin(_charged(facade, [charge], rows))}


LEAST_DELTA = Shape(
    required=spelled("spot", "legs", "unhedged", "hedged"),
    inner={"legs": Shape(required=spelled("type", "size", "delta"))},
)


def least_delta(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the deltas of a book and the risk that they carry at least.

    A leg is given by its delta alone: a contract on that many coins has it.
    """
    charge = {
        "name": "minimum delta",
        "on": "minimum_delta",
        "stage": "inside",
        "unhedged": fields["unhedged"],
        "hedged": fields["hedged"],
    }
    rows = [
        position(f"LEG{place:03d}", quantity(leg["size"], leg["delta"]), mark=fields["spot"])
        | PERPETUAL
        for place, leg in enumerate(fields["legs"])
    ]
    profile = {"underlyings": [COIN], "charges": [charge]}
    market = [{"underlying": COIN, "indexPrice": fields["spot"]}]
    book = facade.book(rows, rulebooks.scenarios("case-deltas", [profile]), market=market)
    charged = facade.explanation(book, measure="MM").records()[0]
    found = figures(charged["inputs"])
    return {
        "net_delta": found["net delta"],
        "gross_delta": found["gross delta"],
        "hedged_delta": found["hedged delta"],
        "min_delta_risk": charged["amount"],
    }


SETTLEMENT = Shape(
    required=spelled("delta", mark="mark_price_coin", minutes="minutes_into_30min_window"),
)


def settlement(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the delta of an option while its settlement price is averaged."""
    delta, net = facade.settlement_delta(
        fields["delta"], fields["mark"], fields["minutes"] * MINUTE_UNIT
    )
    return {"decayed_delta": delta, "net_transaction_delta": net}


ADAPTERS: Final = (
    Adapter(LEVEL_FACTOR, level_factor),
    Adapter(FLOORED, floored),
    Adapter(STABLE_HEDGE, stable_hedge),
    Adapter(FORWARD_BOOK, forward_book),
    Adapter(LEAST_DELTA, least_delta),
    Adapter(SETTLEMENT, settlement),
)
