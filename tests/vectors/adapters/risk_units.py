"""Accounts whose risk units are measured apart and whose borrowing is charged beside them: OKX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.units import LOSS_UNIT
from tests.vectors.view import Adapter, Shape, per, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

SETTLE: Final = "USDT"
POSITION = Shape(
    required=spelled("contracts", "contract_size", symbol="instId", entry="avgPx", mark="markPx"),
    optional=spelled("delta_usd"),
)
ACCOUNT = Shape(
    required=spelled(
        "positions",
        "params",
        equity="usdt_availEq",
        stable="usdt_usd",
        index_notional="index_notional_usd",
    ),
    optional=spelled("acctLv", "equity_usd"),
    inner={"positions": POSITION},
)


def _profile(coin: str, unit: Mapping[str, Any], weight: float) -> dict[str, object]:
    """Return a risk unit; `weight` is the share of the extreme move that counts."""
    extreme = unit["mr6_move"]
    moves = unit["mr1_moves"]
    return {
        "underlyings": [coin],
        "price": "index",
        # how far volatility moves is not given, and no contract without an option asks
        "volatility": {"up": 0.0, "down": 0.0},
        "scenarios": [
            {
                "set": "mr1",
                "price_moves": [*moves, *(move * LOSS_UNIT for move in moves)],
                "volatility": ["up", "same", "down"],
            },
            {"set": "mr6", "price_moves": [extreme, extreme * LOSS_UNIT], "weight": weight},
        ],
        "charges": [
            {
                "name": "mr4",
                "on": "roll",
                "stage": "inside",
                "minimum": unit["mr4_rate_observed"],
                "annualised": 0.0,
                "growth": "linear",
                "price": "mark",
            },
            {
                "name": "mr7",
                "on": "tiered_delta",
                "stage": "floor",
                "rate": unit["mr7_rate_observed"],
                "from": [0.0],
                "multiplier": [1.0],
                "price": "mark",
            },
            {
                "name": "mr9",
                "on": "stable_hedge",
                "stage": "outside",
                "from": [0.0],
                "rates": [0.01],
            },
        ],
    }


def _rulebook(params: Mapping[str, Any], *, whole: bool = False) -> dict[str, object]:
    """Return the rulebook of a case; with `whole` the extreme moves count in full."""
    units = {coin: unit for coin, unit in params.items() if not isinstance(unit, float)}
    profiles = [
        _profile(coin, unit, 1.0 if whole else unit["mr6_factor"]) for coin, unit in units.items()
    ]
    return rulebooks.scenarios("case-risk-units", profiles, initial=params["imr_multiplier"]) | {
        "balance_total": "equity",
        "borrowing": [
            {
                "currencies": [SETTLE],
                "initial": params["usdt_borrow_imr"],
                "maintenance": params["usdt_borrow_mmr"],
            }
        ],
    }


def _row(coin: str, position: Fields) -> dict[str, object]:
    return {
        "symbol": position["symbol"],
        "type": "perpetual",
        "underlying": coin,
        "settle": SETTLE,
        "contracts": position["contracts"],
        "contractSize": position["contract_size"],
        "markPrice": position["mark"],
        "entryPrice": position["entry"],
    }


def _amounts(rows: Sequence[Mapping[str, Any]], unit: str) -> dict[str, Any]:
    """Return the amounts of a unit's components by the first word of their names."""
    return {
        row["component"].removeprefix("worst of ").split(" ")[0]: row["amount"]
        for row in rows
        if row["risk_unit"] == unit
    }


def risk_units(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the parts of every unit and for the margins of the account."""
    params = fields["params"]
    positions = {p["symbol"].split("-", maxsplit=1)[0]: p for p in fields["positions"]}
    rows = {coin: _row(coin, position) for coin, position in positions.items()}
    market = [
        {"underlying": SETTLE, "indexPrice": fields["stable"]},
        *(
            {
                "underlying": coin,
                "indexPrice": per(
                    fields["index_notional"][coin],
                    position["contracts"],
                    position["contract_size"],
                    fields["stable"],
                ),
            }
            for coin, position in positions.items()
        ),
    ]

    def book(
        held: Sequence[Mapping[str, object]], *, whole: bool = False, owed: bool = True
    ) -> Any:
        rules = _rulebook(params, whole=whole)
        balance = {"currency": SETTLE, "total": fields["equity"]}
        return facade.book(
            held,
            rules if owed else {**rules, "borrowing": []},
            collateral=[balance] if owed else [{"currency": SETTLE, "cash": 0.0}],
            market=market,
        )

    account = book(list(rows.values()))
    levels = {level: facade.explanation(account, measure=level).records() for level in ("MM", "IM")}
    answer: dict[str, object] = {}
    for coin, row in rows.items():
        alone = book([row], owed=False)
        parts = _amounts(levels["MM"], coin)
        listed = facade.scenarios(account, risk_unit=coin, layout="list").records()
        moves = [line for line in listed if line["set"] == "mr1"]
        full = facade.scenarios(book([row], whole=True), risk_unit=coin, layout="list").records()
        # the first of those that lose as much
        worst = next(line for line in moves if line["pnl"] == parts["mr1"] * LOSS_UNIT)
        answer[coin] = {
            "mr1": parts["mr1"],
            "mr1_worst": {
                "spotShock": worst["price_move"],
                "volShock": worst["vol_move"].removeprefix("volatility "),
            },
            "mr1_at_moves": {str(line["price_move"]): line["pnl"] for line in moves},
            # parts of options, of which there are none
            **dict.fromkeys(("mr2", "mr3", "mr5"), 0),
            "mr4": parts["mr4"],
            "mr6": parts["mr6"],
            **{
                f"mr6_pnl_at_{line['price_move']}": line["pnl"]
                for line in full
                if line["set"] == "mr6"
            },
            "mr7": parts["mr7"],
            "mr9": parts["mr9"],
            "mmr": facade.maintenance_margin(alone),
            "imr": facade.initial_margin(alone),
            "upl": facade.equity(alone),
        }
    answer["account"] = {
        "derivMmr": facade.maintenance_margin(book(list(rows.values()), owed=False)),
        "borrowMmr(mr8)": _amounts(levels["MM"], "all")["borrowed"],
        "borrowImr": _amounts(levels["IM"], "all")["borrowed"],
        "totalMmr": facade.maintenance_margin(account),
        "totalImr": facade.initial_margin(account),
    }
    return answer


ADAPTERS: Final = (Adapter(ACCOUNT, risk_units),)
