"""Auctions of slices of an account: what a bidder may take, and what is paid for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.answers import expected
from tests.vectors.adapters.tables import cash, position, table, together
from tests.vectors.adapters.units import LOSS_UNIT, MINUTE_UNIT
from tests.vectors.view import Adapter, Shape, factor_of, haircut_of, quantity, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

# A contract of which one is held: how much of it goes is the share of everything that goes.
GAUGE: Final = "GAUGE"
NOTHING: Final = 1e-30
COIN: Final = "COIN"

TERMS = Shape(
    required=spelled(start="start_discount", buffer="buffer"),
    optional=spelled(
        cut="cut_discount",
        fast="fast_length_s",
        slow="slow_length_s",
        insolvent="insolvent_length_s",
        fee="fee_rate",
    ),
)


# An auction whose length a case leaves out has not moved at its start.
LONG: Final = 3_600.0


def liquidation(terms: Mapping[str, Any]) -> dict[str, object]:
    """Return how an auction runs, in the schema of rulebooks: price shares are discounts there."""
    start = terms["start"]
    auction = {
        "start": haircut_of(start),
        "fast": haircut_of(start if terms["cut"] is None else terms["cut"]),
        "fast_seconds": terms["fast"] or 0.0,
        "slow_seconds": terms["slow"] or LONG,
        "insolvent_seconds": terms["insolvent"] or 0.0,
        "fee": terms["fee"] or 0.0,
    }
    return {"liquidation": {"policy": "equal_slice", "auction": auction}}


class Sale(NamedTuple):
    """The first slice of an auction.

    Parameters
    ----------
    share
        Share of everything that goes to the bidder.
    paid
        What the bidder pays.
    offered
        What the bidder is paid, where the account has no value.
    rows
        All rows of the order.
    """

    share: float | None
    paid: float | None
    offered: float
    rows: Sequence[Mapping[str, Any]]


def first_sale(facade: Facade, book: object, gauge: str, **options: object) -> Sale:
    """Return the first slice that is sold, by the row of a contract of which one is held."""
    rows = facade.liquidation_order(book, scenario="now", max_steps=1, options=options).records()
    gone = {"slice", "takeover"}
    shares = [row["qty"] for row in rows if row["action"] in gone and row["symbol"] == gauge]
    paid = [row["qty"] for row in rows if row["action"] == "proceeds"]
    offered = [row["qty"] for row in rows if row["action"] == "offer"]
    return Sale(
        shares[0] if shares else None,
        paid[0] if paid else None,
        offered[0] if offered else 0.0,
        rows,
    )


def _account(
    facade: Facade, value: float, margin: float, rules: Mapping[str, object]
) -> tuple[object, float]:
    """Return an account of which only value and net margin are known, and what it requires.

    The requirement, value less net margin, is that of one contract with a rate of one.
    """
    required = together(facade, value, margin * LOSS_UNIT)
    row = position(GAUGE, 1.0, mark=required, maintenanceMarginRate=1.0)
    book = facade.book(table([row]), rulebooks.rates() | dict(rules), collateral=cash(value))
    return book, required


BID = Shape(
    required=spelled("auction", elapsed="elapsed_s"),
    optional=spelled(value="MtM", margin="MM", bid="bid_fraction", reserved="reserved_cash"),
    inner={"auction": TERMS},
)


def bid(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a bid on an account of which value and net margin are known.

    Without any, the discount is what a value of one costs.
    """
    value = 1.0 if fields["value"] is None else fields["value"]
    margin = -1.0 if fields["margin"] is None else fields["margin"]
    book, _ = _account(facade, value, margin, liquidation(fields["auction"]))
    asked = {"elapsed": fields["elapsed"], "reserved": fields["reserved"] or 0.0}
    stop = factor_of(fields["auction"]["buffer"])

    def whole() -> float | None:
        return first_sale(facade, book, GAUGE, stop="flat", **asked).paid

    def slice_of(step: float | None) -> Sale:
        chosen = {} if step is None else {"step": step}
        return first_sale(facade, book, GAUGE, stop=stop, **chosen, **asked)

    def offer() -> float:
        share = fields["bid"] or 1.0
        part, _ = _account(
            facade,
            quantity(value, share),
            quantity(margin, share),
            liquidation(fields["auction"]),
        )
        return first_sale(facade, part, GAUGE, stop=stop, **asked).offered

    return expected(
        case,
        {
            "discount": whole,
            "bid_price": whole,
            "max_fraction": lambda: slice_of(None).share,
            "cash_from_bidder": lambda: slice_of(fields["bid"]).paid,
            "cash_to_bidder": offer,
        },
    )


