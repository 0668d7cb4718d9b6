"""Closed formulas of perpetuals and options, one contract at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.tables import cash, named, position, table
from tests.vectors.adapters.units import PERCENT_UNIT, PPM_UNIT
from tests.vectors.view import Adapter, NotApplicableError, Shape, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

CURRENCY: Final = rulebooks.CURRENCY
# Formulas that look at marks alone hold at any time to expiry.
A_DAY: Final = 86_400
# A quote balance beside a position at its price is the cash of a position entered at nothing.
NOTHING: Final = 1e-300


def option(  # noqa: PLR0913  a contract in full
    symbol: str, contracts: float, *, index: float, strike: float, right: str, mark: float | None
) -> dict[str, object]:
    """Return a row of the positions table, an option on ``COIN`` settled in dollars."""
    return {
        "symbol": symbol,
        "type": "option",
        "underlying": "COIN",
        "settle": CURRENCY,
        "contracts": contracts,
        "contractSize": 1.0,
        "strike": strike,
        "optionType": right,
        "secondsToExpiry": A_DAY,
        "forward": index,
        "indexPrice": index,
        "markPrice": mark,
    }


INCREMENTS = Shape(
    required=spelled(
        "instrument",
        "position_coin",
        "price",
        initial="im_base",
        initial_increment="im_increment_per_coin",
        maintenance="mm_base",
        maintenance_increment="mm_increment_per_coin",
    ),
)


def increments(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for rates that grow with the position, and for the margins at these rates.

    A rate is the usage of an account whose equity is the notional: a position entered at nothing.
    """
    if fields["initial_increment"] != fields["maintenance_increment"]:
        reason = "the two levels grow at different rates"
        raise NotApplicableError(reason)
    coins, price = fields["position_coin"], fields["price"]
    held = position("COIN", coins, mark=price, entry=NOTHING, indexPrice=price)

    def account(initial: float, maintenance: float) -> object:
        rates = {
            "initial": initial,
            "maintenance": maintenance,
            "increment": fields["initial_increment"],
            "price": "index",
        }
        return facade.book(table([held]), rulebooks.standard({"delta_one": rates}))

    book = account(fields["initial"], fields["maintenance"])
    return {
        "im_rate": facade.ratio(account(fields["initial"], fields["initial"])),
        "mm_rate": facade.ratio(book),
        "initial_margin_usdc": facade.initial_margin(book),
        "maintenance_margin_usdc": facade.maintenance_margin(book),
    }


OPEN_INTEREST = Shape(
    required=spelled("price", "size", "im_ppm", "maintenance_fraction_ppm"),
    optional=spelled("open_interest_contracts", "oi_lower_cap", "oi_upper_cap"),
)


