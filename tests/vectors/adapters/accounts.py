"""Accounts: margins, the acceptance of an order, the order and the size of liquidations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.tables import cash, coin_of, named, position, side_of, table
from tests.vectors.view import Adapter, Shape, spelled

if TYPE_CHECKING:
    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

BELOW_MAINTENANCE: Final = frozenset({"liquidatable", "bankrupt"})
BELOW_INITIAL: Final = frozenset({"restricted", *BELOW_MAINTENANCE})

HELD = Shape(
    required=spelled("market", "qty", "mark"),
    optional=spelled("entry", "im", "mm", "side"),
)
ORDER = Shape(
    required=spelled("market", "qty", "price", "im"),
    optional=spelled("mm", "side"),
)
TRIALS = Shape(
    required=spelled("collateral", "orders"),
    optional=spelled(positions="position positions"),
    inner={"orders": ORDER, "positions": HELD},
)


def _rows(held: Fields | list[Fields] | None) -> list[Fields]:
    """Return the positions of a case that gives one, several or none."""
    if held is None:
        return []
    return [held] if isinstance(held, dict) else held


def trials(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer which orders an account could place, each tried alone.

    The rule holds the collateral without profit against the requirement: positions enter at the
    mark.
    """
    positions = [_held({**row, "entry": row["mark"]}) for row in _rows(fields["positions"])]
    totals: list[float] = []
    accepted: list[bool] = []
    for order in fields["orders"]:
        row = {
            "symbol": coin_of(order["market"]),
            "side": "sell" if side_of(order["side"]) == "short" else "buy",
            "amount": order["qty"],
            "price": order["price"],
            "initialMarginRate": order["im"],
            "maintenanceMarginRate": order["mm"],
        }
        book = facade.book(
            table(positions),
            rulebooks.rates(orders="additive"),
            collateral=cash(fields["collateral"]),
            orders=table([row]),
        )
        totals.append(facade.initial_margin(book))
        accepted.append(status(facade, book) not in BELOW_INITIAL)
    return {"total_im": totals, "accepted": accepted}


def _held(row: Fields) -> dict[str, object]:
    """Return a row of the positions table; a case without maintenance has a rate of zero."""
    return position(
        coin_of(row["market"]),
        row["qty"],
        mark=row["mark"],
        entry=row["entry"],
        side=side_of(row["side"]),
        initialMarginRate=row["im"],
        maintenanceMarginRate=row["mm"] or 0.0,
    )


def status(facade: Facade, book: object) -> str:
    """Return the status of the account, the first row of its summary."""
    return str(facade.summary(book).records()[0]["status"])


BASICS = Shape(
    required=spelled("collateral", positions="position positions"),
    inner={"positions": HELD},
)


def basics(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the equity and the margins of an account with a balance and positions."""
    rows = [_held(row) for row in _rows(fields["positions"])]
    trigger = (case.meta.get("formulae") or {}).get("trigger")
    book = facade.book(
        table(rows),
        rulebooks.rates(inclusive="<=" in f"{trigger}"),
        collateral=cash(fields["collateral"]),
    )
    return named(
        case,
        {
            "equity": facade.equity(book),
            "maintenance": facade.maintenance_margin(book),
            "initial": facade.initial_margin(book),
            "liquidatable": status(facade, book) in BELOW_MAINTENANCE,
        },
    )


NOTIONAL = Shape(required=spelled("id", "notional"))
SEQUENCE = Shape(
    required=spelled("positions"),
    optional=spelled("rule_only"),
    inner={"positions": NOTIONAL},
)
# A balance that is above zero and below any maintenance margin of a case.
NEARLY_NOTHING: Final = 1e-9


def sequence(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer in which order the positions of an account are closed, the largest notional first."""
    # a symbol is text, an identifier need not be
    identifiers = {f"{row['id']}": row["id"] for row in fields["positions"]}
    rows = [
        position(symbol, row["notional"], mark=1.0, maintenanceMarginRate=1.0)
        for symbol, row in zip(identifiers, fields["positions"], strict=True)
    ]
    book = facade.book(table(rows), rulebooks.rates(), collateral=cash(NEARLY_NOTHING))
    steps = facade.liquidation_order(
        book,
        scenario="now",
        options={"policy": "largest_notional", "step": "whole", "stop": "flat"},
    ).records()
    closed = dict.fromkeys(step["symbol"] for step in steps if step["symbol"] in identifiers)
    return {"order": [identifiers[symbol] for symbol in closed]}


REDUCTION = Shape(
    required=spelled("N", "m", "E", "s", "h"),
)


def reduction(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer which part of a position is closed until equity is `h` times the maintenance margin.

    The position is one contract that costs the notional, so that the quantity closed is the part.
    """
    row = position("COIN", 1.0, mark=fields["N"], maintenanceMarginRate=fields["m"])
    book = facade.book(table([row]), rulebooks.rates(), collateral=cash(fields["E"]))
    steps = facade.liquidation_order(
        book,
        scenario="now",
        options={
            "policy": "pro_rata",
            "step": "needed",
            "stop": fields["h"],
            "slippage": fields["s"],
        },
    ).records()
    parts = [step["qty"] for step in steps if step["symbol"] == "COIN"]
    return {"x": parts[0] if parts else None}


ADAPTERS: Final = (
    Adapter(TRIALS, trials),
    Adapter(BASICS, basics),
    Adapter(SEQUENCE, sequence),
    Adapter(REDUCTION, reduction),
)
