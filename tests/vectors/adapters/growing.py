"""Requirements that grow with the size of a position: what it costs to leave is part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.accounts import BELOW_MAINTENANCE, status
from tests.vectors.adapters.tables import cash, position, table
from tests.vectors.adapters.units import BUY_UNIT, LOSS_UNIT
from tests.vectors.adapters.zones import ends
from tests.vectors.view import Adapter, NotApplicableError, Shape, lacks, per, quantity, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

COIN: Final = "COIN"

SKEWED = Shape(
    required=spelled(
        "size",
        "entry",
        "price",
        "skew_scale",
        slope="initial_margin_fraction",
        least="minimum_initial_margin_ratio",
        scalar="maintenance_scalar",
    ),
    optional=spelled(least_money="minimum_position_margin"),
)


def read_skewed(inputs: Mapping[str, Any]) -> Fields | None:
    """Return an account with a balance and markets by name, whose rates grow with the size."""
    if set(inputs) != {"collateral", "positions"} or not isinstance(inputs["positions"], dict):
        return None
    positions = {name: SKEWED(held) for name, held in inputs["positions"].items()}
    if not positions or None in positions.values():
        return None
    return {"collateral": inputs["collateral"], "positions": positions}


def skewed(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the margins of an account whose initial rates are a slope of size plus a minimum.

    The maintenance rate is a share of the initial one, so it is the factor of the level.
    """
    positions = fields["positions"]
    if any(held["least_money"] for held in positions.values()):
        raise NotApplicableError(lacks("a least requirement of a position in money"))
    profiles = [
        {
            "underlyings": [name],
            "delta_one": {
                "initial": held["least"],
                "maintenance_share_of_initial": 1.0,
                "increment": per(held["slope"], held["skew_scale"]),
            },
            "maintenance_factor": held["scalar"],
        }
        for name, held in positions.items()
    ]
    rows = {
        name: position(name, held["size"], mark=held["price"], entry=held["entry"])
        for name, held in positions.items()
    }
    rules = rulebooks.by_coin("case-skewed", profiles)

    def book(held: list[dict[str, object]], balance: float) -> object:
        return facade.book(table(held), rules, collateral=cash(balance))

    account = book(list(rows.values()), fields["collateral"])
    return {
        # an account with nothing but one position has its result as equity
        "pnl": {name: facade.equity(book([row], 0.0)) for name, row in rows.items()},
        "available_margin": facade.equity(account),
        "liquidatable": status(facade, account) in BELOW_MAINTENANCE,
        "initial_margin": facade.initial_margin(account),
        "maintenance_margin": facade.maintenance_margin(account),
    }


# A scenario reaches its factor of the price in eighths: a price cannot fall by all of itself.
REACH: Final = 0.125
WHOLE_OF_IT: Final = 8.0


def _risk_factors(
    *,
    longs: float,
    shorts: float,
    linear: float,
    quadratic: float,
    initial: float = 1.0,
) -> dict[str, object]:
    """Return a rulebook that takes a factor of the price by side, and the slippage of an exit."""
    slippage = [
        {
            # what is long offsets what is short
            "name": "linear slippage",
            "on": "minimum_delta",
            "unhedged": linear,
            "hedged": 0.0,
            "stage": "inside",
            "rate": 1.0,
        },
        {
            "name": "quadratic slippage",
            "on": "size",
            "threshold": 0.0,
            "increment": quadratic,
            "cap": 10.0,
            "stage": "inside",
            "rate": 1.0,
        },
    ]
    sides = {
        "set": "risk factors",
        "price_moves": [longs * LOSS_UNIT, 0.0, shorts],
        "price_range": REACH,
        "weight": WHOLE_OF_IT,
    }
    owed = {
        "set": "owed",
        "price_moves": [-1.0, 0.0],
        "price_range": REACH,
        "weight": WHOLE_OF_IT,
    }
    return rulebooks.scenarios(
        "case-risk-factors",
        [
            {"underlyings": [COIN], "scenarios": [sides], "charges": slippage},
            {"underlyings": [FUNDING], "scenarios": [owed]},
        ],
        initial=initial,
    )


# Funding that is owed is money, whatever the price does: a holding of its own whose loss is all of
# it, and whose gain does not count.
FUNDING: Final = "FUNDING"
TERMS: Final = spelled(
    "mark_price",
    "volume",
    "rf_long",
    "rf_short",
    "collateral",
    linear="slippage_linear",
    quadratic="slippage_quadratic",
    funding="funding_per_unit",
)
SLIPPING = Shape(required=TERMS)


def _account(
    fields: Fields, rows: list[dict[str, object]], facade: Facade, *, price: float, balance: float
) -> object:
    """Return an account with positions in one coin, and what it owes in funding, at a price."""
    owed = quantity(fields["volume"], fields["funding"])
    rules = _risk_factors(
        longs=fields["rf_long"],
        shorts=fields["rf_short"],
        linear=fields["linear"],
        quadratic=fields["quadratic"],
    )
    return facade.book(
        table([*rows, *([position(FUNDING, owed, mark=1.0)] if owed else [])]),
        rules,
        collateral=cash(balance),
        market=[
            {"underlying": COIN, "indexPrice": price},
            {"underlying": FUNDING, "indexPrice": 1.0},
        ],
    )