def open_interest(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the margins of a perpetual whose initial rate may rise with open interest."""
    rates = {
        "initial": fields["im_ppm"] * PPM_UNIT,
        "maintenance_share_of_initial": fields["maintenance_fraction_ppm"] * PPM_UNIT,
        "rate_step": PPM_UNIT,
    }
    market = None
    if fields["open_interest_contracts"] is not None:
        rates = rates | {
            "open_interest_lower": fields["oi_lower_cap"],
            "open_interest_upper": fields["oi_upper_cap"],
        }
        market = [{"underlying": "COIN", "openInterest": fields["open_interest_contracts"]}]
    book = facade.book(
        table([position("COIN", fields["size"], mark=fields["price"])]),
        rulebooks.standard({"delta_one": rates}),
        market=market,
    )
    return named(
        case,
        {
            "initial": facade.initial_margin(book),
            "maintenance": facade.maintenance_margin(book),
        },
    )


OPEN_SIZES = Shape(
    required=spelled("position", "buy_orders", "sell_orders", "imf", "mark"),
)


def open_sizes(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the open sizes of a position with orders, and for the margin of the larger one.

    A size is the margin of the orders of that side at a rate of one, of a contract that costs one.
    """

    def margin(rate: float, mark: float, orders: Mapping[str, float]) -> float:
        book = facade.book(
            table([position("COIN", fields["position"], mark=mark)]),
            rulebooks.standard({"delta_one": {"initial": rate, "maintenance": 0.0}}),
            orders=[
                {"symbol": "COIN", "side": side, "amount": amount, "price": mark}
                for side, amount in orders.items()
            ],
        )
        return facade.initial_margin(book)

    buy, sell = {"buy": fields["buy_orders"]}, {"sell": fields["sell_orders"]}
    return {
        "buy_open_size": margin(1.0, 1.0, buy),
        "sell_open_size": margin(1.0, 1.0, sell),
        "net_imr": margin(fields["imf"], fields["mark"], buy | sell),
    }


HELD = Shape(required=spelled("market", "size", "oracle_price", "im_ratio", "mm_ratio"))
QUOTE_BALANCE = Shape(
    required=spelled("account"),
    inner={"account": Shape(required=spelled("usdc", "positions"), inner={"positions": HELD})},
)


def quote_balance(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer whether an account with a quote balance beside its positions is liquidatable."""
    account = fields["account"]
    rows = [
        position(
            row["market"],
            row["size"],
            mark=row["oracle_price"],
            entry=NOTHING,
            initialMarginRate=row["im_ratio"],
            maintenanceMarginRate=row["mm_ratio"],
        )
        for row in account["positions"]
    ]
    book = facade.book(table(rows), rulebooks.rates(), collateral=cash(account["usdc"]))
    status = facade.summary(book).records()[0]["status"]
    return named(case, {"liquidatable": status in {"liquidatable", "bankrupt"}})


UPPER_AND_LOWER = Shape(required=spelled("im_upper", "im_lower", "mm"))
SOLD_PUT = Shape(
    required=spelled("instrument", "underlying", "strike", "mark", "params", size="contracts_*"),
    inner={"params": UPPER_AND_LOWER},
)


def sold_put(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for one coin and for all of a put sold, settled in a stable currency."""
    if not fields["instrument"].endswith("-P"):
        reason = f"the formula at hand is of puts, the instrument is {fields['instrument']}"
        raise NotApplicableError(reason)
    params = fields["params"]
    rules = {
        "short_initial": {"rate": params["im_upper"], "floor": params["im_lower"]},
        "short_maintenance": {"rate": params["mm"], "put_mark": params["mm"]},
        "put_initial_over_maintenance": 1.0,
    }
    answers: dict[str, object] = {}
    for name, size in {"per_unit": 1.0, "position": fields["size"]}.items():
        row = option(
            "COIN-PUT",
            size,
            index=fields["underlying"],
            strike=fields["strike"],
            right="put",
            mark=fields["mark"],
        )
        book = facade.book(
            table([{**row, "side": "short"}]), rulebooks.standard({"options": rules})
        )
        initial, maintenance = facade.initial_margin(book), facade.maintenance_margin(book)
        if name == "position":
            answers = answers | {"position_im": initial, "position_mm": maintenance}
        else:
            answers = answers | {"im_per_unit": initial, "mm_per_unit": maintenance}
    return {name: answers[name] for name in case.expected_names if name in answers}


SOLD_OPTION = Shape(
    required=spelled("index", "mark", "size", "mm_factor", "liq_fee_rate", "margin_balance"),
)


def sold_option(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the maintenance margin of an option sold, whose strike does not matter."""
    factor = fields["mm_factor"]
    short = {
        "rate": factor,
        "call_mark": factor,
        "put_mark": factor,
        "fee": fields["liq_fee_rate"],
    }
    row = option(
        "COIN-CALL",
        fields["size"],
        index=fields["index"],
        strike=fields["index"],
        right="call",
        mark=fields["mark"],
    )
    book = facade.book(
        table([row]),
        rulebooks.standard({"options": {"short_initial": short, "short_maintenance": short}}),
        collateral=cash(fields["margin_balance"]),
    )
    return {
        "position_mm": facade.maintenance_margin(book),
        "account_mm_pct": facade.ratio(book) / PERCENT_UNIT,
    }


BOUGHT = Shape(required=spelled("index", "qty", "order_price", "taker_rate", "fee_cap"))


def bought(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for what an order to buy an option costs, its strike does not matter.

    Without a fee the cost is the premium; where the option's value is in the equity, only the fee
    is left of it.
    """
    symbol = f"COIN/{CURRENCY}:{CURRENCY}-311231-{fields['index']}-C"
    fee = {"order_fee": fields["taker_rate"], "order_fee_cap": fields["fee_cap"]}

    def cost(charged: Mapping[str, object], *, value_in_equity: bool = False) -> float:
        short = {"rate": 0.0}
        rules = {"short_initial": short, "short_maintenance": short, **charged}
        market = {
            "symbol": symbol,
            "markPrice": fields["order_price"],
            "indexPrice": fields["index"],
            "forward": fields["index"],
            "secondsToExpiry": A_DAY,
            "strike": fields["index"],
        }
        row = option(
            symbol,
            0.0,
            index=fields["index"],
            strike=fields["index"],
            right="call",
            mark=fields["order_price"],
        )
        book = facade.book(
            table([row]),
            rulebooks.standard({"options": rules}, value_in_equity=value_in_equity),
            collateral=cash(1.0),
            market=[market],
            orders=[
                {
                    "symbol": symbol,
                    "side": "buy",
                    "amount": fields["qty"],
                    "price": fields["order_price"],
                }
            ],
        )
        return facade.initial_margin(book)

    return {
        "premium": cost({}),
        "fee": cost(fee, value_in_equity=True),
        "cost": cost(fee),
    }


SOLD_CALLS = Shape(
    required=spelled("spot", "usdc", "short_calls", "params"),
    inner={
        "short_calls": Shape(required=spelled("n", "strike", "mark")),
        "params": Shape(required=spelled("im_a", "im_b", "mm")),
    },
)


def sold_calls(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the net margins of calls sold, alone and with a balance."""
    calls, params = fields["short_calls"], fields["params"]
    rules = {
        "short_initial": {"rate": params["im_a"], "floor": params["im_b"]},
        "short_maintenance": {"rate": params["mm"]},
    }
    row = option(
        "COIN-CALL",
        calls["n"],
        index=fields["spot"],
        strike=calls["strike"],
        right="call",
        mark=calls["mark"],
    )
    rulebook = rulebooks.standard({"options": rules})
    rows = table([{**row, "side": "short"}])
    alone = facade.book(rows, rulebook)
    whole = facade.book(rows, rulebook, collateral=cash(fields["usdc"]))
    return {
        "im_option": facade.excess(alone, above="IM"),
        "mm_option": facade.excess(alone, above="MM"),
        "IM": facade.excess(whole, above="IM"),
        "MM": facade.excess(whole, above="MM"),
    }


ADAPTERS: Final = (
    Adapter(INCREMENTS, increments),
    Adapter(OPEN_INTEREST, open_interest),
    Adapter(OPEN_SIZES, open_sizes),
    Adapter(QUOTE_BALANCE, quote_balance),
    Adapter(SOLD_PUT, sold_put),
    Adapter(SOLD_OPTION, sold_option),
    Adapter(BOUGHT, bought),
    Adapter(SOLD_CALLS, sold_calls),
)
