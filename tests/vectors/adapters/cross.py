"""Liquidation prices of a position that shares its account with others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.tables import (
    cash,
    coin_of,
    equity,
    given,
    named,
    position,
    side_of,
    table,
)
from tests.vectors.view import Adapter, Shape, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

POSITION = Shape(
    required=spelled("symbol", "amount", "entry", rate="mm_rate"),
    optional=spelled("mark", "mm_amount", "side", "leverage"),
)
WALLET = Shape(
    required=spelled("position", wallet="wallet_balance", mode="margin_mode"),
    optional=spelled(others="other_positions"),
    inner={"position": POSITION, "others": POSITION},
)


def _row(fields: Fields, **columns: object) -> dict[str, object]:
    """Return a position with its rate and amount; without a side its quantity is signed."""
    entry = fields["entry"]
    return position(
        coin_of(fields["symbol"]),
        fields["amount"],
        mark=entry if fields["mark"] is None else fields["mark"],
        entry=entry,
        side=side_of(fields["side"]),
        maintenanceMarginRate=fields["rate"],
        maintAmt=fields["mm_amount"],
        **columns,
    )


def wallet(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a wallet that is one position's own margin (isolated) or everybody's (cross).

    The others have no part in an isolated position's pool, and the case gives no margin of theirs.
    """
    own = fields["position"]
    if fields["mode"] == "isolated":
        row = _row(own, marginMode="isolated", isolatedWallet=fields["wallet"])
        book = facade.book(table([row]), rulebooks.rates())
    else:
        others = [_row(other) for other in fields["others"] or ()]
        book = facade.book(
            table([_row(own), *others]), rulebooks.rates(), collateral=cash(fields["wallet"])
        )
    price = facade.liquidation_price(book, coin_of(own["symbol"]))
    return named(case, {"liquidation": price})


MARKED = Shape(
    required=spelled("size", "mark", rate="mm_rate"),
    optional=spelled("side"),
)
OTHER_MAINTENANCE = Shape(
    required=spelled("equity", "position"),
    optional=spelled("other_maintenance"),
    inner={"position": MARKED},
)
OTHER_MAINTENANCE_IN_LETTERS = Shape(
    required=spelled(equity="e", size="s", mark="p", rate="MMF"),
    optional=spelled(other_maintenance="MMR_o MMR_other"),
)


def other_maintenance(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a position beside others of which only the maintenance is known.

    Equity is counted at the mark, so profit is measured from there.
    """
    own: Mapping[str, Any] = fields.get("position", {"side": None, **fields})
    price = facade.single_liquidation_price(
        own["size"],
        own["mark"],
        fields["equity"],
        own["rate"],
        other_maintenance=fields["other_maintenance"] or 0.0,
        options=given(mark=own["mark"], side=side_of(own["side"])),
    )
    return named(case, {"liquidation": price.liquidation_price, "distance": price.distance})


def read_letters(inputs: Mapping[str, Any]) -> Fields | None:
    """Return an account stated as ``e``, ``s_eth``, ``p_eth``, ``MMF_eth``, ``strk_size``, ….

    The coin with an ``s_`` is the one whose price is asked for; the others are held fixed.
    """
    columns: dict[str, dict[str, Any]] = {}
    asked: list[str] = []
    for key, value in inputs.items():
        head, _, tail = key.partition("_")
        if key == "e":
            continue
        if head == "s" and tail:
            asked.append(tail)
        name, coin = {
            "s": ("size", tail),
            "p": ("price", tail),
            "MMF": ("rate", tail),
        }.get(head, (tail, head))
        if name not in {"size", "price", "rate"} or not coin or value is None:
            return None
        columns.setdefault(coin, {})[name] = value
    whole = all(set(column) == {"size", "price", "rate"} for column in columns.values())
    if inputs.get("e") is None or len(asked) != 1 or not whole:
        return None
    return {"equity": inputs["e"], "asked": asked[0], "columns": columns}


def letters(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for an account with its equity at the mark and signed sizes."""
    rows = {
        coin: position(
            coin.upper(),
            column["size"],
            mark=column["price"],
            maintenanceMarginRate=column["rate"],
        )
        for coin, column in fields["columns"].items()
    }
    collateral = equity(fields["equity"])
    asked = fields["asked"]
    book = facade.book(table(list(rows.values())), rulebooks.rates(), collateral=collateral)
    results = named(case, {"liquidation": facade.liquidation_price(book, asked.upper())})
    held = [row for coin, row in rows.items() if coin != asked]
    for name in {"MMR_o", "MMR_other"}.intersection(case.expected_names):
        rest = facade.book(table(held), rulebooks.rates(), collateral=collateral)
        results[name] = facade.maintenance_margin(rest)
    return results


ADAPTERS: Final = (
    Adapter(WALLET, wallet),
    Adapter(OTHER_MAINTENANCE, other_maintenance),
    Adapter(OTHER_MAINTENANCE_IN_LETTERS, other_maintenance),
    Adapter(read_letters, letters),
)
