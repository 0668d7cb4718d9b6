"""Who is liquidated, what is lost, and what a balance counts for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.accounts import BELOW_MAINTENANCE
from tests.vectors.adapters.tables import cash, position, table
from tests.vectors.adapters.units import LOSS_UNIT
from tests.vectors.view import (
    Adapter,
    NotApplicableError,
    Shape,
    exceeds,
    lacks,
    quantity,
    spelled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.vectors.facade import Facade, Row
    from tests.vectors.view import Answer, CaseView, Fields

COIN: Final = "COIN"

FILLED = Shape(
    required=spelled("deposit", "long", "entry", "mmf", "oracle", "fill"),
)


def filled(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a position that is closed below its bankruptcy price.

    The insurance fund pays the equity that is left below zero at the price of the fill.
    """

    def equity(price: float, balance: float) -> float:
        row = position(
            COIN,
            fields["long"],
            mark=price,
            entry=fields["entry"],
            maintenanceMarginRate=fields["mmf"],
        )
        return facade.equity(facade.book(table([row]), rulebooks.rates(), collateral=cash(balance)))

    return {
        "equity_at_oracle": equity(fields["oracle"], fields["deposit"]),
        "pnl_at_fill": equity(fields["fill"], 0.0),
        "insurance_fund_payment": equity(fields["fill"], fields["deposit"]) * LOSS_UNIT,
    }


QUOTED = Shape(
    required=spelled("market", "size", "oracle_price", "mm_ratio"), optional=spelled("im_ratio")
)
QUOTE_ACCOUNT = Shape(required=spelled("usdc", "positions"), inner={"positions": QUOTED})
FILL = Shape(required=spelled("market", "delta", "price"))
LIQUIDATED = Shape(
    required=spelled("account", "fill", most="max_liquidation_fee"),
    inner={"account": QUOTE_ACCOUNT, "fill": FILL},
)


