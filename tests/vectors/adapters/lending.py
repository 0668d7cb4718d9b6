"""Accounts of a lending market: what is held counts by a weight, what is owed is required whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.accounts import BELOW_MAINTENANCE, status
from tests.vectors.adapters.tables import position, table
from tests.vectors.adapters.units import LOSS_UNIT
from tests.vectors.view import (
    Adapter,
    NotApplicableError,
    Shape,
    haircut_of,
    is_whole,
    lacks,
    quantity,
    spelled,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.vectors.facade import Facade, Row
    from tests.vectors.view import Answer, CaseView, Fields

HELD = Shape(
    required=spelled("asset", "amount", "price", "max_ltv", "liquidation_ltv"),
)
OWED = Shape(required=spelled("asset", "amount", "price"))
PERPETUAL = Shape(
    required=spelled(
        "market",
        "size",
        "max_ltv",
        "liquidation_ltv",
        "accrued_funding",
        "closing_fee",
        entry="entry_exec_price",
        price="current_exec_price",
    )
)
ASKED = Shape(required=spelled("kind", asset="asset market"))
ACCOUNT = Shape(
    required=spelled("collateral", "debts", "perps", base="base_currency_price"),
    optional=spelled(asked="liquidation_price_of"),
    inner={"collateral": HELD, "debts": OWED, "perps": PERPETUAL, "asked": ASKED},
)


def _coin(asset: str) -> str:
    """Return the name of a coin that has a price, whatever peg its name promises."""
    return f"{asset}_COIN"


def _market(market: str) -> str:
    """Return the name of the coin of a perpetual: its price moves without that of the balances."""
    return f"{market}_PERP"


def _balance(name: str, follows: str, amount: float, price: float, rate: float) -> dict[str, Any]:
    return {
        "currency": name,
        "follows": follows,
        "cash": amount,
        "priceVenue": price,
        "collateralRate": rate,
    }


def _required(symbol: str, coin: str, amount: float, price: float) -> dict[str, object]:
    """Return a debt: a short position entered at today's price whose entry value is required.

    Its result is what the debt has grown by, so that the account is liquidated where the weighted
    assets are worth less than the debts, at any price.
    """
    row = position(symbol, amount * LOSS_UNIT, mark=price, maintenanceMarginRate=1.0)
    return row | {"underlying": coin}


def _above_zero(facade: Facade, amounts: Sequence[float]) -> list[bool]:
    """Return which amounts are not below zero, by the exposure of a position of that size."""
    rows = [
        position(f"A{place:03d}", amount, mark=1.0, maintenanceMarginRate=1.0)
        for place, amount in enumerate(amounts)
    ]
    if not rows:
        return []
    book = facade.book(table(rows), rulebooks.rates())
    exposures = {row["group"]: row for row in facade.exposure(book, group_by="symbol").records()}
    found = [exposures.get(row["symbol"], {"net": 0.0, "gross": 0.0}) for row in rows]
    return [row["net"] == row["gross"] for row in found]


def _perpetual(
    place: object, perp: Mapping[str, Any], level: str, *, is_long: bool
) -> tuple[list[Row], list[Row]]:
    """Return the balances and the debts that a perpetual is.

    Long: the coins against what was paid for them. Short: what was received against the coins,
    which are required with the haircut and the fee of closing on top.
    """
    coin, price, entry = _market(perp["market"]), perp["price"], perp["entry"]
    fee, weight = perp["closing_fee"], perp[level]
    if is_long:
        size = perp["size"]
        balances: list[Row] = [
            _balance(f"L{place}", coin, size, price, weight),
            _balance(f"LF{place}", coin, quantity(size, fee) * LOSS_UNIT, price, 1.0),
        ]
        return balances, [_required(f"LE{place}", f"ENTRY{place}", size, entry)]
    size = perp["size"] * LOSS_UNIT
    shares = {"S": 1.0, "SH": haircut_of(weight), "SF": fee}
    owed: list[Row] = [
        _required(f"{name}{place}", coin, quantity(size, share), price)
        for name, share in shares.items()
        if share
    ]
    return [_balance(f"SE{place}", f"ENTRY{place}", size, entry, 1.0)], owed


def _book(facade: Facade, fields: Fields, level: str) -> object:
    """Return the account with the weights of a level."""
    perps, base = fields["perps"], fields["base"]
    longs = _above_zero(facade, [perp["size"] for perp in perps])
    gains = _above_zero(facade, [perp["accrued_funding"] for perp in perps])
    balances: list[Row] = [
        _balance(f"C{place}", _coin(held["asset"]), held["amount"], held["price"], held[level])
        for place, held in enumerate(fields["collateral"])
    ]
    owed: list[Row] = [
        _required(f"D{place}", _coin(debt["asset"]), debt["amount"], debt["price"])
        for place, debt in enumerate(fields["debts"])
    ]
    for place, perp in enumerate(perps):
        more, debts = _perpetual(place, perp, level, is_long=longs[place])
        balances.extend(more)
        owed.extend(debts)
        funding = perp["accrued_funding"]
        if funding and gains[place]:
            balances.append(_balance(f"F{place}", f"FUNDING{place}", funding, base, perp[level]))
        elif funding:
            owed.append(_required(f"F{place}", f"FUNDING{place}", funding * LOSS_UNIT, base))
    # a table of positions needs a row
    nothing = position("NOTHING", 0.0, mark=1.0, maintenanceMarginRate=0.0)
    prices = {str(row["follows"]): row["priceVenue"] for row in balances}
    return facade.book(
        table([*owed, nothing]),
        rulebooks.lending(),
        collateral=table(balances),
        market=[{"underlying": coin, "indexPrice": price} for coin, price in prices.items()],
    )


def _whole(facade: Facade, books: Iterable[object]) -> bool:
    """Return whether everything counted is whole base units, so that nothing is floored."""
    amounts = [
        amount
        for book in books
        for amount in (
            *(row["usable"] for row in facade.collateral(book).records()),
            *(row["amount"] for row in facade.explanation(book).records()),
        )
        if amount
    ]
    return all(map(is_whole, amounts))


FLOORED: Final = "amounts that are cut down to whole base units at every product"


def _health(facade: Facade, fields: Fields) -> Answer:
    books = {
        "initial_health_factor": _book(facade, fields, "max_ltv"),
        "liquidation_health_factor": _book(facade, fields, "liquidation_ltv"),
    }
    if not _whole(facade, books.values()):
        raise NotApplicableError(lacks(FLOORED))
    at_liquidation = books["liquidation_health_factor"]
    return {
        # an account that owes nothing has no health factor
        **{
            name: facade.ratio(book, style="venue") if facade.maintenance_margin(book) else None
            for name, book in books.items()
        },
        "liquidatable": status(facade, at_liquidation) in BELOW_MAINTENANCE,
    }


def account(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the health factors of an account, or for the price that liquidates it.

    By the conventions of `meta.formulae` an account in liquidation has the price of today and one
    that no price liquidates has zero.
    """
    asked = fields["asked"]
    if asked is None:
        return _health(facade, fields)
    book = _book(facade, fields, "liquidation_ltv")
    found = {
        "collateral": ("collateral", "asset", "price", _coin),
        "debt": ("debts", "asset", "price", _coin),
        "perp": ("perps", "market", "price", _market),
    }
    kind = asked["kind"].partition("_")[0]
    if kind not in found:
        reason = f"the kind {asked['kind']!r} is unknown"
        raise NotApplicableError(reason)
    where, key, column, name = found[kind]
    if status(facade, book) in BELOW_MAINTENANCE:
        today = [row[column] for row in fields[where] if row[key] == asked["asset"]]
        return {"liquidation_price": today[0]}
    price = facade.liquidation_price(book, name(asked["asset"]))
    if price is None:
        return {"liquidation_price": 0.0}
    if not _whole(facade, [book]):
        raise NotApplicableError(lacks(FLOORED))
    return {"liquidation_price": price}


ADAPTERS: Final = (Adapter(ACCOUNT, account),)
