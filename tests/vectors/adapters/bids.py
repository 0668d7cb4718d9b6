"""Bids in an auction of an option account, with prices that move between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import derive
from tests.vectors.adapters.auction import TERMS, first_sale, liquidation
from tests.vectors.adapters.tables import position, table, together
from tests.vectors.adapters.units import LOSS_UNIT
from tests.vectors.view import (
    Adapter,
    NotApplicableError,
    Shape,
    factor_of,
    haircut_of,
    quantity,
    spelled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

# A contract of which one is held and on which nothing is required: its part is the part of all.
GAUGE: Final = "GAUGE"
FEEDS = Shape(
    required=spelled("spot", "forward", "vol", "rate", "confidences", stable="stable_price")
)
BID = Shape(
    required=spelled("feeds", time="time_s", wanted="bid_fraction_wanted_of_current"),
    inner={"feeds": FEEDS},
)
SIMULATION = Shape(
    required=spelled(
        "margin_model",
        "option",
        "cash",
        "auction",
        "steps",
        start="start_time_s",
        first="initial_feeds",
    ),
    inner={"auction": TERMS, "steps": BID, "first": FEEDS},
)


class Account:
    """An option, and cash of which a part is what earlier bids have brought."""

    def __init__(self, case: CaseView, fields: Fields, facade: Facade) -> None:
        self.facade = facade
        self.option = fields["option"]
        self.amount: float = self.option["amount"]
        self.free: list[float] = [fields["cash"]]
        self.reserved: list[float] = []
        self.buffer: float = factor_of(fields["auction"]["buffer"])
        self.terms = fields["auction"]
        # the buffer margin is the initial level: the requirement with the buffer on top
        params = {**case.shared["params"]["default"], "im_factor": self.buffer}
        self.rules = derive.pm1_rulebook(case, params)
        still = {
            "underlyings": [GAUGE],
            "scenarios": [{"set": "still", "price_moves": [0.0]}],
        }
        self.rules["profiles"] = [*self.rules["profiles"], still]  # type: ignore[misc]

    def book(self, feeds: Mapping[str, Any], time: float, *, fee: float = 0.0) -> object:
        """Return the account at a time, with the prices of then."""
        left = together(self.facade, self.option["seconds_to_expiry"], time * LOSS_UNIT)
        sure = feeds["confidences"]
        expiry = {
            "forward": feeds["forward"],
            "rate": feeds["rate"],
            "vol_confidence": sure,
            "forward_confidence": sure,
            "rate_confidence": sure,
        }
        option = {
            **self.option,
            "amount": self.amount,
            "vol": feeds["vol"],
            "seconds_to_expiry": left,
        }
        gauge = {**position(GAUGE, 1.0, mark=1.0), "settle": derive.CURRENCY}
        gauge["quantity"] = gauge.pop("contracts")
        spot = {
            "spot": feeds["spot"],
            "spot_confidence": sure,
            "stable_price": feeds["stable"],
        }
        return self.facade.book(
            table([derive.option_row(option, expiry, 0), gauge]),
            {**self.rules, **liquidation({**self.terms, "fee": fee})},
            collateral=[
                {"currency": derive.CURRENCY, "cash": amount}
                for amount in (*self.free, *self.reserved)
            ],
            market=table([*derive.market_rows(spot), {"underlying": GAUGE, "indexPrice": 1.0}]),
        )

    def figures(self, prefix: str, book: object, elapsed: float) -> dict[str, float | None]:
        """Return value, net margins and the largest slice of the account."""
        sale = first_sale(self.facade, book, GAUGE, **self.asked(elapsed))
        return {
            f"{prefix}_MtM": self.facade.equity(book),
            f"{prefix}_MM": self.facade.excess(book, above="MM"),
            f"{prefix}_BM": self.facade.excess(book, above="IM"),
            f"{prefix}_max_fraction": sale.share,
        }

    def asked(self, elapsed: float) -> dict[str, object]:
        """Return the options of a slice."""
        reserved = together(self.facade, *self.reserved) if self.reserved else 0.0
        return {"stop": self.buffer, "elapsed": elapsed, "reserved": reserved}

    def sell(self, book: object, wanted: float, elapsed: float) -> dict[str, float | None]:
        """Sell a slice to a bidder who wants no more than a fraction."""
        sale = first_sale(self.facade, book, GAUGE, step=wanted, **self.asked(elapsed))
        if sale.share is not None and sale.paid is not None:
            kept = haircut_of(sale.share)
            self.amount = quantity(self.amount, kept)
            self.free = [quantity(amount, kept) for amount in self.free]
            self.reserved.append(sale.paid)
        return {"fraction_filled_of_current": sale.share, "bid_cash": sale.paid}


def simulation(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the fee at the start of an auction and for what each bid leaves."""
    if "params" not in case.shared:
        reason = "the parameters of portfolio margin 1 lie in another file"
        raise NotApplicableError(reason)
    account = Account(case, fields, facade)
    start = fields["start"]
    opening = account.book(fields["first"], start, fee=fields["auction"]["fee"])
    rows = first_sale(facade, opening, GAUGE, stop=account.buffer).rows
    fee = next(row["cost"] for row in rows if row["action"] == "fee")
    account.free.append(fee * LOSS_UNIT)
    steps = []
    for bid in fields["steps"]:
        elapsed = together(facade, bid["time"], start * LOSS_UNIT)
        before = account.book(bid["feeds"], bid["time"])
        pre = account.figures("pre", before, elapsed)
        sold = account.sell(before, bid["wanted"], elapsed)
        after = account.book(bid["feeds"], bid["time"])
        steps.append({**pre, **sold, **account.figures("post", after, elapsed)})
    return {"liquidation_fee": fee, "steps": steps}


ADAPTERS: Final = (Adapter(SIMULATION, simulation),)
