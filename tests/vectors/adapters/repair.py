"""How much is closed, or taken from all holdings, until an account is repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.accounts import NEARLY_NOTHING
from tests.vectors.adapters.tables import cash, position, table, together
from tests.vectors.adapters.units import BUY_UNIT, LOSS_UNIT
from tests.vectors.view import Adapter, NotApplicableError, Shape, exceeds, lacks, quantity, spelled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.vectors.facade import Facade, Row
    from tests.vectors.view import Answer, CaseView, Fields

COIN: Final = "COIN"
QUOTE: Final = "QUOTE"
# Coins of a position that is larger than any shortage of a case needs.
PLENTY: Final = 1_000.0

SHORTAGE = Shape(
    required=spelled(
        "margin_shortage",
        "margin_ratio",
        "oracle_price",
        "quote_price",
        fee="liquidator_fee",
        fund="insurance_fee",
    )
)


def shortage(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the coins of a perpetual whose closing covers a shortage of margin.

    The account holds its maintenance margin less the shortage.
    """
    if fields["fund"] and fields["quote_price"] != 1:
        reason = lacks("a fee that does not move with the price of the currency it is paid in")
        raise NotApplicableError(reason)
    row = position(
        COIN, PLENTY, mark=fields["oracle_price"], maintenanceMarginRate=fields["margin_ratio"]
    )
    rules = rulebooks.settled_in(QUOTE, fee=fields["fund"])

    def book(*balances: float) -> object:
        return facade.book(
            table([{**row, "settle": QUOTE}]),
            rules,
            collateral=[{"currency": rulebooks.CURRENCY, "cash": cash} for cash in balances],
            market=[{"underlying": QUOTE, "indexPrice": fields["quote_price"]}],
        )

    maintenance = facade.maintenance_margin(book(0.0))
    steps = facade.liquidation_order(
        book(maintenance, fields["margin_shortage"] * LOSS_UNIT),
        scenario="now",
        options={"policy": "pro_rata", "step": "needed", "slippage": fields["fee"]},
    ).records()
    # where closing costs as much as it frees, all of it would not do
    size, usage = steps[0]["qty"], steps[-1]["usage_after"]
    beyond = size == PLENTY or usage is None or exceeds(usage, 1.0)
    return {"base_amount": None if beyond else size}


DISPOSAL = Shape(
    required=spelled(
        "seized_position",
        "book_volume_in_range",
        "disposal_fraction",
        "full_disposal_size",
        "max_fraction_of_book",
    )
)


def disposal(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the size of a first order: a fraction in whole lots, the whole of what is small.

    The price is one, so that sizes are money.
    """
    row = position(COIN, fields["seized_position"], mark=1.0, maintenanceMarginRate=1.0)
    steps = facade.liquidation_order(
        facade.book(
            table([row]),
            rulebooks.in_tranches(fields["full_disposal_size"], fields["disposal_fraction"]),
            collateral=cash(NEARLY_NOTHING),
            market=[{"symbol": COIN, "lot": 1.0}],
        ),
        scenario="now",
        max_steps=1,
    ).records()
    size = steps[0]["qty"]
    allowed = quantity(fields["book_volume_in_range"], fields["max_fraction_of_book"])
    if exceeds(size, allowed):
        raise NotApplicableError(lacks("a size of at most a share of the order book's depth"))
    return {"order_size": size}


MARKED = Shape(required=spelled("market", "size", "entry", "mark"))
SHARED = Shape(
    required=spelled(
        "collateral",
        "positions",
        "mmf",
        fee="liquidation_fee",
        step="share_step",
        target="target_margin_ratio",
    ),
    inner={"positions": MARKED},
)
SHARES: Final = (0.2, 0.4, 0.6, 0.8)
# A position of which one is held, worth nothing: how much of it goes is the share that goes.
GAUGE: Final = "GAUGE"
NOTHING: Final = 1e-30
CLOSED_SIDE: Final = {"sell": "long", "buy": "short"}
CHANGE: Final = {"sell": LOSS_UNIT, "buy": BUY_UNIT}


def share_of_all(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the same share of every position that is closed for a fee on its margin."""
    held = {
        own["market"].partition("-")[0]: position(
            own["market"].partition("-")[0],
            own["size"],
            mark=own["mark"],
            entry=own["entry"],
            maintenanceMarginRate=fields["mmf"],
        )
        for own in fields["positions"]
    }
    sizes = {own["market"].partition("-")[0]: own["size"] for own in fields["positions"]}
    gauge = position(GAUGE, 1.0, mark=NOTHING, maintenanceMarginRate=fields["mmf"])
    rules = rulebooks.with_fee_on_margin(fields["fee"])
    balance = fields["collateral"]

    def book(rows: Iterable[Row], amount: float) -> object:
        return facade.book(table(list(rows)), rules, collateral=cash(amount))

    account = book([*held.values(), gauge], balance)

    def closing(step: str, **options: object) -> list[dict[str, Any]]:
        rules = {"policy": "pro_rata", "step": step, **options}
        order = facade.liquidation_order(account, scenario="now", max_steps=1, options=rules)
        return order.records()

    def penalty(row: dict[str, Any]) -> float:
        return together(facade, row["equity_before"], row["equity_after"] * LOSS_UNIT)

    shown = {share: closing(f"{share}")[0] for share in SHARES}
    chosen = closing(f"multiples:{fields['step']}", stop=f"usage:{fields['target']}")
    closed = [row for row in chosen if row["symbol"] in held]
    realised = facade.equity(
        book(
            [
                {
                    **held[row["symbol"]],
                    "contracts": row["qty"],
                    "side": CLOSED_SIDE[row["side"]],
                }
                for row in closed
            ],
            0.0,
        )
    )
    return {
        "unrealized_pnl": facade.equity(book(held.values(), 0.0)),
        "mmr": facade.maintenance_margin(account),
        "account_value": facade.equity(account),
        "table": [
            {
                "share": share,
                "new_mmr": row["mm_after"],
                "penalty": penalty(row),
                "new_account_value": row["equity_after"],
                "new_margin_ratio": row["usage_after"],
            }
            for share, row in shown.items()
        ],
        "chosen_share": next(row["qty"] for row in chosen if row["symbol"] == GAUGE),
        "realized_loss": realised * LOSS_UNIT,
        "collateral_after": together(facade, balance, realised, penalty(chosen[0]) * LOSS_UNIT),
        "positions_after": {
            row["symbol"]: together(
                facade,
                sizes[row["symbol"]],
                quantity(row["qty"], CHANGE[row["side"]]),
            )
            for row in closed
        },
    }


ADAPTERS: Final = (
    Adapter(SHORTAGE, shortage),
    Adapter(DISPOSAL, disposal),
    Adapter(SHARED, share_of_all),
)
