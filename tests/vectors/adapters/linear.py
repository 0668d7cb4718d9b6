"""Liquidation prices of one linear position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.tables import cash, given, named, position, side_of, table
from tests.vectors.adapters.units import PERCENT_UNIT
from tests.vectors.view import Adapter, NotApplicableError, Shape, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

RECORDED = Shape(
    required=spelled(
        "side",
        size="size amount quantity",
        entry="entry entry_price",
        margin="isolated_margin",
        rate="mm_rate",
    ),
    optional=spelled("account_leverage", "market_max_leverage", "mark"),
)


def recorded(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for an isolated position as its venue records it, through a book.

    The leverages are not passed on: the margin and the rate that follow from them are given.
    """
    mark = fields["entry"] if fields["mark"] is None else fields["mark"]
    row = position(
        "COIN",
        fields["size"],
        mark=mark,
        entry=fields["entry"],
        side=side_of(fields["side"]),
        marginMode="isolated",
        isolatedWallet=fields["margin"],
        maintenanceMarginRate=fields["rate"],
    )
    book = facade.book(table([row]), rulebooks.rates())
    return named(case, {"liquidation": facade.liquidation_price(book, "COIN")})


CONVENTION = Shape(
    required=spelled("side", "entry", "amount", "mm_rate", formula="exchange_formula"),
    optional=spelled("leverage", "isolated_margin", "mm_amount", "taker_fee"),
)

# What each venue's formula takes into account, after `meta.formulae`: whether the margin is the one
# given or follows from the leverage, the inputs that become options, and the price that maintenance
# is taken on.
MARGIN_GIVEN: Final[Mapping[str, bool]] = {
    "binance": True,
    "gate": True,
    "okx": True,
    "bybit": False,
}
OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "binance": {"mm_amount": "maintenance_amount"},
    "gate": {"taker_fee": "fee"},
    "okx": {"taker_fee": "fee"},
    "bybit": {"leverage": "leverage"},
}
MAINTENANCE_ON: Final[Mapping[str, str]] = {
    "binance": "mark",
    "gate": "mark",
    "okx": "mark",
    "bybit": "entry",
}
SPELLINGS: Final[Mapping[str, str]] = {"gateio": "gate", "okex": "okx"}


def convention(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a position without an account, by the formula of the venue that the case names."""
    venue = SPELLINGS.get(fields["formula"], fields["formula"])
    if venue not in OPTIONS:
        reason = f"no convention is stated for the formula {venue!r}"
        raise NotApplicableError(reason)
    options = {
        option: fields[name] for name, option in OPTIONS[venue].items() if fields[name] is not None
    }
    price = facade.single_liquidation_price(
        fields["amount"],
        fields["entry"],
        fields["isolated_margin"] if MARGIN_GIVEN[venue] or "leverage" not in options else None,
        fields["mm_rate"],
        options={
            **options,
            "side": side_of(fields["side"]),
            "maintenance_on": MAINTENANCE_ON[venue],
        },
    )
    return named(case, {"liquidation": price.liquidation_price})


CLOSED_FORM = Shape(
    required=spelled(
        quantity="Q q size position_size qty",
        price="P0 P price entry mark",
        collateral="M margin account_value AV equity",
        rate="m l mm mm_rate mmr maintenance_rate",
    ),
    optional=spelled(side="s side direction"),
)


def closed_form(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for one position with a margin, stated in the letters of a formula.

    An expected field may name the side itself (``long``, ``liq_short``); without any side the
    quantity is signed.
    """
    results: dict[str, object] = {}
    for name in case.expected_names:
        last_word = name.split("_")[-1]
        own_side = last_word if last_word in {"long", "short"} else None
        price = facade.single_liquidation_price(
            fields["quantity"],
            fields["price"],
            fields["collateral"],
            fields["rate"],
            options=given(side=own_side or side_of(fields["side"])),
        )
        if own_side is None:
            prices = {"liquidation": price.liquidation_price, "bankruptcy": price.bankruptcy_price}
            results.update(named(case, prices))
        elif name.startswith("bankrupt"):
            results[name] = price.bankruptcy_price
        else:
            results[name] = price.liquidation_price
    return results


MARGIN_CALL = Shape(
    required=spelled("capital", "entry", "margin_pct", size="size qty quantity"),
    optional=spelled(side="side dir direction"),
)


def margin_call(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the margin call of a charting platform: the margin is a percentage of notional.

    Without a side the size is signed.
    """
    price = facade.single_liquidation_price(
        fields["size"],
        fields["entry"],
        fields["capital"],
        fields["margin_pct"] * PERCENT_UNIT,
        options=given(side=side_of(fields["side"])),
    )
    return named(case, {"liquidation": price.liquidation_price})


BANKRUPTCY_IN_ACCOUNT = Shape(
    required=spelled(
        "entry",
        size="size qty contracts",
        margin="position_margin",
        wallet="wallet_balance available_balance",
    ),
    optional=spelled("contract", "leverage", "side", "mark"),
)


def bankruptcy_in_account(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the bankruptcy price of a linear position that a whole wallet stands behind."""
    mark = fields["entry"] if fields["mark"] is None else fields["mark"]
    row = position(
        "COIN",
        fields["size"],
        mark=mark,
        entry=fields["entry"],
        side=side_of(fields["side"]),
        maintenanceMarginRate=0.0,
    )
    book = facade.book(
        table([row]), rulebooks.rates(), collateral=cash(fields["margin"], fields["wallet"])
    )
    price = facade.liquidation_price(book, "COIN", which="bankrupt")
    return named(case, {"bankruptcy": price})


ADAPTERS: Final = (
    Adapter(RECORDED, recorded),
    Adapter(CONVENTION, convention),
    Adapter(CLOSED_FORM, closed_form),
    Adapter(MARGIN_CALL, margin_call),
    Adapter(BANKRUPTCY_IN_ACCOUNT, bankruptcy_in_account),
)
