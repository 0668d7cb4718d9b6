"""Liquidation and bankruptcy prices of one coin-margined position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.vectors.adapters.tables import given, named, side_of
from tests.vectors.view import Adapter, NotApplicableError, Shape, spelled

if TYPE_CHECKING:
    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

# The price does not depend on the size where the margin follows from the leverage.
ANY_SIZE: Final = 1.0

LEVERAGED = Shape(
    required=spelled("entry", "leverage", "side", rate="maintenance_rate"),
    optional=spelled("quantity"),
)


def leveraged(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a position whose maintenance is a share of its value at the entry."""
    if "inverse" not in str(case.meta.get("topic")):
        reason = "leverage and a rate alone do not say whether the contract is inverse"
        raise NotApplicableError(reason)
    price = facade.single_liquidation_price(
        fields["quantity"] or ANY_SIZE,
        fields["entry"],
        None,
        fields["rate"],
        kind="inverse",
        options={
            "side": side_of(fields["side"]),
            "leverage": fields["leverage"],
            "maintenance_on": "entry",
        },
    )
    return named(
        case, {"liquidation": price.liquidation_price, "bankruptcy": price.bankruptcy_price}
    )


CLOSED_FORM = Shape(
    required=spelled("N", "P0", "m", margin="M_btc M_eth M_coin"),
    optional=spelled(side="s side"),
)


def closed_form(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a notional in dollars, a margin in coin, and maintenance at the mark."""
    price = facade.single_liquidation_price(
        fields["N"],
        fields["P0"],
        fields["margin"],
        fields["m"],
        kind="inverse",
        options=given(side=side_of(fields["side"])),
    )
    return named(
        case, {"liquidation": price.liquidation_price, "bankruptcy": price.bankruptcy_price}
    )


BANKRUPTCY = Shape(
    required=spelled("entry", "leverage", quantity="contracts_usd"),
    optional=spelled("contract", "tick", "side"),
)


def bankruptcy(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the price at which a margin is used up, raw and on the tick.

    Where no input gives the side, the words of the product do.
    """
    words = str(case.product).lower().split()
    stated = next((word for word in words if word in {"long", "short"}), None)
    price = facade.single_liquidation_price(
        fields["quantity"],
        fields["entry"],
        None,
        0.0,
        kind="inverse",
        options=given(
            side=side_of(fields["side"]) or stated,
            leverage=fields["leverage"],
            tick=fields["tick"],
        ),
    )
    return named(
        case,
        {
            "bankruptcy": price.bankruptcy_price,
            "bankruptcy_rounded": price.bankruptcy_price_rounded,
        },
    )


ADAPTERS: Final = (
    Adapter(LEVERAGED, leveraged),
    Adapter(CLOSED_FORM, closed_form),
    Adapter(BANKRUPTCY, bankruptcy),
)
