"""Every price at which an option book is liquidated, or safe again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.tables import equity, position, table
from tests.vectors.adapters.units import DAY_UNIT
from tests.vectors.view import Adapter, NotApplicableError, Shape, spelled

if TYPE_CHECKING:
    from tests.vectors.facade import Facade, Row
    from tests.vectors.view import Answer, CaseView, Fields

COIN: Final = "COIN"
RIGHTS: Final = {"C": "call", "P": "put"}
# Half a coin long and half a coin short: nothing but a notional of one coin.
HALVES: Final = {"LONG": 0.5, "SHORT": -0.5}

MANY_ROOTS = Shape(required=spelled("S0", "T_days", "cash", "legs", "mm", "vol"))


def _rate(text: str) -> float:
    """Return the rate of a requirement that is written as a share of the price: ``0.04*S``."""
    rate, times, price = text.partition("*")
    if not times or price != "S":
        reason = f"the requirement {text!r} is no share of the price"
        raise NotApplicableError(reason)
    return float(rate)


def _option(
    place: object, right: str, strike: float, amount: float, terms: Fields
) -> dict[str, Any]:
    return {
        "symbol": f"OPTION{place}",
        "type": "option",
        "underlying": COIN,
        "settle": rulebooks.CURRENCY,
        "optionType": RIGHTS[right],
        "strike": strike,
        "contracts": amount,
        "secondsToExpiry": terms["T_days"] * DAY_UNIT,
        "impliedVolatilityFraction": terms["vol"],
        "forward": terms["S0"],
        "rate": 0.0,
    }


def ends(
    facade: Facade,
    book: object,
    coin: str,
    *,
    which: str = "trigger",
    options: Row | None = None,
) -> list[float]:
    """Return the prices at which an account becomes liquidatable or safe, from below."""
    zones = facade.liquidation_zones(book, coin, which=which, options=options).records()
    return [zone["from"] for zone in zones if zone["begins"] in {"root", "jump"}]


def many_roots(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the ends of the zones in which an account is safe or is not.

    The cash of a case is the equity at the price of today: what options are worth is in it.
    """
    spot = fields["S0"]
    options = [
        _option(place, right, strike, amount, fields)
        for place, (right, strike, amount) in enumerate(fields["legs"])
    ]
    halves = [
        {**position(name, size, mark=spot), "type": "perpetual", "underlying": COIN}
        for name, size in HALVES.items()
    ]
    charge = {
        "name": "share of the price",
        "on": "notional",
        "kinds": ["perpetual"],
        "price": "mark",
        "stage": "outside",
        "rate": _rate(fields["mm"]),
    }
    still = {"set": "still", "price_moves": [0.0]}
    rules = rulebooks.scenarios(
        "case-share-of-price",
        [{"underlyings": [COIN], "scenarios": [still], "charges": [charge]}],
    )
    book = facade.book(
        table([*options, *halves]),
        rules,
        collateral=equity(fields["cash"]),
        market=[{"underlying": COIN, "indexPrice": spot}],
    )
    roots = ends(facade, book, COIN)
    return {"roots": roots, "n": len(roots), "margin_at_spot": facade.excess(book)}


ADAPTERS: Final = (Adapter(MANY_ROOTS, many_roots),)
