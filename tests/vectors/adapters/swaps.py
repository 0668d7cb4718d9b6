"""Debts that are repaid with collateral until an account is healthy."""

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
    exceeds,
    factor_of,
    haircut_of,
    lacks,
    per,
    spelled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.vectors.facade import Facade, Row
    from tests.vectors.view import Answer, CaseView, Fields

ASSET: Final = "ASSET"
OTHER: Final = "OTHER"
OWED: Final = rulebooks.CURRENCY
# More of an asset than any case needs.
PLENTY: Final = 1e6


def _asset(amount: float, price: float, weight: float) -> Row:
    return {
        "currency": ASSET,
        "cash": amount,
        "priceVenue": price,
        "collateralRate": weight,
        "follows": ASSET,
    }


def _owed(amount: float, price: float) -> Row:
    """Return an amount in the currency that is repaid, which is what the account settles in."""
    return {"currency": OWED, "cash": amount, "priceVenue": price, "collateralRate": 1.0}


def _constant(amount: float) -> Row:
    """Return money of which nothing is bought or sold and on which nothing is required."""
    return {"currency": OTHER, "cash": amount, "priceVenue": 1.0, "collateralRate": 1.0}


def _book(facade: Facade, balances: list[Row], liability_weight: float) -> object:
    """Return an account without positions; a debt needs what its weight is above one."""
    nothing = position("NOTHING", 0.0, mark=1.0, maintenanceMarginRate=0.0)
    return facade.book(
        table([nothing]),
        rulebooks.swapping({OWED: haircut_of(liability_weight) * LOSS_UNIT, OTHER: 0.0}),
        collateral=table(balances),
    )


def _sold(facade: Facade, book: object, **options: object) -> Mapping[str, Any] | None:
    """Return the sale of collateral that makes an account healthy, if one is made."""
    rows = facade.liquidation_order(book, scenario="now", max_steps=1, options=options).records()
    return next((row for row in rows if row["action"] == "convert"), None)


def _amount(facade: Facade, *balances: Row) -> float:
    """Return what balances are worth together."""
    nothing = position("NOTHING", 0.0, mark=1.0, maintenanceMarginRate=0.0)
    whole = [{**row, "collateralRate": 1.0} for row in balances]
    rules = rulebooks.swapping({OWED: 0.0, OTHER: 0.0, ASSET: 0.0})
    return facade.equity(facade.book(table([nothing]), rules, collateral=table(whole)))


TOKEN = Shape(
    required=spelled("token", "perp_pnl", "asset_weight", "liab_weight", "price"),
)
TOKENS = Shape(
    required=spelled(
        "asset",
        "liability",
        "other_health",
        "perp_overall_asset_weight",
        "fees",
        most="max_liability_transfer",
    ),
    inner={"asset": TOKEN, "liability": TOKEN},
)
UNSETTLED: Final = "a weight on the unsettled profit of a perpetual, inside its token's weight"


def tokens(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a token given for another that is owed, until health is zero."""
    asset, liability = fields["asset"], fields["liability"]
    if asset["perp_pnl"]:
        raise NotApplicableError(lacks(UNSETTLED))
    if asset["price"] != 1 or liability["price"] != 1:
        raise NotApplicableError(lacks("a debt in another currency than the account settles in"))
    held = [
        _asset(asset["token"], 1.0, asset["asset_weight"]),
        _owed(liability["token"], 1.0),
        _owed(liability["perp_pnl"], 1.0),
        _constant(fields["other_health"]),
    ]
    book = _book(facade, [row for row in held if row["cash"]] or held, liability["liab_weight"])
    cost = haircut_of(per(1.0, factor_of(fields["fees"])))
    sale = _sold(facade, book, slippage=cost) if status(facade, book) in BELOW_MAINTENANCE else None
    if sale is None:
        return {"liquidation_possible": False, "asset_token": None, "liability_token": None}
    given = _asset(sale["qty"] * LOSS_UNIT, 1.0, 1.0)
    brought = _amount(facade, _asset(sale["qty"], sale["price"], 1.0))
    left = _amount(facade, _owed(liability["token"], 1.0), _owed(brought, 1.0))
    if exceeds(brought, fields["most"]):
        raise NotApplicableError(lacks("a limit of what one liquidator takes"))
    if exceeds(left, 0.0):
        raise NotApplicableError(lacks("a debt of which only a part can be repaid"))
    return {
        "liquidation_possible": True,
        "asset_token": _amount(facade, _asset(asset["token"], 1.0, 1.0), given),
        "liability_token": left,
    }


BORROWED = Shape(
    required=spelled(
        "margin_shortage",
        "asset_weight",
        "liability_weight",
        "liability_price",
        given="asset_multiplier",
        repaid="liability_multiplier",
    ),
    optional=spelled(fund="insurance_fee"),
)


def borrowed(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the debt that is repaid with collateral to cover a shortage of margin.

    Both multipliers together are what the collateral is sold below its price for.
    """
    if fields["fund"]:
        raise NotApplicableError(lacks("a fee of the insurance fund on a debt that is repaid"))
    # everything is counted in units of the debt
    price = fields["liability_price"]
    held = [
        _asset(PLENTY, per(1.0, price), fields["asset_weight"]),
        _owed(PLENTY * LOSS_UNIT, 1.0),
    ]
    weight = fields["liability_weight"]
    room = facade.excess(_book(facade, held, weight))
    shortage = per(fields["margin_shortage"], price)
    short = [*held, _constant(room * LOSS_UNIT), _constant(shortage * LOSS_UNIT)]
    cost = haircut_of(per(fields["repaid"], fields["given"]))
    sale = _sold(facade, _book(facade, short, weight), slippage=cost)
    if sale is None:
        return {"liability_amount": None}
    return {"liability_amount": _amount(facade, _asset(sale["qty"], sale["price"], 1.0))}


LENT = Shape(required=spelled(collateral="C", debt="D", threshold="LT", bonus="LS", health="h"))


def lent(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the debt that is repaid until health is one, at a bonus for who repays it."""
    if fields["health"] != 1:
        raise NotApplicableError(lacks("a stop at a health above one where debts are equity"))
    collateral = _asset(fields["collateral"], 1.0, fields["threshold"])
    debt = fields["debt"] * LOSS_UNIT
    book = _book(facade, [collateral, _owed(debt, 1.0)], 1.0)
    cost = haircut_of(per(1.0, factor_of(fields["bonus"])))
    sale = _sold(facade, book, slippage=cost)
    required = position("DEBT", debt, mark=1.0, maintenanceMarginRate=1.0)
    over_debt = facade.book(table([required]), rulebooks.lending(), collateral=table([collateral]))
    brought = None
    if sale is not None:
        brought = _amount(facade, _asset(sale["qty"], sale["price"], 1.0))
    return {"repay": brought, "HF_before": facade.ratio(over_debt, style="venue")}


ADAPTERS: Final = (Adapter(TOKENS, tokens), Adapter(BORROWED, borrowed), Adapter(LENT, lent))