def slipping(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the maintenance margin and the liquidation price with slippage in the margin.

    By `meta.formulae` a price below zero is shown as zero, and none exists where it cancels out.
    """
    mark, rate = fields["mark_price"], fields["rf_long"]
    row = position(COIN, fields["volume"], mark=mark)
    only_a_rate = {fields["linear"], fields["quadratic"], fields["funding"]} == {0}
    closed_form = only_a_rate and rate == fields["rf_short"]

    def book(balance: float) -> object:
        if closed_form:
            rows = [{**row, "maintenanceMarginRate": rate}]
            return facade.book(table(rows), rulebooks.rates(), collateral=cash(balance))
        return _account(fields, [row], facade, price=mark, balance=balance)

    def price(account: object) -> float | None:
        found = facade.liquidation_price(account, COIN, options=None if closed_form else FAR)
        if found is None:
            # an account in liquidation has the price at which it is safe again
            found = next(iter(ends(facade, account, COIN, options=FAR)), None)
        cancels = closed_form and rate == 1
        return 0.0 if found is None and not cancels else found

    account = book(fields["collateral"])
    maintenance = facade.maintenance_margin(account)
    return {
        "maintenance_margin": maintenance,
        "liquidation_price": price(account),
        "liquidation_price_at_collateral_equal_maintenance": price(book(maintenance)),
    }


# A search that goes as far as a price of a case may be, as a multiple of the mark.
FAR: Final = {"max": 1_000.0}
ORDER = Shape(required=spelled("price", "volume"))
RESTING = Shape(
    required={**TERMS, **spelled("buy_orders", "sell_orders")},
    inner={"buy_orders": ORDER, "sell_orders": ORDER},
)


def resting(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the liquidation price where own orders fill on the way to it.

    An order that is reached before the account is liquidated is a position entered at its price;
    the nearest order is reached first.
    """

    def position_at(price: float) -> list[dict[str, object]]:
        return [position(COIN, fields["volume"], mark=price, entry=fields["mark_price"])]

    def price_with(orders: list[Fields], sign: float) -> float:
        filled: list[Fields] = []
        price = fields["mark_price"]

        def book(at: float) -> object:
            rows = [
                position(
                    f"{COIN}{place}", quantity(order["volume"], sign), mark=at, entry=order["price"]
                )
                for place, order in enumerate(filled)
            ]
            named = [{**row, "underlying": COIN} for row in rows]
            held = [*position_at(at), *named]
            return _account(fields, held, facade, price=at, balance=fields["collateral"])

        for order in orders:
            if status(facade, book(order["price"])) in BELOW_MAINTENANCE:
                break
            filled.append(order)
            price = order["price"]
        if not (filled or fields["volume"]):
            return 0.0  # nothing moves with the coin
        found = facade.liquidation_price(book(price), COIN, options=FAR)
        return 0.0 if found is None else found

    def by_price(order: Fields) -> float:
        return float(order["price"])

    return {
        "position_only": price_with([], BUY_UNIT),
        "with_buy_orders": price_with(
            sorted(fields["buy_orders"], key=by_price, reverse=True), BUY_UNIT
        ),
        "with_sell_orders": price_with(sorted(fields["sell_orders"], key=by_price), LOSS_UNIT),
    }


# The levels of `meta.formulae`, as multiples of the maintenance margin.
LEVELS: Final[Mapping[str, float]] = {
    "maintenance": 1.0,
    "search": 1.1,
    "initial": 1.2,
    "release": 1.4,
}
LEVELLED = Shape(
    required=spelled("mark_price", "volume", "rf", linear="slippage_linear"),
)


def levelled(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the four levels of a position, each as the initial margin of a rulebook."""
    rows = table([position(COIN, fields["volume"], mark=fields["mark_price"])])

    def level(multiple: float) -> float:
        rules = _risk_factors(
            longs=fields["rf"],
            shorts=fields["rf"],
            linear=fields["linear"],
            quadratic=0.0,
            initial=multiple,
        )
        return facade.initial_margin(facade.book(rows, rules, collateral=cash(0.0)))

    return {name: level(LEVELS[name]) for name in case.expected_names if name in LEVELS}


FUNDED = Shape(
    required=spelled("entry", "volume", "margin_factor", "total_funds", "maintenance"),
)


def funded(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for what an isolated position takes from the funds: a factor of its entry value."""
    row = position(
        COIN,
        fields["volume"],
        mark=fields["entry"],
        initialMarginRate=fields["margin_factor"],
        maintenanceMarginRate=0.0,
    )
    book = facade.book(table([row]), rulebooks.rates(), collateral=cash(fields["total_funds"]))
    return {
        "position_margin": facade.initial_margin(book),
        "general_account": facade.excess(book, above="IM"),
    }


ADAPTERS: Final = (
    Adapter(read_skewed, skewed),
    Adapter(SLIPPING, slipping),
    Adapter(RESTING, resting),
    Adapter(LEVELLED, levelled),
    Adapter(FUNDED, funded),
)