FEE = Shape(required=spelled("buffer_margin", "mtm", "rate"))
AT_ONCE: Final = {"start": 1.0, "cut": None, "fast": None, "slow": None, "insolvent": None}


def fee(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the slice that restores an account at no discount, and the fee on it."""
    value, margin = fields["mtm"], fields["buffer_margin"]
    free, _ = _account(facade, value, margin, liquidation({**AT_ONCE, "fee": 0.0}))
    charged, _ = _account(facade, value, margin, liquidation({**AT_ONCE, "fee": fields["rate"]}))
    rows = first_sale(facade, charged, GAUGE).rows
    return {
        "fraction": first_sale(facade, free, GAUGE).share,
        "fee": next(row["cost"] for row in rows if row["action"] == "fee"),
    }


INSOLVENT = Shape(
    required=spelled("mtm", "mm", elapsed="t_min", length="duration_min", share="fraction")
)


def insolvent(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the offer for an account without value, and what its taker has to bring."""
    terms = {**AT_ONCE, "fee": None, "insolvent": fields["length"] * MINUTE_UNIT}

    def offer(share: float) -> tuple[float, float]:
        value, margin = quantity(fields["mtm"], share), quantity(fields["mm"], share)
        book, required = _account(facade, value, margin, liquidation(terms))
        paid = first_sale(facade, book, GAUGE, elapsed=fields["elapsed"] * MINUTE_UNIT).offered
        row = position(GAUGE, 1.0, mark=required, maintenanceMarginRate=1.0)
        taken = facade.book(table([row]), rulebooks.rates(), collateral=cash(value, paid))
        return paid, facade.excess(taken) * LOSS_UNIT

    whole, _ = offer(1.0)
    part, missing = offer(fields["share"])
    return {"current_offer": whole * LOSS_UNIT, "sm_payout": part, "cash_required": missing}


PERPETUAL = Shape(
    required=spelled(
        "entry", "mark", "cash", "auction", "bids", amount="perp_amount", rate="perp_mm"
    ),
    inner={"auction": TERMS},
)


def perpetual(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for bids on an account with one perpetual, until its buffer margin is nothing.

    The buffer margin is the money above the initial level, whose rate has the buffer on top.
    """
    buffer, rate = factor_of(fields["auction"]["buffer"]), fields["rate"]
    rules = rulebooks.rates() | liquidation(fields["auction"])

    def book(size: float, *balances: float) -> object:
        row = position(
            COIN,
            quantity(fields["amount"], size),
            mark=fields["mark"],
            entry=fields["entry"],
            maintenanceMarginRate=rate,
            initialMarginRate=quantity(rate, buffer),
        )
        gauge = position(
            GAUGE, 1.0, mark=NOTHING, maintenanceMarginRate=rate, initialMarginRate=rate
        )
        return facade.book(table([row, gauge]), rules, collateral=cash(*balances))

    def sell(book: object, **options: object) -> tuple[float, float]:
        sale = first_sale(facade, book, GAUGE, stop=buffer, **options)
        return sale.share or 0.0, sale.paid or 0.0

    account = book(1.0, fields["cash"])
    largest, _ = sell(account)
    first, second = fields["bids"]
    share, paid = sell(account, step=first)
    size = haircut_of(share)
    left = book(size, quantity(fields["cash"], size), paid)
    rest, paid_again = sell(left, step=second, reserved=paid)
    size = quantity(size, haircut_of(rest))
    after = book(size, quantity(fields["cash"], size), paid, paid_again)
    return {
        "MM": facade.excess(account, above="MM"),
        "MtM": facade.equity(account),
        "BM": facade.excess(account, above="IM"),
        "max_fraction_first": largest,
        "second_fill_fraction_of_current": rest,
        "BM_after": facade.excess(after, above="IM"),
    }


ADAPTERS: Final = (
    Adapter(PERPETUAL, perpetual),
    Adapter(BID, bid),
    Adapter(FEE, fee),
    Adapter(INSOLVENT, insolvent),
)