def insured(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for what the insurance fund gets, or pays, when an account is closed at a price.

    The balance of a case has paid for its positions, so that their value is equity.
    """
    account, fill = fields["account"], fields["fill"]
    if (
        len(account["positions"]) != 1
        or account["positions"][0]["size"] != fill["delta"] * LOSS_UNIT
    ):
        raise NotApplicableError(lacks("the share that one position has in the equity of several"))
    price, size = fill["price"], account["positions"][0]["size"]
    row = position(COIN, size, mark=price, maintenanceMarginRate=1.0)

    def closing(fee: float) -> dict[str, Any]:
        book = facade.book(
            table([row]),
            rulebooks.all_at_once(fee),
            collateral=cash(account["usdc"], quantity(size, price)),
        )
        compared = facade.liquidation_policies(book, scenario="now", policies="all_at_once")
        return compared.records()[0]

    free, charged = closing(0.0), closing(fields["most"])
    if free["shortfall"]:
        return {"insurance_fund_delta": free["shortfall"] * LOSS_UNIT, "fee_paid_by_account": 0.0}
    if exceeds(charged["cost"], free["equity_left"]) and free["equity_left"]:
        raise NotApplicableError(lacks("a liquidation fee of at most what is left of the account"))
    paid = charged["cost"] if free["equity_left"] else 0.0
    return {"insurance_fund_delta": paid, "fee_paid_by_account": paid}


CLOSE = Shape(required=spelled("market", "delta"))
TRANSFERRED = Shape(
    required=spelled("account", "close"), inner={"account": QUOTE_ACCOUNT, "close": CLOSE}
)


# Who stands in the same queue, so that the account is looked at whether it has won or not.
SOMEBODY: Final[Row] = {
    "account": "somebody",
    "qty": 1.0,
    "entry": 1.0,
    "mark": 1.0,
    "equity": 1.0,
}


def transferred(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the price at which a position takes its share of the equity with it."""
    held = fields["account"]["positions"]
    rows = [
        position(
            own["market"],
            own["size"],
            mark=own["oracle_price"],
            entry=own["oracle_price"],
            maintenanceMarginRate=own["mm_ratio"],
        )
        for own in held
    ]
    worth = [quantity(own["size"], own["oracle_price"]) for own in held]
    book = facade.book(
        table(rows), rulebooks.rates(), collateral=cash(fields["account"]["usdc"], *worth)
    )
    close = fields["close"]
    queue = facade.deleveraging(
        book,
        candidates=[{**SOMEBODY, "symbol": close["market"]}],
        form="size",
    ).records()
    (own,) = (row for row in queue if row["account"] != SOMEBODY["account"])
    price = own["bankruptcy"]
    if price is None:
        raise NotApplicableError(lacks("what is paid to be rid of a position without a price"))
    coins = {
        "currency": COIN,
        "cash": close["delta"] * LOSS_UNIT,
        "priceVenue": price,
        "collateralRate": 1.0,
    }
    nothing = position(COIN, 0.0, mark=price, maintenanceMarginRate=0.0)
    sold = facade.book(table([nothing]), rulebooks.rates(), collateral=table([coins]))
    return {"bankruptcy_price": price, "bankruptcy_quote": facade.equity(sold)}


LENT = Shape(required=spelled("balance", "price", "ltv"))


def lent(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for what may be borrowed against a balance: what it counts for."""
    balance = {
        "currency": COIN,
        "cash": fields["balance"],
        "priceVenue": fields["price"],
        "collateralRate": fields["ltv"],
    }
    nothing = position(COIN, 0.0, mark=fields["price"], maintenanceMarginRate=0.0)
    book = facade.book(table([nothing]), rulebooks.rates(), collateral=table([balance]))
    return {"borrowable_usdc": facade.equity(book, basis="adjusted")}


TIERED_POSITION = Shape(required=spelled("id", "qty", "entry", "equity"))
TIERED = Shape(required=spelled("tiers", "positions", "mark"), inner={"positions": TIERED_POSITION})
TIERS = Shape(required=spelled("tiers", "notionals", "second"), inner={"second": TIERED})


def _tiered(
    facade: Facade, tiers: Sequence[Sequence[float]], rows: Sequence[Mapping[str, Any]]
) -> list[float]:
    """Return the rates of the tiers that positions of one coin each are in."""
    floors, rates = [floor for floor, _ in tiers], [rate for _, rate in tiers]
    in_tiers = [{**row, "marginTable": rulebooks.TIERS} for row in rows]
    book = facade.book(table(in_tiers), rulebooks.tiered(floors, rates))
    place = dict(enumerate(rates, start=1))
    tier = {row["symbol"]: row["tier"] for row in facade.tiers(book).records()}
    return [place[tier[row["symbol"]]] for row in rows]


def liquidated(facade: Facade, rows: Sequence[Mapping[str, Any]]) -> list[object]:
    """Return the accounts below their maintenance margin; each row has one of its own."""
    book = facade.book(
        table(rows),
        rulebooks.rates(),
        collateral=[
            {"account": row["account"], "currency": rulebooks.CURRENCY, "cash": row["equity"]}
            for row in rows
        ],
    )
    status = {row["scope"]: row["status"] for row in facade.summary(book).records()}
    return [row["id"] for row in rows if status[row["account"]] in BELOW_MAINTENANCE]


def tiers(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the rate of each notional, and for who is liquidated by a second table.

    A rate holds for the whole of a position here, so that the rows carry the rate of their tier.
    """
    rows = [
        position(f"COIN{place}", notional, mark=1.0)
        for place, notional in enumerate(fields["notionals"])
    ]
    second = fields["second"]
    held = [
        position(f"COIN{place}", own["qty"], mark=second["mark"], entry=own["entry"])
        for place, own in enumerate(second["positions"])
    ]
    rates = _tiered(facade, second["tiers"], held)
    accounts = [
        {
            **row,
            "account": f"{own['id']}",
            "id": own["id"],
            "equity": own["equity"],
            "maintenanceMarginRate": rate,
        }
        for row, own, rate in zip(held, second["positions"], rates, strict=True)
    ]
    return {
        "rates": _tiered(facade, fields["tiers"], rows),
        "second_liquidated": liquidated(facade, accounts),
    }


MARKED = Shape(required=spelled("symbol", "qty", "entry", "mark"))
BORROWING = Shape(
    required=spelled(
        "margin",
        "margin_mmr",
        "um",
        "um_wallet_usdt",
        "cm",
        "cm_wallet_btc",
        "mmr",
    ),
    inner={"um": MARKED},
)


def borrowing(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer coin by coin for what is held less what is borrowed, and what the borrowing needs.

    Figures are in coins, so that each coin has an account of its own where its price is one.
    """

    def account(coin: str, held: float, borrowed: float) -> object:
        amounts = {coin: held, f"{coin}_BORROWED": borrowed * LOSS_UNIT}
        balances = [
            {"currency": name, "cash": amount, "priceVenue": 1.0, "collateralRate": 1.0}
            for name, amount in amounts.items()
            if amount
        ]
        nothing = position(COIN, 0.0, mark=1.0, maintenanceMarginRate=0.0)
        rules = rulebooks.borrowing(fields["margin_mmr"])
        return facade.book(table([nothing]), rules, collateral=balances)

    accounts = {coin: account(coin, *amounts) for coin, amounts in fields["margin"].items()}
    rows = [
        position(COIN, own["qty"], mark=own["mark"], entry=own["entry"], maintenanceMarginRate=1.0)
        for own in fields["um"]
    ]
    return {
        "margin_equity": {coin: facade.equity(book) for coin, book in accounts.items()},
        "margin_mm": {coin: facade.maintenance_margin(book) for coin, book in accounts.items()},
        "upnl_usdt": [facade.equity(facade.book(table([row]), rulebooks.rates())) for row in rows],
    }


ADAPTERS: Final = (
    Adapter(BORROWING, borrowing),
    Adapter(FILLED, filled),
    Adapter(LIQUIDATED, insured),
    Adapter(TRANSFERRED, transferred),
    Adapter(LENT, lent),
    Adapter(TIERS, tiers),
)
