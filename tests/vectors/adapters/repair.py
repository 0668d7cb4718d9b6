"""How much is closed, or taken from all holdings, until an account is repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.accounts import NEARLY_NOTHING
from tests.vectors.adapters.tables import cash, position, table
from tests.vectors.adapters.units import LOSS_UNIT
from tests.vectors.view import Adapter, NotApplicableError, Shape, lacks, quantity, spelled

if TYPE_CHECKING:
    from tests.vectors.facade import Facade
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
    size = steps[0]["qty"]
    # where closing costs as much as it frees, all of it would not do
    return {"base_amount": None if size == PLENTY else size}


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
    if sorted((size, allowed)) != [size, allowed]:
        raise NotApplicableError(lacks("a size of at most a share of the order book's depth"))
    return {"order_size": size}


ADAPTERS: Final = (Adapter(SHORTAGE, shortage), Adapter(DISPOSAL, disposal))
